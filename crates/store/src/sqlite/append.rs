//! Keeping records, each call once.

use std::borrow::Cow;

use domain::{
    UsageId,
    same_call::{self, Settled},
    totals::Totals,
    usage_record::{Origin, UsageRecord},
};

use super::{
    amend,
    dictionary::Kind,
    keys,
    record::{self, Kept},
    rollup,
    writer::WriteTx,
};
use crate::{Appended, StoreError};

/// Keeps `records`; what became of each.
pub(super) fn append(tx: &mut WriteTx<'_>, records: &[UsageRecord]) -> Result<Vec<Appended>, StoreError> {
    let mut change = rollup::Change::default();
    let appended =
        records.iter().map(|record| append_one(tx, record, &mut change)).collect::<Result<_, _>>()?;
    change.apply(tx.connection)?;
    Ok(appended)
}

/// What is known of the call of a record.
enum Known {
    /// Records of it, at most one for each key, and the keys that nobody has.
    Kept(Vec<Kept>, Vec<String>),
    /// That it was deleted.
    Deleted(UsageId),
}

fn append_one(
    tx: &mut WriteTx<'_>,
    record: &UsageRecord,
    change: &mut rollup::Change,
) -> Result<Appended, StoreError> {
    let user = tx.intern(Kind::User, &record.user_id.to_string())?;
    let mut record = Cow::Borrowed(record);
    let (known, free_keys) = match find_known(tx, user, &mut record)? {
        Known::Deleted(id) => return Ok(Appended::Deleted(id)),
        Known::Kept(known, _) if known.is_empty() => {
            insert(tx, user, &record, change)?;
            return Ok(Appended::New);
        }
        Known::Kept(known, free_keys) => (known, free_keys),
    };
    let records = known.iter().map(|kept| kept.record.clone()).collect();
    match same_call::settle(record.into_owned(), records, &free_keys) {
        Settled::Kept(record, gone) => {
            remove(tx, &known, &gone, change)?;
            insert(tx, user, &record, change)?;
            Ok(Appended::Replaced(gone))
        }
        Settled::Known { before, after, gone } if gone.is_empty() && before == after => {
            Ok(Appended::Duplicate(after))
        }
        Settled::Known { after, gone, .. } => {
            remove(tx, &known, &gone, change)?;
            if let Some(kept) = known.iter().find(|kept| kept.record.id == after.id) {
                amend::learn(tx, kept, &after, change)?;
            }
            keys::give(tx.connection, user, after.keys(), after.id)?;
            Ok(Appended::Joined(after))
        }
    }
}

/// What is known of the call of `record`, which loses the keys that turn out to be those of other calls.
fn find_known(
    tx: &mut WriteTx<'_>,
    user: i64,
    record: &mut Cow<'_, UsageRecord>,
) -> Result<Known, StoreError> {
    let mut known: Vec<Kept> = Vec::new();
    let (mut free, mut others) = (Vec::new(), Vec::new());
    for key in record.keys() {
        let Some(holder) = keys::find(tx.connection, user, key)? else {
            free.push(key.to_owned());
            continue;
        };
        if known.iter().any(|kept| kept.record.id == holder) {
            continue;
        }
        let is_own = record.request_id.as_deref() == Some(key);
        match record::find(tx.connection, tx.names, holder)? {
            Some(kept) if record.is_of_call(&kept.record, key) => known.push(kept),
            None if is_own || record.origin == Origin::Otlp => return Ok(Known::Deleted(holder)),
            _ => others.push(key.to_owned()),
        }
    }
    if !others.is_empty() {
        record.to_mut().other_keys.retain(|key| !others.contains(key));
    }
    Ok(Known::Kept(known, free))
}

fn insert(
    tx: &mut WriteTx<'_>,
    user: i64,
    record: &UsageRecord,
    change: &mut rollup::Change,
) -> Result<(), StoreError> {
    let rollup_key = record::insert(tx, user, record)?;
    keys::give(tx.connection, user, record.keys(), record.id)?;
    change.add(rollup_key, &Totals::of(record))?;
    *tx.appended += 1;
    Ok(())
}

/// Removes those of `known` that are `gone`.
fn remove(
    tx: &WriteTx<'_>,
    known: &[Kept],
    gone: &[UsageRecord],
    change: &mut rollup::Change,
) -> Result<(), StoreError> {
    let is_gone = |kept: &&Kept| gone.iter().any(|gone| gone.id == kept.record.id);
    known.iter().filter(is_gone).try_for_each(|kept| amend::remove(tx, kept, change))
}
