//! The gateway against a fake provider over real TCP.

mod budgets;
mod doors;
mod durability;
mod faults;
mod passing;
mod streams;
mod world;
