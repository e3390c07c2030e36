//! `schoolgate worker`: one of the processes in which `serve` has files read. Not for people: it speaks frames, not words.

use std::process::ExitCode;

use anyhow::{Context, Result};

/// Read files that the gateway hands over on standard input.
#[derive(Debug, clap::Args)]
pub struct Worker {}

/// Runs the command.
pub fn run(_: &Worker) -> Result<ExitCode> {
    crate::extract::worker::run().context("worker")?;
    Ok(ExitCode::SUCCESS)
}
