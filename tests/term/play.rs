//! A term of mail through the gateway's decision, with what people then do, with and without confirmations remembered.
//!
//! A model of people. Right mail: its sender marks it where a mark is all that is asked, confirms where the rules let them,
//! sends private mail anew with its mark; the rest is released by who decides on held mail, who lets it be remembered
//! wherever it can be. A slip that is stopped is cancelled by its sender.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use jiff::Timestamp;
use schoolgate::inspect::{Ground, Known, Report, inspect_with};
use schoolgate::limits;
use schoolgate::policy::{Action, Allowance};
use schoolgate::relay::remembered::rememberable;
use schoolgate::relay::sender::{possible, remembered_until, with_confidential};
use schoolgate::smtp::{Address, Envelope};
use schoolgate::text::Halt;

use super::traffic::{Label, Mail};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It went at once.
    Went,
    /// Its sender put a mark in the subject, and it went.
    Marked,
    /// Its sender confirmed it, perhaps after marking it.
    Confirmed,
    /// Who decides on held mail released it.
    Released,
    /// A slip; its sender cancelled it.
    Cancelled,
}

/// A message with what was decided and done.
#[derive(Debug)]
pub struct Played {
    /// Rules that stopped it, in the order of the pack.
    pub rules: Vec<String>,
    pub outcome: Outcome,
}

/// One thing that was confirmed: rule, sender, recipient, pupil.
pub type Exactly = (String, String, String, Option<String>);

/// One school's gateway for one term.
pub struct Gateway<'a> {
    ground: &'a Ground,
    remembers: bool,
    thorough: bool,
    kept: BTreeMap<String, Vec<Allowance>>,
    /// Everything that was ever confirmed.
    pub confirmed: BTreeSet<Exactly>,
    decided: &'a mut Decided,
}

/// Bytes, sender, recipients, and what is allowed.
type Asked = (Rc<[u8]>, String, Vec<String>, BTreeSet<Exactly>);

/// What was decided of the same bytes, envelope and allowances: `inspect` is pure.
#[derive(Default)]
pub struct Decided {
    reports: HashMap<Asked, Rc<Report>>,
}

impl<'a> Gateway<'a> {
    pub fn new(ground: &'a Ground, remembers: bool, decided: &'a mut Decided) -> Self {
        Self { ground, remembers, thorough: false, kept: BTreeMap::new(), confirmed: BTreeSet::new(), decided }
    }

    /// Gives each inspection all that was ever confirmed, by whomever, as a careless caller might; slower.
    pub fn thorough(mut self) -> Self {
        self.thorough = true;
        self
    }

    /// One message at a time of the term.
    pub fn play(&mut self, mail: &Mail, at: Timestamp) -> Played {
        let report = self.decide(mail, &mail.raw, at);
        let rules = report.rules.iter().filter(|rule| rule.counts()).map(|rule| rule.id.clone()).collect();
        let outcome = match (report.action, &mail.label) {
            (Action::Deliver, _) => Outcome::Went,
            (_, Label::Slip(_)) => Outcome::Cancelled,
            (_, Label::Private) if is_mark_of_private(&report) => Outcome::Marked,
            _ => self.put_right(mail, &report, at),
        };
        Played { rules, outcome }
    }

    /// What was decided of the bytes as the gateway would decide with nothing confirmed.
    pub fn without_memory(&mut self, mail: &Mail, at: Timestamp) -> Rc<Report> {
        self.report(mail, &mail.raw, &[], at)
    }

    fn put_right(&mut self, mail: &Mail, report: &Rc<Report>, at: Timestamp) -> Outcome {
        if possible(self.ground, Some(report)).confirm {
            self.remember(mail, report, at);
            return Outcome::Confirmed;
        }
        // Where a mark is asked for beside what its sender may confirm, it is put in first.
        let marked: Rc<[u8]> = with_confidential(&mail.raw).into();
        let after = self.decide(mail, &marked, at);
        if possible(self.ground, Some(report)).mark && after.action == Action::Deliver {
            return Outcome::Marked;
        }
        if report.action == Action::Warn && possible(self.ground, Some(&after)).confirm {
            self.remember(mail, &after, at);
            return Outcome::Confirmed;
        }
        self.remember(mail, report, at);
        Outcome::Released
    }

    fn remember(&mut self, mail: &Mail, report: &Report, at: Timestamp) {
        if !self.remembers {
            return;
        }
        let until = remembered_until(at, limits::REMEMBER_DAYS);
        for new in rememberable(self.ground, Some(&address(&mail.sender)), report, until) {
            self.confirmed.insert((new.rule.clone(), new.sender.clone(), new.recipient.clone(), new.pupil.clone()));
            self.kept.entry(new.sender.clone()).or_default().push(Allowance {
                rule: new.rule,
                sender: new.sender,
                recipient: new.recipient,
                pupil: new.pupil,
                until: new.until,
                given_at: at,
                by: "who confirmed it".to_owned(),
            });
        }
    }

    /// Unless it is thorough, what is allowed of a rule that does not fire is taken to have no say.
    fn decide(&mut self, mail: &Mail, raw: &Rc<[u8]>, at: Timestamp) -> Rc<Report> {
        if self.thorough {
            let kept: Vec<Allowance> = self.kept.values().flatten().cloned().collect();
            return self.report(mail, raw, &kept, at);
        }
        let plain = self.report(mail, raw, &[], at);
        let Some(kept) = self.kept.get(&mail.sender.to_lowercase()) else { return plain };
        let has_say = |allowance: &&Allowance| {
            at < allowance.until && plain.rules.iter().any(|rule| rule.counts() && rule.id == allowance.rule)
        };
        let kept: Vec<Allowance> = kept.iter().filter(has_say).cloned().collect();
        self.report(mail, raw, &kept, at)
    }

    fn report(&mut self, mail: &Mail, raw: &Rc<[u8]>, kept: &[Allowance], at: Timestamp) -> Rc<Report> {
        let of =
            kept.iter().map(|a| (a.rule.clone(), a.sender.clone(), a.recipient.clone(), a.pupil.clone())).collect();
        let key = (Rc::clone(raw), mail.sender.clone(), mail.to.clone(), of);
        let ground = self.ground;
        let made = self.decided.reports.entry(key).or_insert_with(|| {
            let envelope = Envelope::new(Some(address(&mail.sender)), mail.to.iter().map(|to| address(to)).collect());
            Rc::new(inspect_with(
                None,
                &Halt::default(),
                ground,
                Known { allowances: kept, malware: false },
                &envelope,
                raw,
                at,
            ))
        });
        Rc::clone(made)
    }
}

fn is_mark_of_private(report: &Report) -> bool {
    report.rules.iter().filter(|rule| rule.counts()).all(|rule| rule.id == "personal-marker-missing")
}

fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}
