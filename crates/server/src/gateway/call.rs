//! One call: it is sent, its answer passes by, and what it cost is written down, whatever the client does meanwhile.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header},
};
use bytes::{Bytes, BytesMut};
use domain::{ingest::NewUsage, wire::Dialect};
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
    rate::{PerMinute, Subject},
    record::{self, End, Outcome},
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

impl Call {
    /// Sends the request, and answers through `head` as soon as there is something to say.
    pub(super) async fn run(self, request: reqwest::Request, head: oneshot::Sender<Head>) {
        let sent =
            timeout(self.app.config.gateway.head_timeout(), self.app.gateway.client().execute(request)).await;
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

    async fn pass(self, reply: reqwest::Response, head: oneshot::Sender<Head>) {
        let status = reply.status();
        let headers = reply.headers().clone();
        let tee = self.is_metered.then(|| Tee::new(self.dialect, &headers));
        if is_short(&headers) {
            self.pass_whole(reply, status, &headers, tee, head).await;
        } else {
            self.pass_stream(reply, status, &headers, tee, head).await;
        }
    }

    /// Reads an answer that is not streamed to its end, so that its headers can tell what it cost.
    async fn pass_whole(
        self,
        mut reply: reqwest::Response,
        status: StatusCode,
        headers: &HeaderMap,
        mut tee: Option<Tee>,
        head: oneshot::Sender<Head>,
    ) {
        let (mut whole, mut passed) = (BytesMut::new(), Passed::default());
        let end = loop {
            match next_piece(&mut reply, self.app.config.gateway.idle_timeout()).await {
                Ok(Some(piece)) => {
                    self.look_at(&piece, status, &mut tee, &mut passed);
                    whole.extend_from_slice(&piece);
                }
                Ok(None) => break End::Whole,
                Err(end) => break end,
            }
            if whole.len() > limits::GATEWAY_WHOLE_REPLY_BYTES {
                return self.pass_rest(reply, status, headers, tee, head, whole.freeze(), passed).await;
            }
        };
        passed.client_left = head.is_closed();
        let mut response = self.response(status, headers);
        let (cost, standing) = self.finish(Some(status), end, passed, tee);
        tell(response.headers_mut(), cost, standing);
        *response.body_mut() = match end {
            End::Whole => Body::from(whole.freeze()),
            // What came is passed on, and then the connection breaks off as the provider's did.
            _ => cut_short(whole.freeze(), end),
        };
        drop(head.send(Ok(response)));
    }

    /// An answer that turned out to be long: what was read of it goes first.
    #[expect(clippy::too_many_arguments, reason = "the state of one reading, handed over once")]
    async fn pass_rest(
        self,
        reply: reqwest::Response,
        status: StatusCode,
        headers: &HeaderMap,
        tee: Option<Tee>,
        head: oneshot::Sender<Head>,
        begun: Bytes,
        passed: Passed,
    ) {
        let (pieces, body) = channel();
        drop(pieces.send(Ok(begun)).await);
        let mut response = self.response(status, headers);
        *response.body_mut() = body;
        let pieces = head.send(Ok(response)).is_ok().then_some(pieces);
        self.pump(reply, status, tee, pieces, passed).await;
    }

    /// Passes an answer on piece by piece, as it comes.
    async fn pass_stream(
        self,
        reply: reqwest::Response,
        status: StatusCode,
        headers: &HeaderMap,
        tee: Option<Tee>,
        head: oneshot::Sender<Head>,
    ) {
        let (pieces, body) = channel();
        let mut response = self.response(status, headers);
        if self.filter.is_some() {
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        tell(response.headers_mut(), None, self.reservation.as_ref().map(|reservation| reservation.standing));
        *response.body_mut() = body;
        let pieces = head.send(Ok(response)).is_ok().then_some(pieces);
        self.pump(reply, status, tee, pieces, Passed::default()).await;
    }

    async fn pump(
        mut self,
        mut reply: reqwest::Response,
        status: StatusCode,
        mut tee: Option<Tee>,
        pieces: Option<Pieces>,
        mut passed: Passed,
    ) {
        let mut filter = self.filter.take();
        let mut way = Way::new(&self.app, pieces);
        let end = loop {
            match way.next_piece(&mut reply).await {
                Ok(Some(piece)) => {
                    self.look_at(&piece, status, &mut tee, &mut passed);
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
        passed.client_left = !(way.send(rest).await && way.is_open());
        self.finish(Some(status), end, passed, tee);
        way.close(end).await;
    }

    fn look_at(&self, piece: &Bytes, status: StatusCode, tee: &mut Option<Tee>, passed: &mut Passed) {
        passed.first_piece_ms.get_or_insert_with(|| milliseconds(self.started.elapsed()));
        passed.bytes += piece.len() as u64;
        if let Some(tee) = tee {
            tee.push(piece);
        }
        let is_refusal = status.is_client_error() || status.is_server_error();
        if is_refusal && passed.error_body.len() < limits::GATEWAY_ERROR_BYTES {
            passed.error_body.extend_from_slice(piece);
        }
    }

    /// Everything but the body of what the client gets.
    fn response(&self, status: StatusCode, headers: &HeaderMap) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        *response.headers_mut() = headers::to_client(headers);
        if self.is_metered {
            insert(response.headers_mut(), "x-cost-request-id", &self.begun.id.to_string());
        }
        response
    }

    /// Writes down how the call ended: what it cost, and how the project's budget stands.
    fn finish(
        self,
        status: Option<StatusCode>,
        end: End,
        passed: Passed,
        tee: Option<Tee>,
    ) -> (Option<Money>, Option<Standing>) {
        let Some(recorder) = self.app.gateway.recorder().filter(|_| self.is_metered) else {
            return (None, None);
        };
        let Some(upstream) = self.app.gateway.upstreams().find(&self.upstream) else { return (None, None) };
        let (metered, streamed_bytes) = tee.map(Tee::finish).unwrap_or_default();
        let outcome = Outcome {
            status,
            end,
            client_left: passed.client_left,
            metered,
            answer_bytes: if streamed_bytes > 0 { streamed_bytes } else { passed.bytes },
            error_body: passed.error_body,
            first_piece_ms: passed.first_piece_ms,
            elapsed_ms: milliseconds(self.started.elapsed()),
        };
        let mut call: NewUsage = self.begun.call;
        record::complete(&mut call, upstream, &self.path, &self.ask, &self.attribution, outcome);
        let (id, user_id, began_at) = (self.begun.id, self.begun.user_id, self.begun.at);
        let now = self.app.clock.now();
        let ended = Ended { id, user_id, at: now, keeps_content: self.door.keeps_content, call };
        let record = ended.call.clone().into_record(recorder::stamp(&ended), &self.app.prices.current());
        let (cost, tokens) = (record.cost, record.total_tokens().unwrap_or(0));
        let standing = self.reservation.and_then(|held| held.settle(began_at, cost.unwrap_or_default(), now));
        self.app.gateway.rates().used(&self.rates, tokens);
        recorder.end(&ended, record);
        drop(self.permit);
        (cost, standing)
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

/// Whether an answer comes as a whole: then it is read to its end before it is passed on.
fn is_short(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let length: Option<usize> = text(header::CONTENT_LENGTH).parse().ok();
    text(header::CONTENT_TYPE).starts_with("application/json")
        && length.is_none_or(|length| length <= limits::GATEWAY_WHOLE_REPLY_BYTES)
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
