-- Tokens by which a forgotten password is replaced, as SHA-256; an account has one at most.
create table password_reset (
    user_id       blob    primary key references user (id) on delete cascade,
    token_hash    blob    not null unique,
    expires_at_ms integer not null
) strict, without rowid;

-- A refresh token that came twice within the grace: `graced` says that this was allowed once.
alter table session add column successor blob;
alter table session add column graced integer not null default 0;
