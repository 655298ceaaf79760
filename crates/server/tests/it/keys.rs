//! Tracker keys and provider keys.

use serde_json::{Value, json};

use crate::harness::{Person, Server};

#[tokio::test]
async fn a_tracker_key_does_what_its_scopes_say() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let track = json!({ "model": "gpt-4o", "promptTokens": 1, "completionTokens": 1 });
    for (scopes, may_track, may_read, may_create, may_manage) in [
        (json!(["ingest"]), true, false, false, false),
        (json!(["read"]), false, true, false, false),
        (json!(["write"]), false, true, true, false),
        (json!(["admin"]), true, true, true, true),
    ] {
        let key = server.key(&owner, json!({ "name": "k", "scopes": scopes })).await;
        let outcome = [
            server.post("/api/usage/track").by(&key).json(&track).await,
            server.get("/api/usage").by(&key).send().await,
            server.post("/api/projects").by(&key).json(&json!({ "name": "P" })).await,
            server.get("/api/user/dashboard-api-keys").by(&key).send().await,
        ];
        for (answer, allowed) in outcome.iter().zip([may_track, may_read, may_create, may_manage]) {
            if allowed {
                assert!(answer.status.is_success(), "{scopes}");
            } else {
                answer.refused(403, "scope_missing");
            }
        }
    }
}

#[tokio::test]
async fn a_tracker_key_is_shown_once_and_kept_as_a_hash() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({ "name": "ci", "permissions": ["ingest"] });
    let made = server.post("/api/user/dashboard-api-keys").by(&owner).json(&body).await.expect(201);
    let key = made["apiKey"].as_str().unwrap();
    assert!(key.starts_with("aict_"));
    let listed = server.get("/api/user/dashboard-api-keys").by(&owner).send().await;
    assert!(!listed.text().contains(key));
    let listed = &listed.expect(200)[0];
    assert_eq!(
        (&listed["name"], &listed["scopes"], &listed["maskedKey"]),
        (&json!("ci"), &json!(["ingest"]), &made["maskedKey"])
    );
}

#[tokio::test]
async fn a_tracker_key_can_come_as_x_api_key() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let key = server.key(&owner, json!({ "name": "k" })).await;
    server.get("/api/auth/me").header("X-API-Key", &key.credential).send().await.expect(200);
}

#[tokio::test]
async fn an_expired_deleted_or_mistyped_key_opens_nothing() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let expiring = server.key(&owner, json!({ "name": "k", "expiresAt": "2024-02-10T13:00:00Z" })).await;
    server.get("/api/auth/me").by(&expiring).send().await.expect(200);
    server.clock.advance_seconds(1800);
    let made = server
        .post("/api/user/dashboard-api-keys")
        .by(&owner)
        .json(&json!({ "name": "d" }))
        .await
        .expect(201);
    let deleted = Person { credential: made["apiKey"].as_str().unwrap().to_owned(), ..owner.clone() };
    let path = format!("/api/user/dashboard-api-keys/{}", made["keyId"].as_str().unwrap());
    server.call("DELETE", &path).by(&owner).send().await.expect(200);
    server.call("DELETE", &path).by(&owner).send().await.refused(404, "key_not_found");
    server.clock.advance_seconds(1800);
    let mistyped = Person { credential: format!("{}x", expiring.credential), ..owner };
    for key in [&expiring, &deleted, &mistyped] {
        server.get("/api/auth/me").by(key).send().await.refused(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_key_bound_to_networks_is_refused_elsewhere() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let key = server.key(&owner, json!({ "name": "k", "allowedIps": ["10.0.0.0/8"] })).await;
    server.get("/api/auth/me").by(&key).send().await.refused(403, "address_not_allowed");
}

#[tokio::test]
async fn a_keys_project_is_that_of_records_that_name_none() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "P" })).await;
    let key = server.key(&owner, json!({ "name": "k", "projectId": project })).await;
    server.track(&key, json!({ "model": "gpt-4o" })).await;
    let records = server.get(&format!("/api/usage?project={project}")).by(&key).send().await.expect(200);
    assert_eq!(records.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_tracker_key_can_be_changed() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let made = server
        .post("/api/user/dashboard-api-keys")
        .by(&owner)
        .json(&json!({ "name": "k" }))
        .await
        .expect(201);
    let path = format!("/api/user/dashboard-api-keys/{}", made["keyId"].as_str().unwrap());
    let changed = server
        .call("PATCH", &path)
        .by(&owner)
        .json(&json!({ "name": "new", "scopes": ["read", "read"] }))
        .await
        .expect(200);
    assert_eq!((&changed["name"], &changed["scopes"]), (&json!("new"), &json!(["read"])));
    let wrong =
        json!({ "name": " ", "scopes": [], "expiresAt": "2020-01-01T00:00:00Z", "allowedIps": ["x"] });
    let (status, _, fields) = server.call("PATCH", &path).by(&owner).json(&wrong).await.failure();
    assert_eq!(
        (status, fields),
        (422, ["name", "scopes", "expiresAt", "allowedIps"].map(str::to_owned).to_vec())
    );
}

#[tokio::test]
async fn provider_keys_are_listed_masked_replaced_and_removed() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let add = async |service: &str, key: &str| {
        let added = server
            .post("/api/user/api-keys")
            .by(&owner)
            .json(&json!({ "service": service, "key": key }))
            .await;
        added.expect(201)
    };
    add("openai", "sk-proj-aaaaaaaaaaaaaaaa1111").await;
    add("google-ai", "AIzaSyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").await;
    add(
        "aws-bedrock",
        r#"{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","secretAccessKey":"s3cr3t","region":"us-east-1"}"#,
    )
    .await;
    let replaced = add("openai", "sk-proj-bbbbbbbbbbbbbbbb2222").await;
    assert_eq!(replaced["maskedKey"], json!("sk-p…2222"));
    let listed = server.get("/api/user/api-keys").by(&owner).send().await;
    assert!(!listed.text().contains("bbbb") && !listed.text().contains("s3cr3t"));
    let listed = listed.expect(200);
    let services: Vec<&Value> = listed.as_array().unwrap().iter().map(|key| &key["service"]).collect();
    assert_eq!(services, [&json!("bedrock"), &json!("google"), &json!("openai")]);
    assert!(listed.as_array().unwrap().iter().all(|key| key["status"] == json!("active")));
    server.call("DELETE", "/api/user/api-keys/google").by(&owner).send().await.expect(200);
    server.call("DELETE", "/api/user/api-keys/google").by(&owner).send().await.refused(404, "key_not_found");
}

#[tokio::test]
async fn older_clients_call_the_provider_key_api_key() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({ "service": "anthropic", "apiKey": "sk-ant-aaaaaaaaaaaaaaaa" });
    server.post("/api/user/api-keys").by(&owner).json(&body).await.expect(201);
}

#[tokio::test]
async fn a_provider_key_of_no_provider_or_form_is_refused() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for (body, field) in [
        (json!({ "service": "nobody", "key": "sk-aaaaaaaaaaaaaaaa" }), "service"),
        (json!({ "service": "openai", "key": "two words" }), "key"),
        (json!({ "service": "bedrock", "key": "{\"accessKeyId\":\"x\"}" }), "key"),
    ] {
        let (status, _, fields) = server.post("/api/user/api-keys").by(&owner).json(&body).await.failure();
        assert_eq!((status, fields), (422, vec![field.to_owned()]));
    }
}

#[tokio::test]
async fn one_persons_provider_keys_are_not_anothers() {
    let server = Server::with(&[("auth.allow_signup", "true")]).await;
    let owner = server.owner().await;
    let other = server.register("other@example.com", None).await;
    server
        .post("/api/user/api-keys")
        .by(&owner)
        .json(&json!({ "service": "openai", "key": "sk-aaaaaaaaaaaaaaaaaa" }))
        .await
        .expect(201);
    assert_eq!(server.get("/api/user/api-keys").by(&other).send().await.expect(200), json!([]));
    server.call("DELETE", "/api/user/api-keys/openai").by(&other).send().await.refused(404, "key_not_found");
}

#[tokio::test]
async fn an_expiry_and_a_project_can_be_taken_away_and_stay_when_they_are_not_named() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Chat" })).await;
    let body = json!({ "name": "k", "expiresAt": "2024-02-10T13:00:00Z", "projectId": project });
    let made = server.post("/api/user/dashboard-api-keys").by(&owner).json(&body).await.expect(201);
    let path = format!("/api/user/dashboard-api-keys/{}", made["keyId"].as_str().unwrap());
    for (change, expires_at, project_id) in [
        (json!({ "name": "renamed" }), &made["expiresAt"], &json!(project)),
        (json!({ "expiresAt": null }), &Value::Null, &json!(project)),
        (json!({ "projectId": null }), &Value::Null, &Value::Null),
        (json!({ "projectId": project }), &Value::Null, &json!(project)),
    ] {
        let changed = server.call("PATCH", &path).by(&owner).json(&change).await.expect(200);
        assert_eq!((&changed["expiresAt"], &changed["projectId"]), (expires_at, project_id), "{change}");
    }
}

#[tokio::test]
async fn the_end_of_a_tracker_key_is_set_left_and_taken_away() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({ "name": "k", "scopes": ["read"], "expiresAt": "2024-03-01T00:00:00Z" });
    let made = server.post("/api/user/dashboard-api-keys").by(&owner).json(&body).await.expect(201);
    let path = format!("/api/user/dashboard-api-keys/{}", made["keyId"].as_str().unwrap());
    let change = async |body: Value| server.call("PATCH", &path).by(&owner).json(&body).await.expect(200);
    assert_eq!(change(json!({ "name": "renamed" })).await["expiresAt"], json!("2024-03-01T00:00:00Z"));
    assert_eq!(change(json!({ "expiresAt": null })).await["expiresAt"], Value::Null);
    let past = json!({ "expiresAt": "2024-01-01T00:00:00Z" });
    server.call("PATCH", &path).by(&owner).json(&past).await.refused(422, "invalid_input");
}
