//! Identifiers: 24 hexadecimal digits, the same in every store.
//!
//! The layout is MongoDB's ObjectId (<https://www.mongodb.com/docs/manual/reference/bson-types/#objectid>): four bytes
//! of seconds since the epoch, five random bytes of the process, three bytes of a counter. Ids of one process sort by
//! creation.

use std::{
    fmt,
    marker::PhantomData,
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
};

use jiff::Timestamp;
use rand::RngExt as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Identifies a thing of kind `K`; ids of different kinds do not mix.
pub struct Id<K> {
    bytes: [u8; 12],
    kind: PhantomData<fn() -> K>,
}

/// Kind of [`UserId`].
#[derive(Debug)]
pub enum UserKind {}
/// Kind of [`ProjectId`].
#[derive(Debug)]
pub enum ProjectKind {}
/// Kind of [`UsageId`].
#[derive(Debug)]
pub enum UsageKind {}
/// Kind of [`KeyId`].
#[derive(Debug)]
pub enum KeyKind {}
/// Kind of [`EventId`].
#[derive(Debug)]
pub enum EventKind {}
/// Kind of [`DeliveryId`].
#[derive(Debug)]
pub enum DeliveryKind {}
/// Kind of [`WebhookId`].
#[derive(Debug)]
pub enum WebhookKind {}
/// Kind of [`BudgetId`].
#[derive(Debug)]
pub enum BudgetKind {}
/// Kind of [`IncreaseId`].
#[derive(Debug)]
pub enum IncreaseKind {}
/// Kind of [`AlertId`].
#[derive(Debug)]
pub enum AlertKind {}
/// Kind of [`AnomalyId`].
#[derive(Debug)]
pub enum AnomalyKind {}
/// Kind of [`AnnotationId`].
#[derive(Debug)]
pub enum AnnotationKind {}
/// Identifies a person's account.
pub type UserId = Id<UserKind>;
/// Identifies a project.
pub type ProjectId = Id<ProjectKind>;
/// Identifies a usage record.
pub type UsageId = Id<UsageKind>;
/// Identifies a tracker API key, an invitation or a family of refresh tokens.
pub type KeyId = Id<KeyKind>;
/// Identifies something that happened; receivers of webhooks tell repetitions by it.
pub type EventId = Id<EventKind>;
/// Identifies one event on its way to one destination.
pub type DeliveryId = Id<DeliveryKind>;
/// Identifies a webhook.
pub type WebhookId = Id<WebhookKind>;
/// Identifies a budget's alert that fired.
pub type AlertId = Id<AlertKind>;
/// Identifies an anomaly that was found.
pub type AnomalyId = Id<AnomalyKind>;
/// Identifies something that happened and that costs are looked at against.
pub type AnnotationId = Id<AnnotationKind>;
/// Identifies a budget; of a project's budget it is the project's id.
pub type BudgetId = Id<BudgetKind>;
/// Identifies a temporary increase of a budget.
pub type IncreaseId = Id<IncreaseKind>;

/// The text is not 24 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an id of 24 hexadecimal digits")]
pub struct NotAnId;

impl<K> Id<K> {
    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self { bytes, kind: PhantomData }
    }

    /// The twelve bytes, most significant first.
    pub const fn bytes(&self) -> &[u8; 12] {
        &self.bytes
    }
}

impl<K> FromStr for Id<K> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let digits = text.as_bytes();
        if digits.len() != 24 {
            return Err(NotAnId);
        }
        let mut bytes = [0; 12];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Ok(Self::from_bytes(bytes))
    }
}

fn hex_digit(digit: u8) -> Result<u8, NotAnId> {
    match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        b'A'..=b'F' => Ok(digit - b'A' + 10),
        _ => Err(NotAnId),
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// Written out because a derive would ask the same of `K`.
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bytes.cmp(&other.bytes)
    }
}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl<K> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Makes new ids of one process.
#[derive(Debug)]
pub struct IdSource {
    process: [u8; 5],
    counter: AtomicU32,
}

impl IdSource {
    /// A source whose process part and first count come from `rng`.
    pub fn new(rng: &mut impl rand::Rng) -> Self {
        Self { process: rng.random(), counter: AtomicU32::new(rng.random()) }
    }

    /// A new id, made at `at`.
    pub fn next<K>(&self, at: Timestamp) -> Id<K> {
        // Seconds of an ObjectId are 32 bits wide: they last until 2106.
        let seconds = u32::try_from(at.as_second().max(0)).unwrap_or(u32::MAX);
        let count = self.counter.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..9].copy_from_slice(&self.process);
        bytes[9..].copy_from_slice(&count[1..]);
        Id::from_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_24_hexadecimal_digits() {
        let id: UserId = "507f1f77bcf86cd799439011".parse().unwrap();
        assert_eq!(id.to_string(), "507f1f77bcf86cd799439011");
        for wrong in [
            "",
            "507f1f77bcf86cd79943901",
            "507f1f77bcf86cd79943901g",
            "507f1f77bcf86cd7994390111",
            "é07f1f77bcf86cd79943901",
        ] {
            assert_eq!(wrong.parse::<UserId>(), Err(NotAnId), "{wrong}");
        }
    }

    #[test]
    fn ids_carry_their_second_and_never_repeat() {
        let ids = IdSource::new(&mut rand::rng());
        let at: Timestamp = "2024-01-15T10:30:00Z".parse().unwrap();
        let made: std::collections::BTreeSet<UsageId> = (0..10_000).map(|_| ids.next(at)).collect();
        assert_eq!(made.len(), 10_000);
        assert!(made.iter().all(|id| id.to_string().starts_with("65a50928")));
    }
}
