//! `schoolgate quarantine`: what is held, and deciding on it, with who and why.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};

use super::extract::told;
use super::store::{Because, Desk, One, print_list, print_one, unexpected};
use super::terminal::say;
use crate::extract::Pool;
use crate::relay::control::{self, Answer, Request, Verb};
use crate::smtp::Address;
use crate::store::{Class, Classification, Filter, LawfulPurpose, State};
use crate::text::Halt;
use crate::{config, extract, message};

/// See and decide what is held.
#[derive(Debug, clap::Subcommand)]
pub enum Quarantine {
    /// List what is held, oldest first
    List {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one held message: who, to whom, why; what was found only when asked, and that is recorded
    Show {
        #[command(flatten)]
        one: One,
        /// Also show what was found; wants --who and --why, which go into the audit
        #[arg(long, requires = "who", requires = "why")]
        findings: bool,
        /// Also print the message itself as text; wants --purpose, --who and --why, which go into the audit
        #[arg(long, requires = "purpose", requires = "who", requires = "why", conflicts_with = "json")]
        message: bool,
        /// What it is opened for: `compliance`, `facts`, `standards`, `crime`, `unauthorised-use` or `operation`
        #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
        purpose: Option<LawfulPurpose>,
        /// Who looks
        #[arg(long, value_name = "NAME")]
        who: Option<String>,
        /// Why
        #[arg(long, value_name = "WORDS")]
        why: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a held message go, exactly as it was sent; its sender is told
    Release {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        because: Because,
        #[command(flatten)]
        taken_for: TakenFor,
        /// To these recipients alone; the others get nothing, and the sender is told who
        #[arg(long, value_name = "ADDRESS", num_args = 1..)]
        only: Vec<String>,
    },
    /// Send a held message back to its sender, with a note
    Return {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        because: Because,
        #[command(flatten)]
        taken_for: TakenFor,
        /// What the sender is told besides
        #[arg(long, value_name = "WORDS", default_value = "")]
        note: String,
    },
    /// Drop a held message for good; its sender is told that it was not sent
    Discard {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        because: Because,
        #[command(flatten)]
        taken_for: TakenFor,
    },
}

/// What the message is taken for.
#[derive(Debug, clap::Args)]
pub struct TakenFor {
    /// What it is taken for: `breach`, `near-miss` or `neither`
    #[arg(long, value_name = "WORD", value_parser = classification)]
    classify: Option<Classification>,
}

/// A purpose by its word.
pub fn purpose(word: &str) -> Result<LawfulPurpose, String> {
    word.parse().map_err(|()| {
        let each = LawfulPurpose::ALL.map(|purpose| format!("`{}` {}", purpose.as_str(), purpose.in_words()));
        format!("one of {}", each.join(", "))
    })
}

fn classification(word: &str) -> Result<Classification, String> {
    word.parse().map_err(|()| "`breach`, `near-miss` or `neither`".to_owned())
}

impl TakenFor {
    fn with(&self, because: &Because) -> Result<control::Because> {
        Ok(control::Because { classification: self.classify, ..because.checked()? })
    }
}

fn addresses(given: &[String]) -> Result<Vec<Address>> {
    given.iter().map(|text| Address::parse(text.trim()).map_err(|_| anyhow!("--only {text}: no address"))).collect()
}

/// Runs the command.
pub fn run(command: &Quarantine) -> Result<ExitCode> {
    super::runtime()?.block_on(async {
        let mut desk = Desk::at(command.config())?;
        let done = command.carry_out(&mut desk).await;
        desk.leave().await;
        done.map(|()| ExitCode::SUCCESS)
    })
}

impl Quarantine {
    fn config(&self) -> &Path {
        match self {
            Self::List { config, .. } => config,
            Self::Show { one, .. }
            | Self::Release { one, .. }
            | Self::Return { one, .. }
            | Self::Discard { one, .. } => &one.config,
        }
    }

    async fn carry_out(&self, desk: &mut Desk) -> Result<()> {
        match self {
            Self::List { json, .. } => {
                let filter = Filter { state: Some(State::Held), class: Some(Class::Mail), damaged: false };
                match desk.ask(Request::List(vec![filter])).await? {
                    Answer::Messages(messages) => print_list(&messages, *json),
                    _ => unexpected(),
                }
            }
            Self::Show { one, findings, message, purpose, who, why, json } => {
                let because =
                    || Because { who: who.clone().unwrap_or_default(), why: why.clone().unwrap_or_default() }.checked();
                let look = if *findings { Some(because()?) } else { None };
                if let (true, &Some(purpose)) = (message, purpose) {
                    match desk.ask(Request::Content { id: one.id(), purpose, because: because()? }).await? {
                        Answer::Content(letters) => print_content(&letters)?,
                        _ => return unexpected(),
                    }
                }
                match desk.ask(Request::Show { id: one.id(), look }).await? {
                    Answer::Message(shown) => print_one(&shown, *findings, *json),
                    _ => unexpected(),
                }
            }
            Self::Release { one, because, taken_for, only } => {
                desk.decide(one, Verb::Release { only: addresses(only)? }, taken_for.with(because)?).await
            }
            Self::Return { one, because, taken_for, note } => {
                desk.decide(one, Verb::Return { note: note.clone() }, taken_for.with(because)?).await
            }
            Self::Discard { one, because, taken_for } => {
                desk.decide(one, Verb::Discard, taken_for.with(because)?).await
            }
        }
    }
}

/// What is read of the message, hidden places named, as `schoolgate extract` tells it.
fn print_content(letters: &str) -> Result<()> {
    let octets = letters.chars().map(|letter| u8::try_from(u32::from(letter))).collect::<Result<Vec<u8>, _>>()?;
    let message = message::read(&octets);
    let workers = Pool::lazy(1);
    let reading = extract::read_with(Some(&workers), &Halt::default(), &message);
    workers.sound().context(super::NO_WORKER)?;
    say!("{}", told(&reading, &message.faults))?;
    Ok(())
}
