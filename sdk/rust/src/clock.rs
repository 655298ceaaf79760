//! Time and chance, passed in, so that tests freeze them.

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use jiff::Timestamp;

/// Where a client takes time and chance from.
pub trait Clock: Debug + Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;
    /// Time since some moment; it never goes back.
    fn elapsed(&self) -> Duration;
    /// A number below `bound`; 0 if that is 0.
    fn random_below(&self, bound: u64) -> u64;
    /// A key that nobody else has.
    fn unique_key(&self) -> String;
}

/// The clock of the operating system.
#[derive(Debug)]
pub(crate) struct SystemClock {
    started_at: Instant,
}

impl SystemClock {
    pub(crate) fn new() -> Self {
        Self { started_at: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one implementation that everything else takes a `Clock` for"
    )]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        // The tracker keeps milliseconds.
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    fn elapsed(&self) -> Duration {
        self.started_at.elapsed()
    }

    fn random_below(&self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { rand::random_range(0..bound) }
    }

    fn unique_key(&self) -> String {
        format!("{:032x}", rand::random::<u128>())
    }
}
