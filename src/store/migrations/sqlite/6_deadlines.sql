-- By when a held message is to be decided on, when that is warned of, and what was sent about it. Times stand as they were
-- set when it was held, so that "to decide by" stays true when the school changes its hours. 0: not set yet; the program
-- sets it for what an older one held, counted from then.

alter table review add column remind_at    bigint not null default 0;
alter table review add column escalate_at  bigint not null default 0;
alter table review add column due_at       bigint not null default 0;
alter table review add column reminded_at  bigint;
alter table review add column escalated_at bigint;

drop index review_waiting;
create index review_waiting on review (breach, due_at, message, held_at) where decided_at is null;
create index review_to_remind on review (remind_at) where decided_at is null and reminded_at is null;
create index review_to_escalate on review (escalate_at) where decided_at is null and escalated_at is null;
create index review_to_return on review (due_at) where decided_at is null;
