//! Correcting many usage records at once.

use axum::extract::State;
use domain::{Invalid, UsageId, usage_record::Amendment};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    api::{
        usage::{find_visible, usage_not_found},
        usage_correction::{UsageChange, may_correct, may_record_for},
    },
    app::App,
    auth::{Auth, Caller, Write},
    error::{ApiError, ErrorCode, Failure, Result},
    input::Json,
    limits,
    reply::Success,
};

/// The same correction for many records.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCorrections {
    /// Ids of the records, at most 1,000.
    #[schema(value_type = Vec<String>, max_items = 1000)]
    usage_ids: Vec<UsageId>,
    /// What to change. Fields that are missing stay as they are.
    change: UsageChange,
}

/// What became of the corrections.
#[derive(Debug, Serialize, ToSchema)]
pub struct Corrections {
    /// Records that were corrected.
    corrected: usize,
    /// Records that were not.
    failed: usize,
    /// One for each id, in order.
    results: Vec<CorrectionResult>,
}

/// What became of one of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct CorrectionResult {
    /// Id of the record.
    #[schema(value_type = String)]
    id: UsageId,
    /// Whether it was corrected.
    corrected: bool,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ErrorCode>,
    /// The same, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// Correct tags, allocation or project of up to 1,000 records. Each is corrected or not by itself; sums follow.
#[utoipa::path(post, path = "/usage/corrections", tag = "Usage", operation_id = "correct_usage",
    request_body = NewCorrections,
    responses((status = 200, body = Success<Corrections>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["write"])))]
pub async fn correct_usage(
    State(app): State<App>,
    auth: Auth<Write>,
    Json(new): Json<NewCorrections>,
) -> Result<Success<Corrections>> {
    let NewCorrections { usage_ids, change } = new;
    if usage_ids.is_empty() || usage_ids.len() > limits::CORRECTIONS_MAX {
        let message = format!("must have 1 to {} ids", limits::CORRECTIONS_MAX);
        return Err(Invalid::field("usageIds", message).into());
    }
    if let Some(target) = change.project_id() {
        may_record_for(&app, &auth.caller, target).await?;
        auth.caller.trail.project(target);
    }
    let amendment = change.amendment()?;
    // Some at a time, so that they share the wait for the disk; the answer keeps their order.
    let corrections = usage_ids.into_iter().map(|id| correct(&app, &auth.caller, id, &amendment));
    let results: Vec<_> = stream::iter(corrections).buffered(limits::CORRECTIONS_AT_ONCE).collect().await;
    app.ledger.forget();
    app.watch.mark_everything(app.clock.now());
    let corrected: Vec<UsageId> =
        results.iter().filter(|result| result.corrected).map(|result| result.id).collect();
    auth.caller
        .trail
        .after(&serde_json::json!({ "usageIds": corrected, "change": amendment_words(&amendment) }));
    let failed = results.len() - corrected.len();
    Ok(Success::ok(Corrections { corrected: corrected.len(), failed, results }))
}

async fn correct(app: &App, caller: &Caller, id: UsageId, amendment: &Amendment) -> CorrectionResult {
    let corrected = async {
        let record = find_visible(app, caller, id).await?;
        may_correct(app, caller, &record).await?;
        app.usage.amend_record(id, amendment).await?.ok_or_else(usage_not_found)
    };
    match corrected.await {
        Ok(_) => CorrectionResult { id, corrected: true, code: None, message: None },
        Err(ApiError { code, message, .. }) => {
            CorrectionResult { id, corrected: false, code: Some(code), message: Some(message) }
        }
    }
}

/// What the audit log says of a correction.
fn amendment_words(amendment: &Amendment) -> serde_json::Value {
    let Amendment { tags, allocation, project_id } = amendment;
    serde_json::json!({ "tags": tags, "allocation": allocation, "projectId": project_id })
}
