//! The fake as its clients see it: over TCP, byte by byte.
#![expect(clippy::unwrap_used, reason = "in a test, what fails should end it")]

use fake_upstream::{FakeUpstream, KEY, Settings, Usage, event_stream};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A reply, read to the end of its connection.
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
    /// Whether it came to its end: the last chunk, or the length that was said.
    is_whole: bool,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut reply = Self { status, head, body: Vec::new(), is_whole: false };
        let rest = &bytes[end + 4..];
        if reply.header("transfer-encoding") == Some("chunked") {
            reply.read_chunks(rest);
        } else {
            reply.body = rest.to_vec();
            reply.is_whole = reply.header("content-length") == Some(rest.len().to_string().as_str());
        }
        reply
    }

    fn read_chunks(&mut self, mut rest: &[u8]) {
        while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
            let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
            if length == 0 {
                self.is_whole = true;
                return;
            }
            self.body.extend_from_slice(&rest[end + 2..end + 2 + length]);
            rest = &rest[end + 4 + length..];
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(given, _)| *given == name).map(|(_, value)| value)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// What each `data:` line says, without `[DONE]`.
    fn events(&self) -> Vec<Value> {
        let lines = self.text().lines().filter_map(|line| line.strip_prefix("data: "));
        lines.filter(|line| *line != "[DONE]").map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

async fn connect(fake: &FakeUpstream, method: &str, target: &str, headers: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(fake.base_url().strip_prefix("http://").unwrap()).await.unwrap();
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nhost: fake\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    stream
}

async fn read(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    Reply::parse(&bytes)
}

const BEARER: &str = "authorization: Bearer sk-upstream\r\n";
const ANTHROPIC: &str = "x-api-key: sk-upstream\r\nanthropic-version: 2023-06-01\r\n";
const CHAT: &str = "/v1/chat/completions";

async fn post(fake: &FakeUpstream, target: &str, headers: &str, body: &Value) -> Reply {
    read(connect(fake, "POST", target, headers, body.to_string().as_bytes()).await).await
}

async fn chat(fake: &FakeUpstream, headers: &str, is_stream: bool) -> Reply {
    post(fake, CHAT, &format!("{BEARER}{headers}"), &chat_body(is_stream)).await
}

fn chat_body(is_stream: bool) -> Value {
    json!({
        "model": "gpt-4o-mini",
        "messages": [{ "role": "user", "content": "one two three" }],
        "stream": is_stream,
        "stream_options": { "include_usage": true },
    })
}

#[tokio::test]
async fn chat_answers_and_bills() {
    let fake = FakeUpstream::start().await;
    let reply = chat(&fake, "", false).await;
    assert_eq!((reply.status, reply.is_whole), (200, true));
    let body = reply.json();
    assert_eq!(body["usage"]["prompt_tokens"], 11);
    assert_eq!(body["usage"]["completion_tokens"], 16);
    assert_eq!(body["model"], "gpt-4o-mini-2024-07-18");
    let bill = fake.ledger().remove(0);
    assert_eq!(body["id"], bill.response_id);
    assert_eq!(bill.usage, Usage { input_tokens: 11, output_tokens: 16, ..Usage::default() });
    let again = chat(&fake, "x-other: 1\r\n", false).await;
    assert_eq!(again.body, reply.body);
    let requests = fake.requests();
    assert_eq!((requests[1].method.as_str(), requests[1].target.as_str()), ("POST", CHAT));
    assert_eq!(requests[1].header("x-other"), Some("1"));
    assert_eq!(requests[0].body, requests[1].body);
}

#[tokio::test]
async fn a_stream_says_its_usage_at_the_end_if_it_was_asked() {
    let fake = FakeUpstream::start().await;
    let reply = chat(&fake, "x-fake-usage: input=100,output=50,cached=30,reasoning=20\r\n", true).await;
    assert!(reply.is_whole && reply.text().ends_with("data: [DONE]\n\n"));
    assert_eq!(reply.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let events = reply.events();
    // The role, four pieces, the end, the usage.
    assert_eq!(events.len(), 7);
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(events[5]["choices"][0]["finish_reason"], "stop");
    assert!(events[..6].iter().all(|event| event.get("usage").is_some_and(Value::is_null)));
    assert_eq!(events[6]["choices"], json!([]));
    assert_eq!(events[6]["usage"]["prompt_tokens_details"]["cached_tokens"], 30);
    let expected = Usage {
        input_tokens: 100,
        output_tokens: 50,
        cache_read_tokens: 30,
        reasoning_tokens: 20,
        ..Usage::default()
    };
    assert_eq!(fake.ledger()[0].usage, expected);
    let mut body = chat_body(true);
    body["stream_options"] = Value::Null;
    let silent = post(&fake, CHAT, BEARER, &body).await;
    assert_eq!(silent.events()[0]["id"], events[0]["id"]);
    assert!(silent.events().iter().all(|event| event.get("usage").is_none()));
    let silent = chat(&fake, "x-fake: trailer-usage=no\r\n", true).await;
    assert!(silent.events().iter().all(|event| event.get("usage").is_none()));
    assert_eq!(fake.ledger().len(), 3);
}

#[tokio::test]
async fn tools_are_called_and_azure_is_served() {
    let fake = FakeUpstream::start().await;
    let mut body = chat_body(false);
    body["tools"] = json!([{ "type": "function", "function": { "name": "weather", "parameters": {} } }]);
    let target = "/openai/deployments/gpt-4.1/chat/completions?api-version=2024-10-21";
    let reply = post(&fake, target, "api-key: sk-upstream\r\n", &body).await.json();
    assert_eq!(reply["choices"][0]["message"]["tool_calls"][0]["function"]["name"], "weather");
    assert_eq!(reply["model"], "gpt-4.1-2025-04-14");
    body["messages"] = json!([{ "role": "tool", "tool_call_id": "call_1", "content": "sunny" }]);
    body["stream"] = json!(true);
    let events = post(&fake, target, "api-key: sk-upstream\r\n", &body).await.events();
    assert!(events[0].get("prompt_filter_results").is_some());
    assert_eq!(events[1]["choices"][0]["delta"]["content"], "");
}

#[tokio::test]
async fn responses_end_with_the_whole_response() {
    let fake = FakeUpstream::start().await;
    let body = json!({ "model": "gpt-4.1-mini", "input": "one two", "max_output_tokens": 2 });
    let whole = post(&fake, "/v1/responses", BEARER, &body).await.json();
    assert_eq!(whole["status"], "incomplete");
    assert_eq!(whole["usage"]["output_tokens"], 2);
    let body = json!({ "model": "gpt-4.1-mini", "input": "one two", "stream": true });
    let events = post(&fake, "/openai/v1/responses", BEARER, &body).await.events();
    assert_eq!(events[0]["type"], "response.created");
    let last = events.last().unwrap();
    assert_eq!(
        (last["type"].as_str(), last["response"]["usage"]["total_tokens"].as_u64()),
        (Some("response.completed"), Some(26))
    );
    assert!(events.iter().enumerate().all(|(number, event)| event["sequence_number"] == number));
}

#[tokio::test]
async fn embeddings_are_the_same_numbers_in_both_encodings() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let fake = FakeUpstream::start().await;
    let mut body =
        json!({ "model": "text-embedding-3-small", "input": ["one two", "three"], "dimensions": 4 });
    let floats = post(&fake, "/v1/embeddings", BEARER, &body).await.json();
    assert_eq!(floats["data"].as_array().unwrap().len(), 2);
    assert_eq!(floats["data"][0]["embedding"].as_array().unwrap().len(), 4);
    assert_eq!(floats["usage"], json!({ "prompt_tokens": 3, "total_tokens": 3 }));
    body["encoding_format"] = json!("base64");
    let encoded = post(&fake, "/v1/embeddings", BEARER, &body).await.json();
    let bytes = STANDARD.decode(encoded["data"][0]["embedding"].as_str().unwrap()).unwrap();
    assert_eq!(bytes.len(), 16);
}

#[tokio::test]
async fn forms_are_read() {
    let fake = FakeUpstream::start().await;
    let form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ngpt-4o-transcribe\r\n--b\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav\r\n\r\nRIFF\r\n--b--\r\n";
    let headers = format!("{BEARER}content-type: multipart/form-data; boundary=b\r\n");
    let reply = read(connect(&fake, "POST", "/v1/audio/transcriptions", &headers, form.as_bytes()).await)
        .await
        .json();
    assert_eq!(reply["usage"]["type"], "tokens");
    let form = form.replace("gpt-4o-transcribe", "whisper-1");
    let reply = read(connect(&fake, "POST", "/v1/audio/transcriptions", &headers, form.as_bytes()).await)
        .await
        .json();
    assert_eq!(reply["usage"], json!({ "type": "duration", "seconds": 9 }));
    let form = form.replace("\"model\"", "\"purpose\"");
    let reply = read(connect(&fake, "POST", "/v1/files", &headers, form.as_bytes()).await).await.json();
    assert_eq!((reply["filename"].as_str(), reply["bytes"].as_u64()), (Some("a.wav"), Some(4)));
}

#[tokio::test]
async fn the_rest_of_openai_is_there() {
    let fake = FakeUpstream::start().await;
    for (method, target, body, pointer) in [
        (
            "POST",
            "/v1/images/generations",
            json!({ "model": "gpt-image-1", "prompt": "a cat" }),
            "/usage/output_tokens",
        ),
        ("POST", "/v1/images/generations", json!({ "model": "dall-e-3", "prompt": "a cat" }), "/data/0/url"),
        ("POST", "/v1/moderations", json!({ "input": "a cat" }), "/results/0/flagged"),
        ("POST", "/v1/batches", json!({ "input_file_id": "file-1" }), "/status"),
        ("GET", "/v1/batches/batch_1", Value::Null, "/output_file_id"),
        ("GET", "/v1/files/file-1", Value::Null, "/purpose"),
        ("GET", "/v1/files/file-1/content", Value::Null, "/response/body/usage/prompt_tokens"),
        ("GET", "/v1/models", Value::Null, "/data/0/id"),
        ("GET", "/v1/models/gpt-4o-2024-08-06", Value::Null, "/id"),
    ] {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let reply = read(connect(&fake, method, target, BEARER, body.as_bytes()).await).await;
        assert_eq!(reply.status, 200, "{target}");
        assert!(reply.json().pointer(pointer).is_some(), "{target}: {}", reply.text());
    }
    let body = json!({ "model": "tts-1", "input": "a cat", "voice": "alloy" });
    let speech = post(&fake, "/v1/audio/speech", BEARER, &body).await;
    assert_eq!((speech.header("content-type"), speech.body.len()), (Some("audio/mpeg"), 4096));
}

#[tokio::test]
async fn anthropic_counts_the_cache_outside_of_the_input() {
    let fake = FakeUpstream::start().await;
    let body = json!({
        "model": "claude-sonnet-4-5",
        "max_tokens": 100,
        "system": [
            { "type": "text", "text": "one two", "cache_control": { "type": "ephemeral" } },
            { "type": "text", "text": "three", "cache_control": { "type": "ephemeral", "ttl": "1h" } },
        ],
        "messages": [{ "role": "user", "content": "four" }],
    });
    let first = post(&fake, "/v1/messages", ANTHROPIC, &body).await.json();
    assert_eq!(first["model"], "claude-sonnet-4-5-20250929");
    assert_eq!(first["usage"]["input_tokens"], 12);
    assert_eq!(first["usage"]["cache_creation"]["ephemeral_1h_input_tokens"], 1024);
    let headers = format!("{ANTHROPIC}x-fake: cache-read\r\n");
    let second = post(&fake, "/v1/messages", &headers, &body).await.json();
    assert_eq!(second["usage"]["cache_read_input_tokens"], 2048);
    let written = Usage {
        input_tokens: 2060,
        output_tokens: 16,
        cache_write_tokens: 2048,
        cache_write_1h_tokens: 1024,
        ..Usage::default()
    };
    assert_eq!(fake.ledger()[0].usage, written);
    let mut body = body;
    body["stream"] = json!(true);
    let stream = post(&fake, "/v1/messages", ANTHROPIC, &body).await;
    assert!(stream.text().starts_with("event: message_start\ndata: {"));
    let events = stream.events();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds[..3], ["message_start", "content_block_start", "ping"]);
    assert_eq!(kinds[kinds.len() - 3..], ["content_block_stop", "message_delta", "message_stop"]);
    assert_eq!(events[events.len() - 2]["usage"]["output_tokens"], 16);
    let count = post(&fake, "/v1/messages/count_tokens", ANTHROPIC, &body).await.json();
    assert_eq!(count, json!({ "input_tokens": 12 }));
    let models = read(connect(&fake, "GET", "/v1/models", ANTHROPIC, b"").await).await.json();
    assert_eq!(models["data"][0]["type"], "model");
}

#[tokio::test]
async fn google_counts_thoughts_outside_of_the_candidates() {
    let fake = FakeUpstream::start().await;
    let body = json!({ "contents": [{ "role": "user", "parts": [{ "text": "one two" }] }] });
    let key = "x-goog-api-key: sk-upstream\r\n";
    let whole = post(&fake, "/v1beta/models/gemini-2.5-flash:generateContent", key, &body).await.json();
    let usage = &whole["usageMetadata"];
    assert_eq!(
        (usage["candidatesTokenCount"].as_u64(), usage["totalTokenCount"].as_u64()),
        (Some(16), Some(31))
    );
    let expected = Usage { input_tokens: 10, output_tokens: 21, reasoning_tokens: 5, ..Usage::default() };
    assert_eq!(fake.ledger()[0].usage, expected);
    let target = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";
    let events = post(&fake, &format!("{target}?alt=sse&key=sk-upstream"), "", &body).await.events();
    assert_eq!(events.last().unwrap()["candidates"][0]["finishReason"], "STOP");
    let list = post(&fake, target, key, &body).await.json();
    assert_eq!(list.as_array().unwrap().len(), events.len());
    let vertex =
        "/v1/projects/p/locations/us-central1/publishers/google/models/gemini-2.5-pro:generateContent";
    let whole = post(&fake, vertex, BEARER, &body).await.json();
    assert_eq!(whole["modelVersion"], "gemini-2.5-pro");
    let count = post(&fake, "/v1beta/models/gemini-2.5-flash:countTokens", key, &body).await.json();
    assert_eq!(count["totalTokens"], 10);
    let content = json!({ "content": body["contents"][0] });
    let one = post(&fake, "/v1beta/models/gemini-embedding-001:embedContent", key, &content).await.json();
    assert_eq!(one["usageMetadata"]["promptTokenCount"], 2);
    let batch = json!({ "requests": [content, content] });
    let two = post(&fake, "/v1beta/models/gemini-embedding-001:batchEmbedContents", key, &batch).await.json();
    assert_eq!(two["embeddings"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn bedrock_streams_frames() {
    let fake = FakeUpstream::start().await;
    let body = json!({ "messages": [{ "role": "user", "content": [{ "text": "one two" }] }] });
    let stream = post(&fake, "/model/amazon.nova-lite-v1%3A0/converse-stream", BEARER, &body).await;
    assert_eq!(stream.header("content-type"), Some("application/vnd.amazon.eventstream"));
    let messages = event_stream::decode(&stream.body).unwrap();
    let kind = |headers: &[(String, String)]| headers[0].1.clone();
    assert_eq!(kind(&messages[0].0), "messageStart");
    let last = messages.last().unwrap();
    assert_eq!(kind(&last.0), "metadata");
    let metadata: Value = serde_json::from_slice(&last.1).unwrap();
    assert_eq!(metadata["usage"]["inputTokens"], 10);
    assert_eq!(fake.ledger()[0].model, "amazon.nova-lite-v1:0");
    let body = json!({ "anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{ "role": "user", "content": "x" }] });
    let target = "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0";
    let whole = post(&fake, &format!("{target}/invoke"), BEARER, &body).await;
    assert_eq!(whole.header("x-amzn-bedrock-output-token-count"), Some("9"));
    assert_eq!(whole.json()["model"], "claude-3-5-sonnet-20240620");
    let stream = post(&fake, &format!("{target}/invoke-with-response-stream"), BEARER, &body).await;
    let messages = event_stream::decode(&stream.body).unwrap();
    assert!(messages.iter().all(|(headers, _)| kind(headers) == "chunk"));
    for (model, key) in [
        ("meta.llama3-1-8b-instruct-v1:0", "generation"),
        ("amazon.titan-text-lite-v1", "results"),
        ("us.amazon.nova-pro-v1:0", "output"),
    ] {
        let body = json!({ "prompt": "x", "inputText": "x" });
        let reply = post(&fake, &format!("/model/{model}/invoke"), BEARER, &body).await.json();
        assert!(reply.get(key).is_some(), "{model}");
        let stream = post(&fake, &format!("/model/{model}/invoke-with-response-stream"), BEARER, &body).await;
        assert!(event_stream::decode(&stream.body).unwrap().len() > 3);
    }
}

#[tokio::test]
async fn signatures_are_checked() {
    use fake_upstream::{AWS_ACCESS_KEY, AWS_SECRET_KEY, sigv4};
    let fake = FakeUpstream::start().await;
    let path = "/model/amazon.nova-lite-v1%3A0/converse";
    let body = json!({ "messages": [{ "role": "user", "content": [{ "text": "one" }] }] }).to_string();
    let headers = [("host", "fake"), ("x-amz-date", "20261124T060000Z")];
    let request =
        sigv4::Unsigned { method: "POST", path, query: "", headers: &headers, body: body.as_bytes() };
    let mut signed = sigv4::Signed {
        access_key: AWS_ACCESS_KEY,
        date: "20261124",
        region: "eu-central-1",
        service: "bedrock",
        headers: vec!["host", "x-amz-date"],
        signature: "",
    };
    let right = signed.signature_of(&request, AWS_SECRET_KEY).unwrap();
    let wrong = signed.signature_of(&request, "another").unwrap();
    for (access_key, signature, status, kind) in [
        (AWS_ACCESS_KEY, right.as_str(), 200, None),
        (AWS_ACCESS_KEY, wrong.as_str(), 403, Some("InvalidSignatureException")),
        ("AKIDANOTHER", right.as_str(), 403, Some("UnrecognizedClientException")),
    ] {
        (signed.access_key, signed.signature) = (access_key, signature);
        let head = format!(
            "x-amz-date: 20261124T060000Z\r\nauthorization: {} Credential={}/20261124/eu-central-1/bedrock/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={}\r\n",
            sigv4::ALGORITHM,
            signed.access_key,
            signed.signature
        );
        let reply = read(connect(&fake, "POST", path, &head, body.as_bytes()).await).await;
        assert_eq!(reply.status, status, "{}", reply.text());
        let given = reply.header("x-amzn-errortype").and_then(|kind| kind.split(':').next());
        assert_eq!(given, kind);
    }
}

#[tokio::test]
async fn errors_have_the_providers_shape() {
    let fake = FakeUpstream::start().await;
    let google = "/v1beta/models/gemini-2.5-flash:generateContent";
    for (target, headers, body, status, pointer, expected) in [
        (CHAT, "authorization: Bearer sk-wrong\r\n", "{}", 401, "/error/code", "invalid_api_key"),
        (CHAT, BEARER, "{", 400, "/error/type", "invalid_request_error"),
        (CHAT, BEARER, "{}", 400, "/error/param", "model"),
        ("/v1/nothing", BEARER, "{}", 404, "/error/code", "unknown_url"),
        (
            "/v1/messages",
            "x-api-key: no\r\nanthropic-version: 1\r\n",
            "{}",
            401,
            "/error/type",
            "authentication_error",
        ),
        ("/v1/messages", "x-api-key: sk-upstream\r\n", "{}", 400, "/error/type", "invalid_request_error"),
        ("/v1/messages/none", ANTHROPIC, "{}", 404, "/error/type", "not_found_error"),
        (google, "x-goog-api-key: no\r\n", "{}", 400, "/error/status", "INVALID_ARGUMENT"),
        (google, "x-goog-api-key: sk-upstream\r\n", "[", 400, "/error/status", "INVALID_ARGUMENT"),
        (
            "/model/x/converse",
            "authorization: Bearer no\r\n",
            "{}",
            403,
            "/message",
            "The security token included in the request is invalid.",
        ),
    ] {
        let reply = read(connect(&fake, "POST", target, headers, body.as_bytes()).await).await;
        assert_eq!(reply.status, status, "{target}");
        assert_eq!(reply.json().pointer(pointer), Some(&json!(expected)), "{target}: {}", reply.text());
    }
    for (target, key, status, pointer, expected) in [
        (CHAT, BEARER, 429, "/error/code", "rate_limit_exceeded"),
        (CHAT, BEARER, 500, "/error/type", "server_error"),
        ("/v1/messages", ANTHROPIC, 529, "/error/type", "overloaded_error"),
        (google, BEARER, 503, "/error/status", "UNAVAILABLE"),
    ] {
        let reply = post(&fake, target, &format!("{key}x-fake: status={status}\r\n"), &json!({})).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.json().pointer(pointer), Some(&json!(expected)));
        assert_eq!(reply.header("retry-after"), matches!(status, 429 | 503).then_some("7"));
    }
    assert_eq!(fake.ledger(), []);
    assert_eq!(KEY, "sk-upstream");
}

#[tokio::test]
async fn held_replies_wait_for_their_release() {
    let fake = FakeUpstream::start().await;
    let headers = format!("{BEARER}x-fake: hold\r\n");
    let stream = connect(&fake, "POST", CHAT, &headers, chat_body(false).to_string().as_bytes()).await;
    fake.wait_for_requests(1).await;
    let mut nothing = [0; 1];
    assert!(stream.try_read(&mut nothing).is_err());
    fake.release();
    assert!(read(stream).await.is_whole);
    let headers = format!("{BEARER}x-fake: stall-after=2\r\n");
    let mut stream = connect(&fake, "POST", CHAT, &headers, chat_body(true).to_string().as_bytes()).await;
    fake.wait_for_chunks(6).await;
    let mut first = Vec::new();
    while first.windows(7).filter(|window| window == b"\"delta\"").count() < 2 {
        stream.read_buf(&mut first).await.unwrap();
    }
    assert_eq!(fake.sent_chunks(), 6);
    fake.release();
    stream.read_to_end(&mut first).await.unwrap();
    assert!(Reply::parse(&first).is_whole);
}

#[tokio::test]
async fn clients_that_leave_are_noticed_and_billed() {
    let fake = FakeUpstream::start().await;
    for behaviour in ["hold", "stall-after=2"] {
        fake.reset();
        let headers = format!("{BEARER}x-fake: {behaviour}\r\n");
        let stream = connect(&fake, "POST", CHAT, &headers, chat_body(true).to_string().as_bytes()).await;
        fake.wait_for_requests(1).await;
        drop(stream);
        fake.wait_for_disconnect().await;
        assert_eq!(fake.ledger().len(), 1);
    }
}

#[tokio::test]
async fn a_cut_reply_has_no_end() {
    let fake = FakeUpstream::start().await;
    let cut = chat(&fake, "x-fake: cut-after=3\r\n", true).await;
    assert!(!cut.is_whole);
    assert_eq!(cut.events().len(), 3);
    let cut = chat(&fake, "x-fake: cut-after=2\r\n", false).await;
    assert!(!cut.is_whole && !cut.body.is_empty());
    assert_eq!(fake.ledger().len(), 2);
}

#[tokio::test]
async fn replies_come_in_the_form_that_was_asked_for() {
    use std::io::Read as _;
    let fake = FakeUpstream::start().await;
    for is_stream in [false, true] {
        let plain = chat(&fake, "", is_stream).await;
        let slow = chat(&fake, "x-fake: byte-at-a-time\r\n", is_stream).await;
        assert_eq!(slow.body, plain.body);
        let zipped = chat(&fake, "x-fake: gzip\r\n", is_stream).await;
        assert_eq!(zipped.header("content-encoding"), Some("gzip"));
        let mut unzipped = Vec::new();
        flate2::read::GzDecoder::new(zipped.body.as_slice()).read_to_end(&mut unzipped).unwrap();
        assert_eq!(unzipped, plain.body);
    }
    let long = chat(&fake, "x-fake: chunks=50, answer-bytes=10000\r\n", true).await.events();
    assert_eq!(long.len(), 53);
    let text: String =
        long.iter().filter_map(|event| event.pointer("/choices/0/delta/content")?.as_str()).collect();
    assert_eq!(text.len(), 10_000);
    let redirect = chat(&fake, "x-fake: redirect\r\n", false).await;
    assert_eq!(
        (redirect.status, redirect.header("location")),
        (302, Some(format!("{}/elsewhere", fake.base_url()).as_str()))
    );
    let huge = chat(&fake, "x-fake: huge-headers\r\n", false).await;
    assert!(huge.head.len() > 64 * 1024 && huge.is_whole);
}

#[tokio::test]
async fn an_early_answer_does_not_wait_for_the_body() {
    let fake = FakeUpstream::start().await;
    let mut stream = TcpStream::connect(fake.base_url().strip_prefix("http://").unwrap()).await.unwrap();
    let head =
        format!("POST {CHAT} HTTP/1.1\r\nhost: fake\r\nx-fake: early\r\ncontent-length: 1000000\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read(stream).await.status, 413);
    assert_eq!(fake.requests()[0].body.len(), 0);
}

#[tokio::test]
async fn the_process_offers_what_the_handle_does() {
    let fake = FakeUpstream::start().await;
    chat(&fake, "", false).await;
    let get = |target: &'static str| connect(&fake, "GET", target, "", b"");
    let requests = read(get("/_fake/requests").await).await.json();
    assert_eq!(requests[0]["target"], CHAT);
    assert_eq!(requests[0]["body"], chat_body(false).to_string());
    let ledger = read(get("/_fake/ledger").await).await.json();
    assert_eq!(ledger[0]["usage"]["input_tokens"], 11);
    assert_eq!(read(get("/_fake/reset").await).await.status, 200);
    assert!(fake.requests().is_empty() && fake.ledger().is_empty());
}

#[tokio::test]
async fn ids_can_be_told_apart() {
    let fake = FakeUpstream::start().await;
    let [first, second] = [chat(&fake, "", false).await, chat(&fake, "x-fake-salt: 2\r\n", false).await];
    assert_ne!(first.json()["id"], second.json()["id"]);
    let settings = Settings { makes_ids_unique: true, ..Settings::default() };
    let fake = FakeUpstream::start_with(settings).await.unwrap();
    for is_stream in [false, true] {
        let [first, second] = [chat(&fake, "", is_stream).await, chat(&fake, "", is_stream).await];
        assert_ne!(first.body, second.body);
        assert_eq!(first.body.len(), second.body.len());
    }
    let ids: Vec<String> = fake.ledger().into_iter().map(|bill| bill.response_id).collect();
    assert_eq!(ids[2], format!("chatcmpl-{:024x}", 3));
}
