-- Copies that are kept of mail that left, what keeps them from being deleted, and what kept mail is searched by.

-- A message that a rule has a copy kept of: from its commit, without an end while it has not left.
create table journal (
    message    text primary key not null references message (id) on delete cascade,
    days       bigint not null,                 -- for which it is kept once it has left
    rules      text not null,                   -- ids of the rules that ask for it, with commas; empty where a legal hold alone keeps it
    kept_until bigint                           -- null while it has not left
);

create index journal_ends on journal (kept_until) where kept_until is not null;

-- What must not be deleted: mail from or to a mailbox, or all of it, of a time, or of all times.
create table legal_hold (
    id       text primary key not null,
    mailbox  text,                              -- in small letters; null is everybody's
    since    bigint,                            -- mail from then on
    until    bigint,                            -- mail before then
    reason   blob not null,                     -- sealed
    given_by text not null,
    given_at bigint not null,
    ended_by text,
    ended_at bigint
);

-- Keyed hashes of the words of a message whose content is kept, sealed: without the key not even two alike can be seen.
create table word_index (
    message text primary key not null references message (id) on delete cascade,
    words   blob not null
);
