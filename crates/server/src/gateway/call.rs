//! One call: it is sent, its answer passes by, and what it cost is written down, whatever the client does meanwhile.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header},
};
use bytes::Bytes;
use domain::{UsageId, tracker_key::PerMinute, wire::Dialect};
use hyper::body::Incoming;
use pricing::Money;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout},
};

use super::{
    ask::Ask,
    attribution::Attribution,
    batch::{BatchedCall, Results},
    client,
    door::Door,
    headers,
    journal::{Begun, Ended},
    lasting::Waiting,
    links::Links,
    rate::Subject,
    record::{self, Asked, End, Outcome},
    recorder,
    tee::Tee,
    upstream::Upstream,
    usage_chunk::UsageFilter,
    way::{Way, Whole, channel, cut_short, next_piece},
};
use crate::{
    app::App,
    error::{ApiError, ErrorCode},
    ledger::{Reservation, Standing},
    limits,
};

/// A call that is being forwarded.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) app: App,
    pub(super) upstream: Arc<Upstream>,
    pub(super) path: String,
    pub(super) dialect: Dialect,
    pub(super) ask: Ask,
    pub(super) attribution: Attribution,
    pub(super) door: Arc<Door>,
    pub(super) begun: Begun,
    /// Whether the call is of a kind that is charged for.
    pub(super) is_metered: bool,
    /// Links in the answer that would lead past the gateway.
    pub(super) links: Option<Links>,
    /// Whether the answer may be a file of a batch's results.
    pub(super) may_have_results: bool,
    pub(super) reservation: Option<Reservation>,
    pub(super) rates: Vec<(Subject, PerMinute)>,
    /// Takes out the usage that the client had not asked for.
    pub(super) filter: Option<UsageFilter>,
    /// Whether the client wants to be told the cost of a stream at its end.
    pub(super) wants_comment: bool,
    pub(super) started: Instant,
    /// Whether somebody still waits for the head of the answer.
    pub(super) waiting: Waiting,
    pub(super) permit: OwnedSemaphorePermit,
}

/// The answer, or why there is none.
pub(super) type Head = Result<Response<Body>, ApiError>;

/// What has passed so far.
#[derive(Debug, Default)]
struct Passed {
    bytes: u64,
    first_piece_ms: Option<u64>,
    error_body: Vec<u8>,
    client_left: bool,
    /// What the provider calls the request.
    request_id: Option<String>,
}

/// An answer that is being read.
#[derive(Debug)]
struct Answer {
    headers: HeaderMap,
    body: Incoming,
    status: StatusCode,
    tee: Option<Tee>,
    results: Option<Results>,
    passed: Passed,
}

/// What became of a call.
#[derive(Debug, Default)]
struct Settled {
    /// The record that is kept of it.
    record: Option<UsageId>,
    cost: Option<Money>,
    standing: Option<Standing>,
}

impl Call {
    /// Sends the request, and answers as soon as there is something to say. What is left to do then, a task of its own
    /// does.
    pub(super) async fn run(self: Box<Self>, request: Request<Body>) -> Head {
        let sent_id = headers::request_id(request.headers(), None);
        let sending = self.upstream.client.request(request);
        let sent = tokio::select! {
            sent = timeout(self.app.config.gateway.head_timeout(), sending) => sent,
            () = self.abandoned() => {
                self.finish(None, End::NotDrained, Passed { client_left: true, ..Passed::default() }, None);
                return Err(ApiError::internal("nobody waits for the answer"));
            }
        };
        match sent {
            Ok(Ok(reply)) => Ok(self.pass(reply, sent_id.as_deref()).await),
            Ok(Err(error)) => Err(self.fail(&error)),
            Err(_) => {
                let message = format!("{} did not begin to answer in time", self.upstream.name);
                self.finish(None, End::TimedOut, Passed::default(), None);
                Err(ApiError::new(ErrorCode::ProviderTimeout, message))
            }
        }
    }

    /// Writes down why there was no answer, and says it.
    fn fail(self: Box<Self>, error: &hyper_util::client::legacy::Error) -> ApiError {
        let (name, reason) = (self.upstream.name.clone(), client::reason(error));
        tracing::warn!(reason, upstream = name, "a provider could not be reached");
        let (end, what) = if client::is_untrusted(error) {
            (End::Untrusted, "could not show that it is who it should be")
        } else if error.is_connect() {
            (End::Unreachable, "could not be reached")
        } else {
            (End::Cut, "broke off before it answered")
        };
        let passed = Passed { error_body: reason.clone().into_bytes(), ..Passed::default() };
        self.finish(None, end, passed, None);
        ApiError::new(ErrorCode::ProviderUnreachable, format!("{name} {what}: {reason}"))
    }

    async fn pass(self: Box<Self>, reply: Response<Incoming>, sent_id: Option<&str>) -> Response<Body> {
        let (parts, body) = reply.into_parts();
        let tee = self.is_metered.then(|| Tee::new(self.dialect, &parts.headers, self.door.keeps_content));
        let results = self.may_have_results && parts.status.is_success();
        let results = results.then(|| Results::new(self.dialect, &parts.headers));
        let is_short = results.is_none() && is_short(&parts.headers);
        let passed = Passed { request_id: headers::request_id(&parts.headers, sent_id), ..Passed::default() };
        let (headers, status) = (parts.headers, parts.status);
        let answer = Box::new(Answer { headers, body, status, tee, results, passed });
        if is_short { self.pass_whole(answer).await } else { self.pass_stream(answer, Bytes::new()) }
    }

    /// Reads an answer that is not streamed to its end, so that its headers can tell what it cost.
    async fn pass_whole(self: Box<Self>, mut answer: Box<Answer>) -> Response<Body> {
        let mut whole = Whole::default();
        let end = loop {
            let piece = tokio::select! {
                piece = next_piece(&mut answer.body, self.app.config.gateway.idle_timeout()) => piece,
                () = self.abandoned() => Err(End::NotDrained),
            };
            match piece {
                Ok(Some(piece)) => {
                    answer.look_at(&piece, self.started);
                    whole.push(piece);
                }
                Ok(None) => break End::Whole,
                Err(end) => break end,
            }
            if whole.len() > limits::GATEWAY_WHOLE_REPLY_BYTES {
                return self.pass_stream(answer, whole.into_bytes());
            }
        };
        let mut response = answer.head();
        let mut whole = whole.into_bytes();
        if let Some(links) = &self.links {
            response.headers_mut().remove(header::CONTENT_LENGTH);
            whole = links.lead_back(whole);
        }
        let Answer { status, tee, mut passed, .. } = *answer;
        passed.client_left = self.waiting.is_over();
        let settled = self.finish(Some(status), end, passed, tee);
        tell(response.headers_mut(), &settled);
        *response.body_mut() = match end {
            End::Whole => Body::from(whole),
            // What came is passed on, and then the connection breaks off as the provider's did.
            _ => cut_short(whole, end),
        };
        response
    }

    /// Passes an answer on piece by piece, as it comes, after what was `read` of it before.
    fn pass_stream(self: Box<Self>, answer: Box<Answer>, read: Bytes) -> Response<Body> {
        let (pieces, body) = channel();
        let mut response = answer.head();
        if self.filter.is_some() || self.wants_comment {
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        let standing = self.reservation.as_ref().map(|reservation| reservation.standing);
        let record = self.is_metered.then_some(self.begun.id);
        tell(response.headers_mut(), &Settled { record, standing, cost: None });
        *response.body_mut() = body;
        let way = Way::new(&self.app, (!self.waiting.is_over()).then_some(pieces));
        let app = self.app.clone();
        app.spawn("gateway_stream", self.pump(answer, way, read));
        response
    }

    async fn pump(mut self: Box<Self>, mut answer: Box<Answer>, mut way: Way, read: Bytes) {
        way.send(read).await;
        let mut filter = self.filter.take();
        let mut ready = Vec::new();
        let end = loop {
            let ended = way.next_pieces(&mut answer.body, &mut ready).await;
            let mut is_of_use = true;
            for piece in ready.drain(..) {
                answer.look_at(&piece, self.started);
                self.keep_batched(answer.results.iter_mut().flat_map(|results| results.push(&piece)));
                let passing = filter.as_mut().map_or_else(|| piece.clone(), |filter| filter.push(&piece));
                is_of_use &= way.send(passing).await;
            }
            match ended {
                Some(end) => break end,
                None if !is_of_use => break End::NotDrained,
                None => {}
            }
        };
        let rest = filter.as_mut().map(UsageFilter::finish).unwrap_or_default();
        let takes_comment = end == End::Whole && self.wants_comment && takes_comments(&answer.headers);
        let Answer { status, tee, results, mut passed, .. } = *answer;
        self.keep_batched(results.filter(|_| end == End::Whole).and_then(Results::finish));
        passed.client_left = !(way.send(rest).await && way.is_open());
        let settled = self.finish(Some(status), end, passed, tee);
        if let (Some(cost), Some(id), true) = (settled.cost, settled.record, takes_comment) {
            way.send(format!(": x-cost-usd={cost} x-cost-request-id={id}\n\n").into()).await;
        }
        way.close(end).await;
    }

    /// Completes when nobody waits for the answer any more: the client has left, and the server is to stop.
    async fn abandoned(&self) {
        self.waiting.over().await;
        self.app.stopping().await;
    }

    /// Writes down calls of a batch.
    fn keep_batched(&self, calls: impl IntoIterator<Item = BatchedCall>) {
        let app = &self.app;
        let Some(recorder) = app.gateway.recorder() else { return };
        let asked = Asked {
            upstream: &self.upstream,
            path: &self.path,
            ask: &self.ask,
            attribution: &self.attribution,
        };
        let project_id = self.begun.call.project_id;
        for batched in calls {
            let now = app.clock.now();
            let call = record::batched(asked, batched, project_id, now);
            let ended = Ended {
                id: app.ids.next(now),
                user_id: self.begun.user_id,
                tracker_key_id: self.begun.tracker_key_id,
                at: now,
                keeps_content: false,
                call,
            };
            let records = recorder::records_of(app, &ended);
            recorder.end(&ended, records);
        }
    }

    /// Writes down how the call ended: what it cost, and how the project's budget stands.
    fn finish(
        self: Box<Self>,
        status: Option<StatusCode>,
        end: End,
        passed: Passed,
        tee: Option<Tee>,
    ) -> Settled {
        let app = self.app.clone();
        let Some(recorder) = app.gateway.recorder().filter(|_| self.is_metered) else {
            return Settled::default();
        };
        let told = tee.map(Tee::finish).unwrap_or_default();
        let outcome = Outcome {
            status,
            end,
            client_left: passed.client_left,
            request_id: passed.request_id,
            metered: told.metered,
            answer_bytes: if told.answer_bytes > 0 { told.answer_bytes } else { passed.bytes },
            answer: told.answer,
            error_body: passed.error_body,
            first_piece_ms: passed.first_piece_ms,
            elapsed_ms: milliseconds(self.started.elapsed()),
        };
        let Self { upstream, path, ask, attribution, door, begun, reservation, rates, permit, .. } = *self;
        let asked = Asked { upstream: &upstream, path: &path, ask: &ask, attribution: &attribution };
        let Begun { id, user_id, tracker_key_id, at: began_at, mut call, .. } = begun;
        record::complete(&mut call, asked, outcome);
        let now = app.clock.now();
        let ended = Ended { id, user_id, tracker_key_id, at: now, keeps_content: door.keeps_content, call };
        let records = recorder::records_of(&app, &ended);
        let (cost, tokens) = (recorder::cost_of(&records), records.call.total_tokens().unwrap_or(0));
        let standing = reservation.and_then(|held| held.settle(began_at, cost.unwrap_or_default(), now));
        app.gateway.rates().used(&rates, tokens);
        let key = ended.call.request_id.as_deref();
        let record = key.map_or(id, |key| app.gateway.replies.record_of(user_id, key, id));
        recorder.end(&ended, records);
        drop(permit);
        Settled { record: Some(record), cost, standing }
    }
}

impl Answer {
    /// Everything but the body of what the client gets.
    fn head(&self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        *response.headers_mut() = headers::to_client(&self.headers);
        response
    }

    fn look_at(&mut self, piece: &Bytes, started: Instant) {
        let passed = &mut self.passed;
        passed.first_piece_ms.get_or_insert_with(|| milliseconds(started.elapsed()));
        passed.bytes += piece.len() as u64;
        if let Some(tee) = &mut self.tee {
            tee.push(piece);
        }
        let is_refusal = self.status.is_client_error() || self.status.is_server_error();
        if is_refusal && passed.error_body.len() < limits::GATEWAY_ERROR_BYTES {
            passed.error_body.extend_from_slice(piece);
        }
    }
}

/// Whether an answer comes as a whole: then it is read to its end before it is passed on.
fn is_short(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let length: Option<usize> = text(header::CONTENT_LENGTH).parse().ok();
    text(header::CONTENT_TYPE).starts_with("application/json")
        && length.is_none_or(|length| length <= limits::GATEWAY_WHOLE_REPLY_BYTES)
}

/// Whether an answer is a stream of server-sent events as it is: a comment in it is no event.
fn takes_comments(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/event-stream") && !headers.contains_key(header::CONTENT_ENCODING)
}

/// What is known of a call, as headers.
fn tell(headers: &mut HeaderMap, settled: &Settled) {
    if let Some(record) = settled.record {
        insert(headers, "x-cost-request-id", &record.to_string());
    }
    if let Some(cost) = settled.cost {
        insert(headers, "x-cost-usd", &cost.to_string());
    }
    if let Some(standing) = settled.standing {
        insert(headers, "x-budget-remaining-usd", &standing.remaining().to_string());
    }
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
