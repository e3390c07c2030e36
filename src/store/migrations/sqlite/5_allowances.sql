-- What people confirmed, so that a rule does not ask again: for a sender, a recipient and, where the rule is about pupils,
-- a pupil. Addresses are in lower case. A row that is over or ended stays until its time, for the record.

create table allowance (
    id               text primary key not null,
    rule             text not null,
    sender           text not null,
    recipient        text not null,
    pupil            text,                                  -- roster id
    sender_listed    boolean not null,                      -- in the staff directory when it was given
    recipient_listed boolean not null,                      -- on the roster when it was given
    message          text not null,                         -- by the decision on this one; may be forgotten by now
    given_at         bigint not null,
    given_by         text not null,
    until            bigint not null,                       -- holds before
    ended_at         bigint,
    ended_by         text,
    check ((ended_at is null) = (ended_by is null))
);

create index allowance_holding on allowance (sender, until) where ended_at is null;
