//! What a column means, from its heading: whose it is (pupil, contact, member of staff) and what it holds.
//!
//! There is no standard: schools choose and name their columns. A heading is taken apart into words; words for a
//! person tell whose column it is, the rest is looked up. A heading without such a word (`Surname`, `Email`) belongs to
//! whom the columns before it speak of: after `Parent ID` it is the parent's, and a heading that stands a second time is the
//! next contact's.

use crate::people::rows::letter;

/// Whose column it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whose {
    /// The pupil's.
    Pupil,
    /// The first contact's, the second's …
    Contact(u8),
    /// A member of staff's.
    Staff,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Admission number, contact number in the system, staff code.
    Id,
    /// Roster ids of a contact's pupils, separated by `;`.
    PupilIds,
    Upn,
    FormerUpn,
    Uln,
    Nhs,
    Title,
    Forename,
    Surname,
    FullName,
    LegalForename,
    LegalSurname,
    PreferredForename,
    PreferredSurname,
    FormerForename,
    FormerSurname,
    /// Further forenames; separated by `;` in our own files.
    OtherForenames,
    OtherSurnames,
    MiddleNames,
    BirthDate,
    Gender,
    Year,
    /// Registration group, form, tutor group.
    Form,
    /// A class of whatever kind; counts as the form where there is no better.
    Class,
    Address,
    Postcode,
    Phone,
    Email,
    PrivateEmail,
    PrivatePhone,
    Relationship,
    Role,
    MaySendAs,
    /// Says only that what follows is a contact's: priority, lives with pupil.
    ContactMark,
    /// A contact has parental responsibility.
    Responsibility,
    /// A contact is kept from the pupil: court order, no contact. In our own files pupils' ids too.
    Barred,
    /// A contact agreed to be written to by e-mail.
    EmailConsent,
    /// A contact did not: opted out.
    EmailRefusal,
    /// There is consent to pictures of the pupil.
    PhotoConsent,
    /// There is none.
    PhotoRefusal,
    /// When the pupil left.
    Left,
}

/// A column with its meaning.
#[derive(Debug, Clone)]
pub struct Column {
    /// As faults name it: the heading if it is known, and the letter.
    pub label: String,
    /// `None` where the heading is not known.
    pub meaning: Option<(Whose, Field)>,
    /// `Mother`, `Father`: what the heading says of the contact.
    pub relation: Option<&'static str>,
}

const PUPIL: &[&str] = &["pupil", "pupils", "student", "students", "child", "childs", "learner"];
const CONTACT: &[&str] = &[
    "parent",
    "parents",
    "carer",
    "guardian",
    "guardians",
    "contact",
    "contacts",
    "mother",
    "mothers",
    "mum",
    "mums",
    "father",
    "fathers",
    "dad",
    "dads",
    "parental",
];
const STAFF: &[&str] = &["staff", "teacher", "employee", "tutor", "adviser", "advisor"];
const NOISE: &[&str] = &["of", "the", "s", "and", "or", "in", "current", "primary", "main", "emergency", "to"];

/// Words of a heading: split at everything that is no letter or digit, at a small letter before a capital, and before
/// digits at the end.
fn words(heading: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    for c in heading.chars() {
        // `Pupil's` is one word.
        if matches!(c, '\'' | '\u{2019}') {
            continue;
        }
        let breaks = !c.is_alphanumeric()
            || (c.is_uppercase() && before.is_lowercase())
            || (c.is_ascii_digit() && before.is_alphabetic());
        if breaks && !word.is_empty() {
            out.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        out.push(word);
    }
    out
}

/// Headings that mean one thing whatever stands in them, closed up.
fn whole(closed: &str) -> Option<Field> {
    Some(match closed {
        "pupilids" | "studentids" => Field::PupilIds,
        "priority"
        | "contactpriority"
        | "contactorder"
        | "liveswithpupil"
        | "liveswithpupiltf"
        | "liveswithstudent"
        | "emergencycontact"
        | "receivescorrespondence" => Field::ContactMark,
        "parentalresponsibility"
        | "parentalresponsibilitytf"
        | "responsibility"
        | "legalguardian"
        | "legalresponsibility"
        | "hasparentalresponsibility" => Field::Responsibility,
        "relationship"
        | "relationshiptopupil"
        | "relationshiptostudent"
        | "relationshiptochild"
        | "relation"
        | "contactrelationship"
        | "parentrelationship"
        | "relationshiptype" => Field::Relationship,
        "otherforenames" => Field::OtherForenames,
        "othersurnames" => Field::OtherSurnames,
        "privateemail" | "privateemailaddress" | "personalemail" => Field::PrivateEmail,
        "privatephone" => Field::PrivatePhone,
        "maysendas" => Field::MaySendAs,
        "jobtitle" | "role" | "post" | "position" | "staffrole" => Field::Role,
        "contactnumber" | "contacttelephone" | "contactphone" | "contacttelephonenumber" => Field::Phone,
        "tutorgroup" | "tutorgrp" | "formtutorgroup" => Field::Form,
        _ => return None,
    })
}

/// Headings that ask for a yes or a no, told by what they speak of: there are too many ways to put them. `Contact` is no
/// person where it stands in `No contact`.
fn asks(words: &[String]) -> Option<Field> {
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let pair = |one: &[&str], two: &[&str]| {
        words.windows(2).any(|pair| one.contains(&pair[0].as_str()) && two.contains(&pair[1].as_str()))
    };
    let orders = ["order", "orders"];
    if pair(&["court", "restraining", "molestation", "steps"], &orders)
        || pair(&["no"], &["contact"])
        || pair(&["contact", "access", "legal"], &["restriction", "restrictions", "restricted", "prohibited", "denied"])
        || any(&["barred", "injunction"])
    {
        return Some(Field::Barred);
    }
    let photo = any(&[
        "photo",
        "photos",
        "photograph",
        "photographs",
        "photography",
        "image",
        "images",
        "picture",
        "pictures",
        "media",
    ]);
    let agreement = any(&["consent", "consents", "permission", "permissions", "agreed", "optin", "opted", "opt"]);
    let refusal = any(&["optout", "refused", "refusal", "declined", "withdrawn", "withheld"])
        || pair(&["opt", "opted"], &["out"])
        // `Email no` is a number.
        || (agreement || photo) && any(&["no", "not"]);
    if !(agreement || refusal) {
        return None;
    }
    let spoken = |yes: Field, no: Field| Some(if refusal { no } else { yes });
    if photo {
        return spoken(Field::PhotoConsent, Field::PhotoRefusal);
    }
    if any(&["email", "emails", "electronic"]) || pair(&["e"], &["mail", "mails"]) {
        return spoken(Field::EmailConsent, Field::EmailRefusal);
    }
    None
}

/// What is left of a heading when the person is taken out of it, closed up.
fn field(closed: &str) -> Option<Field> {
    Some(match closed {
        "id" | "adno" | "admno" | "admissionnumber" | "admissionno" | "misid" | "reference" | "ref" | "externalid"
        | "sourcedid" | "code" | "personid" | "no" | "upi" => Field::Id,
        "upn" | "uniquepupilnumber" | "unique" | "uniquenumber" => Field::Upn,
        "formerupn" | "previousupn" => Field::FormerUpn,
        "uln" | "uniquelearnernumber" => Field::Uln,
        "nhsnumber" | "nhsno" | "nhs" => Field::Nhs,
        "title" | "salutation" => Field::Title,
        "forename" | "forenames" | "firstname" | "firstnames" | "givenname" | "givennames" | "fname" => Field::Forename,
        "surname" | "lastname" | "familyname" | "lname" => Field::Surname,
        "name" | "fullname" | "displayname" | "surnameforename" | "forenamesurname" | "names" | "lastnamefirstname"
        | "surnamefirstname" | "surnameforenames" => Field::FullName,
        "legalforename" | "legalforenames" | "legalfirstname" | "legalgivenname" => Field::LegalForename,
        "legalsurname" | "legallastname" | "legalfamilyname" => Field::LegalSurname,
        "preferredforename" | "preferredfirstname" | "preferredgivenname" | "prefforename" | "knownas"
        | "knownasname" | "preferredname" | "chosenname" | "chosenforename" | "nickname" | "preferredforenames" => {
            Field::PreferredForename
        }
        "preferredsurname"
        | "preferredlastname"
        | "preferredfamilyname"
        | "prefsurname"
        | "chosensurname"
        | "knownassurname" => Field::PreferredSurname,
        "formerforename" | "previousforename" | "formerfirstname" => Field::FormerForename,
        "formersurname" | "previoussurname" | "formerlastname" | "birthsurname" | "previouslastname" => {
            Field::FormerSurname
        }
        "middlename" | "middlenames" | "middlenamess" | "othernames" | "preferredmiddlename" => Field::MiddleNames,
        "dob" | "dateofbirth" | "datebirth" | "birthdate" | "birthday" | "dobdate" => Field::BirthDate,
        "leavingdate" | "dateofleaving" | "dateleaving" | "leavedate" | "dateleft" | "leftdate" | "leaverdate"
        | "dol" => Field::Left,
        "gender" | "sex" | "legalsex" => Field::Gender,
        "year"
        | "yeargroup"
        | "ncyear"
        | "yr"
        | "yrgrp"
        | "yeargrp"
        | "yearcode"
        | "nationalcurriculumyear"
        | "nationalcurriculumyeargroup"
        | "curriculumyear"
        | "yeartaught"
        | "yeartaughtin"
        | "ncyearactual"
        | "grade"
        | "actualncyear"
        | "curriculumyeargroup" => Field::Year,
        "reg" | "reggroup" | "reggrp" | "registration" | "registrationgroup" | "registrationform"
        | "registrationname" | "regform" | "form" | "formgroup" | "formname" | "registrationclass"
        | "formtutorgroup" => Field::Form,
        "class" | "classname" => Field::Class,
        "address" | "homeaddress" | "fulladdress" | "addressline1" | "addressline2" | "addressline3" | "address1"
        | "address2" | "address3" | "street" | "town" | "housenumber" | "housename" | "addressblock" => Field::Address,
        "postcode" | "homepostcode" | "postalcode" | "zip" => Field::Postcode,
        "phone"
        | "telephone"
        | "tel"
        | "mobile"
        | "mobilenumber"
        | "mobiletelephone"
        | "mobilephone"
        | "phonenumber"
        | "telephonenumber"
        | "hometelephone"
        | "homephone"
        | "hometel"
        | "mobiletel"
        | "worktelephone"
        | "phone1"
        | "mobiletelephonenumber"
        | "hometelephonenumber"
        | "number"
        | "mobilephonenumber"
        | "dayphone" => Field::Phone,
        "email" | "emailaddress" | "emails" | "mail" | "homeemail" | "homeemailaddress" | "workemail"
        | "workemailaddress" | "schoolemail" | "schoolemailaddress" | "emailhome" | "emailwork" | "email1"
        | "email2" | "emailaddresses" | "otheremail" | "emailaddress1" | "emailaddress2" => Field::Email,
        _ => return None,
    })
}

/// A heading read by itself: whose it says it is, what it holds, and what it says of a contact.
type Heading = (Option<Whose>, Field, Option<&'static str>);

fn read(heading: &str) -> Option<Heading> {
    let words = words(heading);
    let closed = words.concat();
    if let Some(field) = whole(&closed) {
        return Some((None, field, None));
    }
    let asked = asks(&words);
    let is = |list: &[&str], word: &String| list.contains(&word.as_str());
    let names_somebody = |at: usize| {
        let own = is(PUPIL, &words[at]) || is(CONTACT, &words[at]) || is(STAFF, &words[at]);
        // `No contact`, `contact restrictions`, `parental consent`: what is asked, not whom it is about.
        own && (asked.is_none()
            || !matches!(words[at].as_str(), "contact" | "parental")
            || words.get(at + 1).is_some_and(|next| next.parse::<u8>().is_ok()))
    };
    let person = (0..words.len()).find(|&at| names_somebody(at));
    let Some(person) = person else {
        if let Some(field) = asked {
            return Some((None, field, None));
        }
        let plain = words.iter().filter(|word| !is(NOISE, word)).map(String::as_str).collect::<String>();
        return field(&closed).or_else(|| field(&plain)).map(|field| (None, field, None));
    };
    let word = &words[person];
    // The number of a contact stands behind the person (`Parent 2 Email`) or at the very end (`parent_email2`).
    let number = words.iter().skip(person + 1).find_map(|word| word.parse::<u8>().ok());
    let relation = match word.as_str() {
        "mother" | "mothers" | "mum" | "mums" => Some("mother"),
        "father" | "fathers" | "dad" | "dads" => Some("father"),
        _ => None,
    };
    let rest: String = words
        .iter()
        .filter(|word| {
            !(is(PUPIL, word) || is(CONTACT, word) || is(STAFF, word) || is(NOISE, word) || word.parse::<u8>().is_ok())
        })
        .map(String::as_str)
        .collect();
    let whose = if is(PUPIL, word) {
        Whose::Pupil
    } else if is(STAFF, word) {
        Whose::Staff
    } else {
        match relation {
            Some("mother") => Whose::Contact(101),
            Some(_) => Whose::Contact(102),
            None => Whose::Contact(number.unwrap_or(1).clamp(1, 20)),
        }
    };
    let field = match rest.as_str() {
        _ if asked.is_some() => asked?,
        "" => Field::FullName,
        "number" if whose == Whose::Pupil => Field::Id,
        rest => field(rest).or_else(|| whole(rest))?,
    };
    Some((Some(whose), field, relation))
}

/// What a heading means by itself, whoever it is about.
pub fn told(heading: &str) -> Option<Field> {
    read(heading).map(|(_, field, _)| field)
}

/// How many different things the cells, taken as headings, tell; 0 where no person could be told by them.
pub fn score(cells: &[String]) -> usize {
    let mut seen: Vec<(Option<Whose>, Field)> = Vec::new();
    for (whose, field, _) in cells.iter().filter_map(|cell| read(cell)) {
        if !seen.contains(&(whose, field)) {
            seen.push((whose, field));
        }
    }
    let has = |wanted: &[Field]| seen.iter().any(|(_, field)| wanted.contains(field));
    let named = has(&[Field::Surname, Field::FullName, Field::LegalSurname, Field::PreferredSurname]);
    if named && seen.len() >= 2 { seen.len() } else { 0 }
}

/// The meaning of every column of a heading.
pub fn meanings(heading: &[String]) -> Vec<Column> {
    let read: Vec<_> = heading.iter().map(|cell| read(cell)).collect();
    let staff = is_staff(&read);
    let mut now = if staff { Whose::Staff } else { Whose::Pupil };
    // A list of guardians has its own id first and names pupils by their ids.
    if read.iter().flatten().any(|(_, field, _)| *field == Field::PupilIds) {
        now = Whose::Contact(1);
    }
    let mut out: Vec<Column> = Vec::new();
    for (at, read) in read.into_iter().enumerate() {
        let taken = |whose: Whose, field: Field, out: &[Column]| {
            out.iter().any(|column| column.meaning == Some((whose, field)))
        };
        let mut relation = None;
        // `Class teacher` beside a pupil is nobody whom this file lists.
        let read = read.filter(|(whose, ..)| staff || *whose != Some(Whose::Staff));
        let meaning = read.map(|(whose, field, related)| {
            relation = related;
            let whose = match (whose, field) {
                (_, Field::PhotoConsent | Field::PhotoRefusal | Field::Left) if !staff => Whose::Pupil,
                (Some(whose), _) => whose,
                (None, _) if staff => Whose::Staff,
                (None, Field::PupilIds | Field::ContactMark | Field::Relationship | Field::Responsibility) => match now
                {
                    Whose::Contact(n) => Whose::Contact(n),
                    _ => Whose::Contact(1),
                },
                // Only pupils have these.
                (
                    None,
                    Field::Upn
                    | Field::FormerUpn
                    | Field::Uln
                    | Field::Nhs
                    | Field::Year
                    | Field::Form
                    | Field::Class
                    | Field::BirthDate
                    | Field::LegalSurname
                    | Field::LegalForename
                    | Field::PreferredForename
                    | Field::PreferredSurname
                    | Field::FormerSurname
                    | Field::FormerForename,
                ) => Whose::Pupil,
                (None, Field::Forename | Field::Surname | Field::FullName | Field::Title)
                    if taken(now, field, &out) =>
                {
                    match now {
                        Whose::Contact(n) => Whose::Contact(n.saturating_add(1)),
                        _ => Whose::Contact(1),
                    }
                }
                // Where a list has no columns for parents, the mailbox of the home is theirs.
                (None, Field::Email) if now == Whose::Pupil && is_home(&heading[at]) => {
                    relation = Some("home");
                    Whose::Contact(103)
                }
                (None, _) => now,
            };
            // Facts that only pupils have do not end what is told of a contact.
            let ends = !matches!(
                field,
                Field::Class
                    | Field::Form
                    | Field::Year
                    | Field::Upn
                    | Field::PhotoConsent
                    | Field::PhotoRefusal
                    | Field::Left
            );
            if ends && whose != Whose::Contact(103) {
                now = whose;
            }
            (whose, field)
        });
        let label = match meaning {
            Some(_) => format!("{} ({})", heading[at].trim(), letter(at)),
            // An unknown heading may be anything, a pupil's name among them: it is not repeated.
            None => letter(at),
        };
        out.push(Column { label, meaning, relation });
    }
    out
}

fn is_home(heading: &str) -> bool {
    words(heading).iter().any(|word| word == "home")
}

/// A list of staff: it says so, or has what only staff have, and nothing that only pupils have.
fn is_staff(read: &[Option<Heading>]) -> bool {
    let has = |wanted: &dyn Fn(Option<Whose>, Field) -> bool| read.iter().flatten().any(|(w, f, _)| wanted(*w, *f));
    let pupil = has(&|whose, field| {
        whose == Some(Whose::Pupil)
            || matches!(whose, Some(Whose::Contact(_)))
            || matches!(
                field,
                Field::Upn
                    | Field::Year
                    | Field::Form
                    | Field::PupilIds
                    | Field::ContactMark
                    | Field::Relationship
                    | Field::Responsibility
                    | Field::Barred
            )
    });
    let staff = has(&|whose, field| {
        whose == Some(Whose::Staff) || matches!(field, Field::Role | Field::MaySendAs | Field::PrivateEmail)
    });
    staff && !pupil
}
