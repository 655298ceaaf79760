-- Sums know where costs come from: `cost_source` is 0 where the records of a sum were deleted before this.
create table usage_rollup_by_source (
    day                 integer not null,
    project             integer not null,
    user                integer not null,
    provider            integer not null,
    model               integer not null,
    cost_source         integer not null,
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
    cache_write_tokens  integer not null,
    primary key (day, project, user, provider, model, cost_source)
) strict, without rowid;

insert into usage_rollup_by_source
select day, project, user, provider, model, cost_source, count(*), sum(status = 1), sum(cost is null),
       sum(coalesce(cost, 0)), sum(list_cost), sum(cache_savings), sum(tokens), sum(iif(cost is null, 0, tokens)),
       sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens)
  from (select (occurred_at_ms - (occurred_at_ms % 86400000 + 86400000) % 86400000) / 86400000 as day,
               coalesce(project, 0) as project, user, provider, model, cost_source, status, cost_nanos as cost,
               coalesce(list_cost_nanos, 0) as list_cost, coalesce(cache_savings_nanos, 0) as cache_savings,
               coalesce(input_tokens + output_tokens, input_tokens, output_tokens, total_tokens, 0) as tokens,
               coalesce(input_tokens, 0) as input_tokens, coalesce(output_tokens, 0) as output_tokens,
               coalesce(cache_read_tokens, 0) as cache_read_tokens,
               coalesce(cache_write_tokens, 0) as cache_write_tokens
          from usage_record)
 group by 1, 2, 3, 4, 5, 6;

-- What is left of the sums without their records.
insert into usage_rollup_by_source
select sums.day, sums.project, sums.user, sums.provider, sums.model, 0,
       sums.requests            - coalesce(sum(known.requests), 0) as requests_left,
       sums.errors              - coalesce(sum(known.errors), 0),
       sums.unpriced            - coalesce(sum(known.unpriced), 0),
       sums.cost_nanos          - coalesce(sum(known.cost_nanos), 0),
       sums.list_cost_nanos     - coalesce(sum(known.list_cost_nanos), 0),
       sums.cache_savings_nanos - coalesce(sum(known.cache_savings_nanos), 0),
       sums.tokens              - coalesce(sum(known.tokens), 0),
       sums.priced_tokens       - coalesce(sum(known.priced_tokens), 0),
       sums.input_tokens        - coalesce(sum(known.input_tokens), 0),
       sums.output_tokens       - coalesce(sum(known.output_tokens), 0),
       sums.cache_read_tokens   - coalesce(sum(known.cache_read_tokens), 0),
       sums.cache_write_tokens  - coalesce(sum(known.cache_write_tokens), 0)
  from usage_rollup as sums
  left join usage_rollup_by_source as known using (day, project, user, provider, model)
 group by sums.day, sums.project, sums.user, sums.provider, sums.model
having requests_left > 0;

drop table usage_rollup;
alter table usage_rollup_by_source rename to usage_rollup;
create index usage_rollup_by_project on usage_rollup (project, day);
