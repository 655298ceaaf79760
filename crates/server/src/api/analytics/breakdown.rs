//! Costs by each dimension.

use std::cmp::Reverse;

use domain::{
    Id,
    query::{Dimension, Group},
    totals::Totals,
};
use pricing::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    analytics::Question,
    api::{analytics::share, projects::Names, usage_query::NONE},
    app::App,
    error::Result,
};

/// What breakdowns are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Known costs.
    Cost,
    /// Tokens.
    Tokens,
    /// Calls.
    Requests,
}

impl Metric {
    /// The metric that a caller names.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "cost" => Some(Self::Cost),
            "tokens" => Some(Self::Tokens),
            "requests" => Some(Self::Requests),
            _ => None,
        }
    }

    fn of(self, totals: &Totals) -> i128 {
        match self {
            Self::Cost => i128::from(totals.cost.nanos()),
            Self::Tokens => i128::from(totals.tokens),
            Self::Requests => i128::from(totals.requests),
        }
    }
}

/// One value of a dimension and its part of the whole.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Slice {
    /// The value; a project's or a person's name; `(none)` where the records have none.
    name: String,
    /// Id of the project or account.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Known costs.
    #[schema(value_type = f64)]
    cost: Money,
    /// Tokens.
    tokens: u64,
    /// Calls.
    requests: u64,
    /// Calls whose cost is unknown.
    unpriced_requests: u64,
    /// Part of the whole in the metric asked for, 0 to 1. Tags can add up to more: a call may have several.
    share: Option<f64>,
}

/// Costs by each dimension, largest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Breakdown {
    /// By who sold the call.
    services: Vec<Slice>,
    /// By model.
    models: Vec<Slice>,
    /// By project.
    projects: Vec<Slice>,
    /// By account.
    users: Vec<Slice>,
    /// By department.
    departments: Vec<Slice>,
    /// By team.
    teams: Vec<Slice>,
    /// By purpose.
    purposes: Vec<Slice>,
    /// By client.
    clients: Vec<Slice>,
    /// By campaign.
    campaigns: Vec<Slice>,
    /// By tag.
    tags: Vec<Slice>,
}

impl Breakdown {
    pub(super) async fn of(app: &App, question: &Question, metric: Metric, names: &Names) -> Result<Self> {
        let by = async |dimension| slices(app, question, dimension, metric, names).await;
        Ok(Self {
            services: by(Dimension::Service).await?,
            models: by(Dimension::Model).await?,
            projects: by(Dimension::Project).await?,
            users: by(Dimension::User).await?,
            departments: by(Dimension::Department).await?,
            teams: by(Dimension::Team).await?,
            purposes: by(Dimension::Purpose).await?,
            clients: by(Dimension::Client).await?,
            campaigns: by(Dimension::Campaign).await?,
            tags: by(Dimension::Tag).await?,
        })
    }
}

/// The values of one dimension, largest first, as many as the question asks for.
pub(super) async fn slices(
    app: &App,
    question: &Question,
    dimension: Dimension,
    metric: Metric,
    names: &Names,
) -> Result<Vec<Slice>> {
    let mut groups = question.breakdown(app, dimension).await?;
    let whole = metric.of(&question.totals(app).await?);
    groups.sort_by_key(|group| Reverse(metric.of(&group.totals)));
    groups.truncate(question.limit);
    let projects = if dimension == Dimension::Project { app.meta.list_projects().await? } else { Vec::new() };
    let view = |group: &Group| {
        let key = group.keys.first().cloned().flatten();
        let name = match (dimension, &key) {
            (_, None) => NONE.to_owned(),
            (Dimension::Project, Some(id)) => projects
                .iter()
                .find(|project| project.id.to_string() == *id)
                .map_or_else(|| "(deleted project)".to_owned(), |project| project.name.clone()),
            (Dimension::User, Some(id)) => id.parse().map(|id: Id<_>| names.of(id).0).unwrap_or_default(),
            (_, Some(value)) => value.clone(),
        };
        let has_id = matches!(dimension, Dimension::Project | Dimension::User);
        Slice {
            name,
            id: key.filter(|_| has_id),
            cost: group.totals.cost,
            tokens: group.totals.tokens,
            requests: group.totals.requests,
            unpriced_requests: group.totals.unpriced,
            share: share(metric.of(&group.totals), whole),
        }
    };
    Ok(groups.iter().map(view).collect())
}
