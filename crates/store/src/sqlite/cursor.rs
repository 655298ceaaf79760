//! Where a page of a list in the order of time ends.

use crate::StoreError;

/// A record's place in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cursor {
    pub(super) occurred_at_ms: i64,
    pub(super) seq: i64,
}

impl Cursor {
    /// The opaque text for callers.
    pub(super) fn to_text(self) -> String {
        format!("{:016x}{:016x}", self.occurred_at_ms, self.seq)
    }

    /// The cursor of [`Self::to_text`].
    pub(super) fn parse(text: &str) -> Result<Self, StoreError> {
        let (occurred_at, seq) = text.split_at_checked(16).ok_or(StoreError::BadCursor)?;
        Ok(Self { occurred_at_ms: parse_part(occurred_at)?, seq: parse_part(seq)? })
    }
}

fn parse_part(digits: &str) -> Result<i64, StoreError> {
    let is_hex = digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = if is_hex { u64::from_str_radix(digits, 16).ok() } else { None };
    number.map(u64::cast_signed).ok_or(StoreError::BadCursor)
}
