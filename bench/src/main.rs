//! Measures the server over HTTP, as its clients meet it. See `bench/README.md`.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "figures to look at")]

mod server;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::ensure;
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use tokio::task::JoinSet;

use crate::server::Server;

/// Clients that send at the same time.
const CLIENTS: u64 = 64;
/// Requests of a throughput figure.
const REQUESTS: u64 = 20_000;
/// Times that a question is asked.
const ASKED: usize = 9;
/// Records of one piece of an upload.
const PIECE: u64 = 1_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let binary = arguments.next().unwrap_or_else(|| "target/release/ai-cost-tracker".to_owned());
    let records: u64 = arguments.next().map_or(Ok(200_000), |count| count.parse())?;
    let server = Server::start(&binary).await?;

    let health = throughput(&server, "/healthz", false).await?;
    println!("health  {health:>10.0} requests/s");
    let track = throughput(&server, "/api/usage/track", true).await?;
    println!("track   {track:>10.0} requests/s, each durable; {:.2} of health", track / health);
    let bulk = upload(&server, records).await?;
    println!("bulk    {bulk:>10.0} records/s; {:.1} times track", bulk / track);

    let days = |days: u64| {
        format!("startDate={}&endDate=2026-06-30", if days == 30 { "2026-06-01" } else { "2025-07-01" })
    };
    let list = question(&server, &format!("/api/usage?projectId={}&limit=50", server.project)).await?;
    let month =
        question(&server, &format!("/api/analytics/projects/{}?{}", server.project, days(30))).await?;
    let year = question(&server, &format!("/api/analytics?{}&groupBy=week", days(365))).await?;
    println!("list    {:>10.2} ms: the latest 50 of {records}", milliseconds(list));
    println!("month   {:>10.2} ms: 30 days of a project, every breakdown", milliseconds(month));
    println!("year    {:>10.2} ms: 365 days of everything, every breakdown", milliseconds(year));
    Ok(())
}

/// Requests a second that [`CLIENTS`] get answered.
async fn throughput(server: &Server, path: &str, tracks: bool) -> anyhow::Result<f64> {
    let next = Arc::new(AtomicU64::new(0));
    let mut clients = JoinSet::new();
    let started = Instant::now();
    for _ in 0..CLIENTS {
        let (server, path, next) = (server.clone(), path.to_owned(), Arc::clone(&next));
        clients.spawn(async move {
            while next.fetch_add(1, Ordering::Relaxed) < REQUESTS {
                let request = if tracks { server.post(&path).json(&record(0)) } else { server.get(&path) };
                let response = request.send().await?;
                ensure!(response.status().is_success(), "{} answered {}", path, response.status());
                response.bytes().await?;
            }
            Ok(())
        });
    }
    while let Some(done) = clients.join_next().await {
        done??;
    }
    Ok(REQUESTS as f64 / started.elapsed().as_secs_f64())
}

/// Records a second of one streamed upload.
async fn upload(server: &Server, records: u64) -> anyhow::Result<f64> {
    let project = server.project.clone();
    let pieces = (0..records.div_ceil(PIECE))
        .map(move |piece| Ok::<_, std::io::Error>(lines(&project, piece * PIECE)));
    let started = Instant::now();
    let request = server.post("/api/usage/bulk").header("content-type", "application/x-ndjson");
    let answer = request.body(reqwest::Body::wrap_stream(stream::iter(pieces))).send().await?.text().await?;
    let outcome: serde_json::Value = serde_json::from_str(&answer)?;
    let kept = outcome["data"]["successful"].as_u64().unwrap_or(0);
    ensure!(kept == records.div_ceil(PIECE) * PIECE, "only {kept} records were kept: {answer}");
    Ok(kept as f64 / started.elapsed().as_secs_f64())
}

fn lines(project: &str, first: u64) -> Bytes {
    let mut text = Vec::new();
    for number in first..first + PIECE {
        let mut record = record(number);
        record["timestamp"] = json!(format!(
            "2026-{:02}-{:02}T{:02}:00:00Z",
            number / 12 % 6 + 1,
            number / 72 % 28 + 1,
            number % 24
        ));
        if number % 12 == 0 {
            record["projectId"] = json!(project);
        }
        text.extend_from_slice(record.to_string().as_bytes());
        text.push(b'\n');
    }
    text.into()
}

fn record(number: u64) -> serde_json::Value {
    let models = ["gpt-4o-mini", "gpt-4o", "claude-sonnet-4-5", "gemini-2.5-pro", "mistral-large-latest"];
    let model = models[usize::try_from(number % 5).unwrap_or(0)];
    json!({
        "model": model, "promptTokens": 500 + number % 3000, "completionTokens": 20 + number % 700,
        "cacheReadTokens": number % 400, "responseTime": 200 + number % 5000,
        "costAllocation": { "department": format!("d{}", number % 6), "team": format!("t{}", number % 25) },
        "tags": [format!("tag-{}", number % 40)],
    })
}

/// Median time of a question.
async fn question(server: &Server, path: &str) -> anyhow::Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..ASKED {
        let started = Instant::now();
        let response = server.get(path).send().await?;
        ensure!(response.status().is_success(), "{path} answered {}", response.status());
        response.bytes().await?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times[ASKED / 2])
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
