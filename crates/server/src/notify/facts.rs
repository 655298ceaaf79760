//! What events say: the `data` that receivers get.

use domain::{
    AlertId, AnomalyId, BudgetId, KeyId, ProjectId, UserId,
    anomaly::{Anomaly, Basis, Span},
    budget::{Period, Scope, ScopedBudget},
    digest::Frequency,
    fx::Conversion,
    project::{Project, ProjectRole},
};
use jiff::Timestamp;
use pricing::Money;
use serde::{Deserialize, Serialize};

/// A project, by id and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectFacts {
    /// Id.
    pub id: ProjectId,
    /// How it is called.
    pub name: String,
}

impl ProjectFacts {
    /// Those of `project`.
    pub fn of(project: &Project) -> Self {
        Self { id: project.id, name: project.name.clone() }
    }
}

/// A budget, by id, name and what it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetName {
    /// Id; the project's for a project's budget.
    pub id: BudgetId,
    /// How it is called.
    pub name: String,
    /// Whose calls count in it.
    pub scope: Scope,
}

impl BudgetName {
    /// That of `budget`.
    pub fn of(budget: &ScopedBudget) -> Self {
        Self { id: budget.id, name: budget.name.clone(), scope: budget.scope.clone() }
    }

    /// That of the budget of `project`.
    pub fn of_project(project: &Project) -> Self {
        Self {
            id: ScopedBudget::id_of_project(project.id),
            name: project.name.clone(),
            scope: Scope::Project { project_id: project.id },
        }
    }
}

/// `budget.threshold_crossed` and `budget.exceeded`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetFacts {
    /// The alert that fired.
    pub alert_id: AlertId,
    /// Which budget.
    pub budget: BudgetName,
    /// Its project, if it is a project's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub project: Option<ProjectFacts>,
    /// Percent of the amount that was reached.
    pub threshold: u16,
    /// What may be spent, with what increases add and the period before left over.
    pub amount: Money,
    /// Currency of every amount here: `USD`.
    pub currency: String,
    /// The budget's own amount, and the rate at which it was taken, if it is in another currency.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conversion: Option<Conversion>,
    /// What has been spent in the period.
    pub spent: Money,
    /// What is left; negative when it is overrun.
    pub remaining: Money,
    /// Percent of the amount that is spent.
    pub utilization: f64,
    /// How often the budget starts afresh.
    pub period: Period,
    /// First instant of the period.
    pub period_start: Timestamp,
    /// First instant after it, if it ends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub period_end: Option<Timestamp>,
}

/// `cost.anomaly`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnomalyFacts {
    /// The anomaly that was found.
    pub anomaly_id: AnomalyId,
    /// In which project; missing for calls without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub project: Option<ProjectFacts>,
    /// Who sold the calls.
    pub service: String,
    /// Which model.
    pub model: String,
    /// Whether an hour or a UTC day was unusual.
    pub span: Span,
    /// First instant of that hour or day.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// What it had cost when that was found.
    pub spent: Money,
    /// What is usual: the median of the times that it is compared with.
    pub usual: Money,
    /// Median distance from what is usual.
    pub deviation: Money,
    /// How many times were compared with.
    pub samples: u32,
    /// Which times.
    pub basis: Basis,
    /// How many times what is usual, to a tenth.
    pub times: String,
    /// What it is compared with, e.g. `Tuesday`.
    pub usual_time: String,
}

impl AnomalyFacts {
    /// Those of `anomaly`, which was found in `project`.
    pub fn of(anomaly: &Anomaly, project: Option<&Project>) -> Self {
        Self {
            anomaly_id: anomaly.id,
            project: project.map(ProjectFacts::of),
            service: anomaly.series.provider.clone(),
            model: anomaly.series.model.clone(),
            span: anomaly.span,
            start: anomaly.start,
            end: anomaly.period().end,
            spent: anomaly.spent,
            usual: anomaly.usual.median,
            deviation: anomaly.usual.deviation,
            samples: anomaly.usual.samples,
            basis: anomaly.usual.basis,
            times: anomaly.times(),
            usual_time: anomaly.usual_time(),
        }
    }

    /// In one line, e.g. `Chat: gpt-4o spent 4.2 times its usual Tuesday`.
    pub fn title(&self) -> String {
        let Self { project, model, times, usual_time, .. } = self;
        let project = project.as_ref().map(|project| format!("{}: ", project.name)).unwrap_or_default();
        format!("{project}{model} spent {times} times its usual {usual_time}")
    }
}

/// `cost.digest`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DigestFacts {
    /// Whether it is of a week or of a month.
    pub frequency: Frequency,
    /// Zone whose days count.
    pub time_zone: String,
    /// First instant of the week or month.
    pub period_start: Timestamp,
    /// First instant after it.
    pub period_end: Timestamp,
    /// Known costs.
    pub spent: Money,
    /// Those of the week or month before.
    pub previous_spent: Option<Money>,
    /// Calls.
    pub requests: u64,
    /// Tokens.
    pub tokens: u64,
    /// Calls whose cost is unknown.
    pub unpriced_requests: u64,
    /// The projects that cost most.
    pub projects: Vec<SpendingLine>,
    /// The models that cost most.
    pub models: Vec<SpendingLine>,
    /// The budgets of which most is spent, as they stand when this is told.
    pub budgets: Vec<BudgetLine>,
    /// Spending that was far from usual and that nobody expected.
    pub anomalies: usize,
}

/// What something cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendingLine {
    /// How it is called.
    pub name: String,
    /// What it cost.
    pub spent: Money,
}

/// How a budget stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BudgetLine {
    /// Whose budget.
    pub name: String,
    /// What may be spent, in US dollars.
    pub amount: Money,
    /// What is spent of it in its current period.
    pub spent: Money,
    /// The same in percent.
    pub utilization: f64,
    /// First instant after the period, if it ends.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub period_end: Option<Timestamp>,
}

/// `key.added`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyFacts {
    /// `tracker` or `provider`.
    pub kind: &'static str,
    /// Id of a tracker key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<KeyId>,
    /// Name of a tracker key, provider of a provider key.
    pub name: String,
    /// First and last characters.
    pub masked_key: String,
    /// Whose key.
    pub user_id: UserId,
}

/// `project.created`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreationFacts {
    /// The project.
    pub project: ProjectFacts,
    /// Who made it.
    pub user_id: UserId,
}

/// `member.added`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberFacts {
    /// The project.
    pub project: ProjectFacts,
    /// Who became a member.
    pub user_id: UserId,
    /// What they may do.
    pub role: ProjectRole,
    /// Who added them.
    pub added_by: UserId,
}

/// `price.missing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PriceFacts {
    /// Who sold the call.
    pub service: String,
    /// The model that has no price.
    pub model: String,
    /// Why it has none.
    pub reason: String,
    /// The project of the call, if it has one.
    #[serde(rename = "projectId", skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
}

impl PriceFacts {
    /// What is told once a day: a model of a provider, for each project.
    pub fn once(&self) -> String {
        let project = self.project_id.map(|id| id.to_string()).unwrap_or_default();
        format!("{project}/{}/{}", self.service, self.model)
    }
}

/// `webhook.test`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestFacts {
    /// For people.
    pub message: &'static str,
    /// Who pressed the button.
    pub user_id: UserId,
}
