//! `schoolgate incident`: the register of breaches and near misses.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::ground;
use super::store::{Desk, unexpected};
use super::terminal::{safe, safe_json, say};
use crate::config::{self, Config};
use crate::limits;
use crate::relay::control::{Answer, Request};
use crate::review::incidents_as_table;
use crate::store::{Export, Incident as Kept, IncidentFilter, IncidentKind, IncidentLine, QueueId};

/// The register of breaches of personal data and near misses.
#[derive(Debug, clap::Subcommand)]
pub enum Incident {
    /// List incidents, those whose 72 hours run first: references, times and numbers, no name
    List {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// Those that are closed too
        #[arg(long)]
        all: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print one with all that was ever written of it, as JSON; recorded in the audit
    Show {
        /// Its reference
        id: String,
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// Who looks
        #[arg(long, value_name = "NAME")]
        who: String,
    },
    /// Enter one by hand
    Open {
        /// What it is taken for
        #[arg(long, value_name = "KIND", value_parser = kind)]
        kind: IncidentKind,
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// What happened; kept encrypted
        #[arg(long, value_name = "WORDS")]
        happened: String,
        /// The message that it is about
        #[arg(long, value_name = "ID")]
        message: Option<String>,
        /// Who enters it
        #[arg(long, value_name = "NAME")]
        who: String,
    },
    /// Print the register as a table, without names unless it is to be whole; recorded in the audit
    Export {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// With names and all that was written, for the data protection officer
        #[arg(long)]
        whole: bool,
        /// Who takes it away
        #[arg(long, value_name = "NAME")]
        who: String,
    },
    /// Print the incidents in which one child stands, as a table with everything; recorded in the audit
    Dossier {
        /// The child's id on the roster
        #[arg(long, value_name = "NAME")]
        pupil: String,
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// Who takes it away
        #[arg(long, value_name = "NAME")]
        who: String,
    },
}

fn kind(word: &str) -> Result<IncidentKind, String> {
    word.parse().map_err(|()| "the kinds are likely-breach and near-miss".to_owned())
}

/// Runs the command.
pub fn run(command: &Incident) -> Result<ExitCode> {
    super::runtime()?.block_on(async {
        let config = Config::load(command.config())?;
        let mut desk = Desk::of(config.clone())?;
        let done = command.carry_out(&mut desk, &config).await;
        desk.leave().await;
        done.map(|()| ExitCode::SUCCESS)
    })
}

/// One, in a line.
fn line(one: &IncidentLine, config: &Config) -> String {
    let day = |at: jiff::Timestamp| at.to_zoned(config.school_time.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    let children = if one.children == 1 { "1 child".to_owned() } else { format!("{} children", one.children) };
    let standing = match (one.closed_at, one.ends_at().filter(|_| one.runs()), one.ico) {
        (Some(closed), ..) => format!("closed {}", day(closed)),
        (None, Some(ends), _) => format!("the {} hours end {}", limits::INCIDENT_HOURS, day(ends)),
        (None, None, Some(true)) => "the ICO is told".to_owned(),
        (None, None, Some(false)) => "the ICO is not told".to_owned(),
        (None, None, None) => "open".to_owned(),
    };
    format!("{} {}, {children}, opened {}: {standing}", one.id, one.kind.in_words(), day(one.opened_at))
}

impl Incident {
    fn config(&self) -> &Path {
        match self {
            Self::List { config, .. }
            | Self::Show { config, .. }
            | Self::Open { config, .. }
            | Self::Export { config, .. }
            | Self::Dossier { config, .. } => config,
        }
    }

    async fn carry_out(&self, desk: &mut Desk, config: &Config) -> Result<()> {
        match self {
            Self::List { all, json, .. } => {
                let filter = IncidentFilter { open: (!all).then_some(true), ..IncidentFilter::default() };
                let Answer::Incidents(lines) = desk.ask(Request::Incidents(filter)).await? else { return unexpected() };
                if *json {
                    return Ok(say!("{}", safe_json(&lines)?)?);
                }
                if lines.is_empty() {
                    return Ok(say!("there is no incident")?);
                }
                for one in &lines {
                    say!("{}", safe(&line(one, config)))?;
                }
                Ok(())
            }
            Self::Show { id, who, .. } => {
                let request = Request::Incident { id: QueueId(id.clone()), who: who.clone() };
                match desk.ask(request).await? {
                    Answer::Incident(incident) => Ok(say!("{}", safe_json(&incident)?)?),
                    _ => unexpected(),
                }
            }
            Self::Open { kind, happened, message, who, .. } => {
                let message = message.clone().map(QueueId);
                let request =
                    Request::OpenIncident { kind: *kind, happened: happened.clone(), message, who: who.clone() };
                match desk.ask(request).await? {
                    Answer::IncidentOpened(Some(id)) => Ok(say!("opened: {}", safe(&id.0))?),
                    Answer::IncidentOpened(None) => bail!("there is an incident about this message already"),
                    _ => unexpected(),
                }
            }
            Self::Export { whole, who, .. } => {
                let what = if *whole { Export::Whole } else { Export::Register };
                let all = exported(desk, what, None, who).await?;
                table(config, &all, *whole)
            }
            Self::Dossier { pupil, who, .. } => {
                let all = exported(desk, Export::Dossier, Some(pupil.clone()), who).await?;
                table(config, &all, true)
            }
        }
    }
}

async fn exported(desk: &mut Desk, what: Export, pupil: Option<String>, who: &str) -> Result<Vec<Kept>> {
    match desk.ask(Request::ExportIncidents { what, pupil, who: who.to_owned() }).await? {
        Answer::IncidentsExported(all) => Ok(all),
        _ => unexpected(),
    }
}

fn table(config: &Config, all: &[Kept], whole: bool) -> Result<()> {
    let now = jiff::Timestamp::now().to_zoned(config.school_time.zone.clone());
    let loaded = whole.then(|| ground::load(config)).transpose()?;
    let school = loaded.as_ref().map(|loaded| &*loaded.ground.school);
    for row in incidents_as_table(all, school, &now).split_inclusive("\r\n") {
        say!("{}", safe(row.trim_end_matches("\r\n")))?;
    }
    Ok(())
}
