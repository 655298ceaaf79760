//! Budgets as things of their own, whatever they are over.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Budget, Scope};
use crate::{BudgetId, IncreaseId, Invalid, ProjectId, UserId, invalid::Problems, project::Project, text};
use pricing::Money;

/// A budget, with what it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopedBudget {
    /// Identifies it for ever; that of its project for a project's.
    pub id: BudgetId,
    /// How it is called.
    pub name: String,
    /// Whose calls count in it.
    pub scope: Scope,
    /// What may be spent.
    pub terms: Budget,
    /// Who made it; unknown of a project's.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl ScopedBudget {
    /// The budget of `project`, if it has one. Its id is the project's.
    pub fn of_project(project: &Project) -> Option<Self> {
        Some(Self {
            id: Self::id_of_project(project.id),
            name: project.name.clone(),
            scope: Scope::Project { project_id: project.id },
            terms: project.budget.clone()?,
            created_by: None,
            created_at: project.created_at,
            updated_at: project.updated_at,
        })
    }

    /// The id of a project's budget.
    pub const fn id_of_project(project: ProjectId) -> BudgetId {
        BudgetId::from_bytes(*project.bytes())
    }

    /// Its project, if it is a project's.
    pub const fn project_id(&self) -> Option<ProjectId> {
        self.scope.project_id()
    }

    /// Its name and what it is over, for people.
    pub fn describe(&self) -> String {
        match &self.scope {
            Scope::Project { .. } => format!("the budget of project {:?}", self.name),
            scope => format!("the budget {:?} of {scope}", self.name),
        }
    }
}

/// A budget that is not a project's, as it is made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewBudget {
    /// How it is called.
    #[schema(max_length = 200)]
    pub name: String,
    /// Whose calls count in it. What a budget is over does not change afterwards.
    pub scope: Scope,
    /// What may be spent.
    pub budget: Budget,
}

impl NewBudget {
    /// The same, checked.
    pub fn checked(self) -> Result<Self, Invalid> {
        let mut problems = Problems::default();
        let name = problems.take(text::name("name", &self.name)).unwrap_or_default();
        problems.take(self.budget.check("budget"));
        let scope = match self.scope {
            Scope::Tag { tag } => Scope::Tag {
                tag: problems.take(text::dimension_value("scope.tag", &tag)).unwrap_or_default(),
            },
            Scope::Project { project_id } => {
                let message = format!(
                    "a project's budget is part of the project: PUT /api/projects/{project_id} sets it, with `budget`"
                );
                problems.add("scope.type", message);
                Scope::Project { project_id }
            }
            scope @ (Scope::Key { .. } | Scope::Account) => scope,
        };
        problems.into_result().map(|()| Self { name, scope, budget: self.budget })
    }
}

/// More that may be spent for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Increase {
    /// Identifies it.
    pub id: IncreaseId,
    /// Of which budget.
    pub budget_id: BudgetId,
    /// How much more, in the budget's currency.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// Who granted it.
    pub created_by: UserId,
    /// When it was granted, and counts from.
    pub created_at: Timestamp,
    /// The first instant at which it does not count any more.
    pub until: Timestamp,
    /// When it was withdrawn, if it was.
    pub withdrawn_at: Option<Timestamp>,
}

impl Increase {
    /// Whether it counts at `at`.
    pub fn counts_at(&self, at: Timestamp) -> bool {
        let end = self.withdrawn_at.map_or(self.until, |withdrawn| withdrawn.min(self.until));
        self.created_at <= at && at < end
    }
}

/// An increase, as it is granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewIncrease {
    /// How much more, in the budget's currency; more than 0.
    #[schema(value_type = f64, exclusive_minimum = 0)]
    pub amount: Money,
    /// The first instant at which it does not count any more.
    #[schema(value_type = String, format = DateTime)]
    pub until: Timestamp,
    /// Why.
    #[schema(max_length = 4000)]
    pub reason: String,
}

impl NewIncrease {
    /// The same, checked at `now`.
    pub fn checked(self, now: Timestamp) -> Result<Self, Invalid> {
        let mut problems = Problems::default();
        if self.amount <= Money::ZERO {
            problems.add("amount", "must be more than 0");
        }
        if self.until <= now {
            problems.add("until", "must be in the future");
        }
        let reason = problems.take(text::description("reason", &self.reason)).unwrap_or_default();
        if reason.is_empty() {
            problems.add("reason", "must not be empty");
        }
        problems.into_result().map(|()| Self { reason, ..self })
    }
}
