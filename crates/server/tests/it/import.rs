//! `ai-cost-tracker import`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

use axum::{Router, http::StatusCode, response::IntoResponse as _, routing::post};
use domain::{
    Secret, UserId,
    query::{Filter, PageStart, RecordQuery, RecordSort, Visibility},
    usage_record::{Origin, UsageRecord},
    user::{Role, User},
};
use jiff::tz::TimeZone;
use pricing::Money;
use serde_json::{Value, json};
use server::{
    audit::Trail,
    auth::Caller,
    import::{Destination, ErrorFile, Format, Mapping, Plan, Reading, Remote, Summary, Wishes, import},
    router,
};
use store::{
    AccountStore as _, Claim, UsageStore as _, UserWithHash,
    sqlite::{Options, Sqlite},
};

use crate::harness::{Person, Server};

fn pairs(pairs: &[&str]) -> Vec<(String, String)> {
    pairs.iter().filter_map(|pair| pair.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

fn plan(files: &[PathBuf], maps: &[&str], constants: &[&str]) -> Plan {
    let wishes = Wishes { maps: pairs(maps), constants: pairs(constants), ignored: Vec::new() };
    Plan {
        files: files.to_vec(),
        reading: Reading { format: None, delimiter: None, row_bytes_max: 1 << 20 },
        mapping: Mapping::new(&wishes, TimeZone::UTC).unwrap(),
        shows_progress: false,
    }
}

async fn store_of<'a>(server: &'a Server, person: &Person) -> Destination<'a> {
    let user = server.store.find_user(person.id.parse().unwrap()).await.unwrap().unwrap();
    Destination::Store {
        app: &server.app,
        caller: Box::new(Caller { user, key: None, address: None, trail: Trail::default() }),
    }
}

async fn records(server: &Server) -> Vec<UsageRecord> {
    let query = RecordQuery {
        filter: Filter::all(Visibility::Everything),
        sort: RecordSort::Timestamp,
        descending: false,
        start: PageStart::Offset(0),
        limit: 1_000,
        count: false,
    };
    server.store.list_records(&query).await.unwrap().records
}

fn counts(summary: &Summary) -> [u64; 4] {
    [summary.rows, summary.new, summary.duplicates, summary.failed]
}

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

/// The real traces, if they are there.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn traces() -> Option<[PathBuf; 2]> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let files = ["conversation", "code"].map(|name| folder.join(format!("azure_llm_trace_2023_{name}.csv")));
    if files.iter().all(|file| file.exists()) {
        return Some(files);
    }
    eprintln!("SKIPPED: the real traces are not in {}", folder.display());
    None
}

fn oracle([conversation, code]: &[PathBuf; 2]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tools/oracle/azure_trace_cost.py");
    let output = Command::new("python3").arg(script).args([conversation, code]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn trace_plan(file: &Path, model: &str) -> Plan {
    let model = format!("model={model}");
    let maps = ["promptTokens=ContextTokens", "completionTokens=GeneratedTokens"];
    plan(&[file.to_owned()], &maps, &["service=openai", &model])
}

#[tokio::test]
async fn real_traffic_costs_what_an_independent_computation_says() {
    let Some(files) = traces() else { return };
    let expected = oracle(&files);
    let server = Server::start().await;
    let owner = server.owner().await;
    let destination = store_of(&server, &owner).await;
    let plans = [trace_plan(&files[0], "gpt-3.5-turbo-1106"), trace_plan(&files[1], "gpt-4-0613")];
    let mut total = Money::ZERO;
    for (plan, name) in plans.iter().zip(["conversation", "code"]) {
        let summary = import(plan, &destination, None).await.unwrap();
        let rows = expected[name]["rows"].as_u64().unwrap();
        assert_eq!(counts(&summary), [rows, rows, 0, 0]);
        assert_eq!(summary.tokens, expected[name]["tokens"].as_u64().unwrap());
        let dollars: Money = expected[name]["dollars"].as_str().unwrap().parse().unwrap();
        assert_eq!(summary.cost, Some(dollars), "{name}");
        total = total.checked_add(dollars).unwrap();
    }
    assert_eq!(total, expected["both"]["dollars"].as_str().unwrap().parse().unwrap());
    for plan in &plans {
        let again = import(plan, &destination, None).await.unwrap();
        assert_eq!((again.new, again.duplicates), (0, again.rows));
    }
    let path = "/api/usage/stats?startDate=2023-11-16&endDate=2023-11-16";
    let stats = server.get(path).by(&owner).send().await.expect(200);
    assert_eq!(stats["totalRequests"], expected["both"]["rows"]);
    assert_eq!(stats["totalCost"].to_string(), total.to_string());
    let verification = server.store.verify().await.unwrap();
    assert_eq!((verification.records, verification.difference_count), (28_185, 0));
}

const TABLE: &str = "\
when,Model,prompt_tokens,completion_tokens,team,tags,comment
2024-01-15 10:30:00,gpt-4,1000,100,search,a;b,first
2024-01-15 10:30:00,gpt-4,1000,100,search,a;b,first
2024-01-15 10:31:00,gpt-4,many,100,search,,bad
2024-01-15 10:32:00,no-such-model,10,10,,,
";

#[tokio::test]
async fn equal_rows_stay_two_and_come_in_once() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let destination = store_of(&server, &owner).await;
    let folder = tempfile::tempdir().unwrap();
    let maps = ["timestamp=when"];
    let first =
        import(&plan(&[file(&folder, "a.csv", TABLE)], &maps, &[]), &destination, None).await.unwrap();
    assert_eq!(counts(&first), [4, 3, 0, 1]);
    assert_eq!((first.unpriced, first.cost), (1, Some("0.072".parse().unwrap())));
    assert_eq!(
        (first.failures[0].line, first.failures[0].error.contains("promptTokens")),
        (4, true),
        "{:?}",
        first.failures
    );

    // The file again, with its rows in another order and one more of them.
    let (head, rows) = TABLE.split_once('\n').unwrap();
    let turned: Vec<&str> = rows.lines().rev().chain(rows.lines().take(1)).collect();
    let again = file(&folder, "b.csv", &format!("{head}\n{}", turned.join("\n")));
    let second = import(&plan(&[again], &maps, &[]), &destination, None).await.unwrap();
    assert_eq!(counts(&second), [5, 1, 3, 1]);

    let kept = records(&server).await;
    assert_eq!(kept.len(), 4);
    let record = &kept[0];
    assert_eq!(
        (record.origin, record.occurred_at),
        (Origin::Import, "2024-01-15T10:30:00Z".parse().unwrap())
    );
    assert_eq!(record.allocation.team.as_deref(), Some("search"));
    assert_eq!(record.tags.iter().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(record.metadata.as_deref(), Some(r#"{"extra":{"comment":"first"}}"#));
}

#[tokio::test]
async fn json_lines_are_tracked_as_they_are() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Search" })).await;
    let folder = tempfile::tempdir().unwrap();
    let lines = concat!(
        r#"{"model":"gpt-4","usage":{"prompt_tokens":1000,"completion_tokens":100},"timestamp":1705314600,"requestId":"mine"}"#,
        "\n\n",
        r#"{"request":{"model":"gpt-4","id":7},"cost":0.0000000015,"occurredAt":"2024-01-15T10:30:00+02:00"}"#,
        "\n",
        r#"{"model":"gpt-4"}"#,
        "\n",
        "nonsense\n",
    );
    let project_id = format!("projectId={project}");
    let plan = plan(&[file(&folder, "a.jsonl", lines)], &["model=request.model"], &[&project_id]);
    let errors = folder.path().join("errors.jsonl");
    let destination = store_of(&server, &owner).await;
    // The first row has no request.model, and its own column steps aside for the one that was named.
    let summary = import(&plan, &destination, Some(ErrorFile::new(errors.clone()).unwrap())).await.unwrap();
    assert_eq!(counts(&summary), [4, 1, 0, 3]);
    let kept = records(&server).await;
    assert_eq!(kept[0].cost, Some(Money::from_nanos(2)));
    assert_eq!(kept[0].project_id.unwrap().to_string(), project);
    let errors = fs::read_to_string(errors).unwrap();
    let errors: Vec<Value> = errors.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lines: Vec<_> = errors.iter().map(|error| error["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [4, 5, 1], "{errors:?}");
    assert_eq!(errors[2]["row"]["requestId"], "mine");
}

#[tokio::test]
async fn a_trial_run_prices_everything_and_records_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(&[file(&folder, "a.csv", TABLE)], &["timestamp=when"], &[]);
    let now = "2024-02-10T12:00:00Z".parse().unwrap();
    let nowhere = Destination::Nowhere {
        book: pricing::PriceBook::new(std::sync::Arc::clone(pricing::Catalog::embedded_arc())),
        now,
    };
    let summary = import(&plan, &nowhere, None).await.unwrap();
    assert_eq!((counts(&summary), summary.cost), ([4, 3, 0, 1], Some("0.072".parse().unwrap())));
    assert_eq!(summary.models[0].model, "openai/gpt-4");
    assert!(summary.to_string().contains("Nothing was recorded"));
}

/// Serves `service` on a port of its own until the test ends; its URL.
async fn listen(server: &Server, service: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    server.app.spawn("test_listener", async move { axum::serve(listener, service).await.unwrap() });
    url
}

#[tokio::test]
async fn a_running_server_takes_the_same_rows_once() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let key = server.key(&owner, json!({ "name": "import", "scopes": ["ingest"] })).await;
    let url = listen(&server, Router::new().fallback_service(router::service(server.app.clone()))).await;
    let folder = tempfile::tempdir().unwrap();
    let plan = plan(&[file(&folder, "a.csv", TABLE)], &["timestamp=when"], &[]);
    let now = "2024-02-10T12:00:00Z".parse().unwrap();
    let remote = || Destination::Server(Remote::new(&url, Secret::new(key.credential.clone()), now).unwrap());
    let first = import(&plan, &remote(), None).await.unwrap();
    assert_eq!(
        (counts(&first), first.unpriced, first.cost),
        ([4, 3, 0, 1], 1, Some("0.072".parse().unwrap()))
    );
    assert_eq!(first.failures[0].line, 4);
    let second = import(&plan, &remote(), None).await.unwrap();
    assert_eq!(counts(&second), [4, 0, 3, 1]);
    // What came over the network is the same as what is imported directly.
    let third = import(&plan, &store_of(&server, &owner).await, None).await.unwrap();
    assert_eq!(counts(&third), [4, 0, 3, 1]);
    let wrong = Destination::Server(Remote::new(&url, Secret::new("aict_wrong"), now).unwrap());
    let error = format!("{:#}", import(&plan, &wrong, None).await.unwrap_err());
    assert!(error.contains("401"), "{error}");
}

#[tokio::test]
async fn what_another_model_did_inside_a_reply_is_in_the_sum_of_every_import() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let key = server.key(&owner, json!({ "name": "import", "scopes": ["ingest"] })).await;
    let url = listen(&server, Router::new().fallback_service(router::service(server.app.clone()))).await;
    let folder = tempfile::tempdir().unwrap();
    let line = |key: &str| {
        json!({ "service": "anthropic", "model": "claude-sonnet-5", "requestId": key, "timestamp": "2024-02-01T00:00:00Z", "usage": {
            "input_tokens": 1000, "output_tokens": 100,
            "iterations": [
                { "type": "message", "input_tokens": 1000, "output_tokens": 100 },
                { "type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 2000, "output_tokens": 10 },
            ],
        } })
        .to_string()
    };
    let [here, there] =
        ["a", "b"].map(|key| plan(&[file(&folder, &format!("{key}.jsonl"), &line(key))], &[], &[]));
    let now = "2024-02-10T12:00:00Z".parse().unwrap();
    let book = pricing::PriceBook::new(std::sync::Arc::clone(pricing::Catalog::embedded_arc()));
    let remote = Remote::new(&url, Secret::new(key.credential.clone()), now).unwrap();
    for (plan, destination) in [
        (&here, Destination::Nowhere { book, now }),
        (&here, store_of(&server, &owner).await),
        (&there, Destination::Server(remote)),
    ] {
        let summary = import(plan, &destination, None).await.unwrap();
        // 1000 × 2 + 100 × 10 and 2000 × 5 + 10 × 25 per million.
        let expected = ([1, 1, 0, 0], Some("0.01325".parse().unwrap()));
        assert_eq!((counts(&summary), summary.cost), expected, "{:?}", summary.failures);
        let models: Vec<_> = summary.models.iter().map(|sum| sum.model.as_str()).collect();
        assert_eq!(models, ["anthropic/claude-opus-4-8", "anthropic/claude-sonnet-5"]);
    }
    assert_eq!(records(&server).await.len(), 4);
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let busy_once = || async {
        if ASKED.fetch_add(1, Ordering::SeqCst) == 0 {
            return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")]).into_response();
        }
        let data = json!({ "results": [{ "index": 0, "cost": 0.5, "tokens": 2, "duplicate": false }], "errors": [] });
        axum::Json(json!({ "success": true, "data": data })).into_response()
    };
    let server = Server::start().await;
    let url = listen(&server, Router::new().route("/api/usage/bulk", post(busy_once))).await;
    let folder = tempfile::tempdir().unwrap();
    let line = r#"{"model":"gpt-4","timestamp":"2024-01-15T10:30:00Z"}"#;
    let plan = plan(&[file(&folder, "a.ndjson", line)], &[], &[]);
    let remote = Remote::new(&url, Secret::new("key"), "2024-02-10T12:00:00Z".parse().unwrap()).unwrap();
    let summary = import(&plan, &Destination::Server(remote), None).await.unwrap();
    assert_eq!((summary.new, summary.cost), (1, Some("0.5".parse().unwrap())));
    assert_eq!(ASKED.load(Ordering::SeqCst), 2);
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ai-cost-tracker"));
    command.arg("import").args(arguments).arg("--data-dir").arg(folder.join("data")).current_dir(folder);
    command.env_remove("AICT_API_KEY").output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn open(folder: &Path) -> Sqlite {
    Sqlite::open(&folder.join("data/ai-cost-tracker.db"), Options::default()).unwrap()
}

async fn make_owner(folder: &Path) {
    let store = open(folder);
    let user = User {
        id: UserId::from_bytes([7; 12]),
        email: "owner@example.com".to_owned(),
        name: "Owner".to_owned(),
        role: Role::Owner,
        preferences: "{}".to_owned(),
        demo: false,
        created_at: "2024-01-01T00:00:00Z".parse().unwrap(),
    };
    store.insert_user(&UserWithHash { user, password_hash: "none".to_owned() }, Claim::First).await.unwrap();
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_command_says_what_it_did_by_its_exit_status() {
    let folder = tempfile::tempdir().unwrap();
    let table = file(&folder, "a.csv", TABLE);
    let good = file(&folder, "good.csv", "timestamp,model,tokens,cost\n2024-01-15,gpt-4,10,0.25\n");
    let (table, good) = (table.to_str().unwrap(), good.to_str().unwrap());
    let (code, _, why) = said(&run(folder.path(), &[good]));
    assert_eq!((code, why.contains("register the first")), (Some(2), true), "{why}");
    make_owner(folder.path()).await;

    let (code, summary, why) = said(&run(folder.path(), &[good, "--json"]));
    assert_eq!(code, Some(0), "{why}");
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!((&summary["new"], summary["cost"].to_string()), (&json!(1), "0.25".to_owned()));
    let (code, summary, _) = said(&run(folder.path(), &[table, "--map", "timestamp=when"]));
    assert_eq!(code, Some(1));
    assert!(summary.contains("1  failed") && summary.contains("a.csv:4: "), "{summary}");

    for (arguments, reason) in [
        (&[table][..], "--map timestamp=COLUMN"),
        (&[good, "--map", "cost=price"], "there is no column \"price\""),
        (&[good, "--map", "costs=cost"], "is not a field"),
        (&[good, "--user", "nobody@example.com"], "there is no account"),
        (&[good, "--project", "507f1f77bcf86cd799439011"], "there is no such project"),
        (&[good, "--time-zone", "Mars"], "--time-zone"),
        (&[good, "--server", "http://127.0.0.1:1"], "AICT_API_KEY"),
        (&[good, "--server", "http://127.0.0.1:1", "--dry-run"], "cannot be used with"),
        (&["-"], "--format"),
        (&["none.csv"], "cannot be read"),
        (&[good, "--errors", good], "is there already"),
    ] {
        let (code, _, why) = said(&run(folder.path(), arguments));
        assert_eq!((code, why.contains(reason)), (Some(2), true), "{arguments:?}: {why}");
    }
}

#[tokio::test]
async fn a_store_in_use_says_how_to_import_nevertheless() {
    let folder = tempfile::tempdir().unwrap();
    make_owner(folder.path()).await;
    let good =
        file(&folder, "good.jsonl", r#"{"timestamp":"2024-01-15","model":"gpt-4","tokens":10,"cost":0.25}"#);
    let store = open(folder.path());
    let (code, _, why) = said(&run(folder.path(), &[good.to_str().unwrap()]));
    assert_eq!((code, why.contains("--server URL")), (Some(1), true), "{why}");
    let (code, summary, why) =
        said(&run(folder.path(), &[good.to_str().unwrap(), "--dry-run", "--format", "jsonl"]));
    assert_eq!((code, summary.contains("$0.25")), (Some(0), true), "{why}");
    assert_eq!(Format::from_name("ndjson"), Some(Format::Lines));
    store.close().await.unwrap();
}
