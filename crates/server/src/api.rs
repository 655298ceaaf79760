//! The HTTP routes, one resource a file: its handlers, what they take and what they answer.

pub mod alerts;
pub mod analytics;
pub mod anomalies;
pub mod audit;
pub mod budgets;
pub mod docs;
pub mod exports;
pub mod health;
pub mod members;
pub mod notifications;
pub mod prices;
pub mod profile;
pub mod projects;
pub mod provider_keys;
pub mod session;
pub mod setup;
pub mod tracker_keys;
pub mod usage;
pub mod usage_bulk;
pub mod usage_correction;
pub mod usage_query;
pub mod usage_view;
pub mod webhooks;
