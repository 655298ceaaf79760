//! Taking a person out of the records.

use axum::extract::State;
use domain::{EventId, Invalid, text, user::Role};
use serde::{Deserialize, Serialize};
use store::{ErasureCount, Person};
use utoipa::ToSchema;

use crate::{
    app::App,
    auth::{Admin, Auth},
    error::{Failure, Result},
    input::Json,
    reply::Success,
};

/// Whom to take out. At least one of the addresses.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewErasure {
    /// Address under which records name them as the sender's own user.
    pub user_email: Option<String>,
    /// Address under which records name them as the sender's customer.
    pub customer_email: Option<String>,
    /// Only count.
    pub dry_run: bool,
}

/// What was erased, or would be.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Erasure {
    /// What stands in the place of the address now; `null` when it was only counted.
    pub pseudonym: Option<String>,
    /// HMAC-SHA256 of the address under a key of this installation: the audit log names it by this.
    pub address_hashes: Vec<String>,
    /// Records that name the person. Their costs and tokens stay.
    pub records: u64,
    /// Prompts and completions of these.
    pub contents: u64,
    /// Conversations of these.
    pub sessions: u64,
    /// Traces of these.
    pub traces: u64,
    /// Events in the outbox that contain the address.
    pub events: u64,
    /// Whether it was only counted.
    pub dry_run: bool,
    /// Whether nothing of it is left in the database's files; `false` when somebody was reading: erase once more later.
    pub is_log_emptied: bool,
}

/// Take a person out of every record, or count what there is of them (`dryRun`). For administrators.
///
/// The address is replaced by a pseudonym; prompts, completions, sessions, traces, metadata and error messages of the
/// records are erased. Costs, tokens, tags and allocation stay. Backups and the audit log are not changed.
#[utoipa::path(post, path = "/erasures", tag = "Usage", operation_id = "erase_person",
    request_body = NewErasure,
    responses((status = 200, body = Success<Erasure>), (status = 401, body = Failure), (status = 403, body = Failure), (status = 422, body = Failure), (status = 503, body = Failure)),
    security(("accessToken" = []), ("trackerKey" = ["admin"])))]
pub async fn erase_person(
    State(app): State<App>,
    auth: Auth<Admin>,
    Json(new): Json<NewErasure>,
) -> Result<Success<Erasure>> {
    auth.caller.require_role(Role::Admin)?;
    let erasure = erase(&app, new).await?;
    auth.caller.trail.after(&erasure);
    Ok(Success::ok(erasure))
}

/// Takes the person out, or counts.
pub async fn erase(app: &App, new: NewErasure) -> Result<Erasure> {
    let dry_run = new.dry_run;
    let person = person(new)?;
    let ErasureCount { records, contents, sessions, traces, events } = app.meta.count_person(&person).await?;
    let address_hashes = person.addresses().map(|address| app.vault.fingerprint(address)).collect();
    let (mut pseudonym, mut is_log_emptied) = (None, false);
    if !dry_run {
        let id: EventId = app.ids.next(app.clock.now());
        let name = format!("erased-{id}@erased.invalid");
        app.meta.erase_person(&person, &name).await?;
        is_log_emptied = app.meta.forget_deleted().await?;
        pseudonym = Some(name);
        tracing::info!(records, "a person was taken out of the records");
    }
    Ok(Erasure {
        pseudonym,
        address_hashes,
        records,
        contents,
        sessions,
        traces,
        events,
        dry_run,
        is_log_emptied,
    })
}

fn person(NewErasure { user_email, customer_email, .. }: NewErasure) -> Result<Person, Invalid> {
    let address = |name, value: Option<String>| value.map(|value| text::email(name, &value)).transpose();
    let person = Person {
        user_email: address("userEmail", user_email)?,
        customer_email: address("customerEmail", customer_email)?,
    };
    if person.addresses().next().is_none() {
        return Err(Invalid::field("userEmail", "name a userEmail, a customerEmail, or both"));
    }
    Ok(person)
}
