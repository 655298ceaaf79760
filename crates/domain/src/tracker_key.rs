//! Tracker API keys: how programs authenticate to this server.
//!
//! `aict_` + 32 random bytes in base 62 (43 digits) + a CRC-32 of those digits in base 62 (6 digits), so that a secret
//! scanner can tell a key from any other text without asking the server.

use std::{fmt, net::IpAddr, str::FromStr};

use jiff::Timestamp;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use crate::{Invalid, KeyId, ProjectId, Secret, UserId};

/// What every tracker key starts with.
pub const PREFIX: &str = "aict_";
const KEY_DIGITS: usize = 43;
const CHECK_DIGITS: usize = 6;

/// What a tracker key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Send usage.
    Ingest,
    /// Read usage, analytics and projects.
    Read,
    /// Change projects and correct records.
    Write,
    /// Everything, keys and members included.
    Admin,
}

impl Scope {
    /// Every scope, weakest first.
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Read, Self::Write, Self::Admin];

    /// The word for it in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// Whether a key that holds this scope may do what needs `wanted`: `admin` does everything, `write` also reads.
    pub fn allows(self, wanted: Self) -> bool {
        self == wanted || self == Self::Admin || (self == Self::Write && wanted == Self::Read)
    }
}

/// SHA-256 of a token; what is stored in its place.
pub type TokenHash = [u8; 32];

/// The hash under which a secret token of high entropy is stored.
pub fn hash_token(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// A network in CIDR form, e.g. `10.0.0.0/8`; a bare address is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// Whether `address` is inside. An IPv4 address mapped into IPv6 counts as the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.prefix_bits);
                u32::from(network).checked_shr(shift).unwrap_or(0)
                    == u32::from(address).checked_shr(shift).unwrap_or(0)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.prefix_bits);
                u128::from(network).checked_shr(shift).unwrap_or(0)
                    == u128::from(address).checked_shr(shift).unwrap_or(0)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = || {
            Invalid::field(
                "allowedIps",
                format!("{text:?} is not an address or a network such as 10.0.0.0/8"),
            )
        };
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.trim().parse().map_err(|_| wrong())?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = prefix.map_or(Ok(bits_max), |bits| bits.trim().parse().map_err(|_| wrong()))?;
        if prefix_bits > bits_max { Err(wrong()) } else { Ok(Self { address, prefix_bits }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

/// What may go through the gateway in a minute; `None` is no limit of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PerMinute {
    /// Calls.
    pub requests: Option<u32>,
    /// Tokens, in and out.
    pub tokens: Option<u32>,
}

/// A tracker key as it is kept: everything but the key.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackerKey {
    /// Identifies it in lists and logs.
    pub id: KeyId,
    /// Who made it; what it records belongs to them.
    pub user_id: UserId,
    /// What it is for.
    pub name: String,
    /// First and last four characters.
    pub masked: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Project of records that name none.
    pub project_id: Option<ProjectId>,
    /// Networks it may be used from; any when empty.
    pub allowed_ips: Vec<Network>,
    /// What it may send through the gateway.
    pub per_minute: PerMinute,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last authenticated a request, to the minute.
    pub last_used_at: Option<Timestamp>,
}

impl TrackerKey {
    /// Whether it still works at `at`.
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.expires_at.is_none_or(|expires_at| at < expires_at)
    }

    /// Whether it may be used from `address`.
    pub fn allows_address(&self, address: Option<IpAddr>) -> bool {
        self.allowed_ips.is_empty()
            || address.is_some_and(|a| self.allowed_ips.iter().any(|network| network.contains(a)))
    }
}

/// A new random key.
pub fn generate(rng: &mut impl rand::CryptoRng) -> Secret {
    let random: [u8; 32] = rng.random();
    let digits = base62(&random, KEY_DIGITS);
    Secret::new(format!("{PREFIX}{digits}{}", checksum(&digits)))
}

/// Whether `text` has the form and the checksum of a tracker key; a typing mistake is told without a look-up.
pub fn is_well_formed(text: &str) -> bool {
    text.strip_prefix(PREFIX).and_then(|rest| rest.split_at_checked(KEY_DIGITS)).is_some_and(
        |(digits, check)| {
            checksum(digits) == check && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
        },
    )
}

fn checksum(digits: &str) -> String {
    base62(&crc32fast::hash(digits.as_bytes()).to_be_bytes(), CHECK_DIGITS)
}

/// `bytes` as a big-endian number in base 62, padded to `width` digits.
fn base62(bytes: &[u8], width: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut number = bytes.to_vec();
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in &mut number {
            let value = remainder << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            remainder = value % 62;
        }
        *digit = DIGITS[remainder as usize];
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_can_be_told_by_its_checksum() {
        let key = generate(&mut rand::rng());
        let text = key.expose();
        assert_eq!(text.len(), PREFIX.len() + KEY_DIGITS + CHECK_DIGITS);
        assert!(is_well_formed(text));
        let wrong = if text.ends_with('0') { "1" } else { "0" };
        let mistyped = format!("{}{wrong}", text.get(..text.len() - 1).unwrap());
        for not_a_key in [mistyped.as_str(), "aict_", "", "sk-proj-123", "aict_é"] {
            assert!(!is_well_formed(not_a_key), "{not_a_key}");
        }
    }

    #[test]
    fn base62_counts_like_any_base() {
        assert_eq!(base62(&[0], 2), "00");
        assert_eq!(base62(&[61], 2), "0z");
        assert_eq!(base62(&[62], 2), "10");
        assert_eq!(base62(&[0xff; 32], KEY_DIGITS).len(), KEY_DIGITS);
    }

    #[test]
    fn networks_contain_their_addresses() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.168.1.7", "192.168.1.7", "192.168.1.8"),
            ("0.0.0.0/0", "8.8.8.8", "::1"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("10.0.0.0/8", "::ffff:10.1.1.1", "::ffff:11.1.1.1"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{network} {inside}");
            assert!(!network.contains(outside.parse().unwrap()), "{network} {outside}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "example.com", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn admin_does_everything_and_write_reads() {
        let allowed =
            |held: Scope| Scope::ALL.into_iter().filter(|wanted| held.allows(*wanted)).collect::<Vec<_>>();
        assert_eq!(allowed(Scope::Ingest), [Scope::Ingest]);
        assert_eq!(allowed(Scope::Read), [Scope::Read]);
        assert_eq!(allowed(Scope::Write), [Scope::Read, Scope::Write]);
        assert_eq!(allowed(Scope::Admin), Scope::ALL);
    }
}
