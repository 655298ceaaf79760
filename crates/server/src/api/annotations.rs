//! What happened, so that costs can be looked at against it: deploys, launches, outages.

use std::collections::HashMap;

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use domain::{
    AnnotationId, Invalid, ProjectId, UserId,
    allocation::Tags,
    annotation::{Annotation, check_link, check_title},
    limits as bounds,
    project::ProjectRole,
    user::Role,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::AnnotationQuery;
use utoipa::ToSchema;

use crate::{
    api::usage_query::period,
    app::App,
    auth::{Auth, Caller, Ingest, Read, Write, projects_of},
    error::{ApiError, ErrorCode, Failure, Result},
    input::{Json, Query, path_id},
    reply::{Nothing, PageSize, Success},
};

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnnotationView {
    /// Id.
    #[schema(value_type = String)]
    id: AnnotationId,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    /// What happened.
    title: String,
    /// The project it is about; `null` for the whole installation.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// How the project is called.
    project_name: Option<String>,
    /// Words to find it by.
    #[schema(value_type = Vec<String>)]
    tags: Tags,
    /// Where there is more about it.
    link: Option<String>,
    /// Account of who said so.
    #[schema(value_type = String)]
    created_by: UserId,
    /// When they said so.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// Which part of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub struct AnnotationParams {
    /// First day or instant: `2024-01-01` or RFC 3339.
    start_date: Option<String>,
    /// Last day, which is included whole, or the instant after the last one.
    end_date: Option<String>,
    /// Zone whose days count. UTC unless told otherwise.
    time_zone: Option<String>,
    /// Those of this project, and those of the whole installation.
    #[param(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// `nextCursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<AnnotationId>,
    /// Most annotations on the page, 1 to 100; 20 unless told otherwise.
    limit: Option<u64>,
}

/// What happened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAnnotation {
    /// What happened; at most 200 characters.
    title: String,
    /// When; now when missing.
    #[schema(value_type = Option<String>, format = DateTime)]
    time: Option<Timestamp>,
    /// The project it is about; the tracker key's when missing, and the whole installation without one.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// Words to find it by: `deploy`, `incident`.
    #[serde(default)]
    tags: Vec<String>,
    /// Where there is more about it: `https://…`.
    link: Option<String>,
}

/// List what happened, the latest first: in one's projects, and on the whole installation.
#[utoipa::path(get, path = "/annotations", tag = "Analytics", operation_id = "list_annotations",
    params(AnnotationParams),
    responses((status = 200, body = Success<Vec<AnnotationView>>), (status = 401, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_annotations(
    State(app): State<App>,
    auth: Auth<Read>,
    Query(params): Query<AnnotationParams>,
) -> Result<Success<Vec<AnnotationView>>> {
    let AnnotationParams { start_date, end_date, time_zone, project_id, cursor, limit } = params;
    let period = period(start_date.as_deref(), end_date.as_deref(), time_zone.as_deref())?;
    let names: HashMap<ProjectId, String> = projects_of(&app, &auth.caller.user)
        .await?
        .into_iter()
        .filter(|project| project_id.is_none_or(|only| project.id == only))
        .map(|project| (project.id, project.name))
        .collect();
    let size = PageSize::of(limit);
    let projects = Some(names.keys().copied().collect());
    let query = AnnotationQuery { projects, period, before: cursor, limit: size.to_read() };
    let mut annotations = app.meta.list_annotations(&query).await?;
    let pagination = size.cut(&mut annotations, cursor.is_some(), |annotation| annotation.id.to_string());
    let views = annotations.into_iter().map(|annotation| AnnotationView::new(annotation, &names)).collect();
    Ok(Success::ok(views).with_pagination(pagination))
}

/// Say what happened. The same title of the same project and time is the same annotation: it can be sent again.
#[utoipa::path(post, path = "/annotations", tag = "Analytics", operation_id = "create_annotation",
    request_body = NewAnnotation,
    responses((status = 201, body = Success<AnnotationView>), (status = 401, body = Failure), (status = 403, body = Failure),
        (status = 404, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["ingest"])))]
pub async fn create_annotation(
    State(app): State<App>,
    auth: Auth<Ingest>,
    Json(new): Json<NewAnnotation>,
) -> Result<Success<AnnotationView>> {
    let caller = &auth.caller;
    let annotation = annotation(&app, caller, new)?;
    let mut names = HashMap::new();
    match annotation.project_id {
        Some(project) => {
            let found = caller.find_project(&app, project).await?;
            let (project, role) = found.ok_or_else(ApiError::project_not_found)?;
            if role < ProjectRole::Member {
                return Err(ApiError::forbidden("member of the project"));
            }
            caller.trail.project(project.id);
            names.insert(project.id, project.name);
        }
        None => caller.require_role(Role::Member)?,
    }
    if app.meta.count_annotations().await? >= bounds::ANNOTATIONS_MAX as u64 {
        let message = format!("there are {} annotations already; delete some", bounds::ANNOTATIONS_MAX);
        return Err(Invalid::field("title", message).into());
    }
    let view = AnnotationView::new(app.meta.insert_annotation(&annotation).await?, &names);
    caller.trail.after(&view);
    Ok(Success::created(view))
}

/// Delete an annotation: one's own, or as an admin of its project (of the installation, if it is of no project).
#[utoipa::path(delete, path = "/annotations/{annotationId}", tag = "Analytics", operation_id = "delete_annotation",
    params(("annotationId" = String, Path, description = "Id of the annotation")),
    responses((status = 200, body = Success<Nothing>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["write"])))]
pub async fn delete_annotation(
    State(app): State<App>,
    auth: Auth<Write>,
    AnnotationInPath(id): AnnotationInPath,
) -> Result<Success<Nothing>> {
    let caller = &auth.caller;
    let annotation = app.meta.find_annotation(id).await?.ok_or_else(annotation_not_found)?;
    let is_own = annotation.created_by == caller.user.id;
    let mut names = HashMap::new();
    match annotation.project_id {
        Some(project) => {
            let found = caller.find_project(&app, project).await?;
            let (project, role) = found.ok_or_else(annotation_not_found)?;
            if role < ProjectRole::Admin && !(is_own && role >= ProjectRole::Member) {
                return Err(ApiError::forbidden("admin of the project"));
            }
            caller.trail.project(project.id);
            names.insert(project.id, project.name);
        }
        None if is_own => caller.require_role(Role::Member)?,
        None => caller.require_role(Role::Admin)?,
    }
    if !app.meta.delete_annotation(id).await? {
        return Err(annotation_not_found());
    }
    caller.trail.before(&AnnotationView::new(annotation, &names));
    Ok(Success::ok(Nothing {}).with_message("annotation deleted"))
}

/// The annotation that is meant, checked.
fn annotation(app: &App, caller: &Caller, new: NewAnnotation) -> Result<Annotation, Invalid> {
    let NewAnnotation { title, time, project_id, tags, link } = new;
    let now = app.clock.now();
    let latest = now + SignedDuration::from_secs(bounds::FUTURE_SECONDS_MAX);
    if time.is_some_and(|time| time > latest || time.as_millisecond() < 0) {
        return Err(Invalid::field("time", "must be between 1970 and tomorrow"));
    }
    // The store keeps milliseconds: what is found again must be what was said.
    let at = Timestamp::from_millisecond(time.unwrap_or(now).as_millisecond()).unwrap_or(now);
    Ok(Annotation {
        id: app.ids.next(now),
        project_id: project_id.or_else(|| caller.key.as_ref().and_then(|key| key.project_id)),
        at,
        title: check_title("title", &title)?,
        tags: Tags::new("tags", tags.iter().map(String::as_str))?,
        link: link.map(|link| check_link("link", &link)).transpose()?,
        created_by: caller.user.id,
        created_at: now,
    })
}

impl AnnotationView {
    fn new(annotation: Annotation, names: &HashMap<ProjectId, String>) -> Self {
        let Annotation { id, project_id, at, title, tags, link, created_by, created_at } = annotation;
        let project_name = project_id.and_then(|id| names.get(&id).cloned());
        Self { id, time: at, title, project_id, project_name, tags, link, created_by, created_at }
    }
}

fn annotation_not_found() -> ApiError {
    ApiError::new(
        ErrorCode::AnnotationNotFound,
        "there is no such annotation, or you are not a member of its project",
    )
}

/// The annotation's id in the path.
#[derive(Debug)]
pub struct AnnotationInPath(AnnotationId);

impl<S: Send + Sync> FromRequestParts<S> for AnnotationInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        path_id(parts, "annotationId").await.map(Self).ok_or_else(annotation_not_found)
    }
}
