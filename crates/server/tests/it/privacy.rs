//! What is forgotten: by age, and on demand.

use serde_json::{Value, json};
use server::retention::{Forgotten, forget_old};
use store::UsageStore as _;

use crate::harness::{Person, Server};

const DAY: i64 = 24 * 3600;

async fn totals(server: &Server, by: &Person, query: &str) -> (Value, Value) {
    let path = format!("/api/analytics?startDate=2024-01-01&endDate=2024-12-31&{query}");
    let answer = server.get(&path).by(by).send().await.expect(200);
    (answer["summary"].clone(), answer["period"]["recordsFrom"].clone())
}

async fn renewed(server: &Server, person: &Person) -> Person {
    let body = json!({ "email": person.email, "password": "correct horse battery" });
    let session = server.post("/api/auth/login").json(&body).await.expect(200);
    Person { credential: session["accessToken"].as_str().unwrap().to_owned(), ..person.clone() }
}

#[tokio::test]
async fn prompts_go_first_then_records_and_their_sums_stay() {
    let server = Server::with(&[("retention.record_days", "20")]).await;
    let owner = server.owner().await;
    let settings = json!({ "storePrompts": true, "retention": { "contentDays": 7, "recordDays": 10 } });
    let project = server.project(&owner, json!({ "name": "Chat", "settings": settings })).await;
    let call = |key: &str, project: Option<&str>| {
        json!({ "model": "gpt-4o", "promptTokens": 10, "completionTokens": 5, "prompt": "hush", "requestId": key,
                "projectId": project, "costAllocation": { "team": "search" } })
    };
    let first = server.track(&owner, call("a", Some(&project))).await;
    server.track(&owner, call("b", None)).await;
    server.clock.advance_seconds(6 * DAY);
    let owner = renewed(&server, &owner).await;
    server.track(&owner, call("c", Some(&project))).await;
    let (before, _) = totals(&server, &owner, "").await;
    assert_eq!(forget_old(&server.app).await.unwrap(), Forgotten::default());
    server.clock.advance_seconds(DAY + 1);
    assert_eq!(forget_old(&server.app).await.unwrap(), Forgotten { contents: 1, records: 0 });
    let path = format!("/api/usage/{}", first["id"].as_str().unwrap());
    let owner = renewed(&server, &owner).await;
    assert_eq!(server.get(&path).by(&owner).send().await.expect(200)["prompt"], Value::Null);
    server.clock.advance_seconds(4 * DAY);
    assert_eq!(forget_old(&server.app).await.unwrap(), Forgotten { contents: 0, records: 1 });
    let owner = renewed(&server, &owner).await;
    server.get(&path).by(&owner).send().await.refused(404, "usage_not_found");
    let (after, records_from) = totals(&server, &owner, "").await;
    assert_eq!(after["totalCost"], before["totalCost"]);
    assert_eq!((&after["totalRequests"], &records_from), (&json!(3), &json!("2024-02-11T00:00:00Z")));
    // The rollup knows no teams: the answer says from when on it can.
    let (by_team, records_from) = totals(&server, &owner, "team=search").await;
    assert_eq!((&by_team["totalRequests"], &records_from), (&json!(2), &json!("2024-02-11T00:00:00Z")));
    let stats = server.get("/api/usage/stats?team=search").by(&owner).send().await.expect(200);
    assert_eq!((&stats["totalRequests"], &stats["recordsFrom"]), (&json!(2), &records_from));
    let listed = server.get("/api/usage").by(&owner).send().await.value();
    assert_eq!(
        (&listed["pagination"]["total"], &listed["pagination"]["recordsFrom"]),
        (&json!(2), &records_from)
    );
    let since = server.get("/api/usage?startDate=2024-02-11").by(&owner).send().await.value();
    assert_eq!(since["pagination"].get("recordsFrom"), None);
    let allocation = format!("/api/projects/{project}/cost-allocation?groupBy=team");
    let allocation = server.get(&allocation).by(&owner).send().await.expect(200);
    assert_eq!(allocation["groups"].as_array().unwrap().len(), 1, "{allocation}");
    assert_eq!(allocation["recordsFrom"], records_from);
    let again = server.track(&owner, call("a", Some(&project))).await;
    assert_eq!((&again["duplicate"], &again["id"]), (&json!(true), &first["id"]));
    server.clock.advance_seconds(10 * DAY);
    assert_eq!(forget_old(&server.app).await.unwrap(), Forgotten { contents: 1, records: 2 });
    let verified = server.store.verify().await.unwrap();
    assert_eq!((verified.differences, verified.records, verified.sealed_rows), (vec![], 0, 3));
}

#[tokio::test]
async fn settings_say_what_holds_for_everybody() {
    let server = Server::with(&[("retention.record_days", "20")]).await;
    let owner = server.owner().await;
    let settings = server.get("/api/settings").by(&owner).send().await.expect(200);
    let expected =
        json!({ "mailIsConfigured": false, "retention": { "contentDays": null, "recordDays": 20 } });
    assert_eq!(settings, expected);
}

#[tokio::test]
async fn days_are_checked_and_a_project_without_any_keeps_its_records() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for (name, days) in [("contentDays", 0), ("recordDays", 36_501)] {
        let body = json!({ "name": "x", "settings": { "retention": { name: days } } });
        let (status, _, fields) = server.post("/api/projects").by(&owner).json(&body).await.failure();
        assert_eq!((status, fields), (422, vec![format!("settings.retention.{name}")]));
    }
    let project = server.project(&owner, json!({ "name": "Chat" })).await;
    server.track(&owner, json!({ "model": "gpt-4o", "projectId": project })).await;
    server.clock.advance_seconds(10_000 * DAY);
    assert_eq!(forget_old(&server.app).await.unwrap(), Forgotten::default());
}

#[tokio::test]
async fn a_person_is_taken_out_and_what_they_cost_stays() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let settings = json!({ "storePrompts": true });
    let project = server.project(&owner, json!({ "name": "Chat", "settings": settings })).await;
    let call = |user: &str, customer: Option<&str>| {
        json!({ "model": "gpt-4o", "cost": 0.5, "projectId": project, "prompt": "my name is Ada", "userEmail": user,
                "customerEmail": customer, "sessionId": "s-1", "traceId": "t-1", "requestId": format!("{user}-{customer:?}"),
                "metadata": { "note": "Ada" }, "error": "Ada is not allowed" })
    };
    let bobs = json!({ "model": "gpt-4o", "cost": 0.5, "projectId": project, "prompt": "nobody",
                       "userEmail": "bob@example.com", "sessionId": "s-1" });
    for body in [call("ada@example.com", None), call("bob@example.com", Some("ada@example.com")), bobs] {
        server.track(&owner, body).await;
    }
    let (before, _) = totals(&server, &owner, "").await;
    let erase = async |body: &Value| server.post("/api/erasures").by(&owner).json(body).await;
    let (status, _, fields) = erase(&json!({ "dryRun": true })).await.failure();
    assert_eq!((status, fields), (422, vec!["userEmail".to_owned()]));
    let person = json!({ "userEmail": "Ada@example.com", "customerEmail": "ada@example.com" });
    let mut preview = person.clone();
    preview["dryRun"] = json!(true);
    let counted = erase(&preview).await.expect(200);
    let count = |answer: &Value| {
        ["records", "contents", "sessions", "traces"].map(|name| answer[name].as_u64().unwrap())
    };
    assert_eq!(count(&counted), [2, 2, 1, 1]);
    assert_eq!(counted["pseudonym"], Value::Null);
    let list =
        async |query: &str| server.get(&format!("/api/usage?{query}")).by(&owner).send().await.expect(200);
    assert_eq!(list("userEmail=ada@example.com").await.as_array().unwrap().len(), 1);
    let erased = erase(&person).await.expect(200);
    assert_eq!(count(&erased), [2, 2, 1, 1]);
    assert_eq!(erased["isLogEmptied"], true);
    let pseudonym = erased["pseudonym"].as_str().unwrap();
    for query in ["search=ada", "userEmail=ada@example.com", "customerEmail=ada@example.com"] {
        assert_eq!(list(query).await, json!([]), "{query}");
    }
    assert_eq!(list(&format!("userEmail={pseudonym}")).await.as_array().unwrap().len(), 1);
    let all = list("").await;
    let of_bob = all.as_array().unwrap().iter().filter(|record| record["sessionId"] == "s-1").count();
    assert_eq!(of_bob, 1, "nobody else's is touched");
    let export = server.get("/api/usage/export").by(&owner).send().await.text();
    assert!(!export.contains("ada@example.com") && !export.contains("Ada"), "{export}");
    assert_eq!(totals(&server, &owner, "").await.0["totalCost"], before["totalCost"]);
    assert_eq!(server.store.verify().await.unwrap().differences, Vec::<String>::new());
    // The key protects as before, though it named the person.
    let again = server.track(&owner, call("ada@example.com", None)).await;
    assert_eq!(again["duplicate"], true);
    assert_eq!(count(&erase(&preview).await.expect(200)), [0, 0, 0, 0]);
    let log = server.get("/api/audit?action=erasures").by(&owner).send().await.text();
    assert!(log.contains(erased["addressHashes"][0].as_str().unwrap()));
    assert!(!log.to_lowercase().contains("ada@example.com"), "{log}");
    let folder = &server.app.config.store.data_dir;
    for file in ["test.db", "test.db-wal"] {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let holds =
            |text: &str| bytes.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()));
        assert!(!holds("ada@example.com") && !holds("my name is"), "{file}");
    }
    let member = server.member(&owner, &project, "carl@example.com", "admin").await;
    server.post("/api/erasures").by(&member).json(&person).await.refused(403, "forbidden");
}

#[tokio::test]
async fn many_records_are_corrected_at_once_each_by_itself() {
    let server = Server::with(&[("auth.allow_signup", "true")]).await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Chat" })).await;
    let stranger = server.register("stranger@example.com", None).await;
    let mut ids = Vec::new();
    for by in [&owner, &owner, &stranger] {
        ids.push(server.track(by, json!({ "model": "gpt-4o", "cost": 1 })).await["id"].clone());
    }
    let correct =
        async |by: &Person, body: &Value| server.post("/api/usage/corrections").by(by).json(body).await;
    let change = json!({ "tags": ["x"], "costAllocation": { "team": "search" }, "projectId": project });
    let body = json!({ "usageIds": ids, "change": change });
    correct(&stranger, &body).await.refused(404, "project_not_found");
    let own = json!({ "usageIds": ids, "change": { "tags": ["mine"] } });
    let answer = correct(&stranger, &own).await.expect(200);
    assert_eq!((&answer["corrected"], &answer["failed"]), (&json!(1), &json!(2)));
    assert_eq!(
        (&answer["results"][0]["code"], &answer["results"][2]["corrected"]),
        (&json!("usage_not_found"), &json!(true))
    );
    let answer = correct(&owner, &body).await.expect(200);
    assert_eq!((&answer["corrected"], &answer["failed"]), (&json!(3), &json!(0)));
    let (sums, _) = totals(&server, &owner, &format!("projectId={project}&team=search&tag=x")).await;
    assert_eq!((&sums["totalCost"], &sums["totalRequests"]), (&json!(3), &json!(3)));
    assert_eq!(server.store.verify().await.unwrap().differences, Vec::<String>::new());
    let log = server.get("/api/audit?action=corrections&limit=1").by(&owner).send().await.expect(200);
    assert_eq!(log[0]["after"]["usageIds"], json!(ids));
    let too_many: Vec<&Value> = vec![&ids[0]; 1_001];
    for list in [json!([]), json!(too_many)] {
        let (status, _, fields) = correct(&owner, &json!({ "usageIds": list, "change": {} })).await.failure();
        assert_eq!((status, fields), (422, vec!["usageIds".to_owned()]));
    }
}
