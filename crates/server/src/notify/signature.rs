//! Signatures of webhooks, as Standard Webhooks asks for
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, "Verifying webhook
//! authenticity").

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Secret, webhook::SECRET_PREFIX};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// `webhook-signature`: for each secret `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, with a space
/// between. `None` if a secret is not one of ours.
pub fn sign<'a>(
    secrets: impl IntoIterator<Item = &'a Secret>,
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> Option<String> {
    let signatures: Option<Vec<String>> =
        secrets.into_iter().map(|secret| sign_with(secret, id, timestamp, body)).collect();
    Some(signatures?.join(" "))
}

fn sign_with(secret: &Secret, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let key = STANDARD.decode(secret.expose().strip_prefix(SECRET_PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The vector that the reference implementations of Standard Webhooks are tested with.
    #[test]
    fn the_published_vector_is_signed_as_published() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed =
            sign([&secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn two_secrets_give_two_signatures() {
        let secrets = [1_u8, 2].map(|n| Secret::new(format!("whsec_{}", STANDARD.encode([n; 32]))));
        let both = sign(&secrets, "id", 1, b"{}").unwrap();
        let each: Vec<String> =
            secrets.iter().map(|secret| sign([secret], "id", 1, b"{}").unwrap()).collect();
        assert_eq!(both, each.join(" "));
    }

    #[test]
    fn a_secret_of_another_kind_signs_nothing() {
        for wrong in ["", "whsec_%%%", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert_eq!(sign([&Secret::new(wrong)], "id", 1, b"{}"), None, "{wrong}");
        }
    }
}
