//! The price book in force: the catalog, the operator's names for its models, and the operator's own prices.
//!
//! It is replaced as a whole, while the server runs. What was in force before stays in the store as a revision.

use std::sync::{Arc, PoisonError, RwLock};

use domain::UserId;
use jiff::Timestamp;
use pricing::{
    Adjustment, Adjustments, Catalog, Change, Mapping, Mappings, PriceBook, file,
    import::{Edition, Format, Note},
    merge,
};
use store::{MetaStore, PriceDocument, PriceRevision, StoreError};

/// The price book in force.
#[derive(Debug)]
pub struct Prices(RwLock<Arc<PriceBook>>);

/// Who changes prices, and what they say of it.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// The account; `None` for the program: from the command line, or the server by itself.
    pub user: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub note: &'a str,
}

/// Prices could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum PricesError {
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A document in the store is not what this program wrote.
    #[error("{0:?} in the store cannot be read: {1}")]
    Damaged(PriceDocument, String),
    /// What was asked for cannot be accepted.
    #[error("{message}")]
    Invalid {
        /// Which part of it.
        field: &'static str,
        /// Why.
        message: String,
    },
}

impl Prices {
    /// A book that is in force from now on.
    pub fn new(book: PriceBook) -> Self {
        Self(RwLock::new(Arc::new(book)))
    }

    /// The book in force. Whoever asks keeps that one, also while it is replaced.
    pub fn current(&self) -> Arc<PriceBook> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, book: PriceBook) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(book);
    }

    /// Replaces the operator's own rules.
    pub async fn put_adjustments(
        &self,
        store: &dyn MetaStore,
        rules: Vec<Adjustment>,
        author: Author<'_>,
    ) -> Result<(), PricesError> {
        let checked = checked_rules(rules.clone())?;
        keep(store, PriceDocument::Adjustments, &rules, author).await?;
        self.replace((*self.current()).clone().with_adjustments(checked));
        Ok(())
    }

    /// Replaces the operator's names.
    pub async fn put_mappings(
        &self,
        store: &dyn MetaStore,
        lines: Vec<Mapping>,
        author: Author<'_>,
    ) -> Result<(), PricesError> {
        let book = self.current();
        let checked = checked_names(lines.clone(), &book)?;
        keep(store, PriceDocument::Mappings, &lines, author).await?;
        self.replace((*book).clone().with_mappings(checked));
        Ok(())
    }

    /// Brings the rows of a price list in; rows that were in force until `author.at` stay, closed.
    pub async fn import(
        &self,
        store: &dyn MetaStore,
        list: file::Catalog,
        apply: bool,
        author: Author<'_>,
    ) -> Result<Vec<Change>, PricesError> {
        let base = catalog_file(store).await?;
        let merged = merge(&base, list, author.at).map_err(|error| invalid("list", &error))?;
        if !apply || merged.changes.is_empty() {
            return Ok(merged.changes);
        }
        let catalog = Catalog::from_file(merged.catalog.clone()).map_err(|error| invalid("list", &error))?;
        keep(store, PriceDocument::Catalog, &merged.catalog, author).await?;
        let book = self.current();
        let renewed = PriceBook::new(Arc::new(catalog)).with_adjustments(book.adjustments().clone());
        let mappings = still_valid(book.mappings().iter().cloned().collect(), renewed.catalog());
        self.replace(renewed.with_mappings(mappings));
        Ok(merged.changes)
    }
}

/// The operator's own rules, if they can hold.
pub fn checked_rules(rules: Vec<Adjustment>) -> Result<Adjustments, PricesError> {
    Adjustments::new(rules).map_err(|error| invalid("rules", &error))
}

/// The operator's names, if the catalog of `book` has what they stand for.
pub fn checked_names(lines: Vec<Mapping>, book: &PriceBook) -> Result<Mappings, PricesError> {
    Mappings::new(lines, book.catalog()).map_err(|error| invalid("mappings", &error))
}

/// The book that the store's newest revisions make.
pub async fn load(store: &dyn MetaStore) -> Result<PriceBook, PricesError> {
    let catalog = match find::<file::Catalog>(store, PriceDocument::Catalog).await? {
        Some(file) => {
            let damaged = |error: pricing::CatalogError| {
                PricesError::Damaged(PriceDocument::Catalog, error.to_string())
            };
            Arc::new(Catalog::from_file(file).map_err(damaged)?)
        }
        None => Arc::clone(Catalog::embedded_arc()),
    };
    let lines: Vec<Mapping> = find(store, PriceDocument::Mappings).await?.unwrap_or_default();
    let rules: Vec<Adjustment> = find(store, PriceDocument::Adjustments).await?.unwrap_or_default();
    let mappings = still_valid(lines, &catalog);
    let adjustments = Adjustments::new(rules)
        .map_err(|error| PricesError::Damaged(PriceDocument::Adjustments, error.to_string()))?;
    Ok(PriceBook::new(catalog).with_mappings(mappings).with_adjustments(adjustments))
}

/// The catalog in the form of a file: the one that was imported, or the embedded one.
pub async fn catalog_file(store: &dyn MetaStore) -> Result<file::Catalog, PricesError> {
    match find(store, PriceDocument::Catalog).await? {
        Some(file) => Ok(file),
        None => serde_json::from_str(Catalog::EMBEDDED_JSON)
            .map_err(|error| PricesError::Damaged(PriceDocument::Catalog, error.to_string())),
    }
}

/// Reads a price list in one of the forms that are known.
pub fn read_list(
    format: Format,
    text: &str,
    version: String,
    today: Timestamp,
) -> Result<(file::Catalog, Vec<Note>), PricesError> {
    let checked_on = today.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let edition = Edition { version, checked_on: Some(checked_on) };
    let imported = pricing::import::read(format, text, &edition).map_err(|error| invalid("list", &error))?;
    Ok((imported.catalog, imported.notes))
}

/// Names whose models the catalog has; one that it lost is told and left out, not the end of the start.
fn still_valid(lines: Vec<Mapping>, catalog: &Catalog) -> Mappings {
    let is_valid = |line: &Mapping| match Mappings::new(vec![line.clone()], catalog) {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(%error, "a mapping is left out");
            false
        }
    };
    let valid = lines.into_iter().filter(is_valid).collect();
    Mappings::new(valid, catalog).unwrap_or_default()
}

/// Keeps what a repricing changed, and who wanted it.
pub async fn note_repricing(
    store: &dyn MetaStore,
    changes: &impl serde::Serialize,
    author: Author<'_>,
) -> Result<(), PricesError> {
    keep(store, PriceDocument::Repricing, changes, author).await
}

async fn find<T: serde::de::DeserializeOwned>(
    store: &dyn MetaStore,
    document: PriceDocument,
) -> Result<Option<T>, PricesError> {
    let Some(revision) = store.find_price_revision(document).await? else { return Ok(None) };
    let read = serde_json::from_str(&revision.json);
    read.map(Some).map_err(|error| PricesError::Damaged(document, error.to_string()))
}

async fn keep(
    store: &dyn MetaStore,
    document: PriceDocument,
    value: &impl serde::Serialize,
    author: Author<'_>,
) -> Result<(), PricesError> {
    let newest = store.find_price_revision(document).await?;
    let revision = PriceRevision {
        document,
        number: newest.map_or(1, |newest| newest.number + 1),
        json: serde_json::to_string(value)
            .map_err(|error| PricesError::Damaged(document, error.to_string()))?,
        note: author.note.to_owned(),
        author: author.user,
        at: author.at,
    };
    Ok(store.insert_price_revision(&revision).await?)
}

fn invalid(field: &'static str, error: &impl ToString) -> PricesError {
    PricesError::Invalid { field, message: error.to_string() }
}
