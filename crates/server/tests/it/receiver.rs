//! Others that the server talks to, on loopback: a receiver of webhooks and a mail server.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU16, Ordering},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// A receiver of webhooks.
pub(crate) struct Receiver {
    pub(crate) url: String,
    inner: Arc<Inner>,
    _server: JoinSet<()>,
}

struct Inner {
    status: AtomicU16,
    headers: Mutex<HeaderMap>,
    received: Mutex<Vec<Received>>,
    /// How many came.
    arrived: watch::Sender<usize>,
    /// Whether it keeps its answers to itself.
    holds: watch::Sender<bool>,
}

/// What a receiver got.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// What it answered.
    pub(crate) status: u16,
}

impl Receiver {
    /// A receiver that answers 200.
    pub(crate) async fn start() -> Self {
        let inner = Arc::new(Inner {
            status: AtomicU16::new(200),
            headers: Mutex::default(),
            received: Mutex::default(),
            arrived: watch::Sender::new(0),
            holds: watch::Sender::new(false),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(Arc::clone(&inner));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, inner, _server: server }
    }

    /// What it answers from now on.
    pub(crate) fn answers(&self, status: u16) {
        self.inner.status.store(status, Ordering::SeqCst);
    }

    /// A header of its answers from now on.
    pub(crate) fn answers_with(&self, name: &'static str, value: &str) {
        let name = HeaderName::from_static(name);
        self.inner.headers.lock().unwrap().insert(name, HeaderValue::from_str(value).unwrap());
    }

    /// Whether it answers from now on; what came meanwhile is answered when it does again.
    pub(crate) fn holds(&self, holds: bool) {
        self.inner.holds.send_replace(holds);
    }

    /// Completes when so many have come.
    pub(crate) async fn has_got(&self, count: usize) {
        self.inner.arrived.subscribe().wait_for(|arrived| *arrived >= count).await.unwrap();
    }

    /// Everything that came, also what it refused.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.inner.received.lock().unwrap().clone()
    }

    /// Bodies of what it took, in order.
    pub(crate) fn taken(&self) -> Vec<Value> {
        self.received().iter().filter(|received| received.status < 300).map(Received::json).collect()
    }
}

async fn take(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, &'static str) {
    let status = inner.status.load(Ordering::SeqCst);
    inner.received.lock().unwrap().push(Received { headers, body: body.to_vec(), status });
    inner.arrived.send_modify(|arrived| *arrived += 1);
    inner.holds.subscribe().wait_for(|holds| !holds).await.unwrap();
    (StatusCode::from_u16(status).unwrap(), inner.headers.lock().unwrap().clone(), "seen")
}

impl Received {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Whether one of the signatures is that of `secret`, computed here.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let head = format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(head.as_bytes());
        mac.update(&self.body);
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }
}

/// A mail server that takes everything, or nothing.
pub(crate) struct MailSink {
    port: u16,
    inner: Arc<MailInner>,
    _server: JoinSet<()>,
}

#[derive(Default)]
struct MailInner {
    /// Answer to a recipient; 0 takes the letter.
    refusal: AtomicU16,
    letters: Mutex<Vec<Letter>>,
}

/// A letter as it came.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) text: String,
}

impl MailSink {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = Arc::new(MailInner::default());
        let mut server = JoinSet::new();
        let shared = Arc::clone(&inner);
        server.spawn(async move {
            let mut conversations = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                conversations.spawn(converse(stream, Arc::clone(&shared)));
            }
        });
        Self { port, inner, _server: server }
    }

    /// Settings of a server that sends its e-mail here.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("smtp.host", "127.0.0.1".to_owned()),
            ("smtp.port", self.port.to_string()),
            ("smtp.security", "none".to_owned()),
            ("smtp.from", "AI Cost Tracker <costs@example.com>".to_owned()),
        ]
    }

    /// Refuses every recipient with this code from now on; 0 takes them again.
    pub(crate) fn refuses(&self, code: u16) {
        self.inner.refusal.store(code, Ordering::SeqCst);
    }

    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.inner.letters.lock().unwrap().clone()
    }
}

/// RFC 5321, as far as a client that asks for nothing special needs it.
async fn converse(stream: TcpStream, inner: Arc<MailInner>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let (mut to, mut text, mut in_data) = (String::new(), String::new(), false);
    write.write_all(b"220 sink\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = if in_data {
            if line != "." {
                text.push_str(&line);
                text.push('\n');
                continue;
            }
            in_data = false;
            let letter = Letter { to: to.clone(), text: std::mem::take(&mut text) };
            inner.letters.lock().unwrap().push(letter);
            "250 taken".to_owned()
        } else if let Some(address) = line.strip_prefix("RCPT TO:") {
            address.trim_matches(['<', '>']).clone_into(&mut to);
            match inner.refusal.load(Ordering::SeqCst) {
                0 => "250 ok".to_owned(),
                code => format!("{code} not now"),
            }
        } else if line == "DATA" {
            in_data = true;
            "354 go on".to_owned()
        } else if line == "QUIT" {
            "221 bye".to_owned()
        } else {
            "250 ok".to_owned()
        };
        if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}
