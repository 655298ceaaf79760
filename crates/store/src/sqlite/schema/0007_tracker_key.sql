-- The tracker key that a record came in with; a number of the dictionary.
alter table usage_record add column tracker_key integer;
