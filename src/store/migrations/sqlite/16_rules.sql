-- What each rule asked for, message by message, so that its effect can be summed; and the modes of rules that people chose at the
-- desk. Times are microseconds since 1970, UTC.

-- Goes with its message. Nothing of the message is here but when it was taken in.
create table fired (
    message  text not null references message (id) on delete cascade,
    rule     text not null,
    action   text not null check (action in ('warn', 'hold', 'reject')),
    observed boolean not null default false,                -- it only observed, and decided nothing
    at       bigint not null,
    primary key (message, rule)
);

create index fired_at on fired (at, rule);

-- What came in before: each rule that counted is taken for having asked for what became of the message.
with recursive rest (message, verdict, at, rule, tail) as (
    select id, verdict, at, '', rules || ',' from message where class = 'mail' and verdict <> 'deliver' and rules <> ''
    union all
    select message, verdict, at, substr(tail, 1, instr(tail, ',') - 1), substr(tail, instr(tail, ',') + 1)
        from rest where tail <> ''
)
insert or ignore into fired (message, rule, action, at)
    select message, rule, verdict, at from rest where rule <> '';

-- A mode that somebody proposed, with what became of it.
create table rule_mode (
    id          text primary key not null,
    rule        text not null,
    mode        text not null check (mode in ('observe', 'warn', 'enforce')),
    because     text not null,
    proposed_at bigint not null,
    proposed_by text not null,
    approved_at bigint,
    approved_by text,
    put_at      bigint,                                     -- in force from then on
    put_by      text,
    ended_at    bigint,                                     -- turned down, taken back, or another stands in its place
    check ((approved_at is null) = (approved_by is null)),
    check ((put_at is null) = (put_by is null)),
    check (put_at is null or approved_at is not null),
    check (coalesce(approved_by <> proposed_by, true))
);

create unique index rule_mode_in_force on rule_mode (rule) where put_at is not null and ended_at is null;
create unique index rule_mode_asked on rule_mode (rule) where put_at is null and ended_at is null;
