-- The version of the rules that a message was decided by; null for what no rule decided, and for what came in before.
alter table message add column rules_version text;

-- How many are set aside is counted for the metrics.
create index message_damaged on message (id) where damaged is not null;
