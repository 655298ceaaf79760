//! Watches what is spent of budgets, and fires their alerts.
//!
//! Whoever changes what was spent marks what it counts in ([`Watch::mark`]), which costs next to nothing; one task looks
//! at the marked budgets together, so that many calls at the same moment cause one look. Each alert is claimed in the
//! store, in the transaction that keeps what is told of it: it fires once, also when two look at once, and a crash
//! between a call and the look is made good at the next start.

mod fire;

use std::{
    collections::HashMap,
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    BudgetId,
    budget::{Scope, ScopedBudget},
    event::EventType,
    project::Project,
    usage_record::UsageRecord,
};
use jiff::Timestamp;
use pricing::Money;
use store::StoreError;

use crate::{
    app::App,
    budgets::{Book, Subject, of_projects},
    error::Result,
    ledger, limits,
    notify::{self, event::About, facts::PriceFacts},
};

/// How long marks gather before they are looked at.
const GATHER: Duration = Duration::from_millis(50);
/// How long the task waits before it looks again at what it could not look at.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(5);
/// How often increases are looked for that have ended: with one, a limit falls without a call.
const LOOK_FOR_ENDS: Duration = Duration::from_mins(1);

/// Budgets whose spending is to be looked at.
#[derive(Debug, Default)]
pub struct Watch {
    marks: Mutex<Marks>,
    bell: tokio::sync::Notify,
    /// Something could not be looked at since the last pause.
    has_failed: AtomicBool,
}

/// What is to be looked at.
#[derive(Debug, Default)]
struct Marks {
    /// With the first moment at which each was marked: its period may end before it is looked at.
    scopes: HashMap<Scope, Timestamp>,
    /// More was marked than is remembered.
    everything: Option<Timestamp>,
    /// Calls without a price, by what tells them apart.
    unpriced: HashMap<String, PriceFacts>,
}

impl Watch {
    /// Says that what `scope` has spent, or may spend, changed at `at`.
    pub fn mark(&self, scope: Scope, at: Timestamp) {
        self.lock().mark(scope, at);
        self.bell.notify_one();
    }

    /// Says that everything that `record` counts in changed at `at`.
    pub fn mark_record(&self, record: &UsageRecord, at: Timestamp) {
        let mut marks = self.lock();
        Scope::all_of_record(record).for_each(|scope| marks.mark(scope, at));
        drop(marks);
        self.bell.notify_one();
    }

    /// Says that what any budget has spent may have changed at `at`.
    pub fn mark_everything(&self, at: Timestamp) {
        self.lock().everything.get_or_insert(at);
        self.bell.notify_one();
    }

    fn mark_unpriced(&self, record: &UsageRecord) {
        let facts = PriceFacts {
            service: record.provider.clone(),
            model: record.model.clone(),
            reason: record.unpriced_reason.clone().unwrap_or_else(|| "no price is known".to_owned()),
            project_id: record.project_id,
        };
        let mut marks = self.lock();
        if marks.unpriced.len() < limits::MARKED_MODELS_MAX {
            marks.unpriced.entry(facts.once()).or_insert(facts);
        }
        drop(marks);
        self.bell.notify_one();
    }

    fn take(&self) -> Marks {
        mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Marks> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Marks {
    fn mark(&mut self, scope: Scope, at: Timestamp) {
        if self.scopes.len() < limits::MARKED_SCOPES_MAX || self.scopes.contains_key(&scope) {
            self.scopes.entry(scope).or_insert(at);
        } else {
            self.everything.get_or_insert(at);
        }
    }
}

/// Marks what `records`, which were just kept, may have changed.
pub fn after_ingest<'a>(app: &App, records: impl IntoIterator<Item = &'a UsageRecord>) {
    for record in records {
        if record.cost.is_none() {
            app.watch.mark_unpriced(record);
        } else {
            app.watch.mark_record(record, record.recorded_at);
        }
    }
}

/// Looks at every budget once, then at what is marked, until the program stops.
pub fn start(app: &App) {
    app.watch.mark_everything(app.clock.now());
    let worker = app.clone();
    app.spawn("watch", async move {
        let stopping = worker.stopping();
        tokio::pin!(stopping);
        let mut looked_for_ends_at = worker.clock.now();
        loop {
            tokio::select! {
                () = &mut stopping => return,
                () = worker.watch.bell.notified() => {}
                () = tokio::time::sleep(LOOK_FOR_ENDS) => {}
            }
            looked_for_ends_at = mark_ended_increases(&worker, looked_for_ends_at).await;
            check_marked(&worker).await;
            let has_failed = worker.watch.has_failed.swap(false, Ordering::Relaxed);
            tokio::select! {
                () = &mut stopping => return,
                () = tokio::time::sleep(if has_failed { PAUSE_AFTER_ERROR } else { GATHER }) => {}
            }
        }
    });
}

/// Marks the budgets of increases that ended after `since`, at most once a minute; until when it has looked.
pub async fn mark_ended_increases(app: &App, since: Timestamp) -> Timestamp {
    let now = app.clock.now();
    if now.duration_since(since).unsigned_abs() < LOOK_FOR_ENDS {
        return since;
    }
    match app.meta.list_increases_ending_after(since).await {
        Ok(increases) if increases.iter().any(|increase| increase.until <= now) => {
            app.watch.mark_everything(now);
            now
        }
        Ok(_) => now,
        Err(error) => {
            tracing::error!(%error, "increases of budgets could not be looked for");
            since
        }
    }
}

/// Looks at what is marked. A budget that cannot be looked at stays marked.
pub async fn check_marked(app: &App) {
    let marks = app.watch.take();
    for (once, facts) in marks.unpriced {
        let subject = format!("model:{}/{}", facts.service, facts.model);
        let about = About { subject, project_id: facts.project_id, user_id: None };
        notify::event::announce_once_a_day(app, EventType::PriceMissing, about, &once, &facts).await;
    }
    if marks.everything.is_none() && marks.scopes.is_empty() {
        return;
    }
    if let Err(error) = check_all(app, marks.everything, &marks.scopes).await {
        tracing::error!(%error, "budgets could not be looked at; they will be");
        app.watch.has_failed.store(true, Ordering::Relaxed);
        marks.everything.into_iter().for_each(|since| app.watch.mark_everything(since));
        marks.scopes.into_iter().for_each(|(scope, since)| app.watch.mark(scope, since));
    }
}

async fn check_all(
    app: &App,
    everything: Option<Timestamp>,
    scopes: &HashMap<Scope, Timestamp>,
) -> Result<(), StoreError> {
    let book = app.budgets.current(app).await?;
    if let Some(since) = everything {
        for (project, budget) in of_projects(app).await? {
            check_or_remark(app, &book, &Watched::of_project(project, budget), since).await;
        }
        for budget in book.budgets() {
            check_or_remark(app, &book, &Watched::alone(budget), since).await;
        }
    }
    for (scope, since) in scopes {
        if let Scope::Project { project_id } = scope
            && let Some(project) = app.meta.find_project(*project_id).await?
            && let Some(budget) = ScopedBudget::of_project(&project)
        {
            check_or_remark(app, &book, &Watched::of_project(project, budget), *since).await;
        }
        for budget in book.of_scope(scope) {
            check_or_remark(app, &book, &Watched::alone(budget), *since).await;
        }
    }
    Ok(())
}

/// A budget that is looked at.
#[derive(Debug)]
struct Watched {
    budget: Arc<ScopedBudget>,
    /// Its project, if it is a project's.
    project: Option<Project>,
}

impl Watched {
    fn of_project(project: Project, budget: ScopedBudget) -> Self {
        Self { budget: Arc::new(budget), project: Some(project) }
    }

    fn alone(budget: &Arc<ScopedBudget>) -> Self {
        Self { budget: Arc::clone(budget), project: None }
    }

    fn id(&self) -> BudgetId {
        self.budget.id
    }
}

async fn check_or_remark(app: &App, book: &Book, watched: &Watched, since: Timestamp) {
    if let Err(error) = check(app, book, watched, since).await {
        tracing::error!(budget = %watched.id(), %error, "a budget could not be looked at; it will be");
        app.watch.has_failed.store(true, Ordering::Relaxed);
        app.watch.mark(watched.budget.scope.clone(), since);
    }
}

/// Fires what is due in the period of `since`, and in the one of now if that is another.
async fn check(app: &App, book: &Book, watched: &Watched, since: Timestamp) -> Result<()> {
    let now = app.clock.now();
    let Ok(subject) = book.at(&watched.budget, now) else {
        tracing::warn!(budget = %watched.id(), "no exchange rate for a budget is known; its alerts cannot fire");
        return Ok(());
    };
    if !subject.allowance.period.contains(since)
        && let Ok(then) = book.at(&watched.budget, since)
    {
        let (limit, spent) = look_back(app, &then).await?;
        fire::fire_due(app, watched, &fire::Moment { subject: &then, limit, spent }).await?;
    }
    let standing = app.ledger.standing(&*app.usage, &subject, now).await?;
    let moment = fire::Moment { subject: &subject, limit: standing.limit.total(), spent: standing.kept };
    fire::fire_due(app, watched, &moment).await
}

/// Limit and spending of a period that is over.
async fn look_back(app: &App, then: &Subject) -> Result<(Money, Money), StoreError> {
    let scope = &then.budget.scope;
    let before = match then.allowance.before {
        Some((before, _)) => ledger::spent(&*app.usage, scope, before).await?,
        None => Money::ZERO,
    };
    let spent = ledger::spent(&*app.usage, scope, then.allowance.period).await?;
    Ok((then.allowance.limit(before).total(), spent))
}
