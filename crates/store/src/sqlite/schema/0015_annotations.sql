-- What happened, so that costs can be looked at against it.
create table annotation (
    seq           integer primary key,
    id            blob    not null unique,
    project_id    blob    references project (id) on delete cascade,
    at_ms         integer not null,
    title         text    not null,
    tags          text    not null,
    link          text,
    created_by    blob    not null,
    created_at_ms integer not null
) strict;

create unique index annotation_of_moment on annotation (coalesce(project_id, x''), at_ms, title);
create index annotation_by_time on annotation (at_ms, seq);
