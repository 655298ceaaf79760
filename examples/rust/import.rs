//! Import what was used before, and ask what a project cost.
//! Needs `API_KEY` (the tracker's address), `AICT_API_KEY` (a tracker key) and `PROJECT_ID`.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for people, with the environment it names"
)]

use std::{env, error::Error};

use ai_cost_tracker_client::{AnalyticsQuery, Tracker, UsageRecord};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let tracker = Tracker::from_env()?;
    // The same request_id is the same record: the import can be run again.
    let reported = UsageRecord {
        request_id: Some("mail-1".to_owned()),
        cost: Some("0.002".parse()?),
        total_tokens: Some(150),
        timestamp: Some("2024-01-15T10:30:00Z".parse()?),
        ..UsageRecord::new("gpt-3.5-turbo")
    };
    let counted = UsageRecord {
        request_id: Some("mail-2".to_owned()),
        prompt_tokens: Some(1000),
        completion_tokens: Some(500),
        timestamp: Some("2024-08-02T08:00:00Z".parse()?),
        ..UsageRecord::new("gpt-4o-mini")
    };
    let outcome = tracker.bulk_import([reported, counted]).await?;
    println!("imported: {} known before: {}", outcome.successful, outcome.duplicates);

    let year = AnalyticsQuery::between("2024-01-01", "2024-12-31");
    let analytics = tracker.get_project_analytics(&env::var("PROJECT_ID")?, &year).await?;
    println!("total cost: {}", analytics.summary.total_cost);
    tracker.close().await;
    Ok(())
}
