//! Whether a message tells one parent how to reach the child's other household.
//!
//! Two parents live apart where their homes on the roster differ, or one of them is kept from the child. Then what the
//! roster has of the one (telephone, mailbox, home) is looked for in what goes to the other, and the mailbox in To and Cc too.
//! A sentence that gives a parent's new telephone or home needs no record of homes: who lives there is not told so. What both
//! share, what is the reader's own, what stands in mail that the reader wrote or was sent, and everything of parents who live
//! together is right mail; so is what is of grandparents and neighbours, unless one is kept from the child. Knows nothing of
//! rules.

use hashbrown::HashSet;

use crate::detect::traits::{Seen, kind, place};
use crate::limits;
use crate::people::{Guardian, PupilIndex, RecipientKind, School, SenderIdentity};
use crate::smtp::Address;
use crate::text::normalise::folded;
use crate::text::{Block, Document, Kind};

/// What a message holds of telephones, mailboxes and homes; read once for all of its recipients.
#[derive(Default)]
pub(super) struct Contacts {
    sections: Vec<Section>,
}

/// What stands in one text, or in one of the earlier messages below it.
#[derive(Default)]
struct Section {
    /// Of an earlier message, the lines of its head and of those above it: whoever stands there has read it.
    heads: String,
    /// Both parents have filled it in.
    by_both: bool,
    phones: HashSet<String>,
    mailboxes: HashSet<String>,
    /// The words of each paragraph with a number in it, single spaces around each.
    paragraphs: Vec<String>,
    told: Vec<Told>,
    /// Place of its document, or of what it is instead.
    place: String,
    /// Lines with a number or a mailbox in them, each with its place among the lines with something in them.
    lines: Vec<(usize, String)>,
}

/// A sentence gives what is new of a parent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    whose: Whose,
    /// The child whose parent that is, where it says so: `ben` of `Ben's dad`.
    of: Option<String>,
    /// It says that this is new, or where the parent lives.
    new: bool,
    /// The telephones, mailboxes and homes that it gives.
    given: Vec<String>,
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
/// What stands between a parent and a word for how to reach one.
const JOINTS: &[&str] =
    &["has", "have", "got", "a", "an", "is", "the", "using", "changed", "his", "her", "on", "now", "given", "us"];
/// No parent and no carer, but on many a roster.
const NO_PARENT: &[&str] = &[
    "gran",
    "granny",
    "nan",
    "nana",
    "nanny",
    "aunt",
    "auntie",
    "aunty",
    "uncle",
    "brother",
    "sister",
    "sibling",
    "cousin",
    "childminder",
    "neighbour",
    "friend",
    "emergency",
];
/// Words of which no street's name is made.
const NO_NAME: &[&str] = &[
    "of", "us", "to", "the", "a", "an", "in", "at", "on", "for", "and", "or", "is", "are", "was", "were", "we", "they",
    "you", "from", "by", "with", "children", "people", "places", "go", "am", "pm", "minutes", "hours", "weeks",
];
/// What a form says that two have filled in.
const BY_BOTH: &[&str] = &[
    "completed by both parents",
    "filled in by both parents",
    "filled out by both parents",
    "signed by both parents",
    "agreed by both parents",
];
/// The fine place of the head of a message that is attached.
const HEADERS: &str = "headers";
const CHANGED: &[&str] = &["new", "updated", "latest", "changed", "moved", "now", "lives", "living"];

impl Contacts {
    /// Reads all documents, and the mailboxes that To and Cc show to everybody.
    pub fn of(documents: &[Document], shown: impl Iterator<Item = String>) -> Self {
        let heads = Section { mailboxes: shown.collect(), place: place::RECIPIENTS.to_owned(), ..Section::default() };
        let mut sections = vec![heads];
        for document in documents {
            sections.push(Section { place: document.place.clone(), ..Section::default() });
            let mut number = 0;
            for block in &document.blocks {
                match block {
                    Block::Paragraph { text, detail } => {
                        let headed = document.kind == Kind::Quoted || detail.as_deref() == Some(HEADERS);
                        begin(&mut sections, headed.then_some(text.as_str()));
                        read(&mut sections, text, &mut number);
                    }
                    Block::Table(table) => {
                        table.rows().for_each(|row| read(&mut sections, &row.joined(" , "), &mut number));
                    }
                }
            }
            if document.kind == Kind::Attachment && document.blocks.iter().any(filled_by_both) {
                sections.last_mut().into_iter().for_each(|section| section.by_both = true);
            }
        }
        Self { sections }
    }

    /// What tells whoever reads at the address how to reach the other household of a child of theirs, and where.
    pub fn tell_of_the_other_household(&self, school: &School, address: &Address) -> Option<Seen> {
        if self.sections.iter().all(Section::is_empty) {
            return None;
        }
        let readers: Vec<&Guardian> = school.guardians_at(address).collect();
        let own: HashSet<PupilIndex> = readers.iter().flat_map(|reader| children(reader)).collect();
        if own.is_empty() {
            return None;
        }
        let (known, news): (Vec<&Section>, Vec<&Section>) =
            self.sections.iter().partition(|section| section.is_known_to(school, &readers));
        let to = Reader { school, readers: &readers, known: &known, news: &news };
        let others =
            school.guardians.iter().filter(|other| !readers.iter().any(|reader| std::ptr::eq(*reader, *other)));
        others.filter(|other| children(other).any(|pupil| own.contains(&pupil))).find_map(|other| {
            let homes = readers.iter().map(|reader| homes(reader, other));
            // Of a mailbox that two share, one who lives with the other parent knows it all.
            let homes = homes.reduce(|one, more| if one == Homes::Shared { one } else { more });
            match homes.unwrap_or(Homes::Shared) {
                Homes::Shared => None,
                Homes::Apart => to.given(other).or_else(|| to.told(other, false)),
                Homes::NotRecorded => to.told(other, true),
            }
        })
    }
}

/// An earlier message begins in a new section; the rest of its head adds to that.
fn begin(sections: &mut Vec<Section>, text: Option<&str>) {
    let text = text.unwrap_or_default();
    let wrote = text.lines().take(limits::QUOTED_HEAD_LINES).position(|line| line.trim_end().ends_with("wrote:"));
    let answered = wrote.map(|last| text.lines().take(last + 1).collect::<Vec<_>>().join(" "));
    let fields =
        text.lines().filter_map(|line| Some((line, line.trim_start_matches(['*', '>', ' ']).split_once(':')?)));
    let heads = fields.filter_map(|(line, (name, _))| {
        let name = name.trim_matches(['*', ' ']);
        ["from", "to", "cc"].into_iter().find(|field| name.eq_ignore_ascii_case(field)).map(|field| (field, line))
    });
    let heads: Vec<(&str, String)> = answered
        .map(|line| ("from", line))
        .into_iter()
        .chain(heads.map(|(field, line)| (field, line.to_owned())))
        .collect();
    for (field, line) in heads {
        let (above, place) =
            sections.last().map(|above| (above.heads.clone(), above.place.clone())).unwrap_or_default();
        if field == "from" {
            sections.push(Section { heads: above, place, ..Section::default() });
        }
        if let Some(section) = sections.last_mut().filter(|section| field == "from" || !section.heads.is_empty()) {
            section.heads.push_str(&format!("{} \n", line.to_lowercase()));
        }
    }
}

fn read(sections: &mut [Section], text: &str, number: &mut usize) {
    if let Some(section) = sections.last_mut() {
        section.read(text, *number);
    }
    *number += text.lines().filter(|line| !line.trim().is_empty()).count();
}

/// A form says that both parents have filled it in; that they are to, says nothing.
fn filled_by_both(block: &Block) -> bool {
    let texts: Vec<String> = match block {
        Block::Paragraph { text, .. } => vec![words(&text.to_lowercase()).join(" ")],
        Block::Table(table) => table.rows().map(|row| words(&row.joined(" , ").to_lowercase()).join(" ")).collect(),
    };
    texts.iter().any(|text| {
        BY_BOTH.iter().any(|said| text.match_indices(said).any(|(at, _)| !text[..at].trim_end().ends_with("be")))
    })
}

impl Section {
    fn is_empty(&self) -> bool {
        self.phones.is_empty() && self.mailboxes.is_empty() && self.paragraphs.is_empty()
    }

    /// The reader wrote it, was sent it or filled it in.
    fn is_known_to(&self, school: &School, readers: &[&Guardian]) -> bool {
        let named = |reader: &&Guardian| {
            let name = format!("{} {}", reader.forename, reader.surname).to_lowercase();
            !reader.forename.is_empty() && !reader.surname.is_empty() && holds_words(&self.heads, &name)
        };
        let reads = |mailbox: String| readers.iter().any(|reader| is_mailbox_of(school, &mailbox, reader));
        self.by_both || mailboxes(&self.heads).any(reads) || readers.iter().any(named)
    }

    /// So many lines stand above the text.
    fn read(&mut self, text: &str, above: usize) {
        let folded = folded(text);
        let digits = folded.bytes().any(|byte| byte.is_ascii_digit());
        let mailbox = folded.contains('@');
        if !digits && !mailbox {
            return;
        }
        let folded = folded.to_lowercase();
        let written = folded.lines().filter(|line| !line.trim().is_empty()).enumerate();
        self.lines.extend(written.map(|(at, line)| (above + at + 1, line.trim().to_owned())));
        if mailbox {
            self.mailboxes.extend(mailboxes(&folded));
        }
        if digits {
            self.phones.extend(phones(&folded));
            self.paragraphs.push(format!(" {} ", words(&folded).join(" ")));
        }
        let sentences: Vec<Vec<&str>> =
            folded.split_inclusive(['.', '!', '?', '\n']).map(raw_words).filter(|words| !words.is_empty()).collect();
        for (at, sentence) in sentences.iter().enumerate() {
            let next = sentences.get(at + 1).map_or(&[][..], Vec::as_slice);
            self.told.extend(told(sentence, next));
        }
    }

    /// The place of what stands in it.
    fn seen(&self, value: &str) -> Seen {
        let bare = value.trim();
        let has = |line: &str| {
            line.contains(bare)
                || phones(line).iter().any(|phone| phone == bare)
                || words(line).join(" ").contains(bare)
        };
        let line = self.lines.iter().find(|(_, line)| has(line));
        let text = line.map_or(bare, |(_, line)| line.as_str());
        let detail = line.map(|(number, _)| format!("line {number}"));
        Seen { detail, ..Seen::at(kind::OTHER_HOUSEHOLD, &self.place, text) }
    }

    /// A telephone, a mailbox or a home stands in it.
    fn has(&self, value: &str) -> bool {
        self.phones.contains(value)
            || self.mailboxes.contains(value)
            || self.paragraphs.iter().any(|p| p.contains(value))
    }
}

/// Those who read at one address, and what of a message is known to them.
struct Reader<'a> {
    school: &'a School,
    readers: &'a [&'a Guardian],
    known: &'a [&'a Section],
    news: &'a [&'a Section],
}

impl Reader<'_> {
    fn is_news(&self, value: &str) -> bool {
        !self.known.iter().any(|section| section.has(value))
    }

    /// What the roster has of the other parent, and not of a reader or the school, stands in it.
    fn given(&self, other: &Guardian) -> Option<Seen> {
        let of_readers = |of: &dyn Fn(&Guardian) -> Option<String>, value: &String| {
            self.readers.iter().any(|reader| of(reader).as_ref() == Some(value))
        };
        let phone_of = |guardian: &Guardian| phone(&guardian.phone);
        let schools = phone(&self.school.telephone);
        let phone = phone_of(other).filter(|own| !of_readers(&phone_of, own) && schools.as_ref() != Some(own));
        let street = home(other).filter(|own| !of_readers(&home, own));
        let in_text = phone.into_iter().chain(street).find_map(|value| self.stands(&value));
        in_text.or_else(|| self.mailbox(other).filter(|_| is_private(self.school, other)))
    }

    fn stands(&self, value: &str) -> Option<Seen> {
        let section = self.news.iter().find(|section| section.has(value))?;
        self.is_news(value).then(|| section.seen(value))
    }

    /// A mailbox at which the other parent reads.
    fn mailbox(&self, other: &Guardian) -> Option<Seen> {
        let is_theirs = |mailbox: &&String| is_mailbox_of(self.school, mailbox, other);
        if self.known.iter().any(|section| section.mailboxes.iter().any(|mailbox| is_theirs(&mailbox))) {
            return None;
        }
        self.news.iter().find_map(|section| Some(section.seen(section.mailboxes.iter().find(is_theirs)?)))
    }

    /// A sentence gives a telephone, a mailbox or a home of the other parent.
    fn told(&self, other: &Guardian, only_new: bool) -> Option<Seen> {
        // Two fathers: "dad" may be whoever reads it.
        let is_other = |told: &Told| told.whose.is(other) && !self.readers.iter().any(|reader| told.whose.is(reader));
        let childs = |told: &Told| told.of.as_ref().is_none_or(|of| self.is_child_of(of, other));
        let told = self.news.iter().flat_map(|section| section.told.iter().map(move |told| (section, told)));
        told.filter(|(_, told)| (told.new || !only_new) && is_other(told) && childs(told)).find_map(
            |(section, told)| told.given.iter().find(|value| self.is_news(value)).map(|value| section.seen(value)),
        )
    }

    /// A forename, or the name a child is known as.
    fn is_child_of(&self, name: &str, other: &Guardian) -> bool {
        let named = |text: &str| words(&text.to_lowercase()).iter().any(|word| word == name);
        children(other).filter_map(|pupil| self.school.pupil(pupil)).any(|pupil| {
            named(&pupil.forename) || named(&pupil.surname) || pupil.known_as.as_deref().is_some_and(named)
        })
    }
}

/// The guardian reads there, however the address is written.
fn is_mailbox_of(school: &School, mailbox: &str, guardian: &Guardian) -> bool {
    let reads = |address: Address| school.guardians_at(&address).any(|reader| std::ptr::eq(reader, guardian));
    Address::parse(mailbox).is_ok_and(reads)
}

/// The mailbox of a parent is not the school's own: of whoever teaches here, everybody knows that one.
fn is_private(school: &School, guardian: &Guardian) -> bool {
    let address = guardian.email.as_deref().and_then(|email| Address::parse(email.trim()).ok());
    address.is_some_and(|a| school.recipient(&a, &SenderIdentity::default()).kind != RecipientKind::Internal)
}

/// Those of whom somebody is a parent or carer, also where kept from them.
fn children(guardian: &Guardian) -> impl Iterator<Item = PupilIndex> {
    guardian.pupils.iter().chain(&guardian.barred_from).copied()
}

/// Every mailbox of a text in small letters.
fn mailboxes(folded: &str) -> impl Iterator<Item = String> {
    let around = |c: char| c.is_whitespace() || "<>(),;:\"'[]".contains(c);
    let words = folded.split(around).map(|word| word.trim_end_matches('.'));
    words.filter(|word| word.contains('@')).map(str::to_owned)
}

/// Whole words stand together in a text.
fn holds_words(text: &str, wanted: &str) -> bool {
    format!(" {} ", words(text).join(" ")).contains(&format!(" {} ", words(wanted).join(" ")))
}

impl Whose {
    /// Of whom the words at the start speak, and how many there are.
    fn at(words: &[&str]) -> Option<(Self, usize)> {
        let first = bare(words.first()?);
        match () {
            () if MOTHER.contains(&first) => Some((Self::Mother, 1)),
            () if FATHER.contains(&first) => Some((Self::Father, 1)),
            () if TITLES.contains(&first) => Some((Self::Titled(first.to_owned(), bare(words.get(1)?).to_owned()), 2)),
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
    // Grandparents and neighbours live elsewhere, and are no other household of the child.
    if [one, other].iter().any(|guardian| words(&guardian.relationship.to_lowercase()).iter().any(|word| is_kin(word)))
    {
        return Homes::Shared;
    }
    let postcode = |guardian: &Guardian| {
        let code: String = guardian.postcode.split_whitespace().collect::<String>().to_lowercase();
        (!code.is_empty() && !guardian.address.trim().is_empty()).then_some(code)
    };
    let postcodes = postcode(one).zip(postcode(other));
    match (home(one), home(other)) {
        (Some(one), Some(other)) if one == other => Homes::Shared,
        // `9 Near Row` and `9 Near Rd`; of two flats in one house, each is a home of its own.
        (Some(one), Some(other)) if postcodes.as_ref().is_some_and(|(a, b)| a == b) => {
            let (one, other) = (numbers(&one), numbers(&other));
            if one.is_subset(&other) || other.is_subset(&one) { Homes::Shared } else { Homes::Apart }
        }
        (Some(_), Some(_)) => Homes::Apart,
        _ if postcodes.is_some_and(|(one, other)| one != other) => Homes::Apart,
        _ => Homes::NotRecorded,
    }
}

/// The numbers of house and flat.
fn numbers(home: &str) -> HashSet<&str> {
    home.split_whitespace().filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).collect()
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
    raw_words(text).into_iter().map(bare).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Words as they stand there, possessive endings and all.
fn raw_words(text: &str) -> Vec<&str> {
    text.split(|c: char| c.is_whitespace() || ",;:()\"<>/".contains(c))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect()
}

/// The word without its possessive ending.
fn bare(word: &str) -> &str {
    word.strip_suffix("'s").or_else(|| word.strip_suffix("\u{2019}s")).unwrap_or(word)
}

/// Somebody of a child's who is no parent.
fn is_kin(word: &str) -> bool {
    word.starts_with("grand") || NO_PARENT.contains(&word)
}

/// What a sentence gives of a parent; the value may stand in the next one ("Dad has a new number. It is 07…").
fn told(sentence: &[&str], next: &[&str]) -> Vec<Told> {
    let mut out = Vec::new();
    for at in 0..sentence.len() {
        let Some((whose, long)) = Whose::at(&sentence[at..]) else { continue };
        let of = at.checked_sub(1).map(|before| sentence[before]).filter(|before| bare(before) != *before);
        let behind: Vec<&str> = sentence[(at + long).min(sentence.len())..].iter().map(|word| bare(word)).collect();
        let reach = behind.len().min(limits::HOUSEHOLD_WORDS);
        let noun = behind[..reach].iter().position(|word| REACHED_AT.contains(word));
        // `Dad's new number`, `mum has a new mobile`: nothing else between them.
        let joined = |to: usize| behind[..to].iter().all(|word| BETWEEN.contains(word) || JOINTS.contains(word));
        let lives = behind[..reach].iter().position(|word| LIVES.contains(word));
        let fresh = behind[..reach].iter().any(|word| CHANGED.contains(word));
        let rest: Vec<&str> = behind.iter().copied().chain(next.iter().map(|word| bare(word))).collect();
        let homes = homes_in(&rest);
        let reached = noun.is_some_and(joined);
        let lives = lives.is_some_and(|at| at < limits::HOUSEHOLD_LIVES) && !homes.is_empty();
        let mut given = homes;
        if reached {
            given.extend(phones(&rest.join(" ")));
            given.extend(rest.iter().filter(|word| word.contains('@')).map(|word| (*word).to_owned()));
        }
        if (reached || lives) && !given.is_empty() {
            let of = of.map(|of| bare(of).to_owned());
            out.push(Told { whose, of, new: lives && !reached || fresh, given });
        }
    }
    out
}

const STREETS: &[&str] = &[
    "street", "st", "road", "rd", "avenue", "ave", "lane", "ln", "drive", "dr", "close", "cl", "way", "row", "court",
    "crescent", "cres", "place", "gardens", "terrace", "grove", "hill", "park", "walk", "square", "view", "rise",
    "mews", "green", "yard", "parade", "path", "house", "cottages", "estate",
];

/// Each `12 High Street`, `flat 3b quay road`, `7 The Green`: a number, a name, and the word for a street close behind. Of
/// `12 of us go to the park` the name is none.
fn homes_in(words: &[&str]) -> Vec<String> {
    let mut out = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let behind = &words[at + 1..];
        let street = behind.iter().take(limits::STREET_WORDS).position(|word| STREETS.contains(word)).unwrap_or(0);
        let named = behind[..street].iter().all(|word| !NO_NAME.contains(word)) || behind[..street] == ["the"];
        if street > 0 && named && is_house_number(word) {
            out.push(format!(" {} ", words[at..=at + street + 1].join(" ")));
        }
    }
    out
}

/// `12`, `14b`, `12-14`; no `12th`, no `9am`.
fn is_house_number(word: &str) -> bool {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let ordinal = ["st", "nd", "rd", "th", "am", "pm"].contains(&rest);
    rest.len() < word.len() && !ordinal && !word.contains([':', '.']) && word.len() <= limits::HOUSE_NUMBER
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
