//! Who is called what in an index: everybody but those whom it is about, whoever asked, and staff in their role has a name made up for
//! them, the same one throughout.
//!
//! Where it is in doubt whose name a word is, the word goes: an index that says too little is better than one that names a child.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::people::{PupilIndex, School};
use crate::policy::allowance::folded;
use crate::smtp::Address;
use crate::store::{NewDisclosure, ToIndex};
use crate::text::normalise;

/// In the place of a name that several people bear.
const WITHHELD: &str = "[a name]";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// Named as it stands.
    Shown,
    Pupil(PupilIndex),
    /// By place in the roster.
    Guardian(usize),
}

/// A name as its words follow each other.
struct Name {
    words: Vec<String>,
    who: Who,
    /// Forename and family name together.
    whole: bool,
}

/// The names of one index.
pub struct Names<'s> {
    school: &'s School,
    about: Option<PupilIndex>,
    shown: BTreeSet<String>,
    given: BTreeMap<String, String>,
    names: HashMap<String, Vec<Name>>,
}

/// A word of a text: its place, and as it is compared.
struct Word {
    from: usize,
    to: usize,
    plain: String,
}

/// Words of letters and digits; a possessive ending stays behind.
fn words(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let apostrophe = |c: char| matches!(c, '\'' | '’' | '‘' | '`');
    let part = |c: char| c.is_alphanumeric() || apostrophe(c) || ('\u{300}'..='\u{36f}').contains(&c);
    let mut at = 0;
    while let Some(from) = text[at..].find(part).map(|from| at + from) {
        let mut to = text[from..].find(|c| !part(c)).map_or(text.len(), |length| from + length);
        at = to;
        for ending in ["'s", "’s", "'S", "’S", "'", "’"] {
            if text[from..to].ends_with(ending) {
                to -= ending.len();
                break;
            }
        }
        let plain = normalise::folded(&text[from..to]).to_lowercase();
        let plain: String = plain.chars().filter(|c| c.is_alphanumeric()).collect();
        if !plain.is_empty() {
            found.push(Word { from, to, plain });
        }
    }
    found
}

fn plain(name: &str) -> Vec<String> {
    words(name).into_iter().map(|word| word.plain).collect()
}

impl<'s> Names<'s> {
    /// For a request; `given` is who was called what before.
    pub fn of(school: &'s School, what: &NewDisclosure, given: BTreeMap<String, String>) -> Self {
        let shown = what.search.mailbox.iter().chain(&what.applicant).map(|mailbox| folded(mailbox)).collect();
        let about = what.search.pupil.as_deref().and_then(|id| school.pupil_by_id(id));
        let mut names = Self { school, about, shown, given, names: HashMap::new() };
        names.learn();
        names
    }

    /// Every name of the roster, and staff by their whole names.
    fn learn(&mut self) {
        let school = self.school;
        for (at, pupil) in (0..).map(PupilIndex).zip(&school.pupils) {
            let who = if self.about == Some(at) { Who::Shown } else { Who::Pupil(at) };
            let forenames: Vec<&str> = pupil.forenames().collect();
            let surnames: Vec<&str> = pupil.surnames().collect();
            self.add(&forenames, &pupil.middle_names, &surnames, who, true);
        }
        for (at, guardian) in school.guardians.iter().enumerate() {
            let theirs = guardian.email.as_deref().is_some_and(|mailbox| self.shown.contains(&folded(mailbox)));
            let who = if theirs { Who::Shown } else { Who::Guardian(at) };
            self.add(&[&guardian.forename], "", &[&guardian.surname], who, true);
        }
        for staff in &school.staff {
            self.add(&[&staff.forename], "", &[&staff.surname], Who::Shown, false);
        }
    }

    fn add(&mut self, forenames: &[&str], middle: &str, surnames: &[&str], who: Who, alone: bool) {
        let middle = plain(middle);
        let mut put = |words: Vec<String>, whole: bool| {
            if let Some(first) = words.first().filter(|_| words.iter().any(|word| word.chars().nth(1).is_some())) {
                self.names.entry(first.clone()).or_default().push(Name { words, who, whole });
            }
        };
        for forename in forenames.iter().map(|name| plain(name)) {
            for surname in surnames.iter().map(|name| plain(name)) {
                if !forename.is_empty() && !surname.is_empty() {
                    put([&forename[..], &surname].concat(), true);
                    put([&surname[..], &forename].concat(), true);
                    if !middle.is_empty() {
                        put([&forename[..], &middle, &surname].concat(), true);
                        put([&surname[..], &forename, &middle].concat(), true);
                    }
                }
            }
            if alone {
                put(forename, false);
            }
        }
        if alone {
            for surname in surnames {
                put(plain(surname), false);
            }
        }
    }

    /// Who was called what.
    pub fn into_given(self) -> BTreeMap<String, String> {
        self.given
    }

    fn call(&mut self, key: String, kind: &str) -> String {
        if let Some(name) = self.given.get(&key) {
            return name.clone();
        }
        let begin = format!("{kind} ");
        let taken = self.given.values().filter_map(|name| name.strip_prefix(&begin)?.parse::<usize>().ok());
        let name = format!("{begin}{}", taken.max().unwrap_or(0) + 1);
        self.given.insert(key, name.clone());
        name
    }

    fn pupil(&mut self, at: PupilIndex) -> String {
        let id = self.school.pupil(at).map_or_else(|| at.0.to_string(), |pupil| pupil.id.clone());
        self.call(format!("pupil {id}"), "Pupil")
    }

    fn guardian(&mut self, at: usize) -> String {
        let id = self.school.guardians.get(at).map_or_else(|| at.to_string(), |guardian| guardian.id.clone());
        self.call(format!("guardian {id}"), "Parent")
    }

    /// An address as the index has it.
    pub fn address(&mut self, text: &str) -> String {
        let key = folded(text);
        if self.shown.contains(&key) {
            return text.to_owned();
        }
        let Ok(address) = Address::parse(text) else { return self.call(format!("address {key}"), "Person") };
        let school = self.school;
        if let Some(pupil) = school.index().mailbox(address.as_str()) {
            return if self.about == Some(pupil) { text.to_owned() } else { self.pupil(pupil) };
        }
        if school.staff_by_address(&address).is_some() || school.is_sent_as(&address) {
            return text.to_owned();
        }
        let readers: Vec<String> = school.guardians_at(&address).map(|guardian| guardian.id.clone()).collect();
        if readers.is_empty() {
            return self.call(format!("address {key}"), "Person");
        }
        let called: Vec<String> = readers.into_iter().map(|id| self.call(format!("guardian {id}"), "Parent")).collect();
        called.join(" and ")
    }

    /// A text without the names, numbers and addresses of others; `of` is the message that it stands in.
    pub fn text(&mut self, text: &str, of: &ToIndex) -> String {
        let known: Vec<PupilIndex> = of.pupils.iter().filter_map(|id| self.school.pupil_by_id(id)).collect();
        let mut text = text.to_owned();
        for (id, words) in &of.found {
            let whose = self.school.pupil_by_id(id).filter(|at| Some(*at) != self.about);
            if let Some(at) = whose.filter(|_| words.chars().any(|c| c.is_ascii_digit())) {
                let name = self.pupil(at);
                text = text.replace(words.as_str(), &name);
            }
        }
        let chunks: Vec<String> = text.split(' ').map(|chunk| self.chunk(chunk)).collect();
        self.without_names(&chunks.join(" "), &known)
    }

    /// A piece of a text between spaces, where it holds an address.
    fn chunk(&mut self, chunk: &str) -> String {
        if !chunk.contains('@') {
            return chunk.to_owned();
        }
        let inner = chunk.trim_matches(|c: char| !c.is_alphanumeric());
        let name = self.address(inner);
        chunk.replacen(inner, &name, 1)
    }

    fn without_names(&mut self, text: &str, known: &[PupilIndex]) -> String {
        let words = words(text);
        let mut out = String::with_capacity(text.len());
        let (mut done, mut at) = (0, 0);
        while at < words.len() {
            let Some((length, name)) = self.name_at(text, &words[at..], known) else {
                at += 1;
                continue;
            };
            if let Some(name) = name {
                out.push_str(&text[done..words[at].from]);
                out.push_str(&name);
                done = words[at + length - 1].to;
            }
            at += length;
        }
        out.push_str(&text[done..]);
        out
    }

    /// The longest name that begins here: how many words it has, and what stands in its place, if anything.
    fn name_at(&mut self, text: &str, words: &[Word], known: &[PupilIndex]) -> Option<(usize, Option<String>)> {
        let first = words.first()?;
        let all = self.names.get(&first.plain)?;
        let fits = |name: &&Name| {
            name.words.len() <= words.len() && name.words.iter().zip(words).all(|(one, other)| *one == other.plain)
        };
        let longest = all.iter().filter(fits).map(|name| (name.whole, name.words.len())).max()?;
        let bearers: BTreeSet<Who> = all
            .iter()
            .filter(fits)
            .filter(|name| (name.whole, name.words.len()) == longest)
            .map(|name| name.who)
            .collect();
        let (whole, length) = longest;
        let is_known = |who: &Who| match who {
            Who::Shown => false,
            Who::Pupil(at) => known.contains(at),
            Who::Guardian(at) => {
                let theirs = self.school.guardians.get(*at).map_or(&[][..], |guardian| &guardian.pupils[..]);
                theirs.iter().any(|pupil| known.contains(pupil))
            }
        };
        let here: Vec<Who> = bearers.iter().filter(|who| is_known(who)).copied().collect();
        if bearers.contains(&Who::Shown) && (here.is_empty() || !whole) {
            return Some((length, None));
        }
        // A word that is a name of nobody in the message counts where it is written as one.
        let written = text[first.from..].chars().next().is_some_and(char::is_uppercase);
        if here.is_empty() && !whole && !written {
            return Some((length, None));
        }
        let among = if here.is_empty() { bearers.into_iter().collect() } else { here };
        let pupils: Vec<Who> = among.iter().filter(|who| matches!(who, Who::Pupil(_))).copied().collect();
        let among = if pupils.len() == 1 { pupils } else { among };
        let name = match among[..] {
            [Who::Pupil(at)] => self.pupil(at),
            [Who::Guardian(at)] => self.guardian(at),
            _ => WITHHELD.to_owned(),
        };
        Some((length, Some(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{Guardian, Pupil, Staff};
    use crate::store::{DisclosureKind, Fit, Listed, QueueId, Search};

    fn school() -> School {
        let pupil = |id: &str, forename: &str, surname: &str| Pupil {
            id: id.to_owned(),
            forename: forename.to_owned(),
            surname: surname.to_owned(),
            ..Pupil::default()
        };
        let guardian = |id: &str, forename: &str, surname: &str, email: &str, whose: u32| Guardian {
            id: id.to_owned(),
            forename: forename.to_owned(),
            surname: surname.to_owned(),
            email: Some(email.to_owned()),
            pupils: vec![PupilIndex(whose)],
            ..Guardian::default()
        };
        School {
            domains: vec!["school.example".to_owned()],
            pupils: vec![
                pupil("P1", "Imogen", "Tarrant"),
                Pupil { email: Some("obrien.z@school.example".to_owned()), ..pupil("P2", "Zoë", "O'Brien") },
                pupil("P3", "Anne-Marie", "Penhale"),
                pupil("P4", "Imogen", "Vane"),
            ],
            guardians: vec![
                guardian("G1", "Sophie", "Tarrant", "sophie@gmail.com", 0),
                guardian("G2", "Kim", "O'Brien", "kim@gmail.com", 1),
            ],
            staff: vec![Staff {
                forename: "Rose".to_owned(),
                surname: "Vane".to_owned(),
                email: "r.vane@school.example".to_owned(),
                ..Staff::default()
            }],
            ..School::default()
        }
        .indexed()
    }

    fn about(pupil: &str) -> NewDisclosure {
        let search = Search { pupil: Some(pupil.to_owned()), ..Search::default() };
        let applicant = Some("Sophie@gmail.com".to_owned());
        NewDisclosure { kind: DisclosureKind::SubjectAccess, search, applicant, reason: "x".to_owned() }
    }

    fn message(pupils: &[&str], found: &[(&str, &str)]) -> ToIndex {
        ToIndex {
            listed: Listed {
                id: QueueId("a".to_owned()),
                at: None,
                mail_from: None,
                recipients: Vec::new(),
                state: None,
                content: true,
                sealed: false,
                fit: Fit::Fits,
                left_out: None,
                decided_by: None,
            },
            granted: false,
            subject: String::new(),
            pupils: pupils.iter().map(|id| (*id).to_owned()).collect(),
            found: found.iter().map(|(id, words)| ((*id).to_owned(), (*words).to_owned())).collect(),
            action: None,
            rules: Vec::new(),
            sha256: String::new(),
        }
    }

    #[test]
    fn nobody_else_is_named_and_each_is_called_the_same_throughout() {
        let school = school();
        let mut names = Names::of(&school, &about("P1"), BTreeMap::new());
        for (text, pupils, want) in [
            ("Imogen Tarrant's club", &["P1"][..], "Imogen Tarrant's club"),
            ("Imogen and Zoë O’Brien", &["P1", "P2"], "Imogen and Pupil 1"),
            ("re: O'BRIEN, ZOE: lunch", &["P2"], "re: Pupil 1: lunch"),
            ("Zoe’s lunch", &["P2"], "Pupil 1’s lunch"),
            ("zoë is away", &["P2"], "Pupil 1 is away"),
            ("Anne Marie Penhale", &[], "Pupil 2"),
            ("Imogen Vane", &["P4"], "Pupil 3"),
            ("Rose Vane asks", &[], "Rose Vane asks"),
            ("Sophie Tarrant and Kim O'Brien", &[], "Sophie Tarrant and Parent 1"),
            ("write to kim@gmail.com, please", &[], "write to Parent 1, please"),
            ("nothing to see", &["P2"], "nothing to see"),
        ] {
            assert_eq!(names.text(text, &message(pupils, &[])), want, "{text}");
        }
        let number = message(&["P2"], &[("P2", "A998441726129")]);
        assert_eq!(names.text("UPN A998441726129", &number), "UPN Pupil 1");
        for (address, want) in [
            ("Sophie@gmail.com", "Sophie@gmail.com"),
            ("k.im@gmail.com", "Parent 1"),
            ("obrien.z@school.example", "Pupil 1"),
            ("r.vane@school.example", "r.vane@school.example"),
            ("somebody@elsewhere.example", "Person 1"),
            ("other@elsewhere.example", "Person 2"),
            ("SOMEBODY@elsewhere.example", "Person 1"),
        ] {
            assert_eq!(names.address(address), want, "{address}");
        }
        // The next export of the same request calls them the same.
        let mut again = Names::of(&school, &about("P1"), names.into_given());
        assert_eq!(again.text("Anne-Marie and Kim", &message(&["P3"], &[])), "Pupil 2 and Parent 1");
        assert_eq!(again.address("other@elsewhere.example"), "Person 2");
    }
}
