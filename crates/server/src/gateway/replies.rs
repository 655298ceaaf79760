//! Which record a reply has that came before.
//!
//! A provider that is asked the same again under an idempotency key gives the same reply, and that is one call. Which
//! record is kept of it is known for a while; afterwards, and when it came in by another door, only the store knows.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::{UsageId, UserId};

use crate::limits;

/// Replies that came lately.
#[derive(Debug, Default)]
pub(super) struct Replies(Mutex<Generations>);

/// When the younger one is full it is the older, and what was the older is forgotten.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Reply, UsageId>,
    old: HashMap<Reply, UsageId>,
}

type Reply = (UserId, String);

impl Replies {
    /// The record that is kept of the reply with `key`: `id`, unless it came before.
    pub(super) fn record_of(&self, user: UserId, key: &str, id: UsageId) -> UsageId {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = (user, key.to_owned());
        if let Some(kept) = known.young.get(&reply).or_else(|| known.old.get(&reply)) {
            return *kept;
        }
        if known.young.len() >= limits::GATEWAY_REPLIES_MAX / 2 {
            known.old = std::mem::take(&mut known.young);
        }
        known.young.insert(reply, id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_that_came_before_has_the_record_that_it_had() {
        let id = |number: usize| format!("{number:024x}").parse::<UsageId>().unwrap();
        let (replies, user, other) =
            (Replies::default(), UserId::from_bytes([1; 12]), UserId::from_bytes([2; 12]));
        assert_eq!(replies.record_of(user, "a", id(1)), id(1));
        assert_eq!(replies.record_of(user, "a", id(2)), id(1));
        assert_eq!(replies.record_of(other, "a", id(3)), id(3));
        for number in 0..limits::GATEWAY_REPLIES_MAX {
            replies.record_of(user, &number.to_string(), id(number));
        }
        let known = replies.0.lock().unwrap();
        assert!(known.young.len() + known.old.len() <= limits::GATEWAY_REPLIES_MAX);
        drop(known);
        assert_eq!(replies.record_of(user, "a", id(9)), id(9));
    }
}
