//! How the server is configured.
//!
//! Four layers, each of which overrides the one before: the defaults (`config.default.toml`, which also documents every
//! setting), a file, the environment, and flags of the command line. A mistake in any of them is told with its place,
//! all mistakes at once, and nothing is started.
//!
//! **Architecture Invariant:** the environment is read once, by [`process_environment`]; the rest of the server gets
//! values, so that a test can start it with any configuration.

mod documented;
mod environment;
mod file;
mod gateway;
mod layers;
mod mistake;
mod nearest;
mod origin;
mod private_file;
mod range;
mod secrets;
mod store_uri;
mod strength;

use std::{collections::BTreeMap, num::NonZeroU32, path::PathBuf, time::Duration};

use domain::{Secret, tracker_key::Network};
use serde::{Deserialize, Deserializer, de::Error as _};

pub use documented::Setting;
pub use environment::process_environment;
pub use gateway::{Gateway, KeyPlace, ProviderUpstream, UnpricedModels, WhenStoreIsDown};
pub use mistake::{ConfigError, Mistake, Source};
pub use origin::{Origin, PublicUrl};
pub use secrets::{GeneratedSecrets, Secrets, SecretsError};
pub use store_uri::StoreUri;

/// The embedded defaults.
const DEFAULTS: &str = include_str!("config.default.toml");

/// Where settings come from, besides the defaults.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file that was asked for; otherwise the one of `AICT_CONFIG`, or `./ai-cost-tracker.toml` if it exists.
    pub file: Option<PathBuf>,
    /// Environment variables, as [`process_environment`] gives them.
    pub environment: BTreeMap<String, String>,
    /// Settings of the command line: a dotted key such as `server.port`, and its value as text.
    pub flags: Vec<(String, String)>,
}

/// Every setting, checked. Printing it shows no secret.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the server listens, and who talks to it.
    pub server: Server,
    /// Where everything is kept.
    pub store: Store,
    /// Who may come in.
    pub auth: Auth,
    /// What is accepted in one request.
    pub limits: Limits,
    /// How long something is kept.
    pub retention: Retention,
    /// Forwarding and metering calls.
    pub gateway: Gateway,
    /// What the server says about itself.
    pub log: Log,
    /// How people and programs are told of events.
    pub notify: Notify,
    /// Who takes our e-mail.
    pub smtp: Smtp,
    /// When spending is far from usual.
    pub anomalies: Anomalies,
    /// What OpenTelemetry tells.
    pub otlp: Otlp,
}

/// `[server]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Address or host name to listen on.
    pub host: String,
    /// Port to listen on; 0 takes any free one.
    pub port: u16,
    /// Under which people reach the server, if known.
    #[serde(deserialize_with = "optional")]
    pub public_url: Option<PublicUrl>,
    /// Other web pages that may call the API.
    pub cors_origins: Vec<Origin>,
    /// Whose `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<Network>,
    /// Connections at the same time.
    pub connections_max: usize,
    /// How long a client may take for the head of a request.
    pub head_timeout_ms: u64,
    /// How long a request may take.
    pub request_timeout_ms: u64,
    /// How long a stopping server waits for requests under way.
    pub shutdown_timeout_ms: u64,
}

/// `[store]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Folder of the embedded database and of generated secrets.
    pub data_dir: PathBuf,
    /// Which store.
    pub uri: StoreUri,
    /// Connections that read at the same time.
    pub read_connections: u32,
}

/// `[auth]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// As configured; [`Config::keep_secrets`] gives the one to use.
    #[serde(deserialize_with = "optional_secret")]
    pub jwt_secret: Option<Secret>,
    /// As configured; [`Config::keep_secrets`] gives the one to use.
    #[serde(deserialize_with = "optional_secret")]
    pub encryption_key: Option<Secret>,
    /// As configured; [`Config::keep_secrets`] gives the one to use.
    #[serde(deserialize_with = "optional_secret")]
    pub previous_encryption_key: Option<Secret>,
    /// Whether anybody may register.
    pub allow_signup: bool,
    /// Minutes that an access token is valid.
    pub access_token_minutes: u32,
    /// Days that a refresh token is valid.
    pub refresh_token_days: u32,
    /// Days that an invitation is valid.
    pub invitation_days: u32,
    /// Login attempts a minute for one account.
    pub login_attempts_per_minute_account: NonZeroU32,
    /// Login attempts a minute from one address.
    pub login_attempts_per_minute_address: NonZeroU32,
    /// What hashing a password costs.
    pub argon2: Argon2Cost,
}

/// `[auth.argon2]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Argon2Cost {
    /// Memory of one hash.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// `[limits]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a request body.
    pub body_bytes_max: usize,
    /// Bytes of a JSON body of a bulk import.
    pub bulk_body_bytes_max: usize,
    /// Bytes of one line of NDJSON.
    pub bulk_line_bytes_max: usize,
    /// Requests a minute with one credential; 0 is no limit.
    pub requests_per_minute_credential: u32,
    /// Requests a minute from one address; 0 is no limit.
    pub requests_per_minute_address: u32,
}

/// `[otlp]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Otlp {
    /// As configured; see [`Self::settle_after()`].
    pub settle_seconds: u32,
}

impl Otlp {
    /// How long a span of an agent waits for spans of its calls.
    pub fn settle_after(self) -> jiff::SignedDuration {
        jiff::SignedDuration::from_secs(self.settle_seconds.into())
    }
}

/// `[retention]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// As configured; see [`Self::content_days()`].
    pub content_days: u32,
    /// As configured; see [`Self::record_days()`].
    pub record_days: u32,
}

impl Retention {
    /// Days after which prompts and completions are erased, if they are.
    pub fn content_days(&self) -> Option<u32> {
        (self.content_days > 0).then_some(self.content_days)
    }

    /// Days after which records are deleted, if they are.
    pub fn record_days(&self) -> Option<u32> {
        (self.record_days > 0).then_some(self.record_days)
    }
}

/// `[log]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Directives of a `tracing_subscriber::EnvFilter`, which accepts them.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For a log collector.
    Json,
}

/// `[notify]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// Whether webhooks may go to this machine and to private networks.
    pub allow_private_addresses: bool,
}

/// `[anomalies]`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anomalies {
    /// Whether they are looked for.
    pub enabled: bool,
    /// How many times what is usual.
    pub times_min: u32,
    /// How many dollars more than what is usual.
    pub excess_min_usd: u32,
    /// Whether owners of the project are told by e-mail.
    pub mail_owners: bool,
}

/// `[smtp]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Name of the mail server; empty when no e-mail is sent.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether what is sent is encrypted.
    pub security: SmtpSecurity,
    /// Account at the mail server; empty for none.
    pub username: String,
    /// Its password.
    #[serde(deserialize_with = "optional_secret")]
    pub password: Option<Secret>,
    /// Sender of every e-mail.
    pub from: String,
}

/// Whether what is sent to the mail server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpSecurity {
    /// In the clear.
    None,
    /// After the greeting, or nothing is sent.
    StartTls,
    /// From the start.
    Tls,
}

impl Config {
    /// Merges all sources and checks the result.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut layers = layers::Layers::of_defaults();
        if let Some((path, origin)) = file::find(sources) {
            layers.add_file(&path, &origin);
        }
        layers.add_environment(&sources.environment);
        layers.add_flags(&sources.flags);
        layers.into_config()
    }
}

impl Server {
    /// How long a request may take.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// How long a client may take for the head of a request.
    pub fn head_timeout(&self) -> Duration {
        Duration::from_millis(self.head_timeout_ms)
    }

    /// Whether people reach the server by https, so that cookies must be marked as secure.
    pub fn is_https(&self) -> bool {
        self.public_url.as_ref().is_some_and(PublicUrl::is_https)
    }

    /// How long a stopping server waits for requests under way.
    pub fn shutdown_timeout(&self) -> Duration {
        Duration::from_millis(self.shutdown_timeout_ms)
    }
}

impl Store {
    /// File of the SQLite database.
    pub fn sqlite_path(&self) -> PathBuf {
        match &self.uri {
            StoreUri::Embedded => self.data_dir.join("ai-cost-tracker.db"),
            StoreUri::Sqlite(path) => path.clone(),
        }
    }
}

/// A value of which the empty text means that there is none.
fn optional<'de, D: Deserializer<'de>, T: TryFrom<String, Error: std::fmt::Display>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Ok(None) } else { T::try_from(text).map(Some).map_err(D::Error::custom) }
}

fn optional_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Secret::deserialize(deserializer).map(|secret| (!secret.expose().is_empty()).then_some(secret))
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Network>, D::Error> {
    let parse = |text: String| {
        text.parse().map_err(|_| {
            D::Error::custom(format!("{text:?} is not an address or a network such as 10.0.0.0/8"))
        })
    };
    Vec::<String>::deserialize(deserializer)?.into_iter().map(parse).collect()
}

#[cfg(test)]
mod tests;
