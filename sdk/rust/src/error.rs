//! What can go wrong between a client and its tracker.

use std::time::Duration;

use serde::Deserialize;

/// A request to the tracker that was not answered with what was asked for.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TrackerError {
    /// A setting of the client cannot be used.
    #[error("{setting}: {reason}")]
    Setting {
        /// Which one, as the environment variable or the builder's method is called.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// There was no answer; whether the request was taken is not known.
    #[error("{address} cannot be reached: {reason}")]
    Unreachable {
        /// The tracker's address.
        address: String,
        /// What happened.
        reason: String,
    },
    /// The tracker refused.
    #[error("{}", .0.message)]
    Refused(Box<Refusal>),
    /// An answer that is not the tracker's.
    #[error("the answer cannot be read: {reason}")]
    Unreadable {
        /// Why.
        reason: String,
    },
    /// What is to be sent has no form in JSON.
    #[error("it cannot be written as JSON: {reason}")]
    Unwritable {
        /// Why.
        reason: String,
    },
    /// The client was closed before.
    #[error("the client is closed")]
    Closed,
}

/// What the tracker said when it refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Stable code, such as `project_not_found`; `None` if something on the way answered instead of the tracker.
    pub code: Option<String>,
    /// For people.
    pub message: String,
    /// What is wrong with which field.
    pub details: Vec<FieldProblem>,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FieldProblem {
    /// Path of the field: `usageData[3].model`.
    pub field: String,
    /// For people.
    pub message: String,
}

impl TrackerError {
    /// Whether the same request may be taken later.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Unreadable { .. } => true,
            Self::Refused(refusal) => matches!(refusal.status, 408 | 429 | 500..),
            Self::Setting { .. } | Self::Unwritable { .. } | Self::Closed => false,
        }
    }

    /// What the tracker said, if it was the tracker that refused.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The stable code of a refusal.
    pub fn code(&self) -> Option<&str> {
        self.refusal()?.code.as_deref()
    }

    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        self.refusal().map(|refusal| refusal.status)
    }
}

impl From<serde_json::Error> for TrackerError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unwritable { reason: error.to_string() }
    }
}
