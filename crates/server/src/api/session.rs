//! Registering, logging in and out.

use axum::extract::State;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use domain::{
    KeyId, Secret, UserId,
    invalid::Problems,
    project::ProjectRole,
    text,
    tracker_key::hash_token,
    user::{self, Role, User},
};
use jiff::ToSpan as _;
use serde::{Deserialize, Serialize};
use store::{Claim, NewSession, Rotation, UserWithHash};
use utoipa::ToSchema;

use crate::{
    api::{members::announce_member, profile::UserView},
    app::App,
    audit::Trail,
    auth::{Auth, ClientAddress, Read, token},
    error::{ApiError, ErrorCode, Failure, Result},
    input::Json,
    limits,
    reply::{Nothing, Success},
};

const REFRESH_COOKIE: &str = "refreshToken";

/// A person who wants an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// E-mail address; unique.
    email: String,
    /// At least 8 characters.
    #[schema(value_type = String, format = Password, min_length = 8)]
    password: Secret,
    /// How the person is called.
    name: String,
    /// The token of an invitation, once registration is closed.
    #[schema(value_type = Option<String>)]
    invitation: Option<Secret>,
}

/// A person who has an account.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Login {
    /// E-mail address.
    email: String,
    /// Password.
    #[schema(value_type = String, format = Password)]
    password: Secret,
}

/// A refresh token, for clients without cookies.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefreshRequest {
    /// The refresh token; the cookie is used when missing.
    #[schema(value_type = Option<String>)]
    refresh_token: Option<Secret>,
}

/// A log-in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// Who.
    user: UserView,
    /// For `Authorization: Bearer …`; valid for an hour unless configured otherwise.
    access_token: String,
    /// Exchange it at `/auth/refresh` for new ones; each works once. Also set as an httpOnly cookie.
    refresh_token: String,
}

/// A change of password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasswordChange {
    /// The password so far.
    #[schema(value_type = String, format = Password)]
    current_password: Secret,
    /// At least 8 characters.
    #[schema(value_type = String, format = Password, min_length = 8)]
    new_password: Secret,
}

type SignedInReply = (CookieJar, Success<SignedIn>);

/// Register an account.
///
/// The first account becomes the owner of the installation. After that registration is closed, unless `ALLOW_SIGNUP`
/// is set or the person holds an invitation.
#[utoipa::path(post, path = "/auth/register", tag = "Authentication", operation_id = "register",
    request_body = Registration,
    responses((status = 201, body = Success<SignedIn>), (status = 403, body = Failure), (status = 409, body = Failure), (status = 422, body = Failure), (status = 429, body = Failure)),
    security(()))]
pub async fn register(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    trail: Trail,
    jar: CookieJar,
    Json(registration): Json<Registration>,
) -> Result<SignedInReply> {
    let mut problems = Problems::default();
    let email = problems.take(text::email("email", &registration.email));
    let name = problems.take(text::name("name", &registration.name));
    problems.take(user::check_password("password", &registration.password));
    problems.into_result()?;
    let (email, name) = (email.unwrap_or_default(), name.unwrap_or_default());
    app.throttle.check(&email, address).map_err(too_many_attempts)?;
    let claim = match &registration.invitation {
        Some(invitation) => Claim::Invitation(hash_token(invitation.expose())),
        None if app.config.auth.allow_signup && app.meta.has_accounts().await? => Claim::Open,
        None => Claim::First,
    };
    let role = if claim == Claim::First { Role::Owner } else { Role::Member };
    let now = app.clock.now();
    let user = User {
        id: app.ids.next(now),
        email,
        name,
        role,
        preferences: "{}".to_owned(),
        demo: false,
        created_at: now,
    };
    if claim == Claim::First && app.meta.has_accounts().await? {
        // Before the costly hash: a closed door should be cheap to knock at.
        return Err(store::StoreError::Conflict("account").into());
    }
    let password_hash = app.passwords.hash(registration.password).await?;
    let user = app.meta.insert_user(&UserWithHash { user, password_hash }, claim).await?;
    tracing::info!(user = %user.id, role = user.role.as_str(), "account registered");
    // By an invitation they are members from the start.
    for project in app.meta.list_projects_of(user.id).await? {
        let role = project.role_of(user.id, Role::Member).unwrap_or(ProjectRole::Viewer);
        announce_member(&app, &project, (user.id, role), user.id).await;
    }
    trail.actor(&user, None);
    let (jar, signed_in) = start_session(&app, jar, user).await?;
    Ok((jar, Success::created(signed_in)))
}

/// Log in.
#[utoipa::path(post, path = "/auth/login", tag = "Authentication", operation_id = "login",
    request_body = Login,
    responses((status = 200, body = Success<SignedIn>), (status = 401, body = Failure), (status = 429, body = Failure)),
    security(()))]
pub async fn login(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    trail: Trail,
    jar: CookieJar,
    Json(login): Json<Login>,
) -> Result<SignedInReply> {
    let email = login.email.trim().to_lowercase();
    app.throttle.check(&email, address).map_err(too_many_attempts)?;
    let found = app.meta.find_user_by_email(&email).await?;
    let hash = found.as_ref().map(|found| found.password_hash.clone());
    let verified = app.passwords.verify(hash, login.password.clone()).await?;
    let found = found.filter(|_| verified).ok_or_else(|| {
        tracing::info!(address = ?address, "log-in refused");
        ApiError::new(ErrorCode::InvalidCredentials, "e-mail address or password is wrong")
    })?;
    if app.passwords.needs_rehash(&found.password_hash) {
        rehash(&app, found.user.id, login.password).await;
    }
    trail.actor(&found.user, None);
    let (jar, signed_in) = start_session(&app, jar, found.user).await?;
    Ok((jar, Success::ok(signed_in)))
}

/// Exchange a refresh token for a new pair of tokens.
///
/// Each refresh token works once. One that comes a second time has been copied: every token of its log-in is revoked. Only
/// where the server is not reached by https it works once more for ten seconds, unless its successor was used.
#[utoipa::path(post, path = "/auth/refresh", tag = "Authentication", operation_id = "refresh_session",
    request_body = Option<RefreshRequest>,
    responses((status = 200, body = Success<SignedIn>), (status = 401, body = Failure)),
    security(()))]
pub async fn refresh_session(
    State(app): State<App>,
    jar: CookieJar,
    body: bytes::Bytes,
) -> Result<SignedInReply> {
    let presented = presented_token(&jar, &body)?.ok_or_else(invalid_refresh_token)?;
    let (token, session) = new_session(&app, app.ids.next(app.clock.now()), app.ids.next(app.clock.now()))?;
    let user =
        match app.meta.rotate_session(&hash_token(presented.expose()), &session, grace_ms(&app)).await? {
            Rotation::Rotated(user) => app.meta.find_user(user).await?.ok_or_else(invalid_refresh_token)?,
            Rotation::Reused(user) => {
                tracing::warn!(%user, "a refresh token was used twice; its log-in is revoked");
                return Err(invalid_refresh_token());
            }
            Rotation::Refused => return Err(invalid_refresh_token()),
        };
    let (jar, signed_in) = signed_in(&app, jar, user, &token)?;
    Ok((jar, Success::ok(signed_in)))
}

/// Log out: the refresh token and all that stem from the same log-in stop working.
#[utoipa::path(post, path = "/auth/logout", tag = "Authentication", operation_id = "logout",
    request_body = Option<RefreshRequest>,
    responses((status = 200, body = Success<Nothing>)),
    security(()))]
pub async fn logout(
    State(app): State<App>,
    trail: Trail,
    jar: CookieJar,
    body: bytes::Bytes,
) -> Result<(CookieJar, Success<Nothing>)> {
    if let Some(presented) = presented_token(&jar, &body)?
        && let Some(user) = app.meta.revoke_session(&hash_token(presented.expose())).await?
        && let Some(user) = app.meta.find_user(user).await?
    {
        trail.actor(&user, None);
    }
    let jar = jar.remove(Cookie::build(REFRESH_COOKIE).path(cookie_path()).build());
    Ok((jar, Success::ok(Nothing {}).with_message("logged out")))
}

/// Change one's own password. Every log-in of the account ends.
#[utoipa::path(post, path = "/auth/change-password", tag = "Authentication", operation_id = "change_password",
    request_body = PasswordChange,
    responses((status = 200, body = Success<Nothing>), (status = 401, body = Failure), (status = 422, body = Failure)))]
pub async fn change_password(
    State(app): State<App>,
    auth: Auth<crate::auth::Admin>,
    Json(change): Json<PasswordChange>,
) -> Result<Success<Nothing>> {
    user::check_password("newPassword", &change.new_password)?;
    let caller = auth.caller;
    app.throttle.check(&caller.user.email, caller.address).map_err(too_many_attempts)?;
    let found = app.meta.find_user_by_email(&caller.user.email).await?;
    if !app.passwords.verify(found.map(|found| found.password_hash), change.current_password).await? {
        return Err(ApiError::new(ErrorCode::InvalidCredentials, "the current password is wrong"));
    }
    let hash = app.passwords.hash(change.new_password).await?;
    app.meta.change_password(caller.user.id, &hash).await?;
    tracing::info!(user = %caller.user.id, "password changed");
    Ok(Success::ok(Nothing {}).with_message("password changed; log in again"))
}

/// The account that is asking.
#[utoipa::path(get, path = "/auth/me", tag = "Authentication", operation_id = "get_current_user",
    responses((status = 200, body = Success<UserView>), (status = 401, body = Failure)))]
pub async fn get_current_user(auth: Auth<Read>) -> Success<UserView> {
    Success::ok(UserView::from(auth.caller.user))
}

/// Browsers let windows take turns (`navigator.locks`) where the page is secure; elsewhere two may send the same token.
fn grace_ms(app: &App) -> u32 {
    if app.config.server.is_https() { 0 } else { limits::REFRESH_GRACE_MS }
}

/// Hashes a password at the cost configured now. The log-in does not depend on it.
async fn rehash(app: &App, user: UserId, password: Secret) {
    let rehashed = async {
        let hash = app.passwords.hash(password).await?;
        Ok::<_, ApiError>(app.meta.upgrade_password_hash(user, &hash).await?)
    };
    if let Err(error) = rehashed.await {
        tracing::warn!(%user, %error, "a password was not hashed anew");
    }
}

async fn start_session(app: &App, jar: CookieJar, user: User) -> Result<(CookieJar, SignedIn)> {
    let (token, session) = new_session(app, app.ids.next(app.clock.now()), user.id)?;
    app.meta.insert_session(&session).await?;
    signed_in(app, jar, user, &token)
}

fn new_session(app: &App, family: KeyId, user_id: UserId) -> Result<(Secret, NewSession)> {
    let issued_at = app.clock.now();
    let lifetime = i64::from(app.config.auth.refresh_token_days) * 24;
    let expires_at = issued_at.checked_add(lifetime.hours()).map_err(ApiError::internal)?;
    let token = token::new_refresh_token(&mut rand::rng());
    let token_hash = hash_token(token.expose());
    Ok((token, NewSession { token_hash, family, user_id, issued_at, expires_at }))
}

fn signed_in(app: &App, jar: CookieJar, user: User, refresh_token: &Secret) -> Result<(CookieJar, SignedIn)> {
    let access_token = app.tokens.issue(&user, app.clock.now())?;
    let days = i64::from(app.config.auth.refresh_token_days);
    // Strict: no other site can make a browser send it, so it needs no further protection against forged requests.
    let cookie = Cookie::build((REFRESH_COOKIE, refresh_token.expose().to_owned()))
        .path(cookie_path())
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(app.config.server.is_https())
        .max_age(time::Duration::days(days))
        .build();
    let reply =
        SignedIn { user: user.into(), access_token, refresh_token: refresh_token.expose().to_owned() };
    Ok((jar.add(cookie), reply))
}

const fn cookie_path() -> &'static str {
    "/api/auth"
}

fn presented_token(jar: &CookieJar, body: &[u8]) -> Result<Option<Secret>> {
    let request: RefreshRequest =
        if body.is_empty() { RefreshRequest::default() } else { crate::input::parse_json(body)? };
    let cookie = || jar.get(REFRESH_COOKIE).map(|cookie| Secret::new(cookie.value()));
    Ok(request.refresh_token.or_else(cookie))
}

fn invalid_refresh_token() -> ApiError {
    ApiError::new(ErrorCode::InvalidRefreshToken, "the refresh token is not valid; log in again")
}

pub(super) fn too_many_attempts(retry_after_seconds: u64) -> ApiError {
    ApiError::new(ErrorCode::RateLimited, "too many attempts; wait and try again")
        .retry_after(retry_after_seconds)
}
