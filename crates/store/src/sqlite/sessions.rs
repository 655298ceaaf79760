//! Refresh tokens and invitations, on SQLite.

use domain::{
    UserId,
    project::ProjectRole,
    tracker_key::TokenHash,
    user::{Role, User},
};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{columns::Columns, failure::taken};
use crate::{Invitation, NewSession, Rotation, StoreError};

const SWEEP: &str = "delete from session where expires_at_ms <= ?1";
const INSERT: &str = "
    insert into session (token_hash, family, user_id, issued_at_ms, expires_at_ms) values (?1, ?2, ?3, ?4, ?5)";
const FIND: &str =
    "select family, user_id, expires_at_ms, used_at_ms, revoked from session where token_hash = ?1";
const USE: &str = "update session set used_at_ms = ?2, successor = ?3 where token_hash = ?1";
const GRACE: &str = "
    update session set graced = 1
     where token_hash = ?1 and not graced and used_at_ms > ?2
       and exists (select 1 from session next where next.token_hash = session.successor and next.used_at_ms is null)";
const REVOKE_FAMILY: &str = "
    update session set revoked = 1 where family = (select family from session where token_hash = ?1)";
const REVOKE_ALL: &str = "update session set revoked = 1 where user_id = ?1";
const REPLACE_INVITATION: &str = "delete from invitation where email = ?1 and project_id is ?2";
const INSERT_INVITATION: &str = "
    insert into invitation (token_hash, email, role, project_id, project_role, expires_at_ms)
    values (?1, ?2, ?3, ?4, ?5, ?6)";
const TAKE_INVITATION: &str = "
    delete from invitation
     where token_hash = ?1 and email = ?2 and expires_at_ms > ?3
 returning token_hash, email, role, project_id, project_role, expires_at_ms";

/// What is known of a refresh token.
struct Session {
    family: [u8; 12],
    user_id: UserId,
    expires_at_ms: i64,
    used_at_ms: Option<i64>,
    is_revoked: bool,
}

pub(super) fn insert(connection: &Connection, session: &NewSession) -> Result<(), StoreError> {
    connection.prepare_cached(SWEEP)?.execute([session.issued_at.as_millisecond()])?;
    let NewSession { token_hash, family, user_id, issued_at, expires_at } = session;
    let row = (
        token_hash,
        family.bytes(),
        user_id.bytes(),
        issued_at.as_millisecond(),
        expires_at.as_millisecond(),
    );
    connection.prepare_cached(INSERT)?.execute(row).map(drop).map_err(taken("session"))
}

pub(super) fn rotate(
    connection: &Connection,
    presented: &TokenHash,
    mut new: NewSession,
    grace_ms: u32,
) -> Result<Rotation, StoreError> {
    let Some(session) = find(connection, presented)? else { return Ok(Rotation::Refused) };
    let now_ms = new.issued_at.as_millisecond();
    if session.is_revoked || session.expires_at_ms <= now_ms {
        return Ok(Rotation::Refused);
    }
    if session.used_at_ms.is_none() {
        connection.prepare_cached(USE)?.execute((presented, now_ms, new.token_hash))?;
    } else if connection.prepare_cached(GRACE)?.execute((presented, now_ms - i64::from(grace_ms)))? == 0 {
        revoke(connection, presented)?;
        return Ok(Rotation::Reused(session.user_id));
    }
    new.family = domain::KeyId::from_bytes(session.family);
    new.user_id = session.user_id;
    insert(connection, &new)?;
    Ok(Rotation::Rotated(session.user_id))
}

/// Revokes the family of a token; whose it is, if it is known.
pub(super) fn revoke(connection: &Connection, presented: &TokenHash) -> Result<Option<UserId>, StoreError> {
    let user = find(connection, presented)?.map(|session| session.user_id);
    connection.prepare_cached(REVOKE_FAMILY)?.execute([presented])?;
    Ok(user)
}

pub(super) fn revoke_all(connection: &Connection, user: UserId) -> Result<(), StoreError> {
    connection.prepare_cached(REVOKE_ALL)?.execute([user.bytes()])?;
    Ok(())
}

pub(super) fn insert_invitation(connection: &Connection, invitation: &Invitation) -> Result<(), StoreError> {
    let Invitation { token_hash, email, role, project, expires_at } = invitation;
    let project_id = project.as_ref().map(|(id, _)| id.bytes());
    connection.prepare_cached(REPLACE_INVITATION)?.execute((email, project_id))?;
    let project_role = project.map(|(_, role)| role.as_str());
    let row = (token_hash, email, role.as_str(), project_id, project_role, expires_at.as_millisecond());
    connection.prepare_cached(INSERT_INVITATION)?.execute(row).map(drop).map_err(taken("invitation"))
}

/// Uses up the invitation that lets `user` in.
pub(super) fn take_invitation(
    connection: &Connection,
    token: &TokenHash,
    user: &User,
) -> Result<Invitation, StoreError> {
    let mut statement = connection.prepare_cached(TAKE_INVITATION)?;
    let mut found =
        statement.query_and_then((token, &user.email, user.created_at.as_millisecond()), read_invitation)?;
    found.next().transpose()?.ok_or(StoreError::Conflict("invitation"))
}

fn find(connection: &Connection, token: &TokenHash) -> Result<Option<Session>, StoreError> {
    let read = |row: &Row<'_>| {
        Ok(Session {
            family: row.get(0)?,
            user_id: UserId::from_bytes(row.get(1)?),
            expires_at_ms: row.get(2)?,
            used_at_ms: row.get(3)?,
            is_revoked: row.get(4)?,
        })
    };
    Ok(connection.prepare_cached(FIND)?.query_row([token], read).optional()?)
}

fn read_invitation(row: &Row<'_>) -> Result<Invitation, StoreError> {
    let mut columns = Columns::of(row);
    Ok(Invitation {
        token_hash: columns.next()?,
        email: columns.next()?,
        role: columns.next_word(Role::from_name)?,
        project: {
            let project = columns.next::<Option<[u8; 12]>>()?;
            let role = columns.next::<Option<String>>()?.and_then(|role| ProjectRole::from_name(&role));
            project.map(domain::ProjectId::from_bytes).zip(role)
        },
        expires_at: columns.next_instant()?,
    })
}
