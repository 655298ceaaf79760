//! The way of an answer to the client, piece by piece.

use std::{io, time::Duration};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};

use super::record::End;
use crate::{app::App, limits};

type Pieces = mpsc::Sender<io::Result<Bytes>>;

/// The way to the client, and what happens when it has left: the answer is read to its end all the same, within limits.
pub(super) struct Way {
    pieces: Option<Pieces>,
    idle_timeout: Duration,
    drain_timeout: Duration,
    drain_bytes_max: u64,
    drained_bytes: u64,
    drained_since: Option<Instant>,
    app: App,
}

impl Way {
    pub(super) fn new(app: &App, pieces: Option<Pieces>) -> Self {
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

    pub(super) fn is_open(&self) -> bool {
        self.pieces.as_ref().is_some_and(|pieces| !pieces.is_closed())
    }

    /// The next piece of the answer, with those that are there already: passed on together they are one write. How the
    /// answer ended, if it did.
    pub(super) async fn next_pieces(&mut self, body: &mut Incoming, ready: &mut Vec<Bytes>) -> Option<End> {
        let mut next = self.next_piece(body).await;
        loop {
            match next {
                Ok(Some(piece)) => ready.push(piece),
                Ok(None) => return Some(End::Whole),
                Err(end) => return Some(end),
            }
            if ready.len() >= limits::GATEWAY_PIECES_WAITING {
                return None;
            }
            // The connection's own task gives one piece at a time.
            tokio::task::yield_now().await;
            next = next_piece(body, self.idle_timeout).now_or_never()?;
        }
    }

    /// The next piece of the answer; notices a client that leaves while nothing comes.
    async fn next_piece(&mut self, body: &mut Incoming) -> Result<Option<Bytes>, End> {
        if let Some(pieces) = &self.pieces {
            tokio::select! {
                piece = next_piece(body, self.idle_timeout) => return piece,
                () = pieces.closed() => self.leave(),
            }
        }
        let since = self.drained_since.unwrap_or_else(Instant::now);
        let left = self.drain_timeout.saturating_sub(since.elapsed()).min(self.idle_timeout);
        tokio::select! {
            piece = next_piece(body, left) => {
                piece.map_err(|end| if end == End::Stalled { End::NotDrained } else { end })
            }
            () = self.app.stopping() => Err(End::NotDrained),
        }
    }

    /// Passes a piece on; `false` when it is no use to read on.
    pub(super) async fn send(&mut self, piece: Bytes) -> bool {
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
    pub(super) async fn close(self, end: End) {
        if let Some(pieces) = self.pieces.filter(|_| end != End::Whole) {
            drop(timeout(self.idle_timeout, pieces.send(Err(broken(end)))).await);
        }
    }
}

/// The next piece of an answer; `None` at its end.
pub(super) async fn next_piece(body: &mut Incoming, idle_timeout: Duration) -> Result<Option<Bytes>, End> {
    loop {
        match timeout(idle_timeout, body.frame()).await {
            // Of trailers nothing passes: no provider sends any.
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(piece) => return Ok(Some(piece)),
                Err(_trailers) => {}
            },
            Ok(None) => return Ok(None),
            Ok(Some(Err(_))) => return Err(End::Cut),
            Err(_) => return Err(End::Stalled),
        }
    }
}

/// An answer that is read whole. Most come as one piece, which is passed on as it is.
#[derive(Debug, Default)]
pub(super) struct Whole {
    first: Bytes,
    joined: BytesMut,
}

impl Whole {
    pub(super) fn push(&mut self, piece: Bytes) {
        if self.len() == 0 {
            self.first = piece;
            return;
        }
        self.joined.extend_from_slice(&std::mem::take(&mut self.first));
        self.joined.extend_from_slice(&piece);
    }

    pub(super) fn len(&self) -> usize {
        self.first.len() + self.joined.len()
    }

    pub(super) fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() { self.first } else { self.joined.freeze() }
    }
}

/// A body, and where its pieces go.
pub(super) fn channel() -> (Pieces, Body) {
    let (pieces, mut coming) = mpsc::channel(limits::GATEWAY_PIECES_WAITING);
    (pieces, Body::from_stream(futures_util::stream::poll_fn(move |context| coming.poll_recv(context))))
}

/// A body that breaks off as the provider's did.
pub(super) fn cut_short(begun: Bytes, end: End) -> Body {
    Body::from_stream(futures_util::stream::iter([Ok(begun), Err(broken(end))]))
}

fn broken(end: End) -> io::Error {
    let kind = if end == End::Stalled { io::ErrorKind::TimedOut } else { io::ErrorKind::ConnectionReset };
    io::Error::new(kind, "the provider broke off")
}
