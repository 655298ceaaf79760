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
        adjustments: Vec::new(),
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
    let kept = server.get("/api/prices/revisions").by(&owner).send().await.expect(200);
    let expected = (&json!("repricing"), &json!("1 of 2 records repriced"), &json!(owner.id));
    assert_eq!((&kept[0]["document"], &kept[0]["note"], &kept[0]["userId"]), expected);
    let record = server.get(&format!("/api/usage/{id}")).by(&owner).send().await.expect(200);
    assert_eq!((record["cost"].to_string(), &record["costSource"]), ("0.00045".into(), &json!("catalog")));
    assert_eq!(ask(true).await["changes"], json!([]));
    assert_eq!(server.store.verify().await.unwrap().differences, Vec::<String>::new());
}

#[tokio::test]
async fn a_start_prices_what_the_version_before_could_not() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let id = age_the_price(&server, &owner).await;
    let server = server.restart().await;
    let record = server.get(&format!("/api/usage/{id}")).by(&owner).send().await.expect(200);
    assert_eq!((record["cost"].to_string(), &record["costSource"]), ("0.00045".into(), &json!("catalog")));
}

#[tokio::test]
async fn only_administrators_reprice() {
    let server = Server::with(&[("auth.allow_signup", "true")]).await;
    server.owner().await;
    let member = server.register("member@example.com", None).await;
    server.post("/api/prices/reprice").by(&member).json(&json!({})).await.refused(403, "forbidden");
}

#[tokio::test]
async fn the_operators_own_prices_hold_from_the_next_call_on() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Resold" })).await;
    let rules = json!({ "rules": [
        { "id": "contract", "service": "openai", "discountBasisPoints": 1000 },
        { "id": "resale", "projectId": project, "marginBasisPoints": 2000 },
        { "id": "own", "model": "house-model", "rates": { "input_tokens": "1", "output_tokens": "2" } },
    ] });
    let call = |model: &str| json!({ "service": "openai", "model": model, "promptTokens": 25, "completionTokens": 150 });
    let before = server.track(&owner, call("gpt-4")).await;
    assert_eq!((before["cost"].to_string(), &before["costSource"]), ("0.00975".into(), &json!("catalog")));
    let put = server.call("PUT", "/api/prices/overrides").by(&owner).json(&rules).await.expect(200);
    assert_eq!(put, server.get("/api/prices/overrides").by(&owner).send().await.expect(200));

    let mut resold = call("gpt-4");
    resold["projectId"] = json!(project);
    // 0.00975 less 10 %; the same plus 20 %; 25 × 1 + 150 × 2 per million less 10 %.
    for (body, cost, list) in [
        (call("gpt-4"), "0.008775", "0.00975"),
        (resold, "0.01053", "0.00975"),
        (call("house-model"), "0.0002925", "null"),
    ] {
        let tracked = server.track(&owner, body).await;
        assert_eq!(
            (tracked["cost"].to_string().as_str(), &tracked["costSource"]),
            (cost, &json!("override"))
        );
        let path = format!("/api/usage/{}", tracked["id"].as_str().unwrap());
        let record = server.get(&path).by(&owner).send().await.expect(200);
        assert_eq!(record["listCost"].to_string(), list);
        assert!(!record["priceRules"].as_array().unwrap().is_empty());
    }
    let repriced =
        server.post("/api/prices/reprice").by(&owner).json(&json!({ "apply": true })).await.expect(200);
    assert_eq!(
        (&repriced["changes"][0]["records"], repriced["changes"][0]["after"].to_string()),
        (&json!(1), "0.008775".into())
    );
    assert_eq!(server.store.verify().await.unwrap().differences, Vec::<String>::new());
    let revisions = server.get("/api/prices/revisions").by(&owner).send().await.expect(200);
    assert_eq!((&revisions[0]["document"], &revisions[0]["number"]), (&json!("overrides"), &json!(1)));
}

#[tokio::test]
async fn a_rule_that_cannot_hold_is_named() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for (rule, field) in [
        (json!({ "id": " ", "discountBasisPoints": 1 }), "rules[0].id"),
        (json!({ "id": "a" }), "rules[0]"),
        (json!({ "id": "a", "discountBasisPoints": 1, "marginBasisPoints": 1 }), "rules[0]"),
        (json!({ "id": "a", "discountBasisPoints": -1 }), "rules[0].discountBasisPoints"),
        (json!({ "id": "a", "discountBasisPoints": 10001 }), "rules"),
        (json!({ "id": "a", "marginBasisPoints": 1, "model": "**" }), "rules[0].model"),
        (json!({ "id": "a", "marginBasisPoints": 1, "projectId": "x" }), "rules[0].projectId"),
    ] {
        let answer =
            server.call("PUT", "/api/prices/overrides").by(&owner).json(&json!({ "rules": [rule] })).await;
        assert_eq!(answer.failure(), (422, "invalid_input".to_owned(), vec![field.to_owned()]), "{rule}");
    }
}

#[tokio::test]
async fn a_deployments_name_is_mapped_to_its_model() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let call =
        json!({ "service": "azure", "model": "prod-chat-eu", "promptTokens": 1000, "completionTokens": 500 });
    let tracked = server.track(&owner, call.clone()).await;
    assert_eq!(tracked["costSource"], json!("unpriced"));
    let id = tracked["id"].as_str().unwrap();
    let mappings = json!({ "mappings": [{ "service": "azure", "model": "prod-chat-*", "toService": "openai", "toModel": "gpt-4o-mini" }] });
    server.call("PUT", "/api/prices/mappings").by(&owner).json(&mappings).await.expect(200);
    assert_eq!(server.get("/api/prices/mappings").by(&owner).send().await.expect(200), mappings);
    let estimate = server.post("/api/prices/estimate").by(&owner).json(&call).await.expect(200);
    assert_eq!(estimate["cost"].to_string(), "0.00045");
    assert!(estimate["priceMatch"].as_str().unwrap().contains("prod-chat"), "{estimate}");
    server.app.repricings.settled().await;
    let kept = server.get(&format!("/api/usage/{id}")).by(&owner).send().await.expect(200);
    assert_eq!((kept["cost"].to_string(), &kept["costSource"]), ("0.00045".into(), &json!("catalog")));
    assert!(kept["priceMatch"].as_str().unwrap().contains("prod-chat"), "{kept}");
    let wrong = json!({ "mappings": [{ "model": "x", "toService": "openai", "toModel": "nobodys" }] });
    let answer = server.call("PUT", "/api/prices/mappings").by(&owner).json(&wrong).await;
    assert_eq!(answer.failure(), (422, "invalid_input".to_owned(), vec!["mappings".to_owned()]));
}

#[tokio::test]
async fn an_unknown_model_gets_its_price_by_an_import_and_keeps_its_past() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let call =
        json!({ "service": "openai", "model": "gpt-next", "promptTokens": 1000, "completionTokens": 500 });
    let id = server.track(&owner, call.clone()).await["id"].as_str().unwrap().to_owned();
    let list = |input: &str| {
        json!({ "gpt-next": {
        "litellm_provider": "openai", "mode": "chat", "input_cost_per_token": input, "output_cost_per_token": "1e-05",
    } }).to_string().replace(&format!("\"{input}\""), input).replace("\"1e-05\"", "1e-05")
    };
    let import = async |query: &str, input: &str| {
        server
            .post(&format!("/api/prices/import?format=litellm{query}"))
            .by(&owner)
            .text(&list(input))
            .await
            .expect(200)
    };

    let shown = import("&dryRun=true", "2e-06").await;
    assert_eq!((&shown["applied"], shown["changeCount"].as_u64().unwrap() > 0), (&json!(false), true));
    assert_eq!(server.track(&owner, call.clone()).await["cost"], Value::Null);
    import("", "2e-06").await;
    assert_eq!(import("", "2e-06").await["changeCount"], json!(0), "the same list again changes nothing");
    assert_eq!(server.track(&owner, call.clone()).await["cost"].to_string(), "0.007");
    server.app.repricings.settled().await;
    let cost = async || {
        let record = server.get(&format!("/api/usage/{id}")).by(&owner).send().await.expect(200);
        record["cost"].to_string()
    };
    assert_eq!(cost().await, "0.007");
    let revisions = server.get("/api/prices/revisions").by(&owner).send().await.expect(200);
    let repricing = revisions.as_array().unwrap().last().unwrap();
    assert_eq!(
        (&repricing["document"], &repricing["note"], &repricing["userId"]),
        (&json!("repricing"), &json!("2 of 2 records without a cost priced"), &Value::Null)
    );

    // Half an hour later it costs more; earlier calls keep their price.
    server.clock.advance_seconds(1800);
    import("", "4e-06").await;
    assert_eq!(server.track(&owner, call).await["cost"].to_string(), "0.009");
    let again = server.post("/api/prices/reprice").by(&owner).json(&json!({})).await.expect(200);
    assert_eq!(again["changes"], json!([]));
    server.app.repricings.settled().await;
    assert_eq!(cost().await, "0.007", "a cost that is there stays");
    assert_eq!(server.store.verify().await.unwrap().differences, Vec::<String>::new());
    let answer = server.post("/api/prices/import?format=litellm").by(&owner).text("nonsense").await;
    assert_eq!(answer.failure(), (422, "invalid_input".to_owned(), vec!["list".to_owned()]));
}

#[tokio::test]
async fn what_has_a_cost_or_cannot_have_one_is_left_alone_when_prices_arrive() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let tokens =
        json!({ "service": "openai", "model": "house-model", "promptTokens": 1000, "completionTokens": 500 });
    let mut reported = tokens.clone();
    reported["cost"] = json!(7);
    let mut ids = Vec::new();
    for call in [
        reported,
        json!({ "service": "openai", "model": "house-model", "tokens": 9 }),
        json!({ "service": "openai", "model": "gpt-4o-mini", "promptTokens": 1000, "completionTokens": 500 }),
        tokens,
    ] {
        ids.push(server.track(&owner, call).await["id"].as_str().unwrap().to_owned());
    }
    let rules = json!({ "rules": [
        { "id": "own", "model": "house-model", "rates": { "input_tokens": "1", "output_tokens": "2" } },
        { "id": "contract", "service": "openai", "discountBasisPoints": 1000 },
    ] });
    server.call("PUT", "/api/prices/overrides").by(&owner).json(&rules).await.expect(200);
    server.app.repricings.settled().await;
    let mut costs = Vec::new();
    for id in &ids {
        let record = server.get(&format!("/api/usage/{id}")).by(&owner).send().await.expect(200);
        costs.push((record["cost"].to_string(), record["costSource"].as_str().unwrap().to_owned()));
    }
    // Own rates less a tenth for the one that had no cost: (1000 × 1 + 500 × 2) per million × 0.9.
    let expected = [("7", "reported"), ("null", "unpriced"), ("0.00045", "catalog"), ("0.0018", "override")];
    assert_eq!(costs, expected.map(|(cost, source)| (cost.to_owned(), source.to_owned())));
    assert_eq!(server.store.verify().await.unwrap().differences, Vec::<String>::new());
}

#[tokio::test]
async fn the_examples_of_the_guide_are_taken_as_written() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let guide = include_str!("../../../../docs/guides/prices.md");
    let examples: Vec<&str> =
        guide.split("```json\n").skip(1).filter_map(|text| text.split("```").next()).collect();
    let [native, mappings, rules] = examples.as_slice() else { panic!("{} examples", examples.len()) };
    server.post("/api/prices/import?format=native").by(&owner).text(native).await.expect(200);
    let mapped = server.call("PUT", "/api/prices/mappings").by(&owner).text(mappings).await.expect(200);
    assert_eq!(mapped["mappings"].as_array().unwrap().len(), 3);
    let ruled = server.call("PUT", "/api/prices/overrides").by(&owner).text(rules).await.expect(200);
    assert_eq!(ruled["rules"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_rule_without_an_id_is_given_one() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let rules = json!({ "rules": [{ "discountBasisPoints": 100 }, { "service": "openai", "discountBasisPoints": 200 }, { "id": "mine", "marginBasisPoints": 1 }] });
    let put = server.call("PUT", "/api/prices/overrides").by(&owner).json(&rules).await.expect(200);
    let ids: Vec<&str> =
        put["rules"].as_array().unwrap().iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert!(ids[0].starts_with("rule-") && ids[1].starts_with("rule-") && ids[0] != ids[1], "{ids:?}");
    assert_eq!(ids[2], "mine");
    assert_eq!(put, server.get("/api/prices/overrides").by(&owner).send().await.expect(200));
}
