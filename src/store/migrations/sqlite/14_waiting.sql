-- What waits is found by its own time, however much else waits: the state stands first, so that the database sees that these say more
-- than the index by state alone.
drop index message_due;
drop index message_delay_not_told;
create index message_next on message (state, next_due, id) where state = 'queued';
create index message_waits on message (state, coalesce(waits_since, at), id) where state = 'queued';
create index message_to_inspect on message (state, next_due, id) where state = 'pending';
create index message_delay_not_told on message (class, state, coalesce(waits_since, at), id)
    where state = 'queued' and class = 'mail' and delay_told is null;
