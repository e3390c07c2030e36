//! `schoolgate roster check` and `roster import`: which rows cannot be used, and a new roster from the exports of the
//! school's information system.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use zeroize::Zeroizing;

use super::ground;
use super::roster_show::Show;
use super::store::{Reached, answered, permitted, reach};
use super::terminal::{safe, say};
use crate::config::{self, Config};
use crate::limits;
use crate::people::import::{self, Change, Diff, Format, Imported};
use crate::people::{Pupil, Roster as People, RowFault};
use crate::relay::control::Request;
use crate::store::{Sealed, StoreKey};

/// Work with the roster.
#[derive(Debug, clap::Subcommand)]
pub enum Roster {
    /// Load the roster and name every row that cannot be used, by file, row and column. Exit status 10 when there is one
    Check {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
    },
    Import(Import),
    Show(Show),
}

/// Import the roster from exports of the school's information system, and keep it encrypted in the store
///
/// Reads CSV (SIMS, Arbor, Bromcom and others), OneRoster 1.1 and 1.2 bundles and Common Transfer Files. All sources
/// together are the new roster; guardians or staff of whom no source speaks stay as they are. A running gateway takes the
/// new roster at once. Exit status 10 when rows cannot be used.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
    config: PathBuf,
    /// What the sources are, where the guess is wrong: csv, sims, arbor, bromcom, oneroster or ctf
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Report and compare, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// Import even if many pupils or guardians would be gone
    #[arg(long)]
    force: bool,
    /// Show pupils' names with the changes; to a terminal only
    #[arg(long)]
    names: bool,
    /// Files, OneRoster folders or archives
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<PathBuf>,
}

/// Runs the command.
pub fn run(command: &Roster) -> Result<ExitCode> {
    match command {
        Roster::Check { config } => check(config),
        Roster::Import(args) => args.run(),
        Roster::Show(args) => args.run(),
    }
}

fn check(file: &Path) -> Result<ExitCode> {
    let config = Config::load(file)?;
    let loaded = ground::load(&config)?;
    print_rows(&loaded.faults, &loaded.notes)?;
    let school = &loaded.ground.school;
    say!(
        "{}: {} pupils, {} guardians, {} staff, {} correspondents; {} problems",
        safe(&school.name),
        school.pupils.len(),
        school.guardians.len(),
        school.staff.len(),
        school.correspondents.len(),
        loaded.faults.len()
    )?;
    Ok(if loaded.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(10) })
}

impl Import {
    fn run(&self) -> Result<ExitCode> {
        if self.names && !std::io::stdout().is_terminal() {
            bail!("--names shows pupils' names: it prints to a terminal, not to a file or another program");
        }
        let config = Config::load(&self.config)?;
        let place = config
            .store
            .as_ref()
            .ok_or_else(|| anyhow!("{}: [store] is missing: the roster is kept there", self.config.display()))?;
        permitted(&place.path)?;
        let key = StoreKey::load(place.key_file.as_deref())?;
        let sealed = Sealed::new(&place.path);
        // A dry run leaves no trace, a lock file neither.
        let replacing = if self.dry_run { None } else { Some(sealed.replacing()?) };
        let earlier = match ground::open(&sealed, &key)? {
            Some(roster) => roster,
            None => from_files(&config)?,
        };
        let imported = import::import(&self.sources, self.format, Some(&earlier))?;
        let diff = Diff::between(&earlier, &imported.roster);
        let refused =
            refusal(&diff, &earlier, &imported.roster).filter(|_| !self.force || imported.roster.pupils.is_empty());
        // Stored before anything is said: whoever reads the report to its first page only must not stop the import.
        let stored = replacing.is_some() && refused.is_none();
        if stored {
            let roster = Zeroizing::new(serde_json::to_vec(&imported.roster)?);
            super::runtime()?.block_on(store(&place.path, &key, roster)).context("the earlier roster stays")?;
        }
        drop(replacing);
        report(&imported)?;
        self.print_changes(&diff, &earlier, &imported.roster)?;
        match refused {
            Some(refused) if self.dry_run => say!("an import would be refused: {refused}")?,
            Some(refused) => bail!("nothing was imported: {refused}"),
            None => {}
        }
        if stored {
            let roster = &imported.roster;
            let counts = [roster.pupils.len(), roster.guardians.len(), roster.staff.len()];
            say!("stored: {} pupils, {} guardians, {} staff", counts[0], counts[1], counts[2])?;
        } else {
            say!("dry run: nothing was stored")?;
        }
        if stored && !config.directory.imported {
            let file = safe(&config.file.display().to_string());
            say!("{file} does not use it yet: set `imported = true` under [directory]")?;
        }
        Ok(if imported.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(10) })
    }

    fn print_changes(&self, diff: &Diff, earlier: &People, new: &People) -> Result<()> {
        let named = |pupil: &Pupil| {
            let name = format!("{} {}", pupil.forename, pupil.surname);
            safe(&if self.names { format!("{} ({name})", pupil.id) } else { pupil.id.clone() })
        };
        for change in &diff.changes {
            match change {
                Change::New(at) => say!("new      {}", named(&new.pupils[*at]))?,
                Change::Gone(at) => say!("gone     {}", named(&earlier.pupils[*at]))?,
                Change::Changed(at, columns) => {
                    say!("changed  {}: {}", named(&new.pupils[*at]), columns.join(", "))?;
                }
            }
        }
        say!(
            "against what is loaded: {} pupils new, {} gone, {} changed, {} as before",
            diff.added(),
            diff.gone(),
            diff.changed(),
            new.pupils.len() - diff.added() - diff.changed()
        )?;
        Ok(())
    }
}

/// Has the running gateway replace the roster, and replaces it ourselves while none runs.
async fn store(directory: &Path, key: &StoreKey, roster: Zeroizing<Vec<u8>>) -> Result<()> {
    let request = Request::ReplaceRoster { roster };
    match reach(directory, &request, Path::exists).await? {
        Reached::Gateway(answer) => answered(answer).map(drop),
        Reached::Alone(_lock) => {
            let Request::ReplaceRoster { roster } = &request else { return Ok(()) };
            Ok(Sealed::new(directory).replace(key, roster)?)
        }
    }
}

/// The roster that the configuration's files give, which the first import is compared with; empty where they name none.
fn from_files(config: &Config) -> Result<People> {
    if config.directory.pupils.is_none() {
        return Ok(People::default());
    }
    let school = ground::school(config)?.school;
    Ok(People { pupils: school.pupils, guardians: school.guardians, staff: school.staff })
}

/// Why the new roster must not take the place of the earlier one: without its pupils mail is not recognised, without their
/// guardians right mail is stopped.
fn refusal(diff: &Diff, earlier: &People, new: &People) -> Option<String> {
    if new.pupils.is_empty() {
        return Some("the sources name no pupil who can be used".to_owned());
    }
    let fewer = earlier.guardians.len().saturating_sub(new.guardians.len());
    let kinds = [("pupils", diff.gone(), earlier.pupils.len()), ("guardians", fewer, earlier.guardians.len())];
    let (kind, gone, all) = kinds.into_iter().find(|(_, gone, all)| gone * 100 > all * limits::ROSTER_DROP_PERCENT)?;
    Some(format!(
        "{gone} of {all} {kind} would be gone, more than {} in a hundred; look at the sources, and use --force if it is right",
        limits::ROSTER_DROP_PERCENT
    ))
}

/// Every row that cannot be used, and as a note what was put right or passed over.
fn print_rows(faults: &[RowFault], notes: &[RowFault]) -> Result<()> {
    for fault in faults {
        say!("{}", safe(&fault.to_string()))?;
    }
    for note in notes {
        say!("note: {}", safe(&note.to_string()))?;
    }
    Ok(())
}

/// What was read, and every row that cannot be used.
fn report(imported: &Imported) -> Result<()> {
    print_rows(&imported.faults, &imported.notes)?;
    for source in &imported.sources {
        say!(
            "{} ({}): {} rows of pupils, {} contacts, {} staff",
            safe(&source.file.display().to_string()),
            source.format.as_str(),
            source.pupils,
            source.contacts,
            source.staff
        )?;
    }
    for kind in &imported.kept {
        say!("{kind}: no source has any; those of before stay")?;
    }
    let roster = &imported.roster;
    say!(
        "read: {} pupils, {} guardians, {} staff; {} problems",
        roster.pupils.len(),
        roster.guardians.len(),
        roster.staff.len(),
        imported.faults.len()
    )?;
    Ok(())
}
