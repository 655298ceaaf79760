//! What a call would cost.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
};
use domain::{
    ingest::Stamp,
    usage_record::{CostSource, Flag, Origin},
};
use pricing::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{
        prices::rules::PriceRule,
        usage::{TrackUsage, TrackedSideCall},
        usage_view::{Explanation, price_match},
    },
    app::App,
    auth::{Auth, Read},
    error::{Failure, Result},
    input::{read_body, require_json},
    reply::Success,
    token_estimate, track,
};

/// What a call would cost.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// Who would sell it.
    service: String,
    /// The model.
    model: String,
    /// What it would cost; `null` is unknown, not free.
    #[schema(value_type = Option<f64>)]
    cost: Option<Money>,
    /// Where that comes from.
    cost_source: CostSource,
    /// The catalog's own figure.
    #[schema(value_type = Option<f64>)]
    list_cost: Option<Money>,
    /// Why the catalog has none.
    unpriced_reason: Option<String>,
    /// What a person should know about it.
    flags: Vec<Flag>,
    /// How the catalog's figure comes about.
    cost_explanation: Option<Explanation>,
    /// The operator's own rules that make the cost another than the catalog's.
    price_rules: Vec<PriceRule>,
    /// Why the catalog's row is the model's, in words.
    price_match: Option<String>,
    /// What other models did inside the reply, if one was sent; its cost is not in `cost`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    side_calls: Vec<TrackedSideCall>,
}

/// Say what a call would cost. It takes what `/usage/track` takes and records nothing; `timestamp` chooses the prices.
#[utoipa::path(post, path = "/prices/estimate", tag = "Prices", operation_id = "estimate_cost",
    request_body = TrackUsage,
    responses((status = 200, body = Success<Estimate>), (status = 400, body = Failure), (status = 401, body = Failure), (status = 422, body = Failure)))]
pub async fn estimate_cost(
    State(app): State<App>,
    auth: Auth<Read>,
    headers: HeaderMap,
    body: Body,
) -> Result<Success<Estimate>> {
    require_json(headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()))?;
    let body = read_body(body, app.config.limits.body_bytes_max, &app).await?;
    let now = app.clock.now();
    let mut new = track::parse(&body, now)?;
    let book = app.prices.current();
    token_estimate::estimate(&mut new, &book);
    // A record that is never kept.
    let stamp = Stamp {
        id: app.ids.next(now),
        user_id: auth.caller.user.id,
        tracker_key_id: None,
        origin: Origin::Track,
        recorded_at: now,
        keeps_content: false,
    };
    let records = new.into_records(stamp, &book, || app.ids.next(now));
    let record = records.call;
    Ok(Success::ok(Estimate {
        cost: record.cost,
        cost_source: record.cost_source,
        list_cost: record.list_cost,
        cost_explanation: record.price.as_ref().and_then(|price| Explanation::new(price, &record.usage)),
        price_rules: record.adjustments.iter().map(|rule| PriceRule::from(&**rule)).collect(),
        price_match: price_match(&record, &book),
        service: record.provider,
        model: record.model,
        unpriced_reason: record.unpriced_reason,
        flags: record.flags,
        side_calls: records.side_calls.iter().map(|record| TrackedSideCall::new(None, record)).collect(),
    }))
}
