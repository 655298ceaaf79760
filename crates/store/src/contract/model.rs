//! The contract for usage records, kept in a `Vec` and answered by filtering and adding up: slow and obvious.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use domain::{
    ProjectId, UsageId, UserId,
    costing::Costing,
    query::{Dimension, Filter, Group, RecordQuery, RecordSort, UsageQuery},
    same_call::{self, Settled},
    totals::Totals,
    usage_record::{Amendment, Origin, UsageRecord},
};
use jiff::Timestamp;

use crate::{Appended, DurationGroup, LatencyPercentiles};

/// What a store should hold.
#[derive(Debug, Default)]
pub struct Model {
    records: Vec<UsageRecord>,
    keys: HashMap<(UserId, String), UsageId>,
}

impl Model {
    /// The kept records, oldest arrival first.
    pub fn records(&self) -> &[UsageRecord] {
        &self.records
    }

    /// Keeps a record.
    pub fn append(&mut self, mut record: UsageRecord) -> Appended {
        let (mut known, mut free): (Vec<UsageRecord>, Vec<String>) = Default::default();
        for key in record.keys().map(str::to_owned).collect::<Vec<_>>() {
            let Some(holder) = self.keys.get(&(record.user_id, key.clone())).copied() else {
                free.push(key);
                continue;
            };
            let is_own = record.request_id.as_ref() == Some(&key);
            match self.records.iter().find(|kept| kept.id == holder) {
                Some(kept) if known.contains(kept) => {}
                Some(kept) if record.is_of_call(kept, &key) => known.push(kept.clone()),
                None if is_own || record.origin == Origin::Otlp => return Appended::Deleted(holder),
                _ => record.other_keys.retain(|other| *other != key),
            }
        }
        let is_new = known.is_empty();
        let (stands, appended) = match same_call::settle(record, known, &free) {
            Settled::Kept(record, gone) => {
                self.records.retain(|kept| gone.iter().all(|gone| gone.id != kept.id));
                self.records.push(*record.clone());
                (*record, if is_new { Appended::New } else { Appended::Replaced(gone) })
            }
            Settled::Known { before, after, gone } => {
                self.records.retain(|kept| gone.iter().all(|gone| gone.id != kept.id));
                let kept = self.records.iter_mut().find(|kept| kept.id == after.id).unwrap();
                *kept = *after.clone();
                let learnt = !gone.is_empty() || before != after;
                let appended = if learnt { Appended::Joined } else { Appended::Duplicate };
                (*after.clone(), appended(after))
            }
        };
        let keys = stands.keys().map(|key| ((stands.user_id, key.to_owned()), stands.id));
        self.keys.extend(keys.collect::<Vec<_>>());
        appended
    }

    /// Corrects a record.
    pub fn amend(&mut self, id: UsageId, amendment: &Amendment) -> Option<(UsageRecord, UsageRecord)> {
        let record = self.records.iter_mut().find(|record| record.id == id)?;
        let before = record.clone();
        record.amend(amendment);
        Some((before, record.clone()))
    }

    /// Costs a record anew.
    pub fn recost(&mut self, id: UsageId, costing: Costing) {
        if let Some(record) = self.records.iter_mut().find(|record| record.id == id) {
            record.recost(costing);
        }
    }

    /// Deletes a record.
    pub fn delete(&mut self, id: UsageId) -> Option<UsageRecord> {
        let index = self.records.iter().position(|record| record.id == id)?;
        Some(self.records.remove(index))
    }

    /// Deletes the records of `projects` and forgets their keys.
    pub fn purge(&mut self, projects: &[ProjectId]) -> u64 {
        let is_purged =
            |record: &UsageRecord| record.project_id.is_some_and(|project| projects.contains(&project));
        let (purged, kept): (Vec<_>, Vec<_>) = self.records.drain(..).partition(is_purged);
        self.records = kept;
        self.keys.retain(|_, holder| !purged.iter().any(|record| record.id == *holder));
        purged.len() as u64
    }

    /// The records that `filter` finds.
    pub fn find_all(&self, filter: &Filter) -> Vec<&UsageRecord> {
        self.records.iter().filter(|record| finds(filter, record)).collect()
    }

    /// Sums, grouped and ordered.
    pub fn aggregate(&self, query: &UsageQuery) -> Vec<Group> {
        let mut groups: BTreeMap<_, Totals> = BTreeMap::new();
        for record in self.find_all(&query.filter) {
            let Some(bucket) = bucket(query, record) else { continue };
            for keys in keys(&query.group_by, record) {
                let sum = groups.entry((bucket, keys)).or_default();
                *sum = sum.checked_add(Totals::of(record)).unwrap();
            }
        }
        let group = |((bucket, keys), totals)| Group { bucket, keys, totals };
        let mut groups: Vec<Group> = groups.into_iter().map(group).collect();
        groups.sort_by_key(|group| (group.bucket, Reverse(group.totals.cost), group.keys.clone()));
        groups
    }

    /// Percentiles of the response time.
    pub fn latency_percentiles(&self, filter: &Filter) -> LatencyPercentiles {
        percentiles(self.find_all(filter).iter().filter_map(|record| record.response_time_ms).collect())
    }

    /// How long calls took, grouped and ordered.
    pub fn durations(&self, query: &UsageQuery) -> Vec<DurationGroup> {
        let mut groups: BTreeMap<_, [Vec<u64>; 2]> = BTreeMap::new();
        for record in self.find_all(&query.filter) {
            let durations = [record.response_time_ms, record.time_to_first_token_ms];
            let Some(bucket) = bucket(query, record) else { continue };
            if durations == [None, None] {
                continue;
            }
            for keys in keys(&query.group_by, record) {
                let group = groups.entry((bucket, keys)).or_default();
                group.iter_mut().zip(durations).for_each(|(known, duration)| known.extend(duration));
            }
        }
        let group = |((bucket, keys), [response, first_token]): (_, [Vec<u64>; 2])| DurationGroup {
            bucket,
            keys,
            response: percentiles(response),
            first_token: percentiles(first_token),
        };
        groups.into_iter().map(group).collect()
    }

    /// What the whole list that `query` is about is sorted by, in its order.
    pub fn sort_values(&self, query: &RecordQuery) -> Vec<i128> {
        let found = self.find_all(&query.filter);
        let mut values: Vec<i128> = found.into_iter().map(|record| sort_value(query.sort, record)).collect();
        values.sort_unstable();
        if query.descending {
            values.reverse();
        }
        values
    }
}

/// The record's point in time, if there are points; `None` if it is before all of them.
#[expect(clippy::option_option, reason = "three cases: before all points, no points, a point")]
fn bucket(query: &UsageQuery, record: &UsageRecord) -> Option<Option<Timestamp>> {
    let Some(starts) = &query.buckets else { return Some(None) };
    starts.iter().rfind(|start| **start <= record.occurred_at).copied().map(Some)
}

fn percentiles(mut durations: Vec<u64>) -> LatencyPercentiles {
    durations.sort_unstable();
    let nearest_rank = |percent: usize| {
        let rank = (durations.len() * percent).div_ceil(100);
        durations.get(rank.saturating_sub(1)).copied()
    };
    let count = durations.len() as u64;
    LatencyPercentiles { count, p50: nearest_rank(50), p95: nearest_rank(95), p99: nearest_rank(99) }
}

/// What a record is sorted by; the unknown is the smallest.
pub fn sort_value(sort: RecordSort, record: &UsageRecord) -> i128 {
    let value = match sort {
        RecordSort::Timestamp => Some(record.occurred_at.as_nanosecond()),
        RecordSort::Cost => record.cost.map(|cost| i128::from(cost.nanos())),
        RecordSort::TotalTokens => record.total_tokens().map(i128::from),
        RecordSort::ResponseTime => record.response_time_ms.map(i128::from),
    };
    value.unwrap_or(i128::MIN)
}

/// The record's values of a dimension; none, one, or for tags several.
pub fn values(dimension: Dimension, record: &UsageRecord) -> Vec<String> {
    let allocation = &record.allocation;
    let value = match dimension {
        Dimension::Service => Some(record.provider.clone()),
        Dimension::Model => Some(record.model.clone()),
        Dimension::Project => record.project_id.map(|project| project.to_string()),
        Dimension::User => Some(record.user_id.to_string()),
        Dimension::Department => allocation.department.clone(),
        Dimension::Team => allocation.team.clone(),
        Dimension::Purpose => allocation.purpose.clone(),
        Dimension::Client => allocation.client.clone(),
        Dimension::Campaign => allocation.campaign.clone(),
        Dimension::Tag => return record.tags.iter().map(str::to_owned).collect(),
        Dimension::Status => Some(record.status.as_str().to_owned()),
        Dimension::UserEmail => record.user_email.clone(),
        Dimension::CustomerEmail => record.customer_email.clone(),
        Dimension::CostSource => Some(record.cost_source.as_str().to_owned()),
        Dimension::TrackerKey => record.tracker_key_id.map(|key| key.to_string()),
    };
    value.into_iter().collect()
}

fn finds(filter: &Filter, record: &UsageRecord) -> bool {
    filter.visibility.includes(record.user_id, record.project_id)
        && filter.period.contains(record.occurred_at)
        && filter.selections.iter().all(|(dimension, selection)| {
            let values = values(*dimension, record);
            let has =
                |wanted: &String| if wanted.is_empty() { values.is_empty() } else { values.contains(wanted) };
            (selection.include.is_empty() || selection.include.iter().any(has))
                && !selection.exclude.iter().any(has)
        })
        && filter.search.as_ref().is_none_or(|words| contains(record, words.trim()))
}

fn contains(record: &UsageRecord, words: &str) -> bool {
    let allocation = &record.allocation;
    let optional = [
        &allocation.department,
        &allocation.team,
        &allocation.purpose,
        &allocation.client,
        &allocation.campaign,
        &record.user_email,
        &record.customer_email,
        &record.request_id,
        &record.session_id,
        &record.trace_id,
        &record.error.message,
    ];
    let mut texts = vec![record.id.to_string(), record.provider.clone(), record.model.clone()];
    texts.extend(optional.into_iter().flatten().cloned());
    texts.extend(allocation.other.values().cloned());
    texts.extend(record.other_keys.iter().cloned());
    texts.extend(record.tags.iter().map(str::to_owned));
    texts.iter().any(|text| text.to_lowercase().contains(&words.to_lowercase()))
}

/// The groups that a record is in: one, or one for each of its tags.
fn keys(group_by: &[Dimension], record: &UsageRecord) -> Vec<Vec<Option<String>>> {
    group_by.iter().fold(vec![Vec::new()], |groups, dimension| {
        let mut values: Vec<_> = values(*dimension, record).into_iter().map(Some).collect();
        if values.is_empty() {
            values.push(None);
        }
        let with = |group: &Vec<Option<String>>, value: &Option<String>| {
            [group.as_slice(), std::slice::from_ref(value)].concat()
        };
        groups.iter().flat_map(|group| values.iter().map(move |value| with(group, value))).collect()
    })
}
