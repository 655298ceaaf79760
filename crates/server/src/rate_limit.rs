//! Requests a minute, for each credential and for each address, on every route but health checks.
//!
//! The credential is taken as it was sent, before anybody looks whether it is good: a limit must cost less than what it
//! protects. Who makes credentials up is held by the limit of their address.

use std::{net::IpAddr, num::NonZeroU32};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use governor::{Quota, clock::DefaultClock};

use crate::{
    app::App,
    auth::{
        self,
        keyed_limit::{KeyedLimit, subnet},
    },
    config,
    error::{ApiError, ErrorCode, Result},
};

/// Routes that monitors ask all the time.
const EXEMPT: [&str; 3] = ["/healthz", "/readyz", "/metrics"];
/// What Cost Katana's client for Node tells of each of its requests, this telling included, without end. It is counted apart,
/// so that it does not use up what is there for calls.
const TOLD_OF_REQUESTS: &str = "/api/usage/track-comprehensive";
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// What everybody has used lately.
#[derive(Debug)]
pub struct RateLimits {
    credentials: Option<Limit>,
    addresses: Option<Limit>,
}

#[derive(Debug)]
struct Limit {
    per_minute: NonZeroU32,
    used: KeyedLimit<DefaultClock>,
}

/// What is counted apart from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// What people and programs ask for.
    Requests,
    /// What a client tells of its requests.
    ToldOfRequests,
}

impl Lane {
    fn of(path: &str) -> Self {
        if path == TOLD_OF_REQUESTS { Self::ToldOfRequests } else { Self::Requests }
    }
}

/// What a caller has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    limit: u32,
    remaining: u32,
    /// Seconds until everything is available again, or until the next request is.
    reset: u64,
}

/// More than is allowed.
#[derive(Debug)]
pub struct Exceeded {
    whose: &'static str,
    allowance: Allowance,
}

impl RateLimits {
    /// As `[limits]` says; 0 is no limit.
    pub fn new(limits: &config::Limits) -> Self {
        let limit = |per_minute: u32| NonZeroU32::new(per_minute).map(Limit::new);
        Self {
            credentials: limit(limits.requests_per_minute_credential),
            addresses: limit(limits.requests_per_minute_address),
        }
    }

    /// Counts a request. The address first: what an address is refused must not use up what others' credential has.
    pub fn admit(
        &self,
        lane: Lane,
        address: Option<IpAddr>,
        credential: Option<&str>,
    ) -> Result<Option<Allowance>, Exceeded> {
        let by_address = self.addresses.as_ref().zip(address);
        let by_address =
            by_address.map(|(limit, address)| limit.count(&(lane, subnet(address)), "this address"));
        let by_credential = self.credentials.as_ref().zip(credential);
        let by_address = by_address.transpose()?;
        let by_credential = by_credential
            .map(|(limit, credential)| limit.count(&(lane, credential), "this credential"))
            .transpose()?;
        Ok(by_credential.or(by_address))
    }
}

impl Limit {
    fn new(per_minute: NonZeroU32) -> Self {
        Self { per_minute, used: KeyedLimit::new(Quota::per_minute(per_minute), DefaultClock::default()) }
    }

    fn count(&self, key: &impl std::hash::Hash, whose: &'static str) -> Result<Allowance, Exceeded> {
        let limit = self.per_minute.get();
        match self.used.check(key) {
            Ok(remaining) => {
                let used = u64::from(limit - remaining.min(limit));
                Ok(Allowance { limit, remaining, reset: (used * 60).div_ceil(u64::from(limit)) })
            }
            Err(reset) => Err(Exceeded { whose, allowance: Allowance { limit, remaining: 0, reset } }),
        }
    }
}

impl Allowance {
    fn write(self, headers: &mut HeaderMap) {
        headers.insert(LIMIT, self.limit.into());
        headers.insert(REMAINING, self.remaining.into());
        headers.insert(RESET, self.reset.into());
    }
}

impl From<Exceeded> for ApiError {
    fn from(Exceeded { whose, allowance }: Exceeded) -> Self {
        metrics::counter!("aict_rate_limited_total").increment(1);
        let Allowance { limit, reset, .. } = allowance;
        let message = format!("{whose} may send {limit} requests a minute; try again in {reset} s");
        Self::new(ErrorCode::RateLimited, message).retry_after(reset)
    }
}

/// Refuses what is more than the caller may send, and says with every answer what is left.
pub async fn limit(State(app): State<App>, request: Request, next: Next) -> Response {
    if EXEMPT.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let lane = Lane::of(request.uri().path());
    let (parts, body) = request.into_parts();
    let address = auth::client_address(&parts, &app);
    match app.rate_limits.admit(lane, address, auth::credential(&parts.headers)) {
        Ok(allowance) => {
            let mut response = next.run(Request::from_parts(parts, body)).await;
            if let Some(allowance) = allowance {
                allowance.write(response.headers_mut());
            }
            response
        }
        Err(exceeded) => {
            let allowance = exceeded.allowance;
            let mut response = ApiError::from(exceeded).into_response();
            allowance.write(response.headers_mut());
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(credential: u32, address: u32) -> RateLimits {
        let limits = config::Limits {
            body_bytes_max: 0,
            bulk_body_bytes_max: 0,
            bulk_line_bytes_max: 0,
            requests_per_minute_credential: credential,
            requests_per_minute_address: address,
        };
        RateLimits::new(&limits)
    }

    #[test]
    fn a_credential_has_its_requests_wherever_it_comes_from_and_an_address_whatever_it_sends() {
        let limits = limits(2, 3);
        let [one, two] = ["10.0.0.1", "10.0.0.2"].map(|address| Some(address.parse().unwrap()));
        let left = |address, credential| {
            limits.admit(Lane::Requests, address, credential).map(|left| left.unwrap().remaining)
        };
        assert_eq!(left(one, Some("a")).unwrap(), 1);
        assert_eq!(left(two, Some("a")).unwrap(), 0);
        assert_eq!(left(two, Some("a")).unwrap_err().whose, "this credential");
        assert_eq!(left(one, Some("b")).unwrap(), 1);
        assert_eq!(left(one, None).unwrap(), 0);
        assert_eq!(left(one, Some("c")).unwrap_err().whose, "this address");
        let refused = left(one, Some("c")).unwrap_err().allowance;
        assert_eq!((refused.limit, refused.remaining, refused.reset), (3, 0, 20));
    }

    #[test]
    fn what_a_client_tells_of_its_requests_uses_up_nothing_of_theirs() {
        let limits = limits(1, 1);
        let address = Some("10.0.0.1".parse().unwrap());
        let is_admitted = |path| limits.admit(Lane::of(path), address, Some("a")).is_ok();
        let paths = [TOLD_OF_REQUESTS, TOLD_OF_REQUESTS, "/api/usage/track-sdk", "/api/ai-logs"];
        assert_eq!(paths.map(is_admitted), [true, false, true, false]);
    }

    #[test]
    fn zero_is_no_limit() {
        let limits = limits(0, 0);
        for _ in 0..1000 {
            let admitted = limits.admit(Lane::Requests, Some("10.0.0.1".parse().unwrap()), Some("a"));
            assert_eq!(admitted.unwrap(), None);
        }
    }
}
