-- Spending that was far from usual, each once for its series and its hour or day.
create table anomaly (
    seq             integer primary key,
    id              blob    not null unique,
    project_id      blob    references project (id) on delete cascade,
    provider        text    not null,
    model           text    not null,
    span            text    not null,
    start_ms        integer not null,
    spent_nanos     integer not null,
    median_nanos    integer not null,
    deviation_nanos integer not null,
    samples         integer not null,
    basis           text    not null,
    event_id        blob    not null,
    at_ms           integer not null,
    expected_by     blob,
    expected_at_ms  integer,
    note            text
) strict;

create unique index anomaly_of_series on anomaly (coalesce(project_id, x''), provider, model, span, start_ms);
create index anomaly_by_project on anomaly (project_id, seq);
