//! The gateway against a fake provider over real TCP.

mod budgets;
mod doors;
mod faults;
mod passing;
mod streams;
mod world;
