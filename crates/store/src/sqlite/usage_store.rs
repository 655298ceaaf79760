//! The contract for usage records, on SQLite.

use async_trait::async_trait;
use domain::{
    Interval, ProjectId, UsageId,
    costing::Costing,
    query::{Filter, Group, RecordQuery, UsageQuery, Visibility},
    usage_record::{Amendment, UsageRecord},
};
use jiff::Timestamp;
use tokio::sync::mpsc::Sender;

use super::{
    Sqlite, aggregate, amend, append, calls, kept, latency, list, record, recost, rollup, sealed, verify,
};
use crate::{
    Appended, CallBatch, DurationGroup, LatencyPercentiles, RecordPage, StoreError, Trimmed, UsageStore,
    Verification, limits::SMALL_WRITE_BYTES,
};

#[async_trait]
impl UsageStore for Sqlite {
    async fn append(&self, records: Vec<UsageRecord>) -> Result<Vec<Appended>, StoreError> {
        let bytes = records.iter().map(record::bytes).sum();
        self.write(bytes, move |tx| append::append(tx, &records)).await
    }

    async fn find_record(
        &self,
        visibility: &Visibility,
        id: UsageId,
    ) -> Result<Option<UsageRecord>, StoreError> {
        let found = self.read(move |tx| record::find(tx.connection, tx.names, id)).await?;
        let record = found.map(|kept| kept.record);
        Ok(record.filter(|record| visibility.includes(record.user_id, record.project_id)))
    }

    async fn list_records(&self, query: &RecordQuery) -> Result<RecordPage, StoreError> {
        let query = query.clone();
        self.read(move |tx| list::list(tx, &query)).await
    }

    async fn read_calls(&self, filter: &Filter, batches: Sender<CallBatch>) -> Result<(), StoreError> {
        let filter = filter.clone();
        self.read(move |tx| calls::read(tx, &filter, &batches)).await
    }

    async fn last_place(&self) -> Result<u64, StoreError> {
        self.read(|tx| kept::last(tx.connection)).await
    }

    async fn list_kept(&self, after: u64, limit: usize) -> Result<Vec<(u64, UsageRecord)>, StoreError> {
        self.read(move |tx| kept::list(tx, after, limit)).await
    }

    async fn amend_record(
        &self,
        id: UsageId,
        amendment: &Amendment,
    ) -> Result<Option<(UsageRecord, UsageRecord)>, StoreError> {
        let amendment = amendment.clone();
        self.write(SMALL_WRITE_BYTES, move |tx| amend::amend(tx, id, &amendment)).await
    }

    async fn delete_record(&self, id: UsageId) -> Result<Option<UsageRecord>, StoreError> {
        self.write(SMALL_WRITE_BYTES, move |tx| amend::delete(tx, id)).await
    }

    async fn recost(&self, costings: Vec<(UsageId, Costing)>) -> Result<u64, StoreError> {
        self.write(costings.len() * SMALL_WRITE_BYTES, move |tx| recost::recost(tx, costings)).await
    }

    async fn purge_projects(&self, projects: &[ProjectId]) -> Result<u64, StoreError> {
        let projects = projects.to_vec();
        self.write(SMALL_WRITE_BYTES, move |tx| amend::purge(tx, &projects)).await
    }

    async fn trim_records(
        &self,
        project: Option<ProjectId>,
        before: Timestamp,
        limit: usize,
    ) -> Result<u64, StoreError> {
        self.write(SMALL_WRITE_BYTES, move |tx| sealed::trim(tx, project, before, limit)).await
    }

    async fn erase_contents(
        &self,
        project: Option<ProjectId>,
        period: Interval,
        limit: usize,
    ) -> Result<Trimmed, StoreError> {
        // What is looked for does not hold up those who write.
        let contents = self.read(move |tx| sealed::list_contents(tx, project, period, limit)).await?;
        if contents.is_empty() {
            return Ok(Trimmed::default());
        }
        self.write(SMALL_WRITE_BYTES, move |tx| sealed::erase_contents(tx.connection, &contents)).await
    }

    async fn records_from(&self, filter: &Filter) -> Result<Option<Timestamp>, StoreError> {
        let filter = filter.clone();
        self.read(move |tx| sealed::records_from(tx, &filter)).await
    }

    async fn aggregate_each(&self, queries: &[UsageQuery]) -> Result<Vec<Vec<Group>>, StoreError> {
        let queries = queries.to_vec();
        self.read(move |tx| aggregate::aggregate(tx, &queries)).await
    }

    async fn aggregate(&self, query: &UsageQuery) -> Result<Vec<Group>, StoreError> {
        Ok(self.aggregate_each(std::slice::from_ref(query)).await?.pop().unwrap_or_default())
    }

    async fn latency_percentiles(&self, filter: &Filter) -> Result<LatencyPercentiles, StoreError> {
        let filter = filter.clone();
        self.read(move |tx| latency::percentiles(tx, &filter)).await
    }

    async fn durations(&self, query: &UsageQuery) -> Result<Vec<DurationGroup>, StoreError> {
        let query = query.clone();
        self.read(move |tx| latency::durations(tx, &query)).await
    }

    async fn verify(&self) -> Result<Verification, StoreError> {
        self.read(|tx| verify::verify(tx.connection)).await
    }

    async fn rebuild(&self) -> Result<(), StoreError> {
        self.write(SMALL_WRITE_BYTES, |tx| rollup::rebuild(tx.connection)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.read(|tx| Ok(tx.connection.query_row("select 1 from sqlite_schema limit 1", [], |_| Ok(()))?))
            .await
    }
}
