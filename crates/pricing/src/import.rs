//! Price lists of others, read into the catalog's own format.
//!
//! Text in, [`file::Catalog`] out, and notes of everything that could not be taken over as it was. Numbers are read as
//! text and never pass through a float. What is read can be used as it is, or brought into a catalog with
//! [`crate::merge`].

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Catalog, CatalogError, PriceSource, file};

mod genai_prices;
mod litellm;
mod note;
mod overlay;

use note::{NotUnderstood, Notes};
pub use note::{Note, NoteKind};

/// The largest text that is read: ten times what the largest of these lists has today.
pub const IMPORT_BYTES_MAX: usize = 32 << 20;

/// The form of a price list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// [`file::Catalog`].
    Native,
    /// `data/prices.json` of genai-prices. The corrections that come with this crate are applied to it.
    GenaiPrices,
    /// `model_prices_and_context_window.json` of `LiteLLM`. It has no history: every row is undated.
    Litellm,
}

/// The text is not the name of a [`Format`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a format of price lists; there are native, genai-prices and litellm")]
pub struct UnknownFormat;

/// Which edition of a list is read. A list in the catalog's own format says so itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    /// Its version.
    pub version: String,
    /// When it was last compared with what the providers publish.
    pub checked_on: Option<Date>,
}

/// What a list says.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// Its prices; sound, in the sense of [`Catalog::from_file`].
    pub catalog: file::Catalog,
    /// What could not be taken over as it was.
    pub notes: Vec<Note>,
}

/// Why a list could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is longer than [`IMPORT_BYTES_MAX`].
    #[error("the price list is longer than {IMPORT_BYTES_MAX} bytes")]
    TooLong,
    /// It does not have the form that was named.
    #[error("not a price list in the format {format}: {reason}")]
    Malformed {
        /// The format.
        format: Format,
        /// What is wrong where.
        reason: String,
    },
    /// Its parts do not fit together.
    #[error("not a sound price list: {0}")]
    Unsound(#[from] CatalogError),
}

/// Reads a price list.
pub fn read(format: Format, text: &str, edition: &Edition) -> Result<Imported, ImportError> {
    if text.len() > IMPORT_BYTES_MAX {
        return Err(ImportError::TooLong);
    }
    let mut notes = Notes::default();
    let catalog = match format {
        Format::Native => serde_json::from_str(text).map_err(NotUnderstood::from),
        Format::GenaiPrices => genai_prices::read(text, edition, &mut notes),
        Format::Litellm => litellm::read(text, edition, &mut notes),
    };
    let catalog = catalog.map_err(|reason| ImportError::Malformed { format, reason: reason.to_string() })?;
    Catalog::from_file(catalog.clone())?;
    Ok(Imported { catalog, notes: notes.into_list() })
}

impl Format {
    /// The name on the command line and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::GenaiPrices => "genai-prices",
            Self::Litellm => "litellm",
        }
    }

    /// Where the rows of a list in this format come from that do not say otherwise.
    fn source(self, edition: &Edition) -> PriceSource {
        PriceSource {
            name: self.as_str().to_owned(),
            version: edition.version.clone(),
            url: None,
            checked_on: edition.checked_on,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let formats = [Self::Native, Self::GenaiPrices, Self::Litellm];
        formats.into_iter().find(|format| format.as_str() == text).ok_or(UnknownFormat)
    }
}

/// Rates by unit.
type RateCard = BTreeMap<crate::Unit, file::Rates>;
