//! Calls that go well: passed on unchanged, recorded exactly.

use fake_upstream::KEY;
use serde_json::{Value, json};

use super::world::{World, chat};

const CHAT: &str = "/gateway/openai/v1/chat/completions";

#[tokio::test]
async fn a_chat_passes_unchanged_and_its_cost_is_exact() {
    let world = World::start().await;
    let body = chat("gpt-4o-mini", &json!({}));
    let usage = [("x-fake-usage", "input=1000,cached=200,output=500")];
    let answer = world.post(CHAT, &usage, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let direct = [usage[0], ("authorization", "Bearer sk-upstream")];
    assert_eq!(answer.body, world.direct("/v1/chat/completions", &direct, &body).await);
    // The vector of gpt-4o-mini: 800 x 0.15 + 200 x 0.075 + 500 x 0.6 dollars per million.
    assert_eq!(answer.headers["x-cost-usd"], "0.000435");
    let record = World::only(world.records().await);
    assert_eq!(answer.headers["x-cost-request-id"], record["id"].as_str().unwrap());
    assert_eq!(record["cost"].to_string(), "0.000435");
    assert_eq!(
        (record["costSource"].as_str(), record["origin"].as_str()),
        (Some("catalog"), Some("gateway"))
    );
    assert_eq!(
        (&record["service"], &record["model"], &record["operation"]),
        (&json!("openai"), &json!("gpt-4o-mini"), &json!("chat"))
    );
    assert_eq!((&record["promptTokens"], &record["completionTokens"]), (&json!(1000), &json!(500)));
    assert_eq!(record["status"], "success");
}

#[tokio::test]
async fn the_provider_sees_its_own_key_and_nothing_of_ours() {
    let world = World::start().await;
    let project = world.server.project(&world.owner, json!({ "name": "Blog" })).await;
    let body = chat("gpt-4o-mini", &json!({}));
    let headers = [
        ("x-project-id", project.as_str()),
        ("x-cost-team", "content"),
        ("x-cost-tags", "blog,seo"),
        ("x-session-id", "s-1"),
        ("x-end-user", "ada@example.com"),
        ("x-cost-request-id", "r-1"),
        ("openai-organization", "org-1"),
        ("user-agent", "an-sdk/1.0"),
    ];
    assert_eq!(world.post(CHAT, &headers, &body).await.status, 200);
    let request = world.upstream.requests().remove(0);
    assert_eq!(request.header("authorization"), Some("Bearer sk-upstream"));
    assert_eq!(
        (request.header("openai-organization"), request.header("user-agent")),
        (Some("org-1"), Some("an-sdk/1.0"))
    );
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), body);
    for (name, value) in &request.headers {
        assert!(
            !name.starts_with("x-cost") && !name.starts_with("x-project") && !value.contains("aict_"),
            "{name}"
        );
        assert!(name != "x-api-key" && name != "x-session-id" && name != "x-end-user", "{name}");
    }
    let record = World::only(world.records().await);
    assert_eq!(
        (&record["projectId"], &record["costAllocation"]["team"]),
        (&json!(project), &json!("content"))
    );
    assert_eq!((&record["tags"], &record["sessionId"]), (&json!(["blog", "seo"]), &json!("s-1")));
    assert_eq!(
        (&record["userEmail"], &record["metadata"]["requestId"]),
        (&json!("ada@example.com"), &json!("r-1"))
    );
}

#[tokio::test]
async fn every_provider_is_reached_with_the_key_in_its_own_place() {
    let world = World::start().await;
    let messages = json!({ "model": "claude-sonnet-4-5", "max_tokens": 10, "messages": [{ "role": "user", "content": "Hi" }] });
    let contents = json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hi" }] }] });
    let converse = json!({ "messages": [{ "role": "user", "content": [{ "text": "Hi" }] }] });
    let bedrock_model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let version = [("anthropic-version", "2023-06-01")];
    let converse_path = format!("/gateway/bedrock/model/{}/converse", bedrock_model.replace(':', "%3A"));
    for (path, headers, body, key_header) in [
        ("/gateway/anthropic/v1/messages", &version[..], &messages, "x-api-key"),
        ("/gateway/google/v1beta/models/gemini-2.5-flash:generateContent", &[], &contents, "x-goog-api-key"),
        (converse_path.as_str(), &[], &converse, "authorization"),
        (
            "/gateway/mistral/v1/chat/completions",
            &[],
            &chat("mistral-large-latest", &json!({})),
            "authorization",
        ),
    ] {
        world.upstream.reset();
        let answer = world.post(path, headers, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let request = world.upstream.requests().remove(0);
        let key = request.header(key_header).unwrap();
        assert!(
            key == KEY || key == "Bearer sk-upstream" || key.starts_with("AWS4-HMAC-SHA256 Credential=AKIA"),
            "{key}"
        );
        let billed = world.upstream.ledger().remove(0);
        let record = world.records().await.pop().unwrap();
        assert_eq!(record["promptTokens"], billed.usage.input_tokens, "{path}");
        assert_eq!(record["completionTokens"], billed.usage.output_tokens, "{path}");
        assert!(record["cost"].is_number(), "{path}: {record}");
    }
}

#[tokio::test]
async fn bedrock_gets_a_signature_over_every_header_of_amazons() {
    let world = World::start().await;
    let converse = json!({ "messages": [{ "role": "user", "content": [{ "text": "Hi" }] }] });
    // Amazon's Node SDK says the first; the fake refuses a signature that leaves one out.
    let headers = [("x-amz-user-agent", "aws-sdk-js/3"), ("x-amzn-bedrock-trace", "ENABLED")];
    let answer =
        world.post("/gateway/bedrock/model/amazon.nova-lite-v1:0/converse", &headers, &converse).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = world.upstream.requests().remove(0);
    assert_eq!(request.header("x-amz-user-agent"), Some("aws-sdk-js/3"));
    assert_eq!(request.header("x-amzn-bedrock-trace"), Some("ENABLED"));
}

#[tokio::test]
async fn the_key_is_taken_wherever_a_providers_client_puts_it() {
    let world = World::start().await;
    let tracker_key = world.key.credential.as_str();
    let bearer = format!("Bearer {tracker_key}");
    let signed = format!(
        "AWS4-HMAC-SHA256 Credential={tracker_key}/20240210/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=0"
    );
    for (name, value) in [
        ("authorization", bearer.as_str()),
        ("x-api-key", tracker_key),
        ("api-key", tracker_key),
        ("x-goog-api-key", tracker_key),
        ("x-tracker-key", tracker_key),
        ("costkatana-auth", bearer.as_str()),
        ("authorization", signed.as_str()),
    ] {
        let answer = world
            .server
            .post(CHAT)
            .header(name, value)
            .json(&chat("gpt-4o-mini", &json!({ "user": name.to_owned() + value })))
            .await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    }
    for path in ["/v1/chat/completions", "/gateway/v1/chat/completions"] {
        let body = chat("gpt-4o-mini", &json!({ "user": path }));
        let answer = world.server.post(path).header("costkatana-auth", &bearer).json(&body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    assert_eq!(world.records().await.len(), 9);
}

#[tokio::test]
async fn the_callers_own_key_passes_beside_the_tracker_key() {
    let world = World::start().await;
    let answer = world
        .server
        .post(CHAT)
        .header("x-tracker-key", &world.key.credential)
        .header("authorization", "Bearer sk-own")
        .json(&chat("gpt-4o-mini", &json!({})))
        .await;
    // The fake does not know this key, and its answer is passed on as it is.
    assert_eq!(answer.status, 401);
    assert_eq!(world.upstream.requests()[0].header("authorization"), Some("Bearer sk-own"));
    let record = World::only(world.records().await);
    assert_eq!(
        (&record["status"], &record["cost"], &record["errorCode"]),
        (&json!("error"), &json!(0), &json!("401"))
    );
}

#[tokio::test]
async fn what_is_not_charged_for_passes_and_is_not_recorded() {
    let world = World::start().await;
    let models = world.server.get("/gateway/openai/v1/models").by(&world.key).send().await;
    assert_eq!(models.status, 200, "{}", models.text());
    let version = [("anthropic-version", "2023-06-01")];
    let count = json!({ "model": "claude-sonnet-4-5", "messages": [{ "role": "user", "content": "Hi" }] });
    let counted = world.post("/gateway/anthropic/v1/messages/count_tokens", &version, &count).await;
    assert_eq!(counted.status, 200, "{}", counted.text());
    assert!(!counted.headers.contains_key("x-cost-request-id"));
    assert_eq!(world.records().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_compressed_answer_passes_compressed_and_is_metered() {
    let world = World::start().await;
    let body = chat("gpt-4o-mini", &json!({}));
    let answer = world.post(CHAT, &[("accept-encoding", "gzip, br"), ("x-fake", "gzip")], &body).await;
    assert_eq!(answer.headers["content-encoding"], "gzip");
    assert_eq!(world.upstream.requests()[0].header("accept-encoding"), Some("gzip"));
    let record = World::only(world.records().await);
    assert_eq!(record["promptTokens"], world.upstream.ledger()[0].usage.input_tokens);
    let told: Value = serde_json::from_str(answer.headers["x-cost-usd"].to_str().unwrap()).unwrap();
    assert_eq!(told, record["cost"]);
}

#[tokio::test]
async fn an_upload_streams_through() {
    let world = World::start().await;
    let form = b"--x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\r\n{}\r\n--x--\r\n";
    let answer = world
        .server
        .post("/gateway/openai/v1/files")
        .by(&world.key)
        .header("content-type", "multipart/form-data; boundary=x")
        .header("content-length", &form.len().to_string())
        .bytes(form.to_vec())
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(world.upstream.requests()[0].body, form.as_slice());
}

#[tokio::test]
async fn a_transcription_is_recorded_with_the_model_of_its_form() {
    let world = World::start().await;
    let form = b"--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ngpt-4o-transcribe\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\nRIFF\r\n--x--\r\n";
    let answer = world
        .server
        .post("/gateway/openai/v1/audio/transcriptions")
        .by(&world.key)
        .header("content-type", "multipart/form-data; boundary=x")
        .bytes(form.to_vec())
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let record = World::only(world.records().await);
    assert_eq!(
        (&record["model"], &record["operation"]),
        (&json!("gpt-4o-transcribe"), &json!("transcription"))
    );
    assert!(record["cost"].is_number(), "{record}");
}

#[tokio::test]
async fn a_reply_that_comes_again_names_the_record_that_is_kept() {
    let world = World::start().await;
    let mut names = Vec::new();
    for _ in 0..2 {
        let answer = world.post(CHAT, &[], &chat("gpt-4o-mini", &json!({}))).await;
        names.push(answer.headers["x-cost-request-id"].to_str().unwrap().to_owned());
    }
    let record = World::only(world.records().await);
    assert_eq!(names, [record["id"].as_str().unwrap(); 2]);
}

#[tokio::test]
async fn the_provider_gets_the_headers_of_the_client_and_no_other() {
    let world = World::start().await;
    for accept in [None, Some("application/json")] {
        let sent: Vec<_> = accept.map(|accept| ("accept", accept)).into_iter().collect();
        world.post(CHAT, &sent, &chat("gpt-4o-mini", &json!({}))).await;
        let upstream = world.upstream.requests().pop().unwrap();
        let mut names: Vec<&str> = upstream.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.retain(|name| *name != "accept");
        names.sort_unstable();
        assert_eq!(names, ["accept-encoding", "authorization", "content-length", "content-type", "host"]);
        assert_eq!(upstream.header("accept"), accept);
    }
}

#[tokio::test]
async fn a_redirect_is_passed_on_and_not_followed() {
    let world = World::start().await;
    let answer = world.post(CHAT, &[("x-fake", "redirect")], &chat("gpt-4o-mini", &json!({}))).await;
    assert_eq!(answer.status, 302);
    assert_eq!(world.upstream.requests().len(), 1);
}

#[tokio::test]
async fn what_is_said_is_kept_only_where_the_project_wants_it_and_without_secrets() {
    let world = World::start().await;
    let settings = json!({ "storePrompts": true });
    let keeping = world.server.project(&world.owner, json!({ "name": "Kept", "settings": settings })).await;
    let secret = "sk-proj-abcdefghijklmnop1234";
    for (project, streams) in [(None, false), (Some(&keeping), false), (Some(&keeping), true)] {
        let question = format!("Is {secret} mine? {streams} {}", project.is_some());
        let messages = json!([{ "role": "user", "content": question }]);
        let body = chat("gpt-4o-mini", &json!({ "messages": messages, "stream": streams }));
        let headers: Vec<(&str, &str)> =
            project.iter().map(|project| ("x-project-id", project.as_str())).collect();
        let answer = world.post(CHAT, &headers, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let id = answer.headers["x-cost-request-id"].to_str().unwrap();
        world.records().await;
        let record = world.server.get(&format!("/api/usage/{id}")).by(&world.owner).send().await.expect(200);
        if project.is_none() {
            assert_eq!((&record["prompt"], &record["completion"]), (&Value::Null, &Value::Null));
            continue;
        }
        let prompt = record["prompt"].as_str().unwrap();
        assert!(prompt.contains("Is [redacted] mine?") && !prompt.contains(secret), "{prompt}");
        let completion = record["completion"].as_str().unwrap();
        let words = completion.split_whitespace().count() as u64;
        assert_eq!(words, record["completionTokens"].as_u64().unwrap(), "{completion}");
    }
    let journal = world.server.app.config.store.data_dir.join("gateway");
    for entry in std::fs::read_dir(journal).unwrap() {
        assert!(!std::fs::read_to_string(entry.unwrap().path()).unwrap().contains(secret));
    }
}

#[tokio::test]
async fn azure_and_vertex_are_reached_by_their_own_paths() {
    let upstream = fake_upstream::FakeUpstream::start().await;
    let world = World::with(&[
        ("gateway.providers.azure.base_url", upstream.base_url()),
        ("gateway.providers.azure.auth", "api-key"),
    ])
    .await;
    super::world::keep_key(&world.server, &world.owner, "azure", KEY).await;
    let deployment = "/gateway/azure/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21";
    let answer = world.post(deployment, &[], &chat("ignored", &json!({}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = upstream.requests().remove(0);
    assert_eq!((request.header("api-key"), request.header("authorization")), (Some(KEY), None));
    assert!(request.target.ends_with("?api-version=2024-10-21"), "{}", request.target);
    let contents = json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hi" }] }] });
    let vertex = "/gateway/vertex/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-flash:generateContent";
    let answer = world.post(vertex, &[], &contents).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let records = world.records().await;
    let facts = |index: usize| (records[index]["service"].clone(), records[index]["cost"].is_number());
    assert_eq!([facts(0), facts(1)], [(json!("azure"), true), (json!("google"), true)]);
}
