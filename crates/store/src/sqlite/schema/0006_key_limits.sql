-- What a tracker key may send through the gateway in a minute; null is no limit of its own.
alter table tracker_key add column requests_per_minute integer;
alter table tracker_key add column tokens_per_minute integer;
