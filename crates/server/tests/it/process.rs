//! The real binary, as a process of its own.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStderr, Command, Output, Stdio},
    thread::JoinHandle,
    time::Duration,
};

use serde_json::{Value, json};

/// A running server.
pub(crate) struct Process {
    child: Child,
    url: String,
    client: reqwest::Client,
    /// Takes the log: a server whose log nobody takes would block.
    log: Option<JoinHandle<String>>,
}

/// The binary over the data folder `data`, with settings that make it quick.
pub(crate) fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ai-cost-tracker"));
    command.current_dir(data).env_clear().args(["--data-dir", data.to_str().unwrap()]);
    command.args(["--setting", "auth.argon2.memory_kib=8", "--setting", "auth.argon2.iterations=1"]);
    command
}

/// Runs a command to its end.
pub(crate) fn run(data: &Path, args: &[&str]) -> Output {
    command(data).args(args).output().unwrap()
}

impl Process {
    /// Starts a server on a free port and waits until it listens.
    pub(crate) fn start(data: &Path) -> Self {
        Self::start_logging(data, "info")
    }

    /// The same, with a log of this level.
    pub(crate) fn start_logging(data: &Path, level: &str) -> Self {
        Self::start_with(data, &[&format!("log.level={level}")])
    }

    /// The same, with these settings (`key=value`).
    pub(crate) fn start_with(data: &Path, settings: &[&str]) -> Self {
        let mut command = command(data);
        command.args(["serve", "--port", "0"]);
        for setting in settings {
            command.args(["--setting", setting]);
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let (url, mut seen) = listening(&mut log);
        let drain = std::thread::spawn(move || {
            log.read_to_string(&mut seen).unwrap();
            seen
        });
        let client = server::http::client().timeout(Duration::from_secs(30)).build().unwrap();
        Self { child, url, client, log: Some(drain) }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the exit status.
    pub(crate) fn terminate(&mut self) -> std::process::ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    /// The log of a server that has ended.
    pub(crate) fn log(&mut self) -> String {
        self.log.take().unwrap().join().unwrap()
    }

    pub(crate) fn client(&self) -> (reqwest::Client, String) {
        (self.client.clone(), self.url.clone())
    }

    /// Registers the owner and makes a key for programs.
    pub(crate) async fn owner_key(&self) -> String {
        let registration =
            json!({ "email": "owner@example.com", "password": "correct horse", "name": "Owner" });
        let registered = self.post("/api/auth/register", "", &registration).await;
        let token = registered["data"]["accessToken"].as_str().unwrap().to_owned();
        let key = json!({ "name": "test", "scopes": ["admin"] });
        let made = self.post("/api/user/dashboard-api-keys", &token, &key).await;
        made["data"]["apiKey"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn post(&self, path: &str, credential: &str, body: &Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(credential).json(body);
        request.send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str, credential: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(credential);
        request.send().await.unwrap().text().await.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Reads the log up to the line that names the address; the address and what was read.
fn listening(log: &mut BufReader<ChildStderr>) -> (String, String) {
    let mut seen = String::new();
    loop {
        let mut line = String::new();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "the server ended before it listened: {seen}");
        seen.push_str(&line);
        if let Some((_, address)) = line.split_once("listening on ") {
            return (address.trim().to_owned(), seen);
        }
    }
}
