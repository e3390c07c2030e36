//! A stored report as a person reads it: names for ids, words for kinds and places, by the roster in force.
//!
//! Knows reports and the school, never HTTP or how a page looks. Plain values that a template prints; all of them may hold
//! anything that a message or roster holds. A pupil who is gone from the roster is said to be.

use std::collections::HashMap;

use serde::Serialize;

use super::{FiredRule, FoundTrait, Report, ReportedFinding, ReportedPupil, ReportedRecipient};
use crate::detect::traits::{Seen, kind, place as traits};
use crate::people::{Guardian, Pupil, RecipientKind, School};
use crate::policy::pack::{Condition, Rule};
use crate::smtp::Address;

/// What is said of a pupil whom the roster no longer has.
pub const GONE: &str = "no longer on the roster";

/// One message as one screen shows it.
#[derive(Debug, Clone, Serialize)]
pub struct ShownReport {
    /// A rule counts it as a likely breach.
    pub breach: bool,
    /// Its Personal marker stands out: what stands in it is for nobody without a grant.
    pub sealed: bool,
    /// The subject, decoded.
    pub subject: String,
    /// The display name of From.
    pub from_name: String,
    /// The Message-ID.
    pub message_id: Option<String>,
    /// In the order of the envelope.
    pub recipients: Vec<ShownParty>,
    /// In roster order.
    pub pupils: Vec<ShownPupil>,
    /// Children who are on no list of the school.
    pub unlisted_pupils: usize,
    /// The rules that count, in the order of the pack.
    pub rules: Vec<FiredRule>,
    /// Those that did not ask, because it was confirmed before or the sender is exempt.
    pub confirmed: Vec<FiredRule>,
    /// In the order of the report.
    pub findings: Vec<ShownFinding>,
    /// Further ones of these kinds.
    pub more_findings: usize,
    /// What could not be read: its place, and why in words.
    pub unreadable: Vec<(String, &'static str)>,
}

/// A recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownParty {
    /// As in the envelope.
    pub address: String,
    /// The kind in words: "Leanne Barker's mother", "a private mailbox that is not on our records".
    pub is: String,
    /// Names of pupils of the message whose parent or carer this guardian is not; empty for every other kind.
    pub not_of: Vec<String>,
    /// More than one guardian reads there.
    pub several: bool,
    /// To this recipient alone it would not have been held.
    pub entitled: bool,
}

impl ShownParty {
    /// The kind in words, and whose parent it is not: "Leanne Barker's mother · not a parent or carer of Amy Smith".
    pub fn in_full(&self) -> String {
        let carer = if self.several { "not parents or carers" } else { "not a parent or carer" };
        match self.not_of.as_slice() {
            [] => self.is.clone(),
            pupils => format!("{} · {carer} of {}", self.is, joined(pupils)),
        }
    }
}

/// A pupil of the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownPupil {
    /// Roster id.
    pub id: String,
    /// Forename and family name, or [`GONE`].
    pub name: String,
    /// "9K", "Year 9"; empty where nobody knows.
    pub class: String,
    /// `mention`, `record` or `sensitive`.
    pub tier: String,
    /// What is said, a word each: "health", "attendance".
    pub said: Vec<String>,
    /// Where, in words.
    pub places: Vec<String>,
}

/// Something found, in its surroundings.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ShownFinding {
    /// What it is in a word.
    pub is: String,
    /// Name of the pupil, where it is about one.
    pub pupil: Option<String>,
    /// Where, in words: "Attachment register.xlsx, sheet 'Data' (hidden), row 14".
    pub place: String,
    /// The line before; may be empty.
    pub before: String,
    /// What stands before it in its line.
    pub lead: String,
    /// What was found.
    pub found: String,
    /// What stands behind it in its line.
    pub rest: String,
    /// The line after; may be empty.
    pub after: String,
    /// `low`, `medium` or `high`.
    pub confidence: String,
    /// Evidence for and against.
    pub because: String,
}

impl std::fmt::Debug for ShownFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShownFinding").field("is", &self.is).finish_non_exhaustive()
    }
}

/// The report for a person, by this roster.
pub fn shown(report: &Report, school: &School) -> ShownReport {
    let roster: HashMap<&str, &Pupil> = school.pupils.iter().map(|pupil| (pupil.id.as_str(), pupil)).collect();
    let names = Names::of(school);
    let name = |id: &str| names.singled_out(id);
    ShownReport {
        breach: report.breach,
        sealed: report.is_sealed(),
        subject: report.subject.clone(),
        from_name: report.from_name.clone(),
        message_id: report.message_id.clone(),
        recipients: report.recipients.iter().map(|r| party(r, &report.pupils, school, &name)).collect(),
        pupils: report
            .pupils
            .iter()
            .map(|pupil| ShownPupil {
                id: pupil.id.clone(),
                // Its class stands beside it.
                name: roster.get(pupil.id.as_str()).map_or_else(|| GONE.to_owned(), |pupil| full_name(pupil)),
                class: roster.get(pupil.id.as_str()).map(|pupil| class(pupil)).unwrap_or_default(),
                tier: pupil.tier.clone(),
                said: pupil.categories.iter().map(|category| word(category)).collect(),
                places: pupil.places.iter().map(|at| place(at, None)).collect(),
            })
            .collect(),
        unlisted_pupils: report.unlisted_pupils,
        rules: report.rules.iter().filter(|rule| rule.counts()).cloned().collect(),
        confirmed: report
            .rules
            .iter()
            .filter(|rule| rule.confirmed.is_some() || rule.exempt.is_some())
            .cloned()
            .collect(),
        findings: report.findings.iter().map(|found| finding(found, &name)).collect(),
        more_findings: report.more_findings,
        unreadable: report.unreadable.iter().map(|unread| (place(&unread.part, None), why(&unread.why))).collect(),
    }
}

/// The names of the pupils of a roster, as staff tell them apart.
#[derive(Debug)]
pub struct Names<'s> {
    /// By roster id.
    pupils: HashMap<&'s str, &'s Pupil>,
    /// How many have this name, and how many it together with this class; case does not tell people apart.
    alike: HashMap<String, u32>,
}

impl<'s> Names<'s> {
    /// Of everybody on the roster.
    pub fn of(school: &'s School) -> Self {
        let mut alike: HashMap<String, u32> = HashMap::new();
        for pupil in &school.pupils {
            let name = full_name(pupil).to_lowercase();
            *alike.entry(with_class(&name, pupil).to_lowercase()).or_default() += 1;
            *alike.entry(name).or_default() += 1;
        }
        Self { pupils: school.pupils.iter().map(|pupil| (pupil.id.as_str(), pupil)).collect(), alike }
    }

    /// A pupil's name by roster id, or [`GONE`]: with the class where another pupil has the same name, "Isla Reid (Tern)";
    /// with the roster's own number where another in the class has it, too.
    pub fn singled_out(&self, id: &str) -> String {
        let Some(pupil) = self.pupils.get(id) else { return GONE.to_owned() };
        let shared = |text: &str| self.alike.get(&text.to_lowercase()).is_some_and(|&many| many > 1);
        let name = full_name(pupil);
        if !shared(&name) {
            return name;
        }
        let full = with_class(&name, pupil);
        match (class(pupil), shared(&full)) {
            (class, true) if class.is_empty() => format!("{name} ({id})"),
            (class, true) => format!("{name} ({class}, {id})"),
            (class, false) if class.is_empty() => format!("{name} (no class)"),
            (_, false) => full,
        }
    }
}

fn with_class(name: &str, pupil: &Pupil) -> String {
    format!("{name} ({})", class(pupil))
}

fn full_name(pupil: &Pupil) -> String {
    format!("{} {}", pupil.known_as.as_ref().unwrap_or(&pupil.forename), pupil.surname)
}

fn class(pupil: &Pupil) -> String {
    match (pupil.form.as_str(), pupil.year_group.as_str()) {
        ("", "") => String::new(),
        ("", "N") => "Nursery".to_owned(),
        ("", "R") => "Reception".to_owned(),
        ("", year) => format!("Year {year}"),
        (form, _) => form.to_owned(),
    }
}

fn party(
    recipient: &ReportedRecipient,
    about: &[ReportedPupil],
    school: &School,
    name: &dyn Fn(&str) -> String,
) -> ShownParty {
    let kind = RecipientKind::of_word(&recipient.kind);
    let theirs = &recipient.guardian_of;
    let (relationship, readers) = readers(recipient, school);
    let is = match kind {
        Some(RecipientKind::Guardian) if !theirs.is_empty() => {
            let names: Vec<String> = theirs.iter().map(|id| name(id)).collect();
            let carer = if readers > 1 { "parents and carers" } else { "parent or carer" };
            match (relationship, names.as_slice()) {
                // "Isla Reid (Tern)'s mother" is nobody's English.
                (Some(relationship), [one]) if one != GONE && !one.ends_with(')') => format!("{one}'s {relationship}"),
                (Some(relationship), names) => format!("{relationship} of {}", joined(names)),
                (None, names) => format!("{carer} of {}", joined(names)),
            }
        }
        Some(kind) => kind.described(false).to_owned(),
        // Of a program that knows more kinds.
        None => recipient.kind.clone(),
    };
    let not_of = match kind {
        Some(RecipientKind::Guardian) => {
            about.iter().filter(|pupil| !theirs.contains(&pupil.id)).map(|pupil| name(&pupil.id)).collect()
        }
        _ => Vec::new(),
    };
    ShownParty { address: recipient.address.clone(), is, not_of, several: readers > 1, entitled: recipient.entitled }
}

/// "mother", where everybody who reads at this address is the same to the children; and how many read there.
fn readers(recipient: &ReportedRecipient, school: &School) -> (Option<String>, usize) {
    let Ok(address) = Address::parse(&recipient.address) else { return (None, 0) };
    let words: Vec<String> =
        school.guardians_at(&address).map(|guardian: &Guardian| guardian.relationship.trim().to_lowercase()).collect();
    let first = words.first().filter(|first| !first.is_empty() && words.iter().all(|word| word == *first));
    (first.cloned(), words.len())
}

/// `a`, `a and b`, `a, b and c`.
fn joined(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn finding(found: &ReportedFinding, name: &dyn Fn(&str) -> String) -> ShownFinding {
    let own = found.excerpt.clone().unwrap_or_default();
    // A report from before there were excerpts has what was found alone.
    let (lead, text, rest) = if found.excerpt.is_some() { own.parts() } else { ("", found.text.as_str(), "") };
    ShownFinding {
        is: word(&found.kind),
        pupil: found.pupil.as_deref().map(name),
        place: place(&found.place, found.detail.as_deref()),
        before: own.before.clone(),
        lead: lead.to_owned(),
        found: text.to_owned(),
        rest: rest.to_owned(),
        after: own.after.clone(),
        confidence: found.confidence.clone(),
        because: found.because.clone(),
    }
}

/// A place of the report as a person says it.
pub fn place(place: &str, detail: Option<&str>) -> String {
    let mut out = match place {
        "subject" => "the subject".to_owned(),
        "body" => "the message itself".to_owned(),
        "quoted thread" => "the earlier message quoted below".to_owned(),
        "message" => "the message as a whole".to_owned(),
        traits::REPLY_TO | traits::RECIPIENTS => format!("the {place}"),
        traits::ATTACHED => "an attached message".to_owned(),
        file => format!("Attachment {file}"),
    };
    if let Some(detail) = detail {
        let mut letters = detail.chars();
        // "Sheet 'Data'": what follows a comma begins small.
        let small = letters.next().map(|first| first.to_lowercase().chain(letters).collect::<String>());
        out.push_str(", ");
        out.push_str(&small.unwrap_or_default().replace(", hidden", " (hidden)"));
    }
    out
}

/// The traits that a rule goes by, with their places in words. A file's name may be a pupil's: it is left out, since these
/// words go into letters.
pub(super) fn found_by(rule: &Rule, seen: &[Seen]) -> Vec<FoundTrait> {
    let asked: Vec<&str> = rule.when.iter().flat_map(Condition::traits).collect();
    let mut out = Vec::new();
    for seen in seen.iter().filter(|seen| asked.contains(&seen.kind)) {
        let found = FoundTrait { kind: seen.kind.to_owned(), place: nameless(&seen.place, seen.detail.as_deref()) };
        if !out.contains(&found) {
            out.push(found);
        }
    }
    out
}

/// A place without any word of the message.
fn nameless(of: &str, detail: Option<&str>) -> String {
    let known = ["subject", "body", "quoted thread", "message", traits::REPLY_TO, traits::RECIPIENTS, traits::ATTACHED];
    let place = if known.contains(&of) { place(of, None) } else { "an attached file".to_owned() };
    // A sheet has a name too.
    let plain = |detail: &&str| {
        ["in its name", "in a heading"].contains(detail)
            || ["line ", "page ", "row ", "slide "].iter().any(|word| {
                detail.strip_prefix(word).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
            })
    };
    detail.filter(plain).map_or(place.clone(), |detail| format!("{place}, {detail}"))
}

/// A trait in words: "a link that anyone may open, in the message itself, line 4".
pub fn in_words(found: &FoundTrait) -> String {
    format!("{}, in {}", word(&found.kind), found.place)
}

fn why(word: &str) -> &'static str {
    match word {
        "encrypted" => "it is locked with a password",
        "damaged" => "it is broken or cut short",
        "contradictory" => "it can be read in two ways",
        "beyond-limit" => "it is too large or too deep",
        "unknown-type" => "it is of a kind that cannot be read",
        _ => "it could not be read",
    }
}

/// A category or kind of finding in a word or two.
pub fn word(kind: &str) -> String {
    match kind {
        "send" => "special educational needs",
        "ethnicity-religion" => "ethnicity or religion",
        "sexuality-gender" => "sexuality or gender",
        "biometric" => "biometric data",
        "looked-after" => "being looked after",
        "police" => "police",
        "exclusion-violence" => "exclusion or violence",
        "free-meals" => "free school meals",
        "contact" => "contact details",
        "address" => "home address",
        "identifier" => "an official number",
        "pupil-name" => "name",
        "upn" => "pupil number (UPN)",
        "uln" => "learner number (ULN)",
        "nhs-number" => "NHS number",
        "ni-number" => "National Insurance number",
        kind::PRIVATE_REPLY => "answers asked for at a private mailbox",
        kind::STAFF_CONTACT => "a private telephone or mailbox of a member of staff",
        kind::FORWARDED => "somebody else's message, passed on",
        kind::OPEN_LINK => "a link that anyone may open",
        kind::ALTERED => "a message that is not as its sender signed it",
        kind::SAME_TEXT => "a text that was sent before today",
        kind::RECIPIENTS => "many recipients outside the school",
        kind::OTHER_HOUSEHOLD => "how to reach the other household of a child",
        kind::FOR_STAFF => "a mark that it is for staff only",
        kind::FOR_GOVERNORS => "a mark that it is for governors only",
        kind::TRADE => "what reads like the sender's own trade",
        kind::PRIZE => "what reads like a prize",
        kind::GAMBLING => "what reads like a wager",
        kind::POLITICS => "what reads like party politics",
        // `mental-health`, `date-of-birth`, `payment-card`
        other => return other.replace('-', " "),
    }
    .to_owned()
}
