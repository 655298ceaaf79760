//! Costing kept records anew.

use std::sync::Arc;

use axum::extract::State;
use domain::{
    ProjectId,
    query::{Filter, Visibility},
    user::Role,
};
use pricing::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    api::usage_query::period,
    app::App,
    auth::{Admin, Auth},
    error::{Failure, Result},
    input::Json,
    price_book::{self, Author},
    reply::Success,
    reprice::{Repricer, Repricing},
};

/// Which records to cost anew.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RepricingRequest {
    /// `true` writes; otherwise it is only shown what would change.
    apply: bool,
    /// Only records of this project.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// First day or instant.
    start_date: Option<String>,
    /// Last day, which is included whole, or the instant after the last one.
    end_date: Option<String>,
    /// Zone whose days count.
    time_zone: Option<String>,
}

/// What a repricing changes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RepricingView {
    /// Whether it was written.
    applied: bool,
    /// Records that were looked at.
    looked_at: u64,
    /// What changes, by model and month.
    changes: Vec<ChangeView>,
}

/// What changes for one model in one month.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChangeView {
    /// Who sold it.
    service: String,
    /// The model.
    model: String,
    /// The month, in UTC.
    month: String,
    /// Records that change.
    records: u64,
    /// Of these, records that had no cost and get one.
    newly_priced: u64,
    /// What they cost so far, as far as that was known.
    #[schema(value_type = f64)]
    before: Money,
    /// What they cost then.
    #[schema(value_type = f64)]
    after: Money,
}

impl RepricingView {
    /// The view of `repricing`.
    pub fn new(applied: bool, repricing: Repricing) -> Self {
        let changes = repricing.changes.into_iter().map(|((service, model, month), change)| ChangeView {
            service,
            model,
            month,
            records: change.records,
            newly_priced: change.newly_priced,
            before: change.before,
            after: change.after,
        });
        Self { applied, looked_at: repricing.looked_at, changes: changes.collect() }
    }
}

/// Cost kept records anew by the prices that are known now, at each record's own time. What a sender reported stays.
#[utoipa::path(post, path = "/prices/reprice", tag = "Prices", operation_id = "reprice_usage",
    request_body = RepricingRequest,
    responses((status = 200, body = Success<RepricingView>), (status = 400, body = Failure), (status = 401, body = Failure), (status = 403, body = Failure), (status = 422, body = Failure)))]
pub async fn reprice_usage(
    State(app): State<App>,
    auth: Auth<Admin>,
    Json(request): Json<RepricingRequest>,
) -> Result<Success<RepricingView>> {
    auth.caller.require_role(Role::Admin)?;
    let (start, end) = (request.start_date.as_deref(), request.end_date.as_deref());
    let period = period(start, end, request.time_zone.as_deref())?;
    let mut filter = Filter::all(Visibility::Everything).during(period);
    if let Some(project) = request.project_id {
        filter = filter.of_project(project);
    }
    let _turn = if request.apply { Some(app.repricings.turn().await) } else { None };
    let book = app.prices.current();
    // Who asked waits for the whole of it, also while the server stops.
    let repricer = Repricer { usage: Arc::clone(&app.usage), book: &book, is_stopping: &|| false };
    let view = RepricingView::new(request.apply, repricer.reprice(filter, request.apply).await?);
    if request.apply {
        app.ledger.forget();
        app.watch.mark_everything(app.clock.now());
        let records: u64 = view.changes.iter().map(|change| change.records).sum();
        let note = format!("{records} of {} records repriced", view.looked_at);
        let author = Author { user: Some(auth.caller.user.id), at: app.clock.now(), note: &note };
        price_book::note_repricing(&*app.meta, &view, author).await?;
        tracing::info!(user = %auth.caller.user.id, records, "records repriced");
    }
    Ok(Success::ok(view))
}
