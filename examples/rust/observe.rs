//! Meter a streamed call made with an ordinary HTTP client: it is recorded with what it cost.
//! Needs `OPENAI_API_KEY`, `API_KEY` (the tracker's address: `http://localhost:8000/api`), `AICT_API_KEY` (a tracker key) and
//! `PROJECT_ID`. `OPENAI_BASE_URL` is another provider.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for people, with the environment it names"
)]

use std::{env, error::Error};

use ai_cost_tracker_client::{
    AnalyticsQuery, Attribution, CostAllocation, ProviderCall, Tracker, ask_for_usage,
};
use futures_util::TryStreamExt as _;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let tracker = Tracker::from_env()?;
    let base = env::var("OPENAI_BASE_URL").unwrap_or_else(|_| "https://api.openai.com/v1".to_owned());
    let url = format!("{base}/chat/completions");
    let question = json!([{ "role": "user", "content": "Say something about the price of things" }]);
    let request =
        ask_for_usage(&url, json!({ "model": "gpt-4o-mini", "messages": question, "stream": true }));

    let cost_allocation = Some(CostAllocation { team: Some("docs".to_owned()), ..CostAllocation::default() });
    let attribution =
        Attribution { tags: vec!["example".to_owned()], cost_allocation, ..Attribution::default() };
    let mut meter = tracker.observe(ProviderCall::to(&url, &request).attribution(attribution));
    // Here reqwest; the meter takes the bytes of any client.
    drop(rustls::crypto::ring::default_provider().install_default());
    let call = reqwest::Client::builder().build()?.post(&url).bearer_auth(env::var("OPENAI_API_KEY")?);
    let response = match call.json(&request).send().await {
        Ok(response) => response,
        Err(error) => {
            meter.is_unreachable();
            return Err(error.into());
        }
    };
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    meter.answers(response.status().as_u16(), kind);
    let mut answer = meter.watch(response.bytes_stream());
    while let Some(piece) = answer.try_next().await? {
        print!("{}", String::from_utf8_lossy(&piece));
    }

    // Sends what waits, so that the question below knows of it.
    tracker.flush().await;
    println!("records sent: {}", tracker.stats().sent);
    let project = env::var("PROJECT_ID")?;
    let analytics = tracker.get_project_analytics(&project, &AnalyticsQuery::default()).await?;
    println!("total cost: {}", analytics.summary.total_cost);
    for service in analytics.breakdown.services {
        println!("{}: {} for {} tokens", service.name, service.cost, service.tokens);
    }
    tracker.close().await;
    Ok(())
}
