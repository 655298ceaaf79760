//! Clients that mean harm to the listener itself, over TCP.

use std::net::SocketAddr;

use server::serve::serve;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};

use crate::harness::Server;

/// What an HTTP/2 client says first (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// An empty frame of settings, and the acknowledgement of the server's (RFC 9113, 6.5).
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
const READINESS: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

struct Listening {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinSet<()>,
    _server: Server,
}

impl Listening {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let quick = [("server.head_timeout_ms", "100")];
        let server = Server::with(&[&quick, settings].concat()).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (mut serving, app) = (JoinSet::new(), server.app.clone());
        serving.spawn(async move { serve(app, listener, async { drop(stopped.await) }).await.unwrap() });
        Self { address, stop: Some(stop), serving, _server: server }
    }

    async fn send(&self, bytes: &[u8]) -> TcpStream {
        let mut client = TcpStream::connect(self.address).await.unwrap();
        // A server that has heard enough may hang up in the middle.
        drop(client.write_all(bytes).await);
        client
    }

    /// What is answered until the server hangs up.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut client = self.send(bytes).await;
        let mut answer = Vec::new();
        drop(client.read_to_end(&mut answer).await);
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn stop(mut self) {
        drop(self.stop.take());
        self.serving.join_next().await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_head_of_too_much_is_refused() {
    let listening = Listening::start(&[]).await;
    let headers = (0..101).map(|number| format!("x-{number}: 1")).collect::<Vec<_>>().join("\r\n");
    let answer = listening.exchange(format!("GET / HTTP/1.1\r\n{headers}\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let endless = format!("GET / HTTP/1.1\r\nx-endless: {}", "x".repeat(2 * server::limits::HEAD_BYTES_MAX));
    let answer = listening.exchange(endless.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    listening.stop().await;
}

#[tokio::test]
async fn who_says_nothing_or_half_of_it_is_hung_up_on() {
    let listening = Listening::start(&[]).await;
    for said in [&b""[..], b"P", b"PRI * HTTP/2", b"GET / HTTP/1.1\r\nhost: x\r\n", PREFACE] {
        // An answer may come (408, or HTTP/2's settings); what counts is that it ends.
        listening.exchange(said).await;
    }
    listening.exchange(&[PREFACE, SETTINGS].concat()).await;
    listening.exchange(READINESS).await;
    listening.stop().await;
}

#[tokio::test]
async fn idle_connections_lock_nobody_out() {
    let listening = Listening::start(&[("server.connections_max", "8")]).await;
    let mut idle = Vec::new();
    for _ in 0..40 {
        idle.push(listening.send(b"").await);
    }
    // 40 of them wait for 8 places, each for as long as silence is borne; then it is this one's turn.
    let answer = listening.exchange(READINESS).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(idle);
    listening.stop().await;
}

#[tokio::test]
async fn a_stopping_server_hangs_up_on_idle_connections_at_once() {
    let listening = Listening::start(&[]).await;
    let mut idle = listening.send(READINESS).await;
    let mut answer = [0; 12];
    idle.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    listening.stop().await;
}
