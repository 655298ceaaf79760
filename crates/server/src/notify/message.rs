//! What an event says to people.

use domain::{
    digest::Frequency,
    event::{Event, EventType},
    fx::Conversion,
    interval::time_zone,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use pricing::Money;
use serde_json::Value;

use super::facts::{AnomalyFacts, BudgetFacts, BudgetLine, DigestFacts, SpendingLine};
use crate::digest::change_percent;

/// Values of an event that are shown at most; further ones are in the JSON.
const LINES_MAX: usize = 12;

/// Words for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub title: String,
    /// The facts, a line each.
    pub lines: Vec<String>,
}

impl Message {
    /// The words for `event`.
    pub fn of(event: &Event) -> Self {
        match event.kind {
            EventType::BudgetThresholdCrossed | EventType::BudgetExceeded => {
                match serde_json::from_str(&event.payload) {
                    Ok(facts) => Self::of_budget(&facts, event.kind == EventType::BudgetExceeded),
                    Err(_) => Self::of_values(event),
                }
            }
            EventType::CostAnomaly => serde_json::from_str(&event.payload)
                .map_or_else(|_| Self::of_values(event), |facts| Self::of_anomaly(&facts)),
            EventType::CostDigest => serde_json::from_str(&event.payload)
                .map_or_else(|_| Self::of_values(event), |facts| Self::of_digest(&facts)),
            EventType::UsageTracked
            | EventType::PriceMissing
            | EventType::KeyAdded
            | EventType::ProjectCreated
            | EventType::MemberAdded
            | EventType::WebhookTest => Self::of_values(event),
        }
    }

    fn of_budget(facts: &BudgetFacts, exceeded: bool) -> Self {
        let BudgetFacts { budget, threshold, amount, spent, remaining, .. } = facts;
        let title = if exceeded {
            format!("{}: the budget of {} is used up", budget.name, dollars(*amount))
        } else {
            format!("{}: {threshold} % of the budget of {} is spent", budget.name, dollars(*amount))
        };
        let rest = if *remaining < Money::ZERO { "Overrun by" } else { "Left" };
        let left = Money::from_nanos(remaining.nanos().saturating_abs());
        let start = facts.period_start.strftime("%Y-%m-%d %H:%M UTC");
        let period = match facts.period_end {
            Some(end) => format!("Period: {start} to {}", end.strftime("%Y-%m-%d %H:%M UTC")),
            None => format!("Period: since {start}"),
        };
        let spent = format!("Spent: {} of {} ({} %)", dollars(*spent), dollars(*amount), facts.utilization);
        let converted = facts.conversion.as_ref().map(|conversion| {
            let Conversion { currency, amount, rate, rate_date } = conversion;
            format!("The budget: {amount} {currency}, at {rate} USD since {rate_date}")
        });
        let lines = [spent, format!("{rest}: {}", dollars(left)), period].into_iter().chain(converted);
        Self { title, lines: lines.collect() }
    }

    fn of_anomaly(facts: &AnomalyFacts) -> Self {
        let AnomalyFacts { spent, usual, samples, service, start, end, .. } = facts;
        let instant = |at: &Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        let lines = vec![
            format!("Spent: {}", dollars(*spent)),
            format!("Usual: {} (the median of {samples})", dollars(*usual)),
            format!("Time: {} to {}", instant(start), instant(end)),
            format!("Provider: {service}"),
        ];
        Self { title: facts.title(), lines }
    }

    /// The words for a digest.
    pub fn of_digest(facts: &DigestFacts) -> Self {
        let zone = time_zone("timeZone", &facts.time_zone).unwrap_or(TimeZone::UTC);
        let day = |at: Timestamp| at.to_zoned_datetime(zone.clone()).strftime("%-d %B %Y").to_string();
        let last_day =
            facts.period_end.saturating_sub(SignedDuration::from_secs(1)).unwrap_or(facts.period_end);
        let title =
            format!("AI costs, {} to {}: {}", day(facts.period_start), day(last_day), dollars(facts.spent));
        let mut lines = vec![format!("Spent: {}", dollars(facts.spent))];
        lines.extend(facts.previous_spent.map(|previous| versus(facts, previous)));
        lines.push(format!("Calls: {}, tokens: {}", grouped(facts.requests), grouped(facts.tokens)));
        if facts.unpriced_requests > 0 {
            lines.push(format!(
                "Without a price: {} calls, whose cost is not in these figures",
                grouped(facts.unpriced_requests)
            ));
        }
        if facts.anomalies > 0 {
            lines.push(format!("Far from usual: {}", facts.anomalies));
        }
        let spending = |line: &SpendingLine| format!("{}: {}", line.name, dollars(line.spent));
        section(&mut lines, "Projects", facts.projects.iter().map(spending));
        section(&mut lines, "Models", facts.models.iter().map(spending));
        let budget = |line: &BudgetLine| {
            let BudgetLine { name, amount, spent, utilization, .. } = line;
            format!("{name}: {} of {} ({utilization} %)", dollars(*spent), dollars(*amount))
        };
        section(&mut lines, "Budgets now", facts.budgets.iter().map(budget));
        Self { title, lines }
    }

    fn of_values(event: &Event) -> Self {
        let values = serde_json::from_str(&event.payload).unwrap_or(Value::Null);
        let mut lines = Vec::new();
        collect("", &values, &mut lines);
        lines.truncate(LINES_MAX);
        Self { title: title(event.kind).to_owned(), lines }
    }
}

const fn title(kind: EventType) -> &'static str {
    match kind {
        EventType::UsageTracked => "Calls were recorded",
        EventType::BudgetThresholdCrossed => "A threshold of a budget was reached",
        EventType::BudgetExceeded => "A budget is used up",
        EventType::CostAnomaly => "A project costs much more than it used to",
        EventType::CostDigest => "What was spent",
        EventType::PriceMissing => "A call has no price",
        EventType::KeyAdded => "A key was added",
        EventType::ProjectCreated => "A project was made",
        EventType::MemberAdded => "A person joined a project",
        EventType::WebhookTest => "A test of AI Cost Tracker",
    }
}

/// Against the week or month before.
fn versus(facts: &DigestFacts, previous: Money) -> String {
    let before = match facts.frequency {
        Frequency::Monthly => "month before",
        Frequency::Weekly | Frequency::Off => "week before",
    };
    let change = match change_percent(facts.spent, previous) {
        Some(percent @ 0..) => format!(", {percent} % more"),
        Some(percent) => format!(", {} % less", percent.abs()),
        None => String::new(),
    };
    format!("The {before}: {}{change}", dollars(previous))
}

fn section(lines: &mut Vec<String>, title: &str, entries: impl Iterator<Item = String>) {
    let mut entries = entries.peekable();
    if entries.peek().is_some() {
        lines.extend([String::new(), title.to_owned()]);
        lines.extend(entries.map(|entry| format!("\u{2013} {entry}")));
    }
}

fn collect(name: &str, value: &Value, lines: &mut Vec<String>) {
    let inner = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| collect(&inner(key), value, lines));
        }
        Value::Array(items) => lines.push(format!("{name}: {} items", items.len())),
        Value::String(text) => lines.push(format!("{name}: {text}")),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => lines.push(format!("{name}: {value}")),
    }
}

/// `$1,234.50`: whole cents, rounded to the nearest; less than half a cent is not called nothing.
pub fn dollars(money: Money) -> String {
    let sign = if money < Money::ZERO { "-" } else { "" };
    let nanos = money.nanos().unsigned_abs();
    let cents = (nanos + 5_000_000) / 10_000_000;
    if cents == 0 && nanos > 0 {
        return format!("{sign}less than $0.01");
    }
    format!("{sign}${}.{:02}", grouped(cents / 100), cents % 100)
}

/// `1,234,567`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use domain::EventId;

    use super::*;

    fn event(kind: EventType, payload: &str) -> Event {
        Event {
            id: EventId::from_bytes([1; 12]),
            kind,
            subject: "s".to_owned(),
            project_id: None,
            user_id: None,
            payload: payload.to_owned(),
            at: "2024-02-10T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (nanos, text) in [
            (0, "$0.00"),
            (4_999_999, "less than $0.01"),
            (5_000_000, "$0.01"),
            (1_234_500_000_000, "$1,234.50"),
            (999_995_000_000, "$1,000.00"),
            (-12_000_000_000, "-$12.00"),
            (i64::MAX, "$9,223,372,036.85"),
        ] {
            assert_eq!(dollars(Money::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn a_budgets_alert_says_what_is_spent_and_what_is_left() {
        let facts = |spent: &str, remaining: &str| {
            format!(
                r#"{{"alertId":"507f1f77bcf86cd799439011","budget":{{"id":"507f1f77bcf86cd799439012","name":"Chat","scope":{{"type":"account"}}}},
                "threshold":80,"amount":1000,"currency":"USD","spent":{spent},"remaining":{remaining},"utilization":80.12,
                "period":"monthly","periodStart":"2024-02-01T00:00:00Z","periodEnd":"2024-03-01T00:00:00Z"}}"#
            )
        };
        let crossed = Message::of(&event(EventType::BudgetThresholdCrossed, &facts("801.2", "198.8")));
        assert_eq!(crossed.title, "Chat: 80 % of the budget of $1,000.00 is spent");
        assert_eq!(
            crossed.lines,
            [
                "Spent: $801.20 of $1,000.00 (80.12 %)",
                "Left: $198.80",
                "Period: 2024-02-01 00:00 UTC to 2024-03-01 00:00 UTC"
            ]
        );
        let exceeded = Message::of(&event(EventType::BudgetExceeded, &facts("1001", "-1")));
        assert_eq!(exceeded.title, "Chat: the budget of $1,000.00 is used up");
        assert_eq!(exceeded.lines[1], "Overrun by: $1.00");
    }

    #[test]
    fn an_anomaly_says_how_much_more_than_usual_was_spent() {
        let facts = r#"{"anomalyId":"507f1f77bcf86cd799439011","project":{"id":"507f1f77bcf86cd799439012","name":"Chat"},
            "service":"openai","model":"gpt-4o","span":"day","start":"2024-02-13T00:00:00Z","end":"2024-02-14T00:00:00Z",
            "spent":84.2,"usual":20,"deviation":1,"samples":8,"basis":"same-time","times":"4.2","usualTime":"Tuesday"}"#;
        let message = Message::of(&event(EventType::CostAnomaly, facts));
        assert_eq!(message.title, "Chat: gpt-4o spent 4.2 times its usual Tuesday");
        assert_eq!(
            message.lines,
            [
                "Spent: $84.20",
                "Usual: $20.00 (the median of 8)",
                "Time: 2024-02-13 00:00 UTC to 2024-02-14 00:00 UTC",
                "Provider: openai"
            ]
        );
    }

    #[test]
    fn a_digest_says_what_was_spent_on_what() {
        let facts = r#"{"frequency":"weekly","timeZone":"Europe/Berlin","periodStart":"2024-01-28T23:00:00Z",
            "periodEnd":"2024-02-04T23:00:00Z","spent":1234.5,"previousSpent":1100,"requests":12345,"tokens":6789012,
            "unpricedRequests":3,"anomalies":1,"projects":[{"name":"Chat","spent":1000}],"models":[],
            "budgets":[{"name":"Chat","amount":2000,"spent":1500,"utilization":75.5,"periodEnd":"2024-03-01T00:00:00Z"}]}"#;
        let message = Message::of(&event(EventType::CostDigest, facts));
        assert_eq!(message.title, "AI costs, 29 January 2024 to 4 February 2024: $1,234.50");
        assert_eq!(
            message.lines,
            [
                "Spent: $1,234.50",
                "The week before: $1,100.00, 12 % more",
                "Calls: 12,345, tokens: 6,789,012",
                "Without a price: 3 calls, whose cost is not in these figures",
                "Far from usual: 1",
                "",
                "Projects",
                "\u{2013} Chat: $1,000.00",
                "",
                "Budgets now",
                "\u{2013} Chat: $1,500.00 of $2,000.00 (75.5 %)"
            ]
        );
    }

    #[test]
    fn other_events_show_their_values() {
        let added = event(EventType::KeyAdded, r#"{"name":"CI","owner":{"id":1},"list":[1,2],"none":null}"#);
        let message = Message::of(&added);
        assert_eq!(message.title, "A key was added");
        assert_eq!(message.lines, ["list: 2 items", "name: CI", "owner.id: 1"]);
    }
}
