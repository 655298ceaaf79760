//! `/api/usage/bulk`.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use crate::harness::{Person, Server};

async fn stats(server: &Server, by: &Person) -> (u64, String) {
    let stats = server
        .get("/api/usage/stats?startDate=2023-01-01&endDate=2024-12-31")
        .by(by)
        .send()
        .await
        .expect(200);
    (stats["totalRequests"].as_u64().unwrap(), stats["totalCost"].to_string())
}

/// The record of the integration guide's example, section "Bulk Usage Import".
fn guide_record(project: &str) -> Value {
    json!({
        "prompt": "Email template generation",
        "completion": "Generated email...",
        "model": "gpt-3.5-turbo",
        "cost": 0.002,
        "tokens": 150,
        "projectId": project,
        "timestamp": "2024-01-15T10:30:00Z",
        "costAllocation": { "department": "sales", "team": "outreach" }
    })
}

#[tokio::test]
async fn the_guides_records_land_in_their_own_month() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Sales" })).await;
    let body = json!({ "usageData": [guide_record(&project), guide_record(&project)] });
    let outcome = server.post("/api/usage/bulk").by(&owner).json(&body).await.expect(200);
    assert_eq!((&outcome["successful"], &outcome["failed"]), (&json!(2), &json!(0)));
    let path =
        format!("/api/analytics/projects/{project}?startDate=2024-01-01&endDate=2024-01-31&groupBy=day");
    let january = server.get(&path).by(&owner).send().await.expect(200);
    assert_eq!(january["summary"]["totalCost"].to_string(), "0.004");
    assert_eq!(january["summary"]["totalTokens"], json!(300));
    let timeline = january["timeline"].as_array().unwrap();
    assert_eq!(timeline.len(), 31);
    assert_eq!(
        (&timeline[14]["date"], timeline[14]["cost"].to_string()),
        (&json!("2024-01-15"), "0.004".to_owned())
    );
    assert_eq!(january["breakdown"]["services"][0]["name"], json!("openai"));
    assert_eq!(january["breakdown"]["teams"][0]["name"], json!("outreach"));
}

#[tokio::test]
async fn a_bad_row_fails_alone_and_says_why() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({ "usageData": [
        { "model": "gpt-4o", "promptTokens": 1000, "completionTokens": 0 },
        { "promptTokens": 1 },
        { "model": "gpt-4o", "promptTokens": -5, "tags": [7] },
        { "model": "gpt-4o", "projectId": "507f1f77bcf86cd799439011" },
        "nonsense",
        { "model": "gpt-4o", "promptTokens": 1000, "completionTokens": 0, "requestId": "a" },
        { "model": "gpt-4o", "promptTokens": 1000, "completionTokens": 0, "requestId": "a" },
    ] });
    let outcome = server.post("/api/usage/bulk").by(&owner).json(&body).await.expect(200);
    assert_eq!(
        (&outcome["successful"], &outcome["duplicates"], &outcome["failed"]),
        (&json!(2), &json!(1), &json!(4))
    );
    let errors: Vec<(u64, &str, Vec<&str>)> = outcome["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            let fields = error["details"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|detail| detail["field"].as_str().unwrap())
                .collect();
            (error["index"].as_u64().unwrap(), error["code"].as_str().unwrap(), fields)
        })
        .collect();
    let mut sorted = errors.clone();
    sorted.sort_by_key(|(index, _, _)| *index);
    assert_eq!(
        sorted,
        [
            (1, "invalid_input", vec!["model"]),
            (2, "invalid_input", vec!["promptTokens", "tags[0]"]),
            (3, "project_not_found", vec![]),
            (4, "malformed_body", vec![]),
        ]
    );
    assert_eq!(stats(&server, &owner).await, (2, "0.005".to_owned()));
}

#[tokio::test]
async fn lines_stream_in_whatever_pieces_they_come() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let mut text = String::new();
    for n in 0..1_200 {
        text.push_str(&json!({ "model": "gpt-4o-mini", "promptTokens": 1000, "completionTokens": 500, "requestId": format!("r{n}") }).to_string());
        text.push_str(if n % 3 == 0 { "\r\n" } else { "\n" });
    }
    let pieces: Vec<Result<Bytes, std::io::Error>> =
        text.as_bytes().chunks(997).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let send = || server.post("/api/usage/bulk").by(&owner).header("content-type", "application/x-ndjson");
    let outcome = send().stream(Body::from_stream(stream::iter(pieces))).await.expect(200);
    assert_eq!((&outcome["successful"], &outcome["failed"]), (&json!(1200), &json!(0)));
    assert_eq!(outcome["results"].as_array().unwrap().len(), 1000);
    // 1,200 × (1,000 × 0.15 + 500 × 0.60) / 10⁶ dollars.
    assert_eq!(stats(&server, &owner).await, (1200, "0.54".to_owned()));
    let again = send().bytes(text.into_bytes()).await.expect(200);
    assert_eq!((&again["successful"], &again["duplicates"]), (&json!(0), &json!(1200)));
}

#[tokio::test]
async fn a_line_that_is_too_long_fails_alone() {
    let server = Server::with(&[("limits.bulk_line_bytes_max", "1024")]).await;
    let owner = server.owner().await;
    let text = format!("{{\"model\":\"gpt-4o\"}}\n{}\n{{\"model\":\"gpt-4o\"}}", "x".repeat(5000));
    let outcome = server
        .post("/api/usage/bulk")
        .by(&owner)
        .header("content-type", "application/x-ndjson")
        .bytes(text.into_bytes())
        .await
        .expect(200);
    assert_eq!(
        (&outcome["successful"], &outcome["errors"][0]["index"], &outcome["errors"][0]["code"]),
        (&json!(2), &json!(1), &json!("payload_too_large"))
    );
}

#[tokio::test]
async fn an_idempotency_key_makes_the_whole_request_repeatable() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!([{ "model": "gpt-4o", "cost": 1 }, { "model": "gpt-4o", "cost": 2 }]);
    for (successful, duplicates) in [(2, 0), (0, 2)] {
        let outcome = server
            .post("/api/usage/bulk")
            .by(&owner)
            .header("Idempotency-Key", "import-7")
            .json(&body)
            .await
            .expect(200);
        assert_eq!(
            (&outcome["successful"], &outcome["duplicates"]),
            (&json!(successful), &json!(duplicates))
        );
    }
    assert_eq!(stats(&server, &owner).await, (2, "3".to_owned()));
}

#[tokio::test]
async fn a_large_json_body_is_told_of_ndjson() {
    let server = Server::with(&[("limits.bulk_body_bytes_max", "1024")]).await;
    let owner = server.owner().await;
    let body = json!({ "usageData": vec![json!({ "model": "gpt-4o" }); 100] });
    let answer = server.post("/api/usage/bulk").by(&owner).json(&body).await;
    answer.refused(413, "payload_too_large");
    assert!(answer.text().contains("ndjson"));
    server
        .post("/api/usage/bulk")
        .by(&owner)
        .header("content-type", "text/csv")
        .bytes(b"a,b".to_vec())
        .await
        .refused(415, "unsupported_media_type");
}
