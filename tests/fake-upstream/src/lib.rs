//! Providers of models on loopback: their shapes over real TCP, their faults on demand, and what they would bill.
//!
//! Everything is a function of the request: the same request gets the same bytes, ids included. A call made directly and
//! one made through a gateway can be compared byte for byte, also when the gateway asked for the usage of a stream.
//! The header `x-fake-salt` gives another call with the same body other ids; [`Settings::makes_ids_unique`] each call.
//!
//! **What is counted.** Input is the words of all input text (split at white space) and [`INPUT_TOKENS_BASE`] more; output is
//! the words of the answer. The answer is [`ANSWER_WORDS`] words, fewer if the request allows fewer tokens. The header
//! `x-fake-usage: input=…,output=…,cached=…,written=…,written-1h=…,reasoning=…,thoughts=…` asks for exact counts, in the
//! provider's own terms (Anthropic's and Bedrock's `input` leaves out the cache, `OpenAI`'s has it inside).
//!
//! **How it behaves** is asked for by the header `x-fake`, a list with commas; see [`Behaviour`].
//!
//! In a test: [`FakeUpstream::start`]. As a process: `fake-upstream --port 0`, whose first line says where it listens, with
//! `GET /_fake/requests`, `GET /_fake/ledger`, `POST /_fake/reset` and `POST /_fake/release`.
#![expect(clippy::unwrap_used, reason = "test support: what cannot fail here should end the test if it does")]

mod answer;
mod anthropic;
mod auth;
mod bedrock;
mod behaviour;
mod body;
mod call;
mod failure;
mod google;
mod openai;
mod plan;
mod record;
mod route;
mod serve;
mod upstream;

pub use bedrock::{event_stream, sigv4};
pub use behaviour::Behaviour;
pub use plan::{ANSWER_WORDS, INPUT_TOKENS_BASE};
pub use record::{Billed, Request, Usage};
pub use upstream::{FakeUpstream, Settings};

/// What is accepted as bearer token, `x-api-key`, `api-key`, `x-goog-api-key` and `?key=`.
pub const KEY: &str = "sk-upstream";
/// The access key that Bedrock's signatures are checked against; AWS's own example.
pub const AWS_ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
/// Its secret; AWS's own example.
pub const AWS_SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
