//! `schoolgate queue`: what is waiting to be delivered, and steering it. Works beside a running gateway, which notices
//! within seconds.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::store::{Because, One, open, print_decision, print_list, print_one};
use super::terminal::say;
use crate::limits;
use crate::store::{Filter, QueueId, State};

/// See and steer what is waiting to be delivered.
#[derive(Debug, clap::Subcommand)]
pub enum Queue {
    /// List messages: what waits for delivery or inspection, or another state
    List {
        /// Configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Only this state: pending, queued, held, returned, delivered, failed, discarded
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// Only what is set aside as damaged
        #[arg(long)]
        damaged: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one message: recipients, decision, what was done with it
    Show {
        #[command(flatten)]
        one: One,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Try a waiting message again at once, or all
    Retry {
        /// Configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Id of the message
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// All that wait, but what is set aside as damaged
        #[arg(long)]
        all: bool,
        /// Who asks for it
        #[arg(long, value_name = "NAME", default_value = "command line")]
        who: String,
    },
    /// Take a waiting message out of the queue and into quarantine
    Hold {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        because: Because,
    },
    /// Drop a message for good; nobody is told
    Drop {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        because: Because,
    },
}

/// Runs the command.
pub fn run(command: &Queue) -> Result<ExitCode> {
    super::runtime()?.block_on(async {
        match command {
            Queue::List { config, state, damaged, json } => {
                let (_, store) = open(config).await?;
                let states = match state.as_deref().map(str::parse::<State>) {
                    Some(Ok(state)) => vec![state],
                    Some(Err(())) => {
                        let known = State::ALL.map(State::as_str).join(", ");
                        anyhow::bail!("there is no such state; there are {known}");
                    }
                    None => vec![State::Pending, State::Queued],
                };
                let mut messages = Vec::new();
                for state in states {
                    let filter = Filter { state: Some(state), class: None, damaged: *damaged };
                    messages.extend(store.list(filter, limits::LIST_ROWS).await?);
                }
                print_list(&messages, *json)?;
            }
            Queue::Show { one, json } => {
                let (_, store) = open(&one.config).await?;
                print_one(&store.show(&one.id()).await?, false, *json)?;
            }
            Queue::Retry { config, id, all: _, who } => {
                let (_, store) = open(config).await?;
                match id {
                    Some(id) => {
                        let id = QueueId(id.trim().to_owned());
                        print_decision(&store.retry(&id, who).await?, &id, "will be tried at once")?;
                    }
                    None => say!("{} messages will be tried at once", store.retry_all(who).await?)?,
                }
            }
            Queue::Hold { one, because } => {
                let (_, store) = open(&one.config).await?;
                let (who, why) = because.checked()?;
                print_decision(&store.hold(&one.id(), who, why).await?, &one.id(), "is held")?;
            }
            Queue::Drop { one, because } => {
                let (_, store) = open(&one.config).await?;
                let (who, why) = because.checked()?;
                print_decision(&store.discard(&one.id(), who, why, Vec::new()).await?, &one.id(), "is dropped")?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}
