//! `ai-cost-tracker keys`.

use store::KeyStore as _;

use super::{Context, output};
use crate::vault::Vault;

/// Flags of `keys`.
#[derive(Debug, clap::Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, clap::Subcommand)]
enum KeysCommand {
    /// Encrypt every provider key anew under the current `ENCRYPTION_KEY`; the server must not run
    Rotate,
}

/// Runs the subcommand.
pub async fn run(args: &KeysArgs, context: &Context) -> anyhow::Result<()> {
    match args.command {
        KeysCommand::Rotate => rotate(context).await,
    }
}

/// Each key is encrypted anew in a transaction of its own, so that a rotation that breaks off is resumed by another.
async fn rotate(context: &Context) -> anyhow::Result<()> {
    let secrets = context.secrets()?;
    let vault = Vault::new(&secrets.encryption_key, secrets.previous_encryption_key.as_ref());
    let store = context.open_store().await?;
    let (mut rotated, mut unreadable) = (0_u64, 0_u64);
    for key in store.list_all_provider_keys().await? {
        if !vault.needs_rotation(&key.sealed) {
            continue;
        }
        match vault.open(key.user_id, &key.provider, &key.sealed) {
            Ok(secret) => {
                let sealed = vault.seal(key.user_id, &key.provider, &secret)?;
                store.reseal_provider_key(key.user_id, &key.provider, &key.sealed, &sealed).await?;
                rotated += 1;
            }
            Err(error) => {
                output::complain(&format!("{} of user {}: {error}", key.provider, key.user_id));
                unreadable += 1;
            }
        }
    }
    store.close().await?;
    output::line(&format!("{rotated} provider keys encrypted under the current key"))?;
    anyhow::ensure!(
        unreadable == 0,
        "{unreadable} provider keys could not be read; they are left as they are"
    );
    Ok(())
}
