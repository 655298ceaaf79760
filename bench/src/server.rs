//! The server that is measured.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A running server, and a key for it. Stopped when the last clone goes.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    client: reqwest::Client,
    url: String,
    key: String,
    pub(crate) project: String,
    _process: Arc<Process>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    _data: TempDir,
}

impl Server {
    /// Starts `binary` over an empty store and makes an account, a key and a project.
    pub(crate) async fn start(binary: &str) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let mut child = Command::new(binary)
            .args(["serve", "--port", "0", "--data-dir"])
            .arg(data.path())
            // One client sends more than one client may.
            .args(["--setting", "limits.requests_per_minute_credential=0"])
            .args(["--setting", "limits.requests_per_minute_address=0"])
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{binary} cannot be started"))?;
        let log = child.stderr.take().context("the server has no log")?;
        let mut lines = BufReader::new(log).lines();
        let url = loop {
            let line = lines.next().context("the server ended before it listened")??;
            if let Some((_, url)) = line.split_once("listening on ") {
                break url.trim().to_owned();
            }
        };
        // A server whose log nobody takes would block.
        std::thread::spawn(move || lines.for_each(drop));
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().timeout(Duration::from_mins(10)).build()?;
        let process = Arc::new(Process { child, _data: data });
        let mut server = Self { client, url, key: String::new(), project: String::new(), _process: process };
        let owner =
            json!({ "email": "bench@example.com", "password": "a password to measure", "name": "Bench" });
        server.key = server.text("/api/auth/register", &owner, "accessToken").await?;
        let key = json!({ "name": "bench", "scopes": ["admin"] });
        server.key = server.text("/api/user/dashboard-api-keys", &key, "apiKey").await?;
        server.project = server.text("/api/projects", &json!({ "name": "Bench" }), "id").await?;
        Ok(server)
    }

    pub(crate) fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.key)
    }

    pub(crate) fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}{path}", self.url)).bearer_auth(&self.key)
    }

    async fn text(&self, path: &str, body: &Value, field: &str) -> anyhow::Result<String> {
        let answer: Value = self.post(path).json(body).send().await?.json().await?;
        let value = answer["data"][field].as_str().with_context(|| format!("{path} answered {answer}"))?;
        Ok(value.to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
