//! What calls under way may still cost: money that is not spent but not free either.

use domain::{Interval, ProjectId};
use pricing::Money;

/// Knows what is reserved of a project's budget.
pub trait Reservations: Send + Sync + std::fmt::Debug {
    /// What calls under way may cost at most, in the budget's `period`.
    fn reserved(&self, project: ProjectId, period: Interval) -> Money;
}

/// Nothing is ever reserved.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoReservations;

impl Reservations for NoReservations {
    fn reserved(&self, _project: ProjectId, _period: Interval) -> Money {
        Money::ZERO
    }
}
