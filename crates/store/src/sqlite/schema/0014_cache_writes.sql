-- Sums know what was written to caches. Of days whose records were deleted before this, what is left counts.
alter table usage_rollup add column cache_write_tokens integer not null default 0;

update usage_rollup as sums
   set cache_write_tokens = written.tokens
  from (select (occurred_at_ms - (occurred_at_ms % 86400000 + 86400000) % 86400000) / 86400000 as day,
               coalesce(project, 0) as project, user, provider, model, sum(cache_write_tokens) as tokens
          from usage_record
         where cache_write_tokens > 0
         group by 1, 2, 3, 4, 5) as written
 where sums.day = written.day and sums.project = written.project and sums.user = written.user
   and sums.provider = written.provider and sums.model = written.model;
