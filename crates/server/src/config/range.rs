//! Settings whose type alone does not keep them from being wrong.

use std::{fmt::Display, ops::RangeInclusive};

use tracing_subscriber::EnvFilter;

use super::{Argon2Cost, Auth, Config, Gateway, Limits, Retention, Server, Smtp, Store, strength};

const MIB: usize = 1024 * 1024;
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Key and message of every setting that cannot be accepted.
pub(super) fn check(config: &Config) -> Vec<(&'static str, String)> {
    let Config { server, store, auth, limits, retention, gateway, log, notify: _, smtp, anomalies, otlp } =
        config;
    let found = [
        check_server(server),
        check_store(store),
        check_auth(auth),
        check_argon2(&auth.argon2),
        check_limits(limits),
        check_retention(*retention),
        check_gateway(gateway),
        check_smtp(smtp),
        vec![within("anomalies.times_min", anomalies.times_min, 2..=1000)],
        // A request may be under way for longer than less.
        vec![within("otlp.settle_seconds", otlp.settle_seconds, 60..=86_400)],
        vec![check_level(&log.level).map(|message| ("log.level", message))],
        strength::check_configured(auth),
    ];
    found.into_iter().flatten().flatten().collect()
}

type Found = Vec<Option<(&'static str, String)>>;

fn check_server(server: &Server) -> Found {
    vec![
        server.host.trim().is_empty().then(|| ("server.host", "must not be empty".to_owned())),
        within("server.connections_max", server.connections_max, 1..=1_000_000),
        within("server.head_timeout_ms", server.head_timeout_ms, 100..=3_600_000),
        within("server.request_timeout_ms", server.request_timeout_ms, 100..=3_600_000),
        within("server.shutdown_timeout_ms", server.shutdown_timeout_ms, 0..=600_000),
    ]
}

fn check_store(store: &Store) -> Found {
    vec![
        store.data_dir.as_os_str().is_empty().then(|| ("store.data_dir", "must not be empty".to_owned())),
        within("store.read_connections", store.read_connections, 1..=64),
    ]
}

fn check_auth(auth: &Auth) -> Found {
    vec![
        within("auth.access_token_minutes", auth.access_token_minutes, 1..=1440),
        within("auth.refresh_token_days", auth.refresh_token_days, 1..=365),
        within("auth.invitation_days", auth.invitation_days, 1..=365),
    ]
}

fn check_argon2(cost: &Argon2Cost) -> Found {
    let lanes = within("auth.argon2.parallelism", cost.parallelism, 1..=64);
    // Argon2 needs eight blocks of 1 KiB a lane; more than 4 GiB for one hash is a mistake.
    let memory_min = if lanes.is_none() { 8 * cost.parallelism } else { 8 };
    vec![
        within("auth.argon2.memory_kib", cost.memory_kib, memory_min..=4 * 1024 * 1024),
        within("auth.argon2.iterations", cost.iterations, 1..=100),
        lanes,
    ]
}

fn check_limits(limits: &Limits) -> Found {
    vec![
        within("limits.body_bytes_max", limits.body_bytes_max, 1024..=1024 * MIB),
        within("limits.bulk_body_bytes_max", limits.bulk_body_bytes_max, 1024..=1024 * MIB),
        within("limits.bulk_line_bytes_max", limits.bulk_line_bytes_max, 1024..=64 * MIB),
    ]
}

fn check_retention(retention: Retention) -> Found {
    let days = 0..=domain::limits::RETENTION_DAYS_MAX;
    vec![
        within("retention.content_days", retention.content_days, days.clone()),
        within("retention.record_days", retention.record_days, days),
    ]
}

fn check_gateway(gateway: &Gateway) -> Found {
    vec![
        within("gateway.calls_max", gateway.calls_max, 1..=100_000),
        within("gateway.body_bytes_max", gateway.body_bytes_max, 1024..=1024 * MIB),
        within("gateway.assumed_output_tokens", gateway.assumed_output_tokens, 1..=10_000_000),
        within("gateway.head_timeout_ms", gateway.head_timeout_ms, 100..=86_400_000),
        within("gateway.idle_timeout_ms", gateway.idle_timeout_ms, 100..=86_400_000),
        within("gateway.drain_timeout_ms", gateway.drain_timeout_ms, 0..=86_400_000),
        within("gateway.journal_bytes_max", gateway.journal_bytes_max, 1024 * 1024..=1 << 40),
    ]
}

fn check_smtp(smtp: &Smtp) -> Found {
    if smtp.host.is_empty() {
        return Vec::new();
    }
    let sender = smtp.from.parse::<lettre::message::Mailbox>();
    let from = || ("smtp.from", "must be an address, such as AI Cost Tracker <costs@example.com>".to_owned());
    let port = || ("smtp.port", "must not be 0".to_owned());
    vec![sender.is_err().then(from), (smtp.port == 0).then(port)]
}

fn within<T: Copy + PartialOrd + Display>(
    key: &'static str,
    value: T,
    range: RangeInclusive<T>,
) -> Option<(&'static str, String)> {
    let message = || format!("must be between {} and {}, not {value}", range.start(), range.end());
    (!range.contains(&value)).then(|| (key, message()))
}

/// A filter takes any word for the name of a module, so that a mistyped level would silence the log.
fn check_level(level: &str) -> Option<String> {
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let mut directives = level.split(',').map(str::trim);
    let wrong_word = directives.find(|directive| !directive.contains(['=', '[']) && !is_level(directive));
    if let Some(word) = wrong_word {
        return Some(format!("has {word:?}, which is not a level; the levels are {}", LEVELS.join(", ")));
    }
    level.parse::<EnvFilter>().err().map(|error| format!("is not a filter: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_level_or_directives() {
        for level in ["info", "DEBUG", "off", "info,server=debug", "warn,tower_http=trace"] {
            assert_eq!(check_level(level), None, "{level}");
        }
        for wrong in ["inof", "", "info,server", "server=loud"] {
            assert!(check_level(wrong).is_some(), "{wrong}");
        }
    }
}
