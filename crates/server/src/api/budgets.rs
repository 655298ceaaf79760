//! Budgets: of projects, of tracker keys, of tags and of the whole account.

pub mod increases;
pub mod status;

use std::{collections::HashMap, slice};

use axum::extract::State;
use domain::{
    BudgetId, Interval, Invalid, ProjectId,
    budget::{Budget, NewBudget, Scope, ScopedBudget},
    limits,
    project::Project,
    query::{Dimension, Filter, UsageQuery, Visibility},
    totals::Totals,
};
use jiff::Timestamp;
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

use crate::{
    api::projects::{Spending, spending_of},
    app::App,
    auth::{
        Auth, Caller, Editor, Read, Viewer, Write,
        budget::{BudgetAccess, budgets_of, may_see_budget},
        projects_of,
    },
    budgets,
    error::{ApiError, ErrorCode, Failure, Result},
    input::Json,
    notify::budget_hook,
    reply::{Nothing, Success},
};

/// A budget and what is spent of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BudgetView {
    /// Id; the project's for a project's budget.
    #[schema(value_type = String)]
    id: BudgetId,
    /// How it is called; the project's name for a project's budget.
    name: String,
    /// Whose calls count in it.
    scope: Scope,
    /// The project, if it is a project's budget.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// How the project is called.
    project_name: Option<String>,
    /// What may be spent.
    budget: Budget,
    /// What is spent in its current period.
    spending: Spending,
    /// When it, or its project, was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it, or its project, was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// List the budgets that one may see: of one's projects and tracker keys; an administrator sees every one.
#[utoipa::path(get, path = "/budgets", tag = "Budgets", operation_id = "list_budgets",
    responses((status = 200, body = Success<Vec<BudgetView>>), (status = 401, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_budgets(State(app): State<App>, auth: Auth<Read>) -> Result<Success<Vec<BudgetView>>> {
    let mut projects = projects_of(&app, &auth.caller.user).await?;
    projects.retain(|project| project.budget.is_some());
    let mut spending = spending_of(&app, &projects).await?;
    let view = |project: &Project| {
        Some(BudgetView::new(ScopedBudget::of_project(project)?, spending.remove(&project.id)?))
    };
    let mut views: Vec<BudgetView> = projects.iter().filter_map(view).collect();
    let own = budgets_of(&app, &auth.caller.user).await?;
    let mut spending = spending_in(&app, &own).await?;
    views.extend(own.into_iter().filter_map(|budget| {
        let spending = spending.remove(&budget.id)?;
        Some(BudgetView::new(budget, spending))
    }));
    Ok(Success::ok(views))
}

/// Make a budget of a tracker key, of a tag or of the whole account. A project's budget is part of the project.
#[utoipa::path(post, path = "/budgets", tag = "Budgets", operation_id = "create_budget",
    request_body = NewBudget,
    responses((status = 201, body = Success<BudgetView>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["write"])))]
pub async fn create_budget(
    State(app): State<App>,
    auth: Auth<Write>,
    Json(new): Json<NewBudget>,
) -> Result<Success<BudgetView>> {
    let NewBudget { name, scope, budget: terms } = new.checked()?;
    may_make(&app, &auth.caller, &scope).await?;
    budgets::require_rate(&app, Some(&terms), "budget").await?;
    if app.budgets.current(&app).await?.budgets().len() >= limits::BUDGETS_MAX {
        let message = format!("there are {} budgets already; delete some", limits::BUDGETS_MAX);
        return Err(Invalid::field("scope", message).into());
    }
    let now = app.clock.now();
    let budget = ScopedBudget {
        id: app.ids.next(now),
        name,
        scope,
        terms,
        created_by: Some(auth.caller.user.id),
        created_at: now,
        updated_at: now,
    };
    app.meta.insert_budget(&budget).await?;
    tracing::info!(budget = %budget.id, user = %auth.caller.user.id, "budget made");
    auth.caller.trail.after(&BudgetFields::of(&budget));
    settle_in(&app, &budget).await?;
    view_one(&app, budget).await.map(Success::created)
}

/// One budget. A project's budget has the project's id.
#[utoipa::path(get, path = "/budgets/{budgetId}", tag = "Budgets", operation_id = "get_budget",
    params(("budgetId" = String, Path, description = "Id of the budget, or of the project whose budget it is")),
    responses((status = 200, body = Success<BudgetView>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_budget(State(app): State<App>, access: BudgetAccess<Viewer>) -> Result<Success<BudgetView>> {
    view_one(&app, access.budget).await.map(Success::ok)
}

/// Change name and terms of a budget that is not a project's. What it is over stays.
#[utoipa::path(put, path = "/budgets/{budgetId}", tag = "Budgets", operation_id = "update_budget",
    params(("budgetId" = String, Path, description = "Id of the budget")),
    request_body = NewBudget,
    responses((status = 200, body = Success<BudgetView>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["write"])))]
pub async fn update_budget(
    State(app): State<App>,
    access: BudgetAccess<Editor>,
    Json(new): Json<NewBudget>,
) -> Result<Success<BudgetView>> {
    let NewBudget { name, scope, budget: terms } = new.checked()?;
    if scope != access.budget.scope {
        let message = "what a budget is over does not change; make another one";
        return Err(Invalid::field("scope", message).into());
    }
    budgets::require_rate(&app, Some(&terms), "budget").await?;
    access.caller.trail.before(&BudgetFields::of(&access.budget));
    let budget = ScopedBudget { name, terms, updated_at: app.clock.now(), ..access.budget };
    access.caller.trail.after(&BudgetFields::of(&budget));
    if !app.meta.update_budget(&budget).await? {
        return Err(ApiError::new(ErrorCode::BudgetNotFound, "the budget is gone"));
    }
    settle_in(&app, &budget).await?;
    view_one(&app, budget).await.map(Success::ok)
}

/// Delete a budget that is not a project's, with its increases and alerts.
#[utoipa::path(delete, path = "/budgets/{budgetId}", tag = "Budgets", operation_id = "delete_budget",
    params(("budgetId" = String, Path, description = "Id of the budget")),
    responses((status = 200, body = Success<Nothing>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["write"])))]
pub async fn delete_budget(State(app): State<App>, access: BudgetAccess<Editor>) -> Result<Success<Nothing>> {
    if let Some(project) = &access.project {
        let message =
            format!("a project's budget is part of the project: PUT /api/projects/{} with null", project.id);
        return Err(Invalid::field("budgetId", message).into());
    }
    access.caller.trail.before(&BudgetFields::of(&access.budget));
    app.meta.delete_budget(access.budget.id).await?;
    app.ledger.close(&access.budget);
    tracing::info!(budget = %access.budget.id, user = %access.caller.user.id, "budget deleted");
    Ok(Success::ok(Nothing {}).with_message("budget deleted"))
}

/// What follows when a budget is made or changed.
async fn settle_in(app: &App, budget: &ScopedBudget) -> Result<()> {
    budget_hook::ensure_all(app, Some(budget.clone())).await?;
    app.watch.mark(budget.scope.clone(), budget.updated_at);
    Ok(())
}

/// `Err` unless the caller may make a budget over `scope`.
async fn may_make(app: &App, caller: &Caller, scope: &Scope) -> Result<()> {
    let may = may_see_budget(app, &caller.user, scope).await?;
    if let Scope::Key { key_id } = scope
        && (!may || app.meta.find_tracker_key_by_id(*key_id).await?.is_none())
    {
        return Err(ApiError::new(
            ErrorCode::KeyNotFound,
            "there is no such tracker key, or it is not yours",
        ));
    }
    if may { Ok(()) } else { Err(ApiError::forbidden("admin")) }
}

/// What the audit log says of a budget.
#[derive(Debug, Serialize)]
struct BudgetFields<'a> {
    name: &'a str,
    scope: &'a Scope,
    budget: &'a Budget,
}

impl<'a> BudgetFields<'a> {
    fn of(budget: &'a ScopedBudget) -> Self {
        Self { name: &budget.name, scope: &budget.scope, budget: &budget.terms }
    }
}

async fn view_one(app: &App, budget: ScopedBudget) -> Result<BudgetView> {
    let spending = spending_in(app, slice::from_ref(&budget)).await?.remove(&budget.id);
    let spending = spending.ok_or_else(|| ApiError::internal("a budget has no spending"))?;
    Ok(BudgetView::new(budget, spending))
}

/// What counts in each of `budgets` in its current period; one question for each distinct period and kind of scope.
pub async fn spending_in(app: &App, budgets: &[ScopedBudget]) -> Result<HashMap<BudgetId, Spending>> {
    let now = app.clock.now();
    let mut alike: HashMap<(Interval, Option<Dimension>), Vec<&ScopedBudget>> = HashMap::new();
    for budget in budgets {
        let kind = budget.scope.selected().map(|(dimension, _)| dimension);
        alike.entry((budget.terms.period_containing(now), kind)).or_default().push(budget);
    }
    let mut spending = HashMap::new();
    for ((period, kind), budgets) in alike {
        let scopes: Vec<&Scope> = budgets.iter().map(|budget| &budget.scope).collect();
        let totals = totals_by_scope(app, period, kind, &scopes).await?;
        for budget in budgets {
            let own = totals.get(&budget.scope).copied().unwrap_or_default();
            let limit = budgets::limit(app, budget.clone()).await?;
            spending.insert(budget.id, Spending::new(limit, period, own));
        }
    }
    Ok(spending)
}

/// Sums of `period` for each of `scopes`, which select by `kind`.
async fn totals_by_scope(
    app: &App,
    period: Interval,
    kind: Option<Dimension>,
    scopes: &[&Scope],
) -> Result<HashMap<Scope, Totals>> {
    let mut filter = Filter::all(Visibility::Everything).during(period);
    for (dimension, value) in scopes.iter().filter_map(|scope| scope.selected()) {
        filter.selections.entry(dimension).or_default().include.push(value);
    }
    let query = UsageQuery { filter, buckets: None, group_by: kind.into_iter().collect() };
    let mut totals = HashMap::new();
    match app.usage.aggregate(&query).await {
        // Records with one of the tags have too many others.
        Err(StoreError::TooManyGroups(_)) => {
            for scope in scopes {
                let filter = scope.filter().during(period);
                let query = UsageQuery { filter, buckets: None, group_by: Vec::new() };
                let groups = app.usage.aggregate(&query).await?;
                totals.extend(groups.first().map(|group| (Scope::clone(scope), group.totals)));
            }
        }
        groups => {
            let by_value: HashMap<Option<String>, Totals> = groups?
                .into_iter()
                .map(|group| (group.keys.into_iter().flatten().next(), group.totals))
                .collect();
            for scope in scopes {
                let value = scope.selected().map(|(_, value)| value);
                totals.extend(by_value.get(&value).map(|totals| (Scope::clone(scope), *totals)));
            }
        }
    }
    Ok(totals)
}

impl BudgetView {
    fn new(budget: ScopedBudget, spending: Spending) -> Self {
        let project_id = budget.project_id();
        Self {
            id: budget.id,
            project_name: project_id.map(|_| budget.name.clone()),
            name: budget.name,
            scope: budget.scope,
            project_id,
            budget: budget.terms,
            spending,
            created_at: budget.created_at,
            updated_at: budget.updated_at,
        }
    }
}
