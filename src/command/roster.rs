//! `schoolgate roster check`: loads the roster as the gateway would and names every row that it cannot use.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::terminal::{safe, say};
use crate::config::Config;

/// Work with the roster.
#[derive(Debug, clap::Subcommand)]
pub enum Roster {
    /// Load the roster and name every row that cannot be used, by file, row and column. Exit status 10 when there is one
    Check {
        /// Configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

/// Runs the command.
pub fn run(command: &Roster) -> Result<ExitCode> {
    let Roster::Check { config } = command;
    let config = Config::load(config)?;
    let loaded = super::ground::load(&config)?;
    for fault in &loaded.faults {
        say!("{}", safe(&fault.to_string()))?;
    }
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
