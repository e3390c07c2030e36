-- How much mail of the staff was marked personal: numbers by month and sender, and nothing of any message.

-- What a message is to the report; null for what is not counted: notices, mail of pupils and of programs, and what came in
-- before there was a report.
alter table message add column personal text check (personal in ('unmarked', 'marked', 'asked'));

create table personal_use (
    month    text not null,                                 -- 2026-11, in the school's own time
    sender   blob not null check (length(sender) = 32),     -- keyed hash of the mailbox
    mailbox  blob not null,                                 -- the same, sealed
    messages bigint not null,
    marked   bigint not null,
    asked    bigint not null,
    primary key (month, sender)
);
