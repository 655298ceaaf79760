//! Nothing that was forwarded is lost: not by a store that is down, not by `kill -9`.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use domain::{
    Interval, ProjectId, UsageId,
    costing::Costing,
    query::{Filter, Group, RecordQuery, UsageQuery, Visibility},
    usage_record::{Amendment, UsageRecord},
};
use fake_upstream::FakeUpstream;
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{
    Appended, CallBatch, DurationGroup, LatencyPercentiles, RecordPage, StoreError, Trimmed, UsageStore,
    Verification, sqlite::Sqlite,
};

use tokio::sync::mpsc::Sender;

use super::world::{World, chat};
use crate::process::{Process, run};

const CHAT: &str = "/gateway/openai/v1/chat/completions";

/// The embedded store, with a switch.
#[derive(Debug)]
struct Switched {
    store: Sqlite,
    is_down: AtomicBool,
}

impl Switched {
    fn over(store: Sqlite) -> Arc<Self> {
        Arc::new(Self { store, is_down: AtomicBool::new(false) })
    }

    fn switch(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    fn up(&self) -> Result<&Sqlite, StoreError> {
        let down = || StoreError::Unavailable("switched off".to_owned());
        (!self.is_down.load(Ordering::SeqCst)).then_some(&self.store).ok_or_else(down)
    }
}

#[async_trait]
impl UsageStore for Switched {
    async fn append(&self, records: Vec<UsageRecord>) -> Result<Vec<Appended>, StoreError> {
        self.up()?.append(records).await
    }

    async fn find_record(
        &self,
        visibility: &Visibility,
        id: UsageId,
    ) -> Result<Option<UsageRecord>, StoreError> {
        self.up()?.find_record(visibility, id).await
    }

    async fn list_records(&self, query: &RecordQuery) -> Result<RecordPage, StoreError> {
        self.up()?.list_records(query).await
    }

    async fn read_calls(&self, filter: &Filter, batches: Sender<CallBatch>) -> Result<(), StoreError> {
        self.up()?.read_calls(filter, batches).await
    }

    async fn last_place(&self) -> Result<u64, StoreError> {
        self.up()?.last_place().await
    }

    async fn list_kept(&self, after: u64, limit: usize) -> Result<Vec<(u64, UsageRecord)>, StoreError> {
        self.up()?.list_kept(after, limit).await
    }

    async fn amend_record(
        &self,
        id: UsageId,
        amendment: &Amendment,
    ) -> Result<Option<(UsageRecord, UsageRecord)>, StoreError> {
        self.up()?.amend_record(id, amendment).await
    }

    async fn delete_record(&self, id: UsageId) -> Result<Option<UsageRecord>, StoreError> {
        self.up()?.delete_record(id).await
    }

    async fn recost(&self, costings: Vec<(UsageId, Costing)>) -> Result<u64, StoreError> {
        self.up()?.recost(costings).await
    }

    async fn purge_projects(&self, projects: &[ProjectId]) -> Result<u64, StoreError> {
        self.up()?.purge_projects(projects).await
    }

    async fn trim_records(
        &self,
        project: Option<ProjectId>,
        before: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError> {
        self.up()?.trim_records(project, before, limit).await
    }

    async fn erase_contents(
        &self,
        project: Option<ProjectId>,
        period: Interval,
        limit: usize,
    ) -> Result<Trimmed, StoreError> {
        self.up()?.erase_contents(project, period, limit).await
    }

    async fn records_from(&self, filter: &Filter) -> Result<Option<Timestamp>, StoreError> {
        self.up()?.records_from(filter).await
    }

    async fn aggregate_each(&self, queries: &[UsageQuery]) -> Result<Vec<Vec<Group>>, StoreError> {
        self.up()?.aggregate_each(queries).await
    }

    async fn aggregate(&self, query: &UsageQuery) -> Result<Vec<Group>, StoreError> {
        self.up()?.aggregate(query).await
    }

    async fn latency_percentiles(&self, filter: &Filter) -> Result<LatencyPercentiles, StoreError> {
        self.up()?.latency_percentiles(filter).await
    }

    async fn durations(&self, query: &UsageQuery) -> Result<Vec<DurationGroup>, StoreError> {
        self.up()?.durations(query).await
    }

    async fn verify(&self) -> Result<Verification, StoreError> {
        self.up()?.verify().await
    }

    async fn rebuild(&self) -> Result<(), StoreError> {
        self.up()?.rebuild().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.up()?.ping().await
    }
}

fn numbered(number: usize) -> Value {
    chat("gpt-4o-mini", &json!({ "user": format!("user-{number:04}") }))
}

#[tokio::test]
async fn fail_open_forwards_while_the_store_is_down_and_writes_when_it_is_back() {
    let (world, store) = World::keeping(Switched::over, &[]).await;
    assert_eq!(world.post(CHAT, &[], &numbered(0)).await.status, 200);
    world.records().await;
    store.switch(true);
    for number in 1..=20 {
        assert_eq!(world.post(CHAT, &[], &numbered(number)).await.status, 200);
    }
    store.switch(false);
    assert_eq!(world.records().await.len(), 21);
    let journal = world.server.app.config.store.data_dir.join("gateway");
    assert_eq!(open_calls(&journal), BTreeSet::new());
}

#[tokio::test]
async fn fail_closed_refuses_while_the_store_is_down() {
    let (world, store) =
        World::keeping(Switched::over, &[("gateway.when_store_is_down", "fail_closed")]).await;
    assert_eq!(world.post(CHAT, &[], &numbered(0)).await.status, 200);
    world.records().await;
    store.switch(true);
    // The first call that cannot be written is how the gateway learns of it.
    assert_eq!(world.post(CHAT, &[], &numbered(1)).await.status, 200);
    let refused = loop {
        let answer = world.post(CHAT, &[], &numbered(2)).await;
        if answer.status != 200 {
            break answer;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((refused.status.as_u16(), &refused.value()["error"]["code"]), (503, &json!("gateway_busy")));
    store.switch(false);
    world.server.app.gateway.settled().await;
    assert_eq!(world.post(CHAT, &[], &numbered(3)).await.status, 200);
    let users = world.upstream.requests().len();
    assert!(world.records().await.len() >= 3 && users >= 3);
}

/// Calls in the files of a journal that are not noted as kept.
fn open_calls(folder: &Path) -> BTreeSet<String> {
    let (mut ended, mut kept) = (BTreeSet::new(), BTreeSet::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        for line in std::fs::read_to_string(entry.unwrap().path()).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            ended.extend(line["ended"]["id"].as_str().map(str::to_owned));
            kept.extend(
                line["kept"].as_array().into_iter().flatten().map(|id| id.as_str().unwrap().to_owned()),
            );
        }
    }
    ended.difference(&kept).cloned().collect()
}

/// A real server whose gateway leads to `upstream`, with an owner's key for everything.
fn start(data: &Path, upstream: &FakeUpstream) -> Process {
    Process::start_with(data, &[&format!("gateway.providers.openai.base_url={}", upstream.base_url())])
}

async fn call(
    process: &Process,
    key: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Option<reqwest::Response> {
    let (client, url) = process.client();
    let mut request = client.post(format!("{url}{CHAT}")).bearer_auth(key).json(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_kill_is_recorded_once() {
    let (data, upstream) = (tempfile::tempdir().unwrap(), FakeUpstream::start().await);
    let mut process = start(data.path(), &upstream);
    let key = process.owner_key().await;
    process
        .post("/api/user/api-keys", &key, &json!({ "service": "openai", "key": fake_upstream::KEY }))
        .await;
    let answered = Arc::new(Mutex::new(BTreeSet::new()));
    for round in 0..5_usize {
        let enough = round * 13 + 5;
        let before = answered.lock().unwrap().len();
        let (reached, mut wait) = tokio::sync::mpsc::channel::<()>(1);
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..16_usize {
            let ((client, url), key) = (process.client(), key.clone());
            let (answered, reached) = (Arc::clone(&answered), reached.clone());
            callers.spawn(async move {
                for number in 0.. {
                    let body = numbered(round * 1_000_000 + caller * 10_000 + number);
                    let sent = client.post(format!("{url}{CHAT}")).bearer_auth(&key).json(&body).send().await;
                    let Ok(answer) = sent else { return };
                    let id = answer.headers()["x-cost-request-id"].to_str().unwrap().to_owned();
                    let count = {
                        let mut answered = answered.lock().unwrap();
                        answered.insert(id);
                        answered.len()
                    };
                    if count >= before + enough {
                        let _already_told = reached.try_send(());
                    }
                }
            });
        }
        wait.recv().await.unwrap();
        process.kill();
        while callers.join_next().await.is_some() {}
        process = start(data.path(), &upstream);
    }
    let exported = process.get("/api/usage/export?format=ndjson", &key).await;
    let ids: Vec<String> = exported
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    let distinct: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(distinct.len(), ids.len());
    let answered = answered.lock().unwrap();
    assert_eq!(answered.difference(&distinct).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(process.terminate().success());
    assert!(run(data.path(), &["verify"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_way_at_a_kill_is_recorded_as_unknown_and_its_reservation_holds() {
    let (data, upstream) = (tempfile::tempdir().unwrap(), FakeUpstream::start().await);
    let mut process = start(data.path(), &upstream);
    let key = process.owner_key().await;
    process
        .post("/api/user/api-keys", &key, &json!({ "service": "openai", "key": fake_upstream::KEY }))
        .await;
    // Two calls of 100,000 output tokens at 10 dollars a million: one fits, and no second beside it.
    let budget = json!({ "amount": 1.5, "period": "yearly", "enforcement": "block" });
    let project = process.post("/api/projects", &key, &json!({ "name": "Blog", "budget": budget })).await;
    let project = project["data"]["id"].as_str().unwrap().to_owned();
    let of_tag = json!({ "name": "Nightly", "scope": { "type": "tag", "tag": "nightly" }, "budget": budget });
    process.post("/api/budgets", &key, &of_tag).await;
    let body = chat("gpt-4o", &json!({ "max_tokens": 100_000 }));
    let mut held = tokio::task::JoinSet::new();
    held.spawn({
        let ((client, url), key, body, project) =
            (process.client(), key.clone(), body.clone(), project.clone());
        async move {
            let request = client.post(format!("{url}{CHAT}")).bearer_auth(key).json(&body);
            let request = request.header("x-project-id", project).header("x-cost-tags", "nightly");
            request.header("x-fake", "hold").send().await.is_err()
        }
    });
    upstream.wait_for_requests(1).await;
    process.kill();
    assert!(held.join_next().await.unwrap().unwrap());
    let mut process = start(data.path(), &upstream);
    let refused = call(&process, &key, &[("x-project-id", &project)], &body).await.unwrap();
    assert_eq!(refused.status(), 402);
    let refused = call(&process, &key, &[("x-cost-tags", "nightly")], &body).await.unwrap();
    assert_eq!(refused.status(), 402);
    let records: Value = serde_json::from_str(&process.get("/api/usage", &key).await).unwrap();
    let record = &records["data"][0];
    assert_eq!((&record["errorCode"], &record["cost"]), (&json!("interrupted"), &Value::Null));
    assert_eq!(record["projectId"], project.as_str());
    let passed = call(&process, &key, &[("x-cost-tags", "other")], &body).await.unwrap();
    assert_eq!(passed.status(), 200);
    assert!(process.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_does_not_wait_for_a_provider_that_nobody_waits_for() {
    let (data, upstream) = (tempfile::tempdir().unwrap(), FakeUpstream::start().await);
    let settings = format!("gateway.providers.openai.base_url={}", upstream.base_url());
    let mut process = Process::start_with(data.path(), &[&settings, "server.shutdown_timeout_ms=100"]);
    let key = process.owner_key().await;
    process
        .post("/api/user/api-keys", &key, &json!({ "service": "openai", "key": fake_upstream::KEY }))
        .await;
    let mut held = tokio::task::JoinSet::new();
    for (number, fake) in ["hold", "stall-after=1"].into_iter().enumerate() {
        let ((client, url), key) = (process.client(), key.clone());
        held.spawn(async move {
            let request = client.post(format!("{url}{CHAT}")).bearer_auth(key).json(&numbered(number));
            request.header("x-fake", fake).send().await.is_err()
        });
    }
    upstream.wait_for_requests(2).await;
    upstream.wait_for_chunks(1).await;
    assert!(process.terminate().success());
    assert_eq!(held.join_all().await, [true, true]);
    let process = start(data.path(), &upstream);
    let records: Value = serde_json::from_str(&process.get("/api/usage", &key).await).unwrap();
    let codes: Vec<&Value> =
        records["data"].as_array().unwrap().iter().map(|record| &record["errorCode"]).collect();
    assert_eq!(codes, [&json!("not_drained"), &json!("not_drained")]);
}
