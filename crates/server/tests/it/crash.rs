//! `kill -9` at any moment: what was acknowledged is there, once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use crate::process::{Process, run};

const WRITERS: usize = 64;
const ROUNDS: usize = 20;

/// Keys that writers sent, and those of them that the server acknowledged.
#[derive(Default)]
struct Ledger {
    sent: Mutex<BTreeSet<String>>,
    acknowledged: Mutex<BTreeSet<String>>,
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_writers_and_twenty_kills_lose_and_double_nothing() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Arc::new(Ledger::default());
    let mut process = Process::start(data.path());
    let key = process.owner_key().await;
    for round in 0..ROUNDS {
        // Killed after a different number of acknowledgements each time: early, in the middle of a group, late.
        let kill_after = 1 + round * 37 % 400;
        write_until(&process, &key, &ledger, round, kill_after).await;
        process.kill();
        process = Process::start(data.path());
        check(&process, &key, &ledger).await;
    }
    resend(&process, &key, &ledger).await;
    let stored = stored(&process, &key).await;
    assert_eq!(stored.keys().cloned().collect::<BTreeSet<_>>(), *ledger.sent.lock().unwrap());
    assert!(process.terminate().success());
    let verified = run(data.path(), &["verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// Sixty-four writers send records until `enough` are acknowledged, and are still sending when this returns.
async fn write_until(process: &Process, key: &str, ledger: &Arc<Ledger>, round: usize, enough: usize) {
    let count = Arc::new(AtomicUsize::new(0));
    let mut writers = tokio::task::JoinSet::new();
    let (reached, mut wait) = tokio::sync::mpsc::channel::<()>(WRITERS);
    for writer in 0..WRITERS {
        let ((client, url), key, ledger) = (process.client(), key.to_owned(), Arc::clone(ledger));
        let (count, reached) = (Arc::clone(&count), reached.clone());
        writers.spawn(async move {
            for n in 0.. {
                let id = format!("{round}-{writer}-{n}");
                ledger.sent.lock().unwrap().insert(id.clone());
                let request =
                    client.post(format!("{url}/api/usage/track")).bearer_auth(&key).json(&record(&id));
                let Ok(response) = request.send().await else { return };
                if response.status() == 201 && response.bytes().await.is_ok() {
                    ledger.acknowledged.lock().unwrap().insert(id);
                    if count.fetch_add(1, Ordering::SeqCst) + 1 == enough {
                        reached.try_send(()).unwrap_or_default();
                    }
                }
            }
        });
    }
    wait.recv().await.unwrap();
    writers.detach_all();
}

fn record(id: &str) -> Value {
    json!({ "model": "gpt-4o-mini", "promptTokens": 1000, "completionTokens": 500, "requestId": id, "tags": ["crash"] })
}

async fn check(process: &Process, key: &str, ledger: &Ledger) {
    let stored = stored(process, key).await;
    assert!(stored.values().all(|count| *count == 1), "a record is there twice");
    let stored: BTreeSet<String> = stored.into_keys().collect();
    let lost: Vec<String> = ledger.acknowledged.lock().unwrap().difference(&stored).cloned().collect();
    assert_eq!(lost, Vec::<String>::new(), "acknowledged and gone");
    assert!(stored.is_subset(&ledger.sent.lock().unwrap()), "something is there that nobody sent");
}

/// How often each key is stored.
async fn stored(process: &Process, key: &str) -> BTreeMap<String, usize> {
    let export = process.get("/api/usage/export?format=ndjson", key).await;
    let mut stored = BTreeMap::new();
    for line in export.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        *stored.entry(record["requestId"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    stored
}

/// What any client does that got no answer: sends it all again.
async fn resend(process: &Process, key: &str, ledger: &Ledger) {
    let sent: Vec<String> = ledger.sent.lock().unwrap().iter().cloned().collect();
    for ids in sent.chunks(500) {
        let records: Vec<Value> = ids.iter().map(|id| record(id)).collect();
        let outcome = process.post("/api/usage/bulk", key, &json!(records)).await;
        assert_eq!(outcome["data"]["failed"], json!(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_answers_what_is_in_progress_and_leaves_everything_on_disk() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Arc::new(Ledger::default());
    let mut process = Process::start(data.path());
    let key = process.owner_key().await;
    write_until(&process, &key, &ledger, 0, 200).await;
    assert!(process.terminate().success());
    let mut process = Process::start(data.path());
    check(&process, &key, &ledger).await;
    process.kill();
}

/// Old records, of which retention deletes 200 in a write.
const OLD: usize = 6_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_forgetting_leaves_a_whole_store_and_the_next_start_goes_on() {
    let data = tempfile::tempdir().unwrap();
    let mut process = Process::start(data.path());
    let key = process.owner_key().await;
    for part in 0..OLD / 500 {
        let old = |n| {
            json!({ "model": "gpt-4o-mini", "cost": 0.01, "requestId": format!("{part}-{n}"),
                "timestamp": "2024-02-10T12:00:00Z" })
        };
        let records: Vec<Value> = (0..500).map(old).collect();
        process.post("/api/usage/bulk", &key, &json!(records)).await;
    }
    process.kill();
    let forgetting = ["retention.record_days=30"];
    process = Process::start_with(data.path(), &forgetting);
    while left(&process, &key).await == OLD {}
    process.kill();
    let verified = run(data.path(), &["verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    process = Process::start_with(data.path(), &forgetting);
    while left(&process, &key).await > 0 {}
    let stats = process.get("/api/usage/stats?startDate=2024-02-10&endDate=2024-02-10", &key).await;
    let stats: Value = serde_json::from_str(&stats).unwrap();
    let sums = &stats["data"];
    assert_eq!((&sums["totalRequests"], &sums["totalCost"]), (&json!(OLD), &json!(60)));
    assert_eq!(sums["recordsFrom"].as_str().map(|from| from > "2024-02-10"), Some(true));
    assert!(process.terminate().success());
    let verified = run(data.path(), &["verify"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

/// How many records are there.
async fn left(process: &Process, key: &str) -> usize {
    let page: Value = serde_json::from_str(&process.get("/api/usage?limit=1", key).await).unwrap();
    usize::try_from(page["pagination"]["total"].as_u64().unwrap()).unwrap()
}
