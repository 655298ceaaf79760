//! Costs by each dimension.

use std::collections::{HashMap, HashSet};

use domain::{Id, query::Dimension, totals::Totals};
use pricing::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    analytics::{Parts, Question},
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

    pub(super) fn of(self, totals: &Totals) -> i128 {
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
    #[schema(value_type = f64, format = "decimal")]
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

/// Dimensions that the daily sums of the store have; one pass over those answers all of them.
const SUMMED: [Dimension; 4] = [Dimension::Service, Dimension::Model, Dimension::Project, Dimension::User];
/// Dimensions of the allocation; one pass over the records answers all of them.
const ALLOCATED: [Dimension; 5] =
    [Dimension::Department, Dimension::Team, Dimension::Purpose, Dimension::Client, Dimension::Campaign];

impl Breakdown {
    pub(super) async fn of(app: &App, question: &Question, metric: Metric, labels: &Labels) -> Result<Self> {
        let (summed, allocated, tagged, whole) = tokio::try_join!(
            question.breakdowns(app, &SUMMED),
            question.breakdowns(app, &ALLOCATED),
            question.breakdowns(app, &[Dimension::Tag]),
            question.totals(app),
        )?;
        let dimensions = SUMMED.into_iter().chain(ALLOCATED).chain([Dimension::Tag]);
        let parts = summed.into_iter().chain(allocated).chain(tagged);
        let mut slices = dimensions.zip(parts).map(|(dimension, parts)| {
            slices(parts, &whole, metric, question.limit, &|key| labels.of(dimension, key))
        });
        let mut next = || slices.next().unwrap_or_default();
        Ok(Self {
            services: next(),
            models: next(),
            projects: next(),
            users: next(),
            departments: next(),
            teams: next(),
            purposes: next(),
            clients: next(),
            campaigns: next(),
            tags: next(),
        })
    }
}

/// How the values of dimensions are shown.
#[derive(Debug)]
pub(super) struct Labels {
    names: Names,
    projects: HashMap<String, String>,
    keys: HashMap<String, String>,
}

impl Labels {
    pub(super) async fn load(app: &App) -> Result<Self> {
        let projects = app.meta.list_projects().await?;
        let projects = projects.into_iter().map(|project| (project.id.to_string(), project.name)).collect();
        Ok(Self { names: Names::load(app).await?, projects, keys: HashMap::new() })
    }

    /// The same, with the names of the tracker keys among the values of groups.
    pub(super) async fn load_with_keys(
        app: &App,
        question: &Question,
        groups: impl Iterator<Item = &Vec<Option<String>>>,
    ) -> Result<Self> {
        let mut labels = Self::load(app).await?;
        let index = question.group_by.iter().position(|dimension| *dimension == Dimension::TrackerKey);
        let Some(index) = index else { return Ok(labels) };
        let ids: HashSet<&str> = groups.filter_map(|keys| keys.get(index)?.as_deref()).collect();
        for id in ids {
            let Ok(key) = id.parse() else { continue };
            if let Some(key) = app.meta.find_tracker_key_by_id(key).await? {
                labels.keys.insert(id.to_owned(), key.name);
            }
        }
        Ok(labels)
    }

    /// Name, and id if it is of a project or an account.
    pub(super) fn of(&self, dimension: Dimension, key: Option<&str>) -> (String, Option<String>) {
        let Some(key) = key else { return (NONE.to_owned(), None) };
        match dimension {
            Dimension::Project => {
                let name = self.projects.get(key).cloned().unwrap_or_else(|| "(deleted project)".to_owned());
                (name, Some(key.to_owned()))
            }
            Dimension::User => {
                let name = key.parse().map(|id: Id<_>| self.names.of(id).0).unwrap_or_default();
                let name = if name.is_empty() { "(deleted account)".to_owned() } else { name };
                (name, Some(key.to_owned()))
            }
            Dimension::TrackerKey => {
                let name = self.keys.get(key).cloned().unwrap_or_else(|| "(deleted key)".to_owned());
                (name, Some(key.to_owned()))
            }
            Dimension::Service
            | Dimension::Model
            | Dimension::Department
            | Dimension::Team
            | Dimension::Purpose
            | Dimension::Client
            | Dimension::Campaign
            | Dimension::Tag
            | Dimension::Status
            | Dimension::UserEmail
            | Dimension::CustomerEmail
            | Dimension::CostSource => (key.to_owned(), None),
        }
    }
}

/// The name of a value, and its id if it is a project's or an account's.
pub(super) type Label<'a> = &'a dyn Fn(Option<&str>) -> (String, Option<String>);

/// The parts of `whole`, largest first, `limit` of them at most.
pub(super) fn slices(
    parts: Parts,
    whole: &Totals,
    metric: Metric,
    limit: usize,
    label: Label<'_>,
) -> Vec<Slice> {
    let mut parts: Vec<(Option<String>, Totals)> = parts.into_iter().collect();
    parts.sort_by(|(a_key, a), (b_key, b)| metric.of(b).cmp(&metric.of(a)).then_with(|| a_key.cmp(b_key)));
    let slice = |(key, totals): (Option<String>, Totals)| {
        let (name, id) = label(key.as_deref());
        Slice {
            name,
            id,
            cost: totals.cost,
            tokens: totals.tokens,
            requests: totals.requests,
            unpriced_requests: totals.unpriced,
            share: share(metric.of(&totals), metric.of(whole)),
        }
    };
    parts.into_iter().take(limit).map(slice).collect()
}

/// A label that is the value itself.
pub(super) fn plain(key: Option<&str>) -> (String, Option<String>) {
    (key.unwrap_or(NONE).to_owned(), None)
}
