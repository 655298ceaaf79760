//! Calls as far as their price goes.

use std::collections::HashMap;

use domain::query::Filter;
use rusqlite::params_from_iter;
use tokio::sync::mpsc::Sender;

use super::{
    columns::Columns,
    condition::Conditions,
    filter::{self, Part},
    readers::ReadTx,
    record::read_usage,
    source::Source,
};
use crate::{CallBatch, CallKind, MeteredCall, StoreError, limits};

/// What is read of a record `r`: what makes its kind, and the rest.
const OF_RECORD: &str = "
    r.provider, r.model, r.response_model, r.service_tier, r.region, r.search_type, r.occurred_at_ms, r.cost_nanos,
    r.input_tokens, r.output_tokens, r.total_tokens, r.cache_read_tokens, r.cache_write_tokens, r.reasoning_tokens,
    r.counts";

/// The numbers of what makes a kind.
type Key = [Option<i64>; 6];

/// Sends every call that `filter` finds; ends early once nobody listens.
pub(super) fn read(
    tx: &mut ReadTx<'_>,
    filter: &Filter,
    batches: &Sender<CallBatch>,
) -> Result<(), StoreError> {
    let mut reading = Reading { batch: CallBatch::default(), kinds: HashMap::new(), batches };
    for part in filter::parts(tx.connection, filter, Source::Records, &Conditions::default())? {
        if !reading.read_part(tx, &part)? {
            return Ok(());
        }
    }
    reading.send();
    Ok(())
}

struct Reading<'a> {
    batch: CallBatch,
    /// Where each kind of the batch is in it.
    kinds: HashMap<Key, usize>,
    batches: &'a Sender<CallBatch>,
}

impl Reading<'_> {
    /// Whether somebody still listens.
    fn read_part(&mut self, tx: &mut ReadTx<'_>, part: &Part) -> Result<bool, StoreError> {
        let sql = format!("select {OF_RECORD} from {} {}", part.table, part.conditions.sql());
        let mut statement = tx.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(part.conditions.parameters()))?;
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            let mut key = Key::default();
            for number in &mut key {
                *number = columns.next()?;
            }
            let call = MeteredCall {
                kind: self.kind(tx, key)?,
                at: columns.next_instant()?,
                cost: columns.next_money()?,
                usage: read_usage(&mut columns)?,
            };
            self.batch.calls.push(call);
            if self.batch.calls.len() == limits::CALLS_OF_A_BATCH && !self.send() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn kind(&mut self, tx: &mut ReadTx<'_>, key: Key) -> Result<usize, StoreError> {
        if let Some(index) = self.kinds.get(&key) {
            return Ok(*index);
        }
        let mut name = |number: Option<i64>| {
            let value = number.map(|number| tx.names.value(tx.connection, number)).transpose()?;
            Ok::<_, StoreError>(value.map(|value| value.to_string()))
        };
        let [provider, model, response_model, service_tier, region, search_type] = key;
        self.batch.kinds.push(CallKind {
            provider: name(provider)?.unwrap_or_default(),
            model: name(model)?.unwrap_or_default(),
            response_model: name(response_model)?,
            service_tier: name(service_tier)?,
            region: name(region)?,
            search_type: name(search_type)?,
        });
        let index = self.batch.kinds.len() - 1;
        self.kinds.insert(key, index);
        Ok(index)
    }

    /// Whether somebody still listens.
    fn send(&mut self) -> bool {
        self.kinds.clear();
        self.batches.blocking_send(std::mem::take(&mut self.batch)).is_ok()
    }
}
