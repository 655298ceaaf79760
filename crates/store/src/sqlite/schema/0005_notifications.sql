-- Something that happened and that people or programs are told of.
create table event (
    id         blob    primary key,
    type       text    not null,
    subject    text    not null,
    project_id blob,
    user_id    blob,
    payload    text    not null,
    at_ms      integer not null
) strict, without rowid;

create index event_by_time on event (at_ms);

-- Where programs are told. Of `user_id` and `project_id`, one is set: whose it is.
create table webhook (
    id                      blob    primary key,
    user_id                 blob    references user (id) on delete cascade,
    project_id              blob    references project (id) on delete cascade,
    url                     text    not null,
    description             text    not null,
    events                  text    not null,
    format                  text    not null,
    enabled                 integer not null,
    disabled_reason         text,
    of_budget               integer not null,
    key_id                  text    not null,
    nonce                   blob    not null,
    ciphertext              blob    not null,
    previous_key_id         text,
    previous_nonce          blob,
    previous_ciphertext     blob,
    previous_until_ms       integer,
    failing_since_ms        integer,
    created_at_ms           integer not null,
    updated_at_ms           integer not null
) strict, without rowid;

create index webhook_by_user on webhook (user_id);
create index webhook_by_project on webhook (project_id);
create unique index webhook_of_budget on webhook (project_id, url) where of_budget;

-- One event for one destination. Deliveries of one lane (destination and subject) leave one after the other, by `seq`:
-- only the first that waits `is_head`, and only heads are tried.
create table delivery (
    seq        integer primary key,
    id         blob    not null unique,
    event_id   blob    not null references event (id) on delete cascade,
    channel    text    not null,
    webhook_id blob    references webhook (id) on delete cascade,
    target     text    not null,
    lane       text    not null,
    state      text    not null,
    is_head    integer not null,
    attempts   integer not null,
    tries      integer not null,
    due_at_ms  integer,
    reason     text
) strict;

create index delivery_due on delivery (due_at_ms) where state = 'waiting' and is_head;
create index delivery_by_lane on delivery (lane, seq) where state = 'waiting';
create index delivery_by_event on delivery (event_id);
create index delivery_by_webhook on delivery (webhook_id, seq);

create table delivery_attempt (
    delivery   integer not null references delivery (seq) on delete cascade,
    number     integer not null,
    at_ms      integer not null,
    latency_ms integer not null,
    status     integer,
    excerpt    text,
    failure    text,
    primary key (delivery, number)
) strict, without rowid;

-- Alerts of budgets that fired, each once for its project, period, threshold and definition.
create table alert (
    seq             integer primary key,
    id              blob    not null unique,
    project_id      blob    not null references project (id) on delete cascade,
    period_start_ms integer not null,
    period_end_ms   integer,
    threshold       integer not null,
    definition      blob    not null,
    exceeded        integer not null,
    kind            text    not null,
    amount_nanos    integer not null,
    spent_nanos     integer not null,
    event_id        blob    not null,
    at_ms           integer not null,
    unique (project_id, period_start_ms, threshold, definition)
) strict;

-- What a person did with an alert; an alert without a row is new to them.
create table alert_mark (
    user_id          blob    not null references user (id) on delete cascade,
    alert            integer not null references alert (seq) on delete cascade,
    read_at_ms       integer,
    snoozed_until_ms integer,
    deleted          integer not null,
    primary key (user_id, alert)
) strict, without rowid;

create index alert_mark_by_alert on alert_mark (alert);

-- Who changed what. Each entry's hash covers the one before; entries are never changed or deleted.
create table audit (
    number      integer primary key,
    at_ms       integer not null,
    actor       blob,
    actor_email text,
    key_id      blob,
    address     text,
    action      text    not null,
    target      text    not null,
    project_id  blob,
    before_json text,
    after_json  text,
    hash        blob    not null
) strict;

create index audit_by_actor on audit (actor, number);
create index audit_by_project on audit (project_id, number);

create trigger audit_is_not_changed before update on audit begin
    select raise(abort, 'the audit log is append-only');
end;

create trigger audit_is_not_deleted before delete on audit begin
    select raise(abort, 'the audit log is append-only');
end;
