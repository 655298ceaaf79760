//! Who may call what.

use serde_json::json;

use super::world::{World, chat};

const CHAT: &str = "/gateway/openai/v1/chat/completions";

#[tokio::test]
async fn without_a_tracker_key_nothing_is_forwarded() {
    let world = World::start().await;
    let body = chat("gpt-4o-mini", &json!({}));
    for (name, value) in [
        ("authorization", "Bearer sk-upstream".to_owned()),
        ("authorization", format!("Bearer {}", world.owner.credential)),
        ("x-api-key", format!("{}x", world.key.credential)),
        ("accept", "*/*".to_owned()),
    ] {
        let answer = world.server.post(CHAT).header(name, &value).json(&body).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.value()["error"]["code"]),
            (401, &json!("unauthenticated")),
            "{name}"
        );
    }
    let in_query = format!("{CHAT}?key={}", world.key.credential);
    assert_eq!(world.server.post(&in_query).by(&world.key).json(&body).await.status, 401);
    let reader = world.server.key(&world.owner, json!({ "name": "r", "scopes": ["read"] })).await;
    let answer = world.server.post(CHAT).by(&reader).json(&body).await;
    assert_eq!((answer.status.as_u16(), &answer.value()["error"]["code"]), (403, &json!("scope_missing")));
    assert!(world.upstream.requests().is_empty() && world.records().await.is_empty());
}

#[tokio::test]
async fn a_key_that_is_taken_away_stops_at_once() {
    let world = World::start().await;
    let body = chat("gpt-4o-mini", &json!({}));
    assert_eq!(world.post(CHAT, &[], &body).await.status, 200);
    let keys = world.server.get("/api/user/dashboard-api-keys").by(&world.owner).send().await.expect(200);
    let path = format!("/api/user/dashboard-api-keys/{}", keys[0]["keyId"].as_str().unwrap());
    world.server.call("DELETE", &path).by(&world.owner).send().await.expect(200);
    assert_eq!(world.post(CHAT, &[], &body).await.status, 401);
}

#[tokio::test]
async fn a_provider_key_that_is_replaced_or_removed_counts_at_once() {
    let world = World::start().await;
    let body = chat("gpt-4o-mini", &json!({}));
    assert_eq!(world.post(CHAT, &[], &body).await.status, 200);
    super::world::keep_key(&world.server, &world.owner, "openai", "sk-another").await;
    assert_eq!(world.post(CHAT, &[], &body).await.status, 401);
    assert_eq!(world.upstream.requests()[1].header("authorization"), Some("Bearer sk-another"));
    world.server.call("DELETE", "/api/user/api-keys/openai").by(&world.owner).send().await.expect(200);
    let answer = world.post(CHAT, &[], &body).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.value()["error"]["code"]),
        (401, &json!("provider_key_missing"))
    );
}

#[tokio::test]
async fn errors_have_the_shape_of_the_provider() {
    let world = World::start().await;
    for (path, pointer, expected) in [
        ("/gateway/openai/v1/chat/completions", "/error/code", json!("unauthenticated")),
        ("/gateway/anthropic/v1/messages", "/error/type", json!("authentication_error")),
        ("/gateway/google/v1beta/models/g:generateContent", "/error/status", json!("UNAUTHENTICATED")),
        ("/gateway/bedrock/model/m/converse", "/code", json!("unauthenticated")),
    ] {
        let answer = world.server.post(path).json(&json!({})).await;
        assert_eq!(
            (answer.status.as_u16(), answer.value().pointer(pointer)),
            (401, Some(&expected)),
            "{path}"
        );
        assert_eq!(answer.headers["x-cost-error"], "unauthenticated");
    }
    let nobody = world.post("/gateway/nobody/v1/chat/completions", &[], &json!({})).await;
    assert_eq!(
        (nobody.status.as_u16(), &nobody.value()["error"]["code"]),
        (404, &json!("provider_not_found"))
    );
}

#[tokio::test]
async fn a_projects_rules_hold() {
    let world = World::start().await;
    let settings = json!({ "allowedModels": ["gpt-4o-mini"], "maxTokensPerRequest": 10 });
    let project = world.server.project(&world.owner, json!({ "name": "Blog", "settings": settings })).await;
    let headers = [("x-project-id", project.as_str())];
    assert_eq!(world.post(CHAT, &headers, &chat("gpt-4o-mini", &json!({}))).await.status, 200);
    let other = world.post(CHAT, &headers, &chat("gpt-4o", &json!({}))).await;
    assert_eq!((other.status.as_u16(), &other.value()["error"]["code"]), (403, &json!("model_not_allowed")));
    let long = world.post(CHAT, &headers, &chat("gpt-4o-mini", &json!({ "max_tokens": 11 }))).await;
    assert_eq!((long.status.as_u16(), &long.value()["error"]["code"]), (422, &json!("invalid_input")));
    let unknown = world
        .post(CHAT, &[("x-project-id", "507f1f77bcf86cd799439011")], &chat("gpt-4o-mini", &json!({})))
        .await;
    assert_eq!(
        (unknown.status.as_u16(), &unknown.value()["error"]["code"]),
        (404, &json!("project_not_found"))
    );
    assert_eq!(world.records().await.len(), 1);
}

#[tokio::test]
async fn an_owner_may_share_provider_keys_with_the_project() {
    let world = World::start().await;
    let body = chat("gpt-4o-mini", &json!({}));
    let project = world.server.project(&world.owner, json!({ "name": "Blog" })).await;
    let member = world.server.member(&world.owner, &project, "member@example.com", "member").await;
    let key = world.server.key(&member, json!({ "name": "m", "projectId": project })).await;
    let answer = world.server.post(CHAT).by(&key).json(&body).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.value()["error"]["code"]),
        (401, &json!("provider_key_missing"))
    );
    let share = json!({ "settings": { "shareProviderKeys": true } });
    world
        .server
        .call("PUT", &format!("/api/projects/{project}"))
        .by(&world.owner)
        .json(&share)
        .await
        .expect(200);
    assert_eq!(world.server.post(CHAT).by(&key).json(&body).await.status, 200);
}

#[tokio::test]
async fn calls_and_tokens_a_minute_are_limited() {
    let world = World::with(&[("gateway.requests_per_minute", "2")]).await;
    let body = chat("gpt-4o-mini", &json!({}));
    for expected in [200, 200, 429] {
        let answer = world.post(CHAT, &[], &body).await;
        assert_eq!(answer.status, expected, "{}", answer.text());
        if expected == 429 {
            assert_eq!(
                (&answer.headers["retry-after"], &answer.value()["error"]["code"]),
                (&axum::http::HeaderValue::from_static("31"), &json!("rate_limited"))
            );
        }
    }
    world.server.clock.advance_seconds(30);
    assert_eq!(world.post(CHAT, &[], &body).await.status, 200);
    let project = world
        .server
        .project(&world.owner, json!({ "name": "Blog", "settings": { "tokensPerMinute": 60 } }))
        .await;
    let headers = [("x-project-id", project.as_str()), ("x-fake-usage", "input=100,output=20")];
    world.server.clock.advance_seconds(60);
    assert_eq!(world.post(CHAT, &headers, &body).await.status, 200);
    world.records().await;
    world.server.clock.advance_seconds(59);
    assert_eq!(world.post(CHAT, &headers, &body).await.status, 429);
    world.server.clock.advance_seconds(2);
    assert_eq!(world.post(CHAT, &headers, &body).await.status, 200);
}

#[tokio::test]
async fn a_key_may_have_limits_of_its_own() {
    let world = World::with(&[("gateway.requests_per_minute", "1")]).await;
    let call = async |key: &crate::harness::Person, number: usize| {
        let body = chat("gpt-4o-mini", &json!({ "user": number.to_string() }));
        world.server.post(CHAT).by(key).json(&body).await.status.as_u16()
    };
    let key = world.server.key(&world.owner, json!({ "name": "k", "requestsPerMinute": 2 })).await;
    assert_eq!([call(&key, 0).await, call(&key, 1).await, call(&key, 2).await], [200, 200, 429]);
    let keys = world.server.get("/api/user/dashboard-api-keys").by(&world.owner).send().await.expect(200);
    let mine = keys.as_array().unwrap().iter().find(|kept| kept["name"] == "k").unwrap();
    assert_eq!((&mine["requestsPerMinute"], &mine["tokensPerMinute"]), (&json!(2), &json!(null)));
    let path = format!("/api/user/dashboard-api-keys/{}", mine["keyId"].as_str().unwrap());
    let without = json!({ "requestsPerMinute": 0 });
    let changed = world.server.call("PATCH", &path).by(&world.owner).json(&without).await.expect(200);
    assert_eq!(changed["requestsPerMinute"], json!(null));
    // The deployment's limit holds again, and the minute is used up.
    assert_eq!(call(&key, 3).await, 429);
}
