-- A record's other keys, a JSON array: what its provider calls the request. In `usage_key` they are like the first.
alter table usage_record add column other_keys text;
