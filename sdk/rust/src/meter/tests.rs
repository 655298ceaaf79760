//! What a client saw → the record that the tracker gets; the same files hold the other clients to the same.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::{Clock, SendTexts, UsageRecord, ask_for_usage, call};

#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn random_below(&self, _: u64) -> u64 {
        0
    }

    fn unique_key(&self) -> String {
        "key-1".to_owned()
    }
}

struct Played {
    records: Arc<Mutex<Vec<UsageRecord>>>,
    meter: Meter,
}

/// Begins the call of a fixture as a client does.
fn begin(fixture: &Value) -> Played {
    let records = Arc::new(Mutex::new(Vec::new()));
    let send_texts = match fixture["sendTexts"].as_str() {
        Some("never") => SendTexts::Never,
        Some("always") => SendTexts::Always,
        _ => SendTexts::Uncounted,
    };
    let kept = Arc::clone(&records);
    let sink: call::Sink = Arc::new(move |record| kept.lock().unwrap().push(record));
    let context = call::Context { clock: Arc::new(Still), send_texts, sink };
    let request = &fixture["request"];
    let made = ProviderCall::to(request["url"].as_str().unwrap(), &request["body"]);
    let call = made
        .target
        .map(|target| Call::new(target, made.request, attribution(&fixture["attribution"]), context));
    Played { records, meter: Meter::new(call) }
}

fn attribution(said: &Value) -> Attribution {
    let text = |key: &str| said[key].as_str().map(str::to_owned);
    let team = said["costAllocation"]["team"].as_str().map(str::to_owned);
    Attribution {
        project_id: text("projectId"),
        cost_allocation: team.map(|team| crate::CostAllocation { team: Some(team), ..Default::default() }),
        tags: said["tags"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|tag| tag.as_str().map(str::to_owned))
            .collect(),
        session_id: text("sessionId"),
        metadata: said["metadata"].as_object().cloned().unwrap_or_default(),
        ..Attribution::default()
    }
}

/// The answer's body in three pieces.
fn thirds(fixture: &Value) -> Vec<Bytes> {
    let body = fixture["response"]["body"].as_str().unwrap().as_bytes();
    (0..3).map(|at| Bytes::copy_from_slice(&body[body.len() * at / 3..body.len() * (at + 1) / 3])).collect()
}

fn head(fixture: &Value) -> (u16, &str) {
    let response = &fixture["response"];
    let status = response["status"].as_u64().unwrap();
    (u16::try_from(status).unwrap(), response["type"].as_str().unwrap_or_default())
}

/// Plays a fixture to a meter that is fed by hand.
fn play(fixture: &Value) -> Vec<UsageRecord> {
    let Played { records, mut meter } = begin(fixture);
    let end = fixture["end"].as_str().unwrap_or("whole");
    if fixture["response"]["documents"].is_array() {
        play_documents(fixture, meter);
    } else if end == "unreachable" {
        meter.is_unreachable();
    } else if end == "aborted" {
        drop(meter);
    } else {
        let (status, kind) = head(fixture);
        meter.answers(status, kind);
        for piece in thirds(fixture) {
            meter.feed(&piece);
        }
        match end {
            "whole" => meter.ends(),
            "cut" => meter.breaks_off(),
            _ => drop(meter),
        }
    }
    let records = records.lock().unwrap();
    records.clone()
}

/// Clients that hand over documents instead of bytes.
fn play_documents(fixture: &Value, mut meter: Meter) {
    let documents = fixture["response"]["documents"].as_array().unwrap();
    if !fixture["request"]["url"].as_str().unwrap().ends_with("stream") {
        let [reply] = &documents[..] else { panic!("a whole reply is one document") };
        return meter.reply(head(fixture).0, reply);
    }
    for event in documents {
        meter.event(event);
    }
    if fixture["end"] != "left" {
        meter.ends();
    }
}

/// Plays a fixture through a stream that passes.
fn play_stream(fixture: &Value) -> (Vec<UsageRecord>, Vec<u8>) {
    let Played { records, mut meter } = begin(fixture);
    let (status, kind) = head(fixture);
    meter.answers(status, kind);
    let end = fixture["end"].as_str().unwrap_or("whole");
    let failure = (end == "cut").then(|| Err("cut".to_owned()));
    let pieces = thirds(fixture).into_iter().map(Ok).chain(failure);
    let mut watched = meter.watch(stream::iter(pieces.collect::<Vec<_>>()));
    let seen = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
        let mut seen = Vec::new();
        let pieces = if end == "left" { 3 } else { 5 };
        for _ in 0..pieces {
            let Some(Ok(piece)) = watched.next().await else { break };
            seen.extend_from_slice(&piece);
        }
        seen
    });
    drop(watched);
    let records = records.lock().unwrap();
    (records.clone(), seen)
}

fn fixtures() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_slice(&fs::read(&path).unwrap()).unwrap())
    };
    files.map(read).collect()
}

/// The record as it is sent, with whole numbers and times written in one way.
fn normal(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, normal(value))).collect(),
        Value::Array(items) => items.into_iter().map(normal).collect(),
        Value::Number(number) => match number.to_string().strip_suffix(".0") {
            Some(whole) => whole.parse::<i64>().unwrap().into(),
            None => number.into(),
        },
        Value::String(text) if text == "2026-01-01T00:00:00.000Z" => "2026-01-01T00:00:00Z".into(),
        other => other,
    }
}

fn expected(fixture: &Value) -> Vec<Value> {
    Some(&fixture["record"])
        .filter(|record| !record.is_null())
        .map(|record| normal(record.clone()))
        .into_iter()
        .collect()
}

fn sent(records: &[UsageRecord]) -> Vec<Value> {
    // As text, as it goes out: money is written by its digits.
    records
        .iter()
        .map(|record| normal(serde_json::from_str(&serde_json::to_string(record).unwrap()).unwrap()))
        .collect()
}

#[test]
fn every_fixture_makes_its_record() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 37, "the fixtures are there");
    for (name, fixture) in fixtures {
        assert_eq!(sent(&play(&fixture)), expected(&fixture), "{name}: {}", fixture["what"]);
    }
}

#[test]
fn every_body_passes_unchanged_and_makes_its_record() {
    for (name, fixture) in fixtures().iter().filter(|(_, fixture)| fixture["response"]["body"].is_string()) {
        let (records, seen) = play_stream(fixture);
        assert_eq!(sent(&records), expected(fixture), "{name}: {}", fixture["what"]);
        assert_eq!(seen, fixture["response"]["body"].as_str().unwrap().as_bytes(), "{name}");
    }
}

/// `seen` is the one thing of the fixtures that does not apply: the caller reads the answer itself, so that the chunk of usage
/// that it asked for stays in what it sees. It asks with `ask_for_usage`, which makes what the fixtures call `sent`.
#[test]
fn requests_ask_for_usage_as_the_fixtures_say() {
    for (name, fixture) in fixtures() {
        let request = &fixture["request"];
        let asked = ask_for_usage(request["url"].as_str().unwrap(), request["body"].clone());
        assert_eq!(&asked, fixture.get("sent").unwrap_or_else(|| &request["body"]), "{name}");
    }
}

#[test]
fn a_meter_that_is_dropped_before_the_answer_was_given_up() {
    let fixture =
        json!({ "request": { "url": "https://api.openai.com/v1/responses", "body": { "model": "m" } } });
    let Played { records, meter } = begin(&fixture);
    drop(meter);
    let records = records.lock().unwrap();
    assert_eq!((records[0].error_code.as_deref(), records[0].cost), (Some("aborted"), None));
}

#[test]
fn what_is_too_long_to_read_stays_unknown() {
    let fixture =
        json!({ "request": { "url": "https://api.openai.com/v1/images/edits", "body": { "model": "m" } } });
    let Played { records, mut meter } = begin(&fixture);
    meter.answers(200, "application/json");
    let piece = vec![b' '; 8 * 1024 * 1024];
    for _ in 0..9 {
        meter.feed(&piece);
    }
    meter.ends();
    let records = records.lock().unwrap();
    assert_eq!(
        (records[0].status.as_deref(), &records[0].usage, records[0].cost),
        (Some("success"), &None, None)
    );
}
