//! The contract for taking a person out of the records.

use async_trait::async_trait;

use crate::StoreError;

/// Somebody whose address is in records: as the sender's own user, as the sender's customer, or both. In lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Address under which records name them as user.
    pub user_email: Option<String>,
    /// Address under which records name them as customer.
    pub customer_email: Option<String>,
}

impl Person {
    /// Their addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        [&self.user_email, &self.customer_email].into_iter().flatten().map(String::as_str)
    }
}

/// How much there is of a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErasureCount {
    /// Records that name them.
    pub records: u64,
    /// Prompts and completions of these.
    pub contents: u64,
    /// Conversations of these.
    pub sessions: u64,
    /// Traces of these.
    pub traces: u64,
    /// Events that contain the address.
    pub events: u64,
}

/// Takes people out. Costs, tokens and sums stay as they are.
#[async_trait]
pub trait ErasureStore: Send + Sync {
    /// How much there is of a person; nothing is changed.
    async fn count_person(&self, person: &Person) -> Result<ErasureCount, StoreError>;

    /// Erases prompts, completions, sessions, traces, error messages and metadata of the person's records, and puts
    /// `pseudonym` where their address was, in records and events. Can be done again after a crash.
    async fn erase_person(&self, person: &Person, pseudonym: &str) -> Result<(), StoreError>;

    /// Leaves nothing of what was deleted in the files of the store; `false` if that has to wait for somebody who reads.
    async fn forget_deleted(&self) -> Result<bool, StoreError>;
}
