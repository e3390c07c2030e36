-- Senders whom the head exempts from a rule for a time. Addresses are in lower case. A row that is over or ended stays until
-- its time, for the record.

create table exemption (
    id            text primary key not null,
    rule          text not null,
    sender        text not null,
    sender_listed boolean not null,                         -- in the staff directory when it was granted
    because       text not null,
    given_at      bigint not null,
    given_by      text not null,                            -- name of the account
    until         bigint not null,                          -- holds before
    ended_at      bigint,
    ended_by      text,
    check ((ended_at is null) = (ended_by is null))
);

create index exemption_holding on exemption (until) where ended_at is null;
