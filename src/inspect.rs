//! The one entry: (envelope, message, school) to a [`Report`]. Pure: no disk, no network, no clock but `at`.
//!
//! What is reported has its shape in [`Report`]; here stands how it comes about.

mod household;
mod known;
mod matters;
mod personal_use;
mod report;
pub mod same_text;
mod sender;
mod traits;
pub mod version;
pub mod view;
mod words;

pub use known::Known;
pub use personal_use::PersonalUse;
pub use report::{FiredRule, FoundTrait, Report, ReportedFinding, ReportedPupil, ReportedRecipient, ReportedUnread};
pub use words::Words;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::detect::traits::{Seen, Traits, kind, place};
use crate::detect::{self, Correspondence, Findings, Tier};
use crate::extract::{self, Isolation, Reading};
use crate::limits;
use crate::message::signed::Keys as DkimKeys;
use crate::message::{self, Message};
use crate::people::{PupilIndex, Recipient, RecipientKind, School, SenderIdentity};
use crate::policy::allowance::{About, folded};
use crate::policy::pack::{Condition, PhotoConsent};
use crate::policy::{self, Action, Allowed, Facts, Mode, PupilFact, Reason, RecipientFact, RecipientTraits, RulePack};
use crate::school_time::SchoolTime;
use crate::smtp::{Address, Envelope};
use crate::text::{Halt, Room};

/// Room for what messages with much text have laid out at once: it is this process's memory, whoever asks for an inspection.
static LAID_OUT: Room = Room::of(limits::LAID_OUT);

/// What decisions rest on: one version of the school and of the rules. A message is decided by exactly one of them.
#[derive(Debug)]
pub struct Ground {
    /// Who is who.
    pub school: Arc<School>,
    /// What is decided.
    pub pack: RulePack,
    /// Further words that count as the Confidential marker.
    pub confidential_markers: Vec<String>,
    /// Distinct pupils from which a message counts as bulk.
    pub bulk_pupils: usize,
    /// Who has which role, by mailbox.
    pub roles: BTreeMap<String, Vec<Address>>,
    /// Senders whom the school permits what a rule would stop, by the rule's id.
    pub permitted: BTreeMap<String, Vec<Address>>,
    /// When the school is open.
    pub times: SchoolTime,
    /// Keys with which attached originals were signed.
    pub dkim_keys: DkimKeys,
    /// Worked out when it is first asked for, and empty until then: see [`Ground::version`].
    pub version: std::sync::OnceLock<String>,
}

impl Ground {
    /// The version of the rules and settings that decide here, as each report names it.
    pub fn version(&self) -> &str {
        self.version.get_or_init(|| {
            let deciding = version::Deciding {
                pack: &self.pack,
                domains: &self.school.domains,
                confidential_markers: &self.confidential_markers,
                bulk_pupils: self.bulk_pupils,
                roles: &self.roles,
                permitted: &self.permitted,
                times: &self.times,
                dkim_keys: &self.dkim_keys,
            };
            deciding.version()
        })
    }

    /// The same with these modes of its rules, which stand over those it has: a ground of its own, with a version of its own. Gives
    /// the rules that it does not have, too.
    pub fn with_modes(&self, modes: &BTreeMap<String, Mode>) -> (Self, Vec<String>) {
        let mut pack = self.pack.clone();
        let unknown = pack.set_modes(modes);
        let ground = Self {
            school: Arc::clone(&self.school),
            pack,
            confidential_markers: self.confidential_markers.clone(),
            bulk_pupils: self.bulk_pupils,
            roles: self.roles.clone(),
            permitted: self.permitted.clone(),
            times: self.times.clone(),
            dkim_keys: self.dkim_keys.clone(),
            version: std::sync::OnceLock::new(),
        };
        (ground, unknown)
    }
}

/// Decides one message as of `at`.
///
/// `raw` is the message as it came, or with our Received line on top; the bytes are only read. Takes time in proportion
/// to the message and never looks anything up elsewhere, so the same input gives the same report on every machine.
pub fn inspect(ground: &Ground, envelope: &Envelope, raw: &[u8], at: Timestamp) -> Report {
    inspect_with(None, &Halt::default(), ground, &Known::default(), envelope, raw, at)
}

/// As [`inspect`], with files that only foreign code can read handed to `isolation`.
pub fn inspect_isolated(
    isolation: &dyn Isolation,
    ground: &Ground,
    envelope: &Envelope,
    raw: &[u8],
    at: Timestamp,
) -> Report {
    inspect_with(Some(isolation), &Halt::default(), ground, &Known::default(), envelope, raw, at)
}

/// As [`inspect`], with what is known beside it (what is of other senders, and what is over at `at`, does not count),
/// and with files that only foreign code can read handed to `isolation`. The report is the same, unless a file
/// brings its reader down: then that file is unread, and nothing else has happened.
///
/// Once `halt` is set, it ends at its next part or line, with a report that is of no use.
pub fn inspect_with(
    isolation: Option<&dyn Isolation>,
    halt: &Halt,
    ground: &Ground,
    known: &Known<'_>,
    envelope: &Envelope,
    raw: &[u8],
    at: Timestamp,
) -> Report {
    let message = message::read(raw);
    let reading = extract::read_with(isolation, halt, &message);
    let correspondence = correspondence(&message, envelope);
    // Where there is no room, `halt` is set, and nothing is laid out.
    let _share = detect::room_wanted(&reading.documents).map(|octets| LAID_OUT.take(octets, halt));
    let findings = detect::detect(&reading.documents, &reading.images, &ground.school, &correspondence, halt);
    let wanted = traits::wanted(&ground.pack);
    let mut traits = detect::traits::find(&reading.documents, &ground.school, &correspondence, wanted, halt);
    let facts = facts(ground, envelope, &message, &reading, &findings, &correspondence, &mut traits, known, at);
    let sender = envelope.mail_from.as_ref().map(Address::as_str);
    let allowed = Allowed::of(known.allowances, sender, at, |id| ground.school.pupil_by_id(id));
    let verdict = policy::decide(&ground.pack, &facts, &allowed);
    let entitled = entitled(ground, &facts, &allowed, verdict.action);
    report(ground, &message, &facts, verdict, entitled, &reading, findings, traits.seen, at)
}

/// Every full name of the roster in a message, with its evidence: for measuring, and for fitting what evidence weighs.
pub fn weighed(ground: &Ground, envelope: &Envelope, raw: &[u8]) -> Vec<detect::Weighed> {
    let message = message::read(raw);
    let reading = extract::read_with(None, &Halt::default(), &message);
    detect::weighed(&reading.documents, &ground.school, &correspondence(&message, envelope))
}

fn correspondence(message: &Message<'_>, envelope: &Envelope) -> Correspondence {
    let shown = |mailboxes: Vec<message::Mailbox>| -> Vec<String> {
        mailboxes.into_iter().map(|m| m.display).filter(|d| !d.is_empty()).collect()
    };
    let mut sender_names = shown(message.from_addresses());
    sender_names.extend(shown(message.sender_addresses()));
    let mut recipient_names = shown(message.to_addresses());
    recipient_names.extend(shown(message.cc_addresses()));
    Correspondence {
        sender_names,
        sender_address: envelope.mail_from.as_ref().map(ToString::to_string),
        recipient_names,
        recipient_addresses: envelope.recipients.iter().map(ToString::to_string).collect(),
    }
}

#[expect(clippy::too_many_arguments, reason = "all facts come together here and nowhere else")]
fn facts(
    ground: &Ground,
    envelope: &Envelope,
    message: &Message<'_>,
    reading: &Reading,
    findings: &Findings,
    correspondence: &Correspondence,
    traits: &mut Traits,
    known: &Known<'_>,
    at: Timestamp,
) -> Facts {
    let school = &ground.school;
    let who = sender::of(ground, envelope, message, known, at);
    let sender = school.sender(envelope.mail_from.as_ref(), &correspondence.sender_names);
    let listed = |p: &detect::PupilFinding| PupilFact {
        pupil: Some(p.pupil),
        tier: p.tier,
        doubtful: p.doubtful,
        shared_name: p.shared_name,
    };
    let unlisted = PupilFact { pupil: None, tier: Tier::Record, doubtful: false, shared_name: false };
    let mut pupils: Vec<PupilFact> = findings.pupils.iter().map(listed).collect();
    pupils.extend((0..findings.unlisted_pupils).map(|_| unlisted));
    let to: Vec<Recipient> = envelope.recipients.iter().map(|address| school.recipient(address, &sender)).collect();
    let circular = to.iter().any(|recipient| recipient.kind == RecipientKind::Guardian && !recipient.senders_own);
    let to_parents = to.iter().any(|recipient| recipient.kind == RecipientKind::Guardian);
    let documents = if to_parents { &reading.documents[..] } else { &[] };
    let shown = message.to_addresses().into_iter().chain(message.cc_addresses());
    let contacts = household::Contacts::of(documents, shown.map(|mailbox| mailbox.address.trim().to_lowercase()));
    let recipients = to
        .into_iter()
        .map(|recipient| {
            let told = contacts.tell_of_the_other_household(school, &recipient.address);
            let other_household = told.is_some();
            told.into_iter().for_each(|seen| traits.see(seen));
            let matters = &findings.adult_matters;
            let others_matter = matters::others_matter(school, &sender, &recipient.address, recipient.kind, matters);
            let new = known.is_new(&recipient.address) && !is_on_a_list(recipient.kind);
            let mut fact = recipient_fact(recipient, &pupils, circular);
            fact.known.never_written_to = new;
            fact.known.other_household = other_household;
            fact.known.others_matter = others_matter;
            fact
        })
        .collect();
    let markers = message::markers::subject_markers(&message.subject(), &ground.confidential_markers);
    // What nobody asks for is not looked for.
    let asks = |what: &dyn Fn(&Condition) -> bool| ground.pack.asks(what);
    let reply = asks(&|c| c.private_reply.is_some())
        .then(|| traits::reply_to_private(school, message, envelope, &sender))
        .flatten();
    let altered =
        asks(&|c| c.altered_original.is_some()).then(|| traits::altered_original(message, &ground.dkim_keys)).flatten();
    let link = asks(&|c| c.open_link.is_some()).then(|| traits::open_link(message)).flatten();
    let (private_reply, open_link) = (traits.private_reply || reply.is_some(), traits.open_link || link.is_some());
    let altered_original = altered.is_some();
    [reply, altered, link].into_iter().flatten().for_each(|seen| traits.see(seen));
    Facts {
        bulk: pupils.len() >= ground.bulk_pupils,
        photo_consent: photo_consent(school, findings, &pupils),
        recipients,
        pupils,
        adult_identifier: findings.adult_identifier,
        credentials: findings.credentials || !reading.opened_with_password.is_empty(),
        offensive: findings.offensive,
        photograph: findings.photograph,
        unreadable: reading.unread.iter().map(|u| u.why).collect(),
        confidential: markers.confidential,
        personal: markers.personal,
        personal_stands_out: markers.personal_stands_out,
        urgent: markers.urgent,
        visible_private: visible_private(school, message, &sender),
        sender_not_permitted: sender_not_permitted(school, envelope, message),
        automatic: envelope.mail_from.is_none() || message::automatic::is_automatic(message),
        categories: findings.pupils.iter().flat_map(|pupil| pupil.categories.iter().cloned()).collect(),
        sender: who.kind,
        sender_roles: who.roles,
        about_roles: sender::roles_of(ground, &matters::staff_spoken_of(school, &findings.adult_matters)),
        permitted: who.permitted,
        exempt: who.exempt,
        school_hours: ground.times.is_school_time(at),
        private_reply,
        staff_contact: traits.staff_contact,
        forwarded: traits.forwarded,
        altered_original,
        open_link,
        audiences: std::mem::take(&mut traits.audiences),
        business: std::mem::take(&mut traits.business),
        malware: known.malware,
        same_text: known.same_text,
    }
}

/// Somebody the school has on a list of its own: a parent, a colleague, a contact, a trusted partner.
fn is_on_a_list(kind: RecipientKind) -> bool {
    use RecipientKind::{Contact, Guardian, Internal, StaffPersonal, Trusted};
    matches!(kind, Guardian | StaffPersonal | Internal | Contact | Trusted)
}

/// What the rules see of a recipient. A member of staff who is a parent reads at a mailbox that is a parent's for what is
/// about nobody but his or her own children, and for what goes to other parents and is about no pupil; a private one of staff
/// for the rest (policy.md).
fn recipient_fact(recipient: Recipient, pupils: &[PupilFact], circular: bool) -> RecipientFact {
    let of = |pupil: &PupilFact| pupil.pupil.is_some_and(|pupil| recipient.guardian_of.contains(&pupil));
    let as_parent = if pupils.is_empty() { circular } else { pupils.iter().all(of) };
    let own = recipient.senders_own && !as_parent;
    RecipientFact {
        address: recipient.address.to_string(),
        kind: if own { RecipientKind::StaffPersonal } else { recipient.kind },
        guardian_of: if own { Vec::new() } else { recipient.guardian_of },
        known: RecipientTraits {
            barred_from: recipient.barred_from,
            is_pupil: recipient.is_pupil,
            no_email_consent: recipient.no_email_consent,
            ..RecipientTraits::default()
        },
    }
}

/// What the roster says of pictures of those whom a message with a photograph names. One refusal is enough, and one of whom
/// nothing is recorded leaves it open.
fn photo_consent(school: &School, findings: &Findings, pupils: &[PupilFact]) -> PhotoConsent {
    let consents = || pupils.iter().map(|p| p.pupil.and_then(|pupil| school.pupil(pupil)?.photo_consent));
    match () {
        () if !findings.photograph => PhotoConsent::Unknown,
        () if consents().any(|consent| consent == Some(false)) => PhotoConsent::Refused,
        () if !pupils.is_empty() && consents().all(|consent| consent == Some(true)) => PhotoConsent::Given,
        () => PhotoConsent::Unknown,
    }
}

/// Distinct guardian, personal and staff-personal addresses in To and Cc together.
fn visible_private(school: &School, message: &Message<'_>, sender: &SenderIdentity) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    message
        .to_addresses()
        .into_iter()
        .chain(message.cc_addresses())
        .filter_map(|mailbox| Address::parse(&mailbox.address).ok())
        .filter(|address| seen.insert(address.as_str().to_lowercase()))
        .filter(|address| {
            use RecipientKind::{Guardian, Personal, StaffPersonal};
            matches!(school.recipient(address, sender).kind, Guardian | Personal | StaffPersonal)
        })
        .map(|address| address.to_string())
        .collect()
}

/// From or Sender names an address that the envelope sender may not use. The null sender impersonates nobody: its mail
/// is a report of a machine.
fn sender_not_permitted(school: &School, envelope: &Envelope, message: &Message<'_>) -> bool {
    let Some(mail_from) = &envelope.mail_from else { return false };
    message
        .from_addresses()
        .into_iter()
        .chain(message.sender_addresses())
        .any(|mailbox| Address::parse(&mailbox.address).is_ok_and(|address| !school.may_send_as(mail_from, &address)))
}

/// A password in the same message as what it opens protects nothing.
fn opened(place: &str) -> ReportedFinding {
    ReportedFinding {
        kind: "password".to_owned(),
        text: place.to_owned(),
        place: place.to_owned(),
        detail: None,
        confidence: "high".to_owned(),
        pupil: None,
        because: "a word of this message opens this file".to_owned(),
        excerpt: None,
    }
}

/// A trait as the findings have it.
fn of_trait(seen: Seen) -> ReportedFinding {
    ReportedFinding {
        kind: seen.kind.to_owned(),
        text: seen.text,
        place: seen.place,
        detail: seen.detail,
        confidence: "medium".to_owned(),
        pupil: None,
        because: "a rule of the school's asks for it".to_owned(),
        excerpt: None,
    }
}

#[expect(clippy::too_many_arguments, reason = "all of it is put together here and nowhere else")]
fn report(
    ground: &Ground,
    message: &Message<'_>,
    facts: &Facts,
    verdict: policy::Verdict,
    entitled: Vec<bool>,
    reading: &Reading,
    findings: Findings,
    mut seen: Vec<Seen>,
    at: Timestamp,
) -> Report {
    let school = &ground.school;
    let about_staff = matters::staff_spoken_of(school, &findings.adult_matters);
    let id_of = |index: PupilIndex| school.pupils.get(index.0 as usize).map(|p| p.id.clone()).unwrap_or_default();
    // Of the message as a whole, and so of no place in it.
    let asked_for = |kind: &str| {
        let rules = verdict.fired.iter().filter_map(|fired| ground.pack.rules.get(fired.rule));
        rules.flat_map(|rule| &rule.when).any(|condition| condition.traits().contains(&kind))
    };
    for (kind, place) in [(kind::SAME_TEXT, place::MESSAGE), (kind::RECIPIENTS, place::RECIPIENTS)] {
        if asked_for(kind) {
            seen.push(Seen::at(kind, place, ""));
        }
    }
    let rules: Vec<FiredRule> = verdict
        .fired
        .into_iter()
        .filter_map(|fired| {
            let rule = ground.pack.rules.get(fired.rule)?;
            Some(FiredRule {
                id: rule.id.clone(),
                action: fired.action,
                breach: rule.breach,
                why: fired.why,
                remedy: fired.remedy,
                clauses: rule.clauses.clone(),
                observed_only: fired.observed_only,
                confirmed: fired.confirmed,
                exempt: fired.exempt,
                found: view::found_by(rule, &seen),
                reasons: fired.reasons.into_iter().map(|(address, about)| reason(&address, about, &id_of)).collect(),
            })
        })
        .collect();
    let personal_use = personal_use::of(facts, &rules);
    let mut markers = Vec::new();
    for (present, marker) in [
        (facts.confidential, "confidential"),
        (facts.personal, "personal"),
        (facts.personal_stands_out, "personal-standing-out"),
        (facts.urgent, "urgent"),
    ] {
        if present {
            markers.push(marker.to_owned());
        }
    }
    Report {
        action: verdict.action,
        breach: verdict.breach,
        notify: verdict.notify,
        approver: verdict.approver,
        // Looked for only where somebody may look for it later: in what is kept.
        words: (verdict.action > Action::Deliver || verdict.duties.journal_days.is_some())
            .then(|| Words::of(&reading.documents)),
        duties: verdict.duties,
        rules,
        recipients: facts
            .recipients
            .iter()
            .zip(entitled)
            .map(|(r, entitled)| ReportedRecipient {
                address: r.address.clone(),
                kind: r.kind.as_str().to_owned(),
                guardian_of: r.guardian_of.iter().map(|&pupil| id_of(pupil)).collect(),
                entitled,
            })
            .collect(),
        pupils: findings
            .pupils
            .into_iter()
            .map(|p| ReportedPupil {
                id: id_of(p.pupil),
                tier: p.tier.as_str().to_owned(),
                categories: p.categories.into_iter().collect(),
                places: p.places,
                shared_name: p.shared_name,
            })
            .collect(),
        unlisted_pupils: findings.unlisted_pupils,
        more_findings: findings.more_findings,
        findings: reading
            .opened_with_password
            .iter()
            .map(|place| opened(place))
            .chain(findings.findings.into_iter().map(|f| ReportedFinding {
                kind: f.kind.to_owned(),
                text: f.text,
                place: f.place,
                detail: f.detail,
                confidence: f.confidence.as_str().to_owned(),
                pupil: f.pupil.map(id_of),
                because: f.because,
                excerpt: f.excerpt,
            }))
            .chain(seen.into_iter().map(of_trait))
            .collect(),
        markers,
        unreadable: reading
            .unread
            .iter()
            .map(|u| ReportedUnread { part: u.part.clone(), why: u.why.as_str().to_owned() })
            .collect(),
        at: Some(at),
        subject: message.subject(),
        message_id: message.header("Message-ID").map(|header| header.value.clone()),
        about_staff,
        from_name: message.from_addresses().into_iter().map(|from| from.display).next().unwrap_or_default(),
        automatic: facts.automatic,
        personal_use,
        rules_version: ground.version().to_owned(),
        version: Report::VERSION,
    }
}

fn reason(address: &str, about: About, id_of: &dyn Fn(PupilIndex) -> String) -> Reason {
    let pupil = match about {
        About::Pupil(pupil) => Some(id_of(pupil)),
        About::NoPupil | About::Unclear => None,
    };
    Reason { recipient: folded(address), pupil }
}

/// Of each recipient of a held message, whether to it alone the message would not have been held.
fn entitled(ground: &Ground, facts: &Facts, allowed: &Allowed<'_>, action: Action) -> Vec<bool> {
    if action < Action::Hold {
        return vec![false; facts.recipients.len()];
    }
    let mut alone = facts.clone();
    facts
        .recipients
        .iter()
        .map(|recipient| {
            alone.recipients = vec![recipient.clone()];
            policy::decide(&ground.pack, &alone, allowed).action < Action::Hold
        })
        .collect()
}

#[cfg(test)]
mod tests;
