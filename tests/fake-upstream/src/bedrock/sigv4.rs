//! Amazon's signature, version 4, by its public description: what a signature should be, to hold one against it.
//!
//! Written apart from whatever makes the signatures that it checks.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::call::hex;

/// First word of the header `Authorization`.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A header `Authorization`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed<'a> {
    pub access_key: &'a str,
    /// `20150830`.
    pub date: &'a str,
    pub region: &'a str,
    pub service: &'a str,
    /// Names in lower case, in their order.
    pub headers: Vec<&'a str>,
    pub signature: &'a str,
}

/// A request without its signature.
#[derive(Debug, Clone, Copy)]
pub struct Unsigned<'a> {
    pub method: &'a str,
    /// As it was sent, with its escapes.
    pub path: &'a str,
    pub query: &'a str,
    /// Names in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Reads `AWS4-HMAC-SHA256 Credential=…/20150830/us-east-1/service/aws4_request, SignedHeaders=…, Signature=…`.
    pub fn parse(authorization: &'a str) -> Option<Self> {
        let parts: Vec<&str> = authorization.strip_prefix(ALGORITHM)?.split(',').map(str::trim).collect();
        let part = |name: &str| parts.iter().find_map(|part| part.strip_prefix(name));
        let mut scope = part("Credential=")?.split('/');
        let signed = Self {
            access_key: scope.next()?,
            date: scope.next()?,
            region: scope.next()?,
            service: scope.next()?,
            headers: part("SignedHeaders=")?.split(';').collect(),
            signature: part("Signature=")?,
        };
        (scope.next()? == "aws4_request" && scope.next().is_none()).then_some(signed)
    }

    /// Whether this is the request's signature by `secret_key`, and covers what it has to: the host, and each `x-amz-`.
    pub fn is_right(&self, request: &Unsigned<'_>, secret_key: &str) -> bool {
        let covers = |name: &str| self.headers.contains(&name);
        let covers_all = request
            .headers
            .iter()
            .filter(|(name, _)| name.starts_with("x-amz-"))
            .all(|(name, _)| covers(name));
        let is_sorted = self.headers.is_sorted();
        covers("host")
            && covers_all
            && is_sorted
            && self.signature_of(request, secret_key).as_deref() == Some(self.signature)
    }

    /// The signature that the request should have, in this scope and over these headers. `None` without `x-amz-date`.
    pub fn signature_of(&self, request: &Unsigned<'_>, secret_key: &str) -> Option<String> {
        let at = request.value("x-amz-date").filter(|at| at.starts_with(self.date))?;
        let canonical = hex(&Sha256::digest(request.canonical(&self.headers, self.service)?));
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let text = format!("{ALGORITHM}\n{at}\n{scope}\n{canonical}");
        let key = [self.date, self.region, self.service, "aws4_request"]
            .iter()
            .fold(format!("AWS4{secret_key}").into_bytes(), |key, part| hmac(&key, part));
        Some(hex(&hmac(&key, &text)))
    }
}

impl Unsigned<'_> {
    fn value(&self, name: &str) -> Option<String> {
        let values: Vec<String> = self
            .headers
            .iter()
            .filter(|(given, _)| *given == name)
            .map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    /// The request in the form that is signed. `None` if a header is signed that it does not have.
    pub fn canonical(&self, signed: &[&str], service: &str) -> Option<String> {
        let mut headers = String::new();
        for name in signed {
            headers.push_str(name);
            headers.push(':');
            headers.push_str(&self.value(name)?);
            headers.push('\n');
        }
        let body = match self.value("x-amz-content-sha256") {
            Some(given) if given == "UNSIGNED-PAYLOAD" => given,
            _ => hex(&Sha256::digest(self.body)),
        };
        let path = canonical_path(self.path, service);
        let query = canonical_query(self.query);
        Some(format!("{}\n{path}\n{query}\n{headers}\n{}\n{body}", self.method, signed.join(";")))
    }
}

/// Storage takes its paths as they are; every other service normalises them and escapes them once more than they were
/// sent: the `%3A` of a model's id becomes `%253A`.
fn canonical_path(path: &str, service: &str) -> String {
    if service == "s3" {
        return path.to_owned();
    }
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    let escaped: Vec<String> = segments.iter().map(|segment| escape(segment.as_bytes())).collect();
    let end = if path.ends_with('/') && !escaped.is_empty() { "/" } else { "" };
    format!("/{}{end}", escaped.join("/"))
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| {
            (escape(crate::call::decode(name).as_bytes()), escape(crate::call::decode(value).as_bytes()))
        })
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn escape(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(*byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a vector of Amazon's published test suite (`aws-sig-v4-test-suite`).
    fn check(request: Unsigned<'_>, signed: &str, signature: &str) {
        let authorization = format!(
            "{ALGORITHM} Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={signed}, Signature={signature}"
        );
        let parsed = Signed::parse(&authorization).unwrap();
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        assert_eq!(parsed.signature_of(&request, secret).as_deref(), Some(signature), "{request:?}");
        assert!(parsed.is_right(&request, secret));
        assert!(!parsed.is_right(&request, "another"));
        let other = Unsigned { body: b"another", ..request };
        assert!(!parsed.is_right(&other, secret));
    }

    const HEADERS: &[(&str, &str)] = &[("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];

    fn get<'a>(path: &'a str, query: &'a str) -> Unsigned<'a> {
        Unsigned { method: "GET", path, query, headers: HEADERS, body: b"" }
    }

    #[test]
    fn published_vectors() {
        let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        for (path, query, signature) in [
            ("/", "", vanilla),
            // get-relative, get-relative-relative, get-slash, get-slash-dot-slash
            ("/example/..", "", vanilla),
            ("/example1/example2/../..", "", vanilla),
            ("//", "", vanilla),
            ("/./", "", vanilla),
            // get-vanilla-query-order-key-case
            (
                "/",
                "Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ] {
            check(get(path, query), "host;x-amz-date", signature);
        }
        let post = Unsigned { method: "POST", ..get("/", "") };
        check(post, "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    }

    /// post-x-www-form-urlencoded, get-header-key-duplicate, get-header-value-trim of the suite.
    #[test]
    fn published_vectors_of_headers_and_bodies() {
        let headers = [("content-type", "application/x-www-form-urlencoded"), HEADERS[0], HEADERS[1]];
        let post =
            Unsigned { method: "POST", path: "/", query: "", headers: &headers, body: b"Param1=value1" };
        check(
            post,
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        );
        let headers = [
            HEADERS[0],
            ("my-header1", "value2"),
            ("my-header1", "value2"),
            ("my-header1", "value1"),
            HEADERS[1],
        ];
        let request = Unsigned { headers: &headers, ..get("/", "") };
        check(
            request,
            "host;my-header1;x-amz-date",
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        );
        let headers = [HEADERS[0], ("my-header1", " value1"), ("my-header2", " \"a   b   c\""), HEADERS[1]];
        let request = Unsigned { headers: &headers, ..get("/", "") };
        check(
            request,
            "host;my-header1;my-header2;x-amz-date",
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        );
    }

    /// The example of the description itself: a listing of users, in the service `iam`.
    #[test]
    fn the_documented_example() {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            HEADERS[1],
        ];
        let request = Unsigned { headers: &headers, ..get("/", "Action=ListUsers&Version=2010-05-08") };
        let signed = Signed::parse(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        )
        .unwrap();
        assert!(signed.is_right(&request, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
    }

    /// The examples of S3's documentation, by the key that the fake knows.
    #[test]
    fn storage_does_not_escape_twice() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let headers = [
            ("host", "examplebucket.s3.amazonaws.com"),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", empty),
            ("x-amz-date", "20130524T000000Z"),
        ];
        let request = Unsigned { headers: &headers, ..get("/test.txt", "") };
        let authorization = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
            SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
            Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        assert!(Signed::parse(authorization).unwrap().is_right(&request, crate::AWS_SECRET_KEY));
        assert_eq!(canonical_path("/model/a.b-v1%3A0/invoke", "s3"), "/model/a.b-v1%3A0/invoke");
        assert_eq!(canonical_path("/model/a.b-v1%3A0/invoke", "bedrock"), "/model/a.b-v1%253A0/invoke");
        assert_eq!(canonical_path("/model/a.b-v1:0/invoke", "bedrock"), "/model/a.b-v1%3A0/invoke");
    }

    #[test]
    fn what_is_sent_beside_the_signature_is_refused() {
        let headers = [HEADERS[0], HEADERS[1], ("x-amz-security-token", "t")];
        let request = Unsigned { headers: &headers, ..get("/", "") };
        let signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        let authorization = format!(
            "{ALGORITHM} Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        let signed = Signed::parse(&authorization).unwrap();
        assert!(!signed.is_right(&request, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
        for broken in
            ["", "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=0", "Bearer x"]
        {
            assert_eq!(Signed::parse(broken), None);
        }
    }
}
