-- The owner of a lease is one opening of the store, named by a random token: its leases are renewed and ended together.

create index message_leased on message (lease_owner) where lease_owner is not null;
