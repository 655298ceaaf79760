//! `ai-cost-tracker keys`.

use domain::webhook::Webhook;
use store::{KeyStore as _, WebhookStore as _, sqlite::Sqlite};

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
    /// Encrypt every provider key and secret of a webhook anew under the current `ENCRYPTION_KEY`; the server must not run
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
    let mut webhooks = 0_u64;
    for webhook in store.list_all_webhooks().await? {
        match rotate_webhook(&vault, &store, &webhook).await {
            Ok(is_rotated) => webhooks += u64::from(is_rotated),
            Err(error) => {
                output::complain(&format!("webhook {}: {error}", webhook.id));
                unreadable += 1;
            }
        }
    }
    let done = serde_json::json!({ "providerKeys": rotated, "webhooks": webhooks, "unreadable": unreadable });
    context.log(&store, "CLI keys rotate", "keys", &done).await?;
    store.close().await?;
    output::line(&format!(
        "{rotated} provider keys and the secrets of {webhooks} webhooks encrypted under the current key"
    ))?;
    anyhow::ensure!(
        unreadable == 0,
        "{unreadable} provider keys or webhooks could not be read; they are left as they are"
    );
    Ok(())
}

async fn rotate_webhook(vault: &Vault, store: &Sqlite, webhook: &Webhook) -> anyhow::Result<bool> {
    let previous = webhook.previous_secret.as_ref().map(|(sealed, _)| sealed);
    if ![Some(&webhook.secret), previous].into_iter().flatten().any(|sealed| vault.needs_rotation(sealed)) {
        return Ok(false);
    }
    let anew = |sealed| {
        let secret = vault.open_webhook(webhook.id, sealed)?;
        vault.seal_webhook(webhook.id, &secret)
    };
    let (secret, previous) = (anew(&webhook.secret)?, previous.map(anew).transpose()?);
    Ok(store.reseal_webhook(webhook, &secret, previous.as_ref()).await?)
}
