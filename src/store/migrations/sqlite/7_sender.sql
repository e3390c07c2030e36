-- What came back to its sender is kept for a while, so that the sender can still let it go, cancel it or hand it over; and
-- the link by which the sender comes to it. Without a time in `kept_until` a returned message is as final as ever.

alter table message add column kept_until bigint            -- its content goes then; null: nothing is kept
    check (kept_until is null or state = 'returned');

create index message_kept on message (kept_until) where kept_until is not null;

create table sender_link (
    token   blob primary key not null check (length(token) = 32),
    message text not null unique references message (id) on delete cascade
);

drop trigger message_final;

create trigger message_final before update of state on message
when new.state <> old.state
     and (old.state in ('delivered', 'discarded')
          or (old.state = 'returned'
              and (old.kept_until is null or new.state not in ('queued', 'held', 'discarded'))))
begin
    select raise(abort, 'this state is final');
end;
