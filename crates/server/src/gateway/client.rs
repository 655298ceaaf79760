//! Connections to the providers, over which requests go out as they are: no header, redirect or retry is added.

use std::{
    error::Error,
    io,
    path::Path,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, http::Uri};
use futures_util::future::BoxFuture;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::{
        legacy::{
            self,
            connect::{HttpConnector, proxy::Tunnel},
        },
        proxy::matcher::Matcher,
    },
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tower::Service;

/// How long a connection may take to be made, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a connection that is silent is probed, so that one whose other end is gone is noticed.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long a connection is kept for the next call.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// Keeps a pool of connections for each host. Cheap to clone.
pub(super) type Client = legacy::Client<Connector, Body>;

type BoxError = Box<dyn Error + Send + Sync>;

/// Calls to providers cannot be made as configured.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The file of an authority cannot be used.
    #[error("{file}: {why}")]
    Authority {
        /// Its path.
        file: String,
        /// What is wrong with it.
        why: String,
    },
}

/// A client that trusts the authorities of this machine, and those in a file.
pub(super) fn client(authorities: Option<&Path>, connections_max: usize) -> Result<Client, ClientError> {
    let authorities = authorities.map(read_authorities).transpose()?.unwrap_or_default();
    let connector = Connector::new(authorities, Matcher::from_env())?;
    let mut builder = legacy::Client::builder(TokioExecutor::new());
    builder
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(connections_max);
    Ok(builder.build(connector))
}

fn read_authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let fault = |why: String| ClientError::Authority { file: file.display().to_string(), why };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    match found {
        Ok(certificates) if certificates.is_empty() => Err(fault("has no certificate (PEM)".to_owned())),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(fault(error.to_string())),
    }
}

/// Makes connections: directly, or through the proxy that the environment names for the host.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    tls: Arc<ClientConfig>,
    tcp: HttpConnector,
    proxies: Arc<Matcher>,
}

impl Connector {
    fn new(authorities: Vec<CertificateDer<'static>>, proxies: Matcher) -> Result<Self, ClientError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = Verifier::new_with_extra_roots(authorities, Arc::clone(&provider))?;
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            // The platform's own verifier; "dangerous" is only that somebody could give another one.
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        Ok(Self { tls: Arc::new(tls), tcp, proxies: Arc::new(proxies) })
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (tls, tcp) = (Arc::clone(&self.tls), self.tcp.clone());
        let connecting = match self.proxies.intercept(&to) {
            None => HttpsConnector::from((tcp, tls)).call(to),
            Some(proxy) => {
                let tunnel = Tunnel::new(proxy.uri().clone(), tcp);
                let tunnel = match proxy.basic_auth() {
                    Some(credential) => tunnel.with_auth(credential.clone()),
                    None => tunnel,
                };
                HttpsConnector::from((tunnel, tls)).call(to)
            }
        };
        Box::pin(async move {
            match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        })
    }
}

/// The innermost reason of an error: what its own text leaves out.
pub(super) fn reason(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

/// Whether the other end could not show that it is whom we call.
pub(super) fn is_untrusted(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))))
}

/// An error and what it is because of.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause(*error))
}

/// What an error is because of; an I/O error hides that.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn the_way_out_may_be_a_proxy() {
        let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://user:word@{}", proxy.local_addr().unwrap());
        let mut connector = Connector::new(Vec::new(), Matcher::builder().all(address).build()).unwrap();
        let refusing = async {
            let (mut client, _) = proxy.accept().await.unwrap();
            let mut head = vec![0; 1024];
            let length = client.read(&mut head).await.unwrap();
            client.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.unwrap();
            String::from_utf8_lossy(&head[..length]).to_ascii_lowercase()
        };
        let calling = connector.call(Uri::from_static("https://provider.invalid/v1"));
        let (asked, connected) = tokio::join!(refusing, calling);
        assert!(asked.starts_with("connect provider.invalid:443 http/1.1\r\n"), "{asked}");
        assert!(asked.contains("proxy-authorization: basic dxnlcjp3b3jk"), "{asked}");
        assert!(connected.is_err());
    }
}
