//! The audit log: who changed what, in a chain that shows whether an entry was altered.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::{KeyId, ProjectId, UserId};

/// SHA-256 of an entry and of the hash of the one before.
pub type ChainHash = [u8; 32];

/// What the first entry follows.
pub const GENESIS: ChainHash = [0; 32];

/// A change, and who made it. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Who; `None` where nobody was logged in.
    pub actor: Option<UserId>,
    /// E-mail address of the actor at that time; it outlives the account.
    pub actor_email: Option<String>,
    /// The tracker key they came with, if with one.
    pub key_id: Option<KeyId>,
    /// Where they came from.
    pub address: Option<String>,
    /// What they did: method and route, e.g. `PUT /api/projects/{projectId}`.
    pub action: String,
    /// What they did it to: the path.
    pub target: String,
    /// The project that it was about, if it was about one.
    pub project_id: Option<ProjectId>,
    /// What it was like before, a JSON text.
    pub before: Option<String>,
    /// What it was like afterwards, a JSON text.
    pub after: Option<String>,
}

/// A change in its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counts the entries, from 1.
    pub number: u64,
    /// The change.
    pub change: Change,
    /// The hash of the chain up to here.
    pub hash: ChainHash,
}

impl Change {
    /// The entry that this change is as number `number`, after one with the hash `previous`.
    pub fn follow(self, previous: &ChainHash, number: u64) -> Entry {
        let hash = self.hash(previous, number);
        Entry { number, change: self, hash }
    }

    /// SHA-256 over the previous hash, the number, and every field with its length, so that no two entries read alike.
    pub fn hash(&self, previous: &ChainHash, number: u64) -> ChainHash {
        let at = self.at.as_millisecond().to_be_bytes();
        let optional = |text: &Option<String>| text.as_ref().map(|text| text.as_bytes().to_vec());
        let fields: [Option<Vec<u8>>; 10] = [
            Some(at.to_vec()),
            self.actor.map(|id| id.bytes().to_vec()),
            optional(&self.actor_email),
            self.key_id.map(|id| id.bytes().to_vec()),
            optional(&self.address),
            Some(self.action.as_bytes().to_vec()),
            Some(self.target.as_bytes().to_vec()),
            self.project_id.map(|id| id.bytes().to_vec()),
            optional(&self.before),
            optional(&self.after),
        ];
        let mut hash = Sha256::new();
        hash.update(previous);
        hash.update(number.to_be_bytes());
        for field in fields {
            match field {
                None => hash.update([0]),
                Some(bytes) => {
                    hash.update([1]);
                    hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
                    hash.update(&bytes);
                }
            }
        }
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change() -> Change {
        Change {
            at: "2024-02-10T12:00:00Z".parse().unwrap(),
            actor: None,
            actor_email: None,
            key_id: None,
            address: None,
            action: "POST /a".to_owned(),
            target: "/a".to_owned(),
            project_id: None,
            before: None,
            after: None,
        }
    }

    #[test]
    fn every_field_counts_and_so_does_its_place() {
        let text = |text: &str| Some(text.to_owned());
        let changes = [
            change(),
            Change { at: "2024-02-10T12:00:00.001Z".parse().unwrap(), ..change() },
            Change { actor: Some(UserId::from_bytes([1; 12])), ..change() },
            Change { actor_email: text("a"), ..change() },
            Change { key_id: Some(KeyId::from_bytes([1; 12])), ..change() },
            Change { address: text("a"), ..change() },
            Change { action: "POST /".to_owned(), target: "a/a".to_owned(), ..change() },
            Change { project_id: Some(ProjectId::from_bytes([1; 12])), ..change() },
            Change { before: text(""), ..change() },
            Change { after: text(""), ..change() },
        ];
        let hashes = changes.iter().flat_map(|change| {
            [change.hash(&GENESIS, 1), change.hash(&GENESIS, 2), change.hash(&[1; 32], 1)]
        });
        assert_eq!(hashes.collect::<std::collections::BTreeSet<_>>().len(), 3 * changes.len());
    }
}
