//! The catalog, and what it says of calls.

use domain::{costing::Costing, usage_record::CostSource};
use serde_json::{Value, json};
use store::UsageStore as _;

use crate::harness::{Person, Server};

#[tokio::test]
async fn the_catalog_can_be_read() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let rows = server
        .get("/api/prices?service=openai&search=gpt-4o-mini&at=2026-01-01T00:00:00Z")
        .by(&owner)
        .send()
        .await
        .expect(200);
    let standard = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["model"] == "gpt-4o-mini" && row["conditions"] == json!({}))
        .unwrap();
    assert_eq!(standard["rates"]["input_tokens"], json!([{ "inputTokensMin": 0, "rate": "0.15" }]));
    assert_eq!(standard["source"]["name"], json!("genai-prices"));
    let all = server.get("/api/prices/gpt-4o-mini").by(&owner).send().await.expect(200);
    assert!(all.as_array().unwrap().iter().all(|row| row["model"] == "gpt-4o-mini"));
    server.get("/api/prices/nobodys").by(&owner).send().await.refused(404, "model_not_found");
}

#[tokio::test]
async fn an_estimate_records_nothing() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({ "model": "gpt-4o-mini", "promptTokens": 1000, "completionTokens": 500, "cacheReadTokens": 200 });
    let estimate = server.post("/api/prices/estimate").by(&owner).json(&body).await.expect(200);
    assert_eq!((estimate["cost"].to_string(), &estimate["service"]), ("0.000435".into(), &json!("openai")));
    assert_eq!(estimate["costExplanation"]["items"].as_array().unwrap().len(), 3);
    let unknown = server
        .post("/api/prices/estimate")
        .by(&owner)
        .json(&json!({ "model": "nobodys", "promptTokens": 1, "completionTokens": 1 }))
        .await
        .expect(200);
    assert_eq!((&unknown["cost"], &unknown["unpricedReason"]), (&Value::Null, &json!("unknown_model")));
    assert_eq!(server.get("/api/usage/stats").by(&owner).send().await.expect(200)["totalRequests"], json!(0));
}

#[tokio::test]
async fn a_simulation_prices_the_same_tokens_with_other_models() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for _ in 0..3 {
        server.track(&owner, json!({ "model": "gpt-4o", "promptTokens": 1000, "cacheReadTokens": 800, "completionTokens": 500 })).await;
    }
    server.track(&owner, json!({ "model": "nobodys", "promptTokens": 1000, "completionTokens": 500 })).await;
    let body =
        json!({ "models": ["gpt-4o"], "candidates": [{ "model": "gpt-4o-mini" }, { "model": "nobodys" }] });
    let simulation = server.post("/api/prices/simulate").by(&owner).json(&body).await.expect(200);
    assert_eq!((&simulation["requests"], simulation["actualCost"].to_string()), (&json!(3), "0.0195".into()));
    let scenario = |index: usize| {
        let scenario = &simulation["scenarios"][index];
        (
            scenario["cost"].to_string(),
            scenario["costWithoutCaching"].to_string(),
            scenario["unpricedRequests"].as_u64().unwrap(),
        )
    };
    // gpt-4o: 200 × 2.50 + 800 × 1.25 + 500 × 10; gpt-4o-mini: 200 × 0.15 + 800 × 0.075 + 500 × 0.60; each three times.
    assert_eq!(scenario(0), ("0.0195".into(), "0.0225".into(), 0));
    assert_eq!(scenario(1), ("0.00117".into(), "0.00135".into(), 0));
    assert_eq!(scenario(2), ("0".into(), "0".into(), 3));
}

/// Gives the only record a cost that is not the catalog's, as an older price would have left it.
async fn age_the_price(server: &Server, by: &Person) -> String {
    let id = server
        .track(by, json!({ "model": "gpt-4o-mini", "promptTokens": 1000, "completionTokens": 500 }))
        .await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let unpriced = Costing {
        cost: None,
        cost_source: CostSource::Unpriced,
        list_cost: None,
        cache_savings: None,
        price: None,
        unpriced_reason: Some("unknown_model".to_owned()),
        flags: Vec::new(),
    };
    server.store.recost(vec![(id.parse().unwrap(), unpriced)]).await.unwrap();
    id
}

#[tokio::test]
async fn a_repricing_is_shown_before_it_is_written_and_sums_follow() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let id = age_the_price(&server, &owner).await;
    server
        .track(&owner, json!({ "model": "gpt-4o-mini", "promptTokens": 1, "completionTokens": 1, "cost": 7 }))
        .await;
    let ask = async |apply: bool| {
        server.post("/api/prices/reprice").by(&owner).json(&json!({ "apply": apply })).await.expect(200)
    };
    let total =
        async || server.get("/api/usage/stats").by(&owner).send().await.expect(200)["totalCost"].to_string();

    let preview = ask(false).await;
    assert_eq!((&preview["applied"], &preview["lookedAt"]), (&json!(false), &json!(2)));
    assert_eq!(preview["changes"].as_array().unwrap().len(), 1);
    let change = &preview["changes"][0];
    assert_eq!(
        (&change["service"], &change["model"], &change["month"]),
        (&json!("openai"), &json!("gpt-4o-mini"), &json!("2024-02"))
    );
    assert_eq!(
        (
            &change["records"],
            &change["newlyPriced"],
            change["before"].to_string(),
            change["after"].to_string()
        ),
        (&json!(1), &json!(1), "0".into(), "0.00045".into())
    );
    assert_eq!(total().await, "7");

    assert_eq!(ask(true).await["changes"], preview["changes"]);
    assert_eq!(total().await, "7.00045");
    let record = server.get(&format!("/api/usage/{id}")).by(&owner).send().await.expect(200);
    assert_eq!((record["cost"].to_string(), &record["costSource"]), ("0.00045".into(), &json!("catalog")));
    assert_eq!(ask(true).await["changes"], json!([]));
    assert_eq!(server.store.verify().await.unwrap().differences, Vec::<String>::new());
}

#[tokio::test]
async fn only_administrators_reprice() {
    let server = Server::with(&[("auth.allow_signup", "true")]).await;
    server.owner().await;
    let member = server.register("member@example.com", None).await;
    server.post("/api/prices/reprice").by(&member).json(&json!({})).await.refused(403, "forbidden");
}
