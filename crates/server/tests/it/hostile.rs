//! Input that means harm, or is merely wrong: the right 4xx, with code and field, and nothing is kept.

use axum::{body::Body, http::header};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;

use crate::harness::{Person, Server};

async fn refused(server: &Server, by: &Person, body: &str) -> (u16, String, Vec<String>) {
    server.post("/api/usage/track").by(by).text(body).await.failure()
}

#[tokio::test]
async fn a_wrong_value_is_named_by_its_field() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let tags = serde_json::to_string(&(0..10_000).map(|n| n.to_string()).collect::<Vec<_>>()).unwrap();
    let long = "x".repeat(300);
    for (body, field) in [
        (r#"{"model":"m","promptTokens":-1}"#, "promptTokens"),
        (r#"{"model":"m","promptTokens":1.5}"#, "promptTokens"),
        (r#"{"model":"m","promptTokens":"many"}"#, "promptTokens"),
        (r#"{"model":"m","promptTokens":1e3}"#, "promptTokens"),
        (r#"{"model":"m","promptTokens":99999999999999999999999}"#, "promptTokens"),
        (r#"{"model":"m","completionTokens":1000000000001}"#, "completionTokens"),
        (r#"{"model":"m","promptTokens":1,"cost":100000.000000001}"#, "cost"),
        (r#"{"model":"m","promptTokens":1,"estimatedCost":"8000000000"}"#, "estimatedCost"),
        (r#"{"model":"m","usage":{"prompt_tokens":1000000000001}}"#, "usage"),
        (r#"{"model":"m","cost":-0.01}"#, "cost"),
        (r#"{"model":"m","cost":"NaN"}"#, "cost"),
        (r#"{"model":"m","cost":1e300}"#, "cost"),
        (r#"{"model":"m","cost":[1]}"#, "cost"),
        (r#"{"model":"m","timestamp":"9999-12-31T23:59:59Z"}"#, "timestamp"),
        (r#"{"model":"m","timestamp":"1970-01-01T00:00:00Z"}"#, "timestamp"),
        (r#"{"model":"m","timestamp":"yesterday"}"#, "timestamp"),
        (r#"{"model":"m","timestamp":99999999999999999}"#, "timestamp"),
        (r#"{"model":"m","responseTime":-5}"#, "responseTime"),
        (r#"{"model":"m","responseTime":99999999999}"#, "responseTime"),
        (r#"{"model":"a\u0000b"}"#, "model"),
        (r#"{"model":"a\nb"}"#, "model"),
        (r#"{"model":{}}"#, "model"),
        (r#"{"model":""}"#, "model"),
        ("{}", "model"),
        (&format!(r#"{{"model":"{long}"}}"#), "model"),
        (&format!(r#"{{"model":"m","tags":{tags}}}"#), "tags"),
        (r#"{"model":"m","tags":["ok","a\u0000b"]}"#, "tags[1]"),
        (r#"{"model":"m","tags":{"a":1}}"#, "tags"),
        (r#"{"model":"m","costAllocation":{"team":"a\u0007b"}}"#, "costAllocation.team"),
        (r#"{"model":"m","costAllocation":"marketing"}"#, "costAllocation"),
        (r#"{"model":"m","projectId":"not-an-id"}"#, "projectId"),
        (r#"{"model":"m","projectId":7}"#, "projectId"),
        (r#"{"model":"m","userEmail":"nobody"}"#, "userEmail"),
        (r#"{"model":"m","metadata":[]}"#, "metadata"),
        (r#"{"model":"m","status":"perhaps"}"#, "status"),
    ] {
        assert_eq!(
            refused(&server, &owner, body).await,
            (422, "invalid_input".to_owned(), vec![field.to_owned()]),
            "{}",
            domain::text::cut(body, 200)
        );
    }
    nothing_was_kept(&server, &owner).await;
}

#[tokio::test]
async fn what_a_reply_says_is_kept_only_if_it_can_be() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let usage = json!({ "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "cost": -1 });
    let reply =
        json!({ "id": "x\u{0}", "model": "a\u{0}b", "service_tier": "t".repeat(5000), "usage": usage });
    let tracked =
        server.track(&owner, json!({ "service": "openrouter", "model": "m", "response": reply })).await;
    let path = format!("/api/usage/{}", tracked["id"].as_str().unwrap());
    let record = server.get(&path).by(&owner).send().await.expect(200);
    for field in ["responseModel", "serviceTier", "requestId", "cost"] {
        assert!(record[field].is_null(), "{field}: {}", record[field]);
    }
    assert_eq!(record["promptTokens"], json!(10));
    let (status, _, fields) = server
        .post("/api/usage/track")
        .by(&owner)
        .json(&json!({ "response": { "model": "a\u{0}b", "usage": usage } }))
        .await
        .failure();
    assert_eq!((status, fields), (422, vec!["model".to_owned()]));
}

#[tokio::test]
async fn every_problem_of_a_record_is_named_at_once() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = r#"{"promptTokens":-1,"cost":"free","tags":[1],"timestamp":"x"}"#;
    let (status, code, mut fields) = refused(&server, &owner, body).await;
    fields.sort();
    assert_eq!((status, code.as_str()), (422, "invalid_input"));
    assert_eq!(fields, ["cost", "promptTokens", "tags[0]", "timestamp"]);
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let deep =
        format!("{{\"model\":\"m\",\"metadata\":{}1{}}}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    for body in [
        "",
        "{",
        "null",
        "[]",
        "7",
        r#"{"model":"m"} trailing"#,
        r#"{"model":NaN}"#,
        r#"{"model":"m","cost":NaN}"#,
        r#"{"model":"m","cost":Infinity}"#,
    ] {
        let (status, code, _) = refused(&server, &owner, body).await;
        assert_eq!((status, code.as_str()), (400, "malformed_body"), "{body}");
    }
    let (status, code, fields) = refused(&server, &owner, &deep).await;
    assert_eq!((status, code.as_str(), fields), (422, "invalid_input", vec!["metadata".to_owned()]));
    let invalid_utf8 = b"{\"model\":\"\xff\xfe\"}".to_vec();
    let answer = server
        .post("/api/usage/track")
        .by(&owner)
        .header("content-type", "application/json")
        .bytes(invalid_utf8)
        .await;
    answer.refused(400, "malformed_body");
    nothing_was_kept(&server, &owner).await;
}

#[tokio::test]
async fn a_body_must_say_that_it_is_json() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for media_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let answer = server
            .post("/api/usage/track")
            .by(&owner)
            .header("content-type", media_type)
            .bytes(br#"{"model":"m"}"#.to_vec())
            .await;
        answer.refused(415, "unsupported_media_type");
    }
    nothing_was_kept(&server, &owner).await;
}

#[tokio::test]
async fn a_hundred_megabytes_are_refused_without_being_held() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let before = resident_bytes();
    for (path, media_type, code) in [
        ("/api/usage/track", "application/json", (413, "payload_too_large")),
        ("/api/usage/bulk", "application/json", (413, "payload_too_large")),
        ("/api/projects", "application/json", (413, "payload_too_large")),
    ] {
        let piece = Bytes::from(vec![b'['; 64 * 1024]);
        let body =
            Body::from_stream(stream::iter((0..1_600).map(move |_| Ok::<_, std::io::Error>(piece.clone()))));
        server
            .post(path)
            .by(&owner)
            .header("content-type", media_type)
            .stream(body)
            .await
            .refused(code.0, code.1);
    }
    // One line without an end, in a stream that may be of any size.
    let piece = Bytes::from(vec![b'x'; 64 * 1024]);
    let body =
        Body::from_stream(stream::iter((0..1_600).map(move |_| Ok::<_, std::io::Error>(piece.clone()))));
    let outcome = server
        .post("/api/usage/bulk")
        .by(&owner)
        .header("content-type", "application/x-ndjson")
        .stream(body)
        .await
        .expect(200);
    assert_eq!((&outcome["failed"], &outcome["errors"][0]["code"]), (&json!(1), &json!("payload_too_large")));
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 128 * 1024 * 1024, "grew by {grown} bytes");
    nothing_was_kept(&server, &owner).await;
}

#[tokio::test]
async fn other_bodies_name_the_path_of_the_field() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for (path, body, field) in [
        (
            "/api/projects",
            r#"{"name":"P","budget":{"amount":1,"period":"monthly","alerts":[{"threshold":50,"type":"pigeon"}]}}"#,
            "budget.alerts[0].type",
        ),
        ("/api/projects", r#"{"name":"P","budget":{"amount":"lots","period":"monthly"}}"#, "budget.amount"),
        ("/api/projects", r#"{"name":7}"#, "name"),
        ("/api/user/dashboard-api-keys", r#"{"name":"k","scopes":["everything"]}"#, "scopes[0]"),
    ] {
        let failure = server.post(path).by(&owner).text(body).await.failure();
        assert_eq!(failure, (400, "malformed_body".to_owned(), vec![field.to_owned()]), "{body}");
    }
}

#[tokio::test]
async fn unknown_routes_methods_and_credentials_say_so() {
    let server = Server::start().await;
    let owner = server.owner().await;
    server.get("/api/nothing").by(&owner).send().await.refused(404, "route_not_found");
    server.call("PATCH", "/api/projects").by(&owner).send().await.refused(405, "method_not_allowed");
    for credential in ["", "x", "Bearer", "aict_short", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."] {
        let answer =
            server.get("/api/usage").header("authorization", &format!("Bearer {credential}")).send().await;
        answer.refused(401, "unauthenticated");
        assert_eq!(answer.header(header::WWW_AUTHENTICATE), "Bearer");
    }
    server
        .get("/api/usage")
        .header("authorization", "Basic b3duZXI6cGFzcw==")
        .send()
        .await
        .refused(401, "unauthenticated");
    for path in [
        "/api/projects/%00",
        "/api/projects/../../etc/passwd",
        "/api/usage/507f1f77bcf86cd79943901g",
        "/api/projects/%ff",
    ] {
        let answer = server.get(path).by(&owner).send().await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_browsers_safe() {
    let server = Server::start().await;
    for path in ["/healthz", "/api/usage", "/docs/api", "/nothing"] {
        let answer = server.get(path).send().await;
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert_eq!(answer.header(header::X_FRAME_OPTIONS), "DENY", "{path}");
        assert!(!answer.headers["x-request-id"].is_empty(), "{path}");
    }
}

async fn nothing_was_kept(server: &Server, by: &Person) {
    let stats = server.get("/api/usage/stats").by(by).send().await.expect(200);
    assert_eq!(stats["totalRequests"], json!(0));
}

/// Memory of this process, from the kernel.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}
