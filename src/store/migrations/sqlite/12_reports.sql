-- What senders ask of reports (RFC 3461), and whether one was told that a message takes longer. Null is nothing asked.

alter table message add column dsn_ret text check (dsn_ret in ('FULL', 'HDRS'));
alter table message add column dsn_envid text;

-- Since when it waits to be delivered, where that is not since it came in: a person released it.
alter table message add column waits_since bigint;

-- When its sender was told of a delay, or would have been.
alter table message add column delay_told bigint;
-- The notice by which they were told.
alter table message add column delay_notice text;

alter table recipient add column dsn_notify text;
alter table recipient add column dsn_orcpt text;

create index message_delay_not_told on message (coalesce(waits_since, at))
    where state = 'queued' and class = 'mail' and delay_told is null;
