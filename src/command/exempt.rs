//! `schoolgate exempt`: senders whom the head exempts from a rule for a time.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use jiff::Timestamp;
use jiff::civil::Date;

use super::ground;
use super::store::{Because, Desk, One, unexpected};
use super::terminal::{safe, safe_json, say};
use crate::config::{self, Config};
use crate::relay::control::{self, Answer, Request};
use crate::relay::remembered;
use crate::smtp::Address;
use crate::store::KeptExemption;

/// Exempt senders from a rule for a time, as the head alone may.
#[derive(Debug, clap::Subcommand)]
pub enum Exempt {
    /// Exempt a sender from a rule whose pack says that it may be
    Grant {
        /// Id of the rule
        rule: String,
        /// The sender's school mailbox
        #[arg(value_parser = Address::parse)]
        sender: Address,
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// The last day, as 2027-07-20
        #[arg(long, value_name = "DATE")]
        until: Date,
        /// Why; goes into the audit and the list
        #[arg(long, value_name = "WORDS")]
        because: String,
        /// Who grants it: the name of an account of the desk with the role head
        #[arg(long, value_name = "NAME")]
        who: String,
    },
    /// List who is exempt now, the newest first
    List {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End one; the rule holds for the sender again from then on
    End {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        because: Because,
    },
}

/// Runs the command.
pub fn run(command: &Exempt) -> Result<ExitCode> {
    super::runtime()?.block_on(async {
        let config = Config::load(command.config())?;
        // Who may not go to the store is told so before anything is read.
        let mut desk = Desk::of(config.clone())?;
        let done = command.carry_out(&mut desk, &config).await;
        desk.leave().await;
        done.map(|()| ExitCode::SUCCESS)
    })
}

/// All that hold now.
pub async fn in_force(desk: &mut Desk) -> Result<Vec<KeptExemption>> {
    match desk.ask(Request::Exemptions).await? {
        Answer::Exemptions(all) => Ok(all),
        _ => unexpected(),
    }
}

/// One, in a line.
pub fn line(kept: &KeptExemption, config: &Config) -> String {
    let one = &kept.exemption;
    let day = |at: Timestamp| at.to_zoned(config.school_time.zone.clone()).date();
    let last = one.until.saturating_sub(jiff::Span::new().seconds(1)).unwrap_or(one.until);
    format!(
        "{} is exempt from {} until the end of {}, granted by {} on {}: {}",
        one.sender,
        one.rule,
        day(last),
        one.by,
        day(one.given_at),
        one.because,
    )
}

impl Exempt {
    fn config(&self) -> &Path {
        match self {
            Self::Grant { config, .. } | Self::List { config, .. } => config,
            Self::End { one, .. } => &one.config,
        }
    }

    async fn carry_out(&self, desk: &mut Desk, config: &Config) -> Result<()> {
        match self {
            Self::Grant { rule, sender, until, because, who, .. } => {
                let end = until.tomorrow()?.to_zoned(config.school_time.zone.clone())?.timestamp();
                let loaded = ground::load(config)?;
                let new =
                    remembered::exemption(&loaded.ground, rule, sender, end, because).map_err(|why| anyhow!(why))?;
                let because = control::Because { who: who.clone(), why: because.clone(), classification: None };
                match desk.ask(Request::Exempt { new, because }).await? {
                    Answer::Exempted => {
                        Ok(say!("{} is exempt from {} from now on", safe(sender.as_str()), safe(rule))?)
                    }
                    _ => unexpected(),
                }
            }
            Self::List { json, .. } => {
                let all = in_force(desk).await?;
                if *json {
                    return Ok(say!("{}", safe_json(&all)?)?);
                }
                if all.is_empty() {
                    return Ok(say!("nobody is exempt from any rule")?);
                }
                for kept in all {
                    say!("{} {}", kept.id, safe(&line(&kept, config)))?;
                }
                Ok(())
            }
            Self::End { one, because } => {
                let request = Request::EndExemption { id: one.id.clone(), because: because.checked()? };
                match desk.ask(request).await? {
                    Answer::ExemptionEnded(true) => Ok(say!("ended: the rule holds again from now on")?),
                    Answer::ExemptionEnded(false) => bail!("nothing that holds has the id {}", safe(&one.id)),
                    _ => unexpected(),
                }
            }
        }
    }
}
