//! The server as its users meet it. One file for each part of the API; `harness` has a whole server.

mod access;
mod analytics;
mod auth;
mod bulk;
mod exports;
mod harness;
mod hostile;
mod keys;
mod projects;
mod usage;
