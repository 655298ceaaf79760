//! The gateway against a fake provider over real TCP.

mod batches;
mod budgets;
mod doors;
mod durability;
mod faults;
mod passing;
mod streams;
mod tls;
mod told_twice;
mod world;
