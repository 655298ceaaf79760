//! The audit log.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::{
    Interval, Invalid, KeyId, ProjectId, UserId,
    audit::{ChainHash, Entry},
    user::Role,
};
use futures_util::stream;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use store::{AuditQuery, AuditVerification, MetaStore, StoreError};
use utoipa::ToSchema;

use crate::{
    api::usage_query::zone,
    app::App,
    auth::{Admin, Auth},
    error::{ApiError, Failure, Result},
    input::Pairs,
    limits,
    reply::{PageSize, Success},
};

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditView {
    /// Counts the entries, from 1.
    number: u64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who; `null` where nobody was logged in.
    #[schema(value_type = Option<String>)]
    actor: Option<UserId>,
    /// E-mail address of the actor at that time.
    actor_email: Option<String>,
    /// The tracker key they came with.
    #[schema(value_type = Option<String>)]
    key_id: Option<KeyId>,
    /// Where they came from.
    address: Option<String>,
    /// What they did: method and route.
    action: String,
    /// What they did it to: the path.
    target: String,
    /// The project that it was about.
    #[schema(value_type = Option<String>)]
    project_id: Option<ProjectId>,
    /// What it was like before.
    #[schema(value_type = Option<Object>)]
    before: Option<Box<RawValue>>,
    /// What it was like afterwards.
    #[schema(value_type = Option<Object>)]
    after: Option<Box<RawValue>>,
    /// SHA-256 of the entry and of the hash before, in hexadecimal digits.
    hash: String,
}

/// Whether the audit log is whole.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditVerificationView {
    /// Whether every entry is what it was and none is missing between them.
    is_whole: bool,
    /// Entries that were looked at.
    entries: u64,
    /// The first entry that is not what it was, or before which one is missing.
    broken_at: Option<u64>,
    /// Hash of the last entry. Noted elsewhere with `entries`, it shows later whether the end was cut off.
    head: String,
}

/// Which entries.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documents the parameters that `query` reads")]
pub struct AuditParams {
    /// Account that did it.
    actor: Option<String>,
    /// Project that it was about.
    #[param(rename = "projectId")]
    project_id: Option<String>,
    /// A part of method and route: `DELETE`, `/webhooks`.
    action: Option<String>,
    /// First day or instant.
    #[param(rename = "startDate")]
    start_date: Option<String>,
    /// Last day, which is included whole, or the instant after the last one.
    #[param(rename = "endDate")]
    end_date: Option<String>,
    /// Zone whose days count. UTC unless told otherwise.
    #[param(rename = "timeZone")]
    time_zone: Option<String>,
}

/// The audit log, the latest first. For administrators.
#[utoipa::path(get, path = "/audit", tag = "Audit", operation_id = "list_audit",
    params(AuditParams, ("cursor" = Option<u64>, Query, description = "`nextCursor` of the page before"), ("limit" = Option<u64>, Query, description = "Most entries on the page, 1 to 100; 20 unless told otherwise")),
    responses((status = 200, body = Success<Vec<AuditView>>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn list_audit(
    State(app): State<App>,
    auth: Auth<Admin>,
    pairs: Pairs,
) -> Result<Success<Vec<AuditView>>> {
    auth.caller.require_role(Role::Admin)?;
    pairs.only(|name| is_filter(name) || matches!(name, "cursor" | "limit"))?;
    let number = |name: &str| pairs.parsed(name, |text| text.parse::<u64>().ok(), "a number");
    let (cursor, limit) = (number("cursor")?, number("limit")?);
    let size = PageSize::of(limit);
    let query = AuditQuery { before: cursor, limit: size.to_read(), ..query(&pairs)? };
    let mut entries = app.meta.list_audit(&query).await?;
    let pagination = size.cut(&mut entries, cursor.is_some(), |entry| entry.number.to_string());
    Ok(Success::ok(entries.into_iter().map(AuditView::from).collect()).with_pagination(pagination))
}

/// Compute the chain of the audit log anew, and say whether it is whole. For administrators.
///
/// An end that was cut off does not show by itself. Note `entries` and `head` elsewhere and send them later; the server's log
/// has them every hour.
#[utoipa::path(get, path = "/audit/verify", tag = "Audit", operation_id = "verify_audit",
    params(("entries" = Option<u64>, Query, description = "How many entries there were when `head` was noted"), ("head" = Option<String>, Query, description = "Hash of the last of them")),
    responses((status = 422, body = Failure), (status = 200, body = Success<AuditVerificationView>), (status = 401, body = Failure), (status = 403, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn verify_audit(
    State(app): State<App>,
    auth: Auth<Admin>,
    pairs: Pairs,
) -> Result<Success<AuditVerificationView>> {
    auth.caller.require_role(Role::Admin)?;
    pairs.only(|name| matches!(name, "entries" | "head"))?;
    let entries = pairs.parsed("entries", |text| text.parse().ok(), "a number")?;
    let head = pairs.parsed("head", hash_from_hex, "64 hexadecimal digits")?;
    if entries.is_some() != head.is_some() {
        return Err(Invalid::field("head", "entries and head go together").into());
    }
    let AuditVerification { entries, broken_at, head } = app.meta.verify_audit(entries.zip(head)).await?;
    let view = AuditVerificationView { is_whole: broken_at.is_none(), entries, broken_at, head: hex(&head) };
    Ok(Success::ok(view))
}

/// Download the audit log as CSV or NDJSON, the latest first. For administrators.
#[utoipa::path(get, path = "/audit/export", tag = "Audit", operation_id = "export_audit",
    params(AuditParams, ("format" = Option<String>, Query, description = "`ndjson` (unless told otherwise) or `csv`")),
    responses((status = 200, content((String = "application/x-ndjson"), (String = "text/csv"))), (status = 401, body = Failure), (status = 403, body = Failure), (status = 422, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn export_audit(State(app): State<App>, auth: Auth<Admin>, pairs: Pairs) -> Result<Response> {
    auth.caller.require_role(Role::Admin)?;
    pairs.only(|name| is_filter(name) || name == "format")?;
    let (media_type, ending, write): (_, _, Write) = match pairs.last("format").unwrap_or("ndjson") {
        "ndjson" => ("application/x-ndjson", "ndjson", ndjson),
        "csv" => ("text/csv; charset=utf-8", "csv", csv),
        _ => return Err(Invalid::field("format", "must be ndjson or csv").into()),
    };
    let query = AuditQuery { limit: limits::AUDIT_EXPORT_ENTRIES, ..query(&pairs)? };
    let mut response = pages(Arc::clone(&app.meta), query, write).into_response();
    let name = format!("attachment; filename=\"audit.{ending}\"");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::try_from(name).map_err(ApiError::internal)?);
    Ok(response)
}

/// Writes a page of entries; the first page with what comes before the first entry.
type Write = fn(Vec<Entry>, bool) -> Result<Vec<u8>, StoreError>;

/// Page after page, so that memory stays bounded however long the log is.
fn pages(meta: Arc<dyn MetaStore>, query: AuditQuery, write: Write) -> Body {
    let pages = stream::try_unfold(Some((query, true)), move |state| {
        let meta = Arc::clone(&meta);
        async move {
            let Some((query, is_first)) = state else { return Ok::<_, StoreError>(None) };
            let entries = meta.list_audit(&query).await?;
            let last = entries.last().filter(|_| entries.len() == query.limit).map(|entry| entry.number);
            let next = last.map(|last| (AuditQuery { before: Some(last), ..query }, false));
            Ok(Some((Bytes::from(write(entries, is_first)?), next)))
        }
    });
    Body::from_stream(pages)
}

fn ndjson(entries: Vec<Entry>, _is_first: bool) -> Result<Vec<u8>, StoreError> {
    let mut lines = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut lines, &AuditView::from(entry)).map_err(unwritable)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn csv(entries: Vec<Entry>, is_first: bool) -> Result<Vec<u8>, StoreError> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let head = [
        "number",
        "at",
        "actor",
        "actorEmail",
        "keyId",
        "address",
        "action",
        "target",
        "projectId",
        "before",
        "after",
        "hash",
    ];
    if is_first {
        writer.write_record(head).map_err(unwritable)?;
    }
    let id = |id: Option<String>| id.unwrap_or_default();
    for Entry { number, change, hash } in entries {
        let row = [
            number.to_string(),
            change.at.to_string(),
            id(change.actor.map(|id| id.to_string())),
            harmless(change.actor_email),
            id(change.key_id.map(|id| id.to_string())),
            id(change.address),
            change.action,
            harmless(Some(change.target)),
            id(change.project_id.map(|id| id.to_string())),
            harmless(change.before),
            harmless(change.after),
            hex(&hash),
        ];
        writer.write_record(row).map_err(unwritable)?;
    }
    writer.into_inner().map_err(unwritable)
}

/// A spreadsheet takes what begins so for a formula.
fn harmless(text: Option<String>) -> String {
    let text = text.unwrap_or_default();
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text }
}

fn unwritable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("an entry of the audit log cannot be written: {error}"))
}

fn is_filter(name: &str) -> bool {
    matches!(name, "actor" | "projectId" | "action" | "startDate" | "endDate" | "timeZone")
}

fn query(pairs: &Pairs) -> Result<AuditQuery> {
    let zone = zone(pairs)?;
    let period =
        Interval::from_bounds(pairs.last("startDate"), pairs.last("endDate"), &zone, Interval::ALWAYS)?;
    Ok(AuditQuery {
        period,
        actor: pairs.parsed("actor", |text| text.parse().ok(), "an id of 24 hexadecimal digits")?,
        project: pairs.parsed("projectId", |text| text.parse().ok(), "an id of 24 hexadecimal digits")?,
        action: pairs.last("action").map(str::to_owned),
        before: None,
        limit: 0,
    })
}

impl From<Entry> for AuditView {
    fn from(Entry { number, change, hash }: Entry) -> Self {
        let raw = |json: Option<String>| json.and_then(|json| RawValue::from_string(json).ok());
        Self {
            number,
            at: change.at,
            actor: change.actor,
            actor_email: change.actor_email,
            key_id: change.key_id,
            address: change.address,
            action: change.action,
            target: change.target,
            project_id: change.project_id,
            before: raw(change.before),
            after: raw(change.after),
            hash: hex(&hash),
        }
    }
}

/// A hash as [`AuditVerificationView`] writes it.
pub fn hash_from_hex(text: &str) -> Option<ChainHash> {
    let mut hash = [0; 32];
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    (text.len() == 64).then_some(hash)
}

/// A hash in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
