//! Replies in the shapes that providers send, and what is metered of them.
//!
//! `fixtures/<provider>/` has the replies, and an `expected.txt` with what each says, reasoned from the provider's
//! documentation.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod fixture;
mod properties;
mod table;
