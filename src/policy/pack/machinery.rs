//! What keeps a clause beside the rules: parts of the gateway that a pack may name.

/// A part of the gateway that keeps clauses for every message.
#[derive(Debug, Clone, Copy)]
pub struct Machinery {
    /// As packs name it.
    pub name: &'static str,
    /// What it does, in a few words.
    pub words: &'static str,
    /// It is built; otherwise it is still to come.
    pub built: bool,
}

const fn built(name: &'static str, words: &'static str) -> Machinery {
    Machinery { name, words, built: true }
}

const fn to_come(name: &'static str, words: &'static str) -> Machinery {
    Machinery { name, words, built: false }
}

/// All there is.
pub const MACHINERY: &[Machinery] = &[
    built("audit-trail", "a record of what happened to each message that cannot be changed unseen"),
    built("purpose-asked", "who opens a message first says for which of the lawful purposes"),
    built("sealed-mail", "mail marked personal is read by nobody until the chair of governors approves it for a time"),
    built("reviewers", "accounts with roles, managed by the School Business Manager"),
    built("grants", "access to another's mail for a time, recorded"),
    built("routing", "who is told goes by what a message holds and who wrote it, never by whom it is about alone"),
    built("exemptions", "the head exempts a sender from a rule for a time"),
    built("malware-check", "attachments are looked at for viruses"),
    to_come("footers", "the school's words below a message"),
    to_come("second-look", "a message waits a while in which its sender can take it back"),
    to_come("opening-hours", "a message waits until the school opens"),
    built("journal", "an encrypted copy that can be searched is kept for a time"),
    built("disclosure", "what was sent is found and handed over when the law asks for it"),
    built("evidence-export", "a message with its record and checksums, to be handed over"),
    built("breach-register", "likely breaches with the 72-hour clock"),
    built("reporting-mailbox", "a message passed on to it is taken as a report of a breach"),
    built("personal-use-report", "how much mail was marked personal"),
];
