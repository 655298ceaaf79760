//! Calling out over HTTP. The server does so only when it is told to.

use std::time::Duration;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client in the making, with TLS and without redirects: a credential goes where it was sent, and nowhere else.
pub fn client() -> reqwest::ClientBuilder {
    // A second call in one process finds the first one's provider.
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).redirect(reqwest::redirect::Policy::none())
}
