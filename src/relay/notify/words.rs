//! The few words of a notice that are not in its template: the headline, titles of roles, the time.

use super::clean;
use super::templates::Kind;
use crate::detect::traits;
use crate::inspect::Report;
use crate::limits;
use crate::policy::Action;
use crate::store::HeldLine;

/// The Subject of the notice: what became of the message, and why in about five words.
pub fn headline(kind: Kind, rule: Option<&str>) -> String {
    let reason = rule.map_or("please look at it again", reason);
    match kind {
        Kind::Returned => format!("NOT SENT: {reason}"),
        Kind::Held => format!("HELD, NOT SENT: {reason}"),
        Kind::ReturnedByReviewer => "NOT SENT: sent back to you after checking".to_owned(),
        Kind::Discarded => "NOT SENT: deleted after checking".to_owned(),
        Kind::Released => "RELEASED: your held message is on its way".to_owned(),
        Kind::ReleasedInPart => "RELEASED IN PART: some recipients do not get it".to_owned(),
        Kind::Answered => answered_headline("your answer"),
        Kind::ReturnedUndecided => "NOT SENT: nobody could check it in time".to_owned(),
        Kind::Digest => digest_headline(0),
        Kind::Reminder => "REMINDER: a held message waits for your decision".to_owned(),
        Kind::Escalated => "TO DECIDE: nobody has decided on a held message yet".to_owned(),
        Kind::IncidentReported => "BREACH REPORTED: please look at it now".to_owned(),
        Kind::ReportReceived => "YOUR REPORT IS HERE: what to do in the next ten minutes".to_owned(),
        Kind::IncidentReminder => "72 HOURS: is the ICO told of the breach?".to_owned(),
        Kind::Waits => waits_headline(false).to_owned(),
        Kind::Review => format!("TO DECIDE: message held: {reason}"),
    }
}

/// What is wrong by rule id, for the headline; it says nothing that the rule's own name does not.
fn reason(rule: &str) -> &'static str {
    match rule {
        "impersonation" => "sender address is not yours",
        "pupil-record-to-personal" => "pupil data to unchecked address",
        "pupil-mention-to-personal" => "pupil named to unchecked address",
        "pupil-record-to-wrong-guardian" => "pupil data to wrong parent",
        "bulk-pupils-outside" => "many pupils named in it",
        "sensitive-unprotected" => "sensitive pupil data, not protected",
        "confidential-marker-missing" => "subject does not say Confidential",
        "personal-marker-missing" => "subject does not say Personal",
        "personal-marker-misused" => "pupil data in personal message",
        "adult-identifier-outside" => "bank or identity number inside",
        "adult-identifier-unmarked" => "subject does not say Confidential",
        "visible-recipients" => "recipients can see each other",
        "credentials-disclosed" => "password or code written out",
        "offensive-language" => "language that may offend",
        "unreadable-content" => "attachment could not be read",
        "pupil-images" => "photograph going outside the school",
        "lookalike-recipient" => "address may be mistyped",
        "adult-matter-outside" => "confidential matter outside",
        "audience-outside" => "marked for staff or governors",
        "other-household" => "one parent's contact details to the other",
        "barred-parent" => "a parent kept from a child's information",
        "pupil-images-refused" => "photograph without consent",
        "private-reply-address" => "answers asked for at a private mailbox",
        "altered-forward" => "attached message was changed",
        "no-email-consent" => "family has not agreed to e-mail",
        "malware" => "harmful attachment",
        "malware-unchecked" => "could not be checked for viruses",
        "direct-to-guardian" => "direct e-mail to a parent",
        "direct-to-pupil" => "direct e-mail to a pupil",
        "staff-private-contact" => "private number or address of staff",
        "private-business" => "reads like private business",
        "record-unprotected" => "personal information is not protected",
        "unverified-recipient" => "first message to this address",
        "forwarded-outside" => "somebody else's message passed on",
        "bulk-mailing" => "the same to many recipients",
        _ => "school policy needs a check",
    }
}

/// What stands before a rule's remedy. A held message may yet go as it is: what would hold it is for its sender to weigh,
/// what would only have returned it is for the next time.
pub fn remedy_label(kind: Kind, action: Action) -> &'static str {
    match (kind, action) {
        (Kind::Held, Action::Hold | Action::Reject) => "If you would rather change it",
        (Kind::Held, _) => "Next time",
        _ => "To put it right",
    }
}

/// The subject as its sender is shown it: not where it holds what was found, since a notice goes through mail in clear.
pub fn subject(report: &Report, subject: &str) -> String {
    let here = |place: &str| place == "subject";
    if report.pupils.iter().flat_map(|pupil| &pupil.places).any(|place| here(place)) {
        "(subject not repeated here: it names a pupil)".to_owned()
    } else if report.findings.iter().any(|finding| here(&finding.place) && !is_a_mark(&finding.kind)) {
        "(subject not repeated here: something was found in it)".to_owned()
    } else {
        clean::line(subject, limits::NOTICE_SUBJECT_CHARS)
    }
}

/// For whom a message says that it is names nobody.
fn is_a_mark(kind: &str) -> bool {
    [traits::kind::FOR_STAFF, traits::kind::FOR_GOVERNORS].contains(&kind)
}

/// `the School Business Manager and the headteacher`.
pub fn titles(roles: &[String]) -> String {
    let titles: Vec<&str> = roles.iter().map(|role| title(role)).collect();
    match titles.as_slice() {
        [] => "the school office".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn title(role: &str) -> &'static str {
    match role {
        "sbm" => "the School Business Manager",
        "head" => "the headteacher",
        "slt" => "the senior leadership team",
        "dsl" => "the designated safeguarding lead",
        "dpo" => "the data protection officer",
        "chair" => "the chair of governors",
        "it" => "the IT team",
        _ => "the school office",
    }
}

/// The Subject of a digest.
pub fn digest_headline(many: usize) -> String {
    match many {
        1 => "TO DECIDE: 1 message waits".to_owned(),
        many => format!("TO DECIDE: {many} messages wait"),
    }
}

/// The Subject of a letter about a message that was released while the school is closed, and waits for it to open.
pub const RELEASED_UNTIL_OPEN: &str = "RELEASED: your held message leaves when the school opens";

/// The Subject of a letter about a message that waits before it leaves.
pub fn waits_headline(opening: bool) -> &'static str {
    match opening {
        true => "NOT YET SENT: your message leaves when the school opens",
        false => "NOT YET SENT: you can still take your message back",
    }
}

/// The Subject of a letter to somebody who has answered a notice.
pub fn answered_headline(title: &str) -> String {
    format!("{}: your message that was stopped", title.to_uppercase())
}

/// A held message in one sentence: counts and kinds, nothing of what it says.
pub fn summary(line: &HeldLine) -> String {
    sentence(u64::from(line.pupils), u64::from(line.recipients), line.breach, line.rules.first().map(String::as_str))
}

/// The same of a message that was just held, by the rule that decided.
pub fn sentence(pupils: u64, recipients: u64, breach: bool, rule: Option<&str>) -> String {
    let whom = match pupils {
        0 => "A message".to_owned(),
        1 => "A message about one pupil".to_owned(),
        many => format!("A message about {many} pupils"),
    };
    let to = match recipients {
        1 => "to one recipient".to_owned(),
        many => format!("to {many} recipients"),
    };
    let why = rule.map_or("school policy needs a check", reason);
    let breach = if breach { "likely breach, " } else { "" };
    format!("{whom} {to}: {breach}{why}.")
}

pub use crate::school_time::in_words as time_in;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_british() {
        for (at, expected) in [
            ("2026-10-02T15:31:00Z", "Friday 2 October 2026 at 16:31"),
            ("2026-11-02T15:31:00Z", "Monday 2 November 2026 at 15:31"),
            ("2026-03-29T00:59:00Z", "Sunday 29 March 2026 at 00:59"),
            ("2026-03-29T01:00:00Z", "Sunday 29 March 2026 at 02:00"),
            ("2026-10-25T01:00:00Z", "Sunday 25 October 2026 at 01:00"),
        ] {
            assert_eq!(time_in(at.parse().expect("a timestamp"), &crate::school_time::london()), expected);
        }
    }

    #[test]
    fn roles_have_titles() {
        let roles = |r: &[&str]| r.iter().map(|r| (*r).to_owned()).collect::<Vec<_>>();
        assert_eq!(titles(&roles(&["sbm"])), "the School Business Manager");
        assert_eq!(
            titles(&roles(&["sbm", "head", "dsl"])),
            "the School Business Manager, the headteacher and the designated safeguarding lead"
        );
        assert_eq!(titles(&[]), "the school office");
    }
}
