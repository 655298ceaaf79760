//! A whole server over a store of its own, with a clock that stands still; requests go to the service directly.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use domain::FrozenClock;
use pricing::Catalog;
use serde_json::{Value, json};
use server::{
    app::{App, Ingredients},
    config::{Config, Sources},
    live, router, telemetry, unpriced,
};
use store::sqlite::{Options, Sqlite};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// The moment at which every test starts.
pub(crate) const NOW: &str = "2024-02-10T12:00:00Z";

/// A server.
pub(crate) struct Server {
    pub(crate) app: App,
    pub(crate) store: Sqlite,
    pub(crate) clock: Arc<FrozenClock>,
    router: Router,
    _data: TempDir,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A person with an account, or a program with a key.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) credential: String,
}

/// A request that is being written.
pub(crate) struct Call<'a> {
    server: &'a Server,
    request: axum::http::request::Builder,
    body: Body,
}

/// Settings that make a server quick and deterministic.
pub(crate) fn config(extra: &[(&str, &str)]) -> Config {
    let base = [
        ("auth.jwt_secret", "a-test-signing-secret-of-48-characters-0123456789"),
        ("auth.encryption_key", "another-test-encryption-key-of-48-chars-987654"),
        ("auth.argon2.memory_kib", "8"),
        ("auth.argon2.iterations", "1"),
        ("auth.login_attempts_per_minute_account", "1000"),
        ("auth.login_attempts_per_minute_address", "1000"),
    ];
    let flags = base.iter().chain(extra).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Config::load(&Sources { file: None, environment: BTreeMap::new(), flags: flags.collect() }).unwrap()
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&data.path().join("test.db"), Options::default()).unwrap();
        Self::over(store, data, settings).started().await
    }

    /// The same data under a new program.
    pub(crate) async fn restart(self) -> Self {
        let Self { store, _data: data, .. } = self;
        Self::over(store, data, &[]).started().await
    }

    async fn started(self) -> Self {
        unpriced::follow_prices(&self.app);
        live::start(&self.app);
        self.app.repricings.settled().await;
        self
    }

    pub(crate) fn over(store: Sqlite, data: TempDir, settings: &[(&str, &str)]) -> Self {
        Self::keeping(Arc::new(store.clone()), store, data, settings)
    }

    /// A server whose records go to `usage`.
    pub(crate) fn keeping(
        usage: Arc<dyn store::UsageStore>,
        store: Sqlite,
        data: TempDir,
        settings: &[(&str, &str)],
    ) -> Self {
        let data_dir = data.path().to_str().unwrap().to_owned();
        let config = config(&[&[("store.data_dir", data_dir.as_str())], settings].concat());
        let clock = Arc::new(FrozenClock::at(NOW.parse().unwrap()));
        let ingredients = Ingredients {
            secrets: config.keep_secrets(&mut rand::rng()).unwrap(),
            config,
            clock: Arc::<FrozenClock>::clone(&clock),
            usage,
            meta: Arc::new(store.clone()),
            prices: pricing::PriceBook::new(Arc::clone(Catalog::embedded_arc())),
            metrics: telemetry::start_metrics().unwrap(),
        };
        let app = App::new(ingredients).unwrap();
        Self { router: router::service(app.clone()), app, store, clock, _data: data }
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'_> {
        Call { server: self, request: Request::builder().method(method).uri(path), body: Body::empty() }
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call("GET", path)
    }

    pub(crate) fn post(&self, path: &str) -> Call<'_> {
        self.call("POST", path)
    }

    /// Registers the first account.
    pub(crate) async fn owner(&self) -> Person {
        self.register("owner@example.com", None).await
    }

    /// Registers an account.
    pub(crate) async fn register(&self, email: &str, invitation: Option<&str>) -> Person {
        let body = json!({ "email": email, "password": "correct horse battery", "name": email, "invitation": invitation });
        let answer = self.post("/api/auth/register").json(&body).await.expect(201);
        Person {
            id: answer["user"]["id"].as_str().unwrap().to_owned(),
            email: email.to_owned(),
            credential: answer["accessToken"].as_str().unwrap().to_owned(),
        }
    }

    /// A project of `owner`.
    pub(crate) async fn project(&self, owner: &Person, body: Value) -> String {
        let project = self.post("/api/projects").by(owner).json(&body).await.expect(201);
        project["id"].as_str().unwrap().to_owned()
    }

    /// A person who was invited into a project.
    pub(crate) async fn member(&self, owner: &Person, project: &str, email: &str, role: &str) -> Person {
        let path = format!("/api/projects/{project}/members");
        let added =
            self.post(&path).by(owner).json(&json!({ "email": email, "role": role })).await.expect(201);
        self.register(email, added["invitation"]["token"].as_str()).await
    }

    /// A tracker key of `owner`.
    pub(crate) async fn key(&self, owner: &Person, body: Value) -> Person {
        let key = self.post("/api/user/dashboard-api-keys").by(owner).json(&body).await.expect(201);
        Person { credential: key["apiKey"].as_str().unwrap().to_owned(), ..owner.clone() }
    }

    /// Tracks a call; the reply.
    pub(crate) async fn track(&self, by: &Person, body: Value) -> Value {
        self.post("/api/usage/track").by(by).json(&body).await.expect(201)
    }
}

impl Call<'_> {
    /// As this person.
    pub(crate) fn by(self, person: &Person) -> Self {
        self.header("authorization", &format!("Bearer {}", person.credential))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Sends JSON.
    pub(crate) async fn json(self, body: &Value) -> Answer {
        self.header("content-type", "application/json").bytes(body.to_string().into_bytes()).await
    }

    /// Sends JSON, and leaves the answer to be read.
    pub(crate) async fn open(self, body: &Value) -> axum::response::Response {
        let request = self.request.header("content-type", "application/json");
        let request = request.body(Body::from(body.to_string())).unwrap();
        self.server.router.clone().oneshot(request).await.unwrap()
    }

    /// Sends text as JSON, whether it is or not.
    pub(crate) async fn text(self, body: &str) -> Answer {
        self.header("content-type", "application/json").bytes(body.as_bytes().to_vec()).await
    }

    /// Sends bytes as they are.
    pub(crate) async fn bytes(mut self, body: Vec<u8>) -> Answer {
        self.body = Body::from(body);
        self.send().await
    }

    /// Sends a stream.
    pub(crate) async fn stream(mut self, body: Body) -> Answer {
        self.body = body;
        self.send().await
    }

    /// Sends.
    pub(crate) async fn send(self) -> Answer {
        let request = self.request.body(self.body).unwrap();
        let response = self.server.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl Answer {
    /// The `data` of an answer with this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self.value()["data"].clone()
    }

    /// Status and code of a failure, and the fields it names.
    #[track_caller]
    pub(crate) fn failure(&self) -> (u16, String, Vec<String>) {
        let value = self.value();
        assert_eq!(value["success"], false, "{value}");
        assert_eq!(value["message"], value["error"]["message"]);
        let details = value["error"]["details"].as_array().cloned().unwrap_or_default();
        let fields = details.iter().map(|detail| detail["field"].as_str().unwrap().to_owned()).collect();
        (self.status.as_u16(), value["error"]["code"].as_str().unwrap().to_owned(), fields)
    }

    /// Fails unless the answer is this failure.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        let (got_status, got_code, _) = self.failure();
        assert_eq!((got_status, got_code.as_str()), (status, code), "{}", self.text());
    }

    #[track_caller]
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
