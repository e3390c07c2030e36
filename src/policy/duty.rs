//! What is done with a message that goes: a copy kept, a wait, words below it. What a rule asks for, and what all that fired ask for together.
//!
//! Never stops a message: that is an action's business. Whoever exempts a sender from a rule exempts from its duty too.

use serde::{Deserialize, Serialize};

/// What one rule asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Duty {
    /// A sealed copy is kept once the message has gone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub journal: bool,
    /// Days for which the journal keeps it; there where `journal` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// Minutes for which it waits, in which its sender can take it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_minutes: Option<u32>,
    /// It waits until the school is open.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub wait_until_open: bool,
    /// It is urgent: it does not wait for opening hours, whatever else asks for that.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub urgent: bool,
    /// What stands below it when it leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
}

impl Duty {
    /// Nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What all rules that fired ask for, as a report keeps it. The longest retention, the longest wait, and each footer once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duties {
    /// Days for which the journal keeps a copy; with none, it keeps nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal_days: Option<u32>,
    /// Rules that ask for the copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub journal_rules: Vec<String>,
    /// Minutes in which the sender can take the message back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_minutes: Option<u32>,
    /// It waits until the school is open.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wait_until_open: bool,
    /// Rules that ask for either wait.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wait_rules: Vec<String>,
    /// A rule says that it is urgent: it does not wait for opening hours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub urgent: bool,
    /// What stands below it when it leaves, in the order of the rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub footers: Vec<String>,
}

impl Duties {
    /// Nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A message that goes may wait before it leaves.
    pub fn waits(&self) -> bool {
        self.wait_minutes.is_some() || self.wait_until_open
    }

    /// Each of them, for a person.
    pub fn in_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(minutes) = self.wait_minutes {
            words.push(format!("it waits {minutes} min, in which its sender can take it back"));
        }
        if self.wait_until_open && !self.urgent {
            words.push("it waits until the school is open".to_owned());
        }
        if let Some(days) = self.journal_days {
            words.push(format!("a sealed copy is kept for {days} days ({})", self.journal_rules.join(", ")));
        }
        words.extend(self.footers.iter().map(|footer| format!("below it stands: {}", footer.replace('\n', " / "))));
        words
    }

    /// Adds what this rule asks for.
    pub fn add(&mut self, rule: &str, duty: &Duty) {
        if let Some(days) = duty.retention_days.filter(|_| duty.journal) {
            self.journal_days = self.journal_days.max(Some(days));
            self.journal_rules.push(rule.to_owned());
        }
        self.wait_minutes = self.wait_minutes.max(duty.wait_minutes);
        self.wait_until_open |= duty.wait_until_open;
        self.urgent |= duty.urgent;
        if duty.wait_minutes.is_some() || duty.wait_until_open {
            self.wait_rules.push(rule.to_owned());
        }
        if let Some(footer) = duty.footer.as_ref().filter(|footer| !self.footers.contains(footer)) {
            self.footers.push(footer.clone());
        }
    }
}
