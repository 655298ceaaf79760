//! The contract for budgets that are not a project's, increases of any budget, and exchange rates.

use async_trait::async_trait;
use domain::{
    BudgetId, IncreaseId,
    budget::{Increase, ScopedBudget},
    fx::FxRate,
};
use jiff::Timestamp;

use crate::StoreError;

/// Budgets, what was granted on top of them, and what other currencies are worth.
///
/// A budget takes its increases and its alerts along when it goes, and goes with its tracker key. A project's budget is
/// part of the project, under whose id its increases and alerts are kept.
#[async_trait]
pub trait BudgetStore: Send + Sync {
    /// Keeps a new budget that is not a project's.
    async fn insert_budget(&self, budget: &ScopedBudget) -> Result<(), StoreError>;

    /// The budget, if it is not a project's.
    async fn find_budget(&self, id: BudgetId) -> Result<Option<ScopedBudget>, StoreError>;

    /// Every budget that is not a project's, by name.
    async fn list_budgets(&self) -> Result<Vec<ScopedBudget>, StoreError>;

    /// Replaces name and terms; `false` if it is gone.
    async fn update_budget(&self, budget: &ScopedBudget) -> Result<bool, StoreError>;

    /// Deletes a budget; `false` if there was none.
    async fn delete_budget(&self, id: BudgetId) -> Result<bool, StoreError>;

    /// Keeps a new increase.
    async fn insert_increase(&self, increase: &Increase) -> Result<(), StoreError>;

    /// Every increase of a budget, the latest first.
    async fn list_increases(&self, budget: BudgetId) -> Result<Vec<Increase>, StoreError>;

    /// Increases of every budget that end after `after`, withdrawn or not, in the order of their ends.
    async fn list_increases_ending_after(&self, after: Timestamp) -> Result<Vec<Increase>, StoreError>;

    /// Ends an increase at `at`, unless it has been ended; `false` if the budget has no such increase under way.
    async fn withdraw_increase(
        &self,
        budget: BudgetId,
        id: IncreaseId,
        at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Every exchange rate, by currency and then by day.
    async fn list_fx_rates(&self) -> Result<Vec<FxRate>, StoreError>;

    /// Replaces every exchange rate.
    async fn replace_fx_rates(&self, rates: &[FxRate]) -> Result<(), StoreError>;
}
