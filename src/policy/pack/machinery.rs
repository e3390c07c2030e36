//! What keeps a clause beside the rules: parts of the gateway that a pack may name.

/// A part of the gateway that keeps clauses for every message.
#[derive(Debug, Clone, Copy)]
pub struct Machinery {
    /// As packs name it.
    pub name: &'static str,
    /// What it does, in a few words.
    pub words: &'static str,
}

const fn part(name: &'static str, words: &'static str) -> Machinery {
    Machinery { name, words }
}

/// All there is.
pub const MACHINERY: &[Machinery] = &[
    part("audit-trail", "a record of what happened to each message that cannot be changed unseen"),
    part("purpose-asked", "who opens a message first says for which of the lawful purposes"),
    part("sealed-mail", "mail marked personal is read by nobody until the chair of governors approves it for a time"),
    part("reviewers", "accounts with roles, managed by the School Business Manager"),
    part("grants", "access to another's mail for a time, recorded"),
    part("routing", "who is told goes by what a message holds and who wrote it, never by whom it is about alone"),
    part("exemptions", "the head exempts a sender from a rule for a time"),
    part("malware-check", "attachments are looked at for viruses"),
    part("footers", "the school's words below a message"),
    part("second-look", "a message waits a while in which its sender can take it back"),
    part("opening-hours", "a message waits until the school opens"),
    part("journal", "an encrypted copy that can be searched is kept for a time"),
    part("disclosure", "what was sent is found and handed over when the law asks for it"),
    part("evidence-export", "a message with its record and checksums, to be handed over"),
    part("breach-register", "likely breaches with the 72-hour clock"),
    part("reporting-mailbox", "a message passed on to it is taken as a report of a breach"),
    part("personal-use-report", "how much mail was marked personal"),
];
