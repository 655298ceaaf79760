-- The operator's own rules that records were costed with, as they were then; `digest` is SHA-256 of the JSON list.
create table adjustment_set (
    id     integer primary key,
    digest blob    not null unique,
    json   text    not null
) strict;

alter table usage_record add column adjustments integer;
