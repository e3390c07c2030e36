//! Whose a predicate is: `the tent collapsed` and `the driver was late` say nothing of the pupil beside whom they stand.
//!
//! From the predicate the words are read backwards: over its helping verbs and adverbs to the noun phrase that is its
//! subject. It is somebody else's only where that phrase is plainly a thing, an adult by trade, or nobody in particular;
//! a person who could be the pupil, a part of the body, a relative, a word that is not understood, and no subject at all leave
//! the predicate the pupil's. So does a pupil behind it, whom the thing befell or who did it: `was kicked by her`.

mod nouns;

use nouns::NOUNS;
pub(super) use nouns::Nouns;

use crate::detect::vocabulary::{Hit, Predicate};
use crate::detect::words::{ACTS, CHILD, KIN, OPENERS, PREPOSITIONS, PRONOUNS, is};
use crate::limits;
use crate::text::Text;
use crate::text::normalise::{Case, Gap, TokenKind};

/// A line, and which of its tokens are part of a pupil's name.
pub(super) struct Clause<'a> {
    pub text: &'a Text<'a>,
    pub sentence: &'a [u32],
    pub name: &'a dyn Fn(usize) -> bool,
}

/// What a noun phrase stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noun {
    /// A thing, or an adult who is no pupil.
    Other,
    /// Some of whom nobody is named: `somebody`, `half of my class`.
    Vague,
    /// A class, a team: pupils are among them.
    Group,
    /// A pupil, or what could be one or belong to one.
    Person,
}

/// A noun phrase: where it begins, where its head stands, and what it stands for.
#[derive(Debug, Clone, Copy)]
struct Phrase {
    from: usize,
    head: usize,
    noun: Noun,
}

/// Verbs that are conjugated: behind `Ruby's` they show that something of Ruby's is the subject.
const FINITE: &[&str] = &[
    "is", "are", "was", "were", "has", "have", "had", "will", "would", "can", "could", "may", "might", "must",
    "should", "does", "did", "isnt", "arent", "wasnt", "werent", "hasnt", "havent", "hadnt", "wont", "wouldnt", "cant",
    "couldnt", "doesnt", "didnt",
];

/// Verbs that help or link and stand between a subject and its predicate, beside [`FINITE`].
const HELPING: &[&str] = &[
    "be", "been", "being", "am", "do", "got", "get", "gets", "getting", "seems", "seemed", "looks", "looked", "became",
    "becomes", "arrived", "came", "remained", "remains", "stays", "stayed", "found", "left", "kept", "arrive",
    "arrives", "went", "goes", "passed", "moved", "turned",
];

/// Adverbs that stand there too, beside those in `-ly`.
const ADVERBS: &[&str] = &[
    "not",
    "never",
    "ever",
    "also",
    "again",
    "just",
    "still",
    "now",
    "then",
    "already",
    "almost",
    "always",
    "often",
    "once",
    "twice",
    "soon",
    "even",
    "so",
    "too",
    "very",
    "quite",
    "rather",
    "both",
    "all",
    "later",
    "back",
    "since",
    "sometimes",
    "usually",
    "today",
    "yesterday",
    "tomorrow",
    "tonight",
    "perhaps",
    "maybe",
    "sadly",
    "far",
    "more",
    "only",
    "half",
    "much",
    "well",
    "badly",
    "apparently",
    "somewhat",
    "pretty",
    "slightly",
    "there",
    "here",
    "home",
];

/// With these a noun phrase begins, beside possessives.
const DETERMINERS: &[&str] = &[
    "the", "a", "an", "this", "that", "these", "those", "each", "every", "another", "no", "any", "some", "several",
    "many", "my", "our", "your", "his", "her", "their", "its", "one", "two", "three", "four", "five", "six",
];

/// These say how much of a group is meant; behind them it is nobody in particular.
const SHARES: &[&str] = &["half", "most", "some", "several", "many", "few", "none", "lots", "plenty", "part", "much"];

/// Prepositions, beside those of places; what follows one is no subject.
const LINKS: &[&str] = &[
    "of", "by", "with", "from", "for", "to", "off", "about", "after", "before", "during", "since", "until", "without",
    "within", "between", "against", "like", "than", "among", "inside", "round", "beyond", "beneath", "above", "below",
    "despite", "except", "per",
];

/// Before `one` these tell of things: a child is `the little one` or `the new boy`.
const OF_THINGS: &[&str] =
    &["old", "new", "spare", "previous", "original", "current", "broken", "last", "usual", "replacement", "borrowed"];

/// Between a predicate and whom it befell or who did it.
const REACHES: &[&str] = &["by", "on", "onto", "upon", "at", "to", "into", "against", "over", "with", "under"];

impl Clause<'_> {
    /// The hit is a predicate, and its subject is something or somebody else than a pupil.
    pub(super) fn of_another(&self, hit: &Hit) -> bool {
        if hit.predicate == Predicate::No {
            return self.had_by_somebody(hit);
        }
        let subject = || {
            let state = hit.predicate == Predicate::State;
            if self.reaches_pupil(hit.to) { None } else { self.subject(hit.from, state) }
        };
        match self.attribute(hit).or_else(subject) {
            Some(Noun::Other) => true,
            // `Half of my class are away: Ruby, …`
            Some(Noun::Vague) => !self.named_behind(hit.to),
            Some(Noun::Group | Noun::Person) | None => false,
        }
    }

    /// `last year someone had nightmares`: of nobody who is named in the sentence.
    fn had_by_somebody(&self, hit: &Hit) -> bool {
        let attribute = |at: usize| self.follows(at) && self.plain(at - 1) && !closed(self.word(at - 1));
        let article = |at: usize| self.follows(at) && is(DETERMINERS, self.word(at - 1));
        let mut at = hit.from;
        at -= usize::from(attribute(at));
        at -= usize::from(article(at));
        let has =
            self.follows(at) && matches!(self.word(at - 1), "had" | "has" | "have" | "having" | "got" | "gets" | "get");
        let sentence = self.sentence.get(hit.from);
        let named = || (0..self.text.tokens.len()).any(|at| self.sentence.get(at) == sentence && (self.name)(at));
        has && self.subject(at - 1, false) == Some(Noun::Vague) && !named()
    }

    fn word(&self, at: usize) -> &str {
        self.text.word(at)
    }

    /// Nothing but space between this token and the one before it, and one sentence.
    fn follows(&self, at: usize) -> bool {
        at > 0
            && self.text.tokens.get(at).is_some_and(|token| token.gap.blank())
            && self.sentence.get(at) == self.sentence.get(at - 1)
    }

    fn possessive(&self, at: usize) -> bool {
        self.text.tokens.get(at).is_some_and(|token| token.possessive)
    }

    /// A small word of no name.
    fn plain(&self, at: usize) -> bool {
        let token = self.text.tokens.get(at);
        token.is_some_and(|token| token.case == Case::Lower && token.kind == TokenKind::Word) && !(self.name)(at)
    }

    /// A word between determiner and noun follows the one before it, or is joined to it: `a half-size violin`.
    fn near(&self, at: usize) -> bool {
        let gap = self.text.tokens.get(at).map(|token| token.gap);
        self.follows(at)
            || (at > 0
                && gap.is_some_and(|gap| gap.only(Gap::HYPHEN))
                && self.sentence.get(at) == self.sentence.get(at - 1))
    }

    fn person(&self, at: usize) -> bool {
        let word = self.word(at);
        (self.name)(at)
            || is(PRONOUNS, word)
            || matches!(word, "whom" | "who" | "whose")
            || child(word)
            || NOUNS.elliptic.contains(word)
    }

    /// A pupil, or who could be one, stands right behind: `kicked by another boy`, `collapsed on Ruby`; or did it, as the
    /// sentence says further on.
    fn reaches_pupil(&self, to: usize) -> bool {
        if self.follows(to) && self.person(to) {
            return true;
        }
        let sentence = self.sentence.get(to.saturating_sub(1));
        let end = self.text.tokens.len().min(to + limits::SUBJECT_REACH);
        let mut links = (to..end)
            .take_while(|&at| self.sentence.get(at) == sentence)
            .filter(|&at| self.word(at) == "by" || (at == to && self.follows(at) && is(REACHES, self.word(at))));
        links.any(|link| self.linked_to_pupil(link))
    }

    /// Among the next words after a preposition is somebody who could be a pupil.
    fn linked_to_pupil(&self, link: usize) -> bool {
        let goes_on = |at: &usize| self.follows(*at) && !matches!(self.word(*at), "and" | "but" | "so" | "or");
        let pupil = |at: usize| (self.person(at) && !self.adult(at)) || NOUNS.groups.contains(self.word(at));
        (link + 1..=link + limits::SUBJECT_WORDS).take_while(goes_on).any(pupil)
    }

    /// `a member of the public`
    fn adult(&self, at: usize) -> bool {
        let of = matches!(self.word(at), "member" | "members") && self.word(at + 1) == "of";
        of && (at + 2..at + 2 + limits::SUBJECT_WORDS).any(|at| NOUNS.adults.contains(self.word(at)))
    }

    /// A pupil is named later in the sentence.
    fn named_behind(&self, to: usize) -> bool {
        let sentence = self.sentence.get(to.saturating_sub(1));
        (to..self.text.tokens.len().min(to + limits::SUBJECT_REACH))
            .take_while(|&at| self.sentence.get(at) == sentence)
            .any(|at| (self.name)(at))
    }

    /// `the damaged one`, `a collapsed tent`: what the participle is an attribute of.
    fn attribute(&self, hit: &Hit) -> Option<Noun> {
        let participle = hit.to == hit.from + 1 && self.word(hit.from).ends_with("ed");
        let article =
            |at: usize| matches!(self.word(at), "the" | "a" | "an" | "this" | "that" | "any" | "every" | "each");
        if !participle || !self.follows(hit.from) || !article(hit.from - 1) {
            return None;
        }
        let stops = |at: usize| !self.follows(at) || !self.plain(at) || closed(self.word(at));
        if matches!(self.word(hit.to), "one" | "ones") && self.follows(hit.to) {
            return Some(Noun::Vague);
        }
        let nouns: Vec<usize> = (hit.to..hit.to + limits::SUBJECT_WORDS).take_while(|&at| !stops(at)).collect();
        let head = *nouns.first()?;
        let pupil = |&at: &usize| self.person(at) || NOUNS.groups.contains(self.word(at));
        Some(if nouns.iter().any(pupil) { Noun::Person } else { self.noun(head) })
    }

    /// The subject of a predicate that begins at `end`; nothing where none is understood.
    fn subject(&self, end: usize, wants_verb: bool) -> Option<Noun> {
        let (at, verb) = self.over_helpers(end)?;
        if self.writer(at - 1) {
            return Some(Noun::Other);
        }
        if wants_verb && !verb {
            return None;
        }
        let before = at - 1;
        if self.possessive(before) && (is(FINITE, self.word(at)) || self.elided(before)) {
            // `James's was damaged`: a thing of James's.
            return Some(Noun::Other);
        }
        match self.word(before) {
            "and" | "but" | "or" => return self.shared_subject(before),
            // `the boy who collapsed`, `the tent that collapsed`
            "who" | "that" => {
                let nobody = || self.simple_phrase(before).filter(|phrase| phrase.noun == Noun::Vague);
                return self.phrase(before).or_else(nobody).map(|phrase| phrase.noun);
            }
            "it" | "which" => return Some(Noun::Other),
            _ => {}
        }
        if self.of_a_thing(before) {
            return Some(Noun::Other);
        }
        let phrase = self.phrase(at).or_else(|| self.bare(before))?;
        // `the girl the ball hit`, `Ruby and the driver`
        let beside = phrase.from.checked_sub(1).filter(|_| self.follows(phrase.from));
        let joined = |at: usize| match self.word(at) {
            "and" | "or" | "nor" => at > 0 && self.company(at),
            "that" => at > 0 && self.person(at - 1),
            _ => false,
        };
        if beside.is_some_and(|at| self.person(at) || joined(at)) {
            return Some(Noun::Person);
        }
        Some(phrase.noun)
    }

    /// `I`, `I'm`, or `I'm the one that …`, `it was me who …`.
    fn writer(&self, at: usize) -> bool {
        let word = self.word(at);
        if !matches!(word, "who" | "that") {
            return matches!(word, "i" | "im" | "ive" | "id" | "we" | "weve");
        }
        let back = |steps: usize| at.checked_sub(steps).map_or("", |at| self.word(at));
        let own = matches!(back(1), "me" | "us");
        let one = matches!(back(1), "one" | "ones") && back(2) == "the";
        let speaks = |first: usize| matches!(back(first), "i" | "im" | "we" | "were" | "me");
        self.follows(at) && (own || (one && (speaks(3) || (matches!(back(3), "am" | "was" | "are") && speaks(4)))))
    }

    /// `yours smells of lavender`, `the old one collapsed`: something of somebody's, or one thing of several.
    fn of_a_thing(&self, at: usize) -> bool {
        let one = || {
            matches!(self.word(at), "one" | "ones")
                && at > 1
                && self.follows(at)
                && is(OF_THINGS, self.word(at - 1))
                && self.follows(at - 1)
                && is(DETERMINERS, self.word(at - 2))
        };
        matches!(self.word(at), "yours" | "ours" | "mine" | "theirs") || one()
    }

    /// Somebody or something is told of whom the school does not know, and is said to be no child: `Gerald is a bear`. Whoever goes on
    /// about `him` means the bear.
    pub(super) fn introduces(&self, from: usize) -> bool {
        let Some(first) = self.text.tokens.get(from) else { return false };
        let word = self.word(from);
        // At the beginning of a sentence every word has a capital: `Lunch is a problem`.
        let proper = |at: usize| {
            let token = &self.text.tokens[at];
            token.case == Case::Capitalised && !token.sentence_start && self.word(at) == word
        };
        let named = first.kind == TokenKind::Word && !self.person(from) && (0..from).any(proper);
        let article = if first.possessive { from + 1 } else { from + 2 };
        let is_one = first.possessive || (matches!(self.word(from + 1), "is" | "was") && self.follows(from + 1));
        let one = matches!(self.word(article), "a" | "an" | "our" | "my" | "the");
        if !named || closed(word) || !is_one || !one || !self.follows(article) {
            return false;
        }
        let goes_on = |at: &usize| self.follows(*at) && self.plain(*at) && !closed(self.word(*at));
        let nouns: Vec<usize> = (article + 1..=article + limits::SUBJECT_WORDS).take_while(goes_on).collect();
        let somebody = |at: &usize| {
            let word = self.word(*at);
            self.person(*at) || NOUNS.groups.contains(word) || NOUNS.adults.contains(word)
        };
        nouns.last().is_some_and(|head| !nouns.iter().any(somebody) && self.noun(*head) == Noun::Other)
    }

    /// What is joined by this `and` to what follows could be a person.
    fn company(&self, and: usize) -> bool {
        let gap = self.text.tokens[and].gap;
        gap.has(Gap::CLOSE)
            || (self.name)(and - 1)
            || (self.follows(and) && (self.person(and - 1) || !self.plain(and - 1)))
    }

    /// The first token of the helping verbs and adverbs before a predicate, and whether there is a verb among them.
    fn over_helpers(&self, end: usize) -> Option<(usize, bool)> {
        let (mut at, mut verb) = (end, false);
        loop {
            if !self.follows(at) {
                return None;
            }
            let word = self.word(at - 1);
            if self.text.tokens[at - 1].possessive {
                // `somebody's been`, `the coat's been`: the verb is what was cut off.
                return Some((at, verb || !is(FINITE, self.word(at))));
            }
            if is(FINITE, word) || is(HELPING, word) {
                verb = true;
            } else if let Some(span) = self.span(at) {
                at = span + 1;
            } else if !(self.plain(at - 1) && self.adverb(at - 1)) {
                return Some((at, verb));
            }
            at -= 1;
        }
    }

    /// An adverb; with a determiner before it, `back` is a noun.
    fn adverb(&self, at: usize) -> bool {
        let word = self.word(at);
        let noun = self.follows(at) && (self.possessive(at - 1) || is(DETERMINERS, self.word(at - 1)));
        !noun && (is(ADVERBS, word) || (word.len() > 4 && word.ends_with("ly")))
    }

    /// `an hour late`, `this morning`: where a stretch of time or way before `end` begins.
    fn span(&self, end: usize) -> Option<usize> {
        if !NOUNS.spans.contains(singular(self.word(end - 1))) {
            return None;
        }
        (1..=limits::SUBJECT_WORDS)
            .map_while(|back| (end - 1).checked_sub(back))
            .take_while(|&at| self.follows(at + 1))
            .find(|&at| is(DETERMINERS, self.word(at)) || self.text.tokens[at].kind == TokenKind::Number)
    }

    /// `James's collapsed` may be short for `James has collapsed`, unless others of the line are spoken of in the same way and cannot be:
    /// `Kacper's has a weak joint`.
    fn elided(&self, at: usize) -> bool {
        let from = at.saturating_sub(limits::SUBJECT_REACH);
        let to = self.text.tokens.len().min(at + limits::SUBJECT_REACH);
        (self.name)(at)
            && (from..to).any(|other| {
                let named = || (self.name)(other) || self.text.tokens[other].case == Case::Capitalised;
                other != at
                    && self.possessive(other)
                    && named()
                    && is(FINITE, self.word(other + 1))
                    && self.follows(other + 1)
            })
    }

    /// `the flute was dropped and will be away`: the subject of the verb before the `and`, where a clause begins with it.
    fn shared_subject(&self, and: usize) -> Option<Noun> {
        let mut at = and;
        for _ in 0..limits::SUBJECT_REACH {
            if !self.follows(at) || self.person(at - 1) {
                return None;
            }
            at -= 1;
            if is(FINITE, self.word(at)) {
                let (at, _) = self.over_helpers(at + 1)?;
                let phrase = self.phrase(at)?;
                return (!self.follows(phrase.from)).then_some(phrase.noun);
            }
        }
        None
    }

    /// The noun phrase that ends before `end`, or that which it is attached to: `the bunk by the window`.
    fn phrase(&self, end: usize) -> Option<Phrase> {
        let inner = self.simple_phrase(end)?;
        let link = inner.from.checked_sub(1).filter(|_| self.follows(inner.from)).map(|at| self.word(at));
        let Some(link) = link.filter(|link| is(LINKS, link) || is(PREPOSITIONS, link)) else { return Some(inner) };
        let end = inner.from - 1;
        if !self.follows(end) {
            return None;
        }
        let of = link == "of";
        let share = self.word(end - 1);
        if of && (is(SHARES, share) || is(DETERMINERS, share)) {
            let some = is(SHARES, share) && inner.noun == Noun::Group;
            let noun = if some { Noun::Vague } else { inner.noun };
            return Some(Phrase { from: end - 1, head: inner.head, noun });
        }
        let outer = self.phrase(end)?;
        if of && NOUNS.parts.contains(self.word(outer.head)) {
            return Some(Phrase { from: outer.from, ..inner });
        }
        // Whoever it belongs to, `the arm of the boy` and `the boy in the tent` are no things.
        let pupils =
            of && inner.noun == Noun::Person && outer.noun == Noun::Other && NOUNS.body.contains(self.word(outer.head));
        Some(if pupils { Phrase { noun: Noun::Person, ..outer } } else { outer })
    }

    /// Determiner, up to two words, and a noun; or the pronoun of somebody who is not named; or a noun behind `of`.
    fn simple_phrase(&self, end: usize) -> Option<Phrase> {
        let head = end.checked_sub(1)?;
        let word = self.word(head);
        if NOUNS.vague.contains(word) {
            return Some(Phrase { from: head, head, noun: Noun::Vague });
        }
        if word == "else" && self.follows(head) && NOUNS.vague.contains(self.word(head - 1)) {
            return Some(Phrase { from: head - 1, head, noun: Noun::Vague });
        }
        // `the teacher noticed`: a verb, if it is as long as that.
        let verb = word.len() > 5 && word.ends_with("ed");
        if !self.plain(head) || closed(word) || verb {
            return None;
        }
        let mut from = head;
        let mut person = false;
        for _ in 0..limits::SUBJECT_WORDS {
            if !self.near(from) {
                return None;
            }
            let before = from - 1;
            let word = self.word(before);
            if word == "of" {
                return Some(Phrase { from, head, noun: self.noun(head) });
            }
            let owner = self.possessive(before);
            if owner || is(DETERMINERS, word) {
                let thing =
                    from == head && matches!(word, "the" | "a" | "an") && NOUNS.things_too.contains(self.word(head));
                let noun = match (person, thing) {
                    (true, _) => Noun::Person,
                    (_, true) => Noun::Other,
                    _ => self.noun(head),
                };
                return Some(self.shared(before, head, noun));
            }
            if closed(word) || is(LINKS, word) || is(PREPOSITIONS, word) {
                return None;
            }
            person |= (self.name)(before) || child(word);
            from = before;
        }
        None
    }

    /// With what stands before the determiner: `half my lot`, `all the tents`, `Ruby Smith's flute`.
    fn shared(&self, mut from: usize, head: usize, mut noun: Noun) -> Phrase {
        if (is(SHARES, self.word(from)) || (self.follows(from) && is(SHARES, self.word(from - 1))))
            && noun == Noun::Group
        {
            noun = Noun::Vague;
        }
        while self.follows(from) && (is(SHARES, self.word(from - 1)) || self.word(from - 1) == "all") {
            from -= 1;
        }
        if self.possessive(from) {
            let part = |at: usize| (self.name)(at) || is(DETERMINERS, self.word(at)) || of_person(self.word(at));
            while self.follows(from) && part(from - 1) {
                from -= 1;
            }
        }
        Phrase { from, head, noun }
    }

    /// What a noun without anything about it stands for.
    fn noun(&self, head: usize) -> Noun {
        let word = self.word(head);
        if NOUNS.groups.contains(word) || NOUNS.groups.contains(singular(word)) {
            Noun::Group
        } else if (self.name)(head) || of_person(word) {
            Noun::Person
        } else {
            Noun::Other
        }
    }

    /// `cello (Grace Okonjo), bridge collapsed`: a noun alone at the beginning of a fragment.
    fn bare(&self, head: usize) -> Option<Phrase> {
        let word = self.word(head);
        let gap = self.text.tokens.get(head)?.gap;
        let dash = gap.has(Gap::HYPHEN) && gap.has(Gap::SPACE);
        let begins = dash || gap.has(Gap::COMMA.or(Gap::SEMICOLON).or(Gap::COLON).or(Gap::CLOSE));
        // `Ruby Smith, dizzy, …` says it of Ruby; what stands in brackets is beside the way.
        let named = head > 0 && (self.name)(head - 1) && !gap.has(Gap::CLOSE);
        let other =
            word.ends_with("ing") || word.ends_with("ed") || is(ADVERBS, word) || NOUNS.spans.contains(singular(word));
        if !begins || named || other || closed(word) || !self.plain(head) || word.len() < 3 {
            return None;
        }
        let noun = self.noun(head);
        (noun == Noun::Other).then_some(Phrase { from: head, head, noun })
    }
}

/// A word of the closed classes, or a preposition.
fn closed(word: &str) -> bool {
    [OPENERS, ACTS, DETERMINERS, LINKS, PREPOSITIONS, FINITE, HELPING, PRONOUNS].iter().any(|list| is(list, word))
}

/// A word for somebody who could be a pupil or one of the family.
fn child(word: &str) -> bool {
    let one = singular(word);
    let listed = [CHILD, KIN].iter().any(|list| is(list, word) || is(list, one))
        || [word, one].iter().any(|word| NOUNS.persons.contains(*word));
    let built = ["boy", "girl", "child", "mate", "keeper", "player"].iter().any(|end| one.ends_with(end));
    (listed || built) && !NOUNS.adults.contains(word)
}

/// Such a word, one that leaves it out (`the eldest`), or a part of somebody.
fn of_person(word: &str) -> bool {
    child(word) || NOUNS.elliptic.contains(word) || NOUNS.body.contains(word) || NOUNS.body.contains(singular(word))
}

/// `tents` as `tent`.
fn singular(word: &str) -> &str {
    word.strip_suffix('s').filter(|one| one.len() > 2).unwrap_or(word)
}

#[cfg(test)]
mod tests;
