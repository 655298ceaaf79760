//! The programs in `examples/rust`, as they are.

use std::process::Command;

use crate::servers::{Fake, Server, built};

fn run(name: &str, server: &Server, provider: &str) -> String {
    let output = Command::new(built("examples").join(name))
        .env_clear()
        .env("API_KEY", format!("{}/api", server.url()))
        .env("AICT_API_KEY", &server.key)
        .env("PROJECT_ID", &server.project)
        .env("OPENAI_API_KEY", fake_upstream::KEY)
        .env("OPENAI_BASE_URL", provider)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn observe_meters_a_stream_and_asks_what_it_cost() {
    let (server, fake) = (Server::start().await, Fake::start());
    let said = run("observe", &server, &format!("{}/v1", fake.url()));
    assert!(said.contains("data: [DONE]") && said.contains("records sent: 1\n"), "{said}");
    let record = &server.records().await[0];
    assert!(said.contains(&format!("total cost: {}\n", record["cost"])), "{said}: {record}");
    assert_eq!((&record["tags"][0], &record["costAllocation"]["team"]), (&"example".into(), &"docs".into()));
}

#[tokio::test]
async fn import_can_be_run_again() {
    let server = Server::start().await;
    // 0.002 is reported; 1000 × 0.15 + 500 × 0.60 millionths of a dollar are computed.
    assert_eq!(run("import", &server, ""), "imported: 2 known before: 0\ntotal cost: 0.00245\n");
    assert_eq!(run("import", &server, ""), "imported: 0 known before: 2\ntotal cost: 0.00245\n");
}
