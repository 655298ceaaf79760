//! Watches what projects spend, and fires the alerts of their budgets.
//!
//! Whoever changes what a project has spent marks it ([`Watch::mark`]), which costs next to nothing; one task looks at
//! the marked projects together, so that many calls at the same moment cause one look. Each alert is claimed in the
//! store, in the transaction that keeps what is told of it: it fires once, also when two look at once, and a crash
//! between a call and the look is made good at the next start.

mod fire;

use std::{
    collections::HashMap,
    mem,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    ProjectId,
    event::EventType,
    project::Project,
    query::{Filter, UsageQuery, Visibility},
    usage_record::UsageRecord,
};
use jiff::Timestamp;
use pricing::Money;

use crate::{
    analytics,
    app::App,
    error::Result,
    limits,
    notify::{self, event::About, facts::PriceFacts},
};

/// How long marks gather before they are looked at.
const GATHER: Duration = Duration::from_millis(50);
/// How long the task waits before it looks again at what it could not look at.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(5);

/// Projects whose spending is to be looked at.
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
    projects: HashMap<ProjectId, Timestamp>,
    /// More projects were marked than are remembered.
    every_project: Option<Timestamp>,
    /// Calls without a price, by what tells them apart.
    unpriced: HashMap<String, PriceFacts>,
}

impl Watch {
    /// Says that what `project` has spent, or may spend, changed at `at`.
    pub fn mark(&self, project: ProjectId, at: Timestamp) {
        let mut marks = self.lock();
        if marks.projects.len() < limits::MARKED_PROJECTS_MAX || marks.projects.contains_key(&project) {
            marks.projects.entry(project).or_insert(at);
        } else {
            marks.every_project.get_or_insert(at);
        }
        drop(marks);
        self.bell.notify_one();
    }

    /// Says that what any project has spent may have changed at `at`.
    pub fn mark_every_project(&self, at: Timestamp) {
        self.lock().every_project.get_or_insert(at);
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

/// Marks what `records`, which were just kept, may have changed.
pub fn after_ingest<'a>(app: &App, records: impl IntoIterator<Item = &'a UsageRecord>) {
    for record in records {
        if record.cost.is_none() {
            app.watch.mark_unpriced(record);
        } else if let Some(project) = record.project_id {
            app.watch.mark(project, record.recorded_at);
        }
    }
}

/// Looks at every project once, then at what is marked, until the program stops.
pub fn start(app: &App) {
    app.watch.mark_every_project(app.clock.now());
    let worker = app.clone();
    app.spawn("watch", async move {
        let stopping = worker.stopping();
        tokio::pin!(stopping);
        loop {
            tokio::select! {
                () = &mut stopping => return,
                () = worker.watch.bell.notified() => {}
            }
            check_marked(&worker).await;
            let has_failed = worker.watch.has_failed.swap(false, Ordering::Relaxed);
            tokio::select! {
                () = &mut stopping => return,
                () = tokio::time::sleep(if has_failed { PAUSE_AFTER_ERROR } else { GATHER }) => {}
            }
        }
    });
}

/// Looks at what is marked. A project that cannot be looked at stays marked.
pub async fn check_marked(app: &App) {
    let marks = app.watch.take();
    for (once, facts) in marks.unpriced {
        let subject = format!("model:{}/{}", facts.service, facts.model);
        let about = About { subject, project_id: facts.project_id, user_id: None };
        notify::event::announce_once_a_day(app, EventType::PriceMissing, about, &once, &facts).await;
    }
    if let Some(since) = marks.every_project {
        match app.meta.list_projects().await {
            Ok(projects) => {
                for project in projects {
                    check_or_remark(app, project.id, Some(project), since).await;
                }
            }
            Err(error) => {
                tracing::error!(%error, "the budgets could not be looked at");
                app.watch.has_failed.store(true, Ordering::Relaxed);
                app.watch.mark_every_project(since);
            }
        }
    }
    for (id, since) in marks.projects {
        check_or_remark(app, id, None, since).await;
    }
}

async fn check_or_remark(app: &App, id: ProjectId, project: Option<Project>, since: Timestamp) {
    let checked = async {
        let project = match project {
            Some(project) => Some(project),
            None => app.meta.find_project(id).await?,
        };
        match project {
            Some(project) => check(app, &project, since).await,
            None => Ok(()),
        }
    };
    if let Err(error) = checked.await {
        tracing::error!(project = %id, %error, "a budget could not be looked at; it will be");
        app.watch.has_failed.store(true, Ordering::Relaxed);
        app.watch.mark(id, since);
    }
}

/// Fires what is due in the period of `since`, and in the one of now if that is another.
async fn check(app: &App, project: &Project, since: Timestamp) -> Result<()> {
    let Some(budget) = &project.budget else { return Ok(()) };
    let now = budget.period_containing(app.clock.now());
    let then = budget.period_containing(since);
    if then != now {
        fire::fire_due(app, project, budget, then).await?;
    }
    fire::fire_due(app, project, budget, now).await
}

/// Known costs of the project's calls in `period`.
pub async fn spent(app: &App, project: ProjectId, period: domain::Interval) -> Result<Money> {
    let filter = Filter::all(Visibility::Everything).of_project(project).during(period);
    let groups = app.usage.aggregate(&UsageQuery { filter, buckets: None, group_by: Vec::new() }).await?;
    Ok(analytics::sum(groups.iter().map(|group| group.totals))?.cost)
}
