//! What a reader of an imported list should know.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that could not be taken over as it was, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What was done about it.
    pub kind: NoteKind,
    /// What it was.
    pub text: String,
    /// The models, as `provider/model`, or the list's own names for them.
    pub models: Vec<String>,
}

/// What was done about something that could not be taken over as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// The list has changed its form, or a correction no longer fits it: the importer should be looked at.
    NotUnderstood,
    /// It cannot be represented, and is missing.
    LeftOut,
    /// It is read in the likeliest way.
    Assumed,
    /// A number was rounded.
    Rounded,
    /// It says the same in another form.
    Rewritten,
}

impl NoteKind {
    const fn verb(self) -> &'static str {
        match self {
            Self::NotUnderstood => "did not understand",
            Self::LeftOut => "left out",
            Self::Assumed => "assumed",
            Self::Rounded => "rounded",
            Self::Rewritten => "rewrote",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.verb(), self.text)?;
        if !self.models.is_empty() {
            write!(f, ": {}", self.models.join(", "))?;
        }
        Ok(())
    }
}

/// Notes while they are taken: one for each thing, with all its models.
#[derive(Debug, Default)]
pub(super) struct Notes(BTreeMap<(NoteKind, String), Vec<String>>);

impl Notes {
    pub(super) fn add(&mut self, kind: NoteKind, text: impl Into<String>, model: &str) {
        let models = self.0.entry((kind, text.into())).or_default();
        if models.last().is_none_or(|last| last != model) {
            models.push(model.to_owned());
        }
    }

    pub(super) fn into_list(self) -> Vec<Note> {
        self.0.into_iter().map(|((kind, text), models)| Note { kind, text, models }).collect()
    }
}

/// Why a part of a list was not understood.
#[derive(Debug)]
pub(super) struct NotUnderstood(String);

impl NotUnderstood {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for NotUnderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! not_understood_from {
    ($($error:ty),+) => {
        $(impl From<$error> for NotUnderstood {
            fn from(error: $error) -> Self {
                Self(error.to_string())
            }
        })+
    };
}

not_understood_from!(serde_json::Error, crate::RateError, jiff::Error, regex_lite::Error);
