//! What Cost Katana's published clients send, as it was captured: see `fixtures/katana/README.md`.

use serde_json::{Value, json};

use crate::harness::{Person, Server};

const NODE_CALL: &str = include_str!("../fixtures/katana/node_call.json");
const NODE_LOGS: &str = include_str!("../fixtures/katana/node_logs.json");
const NODE_REQUEST_TOLD: &str = include_str!("../fixtures/katana/node_request_told.json");
const PYTHON_LOGS: &str = include_str!("../fixtures/katana/python_logs.json");

/// A server, its owner, a project that keeps prompts or not, and a tracker key that may only send.
async fn start(keeps_prompts: bool) -> (Server, Person, String, Person) {
    let server = Server::start().await;
    let owner = server.owner().await;
    let settings = json!({ "storePrompts": keeps_prompts });
    let project = server.project(&owner, json!({ "name": "Chat", "settings": settings })).await;
    let key = server.key(&owner, json!({ "name": "client", "scopes": ["ingest"] })).await;
    (server, owner, project, key)
}

async fn send(server: &Server, by: &Person, path: &str, fixture: &str, project: &str) -> Value {
    let body = fixture.replace("{projectId}", project);
    let status = if path.ends_with("track-sdk") { 201 } else { 200 };
    let call = server.post(path).by(by).header("x-project-id", project);
    call.header("x-costkatana-request-id", "0ee692d5").text(&body).await.expect(status)
}

/// What is kept, whole, oldest first.
async fn records(server: &Server, by: &Person) -> Vec<Value> {
    let list = server.get("/api/usage?order=asc").by(by).send().await.expect(200);
    let mut records = Vec::new();
    for record in list.as_array().unwrap() {
        let path = format!("/api/usage/{}", record["id"].as_str().unwrap());
        records.push(server.get(&path).by(by).send().await.expect(200));
    }
    records
}

fn of<'a>(records: &'a [Value], model: &str) -> &'a Value {
    records.iter().find(|record| record["model"] == model).unwrap()
}

#[tokio::test]
async fn a_call_of_the_node_client_is_one_record_however_often_it_is_sent() {
    let (server, owner, project, key) = start(false).await;
    let first = send(&server, &key, "/api/usage/track-sdk", NODE_CALL, &project).await;
    let again = send(&server, &key, "/api/usage/track-sdk", NODE_CALL, &project).await;
    assert_eq!((&first["duplicate"], &again["duplicate"]), (&json!(false), &json!(true)));
    assert_eq!(first["id"], again["id"]);
    let records = records(&server, &owner).await;
    let [record] = records.as_slice() else { panic!("{records:?}") };
    // What it says it cost, and beside it 1,000 × 0.15 and 500 × 0.60 dollars a million.
    assert_eq!(
        (record["cost"].to_string(), record["listCost"].to_string()),
        ("0.0006".into(), "0.00045".into())
    );
    assert_eq!((&record["costSource"], &record["origin"]), (&json!("reported"), &json!("sdk")));
    assert_eq!(record["flags"], json!(["cost_differs"]));
    assert_eq!((&record["promptTokens"], &record["completionTokens"]), (&json!(1000), &json!(500)));
    assert_eq!(record["projectId"], json!(project));
    assert_eq!((&record["userEmail"], &record["tags"]), (&json!("a@b.co"), &json!(["x"])));
    assert_eq!(record["responseTime"], json!(5));
}

#[tokio::test]
async fn text_is_kept_where_the_project_keeps_it_and_nowhere_else() {
    for keeps_prompts in [false, true] {
        let (server, owner, project, key) = start(keeps_prompts).await;
        send(&server, &key, "/api/usage/track-sdk", NODE_CALL, &project).await;
        let records = records(&server, &owner).await;
        let kept = |name: &str| records[0][name].as_str();
        let expected = if keeps_prompts { (Some("p"), Some("c")) } else { (None, None) };
        assert_eq!((kept("prompt"), kept("completion")), expected);
        let rest = json!({ "requestMetadata": { "temperature": 1 }, "responseMetadata": { "finishReason": "stop" } });
        assert_eq!(records[0]["metadata"], json!({ "extra": rest }));
    }
}

#[tokio::test]
async fn a_loggers_batch_is_kept_once_and_counts_that_nobody_made_are_unknown() {
    let (server, owner, project, key) = start(false).await;
    let first = send(&server, &key, "/api/ai-logs", NODE_LOGS, &project).await;
    assert_eq!(
        (&first["successful"], &first["failed"], &first["noCalls"]),
        (&json!(2), &json!(0), &json!(1))
    );
    let again = send(&server, &key, "/api/ai-logs", NODE_LOGS, &project).await;
    assert_eq!((&again["successful"], &again["duplicates"]), (&json!(0), &json!(2)));
    let records = records(&server, &owner).await;
    assert_eq!(records.len(), 2);
    let good = of(&records, "gpt-4o-mini");
    assert_eq!(
        (good["cost"].to_string(), good["listCost"].to_string()),
        ("0.00045".into(), "0.00045".into())
    );
    assert_eq!((&good["operation"], &good["timeToFirstToken"]), (&json!("chat_completion"), &json!(120)));
    let extra = &good["metadata"]["extra"];
    assert_eq!(extra["costBreakdown"], json!({ "inputCost": 0.00015, "outputCost": 0.0003 }));
    assert_eq!((&extra["logLevel"], &extra["parameters"]), (&json!("INFO"), &json!({ "temperature": 0.7 })));
    let failed = of(&records, "claude-3-5-sonnet-20241022");
    assert_eq!((&failed["cost"], &failed["totalTokens"]), (&Value::Null, &Value::Null));
    assert_eq!((&failed["status"], &failed["costSource"]), (&json!("error"), &json!("unpriced")));
    let error = (&failed["errorCode"], &failed["errorMessage"]);
    assert_eq!(error, (&json!("overloaded_error"), &json!("overloaded")));
}

#[tokio::test]
async fn pythons_logger_is_read_as_nodes_is() {
    let (server, owner, project, key) = start(false).await;
    let outcome = send(&server, &key, "/api/ai-logs", PYTHON_LOGS, &project).await;
    assert_eq!((&outcome["successful"], &outcome["noCalls"]), (&json!(2), &json!(1)));
    let records = records(&server, &owner).await;
    assert_eq!(of(&records, "gpt-4o-mini")["listCost"].to_string(), "0.00045");
    assert_eq!(of(&records, "gpt-4o")["cost"], Value::Null);
}

#[tokio::test]
async fn a_bad_entry_fails_alone_with_its_field_and_a_flag_says_more_than_a_status() {
    let (server, owner, _, key) = start(false).await;
    let body = json!({ "logs": [
        { "service": "unknown", "aiModel": "gpt-4o-mini", "inputTokens": 1000, "outputTokens": 0, "statusCode": 200, "success": false },
        { "service": "openai", "inputTokens": 10 },
        { "service": "openai", "aiModel": "gpt-4o", "inputTokens": -1 },
    ] });
    let outcome = server.post("/api/ai-logs").by(&key).json(&body).await.expect(200);
    let failures: Vec<_> = outcome["errors"].as_array().unwrap().iter().collect();
    let told: Vec<_> = failures
        .iter()
        .map(|error| (&error["index"], &error["code"], &error["details"][0]["field"]))
        .collect();
    let invalid = json!("invalid_input");
    let expected = [(&json!(1), &invalid, &json!("model")), (&json!(2), &invalid, &json!("inputTokens"))];
    assert_eq!(told, expected);
    let records = records(&server, &owner).await;
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((&record["service"], &record["status"]), (&json!("openai"), &json!("error")));
    assert_eq!(record["cost"].to_string(), "0.00015");
}

#[tokio::test]
async fn one_entry_needs_no_list_and_what_is_neither_is_refused() {
    let (server, owner, project, key) = start(false).await;
    let entry = json!({ "aiModel": "gpt-4o-mini", "inputTokens": 1000, "outputTokens": 500 });
    let call = server.post("/api/ai-logs").by(&key).header("x-project-id", &project);
    assert_eq!(call.json(&entry).await.expect(200)["successful"], json!(1));
    let records = records(&server, &owner).await;
    assert_eq!(
        (records[0]["cost"].to_string(), &records[0]["projectId"]),
        ("0.00045".into(), &json!(project))
    );
    server.post("/api/ai-logs").by(&key).json(&json!({ "logs": 7 })).await.refused(400, "malformed_body");
    let call = server.post("/api/ai-logs").by(&key).header("x-project-id", "mine");
    let refused = call.json(&json!({ "logs": [] })).await;
    assert_eq!(refused.failure().2, ["X-Project-Id"]);
}

#[tokio::test]
async fn what_the_node_client_tells_of_its_requests_is_taken_and_not_kept() {
    let (server, owner, project, key) = start(true).await;
    let body = NODE_REQUEST_TOLD.replace("{projectId}", &project);
    let path = "/api/usage/track-comprehensive";
    server.post(path).by(&key).text(&body).await.expect(202);
    server.post(path).by(&key).text("{").await.refused(400, "malformed_body");
    assert_eq!(records(&server, &owner).await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_node_clients_first_question_and_its_analytics_are_answered() {
    let (server, owner, project, _) = start(false).await;
    let key = server.key(&owner, json!({ "name": "client", "scopes": ["ingest", "read"] })).await;
    send(&server, &key, "/api/usage/track-sdk", NODE_CALL, &project).await;
    assert_eq!(server.get("/api/user/profile").by(&key).send().await.expect(200)["id"], json!(owner.id));
    let path = format!(
        "/api/analytics?startDate=2024-02-01T00:00:00.000Z&endDate=2024-02-28T00:00:00.000Z&userId={}",
        owner.id
    );
    let analytics = server.get(&path).by(&key).send().await.expect(200);
    assert_eq!(analytics["summary"]["totalCost"].to_string(), "0.0006");
}
