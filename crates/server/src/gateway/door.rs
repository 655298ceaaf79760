//! Who calls, for which project, and with which key of the provider.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use domain::{
    ProjectId, Secret, UserId,
    budget::ScopedBudget,
    project::{Project, ProjectRole},
    tracker_key::{self, Scope, TokenHash, TrackerKey},
    user::User,
};
use jiff::Timestamp;

use super::upstream::Upstream;
use crate::{
    app::App,
    audit::Trail,
    auth::{Caller, check_key, find_key_holder},
    config::KeyPlace,
    error::{ApiError, ErrorCode, Result},
    ingest, limits,
};

/// What a tracker key opens: looked up once, and again after anything was changed.
#[derive(Debug)]
pub(super) struct Door {
    /// The account.
    pub(super) user: User,
    /// The key that was shown.
    pub(super) key: TrackerKey,
    /// What the call is for.
    pub(super) project: Option<Project>,
    /// What the project may spend.
    pub(super) budget: Option<Arc<ScopedBudget>>,
    /// Whether the project keeps what is said.
    pub(super) keeps_content: bool,
    /// The stored key of the provider.
    pub(super) provider_key: Option<StoredKey>,
    noted_at: AtomicI64,
}

/// A key of the provider that was kept here.
#[derive(Debug)]
pub(super) struct StoredKey {
    pub(super) user_id: UserId,
    pub(super) key: Secret,
}

/// Doors that were opened, each with the [`store::MetaStore::change_count`] at which it was: with another count it no
/// longer holds.
#[derive(Debug, Default)]
pub(super) struct Doors(Mutex<HashMap<Id, (u64, Arc<Door>)>>);

type Id = (TokenHash, Option<ProjectId>, String);

/// Who knocks, and where they want to go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) tracker_key: &'a str,
    /// The project that the request names.
    pub(super) project: Option<ProjectId>,
    pub(super) upstream: &'a Upstream,
    pub(super) address: Option<IpAddr>,
}

impl Doors {
    /// Opens the door for a tracker key, as long as it may be used.
    pub(super) async fn open(&self, app: &App, visit: Visit<'_>) -> Result<Arc<Door>> {
        let Visit { tracker_key, project, upstream, address } = visit;
        let id = (tracker_key::hash_token(tracker_key), project, upstream.name.clone());
        let changes = app.meta.change_count();
        let known = self.doors().get(&id).filter(|(at, _)| *at == changes).map(|(_, door)| Arc::clone(door));
        let door = if let Some(door) = known {
            door
        } else {
            let door = Arc::new(Door::find(app, visit).await?);
            self.remember(id, changes, &door);
            door
        };
        let now = app.clock.now();
        check_key(&door.key, address, now)?;
        door.note_use(app, upstream, now);
        Ok(door)
    }

    fn remember(&self, id: Id, changes: u64, door: &Arc<Door>) {
        let mut doors = self.doors();
        if doors.len() >= limits::GATEWAY_DOORS_MAX {
            doors.clear();
        }
        doors.insert(id, (changes, Arc::clone(door)));
    }

    fn doors(&self) -> std::sync::MutexGuard<'_, HashMap<Id, (u64, Arc<Door>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Door {
    async fn find(app: &App, visit: Visit<'_>) -> Result<Self> {
        let Visit { tracker_key, project, upstream, .. } = visit;
        let (user, key) = find_key_holder(app, tracker_key).await?;
        let caller = Caller { user, key: Some(key.clone()), address: None, trail: Trail::default() };
        caller.require_scope(Scope::Ingest)?;
        let project = match project.or(key.project_id) {
            Some(id) => Some(caller.find_project(app, id).await?.ok_or_else(ApiError::project_not_found)?),
            None => None,
        };
        let keeps_content =
            project.as_ref().map_or(Ok(false), |(project, role)| ingest::admit(project, *role))?;
        let provider_key = find_provider_key(app, &caller, project.as_ref(), upstream).await?;
        Ok(Self {
            noted_at: AtomicI64::new(key.last_used_at.map_or(i64::MIN, Timestamp::as_second)),
            user: caller.user,
            key,
            budget: project.as_ref().and_then(|(project, _)| ScopedBudget::of_project(project)).map(Arc::new),
            project: project.map(|(project, _)| project),
            keeps_content,
            provider_key,
        })
    }

    /// Notes the use of both keys now and then, off the call's path; losing a note is no harm.
    fn note_use(self: &Arc<Self>, app: &App, upstream: &Upstream, now: Timestamp) {
        let noted_at = self.noted_at.load(Ordering::Relaxed);
        if now.as_second().saturating_sub(noted_at) < limits::KEY_TOUCH_SECONDS {
            return;
        }
        self.noted_at.store(now.as_second(), Ordering::Relaxed);
        let (meta, door, provider) = (Arc::clone(&app.meta), Arc::clone(self), upstream.provider.clone());
        app.spawn("note_use_of_keys", async move {
            let mut noted = meta.touch_tracker_key(door.key.id, now).await;
            if let (Ok(()), Some(stored)) = (&noted, &door.provider_key) {
                noted = meta.touch_provider_key(stored.user_id, &provider, now).await;
            }
            if let Err(error) = noted {
                tracing::debug!(%error, "the last use of a key was not noted");
            }
        });
    }
}

/// The caller's own key of the provider, else the one that an owner of the project shares with it.
async fn find_provider_key(
    app: &App,
    caller: &Caller,
    project: Option<&(Project, ProjectRole)>,
    upstream: &Upstream,
) -> Result<Option<StoredKey>> {
    if upstream.key_place == KeyPlace::None {
        return Ok(None);
    }
    let shared = project.filter(|(project, _)| project.settings.share_provider_keys).into_iter();
    let owners =
        shared.flat_map(|(project, _)| &project.members).filter(|member| member.role == ProjectRole::Owner);
    let holders = [caller.user.id].into_iter().chain(owners.map(|member| member.user_id));
    for user_id in holders {
        let keys = app.meta.list_provider_keys(user_id).await?;
        if let Some(kept) = keys.into_iter().find(|key| key.provider == upstream.provider) {
            let key = app.vault.open(user_id, &kept.provider, &kept.sealed).map_err(|error| {
                tracing::warn!(%error, user = %user_id, "a provider key cannot be opened");
                ApiError::new(ErrorCode::ProviderKeyMissing, error.to_string())
            })?;
            return Ok(Some(StoredKey { user_id, key }));
        }
    }
    Ok(None)
}
