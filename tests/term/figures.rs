//! What a term of mail comes to: how much is stopped, by rule and by form, and who put it right.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::play::{Outcome, Played};
use super::traffic::{Label, Mail};

/// Days of the term, from 0.
pub const WEEK_1: Range<usize> = 0..5;
pub const WEEK_6: Range<usize> = 25..30;

/// Counts of one stretch of the term.
#[derive(Debug, Default, Clone, Copy)]
pub struct Count {
    pub messages: usize,
    pub stopped: usize,
    /// Of the stopped, those that should go and needed no mark.
    pub right: usize,
    /// Of the stopped, those that should go once they are marked.
    pub unmarked: usize,
    /// Put right or cancelled by the sender alone.
    pub alone: usize,
    /// Somebody else had to decide.
    pub other: usize,
    /// Slips, and those of them that went.
    pub slips: usize,
    pub slips_gone: usize,
}

/// Counts the messages of these days.
pub fn count(mails: &[Mail], played: &[Played], days: Range<usize>) -> Count {
    let mut count = Count::default();
    for (mail, played) in mails.iter().zip(played).filter(|(mail, _)| days.contains(&mail.day)) {
        let slip = matches!(mail.label, Label::Slip(_));
        let stopped = played.outcome != Outcome::Went;
        count.messages += 1;
        count.slips += usize::from(slip);
        count.slips_gone += usize::from(slip && !stopped);
        count.stopped += usize::from(stopped);
        count.right += usize::from(matches!(played.outcome, Outcome::Confirmed | Outcome::Released));
        count.unmarked += usize::from(played.outcome == Outcome::Marked);
        count.other += usize::from(played.outcome == Outcome::Released);
        count.alone += usize::from(stopped && played.outcome != Outcome::Released);
    }
    count
}

/// Of each rule: messages that it helped to stop, and those of them for which somebody else had to decide.
pub fn by_rule(mails: &[Mail], played: &[Played], days: Range<usize>) -> BTreeMap<String, (usize, usize)> {
    let mut rules = BTreeMap::new();
    for (_, played) in mails.iter().zip(played).filter(|(mail, _)| days.contains(&mail.day)) {
        for rule in played.rules.iter().filter(|_| played.outcome != Outcome::Went) {
            let entry: &mut (usize, usize) = rules.entry(rule.clone()).or_default();
            entry.0 += 1;
            entry.1 += usize::from(played.outcome == Outcome::Released);
        }
    }
    rules
}

/// Of each form and the rules that stop it: how its right mail went on.
pub type Form = (&'static str, String, Outcome);

/// How often right mail was stopped, and how often the same form from the same sender to the same recipients about the same pupils had been put right
/// in that way before.
pub fn by_form(mails: &[Mail], played: &[Played]) -> BTreeMap<Form, (usize, usize)> {
    let (mut forms, mut before) = (BTreeMap::new(), BTreeSet::new());
    for (mail, played) in mails.iter().zip(played) {
        if played.outcome != Outcome::Went && !matches!(mail.label, Label::Slip(_)) {
            let form = (mail.form, played.rules.join(" + "), played.outcome);
            let again = !before.insert((form.clone(), &mail.sender, &mail.to, &mail.about));
            let entry: &mut (usize, usize) = forms.entry(form).or_default();
            *entry = (entry.0 + 1, entry.1 + usize::from(again));
        }
    }
    forms
}
