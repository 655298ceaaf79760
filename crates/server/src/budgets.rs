//! Budgets as they are now: which apply to a call, and what each allows at a moment.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{
    BudgetId, KeyId, Problem,
    allocation::Tags,
    budget::{Allowance, Budget, Increase, Limit, Scope, ScopedBudget},
    fx::{FxRates, NoRate, USD},
    project::Project,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use pricing::Money;
use store::StoreError;

use crate::{
    app::App,
    error::{ApiError, ErrorCode, Result},
    ledger::Standing,
};

/// A budget, and what it allows at a moment.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The budget.
    pub budget: Arc<ScopedBudget>,
    /// What it allows.
    pub allowance: Allowance,
}

/// The last [`Book`], with the [`store::MetaStore::change_count`] at which it was read: with another count it is read
/// again.
#[derive(Debug, Default)]
pub struct Budgets(Mutex<Option<(u64, Arc<Book>)>>);

/// Every budget that is not a project's, the increases of every budget, and the exchange rates.
#[derive(Debug, Default)]
pub struct Book {
    budgets: Vec<Arc<ScopedBudget>>,
    by_scope: HashMap<Scope, Vec<Arc<ScopedBudget>>>,
    increases: HashMap<BudgetId, Vec<Increase>>,
    rates: FxRates,
}

impl Budgets {
    /// Budgets as they are now.
    pub async fn current(&self, app: &App) -> Result<Arc<Book>, StoreError> {
        let changes = app.meta.change_count();
        let known = self.lock().as_ref().filter(|(at, _)| *at == changes).map(|(_, book)| Arc::clone(book));
        if let Some(book) = known {
            return Ok(book);
        }
        let book = Arc::new(Book::load(app).await?);
        *self.lock() = Some((changes, Arc::clone(&book)));
        Ok(book)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(u64, Arc<Book>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    async fn load(app: &App) -> Result<Self, StoreError> {
        let rates = FxRates::new(app.meta.list_fx_rates().await?)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        let mut book = Self { rates, ..Self::default() };
        for budget in app.meta.list_budgets().await? {
            let budget = Arc::new(budget);
            book.by_scope.entry(budget.scope.clone()).or_default().push(Arc::clone(&budget));
            book.budgets.push(budget);
        }
        // A period that is over may still be looked at: the watch looks once more at the one in which a call came.
        let since = app.clock.now().checked_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
        for increase in app.meta.list_increases_ending_after(since).await? {
            book.increases.entry(increase.budget_id).or_default().push(increase);
        }
        Ok(book)
    }

    /// Every budget that is not a project's, by name.
    pub fn budgets(&self) -> &[Arc<ScopedBudget>] {
        &self.budgets
    }

    /// The budgets over `scope` that are not a project's.
    pub fn of_scope(&self, scope: &Scope) -> &[Arc<ScopedBudget>] {
        self.by_scope.get(scope).map_or(&[], Vec::as_slice)
    }

    /// What a call of these counts in besides its project's budget.
    pub fn of_call(&self, key: Option<KeyId>, tags: &Tags) -> impl Iterator<Item = &Arc<ScopedBudget>> {
        let scopes = if self.budgets.is_empty() { None } else { Some(Scope::all_of(None, key, tags)) };
        scopes.into_iter().flatten().flat_map(|scope| self.of_scope(&scope))
    }

    /// The exchange rates.
    pub const fn rates(&self) -> &FxRates {
        &self.rates
    }

    /// What `budget` allows at `at`.
    pub fn at(&self, budget: &Arc<ScopedBudget>, at: Timestamp) -> Result<Subject, NoRate> {
        let increases = self.increases.get(&budget.id).map_or(&[][..], Vec::as_slice);
        let allowance = Allowance::of(budget, increases, &self.rates, at)?;
        Ok(Subject { budget: Arc::clone(budget), allowance })
    }
}

/// How `budget` stands now, and what it allows.
pub async fn standing(app: &App, budget: ScopedBudget) -> Result<(Subject, Standing)> {
    let now = app.clock.now();
    let subject = app.budgets.current(app).await?.at(&Arc::new(budget), now)?;
    let standing = app.ledger.standing(&*app.usage, &subject, now).await?;
    Ok((subject, standing))
}

/// What `budget` allows now, in dollars; `None` where no rate of its currency is known.
pub async fn limit(app: &App, budget: ScopedBudget) -> Result<Option<Limit>> {
    let book = app.budgets.current(app).await?;
    let Ok(subject) = book.at(&Arc::new(budget), app.clock.now()) else { return Ok(None) };
    if subject.allowance.before.is_none() {
        return Ok(Some(subject.allowance.limit(Money::ZERO)));
    }
    let standing = app.ledger.standing(&*app.usage, &subject, app.clock.now()).await?;
    Ok(Some(standing.limit))
}

/// `Err` if the amount of `terms`, under `field`, is in a currency of which no rate is known.
pub async fn require_rate(app: &App, terms: Option<&Budget>, field: &str) -> Result<()> {
    let Some(terms) = terms.filter(|terms| terms.currency != USD) else { return Ok(()) };
    let book = app.budgets.current(app).await?;
    let today = app.clock.now().to_zoned_datetime(TimeZone::UTC).date();
    match book.rates.in_force(&terms.currency, today) {
        Some(rate) if rate.rate.to_usd(terms.amount).is_some() => Ok(()),
        _ => {
            let error = NoRate(terms.currency.clone()).to_string();
            Err(ApiError {
                details: vec![Problem { field: format!("{field}.currency"), message: error.clone() }],
                ..ApiError::new(ErrorCode::FxRateMissing, error)
            })
        }
    }
}

/// Every project's budget that there is, with its project.
pub async fn of_projects(app: &App) -> Result<Vec<(Project, ScopedBudget)>, StoreError> {
    let projects = app.meta.list_projects().await?;
    let with_budget = |project: Project| ScopedBudget::of_project(&project).map(|budget| (project, budget));
    Ok(projects.into_iter().filter_map(with_budget).collect())
}

impl From<NoRate> for ApiError {
    fn from(error: NoRate) -> Self {
        Self::new(ErrorCode::FxRateMissing, error.to_string())
    }
}
