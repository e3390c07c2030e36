//! The roster index: who is meant by a run of words, at a cost that does not grow with the roster.
//!
//! Everything is a look-up of one keyed hash in a table: a run of one to four name tokens tells whether it is a forename or
//! a surname of anybody; forename and surname together give the pupils of that full name; a forename together with one
//! more fact (class, year, initial, date of birth, postcode, guardian) gives the pupils it fits. Short forms are resolved
//! when they are looked up, so that they cost the index nothing. No name stands in memory in the clear here, and none can be
//! read back without the key of the process.
//!
//! Finding those of a forename whom a fact fits takes time in proportion to how many bear that forename.

mod build;
mod forms;

use hashbrown::HashMap;

use super::PupilIndex;
use super::names::{NAMES, Wordness};
use super::tables::{Entry, Flags, Postings};
use crate::limits;
use crate::text::Run;
use crate::text::filter::Filter;
use crate::text::normalise::{compact_hash, spread, token_hash};
use forms::Initials;
pub(crate) use forms::streets;

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
    /// Surname of a member of staff.
    pub staff_surname: bool,
    /// How likely it is an ordinary word.
    pub wordness: Wordness,
}

impl Part {
    const PUPIL_FORENAME: u8 = 1;
    const PUPIL_SURNAME: u8 = 2;
    const ADULT_FORENAME: u8 = 4;
    const STAFF_FORENAME: u8 = 8;
    const ADULT_SURNAME: u8 = 16;
    const WORD: u8 = 32;
    const COMMON: u8 = 64;
    const STAFF_SURNAME: u8 = 128;

    fn of(flags: u8) -> Self {
        let has = |flag: u8| flags & flag != 0;
        Self {
            pupil_forename: has(Self::PUPIL_FORENAME),
            pupil_surname: has(Self::PUPIL_SURNAME),
            adult_forename: has(Self::ADULT_FORENAME),
            staff_forename: has(Self::STAFF_FORENAME),
            adult_surname: has(Self::ADULT_SURNAME),
            staff_surname: has(Self::STAFF_SURNAME),
            wordness: match (has(Self::WORD), has(Self::COMMON)) {
                (_, true) => Wordness::Common,
                (true, false) => Wordness::Word,
                (false, false) => Wordness::Name,
            },
        }
    }
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
    /// The surname, as a run, of a family that is written to.
    Family(u64),
}

/// An adult whose full name stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adult {
    /// By place in [`School::staff`].
    Staff(u32),
    /// By place in [`School::guardians`].
    Guardian(u32),
}

/// What is known of each pupil, a column each, in roster order; a column that says nothing of anybody is empty.
#[derive(Debug, Default)]
struct Columns {
    /// As [`Columns::day`], and 0 for none.
    born: Box<[u16]>,
    /// As in [`Fact::Year`], and [`Columns::NO_YEAR`].
    year: Box<[i8]>,
    /// Half of the hash of [`Fact::Class`], and 0 for none.
    class: Box<[u32]>,
    initials: Box<[Initials]>,
}

impl Columns {
    const NO_YEAR: i8 = i8::MIN;

    /// A number of its own for each day from 1970 to 2145, from 1 on; nothing for who was born before or after pupils are.
    fn day(date: jiff::civil::Date) -> Option<u16> {
        let (month, day) = (i32::from(date.month()) - 1, i32::from(date.day()) - 1);
        let number = (i32::from(date.year()) - 1970) * 372 + month * 31 + day + 1;
        u16::try_from(number).ok().filter(|&number| number > 0)
    }

    #[allow(clippy::cast_possible_truncation)]
    fn class(hash: u64) -> u32 {
        // Of classes that differ in their last letter alone the hashes are much alike.
        (spread(hash) >> 32) as u32 | 1
    }

    fn pack<T: Copy + PartialEq>(column: Vec<T>, none: T) -> Box<[T]> {
        if column.iter().all(|value| *value == none) { Box::default() } else { column.into() }
    }
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct RosterIndex {
    /// Tokens with which a name begins, or that are a whole name run together.
    begins: Filter,
    parts: Flags,
    /// Pupils by surname.
    surnames: Postings,
    /// Pupils by forename: the hash of a run to its stretch of `bearers`, which is in the order of the roster.
    forenames: HashMap<u64, (u32, u32)>,
    bearers: Box<[u32]>,
    columns: Columns,
    /// Initials that [`Initials`] cannot hold, by pupil.
    odd_initials: HashMap<u32, Vec<u64>>,
    /// Pupils by post code, street and guardian.
    homes: Postings,
    staff: Postings,
    guardians: Postings,
    identifiers: Postings,
    mailboxes: Postings,
    phones: Postings,
    classes: HashMap<u64, u64>,
    class_begins: Filter,
    /// In order of pupil.
    middles: Box<[(u32, u32)]>,
    /// First and last year in which a pupil was born.
    years_of_birth: Option<(i16, i16)>,
}

/// Set on an entry of [`RosterIndex::bearers`] that is loose.
const LOOSE: u32 = 1 << 31;

fn home(fact: Fact) -> Option<u64> {
    let (kind, value) = match fact {
        Fact::Postcode(code) => ("postcode", code),
        Fact::Street(street) => ("street", street),
        Fact::Guardian(at) => ("guardian", u64::from(at)),
        Fact::Class(_) | Fact::Year(_) | Fact::Initial(_) | Fact::Born(_) | Fact::Family(_) => return None,
    };
    Some(token_hash(kind).rotate_left(17) ^ value)
}

/// The exact ones, or where there is none all, each once.
fn resolve(entries: impl Iterator<Item = Entry>) -> Vec<PupilIndex> {
    let mut out: Vec<PupilIndex> = Vec::new();
    let mut exact = false;
    for entry in entries {
        if exact && entry.loose {
            continue;
        }
        if !exact && !entry.loose {
            out.clear();
            exact = true;
        }
        let pupil = PupilIndex(entry.whose);
        if !out.contains(&pupil) {
            out.push(pupil);
        }
    }
    out
}

impl RosterIndex {
    /// Whether a name may begin with this token, or be this token; `false` is certain. The token's hash is spread
    /// (`text::normalise::spread`), which whoever looks in several tables does once.
    #[inline]
    pub fn begins_name(&self, spread: u64) -> bool {
        self.begins.may_hold_spread(spread)
    }

    /// What a run is to the people the school knows.
    pub fn part_of(&self, run: Run) -> Option<Part> {
        let flags = self.parts.get(run.hash);
        (flags != 0).then(|| Part::of(flags))
    }

    /// The pupils of a full name: the exact ones, or where there is none those of whom it is a short form.
    pub fn full_name(&self, forename: Run, surname: Run) -> Vec<PupilIndex> {
        let own = (self.bearers_of(forename.hash), false);
        let short_of = NAMES.full_forms(forename.hash).iter().map(|full| (self.bearers_of(full.hash), true));
        let lists = std::iter::once(own).chain(short_of).filter(|(bearers, _)| !bearers.is_empty());
        resolve(lists.flat_map(|(bearers, short)| {
            self.surnames.get(surname.hash).filter_map(move |entry| {
                let loose = bears(bearers, entry.whose)?;
                Some(Entry { loose: entry.loose || loose || short, ..entry })
            })
        }))
    }

    /// Whether a full name is some pupil's as the roster writes it, not by a short form or a part.
    pub fn full_name_is_exact(&self, forename: Run, surname: Run) -> bool {
        let bearers = self.bearers_of(forename.hash);
        !bearers.is_empty()
            && self.surnames.get(surname.hash).any(|entry| !entry.loose && bears(bearers, entry.whose) == Some(false))
    }

    /// How many pupils bear a surname, or have it as a part of theirs.
    pub fn surname_bearers(&self, surname: Run) -> usize {
        self.surnames.get(surname.hash).count()
    }

    /// Forename and surname of pupils that are run together into one normalised token, in either order of the two.
    pub fn joined_name(&self, token: &str, surname_first: bool) -> Option<(Run, Run)> {
        let splits = token.char_indices().map(|(at, _)| token.split_at(at));
        let long = |name: &str| name.chars().count() >= limits::JOINED_NAME;
        let is = |run: Run, what: fn(&Part) -> bool| self.part_of(run).is_some_and(|part| what(&part));
        splits
            .filter(|(head, tail)| long(head) && long(tail))
            .map(|(head, tail)| if surname_first { (tail, head) } else { (head, tail) })
            .map(|(forename, surname)| (Run::of_token(forename), Run::of_token(surname)))
            .find(|&(forename, surname)| {
                is(forename, |part| part.pupil_forename)
                    && is(surname, |part| part.pupil_surname)
                    && self.full_name_is_exact(forename, surname)
            })
    }

    /// The pupils who bear a forename, or one of which it is a short form; some of them twice.
    pub fn bearers(&self, forename: Run) -> impl Iterator<Item = PupilIndex> {
        let forms = std::iter::once(forename.hash).chain(NAMES.full_forms(forename.hash).iter().map(|full| full.hash));
        forms.flat_map(|run| self.bearers_of(run)).map(|entry| PupilIndex(entry & !LOOSE))
    }

    /// Those who bear a forename.
    fn bearers_of(&self, forename: u64) -> &[u32] {
        let (from, to) = self.forenames.get(&forename).copied().unwrap_or_default();
        self.bearers.get(from as usize..to as usize).unwrap_or_default()
    }

    /// The pupils of a forename whom a further fact fits.
    pub fn forename_with(&self, forename: Run, fact: Fact) -> Vec<PupilIndex> {
        let bearers = |run: u64, loose: bool| {
            let list = self.bearers_of(run).iter();
            list.map(move |entry| Entry { whose: entry & !LOOSE, loose: loose || entry & LOOSE != 0 })
        };
        let short_of = NAMES.full_forms(forename.hash).iter().flat_map(|full| bearers(full.hash, true));
        resolve(bearers(forename.hash, false).chain(short_of).filter(|entry| self.fits(entry.whose, fact)))
    }

    /// The pupils of a surname whom a further fact fits.
    pub fn surname_with(&self, surname: Run, fact: Fact) -> Vec<PupilIndex> {
        resolve(self.surnames.get(surname.hash).filter(|entry| self.fits(entry.whose, fact)))
    }

    /// The pupils who bear a forename and this middle name.
    pub fn forename_with_middle(&self, forename: Run, middle: u64) -> Vec<PupilIndex> {
        let own = self.bearers_of(forename.hash).iter();
        let entries = own.map(|entry| Entry { whose: entry & !LOOSE, loose: entry & LOOSE != 0 });
        resolve(entries.filter(|entry| self.is_middle_name(PupilIndex(entry.whose), middle)))
    }

    /// The pupils of a surname, by a part of it too.
    pub fn of_surname(&self, surname: Run) -> Vec<PupilIndex> {
        resolve(self.surnames.get(surname.hash))
    }

    fn fits(&self, pupil: u32, fact: Fact) -> bool {
        let at = pupil as usize;
        match fact {
            Fact::Class(class) => self.columns.class.get(at) == Some(&Columns::class(class)),
            Fact::Year(year) => self.columns.year.get(at) == Some(&year),
            Fact::Born(date) => Columns::day(date).is_some_and(|day| self.columns.born.get(at) == Some(&day)),
            Fact::Initial(token) => {
                self.columns.initials.get(at).is_some_and(|initials| initials.stand_for(token))
                    || self.odd_initials.get(&pupil).is_some_and(|all| all.contains(&token))
            }
            Fact::Family(surname) => self.surnames.get(surname).any(|entry| entry.whose == pupil),
            Fact::Postcode(_) | Fact::Street(_) | Fact::Guardian(_) => {
                home(fact).is_some_and(|key| self.homes.get(key).any(|entry| entry.whose == pupil))
            }
        }
    }

    /// The adults of a full name, by a short form of the forename too.
    pub fn adults(&self, forename: Run, surname: Run) -> Vec<Adult> {
        let written = std::iter::once(forename).chain(NAMES.full_forms(forename.hash).iter().copied());
        let keys: Vec<u64> = written.map(|forename| forename.then(surname).hash).collect();
        let all = |list: &Postings, adult: fn(u32) -> Adult| -> Vec<Adult> {
            keys.iter().flat_map(|&key| list.get(key)).map(|entry| adult(entry.whose)).collect()
        };
        let mut out = all(&self.guardians, Adult::Guardian);
        out.extend(all(&self.staff, Adult::Staff));
        out
    }

    /// The class that a run of tokens names, in the shape [`Fact::Class`] wants.
    pub fn class(&self, run: Run) -> Option<u64> {
        self.classes.get(&run.hash).copied()
    }

    /// As [`RosterIndex::begins_name`], for the name of a class.
    #[inline]
    pub fn begins_class(&self, spread: u64) -> bool {
        self.class_begins.may_hold_spread(spread)
    }

    /// Whether a pupil lives at this post code, given without its space as a token.
    pub fn postcode(&self, code: u64) -> bool {
        home(Fact::Postcode(code)).is_some_and(|key| self.homes.has(key))
    }

    /// First and last year in which a pupil was born.
    pub fn years_of_birth(&self) -> Option<(i16, i16)> {
        self.years_of_birth
    }

    /// The pupil of a UPN, ULN or NHS number; the number without separators, any case.
    pub fn identifier(&self, number: &str) -> Option<PupilIndex> {
        self.identifiers.get(compact_hash(number)).last().map(|entry| PupilIndex(entry.whose))
    }

    /// The pupil of a school mailbox.
    pub fn mailbox(&self, address: &str) -> Option<PupilIndex> {
        self.mailboxes.get(token_hash(&address.to_lowercase())).last().map(|entry| PupilIndex(entry.whose))
    }

    /// The pupils of a home telephone, digits alone.
    pub fn telephone(&self, digits: &str) -> Vec<PupilIndex> {
        resolve(self.phones.get(token_hash(digits)))
    }

    /// Whether a token is one of a pupil's middle names.
    pub fn is_middle_name(&self, pupil: PupilIndex, token: u64) -> bool {
        let from = self.middles.partition_point(|(whose, _)| *whose < pupil.0);
        let own = self.middles[from..].iter().take_while(|(whose, _)| *whose == pupil.0);
        own.into_iter().any(|(_, name)| *name == Columns::class(token))
    }

    /// Octets that the index takes on the heap, about.
    pub fn heap(&self) -> usize {
        let postings = [
            &self.surnames,
            &self.homes,
            &self.staff,
            &self.guardians,
            &self.identifiers,
            &self.mailboxes,
            &self.phones,
        ];
        let columns = &self.columns;
        postings.iter().map(|list| list.heap()).sum::<usize>()
            + self.begins.heap()
            + self.parts.heap()
            + self.forenames.allocation_size()
            + self.bearers.len() * 4
            + columns.born.len() * 2
            + columns.year.len()
            + columns.class.len() * 4
            + std::mem::size_of_val(&*columns.initials)
            + self.odd_initials.allocation_size()
            + self.classes.allocation_size()
            + self.class_begins.heap()
            + self.middles.len() * 8
    }
}

/// Whether one of the bearers of a forename is this pupil, and whether only loosely.
fn bears(bearers: &[u32], pupil: u32) -> Option<bool> {
    let at = bearers.binary_search_by_key(&pupil, |entry| entry & !LOOSE).ok()?;
    bearers.get(at).map(|entry| entry & LOOSE != 0)
}

#[cfg(test)]
mod tests;
