-- The kind of web search that a call used, where the search's price depends on it.
alter table usage_record add column search_type integer;
