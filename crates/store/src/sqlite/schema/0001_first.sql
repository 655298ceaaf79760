-- Every value of a dimension (model, team, project id, ...) once; records hold its number.
create table dimension_value (
    id    integer primary key,
    kind  integer not null,
    value text    not null,
    unique (kind, value)
) strict;

-- Every distinct set of tags once, as a sorted JSON array; and its members, to find and group by.
create table tag_set (
    id   integer primary key,
    tags text    not null unique
) strict;

create table tag_set_member (
    set_id integer not null references tag_set (id),
    tag_id integer not null references dimension_value (id),
    primary key (set_id, tag_id)
) strict, without rowid;

create index tag_set_member_by_tag on tag_set_member (tag_id, set_id);

-- The price rows that records were costed with, as they were then; `digest` is SHA-256 of the JSON.
create table price_row (
    id     integer primary key,
    digest blob    not null unique,
    json   text    not null
) strict;

-- One kept call. Numbers first and long texts last: sums then never read a record's overflow pages.
-- References to other tables are left unchecked, because a check costs a look-up each; `verify` proves them.
create table usage_record (
    seq                    integer primary key,
    id                     blob    not null,
    user                   integer not null,
    project                integer,
    provider               integer not null,
    model                  integer not null,
    origin                 integer not null,
    status                 integer not null,
    cost_source            integer not null,
    flags                  integer not null,
    occurred_at_ms         integer not null,
    recorded_at_ms         integer not null,
    input_tokens           integer,
    output_tokens          integer,
    total_tokens           integer,
    cache_read_tokens      integer,
    cache_write_tokens     integer,
    reasoning_tokens       integer,
    cost_nanos             integer,
    list_cost_nanos        integer,
    cache_savings_nanos    integer,
    response_time_ms       integer,
    time_to_first_token_ms integer,
    tag_set                integer,
    department             integer,
    team                   integer,
    purpose                integer,
    client                 integer,
    campaign               integer,
    user_email             integer,
    customer_email         integer,
    price                  integer,
    unpriced_reason        integer,
    response_model         integer,
    operation              integer,
    service_tier           integer,
    region                 integer,
    error_code             integer,
    counts                 text,
    session_id             text,
    trace_id               text,
    request_id             text,
    error_message          text,
    allocation_other       text,
    metadata               text
) strict;

create unique index usage_record_by_id on usage_record (id);
create index usage_record_by_time on usage_record (occurred_at_ms);
create index usage_record_by_project on usage_record (project, occurred_at_ms) where project is not null;
create index usage_record_by_user on usage_record (user, occurred_at_ms);
-- A member's own records outside of every project, however many they have inside.
create index usage_record_unassigned on usage_record (user, occurred_at_ms) where project is null;

create table usage_content (
    seq        integer primary key references usage_record (seq) on delete cascade,
    prompt     text,
    completion text
) strict;

-- Keys that senders gave their records, as the first 16 bytes of SHA-256. They outlive a record that is deleted.
create table usage_key (
    user     integer not null,
    key_hash blob    not null,
    id       blob    not null,
    primary key (user, key_hash)
) strict, without rowid;

-- Sums of every UTC day; `project` is 0 for records of none. Derived from the records.
create table usage_rollup (
    day                 integer not null,
    project             integer not null,
    user                integer not null,
    provider            integer not null,
    model               integer not null,
    requests            integer not null,
    errors              integer not null,
    unpriced            integer not null,
    cost_nanos          integer not null,
    list_cost_nanos     integer not null,
    cache_savings_nanos integer not null,
    tokens              integer not null,
    priced_tokens       integer not null,
    input_tokens        integer not null,
    output_tokens       integer not null,
    cache_read_tokens   integer not null,
    primary key (day, project, user, provider, model)
) strict, without rowid;

create index usage_rollup_by_project on usage_rollup (project, day);

create table user (
    id            blob    primary key,
    email         text    not null unique,
    name          text    not null,
    role          text    not null,
    preferences   text    not null,
    demo          integer not null,
    password_hash text    not null,
    created_at_ms integer not null
) strict, without rowid;

-- Refresh tokens. Those that follow from one log-in are one family.
create table session (
    token_hash    blob    primary key,
    family        blob    not null,
    user_id       blob    not null references user (id) on delete cascade,
    issued_at_ms  integer not null,
    expires_at_ms integer not null,
    used_at_ms    integer,
    revoked       integer not null default 0
) strict, without rowid;

create index session_by_family on session (family);
create index session_by_user on session (user_id);
create index session_by_expiry on session (expires_at_ms);

create table project (
    id             blob    primary key,
    name           text    not null,
    description    text    not null,
    budget         text,
    tags           text    not null,
    settings       text    not null,
    is_active      integer not null,
    demo           integer not null,
    created_at_ms  integer not null,
    updated_at_ms  integer not null,
    archived_at_ms integer
) strict, without rowid;

create table project_member (
    project_id  blob    not null references project (id) on delete cascade,
    user_id     blob    not null references user (id) on delete cascade,
    role        text    not null,
    added_at_ms integer not null,
    primary key (project_id, user_id)
) strict, without rowid;

create index project_member_by_user on project_member (user_id);

create table invitation (
    token_hash    blob    primary key,
    email         text    not null,
    role          text    not null,
    project_id    blob    references project (id) on delete cascade,
    project_role  text,
    expires_at_ms integer not null
) strict, without rowid;

create index invitation_by_email on invitation (email);
create index invitation_by_project on invitation (project_id);

create table tracker_key (
    id              blob    primary key,
    user_id         blob    not null references user (id) on delete cascade,
    token_hash      blob    not null unique,
    name            text    not null,
    masked          text    not null,
    scopes          text    not null,
    project_id      blob,
    allowed_ips     text    not null,
    expires_at_ms   integer,
    created_at_ms   integer not null,
    last_used_at_ms integer
) strict, without rowid;

create index tracker_key_by_user on tracker_key (user_id);

create table provider_key (
    user_id         blob    not null references user (id) on delete cascade,
    provider        text    not null,
    masked          text    not null,
    key_id          text    not null,
    nonce           blob    not null,
    ciphertext      blob    not null,
    added_at_ms     integer not null,
    last_used_at_ms integer,
    primary key (user_id, provider)
) strict, without rowid;
