//! The school: pupils, guardians, staff, correspondents; import from files; recipient kinds.
//!
//! Knows addresses, never messages, rules or network. [`load`](load()) reads the four files; a [`School`] that came
//! from there, or went through [`School::indexed`], can be asked who is meant by a name ([`index`]) and what a recipient
//! is to the school ([`recipients`]).

mod answers;
mod foreign;
mod furniture;
pub mod import;
pub mod index;
mod kind;
pub mod load;
pub mod names;
mod providers;
pub mod recipients;
mod repair;
mod rows;
mod tables;

pub use import::Roster;
pub use index::RosterIndex;
pub use kind::RecipientKind;
pub use load::{LoadError, Loaded, PupilSource, RowFault, Sources, load};
pub use recipients::SenderIdentity;

use serde::{Deserialize, Serialize};

use crate::smtp::Address;

/// Reads the lists that are built into the program; a faulty one must stop the start, not count as empty.
pub fn check_embedded_lists() -> Result<(), toml::de::Error> {
    names::Names::read(names::EMBEDDED)?;
    providers::Providers::read(providers::EMBEDDED)?;
    Ok(())
}

/// A pupil's place in [`School::pupils`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PupilIndex(pub u32);

/// A pupil as the roster gives them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pupil {
    /// The roster's own id, `P014`.
    pub id: String,
    /// Unique pupil number.
    pub upn: Option<String>,
    /// Unique learner number.
    pub uln: Option<String>,
    /// NHS number, ten digits.
    pub nhs_number: Option<String>,
    /// First forename.
    pub forename: String,
    /// Further forenames, separated by spaces.
    pub middle_names: String,
    /// Family name.
    pub surname: String,
    /// The forename in daily use, where it differs.
    pub known_as: Option<String>,
    /// Forenames that also stand in records: the legal one, a former one.
    pub other_forenames: Vec<String>,
    /// Family names that also stand in records: legal, preferred, former.
    pub other_surnames: Vec<String>,
    /// Date of birth.
    pub date_of_birth: Option<jiff::civil::Date>,
    /// As the roster writes it.
    pub gender: String,
    /// `N`, `R`, `1` to `13`.
    pub year_group: String,
    /// Class or form, `Oak`, `10B`.
    pub form: String,
    /// Home address on one line.
    pub address: String,
    /// Its postcode.
    pub postcode: String,
    /// Home telephone.
    pub phone: String,
    /// School mailbox, where the pupil has one.
    pub email: Option<String>,
    /// Whether a parent agreed to pictures of this pupil; `None` where nothing is recorded.
    pub photo_consent: Option<bool>,
    /// When the pupil left. Former pupils' data is personal too: they are found as before, and their guardians stay theirs.
    pub left: Option<jiff::civil::Date>,
}

impl Pupil {
    /// Takes a preferred name; where there is one already, as a further forename.
    pub fn also_known_as(&mut self, name: &str) {
        if self.known_as.is_none() && !name.is_empty() && name != self.forename {
            self.known_as = Some(name.to_owned());
        } else {
            self.also_forename(name);
        }
    }

    /// Takes a further forename, unless it is known already.
    pub fn also_forename(&mut self, name: &str) {
        if !name.is_empty() && !self.forenames().any(|known| known == name) {
            self.other_forenames.push(name.to_owned());
        }
    }

    /// Takes a further family name, unless it is known already.
    pub fn also_surname(&mut self, name: &str) {
        if !name.is_empty() && !self.surnames().any(|known| known == name) {
            self.other_surnames.push(name.to_owned());
        }
    }

    /// Every forename that stands for this pupil, middle names apart.
    pub fn forenames(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.forename).chain(&self.known_as).chain(&self.other_forenames).map(String::as_str)
    }

    /// Every family name.
    pub fn surnames(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.surname).chain(&self.other_surnames).map(String::as_str)
    }
}

/// A parent, carer or other contact of one or more pupils.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Guardian {
    /// The roster's own id, `G001`.
    pub id: String,
    /// Mrs, Mr, Dr …
    pub title: String,
    /// Forename.
    pub forename: String,
    /// Family name.
    pub surname: String,
    /// Mailbox, where known.
    pub email: Option<String>,
    /// Telephone.
    pub phone: String,
    /// mother, father, grandmother …
    pub relationship: String,
    /// Whose guardian this is, those from whom they are kept included.
    pub pupils: Vec<PupilIndex>,
    /// Home address on one line, where the roster has one for this person.
    pub address: String,
    /// Its postcode.
    pub postcode: String,
    /// Whether this person agreed to be written to by e-mail; `None` where nothing is recorded.
    pub email_consent: Option<bool>,
    /// Whether this person has parental responsibility (Children Act 1989, section 3), for each pupil of whom it is recorded.
    pub responsibility: Vec<(PupilIndex, bool)>,
    /// Pupils from whom a court order or the school keeps this person.
    pub barred_from: Vec<PupilIndex>,
}

impl Guardian {
    /// Takes over what is recorded of the same person elsewhere: a refusal and a bar stay.
    pub(crate) fn also(&mut self, other: &Self) {
        self.email_consent = answers::stricter(self.email_consent, other.email_consent);
        for &(pupil, has) in &other.responsibility {
            if !self.responsibility.iter().any(|(known, _)| *known == pupil) {
                self.responsibility.push((pupil, has));
            }
        }
        for &pupil in &other.barred_from {
            if !self.barred_from.contains(&pupil) {
                self.barred_from.push(pupil);
            }
        }
    }
}

/// A member of staff.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Staff {
    /// The directory's own id, `S01`.
    pub id: String,
    /// Mrs, Mr, Dr …
    pub title: String,
    /// Forename.
    pub forename: String,
    /// Family name.
    pub surname: String,
    /// School mailbox.
    pub email: String,
    /// Private mailbox, where known.
    pub private_email: Option<String>,
    /// Private telephone, where known.
    pub private_phone: Option<String>,
    /// Job, as the directory words it.
    pub role: String,
    /// Further addresses that this person may send as.
    pub may_send_as: Vec<String>,
}

/// An organisation or person the school writes to, from the trusted or the contact list.
#[derive(Debug, Clone)]
pub struct Correspondent {
    /// On the trusted list; otherwise on the contact list.
    pub trusted: bool,
    /// An exact address, a domain (that domain alone), or `*.suffix` (the suffix itself and all below it).
    pub pattern: String,
    /// Who it is.
    pub name: String,
}

/// A recipient with what the school knows of it.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// As the envelope gave it.
    pub address: Address,
    /// Its kind.
    pub kind: RecipientKind,
    /// The pupils whose guardian this is, without those of `barred_from`; empty for every other kind.
    pub guardian_of: Vec<PupilIndex>,
    /// Pupils from whom a parent who reads here is kept. Of a mailbox that two share, one is enough.
    pub barred_from: Vec<PupilIndex>,
    /// A parent who reads here said no to e-mail.
    pub no_email_consent: bool,
    /// A pupil's own mailbox, and no guardian's.
    pub is_pupil: bool,
    /// A guardian's mailbox that is the sender's own private one, too.
    pub senders_own: bool,
}

/// The school as loaded, with everything that looking names up needs.
#[derive(Debug, Default)]
pub struct School {
    /// Its name.
    pub name: String,
    /// Its own mail domains, lower case.
    pub domains: Vec<String>,
    /// Its telephone, for the texts that staff read.
    pub telephone: String,
    /// Its own bank accounts, digits only (sort code and account), and IBANs; these never count as an adult's.
    pub bank_accounts: Vec<String>,
    /// Everybody on roll.
    pub pupils: Vec<Pupil>,
    /// Their guardians.
    pub guardians: Vec<Guardian>,
    /// The staff directory.
    pub staff: Vec<Staff>,
    /// Trusted and contact lists.
    pub correspondents: Vec<Correspondent>,
    /// Built by [`School::indexed`]; empty until then.
    pub(crate) index: RosterIndex,
    /// Addresses and domains as recipients are compared with; built together with `index`.
    pub(crate) directory: recipients::Directory,
}

impl School {
    /// Builds everything that looking up needs. To be called once, after the lists are filled, and again when they change.
    #[must_use]
    pub fn indexed(mut self) -> Self {
        self.index = RosterIndex::build(&self);
        self.directory = recipients::Directory::build(&self);
        self
    }

    /// Drops what only building the index needed: numbers, telephones and mailboxes of pupils, which are looked up by their
    /// keyed hashes from here on. What judging evidence compares (names, birth, address, class) stays.
    pub fn forget_what_is_indexed(&mut self) {
        for pupil in &mut self.pupils {
            (pupil.upn, pupil.uln, pupil.nhs_number, pupil.email) = (None, None, None, None);
            for text in [&mut pupil.phone, &mut pupil.gender] {
                *text = String::new();
            }
        }
    }

    /// Who is meant by which words.
    pub fn index(&self) -> &RosterIndex {
        &self.index
    }

    /// A pupil by place. An index of another school gives nothing.
    pub fn pupil(&self, index: PupilIndex) -> Option<&Pupil> {
        self.pupils.get(index.0 as usize)
    }

    /// A pupil by the roster's own id.
    pub fn pupil_by_id(&self, id: &str) -> Option<PupilIndex> {
        let at = self.pupils.iter().position(|pupil| pupil.id == id)?;
        u32::try_from(at).ok().map(PupilIndex)
    }
}
