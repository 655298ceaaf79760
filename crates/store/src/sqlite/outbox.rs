//! Events and their deliveries, on SQLite.

use async_trait::async_trait;
use domain::{
    DeliveryId, EventId, WebhookId,
    delivery::{Attempt, Channel, Delivery, DeliveryState, NewDelivery, Next},
    event::{Event, EventType},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::{
    Sqlite,
    columns::{Columns, damaged},
    kept, webhooks,
};
use crate::{
    OutboxStore, StoreError,
    limits::SMALL_WRITE_BYTES,
    outbox::{AttemptResult, DeliveryClaim, DeliveryLog},
};

macro_rules! select_delivery {
    ($($rest:literal),+) => {
        concat!(
            "select delivery.id, delivery.channel, delivery.webhook_id, delivery.target, delivery.state, \
             delivery.attempts, delivery.tries, delivery.due_at_ms, delivery.reason, \
             event.id, event.type, event.subject, event.project_id, event.user_id, event.payload, event.at_ms, \
             delivery.seq from delivery join event on event.id = delivery.event_id ",
            $($rest),+
        )
    };
}

const INSERT_EVENT: &str = "
    insert into event (id, type, subject, project_id, user_id, payload, at_ms)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const INSERT_DELIVERY: &str = "
    insert into delivery (id, event_id, channel, webhook_id, target, lane, state, is_head, attempts, tries, due_at_ms, reason)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7,
            not exists (select 1 from delivery where lane = ?6 and state = 'waiting'), 0, 0, ?8, ?9)";
const FIND_DUE: &str = "
    select seq from (
        select seq, due_at_ms,
               row_number() over (partition by coalesce(webhook_id, target) order by due_at_ms, seq) as place
          from delivery
         where state = 'waiting' and is_head and due_at_ms <= ?1
           and coalesce(lower(hex(webhook_id)), target) not in (select value from json_each(?4)))
     where place <= ?2 order by due_at_ms, seq limit ?3";
const CLAIM: &str = "update delivery set due_at_ms = ?2 where seq = ?1";
const FIND_BY_SEQ: &str = select_delivery!("where delivery.seq = ?1");
const NEXT_DUE: &str = "select min(due_at_ms) from delivery where state = 'waiting' and is_head";
const COUNT_WAITING: &str = "select count(*) from delivery where state = 'waiting'";
const FIND_WAITING: &str =
    "select seq, lane, attempts, webhook_id from delivery where id = ?1 and state = 'waiting'";
const INSERT_ATTEMPT: &str = "
    insert into delivery_attempt (delivery, number, at_ms, latency_ms, status, excerpt, failure)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const UPDATE: &str = "
    update delivery
       set state = ?2, due_at_ms = ?3, reason = ?4, attempts = attempts + 1, tries = tries + 1,
           is_head = is_head and ?2 = 'waiting'
     where seq = ?1";
const ADVANCE_LANE: &str = "
    update delivery set is_head = 1
     where seq = (select min(seq) from delivery where lane = ?1 and state = 'waiting')
       and not exists (select 1 from delivery where lane = ?1 and state = 'waiting' and is_head)";
const LIST: &str = select_delivery!(
    "where delivery.webhook_id = ?1 and delivery.seq < ?2 order by delivery.seq desc limit ?3"
);
const LIST_OF_EVENT: &str = select_delivery!("where delivery.event_id = ?1 order by delivery.seq");
const FIND_SEQ: &str = "select seq from delivery where id = ?1 and webhook_id = ?2";
const LIST_ATTEMPTS: &str = "
    select at_ms, latency_ms, status, excerpt, failure from delivery_attempt
     where delivery = ?1 order by number desc";
const REPLAY: &str = "
    update delivery
       set state = 'waiting', due_at_ms = ?2, tries = 0, reason = null,
           is_head = is_head or not exists
               (select 1 from delivery other where other.lane = delivery.lane and other.state = 'waiting')
     where seq = ?1";
const SWEEP: &str = "
    delete from event where id in (
        select id from event
         where at_ms < ?1
           and not exists (select 1 from delivery where event_id = event.id and state = 'waiting')
         order by at_ms limit ?2)";

#[async_trait]
impl OutboxStore for Sqlite {
    async fn insert_event(&self, event: &Event, deliveries: &[NewDelivery]) -> Result<(), StoreError> {
        let (event, deliveries) = (event.clone(), deliveries.to_vec());
        let bytes = SMALL_WRITE_BYTES * (1 + deliveries.len()) + event.payload.len();
        self.write(bytes, move |tx| insert_event(tx.connection, &event, &deliveries)).await
    }

    async fn find_told_place(&self) -> Result<Option<u64>, StoreError> {
        self.read(|tx| kept::find_told(tx.connection)).await
    }

    async fn insert_usage_events(
        &self,
        events: Vec<(Event, Vec<NewDelivery>)>,
        after: u64,
        place: u64,
    ) -> Result<(), StoreError> {
        let size = |(event, deliveries): &(Event, Vec<NewDelivery>)| {
            SMALL_WRITE_BYTES * (1 + deliveries.len()) + event.payload.len()
        };
        let bytes = SMALL_WRITE_BYTES + events.iter().map(size).sum::<usize>();
        self.write(bytes, move |tx| kept::tell(tx.connection, &events, after, place)).await
    }

    async fn claim_deliveries(&self, claim: DeliveryClaim) -> Result<Vec<Delivery>, StoreError> {
        self.write(SMALL_WRITE_BYTES, move |tx| take(tx.connection, &claim)).await
    }

    async fn find_next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(|tx| {
            let mut statement = tx.connection.prepare_cached(NEXT_DUE)?;
            let mut rows = statement.query_and_then([], |row| Columns::of(row).next_instant_option())?;
            rows.next().transpose().map(Option::flatten)
        })
        .await
    }

    async fn count_waiting(&self) -> Result<u64, StoreError> {
        self.read(|tx| count(tx.connection, COUNT_WAITING, [])).await
    }

    async fn record_attempt(&self, delivery: DeliveryId, result: &AttemptResult) -> Result<(), StoreError> {
        let result = result.clone();
        self.write(SMALL_WRITE_BYTES, move |tx| record_attempt(tx.connection, delivery, &result)).await
    }

    async fn list_deliveries(
        &self,
        webhook: WebhookId,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<DeliveryLog>, StoreError> {
        self.read(move |tx| {
            let seq = |id: DeliveryId| find_seq(tx.connection, webhook, id)?.ok_or(StoreError::BadCursor);
            let before = before.map_or(Ok(i64::MAX), seq)?;
            list(tx.connection, LIST, (webhook.bytes(), before, number(limit)))
        })
        .await
    }

    async fn list_deliveries_of_event(&self, event: EventId) -> Result<Vec<DeliveryLog>, StoreError> {
        self.read(move |tx| list(tx.connection, LIST_OF_EVENT, [event.bytes()])).await
    }

    async fn replay_delivery(
        &self,
        webhook: WebhookId,
        delivery: DeliveryId,
        at: Timestamp,
    ) -> Result<Option<Delivery>, StoreError> {
        self.write(SMALL_WRITE_BYTES, move |tx| {
            let Some(seq) = find_seq(tx.connection, webhook, delivery)? else { return Ok(None) };
            tx.connection.prepare_cached(REPLAY)?.execute((seq, at.as_millisecond()))?;
            find(tx.connection, seq).map(Some)
        })
        .await
    }

    async fn sweep_events(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        self.write(SMALL_WRITE_BYTES, move |tx| {
            let swept = tx.connection.execute(SWEEP, (before.as_millisecond(), number(limit)))?;
            Ok(u64::try_from(swept).unwrap_or(u64::MAX))
        })
        .await
    }
}

/// Keeps an event with its deliveries.
pub(super) fn insert_event(
    connection: &Connection,
    event: &Event,
    deliveries: &[NewDelivery],
) -> Result<(), StoreError> {
    connection.prepare_cached(INSERT_EVENT)?.execute(params![
        event.id.bytes(),
        event.kind.as_str(),
        event.subject,
        event.project_id.map(|id| *id.bytes()),
        event.user_id.map(|id| *id.bytes()),
        event.payload,
        event.at.as_millisecond(),
    ])?;
    deliveries.iter().try_for_each(|delivery| insert_delivery(connection, event, delivery))
}

fn insert_delivery(connection: &Connection, event: &Event, new: &NewDelivery) -> Result<(), StoreError> {
    let due_at_ms = (new.state == DeliveryState::Waiting).then(|| event.at.as_millisecond());
    let destination = new.webhook_id.map_or_else(|| new.target.clone(), |id| id.to_string());
    connection.prepare_cached(INSERT_DELIVERY)?.execute(params![
        new.id.bytes(),
        event.id.bytes(),
        new.channel.as_str(),
        new.webhook_id.map(|id| *id.bytes()),
        new.target,
        format!("{destination} {}", event.subject),
        new.state.as_str(),
        due_at_ms,
        new.reason,
    ])?;
    Ok(())
}

fn take(connection: &Connection, claim: &DeliveryClaim) -> Result<Vec<Delivery>, StoreError> {
    let mut statement = connection.prepare_cached(FIND_DUE)?;
    let busy = serde_json::to_string(&claim.busy).map_err(|error| damaged(&error.to_string()))?;
    let bounds = (claim.now.as_millisecond(), number(claim.per_target), number(claim.limit), busy);
    let due: Vec<i64> = statement.query_map(bounds, |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut deliveries = Vec::with_capacity(due.len());
    for seq in due {
        connection.prepare_cached(CLAIM)?.execute((seq, claim.until.as_millisecond()))?;
        deliveries.push(find(connection, seq)?);
    }
    Ok(deliveries)
}

fn record_attempt(
    connection: &Connection,
    id: DeliveryId,
    AttemptResult { attempt, next, disable_webhook }: &AttemptResult,
) -> Result<(), StoreError> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
    let found = connection.prepare_cached(FIND_WAITING)?.query_row([id.bytes()], read).optional()?;
    let Some((seq, lane, attempts, webhook)) = found else { return Ok(()) };
    let (seq, lane, attempts): (i64, String, i64) = (seq, lane, attempts);
    let webhook: Option<[u8; 12]> = webhook;
    insert_attempt(connection, seq, attempts + 1, attempt)?;
    let (state, due_at) = match next {
        Next::Delivered => (DeliveryState::Delivered, None),
        Next::RetryAt(at) => (DeliveryState::Waiting, Some(at.as_millisecond())),
        Next::GiveUp => (DeliveryState::Failed, None),
    };
    let row = params![seq, state.as_str(), due_at, attempt.failure];
    connection.prepare_cached(UPDATE)?.execute(row)?;
    if state != DeliveryState::Waiting {
        connection.prepare_cached(ADVANCE_LANE)?.execute([&lane])?;
    }
    match webhook.map(WebhookId::from_bytes) {
        Some(webhook) => webhooks::note_attempt(connection, webhook, attempt, disable_webhook.as_deref()),
        None => Ok(()),
    }
}

fn insert_attempt(
    connection: &Connection,
    seq: i64,
    number: i64,
    attempt: &Attempt,
) -> Result<(), StoreError> {
    connection.prepare_cached(INSERT_ATTEMPT)?.execute(params![
        seq,
        number,
        attempt.at.as_millisecond(),
        attempt.latency_ms,
        attempt.status,
        attempt.excerpt,
        attempt.failure,
    ])?;
    Ok(())
}

fn find(connection: &Connection, seq: i64) -> Result<Delivery, StoreError> {
    let mut statement = connection.prepare_cached(FIND_BY_SEQ)?;
    let mut found = statement.query_and_then([seq], read)?;
    found.next().ok_or_else(|| damaged("a delivery lacks its event"))?.map(|(delivery, _)| delivery)
}

fn find_seq(
    connection: &Connection,
    webhook: WebhookId,
    delivery: DeliveryId,
) -> Result<Option<i64>, StoreError> {
    let ids = (delivery.bytes(), webhook.bytes());
    Ok(connection.prepare_cached(FIND_SEQ)?.query_row(ids, |row| row.get(0)).optional()?)
}

fn list(connection: &Connection, sql: &str, parameters: impl Params) -> Result<Vec<DeliveryLog>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_and_then(parameters, read)?.collect::<Result<Vec<_>, StoreError>>()?;
    let log = |(delivery, seq)| Ok(DeliveryLog { delivery, attempts: list_attempts(connection, seq)? });
    found.into_iter().map(log).collect()
}

fn list_attempts(connection: &Connection, seq: i64) -> Result<Vec<Attempt>, StoreError> {
    let mut statement = connection.prepare_cached(LIST_ATTEMPTS)?;
    let attempts = statement.query_and_then([seq], |row| {
        let mut columns = Columns::of(row);
        Ok(Attempt {
            at: columns.next_instant()?,
            latency_ms: columns.next()?,
            status: columns.next()?,
            excerpt: columns.next()?,
            failure: columns.next()?,
        })
    })?;
    attempts.collect()
}

fn read(row: &Row<'_>) -> Result<(Delivery, i64), StoreError> {
    let mut columns = Columns::of(row);
    let id = columns.next_id()?;
    let channel = columns.next_word(Channel::from_name)?;
    let webhook_id = columns.next_id_option()?;
    let target = columns.next()?;
    let state = columns.next_word(DeliveryState::from_name)?;
    let (attempts, tries) = (columns.next()?, columns.next()?);
    let (due_at, reason) = (columns.next_instant_option()?, columns.next()?);
    let event = read_event(&mut columns)?;
    let delivery =
        Delivery { id, event, channel, webhook_id, target, state, attempts, tries, due_at, reason };
    Ok((delivery, columns.next()?))
}

fn read_event(columns: &mut Columns<'_>) -> Result<Event, StoreError> {
    Ok(Event {
        id: columns.next_id()?,
        kind: columns.next_word(EventType::from_name)?,
        subject: columns.next()?,
        project_id: columns.next_id_option()?,
        user_id: columns.next_id_option()?,
        payload: columns.next()?,
        at: columns.next_instant()?,
    })
}

/// The number that a query counts.
pub(super) fn count(connection: &Connection, sql: &str, parameters: impl Params) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut counts = statement.query_and_then(parameters, |row| Columns::of(row).next_count())?;
    counts.next().transpose().map(|count| count.flatten().unwrap_or(0))
}

/// `count` as a parameter; more than fits is no bound.
pub(super) fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
