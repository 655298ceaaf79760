//! Web addresses in the configuration.

use axum::http::Uri;
use serde::Deserialize;

/// The address under which people reach the server, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct PublicUrl(String);

/// Scheme, host and port of a web page, as a browser sends it in `Origin`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin(String);

impl PublicUrl {
    /// The address, to which a path that begins with a slash can be appended.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether its scheme is https.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

impl TryFrom<String> for PublicUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match parse(&text) {
            Some(uri) if uri.query().is_none() && !text.contains('#') => {
                Ok(Self(text.trim_end_matches('/').to_owned()))
            }
            _ => Err(format!("must be an address such as https://costs.example.com, not {text:?}")),
        }
    }
}

impl Origin {
    /// The origin as a browser writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "*" {
            // Cookies are never sent along with a wildcard, and a page that nobody named has no business here.
            return Err("cannot be \"*\"; name each origin".to_owned());
        }
        let bare = text.strip_suffix('/').unwrap_or(&text);
        match parse(bare) {
            Some(uri) if uri.path() == "/" && uri.query().is_none() && !bare.ends_with('/') => {
                Ok(Self(bare.to_ascii_lowercase()))
            }
            _ => Err(format!("must be an origin such as http://localhost:3000, not {text:?}")),
        }
    }
}

/// An absolute http or https address without user information.
fn parse(text: &str) -> Option<Uri> {
    let uri: Uri = text.parse().ok()?;
    let authority = uri.authority()?;
    let has_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    (has_scheme && !authority.host().is_empty() && !authority.as_str().contains('@')).then_some(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_absolute_and_may_have_a_path() {
        for (text, kept) in [
            ("https://costs.example.com", "https://costs.example.com"),
            ("https://example.com/costs/", "https://example.com/costs"),
            ("http://[::1]:8000/", "http://[::1]:8000"),
        ] {
            assert_eq!(PublicUrl::try_from(text.to_owned()).map(|url| url.0), Ok(kept.to_owned()));
        }
        for wrong in [
            "example.com",
            "/costs",
            "ftp://example.com",
            "https://",
            "https://a/?b",
            "https://a/#b",
            "https://u:p@a",
        ] {
            assert!(PublicUrl::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_origin_has_no_path() {
        for (text, kept) in
            [("http://localhost:3000", "http://localhost:3000"), ("https://A.example/", "https://a.example")]
        {
            assert_eq!(Origin::try_from(text.to_owned()).map(|origin| origin.0), Ok(kept.to_owned()));
        }
        for wrong in ["*", "localhost:3000", "http://a/b", "http://a//", "http://a?b", "null"] {
            assert!(Origin::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
