//! `ai-cost-tracker verify`.

use std::process::ExitCode;

use domain::audit::ChainHash;
use store::{AuditStore as _, AuditVerification, UsageStore as _, Verification};

use super::{Context, output};
use crate::api::audit::{hash_from_hex, hex};

/// Flags of `verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Make every sum anew from the records; the server must not run
    #[arg(long)]
    rebuild: bool,
    /// What was noted of the audit log: how many entries it had, and the hash of the last
    #[arg(long, value_name = "ENTRIES:HASH", value_parser = noted)]
    audit_head: Option<(u64, ChainHash)>,
}

/// Compares every sum with the records; fails if one differs.
pub async fn run(args: &VerifyArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let (verification, audit) = if args.rebuild {
        let store = context.open_store().await?;
        store.rebuild().await?;
        let verified = (store.verify().await?, store.verify_audit(args.audit_head).await?);
        store.close().await?;
        verified
    } else {
        let store = context.open_to_read()?;
        (store.verify().await?, store.verify_audit(args.audit_head).await?)
    };
    report(&verification)?;
    report_audit(&audit)?;
    let is_whole = verification.difference_count == 0 && audit.broken_at.is_none();
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn report_audit(audit: &AuditVerification) -> std::io::Result<()> {
    let verdict = match audit.broken_at {
        None => format!("whole; note --audit-head {}:{}", audit.entries, hex(&audit.head)),
        Some(number) => format!("entry {number} is not what it was, or one before it is missing"),
    };
    output::line(&format!("{} entries of the audit log: {verdict}", audit.entries))
}

fn noted(text: &str) -> Result<(u64, ChainHash), String> {
    let noted =
        text.split_once(':').and_then(|(entries, head)| Some((entries.parse().ok()?, hash_from_hex(head)?)));
    noted.ok_or_else(|| "must be a number, a colon and 64 hexadecimal digits".to_owned())
}

fn report(verification: &Verification) -> std::io::Result<()> {
    for difference in &verification.differences {
        output::line(difference)?;
    }
    let verdict = match verification.difference_count {
        0 => "every sum agrees with the records".to_owned(),
        count => format!("{count} differences; run `ai-cost-tracker verify --rebuild`"),
    };
    let sealed = match verification.sealed_rows {
        0 => String::new(),
        rows => format!(
            " ({rows} of days whose records were deleted for their age: known to be no less than what is left)"
        ),
    };
    let Verification { records, rollup_rows, .. } = verification;
    output::line(&format!("{records} records, {rollup_rows} sums{sealed}: {verdict}"))
}
