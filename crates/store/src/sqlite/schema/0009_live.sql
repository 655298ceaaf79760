-- Places in the order of keeping: `kept` is at least every number that a deleted record had, so that none is given
-- twice; `told` is up to where webhooks were told of records.
create table place (
    name text    primary key,
    seq  integer not null
) strict, without rowid;

insert into place (name, seq) values ('kept', 0);
