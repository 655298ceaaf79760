//! What projects with a budget have spent and what calls under way may still cost, so that a budget that blocks is
//! never overrun.
//!
//! **Reserve, then settle.** Before a call is forwarded the most that it can cost is reserved; when it has ended, the
//! reservation gives way to what it did cost. What is spent, what waits to be written and what is reserved together
//! never exceed the amount of a budget that blocks.
//!
//! What was spent is read from the store once a period and kept up with every record that is appended. Appending holds
//! the project's gate for reading, and looking into the store holds it for writing, so that no record is missed or
//! counted twice. Corrections make the ledger look again.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    Interval, ProjectId, UsageId,
    budget::{Budget, Enforcement},
    query::{Filter, UsageQuery, Visibility},
    usage_record::UsageRecord,
};
use jiff::Timestamp;
use pricing::Money;
use store::{Appended, StoreError, UsageStore};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

/// Budgets in use, by project.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<HashMap<ProjectId, Arc<Account>>>);

#[derive(Debug)]
struct Account {
    gate: Arc<RwLock<()>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    period: Interval,
    /// Cost of the period's records in the store; unknown until it is read.
    stored: Option<Money>,
    /// How often records were changed behind the ledger's back.
    corrections: u64,
    /// Calls that have ended and whose records are on their way to the store.
    ended: HashMap<UsageId, (Timestamp, Money)>,
    /// Calls under way: the most that each can cost.
    reserved: HashMap<UsageId, Money>,
    /// Calls that were under way when the server stopped: what they may have cost, until when it counts.
    held: Vec<(Timestamp, Money)>,
}

/// What a budget has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The budget's amount.
    pub amount: Money,
    /// What the current period has cost so far.
    pub spent: Money,
    /// What calls under way may cost at most.
    pub reserved: Money,
    /// The current period.
    pub period: Interval,
}

impl Standing {
    /// What is neither spent nor reserved; never negative.
    pub fn remaining(&self) -> Money {
        let used = saturating(self.spent, self.reserved);
        self.amount.checked_sub(used).unwrap_or_default().max(Money::ZERO)
    }
}

/// What a call wants to reserve.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The project that pays.
    pub project: ProjectId,
    /// Its budget.
    pub budget: &'a Budget,
    /// The record that the call will have.
    pub call: UsageId,
    /// The most that it can cost.
    pub most: Money,
    /// When it begins.
    pub at: Timestamp,
}

/// Why nothing was reserved.
#[derive(Debug, thiserror::Error)]
pub enum ReserveError {
    /// The budget blocks and does not allow as much.
    #[error("the budget is used up")]
    Exhausted(Standing),
    /// What was spent cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The most that a call under way can cost. Gives it back when dropped, unless it was settled.
#[derive(Debug)]
pub struct Reservation {
    account: Arc<Account>,
    call: UsageId,
    /// How the budget stood with it.
    pub standing: Standing,
}

impl Ledger {
    /// Reserves the most that a call can cost, unless the budget blocks and that would overrun it.
    pub async fn reserve(
        &self,
        store: &dyn UsageStore,
        claim: Claim<'_>,
    ) -> Result<Reservation, ReserveError> {
        let account = self.account(claim.project);
        let period = claim.budget.period_containing(claim.at);
        loop {
            if let Some(result) = account.try_reserve(claim, period) {
                let standing = result.map_err(ReserveError::Exhausted)?;
                return Ok(Reservation { account, call: claim.call, standing });
            }
            account.look(store, claim.project, period).await?;
        }
    }

    /// How the project's budget stands.
    pub async fn standing(
        &self,
        store: &dyn UsageStore,
        project: ProjectId,
        budget: &Budget,
        now: Timestamp,
    ) -> Result<Standing, StoreError> {
        let account = self.account(project);
        loop {
            let period = budget.period_containing(now);
            if let Some(standing) = account.state().standing(budget.amount, period, now) {
                return Ok(standing);
            }
            account.look(store, project, period).await?;
        }
    }

    /// What calls of the project that are under way may cost at most.
    pub fn reserved(&self, project: ProjectId, now: Timestamp) -> Money {
        let account = lock(&self.0).get(&project).map(Arc::clone);
        account.map_or(Money::ZERO, |account| account.state().reserved(now))
    }

    /// Counts `most` as reserved until `until`, for a call that was under way when the server stopped.
    pub fn hold(&self, project: ProjectId, most: Money, until: Timestamp) {
        self.account(project).state().held.push((until, most));
    }

    /// Shuts the gates of the projects that `records` belong to, as long as they are being appended.
    pub async fn appending(&self, records: &[UsageRecord]) -> Appending {
        let projects: BTreeSet<ProjectId> = records.iter().filter_map(|record| record.project_id).collect();
        let known: Vec<(ProjectId, Arc<Account>)> = {
            let accounts = lock(&self.0);
            projects.into_iter().filter_map(|id| Some((id, Arc::clone(accounts.get(&id)?)))).collect()
        };
        let mut appending = Appending(HashMap::new());
        // In the order of their ids, so that two appends never wait for each other.
        for (id, account) in known {
            let gate = Arc::clone(&account.gate).read_owned().await;
            appending.0.insert(id, (account, gate));
        }
        appending
    }

    /// Makes the ledger look into the store again, after records were changed or deleted there.
    pub fn forget(&self) {
        for account in lock(&self.0).values() {
            let mut state = account.state();
            state.stored = None;
            state.corrections += 1;
        }
    }

    fn account(&self, project: ProjectId) -> Arc<Account> {
        Arc::clone(lock(&self.0).entry(project).or_insert_with(|| Arc::new(Account::new())))
    }
}

/// Records on their way into the store, behind shut gates.
#[derive(Debug)]
pub struct Appending(HashMap<ProjectId, (Arc<Account>, OwnedRwLockReadGuard<()>)>);

impl Appending {
    /// Counts what was appended, and opens the gates.
    pub fn appended<'a>(self, outcomes: impl Iterator<Item = (&'a UsageRecord, &'a Appended)>) {
        if self.0.is_empty() {
            return;
        }
        for (record, outcome) in outcomes {
            let account = record.project_id.and_then(|project| self.0.get(&project));
            if let Some((account, _)) = account {
                account.state().appended(record, *outcome == Appended::New);
            }
        }
    }
}

impl Reservation {
    /// Replaces the most that the call can cost by what it did cost, which waits to be written. How the budget stands
    /// then, if its period is still the same.
    pub fn settle(self, began_at: Timestamp, cost: Money, now: Timestamp) -> Option<Standing> {
        let mut state = self.account.state();
        state.reserved.remove(&self.call);
        state.ended.insert(self.call, (began_at, cost));
        state.standing(self.standing.amount, self.standing.period, now)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.account.state().reserved.remove(&self.call);
    }
}

impl Account {
    fn new() -> Self {
        let state = State {
            period: Interval::ALWAYS,
            stored: None,
            corrections: 0,
            ended: HashMap::new(),
            reserved: HashMap::new(),
            held: Vec::new(),
        };
        Self { gate: Arc::default(), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// `None` if what was spent in `period` has yet to be read.
    fn try_reserve(&self, claim: Claim<'_>, period: Interval) -> Option<Result<Standing, Standing>> {
        let Claim { budget, call, most, at, .. } = claim;
        let mut state = self.state();
        let before = state.standing(budget.amount, period, at)?;
        let with = Standing { reserved: saturating(before.reserved, most), ..before };
        let fits = saturating(with.spent, with.reserved) <= budget.amount;
        if !fits && budget.enforcement == Enforcement::Block {
            return Some(Err(before));
        }
        state.reserved.insert(call, most);
        Some(Ok(with))
    }

    /// Reads what `period` has cost.
    async fn look(
        &self,
        store: &dyn UsageStore,
        project: ProjectId,
        period: Interval,
    ) -> Result<(), StoreError> {
        let _gate = self.gate.write().await;
        let corrections = {
            let mut state = self.state();
            if state.period == period && state.stored.is_some() {
                return Ok(());
            }
            state.period = period;
            state.stored = None;
            state.corrections
        };
        let query = UsageQuery {
            filter: Filter::all(Visibility::Everything).of_project(project).during(period),
            buckets: None,
            group_by: Vec::new(),
        };
        let groups = store.aggregate(&query).await?;
        let cost = groups.first().map_or(Money::ZERO, |group| group.totals.cost);
        let mut state = self.state();
        // What was corrected while the store was read may be in it or not: look again.
        state.stored = (state.corrections == corrections).then_some(cost);
        Ok(())
    }
}

impl State {
    fn standing(&mut self, amount: Money, period: Interval, now: Timestamp) -> Option<Standing> {
        if self.period != period {
            return None;
        }
        let stored = self.stored?;
        let ended = self.ended.values().filter(|(at, _)| period.contains(*at)).map(|(_, cost)| *cost);
        Some(Standing { amount, spent: ended.fold(stored, saturating), reserved: self.reserved(now), period })
    }

    fn reserved(&mut self, now: Timestamp) -> Money {
        self.held.retain(|(until, _)| now < *until);
        let reserved = self.reserved.values().copied().chain(self.held.iter().map(|(_, most)| *most));
        reserved.fold(Money::ZERO, saturating)
    }

    fn appended(&mut self, record: &UsageRecord, is_new: bool) {
        self.ended.remove(&record.id);
        let Some(stored) = self.stored.filter(|_| is_new && self.period.contains(record.occurred_at)) else {
            return;
        };
        self.stored = Some(saturating(stored, record.cost.unwrap_or_default()));
    }
}

/// Beyond what an integer holds, more than any budget.
fn saturating(a: Money, b: Money) -> Money {
    a.checked_add(b).unwrap_or(Money::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
