//! Records, people and projects to test with.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use domain::{
    Id, Interval, KeyId, ProjectId, UsageId, UserId,
    allocation::{CostAllocation, Tags},
    budget::{Alert, AlertKind, Budget, Enforcement, Period},
    project::{Member, Project, ProjectRole, ProjectSettings},
    query::{Filter, PageStart, RecordQuery, RecordSort, Visibility},
    usage_record::{CallError, Content, CostSource, Flag, Origin, Status, UsageRecord},
    user::{Role, User},
};
use jiff::{SignedDuration, Timestamp};
use pricing::{Adjustment, Money, Price, Unit, Usage};

use super::random::Random;
use crate::{Claim, MetaStore, UserWithHash};

/// The price of [`record`]s.
pub static PRICE: LazyLock<Arc<Price>> = LazyLock::new(|| {
    let json = r#"{"id":"openai/gpt-4o-mini@2024-07-18#standard~1f2e3d4c","provider":"openai","model":"gpt-4o-mini",
        "valid_from":"2023-07-18T00:00:00Z","valid_until":null,"source":{"name":"contract","version":"1"},
        "rates":{"input_tokens":[{"input_tokens_min":0,"rate":"0.15"}],
            "output_tokens":[{"input_tokens_min":0,"rate":"0.6"},{"input_tokens_min":1000,"rate":"0.7"}],
            "cache_read_tokens":[{"input_tokens_min":0,"rate":"0.075"}],
            "web_searches":[{"input_tokens_min":0,"rate":"10000"}],"file_searches":[{"input_tokens_min":0,"rate":"2500"}],
            "code_executions":[{"input_tokens_min":0,"rate":"1"}]}}"#;
    Arc::new(serde_json::from_str(json).unwrap())
});

/// The id number `n`.
pub const fn id<K>(n: u32) -> Id<K> {
    let n = n.to_be_bytes();
    Id::from_bytes([0x65, 0xa5, 8, 0, 0, 0, 0, 0, n[0], n[1], n[2], n[3]])
}

/// The instant that `text` says.
pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The span `[start, end)`.
pub fn period(start: &str, end: &str) -> Interval {
    Interval { start: at(start), end: at(end) }
}

/// A plain record: user 1, no project, priced, `n` seconds after noon of 2024-01-15.
pub fn record(n: u32) -> UsageRecord {
    let usage = Usage::new().with(Unit::InputTokens, 1_000 + u64::from(n)).with(Unit::OutputTokens, 500);
    let occurred_at = at("2024-01-15T12:00:00Z") + SignedDuration::from_secs(i64::from(n));
    let plain = UsageRecord {
        id: id(n),
        user_id: id(1),
        tracker_key_id: None,
        project_id: None,
        origin: Origin::Track,
        occurred_at,
        recorded_at: occurred_at + SignedDuration::from_millis(1_500),
        provider: "openai".to_owned(),
        model: "gpt-4o-mini".to_owned(),
        response_model: None,
        operation: None,
        service_tier: None,
        region: None,
        search_type: None,
        usage,
        cost: None,
        cost_source: CostSource::Unpriced,
        list_cost: None,
        cache_savings: None,
        price: None,
        adjustments: Vec::new(),
        unpriced_reason: None,
        status: Status::Success,
        error: CallError::default(),
        response_time_ms: None,
        time_to_first_token_ms: None,
        allocation: CostAllocation::default(),
        tags: Tags::default(),
        user_email: None,
        customer_email: None,
        session_id: None,
        trace_id: None,
        request_id: None,
        other_keys: Vec::new(),
        metadata: None,
        content: None,
        flags: Vec::new(),
    };
    priced(plain)
}

/// [`record`] after `change`.
pub fn record_with(n: u32, change: impl FnOnce(&mut UsageRecord)) -> UsageRecord {
    let mut record = record(n);
    change(&mut record);
    record
}

/// The same record at the cost of [`PRICE`], or unpriced where that says nothing.
pub fn priced(record: UsageRecord) -> UsageRecord {
    match PRICE.cost_of(&record.usage) {
        Ok(cost) => UsageRecord {
            cost: Some(cost.total),
            cost_source: CostSource::Catalog,
            list_cost: Some(cost.total),
            cache_savings: Some(cost.cache_savings),
            price: Some(Arc::clone(&PRICE)),
            ..record
        },
        Err(reason) => unpriced(record, reason.code()),
    }
}

fn unpriced(record: UsageRecord, reason: &str) -> UsageRecord {
    UsageRecord {
        cost: None,
        cost_source: CostSource::Unpriced,
        list_cost: None,
        cache_savings: None,
        price: None,
        unpriced_reason: Some(reason.to_owned()),
        ..record
    }
}

/// A record in which every field has a value.
pub fn full_record() -> UsageRecord {
    let text = |text: &str| Some(text.to_owned());
    let full = UsageRecord {
        id: id(7),
        user_id: id(1),
        tracker_key_id: Some(id(3)),
        project_id: Some(id(2)),
        origin: Origin::Gateway,
        occurred_at: at("2024-02-29T23:59:59.999Z"),
        recorded_at: at("2024-03-01T00:00:00.001Z"),
        provider: "openai".to_owned(),
        model: "gpt-4o-mini".to_owned(),
        response_model: text("gpt-4o-mini-2024-07-18"),
        operation: text("chat"),
        service_tier: text("flex"),
        region: text("eu-central-1"),
        search_type: text("fast"),
        usage: Unit::ALL.iter().copied().zip(1..).collect(),
        cost: None,
        cost_source: CostSource::Reported,
        list_cost: None,
        cache_savings: None,
        price: None,
        adjustments: vec![adjustment()],
        unpriced_reason: text("unit_not_priced"),
        status: Status::Error,
        error: CallError { code: text("429"), message: text("Rate limit, “zu viel”\nof requests") },
        response_time_ms: Some(1_234),
        time_to_first_token_ms: Some(0),
        allocation: CostAllocation {
            department: text("marketing"),
            team: text("content"),
            purpose: text("blog"),
            client: text("Müller & Söhne"),
            campaign: text("spring"),
            other: BTreeMap::from([
                ("costCenter".to_owned(), "4711".to_owned()),
                ("größe".to_owned(), "\"L\"".to_owned()),
            ]),
        },
        tags: tags(&["blog", "müller", "x,y"]),
        user_email: text("ada@example.com"),
        customer_email: text("Grace@Example.com"),
        session_id: text("session-1"),
        trace_id: text("0af7651916cd43dd8448eb211c80319c"),
        request_id: text("request 1 💶"),
        other_keys: vec!["other \"1\"".to_owned(), "other 2".to_owned()],
        metadata: text(r#"{"a":[1,2.50,null],"b":"\u0000"}"#),
        content: Some(Content { prompt: text("Why?"), completion: text("Because\nof it.") }),
        flags: vec![Flag::InconsistentUsage, Flag::CostDiffers, Flag::ContentCut, Flag::TierAssumedStandard],
    };
    let mut full = priced(full);
    full.cost = Some(Money::from_nanos(-1));
    full.cost_source = CostSource::Reported;
    full
}

/// These tags.
pub fn tags(list: &[&str]) -> Tags {
    Tags::new("tags", list.iter().copied()).unwrap()
}

/// Number `n` of a sequence of records in which every dimension has a few values, and often none.
pub fn varied_record(n: u32, random: &mut Random) -> UsageRecord {
    let mut record = record(n);
    let day = i64::try_from(random.below(40)).unwrap();
    record.occurred_at = at("2024-03-01T00:00:00Z")
        + SignedDuration::from_hours(24 * day)
        + SignedDuration::from_millis(i64::try_from(random.below(86_400_000)).unwrap());
    record.user_id = random.pick(&[id(1), id(2), id(3)]);
    record.project_id = random.pick(&[None, Some(id(11)), Some(id(12)), Some(id(13))]);
    record.tracker_key_id = random.pick(&[None, Some(id(21)), Some(id(22))]);
    record.origin = random.pick(&[Origin::Track, Origin::Otlp]);
    record.provider = String::from(random.pick(&["openai", "anthropic"]));
    record.model = String::from(random.pick(&["gpt-4o", "o3", "claude-sonnet-4"]));
    record.usage = varied_usage(random);
    record.status = random.pick(Status::ALL);
    record.response_time_ms = random.pick(&[None, Some(1), Some(20), Some(300), Some(4_000)]);
    record.time_to_first_token_ms = random.pick(&[None, None, Some(0), Some(15), Some(200)]);
    record.user_email = random.pick_option(&["ada@example.com", "alan@example.com"]);
    record.customer_email = random.pick_option(&["grace@example.com"]);
    record.tags =
        random.pick(&[tags(&[]), tags(&["a"]), tags(&["b"]), tags(&["a", "b"]), tags(&["a", "b", "c"])]);
    record.allocation = varied_allocation(random);
    if random.chance(20) {
        record.request_id = Some(format!("{}key-{}", random.pick(&["", "reply:"]), random.below(50)));
    }
    if random.chance(15) {
        // Some are those that other records have for their own.
        record.other_keys = vec![format!("{}key-{}", random.pick(&["", "request:"]), random.below(50))];
    }
    vary_cost(record, random)
}

fn vary_cost(record: UsageRecord, random: &mut Random) -> UsageRecord {
    let sources = [CostSource::Reported, CostSource::Provider, CostSource::Override, CostSource::Estimated];
    let mut record = priced(record);
    if random.chance(25) {
        return unpriced(record, "unknown_model");
    }
    if random.chance(30) {
        record.cost = Some(Money::from_nanos(i64::try_from(random.below(9_000_000)).unwrap() - 1_000));
        record.cost_source = random.pick(&sources);
    }
    record
}

fn varied_usage(random: &mut Random) -> Usage {
    let mut usage = Usage::new();
    match random.below(6) {
        0 => {}
        1 => usage.set(Unit::TotalTokens, random.next_u64() % 9_000),
        2 => usage.set(Unit::OutputTokens, random.next_u64() % 9_000),
        _ => {
            usage.set(Unit::InputTokens, 500 + random.next_u64() % 9_000);
            usage.set(Unit::OutputTokens, random.next_u64() % 9_000);
            usage.set(Unit::CacheReadTokens, random.next_u64() % 500);
            if random.chance(40) {
                usage.set(Unit::CacheWriteTokens, random.next_u64() % 500);
            }
        }
    }
    usage
}

fn varied_allocation(random: &mut Random) -> CostAllocation {
    CostAllocation {
        department: random.pick_option(&["marketing", "research"]),
        team: random.pick_option(&["red", "blue"]),
        purpose: random.pick_option(&["blog", "support"]),
        client: random.pick_option(&["acme"]),
        campaign: random.pick_option(&["spring", "summer"]),
        other: BTreeMap::new(),
    }
}

/// The whole list that `filter` finds, newest first.
pub fn newest_first(filter: Filter) -> RecordQuery {
    RecordQuery {
        filter,
        sort: RecordSort::Timestamp,
        descending: true,
        start: PageStart::Offset(0),
        limit: 1_000,
        count: false,
    }
}

/// Every record.
pub fn everything() -> Filter {
    Filter::all(Visibility::Everything)
}

/// An account.
pub fn user(n: u32, email: &str) -> UserWithHash {
    UserWithHash {
        user: User {
            id: id(n),
            email: email.to_owned(),
            name: "Ada Lovelace".to_owned(),
            role: Role::Member,
            preferences: r#"{"theme":"dark"}"#.to_owned(),
            demo: false,
            created_at: at("2024-01-15T10:30:00.123Z"),
        },
        password_hash: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned(),
    }
}

/// Keeps accounts 1 to `count`.
pub async fn insert_users(store: &dyn MetaStore, count: u32) -> Vec<UserId> {
    let mut ids = Vec::new();
    for n in 1..=count {
        let user = store.insert_user(&user(n, &format!("user-{n}@example.com")), Claim::Open).await.unwrap();
        ids.push(user.id);
    }
    ids
}

/// A project in which every field has a value, with `owner` as its owner.
pub fn project(n: u32, owner: UserId) -> Project {
    Project {
        id: id(n),
        name: format!("Project {n}"),
        description: "What it is:\n“everything”".to_owned(),
        budget: Some(Budget {
            amount: Money::from_nanos(i64::MAX),
            currency: "USD".to_owned(),
            period: Period::Monthly,
            start_date: Some("2024-01-31".parse().unwrap()),
            time_zone: "Europe/Berlin".to_owned(),
            enforcement: Enforcement::Block,
            carry_over: true,
            alerts: vec![Alert {
                threshold: 80,
                kind: AlertKind::Both,
                recipients: vec!["ada@example.com".to_owned()],
                webhook_url: Some("https://example.com/hook".to_owned()),
            }],
        }),
        tags: tags(&["a", "b"]),
        settings: ProjectSettings {
            allowed_models: vec!["gpt-4o".to_owned()],
            max_tokens_per_request: Some(u64::MAX),
            store_prompts: true,
            share_provider_keys: true,
            requests_per_minute: Some(60),
            tokens_per_minute: Some(100_000),
            retention: domain::project::Retention { content_days: Some(30), record_days: Some(400) },
        },
        members: vec![Member {
            user_id: owner,
            role: ProjectRole::Owner,
            added_at: at("2024-01-15T10:30:00.001Z"),
        }],
        is_active: true,
        demo: false,
        created_at: at("2024-01-15T10:30:00.001Z"),
        updated_at: at("2024-01-15T10:30:00.002Z"),
        archived_at: None,
    }
}

/// A key's, invitation's or family's id.
pub const fn key_id(n: u32) -> KeyId {
    id(n)
}

/// A project's id.
pub const fn project_id(n: u32) -> ProjectId {
    id(n)
}

/// A record's id.
pub const fn usage_id(n: u32) -> UsageId {
    id(n)
}

/// A rule of the operator's own.
fn adjustment() -> Arc<Adjustment> {
    let json = r#"{ "id": "contract", "kind": { "discount": 1250 }, "note": "framework agreement" }"#;
    Arc::new(serde_json::from_str(json).unwrap())
}
