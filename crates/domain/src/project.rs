//! Projects, their members and settings.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Invalid, ProjectId, UserId, allocation::Tags, budget::Budget, invalid::Problems, limits, text, user::Role,
};

/// What a member may do in one project, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProjectRole {
    /// Sees the project and its usage.
    Viewer,
    /// Also records usage for it and corrects records.
    Member,
    /// Also changes the project, its budget and its members.
    Admin,
    /// Also deletes it and names other owners.
    Owner,
}

impl ProjectRole {
    /// The word for it in JSON and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role that [`Self::as_str`] names.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Viewer, Self::Member, Self::Admin, Self::Owner].into_iter().find(|role| role.as_str() == name)
    }
}

/// One person's place in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user_id: UserId,
    /// What they may do.
    pub role: ProjectRole,
    /// Since when.
    pub added_at: Timestamp,
}

/// What a project's calls may be and what is kept of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ProjectSettings {
    /// Models that may be called through the gateway; every model when empty.
    pub allowed_models: Vec<String>,
    /// Most tokens that one call through the gateway may ask for.
    #[schema(minimum = 1)]
    pub max_tokens_per_request: Option<u64>,
    /// Whether prompts and completions are kept. Off unless switched on.
    pub store_prompts: bool,
    /// Whether members without a provider key of their own call through the gateway with one of the project's owners.
    pub share_provider_keys: bool,
    /// Calls through the gateway a minute.
    #[schema(minimum = 1)]
    pub requests_per_minute: Option<u32>,
    /// Tokens through the gateway a minute.
    #[schema(minimum = 1)]
    pub tokens_per_minute: Option<u32>,
    /// How long its records and what they say are kept.
    pub retention: Retention,
}

/// How long something is kept; where nothing is said, as long as the installation says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Retention {
    /// Days after which prompts and completions are erased.
    #[schema(minimum = 1, maximum = 36500)]
    pub content_days: Option<u32>,
    /// Days after which records are deleted, whole UTC days at a time. Their sums by day stay.
    #[schema(minimum = 1, maximum = 36500)]
    pub record_days: Option<u32>,
}

impl ProjectSettings {
    fn check(&self) -> Result<(), Invalid> {
        let mut problems = Problems::default();
        if self.allowed_models.len() > limits::ALLOWED_MODELS_MAX {
            problems.add(
                "settings.allowedModels",
                format!("must have at most {} models", limits::ALLOWED_MODELS_MAX),
            );
        }
        for (index, model) in self.allowed_models.iter().enumerate().take(limits::ALLOWED_MODELS_MAX) {
            problems.take(text::dimension_value(&format!("settings.allowedModels[{index}]"), model));
        }
        let at_least_one = [
            ("settings.maxTokensPerRequest", self.max_tokens_per_request == Some(0)),
            ("settings.requestsPerMinute", self.requests_per_minute == Some(0)),
            ("settings.tokensPerMinute", self.tokens_per_minute == Some(0)),
        ];
        for (field, _) in at_least_one.iter().filter(|(_, is_zero)| *is_zero) {
            problems.add(*field, "must be at least 1");
        }
        let days = [
            ("settings.retention.contentDays", self.retention.content_days),
            ("settings.retention.recordDays", self.retention.record_days),
        ];
        for (field, _) in days
            .iter()
            .filter(|(_, days)| days.is_some_and(|days| !(1..=limits::RETENTION_DAYS_MAX).contains(&days)))
        {
            problems.add(*field, format!("must be from 1 to {}", limits::RETENTION_DAYS_MAX));
        }
        problems.into_result()
    }
}

/// Something that usage is tracked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// Identifies it for ever; the guide's project ID.
    pub id: ProjectId,
    /// How it is called.
    pub name: String,
    /// What it is.
    pub description: String,
    /// What it may spend, if that is limited.
    pub budget: Option<Budget>,
    /// Words to find it by.
    pub tags: Tags,
    /// What its calls may be.
    pub settings: ProjectSettings,
    /// Who may see and change it.
    pub members: Vec<Member>,
    /// Switched off: kept and visible, takes no new usage.
    pub is_active: bool,
    /// Made by `ai-cost-tracker demo`.
    pub demo: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted. Its records stay; nobody sees it any more.
    pub archived_at: Option<Timestamp>,
}

impl Project {
    /// What `user` may do here: as member, or by a role on the whole installation.
    pub fn role_of(&self, user: UserId, role: Role) -> Option<ProjectRole> {
        let member = self.members.iter().find(|member| member.user_id == user).map(|member| member.role);
        let by_installation = role.sees_everything().then_some(ProjectRole::Owner);
        member.max(by_installation)
    }

    /// Applies `change`, made at `at`.
    pub fn apply(&mut self, change: ProjectChange, at: Timestamp) -> Result<(), Invalid> {
        let change = change.checked()?;
        if let Some(name) = change.name {
            self.name = name;
        }
        if let Some(description) = change.description {
            self.description = description;
        }
        if let Some(budget) = change.budget {
            self.budget = budget;
        }
        if let Some(tags) = change.tags {
            self.tags = Tags::new("tags", tags.iter().map(String::as_str))?;
        }
        if let Some(settings) = change.settings {
            self.settings = settings;
        }
        if let Some(is_active) = change.is_active {
            self.is_active = is_active;
        }
        self.updated_at = at;
        Ok(())
    }
}

/// What a caller says of a project: all of it when it is made, the fields to change afterwards.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ProjectChange {
    /// How it is called; required for a new project.
    #[schema(max_length = 200)]
    pub name: Option<String>,
    /// What it is.
    #[schema(max_length = 4000)]
    pub description: Option<String>,
    /// What it may spend; `null` takes the budget away.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<Budget>)]
    pub budget: Option<Option<Budget>>,
    /// Words to find it by.
    pub tags: Option<Vec<String>>,
    /// What its calls may be.
    pub settings: Option<ProjectSettings>,
    /// `false` switches it off.
    pub is_active: Option<bool>,
}

impl ProjectChange {
    fn checked(mut self) -> Result<Self, Invalid> {
        let mut problems = Problems::default();
        self.name = self.name.and_then(|name| problems.take(text::name("name", &name)));
        self.description =
            self.description.and_then(|text| problems.take(text::description("description", &text)));
        if let Some(Some(budget)) = &self.budget {
            problems.take(budget.check("budget"));
        }
        if let Some(settings) = &self.settings {
            problems.take(settings.check());
        }
        problems.into_result()?;
        Ok(self)
    }
}

/// Tells `"budget": null` (taken away) from no `budget` at all (left as it is).
#[expect(clippy::option_option, reason = "three cases: absent, null, a budget")]
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Budget>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
