//! The programs in `examples/rust`, as they are.

use std::{
    os::unix::process::ExitStatusExt as _,
    process::{Command, Stdio},
    sync::{Arc, OnceLock},
};

use crate::{
    proxy,
    servers::{Fake, Server, built},
};

/// The program, with a tracker at this address.
fn program(name: &str, server: &Server, tracker: &str, provider: &str) -> Command {
    let mut program = Command::new(built("examples").join(name));
    program.env_clear().env("API_KEY", format!("{tracker}/api")).env("AICT_API_KEY", &server.key);
    program.env("PROJECT_ID", &server.project).env("OPENAI_API_KEY", fake_upstream::KEY);
    program.env("OPENAI_BASE_URL", provider);
    program
}

fn run(name: &str, server: &Server, provider: &str) -> String {
    let output = program(name, server, &server.url(), provider).output().unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_killed_while_a_batch_is_under_way_has_told_of_it_once() {
    let (server, fake) = (Server::start().await, Fake::start());
    let (id, url): (Arc<OnceLock<u32>>, _) = (Arc::default(), server.url());
    let killed = Arc::clone(&id);
    let proxy = proxy::start(move |_, way| {
        let answer = way.pass(&url);
        let id = killed.wait().to_string();
        Command::new("kill").args(["-9", &id]).status().unwrap();
        answer.filter(|_| false)
    });
    let provider = format!("{}/v1", fake.url());
    let mut child = program("observe", &server, &proxy, &provider).stdout(Stdio::null()).spawn().unwrap();
    id.set(child.id()).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    assert_eq!(server.records().await.len(), 1);
    // Run again, it makes another call.
    run("observe", &server, &provider);
    assert_eq!(server.records().await.len(), 2);
}
