//! Facts to a verdict: every rule is evaluated, every rule that fires is reported, the strictest action wins.

use std::collections::{BTreeMap, BTreeSet};

use super::Action;
use super::allowance::{About, Allowance, Allowed, Confirmed, folded};
use super::duty::Duties;
use super::exemption::Exempted;
use super::pack::{Audience, Business, Condition, Confirm, Marker, Mode, PhotoConsent, Rule, RulePack, SenderKind};
use crate::detect::Tier;
use crate::extract::Why;
use crate::people::{PupilIndex, RecipientKind};

/// All that the rules may know of a message.
#[derive(Debug, Default, Clone)]
pub struct Facts {
    /// Every envelope recipient, in envelope order.
    pub recipients: Vec<RecipientFact>,
    /// Every pupil identified, unlisted ones included.
    pub pupils: Vec<PupilFact>,
    /// The message counts as bulk.
    pub bulk: bool,
    /// An adult's identifier is there.
    pub adult_identifier: bool,
    /// A password or code is written out.
    pub credentials: bool,
    /// Offensive language.
    pub offensive: bool,
    /// A camera picture is attached.
    pub photograph: bool,
    /// Why parts are unread; empty when all was read.
    pub unreadable: Vec<Why>,
    /// The subject carries the Confidential marker.
    pub confidential: bool,
    /// The subject carries a Personal or Private marker.
    pub personal: bool,
    /// That marker stands out.
    pub personal_stands_out: bool,
    /// The subject carries the Urgent marker.
    pub urgent: bool,
    /// Distinct private addresses in To and Cc.
    pub visible_private: Vec<String>,
    /// From or Sender is an address that the sender may not use.
    pub sender_not_permitted: bool,
    /// No person wrote it: from the null sender, or it says so of itself.
    pub automatic: bool,
    /// What is said of any pupil.
    pub categories: BTreeSet<String>,
    /// What is recorded of pictures of the pupils who are named.
    pub photo_consent: PhotoConsent,
    /// A part is malicious.
    pub malware: bool,
    /// For the so-manyth time the sender sends this text today; 1 for the first, 0 where nobody counts.
    pub same_text: usize,
    /// From whom it comes.
    pub sender: SenderKind,
    /// Roles that the sender has.
    pub sender_roles: BTreeSet<String>,
    /// Rules that the school permits this sender to break, by id.
    pub permitted: BTreeSet<String>,
    /// Rules from which the head exempts this sender now, by id.
    pub exempt: BTreeMap<String, Exempted>,
    /// The school is open.
    pub school_hours: bool,
    /// It asks for answers to a private mailbox.
    pub private_reply: bool,
    /// A private telephone or mailbox of a member of staff stands in it.
    pub staff_contact: bool,
    /// Somebody else's mail is passed on.
    pub forwarded: bool,
    /// A message that is attached is not as its sender signed it.
    pub altered_original: bool,
    /// What it is about that has no place in a school's mail.
    pub business: BTreeSet<Business>,
    /// A link to a file that whoever has the link may open.
    pub open_link: bool,
    /// For whom it says that it is.
    pub audiences: BTreeSet<Audience>,
    /// Roles of those whom it is about.
    pub about_roles: BTreeSet<String>,
}

/// A recipient as the rules see it.
#[derive(Debug, Clone)]
pub struct RecipientFact {
    /// For the words of the report.
    pub address: String,
    /// Its kind.
    pub kind: RecipientKind,
    /// Whose guardian it is.
    pub guardian_of: Vec<PupilIndex>,
    /// What else is known of it.
    pub known: RecipientTraits,
}

/// What is known of a recipient beside its kind.
#[derive(Debug, Clone, Default)]
pub struct RecipientTraits {
    /// Pupils from whom a court or the school keeps this parent.
    pub barred_from: Vec<PupilIndex>,
    /// It is a pupil's own mailbox.
    pub is_pupil: bool,
    /// A parent who has not agreed to be written to by e-mail.
    pub no_email_consent: bool,
    /// The school has never written to it.
    pub never_written_to: bool,
    /// The message tells how to reach the other household of this parent's child.
    pub other_household: bool,
    /// The message holds a confidential matter of somebody else.
    pub others_matter: bool,
}

/// A pupil as the rules see it.
#[derive(Debug, Clone, Copy)]
pub struct PupilFact {
    /// `None` for a pupil who is on no roster and so has no guardian here.
    pub pupil: Option<PupilIndex>,
    /// What is said.
    pub tier: Tier,
    /// That it is said is in doubt.
    pub doubtful: bool,
    /// Nothing identifies the pupil but a name that another pupil bears too.
    pub shared_name: bool,
}

impl PupilFact {
    /// The tier that a condition goes by. One that is met by a mark in the subject goes by what is beyond doubt: most mail of that kind
    /// is right, while to another's parent or a private mailbox little is written of a pupil but what went astray.
    fn tier_for(&self, condition: &Condition) -> Tier {
        if self.doubtful && condition.no_marker.is_some() { Tier::Mention } else { self.tier }
    }

    /// As what is confirmed can be remembered of this pupil.
    fn about(&self) -> About {
        self.pupil.filter(|_| !self.shared_name).map_or(About::Unclear, About::Pupil)
    }
}

/// What was decided.
#[derive(Debug)]
pub struct Verdict {
    /// The strictest action of the rules that count.
    pub action: Action,
    /// A rule that counts marks a likely breach.
    pub breach: bool,
    /// Roles to tell, without repeats.
    pub notify: Vec<String>,
    /// The role that approves of it; with none, whoever decides.
    pub approver: Option<String>,
    /// Every rule that fired and stops mail; those that only have something done with it are not among them.
    pub fired: Vec<Fired>,
    /// What is done with the message if it goes.
    pub duties: Duties,
}

/// A rule that fired.
#[derive(Debug)]
pub struct Fired {
    /// Its place in the pack.
    pub rule: usize,
    /// What it asks for after its mode; for an observed rule, what it would ask for.
    pub action: Action,
    /// Recorded only.
    pub observed_only: bool,
    /// Why, with the recipients and the number of pupils filled in.
    pub why: String,
    /// How the sender puts it right, filled in likewise.
    pub remedy: String,
    /// Every reason for it was confirmed before: recorded only.
    pub confirmed: Option<Confirmed>,
    /// The sender is exempt from it: recorded only.
    pub exempt: Option<Exempted>,
    /// Each recipient and pupil for whom it asks, as it can be remembered; empty where it is not to be remembered.
    pub reasons: Vec<(String, About)>,
}

/// Evaluates the pack. A rule whose every reason is allowed does not ask.
pub fn decide(pack: &RulePack, facts: &Facts, allowed: &Allowed<'_>) -> Verdict {
    let mut verdict = Verdict {
        action: Action::Deliver,
        breach: false,
        notify: Vec::new(),
        approver: None,
        fired: Vec::new(),
        duties: Duties::default(),
    };
    let outside = facts.recipients.iter().any(|r| r.kind != RecipientKind::Internal);
    let mut approvers: BTreeSet<Option<&str>> = BTreeSet::new();
    for (index, rule) in pack.rules.iter().enumerate() {
        if !outside && !rule.inside_too {
            continue;
        }
        if rule.exempt && facts.permitted.contains(&rule.id) {
            continue;
        }
        let holding: Vec<&Condition> = rule.when.iter().filter(|c| holds(c, facts)).collect();
        if holding.is_empty() {
            continue;
        }
        let observed_only = rule.mode == Mode::Observe;
        let action = if rule.mode == Mode::Warn { rule.action.min(Action::Warn) } else { rule.action };
        let asked = asked(rule, &holding, facts, allowed);
        let confirmed = asked.confirmed();
        let exempt = facts.exempt.get(&rule.id).filter(|_| rule.exempt).cloned();
        // That a message may go does not spare it what is done with it then.
        if !observed_only && exempt.is_none() {
            verdict.duties.add(&rule.id, &rule.duty);
        }
        if rule.action == Action::Deliver && !rule.duty.is_empty() {
            continue;
        }
        let counts = !observed_only && confirmed.is_none() && exempt.is_none();
        if counts {
            verdict.action = verdict.action.max(action);
            verdict.breach |= rule.breach;
            for role in &rule.notify {
                if action >= Action::Hold && !verdict.notify.contains(role) {
                    verdict.notify.push(role.clone());
                }
            }
            if action >= Action::Hold {
                approvers.insert(rule.approver.as_deref());
            }
        }
        // Where all is allowed, the words are about all of it; otherwise about what is left.
        let left = asked.allowed.is_some() && confirmed.is_none();
        let of = Concerned { holding: &holding, facts, left: left.then_some(&asked) };
        let (why, mut remedy) = (words(&rule.why, &of), words(&rule.remedy, &of));
        if shares_a_name(&holding, facts) {
            remedy.push_str(NAMESAKES);
        }
        let reasons = if counts { asked.reasons(rule.confirm_at_once) } else { Vec::new() };
        verdict.fired.push(Fired { rule: index, action, observed_only, why, remedy, confirmed, exempt, reasons });
    }
    verdict.approver = approver(&approvers).map(str::to_owned);
    if verdict.action >= Action::Hold {
        for route in pack.routes.iter().filter(|route| route.when.iter().any(|c| holds(c, facts))) {
            for role in &route.notify {
                if !verdict.notify.contains(role) {
                    verdict.notify.push(role.clone());
                }
            }
        }
    }
    verdict
}

/// Who approves, of what the holding rules say. Where they differ, nobody below the head can speak for all of them.
fn approver<'p>(approvers: &BTreeSet<Option<&'p str>>) -> Option<&'p str> {
    match approvers.iter().collect::<Vec<_>>().as_slice() {
        [] | [None] => None,
        [Some(one)] => Some(*one),
        _ => Some("head"),
    }
}

/// For what a rule asks, and what of it was allowed before.
#[derive(Default)]
struct Asked<'f, 'a> {
    /// Addresses that are left.
    recipients: BTreeSet<&'f str>,
    /// Pupils who are left with any of them.
    pupils: BTreeSet<About>,
    /// How many pupils nobody could tell from the next.
    unclear: usize,
    /// What is left, up to what is remembered of one message and one more.
    left: BTreeSet<(&'f str, About)>,
    /// The last of those that count.
    allowed: Option<&'a Allowance>,
}

impl Asked<'_, '_> {
    fn confirmed(&self) -> Option<Confirmed> {
        let last = self.allowed.filter(|_| self.recipients.is_empty())?;
        Some(Confirmed { at: last.given_at, by: last.by.clone() })
    }

    /// All that is left, unless it is too much to be remembered or about somebody whom nobody knows again.
    fn reasons(&self, most: usize) -> Vec<(String, About)> {
        if self.left.len() > most || self.left.iter().any(|(_, about)| *about == About::Unclear) {
            return Vec::new();
        }
        self.left.iter().map(|(address, about)| ((*address).to_owned(), *about)).collect()
    }
}

/// Each address for which a condition holds, with each pupil concerned; what is not allowed is left.
fn asked<'f, 'a>(rule: &Rule, holding: &[&Condition], facts: &'f Facts, allowed: &Allowed<'a>) -> Asked<'f, 'a> {
    let mut asked = Asked::default();
    if rule.confirm == Confirm::Nobody {
        return asked;
    }
    let of_rule = allowed.of_rule(rule);
    for condition in holding {
        for (address, recipient) in addresses(condition, facts) {
            // Nothing was allowed, and what is asked is more than can be: the rest does not matter.
            if of_rule.is_none() && asked.left.len() > rule.confirm_at_once {
                return asked;
            }
            let given = of_rule.and_then(|given| given.get(&folded(address)));
            for about in abouts(condition, recipient, facts) {
                if let Some(allowance) = given.and_then(|given| given.get(&about)) {
                    let earlier = asked.allowed.filter(|earlier| earlier.given_at > allowance.given_at);
                    asked.allowed = earlier.or(Some(*allowance));
                    continue;
                }
                asked.recipients.insert(address);
                asked.pupils.insert(about);
                if asked.left.len() <= rule.confirm_at_once {
                    asked.left.insert((address, about));
                }
            }
        }
    }
    asked.unclear = facts.pupils.iter().filter(|p| p.about() == About::Unclear).count();
    asked
}

/// Added to the remedy of a rule that tells pupils apart, where it asks about one known by a shared name only.
const NAMESAKES: &str = " More than one pupil has this name: put the class or the date of birth beside it.";

/// The rule tells one pupil from another for its recipients, and fires for one whose name alone does not.
fn shares_a_name(holding: &[&Condition], facts: &Facts) -> bool {
    let tells_apart =
        |c: &&&Condition| c.wrong_guardian.is_some() || c.not_own_guardian.is_some() || c.barred.is_some();
    holding.iter().filter(tells_apart).any(|condition| {
        let recipients = facts.recipients.iter().filter(|recipient| concerns(condition, recipient, facts));
        recipients.into_iter().any(|recipient| concerned(condition, Some(recipient), facts).any(|p| p.shared_name))
    })
}

/// The addresses for which a condition holds: recipients, and where it is about addresses that others see, those too.
fn addresses<'f>(condition: &Condition, facts: &'f Facts) -> Vec<(&'f str, Option<&'f RecipientFact>)> {
    let outside = facts.recipients.iter().any(|r| r.kind != RecipientKind::Internal);
    let is_concerned = |r: &&RecipientFact| match condition.asks_for_recipient() {
        true => concerns(condition, r, facts),
        false => !outside || r.kind != RecipientKind::Internal,
    };
    let recipients = facts.recipients.iter().filter(is_concerned).map(|r| (r.address.as_str(), Some(r)));
    let visible = facts.visible_private.iter().filter(|_| condition.visible_private.is_some());
    recipients.chain(visible.map(|address| (address.as_str(), None))).collect()
}

/// Whom a condition is about, as it can be remembered.
fn abouts(condition: &Condition, recipient: Option<&RecipientFact>, facts: &Facts) -> Vec<About> {
    match condition.is_about_pupils() {
        true => concerned(condition, recipient, facts).map(PupilFact::about).collect(),
        false => vec![About::NoPupil],
    }
}

/// The pupils concerned. A condition on the whole message's tier or number concerns all of its pupils: what is said of one
/// must not carry another along.
fn concerned<'f>(
    condition: &'f Condition,
    recipient: Option<&'f RecipientFact>,
    facts: &'f Facts,
) -> impl Iterator<Item = &'f PupilFact> {
    let whole = condition.tier.is_some()
        || condition.category.is_some()
        || condition.bulk == Some(true)
        || condition.no_pupil == Some(false);
    let own = move |p: &PupilFact| p.pupil.is_some_and(|p| recipient.is_some_and(|r| r.guardian_of.contains(&p)));
    let of = |tiers: &Option<Vec<Tier>>, p: &PupilFact| {
        tiers.as_ref().is_some_and(|tiers| tiers.contains(&p.tier_for(condition)))
    };
    let is_concerned = move |p: &&PupilFact| {
        whole
            || of(&condition.own_guardian, p) && own(p)
            || of(&condition.wrong_guardian, p) && !own(p)
            || of(&condition.not_own_guardian, p) && !own(p)
            || of(&condition.barred, p)
                && p.pupil.is_some_and(|p| recipient.is_some_and(|r| r.known.barred_from.contains(&p)))
    };
    facts.pupils.iter().filter(is_concerned)
}

/// Whom the words of a rule are about.
struct Concerned<'f> {
    holding: &'f [&'f Condition],
    facts: &'f Facts,
    /// What is left where the rest was allowed.
    left: Option<&'f Asked<'f, 'f>>,
}

impl Concerned<'_> {
    fn recipients(&self) -> impl Iterator<Item = &RecipientFact> {
        let outside = self.facts.recipients.iter().filter(|r| r.kind != RecipientKind::Internal);
        outside
            .filter(|r| self.holding.iter().any(|c| concerns(c, r, self.facts)))
            .filter(|r| self.left.is_none_or(|left| left.recipients.contains(r.address.as_str())))
    }

    fn pupils(&self) -> usize {
        let of = |left: &Asked<'_, '_>| {
            let listed = left.pupils.iter().filter(|about| matches!(about, About::Pupil(_))).count();
            listed + if left.pupils.contains(&About::Unclear) { left.unclear } else { 0 }
        };
        self.left.map_or(self.facts.pupils.len(), of)
    }
}

fn is(wanted: Option<bool>, fact: bool) -> bool {
    wanted.is_none_or(|wanted| wanted == fact)
}

fn holds(condition: &Condition, facts: &Facts) -> bool {
    let tier = facts.pupils.iter().map(|p| p.tier_for(condition)).max();
    condition.tier.as_ref().is_none_or(|tiers| tier.is_some_and(|t| tiers.contains(&t)))
        && is(condition.bulk, facts.bulk)
        && is(condition.no_pupil, facts.pupils.is_empty())
        && is(condition.adult_identifier, facts.adult_identifier)
        && is(condition.credentials, facts.credentials)
        && is(condition.offensive, facts.offensive)
        && is(condition.photograph, facts.photograph)
        && is(condition.sender_not_permitted, facts.sender_not_permitted)
        && is(condition.automatic, facts.automatic)
        && is(condition.malware, facts.malware)
        && is(condition.school_hours, facts.school_hours)
        && is(condition.private_reply, facts.private_reply)
        && is(condition.staff_contact, facts.staff_contact)
        && is(condition.forwarded, facts.forwarded)
        && is(condition.altered_original, facts.altered_original)
        && is(condition.open_link, facts.open_link)
        && among(&condition.category, &facts.categories)
        && among(&condition.sender_role, &facts.sender_roles)
        && among(&condition.about_role, &facts.about_roles)
        && among(&condition.business, &facts.business)
        && among(&condition.audience, &facts.audiences)
        && condition.sender.as_ref().is_none_or(|kinds| kinds.contains(&facts.sender))
        && condition.photo_consent.is_none_or(|consent| consent == facts.photo_consent)
        && condition.same_text.is_none_or(|n| facts.same_text >= n)
        && condition.recipients.is_none_or(|n| outside(facts) >= n)
        && condition.unreadable.as_ref().is_none_or(|why| facts.unreadable.iter().any(|w| why.contains(w)))
        && condition.marker.is_none_or(|m| has_marker(m, facts))
        && condition.no_marker.is_none_or(|m| !has_marker(m, facts))
        && condition.visible_private.is_none_or(|n| facts.visible_private.len() >= n)
        && (!condition.asks_for_recipient() || facts.recipients.iter().any(|r| concerns(condition, r, facts)))
}

fn has_marker(marker: Marker, facts: &Facts) -> bool {
    match marker {
        Marker::Confidential => facts.confidential,
        Marker::Personal => facts.personal,
        Marker::PersonalStandingOut => facts.personal_stands_out,
        Marker::Urgent => facts.urgent,
    }
}

/// One of those that are asked for is there.
fn among<T: Ord>(wanted: &Option<Vec<T>>, there: &BTreeSet<T>) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|one| there.contains(one)))
}

/// How many recipients are outside.
fn outside(facts: &Facts) -> usize {
    facts.recipients.iter().filter(|r| r.kind != RecipientKind::Internal).count()
}

/// The recipient fits every condition that speaks of recipients.
fn concerns(condition: &Condition, recipient: &RecipientFact, facts: &Facts) -> bool {
    let own = |p: &PupilFact| p.pupil.is_some_and(|p| recipient.guardian_of.contains(&p));
    let some = |tiers: &Option<Vec<Tier>>, fits: &dyn Fn(&PupilFact) -> bool| {
        tiers
            .as_ref()
            .is_none_or(|tiers| facts.pupils.iter().any(|p| tiers.contains(&p.tier_for(condition)) && fits(p)))
    };
    condition.to.as_ref().is_none_or(|kinds| kinds.contains(&recipient.kind))
        && some(&condition.own_guardian, &own)
        && some(&condition.wrong_guardian, &|p| recipient.kind == RecipientKind::Guardian && !own(p))
        && some(&condition.not_own_guardian, &|p| recipient.kind != RecipientKind::Internal && !own(p))
        && some(&condition.barred, &|p| p.pupil.is_some_and(|p| recipient.known.barred_from.contains(&p)))
        && is(condition.to_pupil, recipient.known.is_pupil)
        && is(condition.no_email_consent, recipient.known.no_email_consent)
        && is(condition.never_written_to, recipient.known.never_written_to)
        && is(condition.other_household, recipient.known.other_household)
        && is(condition.adult_matter, recipient.known.others_matter)
}

/// A sentence of a rule with its placeholders filled in, in one pass: an address may hold what looks like one.
fn words(sentence: &str, of: &Concerned<'_>) -> String {
    let mut out = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some((before, (placeholder, after))) =
        rest.split_once('{').and_then(|(before, inside)| Some((before, inside.split_once('}')?)))
    {
        out.push_str(before);
        match placeholder {
            "to" => out.push_str(&listed(&of.recipients().map(|r| r.address.as_str()).collect::<Vec<_>>())),
            "recipients" => out.push_str(&with_kinds(of.recipients())),
            "pupils" => out.push_str(&counted(of.pupils())),
            // A pack is checked when it is read: it holds no other.
            other => out.push_str(other),
        }
        rest = after;
    }
    out + rest
}

/// `a@b.example (a trusted partner of the school) and c@d.example (a private mailbox that is not on our records)`.
fn with_kinds<'f>(recipients: impl Iterator<Item = &'f RecipientFact>) -> String {
    let mut kinds: Vec<(RecipientKind, Vec<&str>)> = Vec::new();
    for recipient in recipients {
        match kinds.iter_mut().find(|(kind, _)| *kind == recipient.kind) {
            Some((_, addresses)) => addresses.push(&recipient.address),
            None => kinds.push((recipient.kind, vec![&recipient.address])),
        }
    }
    let groups: Vec<String> = kinds
        .iter()
        .map(|(kind, addresses)| format!("{} ({})", listed(addresses), kind.described(addresses.len() > 1)))
        .collect();
    match groups.as_slice() {
        [] => "a recipient".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `a`, `a and b`, `a, b and 3 others`.
fn listed(addresses: &[&str]) -> String {
    match addresses {
        [] => "a recipient".to_owned(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} others", rest.len()),
    }
}

/// `a pupil`, `3 pupils`, `some 30 pupils`: nobody is helped by a false exactness.
fn counted(pupils: usize) -> String {
    match pupils {
        0 | 1 => "a pupil".to_owned(),
        2..10 => format!("{pupils} pupils"),
        _ => format!("some {} pupils", (pupils + 2) / 5 * 5),
    }
}

#[cfg(test)]
mod tests;
