//! `schoolgate roster show`: who is loaded, as the running gateway would use it.
//!
//! Names and mailboxes go to a terminal only; a file or another program gets ids, classes and numbers.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::ground;
use super::terminal::{safe, say};
use crate::config::{self, Config};
use crate::people::{Correspondent, Guardian, Pupil, PupilIndex, School, Staff};

/// Show what the roster holds, as the gateway would use it: how many, or whom
///
/// Without an option it counts. Names and mailboxes are shown on a terminal only; a file or another program gets ids and
/// numbers.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
    config: PathBuf,
    /// List the pupils
    #[arg(long)]
    pupils: bool,
    /// List the guardians, each with their pupils
    #[arg(long)]
    guardians: bool,
    /// List the staff
    #[arg(long)]
    staff: bool,
    /// List the correspondents: whom the school trusts, and its contacts
    #[arg(long)]
    contacts: bool,
    /// Fail where names cannot be shown: to anything but a terminal
    #[arg(long)]
    names: bool,
    /// Only whoever has this word in a name, id, class or mailbox; of all kinds, unless one is asked for
    #[arg(value_name = "WORD")]
    word: Option<String>,
}

impl Show {
    /// Runs the command.
    pub fn run(&self) -> Result<ExitCode> {
        let names = std::io::stdout().is_terminal();
        if self.names && !names {
            bail!("--names shows names: it prints to a terminal, not to a file or another program");
        }
        let config = Config::load(&self.config)?;
        let school = &ground::school(&config)?.school;
        let imported = config.directory.imported && ground::imported(&config)?.is_some();
        let links: usize = school.guardians.iter().map(|guardian| guardian.pupils.len()).sum();
        say!(
            "{}: {} pupils, {} guardians with {links} links to pupils, {} staff, {} correspondents",
            safe(&school.name),
            school.pupils.len(),
            school.guardians.len(),
            school.staff.len(),
            school.correspondents.len()
        )?;
        let without = school.pupils.len() - with_guardian(school);
        if without > 0 {
            say!("{without} pupils have no guardian")?;
        }
        say!(
            "pupils and guardians are from {}",
            if imported { "the imported roster" } else { "the lists of [directory]" }
        )?;
        let asked = self.pupils || self.guardians || self.staff || self.contacts;
        if !asked && self.word.is_none() {
            return Ok(ExitCode::SUCCESS);
        }
        let word = self.word.as_deref().unwrap_or_default().to_lowercase();
        let mut lines = Vec::new();
        let mut list = |wanted: bool, entries: Vec<Entry>| {
            if wanted || !asked {
                let fits = |entry: &Entry| format!("{} {}", entry.plain, entry.named).to_lowercase().contains(&word);
                lines.extend(entries.into_iter().filter(fits).map(|entry| entry.line(names)));
            }
        };
        list(self.pupils, school.pupils.iter().map(pupil).collect());
        list(self.guardians, school.guardians.iter().map(|each| guardian(each, school)).collect());
        list(self.staff, school.staff.iter().map(staff).collect());
        list(self.contacts, school.correspondents.iter().map(correspondent).collect());
        say!("")?;
        for line in &lines {
            say!("{}", safe(line))?;
        }
        if lines.is_empty() {
            say!("nobody has this word in a name, id, class or mailbox")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn with_guardian(school: &School) -> usize {
    let mut has = vec![false; school.pupils.len()];
    for pupil in school.guardians.iter().flat_map(|guardian| &guardian.pupils) {
        if let Some(has) = has.get_mut(pupil.0 as usize) {
            *has = true;
        }
    }
    has.into_iter().filter(|has| *has).count()
}

/// One line: what anybody may read, and what goes to a terminal only.
struct Entry {
    plain: String,
    named: String,
}

impl Entry {
    fn line(&self, names: bool) -> String {
        if names && !self.named.is_empty() { format!("{}  {}", self.plain, self.named) } else { self.plain.clone() }
    }
}

/// What is filled, separated by commas.
fn joined(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(", ")
}

fn words(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(" ")
}

fn pupil(pupil: &Pupil) -> Entry {
    let forenames: Vec<&str> = pupil.forenames().filter(|name| *name != pupil.forename).collect();
    let surnames: Vec<&str> = pupil.surnames().filter(|name| *name != pupil.surname).collect();
    let also = joined(&[&forenames.join(", "), &surnames.join(", ")]);
    let also = if also.is_empty() { also } else { format!("also {also}") };
    let name = words(&[&pupil.forename, &pupil.surname]);
    let class = joined(&[&pupil.year_group, &pupil.form]);
    let left = pupil.left.map_or(String::new(), |date| format!("left {date}"));
    let pictures = match pupil.photo_consent {
        Some(true) => "pictures: yes",
        Some(false) => "pictures: no",
        None => "",
    };
    let told = joined(&[pictures, &left]);
    let told = if told.is_empty() { told } else { format!("  {told}") };
    Entry { plain: format!("pupil     {:<8} {class:<10}{told}", pupil.id), named: joined(&[&name, &also]) }
}

fn guardian(guardian: &Guardian, school: &School) -> Entry {
    let ids = |pupils: &[PupilIndex]| {
        let pupils = pupils.iter().filter_map(|at| school.pupil(*at));
        pupils.map(|pupil| pupil.id.as_str()).collect::<Vec<_>>().join(", ")
    };
    let without: Vec<PupilIndex> = guardian.responsibility.iter().filter(|(_, has)| !has).map(|(of, _)| *of).collect();
    let marked = |words: &str, pupils: &[PupilIndex]| {
        if pupils.is_empty() { String::new() } else { format!("; {words} {}", ids(pupils)) }
    };
    let kept = marked("kept from", &guardian.barred_from);
    let without = marked("no parental responsibility for", &without);
    let email_refused = if guardian.email_consent == Some(false) { "; no e-mail" } else { "" };
    let name = words(&[&guardian.title, &guardian.forename, &guardian.surname]);
    let email = guardian.email.as_deref().unwrap_or("no mailbox");
    Entry {
        plain: format!("guardian  {:<8} of {}{kept}{without}{email_refused}", guardian.id, ids(&guardian.pupils)),
        named: joined(&[&name, &guardian.relationship, email]),
    }
}

fn staff(staff: &Staff) -> Entry {
    let name = words(&[&staff.title, &staff.forename, &staff.surname]);
    let private = staff.private_email.as_deref().map_or(String::new(), |email| format!("private {email}"));
    Entry {
        plain: format!("staff     {:<8} {}", staff.id, staff.role),
        named: joined(&[&name, &staff.email, &private]),
    }
}

fn correspondent(correspondent: &Correspondent) -> Entry {
    let kind = if correspondent.trusted { "trusted" } else { "contact" };
    // A domain is an organisation's; a mailbox may be a person's.
    let person = correspondent.pattern.contains('@');
    let (domain, mailbox) =
        if person { ("one mailbox", &correspondent.pattern[..]) } else { (&correspondent.pattern[..], "") };
    Entry { plain: format!("{kind}   {domain}"), named: joined(&[mailbox, &correspondent.name]) }
}
