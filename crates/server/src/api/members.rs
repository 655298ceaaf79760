//! Who may see and change a project.

use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use domain::{
    Invalid, UserId,
    event::EventType,
    project::{Member, Project, ProjectRole},
    text,
    tracker_key::hash_token,
    user::Role,
};
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use store::Invitation;
use utoipa::ToSchema;

use crate::{
    api::projects::Names,
    app::App,
    auth::{Manager, ProjectAccess, Viewer, token},
    error::{ApiError, ErrorCode, Failure, Result},
    input::{Json, path_id},
    notify::{
        self,
        event::About,
        facts::{MemberFacts, ProjectFacts},
    },
    reply::{Nothing, Success},
};

/// One person's place in a project.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberView {
    /// Who.
    #[schema(value_type = String)]
    user_id: UserId,
    /// How they are called.
    name: String,
    /// E-mail address.
    email: String,
    /// What they may do.
    role: ProjectRole,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    added_at: Timestamp,
}

impl MemberView {
    pub(super) fn new(member: &Member, names: &Names) -> Self {
        let (name, email) = names.of(member.user_id);
        Self { user_id: member.user_id, name, email, role: member.role, added_at: member.added_at }
    }
}

/// A person to add; by account or by e-mail address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewMember {
    /// Account id.
    #[schema(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// E-mail address. A person without an account is invited.
    email: Option<String>,
    /// What they may do.
    role: ProjectRole,
}

/// What a person may do from now on.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RoleChange {
    /// What they may do.
    role: ProjectRole,
}

/// What became of a person who was added.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Added {
    /// The new member, if they have an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<MemberView>,
    /// The invitation, if they have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<InvitationView>,
}

/// An invitation. Its token is shown this once; the person registers with it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InvitationView {
    /// Who is invited.
    email: String,
    /// To be sent as `invitation` to `/auth/register`.
    token: String,
    /// When it stops working.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// List a project's members.
#[utoipa::path(get, path = "/projects/{projectId}/members", tag = "Projects", operation_id = "list_members",
    params(("projectId" = String, Path, description = "Id of the project")),
    responses((status = 200, body = Success<Vec<MemberView>>), (status = 401, body = Failure), (status = 404, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_members(
    State(app): State<App>,
    access: ProjectAccess<Viewer>,
) -> Result<Success<Vec<MemberView>>> {
    let names = Names::load(&app).await?;
    Ok(Success::ok(access.project.members.iter().map(|member| MemberView::new(member, &names)).collect()))
}

/// Add a member, or invite a person who has no account.
#[utoipa::path(post, path = "/projects/{projectId}/members", tag = "Projects", operation_id = "add_member",
    params(("projectId" = String, Path, description = "Id of the project")),
    request_body = NewMember,
    responses((status = 201, body = Success<Added>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure), (status = 409, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn add_member(
    State(app): State<App>,
    access: ProjectAccess<Manager>,
    Json(new): Json<NewMember>,
) -> Result<Success<Added>> {
    may_grant(&access, new.role)?;
    let user = match (new.user_id, &new.email) {
        (Some(id), _) => {
            let user = app.meta.find_user(id).await?;
            Some(user.ok_or_else(|| ApiError::new(ErrorCode::UserNotFound, "there is no such account"))?)
        }
        (None, Some(email)) => {
            let found = app.meta.find_user_by_email(&text::email("email", email)?).await?;
            found.map(|found| found.user)
        }
        (None, None) => return Err(Invalid::field("email", "name the person by email or userId").into()),
    };
    let Some(user) = user else {
        let email = text::email("email", new.email.as_deref().unwrap_or_default())?;
        let invitation = invite(&app, &access, email, new.role).await?;
        return Ok(Success::created(Added { member: None, invitation: Some(invitation) }));
    };
    let now = app.clock.now();
    may_change(&access, user.id)?;
    app.meta.put_member(access.project.id, user.id, new.role, now).await?;
    access.caller.trail.after(&Place { user_id: user.id, role: new.role });
    announce_member(&app, &access.project, (user.id, new.role), access.caller.user.id).await;
    let member =
        MemberView { user_id: user.id, name: user.name, email: user.email, role: new.role, added_at: now };
    Ok(Success::created(Added { member: Some(member), invitation: None }))
}

/// Change what a member may do.
#[utoipa::path(patch, path = "/projects/{projectId}/members/{userId}", tag = "Projects", operation_id = "update_member",
    params(("projectId" = String, Path, description = "Id of the project"), ("userId" = String, Path, description = "Id of the account")),
    request_body = RoleChange,
    responses((status = 200, body = Success<Nothing>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure), (status = 409, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn update_member(
    State(app): State<App>,
    access: ProjectAccess<Manager>,
    UserInPath(user): UserInPath,
    Json(change): Json<RoleChange>,
) -> Result<Success<Nothing>> {
    may_grant(&access, change.role)?;
    may_change(&access, user)?;
    if !access.project.members.iter().any(|member| member.user_id == user) {
        return Err(member_not_found());
    }
    app.meta.put_member(access.project.id, user, change.role, app.clock.now()).await?;
    note_place(&access, user);
    access.caller.trail.after(&Place { user_id: user, role: change.role });
    Ok(Success::ok(Nothing {}).with_message("role changed"))
}

/// Take a member out of a project.
#[utoipa::path(delete, path = "/projects/{projectId}/members/{userId}", tag = "Projects", operation_id = "remove_member",
    params(("projectId" = String, Path, description = "Id of the project"), ("userId" = String, Path, description = "Id of the account")),
    responses((status = 200, body = Success<Nothing>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 404, body = Failure), (status = 409, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn remove_member(
    State(app): State<App>,
    access: ProjectAccess<Manager>,
    UserInPath(user): UserInPath,
) -> Result<Success<Nothing>> {
    may_change(&access, user)?;
    if !app.meta.remove_member(access.project.id, user).await? {
        return Err(member_not_found());
    }
    note_place(&access, user);
    Ok(Success::ok(Nothing {}).with_message("member removed"))
}

/// Tells that a person became a member, or got another role, through `added_by`.
pub(super) async fn announce_member(
    app: &App,
    project: &Project,
    (user_id, role): (UserId, ProjectRole),
    added_by: UserId,
) {
    let facts = MemberFacts { project: ProjectFacts::of(project), user_id, role, added_by };
    notify::announce(app, EventType::MemberAdded, About::project(project.id), &facts).await;
}

/// What the audit log says of a member.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    user_id: UserId,
    role: ProjectRole,
}

/// Notes for the audit log what the member could do before.
fn note_place(access: &ProjectAccess<Manager>, user: UserId) {
    if let Some(member) = access.project.members.iter().find(|member| member.user_id == user) {
        access.caller.trail.before(&Place { user_id: user, role: member.role });
    }
}

/// Nobody grants more than they hold.
fn may_grant(access: &ProjectAccess<Manager>, role: ProjectRole) -> Result<()> {
    if role > access.role { Err(ApiError::forbidden("owner of the project")) } else { Ok(()) }
}

/// Nobody changes the place of a person who holds more.
fn may_change(access: &ProjectAccess<Manager>, user: UserId) -> Result<()> {
    let held = access.project.members.iter().find(|member| member.user_id == user).map(|member| member.role);
    if held > Some(access.role) { Err(ApiError::forbidden("owner of the project")) } else { Ok(()) }
}

async fn invite(
    app: &App,
    access: &ProjectAccess<Manager>,
    email: String,
    role: ProjectRole,
) -> Result<InvitationView> {
    let lifetime = i64::from(app.config.auth.invitation_days) * 24;
    let expires_at = app.clock.now().checked_add(lifetime.hours()).map_err(ApiError::internal)?;
    let token = token::new_invitation_token(&mut rand::rng());
    let installation_role = if role == ProjectRole::Viewer { Role::Viewer } else { Role::Member };
    let invitation = Invitation {
        token_hash: hash_token(token.expose()),
        email,
        role: installation_role,
        project: Some((access.project.id, role)),
        expires_at,
    };
    app.meta.insert_invitation(&invitation).await?;
    tracing::info!(project = %access.project.id, "person invited");
    Ok(InvitationView { email: invitation.email, token: token.expose().to_owned(), expires_at })
}

fn member_not_found() -> ApiError {
    ApiError::new(ErrorCode::MemberNotFound, "this person is not a member of the project")
}

/// The account id in the path.
#[derive(Debug)]
pub struct UserInPath(UserId);

impl<S: Send + Sync> FromRequestParts<S> for UserInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        path_id(parts, "userId").await.map(Self).ok_or_else(member_not_found)
    }
}
