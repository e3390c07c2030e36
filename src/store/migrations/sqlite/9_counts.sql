-- What is counted of mail without any of it: addresses, senders and texts stand here as hashes with a key that is not in
-- the database.

-- Addresses to which something was delivered.
create table written_to (
    address  blob primary key not null check (length(address) = 32),
    times    bigint not null,
    last_day text not null                                  -- 2026-11-17, UTC
);

create index written_to_day on written_to (last_day);

-- Texts that a sender sent on a day, in the school's own time.
create table text_sent (
    day        text not null,
    sender     blob not null check (length(sender) = 32),
    text       blob not null check (length(text) = 32),
    messages   bigint not null,
    recipients bigint not null,                             -- outside the school, of all of them
    primary key (sender, day, text)
);

create index text_sent_day on text_sent (day);
