//! The operator's own prices, and names for the catalog's models.

use std::collections::BTreeMap;

use axum::extract::State;
use domain::{IdSource, Invalid, text, user::Role};
use jiff::Timestamp;
use pricing::{
    Adjustment, AdjustmentKind, BasisPoints, Mapping, NamePattern, OwnRates, PriceBook, Scope, Unit,
    file::Rates,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Admin, Auth, Read},
    error::{Failure, Result},
    input::Json,
    price_book::Author,
    reply::Success,
};

/// A rule that makes the cost of some calls another than the catalog's.
///
/// At most one rule with rates, one with a discount and one with a margin apply to a call, in this order: a project's
/// before an account's before everybody's, a narrower model before a wider one, a later start before an earlier one.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PriceRule {
    /// Names the rule; unique. A rule without one is given one.
    id: String,
    /// Only calls for this project.
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<String>,
    /// Only calls that this account recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// Only calls of this provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// Only this model; a `*` at the end stands for any ending.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// First instant at which it applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_from: Option<Timestamp>,
    /// First instant at which it no longer does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    /// Own rates, in US dollars per million units, as text, by unit: `{ "input_tokens": "2.5" }`; by the prompt's size:
    /// `[[0, "2.5"], [200001, "5"]]`. What has no rate has no cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    rates: Option<BTreeMap<Unit, Rates>>,
    /// Less than the list price, in hundredths of a percent: 1250 is 12.5 %.
    #[serde(skip_serializing_if = "Option::is_none")]
    discount_basis_points: Option<i64>,
    /// More than that, in hundredths of a percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    margin_basis_points: Option<i64>,
    /// Why: the contract, the invoice.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

/// Every rule.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceRules {
    /// The rules.
    pub rules: Vec<PriceRule>,
}

/// What a name means that no catalog can know: a deployment, an inference profile, an alias of a proxy.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelMapping {
    /// Only calls of this provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The name; a `*` at the end stands for any ending.
    pub model: String,
    /// Provider of the model that it stands for.
    pub to_service: String,
    /// The model that it stands for, by its name in the catalog.
    pub to_model: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Every name. The first that fits decides.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelMappings {
    /// The names.
    pub mappings: Vec<ModelMapping>,
}

/// The operator's own prices.
#[utoipa::path(get, path = "/prices/overrides", tag = "Prices", operation_id = "get_price_rules",
    responses((status = 200, body = Success<PriceRules>), (status = 401, body = Failure), (status = 403, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_price_rules(State(app): State<App>, auth: Auth<Read>) -> Result<Success<PriceRules>> {
    auth.caller.require_role(Role::Admin)?;
    Ok(Success::ok(PriceRules::of(&app.prices.current())))
}

/// Replace the operator's own prices. Calls from now on follow them at once, and kept records
/// that have no cost soon; others when they are repriced.
#[utoipa::path(put, path = "/prices/overrides", tag = "Prices", operation_id = "replace_price_rules",
    request_body = PriceRules,
    responses((status = 200, body = Success<PriceRules>), (status = 400, body = Failure), (status = 401, body = Failure), (status = 403, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn replace_price_rules(
    State(app): State<App>,
    auth: Auth<Admin>,
    Json(mut new): Json<PriceRules>,
) -> Result<Success<PriceRules>> {
    auth.caller.require_role(Role::Admin)?;
    let now = app.clock.now();
    new.name_the_nameless(&app.ids, now);
    let author = Author { user: Some(auth.caller.user.id), at: now, note: "rules replaced" };
    app.prices.put_adjustments(&*app.meta, new.to_adjustments()?, author).await?;
    app.repricings.prices_changed();
    tracing::info!(user = %auth.caller.user.id, rules = new.rules.len(), "price rules replaced");
    auth.caller.trail.after(&new);
    Ok(Success::ok(new))
}

/// The operator's names for models of the catalog.
#[utoipa::path(get, path = "/prices/mappings", tag = "Prices", operation_id = "get_model_mappings",
    responses((status = 200, body = Success<ModelMappings>), (status = 401, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_model_mappings(State(app): State<App>, _auth: Auth<Read>) -> Result<Success<ModelMappings>> {
    Ok(Success::ok(ModelMappings::of(&app.prices.current())))
}

/// Replace the operator's names for models of the catalog.
#[utoipa::path(put, path = "/prices/mappings", tag = "Prices", operation_id = "replace_model_mappings",
    request_body = ModelMappings,
    responses((status = 200, body = Success<ModelMappings>), (status = 400, body = Failure), (status = 401, body = Failure), (status = 403, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn replace_model_mappings(
    State(app): State<App>,
    auth: Auth<Admin>,
    Json(new): Json<ModelMappings>,
) -> Result<Success<ModelMappings>> {
    auth.caller.require_role(Role::Admin)?;
    let author = Author { user: Some(auth.caller.user.id), at: app.clock.now(), note: "mappings replaced" };
    app.prices.put_mappings(&*app.meta, new.to_mappings()?, author).await?;
    app.repricings.prices_changed();
    tracing::info!(user = %auth.caller.user.id, mappings = new.mappings.len(), "model mappings replaced");
    auth.caller.trail.after(&new);
    Ok(Success::ok(new))
}

impl PriceRules {
    /// Those of `book`.
    pub fn of(book: &PriceBook) -> Self {
        Self { rules: book.adjustments().iter().map(PriceRule::from).collect() }
    }

    /// Gives the rules that have no id one.
    pub fn name_the_nameless(&mut self, ids: &IdSource, now: Timestamp) {
        let nameless = self.rules.iter_mut().filter(|rule| rule.id.is_empty());
        nameless.for_each(|rule| rule.id = format!("rule-{}", ids.next::<PriceRule>(now)));
    }

    /// The rules as the price book knows them.
    pub fn to_adjustments(&self) -> Result<Vec<Adjustment>, Invalid> {
        let rules = self.rules.iter().enumerate();
        rules.map(|(index, rule)| rule.to_adjustment(&format!("rules[{index}]"))).collect()
    }
}

impl ModelMappings {
    /// Those of `book`.
    pub fn of(book: &PriceBook) -> Self {
        Self { mappings: book.mappings().iter().map(ModelMapping::from).collect() }
    }

    /// The names as the price book knows them.
    pub fn to_mappings(&self) -> Result<Vec<Mapping>, Invalid> {
        let lines = self.mappings.iter().enumerate();
        lines.map(|(index, line)| line.to_mapping(&format!("mappings[{index}]"))).collect()
    }
}

impl PriceRule {
    /// The rule as the price book knows it.
    fn to_adjustment(&self, field: &str) -> Result<Adjustment, Invalid> {
        let id = text::dimension_value(&format!("{field}.id"), &self.id)?;
        let scope = match (&self.project_id, &self.user_id) {
            (Some(_), Some(_)) => {
                return Err(Invalid::field(
                    format!("{field}.userId"),
                    "give a project or an account, not both",
                ));
            }
            (Some(project), None) => Scope::Project(id_text(&format!("{field}.projectId"), project)?),
            (None, Some(user)) => Scope::Account(id_text(&format!("{field}.userId"), user)?),
            (None, None) => Scope::Everything,
        };
        let model =
            self.model.as_deref().map(|model| pattern(&format!("{field}.model"), model)).transpose()?;
        let rates = self
            .rates
            .clone()
            .map(|rates| AdjustmentKind::OwnRates(OwnRates { rates, ..OwnRates::default() }));
        let discount = points(&format!("{field}.discountBasisPoints"), self.discount_basis_points)?;
        let margin = points(&format!("{field}.marginBasisPoints"), self.margin_basis_points)?;
        let kinds = [rates, discount.map(AdjustmentKind::Discount), margin.map(AdjustmentKind::Margin)];
        let kinds: Vec<AdjustmentKind> = kinds.into_iter().flatten().collect();
        let [kind] = <[AdjustmentKind; 1]>::try_from(kinds).map_err(|_| {
            Invalid::field(field, "needs exactly one of rates, discountBasisPoints and marginBasisPoints")
        })?;
        Ok(Adjustment {
            id,
            scope,
            provider: self.service.clone(),
            model,
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            kind,
            note: self.note.clone(),
        })
    }
}

impl From<&Adjustment> for PriceRule {
    fn from(rule: &Adjustment) -> Self {
        let (project_id, user_id) = match &rule.scope {
            Scope::Everything => (None, None),
            Scope::Project(project) => (Some(project.clone()), None),
            Scope::Account(account) => (None, Some(account.clone())),
        };
        let blank = Self {
            id: rule.id.clone(),
            project_id,
            user_id,
            service: rule.provider.clone(),
            model: rule.model.clone().map(String::from),
            valid_from: rule.valid_from,
            valid_until: rule.valid_until,
            note: rule.note.clone(),
            ..Self::default()
        };
        match &rule.kind {
            AdjustmentKind::OwnRates(own) => Self { rates: Some(own.rates.clone()), ..blank },
            AdjustmentKind::Discount(points) => Self { discount_basis_points: Some(points.get()), ..blank },
            AdjustmentKind::Margin(points) => Self { margin_basis_points: Some(points.get()), ..blank },
        }
    }
}

impl ModelMapping {
    /// The name as the price book knows it; `field` names it in what is wrong.
    pub fn to_mapping(&self, field: &str) -> Result<Mapping, Invalid> {
        Ok(Mapping {
            provider: self.service.clone(),
            pattern: pattern(&format!("{field}.model"), &self.model)?,
            to_provider: pricing::canonical_provider(&self.to_service).into_owned(),
            to_model: self.to_model.clone(),
            note: self.note.clone(),
        })
    }
}

impl From<&Mapping> for ModelMapping {
    fn from(line: &Mapping) -> Self {
        Self {
            service: line.provider.clone(),
            model: line.pattern.clone().into(),
            to_service: line.to_provider.clone(),
            to_model: line.to_model.clone(),
            note: line.note.clone(),
        }
    }
}

fn pattern(field: &str, text: &str) -> Result<NamePattern, Invalid> {
    text.parse().map_err(|error: pricing::NamePatternError| Invalid::field(field, error.to_string()))
}

fn points(field: &str, points: Option<i64>) -> Result<Option<BasisPoints>, Invalid> {
    let read = |points: i64| {
        points.try_into().map_err(|error: pricing::BasisPointsError| Invalid::field(field, error.to_string()))
    };
    points.map(read).transpose()
}

/// An id in its one spelling, so that it can be compared as text.
fn id_text(field: &str, text: &str) -> Result<String, Invalid> {
    let id: domain::ProjectId =
        text.parse().map_err(|error: domain::id::NotAnId| Invalid::field(field, error.to_string()))?;
    Ok(id.to_string())
}
