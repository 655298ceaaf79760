//! The contract for everything that is not a usage record.

use async_trait::async_trait;
use domain::{
    KeyId, ProjectId, UserId,
    project::{Project, ProjectRole},
    provider_key::{ProviderKey, Sealed},
    tracker_key::{TokenHash, TrackerKey},
    user::{Role, User},
};
use jiff::Timestamp;

use crate::{
    StoreError,
    aggregates::AggregateStore,
    annotation::AnnotationStore,
    anomaly::AnomalyStore,
    audit::AuditStore,
    budgets::BudgetStore,
    erasure::ErasureStore,
    outbox::{AlertStore, OutboxStore, WebhookStore},
    prices::PriceStore,
};

/// An account with the hash of its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserWithHash {
    /// The account.
    pub user: User,
    /// Argon2id in PHC string form.
    pub password_hash: String,
}

/// A refresh token to keep. Tokens that follow from one log-in by rotation are one family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// SHA-256 of the token.
    pub token_hash: TokenHash,
    /// The log-in it stems from.
    pub family: KeyId,
    /// Whose it is.
    pub user_id: UserId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// A token by which a forgotten password is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordReset {
    /// SHA-256 of the token.
    pub token_hash: TokenHash,
    /// Whose password.
    pub user_id: UserId,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// What became of a refresh token that was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// It was good; it is used up now and the new one is kept.
    Rotated(UserId),
    /// It had been used before: somebody has a copy. Its whole family is revoked.
    Reused(UserId),
    /// It is unknown, expired or revoked.
    Refused,
}

/// An invitation to register, possibly into a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// SHA-256 of its token.
    pub token_hash: TokenHash,
    /// Who is invited.
    pub email: String,
    /// Role on the installation.
    pub role: Role,
    /// Project to become a member of, with the role there.
    pub project: Option<(ProjectId, ProjectRole)>,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// What lets a person register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// There is no account yet but those of the demo; the person becomes the owner.
    First,
    /// Registration is open to all.
    Open,
    /// They hold this invitation, which is used up.
    Invitation(TokenHash),
}

/// Accounts and log-ins.
#[async_trait]
pub trait AccountStore: Send + Sync {
    /// Keeps a new account, if `claim` holds: `Conflict("account")` when it is not the first after all,
    /// `Conflict("email")` when the address is taken, `Conflict("invitation")` when the invitation is unknown, used up,
    /// expired at `user.created_at` or for another address. By an invitation the account gets its role and project.
    async fn insert_user(&self, new: &UserWithHash, claim: Claim) -> Result<User, StoreError>;

    /// Whether an account exists that is not of the demo.
    async fn has_accounts(&self) -> Result<bool, StoreError>;

    /// The account.
    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The account with this (lower-cased) address.
    async fn find_user_by_email(&self, email: &str) -> Result<Option<UserWithHash>, StoreError>;

    /// Every account, by address.
    async fn list_users(&self) -> Result<Vec<User>, StoreError>;

    /// Replaces name, preferences and role.
    async fn update_user(&self, user: &User) -> Result<(), StoreError>;

    /// Replaces the password and revokes every refresh token of the account.
    async fn change_password(&self, user: UserId, password_hash: &str) -> Result<(), StoreError>;

    /// Keeps the token of a reset; an earlier one of the account stops working.
    async fn insert_password_reset(&self, reset: &PasswordReset) -> Result<(), StoreError>;

    /// Whose password the token replaces, if it works at `at`.
    async fn find_password_reset(
        &self,
        token: &TokenHash,
        at: Timestamp,
    ) -> Result<Option<UserId>, StoreError>;

    /// Uses the token up, replaces the password and revokes every refresh token of the account; whose it is, or `None`, and
    /// nothing is changed, if the token does not work at `at`.
    async fn reset_password(
        &self,
        token: &TokenHash,
        password_hash: &str,
        at: Timestamp,
    ) -> Result<Option<UserId>, StoreError>;

    /// Replaces the hash of the same password by a better one; log-ins stay.
    async fn upgrade_password_hash(&self, user: UserId, password_hash: &str) -> Result<(), StoreError>;

    /// Deletes the account, its keys, its refresh tokens and its memberships.
    async fn delete_user(&self, user: UserId) -> Result<(), StoreError>;

    /// Keeps the first refresh token of a log-in; expired ones are swept away.
    async fn insert_session(&self, session: &NewSession) -> Result<(), StoreError>;

    /// Exchanges a refresh token for `new` (whose family and user are taken from the old one), at `new.issued_at`.
    ///
    /// A token that was exchanged less than `grace_ms` ago, and whose successor was not used yet, is exchanged once more:
    /// two windows of one browser may have sent it at the same moment.
    async fn rotate_session(
        &self,
        presented: &TokenHash,
        new: &NewSession,
        grace_ms: u32,
    ) -> Result<Rotation, StoreError>;

    /// Revokes the family of a refresh token; whose it is, if it is known.
    async fn revoke_session(&self, presented: &TokenHash) -> Result<Option<UserId>, StoreError>;

    /// Keeps an invitation; an earlier one for the same address and project is replaced.
    async fn insert_invitation(&self, invitation: &Invitation) -> Result<(), StoreError>;
}

/// Keys of the tracker and of the providers.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Keeps a new tracker key.
    async fn insert_tracker_key(&self, key: &TrackerKey, hash: &TokenHash) -> Result<(), StoreError>;

    /// The tracker key with this hash.
    async fn find_tracker_key(&self, hash: &TokenHash) -> Result<Option<TrackerKey>, StoreError>;

    /// The tracker key with this id.
    async fn find_tracker_key_by_id(&self, id: KeyId) -> Result<Option<TrackerKey>, StoreError>;

    /// The user's tracker keys, oldest first.
    async fn list_tracker_keys(&self, user: UserId) -> Result<Vec<TrackerKey>, StoreError>;

    /// Replaces name, scopes, project, networks, limits and expiry; `false` if the user has no such key.
    async fn update_tracker_key(&self, key: &TrackerKey) -> Result<bool, StoreError>;

    /// Deletes a tracker key; `false` if the user has no such key.
    async fn delete_tracker_key(&self, user: UserId, id: KeyId) -> Result<bool, StoreError>;

    /// Notes that a tracker key was used; an earlier instant than the one known changes nothing.
    async fn touch_tracker_key(&self, id: KeyId, at: Timestamp) -> Result<(), StoreError>;

    /// Keeps a provider key; one of the same user and provider is replaced.
    async fn put_provider_key(&self, key: &ProviderKey) -> Result<(), StoreError>;

    /// The user's provider keys, by provider.
    async fn list_provider_keys(&self, user: UserId) -> Result<Vec<ProviderKey>, StoreError>;

    /// The provider keys of everybody; for a rotation of the master key.
    async fn list_all_provider_keys(&self) -> Result<Vec<ProviderKey>, StoreError>;

    /// Replaces the ciphertext of a provider key, if it is still `old`; `false` if it is not.
    async fn reseal_provider_key(
        &self,
        user: UserId,
        provider: &str,
        old: &Sealed,
        new: &Sealed,
    ) -> Result<bool, StoreError>;

    /// Notes that a provider key was used; an earlier instant than the one known changes nothing.
    async fn touch_provider_key(&self, user: UserId, provider: &str, at: Timestamp)
    -> Result<(), StoreError>;

    /// Deletes a provider key; `false` if the user has none for that provider.
    async fn delete_provider_key(&self, user: UserId, provider: &str) -> Result<bool, StoreError>;
}

/// Projects and their members. Deleted (archived) projects are not found and not listed.
#[async_trait]
pub trait ProjectStore: Send + Sync {
    /// Keeps a new project with its members.
    async fn insert_project(&self, project: &Project) -> Result<(), StoreError>;

    /// The project with its members.
    async fn find_project(&self, id: ProjectId) -> Result<Option<Project>, StoreError>;

    /// Projects that the user is a member of, by name.
    async fn list_projects_of(&self, user: UserId) -> Result<Vec<Project>, StoreError>;

    /// Every project, by name.
    async fn list_projects(&self) -> Result<Vec<Project>, StoreError>;

    /// Every project that was deleted (archived); its records stay.
    async fn list_archived_projects(&self) -> Result<Vec<Project>, StoreError>;

    /// Replaces everything but the members.
    async fn update_project(&self, project: &Project) -> Result<(), StoreError>;

    /// Adds a member, since `at`, or changes their role. `Conflict("owner")` if the project would be left without an owner.
    async fn put_member(
        &self,
        project: ProjectId,
        user: UserId,
        role: ProjectRole,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Takes a member out; `false` if they were none. `Conflict("owner")` if the project would be left without an owner.
    async fn remove_member(&self, project: ProjectId, user: UserId) -> Result<bool, StoreError>;

    /// Deletes projects made by the demo, with their members; their ids.
    async fn purge_demo_projects(&self) -> Result<Vec<ProjectId>, StoreError>;
}

/// Keeps everything that is not a usage record.
pub trait MetaStore:
    AccountStore
    + KeyStore
    + ErasureStore
    + ProjectStore
    + PriceStore
    + OutboxStore
    + WebhookStore
    + AlertStore
    + AnnotationStore
    + AnomalyStore
    + AggregateStore
    + BudgetStore
    + AuditStore
    + std::fmt::Debug
{
    /// Counts the changes to accounts, keys, projects, budgets and exchange rates, log-ins and notes of use left out.
    ///
    /// What was read after this number was asked for still holds as long as the number stays: a cache need never
    /// disagree with the store.
    fn change_count(&self) -> u64;
}
