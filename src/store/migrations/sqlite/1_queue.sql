-- One message, its recipients, and the audit of all that was done with it. Times are microseconds since 1970, UTC.
-- The checks and triggers are the promises of the store; the program keeps them too, and is not trusted to.

create table setting (
    name  text primary key not null,
    value blob not null
);

create table message (
    id             text primary key not null,
    class          text not null check (class in ('mail', 'notice')),
    about          text,
    state          text not null
                   check (state in ('pending', 'queued', 'held', 'returned', 'delivered', 'failed', 'discarded')),
    mail_from      text,                                    -- null is the null sender
    smtputf8       boolean not null,
    eight_bit      boolean not null,
    sha256         blob not null check (length(sha256) = 32),
    size           bigint not null,                         -- octets of the content in clear
    verdict        text check (verdict in ('deliver', 'warn', 'hold', 'reject')),
    verdict_sha256 blob,                                    -- the bytes that the verdict is about
    released_sha256 blob,                                   -- the bytes that a person released
    rules          text not null default '',                -- ids of the rules that fired, with commas
    report         blob,                                    -- sealed
    content_file   text,                                    -- below the store; null once dropped
    content_offset bigint,
    content_length bigint,
    content_key    blob,                                    -- wrapped; without it the bytes are noise
    at             bigint not null,
    changed_at     bigint not null,
    next_due       bigint not null,
    attempts       bigint not null default 0,
    inspect_tries  bigint not null default 0,
    lease_owner    text,
    lease_until    bigint,
    damaged        text,                                    -- why it is set aside
    -- A check that comes out as null passes: hence coalesce.
    check (state <> 'queued' or class = 'notice' or coalesce(verdict = 'deliver' and verdict_sha256 = sha256, false)
           or coalesce(released_sha256 = sha256, false)),
    check (class = 'mail' or state <> 'pending'),
    check ((content_file is null) = (content_key is null))
);

create index message_by_state on message (state, at);
create index message_due on message (next_due) where state in ('queued', 'pending');
create index message_content on message (content_file) where content_file is not null;

create table recipient (
    message  text not null references message (id) on delete cascade,
    position bigint not null,
    address  text not null,
    state    text not null default 'due' check (state in ('due', 'delivered', 'failed')),
    attempts bigint not null default 0,
    reply    text,
    tried_at bigint,
    primary key (message, position)
);

create table audit (
    seq     bigint primary key not null,
    at      bigint not null,
    message text not null,
    event   text not null,
    who     text not null,
    detail  text not null,
    prev    blob not null,
    hash    blob not null
);

create index audit_by_message on audit (message, seq);

create trigger message_bytes_stay before update of sha256, class on message
when new.sha256 <> old.sha256 or new.class <> old.class
begin
    select raise(abort, 'the bytes of a message never change');
end;

create trigger message_delivered_was_queued before update of state on message
when new.state in ('delivered', 'failed') and old.state <> new.state and old.state <> 'queued'
begin
    select raise(abort, 'only queued mail is delivered or fails');
end;

create trigger message_final before update of state on message
when old.state in ('returned', 'delivered', 'discarded') and new.state <> old.state
begin
    select raise(abort, 'this state is final');
end;

create trigger audit_is_kept before delete on audit
begin
    select raise(abort, 'the audit only grows');
end;

create trigger audit_is_true before update on audit
begin
    select raise(abort, 'the audit only grows');
end;
