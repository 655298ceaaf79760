//! What operators look at: health, measurements, logs.

use serde_json::json;

use crate::{harness::Server, process::Process};

#[tokio::test]
async fn health_and_readiness_are_public() {
    let server = Server::start().await;
    assert_eq!(server.get("/healthz").send().await.text(), "ok\n");
    assert_eq!(server.get("/readyz").send().await.text(), "ready\n");
    server.app.begin_stop();
    let stopping = server.get("/readyz").send().await;
    assert_eq!((stopping.status.as_u16(), stopping.text().as_str()), (503, "stopping\n"));
}

#[tokio::test]
async fn measurements_count_records_and_what_has_no_price() {
    let server = Server::start().await;
    let owner = server.owner().await;
    server.track(&owner, json!({ "model": "gpt-4o", "requestId": "a" })).await;
    server.track(&owner, json!({ "model": "gpt-4o", "requestId": "a" })).await;
    server
        .track(&owner, json!({ "service": "nobody", "model": "m", "promptTokens": 1, "completionTokens": 1 }))
        .await;
    let page = server.get("/metrics").send().await.text();
    for line in [
        r#"aict_usage_records_total{origin="track",outcome="new"} 2"#,
        r#"aict_usage_records_total{origin="track",outcome="duplicate"} 1"#,
        r#"aict_usage_unpriced_total{provider="nobody"} 1"#,
        r#"aict_http_requests_total{method="POST",route="/api/usage/track",status="201"} 3"#,
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_holds_no_secret_at_any_level() {
    let data = tempfile::tempdir().unwrap();
    let mut process = Process::start_logging(data.path(), "trace");
    let key = process.owner_key().await;
    let log_in = json!({ "email": "owner@example.com", "password": "correct horse" });
    let session = process.post("/api/auth/login", "", &log_in).await;
    let token = session["data"]["accessToken"].as_str().unwrap().to_owned();
    let refresh = session["data"]["refreshToken"].as_str().unwrap().to_owned();
    let provider_key = json!({ "service": "openai", "key": "sk-proj-do-not-log-this-key" });
    process.post("/api/user/api-keys", &token, &provider_key).await;
    process.post("/api/auth/refresh", "", &json!({ "refreshToken": refresh })).await;
    process.post("/api/usage/track", &key, &json!({ "model": "gpt-4o", "prompt": "a private prompt" })).await;
    assert!(process.terminate().success());
    let log = process.log();
    assert!(log.contains("listening on"), "{log}");
    let secrets = std::fs::read_to_string(data.path().join("secrets.toml")).unwrap();
    let generated: Vec<&str> = secrets.split('"').skip(1).step_by(2).collect();
    assert_eq!(generated.len(), 2);
    let told = ["correct horse", "sk-proj-do-not-log-this-key", "a private prompt", &key, &token, &refresh];
    for secret in told.iter().copied().chain(generated) {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}
