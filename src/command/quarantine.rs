//! `schoolgate quarantine`: what is held, and deciding on it, with who and why.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use jiff::Timestamp;

use super::store::{Because, One, notifier, open, print_decision, print_list, print_one};
use crate::limits;
use crate::message;
use crate::relay::intake::notice_entry;
use crate::relay::notify::About;
use crate::smtp::Envelope;
use crate::store::{Class, Filter, State, Store};

/// See and decide what is held.
#[derive(Debug, clap::Subcommand)]
pub enum Quarantine {
    /// List what is held, oldest first
    List {
        /// Configuration file
        #[arg(long, value_name = "FILE")]
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
    /// Let a held message go, exactly as it was sent
    Release {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        because: Because,
    },
    /// Send a held message back to its sender, with a note
    Return {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        because: Because,
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
    },
}

/// Runs the command.
pub fn run(command: &Quarantine) -> Result<ExitCode> {
    super::runtime()?.block_on(async {
        match command {
            Quarantine::List { config, json } => {
                let (_, store) = open(config).await?;
                let filter = Filter { state: Some(State::Held), class: Some(Class::Mail), damaged: false };
                print_list(&store.list(filter, limits::LIST_ROWS).await?, *json)?;
            }
            Quarantine::Show { one, findings, who, why, json } => {
                let (_, store) = open(&one.config).await?;
                if *findings {
                    let because =
                        Because { who: who.clone().unwrap_or_default(), why: why.clone().unwrap_or_default() };
                    let (who, why) = because.checked()?;
                    store.note_view(&one.id(), who, why).await?;
                }
                print_one(&store.show(&one.id()).await?, *findings, *json)?;
            }
            Quarantine::Release { one, because } => {
                let (_, store) = open(&one.config).await?;
                let (who, why) = because.checked()?;
                print_decision(&store.release(&one.id(), who, why).await?, &one.id(), "is released")?;
            }
            Quarantine::Return { one, because, note } => send_back(one, because, Some(note)).await?,
            Quarantine::Discard { one, because } => send_back(one, because, None).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Returns a message with a note, or discards it; the sender is told either way.
async fn send_back(one: &One, because: &Because, note: Option<&str>) -> Result<()> {
    let (config, store) = open(&one.config).await?;
    let (id, (who, why)) = (one.id(), because.checked()?);
    let shown = store.show(&id).await?;
    let report = shown.report.ok_or_else(|| anyhow!("{id} has no decision to tell its sender of"))?;
    let envelope = Envelope::new(shown.summary.mail_from, shown.recipients.into_iter().map(|r| r.address).collect());
    let (subject, message_id) = subject_of(&store, &one.id()).await;
    let now = Timestamp::now();
    let about = About {
        envelope: &envelope,
        subject: &subject,
        message_id: message_id.as_deref(),
        id: &id,
        at: shown.summary.at,
        now,
        sender_mailboxes: &[],
    };
    let notifier = notifier(&config)?;
    let notice = match note {
        Some(note) => notifier.returned_by_reviewer(&report, &about, note),
        None => notifier.discarded_for_sender(&report, &about),
    };
    let notices = notice.into_iter().map(|notice| notice_entry(notice, &id, now)).collect();
    let (decision, done) = match note {
        Some(_) => (store.return_to_sender(&id, who, why, notices).await?, "is returned to its sender"),
        None => (store.discard(&id, who, why, notices).await?, "is discarded"),
    };
    print_decision(&decision, &id, done)?;
    Ok(())
}

/// Subject and Message-ID of a held message; nothing where the content does not open, which must not stop a decision.
async fn subject_of(store: &Store, id: &crate::store::QueueId) -> (String, Option<String>) {
    match store.content(id).await {
        Ok(content) => {
            let message = message::read(&content);
            (message.subject(), message.header("Message-ID").map(|h| h.value.clone()))
        }
        Err(_) => (String::new(), None),
    }
}
