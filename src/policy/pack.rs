//! Rule packs: TOML read, checked whole, every problem with file, line and column.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::Action;
use crate::detect::Tier;
use crate::extract::Why;
use crate::limits;
use crate::people::RecipientKind;
use crate::text::problem::{FileProblem, FileProblems, line_and_column};

/// The packs that are compiled in, by name.
const EMBEDDED: &[(&str, &str)] = &[("core", include_str!("../../rules/core.toml"))];

/// The roles that a rule may tell.
pub const ROLES: &[&str] = &["sbm", "head", "slt", "dsl", "dpo", "chair", "it"];

/// The roles that may decide on a held message, in the order in which they are asked when those who would be told wrote it
/// themselves. `it` looks after the machine and does not decide.
pub const DECIDERS: &[&str] = &["sbm", "head", "chair", "slt", "dpo", "dsl"];

/// How far a rule goes. The school's own setting (`[policy.modes]`) replaces the pack's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Recorded only.
    Observe,
    /// At most `warn`: a rule that would hold returns instead.
    Warn,
    /// As the rule says.
    Enforce,
}

/// Who may confirm what a rule asks about, so that it does not ask again. A breach rule never says `sender`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirm {
    /// The sender, or whoever decides on held mail.
    Sender,
    /// Whoever decides on held mail.
    Reviewer,
    /// Nobody: it asks each time.
    Nobody,
}

impl Confirm {
    /// The word that packs and tables use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Reviewer => "reviewer",
            Self::Nobody => "nobody",
        }
    }
}

/// A checked rule pack.
#[derive(Debug, Clone)]
pub struct RulePack {
    /// Its name.
    pub name: String,
    /// In the order of the file, which is the order of reports.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Stable id, as reports print it.
    pub id: String,
    /// What the rule asks for when it fires.
    pub action: Action,
    /// A message that fires it would likely have been a breach.
    pub breach: bool,
    /// Roles that are told.
    pub notify: Vec<String>,
    /// Observe, warn or enforce.
    pub mode: Mode,
    /// Who may confirm what it asks about.
    pub confirm: Confirm,
    /// It is remembered only where it asked for no more pairs of recipient and pupil than these.
    pub confirm_at_once: usize,
    /// Fires for messages to internal recipients as well.
    pub inside_too: bool,
    /// What the school's policy says, in words.
    pub clauses: Vec<String>,
    /// Why, with `{to}`, `{recipients}` and `{pupils}` still to be filled in.
    pub why: String,
    /// How the sender puts it right, likewise.
    pub remedy: String,
    /// The rule fires when one of these holds.
    pub when: Vec<Condition>,
}

/// What must hold together; an absent key does not matter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The message's tier is one of these.
    pub tier: Option<Vec<Tier>>,
    /// The message counts as bulk.
    pub bulk: Option<bool>,
    /// No pupil is identified.
    pub no_pupil: Option<bool>,
    /// A recipient is of one of these kinds.
    pub to: Option<Vec<RecipientKind>>,
    /// A pupil of one of these tiers goes to that pupil's own guardian.
    pub own_guardian: Option<Vec<Tier>>,
    /// A pupil of one of these tiers goes to another pupil's guardian.
    pub wrong_guardian: Option<Vec<Tier>>,
    /// A pupil of one of these tiers goes outside to anybody but that pupil's own guardian.
    pub not_own_guardian: Option<Vec<Tier>>,
    /// An adult's identifier is there, or none is.
    pub adult_identifier: Option<bool>,
    /// A password or code is written out.
    pub credentials: Option<bool>,
    /// Offensive language.
    pub offensive: Option<bool>,
    /// A camera picture.
    pub photograph: Option<bool>,
    /// A part is unread for one of these reasons.
    pub unreadable: Option<Vec<Why>>,
    /// The subject has this marker.
    pub marker: Option<Marker>,
    /// The subject lacks this marker.
    pub no_marker: Option<Marker>,
    /// So many private addresses, or more, stand in To and Cc.
    pub visible_private: Option<usize>,
    /// From or Sender is an address that the sender may not use.
    pub sender_not_permitted: Option<bool>,
    /// No person wrote it, or a person did.
    pub automatic: Option<bool>,
}

impl Condition {
    /// It speaks of pupils who are there, so that what is confirmed is confirmed for each of them.
    pub fn is_about_pupils(&self) -> bool {
        self.tier.is_some()
            || self.bulk == Some(true)
            || self.own_guardian.is_some()
            || self.wrong_guardian.is_some()
            || self.not_own_guardian.is_some()
            // "A pupil is identified", said the other way round.
            || self.no_pupil == Some(false)
    }

    /// No key is given: it would hold for every message.
    fn is_empty(&self) -> bool {
        let Self {
            tier,
            bulk,
            no_pupil,
            to,
            own_guardian,
            wrong_guardian,
            not_own_guardian,
            adult_identifier,
            credentials,
            offensive,
            photograph,
            unreadable,
            marker,
            no_marker,
            visible_private,
            sender_not_permitted,
            automatic,
        } = self;
        tier.is_none()
            && to.is_none()
            && own_guardian.is_none()
            && wrong_guardian.is_none()
            && not_own_guardian.is_none()
            && unreadable.is_none()
            && marker.is_none()
            && no_marker.is_none()
            && visible_private.is_none()
            && [bulk, no_pupil, adult_identifier, credentials, offensive, photograph, sender_not_permitted, automatic]
                .iter()
                .all(|key| key.is_none())
    }
}

/// A subject marker of the core policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Marker {
    /// `Confidential` or an alias.
    Confidential,
    /// `Personal` or `Private`, anywhere.
    Personal,
    /// `Personal` or `Private`, set off from the rest.
    PersonalStandingOut,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPack {
    name: String,
    #[serde(default)]
    clause: Vec<RawClause>,
    #[serde(default)]
    rule: Vec<RawRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClause {
    id: Spanned<String>,
    text: String,
    /// References into the policies the pack was made from; kept in the file for its readers.
    #[serde(default, rename = "policies")]
    _policies: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: Spanned<String>,
    action: Spanned<Action>,
    breach: bool,
    notify: Option<Vec<Spanned<String>>>,
    mode: Option<Mode>,
    confirm: Option<Spanned<Confirm>>,
    confirm_at_once: Option<Spanned<usize>>,
    #[serde(default)]
    inside_too: bool,
    #[serde(default)]
    clauses: Vec<Spanned<String>>,
    why: Spanned<String>,
    remedy: Spanned<String>,
    when: Spanned<Vec<Spanned<Condition>>>,
}

impl RulePack {
    /// An embedded pack by name; the error lists the names there are.
    pub fn embedded(name: &str) -> Result<Self, FileProblems> {
        match EMBEDDED.iter().find(|(n, _)| *n == name) {
            Some((_, text)) => Self::parse(Path::new(&format!("rules/{name}.toml")), text),
            None => {
                let names: Vec<_> = EMBEDDED.iter().map(|(n, _)| *n).collect();
                let problem = format!(
                    "there is no pack `{name}`; embedded are: {}; a file's name ends in .toml",
                    names.join(", ")
                );
                Err(FileProblems::one(Path::new("policy.pack"), problem))
            }
        }
    }

    /// A pack from a file.
    pub fn load(file: &Path) -> Result<Self, FileProblems> {
        let text =
            std::fs::read_to_string(file).map_err(|e| FileProblems::one(file, format!("cannot be read: {e}")))?;
        Self::parse(file, &text)
    }

    /// Checks a text as if it stood in `file`.
    pub fn parse(file: &Path, text: &str) -> Result<Self, FileProblems> {
        let at = |offset| Some(line_and_column(text, offset));
        let raw: RawPack = toml::from_str(text).map_err(|e| FileProblems::toml(file, text, &e))?;
        let mut errors = Vec::new();
        let mut wrong = |span: std::ops::Range<usize>, problem: String| {
            errors.push(FileProblem { file: file.to_owned(), place: at(span.start), problem });
        };
        if raw.rule.is_empty() {
            wrong(0..0, "the pack holds no [[rule]]".to_owned());
        }
        let mut clauses = HashMap::new();
        for clause in raw.clause {
            if clauses.insert(clause.id.as_ref().clone(), clause.text).is_some() {
                wrong(clause.id.span(), format!("clause `{}` stands here a second time", clause.id.as_ref()));
            }
        }
        let mut seen = HashMap::new();
        let mut rules = Vec::new();
        for rule in raw.rule {
            let id = rule.id.as_ref().clone();
            if !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') || id.is_empty() {
                wrong(rule.id.span(), format!("rule id `{id}`: wants small letters, digits and hyphens"));
            }
            if let Some(first) = seen.insert(id.clone(), rule.id.span().start) {
                let line = line_and_column(text, first).0;
                wrong(rule.id.span(), format!("rule `{id}` stands here a second time (first in line {line})"));
            }
            for (key, words) in [("why", &rule.why), ("remedy", &rule.remedy)] {
                if words.as_ref().trim().is_empty() {
                    wrong(words.span(), format!("rule `{id}`: {key} is empty; the sender reads it"));
                }
                if let Some(unknown) = unknown_placeholder(words.as_ref()) {
                    wrong(
                        words.span(),
                        format!(
                            "rule `{id}`: {key} holds {{{unknown}}}; there are {{to}}, {{recipients}} and {{pupils}}"
                        ),
                    );
                }
            }
            if rule.when.as_ref().is_empty() {
                wrong(rule.when.span(), format!("rule `{id}`: `when` is empty, so it could never fire"));
            }
            for condition in rule.when.as_ref().iter().filter(|c| c.as_ref().is_empty()) {
                wrong(condition.span(), format!("rule `{id}`: an empty condition would fire for every message"));
            }
            // What says nothing asks each time.
            let confirm = rule.confirm.as_ref().map_or(Confirm::Nobody, |confirm| *confirm.as_ref());
            if let Some(word) = &rule.confirm
                && confirm == Confirm::Sender
                && rule.breach
            {
                wrong(
                    word.span(),
                    format!(
                        "rule `{id}`: a likely breach is not confirmed by its sender; say \"reviewer\" or \"nobody\""
                    ),
                );
            }
            if let Some(pairs) = rule.confirm_at_once.as_ref().filter(|pairs| *pairs.as_ref() == 0) {
                wrong(
                    pairs.span(),
                    format!("rule `{id}`: confirm_at_once = 0 allows nothing; say confirm = \"nobody\""),
                );
            }
            let mut named = Vec::new();
            for clause in &rule.clauses {
                match clauses.get(clause.as_ref()) {
                    Some(words) => named.push(words.clone()),
                    None => wrong(clause.span(), format!("rule `{id}`: there is no [[clause]] `{}`", clause.as_ref())),
                }
            }
            let default_notify =
                if *rule.action.as_ref() == Action::Hold { vec!["sbm".to_owned()] } else { Vec::new() };
            let mut notify = Vec::new();
            for role in rule.notify.iter().flatten() {
                if !ROLES.contains(&role.as_ref().as_str()) {
                    let roles = ROLES.join(", ");
                    wrong(
                        role.span(),
                        format!("rule `{id}`: there is no role `{}`; the roles are {roles}", role.as_ref()),
                    );
                }
                notify.push(role.as_ref().clone());
            }
            rules.push(Rule {
                action: rule.action.into_inner(),
                breach: rule.breach,
                notify: if rule.notify.is_some() { notify } else { default_notify },
                mode: rule.mode.unwrap_or(Mode::Enforce),
                confirm,
                confirm_at_once: rule
                    .confirm_at_once
                    .map_or(limits::ALLOWANCES_AT_ONCE, |pairs| pairs.into_inner().min(limits::ALLOWANCES_AT_ONCE)),
                inside_too: rule.inside_too,
                clauses: named,
                why: rule.why.into_inner(),
                remedy: rule.remedy.into_inner(),
                when: rule.when.into_inner().into_iter().map(Spanned::into_inner).collect(),
                id,
            });
        }
        if errors.is_empty() { Ok(Self { name: raw.name, rules }) } else { Err(FileProblems(errors)) }
    }

    /// Sets the modes that the school chose; returns the ids that name no rule.
    pub fn set_modes(&mut self, modes: &BTreeMap<String, Mode>) -> Vec<String> {
        let mut unknown = Vec::new();
        for (id, mode) in modes {
            match self.rules.iter_mut().find(|r| r.id == *id) {
                Some(rule) => rule.mode = *mode,
                None => unknown.push(id.clone()),
            }
        }
        unknown
    }
}

/// The first `{word}` that is no placeholder.
fn unknown_placeholder(words: &str) -> Option<&str> {
    words
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(word, _)| word))
        .find(|word| !["to", "recipients", "pupils"].contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_pack_is_sound_and_holds_the_seventeen_rules() {
        let pack = RulePack::embedded("core").expect("the core pack parses");
        let ids: Vec<_> = pack.rules.iter().map(|r| r.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "impersonation",
                "pupil-record-to-personal",
                "pupil-mention-to-personal",
                "pupil-record-to-wrong-guardian",
                "bulk-pupils-outside",
                "sensitive-unprotected",
                "confidential-marker-missing",
                "personal-marker-missing",
                "personal-marker-misused",
                "adult-identifier-outside",
                "adult-identifier-unmarked",
                "visible-recipients",
                "credentials-disclosed",
                "offensive-language",
                "unreadable-content",
                "pupil-images",
                "lookalike-recipient",
            ]
        );
        assert!(pack.rules.iter().all(|r| !r.clauses.is_empty()), "every rule names a clause");
    }

    #[test]
    fn a_rule_that_does_not_say_who_confirms_it_asks_each_time() {
        let text = "name = \"x\"\n[[rule]]\nid = \"a\"\naction = \"warn\"\nbreach = false\nwhy = \"w\"\nremedy = \"r\"\n\
                    when = [{ bulk = true }]";
        let pack = RulePack::parse(Path::new("p.toml"), text).expect("sound");
        assert_eq!(pack.rules[0].confirm, Confirm::Nobody);
        let core = RulePack::embedded("core").expect("the core pack parses");
        assert!(core.rules.iter().all(|rule| !(rule.breach && rule.confirm == Confirm::Sender)));
        let wrong = core.rules.iter().find(|rule| rule.id == "pupil-record-to-wrong-guardian").expect("there");
        assert_eq!((wrong.confirm, wrong.confirm_at_once), (Confirm::Reviewer, 1));
    }

    #[test]
    fn bad_packs_are_refused_with_line_and_column() {
        let rule = |body: &str| format!("name = \"x\"\n[[rule]]\n{body}");
        let sound = "id = \"a\"\naction = \"warn\"\nbreach = false\nwhy = \"w\"\nremedy = \"r\"\n";
        let cases: &[(String, (usize, usize), &str)] = &[
            ("name = \"x\"".into(), (1, 1), "no [[rule]]"),
            ("name = x".into(), (1, 8), ""),
            (rule(&format!("{sound}when = [{{ to = [\"pesonal\"] }}]")), (8, 17), "pesonal"),
            (rule(&format!("{sound}when = [{{ tears = [\"record\"] }}]")), (8, 11), "tears"),
            (rule(&format!("{sound}when = []")), (8, 8), "never fire"),
            (rule(&format!("{sound}when = [{{}}]")), (8, 9), "every message"),
            (rule(&format!("{sound}clauses = [\"no\"]\nwhen = [{{ bulk = true }}]")), (8, 12), "no [[clause]] `no`"),
            (rule(&format!("{sound}notify = [\"boss\"]\nwhen = [{{ bulk = true }}]")), (8, 11), "no role `boss`"),
            (
                rule(&format!("{}confirm = \"sender\"\nwhen = [{{ bulk = true }}]", sound.replace("false", "true"))),
                (8, 11),
                "not confirmed by its sender",
            ),
            (rule(&format!("{sound}confirm = \"anybody\"\nwhen = [{{ bulk = true }}]")), (8, 11), "anybody"),
            (rule(&format!("{sound}confirm_at_once = 0\nwhen = [{{ bulk = true }}]")), (8, 19), "allows nothing"),
            (rule(&sound.replace("warn", "delay").to_string()), (4, 10), "delay"),
            (rule(&format!("{}when = [{{ bulk = true }}]", sound.replace("\"w\"", "\"{who}\""))), (6, 7), "{who}"),
            (
                rule(&format!("{sound}when = [{{ bulk = true }}]\n[[rule]]\n{sound}when = [{{ bulk = true }}]")),
                (10, 6),
                "a second time (first in line 3)",
            ),
        ];
        for (text, place, words) in cases {
            let errors = RulePack::parse(Path::new("p.toml"), text).expect_err(text).0;
            assert_eq!(errors[0].place, Some(*place), "{text}\n{errors:?}");
            assert!(errors[0].problem.contains(words), "{text}\n{errors:?}");
        }
    }
}
