//! `fake-upstream [--port N] [--no-records] [--unique-ids]`: the fake as a process. Its first line says where it listens.

use std::io::{self, Write as _};

use fake_upstream::{FakeUpstream, Settings};

// One thread: where two servers are compared, the fake shall not be the one that takes the cores.
#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let settings = settings(std::env::args().skip(1)).map_err(io::Error::other)?;
    let fake = FakeUpstream::start_with(settings).await?;
    let mut out = io::stdout();
    writeln!(out, "listening on {}", fake.base_url())?;
    out.flush()?;
    fake.serve().await;
    Ok(())
}

fn settings(mut arguments: impl Iterator<Item = String>) -> Result<Settings, String> {
    let mut settings = Settings::default();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--port" => {
                let port = arguments.next().and_then(|value| value.parse().ok());
                settings.port = port.ok_or("--port wants a number")?;
            }
            "--unique-ids" => settings.makes_ids_unique = true,
            "--no-records" => settings.keeps_records = false,
            _ => return Err(format!("unknown argument {argument}")),
        }
    }
    Ok(settings)
}
