-- Accounts with which copiers and programs sign in to send. They are not the desk's: nobody looks at anything with them.
-- Times are microseconds since 1970, UTC.

create table submission_account (
    name        text primary key not null check (name = lower(name)),
    password    text not null,                              -- Argon2id, as a PHC string
    created_at  bigint not null,
    created_by  text not null,
    changed_at  bigint not null,
    disabled_at bigint,
    used_at     bigint
);

-- Whom an account may send as.
create table submission_sender (
    account text not null references submission_account (name) on delete cascade,
    kind    text not null check (kind in ('mailbox', 'domain')),
    sender  text not null check (sender = lower(sender)),
    primary key (account, kind, sender)
);

-- From where an account has signed in: guesses from elsewhere do not keep it out there.
create table submission_client (
    account text not null references submission_account (name) on delete cascade,
    client  blob not null check (length(client) = 32),      -- keyed hash
    last_at bigint not null,
    primary key (account, client)
);
