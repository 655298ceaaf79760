//! Providers over TLS, with authorities of the test's own.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use fake_upstream::FakeUpstream;
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use super::world::{World, chat};

const CHAT: &str = "/gateway/private/v1/chat/completions";

/// Whoever vouches for a provider.
struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    /// The other end of TLS for a host of this name.
    fn acceptor(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer);
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.unwrap().der().clone()], key);
        TlsAcceptor::from(Arc::new(config.unwrap()))
    }
}

/// A fake provider behind TLS, at `https://localhost:PORT`.
struct Provider {
    upstream: FakeUpstream,
    port: u16,
    folder: TempDir,
    _connections: JoinSet<()>,
}

impl Provider {
    async fn start(authority: &Authority, name: &str) -> Self {
        let (upstream, folder) = (FakeUpstream::start().await, tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("ca.pem"), authority.certificate.pem()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let behind: SocketAddr = upstream.base_url().strip_prefix("http://").unwrap().parse().unwrap();
        let mut connections = JoinSet::new();
        connections.spawn(accept(listener, authority.acceptor(name), behind));
        Self { upstream, port, folder, _connections: connections }
    }

    fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A gateway that leads here; `trusts` whom the test says.
    async fn world(&self, trusts: bool) -> World {
        let (address, file) = (format!("https://localhost:{}", self.port), self.ca_file());
        let mut settings = vec![
            ("gateway.providers.private.base_url", address.as_str()),
            ("gateway.providers.private.provider", "openai"),
        ];
        if trusts {
            settings.push(("gateway.providers.private.ca_file", file.to_str().unwrap()));
        }
        World::with(&settings).await
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, behind: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            // A client that does not trust us hangs up.
            let Ok(mut client) = acceptor.accept(stream).await else { return };
            let mut provider = TcpStream::connect(behind).await.unwrap();
            drop(copy_bidirectional(&mut client, &mut provider).await);
        });
    }
}

/// The call is refused, its error says why, and nothing of it has reached the provider.
async fn is_refused(provider: &Provider, world: &World, reason: &str) {
    let answer = world.post(CHAT, &[], &chat("gpt-4o-mini", &json!({}))).await;
    let error = &answer.value()["error"];
    assert_eq!((answer.status.as_u16(), &error["code"]), (502, &json!("provider_unreachable")));
    assert!(error["message"].as_str().unwrap().contains(reason), "{error}");
    let record = World::only(world.records().await);
    assert_eq!((&record["errorCode"], &record["cost"]), (&json!("untrusted"), &json!(0)));
    let message = record["errorMessage"].as_str().unwrap();
    assert!(message.contains("certificate is not valid") && message.contains(reason), "{message}");
    assert_eq!(provider.upstream.requests(), []);
}

#[tokio::test]
async fn a_provider_whose_authority_is_configured_is_called() {
    let provider = Provider::start(&Authority::new(), "localhost").await;
    let world = provider.world(true).await;
    let answer = world.post(CHAT, &[], &chat("gpt-4o-mini", &json!({}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let sent = &provider.upstream.requests()[0];
    assert_eq!(sent.header("host"), Some(format!("localhost:{}", provider.port).as_str()));
    assert_eq!(World::only(world.records().await)["status"], "success");
}

#[tokio::test]
async fn a_provider_whose_certificate_nobody_vouches_for_is_not_called() {
    let provider = Provider::start(&Authority::new(), "localhost").await;
    is_refused(&provider, &provider.world(false).await, "UnknownIssuer").await;
}

#[tokio::test]
async fn a_provider_with_another_ones_certificate_is_not_called() {
    let provider = Provider::start(&Authority::new(), "api.example.com").await;
    is_refused(&provider, &provider.world(true).await, "not valid for name").await;
}

#[tokio::test]
async fn an_authority_of_one_provider_does_not_vouch_for_another() {
    let authority = Authority::new();
    let (provider, other) =
        (Provider::start(&authority, "localhost").await, Provider::start(&authority, "localhost").await);
    let world = World::with(&[
        ("gateway.providers.private.base_url", &format!("https://localhost:{}", provider.port)),
        ("gateway.providers.private.provider", "openai"),
        ("gateway.providers.mistral.base_url", &format!("https://localhost:{}", other.port)),
        ("gateway.providers.mistral.ca_file", other.ca_file().to_str().unwrap()),
    ])
    .await;
    is_refused(&provider, &world, "UnknownIssuer").await;
}
