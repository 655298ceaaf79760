//! What a client is told, and what it takes from the environment.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    Tracker,
    call::{Context, SendTexts},
    clock::{Clock, SystemClock},
    error::TrackerError,
    http::Api,
    queue::QueueOptions,
    sender::{Line, OnProblem, Sender},
};

const DEFAULT_BASE_URL: &str = "http://localhost:8000/api";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client in the making.
#[must_use]
pub struct Builder {
    base_url: String,
    api_key: Option<String>,
    project_id: Option<String>,
    track_usage: bool,
    send_texts: SendTexts,
    timeout: Duration,
    queue: QueueOptions,
    on_problem: OnProblem,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the key.
        f.debug_struct("Builder").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            base_url: DEFAULT_BASE_URL.to_owned(),
            api_key: None,
            project_id: None,
            track_usage: true,
            send_texts: SendTexts::default(),
            timeout: DEFAULT_TIMEOUT,
            queue: QueueOptions::default(),
            on_problem: Box::new(|problem| tracing::warn!("{problem}")),
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl Builder {
    /// As the environment says: `API_KEY` is the tracker's address, as the integration guide has it (a key there is taken for a
    /// key), `AICT_API_KEY` a tracker key, `PROJECT_ID` the project of calls that name none.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment, when it is asked to"
    )]
    pub fn from_env() -> Self {
        Self::from(|name| std::env::var(name).ok())
    }

    fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let said = variable("API_KEY");
        let is_address = |said: &String| said.starts_with("http://") || said.starts_with("https://");
        let key = variable("AICT_API_KEY").or_else(|| said.clone().filter(|said| said.starts_with("aict_")));
        let base_url = said.filter(is_address).unwrap_or_else(|| DEFAULT_BASE_URL.to_owned());
        Self { base_url, api_key: key, project_id: variable("PROJECT_ID"), ..Self::default() }
    }

    /// The tracker's address: `http://localhost:8000/api`.
    pub fn base_url(self, base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), ..self }
    }

    /// A tracker key.
    pub fn api_key(self, key: impl Into<String>) -> Self {
        Self { api_key: Some(key.into()), ..self }
    }

    /// Project of calls that name none.
    pub fn project_id(self, id: impl Into<String>) -> Self {
        Self { project_id: Some(id.into()), ..self }
    }

    /// Whether calls are told to the tracker; `true` unless told otherwise. Questions are asked in any case.
    pub fn track_usage(self, track_usage: bool) -> Self {
        Self { track_usage, ..self }
    }

    /// Whether texts go to the tracker.
    pub fn send_texts(self, send_texts: SendTexts) -> Self {
        Self { send_texts, ..self }
    }

    /// How long the tracker may take to answer; 10 seconds unless told otherwise.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Bounds of the queue.
    pub fn queue(self, queue: QueueOptions) -> Self {
        Self { queue, ..self }
    }

    /// Hears once that records are lost and why, and at the end how many; a warning of `tracing` unless told otherwise.
    pub fn on_problem(self, on_problem: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { on_problem: Box::new(on_problem), ..self }
    }

    /// Instead of the system's time and chance.
    pub fn clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Starts the thread that sends.
    pub fn build(self) -> Result<Tracker, TrackerError> {
        let Self { clock, send_texts, .. } = self;
        let api = Api::new(&self.base_url, self.api_key.as_deref(), self.timeout, Arc::clone(&clock))?;
        let sender = Sender::start(Line::new(api, Arc::clone(&clock), self.queue, self.on_problem))?;
        let line = Arc::clone(&sender.line);
        let sink: crate::call::Sink = Arc::new(move |record| line.push(&record));
        let context = Context { clock, send_texts, sink };
        Ok(Tracker::new(sender, context, self.project_id, self.track_usage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(variables: &[(&str, &str)]) -> (String, Option<String>, Option<String>) {
        let find = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let Builder { base_url, api_key, project_id, .. } = Builder::from(find);
        (base_url, api_key, project_id)
    }

    fn told(
        base_url: &str,
        key: Option<&str>,
        project: Option<&str>,
    ) -> (String, Option<String>, Option<String>) {
        (base_url.to_owned(), key.map(str::to_owned), project.map(str::to_owned))
    }

    #[test]
    fn the_guides_variables_are_read() {
        assert_eq!(built(&[]), told(DEFAULT_BASE_URL, None, None));
        let guide = [("API_KEY", "http://tracker:1/api"), ("AICT_API_KEY", "aict_1"), ("PROJECT_ID", "p")];
        assert_eq!(built(&guide), told("http://tracker:1/api", Some("aict_1"), Some("p")));
        assert_eq!(built(&[("API_KEY", "aict_2")]), told(DEFAULT_BASE_URL, Some("aict_2"), None));
        assert_eq!(built(&[("API_KEY", "sk-other")]), told(DEFAULT_BASE_URL, None, None));
    }

    #[test]
    fn what_cannot_be_used_is_said_by_its_name() {
        let error = Builder::default().base_url("localhost").build().unwrap_err();
        assert!(error.to_string().starts_with("API_KEY: "), "{error}");
        let error = Builder::default().api_key("a\nb").build().unwrap_err();
        assert!(error.to_string().starts_with("AICT_API_KEY: "), "{error}");
    }
}
