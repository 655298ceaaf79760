//! The one path by which usage is recorded: access → price → append → acknowledge.
//!
//! **Architecture Invariant:** every door (REST, import, gateway, OpenTelemetry) ends in [`append`]; nothing else
//! appends records, and nothing is acknowledged before [`store::UsageStore::append`] has made it durable.

use std::{collections::HashMap, sync::Arc};

use domain::{
    ProjectId, UsageId,
    ingest::{CallRecords, NewUsage, Stamp},
    project::{Project, ProjectRole},
    usage_record::{Origin, UsageRecord},
};
use pricing::PriceBook;
use store::{Appended, StoreError};

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, ErrorCode, Result},
    token_estimate, watch,
};

/// What became of one call that was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Of the call itself.
    pub call: Ingested,
    /// Of what other models did inside its reply.
    pub side_calls: Vec<Ingested>,
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq)]
pub enum Ingested {
    /// It is kept.
    New(Box<UsageRecord>),
    /// Its key was sent before; this is the record that is kept.
    Duplicate(Box<UsageRecord>),
    /// Its key was sent before, and the record has been deleted since.
    Deleted(UsageId),
}

/// Records `batch` for `caller`. The answer has one entry for each, in order; one that fails, fails alone.
///
/// `Err` only when the store took none of it.
pub async fn ingest(
    app: &App,
    caller: &Caller,
    batch: Vec<NewUsage>,
    origin: Origin,
) -> Result<Vec<Result<Recorded>>> {
    let now = app.clock.now();
    let book = app.prices.current();
    let batch = with_estimates(batch, &book).await?;
    let mut projects = ProjectDoor::new(app, caller);
    let mut admitted = Vec::with_capacity(batch.len());
    for mut new in batch {
        new.project_id = new.project_id.or_else(|| caller.key.as_ref().and_then(|key| key.project_id));
        let keeps_content = projects.admit(new.project_id).await?;
        admitted.push(keeps_content.map(|keeps_content| {
            let stamp = Stamp {
                id: app.ids.next(now),
                user_id: caller.user.id,
                tracker_key_id: caller.key.as_ref().map(|key| key.id),
                origin,
                recorded_at: now,
                keeps_content,
            };
            new.into_records(stamp, &book, || app.ids.next(now))
        }));
    }
    let records: Vec<UsageRecord> = admitted.iter().flatten().flat_map(CallRecords::iter).cloned().collect();
    let mut appended = append(app, &records).await?.into_iter();
    if !Arc::ptr_eq(&book, &app.prices.current()) {
        // Whoever followed the change of prices may have passed before these records were there.
        app.repricings.prices_changed();
    }
    let mut ingested = |record: UsageRecord| match appended.next() {
        Some(Appended::New | Appended::Replaced(_)) => Ok(Ingested::New(Box::new(record))),
        Some(Appended::Duplicate(kept) | Appended::Joined(kept)) => Ok(Ingested::Duplicate(kept)),
        Some(Appended::Deleted(id)) => Ok(Ingested::Deleted(id)),
        None => Err(ApiError::internal("the store answered for fewer records than it was given")),
    };
    let mut recorded = |records: CallRecords| {
        Ok(Recorded {
            call: ingested(records.call)?,
            side_calls: records.side_calls.into_iter().map(&mut ingested).collect::<Result<_>>()?,
        })
    };
    let outcomes: Vec<_> = admitted.into_iter().map(|records| recorded(records?)).collect();
    outcomes.iter().filter(|outcome| outcome.is_err()).for_each(|_| count_outcome(origin, "refused"));
    Ok(outcomes)
}

/// Appends records, with what follows from it: budgets and their alerts hear of them.
pub async fn append(app: &App, records: &[UsageRecord]) -> Result<Vec<Appended>, StoreError> {
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let appending = app.ledger.appending(records).await;
    let appended = app.usage.append(records.to_vec()).await?;
    appending.appended(records.iter().zip(&appended));
    let outcomes = || records.iter().zip(&appended);
    outcomes().for_each(|(record, outcome)| count(record, outcome));
    app.feed.ring();
    if appended.iter().any(|outcome| matches!(outcome, Appended::Replaced(_) | Appended::Joined(_))) {
        // What a record that is gone had cost is no longer spent, and one that learnt its tags counts in their budgets.
        app.ledger.forget();
    }
    let new = outcomes().filter(|(_, outcome)| matches!(outcome, Appended::New | Appended::Replaced(_)));
    watch::after_ingest(app, new.map(|(record, _)| record));
    Ok(appended)
}

/// Estimates what nobody counted, off the threads that serve requests: it takes as long as the texts are.
async fn with_estimates(mut batch: Vec<NewUsage>, book: &Arc<PriceBook>) -> Result<Vec<NewUsage>> {
    if !batch.iter().any(token_estimate::is_uncounted) {
        return Ok(batch);
    }
    let book = Arc::clone(book);
    let estimated = tokio::task::spawn_blocking(move || {
        for new in &mut batch {
            token_estimate::estimate(new, &book);
        }
        batch
    });
    estimated.await.map_err(ApiError::internal)
}

fn count(record: &UsageRecord, outcome: &Appended) {
    let (is_kept, outcome) = match outcome {
        Appended::New => (true, "new"),
        Appended::Replaced(_) => (true, "replaced"),
        Appended::Duplicate(_) | Appended::Joined(_) | Appended::Deleted(_) => (false, "duplicate"),
    };
    count_outcome(record.origin, outcome);
    if is_kept && record.cost.is_none() {
        metrics::counter!("aict_usage_unpriced_total", "provider" => record.provider.clone()).increment(1);
    }
}

fn count_outcome(origin: Origin, outcome: &'static str) {
    metrics::counter!("aict_usage_records_total", "origin" => origin.as_str(), "outcome" => outcome)
        .increment(1);
}

/// Which projects the caller may record for; each is looked up once a batch.
struct ProjectDoor<'a> {
    app: &'a App,
    caller: &'a Caller,
    known: HashMap<ProjectId, Result<bool>>,
}

impl<'a> ProjectDoor<'a> {
    fn new(app: &'a App, caller: &'a Caller) -> Self {
        Self { app, caller, known: HashMap::new() }
    }

    /// Whether the project keeps prompts and completions, if the caller may record for it.
    async fn admit(&mut self, project: Option<ProjectId>) -> Result<Result<bool>> {
        let Some(id) = project else { return Ok(Ok(false)) };
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let found = self.caller.find_project(self.app, id).await?;
        let answer =
            found.ok_or_else(ApiError::project_not_found).and_then(|(project, role)| admit(&project, role));
        self.known.insert(id, answer.clone());
        Ok(answer)
    }
}

/// Whether `caller` may record for `project`.
pub async fn may_record(app: &App, caller: &Caller, project: Option<ProjectId>) -> Result<Result<bool>> {
    ProjectDoor::new(app, caller).admit(project).await
}

/// Whether the project keeps prompts and completions, if somebody with `role` may record for it.
pub fn admit(project: &Project, role: ProjectRole) -> Result<bool> {
    if role < ProjectRole::Member {
        return Err(ApiError::forbidden("member of the project"));
    }
    if !project.is_active {
        return Err(ApiError::new(
            ErrorCode::ProjectInactive,
            "the project is switched off; it takes no new usage",
        ));
    }
    Ok(project.settings.store_prompts)
}
