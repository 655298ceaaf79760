//! The dashboard: what `make web` built, embedded in the program.
//!
//! Its content security policy lets it load and call nothing but this server. The page gets a nonce of its own each time
//! it is served: dialogs add a style sheet while they are open, and nothing else may.

use axum::{
    http::{HeaderMap, HeaderValue, Method, Uri, header},
    response::{Html, IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rand::RngExt as _;

use crate::error::{ApiError, ErrorCode};

/// A file of the dashboard.
#[derive(Debug)]
struct File {
    /// Its path below the root of the site.
    name: &'static str,
    content: &'static [u8],
    /// The same, compressed when it was built.
    brotli: Option<&'static [u8]>,
}

const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));
const PAGE: &str = "index.html";
/// Stands in the page where the nonce belongs.
const NONCE: &str = "%CSP_NONCE%";
/// What is not the dashboard's, also where a person types it into a browser.
const RESERVED: &[&str] = &["/api", "/docs", "/gateway", "/v1", "/metrics", "/healthz", "/readyz"];

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>AI Cost Tracker</title>\
    <h1>The server runs. Its dashboard was not built.</h1>\
    <p>This program was built without the dashboard, which needs Node.js 20.19 or newer. In the folder of the source, run \
    <code>make web</code>, then build the program again; <code>make run</code> does both.</p>\
    <p>Everything else works: the <a href=\"/docs/api\">API</a>, imports, exports, the command line.</p></html>";

/// The page, for a browser that asks for the site.
pub async fn get_page() -> Response {
    page()
}

/// What no route answers: a file of the dashboard, one of its pages, or nothing.
pub async fn get_file_or_page(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if matches!(method, Method::GET | Method::HEAD) {
        if let Some(file) = find(path.trim_start_matches('/')).filter(|file| file.name != PAGE) {
            return file.response(&headers);
        }
        if is_navigation(path, &headers) {
            return page();
        }
    }
    ApiError::new(ErrorCode::RouteNotFound, "there is no such route; see /docs/api").into_response()
}

fn find(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

/// Whether a browser is about to show what it gets. A script, an image or a program that asks for what does not exist
/// must hear so, rather than get a page.
fn is_navigation(path: &str, headers: &HeaderMap) -> bool {
    let is_reserved = RESERVED
        .iter()
        .any(|prefix| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let takes_html = says(headers, header::ACCEPT, |accept| accept.contains("text/html"));
    let navigates = !headers.contains_key("sec-fetch-mode")
        || says(headers, header::HeaderName::from_static("sec-fetch-mode"), |mode| mode == "navigate");
    takes_html && navigates && !is_reserved && !is_file
}

fn says(headers: &HeaderMap, name: header::HeaderName, holds: impl Fn(&str) -> bool) -> bool {
    headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(holds)
}

fn page() -> Response {
    let nonce = BASE64_STANDARD.encode(rand::rng().random::<[u8; 16]>());
    let html = match find(PAGE).and_then(|file| std::str::from_utf8(file.content).ok()) {
        Some(html) => html.replace(NONCE, &nonce),
        None => NOT_BUILT.to_owned(),
    };
    match HeaderValue::try_from(content_security_policy(&nonce)) {
        Ok(policy) => ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response(),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

impl File {
    fn response(&self, headers: &HeaderMap) -> Response {
        let takes_brotli = says(headers, header::ACCEPT_ENCODING, |encodings| {
            encodings.split(',').any(|encoding| encoding.trim() == "br")
        });
        let mut response = match self.brotli.filter(|_| takes_brotli) {
            Some(brotli) => ([(header::CONTENT_ENCODING, "br")], brotli).into_response(),
            None => self.content.into_response(),
        };
        let answered = response.headers_mut();
        answered.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type()));
        answered.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.caching()));
        if self.brotli.is_some() {
            answered.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        response
    }

    fn media_type(&self) -> &'static str {
        match self.name.rsplit('.').next().unwrap_or_default() {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "json" => "application/json",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            "woff2" => "font/woff2",
            "txt" => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        }
    }

    /// The name of a built file has the hash of its content; other files are asked for again.
    fn caching(&self) -> &'static str {
        if self.name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn only_people_who_go_somewhere_get_the_page() {
        let browser =
            headers(&[("accept", "text/html,application/xhtml+xml,*/*"), ("sec-fetch-mode", "navigate")]);
        let script = headers(&[("accept", "text/html"), ("sec-fetch-mode", "cors")]);
        let program = headers(&[("accept", "*/*")]);
        for (path, caller, expected) in [
            ("/explorer", &browser, true),
            ("/projects", &headers(&[("accept", "text/html")]), true),
            ("/v1x", &browser, true),
            ("/explorer", &script, false),
            ("/explorer", &program, false),
            ("/explorer", &headers(&[]), false),
            ("/api/nothing", &browser, false),
            ("/api", &browser, false),
            ("/v1/traces", &browser, false),
            ("/assets/gone-1234.js", &browser, false),
            ("/wp-login.php", &browser, false),
        ] {
            assert_eq!(is_navigation(path, caller), expected, "{path}");
        }
    }

    #[test]
    fn built_files_are_kept_for_ever_and_others_asked_for_again() {
        let file = |name| File { name, content: b"plain", brotli: Some(b"packed") };
        let hashed = file("assets/index-1234.js").response(&headers(&[("accept-encoding", "gzip, br")]));
        assert_eq!(hashed.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(hashed.headers()[header::CONTENT_ENCODING], "br");
        assert_eq!(hashed.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");
        let plain = file("theme.js").response(&headers(&[("accept-encoding", "gzip")]));
        assert_eq!(plain.headers()[header::CACHE_CONTROL], "no-cache");
        assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
    }

    #[test]
    fn the_page_has_nothing_that_its_policy_forbids() {
        let html = find(PAGE).map_or(NOT_BUILT, |file| std::str::from_utf8(file.content).unwrap());
        for forbidden in ["<style", " style=", " onclick=", " onload=", "http://", "https://", "<script>"] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
        assert!(!content_security_policy("x").contains("unsafe"));
    }
}
