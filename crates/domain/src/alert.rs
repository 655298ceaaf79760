//! Alerts of budgets: when they fire, and what is kept of one that did.

use jiff::Timestamp;
use pricing::Money;
use sha2::{Digest as _, Sha256};

use crate::{
    AlertId, BudgetId, EventId,
    budget::{Alert, AlertKind},
    fx::Conversion,
};

/// Percent of the amount at which a budget is used up.
pub const EXCEEDED_PERCENT: u16 = 100;

/// Tells alerts of one threshold apart; changes with the alert's definition.
pub type Definition = [u8; 16];

/// Alerts whose thresholds spending reached when it went from `spent_before` to `spent_after`, in their order.
///
/// A threshold is reached at exactly its share of the limit, computed in integers. Spending that fell reaches nothing.
pub fn alerts_due(alerts: &[Alert], limit: Money, spent_before: Money, spent_after: Money) -> Vec<&Alert> {
    let reached = |alert: &&Alert| crosses(limit, alert.threshold, spent_before, spent_after);
    alerts.iter().filter(reached).collect()
}

/// Whether spending reached the whole limit when it went from `spent_before` to `spent_after`.
pub fn exceeds(limit: Money, spent_before: Money, spent_after: Money) -> bool {
    crosses(limit, EXCEEDED_PERCENT, spent_before, spent_after)
}

fn crosses(limit: Money, percent: u16, before: Money, after: Money) -> bool {
    let threshold = i128::from(limit.nanos()) * i128::from(percent);
    let hundredfold = |money: Money| i128::from(money.nanos()) * 100;
    hundredfold(before) < threshold && threshold <= hundredfold(after)
}

/// What makes an alert another one: its threshold, its ways and its recipients. The amount of the budget does not.
pub fn definition(alert: &Alert) -> Definition {
    let mut hash = Sha256::new();
    let recipients = alert.recipients.iter().map(String::as_str);
    let parts = [alert.kind.as_str()].into_iter().chain(recipients);
    for part in parts.chain([alert.webhook_url.as_deref().unwrap_or_default()]) {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.update(alert.threshold.to_be_bytes());
    shortened(&hash.finalize())
}

/// Stands for the budget's own end, which fires without an alert.
pub fn definition_of_exceeded() -> Definition {
    shortened(&Sha256::digest(b"budget exceeded"))
}

fn shortened(digest: &[u8]) -> Definition {
    let mut short = Definition::default();
    short.copy_from_slice(digest.get(..16).unwrap_or(&[0; 16]));
    short
}

/// An alert that fired: once for its budget, period, threshold and definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiredAlert {
    /// Identifies it.
    pub id: AlertId,
    /// Which budget.
    pub budget_id: BudgetId,
    /// First instant of the period.
    pub period_start: Timestamp,
    /// First instant after it; [`Timestamp::MAX`] when there is none.
    pub period_end: Timestamp,
    /// Percent of the amount.
    pub threshold: u16,
    /// What the alert was like.
    pub definition: Definition,
    /// Whether the budget itself was used up, rather than a threshold of an alert reached.
    pub exceeded: bool,
    /// How people are told; [`AlertKind::InApp`] for the end of the budget itself.
    pub kind: AlertKind,
    /// The limit at that moment, in dollars.
    pub amount: Money,
    /// At which rate the budget's own amount was taken, if it is in another currency.
    pub conversion: Option<Conversion>,
    /// What had been spent.
    pub spent: Money,
    /// What was told of it.
    pub event_id: EventId,
    /// When it fired.
    pub at: Timestamp,
}

/// What one person did with an alert.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlertMark {
    /// When they read it.
    pub read_at: Option<Timestamp>,
    /// Until when they do not want to see it.
    pub snoozed_until: Option<Timestamp>,
    /// They took it off their list.
    pub deleted: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::budget::Budget;

    fn budget(thresholds: &[u16]) -> Budget {
        let alerts: Vec<String> =
            thresholds.iter().map(|percent| format!(r#"{{"threshold":{percent},"type":"email"}}"#)).collect();
        let json = format!(r#"{{"amount":1000,"period":"monthly","alerts":[{}]}}"#, alerts.join(","));
        serde_json::from_str(&json).unwrap()
    }

    fn due(before: i64, after: i64) -> Vec<u16> {
        let dollars = |amount: i64| Money::from_nanos(amount * 1_000_000_000);
        let budget = budget(&[50, 80, 90, 150]);
        alerts_due(&budget.alerts, budget.amount, dollars(before), dollars(after))
            .iter()
            .map(|alert| alert.threshold)
            .collect()
    }

    #[test]
    fn thresholds_are_reached_at_exactly_their_share() {
        assert_eq!(due(0, 499), [0; 0]);
        assert_eq!(due(0, 500), [50]);
        assert_eq!(due(500, 799), [0; 0]);
        assert_eq!(due(499, 900), [50, 80, 90]);
        assert_eq!(due(900, 5_000), [150]);
        assert_eq!(due(1_000, 400), [0; 0], "spending that falls reaches nothing");
    }

    #[test]
    fn the_whole_amount_is_the_end() {
        let nanos = |nanos| Money::from_nanos(nanos);
        let limit = nanos(1_000_000_000_000);
        assert!(exceeds(limit, Money::ZERO, nanos(1_000_000_000_000)));
        assert!(!exceeds(limit, Money::ZERO, nanos(999_999_999_999)));
        assert!(!exceeds(limit, nanos(1_000_000_000_000), nanos(1_000_000_000_001)));
    }

    #[test]
    fn the_smallest_budget_does_not_fire_before_anything_is_spent() {
        let (alerts, smallest) = (budget(&[1]).alerts, Money::from_nanos(1));
        assert!(alerts_due(&alerts, smallest, Money::ZERO, Money::ZERO).is_empty());
        assert_eq!(alerts_due(&alerts, smallest, Money::ZERO, Money::from_nanos(1)).len(), 1);
    }

    #[test]
    fn a_definition_changes_with_every_part_of_it() {
        let alert = |json: &str| -> Alert { serde_json::from_str(json).unwrap() };
        let alerts = [
            r#"{"threshold":50,"type":"email"}"#,
            r#"{"threshold":51,"type":"email"}"#,
            r#"{"threshold":50,"type":"both"}"#,
            r#"{"threshold":50,"type":"email","recipients":["a@example.com"]}"#,
            r#"{"threshold":50,"type":"email","recipients":["a@example.com","b@example.com"]}"#,
            r#"{"threshold":50,"type":"email","webhookUrl":"https://example.com"}"#,
        ];
        let distinct: std::collections::BTreeSet<Definition> =
            alerts.iter().map(|json| definition(&alert(json))).chain([definition_of_exceeded()]).collect();
        assert_eq!(distinct.len(), alerts.len() + 1);
    }

    proptest! {
        #[test]
        fn however_spending_is_cut_each_threshold_is_reached_once(
            steps in prop::collection::vec(0_i64..400_000_000_000, 1..20),
        ) {
            let budget = budget(&[1, 50, 80, 90, 100, 150]);
            let (alerts, limit) = (&budget.alerts, budget.amount);
            let mut spent = Money::ZERO;
            let mut fired = Vec::new();
            for step in steps {
                let after = spent.checked_add(Money::from_nanos(step)).unwrap();
                fired.extend(alerts_due(alerts, limit, spent, after).iter().map(|alert| alert.threshold));
                spent = after;
            }
            let at_once: Vec<u16> =
                alerts_due(alerts, limit, Money::ZERO, spent).iter().map(|alert| alert.threshold).collect();
            prop_assert_eq!(fired, at_once);
        }
    }
}
