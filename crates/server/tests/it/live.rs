//! What is recorded, as it happens: to streams and to webhooks.

use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use server::{live, notify::dispatch};

use crate::{
    harness::{Person, Server},
    receiver::Receiver,
};

const STREAM: &str = "/api/usage/stream";

/// A client that reads a stream.
struct Listener {
    body: BodyDataStream,
    text: String,
}

/// A block of a stream.
#[derive(Debug, Default, PartialEq)]
struct Block {
    event: String,
    id: String,
    data: Value,
    comment: String,
}

impl Listener {
    async fn open(server: &Server, person: &Person, path: &str, last: Option<&str>) -> Self {
        let mut call = server.get(path).by(person);
        if let Some(last) = last {
            call = call.header("last-event-id", last);
        }
        let response = call.open(&Value::Null).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut listener = Self { body: Body::into_data_stream(response.into_body()), text: String::new() };
        assert_eq!(
            listener.block().await.unwrap().comment,
            "heartbeat",
            "a stream says at once that it is open"
        );
        listener
    }

    /// The next block; `None` at the end.
    async fn block(&mut self) -> Option<Block> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (parse(block), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            self.text += std::str::from_utf8(&self.body.next().await?.unwrap()).unwrap();
        }
    }

    /// The next event that is not a heartbeat.
    async fn event(&mut self) -> Block {
        loop {
            let block = self.block().await.unwrap();
            if block.comment.is_empty() {
                return block;
            }
        }
    }

    async fn models(&mut self, count: usize) -> Vec<String> {
        let mut models = Vec::new();
        for _ in 0..count {
            let event = self.event().await;
            assert_eq!(event.event, "usage.tracked");
            models.push(event.data["model"].as_str().unwrap().to_owned());
        }
        models
    }
}

fn parse(text: &str) -> Block {
    let mut block = Block::default();
    for line in text.lines() {
        let (name, value) = line.split_once(':').unwrap();
        let value = value.trim_start().to_owned();
        match name {
            "event" => block.event = value,
            "id" => block.id = value,
            "data" => block.data = serde_json::from_str(&value).unwrap(),
            "" => block.comment = value,
            other => panic!("{other}"),
        }
    }
    block
}

async fn track(server: &Server, by: &Person, model: &str, project: Option<&str>) -> Value {
    server.track(by, json!({ "model": model, "cost": 0.000_000_001, "projectId": project })).await
}

#[tokio::test]
async fn a_stream_tells_each_record_once_in_order_with_its_exact_cost() {
    let server = Server::start().await;
    let owner = server.owner().await;
    track(&server, &owner, "before", None).await;
    let mut listener = Listener::open(&server, &owner, STREAM, None).await;
    let tracked = track(&server, &owner, "gpt-4o", None).await;
    let event = listener.event().await;
    assert_eq!((event.event.as_str(), event.id.as_str()), ("usage.tracked", "2"));
    assert_eq!(event.data["id"], tracked["id"]);
    assert_eq!(event.data["cost"].to_string(), "1e-9", "0.000000001, as a float prints it");
    assert_eq!((&event.data["service"], &event.data["status"]), (&json!("openai"), &json!("success")));
    let lines = "{\"model\":\"bulk-1\"}\n{\"model\":\"bulk-2\"}\n";
    let bulk = server.post("/api/usage/bulk").by(&owner).header("content-type", "application/x-ndjson");
    bulk.bytes(lines.as_bytes().to_vec()).await.expect(200);
    assert_eq!(listener.models(2).await, ["bulk-1", "bulk-2"]);
}

#[tokio::test]
async fn a_stream_holds_what_its_caller_may_see_and_the_project_they_ask_for() {
    let server = Server::with(&[("auth.allow_signup", "true")]).await;
    let owner = server.owner().await;
    let [chat, search] = ["Chat", "Search"].map(|name| json!({ "name": name }));
    let (chat, search) = (server.project(&owner, chat).await, server.project(&owner, search).await);
    let viewer = server.member(&owner, &chat, "viewer@example.com", "viewer").await;
    let stranger = server.register("stranger@example.com", None).await;
    let one = format!("{STREAM}?projectId={search}");
    let mut everything = Listener::open(&server, &owner, STREAM, None).await;
    let mut of_search = Listener::open(&server, &owner, &one, None).await;
    let mut of_viewer = Listener::open(&server, &viewer, STREAM, None).await;
    let mut of_stranger = Listener::open(&server, &stranger, STREAM, None).await;
    server.get(&one).by(&viewer).send().await.refused(404, "project_not_found");
    for (by, model, project) in [
        (&owner, "a", Some(&chat)),
        (&owner, "b", Some(&search)),
        (&owner, "c", None),
        (&stranger, "d", None),
    ] {
        track(&server, by, model, project.map(String::as_str)).await;
    }
    track(&server, &owner, "e", Some(&chat)).await;
    track(&server, &stranger, "f", None).await;
    track(&server, &owner, "g", Some(&search)).await;
    assert_eq!(everything.models(7).await, ["a", "b", "c", "d", "e", "f", "g"]);
    assert_eq!(of_search.models(2).await, ["b", "g"]);
    assert_eq!(of_viewer.models(2).await, ["a", "e"]);
    assert_eq!(of_stranger.models(2).await, ["d", "f"]);
}

#[tokio::test]
async fn a_stream_goes_on_behind_the_last_event_without_gap_or_double_also_after_a_restart() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let mut listener = Listener::open(&server, &owner, STREAM, None).await;
    for n in 0..5 {
        track(&server, &owner, &format!("m{n}"), None).await;
    }
    listener.models(2).await;
    let last = listener.event().await.id;
    drop(listener);
    let mut again = Listener::open(&server, &owner, STREAM, Some(&last)).await;
    track(&server, &owner, "m5", None).await;
    assert_eq!(again.models(3).await, ["m3", "m4", "m5"]);
    drop(again);
    let server = server.restart().await;
    let mut again = Listener::open(&server, &owner, STREAM, Some(&last)).await;
    assert_eq!(again.models(3).await, ["m3", "m4", "m5"]);
    server.get(STREAM).by(&owner).header("last-event-id", "x").send().await.refused(422, "invalid_input");
}

#[tokio::test]
async fn more_than_the_backlog_is_not_told_again_but_said() {
    let server = Server::start().await;
    let owner = server.owner().await;
    track(&server, &owner, "first", None).await;
    let lines = "{\"model\":\"gpt-4o\"}\n".repeat(10_001);
    let bulk = server.post("/api/usage/bulk").by(&owner).header("content-type", "application/x-ndjson");
    bulk.bytes(lines.into_bytes()).await.expect(200);
    let mut close = Listener::open(&server, &owner, STREAM, Some("2")).await;
    assert_eq!(close.event().await.id, "3");
    // A place that this store never gave is of another store.
    for (last, place) in [("1", "10002"), ("99999", "10002")] {
        let reset = Listener::open(&server, &owner, STREAM, Some(last)).await.event().await;
        assert_eq!((reset.event.as_str(), reset.id.as_str()), ("reset", place));
    }
}

#[tokio::test]
async fn a_quiet_stream_has_a_heartbeat_and_a_client_that_does_not_read_is_cut_off() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let mut quiet = Listener::open(&server, &owner, STREAM, None).await;
    let sleeping = Listener::open(&server, &owner, STREAM, None).await;
    tokio::time::pause();
    for _ in 0..3 {
        assert_eq!(
            quiet.block().await.unwrap(),
            Block { id: "0".to_owned(), comment: "heartbeat".to_owned(), ..Block::default() }
        );
    }
    let tracking = async {
        for n in 0..100 {
            track(&server, &owner, &format!("m{n}"), None).await;
        }
    };
    tokio::join!(tracking, quiet.models(100));
    for _ in 0..4 {
        quiet.block().await.unwrap();
    }
    assert_eq!(server.app.feed.streams(), 1, "the one that reads");
    drop(sleeping);
}

#[tokio::test]
async fn a_stream_ends_when_its_caller_may_not_listen_any_more() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Chat" })).await;
    let viewer = server.member(&owner, &project, "viewer@example.com", "viewer").await;
    let key = server.key(&viewer, json!({ "name": "k", "scopes": ["read"] })).await;
    let blind = server.key(&owner, json!({ "name": "k", "scopes": ["ingest"] })).await;
    server.get(STREAM).by(&blind).send().await.refused(403, "scope_missing");
    let mut by_key = Listener::open(&server, &key, STREAM, None).await;
    let mut of_project =
        Listener::open(&server, &viewer, &format!("{STREAM}?projectId={project}"), None).await;
    let mut by_token = Listener::open(&server, &owner, STREAM, None).await;
    let keys = server.get("/api/user/dashboard-api-keys").by(&viewer).send().await.expect(200);
    for listed in keys.as_array().unwrap() {
        let path = format!("/api/user/dashboard-api-keys/{}", listed["keyId"].as_str().unwrap());
        server.call("DELETE", &path).by(&viewer).send().await.expect(200);
    }
    let member = format!("/api/projects/{project}/members/{}", viewer.id);
    server.call("DELETE", &member).by(&owner).send().await.expect(200);
    track(&server, &owner, "secret", Some(&project)).await;
    for (listener, code) in [(&mut by_key, "unauthenticated"), (&mut of_project, "project_not_found")] {
        let end = listener.event().await;
        assert_eq!((end.event.as_str(), &end.data["code"]), ("end", &json!(code)), "{end:?}");
        assert_eq!(listener.block().await, None);
    }
    assert_eq!(by_token.models(1).await, ["secret"]);
    server.clock.advance_seconds(3_600);
    tokio::time::pause();
    assert_eq!(by_token.event().await.data["code"], "token_expired");
    assert_eq!(by_token.block().await, None);
}

#[tokio::test]
async fn streams_are_bounded_and_end_when_the_server_stops() {
    let server = Server::start().await;
    let owner = server.owner().await;
    let mut open = Vec::new();
    for _ in 0..server::limits::LIVE_STREAMS_PER_CALLER_MAX {
        open.push(Listener::open(&server, &owner, STREAM, None).await);
    }
    server.get(STREAM).by(&owner).send().await.refused(429, "rate_limited");
    drop(open.pop());
    let key = server.key(&owner, json!({ "name": "k", "scopes": ["read"] })).await;
    open.push(Listener::open(&server, &key, STREAM, None).await);
    server.app.stop().await;
    for listener in &mut open {
        assert_eq!(listener.block().await, None);
    }
}

#[tokio::test]
async fn webhooks_that_ask_for_it_by_name_are_told_of_every_record_once() {
    let server = Server::with(&[("notify.allow_private_addresses", "true")]).await;
    let (receiver, of_all) = (Receiver::start().await, Receiver::start().await);
    let owner = server.owner().await;
    let project = server.project(&owner, json!({ "name": "Chat" })).await;
    track(&server, &owner, "before", None).await;
    live::look(&server.app).await.unwrap();
    let hooks = [json!({ "url": receiver.url, "events": ["usage.tracked"] }), json!({ "url": of_all.url })];
    for hook in hooks {
        server.post("/api/webhooks").by(&owner).json(&hook).await.expect(201);
    }
    for model in ["a", "b"] {
        track(&server, &owner, model, Some(&project)).await;
    }
    track(&server, &owner, "c", None).await;
    for _ in 0..2 {
        live::look(&server.app).await.unwrap();
        while dispatch::deliver_due(&server.app).await.unwrap() > 0 {}
    }
    let mut told: Vec<String> = Vec::new();
    for body in receiver.taken() {
        assert_eq!(body["type"], "usage.tracked");
        let records = body["data"]["records"].as_array().unwrap();
        told.extend(records.iter().map(|record| record["model"].as_str().unwrap().to_owned()));
    }
    told.sort();
    assert_eq!(told, ["a", "b", "c"]);
    assert!(of_all.taken().iter().all(|body| body["type"] != "usage.tracked"));
}
