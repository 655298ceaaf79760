//! The price catalog.

use axum::extract::{Path, State};
use jiff::Timestamp;
use pricing::Price;
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
#[serde(transparent)]
pub struct PriceRow(#[schema(value_type = Object)] Price);

/// List the price rows.
#[utoipa::path(get, path = "/prices", tag = "Prices", operation_id = "list_prices",
    params(Paging,
        ("service" = Option<String>, Query, description = "Provider; also `provider`"),
        ("search" = Option<String>, Query, description = "Part of the model's name"),
        ("at" = Option<String>, Query, description = "RFC 3339; only rows that hold at this instant")),
    responses((status = 200, body = Success<Vec<PriceRow>>), (status = 401, body = Failure), (status = 422, body = Failure)))]
pub async fn list_prices(State(app): State<App>, _auth: Auth<Read>, pairs: Pairs) -> Result<Success<Vec<PriceRow>>> {
    pairs.only(|name| matches!(name, "page" | "limit" | "service" | "provider" | "search" | "at"))?;
    let paging = Paging::from_pairs(&pairs)?;
    let provider = pairs.last("service").or_else(|| pairs.last("provider")).map(pricing::canonical_provider);
    let search = pairs.last("search").map(str::to_lowercase);
    let at: Option<Timestamp> = pairs.parsed("at", |text| text.parse().ok(), "an RFC 3339 time")?;
    let rows = app.catalog.prices().filter(|price| {
        provider.as_deref().is_none_or(|provider| price.provider == provider)
            && search.as_deref().is_none_or(|search| price.model.to_lowercase().contains(search))
            && at.is_none_or(|at| holds_at(price, at))
    });
    let (page, pagination) = paging.page_of(rows.collect());
    Ok(Success::ok(page.into_iter().map(|price| PriceRow(price.clone())).collect()).with_pagination(pagination))
}

/// Every price row of a model, of all providers and times.
#[utoipa::path(get, path = "/prices/{model}", tag = "Prices", operation_id = "get_model_prices",
    params(("model" = String, Path, description = "Name of the model in the catalog")),
    responses((status = 200, body = Success<Vec<PriceRow>>), (status = 401, body = Failure), (status = 404, body = Failure)))]
pub async fn get_model_prices(State(app): State<App>, _auth: Auth<Read>, Path(model): Path<String>) -> Result<Success<Vec<PriceRow>>> {
    let rows: Vec<PriceRow> =
        app.catalog.prices().filter(|price| price.model.eq_ignore_ascii_case(&model)).map(|price| PriceRow(price.clone())).collect();
    if rows.is_empty() {
        return Err(ApiError::new(ErrorCode::ModelNotFound, "the model is not in the price catalog"));
    }
    Ok(Success::ok(rows))
}

fn holds_at(price: &Price, at: Timestamp) -> bool {
    price.valid_from.is_none_or(|from| from <= at) && price.valid_until.is_none_or(|until| at < until)
}
