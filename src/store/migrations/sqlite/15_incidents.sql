-- The register of personal data breaches and near misses (UK GDPR Article 33(5)). Ids, times, states and counts stand in clear; whatever
-- may hold a name or words is sealed, once for each version of the assessment, so that it can be shown who wrote what when. No key leads
-- from here to messages: an incident outlives the message that it is about.
create table incident (
    id text primary key,
    -- The message that it is about, and the message by which it was reported, where there are such.
    message text unique,
    report text unique,
    origin text not null check (origin in ('decision', 'report', 'hand')),
    kind text not null check (kind in ('likely-breach', 'near-miss')),
    opened_at integer not null,
    opened_by text not null,
    -- Since when the school is aware of a breach, as a person said: from then on the 72 hours run.
    aware_at integer,
    aware_by text,
    -- Null until the question is answered.
    ico text check (ico in ('told', 'not-told')),
    ico_at integer,
    families text check (families in ('told', 'not-told')),
    families_at integer,
    safeguarding integer not null default 0,
    children integer not null default 0,
    -- Hours after which the last letter about the 72 hours went.
    reminded integer not null default 0,
    closed_at integer,
    closed_by text,
    -- The newest version of the assessment.
    version integer not null
);
create index incident_running on incident (aware_at) where closed_at is null and ico is null and aware_at is not null;

create table incident_version (
    incident text not null references incident (id) on delete cascade,
    version integer not null,
    at integer not null,
    written_by text not null,
    body blob not null,
    primary key (incident, version)
);
