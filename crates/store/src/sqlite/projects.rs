//! Projects and their members, on SQLite.

use async_trait::async_trait;
use domain::{
    ProjectId, UserId,
    project::{Member, Project, ProjectRole},
};
use jiff::Timestamp;
use rusqlite::{Connection, Params, Row, params};
use serde::de::DeserializeOwned;

use super::{Sqlite, columns::Columns, failure::taken, names::read_tags};
use crate::{ProjectStore, StoreError, limits::SMALL_WRITE_BYTES};

macro_rules! project_columns {
    () => {
        "id, name, description, budget, tags, settings, is_active, demo,
         created_at_ms, updated_at_ms, archived_at_ms"
    };
}

const INSERT: &str = concat!(
    "insert into project (",
    project_columns!(),
    ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
);
const FIND: &str =
    concat!("select ", project_columns!(), " from project where id = ?1 and archived_at_ms is null");
const LIST: &str =
    concat!("select ", project_columns!(), " from project where archived_at_ms is null order by name, id");
const LIST_ARCHIVED: &str =
    concat!("select ", project_columns!(), " from project where archived_at_ms is not null order by id");
const LIST_OF: &str = concat!(
    "select ",
    project_columns!(),
    " from project
      where archived_at_ms is null and id in (select project_id from project_member where user_id = ?1)
      order by name, id"
);
const UPDATE: &str = "
    update project
       set name = ?2, description = ?3, budget = ?4, tags = ?5, settings = ?6, is_active = ?7, demo = ?8,
           created_at_ms = ?9, updated_at_ms = ?10, archived_at_ms = ?11
     where id = ?1";
const PURGE_DEMO: &str = "delete from project where demo returning id";
const LIST_MEMBERS: &str = "
    select user_id, role, added_at_ms from project_member where project_id = ?1 order by added_at_ms, user_id";
const PUT_MEMBER: &str = "
    insert into project_member (project_id, user_id, role, added_at_ms) values (?1, ?2, ?3, ?4)
        on conflict do update set role = excluded.role";
const REMOVE_MEMBER: &str = "delete from project_member where project_id = ?1 and user_id = ?2";
const HAS_OWNER: &str =
    "select exists (select 1 from project_member where project_id = ?1 and role = 'owner')";

#[async_trait]
impl ProjectStore for Sqlite {
    async fn insert_project(&self, project: &Project) -> Result<(), StoreError> {
        let project = project.clone();
        self.change(SMALL_WRITE_BYTES, move |tx| insert(tx.connection, &project)).await
    }

    async fn find_project(&self, id: ProjectId) -> Result<Option<Project>, StoreError> {
        self.read(move |tx| Ok(list(tx.connection, FIND, [id.bytes()])?.pop())).await
    }

    async fn list_projects_of(&self, user: UserId) -> Result<Vec<Project>, StoreError> {
        self.read(move |tx| list(tx.connection, LIST_OF, [user.bytes()])).await
    }

    async fn list_projects(&self) -> Result<Vec<Project>, StoreError> {
        self.read(|tx| list(tx.connection, LIST, [])).await
    }

    async fn list_archived_projects(&self) -> Result<Vec<Project>, StoreError> {
        self.read(|tx| list(tx.connection, LIST_ARCHIVED, [])).await
    }

    async fn update_project(&self, project: &Project) -> Result<(), StoreError> {
        let project = project.clone();
        self.change(SMALL_WRITE_BYTES, move |tx| {
            execute(tx.connection, UPDATE, &project)??;
            Ok(())
        })
        .await
    }

    async fn put_member(
        &self,
        project: ProjectId,
        user: UserId,
        role: ProjectRole,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(SMALL_WRITE_BYTES, move |tx| {
            keep_owner(tx.connection, project, || put_member(tx.connection, project, user, role, at))
        })
        .await
    }

    async fn remove_member(&self, project: ProjectId, user: UserId) -> Result<bool, StoreError> {
        self.change(SMALL_WRITE_BYTES, move |tx| {
            keep_owner(tx.connection, project, || {
                Ok(tx.connection.execute(REMOVE_MEMBER, (project.bytes(), user.bytes()))? > 0)
            })
        })
        .await
    }

    async fn purge_demo_projects(&self) -> Result<Vec<ProjectId>, StoreError> {
        self.change(SMALL_WRITE_BYTES, |tx| {
            let mut statement = tx.connection.prepare(PURGE_DEMO)?;
            let ids = statement.query_map([], |row| row.get(0).map(ProjectId::from_bytes))?;
            Ok(ids.collect::<Result<_, _>>()?)
        })
        .await
    }
}

/// Adds a member or changes their role.
pub(super) fn put_member(
    connection: &Connection,
    project: ProjectId,
    user: UserId,
    role: ProjectRole,
    at: Timestamp,
) -> Result<(), StoreError> {
    let row = (project.bytes(), user.bytes(), role.as_str(), at.as_millisecond());
    connection.prepare_cached(PUT_MEMBER)?.execute(row)?;
    Ok(())
}

/// Does `change`; an error, which undoes it, if that took the project's last owner.
fn keep_owner<T>(
    connection: &Connection,
    project: ProjectId,
    change: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let has_owner = || connection.prepare_cached(HAS_OWNER)?.query_row([project.bytes()], |row| row.get(0));
    let had_owner: bool = has_owner()?;
    let changed = change()?;
    if had_owner && !has_owner()? { Err(StoreError::Conflict("owner")) } else { Ok(changed) }
}

fn insert(connection: &Connection, project: &Project) -> Result<(), StoreError> {
    execute(connection, INSERT, project)?.map_err(taken("project"))?;
    project.members.iter().try_for_each(|member| {
        put_member(connection, project.id, member.user_id, member.role, member.added_at)
    })
}

fn execute(
    connection: &Connection,
    sql: &str,
    project: &Project,
) -> Result<rusqlite::Result<usize>, StoreError> {
    let budget = project.budget.as_ref().map(to_json).transpose()?;
    Ok(connection.prepare_cached(sql)?.execute(params![
        project.id.bytes(),
        project.name,
        project.description,
        budget,
        to_json(&project.tags)?,
        to_json(&project.settings)?,
        project.is_active,
        project.demo,
        project.created_at.as_millisecond(),
        project.updated_at.as_millisecond(),
        project.archived_at.map(Timestamp::as_millisecond),
    ]))
}

fn list(connection: &Connection, sql: &str, parameters: impl Params) -> Result<Vec<Project>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let projects = statement.query_and_then(parameters, |row| read(row, connection))?;
    projects.collect()
}

fn read(row: &Row<'_>, connection: &Connection) -> Result<Project, StoreError> {
    let mut columns = Columns::of(row);
    let id = columns.next_id()?;
    Ok(Project {
        id,
        name: columns.next()?,
        description: columns.next()?,
        budget: columns.next::<Option<String>>()?.map(|json| of_json(&json)).transpose()?,
        tags: columns.next::<String>().and_then(|json| read_tags(&json))?,
        settings: columns.next::<String>().and_then(|json| of_json(&json))?,
        members: list_members(connection, id)?,
        is_active: columns.next()?,
        demo: columns.next()?,
        created_at: columns.next_instant()?,
        updated_at: columns.next_instant()?,
        archived_at: columns.next_instant_option()?,
    })
}

fn list_members(connection: &Connection, project: ProjectId) -> Result<Vec<Member>, StoreError> {
    let mut statement = connection.prepare_cached(LIST_MEMBERS)?;
    let members = statement.query_and_then([project.bytes()], |row| {
        let mut columns = Columns::of(row);
        Ok(Member {
            user_id: columns.next_id()?,
            role: columns.next_word(ProjectRole::from_name)?,
            added_at: columns.next_instant()?,
        })
    })?;
    members.collect()
}

fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn of_json<T: DeserializeOwned>(json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Damaged(error.to_string()))
}
