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
        address: Option<IpAddr>,
        credential: Option<&str>,
    ) -> Result<Option<Allowance>, Exceeded> {
        let by_address = self.addresses.as_ref().zip(address);
        let by_address = by_address.map(|(limit, address)| limit.count(&subnet(address), "this address"));
        let by_credential = self.credentials.as_ref().zip(credential);
        let by_address = by_address.transpose()?;
        let by_credential = by_credential
            .map(|(limit, credential)| limit.count(&credential, "this credential"))
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
    let (parts, body) = request.into_parts();
    let address = auth::client_address(&parts, &app);
    match app.rate_limits.admit(address, auth::credential(&parts.headers)) {
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
        let left =
            |address, credential| limits.admit(address, credential).map(|left| left.unwrap().remaining);
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
    fn zero_is_no_limit() {
        let limits = limits(0, 0);
        for _ in 0..1000 {
            assert_eq!(limits.admit(Some("10.0.0.1".parse().unwrap()), Some("a")).unwrap(), None);
        }
    }
}
