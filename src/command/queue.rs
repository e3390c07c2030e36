//! `schoolgate queue`: what is waiting to be delivered, and steering it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::store::{Because, Desk, One, print_list, print_one, unexpected};
use super::terminal::say;
use crate::config;
use crate::relay::control::{self, Answer, Request, Verb};
use crate::store::{Filter, State};

/// See and steer what is waiting to be delivered.
#[derive(Debug, clap::Subcommand)]
pub enum Queue {
    /// List messages: what waits for delivery or inspection, or another state
    List {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
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
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
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
        let mut desk = Desk::at(command.config())?;
        let done = command.carry_out(&mut desk).await;
        desk.leave().await;
        done.map(|()| ExitCode::SUCCESS)
    })
}

impl Queue {
    fn config(&self) -> &Path {
        match self {
            Self::List { config, .. } => config,
            Self::Retry { config, .. } => config,
            Self::Show { one, .. } | Self::Hold { one, .. } | Self::Drop { one, .. } => &one.config,
        }
    }

    async fn carry_out(&self, desk: &mut Desk) -> Result<()> {
        match self {
            Self::List { state, damaged, json, .. } => {
                let states = match state.as_deref().map(str::parse::<State>) {
                    Some(Ok(state)) => vec![state],
                    Some(Err(())) => {
                        let known = State::ALL.map(State::as_str).join(", ");
                        bail!("there is no such state; there are {known}");
                    }
                    None => vec![State::Pending, State::Queued],
                };
                let filter = |state| Filter { state: Some(state), class: None, damaged: *damaged };
                match desk.ask(Request::List(states.into_iter().map(filter).collect())).await? {
                    Answer::Messages(messages) => print_list(&messages, *json),
                    _ => unexpected(),
                }
            }
            Self::Show { one, json } => match desk.ask(Request::Show { id: one.id(), look: None }).await? {
                Answer::Message(shown) => print_one(&shown, false, *json),
                _ => unexpected(),
            },
            Self::Retry { config, id, who, .. } => {
                let because = control::Because { who: who.clone(), why: String::new(), classification: None };
                let Some(id) = id else {
                    return match desk.ask(Request::RetryAll(because)).await? {
                        Answer::Retried(count) => Ok(say!("{count} messages will be tried at once")?),
                        _ => unexpected(),
                    };
                };
                let one = One { config: config.clone(), id: id.clone() };
                desk.decide(&one, Verb::Retry, because).await
            }
            Self::Hold { one, because } => desk.decide(one, Verb::Hold, because.checked()?).await,
            Self::Drop { one, because } => desk.decide(one, Verb::Drop, because.checked()?).await,
        }
    }
}
