//! One call to a provider: what is seen of it → the record that the tracker gets.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use pricing::Money;
use serde_json::{Value, json};

use crate::{
    clock::Clock,
    record::{Attribution, UsageRecord},
    reply::{Reply, prompt_of},
    target::Target,
};

/// Whether texts go to the tracker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SendTexts {
    /// Never: calls whose tokens nobody counted stay unknown.
    Never,
    /// Only of calls whose tokens nobody counted, to estimate them.
    #[default]
    Uncounted,
    /// Always.
    Always,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself.
    Whole,
    /// The caller left.
    Left,
    /// The provider broke off.
    Cut,
    /// The caller gave up before the provider answered.
    Aborted,
    /// The provider could not be reached.
    Unreachable,
}

/// Takes the record of a call.
pub(crate) type Sink = Arc<dyn Fn(UsageRecord) + Send + Sync>;

/// What every call of a client is recorded with.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) send_texts: SendTexts,
    pub(crate) sink: Sink,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("send_texts", &self.send_texts).finish_non_exhaustive()
    }
}

/// Kinds of calls that are charged by the tokens of their texts.
const WITH_TEXT: &[&str] = &["chat", "text_completion", "generate_content", "invoke_model", "embeddings"];
/// After these, nothing of a reply comes.
const LAST_EVENTS: &[&str] =
    &["message_stop", "response.completed", "response.incomplete", "response.failed"];
const ERROR_CHARS_MAX: usize = 1000;

/// A call under way.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) reply: Reply,
    target: Target,
    request: Value,
    attribution: Attribution,
    context: Context,
    started_at: Timestamp,
    started: Duration,
    first_piece: Option<Duration>,
    /// What the provider said inside of a stream when it failed.
    error: Option<Value>,
    is_complete: bool,
}

impl Call {
    pub(crate) fn new(target: Target, request: Value, attribution: Attribution, context: Context) -> Self {
        Self {
            reply: Reply::new(),
            target,
            request,
            attribution,
            started_at: context.clock.now(),
            started: context.clock.elapsed(),
            context,
            first_piece: None,
            error: None,
            is_complete: false,
        }
    }

    /// The first piece of a stream has come.
    pub(crate) fn begins(&mut self) {
        self.first_piece.get_or_insert_with(|| self.context.clock.elapsed());
    }

    /// Adds a whole reply, or an event of a stream; an event may say that the provider failed.
    pub(crate) fn add(&mut self, document: &Value) {
        self.reply.add(document);
        let error = Some(&document["error"]).filter(|error| error.is_object());
        let error = error.or_else(|| Some(&document["response"]["error"]).filter(|error| error.is_object()));
        if let Some(error) = error {
            self.error = Some(error.clone());
        }
        if document["type"].as_str().is_some_and(|kind| LAST_EVENTS.contains(&kind)) {
            self.is_complete = true;
        }
    }

    /// The last event of a stream has come.
    pub(crate) fn completes(&mut self) {
        self.is_complete = true;
    }

    /// Records the call. `status` is the provider's; `refusal` what it said when it refused.
    pub(crate) fn ends(self, end: End, status: Option<u16>, refusal: Option<&Value>) {
        let sink = Arc::clone(&self.context.sink);
        sink(self.into_record(end, status, refusal));
    }

    /// The record of a call that was answered before this began: how long it took is not known.
    pub(crate) fn into_told_record(mut self, status: u16, reply: &Value) -> UsageRecord {
        let is_refused = status >= 400;
        if !is_refused {
            self.add(reply);
        }
        let record = self.into_record(End::Whole, Some(status), Some(reply).filter(|_| is_refused));
        UsageRecord { response_time_ms: None, time_to_first_token_ms: None, ..record }
    }

    /// The record of a line of a batch's results; `None` if its call failed, which is not charged. What kind of call it was and
    /// how long it took is not known.
    pub(crate) fn into_batch_record(mut self, line: &Value, service: Option<String>) -> Option<UsageRecord> {
        self.add(line);
        let is_answered = self.reply.is_batched() && self.reply.is_counted();
        let record = is_answered.then(|| self.into_record(End::Whole, None, None))?;
        let (operation, response_time_ms) = (None, None);
        Some(UsageRecord { service, operation, response_time_ms, ..record })
    }

    fn into_record(self, end: End, status: Option<u16>, refusal: Option<&Value>) -> UsageRecord {
        // Clients stop reading when the last event has come; nothing was left then.
        let end = if end == End::Left && self.is_complete { End::Whole } else { end };
        let counted = self.usage(end, status);
        let (ended, clock) = (self.context.clock.elapsed(), &self.context.clock);
        let since_start = |at: Duration| u64::try_from(at.saturating_sub(self.started).as_millis()).ok();
        let Target { service, operation, model } = self.target;
        // The provider's id of the reply is the call's identity, through whichever door it is told of.
        let key = self.reply.id().map_or_else(|| clock.unique_key(), |id| format!("reply:{service}:{id}"));
        let model = model.or_else(|| self.reply.model().map(str::to_owned));
        let mut record = UsageRecord {
            service: Some(service),
            model: model.unwrap_or_else(|| "unknown".to_owned()),
            operation: Some(operation),
            service_tier: self.reply.is_batched().then(|| "batch".to_owned()),
            request_id: Some(key),
            timestamp: Some(self.started_at),
            response_time_ms: since_start(ended),
            time_to_first_token_ms: self.first_piece.and_then(since_start),
            attribution: self.attribution,
            ..counted
        };
        tell_outcome(&mut record, end, status, refusal.or(self.error.as_ref()));
        record
    }

    /// Counts, cost and texts.
    fn usage(&self, end: End, status: Option<u16>) -> UsageRecord {
        let is_counted = self.reply.is_counted();
        // Providers do not charge for what they refuse or never got, and that is known.
        if !is_counted && (status >= Some(400) || end == End::Unreachable) {
            return UsageRecord { cost: Some(Money::ZERO), ..UsageRecord::default() };
        }
        let counted = UsageRecord { usage: self.reply.digest(), ..UsageRecord::default() };
        // What is spoken is charged by the character, and only the request says how many there are.
        if !is_counted && self.target.operation == "speech" {
            let text = self.request["input"].as_str();
            let input_characters = text.and_then(|text| u64::try_from(text.chars().count()).ok());
            return UsageRecord { input_characters, ..counted };
        }
        let sends = match self.context.send_texts {
            SendTexts::Never => false,
            SendTexts::Uncounted => !is_counted,
            SendTexts::Always => true,
        };
        let text = self.reply.text();
        // A whole answer of which nothing could be read is unknown; it would be taken for an empty one.
        let is_unread = !is_counted && end == End::Whole && text.is_empty();
        if !sends || is_unread || !WITH_TEXT.contains(&self.target.operation.as_str()) {
            return counted;
        }
        UsageRecord { prompt: Some(prompt_of(&self.request)), completion: Some(text.to_owned()), ..counted }
    }
}

fn tell_outcome(record: &mut UsageRecord, end: End, status: Option<u16>, said: Option<&Value>) {
    let word = match (status, end, said) {
        (Some(status @ 400..), ..) => Some(status.to_string()),
        (_, End::Whole, Some(error)) => Some(code_of(error)),
        (_, End::Cut, _) => Some("cut".to_owned()),
        (_, End::Aborted, _) => Some("aborted".to_owned()),
        (_, End::Unreachable, _) => Some("unreachable".to_owned()),
        (_, End::Whole | End::Left, _) => None,
    };
    let message = match end {
        End::Cut => Some("the provider broke off before the end of its answer".to_owned()),
        End::Aborted => Some("the caller gave up before the provider answered".to_owned()),
        End::Unreachable => Some("the provider could not be reached".to_owned()),
        End::Whole | End::Left => None,
    };
    let is_refused = status >= Some(400);
    record.status = Some(if word.is_some() { "error" } else { "success" }.to_owned());
    record.error_message = if is_refused || end == End::Whole { said.and_then(message_of) } else { message };
    record.error_code = word;
    if end == End::Left && !is_refused {
        record.attribution.metadata.entry("clientLeft").or_insert(json!(true));
    }
}

/// What a provider calls its failure inside of a stream.
fn code_of(error: &Value) -> String {
    match [&error["code"], &error["type"]].into_iter().find(|word| word.is_string() || word.is_number()) {
        Some(Value::String(word)) => word.clone(),
        Some(number) => number.to_string(),
        None => "stream_error".to_owned(),
    }
}

/// The message in a provider's error, wherever it stands.
fn message_of(error: &Value) -> Option<String> {
    let inner = Some(&error["error"]).filter(|inner| inner.is_object()).unwrap_or(error);
    let words = [&inner["message"], &inner["Message"], inner];
    let message = words.into_iter().find_map(Value::as_str).filter(|message| !message.is_empty())?;
    Some(message.chars().take(ERROR_CHARS_MAX).collect())
}
