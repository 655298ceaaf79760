-- Spans that add up what calls inside of them used: while it may still be told of such a call, with the record that they
-- would be (`call`); for a while after they became a record, so that it can give way.
create table aggregate (
    user_id        blob    not null references user (id) on delete cascade,
    trace          blob    not null,
    span           blob    not null,
    parent         blob,
    started_at_ms  integer not null,
    record_id      blob    not null,
    tracker_key_id blob,
    due_at_ms      integer not null,
    call           text,
    primary key (user_id, trace, span)
) strict, without rowid;

create index aggregate_by_due on aggregate (due_at_ms);
