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
use crate::review::{incident_child as in_words, incidents_as_table};
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
    /// Show one, whole; recorded in the audit
    Show {
        /// Its reference
        id: String,
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// Who looks
        #[arg(long, value_name = "NAME")]
        who: String,
        /// Print JSON, with every earlier version
        #[arg(long)]
        json: bool,
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

/// One as it stands now, a fact to a line; words of several lines are indented.
fn show(incident: &Kept, config: &Config) -> Result<()> {
    let (one, of) = (&incident.line, incident.assessment());
    say!("{}", safe(&line(one, config)))?;
    let school = ground::load(config)?.ground.school.clone();
    let zone = &config.school_time.zone;
    let time = |at: jiff::Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    let said = |at: Option<jiff::Timestamp>, by: Option<&str>| {
        at.map(|at| format!("{}{}", time(at), by.map_or(String::new(), |by| format!(", said by {by}"))))
    };
    let told =
        |told: Option<bool>, why: &str| told.map(|told| format!("{}: {why}", if told { "told" } else { "not told" }));
    let children: Vec<String> = of.children.iter().map(|child| in_words(child, &school)).collect();
    let further = (of.further > 0).then(|| of.further.to_string());
    let written = incident.versions.first();
    let written = written.map(|last| format!("version {}, {} by {}", last.version, time(last.at), last.by));
    let closed = one
        .closed_at
        .map(|at| format!("{} by {}: {}", time(at), one.closed_by.as_deref().unwrap_or_default(), of.closed_why));
    let words = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    for (what, value) in [
        ("opened by", Some(format!("{} ({})", one.opened_by, one.origin.as_str()))),
        ("message", one.message.as_ref().map(ToString::to_string)),
        ("report", one.report.as_ref().map(ToString::to_string)),
        ("aware since", said(one.aware_at, one.aware_by.as_deref())),
        ("what happened", words(&of.happened)),
        ("whose data", words(&children.join("\n"))),
        ("children besides", further),
        ("adults", words(&of.adults)),
        ("to whom", words(&of.to_whom)),
        ("likely consequences", words(&of.consequences)),
        ("measures", words(&of.measures)),
        ("the ICO", told(of.ico, &of.ico_why)),
        ("the families", told(of.families, &of.families_why)),
        ("closed", closed),
        ("last written", written),
    ] {
        let Some(value) = value else { continue };
        let mut lines = value.lines();
        say!("{what}: {}", safe(lines.next().unwrap_or_default()))?;
        for more in lines {
            say!("    {}", safe(more))?;
        }
    }
    Ok(())
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
            Self::Show { id, who, json, .. } => {
                let request = Request::Incident { id: QueueId(id.clone()), who: who.clone() };
                let Answer::Incident(incident) = desk.ask(request).await? else { return unexpected() };
                match json {
                    true => Ok(say!("{}", safe_json(&incident)?)?),
                    false => show(&incident, config),
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
