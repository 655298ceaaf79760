//! Tokens of people: signed access tokens, and opaque ones of which only the hash is kept.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    Secret, UserId,
    user::{Role, User},
};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

const ISSUER: &str = "ai-cost-tracker";

/// Signs and checks access tokens: JWTs with HS256, and with nothing else.
pub struct AccessTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    lifetime_seconds: i64,
}

/// What an access token says about the person who holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The account.
    #[serde(rename = "sub")]
    pub user_id: UserId,
    /// Its e-mail address when the token was signed.
    pub email: String,
    /// Its role when the token was signed.
    pub role: Role,
    typ: TokenType,
    iss: String,
    /// When it was signed, in seconds since the epoch.
    pub iat: i64,
    /// The first second at which it is no longer valid.
    pub exp: i64,
}

/// Keeps another kind of JWT, signed with the same secret, from passing for an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TokenType {
    Access,
}

/// Why an access token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was genuine, but its time is over: refresh.
    #[error("the access token has expired")]
    Expired,
    /// Not one of ours: malformed, of another kind, or signed with another secret or algorithm.
    #[error("the access token is not valid")]
    Invalid,
}

/// An access token could not be signed; HS256 gives no reason for it.
#[derive(Debug, thiserror::Error)]
#[error("an access token could not be signed: {0}")]
pub struct SigningError(#[from] jsonwebtoken::errors::Error);

impl AccessTokens {
    /// Tokens signed with `secret` that last `lifetime_minutes`.
    pub fn new(secret: &Secret, lifetime_minutes: u32) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // The library would ask the system's clock, with a minute of leeway; `verify` asks the clock it is given.
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["iss", "sub"]);
        validation.set_issuer(&[ISSUER]);
        Self {
            encoding: EncodingKey::from_secret(secret.expose().as_bytes()),
            decoding: DecodingKey::from_secret(secret.expose().as_bytes()),
            validation,
            lifetime_seconds: i64::from(lifetime_minutes) * 60,
        }
    }

    /// A token for `user`, valid from `now`.
    pub fn issue(&self, user: &User, now: Timestamp) -> Result<String, SigningError> {
        let claims = Claims {
            user_id: user.id,
            email: user.email.clone(),
            role: user.role,
            typ: TokenType::Access,
            iss: ISSUER.to_owned(),
            iat: now.as_second(),
            exp: now.as_second().saturating_add(self.lifetime_seconds),
        };
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)?)
    }

    /// The claims of `token`, if it is genuine and valid at `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        if now.as_second() < claims.exp { Ok(claims) } else { Err(TokenError::Expired) }
    }
}

impl std::fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessTokens")
            .field("lifetime_seconds", &self.lifetime_seconds)
            .finish_non_exhaustive()
    }
}

/// A new refresh token; only its hash is kept, by [`domain::tracker_key::hash_token`].
pub fn new_refresh_token(rng: &mut impl rand::CryptoRng) -> Secret {
    new_opaque("aictr_", rng)
}

/// A new invitation; only its hash is kept, by [`domain::tracker_key::hash_token`].
pub fn new_invitation_token(rng: &mut impl rand::CryptoRng) -> Secret {
    new_opaque("aicti_", rng)
}

/// A new token with which a person chooses another password; only its hash is kept, by
/// [`domain::tracker_key::hash_token`].
pub fn new_password_reset_token(rng: &mut impl rand::CryptoRng) -> Secret {
    new_opaque("aictp_", rng)
}

/// The prefix tells people and secret scanners what they found; the 256 random bits are the secret.
fn new_opaque(prefix: &str, rng: &mut impl rand::CryptoRng) -> Secret {
    let random: [u8; 32] = rng.random();
    Secret::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(random)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a-secret-for-tests-of-32-bytes-or-more";

    fn tokens(secret: &str) -> AccessTokens {
        AccessTokens::new(&Secret::new(secret), 60)
    }

    fn noon() -> Timestamp {
        "2024-01-15T12:00:00Z".parse().unwrap()
    }

    fn seconds_after_noon(seconds: i64) -> Timestamp {
        Timestamp::from_second(noon().as_second() + seconds).unwrap()
    }

    fn ada() -> User {
        User {
            id: "507f1f77bcf86cd799439011".parse().unwrap(),
            email: "ada@example.com".to_owned(),
            name: "Ada".to_owned(),
            role: Role::Owner,
            preferences: "{}".to_owned(),
            demo: false,
            created_at: noon(),
        }
    }

    fn jwt(header: &str, claims: &str) -> String {
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
    }

    /// `claims` signed with the right secret.
    fn signed(algorithm: Algorithm, claims: &serde_json::Value) -> String {
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap()
    }

    fn claims() -> serde_json::Value {
        serde_json::json!({
            "sub": "507f1f77bcf86cd799439011", "email": "ada@example.com", "role": "owner",
            "typ": "access", "iss": "ai-cost-tracker",
            "iat": noon().as_second(), "exp": noon().as_second() + 3600,
        })
    }

    fn with(field: &str, value: serde_json::Value) -> serde_json::Value {
        let mut claims = claims();
        claims[field] = value;
        claims
    }

    #[test]
    fn a_token_says_who_holds_it() {
        let token = tokens(SECRET).issue(&ada(), noon()).unwrap();
        let held = tokens(SECRET).verify(&token, noon()).unwrap();
        assert_eq!(
            (held.user_id, held.email.as_str(), held.role),
            (ada().id, "ada@example.com", Role::Owner)
        );
        assert_eq!(serde_json::to_value(&held).unwrap(), claims());
    }

    #[test]
    fn a_token_ends_exactly_at_exp() {
        let token = tokens(SECRET).issue(&ada(), noon()).unwrap();
        assert!(tokens(SECRET).verify(&token, seconds_after_noon(3599)).is_ok());
        assert_eq!(tokens(SECRET).verify(&token, seconds_after_noon(3600)), Err(TokenError::Expired));
    }

    #[test]
    fn the_claims_of_another_signer_or_kind_are_refused() {
        let verify = |token: &str| tokens(SECRET).verify(token, noon());
        assert!(verify(&signed(Algorithm::HS256, &claims())).is_ok());
        let other = tokens("another-secret-for-tests-of-32-bytes").issue(&ada(), noon()).unwrap();
        let mut without_exp = claims();
        without_exp.as_object_mut().unwrap().remove("exp");
        for wrong in [
            other,
            signed(Algorithm::HS384, &claims()),
            signed(Algorithm::HS512, &claims()),
            signed(Algorithm::HS256, &with("typ", "refresh".into())),
            signed(Algorithm::HS256, &with("iss", "somebody-else".into())),
            signed(Algorithm::HS256, &with("aud", "another-service".into())),
            signed(Algorithm::HS256, &with("role", "god".into())),
            signed(Algorithm::HS256, &with("sub", "1".into())),
            signed(Algorithm::HS256, &without_exp),
        ] {
            assert_eq!(verify(&wrong), Err(TokenError::Invalid), "{wrong}");
        }
    }

    #[test]
    fn unsigned_and_malformed_tokens_are_refused() {
        let genuine = tokens(SECRET).issue(&ada(), noon()).unwrap();
        let signature = genuine.rsplit('.').next().unwrap();
        let none = jwt(r#"{"alg":"none","typ":"JWT"}"#, &claims().to_string());
        let admin = jwt(r#"{"alg":"HS256","typ":"JWT"}"#, &with("role", "admin".into()).to_string());
        for wrong in [
            format!("{none}."),
            format!("{none}.{signature}"),
            format!("{admin}.{signature}"),
            none,
            genuine.replace('.', ""),
            format!("{genuine}x"),
            format!("{genuine}.{genuine}"),
            String::new(),
            "..".to_owned(),
            "é.é.é".to_owned(),
            "\0".to_owned(),
        ] {
            assert_eq!(tokens(SECRET).verify(&wrong, noon()), Err(TokenError::Invalid), "{wrong}");
        }
    }

    #[test]
    fn an_opaque_token_is_told_by_its_prefix_and_never_repeats() {
        let rng = &mut rand::rng();
        for (prefix, tokens) in [
            ("aictr_", [new_refresh_token(rng), new_refresh_token(rng)]),
            ("aicti_", [new_invitation_token(rng), new_invitation_token(rng)]),
            ("aictp_", [new_password_reset_token(rng), new_password_reset_token(rng)]),
        ] {
            assert!(
                tokens.iter().all(|token| token.expose().starts_with(prefix) && token.expose().len() == 49)
            );
            assert_ne!(tokens[0], tokens[1]);
        }
    }
}
