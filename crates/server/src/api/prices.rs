//! The price catalog, and what it says of calls.

pub mod changes;
pub mod estimate;
pub mod import;
pub mod reprice;
pub mod rules;
pub mod simulate;

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use jiff::{Timestamp, civil::Date};
use pricing::{DailyWindow, Price, TieredRate, Unit};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::usage_query::Paging,
    app::App,
    auth::{Auth, Read},
    error::{ApiError, ErrorCode, Failure, Result},
    input::Pairs,
    reply::Success,
};

/// A price row: the rates of a model that hold together, under the same conditions, in the same period.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriceView {
    /// Id of the row.
    id: String,
    /// Provider of the row.
    provider: String,
    /// Model of the row.
    model: String,
    /// Since when it holds; `null` is since ever.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// Until when it holds; `null` is until further notice.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    /// What must hold of a call.
    conditions: ConditionsView,
    /// Rates by unit; several where they depend on the prompt's size.
    #[schema(value_type = std::collections::BTreeMap<String, Vec<RateView>>)]
    rates: BTreeMap<Unit, Vec<RateView>>,
    /// Where it is from.
    source: SourceView,
    /// What a person should know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
}

/// What must hold of a call for a price row to apply; whatever is missing may be anything.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConditionsView {
    /// Service tier: `batch`, `flex`, `priority`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<String>,
    /// Region or geography.
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    /// Kind of search (Perplexity).
    #[serde(skip_serializing_if = "Option::is_none")]
    search_type: Option<String>,
    /// Time of day, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    daily: Option<DailyWindow>,
}

/// A rate.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RateView {
    /// Least size of the prompt, in tokens, for which it holds.
    input_tokens_min: u64,
    /// US dollars per million units, exact digits; per hour, with `/hour` behind, for durations.
    rate: String,
}

/// Where a price row is from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SourceView {
    /// The catalog it was taken from.
    name: String,
    /// Version of that catalog.
    version: String,
    /// The provider's own page.
    url: Option<String>,
    /// When that page was last looked at.
    #[schema(value_type = Option<String>, format = Date)]
    checked_on: Option<Date>,
}

impl From<&TieredRate> for RateView {
    fn from(tier: &TieredRate) -> Self {
        Self { input_tokens_min: tier.input_tokens_min, rate: tier.rate.to_string() }
    }
}

impl From<&Price> for PriceView {
    fn from(price: &Price) -> Self {
        Self {
            id: price.id.clone(),
            provider: price.provider.clone(),
            model: price.model.clone(),
            valid_from: price.valid_from,
            valid_until: price.valid_until,
            conditions: ConditionsView {
                service_tier: price.conditions.service_tier.clone(),
                region: price.conditions.region.clone(),
                search_type: price.conditions.search_type.clone(),
                daily: price.conditions.daily.clone(),
            },
            rates: price
                .rates
                .iter()
                .map(|(unit, tiers)| (*unit, tiers.iter().map(RateView::from).collect()))
                .collect(),
            source: SourceView {
                name: price.source.name.clone(),
                version: price.source.version.clone(),
                url: price.source.url.clone(),
                checked_on: price.source.checked_on,
            },
            notes: price.notes.clone(),
        }
    }
}

/// List the price rows.
#[utoipa::path(get, path = "/prices", tag = "Prices", operation_id = "list_prices",
    params(Paging,
        ("service" = Option<String>, Query, description = "Provider; also `provider`"),
        ("search" = Option<String>, Query, description = "Part of the model's name"),
        ("at" = Option<String>, Query, description = "RFC 3339; only rows that hold at this instant")),
    responses((status = 200, body = Success<Vec<PriceView>>), (status = 401, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_prices(
    State(app): State<App>,
    _auth: Auth<Read>,
    pairs: Pairs,
) -> Result<Success<Vec<PriceView>>> {
    pairs.only(|name| matches!(name, "page" | "limit" | "service" | "provider" | "search" | "at"))?;
    let paging = Paging::from_pairs(&pairs)?;
    let provider = pairs.last("service").or_else(|| pairs.last("provider")).map(pricing::canonical_provider);
    let search = pairs.last("search").map(str::to_lowercase);
    let at: Option<Timestamp> = pairs.parsed("at", |text| text.parse().ok(), "an RFC 3339 time")?;
    let book = app.prices.current();
    let rows = book.catalog().prices().filter(|price| {
        provider.as_deref().is_none_or(|provider| price.provider == provider)
            && search.as_deref().is_none_or(|search| price.model.to_lowercase().contains(search))
            && at.is_none_or(|at| price.is_in_force(at))
    });
    let (page, pagination) = paging.page_of(rows.collect());
    Ok(Success::ok(page.into_iter().map(PriceView::from).collect()).with_pagination(pagination))
}

/// Every price row of a model, of all providers and times.
#[utoipa::path(get, path = "/prices/{model}", tag = "Prices", operation_id = "get_model_prices",
    params(("model" = String, Path, description = "Name of the model in the catalog")),
    responses((status = 200, body = Success<Vec<PriceView>>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_model_prices(
    State(app): State<App>,
    _auth: Auth<Read>,
    Path(model): Path<String>,
) -> Result<Success<Vec<PriceView>>> {
    let rows: Vec<PriceView> = app
        .prices
        .current()
        .catalog()
        .prices()
        .filter(|price| price.model.eq_ignore_ascii_case(&model))
        .map(PriceView::from)
        .collect();
    if rows.is_empty() {
        return Err(ApiError::new(ErrorCode::ModelNotFound, "the model is not in the price catalog"));
    }
    Ok(Success::ok(rows))
}
