//! Records and sums as files.

use axum::http::header;
use serde_json::{Value, json};

use crate::harness::{Person, Server};

async fn with_records(count: u64) -> (Server, Person, String) {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "P" })).await;
    let records: Vec<Value> = (0..count)
        .map(|n| json!({ "model": "gpt-4o", "cost": format!("0.00000000{}", n % 10), "projectId": project, "timestamp": format!("2024-01-{:02}T00:00:00Z", n % 28 + 1), "costAllocation": { "team": "=cmd|' /C calc'!A0" }, "tags": ["a", "b"] }))
        .collect();
    server.post("/api/usage/bulk").by(&owner).json(&json!({ "usageData": records })).await.expect(200);
    (server, owner, project)
}

#[tokio::test]
async fn csv_has_every_row_exact_digits_and_no_formula() {
    let (server, owner, project) = with_records(2_500).await;
    let answer = server.get(&format!("/api/projects/{project}/export?format=csv")).by(&owner).send().await;
    assert_eq!(answer.header(header::CONTENT_TYPE), "text/csv; charset=utf-8");
    assert!(answer.header(header::CONTENT_DISPOSITION).contains("usage.csv"));
    let mut reader = csv::Reader::from_reader(answer.body.as_slice());
    let head = reader.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2_500);
    let nanos: i64 =
        rows.iter().map(|row| pricing::Money::parse(&row[column("cost")]).unwrap().nanos()).sum();
    assert_eq!(nanos, 250 * 45);
    assert_eq!(&rows[0][column("team")], "'=cmd|' /C calc'!A0");
    assert_eq!(&rows[0][column("tags")], "a;b");
    let times: Vec<&str> = rows.iter().map(|row| &row[column("timestamp")]).collect();
    assert!(times.is_sorted());
}

#[tokio::test]
async fn json_and_ndjson_have_the_same_records() {
    let (server, owner, _) = with_records(1_001).await;
    let export = async |format: &str| {
        server.get(&format!("/api/usage/export?format={format}")).by(&owner).send().await
    };
    let list: Vec<Value> = serde_json::from_slice(&export("json").await.body).unwrap();
    let lines = export("ndjson").await.text();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(list.len(), 1_001);
    assert_eq!(list, lines);
}

#[tokio::test]
async fn an_export_of_nothing_is_well_formed() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let export = async |format: &str| {
        server.get(&format!("/api/usage/export?format={format}")).by(&owner).send().await.text()
    };
    assert_eq!(serde_json::from_str::<Value>(&export("json").await).unwrap(), json!([]));
    assert_eq!(export("ndjson").await, "");
    assert_eq!(export("csv").await.lines().count(), 1);
    let answer = server.get("/api/usage/export?format=xlsx").by(&owner).send().await;
    assert_eq!(answer.failure(), (422, "invalid_input".to_owned(), vec!["format".to_owned()]));
}

#[tokio::test]
async fn sums_can_be_downloaded_as_they_are_shown() {
    let (server, owner, _) = with_records(280).await;
    let query = "startDate=2024-01-01&endDate=2024-01-31&groupBy=week,model";
    let table =
        server.get(&format!("/api/analytics/export?format=csv&{query}")).by(&owner).send().await.text();
    let shown = server.get(&format!("/api/analytics?{query}")).by(&owner).send().await.expect(200);
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let costs: Vec<String> = reader.records().map(|row| row.unwrap()[8].to_owned()).collect();
    let groups: Vec<String> = shown["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| pricing::Money::parse(&group["cost"].to_string()).unwrap().to_string())
        .collect();
    assert_eq!(
        table.lines().next(),
        Some(
            "date,model,requests,errors,unpriced,inputTokens,outputTokens,tokens,cost,listCost,cacheReadTokens,cacheWriteTokens,cacheHitRate,costPerRequest,costPerMillionTokens,share"
        )
    );
    assert_eq!(costs, groups);
}
