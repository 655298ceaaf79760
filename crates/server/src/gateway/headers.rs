//! Which headers pass, in both directions.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Headers of one hop (RFC 9110, 7.6.1), and those that are made anew for the next.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What the client says to us and not to the provider, besides everything that begins with `x-cost-` or `costkatana-`.
const OURS: [HeaderName; 6] = [
    HeaderName::from_static("x-tracker-key"),
    HeaderName::from_static("x-project-id"),
    HeaderName::from_static("x-session-id"),
    HeaderName::from_static("x-end-user"),
    HeaderName::from_static("x-customer-email"),
    HeaderName::from_static("x-user-email"),
];

/// What proxies between the client and us have added; it is nobody's business further on.
const FORWARDING: [HeaderName; 6] = [
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
];

/// Where a credential may be: replaced by the provider's own.
const CREDENTIALS: [HeaderName; 5] = [
    header::AUTHORIZATION,
    header::COOKIE,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
];

/// Where providers say what they call a request: Anthropic, OpenAI and who does as they do, AWS.
const REQUEST_IDS: [HeaderName; 3] = [
    HeaderName::from_static("request-id"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-amzn-requestid"),
];

/// The client's headers as they go to the provider, without any credential.
pub(super) fn to_provider(headers: &HeaderMap) -> HeaderMap {
    let named = named_by_connection(headers);
    let stays = |name: &HeaderName| {
        name != header::HOST
            && name != header::CONTENT_LENGTH
            && name != header::EXPECT
            && !HOP_BY_HOP.contains(name)
            && !OURS.contains(name)
            && !FORWARDING.contains(name)
            && !CREDENTIALS.contains(name)
            && !named.iter().any(|other| other == name.as_str())
            && !["x-cost-", "costkatana-"].iter().any(|prefix| name.as_str().starts_with(prefix))
    };
    let mut passing: HeaderMap = headers
        .iter()
        .filter(|(name, _)| stays(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    passing.insert(header::ACCEPT_ENCODING, readable_encoding(headers));
    passing
}

/// The provider's headers as they go to the client.
pub(super) fn to_client(headers: &HeaderMap) -> HeaderMap {
    let named = named_by_connection(headers);
    let stays =
        |name: &HeaderName| !HOP_BY_HOP.contains(name) && !named.iter().any(|other| other == name.as_str());
    headers
        .iter()
        .filter(|(name, _)| stays(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What the provider calls the request. An id that was `sent` to it is the client's own, and may be that of several calls.
pub(super) fn request_id(headers: &HeaderMap, sent: Option<&str>) -> Option<String> {
    let said = REQUEST_IDS.iter().find_map(|name| headers.get(name)?.to_str().ok());
    said.filter(|id| !id.is_empty() && Some(*id) != sent).map(str::to_owned)
}

/// Of what the client takes, the one encoding that can be metered while it passes.
fn readable_encoding(headers: &HeaderMap) -> HeaderValue {
    let accepts_gzip = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
            name.trim().eq_ignore_ascii_case("gzip")
                && !matches!(quality.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
        });
    HeaderValue::from_static(if accepts_gzip { "gzip" } else { "identity" })
}

/// `Connection` may name further headers of this hop.
fn named_by_connection(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn nothing_of_ours_and_nothing_of_this_hop_reaches_the_provider() {
        let sent = headers(&[
            ("host", "tracker"),
            ("authorization", "Bearer aict_x"),
            ("x-api-key", "aict_x"),
            ("cookie", "refreshToken=1"),
            ("connection", "close, X-Hop"),
            ("x-hop", "1"),
            ("te", "trailers"),
            ("x-tracker-key", "aict_x"),
            ("x-project-id", "1"),
            ("x-cost-tags", "a"),
            ("costkatana-auth", "Bearer aict_x"),
            ("x-forwarded-for", "10.0.0.1"),
            ("content-length", "5"),
            ("accept-encoding", "br, gzip;q=0.8"),
            ("anthropic-version", "2023-06-01"),
            ("content-type", "application/json"),
        ]);
        let expected = headers(&[
            ("anthropic-version", "2023-06-01"),
            ("content-type", "application/json"),
            ("accept-encoding", "gzip"),
        ]);
        assert_eq!(to_provider(&sent), expected);
    }

    #[test]
    fn an_encoding_that_cannot_be_read_is_not_asked_for() {
        for (accepted, expected) in [("br, zstd", "identity"), ("gzip;q=0, br", "identity"), ("GZIP", "gzip")]
        {
            let passed = to_provider(&headers(&[("accept-encoding", accepted)]));
            assert_eq!(passed[header::ACCEPT_ENCODING], expected, "{accepted}");
        }
        assert_eq!(to_provider(&HeaderMap::new())[header::ACCEPT_ENCODING], "identity");
    }

    #[test]
    fn the_providers_headers_pass_but_those_of_its_hop() {
        let sent = headers(&[
            ("transfer-encoding", "chunked"),
            ("x-ratelimit-remaining", "7"),
            ("connection", "close"),
        ]);
        assert_eq!(to_client(&sent), headers(&[("x-ratelimit-remaining", "7")]));
    }
}
