//! Accounts, on SQLite. Their log-ins are in [`super::sessions`].

use async_trait::async_trait;
use domain::{
    UserId,
    tracker_key::TokenHash,
    user::{Role, User},
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Sqlite, columns::Columns, failure::taken, projects, sessions};
use crate::{
    AccountStore, Claim, Invitation, NewSession, PasswordReset, Rotation, StoreError, UserWithHash,
    limits::SMALL_WRITE_BYTES,
};

macro_rules! user_columns {
    () => {
        "id, email, name, role, preferences, demo, created_at_ms, password_hash"
    };
}

const INSERT: &str =
    concat!("insert into user (", user_columns!(), ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
const HAS_ACCOUNTS: &str = "select exists (select 1 from user where not demo)";
const FIND: &str = concat!("select ", user_columns!(), " from user where id = ?1");
const FIND_BY_EMAIL: &str = concat!("select ", user_columns!(), " from user where email = ?1");
const LIST: &str = concat!("select ", user_columns!(), " from user order by email");
const UPDATE: &str = "update user set name = ?2, preferences = ?3, role = ?4 where id = ?1";
const CHANGE_PASSWORD: &str = "update user set password_hash = ?2 where id = ?1";
const DELETE: &str = "delete from user where id = ?1";
const REPLACE_RESET: &str = "
    insert into password_reset (user_id, token_hash, expires_at_ms) values (?1, ?2, ?3)
        on conflict (user_id) do update
       set token_hash = excluded.token_hash, expires_at_ms = excluded.expires_at_ms";
const FIND_RESET: &str = "select user_id from password_reset where token_hash = ?1 and expires_at_ms > ?2";
const DELETE_RESET: &str = "delete from password_reset where user_id = ?1";

#[async_trait]
impl AccountStore for Sqlite {
    async fn insert_user(&self, new: &UserWithHash, claim: Claim) -> Result<User, StoreError> {
        let new = new.clone();
        self.change(SMALL_WRITE_BYTES, move |tx| insert(tx.connection, new, claim)).await
    }

    async fn has_accounts(&self) -> Result<bool, StoreError> {
        self.read(|tx| has_accounts(tx.connection)).await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        let found = self.read(move |tx| find(tx.connection, FIND, id.bytes().as_slice())).await?;
        Ok(found.map(|found| found.user))
    }

    async fn find_user_by_email(&self, email: &str) -> Result<Option<UserWithHash>, StoreError> {
        let email = email.to_owned();
        self.read(move |tx| find(tx.connection, FIND_BY_EMAIL, email)).await
    }

    async fn list_users(&self) -> Result<Vec<User>, StoreError> {
        self.read(|tx| {
            let mut statement = tx.connection.prepare_cached(LIST)?;
            let users = statement.query_and_then([], read)?.map(|found| found.map(|found| found.user));
            users.collect()
        })
        .await
    }

    async fn update_user(&self, user: &User) -> Result<(), StoreError> {
        let User { id, name, preferences, role, .. } = user.clone();
        self.change(SMALL_WRITE_BYTES, move |tx| {
            tx.connection.prepare_cached(UPDATE)?.execute((id.bytes(), name, preferences, role.as_str()))?;
            Ok(())
        })
        .await
    }

    async fn change_password(&self, user: UserId, password_hash: &str) -> Result<(), StoreError> {
        let password_hash = password_hash.to_owned();
        self.change(SMALL_WRITE_BYTES, move |tx| {
            tx.connection.prepare_cached(DELETE_RESET)?.execute([user.bytes()])?;
            change_password(tx.connection, user, &password_hash)
        })
        .await
    }

    async fn insert_password_reset(&self, reset: &PasswordReset) -> Result<(), StoreError> {
        let PasswordReset { token_hash, user_id, expires_at } = *reset;
        self.write(SMALL_WRITE_BYTES, move |tx| {
            let row = (user_id.bytes(), token_hash, expires_at.as_millisecond());
            tx.connection.prepare_cached(REPLACE_RESET)?.execute(row)?;
            Ok(())
        })
        .await
    }

    async fn find_password_reset(
        &self,
        token: &TokenHash,
        at: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        let token = *token;
        self.read(move |tx| find_reset(tx.connection, &token, at)).await
    }

    async fn reset_password(
        &self,
        token: &TokenHash,
        password_hash: &str,
        at: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        let (token, password_hash) = (*token, password_hash.to_owned());
        self.change(SMALL_WRITE_BYTES, move |tx| {
            let Some(user) = find_reset(tx.connection, &token, at)? else { return Ok(None) };
            tx.connection.prepare_cached(DELETE_RESET)?.execute([user.bytes()])?;
            change_password(tx.connection, user, &password_hash)?;
            Ok(Some(user))
        })
        .await
    }

    async fn upgrade_password_hash(&self, user: UserId, password_hash: &str) -> Result<(), StoreError> {
        let password_hash = password_hash.to_owned();
        self.change(SMALL_WRITE_BYTES, move |tx| {
            tx.connection.execute(CHANGE_PASSWORD, (user.bytes(), password_hash))?;
            Ok(())
        })
        .await
    }

    async fn delete_user(&self, user: UserId) -> Result<(), StoreError> {
        self.change(SMALL_WRITE_BYTES, move |tx| {
            tx.connection.execute(DELETE, [user.bytes()])?;
            Ok(())
        })
        .await
    }

    async fn insert_session(&self, session: &NewSession) -> Result<(), StoreError> {
        let session = session.clone();
        self.write(SMALL_WRITE_BYTES, move |tx| sessions::insert(tx.connection, &session)).await
    }

    async fn rotate_session(
        &self,
        presented: &TokenHash,
        new: &NewSession,
        grace_ms: u32,
    ) -> Result<Rotation, StoreError> {
        let (presented, new) = (*presented, new.clone());
        self.write(SMALL_WRITE_BYTES, move |tx| sessions::rotate(tx.connection, &presented, new, grace_ms))
            .await
    }

    async fn revoke_session(&self, presented: &TokenHash) -> Result<Option<UserId>, StoreError> {
        let presented = *presented;
        self.write(SMALL_WRITE_BYTES, move |tx| sessions::revoke(tx.connection, &presented)).await
    }

    async fn insert_invitation(&self, invitation: &Invitation) -> Result<(), StoreError> {
        let invitation = invitation.clone();
        self.write(SMALL_WRITE_BYTES, move |tx| sessions::insert_invitation(tx.connection, &invitation)).await
    }
}

fn insert(connection: &Connection, mut new: UserWithHash, claim: Claim) -> Result<User, StoreError> {
    let invitation = match claim {
        Claim::First if has_accounts(connection)? => return Err(StoreError::Conflict("account")),
        Claim::First => {
            new.user.role = Role::Owner;
            None
        }
        Claim::Open => None,
        Claim::Invitation(token) => Some(sessions::take_invitation(connection, &token, &new.user)?),
    };
    if let Some(invitation) = &invitation {
        new.user.role = invitation.role;
    }
    insert_row(connection, &new)?;
    if let Some((project, role)) = invitation.and_then(|invitation| invitation.project) {
        projects::put_member(connection, project, new.user.id, role, new.user.created_at)?;
    }
    Ok(new.user)
}

fn insert_row(
    connection: &Connection,
    UserWithHash { user, password_hash }: &UserWithHash,
) -> Result<(), StoreError> {
    let row = params![
        user.id.bytes(),
        user.email,
        user.name,
        user.role.as_str(),
        user.preferences,
        user.demo,
        user.created_at.as_millisecond(),
        password_hash,
    ];
    connection.prepare_cached(INSERT)?.execute(row).map(drop).map_err(taken("email"))
}

/// Replaces the password and ends every log-in.
fn change_password(connection: &Connection, user: UserId, password_hash: &str) -> Result<(), StoreError> {
    connection.execute(CHANGE_PASSWORD, (user.bytes(), password_hash))?;
    sessions::revoke_all(connection, user)
}

fn find_reset(
    connection: &Connection,
    token: &TokenHash,
    at: Timestamp,
) -> Result<Option<UserId>, StoreError> {
    let mut statement = connection.prepare_cached(FIND_RESET)?;
    let user = statement.query_row((token, at.as_millisecond()), |row| row.get(0)).optional()?;
    Ok(user.map(UserId::from_bytes))
}

fn has_accounts(connection: &Connection) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached(HAS_ACCOUNTS)?.query_row([], |row| row.get(0))?)
}

fn find(
    connection: &Connection,
    sql: &str,
    key: impl rusqlite::ToSql,
) -> Result<Option<UserWithHash>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query_and_then([key], read)?;
    found.next().transpose()
}

fn read(row: &Row<'_>) -> Result<UserWithHash, StoreError> {
    let mut columns = Columns::of(row);
    let user = User {
        id: columns.next_id()?,
        email: columns.next()?,
        name: columns.next()?,
        role: columns.next_word(Role::from_name)?,
        preferences: columns.next()?,
        demo: columns.next()?,
        created_at: columns.next_instant()?,
    };
    Ok(UserWithHash { user, password_hash: columns.next()? })
}
