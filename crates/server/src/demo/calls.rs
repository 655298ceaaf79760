//! What the demo's calls were.

use domain::{
    ProjectId,
    allocation::{CostAllocation, Tags},
    ingest::NewUsage,
    usage_record::{CallError, Content, Status},
};
use pricing::{Unit, Usage};

use super::{
    briefs::{BRIEFS, Brief, FIRMS, Kind, PEOPLE, SEARCH_INDEX},
    calendar::Moment,
    dice::{Dice, SIZES, TIMES},
    models::{Model, UNKNOWN},
};

/// Calls that end in an error, of a thousand.
const ERRORS: u64 = 15;
/// Calls to models that no catalog knows, of a thousand, in projects that experiment.
const UNKNOWN_CALLS: u64 = 12;

const FAILURES: [(&str, &str); 5] = [
    ("rate_limit_exceeded", "Rate limit reached; try again in 2 s."),
    ("overloaded", "The model is overloaded. Please try again later."),
    ("context_length_exceeded", "The prompt is longer than the model's context."),
    ("server_error", "The server had an error while processing your request."),
    ("timeout", "The request timed out."),
];

/// Makes calls; remembers each project's conversation.
#[derive(Debug)]
pub(super) struct Calls {
    dice: Dice,
    projects: Vec<ProjectId>,
    threads: Vec<Thread>,
}

/// A conversation, or the run of an agent.
#[derive(Debug, Clone, Default)]
struct Thread {
    calls_left: u64,
    turn: u64,
    session: Option<String>,
    trace: Option<String>,
    person: &'static str,
    customer: Option<&'static str>,
    purpose: Option<&'static str>,
    client: Option<&'static str>,
    campaign: Option<&'static str>,
}

impl Calls {
    /// Calls of the projects with these ids, in the order of the briefs.
    pub(super) fn new(projects: Vec<ProjectId>, dice: Dice) -> Self {
        Self { dice, projects, threads: vec![Thread::default(); BRIEFS.len()] }
    }

    /// The call that was made at `moment`.
    pub(super) fn make(&mut self, moment: Moment) -> Option<NewUsage> {
        let brief = BRIEFS.get(moment.project)?;
        let project = *self.projects.get(moment.project)?;
        let thread = self.threads.get_mut(moment.project)?;
        thread.advance(brief, &mut self.dice);
        let model = pick_model(brief, moment.day, &mut self.dice)?;
        let batch = brief.kind == Kind::Batch && self.dice.chance(500);
        let failed = self.dice.chance(ERRORS);
        let usage = if failed { nothing() } else { usage(brief, &model, thread, &mut self.dice) };
        let times = (!batch).then(|| times(&model, &usage, failed, &mut self.dice));
        let error = failed.then(|| self.dice.pick(&FAILURES)).flatten();
        Some(NewUsage {
            provider: Some(model.provider.to_owned()),
            model: model.name.to_owned(),
            response_model: None,
            operation: Some(if model == SEARCH_INDEX { "embeddings" } else { "chat" }.to_owned()),
            service_tier: batch.then(|| "batch".to_owned()),
            region: None,
            search_type: None,
            usage,
            reported_cost: None,
            provider_cost: None,
            tokens_estimated: false,
            occurred_at: Some(moment.at),
            project_id: Some(project),
            status: if failed { Status::Error } else { Status::Success },
            error: error.map_or_else(CallError::default, |(code, message)| CallError {
                code: Some((*code).to_owned()),
                message: Some((*message).to_owned()),
            }),
            response_time_ms: times.map(|(whole, _)| whole),
            time_to_first_token_ms: times.and_then(|(_, first)| first),
            allocation: thread.allocation(brief),
            tags: tags(brief, &mut self.dice),
            user_email: Some(format!("{}@example.com", thread.person)),
            customer_email: thread.customer.map(|firm| format!("office@{firm}.example")),
            session_id: thread.session.clone(),
            trace_id: thread.trace.clone(),
            request_id: None,
            other_keys: Vec::new(),
            metadata: (brief.kind == Kind::Chat).then(|| format!(r#"{{"turn":{}}}"#, thread.turn)),
            content: Content::default(),
            side_calls: Vec::new(),
        })
    }
}

impl Thread {
    /// Goes on, or starts afresh.
    fn advance(&mut self, brief: &Brief, dice: &mut Dice) {
        if self.calls_left > 0 {
            self.calls_left -= 1;
            self.turn += 1;
            return;
        }
        let customers = brief.tags.contains(&"customer-facing");
        *self = Self {
            calls_left: match brief.kind {
                Kind::Chat => dice.between(0, 6),
                Kind::Agent => dice.between(2, 11),
                Kind::Single | Kind::Batch | Kind::Search => 0,
            },
            turn: 1,
            session: matches!(brief.kind, Kind::Chat).then(|| format!("session-{}", dice.hex(12))),
            trace: matches!(brief.kind, Kind::Agent | Kind::Search).then(|| dice.hex(16) + &dice.hex(16)),
            person: dice.pick(&PEOPLE).copied().unwrap_or_default(),
            customer: customers.then(|| dice.pick(&FIRMS).copied()).flatten(),
            purpose: dice.pick(brief.purposes).copied(),
            client: dice.pick(brief.clients).copied(),
            campaign: dice.pick(brief.campaigns).copied(),
        };
    }

    fn allocation(&self, brief: &Brief) -> CostAllocation {
        let text = |text: &str| Some(text.to_owned());
        CostAllocation {
            department: text(brief.department),
            team: text(brief.team),
            purpose: self.purpose.and_then(text),
            client: self.client.and_then(text),
            campaign: self.campaign.and_then(text),
            ..CostAllocation::default()
        }
    }
}

fn pick_model(brief: &Brief, day: u64, dice: &mut Dice) -> Option<Model> {
    let experiments = brief.tags.iter().any(|tag| matches!(*tag, "experiment" | "training-data" | "content"));
    if experiments && dice.chance(UNKNOWN_CALLS) {
        return dice.pick(&UNKNOWN).copied();
    }
    if brief.kind == Kind::Search && dice.chance(700) {
        return Some(SEARCH_INDEX);
    }
    dice.weighted(brief.models_on(day)).copied()
}

/// A call that was refused used nothing; that is known.
fn nothing() -> Usage {
    Usage::new().with(Unit::InputTokens, 0).with(Unit::OutputTokens, 0)
}

fn usage(brief: &Brief, model: &Model, thread: &Thread, dice: &mut Dice) -> Usage {
    let (prompt, answer) = brief.tokens;
    if *model == SEARCH_INDEX {
        return Usage::new().with(Unit::InputTokens, dice.spread(&SIZES, 420).max(1));
    }
    let fresh = dice.spread(&SIZES, prompt).max(1);
    // What was said before comes again, and most of it from the cache.
    let history = fresh * (thread.turn - 1).min(6) / 3;
    let cached = if dice.chance(850) { history * 9 / 10 } else { 0 };
    let visible = dice.spread(&SIZES, answer).max(1);
    let reasoning = dice.spread(&SIZES, visible * model.reasoning_percent / 100);
    let mut usage = Usage::new()
        .with(Unit::InputTokens, fresh + history)
        .with(Unit::OutputTokens, visible + reasoning)
        .with(Unit::CacheReadTokens, cached);
    if model.reasoning_percent > 0 {
        usage.set(Unit::ReasoningTokens, reasoning);
    }
    if model.tells_cache_writes && thread.calls_left > 0 {
        usage.set(Unit::CacheWriteTokens, fresh * 4 / 5);
    }
    usage
}

/// Milliseconds to the end, and to the first token where there are tokens to wait for.
fn times(model: &Model, usage: &Usage, failed: bool, dice: &mut Dice) -> (u64, Option<u64>) {
    let first = dice.spread(&TIMES, model.first_token_ms);
    if failed || model.hundred_tokens_ms == 0 {
        return (first, None);
    }
    let rest = usage.count(Unit::OutputTokens) * dice.spread(&TIMES, model.hundred_tokens_ms) / 100;
    (first + rest, Some(first))
}

fn tags(brief: &Brief, dice: &mut Dice) -> Tags {
    let stage = if dice.chance(80) { "staging" } else { "production" };
    // The briefs' own words are good tags.
    Tags::new("tags", brief.tags.iter().copied().chain([stage])).unwrap_or_default()
}
