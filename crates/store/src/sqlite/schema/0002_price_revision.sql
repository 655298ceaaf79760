-- What the operator says of prices: imported catalogs, mappings, adjustments. Every change is a new revision.
create table price_revision (
    document integer not null,
    number   integer not null,
    json     text    not null,
    note     text    not null,
    author   blob,
    at_ms    integer not null,
    primary key (document, number)
) strict, without rowid;
