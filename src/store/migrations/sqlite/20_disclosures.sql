-- Requests for disclosure: what the law asks for is found, approved by a second person, decided on message by message and handed over.
-- Ids, kinds, times, states and names of accounts stand in clear; criteria, reasons and pseudonyms hold names and words and are sealed.
create table disclosure (
    id text primary key not null,
    kind text not null check (kind in ('subject-access', 'freedom-of-information', 'proceedings', 'disciplinary')),
    body blob not null,                  -- what is looked for, for whom and why; sealed
    asked_by text not null,              -- name of the account
    asked_at bigint not null,
    state text not null check (state in ('asked', 'approved', 'refused')),
    decided_by text,                     -- name of the account
    decided_at bigint,
    refusal blob,                        -- why it was refused; sealed
    until bigint,                        -- approved until then
    exported_by text,
    exported_at bigint,
    index_sha256 blob,                   -- of the index of the last export
    manifest_sha256 blob,                -- of its manifest
    pseudonyms blob,                     -- who is called what in the index; sealed
    check (state <> 'approved' or (decided_by is not null and decided_by <> asked_by and until is not null))
);

-- What was found when it was asked for, and what is left out of it. No key leads to the message: it may be gone before the request is.
create table disclosure_message (
    disclosure text not null references disclosure (id) on delete cascade,
    message text not null,
    place bigint not null,
    unsure boolean not null,             -- its words are not all known: somebody has to look
    left_out blob,                       -- why it is left out; sealed; null while it is in
    decided_by text,
    decided_at bigint,
    primary key (disclosure, message)
);
