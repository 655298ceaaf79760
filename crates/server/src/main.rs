//! `ai-cost-tracker`: one binary, one data folder.

use std::process::ExitCode;

/// See its line in `Cargo.toml`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    server::cli::main().await
}
