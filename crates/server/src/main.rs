//! `ai-cost-tracker`: one binary, one data folder.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    server::cli::main().await
}
