//! A long sequence of random operations, on a store and on the model.

use std::sync::Arc;

use domain::{
    Interval, UsageId,
    allocation::CostAllocation,
    interval::time_zone,
    query::{Bucket, Dimension, Filter, RecordQuery, RecordSort, Selection, UsageQuery, Visibility},
    usage_record::{Amendment, UsageRecord},
};

use super::{
    model::{Model, values},
    questions::{check_aggregate, check_calls, check_durations, check_list},
    random::Random,
    sample::{everything, id, newest_first, period, project_id, tags, usage_id, varied_record},
};
use crate::UsageStore;

const OPERATIONS: usize = 400;

/// After any operations the store answers as the model does, and what it derives agrees.
pub async fn random_operations_agree_with_the_model(store: Arc<dyn UsageStore>) {
    let mut sequence = Sequence { store, model: Model::default(), random: Random::new(20_240_115), sent: 0 };
    for step in 0..OPERATIONS {
        sequence.operate().await;
        if step % 4 == 0 {
            sequence.compare().await;
        }
    }
    let verification = sequence.store.verify().await.unwrap();
    assert_eq!(verification.differences, Vec::<String>::new());
    assert_eq!(verification.records, sequence.model.records().len() as u64);
}

struct Sequence {
    store: Arc<dyn UsageStore>,
    model: Model,
    random: Random,
    sent: u32,
}

impl Sequence {
    async fn operate(&mut self) {
        match self.random.below(100) {
            0..60 => self.append().await,
            60..80 => self.amend().await,
            80..95 => self.delete().await,
            95..98 => self.purge().await,
            _ => self.store.rebuild().await.unwrap(),
        }
    }

    async fn append(&mut self) {
        let count = 1 + self.random.below(8);
        let batch: Vec<UsageRecord> = (0..count).map(|_| self.next_record()).collect();
        let expected: Vec<_> = batch.iter().map(|record| self.model.append(record.clone())).collect();
        assert_eq!(self.store.append(batch).await.unwrap(), expected);
    }

    async fn amend(&mut self) {
        let id = self.some_id();
        let amendment = Amendment {
            tags: self.random.pick(&[None, Some(tags(&[])), Some(tags(&["b", "new"]))]),
            allocation: self.random.pick(&[
                None,
                Some(CostAllocation::default()),
                Some(CostAllocation { team: Some("green".to_owned()), ..CostAllocation::default() }),
            ]),
            project_id: self.random.pick(&[
                None,
                Some(None),
                Some(Some(project_id(11))),
                Some(Some(project_id(14))),
            ]),
        };
        let expected = self.model.amend(id, &amendment);
        assert_eq!(self.store.amend_record(id, &amendment).await.unwrap(), expected);
    }

    async fn delete(&mut self) {
        let id = self.some_id();
        assert_eq!(self.store.delete_record(id).await.unwrap(), self.model.delete(id));
    }

    async fn purge(&mut self) {
        let purged = [project_id(self.random.pick(&[13, 14, 15]))];
        assert_eq!(self.store.purge_projects(&purged).await.unwrap(), self.model.purge(&purged));
    }

    async fn compare(&mut self) {
        for _ in 0..3 {
            let query = self.sums_query();
            check_aggregate(&*self.store, &self.model, &query).await;
            check_durations(&*self.store, &self.model, &query).await;
        }
        let filter = self.sums_query().filter;
        let mut shared = vec![self.sums_query()];
        for _ in 0..3 {
            shared.push(UsageQuery { filter: filter.clone(), ..self.sums_query() });
        }
        let expected: Vec<_> = shared.iter().map(|query| self.model.aggregate(query)).collect();
        assert_eq!(self.store.aggregate_each(&shared).await.unwrap(), expected, "{shared:?}");
        let query = self.record_query();
        check_list(&*self.store, &self.model, &query).await;
        check_calls(&*self.store, &self.model, &query.filter).await;
        let percentiles = self.store.latency_percentiles(&query.filter).await.unwrap();
        assert_eq!(percentiles, self.model.latency_percentiles(&query.filter), "{query:?}");
    }

    fn next_record(&mut self) -> UsageRecord {
        self.sent += 1;
        varied_record(self.sent, &mut self.random)
    }

    /// Mostly of a record that is kept.
    fn some_id(&mut self) -> UsageId {
        let kept = self.model.records().len();
        if kept == 0 || self.random.chance(10) {
            return usage_id(1_000_000);
        }
        self.model.records()[self.random.below(kept)].id
    }

    fn sums_query(&mut self) -> UsageQuery {
        let filter = self.filter();
        let buckets = if self.random.chance(50) { None } else { Some(self.bucket_starts(filter.period)) };
        let mut group_by: Vec<_> =
            (0..self.random.below(4)).map(|_| self.random.pick(&Dimension::ALL)).collect();
        group_by.sort_unstable();
        group_by.dedup();
        UsageQuery { filter, buckets, group_by }
    }

    fn bucket_starts(&mut self, within: Interval) -> Vec<jiff::Timestamp> {
        let within = if within == Interval::ALWAYS {
            period("2024-02-20T00:00:00Z", "2024-04-20T00:00:00Z")
        } else {
            within
        };
        let zone = self.random.pick(&["UTC", "Europe/Berlin", "Asia/Kolkata"]);
        let bucket = self.random.pick(&[Bucket::Hour, Bucket::Day, Bucket::Week, Bucket::Month]);
        bucket.starts(within, &time_zone("timeZone", zone).unwrap()).unwrap()
    }

    fn record_query(&mut self) -> RecordQuery {
        let sorts =
            [RecordSort::Timestamp, RecordSort::Cost, RecordSort::TotalTokens, RecordSort::ResponseTime];
        let filter = self.filter();
        let search = self.random.pick(&[None, None, Some("A"), Some("key-1"), Some("example"), Some("65a5")]);
        RecordQuery {
            sort: self.random.pick(&sorts),
            descending: self.random.chance(50),
            limit: self.random.pick(&[3, 10, 100]),
            ..newest_first(Filter { search: search.map(str::to_owned), ..filter })
        }
    }

    fn filter(&mut self) -> Filter {
        let projects =
            self.random.pick(&[vec![], vec![project_id(12)], vec![project_id(11), project_id(13)]]);
        let member = Visibility::Of { user: id(2), projects };
        let mut filter =
            Filter { visibility: self.random.pick(&[Visibility::Everything, member]), ..everything() };
        filter.period = self.random.pick(&[
            Interval::ALWAYS,
            period("2024-03-05T00:00:00Z", "2024-03-25T00:00:00Z"),
            period("2024-03-05T01:02:03.004Z", "2024-04-25T05:06:07.0080001Z"),
            period("2024-03-10T00:00:00Z", "2024-03-10T00:00:00.001Z"),
        ]);
        for _ in 0..self.random.below(3) {
            filter = self.selection(filter);
        }
        filter
    }

    fn selection(&mut self, mut filter: Filter) -> Filter {
        let dimension = self.random.pick(&Dimension::ALL);
        let value = |sequence: &mut Self| {
            let kept = sequence.model.records().len();
            let record =
                if kept == 0 { None } else { sequence.model.records().get(sequence.random.below(kept)) };
            let known = record.and_then(|record| values(dimension, record).pop());
            if sequence.random.chance(10) { "nobody".to_owned() } else { known.unwrap_or_default() }
        };
        let list =
            |sequence: &mut Self| (0..sequence.random.below(3)).map(|_| value(sequence)).collect::<Vec<_>>();
        let (include, exclude) = (list(self), list(self));
        filter.selections.insert(dimension, Selection { include, exclude });
        filter
    }
}
