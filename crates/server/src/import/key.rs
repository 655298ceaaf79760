//! Keys of rows that have none, so that a row is recorded once however often its file is imported.

use std::collections::{HashMap, HashSet};

use super::{
    limits,
    row::{Digest, Row, text_value},
};

/// Names under which a row brings its own key.
const OWN: [&str; 3] = ["requestId", "idempotencyKey", "request_id"];

/// How often each row occurred in a file.
#[derive(Debug, Default)]
pub(super) struct Occurrences {
    seen: HashSet<Digest>,
    /// Only of rows that occurred again, which are few.
    repeated: HashMap<Digest, u64>,
}

/// There are more rows without a key than are told apart.
#[derive(Debug, thiserror::Error)]
#[error(
    "the file has more than {} rows without a key; name a column that tells them apart with --map requestId=COLUMN, or split it",
    limits::KEYLESS_ROWS_MAX
)]
pub(super) struct TooManyRows;

impl Occurrences {
    /// Gives the row a key of what is in it, and of which of the equal rows in its file it is.
    pub(super) fn give_key(&mut self, row: &mut Row) -> Result<(), TooManyRows> {
        if OWN.iter().any(|name| row.has(name)) {
            return Ok(());
        }
        let digest = row.digest();
        let ordinal = self.count(digest)?;
        let digits = u128::from_be_bytes(digest);
        row.insert("requestId".to_owned(), text_value(&format!("import:{digits:032x}#{ordinal}")));
        Ok(())
    }

    fn count(&mut self, digest: Digest) -> Result<u64, TooManyRows> {
        if self.seen.len() >= limits::KEYLESS_ROWS_MAX {
            return Err(TooManyRows);
        }
        if self.seen.insert(digest) {
            return Ok(1);
        }
        let count = self.repeated.entry(digest).or_insert(1);
        *count += 1;
        Ok(*count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(occurrences: &mut Occurrences, row: &str) -> String {
        let mut row: Row = serde_json::from_str(row).unwrap();
        occurrences.give_key(&mut row).unwrap();
        let json: serde_json::Value = serde_json::from_str(&row.to_json()).unwrap();
        json["requestId"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn equal_rows_are_numbered_whatever_stands_between_them() {
        let (a, b) = (r#"{"model":"a"}"#, r#"{"model":"b"}"#);
        let keys = |rows: &[&str]| {
            let mut occurrences = Occurrences::default();
            let mut keys: Vec<String> = rows.iter().map(|row| key(&mut occurrences, row)).collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(&[a, b, a, a]), keys(&[a, a, a, b]));
        assert_eq!(keys(&[a, b]).len(), 2);
        assert!(keys(&[a, a])[1].ends_with("#2"), "{:?}", keys(&[a, a]));
    }

    #[test]
    fn a_key_never_changes_between_versions() {
        let key = key(&mut Occurrences::default(), r#"{"model":"gpt-4","promptTokens":"25"}"#);
        assert_eq!(key, "import:f1fa955cd474f41e67685bd74f8b8b9b#1");
    }

    #[test]
    fn a_row_keeps_its_own_key() {
        assert_eq!(key(&mut Occurrences::default(), r#"{"requestId":"mine"}"#), "mine");
        assert!(key(&mut Occurrences::default(), r#"{"requestId":""}"#).starts_with("import:"));
    }
}
