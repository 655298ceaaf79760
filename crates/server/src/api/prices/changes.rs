//! When prices changed of what is looked at.

use std::collections::BTreeSet;

use axum::extract::State;
use domain::{
    Interval,
    query::{Dimension, UsageQuery},
    user::Role,
};
use jiff::{SignedDuration, Timestamp};
use pricing::{Adjustment, Call, Price, PriceBook, Scope, Unit};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{
        analytics::question::{AnalyticsParams, is_parameter, question},
        usage_query::FilterParams,
    },
    app::App,
    auth::{Auth, Read},
    error::{Failure, Result},
    input::Pairs,
    limits,
    reply::Success,
};

/// A change of the price of a model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriceChange {
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// Who changed it.
    kind: ChangeKind,
    /// Who sells the model; `null` where a rule of the operator is for every provider.
    service: Option<String>,
    /// The model in the catalog, or the pattern of a rule; `null` where it is for every model.
    model: Option<String>,
    /// Service tier or region, if it is about one only.
    condition: Option<String>,
    /// Id of the operator's rule.
    rule_id: Option<String>,
    /// Rates that are others than before.
    rates: Vec<RateChange>,
}

/// Who changed a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum ChangeKind {
    /// The provider: the catalog has another row from then on.
    Catalog,
    /// The operator: a rule begins to apply.
    RuleBegins,
    /// The operator: a rule no longer applies.
    RuleEnds,
}

/// A rate that changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RateChange {
    /// What is charged.
    #[schema(value_type = String)]
    unit: Unit,
    /// US dollars per million units before, exact digits, of the smallest prompts; `null` when it was not charged.
    before: Option<String>,
    /// The same from then on.
    after: Option<String>,
}

/// A model that was called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Called {
    service: String,
    model: String,
    project: Option<String>,
    user: Option<String>,
}

/// When prices changed of the models that were called, as far as the filters let through, the latest first; at most 200.
/// Rules of the operator are for administrators.
#[utoipa::path(get, path = "/prices/changes", tag = "Prices", operation_id = "list_price_changes",
    params(AnalyticsParams, FilterParams),
    responses((status = 200, body = Success<Vec<PriceChange>>), (status = 401, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_price_changes(
    State(app): State<App>,
    auth: Auth<Read>,
    pairs: Pairs,
) -> Result<Success<Vec<PriceChange>>> {
    pairs.only(is_parameter)?;
    let filter = question(&pairs, auth.caller.visibility(&app).await?, app.clock.now())?.filter;
    let period = filter.period;
    let group_by = vec![Dimension::Service, Dimension::Model, Dimension::Project, Dimension::User];
    let groups = app.usage.aggregate(&UsageQuery { filter, buckets: None, group_by }).await?;
    let called: BTreeSet<Called> = groups.into_iter().filter_map(|group| Called::of(&group.keys)).collect();
    let book = app.prices.current();
    let mut changes = catalog_changes(&book, &called, period);
    if auth.caller.require_role(Role::Admin).is_ok() {
        changes.extend(rule_changes(book.adjustments().iter(), &called, period));
    }
    Ok(Success::ok(changes.into_iter().rev().take(limits::PRICE_CHANGES_MAX).collect()))
}

impl Called {
    fn of(keys: &[Option<String>]) -> Option<Self> {
        let [service, model, project, user] = keys else { return None };
        Some(Self {
            service: service.clone()?,
            model: model.clone()?,
            project: project.clone(),
            user: user.clone(),
        })
    }
}

/// Rows of the catalog that follow another of the same conditions within `period`.
fn catalog_changes(book: &PriceBook, called: &BTreeSet<Called>, period: Interval) -> BTreeSet<PriceChange> {
    let last = period.end.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(period.end);
    let names: BTreeSet<(&str, &str)> =
        called.iter().map(|called| (called.service.as_str(), called.model.as_str())).collect();
    let models: BTreeSet<(&str, &str)> = names
        .into_iter()
        .flat_map(|(service, model)| {
            [period.start, last].map(|at| book.find_price(&Call::new(Some(service), model, at)).ok())
        })
        .flatten()
        .map(|found| (found.price.provider.as_str(), found.price.model.as_str()))
        .collect();
    let rows: Vec<&Price> = book
        .catalog()
        .prices()
        .filter(|row| models.contains(&(row.provider.as_str(), row.model.as_str())))
        .collect();
    let is_within =
        |row: &&&Price| row.valid_from.is_some_and(|from| from > period.start && from < period.end);
    let changes = rows.iter().filter(is_within).filter_map(|row| {
        let before = rows.iter().find(|before| precedes(before, row))?;
        let rates = changed_rates(before, row);
        Some(PriceChange {
            time: row.valid_from?,
            kind: ChangeKind::Catalog,
            service: Some(row.provider.clone()),
            model: Some(row.model.clone()),
            condition: condition(row),
            rule_id: None,
            rates,
        })
    });
    changes.filter(|change| !change.rates.is_empty()).collect()
}

fn precedes(before: &Price, row: &Price) -> bool {
    before.provider == row.provider
        && before.model == row.model
        && before.conditions == row.conditions
        && before.valid_until.is_some()
        && before.valid_until == row.valid_from
}

fn condition(row: &Price) -> Option<String> {
    let conditions = &row.conditions;
    let named = [&conditions.service_tier, &conditions.region, &conditions.search_type];
    let named: Vec<&str> = named.into_iter().flatten().map(String::as_str).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

/// Rates of the smallest prompts that differ.
fn changed_rates(before: &Price, after: &Price) -> Vec<RateChange> {
    let first = |price: &Price, unit| {
        price.rates.get(unit).and_then(|tiers| tiers.first()).map(|tier| tier.rate.to_string())
    };
    let units: BTreeSet<&Unit> = before.rates.keys().chain(after.rates.keys()).collect();
    units
        .into_iter()
        .map(|unit| RateChange { unit: *unit, before: first(before, unit), after: first(after, unit) })
        .filter(|change| change.before != change.after)
        .collect()
}

/// Rules that begin or end within `period` and are about something that was called.
fn rule_changes<'a>(
    rules: impl Iterator<Item = &'a Adjustment>,
    called: &BTreeSet<Called>,
    period: Interval,
) -> Vec<PriceChange> {
    let is_about = |rule: &&Adjustment| called.iter().any(|called| concerns(rule, called));
    let is_within = |at: &Timestamp| *at > period.start && *at < period.end;
    let bounds = |rule: &Adjustment| {
        [(rule.valid_from, ChangeKind::RuleBegins), (rule.valid_until, ChangeKind::RuleEnds)]
    };
    let change = |rule: &Adjustment, time, kind| PriceChange {
        time,
        kind,
        service: rule.provider.clone(),
        model: rule.model.as_ref().map(ToString::to_string),
        condition: None,
        rule_id: Some(rule.id.clone()),
        rates: Vec::new(),
    };
    rules
        .filter(is_about)
        .flat_map(|rule| bounds(rule).map(|(at, kind)| at.filter(is_within).map(|at| change(rule, at, kind))))
        .flatten()
        .collect()
}

fn concerns(rule: &Adjustment, called: &Called) -> bool {
    let is_payer = match &rule.scope {
        Scope::Everything => true,
        Scope::Account(account) => called.user.as_deref() == Some(account),
        Scope::Project(project) => called.project.as_deref() == Some(project),
    };
    is_payer
        && rule.provider.as_deref().is_none_or(|provider| provider == called.service)
        && rule.model.as_ref().is_none_or(|pattern| pattern.matches(&called.model))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pricing::{AdjustmentKind, BasisPoints, Catalog};

    use super::*;

    const CATALOG: &str = r#"{
        "version": "test", "source": { "name": "test", "version": "1" },
        "providers": [{ "id": "acme", "name": "Acme", "models": [{ "id": "m1", "prices": [
            { "until": "2026-02-01T00:00:00Z", "rates": { "input_tokens": "3", "output_tokens": "15" } },
            { "from": "2026-02-01T00:00:00Z", "until": "2026-03-01T00:00:00Z", "rates": { "input_tokens": "2", "output_tokens": "15" } },
            { "from": "2026-03-01T00:00:00Z", "rates": { "input_tokens": "2", "output_tokens": "10" } }
        ] }] }]
    }"#;

    fn called(model: &str, project: Option<&str>) -> BTreeSet<Called> {
        BTreeSet::from([Called {
            service: "acme".to_owned(),
            model: model.to_owned(),
            project: project.map(str::to_owned),
            user: None,
        }])
    }

    fn period(start: &str, end: &str) -> Interval {
        Interval { start: start.parse().unwrap(), end: end.parse().unwrap() }
    }

    #[test]
    fn a_row_that_follows_another_is_a_change_and_the_first_is_none() {
        let book = PriceBook::new(Arc::new(Catalog::from_json(CATALOG).unwrap()));
        let of = |model: &str, start: &str, end: &str| {
            let changes = catalog_changes(&book, &called(model, None), period(start, end));
            let rate = |rate: &RateChange| {
                format!("{} {:?} {:?}", rate.unit.as_str(), rate.before.as_deref(), rate.after.as_deref())
            };
            let change = |change: &PriceChange| {
                format!("{} {}", change.time, change.rates.iter().map(rate).collect::<Vec<_>>().join(", "))
            };
            changes.iter().map(change).collect::<Vec<_>>()
        };
        let february = r#"2026-02-01T00:00:00Z input_tokens Some("3") Some("2")"#;
        let march = r#"2026-03-01T00:00:00Z output_tokens Some("15") Some("10")"#;
        assert_eq!(of("m1", "2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z"), [february, march]);
        assert_eq!(of("m1", "2026-02-15T00:00:00Z", "2026-04-01T00:00:00Z"), [march]);
        assert_eq!(of("m1", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"), [""; 0]);
        assert_eq!(of("other", "2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z"), [""; 0]);
    }

    #[test]
    fn a_rule_is_shown_where_it_is_about_what_was_called() {
        let rule = |scope, model: Option<&str>| Adjustment {
            id: "r".to_owned(),
            scope,
            provider: None,
            model: model.map(|model| model.parse().unwrap()),
            valid_from: Some("2026-02-01T00:00:00Z".parse().unwrap()),
            valid_until: Some("2026-03-01T00:00:00Z".parse().unwrap()),
            kind: AdjustmentKind::Discount(BasisPoints::default()),
            note: None,
        };
        let shown = |rule: &Adjustment, end: &str| {
            let changes = rule_changes(
                std::iter::once(rule),
                &called("m1", Some("p")),
                period("2026-01-01T00:00:00Z", end),
            );
            changes.into_iter().map(|change| change.kind).collect::<Vec<_>>()
        };
        let (begins, ends) = (ChangeKind::RuleBegins, ChangeKind::RuleEnds);
        let (feb, apr) = ("2026-02-15T00:00:00Z", "2026-04-01T00:00:00Z");
        assert_eq!(shown(&rule(Scope::Everything, None), apr), [begins, ends]);
        assert_eq!(shown(&rule(Scope::Everything, Some("m*")), feb), [begins]);
        assert_eq!(shown(&rule(Scope::Project("p".to_owned()), None), feb), [begins]);
        assert_eq!(shown(&rule(Scope::Project("q".to_owned()), None), apr), []);
        assert_eq!(shown(&rule(Scope::Everything, Some("x")), apr), []);
    }
}
