//! Nothing waits for ever: digests, reminders, the ladder, and the way back to the sender.
//!
//! Owns who is told when of what waits. Goes by the store's clock, and by the marks that stand in one transaction with the
//! letters, so that a restart sends none twice and forgets none. Never knows content, and never releases anything.
//! Invariant: somebody with a mailbox is told, whoever is missing; with nobody on a rung who could decide, the next rung
//! and the technician are told too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::decide::return_undecided;
use super::intake::notice_entry;
use super::log::{Event, event};
use super::notify::{Notifier, Waiting, WaitingLetter};
use super::reporting;
use crate::limits;
use crate::policy::pack::DECIDERS;
use crate::smtp::Address;
use crate::store::{HeldFilter, HeldLine, NewEntry, QueueId, Stage, Store, StoreError};

/// Who decides, and who is told when they do not.
pub const LADDER: [&str; 3] = ["sbm", "head", "chair"];

/// Who is told besides where a rung is empty.
const TECHNICIAN: &str = "it";

/// All mailboxes of the person who writes from this one.
pub type MailboxesOf = Box<dyn Fn(&Address) -> Vec<Address> + Send + Sync>;

/// Looks after what waits.
pub struct Deadlines {
    store: Store,
    notifier: Arc<ArcSwap<Notifier>>,
    mailboxes_of: MailboxesOf,
    /// People decide at the desk, for which they need an account.
    desk: bool,
}

impl Deadlines {
    /// `desk`: whether an account is needed to decide.
    pub fn new(store: Store, notifier: Arc<ArcSwap<Notifier>>, mailboxes_of: MailboxesOf, desk: bool) -> Self {
        Self { store, notifier, mailboxes_of, desk }
    }

    /// Looks again and again, until told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.round().await {
                event!(Event::Trouble, what = "deadlines of held mail", reason = %error);
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(limits::DEADLINE_LOOK_SECONDS)) => {}
                _ = stop.changed() => return,
            }
        }
    }

    /// Does what is due now. What fails of one message does not keep the others waiting.
    ///
    /// # Errors
    /// What the database says.
    pub async fn round(&self) -> Result<(), StoreError> {
        let manned = self.manned().await?;
        // Whoever is told late is given time first, of which the reminder then speaks.
        for stage in [Stage::Escalate, Stage::Remind, Stage::End] {
            for id in self.store.due_now(stage).await? {
                if let Err(error) = self.tell(&id, stage, &manned).await {
                    event!(Event::Trouble, id = %id, what = "the deadline of a held message", reason = %error);
                }
            }
        }
        // A batch at a time, so that letters do not wait for it.
        self.store.end_keeping().await?;
        self.digest(&manned).await?;
        reporting::remind(&self.store, &self.notifier.load_full()).await
    }

    /// Roles that somebody with an account in use has; nothing where no account is needed.
    async fn manned(&self) -> Result<Option<Vec<&'static str>>, StoreError> {
        if !self.desk {
            return Ok(None);
        }
        let accounts = self.store.accounts().await?;
        let used = accounts.iter().filter(|account| account.disabled_at.is_none());
        Ok(Some(used.flat_map(|account| account.roles.iter().map(|role| role.as_str())).collect()))
    }

    async fn tell(&self, id: &QueueId, stage: Stage, manned: &Option<Vec<&str>>) -> Result<(), StoreError> {
        let notifier = self.notifier.load_full();
        if stage == Stage::End && return_undecided(&self.store, &notifier, id).await? {
            event!(Event::Returned, id = %id, rules = "nobody decided in time");
            return Ok(());
        }
        let Some(mut line) = self.store.held_line(id).await?.filter(|line| line.decided.is_none()) else {
            return Ok(());
        };
        let end = match stage {
            Stage::Escalate => self.store.end_when_told_late(id).await?,
            Stage::Remind | Stage::End => None,
        };
        line.due_at = end.or(line.due_at);
        let rung = usize::from(stage != Stage::Remind);
        let (own, mut told) = self.on_the_ladder(&notifier, &line, rung, manned).await?;
        if stage == Stage::Remind {
            add_notified(&notifier, &own, &line, &mut told);
        }
        let letter = if stage == Stage::Remind { WaitingLetter::Reminder } else { WaitingLetter::Escalated };
        let mailboxes = notifier.mailboxes(told.iter().map(String::as_str), &own);
        let notices: Vec<NewEntry> = self.letter(&notifier, letter, mailboxes, &[&line], 0).into_iter().collect();
        match stage {
            // Nobody could be told that it goes back: it waits on, and is warned of again.
            Stage::End => self.store.put_off(id, "its sender cannot be written to", told, notices).await.map(drop),
            _ => self.store.warned(id, stage, end, told, notices).await.map(drop),
        }
    }

    /// The roles that are told of a message from this rung on, and the mailboxes that are not written to: who sent it, gets it
    /// or is spoken of in it does not decide on it. Where nobody else is left, who gets it is told.
    async fn on_the_ladder(
        &self,
        notifier: &Notifier,
        line: &HeldLine,
        rung: usize,
        manned: &Option<Vec<&str>>,
    ) -> Result<(Vec<Address>, Vec<String>), StoreError> {
        let about = self.store.show(&line.id).await?.report.map(|report| report.about_staff).unwrap_or_default();
        let about = about.iter().filter_map(|mailbox| Address::parse(mailbox).ok());
        let sender: Vec<Address> = line
            .mail_from
            .iter()
            .cloned()
            .chain(about)
            .flat_map(|mailbox| [(self.mailboxes_of)(&mailbox), vec![mailbox]].concat())
            .collect();
        let concerned = [sender.clone(), self.store.recipients_of(&line.id).await?].concat();
        let told = roles(notifier, &concerned, rung, manned);
        if told.iter().any(|role| role != TECHNICIAN) {
            return Ok((concerned, told));
        }
        let told = roles(notifier, &sender, rung, manned);
        if told.is_empty() {
            event!(Event::Trouble, id = %line.id, what = "nobody can be told of a held message");
        }
        Ok((sender, told))
    }

    /// Sends each role the list of what waits for it, at the hours that are set for it.
    async fn digest(&self, manned: &Option<Vec<&str>>) -> Result<(), StoreError> {
        let last = self.store.last_digest().await?;
        let Some(since) = last else { return self.store.digest_sent(None, Vec::new()).await.map(drop) };
        if self.store.school_time().next_digest(since).is_none_or(|next| next > self.store.clock().now()) {
            return Ok(());
        }
        let notifier = self.notifier.load_full();
        let page = self.store.held_page(&HeldFilter::default(), None, limits::HELD_PAGE_MOST).await?;
        let mut lists: BTreeMap<String, (Address, Vec<&HeldLine>)> = BTreeMap::new();
        for line in &page.lines {
            let (own, mut told) = self.on_the_ladder(&notifier, line, 0, manned).await?;
            add_notified(&notifier, &own, line, &mut told);
            for role in &told {
                // One letter a mailbox, whatever roles it has.
                for mailbox in notifier.mailboxes([role.as_str()].into_iter(), &own) {
                    let key = mailbox.to_string().to_lowercase();
                    let (_, list) = lists.entry(key).or_insert_with(|| (mailbox, Vec::new()));
                    if list.last().is_none_or(|last| last.id != line.id) {
                        list.push(line);
                    }
                }
            }
        }
        let letters = lists.into_values().filter_map(|(to, lines)| {
            let shown = lines.len().min(limits::DIGEST_LINES);
            let mut entry =
                self.letter(&notifier, WaitingLetter::Digest, vec![to], &lines[..shown], lines.len() - shown)?;
            entry.about = None;
            Some(entry)
        });
        self.store.digest_sent(last, letters.collect()).await.map(drop)
    }

    fn letter(
        &self,
        notifier: &Notifier,
        letter: WaitingLetter,
        to: Vec<Address>,
        lines: &[&HeldLine],
        more: usize,
    ) -> Option<NewEntry> {
        let now = self.store.clock().now();
        let waiting: Vec<Waiting> = lines.iter().map(|line| notifier.waiting(line)).collect();
        let notice = notifier.of_what_waits(letter, to, waiting, more, &QueueId::generate(now), now)?;
        Some(notice_entry(notice, &lines.first()?.id, now))
    }
}

/// The roles that are told from this rung of the ladder on: the first of them who can be written to and can decide. Where
/// that is not the rung itself, those passed over who have a mailbox, and the technician, are told too.
fn roles(notifier: &Notifier, own: &[Address], rung: usize, manned: &Option<Vec<&str>>) -> Vec<String> {
    let written = |role: &str| !notifier.mailboxes([role].into_iter(), own).is_empty();
    let decides = |role: &str| manned.as_ref().is_none_or(|manned| manned.contains(&role));
    let mut told = Vec::new();
    for (step, role) in LADDER.iter().skip(rung).enumerate() {
        if written(role) {
            told.push((*role).to_owned());
            if decides(role) {
                if step == 0 {
                    return told;
                }
                break;
            }
        }
    }
    if told.is_empty() {
        told.extend(DECIDERS.iter().find(|role| written(role)).map(|role| (*role).to_owned()));
    }
    if written(TECHNICIAN) {
        told.push(TECHNICIAN.to_owned());
    }
    told
}

/// Who is told of this message besides, as its rules say.
fn add_notified(notifier: &Notifier, own: &[Address], line: &HeldLine, told: &mut Vec<String>) {
    for role in &line.notified {
        if !told.contains(role) && !notifier.mailboxes([role.as_str()].into_iter(), own).is_empty() {
            told.push(role.clone());
        }
    }
}

#[cfg(test)]
mod tests;
