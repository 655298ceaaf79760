//! Projects.

use std::collections::HashMap;

use axum::extract::State;
use domain::{
    Interval, Invalid, ProjectId, UserId,
    allocation::Tags,
    budget::{Budget, Limit, Period, Scope, ScopedBudget, utilization_percent},
    event::EventType,
    project::{Member, Project, ProjectChange, ProjectRole, ProjectSettings},
    query::{Dimension, Filter, UsageQuery, Visibility},
    totals::Totals,
    user::Role,
};
use jiff::Timestamp;
use pricing::Money;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{members::MemberView, usage_query::Paging},
    app::App,
    auth::{Auth, Editor, Owner, ProjectAccess, Read, Viewer, Write, projects_of},
    budgets,
    error::{Failure, Result},
    input::{Json, Pairs},
    notify::{
        self, budget_hook,
        event::About,
        facts::{CreationFacts, ProjectFacts},
    },
    reply::{Nothing, Success},
};

/// A project as the caller sees it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectView {
    /// The project id.
    #[schema(value_type = String)]
    id: ProjectId,
    /// The same id, for older clients.
    #[serde(rename = "_id")]
    #[schema(value_type = String)]
    object_id: ProjectId,
    /// How it is called.
    name: String,
    /// What it is.
    description: String,
    /// What it may spend.
    budget: Option<Budget>,
    /// What it has spent in its current period.
    spending: Spending,
    /// Words to find it by.
    tags: Tags,
    /// What its calls may be.
    settings: ProjectSettings,
    /// Who may see and change it.
    members: Vec<MemberView>,
    /// What the caller may do.
    role: ProjectRole,
    /// Whether it takes new usage.
    is_active: bool,
    /// Whether it is demo data.
    is_demo: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// What a project has spent in the current period of its budget; in the current month (UTC), if it has none.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spending {
    /// Known costs.
    #[schema(value_type = f64, format = "decimal")]
    pub total_cost: Money,
    /// Calls.
    pub total_requests: u64,
    /// Tokens.
    pub total_tokens: u64,
    /// Calls whose cost is unknown.
    pub unpriced_requests: u64,
    /// What is left of the budget; negative when it is overrun.
    #[schema(value_type = Option<f64>, format = "decimal")]
    pub remaining: Option<Money>,
    /// Percent of the budget that is used.
    pub budget_utilization: Option<f64>,
    /// First instant of the period.
    #[schema(value_type = String, format = DateTime)]
    pub period_start: Timestamp,
    /// First instant after it; `null` for a one-time budget.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub period_end: Option<Timestamp>,
}

/// List the projects that the caller is a member of; an administrator sees every one.
#[utoipa::path(get, path = "/projects", tag = "Projects", operation_id = "list_projects",
    params(Paging, ("search" = Option<String>, Query, description = "Words in name, description or tags")),
    responses((status = 200, body = Success<Vec<ProjectView>>), (status = 401, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_projects(
    State(app): State<App>,
    auth: Auth<Read>,
    pairs: Pairs,
) -> Result<Success<Vec<ProjectView>>> {
    pairs.only(|name| matches!(name, "page" | "limit" | "search" | "sort" | "order"))?;
    let paging = Paging::from_pairs(&pairs)?;
    let user = &auth.caller.user;
    let mut projects = projects_of(&app, user).await?;
    if let Some(search) = pairs.last("search") {
        let search = search.to_lowercase();
        projects.retain(|project| mentions(project, &search));
    }
    sort(&mut projects, &pairs)?;
    let (page, pagination) = paging.page_of(projects);
    let spending = spending_of(&app, &page).await?;
    let names = Names::load(&app).await?;
    let views = page.into_iter().filter_map(|project| {
        let role = project.role_of(user.id, user.role)?;
        let spending = spending.get(&project.id)?.clone();
        Some(view(project, role, spending, &names))
    });
    Ok(Success::ok(views.collect()).with_pagination(pagination))
}

/// Make a project. The caller becomes its owner.
#[utoipa::path(post, path = "/projects", tag = "Projects", operation_id = "create_project",
    request_body = ProjectChange,
    responses((status = 201, body = Success<ProjectView>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["write"])))]
pub async fn create_project(
    State(app): State<App>,
    auth: Auth<Write>,
    Json(change): Json<ProjectChange>,
) -> Result<Success<ProjectView>> {
    auth.caller.require_role(Role::Member)?;
    if change.name.is_none() {
        return Err(Invalid::field("name", "is required").into());
    }
    let now = app.clock.now();
    let owner = Member { user_id: auth.caller.user.id, role: ProjectRole::Owner, added_at: now };
    let mut project = Project {
        id: app.ids.next(now),
        name: String::new(),
        description: String::new(),
        budget: None,
        tags: Tags::default(),
        settings: ProjectSettings::default(),
        members: vec![owner],
        is_active: true,
        demo: false,
        created_at: now,
        updated_at: now,
        archived_at: None,
    };
    project.apply(change, now)?;
    budgets::require_rate(&app, project.budget.as_ref(), "budget").await?;
    app.meta.insert_project(&project).await?;
    tracing::info!(project = %project.id, user = %auth.caller.user.id, "project made");
    auth.caller.trail.project(project.id);
    auth.caller.trail.after(&ProjectFields::of(&project));
    announce_creation(&app, &project, auth.caller.user.id).await;
    budget_hook::ensure_all(&app, ScopedBudget::of_project(&project)).await?;
    view_one(&app, project, ProjectRole::Owner).await.map(Success::created)
}

/// One project.
#[utoipa::path(get, path = "/projects/{projectId}", tag = "Projects", operation_id = "get_project",
    params(("projectId" = String, Path, description = "Id of the project")),
    responses((status = 200, body = Success<ProjectView>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn get_project(
    State(app): State<App>,
    access: ProjectAccess<Viewer>,
) -> Result<Success<ProjectView>> {
    view_one(&app, access.project, access.role).await.map(Success::ok)
}

/// Change a project. Fields that are missing stay as they are.
#[utoipa::path(put, path = "/projects/{projectId}", tag = "Projects", operation_id = "update_project",
    params(("projectId" = String, Path, description = "Id of the project")),
    request_body = ProjectChange,
    responses((status = 200, body = Success<ProjectView>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["write"])))]
pub async fn update_project(
    State(app): State<App>,
    access: ProjectAccess<Editor>,
    Json(change): Json<ProjectChange>,
) -> Result<Success<ProjectView>> {
    let mut project = access.project;
    access.caller.trail.before(&ProjectFields::of(&project));
    project.apply(change, app.clock.now())?;
    budgets::require_rate(&app, project.budget.as_ref(), "budget").await?;
    access.caller.trail.after(&ProjectFields::of(&project));
    app.meta.update_project(&project).await?;
    budget_hook::ensure_all(&app, ScopedBudget::of_project(&project)).await?;
    app.watch.mark(Scope::Project { project_id: project.id }, project.updated_at);
    view_one(&app, project, access.role).await.map(Success::ok)
}

/// Delete a project. Its records are kept; nobody sees it any more.
#[utoipa::path(delete, path = "/projects/{projectId}", tag = "Projects", operation_id = "delete_project",
    params(("projectId" = String, Path, description = "Id of the project")),
    responses((status = 200, body = Success<Nothing>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["write"])))]
pub async fn delete_project(
    State(app): State<App>,
    access: ProjectAccess<Owner>,
) -> Result<Success<Nothing>> {
    let mut project = access.project;
    access.caller.trail.before(&ProjectFields::of(&project));
    project.archived_at = Some(app.clock.now());
    app.meta.update_project(&project).await?;
    if let Some(budget) = ScopedBudget::of_project(&project) {
        app.ledger.close(&budget);
    }
    tracing::info!(project = %project.id, user = %access.caller.user.id, "project deleted");
    Ok(Success::ok(Nothing {}).with_message("project deleted"))
}

/// What the audit log says of a project.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProjectFields<'a> {
    name: &'a str,
    description: &'a str,
    budget: Option<&'a Budget>,
    tags: &'a Tags,
    settings: &'a ProjectSettings,
    is_active: bool,
}

impl<'a> ProjectFields<'a> {
    fn of(project: &'a Project) -> Self {
        let Project { name, description, budget, tags, settings, is_active, .. } = project;
        Self { name, description, budget: budget.as_ref(), tags, settings, is_active: *is_active }
    }
}

async fn announce_creation(app: &App, project: &Project, user_id: UserId) {
    let facts = CreationFacts { project: ProjectFacts::of(project), user_id };
    notify::announce(app, EventType::ProjectCreated, About::project(project.id), &facts).await;
}

/// What each of `projects` has spent in its current period; one query for each distinct period.
pub async fn spending_of(app: &App, projects: &[Project]) -> Result<HashMap<ProjectId, Spending>> {
    let now = app.clock.now();
    let mut by_period: HashMap<Interval, Vec<&Project>> = HashMap::new();
    for project in projects {
        by_period.entry(current_period(project, now)).or_default().push(project);
    }
    let mut spending = HashMap::new();
    for (period, projects) in by_period {
        let query = UsageQuery {
            filter: Filter::all(Visibility::Everything).during(period),
            buckets: None,
            group_by: vec![Dimension::Project],
        };
        let groups = app.usage.aggregate(&query).await?;
        let key = |id: ProjectId| vec![Some(id.to_string())];
        for project in projects {
            let totals = groups.iter().find(|group| group.keys == key(project.id)).map(|group| group.totals);
            let limit = match ScopedBudget::of_project(project) {
                Some(budget) => budgets::limit(app, budget).await?,
                None => None,
            };
            spending.insert(project.id, Spending::new(limit, period, totals.unwrap_or_default()));
        }
    }
    Ok(spending)
}

/// The period of the budget that `now` falls into; the calendar month in UTC without a budget.
pub fn current_period(project: &Project, now: Timestamp) -> Interval {
    match &project.budget {
        Some(budget) => budget.period_containing(now),
        None => Period::calendar_month(now),
    }
}

impl Spending {
    pub(super) fn new(limit: Option<Limit>, period: Interval, totals: Totals) -> Self {
        let limit = limit.map(|limit| limit.total());
        Self {
            total_cost: totals.cost,
            total_requests: totals.requests,
            total_tokens: totals.tokens,
            unpriced_requests: totals.unpriced,
            remaining: limit.and_then(|limit| limit.checked_sub(totals.cost)),
            budget_utilization: limit.map(|limit| utilization_percent(limit, totals.cost)),
            period_start: period.start,
            period_end: (period.end != Timestamp::MAX).then_some(period.end),
        }
    }
}

/// How accounts are called.
#[derive(Debug)]
pub(super) struct Names(HashMap<UserId, (String, String)>);

impl Names {
    pub(super) async fn load(app: &App) -> Result<Self> {
        let users = app.meta.list_users().await?;
        Ok(Self(users.into_iter().map(|user| (user.id, (user.name, user.email))).collect()))
    }

    /// Name and e-mail address; empty for an account that was deleted.
    pub(super) fn of(&self, user: UserId) -> (String, String) {
        self.0.get(&user).cloned().unwrap_or_default()
    }
}

async fn view_one(app: &App, project: Project, role: ProjectRole) -> Result<ProjectView> {
    let mut spending = spending_of(app, std::slice::from_ref(&project)).await?;
    let totals = spending.remove(&project.id);
    let spending = totals
        .unwrap_or_else(|| Spending::new(None, current_period(&project, app.clock.now()), Totals::default()));
    Ok(view(project, role, spending, &Names::load(app).await?))
}

fn view(project: Project, role: ProjectRole, spending: Spending, names: &Names) -> ProjectView {
    ProjectView {
        id: project.id,
        object_id: project.id,
        name: project.name,
        description: project.description,
        budget: project.budget,
        spending,
        tags: project.tags,
        settings: project.settings,
        members: project.members.iter().map(|member| MemberView::new(member, names)).collect(),
        role,
        is_active: project.is_active,
        is_demo: project.demo,
        created_at: project.created_at,
        updated_at: project.updated_at,
    }
}

fn mentions(project: &Project, search: &str) -> bool {
    let texts = [project.name.as_str(), project.description.as_str()].into_iter().chain(project.tags.iter());
    texts.into_iter().any(|text| text.to_lowercase().contains(search))
}

fn sort(projects: &mut [Project], pairs: &Pairs) -> Result<(), Invalid> {
    match pairs.last("sort").unwrap_or("name") {
        "name" => projects.sort_by_key(|project| project.name.to_lowercase()),
        "createdAt" => projects.sort_by_key(|project| project.created_at),
        "updatedAt" => projects.sort_by_key(|project| project.updated_at),
        _ => return Err(Invalid::field("sort", "must be name, createdAt or updatedAt")),
    }
    match pairs.last("order").unwrap_or("asc") {
        "asc" => {}
        "desc" => projects.reverse(),
        _ => return Err(Invalid::field("order", "must be asc or desc")),
    }
    Ok(())
}
