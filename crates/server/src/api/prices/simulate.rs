//! What past calls would have cost with other models, without caching, or in batches.

use std::sync::Arc;

use axum::extract::State;
use domain::{
    Invalid, ProjectId, costing::Facts, limits as bounds, query::Filter, text, usage_record::UsageRecord,
};
use pricing::{Money, PriceBook, Unit, Usage};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    api::usage_query::period,
    app::App,
    auth::{Auth, Caller, Read},
    error::{ApiError, Failure, Result},
    input::Json,
    limits,
    pages::Pages,
    reply::Success,
};

/// Which calls, and what might have been called instead.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SimulationRequest {
    /// Only calls of this project.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// First day or instant.
    start_date: Option<String>,
    /// Last day, which is included whole, or the instant after the last one.
    end_date: Option<String>,
    /// Zone whose days count.
    time_zone: Option<String>,
    /// Only calls of these models.
    models: Vec<String>,
    /// What might have been called instead, at most 10. The calls' own models are always simulated.
    candidates: Vec<Candidate>,
}

/// A model that might have been called.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Who sells it; follows from the model when missing.
    service: Option<String>,
    /// The model.
    model: String,
}

/// What past calls cost and would have cost, by the prices of their own time.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Simulation {
    /// Calls that were looked at.
    requests: u64,
    /// What they cost; those whose cost is unknown are left out.
    #[schema(value_type = f64, format = "decimal")]
    actual_cost: Money,
    /// Calls whose cost is unknown.
    unpriced_requests: u64,
    /// The calls as they were, and each candidate.
    scenarios: Vec<Scenario>,
}

/// The same tokens with one model.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scenario {
    /// Who sells it; `null` for the calls' own models.
    service: Option<String>,
    /// The model; `null` for the calls' own.
    model: Option<String>,
    /// With the caching that the calls had.
    #[schema(value_type = f64, format = "decimal")]
    cost: Money,
    /// With nothing cached.
    #[schema(value_type = f64, format = "decimal")]
    cost_without_caching: Money,
    /// In batches; calls that the model has no batch price for count at its standard price.
    #[schema(value_type = f64, format = "decimal")]
    cost_in_batch: Money,
    /// Calls that have no price with this model; they are in none of the sums.
    unpriced_requests: u64,
}

/// Say what past calls would have cost with other models. Their tokens are taken as they were: another model would have
/// counted and answered differently.
#[utoipa::path(post, path = "/prices/simulate", tag = "Prices", operation_id = "simulate_costs",
    request_body = SimulationRequest,
    responses((status = 200, body = Success<Simulation>), (status = 400, body = Failure), (status = 401, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn simulate_costs(
    State(app): State<App>,
    auth: Auth<Read>,
    Json(request): Json<SimulationRequest>,
) -> Result<Success<Simulation>> {
    let filter = filter_of(&app, &auth.caller, &request).await?;
    if request.candidates.len() > limits::SIMULATED_MODELS_MAX {
        let message = format!("must have at most {} models", limits::SIMULATED_MODELS_MAX);
        return Err(Invalid::field("candidates", message).into());
    }
    let book = app.prices.current();
    let mut sums = Sums::new(request.candidates);
    let mut pages = Pages::new(Arc::clone(&app.usage), filter);
    while let Some(records) = pages.next_page().await? {
        for record in &records {
            sums.add(record, &book)?;
        }
        if sums.requests > limits::SIMULATED_RECORDS_MAX {
            let message =
                format!("has more than {} calls; shorten the period", limits::SIMULATED_RECORDS_MAX);
            return Err(Invalid::field("startDate", message).into());
        }
    }
    Ok(Success::ok(sums.into_simulation()))
}

async fn filter_of(app: &App, caller: &Caller, request: &SimulationRequest) -> Result<Filter> {
    let (start, end) = (request.start_date.as_deref(), request.end_date.as_deref());
    let period = period(start, end, request.time_zone.as_deref())?;
    let mut filter = Filter::all(caller.visibility(app).await?).during(period);
    if let Some(project) = request.project_id {
        caller.find_project(app, project).await?.ok_or_else(ApiError::project_not_found)?;
        filter = filter.of_project(project);
    }
    if request.models.len() > bounds::FILTER_VALUES_MAX {
        return Err(
            Invalid::field("models", format!("must have at most {}", bounds::FILTER_VALUES_MAX)).into()
        );
    }
    for (index, model) in request.models.iter().enumerate() {
        let model = text::dimension_value(&format!("models[{index}]"), model)?;
        filter.selections.entry(domain::query::Dimension::Model).or_default().include.push(model);
    }
    Ok(filter)
}

/// Sums in progress.
struct Sums {
    requests: u64,
    unpriced: u64,
    actual: Money,
    scenarios: Vec<(Option<Candidate>, Scenario)>,
}

impl Sums {
    fn new(candidates: Vec<Candidate>) -> Self {
        let candidates = std::iter::once(None).chain(candidates.into_iter().map(Some));
        let blank = |candidate: Option<Candidate>| {
            let scenario = Scenario {
                service: candidate.as_ref().and_then(|candidate| candidate.service.clone()),
                model: candidate.as_ref().map(|candidate| candidate.model.clone()),
                cost: Money::ZERO,
                cost_without_caching: Money::ZERO,
                cost_in_batch: Money::ZERO,
                unpriced_requests: 0,
            };
            (candidate, scenario)
        };
        Self { requests: 0, unpriced: 0, actual: Money::ZERO, scenarios: candidates.map(blank).collect() }
    }

    fn add(&mut self, record: &UsageRecord, book: &PriceBook) -> Result<()> {
        self.requests += 1;
        match record.cost {
            Some(cost) => self.actual = plus(self.actual, cost)?,
            None => self.unpriced += 1,
        }
        for (candidate, scenario) in &mut self.scenarios {
            let Some([as_it_was, uncached, batched]) = costs(record, candidate.as_ref(), book) else {
                scenario.unpriced_requests += 1;
                continue;
            };
            scenario.cost = plus(scenario.cost, as_it_was)?;
            scenario.cost_without_caching = plus(scenario.cost_without_caching, uncached)?;
            scenario.cost_in_batch = plus(scenario.cost_in_batch, batched)?;
        }
        Ok(())
    }

    fn into_simulation(self) -> Simulation {
        Simulation {
            requests: self.requests,
            actual_cost: self.actual,
            unpriced_requests: self.unpriced,
            scenarios: self.scenarios.into_iter().map(|(_, scenario)| scenario).collect(),
        }
    }
}

/// What the record's tokens cost with the candidate: as they were, uncached, and in a batch.
fn costs(record: &UsageRecord, candidate: Option<&Candidate>, book: &PriceBook) -> Option<[Money; 3]> {
    let own = Facts { reported_cost: None, ..record.facts() };
    let provider = candidate.map(|candidate| provider_of(candidate, book));
    let facts = match candidate.zip(provider.as_deref()) {
        Some((candidate, provider)) => Facts {
            provider,
            model: &candidate.model,
            response_model: None,
            service_tier: None,
            region: None,
            search_type: None,
            ..own
        },
        None => own,
    };
    let uncached = uncached(facts.usage);
    let cost = |facts: Facts<'_>| facts.cost(book).list_cost;
    Some([
        cost(facts)?,
        cost(Facts { usage: &uncached, ..facts })?,
        cost(Facts { service_tier: Some("batch"), ..facts })?,
    ])
}

fn provider_of(candidate: &Candidate, book: &PriceBook) -> String {
    match &candidate.service {
        Some(service) => pricing::canonical_provider(service).into_owned(),
        None => book.resolve_provider(&candidate.model).unwrap_or_default().to_owned(),
    }
}

/// The same tokens with nothing read from or written to a cache.
fn uncached(usage: &Usage) -> Usage {
    let is_cache = |unit: Unit| {
        matches!(
            unit,
            Unit::CacheReadTokens
                | Unit::CacheWriteTokens
                | Unit::CacheWrite1hTokens
                | Unit::CacheReadAudioTokens
                | Unit::CacheReadImageTokens
                | Unit::CacheReadVideoTokens
        )
    };
    usage.iter().filter(|(unit, _)| !is_cache(*unit)).collect()
}

fn plus(a: Money, b: Money) -> Result<Money> {
    a.checked_add(b).ok_or_else(|| ApiError::internal("a sum of money is beyond what can be counted"))
}
