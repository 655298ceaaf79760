//! What is wrong with a configuration, and where.

use std::{fmt, path::PathBuf};

/// Where a setting was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The embedded defaults.
    Defaults,
    /// A configuration file.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// The command line.
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => f.write_str("the defaults"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag => f.write_str("the command line"),
        }
    }
}

/// One thing that has to be changed before the server starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it is.
    pub source: Source,
    /// Dotted key of the setting; empty if the source as a whole is wrong.
    pub key: String,
    /// What is wrong and what to do. Holds no secret.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.key.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{} {}", self.source, self.key, self.message)
    }
}

/// The configuration cannot be used. Holds at least one [`Mistake`], and every one that could be found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be used:\n  {}", .0.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n  "))]
pub struct ConfigError(pub Vec<Mistake>);
