//! One call: it is sent, its answer passes by, and what it cost is written down, whatever the client does meanwhile.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use domain::{tracker_key::PerMinute, wire::Dialect};
use pricing::Money;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    time::{Instant, timeout},
};

use super::{
    ask::Ask,
    attribution::Attribution,
    door::Door,
    headers,
    journal::{Begun, Ended},
    rate::Subject,
    record::{self, Asked, End, Outcome},
    recorder,
    tee::Tee,
    usage_chunk::UsageFilter,
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
    pub(super) upstream: String,
    pub(super) path: String,
    pub(super) dialect: Dialect,
    pub(super) ask: Ask,
    pub(super) attribution: Attribution,
    pub(super) door: Arc<Door>,
    pub(super) begun: Begun,
    /// Missing where the call is of a kind that is not charged for.
    pub(super) is_metered: bool,
    pub(super) reservation: Option<Reservation>,
    pub(super) rates: Vec<(Subject, PerMinute)>,
    /// Takes out the usage that the client had not asked for.
    pub(super) filter: Option<UsageFilter>,
    /// Whether the client wants to be told the cost of a stream at its end.
    pub(super) wants_comment: bool,
    pub(super) started: Instant,
    pub(super) permit: OwnedSemaphorePermit,
}

/// The answer, or why there is none.
pub(super) type Head = Result<Response<Body>, ApiError>;
type Pieces = mpsc::Sender<io::Result<Bytes>>;

/// What has passed so far.
#[derive(Debug, Default)]
struct Passed {
    bytes: u64,
    first_piece_ms: Option<u64>,
    error_body: Vec<u8>,
    client_left: bool,
}

/// An answer that is being read.
#[derive(Debug)]
struct Answer {
    reply: reqwest::Response,
    status: StatusCode,
    tee: Option<Tee>,
    passed: Passed,
}

impl Call {
    /// Sends the request, and answers through `head` as soon as there is something to say.
    pub(super) async fn run(self: Box<Self>, request: reqwest::Request, mut head: oneshot::Sender<Head>) {
        let sending = self.app.gateway.client().execute(request);
        let sent = tokio::select! {
            sent = timeout(self.app.config.gateway.head_timeout(), sending) => sent,
            () = abandoned(&self.app, &mut head) => {
                self.finish(None, End::NotDrained, Passed { client_left: true, ..Passed::default() }, None);
                return;
            }
        };
        let (end, error) = match sent {
            Ok(Ok(reply)) => return self.pass(reply, head).await,
            Ok(Err(error)) => {
                tracing::warn!(error = %chain(&error), upstream = self.upstream, "a provider could not be reached");
                let end = if error.is_connect() { End::Unreachable } else { End::Cut };
                let message =
                    format!("{} could not be reached, or broke off before it answered", self.upstream);
                (end, ApiError::new(ErrorCode::ProviderUnreachable, message))
            }
            Err(_) => {
                let message = format!("{} did not begin to answer in time", self.upstream);
                (End::TimedOut, ApiError::new(ErrorCode::ProviderTimeout, message))
            }
        };
        self.finish(None, end, Passed::default(), None);
        drop(head.send(Err(error)));
    }

    async fn pass(self: Box<Self>, reply: reqwest::Response, head: oneshot::Sender<Head>) {
        let status = reply.status();
        let tee = self.is_metered.then(|| Tee::new(self.dialect, reply.headers(), self.door.keeps_content));
        let is_short = is_short(reply.headers());
        let answer = Box::new(Answer { reply, status, tee, passed: Passed::default() });
        if is_short {
            self.pass_whole(answer, head).await;
        } else {
            self.pass_stream(answer, Bytes::new(), head).await;
        }
    }

    /// Reads an answer that is not streamed to its end, so that its headers can tell what it cost.
    async fn pass_whole(self: Box<Self>, mut answer: Box<Answer>, mut head: oneshot::Sender<Head>) {
        let mut whole = BytesMut::new();
        let end = loop {
            let piece = tokio::select! {
                piece = next_piece(&mut answer.reply, self.app.config.gateway.idle_timeout()) => piece,
                () = abandoned(&self.app, &mut head) => Err(End::NotDrained),
            };
            match piece {
                Ok(Some(piece)) => {
                    answer.look_at(&piece, self.started);
                    whole.extend_from_slice(&piece);
                }
                Ok(None) => break End::Whole,
                Err(end) => break end,
            }
            if whole.len() > limits::GATEWAY_WHOLE_REPLY_BYTES {
                return self.pass_stream(answer, whole.freeze(), head).await;
            }
        };
        let mut response = self.response(&answer);
        let Answer { status, tee, mut passed, .. } = *answer;
        passed.client_left = head.is_closed();
        let (cost, standing) = self.finish(Some(status), end, passed, tee);
        tell(response.headers_mut(), cost, standing);
        *response.body_mut() = match end {
            End::Whole => Body::from(whole.freeze()),
            // What came is passed on, and then the connection breaks off as the provider's did.
            _ => cut_short(whole.freeze(), end),
        };
        drop(head.send(Ok(response)));
    }

    /// Passes an answer on piece by piece, as it comes, after what was `read` of it before.
    async fn pass_stream(self: Box<Self>, answer: Box<Answer>, read: Bytes, head: oneshot::Sender<Head>) {
        let (pieces, body) = channel();
        let mut response = self.response(&answer);
        if self.filter.is_some() || self.wants_comment {
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        tell(response.headers_mut(), None, self.reservation.as_ref().map(|reservation| reservation.standing));
        *response.body_mut() = body;
        let mut way = Way::new(&self.app, head.send(Ok(response)).is_ok().then_some(pieces));
        way.send(read).await;
        self.pump(answer, way).await;
    }

    async fn pump(mut self: Box<Self>, mut answer: Box<Answer>, mut way: Way) {
        let mut filter = self.filter.take();
        let end = loop {
            match way.next_piece(&mut answer.reply).await {
                Ok(Some(piece)) => {
                    answer.look_at(&piece, self.started);
                    let passing = filter.as_mut().map_or_else(|| piece.clone(), |filter| filter.push(&piece));
                    if !way.send(passing).await {
                        break End::NotDrained;
                    }
                }
                Ok(None) => break End::Whole,
                Err(end) => break end,
            }
        };
        let rest = filter.as_mut().map(UsageFilter::finish).unwrap_or_default();
        let takes_comment = end == End::Whole && self.wants_comment && takes_comments(answer.reply.headers());
        let id = self.begun.id;
        let Answer { status, tee, mut passed, .. } = *answer;
        passed.client_left = !(way.send(rest).await && way.is_open());
        let (cost, _) = self.finish(Some(status), end, passed, tee);
        if let Some(cost) = cost.filter(|_| takes_comment) {
            way.send(format!(": x-cost-usd={cost} x-cost-request-id={id}\n\n").into()).await;
        }
        way.close(end).await;
    }

    /// Everything but the body of what the client gets.
    fn response(&self, answer: &Answer) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answer.status;
        *response.headers_mut() = headers::to_client(answer.reply.headers());
        if self.is_metered {
            insert(response.headers_mut(), "x-cost-request-id", &self.begun.id.to_string());
        }
        response
    }

    /// Writes down how the call ended: what it cost, and how the project's budget stands.
    fn finish(
        self: Box<Self>,
        status: Option<StatusCode>,
        end: End,
        passed: Passed,
        tee: Option<Tee>,
    ) -> (Option<Money>, Option<Standing>) {
        let app = self.app.clone();
        let Some(recorder) = app.gateway.recorder().filter(|_| self.is_metered) else { return (None, None) };
        let Some(upstream) = app.gateway.upstreams().find(&self.upstream) else { return (None, None) };
        let told = tee.map(Tee::finish).unwrap_or_default();
        let outcome = Outcome {
            status,
            end,
            client_left: passed.client_left,
            metered: told.metered,
            answer_bytes: if told.answer_bytes > 0 { told.answer_bytes } else { passed.bytes },
            answer: told.answer,
            error_body: passed.error_body,
            first_piece_ms: passed.first_piece_ms,
            elapsed_ms: milliseconds(self.started.elapsed()),
        };
        let Self { path, ask, attribution, door, begun, reservation, rates, permit, .. } = *self;
        let asked = Asked { upstream, path: &path, ask: &ask, attribution: &attribution };
        let Begun { id, user_id, tracker_key_id, at: began_at, mut call, .. } = begun;
        record::complete(&mut call, asked, outcome);
        let now = app.clock.now();
        let ended = Ended { id, user_id, tracker_key_id, at: now, keeps_content: door.keeps_content, call };
        let records = recorder::records_of(&app, &ended);
        let (cost, tokens) = (recorder::cost_of(&records), records.call.total_tokens().unwrap_or(0));
        let standing = reservation.and_then(|held| held.settle(began_at, cost.unwrap_or_default(), now));
        app.gateway.rates().used(&rates, tokens);
        recorder.end(&ended, records);
        drop(permit);
        (cost, standing)
    }
}

impl Answer {
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

/// The way to the client, and what happens when it has left: the answer is read to its end all the same, within limits.
struct Way {
    pieces: Option<Pieces>,
    idle_timeout: Duration,
    drain_timeout: Duration,
    drain_bytes_max: u64,
    drained_bytes: u64,
    drained_since: Option<Instant>,
    app: App,
}

impl Way {
    fn new(app: &App, pieces: Option<Pieces>) -> Self {
        let gateway = &app.config.gateway;
        let drained_since = pieces.is_none().then(Instant::now);
        Self {
            pieces,
            idle_timeout: gateway.idle_timeout(),
            drain_timeout: gateway.drain_timeout(),
            drain_bytes_max: gateway.drain_bytes_max,
            drained_bytes: 0,
            drained_since,
            app: app.clone(),
        }
    }

    fn is_open(&self) -> bool {
        self.pieces.as_ref().is_some_and(|pieces| !pieces.is_closed())
    }

    /// The next piece of the answer; notices a client that leaves while nothing comes.
    async fn next_piece(&mut self, reply: &mut reqwest::Response) -> Result<Option<Bytes>, End> {
        if let Some(pieces) = &self.pieces {
            tokio::select! {
                piece = next_piece(reply, self.idle_timeout) => return piece,
                () = pieces.closed() => self.leave(),
            }
        }
        let since = self.drained_since.unwrap_or_else(Instant::now);
        let left = self.drain_timeout.saturating_sub(since.elapsed()).min(self.idle_timeout);
        tokio::select! {
            piece = timeout(left, reply.chunk()) => match piece {
                Ok(Ok(piece)) => Ok(piece),
                Ok(Err(_)) => Err(End::Cut),
                Err(_) => Err(End::NotDrained),
            },
            () = self.app.stopping() => Err(End::NotDrained),
        }
    }

    /// Passes a piece on; `false` when it is no use to read on.
    async fn send(&mut self, piece: Bytes) -> bool {
        if piece.is_empty() {
            return true;
        }
        let bytes = piece.len() as u64;
        if let Some(pieces) = &self.pieces {
            // A client that reads nothing for as long as a provider may be silent has left too.
            if matches!(timeout(self.idle_timeout, pieces.send(Ok(piece))).await, Ok(Ok(()))) {
                return true;
            }
            self.leave();
        }
        self.drained_bytes += bytes;
        self.drained_bytes <= self.drain_bytes_max
    }

    fn leave(&mut self) {
        self.pieces = None;
        self.drained_since.get_or_insert_with(Instant::now);
    }

    /// Ends the client's answer as the provider's ended.
    async fn close(self, end: End) {
        if let Some(pieces) = self.pieces.filter(|_| end != End::Whole) {
            drop(timeout(self.idle_timeout, pieces.send(Err(broken(end)))).await);
        }
    }
}

/// Completes when nobody waits for the answer any more: the client has left, and the server is to stop.
async fn abandoned(app: &App, head: &mut oneshot::Sender<Head>) {
    head.closed().await;
    app.stopping().await;
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

async fn next_piece(reply: &mut reqwest::Response, idle_timeout: Duration) -> Result<Option<Bytes>, End> {
    match timeout(idle_timeout, reply.chunk()).await {
        Ok(Ok(piece)) => Ok(piece),
        Ok(Err(_)) => Err(End::Cut),
        Err(_) => Err(End::Stalled),
    }
}

fn channel() -> (Pieces, Body) {
    let (pieces, coming) = mpsc::channel(limits::GATEWAY_PIECES_WAITING);
    let stream = futures_util::stream::unfold(coming, |mut coming| async move {
        coming.recv().await.map(|piece| (piece, coming))
    });
    (pieces, Body::from_stream(stream))
}

fn cut_short(begun: Bytes, end: End) -> Body {
    Body::from_stream(futures_util::stream::iter([Ok(begun), Err(broken(end))]))
}

fn broken(end: End) -> io::Error {
    let kind = if end == End::Stalled { io::ErrorKind::TimedOut } else { io::ErrorKind::ConnectionReset };
    io::Error::new(kind, "the provider broke off")
}

/// What a call cost, and what is left, as headers.
fn tell(headers: &mut HeaderMap, cost: Option<Money>, standing: Option<Standing>) {
    if let Some(cost) = cost {
        insert(headers, "x-cost-usd", &cost.to_string());
    }
    if let Some(standing) = standing {
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

/// The error with its causes: `reqwest` tells the reason only there.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
