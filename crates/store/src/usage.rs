//! The contract for usage records.

use async_trait::async_trait;
use domain::{
    Interval, ProjectId, UsageId,
    costing::Costing,
    query::{Filter, Group, RecordQuery, UsageQuery, Visibility},
    usage_record::{Amendment, UsageRecord},
};
use jiff::Timestamp;
use pricing::{Money, Usage};
use tokio::sync::mpsc::Sender;

use crate::StoreError;

/// What became of a record that was appended.
#[derive(Debug, Clone, PartialEq)]
pub enum Appended {
    /// It is kept.
    New,
    /// It is kept, in the place of these, which are of the same call and told less of it ([`UsageRecord::supersedes`]).
    Replaced(Vec<UsageRecord>),
    /// The same account had already sent its key; this is the record that is kept.
    Duplicate(Box<UsageRecord>),
    /// The call is known already, and this is its record, which learnt from this one: a key, or whom the call was for.
    /// What else was kept of the call is gone.
    Joined(Box<UsageRecord>),
    /// The same account had already sent its key, and has deleted the record since. It stays deleted.
    Deleted(UsageId),
}

/// A page of records.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordPage {
    /// The records, in the order asked for.
    pub records: Vec<UsageRecord>,
    /// Where the next page starts; `None` on the last one, and in any order but that of time.
    pub next_cursor: Option<String>,
    /// Length of the whole list, where it was asked for.
    pub total: Option<u64>,
}

/// Exact percentiles of a duration, in milliseconds, by the nearest-rank method; `None` when no record has one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LatencyPercentiles {
    /// Records that have one.
    pub count: u64,
    /// Half of the calls took at most this.
    pub p50: Option<u64>,
    /// 95 % of the calls took at most this.
    pub p95: Option<u64>,
    /// 99 % of the calls took at most this.
    pub p99: Option<u64>,
}

/// How long the calls of a group took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DurationGroup {
    /// Start of its point in time, when there is a timeline.
    pub bucket: Option<Timestamp>,
    /// Its value of each dimension asked for, in their order; `None` where the records have none.
    pub keys: Vec<Option<String>>,
    /// To the end of the answer.
    pub response: LatencyPercentiles,
    /// To the first token of the answer.
    pub first_token: LatencyPercentiles,
}

/// What decides the list price of a call besides its time and what it used.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallKind {
    /// Canonical id of who sold it.
    pub provider: String,
    /// The model that was asked for.
    pub model: String,
    /// The model that answered, where told and different.
    pub response_model: Option<String>,
    /// Service tier that served it.
    pub service_tier: Option<String>,
    /// Region or geography that served it.
    pub region: Option<String>,
    /// Kind of web search that it used.
    pub search_type: Option<String>,
}

/// A record as far as its price goes.
#[derive(Debug, Clone, PartialEq)]
pub struct MeteredCall {
    /// Index of its kind in its batch.
    pub kind: usize,
    /// When it happened.
    pub at: Timestamp,
    /// What it cost; `None` is unknown.
    pub cost: Option<Money>,
    /// What was counted.
    pub usage: Usage,
}

/// Some calls, and the kinds that they are of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallBatch {
    /// Each once.
    pub kinds: Vec<CallKind>,
    /// In no order.
    pub calls: Vec<MeteredCall>,
}

/// How far a part of a task came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// How many records it concerned.
    pub count: u64,
    /// The time of the last of them.
    pub until: Option<Timestamp>,
}

/// Whether what is derived agrees with the records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Records looked at.
    pub records: u64,
    /// Rows of the rollup compared.
    pub rollup_rows: u64,
    /// Those of them whose records may have been deleted: it is only known that they are not less than what is left.
    pub sealed_rows: u64,
    /// What disagrees, in words; at most 100.
    pub differences: Vec<String>,
    /// How many disagree in all.
    pub difference_count: u64,
}

/// Keeps usage records and answers questions about them.
#[async_trait]
pub trait UsageStore: Send + Sync + std::fmt::Debug {
    /// Keeps `records`, each on its own merit: the answer has one entry for each, in order. Durable on return.
    ///
    /// A record whose `request_id` the same account has sent before is not kept again, however concurrently. The batch
    /// is a sequence in this: of two records with the same key the first is kept. Which of several records [of a
    /// call](UsageRecord::is_of_call) stands for it, and what it keeps of the others, is [settled](domain::same_call::settle)
    /// where they come together, whatever key shows it; aggregates follow. An `other_keys` that turns out to be of another
    /// call is not kept. `Conflict("id")`, and nothing kept, if the id of a record is taken.
    async fn append(&self, records: Vec<UsageRecord>) -> Result<Vec<Appended>, StoreError>;

    /// The record with its content, if it is visible. Flags come back in the order of
    /// [`Flag::ALL`](domain::usage_record::Flag::ALL); everything else as it was.
    async fn find_record(
        &self,
        visibility: &Visibility,
        id: UsageId,
    ) -> Result<Option<UsageRecord>, StoreError>;

    /// A page of records. Content is left out; [`Self::find_record`] has it.
    ///
    /// What is unknown sorts as the smallest. Records that are alike in what is sorted by are in the order of time, and
    /// then in one that a store chooses and keeps. A search finds its words, as they are and in any case, in provider,
    /// model, tags, allocation (values, not keys), the ids of record, request, session and trace, both e-mail addresses
    /// and the error message.
    async fn list_records(&self, query: &RecordQuery) -> Result<RecordPage, StoreError>;

    /// Sends every record that `filter` finds, as far as its price goes, as of one moment and in no order. Ends without an
    /// error once nobody listens.
    async fn read_calls(&self, filter: &Filter, batches: Sender<CallBatch>) -> Result<(), StoreError>;

    /// The place of the last record in the order in which records were kept; 0 if none ever was. No place is given twice,
    /// and a record is never visible before one with a lower place.
    async fn last_place(&self) -> Result<u64, StoreError>;

    /// Records with their places, in their order, from behind `after`, at most `limit`. Content is left out.
    async fn list_kept(&self, after: u64, limit: usize) -> Result<Vec<(u64, UsageRecord)>, StoreError>;

    /// Corrects a record; aggregates follow. The record before and after, or `None` if it does not exist.
    async fn amend_record(
        &self,
        id: UsageId,
        amendment: &Amendment,
    ) -> Result<Option<(UsageRecord, UsageRecord)>, StoreError>;

    /// Deletes a record; aggregates follow. Its key stays known, so that a retry does not bring it back.
    async fn delete_record(&self, id: UsageId) -> Result<Option<UsageRecord>, StoreError>;

    /// Costs records anew; aggregates follow. Records that do not exist are passed over; how many did.
    async fn recost(&self, costings: Vec<(UsageId, Costing)>) -> Result<u64, StoreError>;

    /// Deletes every record of these projects and forgets their keys; how many there were.
    async fn purge_projects(&self, projects: &[ProjectId]) -> Result<u64, StoreError>;

    /// Seals the UTC days of `project` (of records without a project, if there is none) before that of `before`, for good,
    /// and deletes at most `limit` records of them; how many. Sums stay, and keys stay known. A record that arrives later
    /// for such a day is added to the sums, and deleted by the next call.
    async fn trim_records(
        &self,
        project: Option<ProjectId>,
        before: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError>;

    /// Erases prompts and completions of at most `limit` records of `project` (of records without one), the earliest of
    /// `period` first.
    async fn erase_contents(
        &self,
        project: Option<ProjectId>,
        period: Interval,
        limit: usize,
    ) -> Result<Trimmed, StoreError>;

    /// From when on every record is there that `filter` finds; `None` if that is the whole of its period. What came before
    /// is in sums by UTC day, service, model, project, account and source of the cost only.
    async fn records_from(&self, filter: &Filter) -> Result<Option<Timestamp>, StoreError>;

    /// Sums, grouped, for each of `queries`, as of one moment; what is asked about the same records takes one pass over them.
    /// Groups without records are absent, as are records before the first bucket; the order is that of bucket, then of
    /// cost, largest first, then of keys. A dimension is grouped by once.
    ///
    /// [`StoreError::Overflow`] if a sum leaves what an integer can hold, [`StoreError::TooManyGroups`] if the answer
    /// would leave what is bearable.
    async fn aggregate_each(&self, queries: &[UsageQuery]) -> Result<Vec<Vec<Group>>, StoreError>;

    /// The answer of [`Self::aggregate_each`] to one question.
    async fn aggregate(&self, query: &UsageQuery) -> Result<Vec<Group>, StoreError>;

    /// Exact percentiles of the response time, of those records that have one.
    async fn latency_percentiles(&self, filter: &Filter) -> Result<LatencyPercentiles, StoreError>;

    /// Exact percentiles of how long calls took, grouped as by [`Self::aggregate`]; groups in which no duration is known
    /// are absent. The order is that of bucket, then of keys. [`StoreError::TooManyGroups`] if there are more different
    /// durations than are bearable.
    async fn durations(&self, query: &UsageQuery) -> Result<Vec<DurationGroup>, StoreError>;

    /// Recomputes everything that is derived, as of one moment, and compares: every aggregate from the records, every
    /// list cost from its price and its usage, every key, everything that a record refers to.
    async fn verify(&self) -> Result<Verification, StoreError>;

    /// Makes every aggregate anew from the records.
    async fn rebuild(&self) -> Result<(), StoreError>;

    /// Whether the store answers; for readiness checks.
    async fn ping(&self) -> Result<(), StoreError>;
}
