-- Budgets that are not a project's: of a tracker key, of a tag, of the whole account.
create table budget (
    id            blob    primary key,
    name          text    not null,
    scope         text    not null,
    key_id        blob    references tracker_key (id) on delete cascade,
    terms         text    not null,
    created_by    blob,
    created_at_ms integer not null,
    updated_at_ms integer not null
) strict, without rowid;

create index budget_by_key on budget (key_id);

-- More that may be spent for a while. `budget_id` is the id of a budget, or of a project for a project's.
create table budget_increase (
    id              blob    primary key,
    budget_id       blob    not null,
    amount_nanos    integer not null,
    reason          text    not null,
    created_by      blob    not null,
    created_at_ms   integer not null,
    until_ms        integer not null,
    withdrawn_at_ms integer
) strict, without rowid;

create index budget_increase_by_budget on budget_increase (budget_id);
create index budget_increase_by_end on budget_increase (until_ms);

-- What one unit of a currency is worth in US dollars from a day on; the rate is a decimal, digit for digit.
create table fx_rate (
    currency       text not null,
    effective_date text not null,
    rate           text not null,
    source         text not null,
    primary key (currency, effective_date)
) strict, without rowid;

-- Alerts that fired are of a budget, which may be a project's or not.
create table budget_alert (
    seq             integer primary key,
    id              blob    not null unique,
    budget_id       blob    not null,
    period_start_ms integer not null,
    period_end_ms   integer,
    threshold       integer not null,
    definition      blob    not null,
    exceeded        integer not null,
    kind            text    not null,
    amount_nanos    integer not null,
    conversion      text,
    spent_nanos     integer not null,
    event_id        blob    not null,
    at_ms           integer not null,
    unique (budget_id, period_start_ms, threshold, definition)
) strict;

insert into budget_alert
select seq, id, project_id, period_start_ms, period_end_ms, threshold, definition, exceeded, kind, amount_nanos, null,
       spent_nanos, event_id, at_ms
  from alert;

create table budget_alert_mark (
    user_id          blob    not null references user (id) on delete cascade,
    alert            integer not null references budget_alert (seq) on delete cascade,
    read_at_ms       integer,
    snoozed_until_ms integer,
    deleted          integer not null,
    primary key (user_id, alert)
) strict, without rowid;

insert into budget_alert_mark select user_id, alert, read_at_ms, snoozed_until_ms, deleted from alert_mark;

drop table alert_mark;
drop table alert;
alter table budget_alert rename to alert;
alter table budget_alert_mark rename to alert_mark;
create index alert_mark_by_alert on alert_mark (alert);

create trigger budget_takes_along after delete on budget begin
    delete from alert where budget_id = old.id;
    delete from budget_increase where budget_id = old.id;
end;

create trigger project_takes_along after delete on project begin
    delete from alert where budget_id = old.id;
    delete from budget_increase where budget_id = old.id;
end;

-- A webhook named by the alert of a budget that is not a project's belongs to the person who made the budget.
create unique index webhook_of_account_budget on webhook (user_id, url) where of_budget;
