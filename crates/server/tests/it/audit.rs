//! The audit log: nothing that changes something is missing from it, and nothing in it is a secret.

use serde_json::{Value, json};
use server::audit::EXEMPT;

use crate::harness::{Person, Server};

async fn entries(server: &Server, by: &Person, query: &str) -> Vec<Value> {
    let page = server.get(&format!("/api/audit?limit=100&{query}")).by(by).send().await.expect(200);
    page.as_array().unwrap().clone()
}

#[test]
fn exempt_routes_exist_and_say_why() {
    let document = serde_json::to_value(server::router::openapi()).unwrap();
    for (action, why) in EXEMPT {
        let (method, path) = action.split_once(' ').unwrap();
        assert!(document["paths"][path][method.to_lowercase()].is_object(), "{action}");
        assert!(!why.is_empty());
    }
}

#[tokio::test]
async fn a_change_says_who_what_before_after_and_when() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Chat" })).await;
    let key = server.key(&owner, json!({ "name": "CI", "scopes": ["write", "read"] })).await;
    let path = format!("/api/projects/{project}");
    let budget = json!({ "budget": { "amount": 1000, "period": "monthly" } });
    server.call("PUT", &path).by(&key).json(&budget).await.expect(200);
    server.call("PUT", &path).by(&key).json(&json!({ "name": "" })).await.refused(422, "invalid_input");
    server.get(&path).by(&key).send().await.expect(200);
    let log = entries(&server, &owner, &format!("projectId={project}")).await;
    let actions: Vec<&str> = log.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["PUT /api/projects/{projectId}", "POST /api/projects"]);
    let changed = &log[0];
    assert_eq!((&changed["actor"], &changed["actorEmail"]), (&json!(owner.id), &json!(owner.email)));
    assert!(changed["keyId"].is_string(), "it came with a tracker key");
    assert_eq!((&changed["target"], &changed["at"]), (&json!(path), &json!("2024-02-10T12:00:00Z")));
    assert_eq!(changed["before"]["budget"], Value::Null);
    assert_eq!(changed["after"]["budget"]["amount"], json!(1000));
    assert_eq!(log[1]["keyId"], Value::Null);
}

#[tokio::test]
async fn everything_that_changes_something_is_there_and_no_secret_is() {
    let server = Server::with(&[("auth.allow_signup", "true")]).await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Chat" })).await;
    let other = server.register("grace@example.com", None).await;
    let member = json!({ "email": other.email, "role": "viewer" });
    server.post(&format!("/api/projects/{project}/members")).by(&owner).json(&member).await.expect(201);
    let place = format!("/api/projects/{project}/members/{}", other.id);
    server.call("PATCH", &place).by(&owner).json(&json!({ "role": "member" })).await.expect(200);
    server.call("DELETE", &place).by(&owner).send().await.expect(200);
    let provider_key = json!({ "service": "openai", "key": "sk-proj-do-not-log-this" });
    server.post("/api/user/api-keys").by(&owner).json(&provider_key).await.expect(201);
    let key = server.key(&owner, json!({ "name": "CI" })).await;
    let hook = json!({ "url": "https://hooks.slack.com/services/T0/B0/hush-hush" });
    let hook = server.post("/api/webhooks").by(&owner).json(&hook).await.expect(201);
    let tracked = server.track(&owner, json!({ "model": "gpt-4o", "projectId": project, "cost": 1 })).await;
    let record = format!("/api/usage/{}", tracked["id"].as_str().unwrap());
    server.call("PUT", &record).by(&owner).json(&json!({ "tags": ["x"] })).await.expect(200);
    server.call("DELETE", &record).by(&owner).send().await.expect(200);
    server.call("PUT", "/api/prices/overrides").by(&owner).json(&json!({ "rules": [] })).await.expect(200);
    let login = json!({ "email": owner.email, "password": "correct horse battery" });
    let session = server.post("/api/auth/login").json(&login).await.expect(200);
    let logout = json!({ "refreshToken": session["refreshToken"] });
    server.post("/api/auth/logout").json(&logout).await.expect(200);
    let log = entries(&server, &owner, "").await;
    let mut actions: Vec<&str> = log.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    actions.reverse();
    assert_eq!(
        actions,
        [
            "POST /api/auth/register",
            "POST /api/projects",
            "POST /api/auth/register",
            "POST /api/projects/{projectId}/members",
            "PATCH /api/projects/{projectId}/members/{userId}",
            "DELETE /api/projects/{projectId}/members/{userId}",
            "POST /api/user/api-keys",
            "POST /api/user/dashboard-api-keys",
            "POST /api/webhooks",
            "PUT /api/usage/{usageId}",
            "DELETE /api/usage/{usageId}",
            "PUT /api/prices/overrides",
            "POST /api/auth/login",
            "POST /api/auth/logout",
        ]
    );
    assert!(log.iter().all(|entry| entry["actorEmail"].is_string()), "{log:?}");
    let told = json!(log).to_string();
    let token = session["accessToken"].as_str().unwrap();
    let secrets =
        [hook["secret"].as_str().unwrap(), &key.credential, token, logout["refreshToken"].as_str().unwrap()];
    for secret in secrets.into_iter().chain(["do-not-log-this", "correct horse", "hush-hush"]) {
        assert!(!told.contains(secret), "the audit log holds {secret}");
    }
    assert_eq!(
        log[3]["before"],
        json!({
        "model": "gpt-4o", "cost": 1, "projectId": project, "tags": ["x"], "allocation": {} }),
        "{}",
        log[3]
    );
}

#[tokio::test]
async fn the_log_is_exported_verified_and_for_administrators_only() {
    let server = Server::with(&[("auth.allow_signup", "true")]).await;
    let owner = server.owner().await;
    for n in 0..3 {
        server.project(&owner, json!({ "name": format!("=cmd{n}") })).await;
    }
    let page = server.get("/api/audit?limit=3").by(&owner).send().await.value();
    let cursor = page["pagination"]["nextCursor"].as_str().unwrap();
    let rest = entries(&server, &owner, &format!("cursor={cursor}")).await;
    assert_eq!((page["data"].as_array().unwrap().len(), rest.len()), (3, 1));
    assert_eq!(entries(&server, &owner, "action=register").await.len(), 1);
    assert_eq!(entries(&server, &owner, "endDate=2024-02-09").await.len(), 0);
    let verified = server.get("/api/audit/verify").by(&owner).send().await.expect(200);
    assert_eq!((&verified["isWhole"], &verified["entries"]), (&json!(true), &json!(4)));
    assert_eq!(verified["head"], page["data"][0]["hash"]);
    let ndjson = server.get("/api/audit/export").by(&owner).send().await.text();
    assert_eq!(ndjson.lines().count(), 4);
    let first: Value = serde_json::from_str(ndjson.lines().next().unwrap()).unwrap();
    assert_eq!(first, page["data"][0]);
    let csv = server.get("/api/audit/export?format=csv&action=projects").by(&owner).send().await.text();
    assert_eq!(csv.lines().count(), 4, "{csv}");
    assert!(csv.starts_with("number,at,actor,"), "{csv}");
    let other = server.register("grace@example.com", None).await;
    for path in ["/api/audit", "/api/audit/verify", "/api/audit/export"] {
        server.get(path).by(&other).send().await.refused(403, "forbidden");
    }
    server.get("/api/audit?who=me").by(&owner).send().await.refused(422, "invalid_input");
}

#[tokio::test]
async fn log_ins_and_refused_ones_are_there_without_what_was_typed() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for (email, password, status) in [
        (owner.email.as_str(), "correct horse battery", 200),
        (owner.email.as_str(), "hush-hush", 401),
        ("hush-hush", "x", 401),
    ] {
        let body = json!({ "email": email, "password": password });
        assert_eq!(server.post("/api/auth/login").json(&body).await.status.as_u16(), status);
    }
    let log = entries(&server, &owner, "action=login").await;
    let seen: Vec<_> =
        log.iter().map(|entry| (entry["action"].as_str().unwrap(), &entry["after"]["account"])).collect();
    let refused = "POST /api/auth/login refused";
    assert_eq!(
        seen,
        [(refused, &Value::Null), (refused, &json!(owner.id)), ("POST /api/auth/login", &Value::Null)]
    );
    assert_eq!((&log[1]["actor"], &log[2]["actor"]), (&Value::Null, &json!(owner.id)));
    assert!(!json!(log).to_string().contains("hush"));
}

#[tokio::test]
async fn an_end_that_was_cut_off_shows_by_what_was_noted_of_it() {
    let server = Server::start().await;
    let owner = server.owner().await;
    server.project(&owner, json!({ "name": "Chat" })).await;
    let noted = server.get("/api/audit/verify").by(&owner).send().await.expect(200);
    let (entries, head) = (noted["entries"].as_u64().unwrap(), noted["head"].as_str().unwrap());
    let verify = async |entries: u64, head: &str| {
        server.get(&format!("/api/audit/verify?entries={entries}&head={head}")).by(&owner).send().await
    };
    assert_eq!(verify(entries, head).await.expect(200)["isWhole"], true);
    let cut = verify(entries + 1, head).await.expect(200);
    assert_eq!((&cut["isWhole"], &cut["brokenAt"]), (&json!(false), &json!(entries + 1)));
    assert_eq!(verify(entries, &"0".repeat(64)).await.expect(200)["brokenAt"], json!(entries));
    verify(entries, "zz").await.refused(422, "invalid_input");
    server.get("/api/audit/verify?entries=1").by(&owner).send().await.refused(422, "invalid_input");
}
