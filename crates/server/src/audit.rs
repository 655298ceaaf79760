//! Who changed what: every request that changes something leaves an entry in the audit log.
//!
//! [`keep`] stands around every route, so that no handler can forget: whatever is not a `GET` and succeeded is logged with
//! who, what, when and from where, unless its route is one of [`EXEMPT`]. Handlers add what only they know, before and
//! after, through the caller's [`Trail`].

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{Method, StatusCode, request::Parts},
    middleware::Next,
    response::Response,
};
use domain::{Interval, KeyId, ProjectId, UserId, audit::Change, text, user::User};
use serde::Serialize;
use store::AuditQuery;

use crate::{api::audit::hex, app::App, auth::ClientAddress, limits};

/// Routes that change nothing, or only what is the caller's own view, or what has a log of its own; and why.
pub const EXEMPT: &[(&str, &str)] = &[
    ("POST /api/auth/refresh", "goes on with a log-in that is in the log"),
    ("POST /api/auth/forgot-password", "changes nothing until the token of the e-mail is used"),
    ("POST /api/usage/track", "the record says who sent it and when"),
    ("POST /api/usage/track-sdk", "the record says who sent it and when"),
    ("POST /api/ai-logs", "the records say who sent them and when"),
    ("POST /api/usage/track-comprehensive", "keeps nothing"),
    ("POST /api/usage/bulk", "the records say who sent them and when"),
    ("POST /v1/traces", "the records say who sent them and when"),
    ("POST /v1/logs", "the records say who sent them and when"),
    ("POST /v1/metrics", "nothing of it is kept"),
    ("POST /api/analytics/compare", "asks"),
    ("POST /api/prices/estimate", "asks"),
    ("POST /api/prices/simulate", "asks"),
    ("PUT /api/alerts/{alertId}", "is one's own view"),
    ("DELETE /api/alerts/{alertId}", "is one's own view"),
    ("POST /api/alerts/read-all", "is one's own view"),
];

/// How often the head of the log is said.
const HEAD_EVERY: Duration = Duration::from_hours(1);

/// Attempts that are logged when they are refused for want of a credential.
const ATTEMPTS: [&str; 1] = ["POST /api/auth/login"];

/// What is learnt of a change while its request is handled. Clones write to the same place.
#[derive(Debug, Clone, Default)]
pub struct Trail(Arc<Mutex<Notes>>);

#[derive(Debug, Clone, Default)]
struct Notes {
    actor: Option<(UserId, String)>,
    key_id: Option<KeyId>,
    project_id: Option<ProjectId>,
    before: Option<String>,
    after: Option<String>,
}

impl Trail {
    /// Who is doing it, with which tracker key.
    pub fn actor(&self, user: &User, key_id: Option<KeyId>) {
        self.note(|notes| {
            notes.actor = Some((user.id, user.email.clone()));
            notes.key_id = key_id;
        });
    }

    /// Which project it is about.
    pub fn project(&self, id: ProjectId) {
        self.note(|notes| notes.project_id = Some(id));
    }

    /// What it was like. Nothing in `state` may be a secret.
    pub fn before(&self, state: &impl Serialize) {
        let json = json(state);
        self.note(|notes| notes.before = json);
    }

    /// What it is like now. Nothing in `state` may be a secret.
    pub fn after(&self, state: &impl Serialize) {
        let json = json(state);
        self.note(|notes| notes.after = json);
    }

    fn note(&self, write: impl FnOnce(&mut Notes)) {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn notes(&self) -> Notes {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Trail {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}

impl Trail {
    /// That of a request; one that nobody reads where there is none, as in the command line.
    pub fn of(parts: &Parts) -> Self {
        parts.extensions.get().cloned().unwrap_or_default()
    }
}

fn json(state: &impl Serialize) -> Option<String> {
    match serde_json::to_string(state) {
        Ok(json) if json.len() <= limits::AUDIT_STATE_BYTES => Some(json),
        Ok(json) => Some(format!("{{\"bytes\":{}}}", json.len())),
        Err(error) => {
            tracing::error!(%error, "a state could not be written to the audit log");
            None
        }
    }
}

/// Logs what succeeded, before it is answered.
pub async fn keep(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let Some(action) = route.and_then(|route| action(request.method(), &route)) else {
        return next.run(request).await;
    };
    let target = text::cut(request.uri().path(), limits::AUDIT_TARGET_BYTES).to_owned();
    let (mut parts, body) = request.into_parts();
    let trail = Trail::default();
    parts.extensions.insert(trail.clone());
    let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(&mut parts, &app).await;
    let response = next.run(Request::from_parts(parts, body)).await;
    let is_refused_attempt =
        response.status() == StatusCode::UNAUTHORIZED && ATTEMPTS.contains(&action.as_str());
    let action = if is_refused_attempt { format!("{action} refused") } else { action };
    if response.status().is_success() || is_refused_attempt {
        let Notes { actor, key_id, project_id, before, after } = trail.notes();
        let (actor, actor_email) = actor.unzip();
        let at = app.clock.now();
        let address = address.map(|address| address.to_string());
        let change =
            Change { at, actor, actor_email, key_id, address, action, target, project_id, before, after };
        append(&app, &change).await;
    }
    response
}

/// Says the head of the log once an hour: kept where logs are collected, it shows later whether the end was cut off.
pub fn say_head(app: &App) {
    app.spawn_every(HEAD_EVERY, "audit_head", |app: App| async move {
        let query = AuditQuery {
            period: Interval::ALWAYS,
            actor: None,
            project: None,
            action: None,
            before: None,
            limit: 1,
        };
        match app.meta.list_audit(&query).await {
            Ok(last) => last.iter().for_each(|entry| {
                tracing::info!(entries = entry.number, head = hex(&entry.hash), "the audit log");
            }),
            Err(error) => tracing::warn!(%error, "the audit log cannot be read"),
        }
    });
}

/// What was done stays done when it cannot be logged: the log of the program and a counter say so.
async fn append(app: &App, change: &Change) {
    if let Err(error) = app.meta.append_audit(change).await {
        metrics::counter!("aict_audit_lost_total").increment(1);
        tracing::error!(action = change.action, target = change.target, %error, "a change is not in the audit log");
    }
}

/// Method and route, if what they do is logged.
fn action(method: &Method, route: &str) -> Option<String> {
    if method.is_safe() {
        return None;
    }
    let action = format!("{method} {route}");
    (!EXEMPT.iter().any(|(exempt, _)| *exempt == action)).then_some(action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_is_logged_unless_it_is_exempt() {
        let of = |method: Method, route: &str| action(&method, route);
        assert_eq!(of(Method::GET, "/api/projects"), None);
        assert_eq!(of(Method::POST, "/api/usage/track"), None);
        assert_eq!(of(Method::PUT, "/api/new/{thing}"), Some("PUT /api/new/{thing}".to_owned()));
    }

    #[test]
    fn what_is_too_large_is_only_measured() {
        let trail = Trail::default();
        trail.clone().after(&"x".repeat(limits::AUDIT_STATE_BYTES));
        assert_eq!(trail.notes().after.as_deref(), Some(r#"{"bytes":32770}"#));
    }
}
