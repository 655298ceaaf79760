//! The clock of the operating system.

use jiff::Timestamp;

/// Tells the time of the operating system, to the millisecond; the only implementation of [`domain::Clock`] that does.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl domain::Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "every other place takes a `Clock`; this is the one that is passed in"
    )]
    fn now(&self) -> Timestamp {
        // Stores keep milliseconds; finer digits would change between the answer to a request and the next look.
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}
