//! `ai-cost-tracker backup`.

use std::path::PathBuf;

use super::{Context, output};

/// Flags of `backup`.
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// File to write; must not exist yet
    target: PathBuf,
}

/// Copies the store as it is at one moment, also while the server runs.
pub async fn run(args: &BackupArgs, context: &Context) -> anyhow::Result<()> {
    context.open_to_read()?.backup_to(&args.target).await.map_err(|error| match error {
        store::StoreError::Conflict(_) => {
            anyhow::anyhow!("{} exists; name a new file", args.target.display())
        }
        other => other.into(),
    })?;
    output::line(&format!("the store is copied to {}", args.target.display()))?;
    let secrets = context.config.store.data_dir.join("secrets.toml");
    if secrets.exists() {
        output::line(&format!(
            "keep {} as well: without it stored provider keys cannot be read",
            secrets.display()
        ))?;
    }
    Ok(())
}
