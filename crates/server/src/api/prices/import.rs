//! Bringing a price list in, and what was changed when.

use axum::{body::Body, extract::State};
use domain::{Invalid, UserId, user::Role};
use jiff::Timestamp;
use pricing::import::{Format, IMPORT_BYTES_MAX};
use serde::Serialize;
use store::PriceDocument;
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Admin, Auth, Read},
    error::{Failure, Result},
    input::{Pairs, read_body},
    price_book::{Author, read_list},
    reply::Success,
};

/// Changes that a reply spells out.
const CHANGES_SHOWN: usize = 1_000;

/// What an import changes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportOutcome {
    /// Whether it was written.
    applied: bool,
    /// Rates that change, rows that open or end.
    change_count: usize,
    /// The first thousand of them, in words.
    changes: Vec<String>,
    /// What could not be taken over as it was, in words.
    notes: Vec<String>,
}

/// A change of prices.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevisionView {
    /// What was changed.
    document: &'static str,
    /// Counts its revisions.
    number: u64,
    /// What was done.
    note: String,
    /// Who did it; `null` for the command line, and for the server by itself.
    #[schema(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Bring a price list in. Rows that differ are closed and new ones opened; nothing is overwritten.
#[utoipa::path(post, path = "/prices/import", tag = "Prices", operation_id = "import_prices",
    params(
        ("format" = String, Query, description = "`native`, `genai-prices` or `litellm`"),
        ("version" = Option<String>, Query, description = "Version of the list, for its rows' source"),
        ("dryRun" = Option<bool>, Query, description = "`true` only shows what would change")),
    request_body(content = String, content_type = "application/octet-stream", description = "The list, as it is published"),
    responses((status = 200, body = Success<ImportOutcome>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 413, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn import_prices(
    State(app): State<App>,
    auth: Auth<Admin>,
    pairs: Pairs,
    body: Body,
) -> Result<Success<ImportOutcome>> {
    auth.caller.require_role(Role::Admin)?;
    pairs.only(|name| matches!(name, "format" | "version" | "dryRun"))?;
    let formats = "native, genai-prices or litellm";
    let format: Option<Format> = pairs.parsed("format", |text| text.parse().ok(), formats)?;
    let format = format.ok_or_else(|| Invalid::field("format", format!("must be {formats}")))?;
    let dry_run = pairs.parsed("dryRun", |text| text.parse().ok(), "true or false")?.unwrap_or(false);
    let body = read_body(body, IMPORT_BYTES_MAX, &app).await?;
    let text = std::str::from_utf8(&body).map_err(|_| Invalid::field("list", "is not valid UTF-8"))?;
    let now = app.clock.now();
    let version = pairs.last("version").map_or_else(|| now.strftime("%Y-%m-%d").to_string(), str::to_owned);
    let (list, notes) = read_list(format, text, version, now)?;
    let note = format!("{format} imported");
    let author = Author { user: Some(auth.caller.user.id), at: now, note: &note };
    let changes = app.prices.import(&*app.meta, list, !dry_run, author).await?;
    if !dry_run && !changes.is_empty() {
        app.repricings.prices_changed();
    }
    tracing::info!(user = %auth.caller.user.id, %format, changes = changes.len(), dry_run, "price list imported");
    Ok(Success::ok(ImportOutcome {
        applied: !dry_run,
        change_count: changes.len(),
        changes: changes.iter().take(CHANGES_SHOWN).map(ToString::to_string).collect(),
        notes: notes.iter().map(ToString::to_string).collect(),
    }))
}

/// Every change of catalog, mappings and rules, and every repricing; the newest of each first.
#[utoipa::path(get, path = "/prices/revisions", tag = "Prices", operation_id = "list_price_revisions",
    responses((status = 200, body = Success<Vec<RevisionView>>), (status = 401, body = Failure), (status = 403, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["read"])))]
pub async fn list_price_revisions(
    State(app): State<App>,
    auth: Auth<Read>,
) -> Result<Success<Vec<RevisionView>>> {
    auth.caller.require_role(Role::Admin)?;
    let mut views = Vec::new();
    for (document, name) in [
        (PriceDocument::Catalog, "catalog"),
        (PriceDocument::Mappings, "mappings"),
        (PriceDocument::Adjustments, "overrides"),
        (PriceDocument::Repricing, "repricing"),
    ] {
        let revisions = app.meta.list_price_revisions(document).await?;
        views.extend(revisions.into_iter().map(|revision| RevisionView {
            document: name,
            number: revision.number,
            note: revision.note,
            user_id: revision.author,
            at: revision.at,
        }));
    }
    Ok(Success::ok(views))
}
