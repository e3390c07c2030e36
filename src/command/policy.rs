//! `schoolgate policy check`: checks a rule pack whole, and prints it as a table.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use comfy_table::{ContentArrangement, Table, presets};

use super::terminal::{safe, say};
use crate::policy::{Mode, RulePack};

/// Work with rule packs.
#[derive(Debug, clap::Subcommand)]
pub enum Policy {
    /// Check a rule pack whole; every problem is named with line and column
    Check {
        /// A file, or the name of an embedded pack
        #[arg(default_value = "core")]
        pack: PathBuf,
    },
}

/// Runs the command.
pub fn run(command: &Policy) -> Result<ExitCode> {
    let Policy::Check { pack } = command;
    let pack = match pack.to_str() {
        Some(name) if !name.ends_with(".toml") => RulePack::embedded(name)?,
        _ => RulePack::load(pack)?,
    };
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Dynamic).set_header([
        "rule",
        "action",
        "likely breach",
        "mode",
        "confirmed by",
        "why",
    ]);
    for rule in &pack.rules {
        let mode = match rule.mode {
            Mode::Observe => "observe",
            Mode::Warn => "warn",
            Mode::Enforce => "enforce",
        };
        let breach = if rule.breach { "yes" } else { "no" };
        table.add_row([rule.id.as_str(), rule.action.as_str(), breach, mode, rule.confirm.as_str(), &safe(&rule.why)]);
    }
    say!("{table}\n\npack `{}` is sound: {} rules", safe(&pack.name), pack.rules.len())?;
    Ok(ExitCode::SUCCESS)
}
