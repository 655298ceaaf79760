//! What the provider itself says that a call costs.

use pricing::{Money, Unit, Usage};
use serde_json::Value;

use super::count::{count, text};

/// xAI counts in ten-billionths of a dollar.
const TICKS_PER_NANO: u64 = 10;

/// The cost that a usage object reports, in US dollars.
///
/// - xAI: `cost_in_usd_ticks`, <https://docs.x.ai/developers/cost-tracking>.
/// - Perplexity: `cost.total_cost`, <https://docs.perplexity.ai/api-reference/chat-completions-post>.
/// - OpenRouter: `cost` is what it charges; when the call ran on the caller's own key (`is_byok`), the upstream
///   provider charges `cost_details.upstream_inference_cost` on top,
///   <https://openrouter.ai/docs/use-cases/usage-accounting>. Its account of a generation has the same, as `total_cost`
///   and `upstream_inference_cost`.
pub(super) fn reported(usage: &Value) -> Option<Money> {
    ticks(usage).or_else(|| total_cost(usage)).or_else(|| credits(usage)).filter(|cost| *cost >= Money::ZERO)
}

fn ticks(usage: &Value) -> Option<Money> {
    let ticks = count(usage, "cost_in_usd_ticks")?;
    let nanos = ticks / TICKS_PER_NANO + u64::from(ticks % TICKS_PER_NANO >= TICKS_PER_NANO / 2);
    i64::try_from(nanos).ok().map(Money::from_nanos)
}

fn total_cost(usage: &Value) -> Option<Money> {
    let cost = usage.get("cost")?;
    let in_dollars = text(cost, "currency").is_none_or(|currency| currency == "USD");
    cost.get("total_cost").filter(|_| in_dollars).and_then(money)
}

fn credits(usage: &Value) -> Option<Money> {
    let charged = usage.get("cost").or_else(|| usage.get("total_cost")).and_then(money);
    let own_key = usage.get("is_byok").and_then(Value::as_bool).unwrap_or(false);
    let details = usage.get("cost_details").unwrap_or(usage);
    let upstream = details.get("upstream_inference_cost").filter(|_| own_key);
    match (charged, upstream.and_then(money)) {
        (Some(charged), Some(upstream)) => charged.checked_add(upstream),
        (charged, upstream) => charged.or(upstream),
    }
}

/// A JSON number of dollars. The text of a float is the shortest that means it, which for amounts of less than a
/// million dollars in nano-dollars (15 digits) is the text that was sent.
fn money(value: &Value) -> Option<Money> {
    let Value::Number(number) = value else { return None };
    Money::parse(&number.to_string()).ok()
}

/// Whether `cost` can be what `usage` costs. Providers report zero where they do not know, and free models too; the
/// catalog knows those.
pub(super) fn is_believed(cost: Money, usage: &Usage) -> bool {
    let tokens = [Unit::InputTokens, Unit::OutputTokens, Unit::TotalTokens];
    cost > Money::ZERO || tokens.iter().all(|unit| usage.count(*unit) == 0)
}
