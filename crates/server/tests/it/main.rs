//! The server as its users meet it. One file for each part; `harness` has a whole server in this process, `process` the
//! real binary.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod access;
mod alerts;
mod analytics;
mod annotations;
mod anomalies;
mod audit;
mod auth;
mod budgets;
mod bulk;
mod cli;
mod crash;
mod dashboard;
mod demo;
mod digest;
mod docs;
mod exports;
mod gateway;
mod harness;
mod hostile;
mod import;
mod katana;
mod keys;
mod listener;
mod live;
mod operations;
mod otlp;
mod otlp_agents;
mod prices;
mod privacy;
mod process;
mod projects;
mod receiver;
mod tidy;
mod usage;
mod usage_counts;
mod webhooks;
