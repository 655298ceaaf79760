//! What past calls would have cost with other models, without caching, or in batches.

use std::{collections::HashMap, sync::Arc};

use axum::extract::State;
use domain::{Invalid, ProjectId, limits as bounds, query::Filter, text};
use jiff::Timestamp;
use pricing::{Call, Counts, Money, PriceBook, PriceHistory};
use serde::{Deserialize, Serialize};
use store::{CallBatch, CallKind, MeteredCall};
use tokio::sync::mpsc;
use utoipa::ToSchema;

use crate::{
    api::usage_query::period,
    app::App,
    auth::{Auth, Caller, Read},
    error::{ApiError, Failure, Result},
    input::Json,
    limits,
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
    let (batches, sent) = mpsc::channel(limits::SIMULATED_BATCHES_WAITING);
    let (book, candidates) = (app.prices.current(), request.candidates);
    // Prices calls while the next ones are read.
    let pricing = tokio::task::spawn_blocking(move || simulate(&book, candidates, sent));
    let (read, simulated) = tokio::join!(app.usage.read_calls(&filter, batches), pricing);
    read?;
    simulated.map_err(ApiError::internal)?.map(Success::ok)
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

fn simulate(
    book: &PriceBook,
    candidates: Vec<Candidate>,
    mut sent: mpsc::Receiver<CallBatch>,
) -> Result<Simulation> {
    let mut sums = Sums::new(book, candidates);
    while let Some(batch) = sent.blocking_recv() {
        sums.add(&batch)?;
        if sums.requests > limits::SIMULATED_RECORDS_MAX {
            let message =
                format!("has more than {} calls; shorten the period", limits::SIMULATED_RECORDS_MAX);
            return Err(Invalid::field("startDate", message).into());
        }
    }
    Ok(sums.into_simulation())
}

/// Sums in progress.
struct Sums<'a> {
    book: &'a PriceBook,
    requests: u64,
    unpriced: u64,
    actual: Money,
    scenarios: Vec<(Option<Candidate>, Scenario)>,
    /// The prices of a kind of calls in each scenario.
    prices: HashMap<CallKind, Arc<[Prices<'a>]>>,
}

/// The prices of a kind of calls in a scenario: as they were served, and in batches.
struct Prices<'a> {
    served: PriceHistory<'a>,
    batched: PriceHistory<'a>,
}

impl<'a> Sums<'a> {
    fn new(book: &'a PriceBook, candidates: Vec<Candidate>) -> Self {
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
        let scenarios = candidates.map(blank).collect();
        Self { book, requests: 0, unpriced: 0, actual: Money::ZERO, scenarios, prices: HashMap::new() }
    }

    fn add(&mut self, batch: &CallBatch) -> Result<()> {
        let kinds: Vec<_> = batch.kinds.iter().map(|kind| self.prices_of(kind)).collect();
        for call in &batch.calls {
            let prices = kinds.get(call.kind).ok_or_else(|| ApiError::internal("a call is of no kind"))?;
            self.add_call(call, prices)?;
        }
        Ok(())
    }

    fn add_call(&mut self, call: &MeteredCall, prices: &[Prices<'a>]) -> Result<()> {
        self.requests += 1;
        match call.cost {
            Some(cost) => self.actual = plus(self.actual, cost)?,
            None => self.unpriced += 1,
        }
        let counts = Counts::of(&call.usage).ok();
        let uncached = counts.as_ref().and_then(Counts::uncached);
        for ((_, scenario), prices) in self.scenarios.iter_mut().zip(prices) {
            let costs = counts.as_ref().and_then(|counts| prices.costs(call.at, counts, uncached.as_ref()));
            let Some([as_it_was, uncached, batched]) = costs else {
                scenario.unpriced_requests += 1;
                continue;
            };
            scenario.cost = plus(scenario.cost, as_it_was)?;
            scenario.cost_without_caching = plus(scenario.cost_without_caching, uncached)?;
            scenario.cost_in_batch = plus(scenario.cost_in_batch, batched)?;
        }
        Ok(())
    }

    fn prices_of(&mut self, kind: &CallKind) -> Arc<[Prices<'a>]> {
        if let Some(prices) = self.prices.get(kind) {
            return Arc::clone(prices);
        }
        let of =
            |(candidate, _): &(Option<Candidate>, Scenario)| Prices::of(kind, candidate.as_ref(), self.book);
        let prices: Arc<[_]> = self.scenarios.iter().map(of).collect();
        if self.prices.len() >= limits::SIMULATED_KINDS_KNOWN {
            self.prices.clear();
        }
        self.prices.insert(kind.clone(), Arc::clone(&prices));
        prices
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

impl<'a> Prices<'a> {
    fn of(kind: &CallKind, candidate: Option<&Candidate>, book: &'a PriceBook) -> Self {
        let provider = candidate.map(|candidate| provider_of(candidate, book));
        // Whenever: a history is of every time.
        let call = |provider, model| Call::new(Some(provider), model, Timestamp::UNIX_EPOCH);
        let call = match candidate.zip(provider.as_deref()) {
            Some((candidate, provider)) => call(provider, &candidate.model),
            None => Call {
                response_model: kind.response_model.as_deref(),
                service_tier: kind.service_tier.as_deref(),
                region: kind.region.as_deref(),
                search_type: kind.search_type.as_deref(),
                ..call(&kind.provider, &kind.model)
            },
        };
        Self {
            served: book.price_history(&call),
            batched: book.price_history(&call.service_tier(Some("batch"))),
        }
    }

    /// What a call costs: as it was, uncached, and in a batch; `None` when one of them is not known.
    fn costs(&self, at: Timestamp, counts: &Counts, uncached: Option<&Counts>) -> Option<[Money; 3]> {
        let (served, batched) = (self.served.at(at)?, self.batched.at(at)?);
        let as_it_was = served.total_of(counts).ok()?;
        let uncached = match uncached {
            Some(uncached) => served.total_of(uncached).ok()?,
            None => as_it_was,
        };
        let batched =
            if std::ptr::eq(served, batched) { as_it_was } else { batched.total_of(counts).ok()? };
        Some([as_it_was, uncached, batched])
    }
}

fn provider_of(candidate: &Candidate, book: &PriceBook) -> String {
    match &candidate.service {
        Some(service) => pricing::canonical_provider(service).into_owned(),
        None => book.resolve_provider(&candidate.model).unwrap_or_default().to_owned(),
    }
}

fn plus(a: Money, b: Money) -> Result<Money> {
    a.checked_add(b).ok_or_else(|| ApiError::internal("a sum of money is beyond what can be counted"))
}

#[cfg(test)]
mod tests {
    use domain::costing::Facts;
    use pricing::{Adjustments, Catalog, Unit, Usage};

    use super::*;

    const CATALOG: &str = r#"{
        "version": "test", "source": { "name": "test", "version": "1" },
        "providers": [{ "id": "acme", "name": "Acme", "first_party": true, "models": [
            { "id": "plain", "prices": [
                { "until": "2026-02-01T00:00:00Z", "rates": { "input_tokens": "3.333", "output_tokens": "15.001" } },
                { "from": "2026-02-01T00:00:00Z", "rates": { "input_tokens": "2.7", "cache_read_tokens": "0.271", "output_tokens": "9.99" } },
                { "from": "2026-01-05T00:00:00Z", "tier": "batch", "rates": { "input_tokens": "1.35", "output_tokens": "4.995" } }
            ] },
            { "id": "tiered", "prices": [{ "rates": {
                "input_tokens": [[0, "1.25"], [2000, "2.5"]], "cache_read_tokens": [[0, "0.125"], [2000, "0.25"]],
                "cache_write_tokens": "1.5625", "output_tokens": [[0, "10"], [2000, "15"]] } }] },
            { "id": "nightly", "prices": [
                { "rates": { "input_tokens": "1", "output_tokens": "2", "web_searches": "10000" } },
                { "daily": { "from": "22:00:00", "until": "06:00:00" }, "rates": { "input_tokens": "0.5", "output_tokens": "1" } }
            ] },
            { "id": "heard", "prices": [{ "rates": { "input_audio_milliseconds": "0.36/hour" }, "minimum": { "input_audio_milliseconds": 10000 } }] }
        ] }]
    }"#;
    const DISCOUNT: &str = r#"[{ "id": "contract", "kind": { "discount": 1000 } }]"#;

    /// Call number `n`: each of other kind, time and counts than its neighbours.
    fn call(n: u64) -> (CallKind, Timestamp, Usage) {
        let of = |every: u64, word: &str| n.is_multiple_of(every).then(|| word.to_owned());
        let model = ["plain", "tiered", "nightly", "heard", "nobodys"][(n % 5) as usize].to_owned();
        let kind = CallKind {
            provider: of(11, "unknown").unwrap_or_else(|| "acme".to_owned()),
            model,
            response_model: of(7, "plain").or_else(|| of(13, "unheard-of")),
            service_tier: of(3, "batch").or_else(|| of(4, "flex")),
            region: of(8, "eu"),
            search_type: None,
        };
        let input = n * 37 % 4_001;
        let usage = Usage::new().with(Unit::InputTokens, input).with(Unit::OutputTokens, n * 101 % 977);
        let usage = [
            (2, Unit::CacheReadTokens, input / 3),
            (5, Unit::CacheWriteTokens, input / 5),
            (17, Unit::WebSearches, 1),
            (9, Unit::InputAudioMilliseconds, n * 91),
            (19, Unit::ReasoningTokens, n),
        ]
        .into_iter()
        .filter(|(every, ..)| n.is_multiple_of(*every))
        .fold(usage, |usage, (_, unit, count)| usage.with(unit, count));
        let usage = if n.is_multiple_of(23) { Usage::new().with(Unit::TotalTokens, n) } else { usage };
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        (kind, start + jiff::SignedDuration::from_mins(i64::try_from(n).unwrap() * 67), usage)
    }

    /// What a call costs by the ordinary way, one call at a time.
    fn costs(number: u64, candidate: Option<&Candidate>, book: &PriceBook) -> Option<[Money; 3]> {
        let (kind, at, usage) = call(number);
        let none = CallKind { response_model: None, service_tier: None, region: None, ..kind.clone() };
        let kind = candidate.map_or(kind, |candidate| CallKind {
            provider: provider_of(candidate, book),
            model: candidate.model.clone(),
            ..none
        });
        let facts = Facts {
            user_id: "507f1f77bcf86cd799439011".parse().unwrap(),
            project_id: None,
            provider: &kind.provider,
            model: &kind.model,
            response_model: kind.response_model.as_deref(),
            service_tier: kind.service_tier.as_deref(),
            region: kind.region.as_deref(),
            search_type: kind.search_type.as_deref(),
            usage: &usage,
            tokens_estimated: false,
            reported_cost: None,
            provider_cost: None,
            at,
        };
        let costing = facts.cost(book);
        let (cost, saved) = (costing.list_cost?, costing.cache_savings?);
        let batched = Facts { service_tier: Some("batch"), ..facts }.cost(book).list_cost?;
        Some([cost, cost.checked_add(saved).unwrap(), batched])
    }

    #[test]
    fn a_simulation_is_the_sum_of_its_calls_each_costed_by_itself() {
        let catalog = Arc::new(Catalog::from_json(CATALOG).unwrap());
        let rules = Adjustments::new(serde_json::from_str(DISCOUNT).unwrap()).unwrap();
        let book = PriceBook::new(catalog).with_adjustments(rules);
        let candidate = |model: &str| Candidate { service: None, model: model.to_owned() };
        let candidates =
            vec![candidate("tiered"), candidate("plain"), candidate("nightly"), candidate("gone")];
        let mut sums = Sums::new(&book, candidates.clone());
        for numbers in (0..2_000).collect::<Vec<u64>>().chunks(64) {
            let (kinds, calls) = numbers
                .iter()
                .map(|number| call(*number))
                .enumerate()
                .map(|(index, call)| {
                    let (kind, at, usage) = call;
                    (kind, MeteredCall { kind: index, at, cost: None, usage })
                })
                .unzip();
            sums.add(&CallBatch { kinds, calls }).unwrap();
        }
        let simulation = sums.into_simulation();
        assert_eq!((simulation.requests, simulation.unpriced_requests), (2_000, 2_000));
        let scenarios = std::iter::once(None).chain(candidates.iter().map(Some));
        for (candidate, scenario) in scenarios.zip(&simulation.scenarios) {
            let priced: Vec<_> = (0..2_000).filter_map(|number| costs(number, candidate, &book)).collect();
            let sum =
                |index: usize| priced.iter().fold(Money::ZERO, |sum, costs| plus(sum, costs[index]).unwrap());
            assert_eq!(scenario.unpriced_requests, 2_000 - priced.len() as u64, "{candidate:?}");
            assert_eq!(
                [scenario.cost, scenario.cost_without_caching, scenario.cost_in_batch],
                [sum(0), sum(1), sum(2)],
                "{candidate:?}"
            );
        }
        let cost = |index: usize| simulation.scenarios[index].cost;
        assert!(cost(0) > Money::ZERO && cost(1) > Money::ZERO && cost(4) == Money::ZERO);
    }
}
