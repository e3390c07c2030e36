//! The form by which a disclosure is asked for: to a request and back.

use jiff::civil::Date;
use jiff::{Timestamp, Zoned};
use minijinja::{Value, context};
use serde::Deserialize;

use crate::review::view::Trouble;
use crate::smtp::Address;
use crate::store::{DisclosureKind, NewDisclosure, Search};

/// What stands in the form.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Ask {
    /// Of the session.
    pub token: String,
    kind: String,
    words: String,
    /// Id of the roster.
    pupil: String,
    mailbox: String,
    applicant: String,
    /// The first day.
    since: String,
    /// The last day.
    until: String,
    why: String,
}

fn filled(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn mailbox(field: &'static str, text: &str) -> Result<Option<String>, Trouble> {
    let Some(text) = filled(text) else { return Ok(None) };
    match Address::parse(&text) {
        Ok(address) => Ok(Some(address.to_string())),
        Err(_) => Err(Trouble::at(field, "This is no e-mail address.".to_owned())),
    }
}

/// The first moment of a day, or of the day after it.
fn moment(field: &'static str, text: &str, after: bool, now: &Zoned) -> Result<Option<Timestamp>, Trouble> {
    let Some(text) = filled(text) else { return Ok(None) };
    let day = text.parse::<Date>().ok();
    let day = day.and_then(|day| if after { day.tomorrow().ok() } else { Some(day) });
    let at = day.and_then(|day| day.to_zoned(now.time_zone().clone()).ok());
    at.map(|at| Some(at.timestamp())).ok_or_else(|| Trouble::at(field, "This is no day.".to_owned()))
}

impl Ask {
    /// For the page.
    pub fn shown(&self) -> Value {
        context! {
            kind => self.kind.as_str(),
            words => self.words.as_str(),
            pupil => self.pupil.as_str(),
            mailbox => self.mailbox.as_str(),
            applicant => self.applicant.as_str(),
            since => self.since.as_str(),
            until => self.until.as_str(),
            why => self.why.as_str(),
        }
    }

    /// What is asked for.
    ///
    /// # Errors
    /// What is wrong with the form.
    pub fn read(&self, now: &Zoned) -> Result<NewDisclosure, Trouble> {
        let kind: DisclosureKind =
            self.kind.parse().map_err(|()| Trouble::at("kind", "Choose what it is for.".to_owned()))?;
        let search = Search {
            words: self.words.trim().to_owned(),
            pupil: filled(&self.pupil),
            mailbox: mailbox("mailbox", &self.mailbox)?,
            since: moment("since", &self.since, false, now)?,
            until: moment("until", &self.until, true, now)?,
        };
        if search.is_empty() {
            let words = "Say what is looked for: words, a pupil, a mailbox or days.";
            return Err(Trouble::at("words", words.to_owned()));
        }
        let applicant = mailbox("applicant", &self.applicant)?;
        let reason = filled(&self.why).ok_or_else(|| Trouble::at("why", "Say why; it is kept with it.".to_owned()))?;
        Ok(NewDisclosure { kind, search, applicant, reason })
    }
}
