//! Where tracked calls go: into the store, to a running server, or nowhere.

use domain::{UsageId, UserId, ingest::Stamp, usage_record::Origin, usage_record::UsageRecord};
use jiff::Timestamp;
use pricing::{Money, PriceBook};

use super::{
    batch::{Batch, TrackedRow},
    remote::Remote,
};
use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    ingest::{Ingested, Recorded, ingest},
    track,
};

/// Where tracked calls go.
#[derive(Debug)]
pub enum Destination<'a> {
    /// Into the store that this process has opened.
    Store {
        /// The program over it.
        app: &'a App,
        /// Whose calls they are.
        caller: Box<Caller>,
    },
    /// To a running server.
    Server(Remote),
    /// Nowhere: they are read and priced only.
    Nowhere {
        /// What calls cost.
        book: PriceBook,
        /// Bounds their times.
        now: Timestamp,
    },
}

/// A batch, and what became of each of its calls.
#[derive(Debug)]
pub(super) struct Delivered {
    pub(super) batch: Batch,
    /// One for each call of the batch, in order.
    pub(super) outcomes: Vec<Outcome>,
}

/// What became of a call.
#[derive(Debug)]
pub(super) enum Outcome {
    New(Facts),
    /// It was recorded before.
    Duplicate,
    /// It cannot be accepted.
    Failed(String),
}

/// What the summary says of a call.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) occurred_at: Option<Timestamp>,
    pub(super) tokens: Option<u64>,
    pub(super) cost: Option<Money>,
    /// What other models did inside the reply.
    pub(super) side_calls: Vec<Self>,
}

impl Destination<'_> {
    /// Delivers all of `batch`. An error means that nothing is known of it; sending it again adds nothing twice.
    pub(super) async fn deliver(&self, batch: Batch) -> anyhow::Result<Delivered> {
        let outcomes = match self {
            Self::Store { app, caller } => record(app, caller, &batch.calls).await?,
            Self::Server(remote) => remote.send(&batch.calls).await?,
            Self::Nowhere { book, now } => batch.calls.iter().map(|call| price(call, book, *now)).collect(),
        };
        Ok(Delivered { batch, outcomes })
    }
}

async fn record(app: &App, caller: &Caller, calls: &[TrackedRow]) -> anyhow::Result<Vec<Outcome>> {
    let now = app.clock.now();
    let parsed: Vec<_> = calls.iter().map(|call| track::parse(call.json.as_bytes(), now)).collect();
    let good = parsed.iter().filter_map(|new| new.as_ref().ok()).cloned().collect();
    let mut ingested = ingest(app, caller, good, Origin::Import).await?.into_iter();
    let outcome = |new: Result<_, ApiError>| {
        let ingested = new.and_then(|_| {
            ingested.next().unwrap_or_else(|| Err(ApiError::internal("nothing became of a record")))
        });
        match ingested {
            Ok(Recorded { call: Ingested::New(call), side_calls }) => {
                let side_calls = side_calls.into_iter().filter_map(|side_call| match side_call {
                    Ingested::New(record) => Some(*record),
                    Ingested::Duplicate(_) | Ingested::Deleted(_) => None,
                });
                Outcome::New(Facts::of(*call, side_calls))
            }
            Ok(_) => Outcome::Duplicate,
            Err(error) => Outcome::Failed(error.message),
        }
    };
    Ok(parsed.into_iter().map(outcome).collect())
}

fn price(call: &TrackedRow, book: &PriceBook, now: Timestamp) -> Outcome {
    let stamp = Stamp {
        id: UsageId::from_bytes([0; 12]),
        user_id: UserId::from_bytes([0; 12]),
        tracker_key_id: None,
        origin: Origin::Import,
        recorded_at: now,
        keeps_content: false,
    };
    match track::parse(call.json.as_bytes(), now) {
        Ok(new) => {
            let records = new.into_records(stamp, book, || stamp.id);
            Outcome::New(Facts::of(records.call, records.side_calls))
        }
        Err(error) => Outcome::Failed(error.message),
    }
}

impl Facts {
    fn of(record: UsageRecord, side_calls: impl IntoIterator<Item = UsageRecord>) -> Self {
        Self {
            side_calls: side_calls.into_iter().map(|record| Self::of(record, [])).collect(),
            tokens: record.total_tokens(),
            provider: record.provider,
            model: record.model,
            occurred_at: Some(record.occurred_at),
            cost: record.cost,
        }
    }
}
