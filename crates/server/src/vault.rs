//! Encrypts provider keys, and the secrets of webhooks, before they are stored.
//!
//! AES-256-GCM with a fresh random nonce each time. The cipher's key and its public id are derived from the master key
//! (`ENCRYPTION_KEY`) with HKDF-SHA256; user and provider are bound as associated data, so that a row copied to another
//! account does not open. The format is pinned by a test against another implementation: it must not change silently.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use domain::{Secret, UserId, WebhookId, provider_key::Sealed};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use rand::RngExt as _;
use sha2::Sha256;
use zeroize::Zeroizing;

const SALT: &[u8] = b"ai-cost-tracker";
const KEY_INFO: &[u8] = b"provider-key v1";
const KEY_ID_INFO: &[u8] = b"provider-key id v1";
const FINGERPRINT_INFO: &[u8] = b"fingerprint v1";
/// Stands in the place of a provider; no provider's name holds NUL.
const WEBHOOK: &str = "\0webhook";

/// Seals and opens provider keys.
#[derive(Debug)]
pub struct Vault {
    current: MasterKey,
    previous: Option<MasterKey>,
}

/// A sealed key could not be opened. Carries nothing of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// It was sealed under a master key that is not configured.
    #[error(
        "this provider key was sealed under master key {needed}, but ENCRYPTION_KEY is {current}; set \
         AICT_AUTH__PREVIOUS_ENCRYPTION_KEY to the value under which it was sealed, or add the provider key again"
    )]
    UnknownKey {
        /// Id of the master key that is missing.
        needed: String,
        /// Id of the configured master key.
        current: String,
    },
    /// AES-GCM encrypts no more than 64 GiB.
    #[error("this provider key is too long to be encrypted")]
    TooLong,
    /// The master key is known but the ciphertext is not one of its own for this user and provider.
    #[error(
        "the stored key of {provider} cannot be opened: it was altered or belongs to another account; add it again"
    )]
    Altered {
        /// Whose key it claims to be.
        provider: String,
    },
}

impl Vault {
    /// HMAC-SHA256 of `text` under a key of this installation: the same text is recognised, and not found by trying.
    pub fn fingerprint(&self, text: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.current.fingerprints.as_slice()) else {
            unreachable!("HMAC takes keys of any length")
        };
        mac.update(text.as_bytes());
        let bytes = mac.finalize().into_bytes();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
    }

    /// A vault that seals under `master` and still opens what `previous` sealed.
    pub fn new(master: &Secret, previous: Option<&Secret>) -> Self {
        Self { current: MasterKey::derive(master), previous: previous.map(MasterKey::derive) }
    }

    /// Encrypts `key` so that only this user's entry for this provider can be opened with it.
    pub fn seal(&self, user: UserId, provider: &str, key: &Secret) -> Result<Sealed, VaultError> {
        self.seal_for(user.bytes(), provider, key)
    }

    /// The key that [`Self::seal`] encrypted for this user and provider.
    pub fn open(&self, user: UserId, provider: &str, sealed: &Sealed) -> Result<Secret, VaultError> {
        self.open_for(user.bytes(), provider, sealed)
    }

    /// Encrypts the secret that signs what a webhook is sent.
    pub fn seal_webhook(&self, webhook: WebhookId, secret: &Secret) -> Result<Sealed, VaultError> {
        self.seal_for(webhook.bytes(), WEBHOOK, secret)
    }

    /// The secret that [`Self::seal_webhook`] encrypted for this webhook.
    pub fn open_webhook(&self, webhook: WebhookId, sealed: &Sealed) -> Result<Secret, VaultError> {
        self.open_for(webhook.bytes(), WEBHOOK, sealed)
    }

    /// The nonce does not come from a generator that is passed in: one that a test seeds, and a nonce that repeats, would
    /// give keys away.
    fn seal_for(&self, id: &[u8; 12], label: &str, secret: &Secret) -> Result<Sealed, VaultError> {
        let nonce: [u8; 12] = rand::rng().random();
        let aad = associated_data(id, label);
        let message = Payload { msg: secret.expose().as_bytes(), aad: &aad };
        let ciphertext =
            self.current.cipher.encrypt(&nonce.into(), message).map_err(|_| VaultError::TooLong)?;
        Ok(Sealed { key_id: self.current.id.clone(), nonce, ciphertext })
    }

    fn open_for(&self, id: &[u8; 12], label: &str, sealed: &Sealed) -> Result<Secret, VaultError> {
        let master = self.find_master(&sealed.key_id).ok_or_else(|| VaultError::UnknownKey {
            needed: sealed.key_id.clone(),
            current: self.current.id.clone(),
        })?;
        let aad = associated_data(id, label);
        let message = Payload { msg: &sealed.ciphertext, aad: &aad };
        // Neither error is passed on: one says nothing, the other holds the plaintext.
        let plaintext = master.cipher.decrypt(&sealed.nonce.into(), message).ok();
        plaintext
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(Secret::new)
            .ok_or_else(|| VaultError::Altered { provider: label.trim_matches('\0').to_owned() })
    }

    /// Whether `sealed` should be opened and sealed again, because another master key than the current one sealed it.
    pub fn needs_rotation(&self, sealed: &Sealed) -> bool {
        sealed.key_id != self.current.id
    }

    fn find_master(&self, key_id: &str) -> Option<&MasterKey> {
        [Some(&self.current), self.previous.as_ref()].into_iter().flatten().find(|master| master.id == key_id)
    }
}

struct MasterKey {
    id: String,
    cipher: Aes256Gcm,
    fingerprints: Zeroizing<[u8; 32]>,
}

impl MasterKey {
    fn derive(master: &Secret) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(SALT), master.expose().as_bytes());
        let key: Zeroizing<[u8; 32]> = expand(&hkdf, KEY_INFO);
        // Eight bytes tell master keys apart and are far too few to find one.
        let id: Zeroizing<[u8; 8]> = expand(&hkdf, KEY_ID_INFO);
        let fingerprints = expand(&hkdf, FINGERPRINT_INFO);
        let id = format!("{:016x}", u64::from_be_bytes(*id));
        Self { id, cipher: Aes256Gcm::new(&(*key).into()), fingerprints }
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey").field("id", &self.id).finish_non_exhaustive()
    }
}

fn expand<const N: usize>(hkdf: &Hkdf<Sha256>, info: &[u8]) -> Zeroizing<[u8; N]> {
    let mut output = Zeroizing::new([0; N]);
    if hkdf.expand(info, output.as_mut_slice()).is_err() {
        unreachable!("HKDF-SHA256 gives up to 8160 bytes")
    }
    output
}

/// The id has a fixed length, so that no other pair of user and provider gives the same bytes.
fn associated_data(id: &[u8; 12], label: &str) -> Vec<u8> {
    [id.as_slice(), &[0], label.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASTER: &str = "correct-horse-battery-staple-0123456789";
    const OTHER: &str = "another-master-key-of-enough-length-42";

    fn vault(master: &str, previous: Option<&str>) -> Vault {
        Vault::new(&Secret::new(master), previous.map(Secret::new).as_ref())
    }

    fn user(last: u8) -> UserId {
        UserId::from_bytes([0x50, 0x7f, 0x1f, 0x77, 0xbc, 0xf8, 0x6c, 0xd7, 0x99, 0x43, 0x90, last])
    }

    fn sealed_by(vault: &Vault) -> Sealed {
        vault.seal(user(0x11), "openai", &Secret::new("sk-proj-abcdefghijkl")).unwrap()
    }

    #[test]
    fn a_fingerprint_tells_the_same_text_again_and_only_under_the_same_key() {
        let (one, other) = (vault(MASTER, None), vault(OTHER, None));
        assert_eq!(
            one.fingerprint("ada@example.com"),
            vault(MASTER, Some(OTHER)).fingerprint("ada@example.com")
        );
        assert_ne!(one.fingerprint("ada@example.com"), one.fingerprint("bob@example.com"));
        assert_ne!(one.fingerprint("ada@example.com"), other.fingerprint("ada@example.com"));
    }

    #[test]
    fn what_was_sealed_opens_for_its_user_and_provider_only() {
        let vault = vault(MASTER, None);
        let sealed = sealed_by(&vault);
        assert_eq!(vault.open(user(0x11), "openai", &sealed), Ok(Secret::new("sk-proj-abcdefghijkl")));
        let altered = |provider: &str| Err(VaultError::Altered { provider: provider.to_owned() });
        assert_eq!(vault.open(user(0x12), "openai", &sealed), altered("openai"));
        assert_eq!(vault.open(user(0x11), "anthropic", &sealed), altered("anthropic"));
        assert!(!vault.needs_rotation(&sealed));
    }

    #[test]
    fn a_secret_of_a_webhook_opens_for_that_webhook_only() {
        let vault = vault(MASTER, None);
        let id = WebhookId::from_bytes(*user(0x11).bytes());
        let sealed = vault.seal_webhook(id, &Secret::new("whsec_x")).unwrap();
        assert_eq!(vault.open_webhook(id, &sealed), Ok(Secret::new("whsec_x")));
        assert!(vault.open_webhook(WebhookId::from_bytes([9; 12]), &sealed).is_err());
        assert!(vault.open(user(0x11), "webhook", &sealed).is_err(), "it does not pass for a provider key");
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let vault = vault(MASTER, None);
        let sealed = sealed_by(&vault);
        for bit in 0..sealed.nonce.len() * 8 {
            let mut wrong = sealed.clone();
            wrong.nonce[bit / 8] ^= 1 << (bit % 8);
            assert!(vault.open(user(0x11), "openai", &wrong).is_err(), "nonce bit {bit}");
        }
        for bit in 0..sealed.ciphertext.len() * 8 {
            let mut wrong = sealed.clone();
            wrong.ciphertext[bit / 8] ^= 1 << (bit % 8);
            assert!(vault.open(user(0x11), "openai", &wrong).is_err(), "ciphertext bit {bit}");
        }
        for length in 0..sealed.ciphertext.len() {
            let wrong = Sealed { ciphertext: sealed.ciphertext[..length].to_vec(), ..sealed.clone() };
            assert!(vault.open(user(0x11), "openai", &wrong).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn two_seals_of_one_key_differ() {
        let vault = vault(MASTER, None);
        let (one, two) = (sealed_by(&vault), sealed_by(&vault));
        assert_ne!(one.nonce, two.nonce);
        assert_ne!(one.ciphertext, two.ciphertext);
    }

    #[test]
    fn the_previous_master_key_opens_and_asks_for_rotation() {
        let sealed = sealed_by(&vault(MASTER, None));
        let rotated = vault(OTHER, Some(MASTER));
        assert!(rotated.needs_rotation(&sealed));
        assert!(rotated.open(user(0x11), "openai", &sealed).is_ok());
        assert!(!rotated.needs_rotation(&sealed_by(&rotated)));
    }

    #[test]
    fn a_missing_master_key_is_named() {
        let sealed = sealed_by(&vault(MASTER, None));
        let error = vault(OTHER, None).open(user(0x11), "openai", &sealed).unwrap_err();
        assert!(matches!(&error, VaultError::UnknownKey { needed, .. } if *needed == sealed.key_id));
        assert!(error.to_string().contains(&sealed.key_id));
    }

    // Computed with Python's `cryptography` 50.0.2: HKDF(SHA256, 32, b"ai-cost-tracker", b"provider-key v1") of MASTER,
    // HKDF(SHA256, 8, b"ai-cost-tracker", b"provider-key id v1") for the id, and AESGCM(key).encrypt(bytes(range(12)),
    // b"sk-proj-abcdefghijkl", user id + b"\0openai").
    #[test]
    fn the_format_is_the_one_of_another_implementation() {
        let ciphertext = "8ad92a38da7f1fb4688c770cc3c36ef5cf501f56bc4797d5bc05609954ce0430dfd0d862";
        let sealed = Sealed {
            key_id: "e84d684d60188067".to_owned(),
            nonce: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
            ciphertext: ciphertext
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect(),
        };
        let opened = vault(MASTER, None).open(user(0x11), "openai", &sealed);
        assert_eq!(opened, Ok(Secret::new("sk-proj-abcdefghijkl")));
    }

    #[test]
    fn nothing_prints_a_key() {
        let printed = format!("{:?}", vault(MASTER, Some(OTHER)));
        assert!(!printed.contains("battery") && !printed.contains("another"), "{printed}");
    }
}
