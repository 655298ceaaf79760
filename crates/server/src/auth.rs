//! Who is asking, and what they may touch.
//!
//! A handler names what it needs in its signature: [`Auth<Read>`](Auth) for a caller who may read,
//! [`ProjectAccess<Editor>`](ProjectAccess) for a project that the caller may edit. The extractor checks and hands over
//! the thing itself.
//!
//! **Architecture Invariant:** no handler gets a [`Project`] by its id in any other way.

pub mod budget;
pub mod keyed_limit;
pub mod password;
pub mod throttle;
pub mod token;

use std::{marker::PhantomData, net::IpAddr, net::SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use domain::{
    ProjectId, UserId,
    project::{Project, ProjectRole},
    query::Visibility,
    tracker_key::{self, Scope, TrackerKey},
    user::{Role, User},
};

use jiff::Timestamp;

use crate::{
    app::App,
    audit::Trail,
    auth::token::TokenError,
    error::{ApiError, ErrorCode, Result},
    input::path_id,
    limits,
};

/// A person or program whose credential was checked.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account.
    pub user: User,
    /// The tracker key it came with; `None` for an access token, which may do all that the account may.
    pub key: Option<TrackerKey>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// Takes what the audit log is to say of what they change.
    pub trail: Trail,
}

/// Which records `user` may see.
pub async fn visibility_of(app: &App, user: &User) -> Result<Visibility> {
    if user.role.sees_everything() {
        return Ok(Visibility::Everything);
    }
    let projects = app.meta.list_projects_of(user.id).await?;
    let projects = projects.into_iter().map(|project| project.id).collect();
    Ok(Visibility::Of { user: user.id, projects })
}

/// The projects that `user` may see.
pub async fn projects_of(app: &App, user: &User) -> Result<Vec<Project>> {
    Ok(if user.role.sees_everything() {
        app.meta.list_projects().await?
    } else {
        app.meta.list_projects_of(user.id).await?
    })
}

impl Caller {
    /// Which records the caller may see.
    pub async fn visibility(&self, app: &App) -> Result<Visibility> {
        visibility_of(app, &self.user).await
    }

    /// The project with the caller's role in it, if it is visible.
    pub async fn find_project(&self, app: &App, id: ProjectId) -> Result<Option<(Project, ProjectRole)>> {
        let project = app.meta.find_project(id).await?;
        Ok(project.and_then(|project| {
            let role = project.role_of(self.user.id, self.user.role)?;
            Some((project, role))
        }))
    }

    /// `Err` unless the caller has at least `role` on the installation.
    pub fn require_role(&self, role: Role) -> Result<()> {
        if self.user.role >= role { Ok(()) } else { Err(ApiError::forbidden(role.as_str())) }
    }

    /// `Err` unless the caller's tracker key, if it came with one, has the scope.
    pub fn require_scope(&self, wanted: Scope) -> Result<()> {
        let Some(key) = &self.key else { return Ok(()) };
        if key.scopes.iter().any(|held| held.allows(wanted)) {
            return Ok(());
        }
        let message = format!("this tracker key lacks the scope {:?}", wanted.as_str());
        Err(ApiError::new(ErrorCode::ScopeMissing, message))
    }
}

/// What a route needs of a tracker key.
pub trait Needs: Send + Sync + 'static {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident)+) => {
        $($(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
        impl Needs for $name {
            const SCOPE: Scope = Scope::$name;
        })+
    };
}

needs! {
    /// Sends usage.
    Ingest
    /// Reads.
    Read
    /// Changes projects and records.
    Write
    /// Manages keys, members and accounts.
    Admin
}

/// A caller whose credential has the scope `S`.
#[derive(Debug)]
pub struct Auth<S> {
    /// Who.
    pub caller: Caller,
    scope: PhantomData<fn() -> S>,
}

impl<S: Needs> FromRequestParts<App> for Auth<S> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = authenticate(parts, app).await?;
        caller.require_scope(S::SCOPE)?;
        Ok(Self { caller, scope: PhantomData })
    }
}

/// What a route needs of a caller's role in a project.
pub trait Grade: Send + Sync + 'static {
    /// The role.
    const ROLE: ProjectRole;
    /// The scope of a tracker key.
    const SCOPE: Scope;
}

macro_rules! grades {
    ($($(#[$doc:meta])* $name:ident = $role:ident, $scope:ident;)+) => {
        $($(#[$doc])*
        #[derive(Debug)]
        pub enum $name {}
        impl Grade for $name {
            const ROLE: ProjectRole = ProjectRole::$role;
            const SCOPE: Scope = Scope::$scope;
        })+
    };
}

grades! {
    /// May see the project.
    Viewer = Viewer, Read;
    /// May change the project.
    Editor = Admin, Write;
    /// May change who is a member.
    Manager = Admin, Admin;
    /// May delete the project.
    Owner = Owner, Write;
}

/// The project in the path (`{projectId}`), after checking that the caller may touch it as `G` says.
#[derive(Debug)]
pub struct ProjectAccess<G> {
    /// Who.
    pub caller: Caller,
    /// What.
    pub project: Project,
    /// What they may do there.
    pub role: ProjectRole,
    grade: PhantomData<fn() -> G>,
}

impl<G: Grade> FromRequestParts<App> for ProjectAccess<G> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let caller = authenticate(parts, app).await?;
        caller.require_scope(G::SCOPE)?;
        let id: ProjectId = path_id(parts, "projectId").await.ok_or_else(ApiError::project_not_found)?;
        let (project, role) = caller.find_project(app, id).await?.ok_or_else(ApiError::project_not_found)?;
        if role < G::ROLE {
            return Err(ApiError::forbidden(&format!("{} of the project", G::ROLE.as_str())));
        }
        caller.trail.project(project.id);
        Ok(Self { caller, project, role, grade: PhantomData })
    }
}

/// Where a request came from: the peer, or what a trusted proxy says of it.
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub Option<IpAddr>);

impl FromRequestParts<App> for ClientAddress {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(client_address(parts, app)))
    }
}

/// Who sent a request, by its credential.
pub async fn authenticate(parts: &Parts, app: &App) -> Result<Caller> {
    let credential = credential(&parts.headers).ok_or_else(ApiError::unauthenticated)?;
    let address = client_address(parts, app);
    let (user, key) = if credential.starts_with(tracker_key::PREFIX) {
        by_tracker_key(app, credential, address).await?
    } else {
        (by_access_token(app, credential).await?, None)
    };
    let trail = Trail::of(parts);
    trail.actor(&user, key.as_ref().map(|key| key.id));
    Ok(Caller { user, key, address, trail })
}

/// The credential that a request carries, good or not.
pub fn credential(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
        let (scheme, credential) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(credential.trim())
    });
    bearer.or_else(|| headers.get("x-api-key")?.to_str().ok().map(str::trim))
}

async fn by_access_token(app: &App, token: &str) -> Result<User> {
    let claims = app.tokens.verify(token, app.clock.now()).map_err(|error| match error {
        TokenError::Expired => {
            ApiError::new(ErrorCode::TokenExpired, "the access token has expired; refresh it")
        }
        TokenError::Invalid => ApiError::unauthenticated(),
    })?;
    // Read afresh: a role that was taken away, or an account that was deleted, counts at once.
    find_user(app, claims.user_id).await
}

async fn by_tracker_key(
    app: &App,
    text: &str,
    address: Option<IpAddr>,
) -> Result<(User, Option<TrackerKey>)> {
    let (user, key) = find_key_holder(app, text).await?;
    check_key(&key, address, app.clock.now())?;
    note_use(app, &key);
    Ok((user, Some(key)))
}

/// The tracker key, whether it may be used or not, and its account.
pub async fn find_key_holder(app: &App, text: &str) -> Result<(User, TrackerKey)> {
    if !tracker_key::is_well_formed(text) {
        return Err(ApiError::unauthenticated());
    }
    // Found by the hash of 256 random bits: what could be timed tells nothing about a key.
    let key = app.meta.find_tracker_key(&tracker_key::hash_token(text)).await?;
    let key = key.ok_or_else(ApiError::unauthenticated)?;
    Ok((find_user(app, key.user_id).await?, key))
}

/// Whether the key may be used now, and from this address.
pub fn check_key(key: &TrackerKey, address: Option<IpAddr>, now: Timestamp) -> Result<()> {
    if !key.is_valid_at(now) {
        return Err(ApiError::unauthenticated());
    }
    if !key.allows_address(address) {
        return Err(ApiError::new(
            ErrorCode::AddressNotAllowed,
            "this tracker key may not be used from this address",
        ));
    }
    Ok(())
}

async fn find_user(app: &App, id: UserId) -> Result<User> {
    app.meta.find_user(id).await?.ok_or_else(ApiError::unauthenticated)
}

/// Notes the use of a key, off the request's path; losing a note is no harm.
fn note_use(app: &App, key: &TrackerKey) {
    let now = app.clock.now();
    let recent =
        key.last_used_at.is_some_and(|at| now.duration_since(at).as_secs() < limits::KEY_TOUCH_SECONDS);
    if recent {
        return;
    }
    let (meta, id) = (std::sync::Arc::clone(&app.meta), key.id);
    app.spawn("touch_tracker_key", async move {
        if let Err(error) = meta.touch_tracker_key(id, now).await {
            tracing::debug!(%error, "the last use of a tracker key was not noted");
        }
    });
}

/// Where a request came from: the peer, or what a trusted proxy says of it.
pub fn client_address(parts: &Parts, app: &App) -> Option<IpAddr> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical())?;
    let trusted =
        |address: IpAddr| app.config.server.trusted_proxies.iter().any(|network| network.contains(address));
    if !trusted(peer) {
        return Some(peer);
    }
    // The rightmost address that is not one of our own proxies: what stands left of it, the client may have made up.
    let forwarded = parts.headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<IpAddr> =
        forwarded.flat_map(|value| value.split(',')).filter_map(|hop| hop.trim().parse().ok()).collect();
    hops.into_iter().rev().find(|hop| !trusted(*hop)).or(Some(peer))
}
