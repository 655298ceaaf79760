//! Loads a server with one request over and over, and says how long replies take: `load URL KEY CONNECTIONS SECONDS whole|stream`.
//!
//! A connection of its own for each, kept alive, with as little work for a reply as there can be: what is measured is the
//! server. Prints one line of JSON. Times are microseconds.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

/// Requests whose times do not count: pools fill and caches warm.
const WARM_UP: Duration = Duration::from_secs(1);

/// What one reply took.
#[derive(Debug, Clone, Copy)]
struct Timing {
    sent: Instant,
    /// To the first byte of the body.
    first: Duration,
    /// To the last.
    whole: Duration,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, key, connections, seconds, kind] = arguments.as_slice() else {
        bail!("load URL KEY CONNECTIONS SECONDS whole|stream");
    };
    let (host, path) =
        url.strip_prefix("http://").and_then(|url| url.split_once('/')).context("http://HOST/PATH")?;
    let request = request(host, path, key, kind == "stream");
    let length = Duration::from_secs(seconds.parse()?);
    let mut tasks = JoinSet::new();
    let begin = Instant::now() + WARM_UP;
    for _ in 0..connections.parse::<usize>()? {
        tasks.spawn(load(host.to_owned(), request.clone(), begin + length));
    }
    let mut all = Vec::new();
    while let Some(done) = tasks.join_next().await {
        all.extend(done??);
    }
    let timings: Vec<Timing> = all.iter().copied().filter(|timing| timing.sent >= begin).collect();
    let line = json!({
        "requests": timings.len(),
        "sent": all.len(),
        "seconds": length.as_secs(),
        "whole": quantiles(timings.iter().map(|timing| timing.whole)),
        "first": quantiles(timings.iter().map(|timing| timing.first)),
    });
    println!("{line}");
    Ok(())
}

fn request(host: &str, path: &str, key: &str, is_stream: bool) -> Vec<u8> {
    let text = "Summarise what the last quarter cost us, by team and by model, in three sentences.";
    let mut body = json!({ "model": "gpt-4o-mini", "messages": [{ "role": "user", "content": text }], "max_tokens": 100 });
    if is_stream {
        body["stream"] = json!(true);
        body["stream_options"] = json!({ "include_usage": true });
    }
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

async fn load(host: String, request: Vec<u8>, end: Instant) -> anyhow::Result<Vec<Timing>> {
    let mut stream = TcpStream::connect(&host).await?;
    stream.set_nodelay(true)?;
    let mut timings = Vec::new();
    let mut buffer = Vec::with_capacity(64 * 1024);
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(timings);
        }
        stream.write_all(&request).await?;
        timings.push(read(&mut stream, &mut buffer, sent).await?);
    }
}

/// Reads one reply; anything but 200 ends the measurement.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>, sent: Instant) -> anyhow::Result<Timing> {
    buffer.clear();
    let mut first = None;
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the connection was closed");
        }
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4) else {
            continue;
        };
        if buffer.len() > head && first.is_none() {
            first = Some(sent.elapsed());
        }
        if is_whole(buffer, head)? {
            let whole = sent.elapsed();
            return Ok(Timing { sent, first: first.unwrap_or(whole), whole });
        }
    }
}

fn is_whole(buffer: &[u8], head: usize) -> anyhow::Result<bool> {
    let text = String::from_utf8_lossy(buffer.get(..head).unwrap_or_default()).to_ascii_lowercase();
    if !text.starts_with("http/1.1 200") {
        bail!("{}", String::from_utf8_lossy(buffer));
    }
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    match length {
        Some(length) => Ok(buffer.len() >= head + length.trim().parse::<usize>()?),
        None => Ok(buffer.ends_with(b"0\r\n\r\n")),
    }
}

fn quantiles(times: impl Iterator<Item = Duration>) -> serde_json::Value {
    let mut micros: Vec<u128> = times.map(|time| time.as_micros()).collect();
    micros.sort_unstable();
    let at =
        |percent: usize| micros.get(micros.len().saturating_sub(1) * percent / 100).copied().unwrap_or(0);
    json!({ "p50": u64::try_from(at(50)).ok(), "p99": u64::try_from(at(99)).ok() })
}
