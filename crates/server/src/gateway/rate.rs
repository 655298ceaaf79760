//! Calls and tokens a minute, for a tracker key and for a project.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::{KeyId, ProjectId, tracker_key::PerMinute};
use jiff::Timestamp;

use crate::{
    error::{ApiError, ErrorCode, Result},
    limits,
};

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// A tracker key.
    Key(KeyId),
    /// A project.
    Project(ProjectId),
}

/// What was used lately.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<HashMap<(Subject, Measure), Bucket>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Measure {
    Requests,
    Tokens,
}

/// A bucket that a minute fills. Tokens are taken out when they are known, after the call, so that it may be in debt.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Sixty-thousandths of a unit: what the limit adds in a millisecond is a whole number of them.
    level: i64,
    at_ms: i64,
}

const PER_UNIT: i64 = 60_000;

impl Rates {
    /// Counts a call of each subject, or says how long to wait. A call that is refused is not counted.
    pub(super) fn admit(&self, subjects: &[(Subject, PerMinute)], now: Timestamp) -> Result<()> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        forget_full(&mut buckets, now);
        for (subject, limit) in subjects {
            for (measure, limit) in [(Measure::Requests, limit.requests), (Measure::Tokens, limit.tokens)] {
                let Some(limit) = limit.map(i64::from) else { continue };
                let bucket = buckets.entry((*subject, measure)).or_insert_with(|| Bucket::full(limit, now));
                bucket.fill(limit, now);
                let needed = if measure == Measure::Requests { PER_UNIT } else { 1 };
                if bucket.level < needed {
                    return Err(refusal(*subject, measure, limit, needed - bucket.level));
                }
            }
        }
        for (subject, _) in subjects.iter().filter(|(_, limit)| limit.requests.is_some()) {
            if let Some(bucket) = buckets.get_mut(&(*subject, Measure::Requests)) {
                bucket.level -= PER_UNIT;
            }
        }
        Ok(())
    }

    /// Counts the tokens of a call that has ended.
    pub(super) fn used(&self, subjects: &[(Subject, PerMinute)], tokens: u64) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = i64::try_from(tokens).unwrap_or(i64::MAX).saturating_mul(PER_UNIT);
        for (subject, _) in subjects {
            if let Some(bucket) = buckets.get_mut(&(*subject, Measure::Tokens)) {
                bucket.level = bucket.level.saturating_sub(taken);
            }
        }
    }
}

impl Bucket {
    fn full(limit: i64, now: Timestamp) -> Self {
        Self { level: limit * PER_UNIT, at_ms: now.as_millisecond() }
    }

    fn fill(&mut self, limit: i64, now: Timestamp) {
        let now_ms = now.as_millisecond();
        let passed_ms = now_ms.saturating_sub(self.at_ms).max(0);
        self.level = self.level.saturating_add(passed_ms.saturating_mul(limit)).min(limit * PER_UNIT);
        self.at_ms = now_ms;
    }
}

fn refusal(subject: Subject, measure: Measure, limit: i64, missing: i64) -> ApiError {
    let whose = match subject {
        Subject::Key(_) => "this tracker key",
        Subject::Project(_) => "this project",
    };
    let what = match measure {
        Measure::Requests => "calls",
        Measure::Tokens => "tokens",
    };
    let wait_ms = missing.div_euclid(limit.max(1)) + 1;
    let seconds = u64::try_from(wait_ms / 1000 + 1).unwrap_or(60);
    let message = format!("{whose} may use {limit} {what} a minute; try again in {seconds} s");
    ApiError::new(ErrorCode::RateLimited, message).retry_after(seconds)
}

/// When there are many, those are forgotten that were not used for as long as it takes to be full again.
fn forget_full(buckets: &mut HashMap<(Subject, Measure), Bucket>, now: Timestamp) {
    if buckets.len() >= limits::GATEWAY_RATES_MAX {
        let now_ms = now.as_millisecond();
        buckets.retain(|_, bucket| bucket.level < 0 || now_ms.saturating_sub(bucket.at_ms) < 60_000);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_707_566_400 + seconds).unwrap()
    }

    fn key() -> Subject {
        Subject::Key("507f1f77bcf86cd799439011".parse().unwrap())
    }

    #[test]
    fn calls_a_minute_are_counted_and_come_back_with_time() {
        let rates = Rates::default();
        let limit = [(key(), PerMinute { requests: Some(2), tokens: None })];
        assert!(rates.admit(&limit, at(0)).is_ok());
        assert!(rates.admit(&limit, at(0)).is_ok());
        let refused = rates.admit(&limit, at(0)).unwrap_err();
        assert_eq!((refused.code, refused.retry_after_seconds), (ErrorCode::RateLimited, Some(31)));
        assert!(rates.admit(&limit, at(29)).is_err());
        assert!(rates.admit(&limit, at(30)).is_ok());
        assert!(rates.admit(&limit, at(30)).is_err());
    }

    #[test]
    fn tokens_are_counted_after_the_call_and_a_debt_is_waited_for() {
        let rates = Rates::default();
        let limit = [(key(), PerMinute { requests: None, tokens: Some(600) })];
        assert!(rates.admit(&limit, at(0)).is_ok());
        rates.used(&limit, 1_200);
        assert!(rates.admit(&limit, at(59)).is_err());
        assert!(rates.admit(&limit, at(61)).is_ok());
    }

    #[test]
    fn a_call_that_one_subject_may_not_make_is_not_counted_for_the_other() {
        let rates = Rates::default();
        let project = Subject::Project("507f1f77bcf86cd799439012".parse().unwrap());
        let one = PerMinute { requests: Some(1), tokens: None };
        assert!(rates.admit(&[(project, one)], at(0)).is_ok());
        assert!(rates.admit(&[(key(), one), (project, one)], at(0)).is_err());
        assert!(rates.admit(&[(key(), one)], at(0)).is_ok());
    }
}
