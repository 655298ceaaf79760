//! Takes secrets out of texts before they are kept.
//!
//! Only what has the form of a credential is taken out: the prefixes that providers give their keys so that scanners can
//! tell them (<https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns>),
//! JSON Web Tokens, and private keys in PEM form.

use std::borrow::Cow;

/// What stands in the place of a secret.
const PLACEHOLDER: &str = "[redacted]";
/// What begins a private key, and what ends it.
const PEM: (&str, &str) = ("-----BEGIN ", "-----END ");

/// Beginnings of keys, and how long such a key is at least.
const KEYS: [(&str, usize); 24] = [
    ("sk-", 20),
    ("sk_live_", 20),
    ("sk_test_", 20),
    ("rk_live_", 20),
    ("rk_test_", 20),
    ("pk-", 24),
    ("aict_", 40),
    ("AKIA", 20),
    ("ASIA", 20),
    ("ABSK", 40),
    ("AIza", 35),
    ("ghp_", 36),
    ("gho_", 36),
    ("ghs_", 36),
    ("github_pat_", 40),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xapp-", 20),
    ("hf_", 30),
    ("gsk_", 30),
    ("xai-", 30),
    ("pplx-", 30),
    ("whsec_", 20),
];

/// The text without its secrets.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut redacted = String::new();
    let mut kept_to = 0;
    for (start, end) in secrets(text) {
        if start >= kept_to {
            redacted.push_str(text.get(kept_to..start).unwrap_or_default());
            redacted.push_str(PLACEHOLDER);
            kept_to = end;
        }
    }
    if kept_to == 0 {
        return Cow::Borrowed(text);
    }
    redacted.push_str(text.get(kept_to..).unwrap_or_default());
    Cow::Owned(redacted)
}

/// Where secrets begin and end, in order.
fn secrets(text: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = words(text)
        .filter(|(start, word)| is_secret(word, text, *start))
        .map(|(start, word)| (start, start + word.len()))
        .collect();
    found.extend(private_keys(text));
    found.sort_unstable();
    found
}

/// The runs of characters that a key can consist of.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut rest_at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(rest_at..)?;
        let start = rest_at + rest.find(is_part)?;
        let word = text.get(start..)?;
        let length = word.find(|c| !is_part(c)).unwrap_or(word.len());
        rest_at = start + length;
        Some((start, word.get(..length)?))
    })
}

fn is_secret(word: &str, text: &str, start: usize) -> bool {
    let has_form = |(prefix, length): &(&str, usize)| word.len() >= *length && word.starts_with(prefix);
    // An escape such as `\n` before the key is part of the word.
    let is_escaped = text.get(..start).is_some_and(|before| before.ends_with('\\'));
    let word_after_escape = word.get(1..).filter(|_| is_escaped).unwrap_or(word);
    KEYS.iter().any(has_form)
        || KEYS.iter().any(|(prefix, length)| {
            word_after_escape.len() >= *length && word_after_escape.starts_with(prefix)
        })
        || is_web_token(word)
}

/// Three parts in base 64, of which the first is a JSON object (RFC 7519).
fn is_web_token(word: &str) -> bool {
    word.starts_with("eyJ") && word.split('.').filter(|part| part.len() >= 10).count() == 3
}

fn private_keys(text: &str) -> Vec<(usize, usize)> {
    let starts = text.match_indices(PEM.0).filter(|(start, _)| {
        let head = text.get(*start..).and_then(|rest| rest.get(PEM.0.len()..)).unwrap_or_default();
        head.split("-----").next().is_some_and(|kind| kind.ends_with("PRIVATE KEY"))
    });
    let end_of = |start: usize| {
        let rest = text.get(start + PEM.0.len()..)?;
        let footer = start + PEM.0.len() + rest.find(PEM.1)?;
        let after = footer + PEM.1.len();
        Some(after + text.get(after..)?.find("-----")? + 5)
    };
    starts.map(|(start, _)| (start, end_of(start).unwrap_or(text.len()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_the_form_of_a_secret_is_taken_out() {
        for (text, expected) in [
            ("use sk-proj-abcdefghijklmnop1234 now", "use [redacted] now"),
            ("{\"key\":\"AKIAIOSFODNN7EXAMPLE\"}", "{\"key\":\"[redacted]\"}"),
            ("token=ghp_abcdefghijklmnopqrstuvwxyz0123456789,", "token=[redacted],"),
            ("a\\nsk-ant-api03-abcdefghijklmnopqrst", "a\\[redacted]"),
            (
                "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpM",
                "Bearer [redacted]",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- after",
                "[redacted] after",
            ),
            ("-----BEGIN PRIVATE KEY-----\nMIIE, cut", "[redacted]"),
        ] {
            assert_eq!(redact(text), expected, "{text}");
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            "",
            "ask-me about sk-learn and the task-list",
            "AKIA is a prefix; pk-1 too",
            "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
            "eyJ is how base 64 of {\" begins",
            "grüße, 世界 🎉",
        ] {
            assert!(matches!(redact(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
