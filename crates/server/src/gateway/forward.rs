//! From a client's request to the provider's: who may call, and within which limits.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{Response, header, request::Parts},
};
use domain::{
    budget::{Enforcement, ScopedBudget},
    fx::NoRate,
    ingest::NewUsage,
    limits,
    project::Project,
    redact::redact,
    text,
    tracker_key::{self, PerMinute},
};
use jiff::{SignedDuration, Timestamp};
use pricing::Money;
use tokio::time::Instant;

use super::{
    ask::{self, Ask},
    attribution::{self, Attribution},
    batch,
    call::Call,
    credential::{self, Credentials},
    door::{Door, Visit},
    journal::Begun,
    lasting::{Lasting, Waiting},
    links::Links,
    outgoing::{Route, Sent},
    rate::Subject,
    record::{self, Asked},
    upstream::Upstream,
    usage_chunk::{self, UsageFilter},
};
use crate::{
    app::App,
    auth::client_address,
    budgets,
    config::{KeyPlace, UnpricedModels},
    error::{ApiError, ErrorCode, Result},
    input::read_body,
    ledger::{Claim, Reservation, ReserveError},
    rate_limit::Lane,
};

/// Sends a request on, and gives the head of the answer as soon as there is one.
pub(super) async fn forward(
    app: &App,
    upstream: &Arc<Upstream>,
    path: &str,
    request: Request,
) -> Result<Response<Body>> {
    let started = Instant::now();
    let calls = Arc::clone(&app.gateway.calls);
    let permit =
        calls.try_acquire_owned().map_err(|_| busy("the gateway has as many calls under way as it may"))?;
    let (parts, body) = request.into_parts();
    let credentials = credential::find(&parts.headers);
    let address = client_address(&parts, app);
    app.rate_limits.admit(Lane::Requests, address, credentials.tracker_key.as_deref())?;
    let attribution = attribution::read(&parts.headers)?;
    let door = open_door(app, upstream, &parts, &credentials, &attribution).await?;
    let recorder = app.gateway.recorder().ok_or_else(|| busy("the gateway has not started"))?;
    if !recorder.takes_calls(app.config.gateway.when_store_is_down) {
        return Err(busy("the tracker's store is down, and calls that cannot be recorded are not forwarded"));
    }
    let mut ask = Ask::of_path(&parts.method, path);
    let (body, asks_for_usage) = read(app, upstream, &parts, body, &mut ask).await?;
    let is_metered = ask.operation.is_some();
    let (rates, now) = (rates(app, &door), app.clock.now());
    if is_metered {
        check_rules(door.project.as_ref(), &ask)?;
        app.gateway.rates().admit(&rates, now)?;
    }
    let stored = door.provider_key.as_ref().map(|stored| &stored.key);
    let route = Route { upstream, path, parts: &parts, credentials: &credentials, stored };
    let prompt = if door.keeps_content && is_metered { prompt_in(&body) } else { None };
    let mut outgoing = route.request(body, now)?;
    let links = Links::of(app, upstream, path, &parts);
    if links.is_some() {
        Links::ask_for_plain(outgoing.headers_mut());
    }
    let project_id = door.project.as_ref().map(|project| project.id);
    let mut call =
        record::begin(Asked { upstream, path, ask: &ask, attribution: &attribution }, project_id, now);
    call.content.prompt = prompt;
    let mut begun = Begun {
        id: app.ids.next(now),
        user_id: door.user.id,
        tracker_key_id: Some(door.key.id),
        at: now,
        reserved: None,
        call,
    };
    let reservation = if is_metered { reserve(app, &door, &ask, &mut begun).await? } else { None };
    if is_metered && !recorder.begin(&begun) {
        return Err(busy("the store is down, and as many records wait on disk as may"));
    }
    let waiting = Waiting::default();
    let call = Box::new(Call {
        app: app.clone(),
        upstream: Arc::clone(upstream),
        path: path.to_owned(),
        dialect: upstream.dialect(path),
        filter: asks_for_usage.then(UsageFilter::default),
        ask,
        attribution,
        door,
        begun,
        is_metered,
        links,
        may_have_results: batch::may_be_results(&parts.method, path),
        reservation,
        rates,
        wants_comment: parts.headers.contains_key("x-cost-comment"),
        started,
        waiting: waiting.clone(),
        permit,
    });
    // A client that leaves does not end the call.
    Lasting::new(app, "gateway_call", waiting, call.run(outgoing)).await
}

async fn open_door(
    app: &App,
    upstream: &Upstream,
    parts: &Parts,
    credentials: &Credentials,
    attribution: &Attribution,
) -> Result<Arc<Door>> {
    let is_in_query = parts.uri.query().is_some_and(|query| query.contains(tracker_key::PREFIX));
    let tracker_key = credentials.tracker_key.as_deref().filter(|_| !is_in_query).ok_or_else(|| {
        let message = "send a tracker key (aict_…) where the provider's client puts its own key, or in X-Tracker-Key; \
                       never in the address";
        ApiError::new(ErrorCode::Unauthenticated, message)
    })?;
    let address = client_address(parts, app);
    let visit = Visit { tracker_key, project: attribution.project_id, upstream, address };
    app.gateway.doors.open(app, visit).await
}

/// Reads what has to be read of the body, and asks for usage where it has to be asked for.
async fn read(
    app: &App,
    upstream: &Upstream,
    parts: &Parts,
    body: Body,
    ask: &mut Ask,
) -> Result<(Sent, bool)> {
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_form = kind.starts_with("multipart/form-data");
    let is_read = kind.starts_with("application/json")
        || (is_form && ask.operation.is_some())
        || upstream.key_place == KeyPlace::Aws;
    if !is_read {
        return Ok((Sent::Coming(body), false));
    }
    let bytes = read_body(body, app.config.gateway.body_bytes_max, app).await?;
    if is_form {
        ask.model = ask::model_in_form(&bytes).or_else(|| ask.model.take());
        return Ok((Sent::Whole(bytes), false));
    }
    // What is not JSON after all is the provider's to refuse.
    let asking = std::str::from_utf8(&bytes).ok().and_then(|text| {
        let fields = ask::fields(text)?;
        ask.read_json(&fields, text);
        let must_ask = upstream.ask_for_usage
            && ask.streams
            && matches!(ask.operation, Some("chat" | "text_completion"))
            && parts.uri.path().ends_with("completions");
        usage_chunk::ask_for_usage(&fields, text).filter(|_| must_ask)
    });
    Ok(match asking {
        Some(asking) => (Sent::Whole(asking.into()), true),
        None => (Sent::Whole(bytes), false),
    })
}

/// What is kept of a request: its JSON, without secrets, as far as a record holds it.
fn prompt_in(body: &Sent) -> Option<String> {
    let Sent::Whole(bytes) = body else { return None };
    let text = std::str::from_utf8(bytes).ok()?;
    Some(redact(text::cut(text, limits::CONTENT_BYTES_MAX)).into_owned())
}

/// What the project allows.
fn check_rules(project: Option<&Project>, ask: &Ask) -> Result<()> {
    let Some(settings) = project.map(|project| &project.settings) else { return Ok(()) };
    let model = ask.model.as_deref().unwrap_or_default();
    if !settings.allowed_models.is_empty() && !settings.allowed_models.iter().any(|allowed| allowed == model)
    {
        let allowed = settings.allowed_models.join(", ");
        let message = format!("this project does not allow the model {model:?}; it allows {allowed}");
        return Err(ApiError::new(ErrorCode::ModelNotAllowed, message));
    }
    match (settings.max_tokens_per_request, ask.output_tokens_max) {
        (Some(allowed), Some(asked)) if asked > allowed => {
            let message = format!(
                "this project allows at most {allowed} output tokens a call, and this asks for {asked}"
            );
            Err(ApiError::new(ErrorCode::InvalidInput, message))
        }
        _ => Ok(()),
    }
}

fn rates(app: &App, door: &Door) -> Vec<(Subject, PerMinute)> {
    let limit = |limit: u32| (limit > 0).then_some(limit);
    let gateway = &app.config.gateway;
    let own = door.key.per_minute;
    let key = PerMinute {
        requests: own.requests.or_else(|| limit(gateway.requests_per_minute)),
        tokens: own.tokens.or_else(|| limit(gateway.tokens_per_minute)),
    };
    let mut rates = vec![(Subject::Key(door.key.id), key)];
    rates.extend(door.project.as_ref().map(|project| {
        let settings = &project.settings;
        let limit = PerMinute { requests: settings.requests_per_minute, tokens: settings.tokens_per_minute };
        (Subject::Project(project.id), limit)
    }));
    rates.retain(|(_, limit)| *limit != PerMinute::default());
    rates
}

/// Reserves the most that the call can cost in every budget that it counts in.
async fn reserve(app: &App, door: &Door, ask: &Ask, begun: &mut Begun) -> Result<Option<Reservation>> {
    let book = app.budgets.current(app).await?;
    let applying = door.budget.iter().chain(book.of_call(Some(door.key.id), &begun.call.tags));
    let subjects: Result<Vec<budgets::Subject>, NoRate> =
        applying.map(|budget| book.at(budget, begun.at)).collect();
    let subjects = subjects?;
    if subjects.is_empty() {
        return Ok(None);
    }
    let blocking = subjects.iter().find(|subject| subject.budget.terms.enforcement == Enforcement::Block);
    let most = match (most_cost(app, begun, ask), blocking) {
        (Some(most), _) => most,
        (None, Some(subject)) if app.config.gateway.unpriced_models == UnpricedModels::Refuse => {
            return Err(price_unknown(&subject.budget, &begun.call));
        }
        (None, _) => Money::ZERO,
    };
    let claim = Claim { call: begun.id, most, at: begun.at };
    let reserved = app.ledger.reserve(&*app.usage, subjects, claim).await;
    let reservation = reserved.map_err(|error| match error {
        ReserveError::Store(error) => error.into(),
        ReserveError::Exhausted(budget, standing) => {
            let state =
                if standing.remaining() == Money::ZERO { "is used up" } else { "has too little left" };
            let message = format!(
                "{} {state}: {} of {} USD are spent and {} reserved until {}, and this call may cost {most}",
                budget.describe(),
                standing.spent,
                standing.limit.total(),
                standing.reserved,
                standing.period.end,
            );
            ApiError::new(ErrorCode::BudgetExhausted, message)
        }
    })?;
    begun.reserved = Some((most, must_have_ended_at(app, begun.at)));
    Ok(reservation)
}

/// When a call that began at `at` has ended at the latest, but for a stream that never pauses.
fn must_have_ended_at(app: &App, at: Timestamp) -> Timestamp {
    let gateway = &app.config.gateway;
    let longest_ms = gateway.head_timeout_ms.saturating_add(gateway.idle_timeout_ms);
    let longest = SignedDuration::from_millis(i64::try_from(longest_ms).unwrap_or(i64::MAX));
    at.checked_add(longest).unwrap_or(Timestamp::MAX)
}

/// The most that the call can cost; `None` if no price is known.
fn most_cost(app: &App, begun: &Begun, ask: &Ask) -> Option<Money> {
    let usage = record::most(ask, app.config.gateway.assumed_output_tokens);
    let call = NewUsage { usage, ..begun.call.clone() };
    call.cost(begun.user_id, begun.at, &app.prices.current()).1.cost
}

fn price_unknown(budget: &ScopedBudget, call: &NewUsage) -> ApiError {
    let message = format!(
        "{} blocks, and no price is known for the model {:?}: add one, or map the name to a model of the catalog \
         (PUT /api/prices/mappings)",
        budget.describe(),
        call.model
    );
    ApiError::new(ErrorCode::PriceUnknown, message)
}

fn busy(why: &str) -> ApiError {
    ApiError::new(ErrorCode::GatewayBusy, why).retry_after(1)
}
