//! A server whose gateway leads to a fake provider, and what is asked of both.

use std::sync::Arc;

use axum::{
    body::{Body, BodyDataStream},
    http::StatusCode,
};
use fake_upstream::FakeUpstream;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use server::gateway::Gateway;
use store::{
    UsageStore,
    sqlite::{Options, Sqlite},
};

use crate::harness::{Person, Server};

/// Providers whose calls the fake answers.
const PROVIDERS: [&str; 6] = ["openai", "anthropic", "google", "bedrock", "mistral", "vertex"];

pub(crate) struct World {
    pub(crate) upstream: FakeUpstream,
    pub(crate) server: Server,
    pub(crate) owner: Person,
    /// Sends and reads.
    pub(crate) key: Person,
}

/// A streamed answer, as far as it was read.
pub(crate) struct Streamed {
    pub(crate) status: StatusCode,
    body: BodyDataStream,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let upstream = FakeUpstream::start().await;
        let addresses: Vec<(String, String)> = PROVIDERS
            .iter()
            .map(|name| (format!("gateway.providers.{name}.base_url"), upstream.base_url().to_owned()))
            .collect();
        let mut all: Vec<(&str, &str)> =
            addresses.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        all.extend(settings);
        let server = Server::with(&all).await;
        Self::around(upstream, server).await
    }

    /// A world whose records go through `usage` to the embedded store.
    pub(crate) async fn keeping<S: UsageStore + 'static>(
        usage: impl FnOnce(Sqlite) -> Arc<S>,
        settings: &[(&str, &str)],
    ) -> (Self, Arc<S>) {
        let upstream = FakeUpstream::start().await;
        let address = ("gateway.providers.openai.base_url", upstream.base_url());
        let data = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&data.path().join("test.db"), Options::default()).unwrap();
        let usage = usage(store.clone());
        let kept: Arc<dyn UsageStore> = Arc::<S>::clone(&usage);
        let server = Server::keeping(kept, store, data, &[&[address], settings].concat());
        (Self::around(upstream, server).await, usage)
    }

    async fn around(upstream: FakeUpstream, server: Server) -> Self {
        Gateway::start(&server.app).await.unwrap();
        let owner = server.owner().await;
        for service in ["openai", "anthropic", "google", "mistral"] {
            keep_key(&server, &owner, service, fake_upstream::KEY).await;
        }
        let aws = json!({
            "accessKeyId": fake_upstream::AWS_ACCESS_KEY,
            "secretAccessKey": fake_upstream::AWS_SECRET_KEY,
            "region": "us-east-1",
        });
        keep_key(&server, &owner, "bedrock", &aws.to_string()).await;
        let key = server.key(&owner, json!({ "name": "gateway", "scopes": ["ingest", "read"] })).await;
        Self { upstream, server, owner, key }
    }

    /// Posts JSON to a path of the gateway with the tracker key as bearer, and reads the whole answer.
    pub(crate) async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> crate::harness::Answer {
        let mut call = self.server.post(path).by(&self.key);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        call.json(body).await
    }

    /// As [`Self::post`], but leaves the answer to be read piece by piece.
    pub(crate) async fn open(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Streamed {
        let mut call = self.server.post(path).by(&self.key);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        let (parts, body) = call.open(body).await.into_parts();
        Streamed { status: parts.status, body: Body::into_data_stream(body) }
    }

    /// What the provider itself answers to the same request.
    pub(crate) async fn direct(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Vec<u8> {
        let url = format!("{}{path}", self.upstream.base_url());
        let mut request = server::http::client().build().unwrap().post(url).json(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap().bytes().await.unwrap().to_vec()
    }

    /// Every record, oldest first, once all of them are kept.
    pub(crate) async fn records(&self) -> Vec<Value> {
        self.server.app.gateway.settled().await;
        let list = self.server.get("/api/usage?limit=100&order=asc").by(&self.owner).send().await.expect(200);
        list.as_array().unwrap().clone()
    }

    /// The only record.
    #[track_caller]
    pub(crate) fn only(records: Vec<Value>) -> Value {
        assert_eq!(records.len(), 1, "{records:#?}");
        records.into_iter().next().unwrap()
    }
}

impl Streamed {
    /// The next piece, if the answer goes on well.
    pub(crate) async fn piece(&mut self) -> Option<Result<Vec<u8>, String>> {
        let piece = self.body.next().await?;
        Some(piece.map(|bytes| bytes.to_vec()).map_err(|error| error.to_string()))
    }

    /// The rest, and whether it ended well.
    pub(crate) async fn rest(mut self) -> (Vec<u8>, bool) {
        let mut rest = Vec::new();
        while let Some(piece) = self.piece().await {
            match piece {
                Ok(bytes) => rest.extend(bytes),
                Err(_) => return (rest, false),
            }
        }
        (rest, true)
    }
}

pub(crate) async fn keep_key(server: &Server, person: &Person, service: &str, key: &str) {
    let body = json!({ "service": service, "key": key });
    server.post("/api/user/api-keys").by(person).json(&body).await.expect(201);
}

/// A chat of five words: twelve input tokens by the fake's count, and as many of output as asked for.
pub(crate) fn chat(model: &str, more: &Value) -> Value {
    let mut body = json!({
        "model": model,
        "max_tokens": 10,
        "messages": [{ "role": "user", "content": "What does this call cost?" }],
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}
