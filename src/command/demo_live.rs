//! The demonstration's last step: the visitor's own mail. What may be tried, and what became of each message, as it comes.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::demo::{Captured, captured_line, outcome};
use super::desk::MadeUp;
use super::terminal::{safe, say};
use crate::config::Config;
use crate::limits;
use crate::people::School;
use crate::policy::Action;
use crate::relay::gateway::Gateway;
use crate::relay::log::Event;
use crate::store::{Class, Filter, QueueId, State};

/// What was refused while the client was connected. It is in no store: only the log tells of it.
#[derive(Clone, Default)]
pub struct Refused(Arc<Mutex<VecDeque<(String, String)>>>);

impl Refused {
    /// Listens to the program's own events; not where another log has been set up.
    pub fn listen(&self) {
        // A second subscriber is refused: then the log that the user asked for tells it.
        let _ = tracing_subscriber::registry().with(self.clone()).try_init();
    }

    fn next(&self) -> Option<(String, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl<S: tracing::Subscriber> Layer<S> for Refused {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        // Libraries tell a great deal more.
        if !event.metadata().target().starts_with(env!("CARGO_CRATE_NAME")) {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        if fields.get("event") == Event::Decided.as_str() && fields.get("action") == Action::Reject.as_str() {
            let refused = (fields.get("id").to_owned(), fields.get("rules").to_owned());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(refused);
        }
    }
}

#[derive(Default)]
struct Fields(HashMap<&'static str, String>);

impl Fields {
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

/// Says how to send a message, whom to write about and to, and how to look at what is held.
pub fn invite(school: &School, address: SocketAddr, config: &Path) -> Result<()> {
    let staff = school.staff.iter().find(|staff| !staff.email.is_empty() && staff.private_email.is_some());
    let sender = staff.map_or("office@saltmere.example", |staff| &staff.email);
    let private = staff.and_then(|staff| staff.private_email.as_deref()).unwrap_or("someone@gmail.com");
    let full = |at: usize| school.pupils.get(at).map(|pupil| format!("{} {}", pupil.forename, pupil.surname));
    let guardian = school.guardians.iter().find(|guardian| guardian.email.is_some() && !guardian.pupils.is_empty());
    let parent = guardian.and_then(|guardian| guardian.email.as_deref()).unwrap_or(private);
    let own = guardian.and_then(|guardian| guardian.pupils.first()).and_then(|at| full(at.0 as usize));
    let own = own.unwrap_or_default();
    let others: Vec<String> = (0..school.pupils.len()).filter_map(full).filter(|name| *name != own).take(3).collect();
    let other = others.first().cloned().unwrap_or_default();
    say!(
        "\nNow a message of your own, with swaks or any mail program: server {}, port {},",
        address.ip(),
        address.port()
    )?;
    say!("no password, no encryption. For example:\n")?;
    say!("  swaks --server {address} --from {sender} --to {parent} \\")?;
    say!("    --header 'Subject: Today' --body '{own} read very well today.'")?;
    say!("  swaks --server {address} --from {sender} --to {private} \\")?;
    say!("    --header 'Subject: Today' --body '{other} was upset today; her social worker rang.'\n")?;
    say!("Names to try:")?;
    say!("    pupils             {own}, {}", others.join(", "))?;
    say!("    a guardian         {parent} (of {own})")?;
    say!("    a private mailbox  {private} (of {sender})\n")?;
    let program = std::env::args().next().unwrap_or_else(|| "schoolgate".to_owned());
    let (program, config) = (safe(&program), safe(&config.display().to_string()));
    say!("From another terminal, what is held can be seen and decided:\n")?;
    say!("  {program} quarantine list --config {config}")?;
    say!("  {program} quarantine show --config {config} ID")?;
    say!("  {program} quarantine release --config {config} ID --who 'Your name' --why 'it is right'\n")?;
    say!("What becomes of each message is told here. Ctrl-C ends it; what it kept goes with it.\n")?;
    Ok(())
}

/// Says where the desk is, and how to sign in.
pub fn show_desk(config: &Config, person: &MadeUp) -> Result<()> {
    let Some(review) = &config.review else { return Ok(()) };
    say!("The School Business Manager decides at her desk: {}\n", review.public_url)?;
    say!("    name      {}", person.name)?;
    say!("    password  {}", person.password)?;
    say!(
        "    codes     {} (each works once)\n",
        person.codes.iter().take(limits::DEMO_CODES).cloned().collect::<Vec<_>>().join("  ")
    )?;
    Ok(())
}

/// Tells what becomes of every message that comes, until a signal or a part of the gateway ends it.
pub async fn watch(gateway: &mut Gateway, captured: &Captured, refused: &Refused) -> Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut look = tokio::time::interval(Duration::from_millis(limits::DEMO_LOOK_MILLIS));
    let mut live = Live { known: HashMap::new(), told: captured.count() };
    live.known = mail(gateway).await?.into_iter().collect();
    while refused.next().is_some() {}
    loop {
        tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            task = gateway.failed() => anyhow::bail!("a part of the gateway has ended: {task}"),
            _ = look.tick() => {}
        }
        live.tell(gateway, captured, refused).await?;
    }
}

/// Mail that was taken in and has been decided, oldest first.
async fn mail(gateway: &Gateway) -> Result<Vec<(QueueId, State)>> {
    let filter = Filter { state: None, class: Some(Class::Mail), damaged: false };
    let all = gateway.store.list(filter, u32::MAX).await?;
    Ok(all.into_iter().filter(|m| m.state != State::Pending).map(|m| (m.id, m.state)).collect())
}

/// What was told already.
struct Live {
    known: HashMap<QueueId, State>,
    /// Messages of the capture.
    told: usize,
}

impl Live {
    async fn tell(&mut self, gateway: &Gateway, captured: &Captured, refused: &Refused) -> Result<()> {
        while let Some((id, rules)) = refused.next() {
            say!("{id}: REFUSED; your mail program says why")?;
            say!("        {}\n", safe(&rules))?;
        }
        for (id, state) in mail(gateway).await? {
            match self.known.insert(id.clone(), state) {
                None => tell_new(gateway, &id).await?,
                // On its way; that it left is told when it is captured.
                Some(before) if before != state && (before, state) != (State::Queued, State::Delivered) => {
                    say!("{id}: was {}, now {}\n", before.as_str(), state.as_str())?;
                }
                Some(_) => {}
            }
        }
        for submission in captured.since(self.told) {
            self.told += 1;
            say!("    reached the smarthost's place: {}\n", captured_line(&submission))?;
        }
        Ok(())
    }
}

async fn tell_new(gateway: &Gateway, id: &QueueId) -> Result<()> {
    let shown = gateway.store.show(id).await?;
    let from = shown.summary.mail_from.as_ref().map_or("<>".to_owned(), ToString::to_string);
    let to: Vec<String> = shown.recipients.iter().map(|recipient| recipient.address.to_string()).collect();
    say!("{id}: {}", safe(&format!("{from} -> {}", to.join(", "))))?;
    outcome(&shown)
}
