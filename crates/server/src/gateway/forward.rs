//! From a client's request to the provider's: who may call, within which limits, and with which key.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, Uri, header, request::Parts},
};
use bytes::Bytes;
use domain::{Secret, ingest::NewUsage, project::Project, provider_key::AwsCredential};
use jiff::{SignedDuration, Timestamp};
use pricing::Money;
use tokio::{sync::oneshot, time::Instant};

use super::{
    ask::{self, Ask},
    attribution::{self, Attribution},
    bedrock,
    call::Call,
    credential::{self, Credentials},
    door::Door,
    headers,
    journal::Begun,
    rate::{PerMinute, Subject},
    record,
    upstream::Upstream,
    usage_chunk::{self, UsageFilter},
};
use crate::{
    app::App,
    auth::client_address,
    config::{KeyPlace, UnpricedModels},
    error::{ApiError, ErrorCode, Result},
    input::read_body,
    ledger::{Reservation, ReserveError},
};

/// What the provider is to be sent.
struct Outgoing {
    method: Method,
    address: Uri,
    headers: HeaderMap,
    body: Sent,
}

/// A body, read or still coming.
enum Sent {
    Whole(Bytes),
    Coming(Body),
}

/// Sends a request on, and gives the head of the answer as soon as there is one.
pub(super) async fn forward(
    app: &App,
    upstream: &Upstream,
    path: &str,
    request: Request,
) -> Result<Response<Body>> {
    let started = Instant::now();
    let calls = Arc::clone(&app.gateway.calls);
    let permit =
        calls.try_acquire_owned().map_err(|_| busy("the gateway has as many calls under way as it may"))?;
    let (parts, body) = request.into_parts();
    let credentials = credential::find(&parts.headers);
    let attribution = attribution::read(&parts.headers)?;
    let door = open_door(app, upstream, &parts, &credentials, &attribution).await?;
    let recorder = app.gateway.recorder().ok_or_else(|| busy("the gateway has not started"))?;
    if !recorder.takes_calls(app.config.gateway.when_store_is_down) {
        return Err(busy("the tracker's store is down, and calls that cannot be recorded are not forwarded"));
    }
    let mut ask = Ask::of_path(&parts.method, path);
    let (body, asks_for_usage) = read(app, upstream, &parts, body, &mut ask).await?;
    let rates = rates(app, &door);
    let now = app.clock.now();
    check_rules(door.project.as_ref(), &ask)?;
    if ask.operation.is_some() {
        app.gateway.rates().admit(&rates, now)?;
    }
    let outgoing = outgoing(upstream, path, &parts, &credentials, &door, body, now)?;
    let mut call = record::begin(upstream, &ask, &attribution, now);
    call.project_id = door.project.as_ref().map(|project| project.id);
    let id = app.ids.next(now);
    let mut begun = Begun { id, user_id: door.user.id, at: now, reserved: None, call };
    let reservation =
        if ask.operation.is_some() { reserve(app, &door, &ask, &mut begun).await? } else { None };
    let is_metered = ask.operation.is_some();
    if is_metered && !recorder.begin(&begun) {
        return Err(busy("the store is down, and as many records wait on disk as may"));
    }
    let call = Call {
        app: app.clone(),
        upstream: upstream.name.clone(),
        path: path.to_owned(),
        dialect: upstream.dialect(path),
        filter: asks_for_usage.then(UsageFilter::default),
        ask,
        attribution,
        door,
        begun,
        is_metered,
        reservation,
        rates,
        started,
        permit,
    };
    send(app, call, outgoing).await
}

/// The call goes on by itself from here: a client that leaves does not end it.
async fn send(app: &App, call: Call, outgoing: Outgoing) -> Result<Response<Body>> {
    let Outgoing { method, address, headers, body } = outgoing;
    let url = reqwest::Url::parse(&address.to_string()).map_err(ApiError::internal)?;
    let mut request = reqwest::Request::new(method, url);
    *request.headers_mut() = headers;
    *request.body_mut() = Some(match body {
        Sent::Whole(bytes) => reqwest::Body::from(bytes),
        Sent::Coming(body) => reqwest::Body::wrap_stream(body.into_data_stream()),
    });
    let (head, answered) = oneshot::channel();
    app.spawn("gateway_call", call.run(request, head));
    answered.await.map_err(|_| ApiError::internal("a call ended without an answer"))?
}

async fn open_door(
    app: &App,
    upstream: &Upstream,
    parts: &Parts,
    credentials: &Credentials,
    attribution: &Attribution,
) -> Result<Arc<Door>> {
    let is_in_query = parts.uri.query().is_some_and(|query| query.contains(domain::tracker_key::PREFIX));
    let key = credentials.tracker_key.as_deref().filter(|_| !is_in_query).ok_or_else(|| {
        let message = "send a tracker key (aict_…) where the provider's client puts its own key, or in X-Tracker-Key; \
                       never in the address";
        ApiError::new(ErrorCode::Unauthenticated, message)
    })?;
    let address = client_address(parts, app);
    app.gateway.doors.open(app, key, attribution.project_id, upstream, address).await
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
    let is_json = kind.starts_with("application/json");
    let is_form = kind.starts_with("multipart/form-data");
    if !is_json && !(is_form && ask.operation.is_some()) && upstream.key_place != KeyPlace::Aws {
        return Ok((Sent::Coming(body), false));
    }
    let bytes = read_body(body, app.config.gateway.body_bytes_max, app).await?;
    if is_form {
        ask.model = ask::model_in_form(&bytes).or(ask.model.take());
        return Ok((Sent::Whole(bytes), false));
    }
    let Ok(text) = std::str::from_utf8(&bytes) else { return Ok((Sent::Whole(bytes), false)) };
    let Some(fields) = ask::fields(text) else { return Ok((Sent::Whole(bytes), false)) };
    ask.read_json(&fields, text);
    let must_ask = upstream.ask_for_usage
        && ask.streams
        && parts.uri.path().ends_with("completions")
        && matches!(ask.operation, Some("chat" | "text_completion"));
    match usage_chunk::ask_for_usage(&fields, text).filter(|_| must_ask) {
        Some(asking) => Ok((Sent::Whole(asking.into()), true)),
        None => Ok((Sent::Whole(bytes), false)),
    }
}

/// What the project allows.
fn check_rules(project: Option<&Project>, ask: &Ask) -> Result<()> {
    let Some(settings) = project.map(|project| &project.settings).filter(|_| ask.operation.is_some()) else {
        return Ok(());
    };
    let model = ask.model.as_deref().unwrap_or_default();
    if !settings.allowed_models.is_empty() && !settings.allowed_models.iter().any(|allowed| allowed == model)
    {
        let message = format!(
            "this project does not allow the model {model:?}; it allows {}",
            settings.allowed_models.join(", ")
        );
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
    let key =
        PerMinute { requests: limit(gateway.requests_per_minute), tokens: limit(gateway.tokens_per_minute) };
    let mut rates = vec![(Subject::Key(door.key.id), key)];
    rates.extend(door.project.as_ref().map(|project| {
        let settings = &project.settings;
        let limit = PerMinute { requests: settings.requests_per_minute, tokens: settings.tokens_per_minute };
        (Subject::Project(project.id), limit)
    }));
    rates.retain(|(_, limit)| *limit != PerMinute::default());
    rates
}

/// Reserves the most that the call can cost, where its project has a budget.
async fn reserve(app: &App, door: &Door, ask: &Ask, begun: &mut Begun) -> Result<Option<Reservation>> {
    let Some((project, budget)) =
        door.project.as_ref().and_then(|project| Some((project, project.budget.as_ref()?)))
    else {
        return Ok(None);
    };
    let blocks = budget.enforcement == domain::budget::Enforcement::Block;
    let most = match most_cost(app, begun, ask) {
        Some(most) => most,
        None if blocks && app.config.gateway.unpriced_models == UnpricedModels::Refuse => {
            return Err(price_unknown(&begun.call));
        }
        None => Money::ZERO,
    };
    let reserved = app.ledger.reserve(&*app.usage, project.id, budget, begun.id, most, begun.at).await;
    let reservation = reserved.map_err(|error| match error {
        ReserveError::Store(error) => error.into(),
        ReserveError::Exhausted(standing) => {
            let message = format!(
                "the budget of project {:?} is used up: {} of {} USD are spent and {} reserved until {}, and this call \
                 may cost {most}",
                project.name, standing.spent, standing.amount, standing.reserved, standing.period.end,
            );
            ApiError::new(ErrorCode::BudgetExhausted, message)
        }
    })?;
    let gateway = &app.config.gateway;
    let longest_ms = gateway.head_timeout_ms.saturating_add(gateway.idle_timeout_ms);
    let longest = SignedDuration::from_millis(i64::try_from(longest_ms).unwrap_or(i64::MAX));
    begun.reserved = Some((most, begun.at.checked_add(longest).unwrap_or(Timestamp::MAX)));
    Ok(Some(reservation))
}

/// The most that the call can cost; `None` if no price is known.
fn most_cost(app: &App, begun: &Begun, ask: &Ask) -> Option<Money> {
    let usage = record::most(ask, app.config.gateway.assumed_output_tokens);
    let call = NewUsage { usage, ..begun.call.clone() };
    call.cost(begun.user_id, begun.at, &app.prices.current()).1.cost
}

fn price_unknown(call: &NewUsage) -> ApiError {
    let message = format!(
        "this project's budget blocks, and no price is known for the model {:?}: add one, or map the name to a model of \
         the catalog (PUT /api/prices/mappings)",
        call.model
    );
    ApiError::new(ErrorCode::PriceUnknown, message)
}

/// The request as the provider gets it: its own headers and key, and nothing of ours.
fn outgoing(
    upstream: &Upstream,
    path: &str,
    parts: &Parts,
    credentials: &Credentials,
    door: &Door,
    body: Sent,
    now: Timestamp,
) -> Result<Outgoing> {
    let mut headers = headers::to_provider(&parts.headers);
    if let (Sent::Coming(_), Some(length)) = (&body, parts.headers.get(header::CONTENT_LENGTH)) {
        headers.insert(header::CONTENT_LENGTH, length.clone());
    }
    let stored = door.provider_key.as_ref().map(|stored| &stored.key);
    let aws = stored.filter(|_| upstream.key_place == KeyPlace::Aws).and_then(AwsCredential::read);
    let address =
        upstream.address(path, parts.uri.query(), aws.as_ref()).ok_or_else(|| no_address(upstream))?;
    match (&credentials.own, upstream.key_place) {
        (Some((name, value)), _) => drop(headers.insert(name.clone(), value.clone())),
        (None, KeyPlace::Aws) => {
            bedrock::drop_signature(&mut headers);
            sign(
                upstream,
                credentials,
                stored,
                aws.as_ref(),
                (&parts.method, &address),
                &mut headers,
                &body,
                now,
            )?;
        }
        (None, KeyPlace::None) => {}
        (None, place) => {
            let key = stored.filter(|_| !has_own_key_in_query(parts));
            if let Some((name, value)) = key.map(|key| header_of(place, key)).transpose()? {
                headers.insert(name, value);
            } else if !has_own_key_in_query(parts) {
                return Err(no_key(upstream));
            }
        }
    }
    Ok(Outgoing { method: parts.method.clone(), address, headers, body })
}

#[expect(clippy::too_many_arguments, reason = "everything that a signature covers")]
fn sign(
    upstream: &Upstream,
    credentials: &Credentials,
    stored: Option<&Secret>,
    aws: Option<&AwsCredential>,
    (method, address): (&Method, &Uri),
    headers: &mut HeaderMap,
    body: &Sent,
    now: Timestamp,
) -> Result<()> {
    let Some(stored) = stored else {
        return Err(if credentials.is_signed_by_caller { cannot_pass_signature() } else { no_key(upstream) });
    };
    match (aws, body) {
        (Some(aws), Sent::Whole(body)) => {
            bedrock::sign_request(aws, (method, address), headers, body, now).map_err(ApiError::internal)
        }
        (Some(_), Sent::Coming(_)) => Err(ApiError::internal("a body that is signed is read before")),
        (None, _) => {
            let (name, value) = header_of(KeyPlace::Bearer, stored)?;
            headers.insert(name, value);
            Ok(())
        }
    }
}

fn header_of(place: KeyPlace, key: &Secret) -> Result<(HeaderName, HeaderValue)> {
    let (name, text) = match place {
        KeyPlace::XApiKey => (HeaderName::from_static("x-api-key"), key.expose().to_owned()),
        KeyPlace::ApiKey => (HeaderName::from_static("api-key"), key.expose().to_owned()),
        KeyPlace::XGoogApiKey => (HeaderName::from_static("x-goog-api-key"), key.expose().to_owned()),
        KeyPlace::Bearer | KeyPlace::Aws | KeyPlace::None => {
            (header::AUTHORIZATION, format!("Bearer {}", key.expose()))
        }
    };
    let mut value =
        HeaderValue::from_str(&text).map_err(|_| ApiError::internal("a stored key is not a header"))?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Google's API also takes its key in the address; then it is the caller's own.
fn has_own_key_in_query(parts: &Parts) -> bool {
    parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("key=")))
}

fn no_key(upstream: &Upstream) -> ApiError {
    let message = format!(
        "no key of {} is stored for this account: add one (POST /api/user/api-keys), or send your own and the tracker \
         key in X-Tracker-Key",
        upstream.provider
    );
    ApiError::new(ErrorCode::ProviderKeyMissing, message)
}

fn cannot_pass_signature() -> ApiError {
    let message = "a signature of your own holds for the gateway's address only: store the credential \
                   (POST /api/user/api-keys), or use a Bedrock API key";
    ApiError::new(ErrorCode::ProviderKeyMissing, message)
}

fn no_address(upstream: &Upstream) -> ApiError {
    let message = format!(
        "the address of {} has a region or location that neither the stored credential nor the path names",
        upstream.name
    );
    ApiError::new(ErrorCode::InvalidInput, message)
}

fn busy(why: &str) -> ApiError {
    ApiError::new(ErrorCode::GatewayBusy, why).retry_after(1)
}
