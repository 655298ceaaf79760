//! The client against the real server and the fake providers, each a process of its own.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod api;
mod metering;
mod programs;
mod proxy;
mod resilience;
mod servers;
