//! Every record that a filter lets through, page by page, with bounded memory.

use std::sync::Arc;

use domain::{
    query::{Filter, PageStart, RecordQuery, RecordSort},
    usage_record::UsageRecord,
};
use store::{StoreError, UsageStore};

/// Records that are read at once.
const PAGE_RECORDS: usize = 1_000;

/// Records in the order of time, oldest first.
#[derive(Debug)]
pub struct Pages {
    store: Arc<dyn UsageStore>,
    filter: Filter,
    next: Option<PageStart>,
}

impl Pages {
    /// Every record that `filter` lets through.
    pub fn new(store: Arc<dyn UsageStore>, filter: Filter) -> Self {
        Self { store, filter, next: Some(PageStart::Offset(0)) }
    }

    /// The next page; `None` after the last. A record that is added meanwhile may be on a later page; none is twice.
    pub async fn next_page(&mut self) -> Result<Option<Vec<UsageRecord>>, StoreError> {
        let Some(start) = self.next.take() else { return Ok(None) };
        let query = RecordQuery {
            filter: self.filter.clone(),
            sort: RecordSort::Timestamp,
            descending: false,
            start,
            limit: PAGE_RECORDS,
            count: false,
        };
        let page = self.store.list_records(&query).await?;
        self.next = page.next_cursor.map(PageStart::Cursor);
        Ok(Some(page.records))
    }
}
