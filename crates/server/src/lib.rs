//! The server of AI Cost Tracker: everything that listens or calls out.
//!
//! Start at [`router`], which lists every route; a route's handler, what it takes and what it answers are in one file of
//! [`api`]. All usage comes in through [`ingest`].

pub mod analytics;
pub mod anomalies;
pub mod api;
pub mod app;
pub mod audit;
pub mod auth;
pub mod budgets;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dashboard;
pub mod demo;
pub mod digest;
pub mod docs_page;
pub mod error;
pub mod export;
pub mod gateway;
pub mod http;
pub mod import;
pub mod ingest;
pub mod input;
pub mod ledger;
pub mod limits;
pub mod lines;
pub mod live;
pub mod notify;
pub mod otlp;
pub mod pages;
pub mod price_book;
pub mod rate_limit;
pub mod reply;
pub mod reprice;
pub mod retention;
pub mod router;
pub mod serve;
pub mod telemetry;
pub mod token_estimate;
pub mod track;
pub mod unpriced;
pub mod vault;
pub mod watch;
