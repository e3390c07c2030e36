//! The roster index: who is meant by a run of words, at a cost that does not grow with the roster.
//!
//! Everything is a look-up of one keyed 64-bit hash in a table: a run of one to four name tokens tells whether it is a
//! forename or a surname of anybody; forename and surname together give the pupils of that full name; a forename
//! together with one more fact (class, year, initial, date of birth, postcode, guardian) gives the pupils it fits. No
//! name stands in memory in the clear here, and none can be read back without the key of the process.

use hashbrown::{HashMap, HashSet};

use super::names::{NAMES, Wordness};
use super::{PupilIndex, School};
use crate::text::Text;
use crate::text::normalise::{EMPTY_RUN, extend, run_hash, token_hash};

/// Longest run of tokens that one forename or one surname may be (`van der Berg Smith`).
pub const LONGEST_PART: usize = 4;

/// Set on a posting made from a short form or a part of a double name: it counts only where no exact one exists.
const LOOSE: u32 = 1 << 31;

/// What a run of tokens is to the people the school knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    /// Forename, known-as name or short form of a pupil.
    pub pupil_forename: bool,
    /// Surname, or part of one, of a pupil.
    pub pupil_surname: bool,
    /// Forename of a member of staff or a guardian.
    pub adult_forename: bool,
    /// Forename of a member of staff.
    pub staff_forename: bool,
    /// Surname of a member of staff or a guardian.
    pub adult_surname: bool,
    /// How likely it is an ordinary word.
    pub wordness: Wordness,
}

/// A fact that, with a forename, may leave one pupil.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fact {
    /// Class or form, by [`RosterIndex::class`].
    Class(u64),
    /// Year group, 0 for Reception, -1 for Nursery.
    Year(i8),
    /// The surname's initial or initials, as a token.
    Initial(u64),
    /// Date of birth.
    Born(jiff::civil::Date),
    /// Post code without its space, as a token.
    Postcode(u64),
    /// House and street, as a run of tokens.
    Street(u64),
    /// A guardian, by place.
    Guardian(u32),
}

impl Fact {
    fn key(self) -> u64 {
        let (kind, value) = match self {
            Fact::Class(h) => (1, h),
            Fact::Year(y) => (2, u64::from_le_bytes(i64::from(y).to_le_bytes())),
            Fact::Initial(h) => (3, h),
            Fact::Born(d) => (
                4,
                u64::from_le_bytes(
                    (i64::from(d.year()) * 512 + i64::from(d.month()) * 32 + i64::from(d.day())).to_le_bytes(),
                ),
            ),
            Fact::Postcode(h) => (5, h),
            Fact::Street(h) => (6, h),
            Fact::Guardian(g) => (7, u64::from(g)),
        };
        extend(extend(EMPTY_RUN, kind), value)
    }
}

/// An adult whose full name stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adult {
    /// By place in [`School::staff`].
    Staff(u32),
    /// By place in [`School::guardians`].
    Guardian(u32),
}

type Postings = HashMap<u64, Vec<u32>>;

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct RosterIndex {
    parts: HashMap<u64, Part>,
    /// First tokens of parts, and the longest run each begins.
    first: HashMap<u64, u8>,
    full: Postings,
    joined: Postings,
    facts: Postings,
    adults: HashMap<u64, Vec<Adult>>,
    identifiers: HashMap<u64, u32>,
    emails: HashMap<u64, u32>,
    phones: Postings,
    classes: HashMap<u64, u64>,
    postcodes: HashSet<u64>,
    ids: HashMap<String, u32>,
    middles: HashMap<u32, Vec<u64>>,
}

fn pair(forename: u64, surname: u64) -> u64 {
    extend(extend(EMPTY_RUN, forename), surname)
}

fn post(postings: &mut Postings, key: u64, entry: u32) {
    let list = postings.entry(key).or_default();
    // An exact entry replaces a loose one of the same pupil.
    if list.contains(&(entry & !LOOSE)) {
        return;
    }
    list.retain(|&other| other & !LOOSE != entry & !LOOSE);
    list.push(entry);
}

fn resolve(list: Option<&Vec<u32>>) -> Vec<PupilIndex> {
    let Some(list) = list else { return Vec::new() };
    let exact: Vec<_> = list.iter().filter(|&&entry| entry & LOOSE == 0).map(|&entry| PupilIndex(entry)).collect();
    if exact.is_empty() { list.iter().map(|&entry| PupilIndex(entry & !LOOSE)).collect() } else { exact }
}

/// A written form of a part of a name: its tokens' hashes, and whether it is exact.
struct Form {
    tokens: Vec<u64>,
    loose: bool,
}

impl Form {
    fn run(&self) -> u64 {
        self.tokens.iter().fold(EMPTY_RUN, |run, &token| extend(run, token))
    }
}

/// All forms of one name part: as written, apostrophes as a break, hyphens and spaces closed up, and, loosely, each part
/// of a double name.
fn forms(name: &str, parts_alone: bool, loose: bool) -> Vec<Form> {
    let mut out: Vec<Form> = Vec::new();
    let mut add = |tokens: Vec<u64>, loose: bool| {
        if !tokens.is_empty() && tokens.len() <= LONGEST_PART && !out.iter().any(|form| form.tokens == tokens) {
            out.push(Form { tokens, loose });
        }
    };
    let text = Text::new(name);
    let words: Vec<&str> = text.tokens.iter().map(|token| text.norm(token)).collect();
    add(text.tokens.iter().map(|token| token.hash).collect(), loose);
    if words.len() > 1 {
        add(vec![token_hash(&words.concat())], loose);
    }
    if text.folded().contains('\'') {
        let broken = text.folded().replace('\'', " ");
        add(Text::new(&broken).tokens.iter().map(|token| token.hash).collect(), loose);
    }
    for (prefix, others) in [("mc", ["mac"]), ("mac", ["mc"])] {
        if let [word] = words[..]
            && let Some(rest) = word.strip_prefix(prefix)
            && rest.len() >= 4
        {
            add(vec![token_hash(prefix), token_hash(rest)], loose);
            for other in others {
                add(vec![token_hash(&format!("{other}{rest}"))], true);
            }
        }
    }
    if parts_alone && words.len() > 1 {
        const PARTICLES: [&str; 20] = [
            "van", "der", "den", "de", "la", "le", "da", "dos", "di", "el", "al", "bin", "bint", "ibn", "von", "ter",
            "o", "ni", "mc", "mac",
        ];
        for word in words.iter().filter(|word| word.len() >= 3 && !PARTICLES.contains(word)) {
            add(vec![token_hash(word)], true);
        }
    }
    out
}

fn year_of(text: &str) -> Option<i8> {
    let lower = text.trim().to_lowercase();
    match lower.as_str() {
        "n" | "n1" | "n2" | "nursery" => Some(-1),
        "r" | "reception" | "yr" => Some(0),
        _ => {
            lower.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok().filter(|year| (0..=14).contains(year))
        }
    }
}

fn compact(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

/// House number (or name) and street of an address: the runs under which it is looked up.
pub(crate) fn streets(address: &str) -> Vec<u64> {
    let mut out = Vec::new();
    for part in address.split(',') {
        let text = Text::new(part);
        // A number and at least one further word: `14 Frost Lane`; two words of the street are enough.
        if text.tokens.len() >= 2 && text.word(0).starts_with(|c: char| c.is_ascii_digit()) {
            out.push(text.tokens.iter().take(3).fold(EMPTY_RUN, |run, token| extend(run, token.hash)));
        }
    }
    out
}

impl RosterIndex {
    pub(super) fn build(school: &School) -> Self {
        let mut index = Self::default();
        for (at, pupil) in school.pupils.iter().enumerate() {
            index.add_pupil(u32::try_from(at).unwrap_or(u32::MAX) & !LOOSE, pupil);
        }
        for (at, guardian) in school.guardians.iter().enumerate() {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            index.add_adult(&guardian.forename, &guardian.surname, Adult::Guardian(at));
            for &PupilIndex(pupil) in &guardian.pupils {
                if let Some(of) = school.pupils.get(pupil as usize) {
                    for (form, loose) in forename_forms(of) {
                        let entry = if loose { pupil | LOOSE } else { pupil };
                        post(&mut index.facts, pair(form.run(), Fact::Guardian(at).key()), entry);
                    }
                }
            }
        }
        for (at, staff) in school.staff.iter().enumerate() {
            index.add_adult(&staff.forename, &staff.surname, Adult::Staff(u32::try_from(at).unwrap_or(u32::MAX)));
        }
        index
    }

    fn part(&mut self, form: &Form) -> &mut Part {
        if let Some(&token) = form.tokens.first() {
            let longest = self.first.entry(token).or_default();
            *longest = (*longest).max(u8::try_from(form.tokens.len()).unwrap_or(u8::MAX));
        }
        let wordness = match form.tokens[..] {
            [token] => NAMES.wordness(token),
            _ => form.tokens.iter().map(|&token| NAMES.wordness(token)).min().unwrap_or_default(),
        };
        let part = self.parts.entry(form.run()).or_default();
        part.wordness = wordness;
        part
    }

    fn add_pupil(&mut self, at: u32, pupil: &super::Pupil) {
        self.ids.insert(pupil.id.clone(), at);
        let forenames = forename_forms(pupil);
        let surnames = surname_forms(pupil);
        for (form, _) in &forenames {
            self.part(form).pupil_forename = true;
        }
        for form in &surnames {
            self.part(form).pupil_surname = true;
        }
        let mut facts: Vec<Fact> = Vec::new();
        if !pupil.form.is_empty() {
            for class in class_forms(&pupil.form) {
                let key = run_hash(&pupil.form);
                self.classes.insert(class, key);
            }
            facts.push(Fact::Class(run_hash(&pupil.form)));
        }
        facts.extend(year_of(&pupil.year_group).map(Fact::Year));
        for surname in pupil.surnames() {
            facts.extend(initials(surname).iter().map(|initial| Fact::Initial(token_hash(initial))));
        }
        facts.extend(pupil.date_of_birth.map(Fact::Born));
        if !pupil.postcode.is_empty() {
            let code = token_hash(&compact(&pupil.postcode));
            self.postcodes.insert(code);
            facts.push(Fact::Postcode(code));
        }
        facts.extend(streets(&pupil.address).into_iter().map(Fact::Street));
        for (form, loose) in &forenames {
            let entry = if *loose { at | LOOSE } else { at };
            for fact in &facts {
                post(&mut self.facts, pair(form.run(), fact.key()), entry);
            }
            for surname in &surnames {
                let entry = if *loose || surname.loose { at | LOOSE } else { at };
                post(&mut self.full, pair(form.run(), surname.run()), entry);
            }
        }
        // Forename and surname run together, as mailboxes and file names have them.
        let plain = |name: &str| {
            let text = Text::new(name);
            text.tokens.iter().map(|token| text.norm(token)).collect::<String>()
        };
        for (forename, surname) in pupil.forenames().flat_map(|f| pupil.surnames().map(move |s| (f, s))) {
            let (first, last) = (plain(forename), plain(surname));
            if first.len() >= 3 && last.len() >= 3 {
                post(&mut self.joined, token_hash(&format!("{first}{last}")), at);
                post(&mut self.joined, token_hash(&format!("{last}{first}")), at);
            }
        }
        for number in [&pupil.upn, &pupil.uln, &pupil.nhs_number].into_iter().flatten() {
            self.identifiers.insert(token_hash(&compact(number)), at);
        }
        if let Some(email) = &pupil.email {
            self.emails.insert(token_hash(&email.to_lowercase()), at);
        }
        if pupil.phone.len() >= 8 {
            post(&mut self.phones, token_hash(&compact(&pupil.phone)), at);
        }
        let middles: Vec<u64> = Text::new(&pupil.middle_names).tokens.iter().map(|token| token.hash).collect();
        if !middles.is_empty() {
            self.middles.insert(at, middles);
        }
    }

    fn add_adult(&mut self, forename: &str, surname: &str, adult: Adult) {
        let mut forenames = forms(forename, false, false);
        for short in NAMES.short_forms(forename) {
            forenames.extend(forms(short, false, true));
        }
        let surnames = forms(surname, false, false);
        for form in &forenames {
            let part = self.part(form);
            part.adult_forename = true;
            part.staff_forename |= matches!(adult, Adult::Staff(_)) && !form.loose;
        }
        for form in &surnames {
            self.part(form).adult_surname = true;
        }
        for form in &forenames {
            for surname in &surnames {
                self.adults.entry(pair(form.run(), surname.run())).or_default().push(adult);
            }
        }
    }

    /// How long a run of tokens may begin here, 0 when no name begins with this token.
    pub fn longest_from(&self, token: u64) -> usize {
        self.first.get(&token).map_or(0, |&longest| usize::from(longest))
    }

    /// What a run is to the people the school knows.
    pub fn part_of(&self, run: u64) -> Option<Part> {
        self.parts.get(&run).copied()
    }

    /// The pupils of a full name: the exact ones, or where there is none those of whom it is a short form.
    pub fn full_name(&self, forename: u64, surname: u64) -> Vec<PupilIndex> {
        resolve(self.full.get(&pair(forename, surname)))
    }

    /// Whether a full name is some pupil's as the roster writes it, not by a short form or a part.
    pub fn full_name_is_exact(&self, forename: u64, surname: u64) -> bool {
        self.full.get(&pair(forename, surname)).is_some_and(|list| list.iter().any(|entry| entry & LOOSE == 0))
    }

    /// The pupils of forename and surname run together into one token.
    pub fn joined_name(&self, token: u64) -> Vec<PupilIndex> {
        resolve(self.joined.get(&token))
    }

    /// The pupils of a forename whom a further fact fits.
    pub fn forename_with(&self, forename: u64, fact: Fact) -> Vec<PupilIndex> {
        resolve(self.facts.get(&pair(forename, fact.key())))
    }

    /// The adults of a full name.
    pub fn adults(&self, forename: u64, surname: u64) -> &[Adult] {
        self.adults.get(&pair(forename, surname)).map_or(&[], Vec::as_slice)
    }

    /// The class that a run of tokens names, in the shape [`Fact::Class`] wants.
    pub fn class(&self, run: u64) -> Option<u64> {
        self.classes.get(&run).copied()
    }

    /// Whether a pupil lives at this post code, given without its space as a token.
    pub fn postcode(&self, code: u64) -> bool {
        self.postcodes.contains(&code)
    }

    /// The pupil of a UPN, ULN or NHS number; the number without separators, any case.
    pub fn identifier(&self, number: &str) -> Option<PupilIndex> {
        self.identifiers.get(&token_hash(&compact(number))).copied().map(PupilIndex)
    }

    /// The pupil of a school mailbox.
    pub fn mailbox(&self, address: &str) -> Option<PupilIndex> {
        self.emails.get(&token_hash(&address.to_lowercase())).copied().map(PupilIndex)
    }

    /// The pupils of a home telephone, digits alone.
    pub fn telephone(&self, digits: &str) -> Vec<PupilIndex> {
        resolve(self.phones.get(&token_hash(digits)))
    }

    /// Whether a token is one of a pupil's middle names.
    pub fn is_middle_name(&self, pupil: PupilIndex, token: u64) -> bool {
        self.middles.get(&pupil.0).is_some_and(|names| names.contains(&token))
    }

    pub(super) fn by_id(&self, id: &str) -> Option<PupilIndex> {
        self.ids.get(id).copied().map(PupilIndex)
    }
}

/// Forms of every surname; exact ones win where two surnames share a form.
fn surname_forms(pupil: &super::Pupil) -> Vec<Form> {
    let mut out: Vec<Form> = Vec::new();
    for form in pupil.surnames().flat_map(|name| forms(name, true, false)) {
        match out.iter_mut().find(|other| other.tokens == form.tokens) {
            Some(other) => other.loose &= form.loose,
            None => out.push(form),
        }
    }
    out
}

/// Forms of the forename in daily use; loose ones are short forms and halves of double names.
fn forename_forms(pupil: &super::Pupil) -> Vec<(Form, bool)> {
    let mut out: Vec<(Form, bool)> = Vec::new();
    let mut add = |form: Form| {
        if !out.iter().any(|(other, _)| other.tokens == form.tokens) {
            let loose = form.loose;
            out.push((form, loose));
        }
    };
    for name in pupil.forenames() {
        forms(name, true, false).into_iter().for_each(&mut add);
    }
    for short in NAMES.short_forms(&pupil.forename) {
        forms(short, false, true).into_iter().for_each(&mut add);
    }
    out
}

/// `Y`, for a double name each initial, and all of them together; for `O'Brien-Smith` also `OB` and `OBS`.
fn initials(surname: &str) -> Vec<String> {
    let broken = surname.replace(['\'', '\u{2019}'], " ");
    let letters = |text: &str| -> Vec<char> {
        let text = Text::new(text);
        text.tokens.iter().filter_map(|token| text.norm(token).chars().next()).collect()
    };
    let (whole, parts) = (letters(surname), letters(&broken));
    let mut out: Vec<String> = whole.iter().map(char::to_string).collect();
    for group in [whole, parts] {
        if group.len() > 1 {
            out.push(group.iter().collect());
        }
        if group.len() > 2 {
            out.push(group[..2].iter().collect());
        }
    }
    out.sort();
    out.dedup();
    out
}

/// Runs that name a class: as written, and `10B` also as `Y10B`, `10 B` and `Year 10B`.
fn class_forms(form: &str) -> Vec<u64> {
    let plain = compact(form);
    let mut out = vec![run_hash(form), run_hash(&plain)];
    let digits: String = plain.chars().take_while(char::is_ascii_digit).collect();
    if !digits.is_empty() && digits.len() < plain.len() {
        let rest = &plain[digits.len()..];
        out.push(run_hash(&format!("{digits} {rest}")));
        out.push(run_hash(&format!("y{plain}")));
        out.push(run_hash(&format!("yr{plain}")));
    }
    out.sort_unstable();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{Guardian, Pupil};

    #[test]
    fn the_index_holds_no_name() {
        let school = School {
            pupils: vec![Pupil {
                id: "P1".into(),
                forename: "Zoë".into(),
                middle_names: "Grace".into(),
                surname: "O'Brien-Smith".into(),
                known_as: Some("Zozo".into()),
                other_surnames: vec!["Quist".into()],
                address: "14 Frost Lane".into(),
                postcode: "SX2 6HW".into(),
                form: "Plum".into(),
                upn: Some("J998441726117".into()),
                phone: "01632 960443".into(),
                email: Some("zoe@pupils.example".into()),
                ..Pupil::default()
            }],
            ..School::default()
        };
        let told = format!("{:?}", RosterIndex::build(&school)).to_lowercase();
        assert!(told.contains("p1") && told.len() > 1_000, "the index is shown whole");
        for word in
            ["zo", "grace", "brien", "smith", "quist", "frost", "sx2", "plum", "j998", "01632", "pupils.example"]
        {
            // The names of fields are ours, and hold none of these.
            assert!(!told.contains(word), "{word}");
        }
    }

    fn school() -> School {
        let pupil = |forename: &str, surname: &str, form: &str| Pupil {
            id: format!("{forename}{surname}"),
            forename: forename.into(),
            surname: surname.into(),
            form: form.into(),
            year_group: "6".into(),
            ..Pupil::default()
        };
        School {
            pupils: vec![
                pupil("Zoë", "O'Brien-Smith", "6K"),
                pupil("Theodora", "van der Linde", "Plum"),
                pupil("Edward", "McIntyre", "6K"),
                pupil("Zoe", "Quist", "Plum"),
            ],
            guardians: vec![Guardian {
                id: "G".into(),
                forename: "Deborah".into(),
                surname: "Quist".into(),
                pupils: vec![PupilIndex(3)],
                ..Guardian::default()
            }],
            ..School::default()
        }
        .indexed()
    }

    #[test]
    fn full_names_in_many_forms() {
        let school = school();
        for (forename, surname, want) in [
            ("Zoë", "O'Brien-Smith", vec![0]),
            ("ZOE", "OBRIEN SMITH", vec![0]),
            ("Zoe", "O Brien Smith", vec![0]),
            ("zoe", "obriensmith", vec![0]),
            ("Zoe", "Smith", vec![0]),
            ("Theodora", "Linde", vec![1]),
            ("Ted", "McIntyre", vec![2]),
            ("Eddie", "Mac Intyre", vec![]),
            ("Eddie", "MacIntyre", vec![2]),
            ("Edward", "Mc Intyre", vec![2]),
            ("Edward", "Quist", vec![]),
        ] {
            let found: Vec<u32> =
                school.index.full_name(run_hash(forename), run_hash(surname)).iter().map(|p| p.0).collect();
            assert_eq!(found, want, "{forename} {surname}");
        }
    }

    #[test]
    fn forename_with_a_fact() {
        let school = school();
        let zoe = run_hash("Zoë");
        let ids = |fact| school.index.forename_with(zoe, fact).iter().map(|p| p.0).collect::<Vec<_>>();
        let class = |name| Fact::Class(school.index.class(run_hash(name)).unwrap());
        assert_eq!(ids(class("6K")), [0]);
        assert_eq!(ids(class("6 k")), [0]);
        assert_eq!(ids(class("Y6K")), [0]);
        assert_eq!(ids(Fact::Year(6)), [0, 3]);
        assert_eq!(ids(Fact::Initial(token_hash("q"))), [3]);
        assert_eq!(ids(Fact::Initial(token_hash("ob"))), [0]);
        assert_eq!(ids(Fact::Guardian(0)), [3]);
        assert_eq!(school.index.adults(run_hash("Debbie"), run_hash("Quist")), [Adult::Guardian(0)]);
    }
}
