//! Secrets that anybody could guess are refused.

use domain::Secret;

use super::Auth;

/// As many as HMAC-SHA256 gives (RFC 7518, 3.2, asks for no fewer).
const BYTES_MIN: usize = 32;
/// Distinct bytes of a secret at least; 32 random hexadecimal digits have fewer once in a billion.
const DISTINCT_MIN: usize = 8;
/// Parts of values that documentation and examples use.
const PLACEHOLDERS: [&str; 13] = [
    "your-jwt-secret",
    "your_jwt_secret",
    "your-encryption-key",
    "your_encryption_key",
    "your-secret",
    "your_secret",
    "changeme",
    "change-me",
    "change_me",
    "change-this",
    "change_this",
    "supersecret",
    "super-secret",
];
const ADVICE: &str =
    "`openssl rand -base64 32` makes a good one; left out, one is generated and kept in store.data_dir";

/// What is wrong with the secrets that are configured, by key.
pub(super) fn check_configured(auth: &Auth) -> Vec<Option<(&'static str, String)>> {
    let weakness = |secret: &Option<Secret>| secret.as_ref().and_then(find_weakness);
    let same = |one: &Option<Secret>, other: &Option<Secret>| one.is_some() && one == other;
    vec![
        weakness(&auth.jwt_secret).map(|message| ("auth.jwt_secret", message)),
        weakness(&auth.encryption_key).map(|message| ("auth.encryption_key", message)),
        same(&auth.jwt_secret, &auth.encryption_key).then(|| {
            let message = "must differ from auth.jwt_secret: who learns one must not have the other";
            ("auth.encryption_key", format!("{message}. {ADVICE}"))
        }),
        same(&auth.encryption_key, &auth.previous_encryption_key).then(|| {
            let message = "is the same as auth.encryption_key; unset it, there is nothing to rotate";
            ("auth.previous_encryption_key", message.to_owned())
        }),
    ]
}

/// Why `secret` must not be used, and what to do.
pub(super) fn find_weakness(secret: &Secret) -> Option<String> {
    let text = secret.expose();
    let lower = text.to_lowercase();
    let why = if PLACEHOLDERS.iter().any(|placeholder| lower.contains(placeholder)) {
        "is a placeholder that anybody can look up".to_owned()
    } else if text.len() < BYTES_MIN {
        format!("has {} bytes; at least {BYTES_MIN} are needed", text.len())
    } else if text.contains(char::REPLACEMENT_CHARACTER) {
        "is not valid UTF-8".to_owned()
    } else if count_distinct(text.as_bytes()) < DISTINCT_MIN || is_repetitive(text.as_bytes()) {
        "repeats itself and can be guessed".to_owned()
    } else {
        return None;
    };
    Some(format!("{why}. {ADVICE}"))
}

fn count_distinct(bytes: &[u8]) -> usize {
    bytes.iter().collect::<std::collections::BTreeSet<_>>().len()
}

/// Whether a part of at most half the length comes again and again.
fn is_repetitive(bytes: &[u8]) -> bool {
    (1..=bytes.len() / 2).any(|period| bytes[period..] == bytes[..bytes.len() - period])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessable_secrets_are_refused() {
        for (weak, why) in [
            ("your-jwt-secret", "placeholder"),
            ("YOUR-ENCRYPTION-KEY-32-chars", "placeholder"),
            ("please-changeme-please-changeme-0123", "placeholder"),
            ("secret", "6 bytes"),
            ("0123456789abcdef0123456789abcde", "31 bytes"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "repeats"),
            ("0123456789abcdef0123456789abcdef", "repeats"),
            ("abababacabababacababadababababab", "repeats"),
            ("fj3k-\u{FFFD}-d92k1-0skd8-29skd-1k2j3-0k", "UTF-8"),
        ] {
            let message = find_weakness(&Secret::new(weak)).unwrap_or_default();
            assert!(message.contains(why) && message.contains("openssl"), "{weak}: {message}");
        }
    }

    #[test]
    fn random_secrets_are_accepted() {
        for strong in [
            "9f86d081884c7d659a2feaa0c55ad015",
            "kX2mTt0kq0dVJcOe2nQ3o8yJ8o2h0bqVh9yZc3mF1aE=",
            "correct horse battery staple and then some",
        ] {
            assert_eq!(find_weakness(&Secret::new(strong)), None, "{strong}");
        }
    }
}
