//! `schoolgate allow`: what was confirmed, so that a rule does not ask again, and ending it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::store::{Because, Desk, One, unexpected};
use super::terminal::{safe, safe_json, say};
use crate::config;
use crate::relay::control::{Answer, Request};

/// See and end what was allowed.
#[derive(Debug, clap::Subcommand)]
pub enum Allow {
    /// List what is allowed now, the newest first
    List {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End one; the rule asks again from then on
    End {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        because: Because,
    },
}

/// Runs the command.
pub fn run(command: &Allow) -> Result<ExitCode> {
    super::runtime()?.block_on(async {
        let mut desk = Desk::at(command.config())?;
        let done = command.carry_out(&mut desk).await;
        desk.leave().await;
        done.map(|()| ExitCode::SUCCESS)
    })
}

impl Allow {
    fn config(&self) -> &Path {
        match self {
            Self::List { config, .. } => config,
            Self::End { one, .. } => &one.config,
        }
    }

    async fn carry_out(&self, desk: &mut Desk) -> Result<()> {
        match self {
            Self::List { json, .. } => {
                let Answer::Allowances(all) = desk.ask(Request::Allowances).await? else { return unexpected() };
                if *json {
                    return Ok(say!("{}", safe_json(&all)?)?);
                }
                if all.is_empty() {
                    return Ok(say!("nothing is allowed beyond the rules")?);
                }
                for kept in all {
                    let allowance = &kept.allowance;
                    let about = allowance.pupil.as_deref().map_or(String::new(), |pupil| format!(" about {pupil}"));
                    let line = format!(
                        "{} {} to {}{about}: {}, until {}, given by {} on {}",
                        kept.id,
                        allowance.sender,
                        allowance.recipient,
                        allowance.rule,
                        allowance.until,
                        allowance.by,
                        allowance.given_at.strftime("%Y-%m-%d"),
                    );
                    say!("{}", safe(&line))?;
                }
                Ok(())
            }
            Self::End { one, because } => {
                let request = Request::EndAllowance { id: one.id.clone(), because: because.checked()? };
                match desk.ask(request).await? {
                    Answer::AllowanceEnded(true) => Ok(say!("ended: the rule asks again from now on")?),
                    Answer::AllowanceEnded(false) => bail!("nothing that holds has the id {}", safe(&one.id)),
                    _ => unexpected(),
                }
            }
        }
    }
}
