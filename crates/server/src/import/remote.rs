//! Sending calls to a running server.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use domain::Secret;
use jiff::Timestamp;
use pricing::Money;
use reqwest::{StatusCode, Url, header};
use serde::Deserialize;

use super::{
    Unusable,
    batch::TrackedRow,
    destination::{Facts, Outcome},
    limits,
};
use crate::{http, track};

/// A running server, and the key to it.
#[derive(Debug)]
pub struct Remote {
    client: reqwest::Client,
    url: Url,
    key: Secret,
    now: Timestamp,
}

/// What the server answers.
#[derive(Debug, Deserialize)]
struct Reply {
    data: BulkOutcome,
}

#[derive(Debug, Deserialize)]
struct BulkOutcome {
    results: Vec<BulkResult>,
    errors: Vec<BulkError>,
}

// Not flattened into one another: money must be read straight from its digits.
#[derive(Debug, Deserialize)]
struct BulkResult {
    index: usize,
    cost: Option<Money>,
    tokens: Option<u64>,
    duplicate: bool,
    #[serde(default, rename = "sideCalls")]
    side_calls: Vec<SideCall>,
}

#[derive(Debug, Deserialize)]
struct SideCall {
    service: String,
    model: String,
    cost: Option<Money>,
    #[serde(rename = "totalTokens")]
    tokens: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct BulkError {
    index: usize,
    error: String,
}

#[derive(Debug, Deserialize)]
struct Failure {
    message: String,
}

/// What to do after an attempt.
#[derive(Debug)]
enum Attempt {
    Done(Bytes),
    /// Try again; the server may have said after how many seconds.
    Again {
        after_seconds: Option<u64>,
        why: String,
    },
}

impl Remote {
    /// The server at `url`, which knows `key`. `now` bounds the times of calls in the summary.
    pub fn new(url: &str, key: Secret, now: Timestamp) -> Result<Self, Unusable> {
        let base =
            Url::parse(url).map_err(|error| Unusable::new(format!("{url:?} is not a URL: {error}")))?;
        match base.scheme() {
            "http" | "https" => {}
            _ => return Err(Unusable::new(format!("{url:?} must start with https:// or http://"))),
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(Unusable::new(
                "the URL must not hold a name or password; the key goes into AICT_API_KEY",
            ));
        }
        let path = format!("{}/api/usage/bulk", base.path().trim_end_matches('/'));
        let mut url = base;
        url.set_path(&path);
        url.set_query(None);
        url.set_fragment(None);
        let client = http::client()
            .timeout(Duration::from_secs(limits::REQUEST_SECONDS))
            .build()
            .map_err(|error| Unusable::new(format!("no connection can be made: {error}")))?;
        Ok(Self { client, url, key, now })
    }

    /// Has the server record `calls`. All of them have keys: sending them again adds nothing twice.
    pub(super) async fn send(&self, calls: &[TrackedRow]) -> anyhow::Result<Vec<Outcome>> {
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let lines: Vec<&str> = calls.iter().map(|call| call.json.as_str()).collect();
        let body = Bytes::from(lines.join("\n"));
        let reply = self.deliver(&body).await?;
        let reply: Reply = serde_json::from_slice(&reply)
            .with_context(|| format!("{} does not answer as an AI Cost Tracker", self.url))?;
        self.outcomes(calls, reply.data)
    }

    async fn deliver(&self, body: &Bytes) -> anyhow::Result<Bytes> {
        let mut attempts = 1;
        loop {
            match self.attempt(body).await? {
                Attempt::Done(reply) => return Ok(reply),
                Attempt::Again { why, .. } if attempts == limits::ATTEMPTS => {
                    bail!("{} after {attempts} attempts: {why}", self.url)
                }
                Attempt::Again { after_seconds, why } => {
                    let pause = pause(attempts, after_seconds);
                    tracing::warn!(why, seconds = pause.as_secs(), "trying again");
                    tokio::time::sleep(pause).await;
                    attempts += 1;
                }
            }
        }
    }

    async fn attempt(&self, body: &Bytes) -> anyhow::Result<Attempt> {
        let request = self.client.post(self.url.clone()).bearer_auth(self.key.expose());
        let request = request.header(header::CONTENT_TYPE, "application/x-ndjson").body(body.clone());
        let sent = match request.send().await {
            Ok(response) => {
                let (status, after_seconds) = (response.status(), retry_after(response.headers()));
                response.bytes().await.map(|bytes| (status, after_seconds, bytes))
            }
            Err(error) => Err(error),
        };
        match sent {
            Ok((StatusCode::OK, _, bytes)) => Ok(Attempt::Done(bytes)),
            Ok((status, after_seconds, _)) if is_passing(status) => {
                Ok(Attempt::Again { after_seconds, why: format!("the server answered {status}") })
            }
            Ok((status, _, bytes)) => bail!("{} answered {status}{}", self.url, said(&bytes)),
            Err(error) if error.is_builder() => Err(error.into()),
            Err(error) => Ok(Attempt::Again { after_seconds: None, why: with_causes(&error) }),
        }
    }

    fn outcomes(&self, calls: &[TrackedRow], reply: BulkOutcome) -> anyhow::Result<Vec<Outcome>> {
        let mut outcomes: Vec<Option<Outcome>> = calls.iter().map(|_| None).collect();
        for result in reply.results {
            let (Some(outcome), Some(call)) = (outcomes.get_mut(result.index), calls.get(result.index))
            else {
                continue;
            };
            *outcome = Some(if result.duplicate {
                Outcome::Duplicate
            } else {
                Outcome::New(self.facts(call, result))
            });
        }
        for BulkError { index, error } in reply.errors {
            if let Some(outcome) = outcomes.get_mut(index) {
                *outcome = Some(Outcome::Failed(error));
            }
        }
        let complete: Option<Vec<Outcome>> = outcomes.into_iter().collect();
        complete.with_context(|| format!("{} did not say what became of every record", self.url))
    }

    /// The reply has no model; it is what was sent.
    fn facts(&self, call: &TrackedRow, result: BulkResult) -> Facts {
        let sent = track::parse(call.json.as_bytes(), self.now).ok();
        let provider = sent.as_ref().and_then(|sent| sent.provider.clone());
        let occurred_at = sent.as_ref().and_then(|sent| sent.occurred_at);
        let side_call = |SideCall { service, model, cost, tokens }| Facts {
            provider: service,
            model,
            occurred_at,
            tokens,
            cost,
            side_calls: Vec::new(),
        };
        Facts {
            provider: provider
                .map(|name| pricing::canonical_provider(&name).into_owned())
                .unwrap_or_default(),
            occurred_at,
            model: sent.map(|sent| sent.model).unwrap_or_default(),
            tokens: result.tokens,
            cost: result.cost,
            side_calls: result.side_calls.into_iter().map(side_call).collect(),
        }
    }
}

/// Whether the same request may well succeed later.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 502 | 503 | 504)
}

/// As long as the server says; else 1, 2, 4 … seconds.
fn pause(attempts: u32, after_seconds: Option<u64>) -> Duration {
    let seconds = after_seconds.unwrap_or_else(|| 1 << attempts.saturating_sub(1).min(16));
    Duration::from_secs(seconds.clamp(1, limits::PAUSE_SECONDS_MAX))
}

fn retry_after(headers: &header::HeaderMap) -> Option<u64> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

fn said(body: &[u8]) -> String {
    let failure: Option<Failure> = serde_json::from_slice(body).ok();
    failure.map(|failure| format!(": {}", failure.message)).unwrap_or_default()
}

/// The whole of an error, but not the URL: it is said already.
fn with_causes(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    if causes.is_empty() { error.to_string() } else { causes.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_what_the_server_says_within_bounds() {
        let pauses = [(1, None), (4, None), (40, None), (1, Some(7)), (1, Some(0)), (1, Some(86_400))];
        let seconds = pauses.map(|(attempts, after)| pause(attempts, after).as_secs());
        assert_eq!(seconds, [1, 8, 120, 7, 1, 120]);
    }

    #[test]
    fn the_path_of_a_server_behind_a_proxy_is_kept() {
        let url = |text| {
            Remote::new(text, Secret::new("k"), Timestamp::UNIX_EPOCH).map(|remote| remote.url.to_string())
        };
        assert_eq!(url("http://127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080/api/usage/bulk");
        assert_eq!(url("http://host/costs/?x#y").unwrap(), "http://host/costs/api/usage/bulk");
        for wrong in ["localhost:8080", "ftp://host", "nonsense", "http://me:secret@host"] {
            assert!(url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_answer_that_leaves_records_out_is_an_error() {
        let remote = Remote::new("http://127.0.0.1:1", Secret::new("k"), Timestamp::UNIX_EPOCH).unwrap();
        let calls = [1, 2].map(|line| TrackedRow { line, json: r#"{"model":"m"}"#.to_owned() });
        let reply = |json: &str| remote.outcomes(&calls, serde_json::from_str::<Reply>(json).unwrap().data);
        let both = r#"{"data":{"results":[{"index":1,"cost":0.1234567890,"tokens":null,"duplicate":false}],"errors":[{"index":0,"error":"no"}]}}"#;
        let outcomes = reply(both).unwrap();
        assert!(matches!(&outcomes[0], Outcome::Failed(why) if why == "no"));
        assert!(
            matches!(&outcomes[1], Outcome::New(facts) if facts.cost == Some(Money::from_nanos(123_456_789)))
        );
        assert!(reply(r#"{"data":{"results":[],"errors":[]}}"#).is_err());
    }
}
