//! Whether a message tells one parent how to reach the child's other household.
//!
//! Two parents live apart where their homes on the roster differ, or one of them is kept from the child. Then what the
//! roster has of the one (telephone, mailbox, home) is looked for in what goes to the other. A sentence that gives a parent's
//! new telephone or home needs no record of homes: who lives there is not told so. What both share, what is the reader's own,
//! and everything of parents who live together is right mail. Knows nothing of rules.

use hashbrown::HashSet;

use crate::limits;
use crate::people::{Guardian, PupilIndex, School};
use crate::smtp::Address;
use crate::text::{Block, Document, TextBuf};

/// What a message holds of telephones, mailboxes and homes; read once for all of its recipients.
#[derive(Debug, Default)]
pub(super) struct Contacts {
    phones: HashSet<String>,
    mailboxes: HashSet<String>,
    /// The words of each paragraph with a number in it, single spaces around each.
    paragraphs: Vec<String>,
    told: Vec<Told>,
}

/// A sentence gives what is new of a parent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    whose: Whose,
    /// It says that this is new, or where the parent lives.
    new: bool,
}

/// Of which parent a sentence speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whose {
    Mother,
    Father,
    /// `mr stone`.
    Titled(String, String),
}

/// How two parents of a child live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Homes {
    Shared,
    Apart,
    NotRecorded,
}

const MOTHER: &[&str] = &["mother", "mum", "mummy", "mam", "mom"];
const FATHER: &[&str] = &["father", "dad", "daddy"];
const TITLES: &[&str] = &["mr", "mrs", "ms", "miss", "dr"];
const BETWEEN: &[&str] =
    &["new", "home", "mobile", "current", "updated", "work", "contact", "private", "own", "latest"];
const REACHED_AT: &[&str] =
    &["number", "mobile", "phone", "telephone", "tel", "address", "email", "e-mail", "details", "landline"];
const LIVES: &[&str] = &["moved", "lives", "living", "live", "stays", "staying"];
const CHANGED: &[&str] = &["new", "updated", "latest", "changed", "moved", "now", "lives", "living"];

impl Contacts {
    /// Reads all documents but the names of files.
    pub fn of(documents: &[Document]) -> Self {
        let mut out = Self::default();
        for block in documents.iter().flat_map(|document| &document.blocks) {
            match block {
                Block::Paragraph { text, .. } => out.read(text),
                Block::Table(table) => table.rows.iter().for_each(|row| out.read(&row.cells.join(" , "))),
            }
        }
        out
    }

    fn read(&mut self, text: &str) {
        let folded = TextBuf::new(text);
        let folded = folded.text().folded().to_lowercase();
        let digits = folded.bytes().any(|byte| byte.is_ascii_digit());
        let mailbox = folded.contains('@');
        if !digits && !mailbox {
            return;
        }
        if mailbox {
            let around = |c: char| c.is_whitespace() || "<>(),;:\"'[]".contains(c);
            let words = folded.split(around).map(|word| word.trim_end_matches('.'));
            self.mailboxes.extend(words.filter(|word| word.contains('@')).map(str::to_owned));
        }
        if digits {
            self.phones.extend(phones(&folded));
            self.paragraphs.push(format!(" {} ", words(&folded).join(" ")));
        }
        let sentences: Vec<Vec<String>> =
            folded.split_inclusive(['.', '!', '?', '\n']).map(words).filter(|words| !words.is_empty()).collect();
        for (at, sentence) in sentences.iter().enumerate() {
            let next = sentences.get(at + 1).map_or(&[][..], Vec::as_slice);
            self.told.extend(told(sentence, next));
        }
    }

    /// Whether this tells whoever reads at the address how to reach the other household of a child of theirs.
    pub fn tell_of_the_other_household(&self, school: &School, address: &Address) -> bool {
        if self.phones.is_empty() && self.mailboxes.is_empty() && self.paragraphs.is_empty() {
            return false;
        }
        let readers: Vec<&Guardian> = school.guardians_at(address).collect();
        let own: HashSet<PupilIndex> = readers.iter().flat_map(|reader| &reader.pupils).copied().collect();
        if own.is_empty() {
            return false;
        }
        let others =
            school.guardians.iter().filter(|other| !readers.iter().any(|reader| std::ptr::eq(*reader, *other)));
        others.filter(|other| other.pupils.iter().any(|pupil| own.contains(pupil))).any(|other| {
            let homes = readers.iter().map(|reader| homes(reader, other));
            // Of a mailbox that two share, one who lives with the other parent knows it all.
            let homes = homes.reduce(|one, more| if one == Homes::Shared { one } else { more });
            match homes.unwrap_or(Homes::Shared) {
                Homes::Shared => false,
                Homes::Apart => self.holds(school, other, &readers) || self.tells(other, &readers, false),
                Homes::NotRecorded => self.tells(other, &readers, true),
            }
        })
    }

    /// What the roster has of the other parent, and not of a reader or the school, stands in it.
    fn holds(&self, school: &School, other: &Guardian, readers: &[&Guardian]) -> bool {
        let phone = phone(&other.phone);
        let shared_phone = readers.iter().any(|reader| self::phone(&reader.phone) == phone);
        let email = other.email.as_deref().unwrap_or_default().trim().to_lowercase();
        let home = home(other);
        let shared_home = readers.iter().any(|reader| self::home(reader) == home);
        let schools = phone == self::phone(&school.telephone);
        (!shared_phone && !schools && phone.is_some_and(|phone| self.phones.contains(&phone)))
            || (!email.is_empty() && self.mailboxes.contains(&email))
            || (!shared_home && home.is_some_and(|home| self.paragraphs.iter().any(|words| words.contains(&home))))
    }

    /// A sentence gives a telephone, a mailbox or a home of the other parent.
    fn tells(&self, other: &Guardian, readers: &[&Guardian], only_new: bool) -> bool {
        // Two fathers: "dad" may be whoever reads it.
        let is_other = |told: &Told| told.whose.is(other) && !readers.iter().any(|reader| told.whose.is(reader));
        self.told.iter().any(|told| (told.new || !only_new) && is_other(told))
    }
}

impl Whose {
    /// Of whom the words at the start speak, and how many there are.
    fn at(words: &[String]) -> Option<(Self, usize)> {
        let first = words.first()?.as_str();
        match () {
            () if MOTHER.contains(&first) => Some((Self::Mother, 1)),
            () if FATHER.contains(&first) => Some((Self::Father, 1)),
            () if TITLES.contains(&first) => Some((Self::Titled(first.to_owned(), words.get(1)?.clone()), 2)),
            () => None,
        }
    }

    fn is(&self, guardian: &Guardian) -> bool {
        let same = |one: &str, other: &str| one.trim().to_lowercase() == other;
        let relation = guardian.relationship.trim().to_lowercase();
        match self {
            Self::Mother => MOTHER.contains(&relation.as_str()),
            Self::Father => FATHER.contains(&relation.as_str()),
            Self::Titled(title, surname) => same(&guardian.title, title) && same(&guardian.surname, surname),
        }
    }
}

fn homes(one: &Guardian, other: &Guardian) -> Homes {
    let kept = |guardian: &Guardian, of: &Guardian| guardian.barred_from.iter().any(|pupil| of.pupils.contains(pupil));
    if kept(one, other) || kept(other, one) {
        return Homes::Apart;
    }
    match (home(one), home(other)) {
        (Some(one), Some(other)) if one == other => Homes::Shared,
        (Some(_), Some(_)) => Homes::Apart,
        _ => Homes::NotRecorded,
    }
}

/// Number and street as the words of a paragraph are compared; none where the roster has no such line.
fn home(guardian: &Guardian) -> Option<String> {
    let folded = guardian.address.to_lowercase();
    let mut street: Vec<String> = Vec::new();
    for part in folded.split([',', '\n']) {
        street.extend(words(part));
        if street.len() >= limits::STREET_WORDS {
            break;
        }
    }
    let numbered = street.iter().any(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    (numbered && street.len() >= limits::STREET_WORDS).then(|| format!(" {} ", street.join(" ")))
}

/// Words without what stands around them; a possessive ending is dropped, a mailbox stays whole.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| c.is_whitespace() || ",;:()\"<>/".contains(c))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .map(|word| word.strip_suffix("'s").or_else(|| word.strip_suffix("\u{2019}s")).unwrap_or(word))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What a sentence gives of a parent; the value may stand in the next one ("Dad has a new number. It is 07…").
fn told(sentence: &[String], next: &[String]) -> Vec<Told> {
    let mut out = Vec::new();
    for at in 0..sentence.len() {
        let Some((whose, long)) = Whose::at(&sentence[at..]) else { continue };
        let behind = &sentence[(at + long).min(sentence.len())..];
        let reach = behind.len().min(limits::HOUSEHOLD_WORDS);
        let noun = behind[..reach].iter().position(|word| REACHED_AT.contains(&word.as_str()));
        // `Dad's new number`, `mum has a new mobile`: nothing else between them.
        let joined = |to: usize| {
            let joints = [
                "has", "have", "got", "a", "an", "is", "the", "using", "changed", "his", "her", "on", "now", "given",
                "us",
            ];
            behind[..to].iter().all(|word| BETWEEN.contains(&word.as_str()) || joints.contains(&word.as_str()))
        };
        let lives = behind[..reach].iter().position(|word| LIVES.contains(&word.as_str()));
        let rest: Vec<&str> = behind.iter().chain(next).map(String::as_str).collect();
        let fresh = behind[..reach].iter().any(|word| CHANGED.contains(&word.as_str()));
        if noun.is_some_and(joined) && (has_phone(&rest) || has_mailbox(&rest) || has_home(&rest)) {
            out.push(Told { whose, new: fresh });
        } else if lives.is_some_and(|at| at < limits::HOUSEHOLD_LIVES) && has_home(&rest) {
            out.push(Told { whose, new: true });
        }
    }
    out
}

fn has_phone(words: &[&str]) -> bool {
    !phones(&words.join(" ")).is_empty()
}

fn has_mailbox(words: &[&str]) -> bool {
    words.iter().any(|word| word.contains('@'))
}

const STREETS: &[&str] = &[
    "street", "st", "road", "rd", "avenue", "ave", "lane", "ln", "drive", "dr", "close", "cl", "way", "row", "court",
    "crescent", "cres", "place", "gardens", "terrace", "grove", "hill", "park", "walk", "square", "view", "rise",
    "mews", "green", "yard", "parade", "path", "house", "cottages", "estate",
];

/// `12 High Street`, `flat 3b quay road`: a number, and the word for a street close behind.
fn has_home(words: &[&str]) -> bool {
    words.iter().enumerate().any(|(at, word)| {
        let number = word.starts_with(|c: char| c.is_ascii_digit()) && word.len() <= limits::HOUSE_NUMBER;
        number && words[at + 1..].iter().take(limits::STREET_WORDS).any(|word| STREETS.contains(word))
    })
}

/// Every telephone number of a text as the country dials it, `07700900123`: ten or eleven digits (Ofcom, National Telephone
/// Numbering Plan), with blanks, hyphens and brackets between them, or with the country's code in front.
fn phones(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (mut before, mut end) = (' ', 0);
    for (at, c) in text.char_indices() {
        if at >= end
            && matches!(c, '0' | '+')
            && !before.is_alphanumeric()
            && let Some((number, long)) = phone_at(&text[at..])
        {
            out.push(number);
            end = at + long;
        }
        before = c;
    }
    out
}

/// The number that begins here, and the octets that it takes.
fn phone_at(text: &str) -> Option<(String, usize)> {
    let mut digits = String::new();
    let (mut joints, mut end) = (0, 0);
    for (at, c) in text.char_indices() {
        let code = ["00440", "0044", "440", "44"].into_iter().find(|code| digits.starts_with(code)).map(str::len);
        let most = code.map_or(limits::PHONE_DIGITS + 1, |code| code + limits::PHONE_DIGITS);
        if digits.len() == most {
            break;
        }
        match c {
            '0'..='9' => {
                digits.push(c);
                (joints, end) = (0, at + 1);
            }
            ' ' | '-' | '(' | ')' | '+' | '.' if joints < limits::PHONE_JOINTS => joints += 1,
            _ => break,
        }
    }
    let abroad = digits.strip_prefix("0044").or_else(|| digits.strip_prefix("44"));
    let national = abroad.map_or(digits.clone(), |rest| format!("0{}", rest.trim_start_matches('0')));
    let long = (limits::PHONE_DIGITS..=limits::PHONE_DIGITS + 1).contains(&national.len());
    (national.starts_with('0') && long).then_some((national, end))
}

/// The number of a roster's cell.
fn phone(text: &str) -> Option<String> {
    phones(text).into_iter().next()
}

#[cfg(test)]
mod tests;
