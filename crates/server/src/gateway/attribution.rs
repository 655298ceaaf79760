//! Whom a call is for, as its headers say.

use axum::http::HeaderMap;
use domain::{
    Invalid, ProjectId,
    allocation::{CostAllocation, Tags},
    invalid::Problems,
    text,
};

/// What the client says of a call besides the call.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Attribution {
    /// What it is for.
    pub(super) project_id: Option<ProjectId>,
    /// Whom it is charged to.
    pub(super) allocation: CostAllocation,
    /// Words to find it by.
    pub(super) tags: Tags,
    /// The sender's own user.
    pub(super) user_email: Option<String>,
    /// The sender's customer.
    pub(super) customer_email: Option<String>,
    /// The sender's user where it is not told by an e-mail address.
    pub(super) end_user: Option<String>,
    /// Conversation.
    pub(super) session_id: Option<String>,
    /// Trace (W3C `traceparent`).
    pub(super) trace_id: Option<String>,
    /// The sender's key for this call.
    pub(super) request_id: Option<String>,
}

/// Reads the headers of attribution; every wrong one is named.
pub(super) fn read(headers: &HeaderMap) -> Result<Attribution, Invalid> {
    let mut problems = Problems::default();
    let mut line = |name: &str, check: fn(&str, &str) -> Result<String, Invalid>| {
        let value = value(headers, name)?;
        problems.take(value.map_err(|()| not_text(name)).and_then(|value| check(name, &value)))
    };
    let allocation = CostAllocation {
        department: line("x-cost-department", text::dimension_value),
        team: line("x-cost-team", text::dimension_value),
        purpose: line("x-cost-purpose", text::dimension_value),
        client: line("x-cost-client", text::dimension_value),
        campaign: line("x-cost-campaign", text::dimension_value),
        ..CostAllocation::default()
    };
    let end_user = line("x-end-user", text::reference);
    let (email, end_user) = match end_user {
        Some(user) if user.contains('@') => (text::email("x-end-user", &user).ok(), None),
        user => (None, user),
    };
    let attribution = Attribution {
        allocation,
        end_user,
        user_email: line("x-user-email", text::email).or(email),
        customer_email: line("x-customer-email", text::email),
        session_id: line("x-session-id", text::reference),
        trace_id: headers.get("traceparent").and_then(|value| trace_id(value.to_str().ok()?)),
        request_id: line("x-cost-request-id", text::reference)
            .or_else(|| line("idempotency-key", text::reference)),
        project_id: line("x-project-id", text::reference).and_then(|id| problems.take(read_id(&id))),
        tags: read_tags(headers, &mut problems),
    };
    problems.into_result().map(|()| attribution)
}

fn read_tags(headers: &HeaderMap, problems: &mut Problems) -> Tags {
    match value(headers, "x-cost-tags") {
        None => Tags::default(),
        Some(Ok(list)) => problems.take(Tags::new("x-cost-tags", list.split(','))).unwrap_or_default(),
        Some(Err(())) => problems.take(Err(not_text("x-cost-tags"))).unwrap_or_default(),
    }
}

fn read_id(text: &str) -> Result<ProjectId, Invalid> {
    text.parse().map_err(|_| Invalid::field("x-project-id", "must be an id of 24 hexadecimal digits"))
}

/// A header that is there and not empty, as UTF-8.
fn value(headers: &HeaderMap, name: &str) -> Option<Result<String, ()>> {
    let bytes = headers.get(name)?.as_bytes().trim_ascii();
    (!bytes.is_empty()).then(|| String::from_utf8(bytes.to_vec()).map_err(|_| ()))
}

fn not_text(name: &str) -> Invalid {
    Invalid::field(name, "must be UTF-8")
}

/// The trace in a `traceparent` (<https://www.w3.org/TR/trace-context/#traceparent-header>).
fn trace_id(header: &str) -> Option<String> {
    let id = header.split('-').nth(1)?;
    let is_id = id.len() == 32
        && id.bytes().all(|byte| byte.is_ascii_hexdigit())
        && id.bytes().any(|byte| byte != b'0');
    is_id.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn headers_say_whom_a_call_is_for() {
        let said = read(&headers(&[
            ("x-project-id", "507f1f77bcf86cd799439011"),
            ("x-cost-department", "marketing"),
            ("x-cost-team", "content"),
            ("x-cost-tags", "blog, seo,,blog"),
            ("x-end-user", "Ada@Example.com"),
            ("x-session-id", "s-1"),
            ("x-cost-request-id", "r-1"),
            ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ]))
        .unwrap();
        assert_eq!(said.project_id, "507f1f77bcf86cd799439011".parse().ok());
        assert_eq!(said.allocation.department.as_deref(), Some("marketing"));
        assert_eq!(said.tags.iter().collect::<Vec<_>>(), ["blog", "seo"]);
        assert_eq!((said.user_email.as_deref(), said.end_user), (Some("ada@example.com"), None));
        assert_eq!((said.session_id.as_deref(), said.request_id.as_deref()), (Some("s-1"), Some("r-1")));
        assert_eq!(said.trace_id.as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"));
        assert_eq!(read(&HeaderMap::new()), Ok(Attribution::default()));
    }

    /// Longer than a tag may be.
    const LONG: &str = match std::str::from_utf8(&[b'x'; 300]) {
        Ok(text) => text,
        Err(_) => "",
    };

    #[test]
    fn every_wrong_header_is_named() {
        let wrong = headers(&[("x-project-id", "7"), ("x-user-email", "nobody"), ("x-cost-tags", LONG)]);
        let fields: Vec<String> =
            read(&wrong).unwrap_err().0.into_iter().map(|problem| problem.field).collect();
        assert_eq!(fields, ["x-user-email", "x-project-id", "x-cost-tags[0]"]);
    }
}
