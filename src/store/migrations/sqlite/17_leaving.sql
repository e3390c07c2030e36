-- Mail that waits before it leaves. Null is no wait; what is over stays written, and says that there was one.

-- It does not leave before this time: the later of the two below.
alter table message add column leaves_at bigint;
-- Until when its sender may look at it again and take it back.
alter table message add column second_look_until bigint;
-- When the school opens, where it waits for that.
alter table message add column opens_at bigint;
-- Whenever it is let go, it leaves while the school is open.
alter table message add column when_open boolean not null default false;

-- How old the oldest is that waits is counted often, and a wait that was asked for is no age.
create index message_backlog on message (state, leaves_at, at) where state in ('pending', 'queued', 'held');
create index message_for_opening on message (opens_at) where state = 'queued' and opens_at is not null;
