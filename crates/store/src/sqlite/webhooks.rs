//! Webhooks, on SQLite.

use async_trait::async_trait;
use domain::{
    ProjectId, WebhookId,
    delivery::Attempt,
    event::EventType,
    provider_key::Sealed,
    webhook::{Format, Owner, Webhook},
};
use jiff::Timestamp;
use rusqlite::{Connection, Params, Row, params};

use super::{
    Sqlite,
    columns::{Columns, damaged},
    failure::taken,
    kept,
};
use crate::{StoreError, WebhookStore, limits::SMALL_WRITE_BYTES};

macro_rules! webhook_columns {
    () => {
        "id, user_id, project_id, url, description, events, format, enabled, disabled_reason, of_budget, key_id, \
         nonce, ciphertext, previous_key_id, previous_nonce, previous_ciphertext, previous_until_ms, \
         failing_since_ms, created_at_ms, updated_at_ms"
    };
}

const INSERT: &str = concat!(
    "insert into webhook (",
    webhook_columns!(),
    ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)"
);
const FIND: &str = concat!("select ", webhook_columns!(), " from webhook where id = ?1");
const FIND_OF_BUDGET: &str =
    concat!("select ", webhook_columns!(), " from webhook where project_id = ?1 and url = ?2 and of_budget");
const FIND_OF_ACCOUNT_BUDGET: &str =
    concat!("select ", webhook_columns!(), " from webhook where user_id = ?1 and url = ?2 and of_budget");
const LIST_OF_USER: &str =
    concat!("select ", webhook_columns!(), " from webhook where user_id = ?1 order by created_at_ms, id");
const LIST_OF_PROJECT: &str =
    concat!("select ", webhook_columns!(), " from webhook where project_id = ?1 order by created_at_ms, id");
const LIST_LISTENING: &str = concat!(
    "select ",
    webhook_columns!(),
    " from webhook
      where enabled and not of_budget and (user_id is not null or project_id = ?1) order by created_at_ms, id"
);
const LIST_ALL: &str = concat!("select ", webhook_columns!(), " from webhook order by id");
const UPDATE: &str = "
    update webhook
       set url = ?2, description = ?3, events = ?4, format = ?5, enabled = ?6, disabled_reason = ?7, key_id = ?8,
           nonce = ?9, ciphertext = ?10, previous_key_id = ?11, previous_nonce = ?12, previous_ciphertext = ?13,
           previous_until_ms = ?14, failing_since_ms = ?15, updated_at_ms = ?16
     where id = ?1";
const RESEAL: &str = "
    update webhook
       set key_id = ?4, nonce = ?5, ciphertext = ?6, previous_key_id = ?7, previous_nonce = ?8,
           previous_ciphertext = ?9
     where id = ?1 and ciphertext = ?2 and previous_ciphertext is ?3";
const DELETE: &str = "delete from webhook where id = ?1";
const NOTE_ATTEMPT: &str = "
    update webhook
       set failing_since_ms = case when ?2 then coalesce(failing_since_ms, ?3) end where id = ?1";
const DISABLE: &str = "update webhook set enabled = 0, disabled_reason = ?2 where id = ?1";
const GIVE_UP: &str = "
    update delivery set state = 'failed', is_head = 0, due_at_ms = null, reason = 'the webhook was switched off'
     where webhook_id = ?1 and state = 'waiting'";

#[async_trait]
impl WebhookStore for Sqlite {
    async fn insert_webhook(&self, webhook: &Webhook) -> Result<(), StoreError> {
        let webhook = webhook.clone();
        self.change(SMALL_WRITE_BYTES, move |tx| {
            kept::telling(tx.connection, &webhook, |connection| insert(connection, &webhook))
        })
        .await
    }

    async fn ensure_budget_webhook(&self, webhook: &Webhook) -> Result<Webhook, StoreError> {
        let webhook = webhook.clone();
        self.write(SMALL_WRITE_BYTES, move |tx| ensure_of_budget(tx.connection, webhook)).await
    }

    async fn find_webhook(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        self.read(move |tx| Ok(list(tx.connection, FIND, [id.bytes()])?.pop())).await
    }

    async fn list_webhooks(&self, owner: Owner) -> Result<Vec<Webhook>, StoreError> {
        self.read(move |tx| match owner {
            Owner::Account(user) => list(tx.connection, LIST_OF_USER, [user.bytes()]),
            Owner::Project(project) => list(tx.connection, LIST_OF_PROJECT, [project.bytes()]),
        })
        .await
    }

    async fn list_listening_webhooks(&self, project: Option<ProjectId>) -> Result<Vec<Webhook>, StoreError> {
        self.read(move |tx| list(tx.connection, LIST_LISTENING, [project.map(|id| *id.bytes())])).await
    }

    async fn list_all_webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        self.read(|tx| list(tx.connection, LIST_ALL, [])).await
    }

    async fn update_webhook(&self, webhook: &Webhook) -> Result<bool, StoreError> {
        let webhook = webhook.clone();
        self.change(SMALL_WRITE_BYTES, move |tx| {
            kept::telling(tx.connection, &webhook, |connection| update(connection, &webhook))
        })
        .await
    }

    async fn reseal_webhook(
        &self,
        old: &Webhook,
        secret: &Sealed,
        previous: Option<&Sealed>,
    ) -> Result<bool, StoreError> {
        let (old, secret, previous) = (old.clone(), secret.clone(), previous.cloned());
        self.write(SMALL_WRITE_BYTES, move |tx| {
            let before = old.previous_secret.as_ref().map(|(sealed, _)| &sealed.ciphertext);
            let row = params![
                old.id.bytes(),
                old.secret.ciphertext,
                before,
                secret.key_id,
                secret.nonce,
                secret.ciphertext,
                previous.as_ref().map(|sealed| &sealed.key_id),
                previous.as_ref().map(|sealed| sealed.nonce),
                previous.as_ref().map(|sealed| &sealed.ciphertext),
            ];
            Ok(tx.connection.execute(RESEAL, row)? > 0)
        })
        .await
    }

    async fn delete_webhook(&self, id: WebhookId) -> Result<bool, StoreError> {
        self.change(SMALL_WRITE_BYTES, move |tx| Ok(tx.connection.execute(DELETE, [id.bytes()])? > 0)).await
    }
}

/// Notes whether an attempt succeeded, and switches the webhook off if `disabled` says why.
pub(super) fn note_attempt(
    connection: &Connection,
    id: WebhookId,
    attempt: &Attempt,
    disabled: Option<&str>,
) -> Result<(), StoreError> {
    let row = (id.bytes(), attempt.failure.is_some(), attempt.at.as_millisecond());
    connection.prepare_cached(NOTE_ATTEMPT)?.execute(row)?;
    let Some(reason) = disabled else { return Ok(()) };
    connection.prepare_cached(DISABLE)?.execute((id.bytes(), reason))?;
    connection.prepare_cached(GIVE_UP)?.execute([id.bytes()])?;
    Ok(())
}

fn insert(connection: &Connection, webhook: &Webhook) -> Result<(), StoreError> {
    let (user, project) = match webhook.owner {
        Owner::Account(user) => (Some(*user.bytes()), None),
        Owner::Project(project) => (None, Some(*project.bytes())),
    };
    let previous = webhook.previous_secret.as_ref();
    let row = params![
        webhook.id.bytes(),
        user,
        project,
        webhook.url,
        webhook.description,
        events_to_text(&webhook.events),
        webhook.format.as_str(),
        webhook.enabled,
        webhook.disabled_reason,
        webhook.of_budget,
        webhook.secret.key_id,
        webhook.secret.nonce,
        webhook.secret.ciphertext,
        previous.map(|(sealed, _)| &sealed.key_id),
        previous.map(|(sealed, _)| sealed.nonce),
        previous.map(|(sealed, _)| &sealed.ciphertext),
        previous.map(|(_, until)| until.as_millisecond()),
        webhook.failing_since.map(Timestamp::as_millisecond),
        webhook.created_at.as_millisecond(),
        webhook.updated_at.as_millisecond(),
    ];
    connection.prepare_cached(INSERT)?.execute(row).map(drop).map_err(taken("webhook"))
}

fn ensure_of_budget(connection: &Connection, webhook: Webhook) -> Result<Webhook, StoreError> {
    let (sql, owner) = match &webhook.owner {
        Owner::Project(project) => (FIND_OF_BUDGET, project.bytes()),
        Owner::Account(user) => (FIND_OF_ACCOUNT_BUDGET, user.bytes()),
    };
    match list(connection, sql, (owner, &webhook.url))?.pop() {
        Some(existing) => Ok(existing),
        None => insert(connection, &webhook).map(|()| webhook),
    }
}

fn update(connection: &Connection, webhook: &Webhook) -> Result<bool, StoreError> {
    let previous = webhook.previous_secret.as_ref();
    let row = params![
        webhook.id.bytes(),
        webhook.url,
        webhook.description,
        events_to_text(&webhook.events),
        webhook.format.as_str(),
        webhook.enabled,
        webhook.disabled_reason,
        webhook.secret.key_id,
        webhook.secret.nonce,
        webhook.secret.ciphertext,
        previous.map(|(sealed, _)| &sealed.key_id),
        previous.map(|(sealed, _)| sealed.nonce),
        previous.map(|(sealed, _)| &sealed.ciphertext),
        previous.map(|(_, until)| until.as_millisecond()),
        webhook.failing_since.map(Timestamp::as_millisecond),
        webhook.updated_at.as_millisecond(),
    ];
    let is_there = connection.prepare_cached(UPDATE)?.execute(row).map_err(taken("webhook"))? > 0;
    if is_there && !webhook.enabled {
        connection.prepare_cached(GIVE_UP)?.execute([webhook.id.bytes()])?;
    }
    Ok(is_there)
}

fn list(connection: &Connection, sql: &str, parameters: impl Params) -> Result<Vec<Webhook>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let webhooks = statement.query_and_then(parameters, read)?;
    webhooks.collect()
}

fn read(row: &Row<'_>) -> Result<Webhook, StoreError> {
    let mut columns = Columns::of(row);
    let id = columns.next_id()?;
    let owner = match (columns.next_id_option()?, columns.next_id_option()?) {
        (Some(user), None) => Owner::Account(user),
        (None, Some(project)) => Owner::Project(project),
        (None, None) | (Some(_), Some(_)) => return Err(damaged("a webhook has no owner, or two")),
    };
    Ok(Webhook {
        id,
        owner,
        url: columns.next()?,
        description: columns.next()?,
        events: columns.next::<String>().and_then(|text| events_of_text(&text))?,
        format: columns.next_word(Format::from_name)?,
        enabled: columns.next()?,
        disabled_reason: columns.next()?,
        of_budget: columns.next()?,
        secret: Sealed { key_id: columns.next()?, nonce: columns.next()?, ciphertext: columns.next()? },
        previous_secret: read_previous(&mut columns)?,
        failing_since: columns.next_instant_option()?,
        created_at: columns.next_instant()?,
        updated_at: columns.next_instant()?,
    })
}

fn read_previous(columns: &mut Columns<'_>) -> Result<Option<(Sealed, Timestamp)>, StoreError> {
    let key_id: Option<String> = columns.next()?;
    let nonce: Option<[u8; 12]> = columns.next()?;
    let ciphertext: Option<Vec<u8>> = columns.next()?;
    let until = columns.next_instant_option()?;
    Ok(key_id
        .zip(nonce)
        .zip(ciphertext)
        .zip(until)
        .map(|(((key_id, nonce), ciphertext), until)| (Sealed { key_id, nonce, ciphertext }, until)))
}

/// Names of event types never hold a space.
fn events_to_text(events: &[EventType]) -> String {
    events.iter().map(|event| event.as_str()).collect::<Vec<_>>().join(" ")
}

fn events_of_text(text: &str) -> Result<Vec<EventType>, StoreError> {
    let parse = |name| EventType::from_name(name).ok_or_else(|| damaged("a type of event is unknown"));
    text.split_whitespace().map(parse).collect()
}
