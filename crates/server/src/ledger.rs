//! What budgets have spent and what calls under way may still cost, so that a budget that blocks is never overrun.
//!
//! **Reserve, then settle.** Before a call is forwarded the most that it can cost is reserved in every budget that it
//! counts in, in all of them or in none; when it has ended, the reservation gives way to what it did cost. What is spent,
//! what waits to be written and what is reserved together never exceed the limit of a budget that blocks.
//!
//! What was spent is read from the store once a period and kept up with every record that is appended. Appending holds
//! the gates of the budgets that its records count in for reading, and looking into the store holds a budget's gate for
//! writing, so that no record is missed or counted twice. Corrections make the ledger look again.
//!
//! Whoever takes several locks takes them in the order of the budgets' ids, so that nobody waits in a circle.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{
    BudgetId, Interval, UsageId,
    budget::{Allowance, Enforcement, Limit, Scope, ScopedBudget},
    query::UsageQuery,
    usage_record::UsageRecord,
};
use jiff::Timestamp;
use pricing::Money;
use store::{Appended, StoreError, UsageStore};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use crate::budgets::Subject;

/// Budgets in use.
#[derive(Debug, Default)]
pub struct Ledger {
    accounts: Mutex<Accounts>,
    /// Held for reading by who appends, and for writing by who opens an account: an append knows every account there is.
    openings: Arc<RwLock<()>>,
}

#[derive(Debug, Default)]
struct Accounts {
    by_id: HashMap<BudgetId, Arc<Account>>,
    by_scope: HashMap<Scope, BTreeSet<BudgetId>>,
}

#[derive(Debug)]
struct Account {
    scope: Scope,
    gate: Arc<RwLock<()>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    period: Interval,
    /// The period before, where its rest is carried over.
    before: Option<Interval>,
    /// Cost of the records in the store; unknown until it is read.
    stored: Option<Stored>,
    /// How often records were changed behind the ledger's back.
    corrections: u64,
    /// Calls that have ended and whose records are on their way to the store.
    ended: HashMap<UsageId, (Timestamp, Money)>,
    /// Calls under way: the most that each can cost.
    reserved: HashMap<UsageId, Money>,
    /// Calls that were under way when the server stopped: what they may have cost, until when it counts.
    held: Vec<(Timestamp, Money)>,
}

/// Cost of the records in the store.
#[derive(Debug, Clone, Copy)]
struct Stored {
    now: Money,
    before: Money,
}

/// What a budget has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What may be spent.
    pub limit: Limit,
    /// What the current period has cost so far.
    pub spent: Money,
    /// The part of it that is in the store.
    pub kept: Money,
    /// What calls under way may cost at most.
    pub reserved: Money,
    /// The current period.
    pub period: Interval,
}

impl Standing {
    /// What is neither spent nor reserved; never negative.
    pub fn remaining(&self) -> Money {
        let used = saturating(self.spent, self.reserved);
        self.limit.total().checked_sub(used).unwrap_or_default().max(Money::ZERO)
    }
}

/// What a call wants to reserve.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
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
    /// This budget blocks and does not allow as much.
    #[error("a budget is used up")]
    Exhausted(Arc<ScopedBudget>, Standing),
    /// What was spent cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The most that a call under way can cost. Gives it back when dropped, unless it was settled.
#[derive(Debug)]
pub struct Reservation {
    places: Vec<Place>,
    call: UsageId,
    /// How the tightest of its budgets stood with it.
    pub standing: Standing,
}

/// A budget's account, and what the budget allows.
#[derive(Debug)]
struct Place {
    account: Arc<Account>,
    subject: Subject,
}

/// What came of trying to reserve.
enum Tried {
    Reserved(Standing),
    Exhausted(Arc<ScopedBudget>, Standing),
    /// What the budget of this place has spent has yet to be read.
    Unknown(usize),
}

impl Ledger {
    /// Reserves the most that a call can cost in every one of `subjects`, unless one of them blocks and that would
    /// overrun it. `None` where there is no budget.
    pub async fn reserve(
        &self,
        store: &dyn UsageStore,
        mut subjects: Vec<Subject>,
        claim: Claim,
    ) -> Result<Option<Reservation>, ReserveError> {
        subjects.sort_by_key(|subject| subject.budget.id);
        let mut places = Vec::with_capacity(subjects.len());
        for subject in subjects {
            places.push(Place { account: self.account(&subject.budget).await, subject });
        }
        if places.is_empty() {
            return Ok(None);
        }
        loop {
            match try_reserve(&places, claim) {
                Tried::Reserved(standing) => {
                    return Ok(Some(Reservation { places, call: claim.call, standing }));
                }
                Tried::Exhausted(budget, standing) => return Err(ReserveError::Exhausted(budget, standing)),
                Tried::Unknown(index) => {
                    let Place { account, subject } = &places[index];
                    account.look(store, &subject.allowance).await?;
                }
            }
        }
    }

    /// How a budget stands.
    pub async fn standing(
        &self,
        store: &dyn UsageStore,
        subject: &Subject,
        now: Timestamp,
    ) -> Result<Standing, StoreError> {
        let account = self.account(&subject.budget).await;
        loop {
            if let Some(standing) = account.state().standing(&subject.allowance, now) {
                return Ok(standing);
            }
            account.look(store, &subject.allowance).await?;
        }
    }

    /// Counts `most` as reserved until `until`, for a call that was under way when the server stopped.
    pub async fn hold(&self, budget: &ScopedBudget, most: Money, until: Timestamp) {
        self.account(budget).await.state().held.push((until, most));
    }

    /// Shuts the gates of the budgets that `records` count in, as long as they are being appended.
    pub async fn appending(&self, records: &[UsageRecord]) -> Appending {
        let opening = Arc::clone(&self.openings).read_owned().await;
        let known: BTreeMap<BudgetId, Arc<Account>> = {
            let accounts = lock(&self.accounts);
            let of_record =
                |record| accounts.of_record(record).map(|(id, account)| (id, Arc::clone(account)));
            records.iter().flat_map(of_record).collect()
        };
        let mut gated = Vec::with_capacity(known.len());
        for account in known.into_values() {
            let gate = Arc::clone(&account.gate).read_owned().await;
            gated.push((account, gate));
        }
        Appending { gated, _opening: opening }
    }

    /// Makes the ledger look into the store again, after records were changed or deleted there.
    pub fn forget(&self) {
        for account in lock(&self.accounts).by_id.values() {
            let mut state = account.state();
            state.stored = None;
            state.corrections += 1;
        }
    }

    /// Closes the account of a budget that is gone.
    pub fn close(&self, budget: &ScopedBudget) {
        let mut accounts = lock(&self.accounts);
        accounts.by_id.remove(&budget.id);
        if let Some(ids) = accounts.by_scope.get_mut(&budget.scope) {
            ids.remove(&budget.id);
        }
    }

    async fn account(&self, budget: &ScopedBudget) -> Arc<Account> {
        if let Some(known) = lock(&self.accounts).by_id.get(&budget.id) {
            return Arc::clone(known);
        }
        // What is being appended now would not be counted by an account that it does not know.
        let _opening = self.openings.write().await;
        let mut accounts = lock(&self.accounts);
        accounts.by_scope.entry(budget.scope.clone()).or_default().insert(budget.id);
        let new = || Arc::new(Account::new(budget.scope.clone()));
        Arc::clone(accounts.by_id.entry(budget.id).or_insert_with(new))
    }
}

impl Accounts {
    /// The accounts that `record` counts in.
    fn of_record<'a>(&'a self, record: &UsageRecord) -> impl Iterator<Item = (BudgetId, &'a Arc<Account>)> {
        let scopes = if self.by_id.is_empty() { None } else { Some(Scope::all_of_record(record)) };
        let ids = scopes.into_iter().flatten().filter_map(|scope| self.by_scope.get(&scope));
        let ids: Vec<BudgetId> = ids.flatten().copied().collect();
        ids.into_iter().filter_map(|id| Some((id, self.by_id.get(&id)?)))
    }
}

/// Reserves in every one of `places`, which are in the order of their budgets' ids, or in none.
fn try_reserve(places: &[Place], claim: Claim) -> Tried {
    let Claim { call, most, at } = claim;
    let mut states: Vec<MutexGuard<'_, State>> = places.iter().map(|place| place.account.state()).collect();
    let mut tightest: Option<Standing> = None;
    for (index, (state, Place { subject, .. })) in states.iter_mut().zip(places).enumerate() {
        let Some(before) = state.standing(&subject.allowance, at) else { return Tried::Unknown(index) };
        let with = Standing { reserved: saturating(before.reserved, most), ..before };
        let fits = saturating(with.spent, with.reserved) <= with.limit.total();
        if !fits && subject.budget.terms.enforcement == Enforcement::Block {
            return Tried::Exhausted(Arc::clone(&subject.budget), before);
        }
        tightest = Some(tighter(tightest, with));
    }
    for state in &mut states {
        state.reserved.insert(call, most);
    }
    tightest.map_or(Tried::Unknown(0), Tried::Reserved)
}

fn tighter(one: Option<Standing>, other: Standing) -> Standing {
    one.filter(|one| one.remaining() <= other.remaining()).unwrap_or(other)
}

/// Records on their way into the store, behind shut gates.
#[derive(Debug)]
pub struct Appending {
    gated: Vec<(Arc<Account>, OwnedRwLockReadGuard<()>)>,
    _opening: OwnedRwLockReadGuard<()>,
}

impl Appending {
    /// Counts what was appended, and opens the gates.
    pub fn appended<'a>(self, outcomes: impl Iterator<Item = (&'a UsageRecord, &'a Appended)>) {
        if self.gated.is_empty() {
            return;
        }
        let mut by_scope: HashMap<&Scope, Vec<&Account>> = HashMap::new();
        for (account, _) in &self.gated {
            by_scope.entry(&account.scope).or_default().push(account);
        }
        for (record, outcome) in outcomes {
            for scope in Scope::all_of_record(record) {
                for account in by_scope.get(&scope).into_iter().flatten() {
                    let is_kept = matches!(outcome, Appended::New | Appended::Replaced(_));
                    account.state().appended(record, is_kept);
                }
            }
        }
    }
}

impl Reservation {
    /// Replaces the most that the call can cost by what it did cost, which waits to be written. How the tightest of its
    /// budgets stands then, of those whose period is still the same.
    pub fn settle(self, began_at: Timestamp, cost: Money, now: Timestamp) -> Option<Standing> {
        let mut tightest = None;
        for Place { account, subject } in &self.places {
            let mut state = account.state();
            state.reserved.remove(&self.call);
            state.ended.insert(self.call, (began_at, cost));
            if let Some(standing) = state.standing(&subject.allowance, now) {
                tightest = Some(tighter(tightest, standing));
            }
        }
        tightest
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        for Place { account, .. } in &self.places {
            account.state().reserved.remove(&self.call);
        }
    }
}

impl Account {
    fn new(scope: Scope) -> Self {
        let state = State {
            period: Interval::ALWAYS,
            before: None,
            stored: None,
            corrections: 0,
            ended: HashMap::new(),
            reserved: HashMap::new(),
            held: Vec::new(),
        };
        Self { scope, gate: Arc::default(), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Reads what the period has cost, and the one before where that matters.
    async fn look(&self, store: &dyn UsageStore, allowance: &Allowance) -> Result<(), StoreError> {
        let _gate = self.gate.write().await;
        let (period, before) = (allowance.period, allowance.before.map(|(period, _)| period));
        let corrections = {
            let mut state = self.state();
            if state.is_about(allowance) && state.stored.is_some() {
                return Ok(());
            }
            state.period = period;
            state.before = before;
            state.stored = None;
            state.corrections
        };
        let now = spent(store, &self.scope, period).await?;
        let before = match before {
            Some(before) => spent(store, &self.scope, before).await?,
            None => Money::ZERO,
        };
        let mut state = self.state();
        // What was corrected while the store was read may be in it or not: look again.
        state.stored = (state.corrections == corrections).then_some(Stored { now, before });
        Ok(())
    }
}

/// Known costs of the calls of `scope` in `period`, as far as they are in the store.
pub async fn spent(store: &dyn UsageStore, scope: &Scope, period: Interval) -> Result<Money, StoreError> {
    let query = UsageQuery { filter: scope.filter().during(period), buckets: None, group_by: Vec::new() };
    let groups = store.aggregate(&query).await?;
    Ok(groups.first().map_or(Money::ZERO, |group| group.totals.cost))
}

impl State {
    fn is_about(&self, allowance: &Allowance) -> bool {
        self.period == allowance.period && self.before == allowance.before.map(|(period, _)| period)
    }

    fn standing(&mut self, allowance: &Allowance, now: Timestamp) -> Option<Standing> {
        let stored = self.stored.filter(|_| self.is_about(allowance))?;
        let ended = |period: Interval| {
            let inside = self.ended.values().filter(move |(at, _)| period.contains(*at));
            inside.map(|(_, cost)| *cost)
        };
        let spent = ended(self.period).fold(stored.now, saturating);
        let before = self.before.map_or(Money::ZERO, |before| ended(before).fold(stored.before, saturating));
        Some(Standing {
            limit: allowance.limit(before),
            spent,
            kept: stored.now,
            reserved: self.reserved(now),
            period: self.period,
        })
    }

    fn reserved(&mut self, now: Timestamp) -> Money {
        self.held.retain(|(until, _)| now < *until);
        let reserved = self.reserved.values().copied().chain(self.held.iter().map(|(_, most)| *most));
        reserved.fold(Money::ZERO, saturating)
    }

    fn appended(&mut self, record: &UsageRecord, is_new: bool) {
        self.ended.remove(&record.id);
        let (Some(stored), Some(cost)) = (&mut self.stored, record.cost.filter(|_| is_new)) else { return };
        if self.period.contains(record.occurred_at) {
            stored.now = saturating(stored.now, cost);
        } else if self.before.is_some_and(|before| before.contains(record.occurred_at)) {
            stored.before = saturating(stored.before, cost);
        }
    }
}

/// Beyond what an integer holds, more than any budget.
fn saturating(a: Money, b: Money) -> Money {
    a.checked_add(b).unwrap_or(Money::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
