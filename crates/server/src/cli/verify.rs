//! `ai-cost-tracker verify`.

use std::process::ExitCode;

use store::{UsageStore as _, Verification};

use super::{Context, output};

/// Flags of `verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Make every sum anew from the records; the server must not run
    #[arg(long)]
    rebuild: bool,
}

/// Compares every sum with the records; fails if one differs.
pub async fn run(args: &VerifyArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let verification = if args.rebuild {
        let store = context.open_store().await?;
        store.rebuild().await?;
        let verification = store.verify().await?;
        store.close().await?;
        verification
    } else {
        context.open_to_read()?.verify().await?
    };
    report(&verification)?;
    Ok(if verification.difference_count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn report(verification: &Verification) -> std::io::Result<()> {
    for difference in &verification.differences {
        output::line(difference)?;
    }
    let verdict = match verification.difference_count {
        0 => "every sum agrees with the records".to_owned(),
        count => format!("{count} differences; run `ai-cost-tracker verify --rebuild`"),
    };
    output::line(&format!("{} records, {} sums: {verdict}", verification.records, verification.rollup_rows))
}
