//! The tracker and the fake providers as processes. `TRACKER` and `FAKE_UPSTREAM` name other binaries than those of this build.

use std::{
    env,
    io::{BufRead as _, BufReader, Read},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use ai_cost_tracker_client::{Builder, QueueOptions, Tracker};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What cargo has built beside this test: `target/debug/deps/it-…` → `target/debug/`.
pub(crate) fn built(name: &str) -> PathBuf {
    env::current_exe().unwrap().ancestors().nth(2).unwrap().join(name)
}

fn binary(variable: &str, name: &str) -> PathBuf {
    let path = env::var_os(variable).map_or_else(|| built(name), PathBuf::from);
    assert!(
        path.exists(),
        "{} is not there: cargo build -p ai-cost-tracker -p fake-upstream",
        path.display()
    );
    path
}

/// A process that ends with the test, however that ends.
struct Process {
    child: Child,
    keeper: Option<Child>,
    url: String,
}

impl Process {
    /// Starts it, and waits until it says where it listens.
    fn start(mut command: Command, says_on_stderr: bool) -> Self {
        let child = if says_on_stderr {
            command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
        } else {
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
        };
        // From here on a panic ends it, too.
        let mut process = Self { child, keeper: None, url: String::new() };
        process.keeper = Some(keeper_of(&process.child));
        let said: Box<dyn Read + Send> = if says_on_stderr {
            Box::new(process.child.stderr.take().unwrap())
        } else {
            Box::new(process.child.stdout.take().unwrap())
        };
        let mut lines = BufReader::new(said).lines();
        process.url = lines
            .by_ref()
            .find_map(|line| {
                Some(line.unwrap().split_once("listening on ")?.1.split_whitespace().next()?.to_owned())
            })
            .expect("it ended before it listened");
        // A process whose log nobody takes would block.
        thread::spawn(move || lines.for_each(drop));
        process
    }

    fn stop(&mut self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        self.child.wait().unwrap();
    }
}

/// Waits for the end of its input, which comes when this process ends, be it by SIGKILL, and kills `child` then.
fn keeper_of(child: &Child) -> Child {
    let mut shell = Command::new("sh");
    shell.args(["-c", r#"read -r _; kill -9 "$0""#, &child.id().to_string()]);
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

impl Drop for Process {
    fn drop(&mut self) {
        // First the keeper: it must not kill who has the number next.
        for process in self.keeper.iter_mut().chain([&mut self.child]) {
            drop(process.kill());
            drop(process.wait());
        }
    }
}

#[test]
fn a_server_ends_with_the_process_that_started_it() {
    let Fake(mut process) = Fake::start();
    // As when this process ends: the system closes what it had open.
    drop(process.keeper.as_mut().unwrap().stdin.take());
    assert_eq!(process.child.wait().unwrap().signal(), Some(9));
}

/// The fake providers.
pub(crate) struct Fake(Process);

impl Fake {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(binary("FAKE_UPSTREAM", "fake-upstream"));
        command.args(["--port", "0", "--unique-ids"]);
        Self(Process::start(command, false))
    }

    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }
}

/// The tracker over a store of its own, with an owner, a project and a tracker key.
pub(crate) struct Server {
    process: Process,
    data: TempDir,
    http: reqwest::Client,
    token: String,
    pub(crate) project: String,
    pub(crate) key: String,
}

fn serve(data: &Path, port: &str) -> Process {
    let mut command = Command::new(binary("TRACKER", "ai-cost-tracker"));
    command.env_clear().current_dir(data).args(["--data-dir", data.to_str().unwrap()]);
    command.args(["--setting", "auth.argon2.memory_kib=8", "--setting", "auth.argon2.iterations=1"]);
    command.args(["serve", "--port", port]);
    Process::start(command, true)
}

impl Server {
    pub(crate) async fn start() -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let data = TempDir::new().unwrap();
        let process = serve(data.path(), "0");
        let http = reqwest::Client::builder().build().unwrap();
        let (token, project, key) = Default::default();
        let mut server = Self { process, data, http, token, project, key };
        let owner = json!({ "email": "owner@example.com", "password": "correct horse", "name": "Owner" });
        server.token = text(&server.post("/api/auth/register", &owner).await["accessToken"]);
        let budget = json!({ "amount": 100, "currency": "USD", "period": "monthly" });
        server.project =
            text(&server.post("/api/projects", &json!({ "name": "SDK", "budget": budget })).await["id"]);
        let key = json!({ "name": "sdk", "scopes": ["admin", "ingest"] });
        server.key = text(&server.post("/api/user/dashboard-api-keys", &key).await["apiKey"]);
        server
    }

    pub(crate) fn url(&self) -> String {
        self.process.url.clone()
    }

    /// A client of it, in the making. It gives a debug build that makes its tokenizer the time.
    pub(crate) fn client(&self) -> Builder {
        let base_url = format!("{}/api", self.url());
        let queue = QueueOptions { close_timeout: Duration::from_mins(1), ..QueueOptions::default() };
        let client = Tracker::builder().base_url(base_url).api_key(&self.key).project_id(&self.project);
        client.timeout(Duration::from_mins(1)).queue(queue)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        self.answer(self.http.post(format!("{}{path}", self.url())).json(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.answer(self.http.get(format!("{}{path}", self.url()))).await
    }

    async fn answer(&self, mut request: reqwest::RequestBuilder) -> Value {
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let answer: Value = response.json().await.unwrap();
        assert!(status.is_success(), "{status}: {answer}");
        answer["data"].clone()
    }

    /// Every record.
    pub(crate) async fn records(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for page in 1.. {
            let records = self.get(&format!("/api/usage?limit=100&page={page}")).await;
            let records = records.as_array().unwrap();
            all.extend(records.iter().cloned());
            if records.len() < 100 {
                break;
            }
        }
        all
    }

    /// `kill -9`, or an end in order; and the same server again, over the same store and at the same address.
    pub(crate) fn restart(&mut self, signal: &str) {
        self.process.stop(signal);
        let port = self.process.url.rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
        self.process = serve(self.data.path(), &port);
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
