//! Asks the sender for answers to a private mailbox: a request to answer, write or send, aimed at the sender's own.

use std::sync::LazyLock;

use regex::Regex;

use super::addresses::{Known, found};

struct Patterns {
    verb: Regex,
    cue: Regex,
    negation: Regex,
    somebody: Regex,
    private: Regex,
    self_: Regex,
    other: Regex,
    answer: Regex,
}

/// Verbs of a request to answer, write or send; what makes a request of one; and whose mailbox it is.
static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let regex = |pattern: &str| Regex::new(&format!("(?i){pattern}")).ok();
    Some(Patterns {
        verb: regex(
            r"\b(?:re-?send|repl(?:y|ies)|respond|answer|write|get back|get in touch|e-?mail|mail|send|forward|copy|cc|contact|message|reach|drop|use|return|submit|share|ping|let me know|try)\b",
        )?,
        cue: regex(
            r"(?:^[^\w]*|[,:;(\u{2013}\u{2014}-]\s*|\b(?:please|pls|plz|kindly|you(?: can| could| may| will| should| must| would| might|'d)?|just|simply|and|or|then|so|instead|better|best|free|rather|easier|quicker|hesitate|possible|do)\s+(?:(?:to|also|either|always|just|kindly|please|only|now)\s+){0,3})$",
        )?,
        negation: regex(
            r"\b(?:not|never|don't|dont|doesn't|won't|can't|cannot|shouldn't|mustn't|avoid|stop|instead of|rather than|no longer|nobody|no one)\b",
        )?,
        somebody: regex(r"\b(?:i|we|he|she|they|who)(?:'ll|'d|'ve)?\s+(?:\w+\s+){0,2}$")?,
        private: regex(
            r"\bmy\s+(?:own\s+|other\s+|usual\s+|new\s+)?(?:(?:personal|private|home|non-?school|own|gmail|googlemail|hotmail|outlook\.com|yahoo|icloud|btinternet|aol)\s+(?:e-?mail|mail|address|account|inbox|mailbox|one)s?\b|(?:gmail|googlemail|hotmail|yahoo|icloud|btinternet|aol)\b)",
        )?,
        self_: regex(r"\b(?:me|my|mine|us|our|myself|i)\b")?,
        other: regex(
            r"\b(?:his|her|hers|him|their|theirs|mum|mum's|mother|mother's|dad|dad's|father|father's|parent|parent's|parents|carer|carer's|gran|nan|grandmother|grandfather|pta|fosa|your|mr|mrs|miss|ms|dr|he|she|they|[a-z]+'s)\b",
        )?,
        answer: regex(r"^(?:re-?send|repl(?:y|ies)|respond|answer|get back|send|return|submit)$")?,
    })
});

/// The sentence asks for an answer to a private mailbox of the sender.
pub(super) fn asks(sentence: &str, known: &Known<'_>) -> bool {
    let Some(patterns) = &*PATTERNS else { return false };
    let addresses: Vec<(usize, bool)> = match sentence.contains('@') {
        false => Vec::new(),
        true => found(sentence)
            .into_iter()
            .filter(|(_, address)| known.is_private(address) && !known.is_recipient(address))
            .map(|(at, address)| (at, known.is_staff_private(&address)))
            .collect(),
    };
    // Without an address, the words have to say that the mailbox is private.
    let said = patterns.private.find(sentence).map(|at| at.start());
    if addresses.is_empty() && said.is_none() {
        return false;
    }
    let mut from = 0;
    for verb in patterns.verb.find_iter(sentence) {
        let before = &sentence[from..verb.start()];
        from = verb.end();
        let after = &sentence[verb.end()..];
        // A label ("E-mail: …"), a noun ("my email", "the email"), what is not to be done, what somebody does.
        let label = after.trim_start().starts_with(':') || after.starts_with(['@', '.', '-']);
        let refused = patterns.negation.is_match(before) || patterns.somebody.is_match(before);
        if label || refused || !patterns.cue.is_match(&sentence[..verb.start()]) {
            continue;
        }
        if said.is_some_and(|at| at > verb.start() && !is_ended(&sentence[verb.end()..at])) {
            return true;
        }
        for &(at, own) in addresses.iter().filter(|(at, _)| *at >= verb.end()) {
            let between = &sentence[verb.end()..at];
            let aimed = patterns.self_.is_match(between) || patterns.answer.is_match(verb.as_str());
            // "… to Miss Bell at" a private mailbox of the directory is a colleague's; another's may be a parent's.
            if !is_ended(between) && (own || aimed && !patterns.other.is_match(between)) {
                return true;
            }
        }
    }
    false
}

/// Too much lies between a verb and its address, or another clause begins.
fn is_ended(between: &str) -> bool {
    between.len() > crate::limits::REQUEST_REACH || between.contains([';', '?', '!'])
}
