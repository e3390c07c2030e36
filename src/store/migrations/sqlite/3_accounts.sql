-- People who sign in at the desk, how they prove who they are, and whose sealed mail was opened to whom. Secrets stand
-- here only as hashes, or sealed with the store's key. Times are microseconds since 1970, UTC.

create table account (
    id           text primary key not null,
    name         text not null unique check (name = lower(name)),
    address      text not null unique check (address = lower(address)),
    password     text,                                      -- Argon2id, as a PHC string; null until signed up
    totp         blob,                                      -- sealed
    totp_step    bigint not null default 0,                 -- the last one used: a code works once
    disabled_at  bigint,
    created_at   bigint not null,
    changed_at   bigint not null,
    signed_in_at bigint,
    check ((password is null) = (totp is null))
);

create table account_role (
    account text not null references account (id) on delete cascade,
    role    text not null check (role in ('sbm', 'head', 'slt', 'dsl', 'dpo', 'chair', 'it')),
    primary key (account, role)
);

create table recovery_code (
    account text not null references account (id) on delete cascade,
    code    blob not null check (length(code) = 32),        -- keyed hash
    used_at bigint,
    primary key (account, code)
);

-- One-time links; one that was used is gone.
create table sign_up (
    token      blob primary key not null check (length(token) = 32),
    account    text not null unique references account (id) on delete cascade,
    totp       blob not null,                               -- sealed; becomes the account's
    expires_at bigint not null
);

-- A password was right and the code is still to come.
create table sign_in (
    token      blob primary key not null check (length(token) = 32),
    account    text not null references account (id) on delete cascade,
    expires_at bigint not null
);

create table session (
    token      blob primary key not null check (length(token) = 32),
    account    text not null references account (id) on delete cascade,
    csrf       blob not null,
    created_at bigint not null,
    seen_at    bigint not null,
    ended_at   bigint
);

create index session_by_account on session (account);

-- Tries to sign in, by account name and by client.
create table attempt (
    whose    blob primary key not null check (length(whose) = 32), -- keyed hash: people type passwords where names belong
    failures bigint not null,
    last_at  bigint not null,
    until    bigint not null                                -- refused before
);

create table sealed_request (
    message     text not null references message (id) on delete cascade,
    account     text not null references account (id),      -- who asks
    reason      text not null,
    at          bigint not null,
    approved_by text references account (id),
    approved_at bigint,
    until       bigint,                                     -- opened to them until
    primary key (message, account, at),
    check (coalesce(approved_by <> account, true)),
    check ((approved_by is null) = (until is null)),
    check ((approved_by is null) = (approved_at is null))
);

create table content_view (
    message text not null references message (id) on delete cascade,
    account text not null references account (id),
    what    text not null check (what in ('findings', 'content')),
    purpose text not null,
    at      bigint not null,
    primary key (message, account, what)
);
