//! `/api/usage`: one record.

use serde_json::{Value, json};
use store::UsageStore as _;

use crate::harness::Server;

/// The body of the integration guide's example, section "Direct API Integration".
fn guide_example(project: &str) -> Value {
    json!({
        "projectId": project,
        "service": "openai",
        "model": "gpt-4",
        "prompt": "Generate content...",
        "completion": "Generated content...",
        "promptTokens": 25,
        "completionTokens": 150,
        "totalTokens": 175,
        "cost": 0.0035,
        "responseTime": 1200,
        "costAllocation": { "department": "marketing", "team": "content" },
        "tags": ["product", "marketing"]
    })
}

#[tokio::test]
async fn the_guides_example_is_kept_as_written_with_the_catalogs_figure_beside_it() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Shop" })).await;
    let tracked = server.track(&owner, guide_example(&project)).await;
    assert_eq!(tracked["cost"].to_string(), "0.0035");
    assert_eq!((&tracked["tokens"], &tracked["costSource"]), (&json!(175), &json!("reported")));

    let path = format!("/api/usage/{}", tracked["id"].as_str().unwrap());
    let record = server.get(&path).by(&owner).send().await.expect(200);
    assert_eq!(record["cost"].to_string(), "0.0035");
    assert_eq!(record["listCost"].to_string(), "0.00975");
    assert_eq!(record["projectId"], json!(project));
    assert_eq!(record["costAllocation"], json!({ "department": "marketing", "team": "content" }));
    assert_eq!(record["tags"], json!(["marketing", "product"]));
    assert_eq!(record["responseTime"], json!(1200));
    assert_eq!(record["_id"], record["id"]);
    let items = record["costExplanation"]["items"].as_array().unwrap();
    let item = |index: usize| {
        (items[index]["count"].clone(), items[index]["rate"].clone(), items[index]["amount"].clone())
    };
    assert_eq!(item(0), (json!(25), json!("30"), json!("0.00075")));
    assert_eq!(item(1), (json!(150), json!("60"), json!("0.009")));
}

#[tokio::test]
async fn prompts_are_kept_only_where_the_project_says_so() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for (keeps, expected) in [(false, Value::Null), (true, json!("Generate content..."))] {
        let project =
            server.project(&owner, json!({ "name": "P", "settings": { "storePrompts": keeps } })).await;
        let tracked = server.track(&owner, guide_example(&project)).await;
        let path = format!("/api/usage/{}", tracked["id"].as_str().unwrap());
        assert_eq!(server.get(&path).by(&owner).send().await.expect(200)["prompt"], expected);
    }
}

#[tokio::test]
async fn the_same_key_is_the_same_record() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({ "model": "gpt-4o-mini", "promptTokens": 1000, "completionTokens": 500 });
    let send = || server.post("/api/usage/track").by(&owner).header("Idempotency-Key", "call-1");
    let first = send().json(&body).await.expect(201);
    let second = send().json(&body).await.expect(201);
    assert_eq!((&first["duplicate"], &second["duplicate"]), (&json!(false), &json!(true)));
    assert_eq!(first["id"], second["id"]);
    assert_eq!(server.get("/api/usage/stats").by(&owner).send().await.expect(200)["totalRequests"], json!(1));
}

#[tokio::test]
async fn a_deleted_record_does_not_come_back_with_a_retry() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({ "model": "gpt-4o-mini", "promptTokens": 1, "completionTokens": 1, "requestId": "r" });
    let id = server.track(&owner, body.clone()).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/usage/{id}");
    server.call("DELETE", &path).by(&owner).send().await.expect(200);
    let again = server.track(&owner, body).await;
    assert_eq!((&again["id"], &again["duplicate"], &again["cost"]), (&json!(id), &json!(true), &Value::Null));
    server.get(&path).by(&owner).send().await.refused(404, "usage_not_found");
    assert_eq!(server.get("/api/usage/stats").by(&owner).send().await.expect(200)["totalRequests"], json!(0));
}

#[tokio::test]
async fn costs_come_from_the_catalog_the_sender_or_nowhere() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for (body, cost, source) in [
        (
            json!({ "model": "gpt-4o-mini", "promptTokens": 1000, "completionTokens": 500, "cacheReadTokens": 200 }),
            "0.000435",
            "catalog",
        ),
        (
            json!({ "service": "openai", "model": "gpt-4o-mini", "usage": { "prompt_tokens": 1000, "completion_tokens": 500, "prompt_tokens_details": { "cached_tokens": 200 } } }),
            "0.000435",
            "catalog",
        ),
        (
            json!({ "provider": "anthropic", "model": "claude-sonnet-4-5", "usage": { "input_tokens": 100, "cache_creation_input_tokens": 3000, "cache_read_input_tokens": 5000, "cache_creation": { "ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 2000 }, "output_tokens": 200 } }),
            "0.02055",
            "catalog",
        ),
        (
            json!({ "model": "gpt-4o-mini", "promptTokens": 1, "completionTokens": 1, "cost": 0 }),
            "0",
            "reported",
        ),
        (
            json!({ "model": "gpt-4o-mini", "promptTokens": 1, "completionTokens": 1, "estimatedCost": "0.0034999999999999996" }),
            "0.0035",
            "reported",
        ),
        (json!({ "model": "gpt-4o-mini", "tokens": 150 }), "null", "unpriced"),
        (json!({ "model": "nobodys-model", "promptTokens": 1, "completionTokens": 1 }), "null", "unpriced"),
    ] {
        let tracked = server.track(&owner, body.clone()).await;
        assert_eq!(
            (tracked["cost"].to_string(), &tracked["costSource"]),
            (cost.to_owned(), &json!(source)),
            "{body}"
        );
    }
    let stats = server.get("/api/usage/stats").by(&owner).send().await.expect(200);
    assert_eq!((&stats["unpricedRequests"], &stats["totalRequests"]), (&json!(2), &json!(7)));
}

#[tokio::test]
async fn an_unpriced_record_says_why() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for (body, reason) in [
        (json!({ "model": "nobodys-model", "promptTokens": 1, "completionTokens": 1 }), "unknown_model"),
        (json!({ "model": "gpt-4o-mini", "tokens": 150 }), "total_only"),
        (json!({ "model": "gpt-4o-mini" }), "no_usage"),
    ] {
        let id = server.track(&owner, body).await["id"].as_str().unwrap().to_owned();
        let record = server.get(&format!("/api/usage/{id}")).by(&owner).send().await.expect(200);
        assert_eq!((&record["unpricedReason"], &record["costExplanation"]), (&json!(reason), &Value::Null));
    }
}

#[tokio::test]
async fn what_the_server_does_not_know_is_kept() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let body = json!({ "model": "gpt-4o", "metadata": { "run": 7 }, "newField": { "deep": [1, 2] }, "costAllocation": { "region": "emea" } });
    let id = server.track(&owner, body).await["id"].as_str().unwrap().to_owned();
    let record = server.get(&format!("/api/usage/{id}")).by(&owner).send().await.expect(200);
    assert_eq!(record["metadata"], json!({ "run": 7, "extra": { "newField": { "deep": [1, 2] } } }));
    assert_eq!(record["costAllocation"], json!({ "region": "emea" }));
}

#[tokio::test]
async fn a_correction_moves_the_sums() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let (a, b) = (
        server.project(&owner, json!({ "name": "A" })).await,
        server.project(&owner, json!({ "name": "B" })).await,
    );
    let id = server.track(&owner, guide_example(&a)).await["id"].as_str().unwrap().to_owned();
    let change = json!({ "projectId": b, "tags": ["x"], "costAllocation": { "team": "platform" } });
    let changed = server.call("PUT", &format!("/api/usage/{id}")).by(&owner).json(&change).await.expect(200);
    assert_eq!((&changed["projectId"], &changed["tags"]), (&json!(b), &json!(["x"])));
    for (project, cost) in [(&a, "0"), (&b, "0.0035")] {
        let found = server.get(&format!("/api/projects/{project}")).by(&owner).send().await.expect(200);
        assert_eq!(found["spending"]["totalCost"].to_string(), cost);
        let analytics = server
            .get(&format!("/api/analytics/projects/{project}?groupBy=team"))
            .by(&owner)
            .send()
            .await
            .expect(200);
        assert_eq!(analytics["summary"]["totalCost"].to_string(), cost);
    }
    assert_eq!(store::UsageStore::verify(&server.store).await.unwrap().difference_count, 0);
}

#[tokio::test]
async fn lists_filter_search_and_page() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for n in 0..25 {
        let body = json!({
            "model": if n % 2 == 0 { "gpt-4o" } else { "claude-sonnet-4-5" },
            "promptTokens": n + 1, "completionTokens": 1,
            "timestamp": format!("2024-01-{:02}T10:00:00Z", n + 1),
            "tags": [format!("batch-{}", n % 5)], "sessionId": format!("session-{n}"),
        });
        server.track(&owner, body).await;
    }
    let count = async |query: &str| {
        let answer = server.get(&format!("/api/usage?{query}")).by(&owner).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.value()["pagination"]["total"].as_u64().unwrap()
    };
    assert_eq!(count("service=openai").await, 13);
    assert_eq!(count("service=!openai").await, 12);
    assert_eq!(count("tag=batch-1&tag=batch-2").await, 10);
    assert_eq!(count("startDate=2024-01-10&endDate=2024-01-12").await, 3);
    assert_eq!(count("search=SESSION-7").await, 1);
    assert_eq!(count("department=(none)").await, 25);
    assert_eq!(count("project=507f1f77bcf86cd799439011").await, 0);

    let mut seen = Vec::new();
    let mut path = "/api/usage?limit=10".to_owned();
    loop {
        let page = server.get(&path).by(&owner).send().await.value();
        seen.extend(
            page["data"].as_array().unwrap().iter().map(|record| record["promptTokens"].as_u64().unwrap()),
        );
        let Some(cursor) = page["pagination"]["nextCursor"].as_str() else { break };
        path = format!("/api/usage?limit=10&cursor={cursor}");
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<u64>>());

    let dearest = server.get("/api/usage?sort=cost&limit=1").by(&owner).send().await.expect(200);
    assert_eq!(dearest[0]["promptTokens"], json!(24));
    for (query, field) in [
        ("sort=size", "sort"),
        ("cursor=zzz", "cursor"),
        ("colour=red", "colour"),
        ("startDate=x", "startDate"),
    ] {
        let (status, code, fields) =
            server.get(&format!("/api/usage?{query}")).by(&owner).send().await.failure();
        assert_eq!((status, code.as_str(), fields), (422, "invalid_input", vec![field.to_owned()]));
    }
}

#[tokio::test]
async fn an_error_is_told_by_word_status_or_message() {
    let server = Server::start().await;
    let owner = server.owner().await;
    for (body, status) in [
        (json!({ "model": "gpt-4o" }), "success"),
        (json!({ "model": "gpt-4o", "status": 429 }), "error"),
        (json!({ "model": "gpt-4o", "status": "failed" }), "error"),
        (json!({ "model": "gpt-4o", "error": { "code": "rate_limit", "message": "slow down" } }), "error"),
        (json!({ "model": "gpt-4o", "errorMessage": "boom", "status": "success" }), "success"),
    ] {
        let id = server.track(&owner, body.clone()).await["id"].as_str().unwrap().to_owned();
        let record = server.get(&format!("/api/usage/{id}")).by(&owner).send().await.expect(200);
        assert_eq!(record["status"], json!(status), "{body}");
    }
}

#[tokio::test]
async fn a_providers_whole_reply_needs_nothing_else() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let reply = json!({
        "id": "chatcmpl-AbC123", "object": "chat.completion", "created": 1_707_560_000, "model": "gpt-4o-mini-2024-07-18",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Hi" }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500,
            "prompt_tokens_details": { "cached_tokens": 200, "audio_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 0, "audio_tokens": 0 } },
        "service_tier": "default", "system_fingerprint": "fp_1",
    });
    let tracked = server.track(&owner, json!({ "response": reply })).await;
    assert_eq!((tracked["cost"].to_string(), &tracked["tokens"]), ("0.000435".into(), &json!(1500)));
    let again = server.track(&owner, json!({ "response": reply })).await;
    assert_eq!(
        (&again["id"], &again["duplicate"]),
        (&tracked["id"], &json!(true)),
        "the same reply is the same call"
    );
    let message = json!({
        "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929", "stop_reason": "end_turn",
        "content": [{ "type": "text", "text": "Hi" }],
        "usage": { "input_tokens": 100, "cache_creation_input_tokens": 3000, "cache_read_input_tokens": 5000,
            "cache_creation": { "ephemeral_5m_input_tokens": 1000, "ephemeral_1h_input_tokens": 2000 }, "output_tokens": 200, "service_tier": "standard" },
    });
    let tracked = server
        .track(&owner, json!({ "service": "anthropic", "model": "claude-sonnet-4-5", "response": message }))
        .await;
    assert_eq!(tracked["cost"].to_string(), "0.02055");
}

#[tokio::test]
async fn what_another_model_did_inside_a_reply_is_a_record_at_its_own_price() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Advised" })).await;
    let reply: Value = serde_json::from_str(include_str!(
        "../../../domain/tests/wire/fixtures/anthropic/message-advisor.json"
    ))
    .unwrap();
    let call = json!({
        "service": "anthropic", "response": reply, "projectId": project, "tags": ["a"], "sessionId": "s", "traceId": "t",
        "costAllocation": { "team": "search" }, "customerEmail": "c@example.com", "responseTime": 900,
    });
    let tracked = server.track(&owner, call.clone()).await;
    // 2411 × 2 + 145 × 10 per million; 2543 × 5 + 18 × 25.
    assert_eq!(tracked["cost"].to_string(), "0.006272");
    let side_call = &tracked["sideCalls"][0];
    assert_eq!(
        (&side_call["service"], &side_call["model"], side_call["cost"].to_string(), &side_call["costSource"]),
        (&json!("anthropic"), &json!("claude-opus-4-8"), "0.013165".into(), &json!("catalog"))
    );

    let record = async |id: &Value| {
        server.get(&format!("/api/usage/{}", id.as_str().unwrap())).by(&owner).send().await.expect(200)
    };
    let (main, side) = (record(&tracked["id"]).await, record(&side_call["id"]).await);
    assert_eq!(main["metadata"]["sideCalls"], json!([side_call["id"]]));
    let key = main["requestId"].as_str().unwrap();
    assert_eq!(side["requestId"], json!(format!("{key}:side:1")));
    assert_eq!((&side["operation"], &side["responseTime"]), (&json!("side_call"), &Value::Null));
    for shared in [
        "projectId",
        "tags",
        "sessionId",
        "traceId",
        "costAllocation",
        "customerEmail",
        "timestamp",
        "userId",
    ] {
        assert_eq!(side[shared], main[shared], "{shared}");
    }
    assert_eq!(side["costExplanation"]["total"].to_string(), "0.013165");

    // Sent again by other doors it adds nothing, and is answered alike.
    let again = server.track(&owner, call.clone()).await;
    assert_eq!((&again["duplicate"], &again["sideCalls"]), (&json!(true), &tracked["sideCalls"]));
    let bulk = json!({ "usageData": [call] });
    let bulk = server.post("/api/usage/bulk").by(&owner).json(&bulk).await.expect(200);
    assert_eq!((&bulk["duplicates"], &bulk["results"][0]["sideCalls"]), (&json!(1), &tracked["sideCalls"]));
    let stats = server.get("/api/usage/stats").by(&owner).send().await.expect(200);
    assert_eq!((&stats["totalRequests"], stats["totalCost"].to_string()), (&json!(2), "0.019437".into()));
    let found = server.get(&format!("/api/usage?search={key}")).by(&owner).send().await.expect(200);
    assert_eq!(found.as_array().unwrap().len(), 2, "the key finds both");
    assert_eq!(server.store.verify().await.unwrap().differences, Vec::<String>::new());
}

#[tokio::test]
async fn what_an_unknown_model_did_inside_a_reply_is_kept_and_priced_when_its_price_arrives() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let reply = json!({
        "id": "resp_1", "model": "gpt-4o-mini", "object": "response", "output": [],
        "usage": { "input_tokens": 1000, "output_tokens": 500 },
        "tools": [{ "type": "image_generation", "model": "painter-next" }],
        "tool_usage": { "image_gen": { "input_tokens": 100, "output_tokens": 1000 } },
    });
    let call = json!({ "service": "openai", "response": reply });
    let estimate = server.post("/api/prices/estimate").by(&owner).json(&call).await.expect(200);
    assert_eq!(estimate["sideCalls"][0]["model"], json!("painter-next"));
    let tracked = server.track(&owner, call).await;
    let side_call = &tracked["sideCalls"][0];
    assert_eq!(
        (tracked["cost"].to_string(), &side_call["cost"], &side_call["costSource"]),
        ("0.00045".into(), &Value::Null, &json!("unpriced"))
    );
    let rules = json!({ "rules": [{ "id": "own", "model": "painter-next", "rates": { "input_tokens": "1", "output_tokens": "30" } }] });
    server.call("PUT", "/api/prices/overrides").by(&owner).json(&rules).await.expect(200);
    server.app.repricings.settled().await;
    let path = format!("/api/usage/{}", side_call["id"].as_str().unwrap());
    let record = server.get(&path).by(&owner).send().await.expect(200);
    assert_eq!(record["cost"].to_string(), "0.0301");
}

#[tokio::test]
async fn a_search_costs_what_its_kind_does_also_when_it_is_costed_anew() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let call = json!({ "service": "perplexity", "model": "perplexity/sonar", "promptTokens": 1000, "completionTokens": 100, "webSearches": 2 });
    // 1000 × 0.25 + 100 × 2.5 per million, and two searches at 2.50 or at 1 per thousand.
    for (kind, cost) in [(Value::Null, "0.0055"), (json!("fast"), "0.0025"), (json!("web"), "0.0055")] {
        let mut call = call.clone();
        call["searchType"] = kind.clone();
        let tracked = server.track(&owner, call).await;
        assert_eq!(tracked["cost"].to_string(), cost);
        let path = format!("/api/usage/{}", tracked["id"].as_str().unwrap());
        assert_eq!(server.get(&path).by(&owner).send().await.expect(200)["searchType"], kind);
    }
    let repriced = server.post("/api/prices/reprice").by(&owner).json(&json!({})).await.expect(200);
    assert_eq!((&repriced["lookedAt"], &repriced["changes"]), (&json!(3), &json!([])));
}

#[tokio::test]
async fn what_the_provider_says_it_charges_is_believed_before_the_catalog() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let usage =
        json!({ "prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500, "cost": 0.0123 });
    let tracked = server
        .track(&owner, json!({ "service": "openrouter", "model": "openai/gpt-4o-mini", "usage": usage }))
        .await;
    assert_eq!((tracked["cost"].to_string(), &tracked["costSource"]), ("0.0123".into(), &json!("provider")));
}

#[tokio::test]
async fn tokens_that_nobody_counted_are_estimated_and_say_so() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let call = json!({ "service": "openai", "model": "gpt-4", "prompt": "2 + 2 = 4", "completion": "tiktoken is great!" });
    let tracked = server.track(&owner, call.clone()).await;
    // 7 × 30 + 6 × 60 dollars per million.
    assert_eq!(
        (tracked["cost"].to_string(), &tracked["costSource"]),
        ("0.00057".into(), &json!("estimated"))
    );
    let path = format!("/api/usage/{}", tracked["id"].as_str().unwrap());
    let record = server.get(&path).by(&owner).send().await.expect(200);
    assert_eq!((&record["flags"], &record["prompt"]), (&json!(["tokens_estimated"]), &Value::Null));
    let repriced = server.post("/api/prices/reprice").by(&owner).json(&json!({})).await.expect(200);
    assert_eq!(repriced["changes"], json!([]), "it stays an estimate");
    let mut reported = call;
    reported["cost"] = json!(0.01);
    assert_eq!(server.track(&owner, reported).await["costSource"], json!("reported"));
}
