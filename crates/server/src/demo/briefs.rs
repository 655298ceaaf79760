//! What the demo's organisation does.

use domain::budget::{Enforcement, Period};

use super::models::{
    BEDROCK_NOVA, BEDROCK_SONNET, CLAUDE_HAIKU, CLAUDE_OPUS, CLAUDE_SONNET, DEEPSEEK_FLASH, DEEPSEEK_PRO,
    EMBEDDING, GEMINI_FLASH, GEMINI_LITE, GEMINI_PRO, GPT_LUNA, GPT_MINI, GPT_OLD, GPT_SOL, GPT_TERRA,
    MISTRAL_LARGE, MISTRAL_SMALL, Model,
};

/// Days of history.
pub(super) const DAYS: u64 = 90;

/// A project of the demo.
#[derive(Debug, Clone, Copy)]
pub(super) struct Brief {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) department: &'static str,
    pub(super) team: &'static str,
    pub(super) tags: &'static [&'static str],
    pub(super) purposes: &'static [&'static str],
    pub(super) clients: &'static [&'static str],
    pub(super) campaigns: &'static [&'static str],
    /// How many calls it makes, against the others.
    pub(super) share: u64,
    pub(super) rhythm: Rhythm,
    pub(super) kind: Kind,
    /// Models by how often they are called.
    pub(super) models: &'static [(Model, u64)],
    /// From this day on it calls these instead.
    pub(super) switch: Option<(u64, &'static [(Model, u64)])>,
    /// Median tokens of a prompt and of an answer.
    pub(super) tokens: (u64, u64),
    /// First and last of its busiest days, and by what factor.
    pub(super) spike: Option<(u64, u64, u64)>,
    pub(super) budget: Option<Limit>,
    /// The last day on which it was called, if it was switched off.
    pub(super) ends_on_day: Option<u64>,
}

/// When calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// While people work.
    Office,
    /// While customers are awake.
    Customers,
    /// At night.
    Nightly,
}

/// What calls are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Conversations: the prompt grows, and more of it is cached.
    Chat,
    /// Many calls of one trace.
    Agent,
    /// Single calls.
    Single,
    /// The provider's batch tier, half of the time.
    Batch,
    /// Search: mostly embeddings.
    Search,
}

/// A budget, by how much of it is used in the current period.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) period: Period,
    pub(super) used_percent: i64,
    pub(super) enforcement: Enforcement,
}

const fn limit(period: Period, used_percent: i64) -> Limit {
    Limit { period, used_percent, enforcement: Enforcement::Alert }
}

const PLAIN: Brief = Brief {
    name: "",
    description: "",
    department: "",
    team: "",
    tags: &[],
    purposes: &[],
    clients: &[],
    campaigns: &[],
    share: 0,
    rhythm: Rhythm::Office,
    kind: Kind::Single,
    models: &[],
    switch: None,
    tokens: (0, 0),
    spike: None,
    budget: None,
    ends_on_day: None,
};

/// The demo's projects.
pub(super) static BRIEFS: [Brief; 12] = [
    Brief {
        name: "Support assistant",
        description: "Answers customers in the app and by e-mail. Moved to a cheaper model in the second month.",
        department: "Customer success",
        team: "Support",
        tags: &["customer-facing", "chat"],
        purposes: &["answers", "triage", "summaries"],
        share: 300,
        rhythm: Rhythm::Customers,
        kind: Kind::Chat,
        models: &[(GPT_TERRA, 85), (GPT_MINI, 15)],
        switch: Some((52, &[(GPT_LUNA, 85), (GPT_MINI, 15)])),
        tokens: (1900, 260),
        budget: Some(limit(Period::Monthly, 71)),
        ..PLAIN
    },
    Brief {
        name: "Code review bot",
        description: "Comments on every pull request.",
        department: "Engineering",
        team: "Platform",
        tags: &["internal", "ci"],
        purposes: &["review", "tests"],
        share: 110,
        kind: Kind::Agent,
        models: &[(CLAUDE_SONNET, 75), (CLAUDE_OPUS, 25)],
        tokens: (7200, 700),
        budget: Some(limit(Period::Monthly, 108)),
        ..PLAIN
    },
    Brief {
        name: "Document search",
        description: "Semantic search over the company's documents, with answers that quote them.",
        department: "Engineering",
        team: "Search",
        tags: &["internal", "rag"],
        purposes: &["indexing", "answers"],
        share: 170,
        kind: Kind::Search,
        models: &[(GEMINI_FLASH, 80), (GPT_SOL, 20)],
        tokens: (5200, 320),
        ..PLAIN
    },
    Brief {
        name: "Marketing studio",
        description: "Drafts, variants and translations of campaign texts.",
        department: "Marketing",
        team: "Content",
        tags: &["content"],
        purposes: &["drafts", "variants", "images"],
        clients: &["Northwind", "Contoso", "Fabrikam"],
        campaigns: &["autumn-launch", "newsletter", "black-friday"],
        share: 60,
        models: &[(CLAUDE_SONNET, 55), (GPT_SOL, 45)],
        tokens: (1100, 850),
        spike: Some((64, 67, 7)),
        budget: Some(limit(Period::Quarterly, 93)),
        ..PLAIN
    },
    Brief {
        name: "Sales e-mails",
        description: "First drafts of replies to leads.",
        department: "Sales",
        team: "Outreach",
        tags: &["content", "crm"],
        purposes: &["drafts", "scoring"],
        share: 80,
        models: &[(MISTRAL_LARGE, 60), (GPT_LUNA, 40)],
        tokens: (900, 240),
        budget: Some(limit(Period::Weekly, 55)),
        ..PLAIN
    },
    Brief {
        name: "Invoice extraction",
        description: "Reads invoices at night, as batches.",
        department: "Finance",
        team: "Accounting",
        tags: &["batch", "documents"],
        purposes: &["extraction"],
        share: 75,
        rhythm: Rhythm::Nightly,
        kind: Kind::Batch,
        models: &[(CLAUDE_HAIKU, 60), (BEDROCK_NOVA, 40)],
        tokens: (2600, 380),
        budget: Some(limit(Period::Monthly, 38)),
        ..PLAIN
    },
    Brief {
        name: "Contract analysis",
        description: "Finds clauses that differ from the templates. Calls stop when the budget is used up.",
        department: "Legal",
        team: "Contracts",
        tags: &["documents", "confidential"],
        purposes: &["analysis", "comparison"],
        clients: &["Northwind", "Adventure Works"],
        share: 28,
        models: &[(BEDROCK_SONNET, 100)],
        tokens: (14_000, 900),
        budget: Some(Limit { period: Period::Monthly, used_percent: 97, enforcement: Enforcement::Block }),
        ..PLAIN
    },
    Brief {
        name: "Data labelling",
        description: "Labels for the training sets of the recommendation models.",
        department: "Data science",
        team: "Recommendations",
        tags: &["batch", "training-data"],
        purposes: &["labels", "checks"],
        share: 95,
        rhythm: Rhythm::Nightly,
        kind: Kind::Batch,
        models: &[(DEEPSEEK_FLASH, 70), (MISTRAL_SMALL, 30)],
        tokens: (700, 60),
        ..PLAIN
    },
    Brief {
        name: "Translation service",
        description: "Product texts in eleven languages.",
        department: "Product",
        team: "Localisation",
        tags: &["customer-facing", "translation"],
        purposes: &["product texts", "help pages"],
        clients: &["Contoso", "Tailwind"],
        share: 60,
        rhythm: Rhythm::Customers,
        models: &[(MISTRAL_LARGE, 65), (DEEPSEEK_PRO, 35)],
        tokens: (1300, 1200),
        budget: Some(limit(Period::Monthly, 63)),
        ..PLAIN
    },
    Brief {
        name: "Meeting notes",
        description: "Summaries and tasks from transcripts.",
        department: "Operations",
        team: "Workplace",
        tags: &["internal", "summaries"],
        purposes: &["summaries", "tasks"],
        share: 55,
        models: &[(GEMINI_FLASH, 60), (GEMINI_LITE, 25), (GPT_MINI, 15)],
        tokens: (9500, 600),
        budget: Some(limit(Period::Yearly, 41)),
        ..PLAIN
    },
    Brief {
        name: "Research agents",
        description: "Agents that read papers and run experiments.",
        department: "Research",
        team: "Labs",
        tags: &["experiment", "agents"],
        purposes: &["literature", "experiments"],
        share: 40,
        kind: Kind::Agent,
        models: &[(GPT_SOL, 40), (CLAUDE_OPUS, 30), (GEMINI_PRO, 30)],
        tokens: (11_000, 1100),
        budget: Some(limit(Period::OneTime, 117)),
        ..PLAIN
    },
    Brief {
        name: "Old website chatbot",
        description: "Replaced by the support assistant and switched off.",
        department: "Customer success",
        team: "Support",
        tags: &["customer-facing", "chat", "retired"],
        purposes: &["answers"],
        share: 70,
        rhythm: Rhythm::Customers,
        kind: Kind::Chat,
        models: &[(GPT_OLD, 100)],
        tokens: (900, 180),
        ends_on_day: Some(40),
        ..PLAIN
    },
];

impl Brief {
    /// The models that it calls on `day`.
    pub(super) fn models_on(&self, day: u64) -> &'static [(Model, u64)] {
        match self.switch {
            Some((first, models)) if day >= first => models,
            _ => self.models,
        }
    }
}

/// What a search embeds with.
pub(super) const SEARCH_INDEX: Model = EMBEDDING;

/// People who use the demo's products.
pub(super) const PEOPLE: [&str; 16] = [
    "ada",
    "alan",
    "annie",
    "barbara",
    "claude",
    "donald",
    "edsger",
    "frances",
    "grace",
    "hedy",
    "john",
    "katherine",
    "margaret",
    "niklaus",
    "radia",
    "tim",
];
/// Names of customers' firms.
pub(super) const FIRMS: [&str; 8] = [
    "adventure-works",
    "alpine-ski-house",
    "contoso",
    "fabrikam",
    "litware",
    "northwind",
    "tailwind",
    "wingtip",
];
