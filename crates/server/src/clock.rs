//! The clock of the operating system.

use jiff::Timestamp;

/// Tells the time of the operating system; the only implementation of [`domain::Clock`] that does.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl domain::Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "every other place takes a `Clock`; this is the one that is passed in"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
