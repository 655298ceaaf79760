//! Access to budgets, whatever they are over.

use std::marker::PhantomData;

use axum::{extract::FromRequestParts, http::request::Parts};
use domain::{
    BudgetId, ProjectId,
    budget::{Scope, ScopedBudget},
    project::Project,
    user::User,
};

use super::{Caller, Grade, authenticate};
use crate::{
    app::App,
    error::{ApiError, ErrorCode, Result},
    input::path_id,
};

/// The budget in the path (`{budgetId}`; a project's id for a project's), after checking that the caller may touch it as
/// `G` says.
#[derive(Debug)]
pub struct BudgetAccess<G> {
    /// Who.
    pub caller: Caller,
    /// What.
    pub budget: ScopedBudget,
    /// Its project, if it is a project's.
    pub project: Option<Project>,
    grade: PhantomData<fn() -> G>,
}

impl<G: Grade> FromRequestParts<App> for BudgetAccess<G> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = authenticate(parts, app).await?;
        caller.require_scope(G::SCOPE)?;
        let id: BudgetId = path_id(parts, "budgetId").await.ok_or_else(budget_not_found)?;
        if let Some(budget) = app.meta.find_budget(id).await? {
            if !may_see_budget(app, &caller.user, &budget.scope).await? {
                return Err(budget_not_found());
            }
            return Ok(Self { caller, budget, project: None, grade: PhantomData });
        }
        let found = caller.find_project(app, ProjectId::from_bytes(*id.bytes())).await?;
        let (project, role) = found.ok_or_else(budget_not_found)?;
        if role < G::ROLE {
            return Err(ApiError::forbidden(&format!("{} of the project", G::ROLE.as_str())));
        }
        let budget = ScopedBudget::of_project(&project).ok_or_else(budget_not_found)?;
        caller.trail.project(project.id);
        Ok(Self { caller, budget, project: Some(project), grade: PhantomData })
    }
}

/// Whether `user` may see a budget over `scope`, and, unless it is a project's, change it: administrators may, and whose
/// tracker key it is.
pub async fn may_see_budget(app: &App, user: &User, scope: &Scope) -> Result<bool> {
    if user.role.sees_everything() {
        return Ok(true);
    }
    Ok(match scope {
        Scope::Project { project_id } => {
            let project = app.meta.find_project(*project_id).await?;
            project.is_some_and(|project| project.role_of(user.id, user.role).is_some())
        }
        Scope::Key { key_id } => {
            let key = app.meta.find_tracker_key_by_id(*key_id).await?;
            key.is_some_and(|key| key.user_id == user.id)
        }
        Scope::Tag { .. } | Scope::Account => false,
    })
}

/// Budgets that are not a project's and that `user` may see, by name.
pub async fn budgets_of(app: &App, user: &User) -> Result<Vec<ScopedBudget>> {
    let mut visible = Vec::new();
    for budget in app.budgets.current(app).await?.budgets() {
        if may_see_budget(app, user, &budget.scope).await? {
            visible.push(ScopedBudget::clone(budget));
        }
    }
    Ok(visible)
}

fn budget_not_found() -> ApiError {
    ApiError::new(ErrorCode::BudgetNotFound, "there is no such budget, or it is not visible to you")
}
