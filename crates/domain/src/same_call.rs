//! Which records are of the same call, and which of them stands for it.
//!
//! A call may be told of by the gateway that it went through, by the client that made it, and by spans and events of it.
//! They find each other by keys: a record's own, and others that its provider gave to the same request.

use std::mem;

use jiff::SignedDuration;
use pricing::Unit;

use crate::{
    allocation::CostAllocation,
    usage_record::{Origin, UsageRecord},
};

/// How keys begin that are made of the provider's id of a reply.
pub(crate) const REPLY: &str = "reply:";
/// Keys that a record may have beside its own before it learns no more of them.
const OTHER_KEYS_MAX: usize = 8;
/// How long after it was recorded a record learns whom its call was for. What people have corrected or erased since is not
/// to be brought back by a trace that is sent again.
const LEARNS_FOR: SignedDuration = SignedDuration::from_hours(1);

/// What becomes of a record, and of others of its call that were kept before.
#[derive(Debug, Clone, PartialEq)]
pub enum Settled {
    /// It is kept, in the place of these.
    Kept(Box<UsageRecord>, Vec<UsageRecord>),
    /// One that was kept before stands for the call.
    Known {
        /// As it was.
        before: Box<UsageRecord>,
        /// As it is with what it learns.
        after: Box<UsageRecord>,
        /// Others that it takes the place of.
        gone: Vec<UsageRecord>,
    },
}

/// Settles which record stands for a call: `record`, or one of `known`, which are kept and [of its
/// call](UsageRecord::is_of_call). Of the keys of `record` nobody has `free_keys` yet; others that the one that stands does not
/// show were erased from it.
pub fn settle(mut record: UsageRecord, known: Vec<UsageRecord>, free_keys: &[String]) -> Settled {
    let mut gone = Vec::new();
    let mut best: Option<UsageRecord> = None;
    for known in known {
        match best.take() {
            None => best = Some(known),
            Some(before) if known.supersedes(&before) => {
                gone.push(before);
                best = Some(known);
            }
            Some(before) => {
                best = Some(before);
                if known.origin == Origin::Otlp {
                    gone.push(known);
                } else {
                    // Of those who made calls none is taken for another's: it stays, with its keys.
                    record.other_keys.retain(|key| known.keys().all(|other| other != key));
                }
            }
        }
    }
    let Some(best) = best else { return Settled::Kept(Box::new(record), gone) };
    if record.supersedes(&best) {
        gone.insert(0, best);
        for gone in &gone {
            record.take_over(gone);
        }
        return Settled::Kept(Box::new(record), gone);
    }
    let mut after = best.clone();
    for gone in &gone {
        after.take_over(gone);
    }
    after.learn(&record, free_keys);
    Settled::Known { before: Box::new(best), after: Box::new(after), gone }
}

impl UsageRecord {
    /// Every key of the call, the record's own first.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.request_id.iter().chain(&self.other_keys).map(String::as_str)
    }

    /// Whether this record is of the call of `kept`, which has its `key`. Its own key says so. Another one is an id that
    /// several calls may share: it does so only where a trace or a log told of one of both, and not where they are of
    /// different replies.
    pub fn is_of_call(&self, kept: &Self, key: &str) -> bool {
        let is_told = self.origin == Origin::Otlp || kept.origin == Origin::Otlp;
        self.request_id.as_deref() == Some(key) || (is_told && !self.is_of_another_reply(kept))
    }

    fn is_of_another_reply(&self, other: &Self) -> bool {
        let own = self.keys().find(|key| key.starts_with(REPLY));
        own.zip(other.keys().find(|key| key.starts_with(REPLY))).is_some_and(|(own, other)| own != other)
    }

    /// Whether this record is to be kept in the place of `kept`, which is of the same call: what a trace or a log tells of a
    /// call gives way to whoever made it, and to one that tells more of it: more kinds of tokens, or more output. The same
    /// told again changes nothing.
    pub fn supersedes(&self, kept: &Self) -> bool {
        let told = |record: &Self| {
            let kinds = record.usage.iter().filter(|(unit, count)| *unit != Unit::TotalTokens && *count > 0);
            (kinds.count(), record.usage.get(Unit::OutputTokens))
        };
        kept.origin == Origin::Otlp && (self.origin != Origin::Otlp || told(self) > told(kept))
    }

    /// Keeps what `other`, which was of the same call and is no longer kept, knows and this one does not.
    fn take_over(&mut self, other: &Self) {
        self.take_attribution(other);
        self.take_keys(other.keys());
    }

    /// Keeps what `other`, which is of the same call and not kept, knows and this one does not.
    fn learn(&mut self, other: &Self, free_keys: &[String]) {
        let since = other.recorded_at.duration_since(self.recorded_at);
        if other.origin == Origin::Otlp && since <= LEARNS_FOR {
            self.take_attribution(other);
        }
        if self.other_keys.len() < OTHER_KEYS_MAX {
            self.take_keys(free_keys.iter().map(String::as_str));
        }
    }

    /// Whom the call was for, and to what it belongs.
    fn take_attribution(&mut self, other: &Self) {
        if self.tags.is_empty() {
            self.tags = other.tags.clone();
        }
        if self.allocation == CostAllocation::default() {
            self.allocation = other.allocation.clone();
        }
        let fill = |own: &mut Option<String>, other: &Option<String>| {
            *own = mem::take(own).or_else(|| other.clone());
        };
        fill(&mut self.user_email, &other.user_email);
        fill(&mut self.customer_email, &other.customer_email);
        fill(&mut self.session_id, &other.session_id);
        fill(&mut self.trace_id, &other.trace_id);
    }

    fn take_keys<'a>(&mut self, keys: impl Iterator<Item = &'a str>) {
        for key in keys {
            if self.keys().any(|own| own == key) {
                continue;
            }
            match self.request_id {
                None => self.request_id = Some(key.to_owned()),
                Some(_) => self.other_keys.push(key.to_owned()),
            }
        }
    }
}
