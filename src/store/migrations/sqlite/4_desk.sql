-- What the list of held mail needs, in a narrow row of its own: a list that filters 100,000 messages must not walk over
-- their sealed reports. One row for each message that ever came to quarantine; it goes with its message.

create table review (
    message        text primary key not null references message (id) on delete cascade,
    held_at        bigint not null,
    described      boolean not null default false,          -- the rest stands as envelope, report and audit say
    sender         text not null default '',                -- in lower case; empty is the null sender
    sought         text not null default '',                -- reference and addresses in lower case, for the search
    rules          text not null default ',',               -- each with a comma before and behind, as all lists here
    kinds          text not null default ',',               -- kinds of recipients, each once
    notified       text not null default ',',               -- roles that it waits for
    breach         boolean not null default false,          -- likely
    pupils         bigint not null default 0,
    sealed         boolean not null default false,          -- its Personal marker stands out
    safeguarding   boolean not null default false,
    decided_at     bigint,
    decided_by     text,
    decision       text check (decision in ('released', 'released-in-part', 'returned', 'discarded')),
    classification text check (classification in ('breach', 'near-miss', 'neither')),
    reason         text,
    decision_key   text,                                    -- of the form that it was decided with
    check ((decided_at is null) = (decision is null)),
    check ((decided_at is null) = (decided_by is null))
);

create index review_waiting on review (breach, held_at, message) where decided_at is null;
create index review_decided on review (decided_at, message) where decided_at is not null;
create index review_undescribed on review (message) where not described;

-- What was held before: the program fills in the rest from envelope, report and audit when it opens the store.
insert into review (message, held_at)
    select m.id, min(a.at) from message m join audit a on a.message = m.id
    where m.class = 'mail'
      and (a.event = 'held' or (a.event in ('accepted', 'decided') and a.detail like '%"state":"held"%'))
    group by m.id;

-- A recipient may be left out by who decides: `withheld`. SQLite changes a check by making the table anew.
create table recipient_with_withheld (
    message  text not null references message (id) on delete cascade,
    position bigint not null,
    address  text not null,
    state    text not null default 'due' check (state in ('due', 'delivered', 'failed', 'withheld')),
    attempts bigint not null default 0,
    reply    text,
    tried_at bigint,
    primary key (message, position)
);

insert into recipient_with_withheld (message, position, address, state, attempts, reply, tried_at)
    select message, position, address, state, attempts, reply, tried_at from recipient;
drop table recipient;
alter table recipient_with_withheld rename to recipient;
