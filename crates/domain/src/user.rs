//! People with an account.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Invalid, Secret, UserId, limits};

/// What a person may do on the whole installation, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees what is shared with them; records nothing.
    Viewer,
    /// Records usage, creates projects, sees their own usage and their projects.
    Member,
    /// Sees and manages every project.
    Admin,
    /// The first account; as an admin, and cannot be demoted by one.
    Owner,
}

impl Role {
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

    /// Whether this role sees every project and record.
    pub fn sees_everything(self) -> bool {
        self >= Self::Admin
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Identifies it for ever.
    pub id: UserId,
    /// Lower-cased e-mail address; unique.
    pub email: String,
    /// How the person is called.
    pub name: String,
    /// What they may do on the whole installation.
    pub role: Role,
    /// Free-form settings of the dashboard, a JSON object as text.
    pub preferences: String,
    /// Made by `ai-cost-tracker demo`.
    pub demo: bool,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// Checks a new password. Any characters; length is what makes it strong.
pub fn check_password(field: &str, password: &Secret) -> Result<(), Invalid> {
    let text = password.expose();
    if text.chars().count() < limits::PASSWORD_CHARS_MIN {
        return Err(Invalid::field(
            field,
            format!("must have at least {} characters", limits::PASSWORD_CHARS_MIN),
        ));
    }
    if text.len() > limits::PASSWORD_BYTES_MAX {
        return Err(Invalid::field(field, format!("must have at most {} bytes", limits::PASSWORD_BYTES_MAX)));
    }
    Ok(())
}
