//! `ai-cost-tracker erase`.

use super::{Context, output};
use crate::api::erasures::{NewErasure, erase};

/// Flags of `erase`.
#[derive(Debug, clap::Args)]
pub struct EraseArgs {
    /// Address under which records name the person as user
    #[arg(long, value_name = "ADDRESS", required_unless_present = "customer_email")]
    user_email: Option<String>,
    /// Address under which records name the person as customer
    #[arg(long, value_name = "ADDRESS")]
    customer_email: Option<String>,
    /// Only count
    #[arg(long)]
    dry_run: bool,
}

/// Takes a person out of every record; the server must not run.
pub async fn run(args: EraseArgs, context: &Context) -> anyhow::Result<()> {
    let (app, store) = context.open_app().await?;
    let EraseArgs { user_email, customer_email, dry_run } = args;
    let erasure = erase(&app, NewErasure { user_email, customer_email, dry_run }).await?;
    if !dry_run {
        context.log(&store, "CLI erase", "erasures", &erasure).await?;
    }
    store.close().await?;
    output::line(&serde_json::to_string_pretty(&erasure)?)?;
    Ok(())
}
