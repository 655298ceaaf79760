//! What happened beside the costs, and when prices changed.

use serde_json::{Value, json};

use crate::harness::Server;

const DEPLOY: &str = "2024-02-09T10:00:00Z";

#[tokio::test]
async fn a_job_says_what_it_deployed_with_a_key_that_may_only_send() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Shop" })).await;
    let key = server.key(&owner, json!({ "name": "ci", "scopes": ["ingest"], "projectId": project })).await;
    let deploy =
        json!({ "title": "v1.4.2", "time": DEPLOY, "tags": ["deploy"], "link": "https://ci.example.com/7" });
    let made = server.post("/api/annotations").by(&key).json(&deploy).await.expect(201);
    assert_eq!((&made["projectId"], &made["projectName"]), (&json!(project), &json!("Shop")));
    let again = server.post("/api/annotations").by(&key).json(&deploy).await.expect(201);
    assert_eq!(again, made, "a job that runs again says it once");
    let launch = json!({ "title": "Launch" });
    server.post("/api/annotations").by(&owner).json(&launch).await.expect(201);

    let listed = async |query: &str| {
        let list = server.get(&format!("/api/annotations?{query}")).by(&owner).send().await.expect(200);
        list.as_array()
            .unwrap()
            .iter()
            .map(|one| one["title"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed("").await, ["Launch", "v1.4.2"]);
    assert_eq!(listed("startDate=2024-02-09&endDate=2024-02-09").await, ["v1.4.2"]);
    assert_eq!(listed("limit=1").await, ["Launch"]);
    let id = made["id"].as_str().unwrap();
    let path = format!("/api/annotations/{id}");
    server.call("DELETE", &path).by(&key).send().await.refused(403, "scope_missing");
    server.call("DELETE", &path).by(&owner).send().await.expect(200);
    server.call("DELETE", &path).by(&owner).send().await.refused(404, "annotation_not_found");
    assert_eq!(listed("").await, ["Launch"]);

    let audit = server.get("/api/audit").by(&owner).send().await.expect(200);
    let entry = |action: &str| {
        audit.as_array().unwrap().iter().find(|entry| entry["action"] == action).unwrap().clone()
    };
    let deleted = entry("DELETE /api/annotations/{annotationId}");
    assert_eq!((&deleted["projectId"], &deleted["before"]["title"]), (&json!(project), &json!("v1.4.2")));
    assert_eq!(entry("POST /api/annotations")["after"]["title"], json!("Launch"));
}

#[tokio::test]
async fn what_happened_in_a_project_is_for_its_members() {
    let server = Server::with(&[("auth.allow_signup", "true")]).await;
    let owner = server.owner().await;
    let maker = server.register("maker@example.com", None).await;
    let project = server.project(&maker, json!({ "name": "Shop" })).await;
    let member = server.member(&maker, &project, "member@example.com", "member").await;
    let other = server.member(&maker, &project, "other@example.com", "member").await;
    let stranger = server.register("stranger@example.com", None).await;
    let said = json!({ "title": "secret launch", "projectId": project });
    let made = server.post("/api/annotations").by(&member).json(&said).await.expect(201);
    let everywhere = server.post("/api/annotations").by(&stranger).json(&json!({ "title": "outage" })).await;
    let everywhere = everywhere.expect(201);
    let count = async |person| {
        let list = server.get("/api/annotations").by(person).send().await.expect(200);
        list.as_array().unwrap().len()
    };
    assert_eq!((count(&other).await, count(&stranger).await, count(&owner).await), (2, 1, 2));
    let delete = async |person, made: &Value| {
        let path = format!("/api/annotations/{}", made["id"].as_str().unwrap());
        server.call("DELETE", &path).by(person).send().await
    };
    delete(&stranger, &made).await.refused(404, "annotation_not_found");
    delete(&other, &made).await.refused(403, "forbidden");
    delete(&member, &made).await.expect(200);
    delete(&maker, &everywhere).await.refused(403, "forbidden");
    delete(&owner, &everywhere).await.expect(200);
}

#[tokio::test]
async fn what_cannot_be_shown_is_refused_by_its_field() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for (body, field) in [
        (json!({ "title": " " }), "title"),
        (json!({ "title": "x".repeat(201) }), "title"),
        (json!({ "title": "x", "link": "javascript:alert(1)" }), "link"),
        (json!({ "title": "x", "time": "2024-02-20T00:00:00Z" }), "time"),
        (json!({ "title": "x", "tags": ["a\u{0}"] }), "tags[0]"),
    ] {
        let failure = server.post("/api/annotations").by(&owner).json(&body).await.failure();
        assert_eq!(failure, (422, "invalid_input".to_owned(), vec![field.to_owned()]), "{body}");
    }
}

#[tokio::test]
async fn rules_of_the_operator_are_changes_for_administrators_of_what_they_are_about() {
    let server = Server::with(&[("auth.allow_signup", "true")]).await;
    let owner = server.owner().await;
    let person = server.register("person@example.com", None).await;
    let rules = json!({ "rules": [
        { "id": "contract", "service": "openai", "discountBasisPoints": 1000, "validFrom": "2024-02-05T00:00:00Z" },
        { "id": "elsewhere", "service": "anthropic", "discountBasisPoints": 1000, "validFrom": "2024-02-05T00:00:00Z" },
    ] });
    server.call("PUT", "/api/prices/overrides").by(&owner).json(&rules).await.expect(200);
    let call = json!({ "model": "gpt-4o", "promptTokens": 1, "timestamp": "2024-02-06T00:00:00Z" });
    server.track(&owner, call.clone()).await;
    server.track(&person, call).await;
    let changes = async |person, query: &str| {
        let path = format!("/api/prices/changes?startDate=2024-02-01&endDate=2024-02-10{query}");
        server.get(&path).by(person).send().await.expect(200)
    };
    let seen = changes(&owner, "").await;
    let only = &seen.as_array().unwrap()[0];
    assert_eq!((&only["kind"], &only["ruleId"]), (&json!("rule-begins"), &json!("contract")));
    assert_eq!((&only["time"], seen.as_array().unwrap().len()), (&json!("2024-02-05T00:00:00Z"), 1));
    assert_eq!(changes(&owner, "&model=none").await, json!([]));
    assert_eq!(changes(&person, "").await, json!([]));
}
