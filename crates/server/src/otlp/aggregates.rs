//! Spans that add up what calls inside of them used: an agent's, whose own calls may not be traced.
//!
//! Such a span becomes a record only if no call inside of it is told of. It waits in the store until its trace has settled;
//! a call that is told of later takes the record's place. What is not known to be beside such a span is taken to be inside
//! of it: one spending is never two records.

use std::{collections::HashSet, time::Duration};

use domain::{
    Interval, UserId,
    ingest::Stamp,
    query::{Dimension, Filter, PageStart, RecordQuery, RecordSort, Selection, Visibility},
    usage_record::{Origin, UsageRecord},
    wire::opentelemetry::{Aggregate, Parent, Place, Rejected, SpanId, TraceId, Tree, Trees},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use store::{AggregateSpan, Appended, StoreError};
use tokio::sync::RwLock;

use crate::{
    app::App,
    auth::Caller,
    error::Result,
    ingest,
    limits::{AGGREGATES_AT_ONCE, AGGREGATES_OF_ACCOUNT_MAX},
};

/// How often it is looked for what has settled.
const EVERY: Duration = Duration::from_secs(15);
/// How long a record may give way to a call that is told of later.
const GIVES_WAY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How much clocks of services may differ.
const SKEW: SignedDuration = SignedDuration::from_mins(1);
/// Records of one trace that are looked at; with more, the span is taken to contain one.
const RECORDS_MAX: usize = 1_000;

/// What is known of traces in which such spans are.
#[derive(Debug, Default)]
pub struct Aggregates {
    trees: Trees,
    /// Many take calls at once; nothing is settled meanwhile.
    turn: RwLock<()>,
}

/// Where a call that counts was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Called {
    pub(super) trace: TraceId,
    pub(super) parent: Parent,
}

/// What a request brings.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) calls: Vec<Called>,
    pub(super) spans: Vec<(SpanId, Option<SpanId>)>,
    pub(super) aggregates: Vec<Aggregate>,
}

impl Aggregates {
    /// Lets nothing settle until it is dropped: what is read of spans that wait holds until calls are kept.
    pub(super) async fn hold(&self) -> tokio::sync::RwLockReadGuard<'_, ()> {
        self.turn.read().await
    }

    /// Makes those give way inside of which a call is told of, and keeps the new ones. Calls are kept after it.
    pub(super) async fn take(
        &self,
        app: &App,
        caller: &Caller,
        arrived: Arrived,
        rejected: &mut Rejected,
    ) -> Result<()> {
        let user = caller.user.id;
        let traces: HashSet<TraceId> = arrived
            .spans
            .iter()
            .map(|(id, _)| id.trace)
            .chain(arrived.calls.iter().map(|call| call.trace))
            .collect();
        let traces: Vec<TraceId> = traces.into_iter().collect();
        let known = app.meta.list_aggregates(user, &traces).await?;
        let watched: HashSet<TraceId> = known
            .iter()
            .map(|span| span.id.trace)
            .chain(arrived.aggregates.iter().map(|aggregate| aggregate.id.trace))
            .collect();
        if watched.is_empty() {
            return Ok(());
        }
        self.trees.learn(user, arrived.spans.into_iter().filter(|(id, _)| watched.contains(&id.trace)));
        for span in &known {
            let tree = self.tree(user, span.id.trace, &known);
            let mut calls = arrived.calls.iter().filter(|call| call.trace == span.id.trace);
            // While it waits, what is not known may yet be told.
            let is_over = calls.any(|call| match tree.place(call.parent, span.id.span) {
                Place::Inside => true,
                Place::Unknown => span.call.is_none(),
                Place::Outside => false,
            });
            if is_over {
                give_way(app, span).await?;
            }
        }
        self.keep(app, caller, arrived.aggregates, rejected).await
    }

    async fn keep(
        &self,
        app: &App,
        caller: &Caller,
        aggregates: Vec<Aggregate>,
        rejected: &mut Rejected,
    ) -> Result<()> {
        let now = app.clock.now();
        let due_at = now.saturating_add(app.config.otlp.settle_after()).unwrap_or(Timestamp::MAX);
        let project = caller.key.as_ref().and_then(|key| key.project_id);
        if aggregates.is_empty() {
            return Ok(());
        }
        if let Err(error) = ingest::may_record(app, caller, project).await? {
            for _ in &aggregates {
                rejected.add(&error.message);
            }
            return Ok(());
        }
        let waiting = |Aggregate { id, parent, mut new }: Aggregate| {
            new.project_id = project;
            AggregateSpan {
                user_id: caller.user.id,
                id,
                parent: parent.map(|parent| parent.span),
                started_at: new.occurred_at.unwrap_or(now),
                record_id: app.ids.next(now),
                tracker_key_id: caller.key.as_ref().map(|key| key.id),
                due_at,
                call: Some(new),
            }
        };
        let waiting = aggregates.into_iter().map(waiting).collect();
        let without_room = app.meta.insert_aggregates(waiting, AGGREGATES_OF_ACCOUNT_MAX).await?;
        for _ in 0..without_room {
            rejected.add("too many spans of agents wait until it is known whether their calls are traced");
        }
        Ok(())
    }

    /// What is known of a trace, `spans` included.
    fn tree(&self, user: UserId, trace: TraceId, spans: &[AggregateSpan]) -> Tree {
        let mut tree = self.trees.of(user, trace);
        for span in spans.iter().filter(|span| span.id.trace == trace) {
            tree.insert(span.id.span, span.parent);
        }
        tree
    }
}

/// Settles now and then, until the program stops.
pub fn start(app: &App) {
    app.spawn_every(EVERY, "otlp_aggregates", |app: App| async move {
        if let Err(error) = settle(&app).await {
            tracing::error!(%error, "spans of agents could not be settled; they will be");
        }
    });
}

/// Decides of the spans that are due; how many became records.
pub async fn settle(app: &App) -> Result<usize> {
    let _turn = app.aggregates.turn.write().await;
    let now = app.clock.now();
    app.meta.forget_aggregates(now).await?;
    let mut recorded = 0;
    for span in app.meta.list_due_aggregates(now, AGGREGATES_AT_ONCE).await? {
        let outcome = decide(app, &span, now).await?;
        metrics::counter!("aict_otlp_aggregates_total", "outcome" => outcome).increment(1);
        recorded += usize::from(outcome == "recorded");
    }
    Ok(recorded)
}

async fn decide(app: &App, span: &AggregateSpan, now: Timestamp) -> Result<&'static str> {
    let (user, id) = (span.user_id, span.id);
    let others = app.meta.list_aggregates(user, &[id.trace]).await?;
    let mut tree = app.aggregates.tree(user, id.trace, &others);
    let records = records_around(app, span).await?;
    let called: Vec<Parent> = records.iter().map(|record| learn_from(record, &mut tree)).collect();
    let holds_call = called.iter().any(|parent| tree.place(*parent, id.span) != Place::Outside);
    if records.len() >= RECORDS_MAX || holds_call {
        app.meta.delete_aggregate(user, id).await?;
        return Ok("calls_known");
    }
    // Of spans inside of each other the outermost has it all. Which began later cannot be outside.
    let parent_of = |span: &AggregateSpan| span.parent.map_or(Parent::None, Parent::Span);
    let contains = |outer: &AggregateSpan, inner: &AggregateSpan| {
        let place = tree.place(parent_of(inner), outer.id.span);
        place == Place::Inside || place == Place::Unknown && begins_before(outer, inner)
    };
    let outer = others.iter().filter(|other| other.id != id && contains(other, span));
    match outer.max_by_key(|outer| outer.call.is_none()) {
        Some(outer) if outer.call.is_none() => {
            app.meta.delete_aggregate(user, id).await?;
            return Ok("inside_of_another");
        }
        Some(outer) => {
            let later = outer.due_at.max(now).saturating_add(SignedDuration::from_secs(1));
            app.meta.postpone_aggregate(user, id, later.unwrap_or(now)).await?;
            return Ok("postponed");
        }
        None => {}
    }
    for inner in others.iter().filter(|other| other.id != id && other.call.is_none() && contains(span, other))
    {
        give_way(app, inner).await?;
    }
    record(app, span, now).await
}

fn begins_before(outer: &AggregateSpan, inner: &AggregateSpan) -> bool {
    (outer.started_at, outer.id.span) < (inner.started_at, inner.id.span)
}

/// Makes the span its record.
async fn record(app: &App, span: &AggregateSpan, now: Timestamp) -> Result<&'static str> {
    let Some(call) = span.call.clone() else { return Ok("recorded") };
    let project = match call.project_id {
        Some(project) => app.meta.find_project(project).await?.filter(|project| project.is_active),
        None => None,
    };
    if call.project_id.is_some() && project.is_none() {
        app.meta.delete_aggregate(span.user_id, span.id).await?;
        return Ok("refused");
    }
    let stamp = Stamp {
        id: span.record_id,
        user_id: span.user_id,
        tracker_key_id: span.tracker_key_id,
        origin: Origin::Otlp,
        recorded_at: now,
        keeps_content: false,
    };
    let records = call.into_records(stamp, &app.prices.current(), || app.ids.next(now));
    let appended = match ingest::append(app, &[records.call]).await {
        // It was kept, and the program stopped before it was noted.
        Err(StoreError::Conflict("id")) => Vec::new(),
        appended => appended?,
    };
    if matches!(appended.first(), Some(Appended::Deleted(_) | Appended::Duplicate(_) | Appended::Joined(_))) {
        app.meta.delete_aggregate(span.user_id, span.id).await?;
        return Ok("known");
    }
    let forget_at = now.saturating_add(GIVES_WAY).unwrap_or(Timestamp::MAX);
    app.meta.settle_aggregate(span.user_id, span.id, forget_at).await?;
    Ok("recorded")
}

/// Takes the span's record away, if it became one, and the span. In this order: what was left in between is found again.
async fn give_way(app: &App, span: &AggregateSpan) -> Result<()> {
    if app.usage.delete_record(span.record_id).await?.is_some() {
        app.ledger.forget();
        metrics::counter!("aict_otlp_aggregates_total", "outcome" => "gave_way").increment(1);
    }
    app.meta.delete_aggregate(span.user_id, span.id).await?;
    Ok(())
}

/// Records of calls in the span's trace that count, at its time.
async fn records_around(app: &App, span: &AggregateSpan) -> Result<Vec<UsageRecord>> {
    let took = span.call.as_ref().and_then(|call| call.response_time_ms).unwrap_or_default();
    let took = SignedDuration::from_millis(i64::try_from(took).unwrap_or(i64::MAX));
    let start = span.started_at.saturating_sub(SKEW).unwrap_or(Timestamp::MIN);
    let end = span.started_at.saturating_add(took).and_then(|end| end.saturating_add(SKEW));
    let user = Selection { include: vec![span.user_id.to_string()], exclude: Vec::new() };
    let mut filter =
        Filter::all(Visibility::Everything).during(Interval { start, end: end.unwrap_or(Timestamp::MAX) });
    filter.selections.insert(Dimension::User, user);
    let trace = hex(&span.id.trace);
    filter.search = Some(trace.clone());
    let query = RecordQuery {
        filter,
        sort: RecordSort::Timestamp,
        descending: false,
        start: PageStart::Offset(0),
        limit: RECORDS_MAX,
        count: false,
    };
    let mut records = app.usage.list_records(&query).await?.records;
    records.retain(|record| {
        let counts = !record.usage.is_empty() && record.trace_id.as_deref() == Some(trace.as_str());
        counts && record.id != span.record_id && said(record, "aggregate").is_none()
    });
    Ok(records)
}

/// Where a record's call was made.
fn learn_from(record: &UsageRecord, tree: &mut Tree) -> Parent {
    let id = |key| said(record, key).and_then(|value| bytes(value.as_str()?));
    match (id("spanId"), id("parentSpanId")) {
        (span, Some(parent)) => {
            if let Some(span) = span {
                tree.insert(span, Some(parent));
            }
            Parent::Span(parent)
        }
        (Some(_), None) => Parent::None,
        (None, None) => Parent::Unknown,
    }
}

fn said(record: &UsageRecord, key: &str) -> Option<Value> {
    let metadata: Value = serde_json::from_str(record.metadata.as_deref()?).ok()?;
    metadata.get(key).cloned()
}

fn bytes(hex: &str) -> Option<[u8; 8]> {
    (hex.len() == 16).then(|| u64::from_str_radix(hex, 16).ok().map(u64::to_be_bytes)).flatten()
}

fn hex(trace: &TraceId) -> String {
    format!("{:032x}", u128::from_be_bytes(*trace))
}
