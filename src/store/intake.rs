//! How messages come in: sealed, made durable with their notices, decided on when they were pending.

use std::sync::Arc;

use serde_json::json;

use super::audit::{GATEWAY, micros};
use super::queue::mismatch;
use super::writer::{Answer, Entry, Op, Tx};
use super::{
    Beside, Class, DueRecipient, Leased, Leaves, NewEntry, QueueId, SenderLink, State, Store, StoreError, content, row,
};
use crate::inspect::{PersonalUse, Report};
use crate::limits;
use crate::policy::Action;
use crate::smtp::Address;
use crate::smtp::dsn::{EnvelopeId, OriginalRecipient, Ret};

pub(super) struct Decide {
    pub id: QueueId,
    pub report: Report,
    pub sealed: Vec<u8>,
    /// What it is looked for by, sealed.
    pub words: Option<Vec<u8>>,
    pub state: State,
    pub notices: Vec<Entry>,
    pub beside: Beside,
}

impl Store {
    /// Makes a message and its notices durable, all of them or none: content first, then all rows in one transaction.
    ///
    /// On `Ok` the caller may answer 250.
    ///
    /// # Errors
    /// [`StoreError::Full`] is for 452, every other error for 451; nothing of it stands then.
    pub async fn commit(&self, entries: Vec<NewEntry>) -> Result<(), StoreError> {
        self.commit_with(entries, Beside::default()).await
    }

    /// As [`Store::commit`]; with a link for the sender of one of these, which is held, or is returned and kept, and with what
    /// counts of the first one's text.
    ///
    /// # Errors
    /// As there.
    pub async fn commit_with(&self, entries: Vec<NewEntry>, beside: impl Into<Beside>) -> Result<(), StoreError> {
        let Beside { link, text, account, incident } = beside.into();
        let mut entries = self.seal_with(entries, link).await?;
        if let Some(first) = entries.first_mut() {
            first.text = text;
            first.account = account;
            first.incident = incident;
        }
        self.ask(Op::Commit(entries)).await.map(drop)
    }

    /// Stores the decision on a pending message, with its notices, in one transaction. `state` is `Queued` only with a
    /// report that says `deliver`; otherwise `Held` or `Returned`. With a link for its sender, what is returned is kept.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where state and report contradict each other; [`StoreError::NotFound`];
    /// [`StoreError::WrongState`] where it is no longer pending; what disk and database say.
    pub async fn decide_pending(
        &self,
        id: &QueueId,
        report: &Report,
        state: State,
        notices: Vec<NewEntry>,
        beside: impl Into<Beside>,
    ) -> Result<(), StoreError> {
        let beside = beside.into();
        check_decision(state, report.action)?;
        let sealed = self.seal_report(id, report)?;
        let words = self.seal_words(id, report)?;
        let notices = self.seal(notices).await?;
        let decide = Decide { id: id.clone(), report: report.clone(), sealed, words, state, notices, beside };
        self.ask(Op::Decide(Box::new(decide))).await.map(drop)
    }

    /// Ends the lease of a pending message whose inspection failed; it is due again after [`limits::INSPECT_WAIT`]. Gives
    /// how many tries were begun, this one included.
    ///
    /// # Errors
    /// The message is not pending, or the database cannot be written.
    pub async fn note_inspection_failure(&self, id: &QueueId) -> Result<u32, StoreError> {
        match self.ask(Op::InspectionEnded { id: id.clone(), counts: true }).await? {
            Answer::Tries(tries) => Ok(tries),
            _ => mismatch(),
        }
    }

    /// As [`Store::note_inspection_failure`], for an inspection that was not begun: the try does not count.
    ///
    /// # Errors
    /// As there.
    pub async fn put_off_inspection(&self, id: &QueueId) -> Result<(), StoreError> {
        self.ask(Op::InspectionEnded { id: id.clone(), counts: false }).await.map(drop)
    }

    /// Encrypts what is new; large content gets its file here, beside the writer.
    pub(super) async fn seal(&self, entries: Vec<NewEntry>) -> Result<Vec<Entry>, StoreError> {
        self.seal_with(entries, None).await
    }

    async fn seal_with(&self, entries: Vec<NewEntry>, link: Option<SenderLink>) -> Result<Vec<Entry>, StoreError> {
        let mut sealed = Vec::with_capacity(entries.len());
        for new in entries {
            check_entry(&new)?;
            let report = match &new.report {
                Some(report) => Some(self.seal_report(&new.id, report)?),
                None => None,
            };
            let mut entry = Entry::new(new, None, report);
            entry.link = link.clone().filter(|link| link.message == entry.new.id);
            if entry.new.state.keeps_content() || entry.link.is_some() {
                self.seal_content(&mut entry).await?;
                if let Some(report) = &entry.new.report {
                    entry.words = self.seal_words(&entry.new.id, report)?;
                }
            }
            sealed.push(entry);
        }
        Ok(sealed)
    }

    async fn seal_content(&self, entry: &mut Entry) -> Result<(), StoreError> {
        let (id, sha256, bytes) = (entry.new.id.clone(), entry.new.sha256, Arc::clone(&entry.new.content));
        if bytes.len() <= limits::LARGE_CONTENT {
            let sealed = content::seal(&self.inner.keys, &id, &sha256, &bytes)?;
            (entry.record, entry.key) = (Some(sealed.record), Some(sealed.key));
            return Ok(());
        }
        let (keys, directory) = (Arc::clone(&self.inner.keys), self.inner.directory.clone());
        let written = tokio::task::spawn_blocking(move || {
            let sealed = content::seal(&keys, &id, &sha256, &bytes)?;
            Ok::<_, StoreError>((content::write_large(&directory, &id, &sealed.record)?, sealed.key))
        });
        let (place, key) = written.await.map_err(|_| StoreError::Closed)??;
        (entry.place, entry.key) = (Some(place), Some(key));
        Ok(())
    }

    fn seal_report(&self, id: &QueueId, report: &Report) -> Result<Vec<u8>, StoreError> {
        let json = serde_json::to_vec(report).map_err(|e| StoreError::Refused(format!("no report: {e}")))?;
        self.inner.keys.seal_report(&id.0, &json)
    }
}

/// An entry that contradicts itself never reaches the disk.
fn check_entry(new: &NewEntry) -> Result<(), StoreError> {
    let refused = |why: &str| Err(StoreError::Refused(format!("message {}: {why}", new.id)));
    match (new.class, new.state, &new.report) {
        _ if new.envelope.recipients.is_empty() => refused("it has no recipient"),
        (Class::Notice, State::Queued, _) | (Class::Mail, State::Pending, None) => Ok(()),
        (Class::Mail, State::Queued | State::Held | State::Returned, Some(report)) => {
            check_decision(new.state, report.action)
        }
        (Class::Mail, State::Held, None) => Ok(()),
        _ => refused("its state and its report contradict each other"),
    }
}

fn check_decision(state: State, action: Action) -> Result<(), StoreError> {
    match (state, action) {
        (State::Queued, Action::Deliver) | (State::Held, _) => Ok(()),
        (State::Returned, Action::Warn | Action::Hold | Action::Reject) => Ok(()),
        _ => Err(StoreError::Refused(format!(
            "the decision `{}` does not lead to the state `{}`",
            action.as_str(),
            state.as_str()
        ))),
    }
}

/// Ids of the rules that fired, those that are only observed left out.
pub(super) fn rules_that_count(report: &Report) -> impl Iterator<Item = &str> {
    report.rules.iter().filter(|rule| rule.counts()).map(|rule| rule.id.as_str())
}

fn rule_ids(report: &Report) -> String {
    rules_that_count(report).collect::<Vec<_>>().join(",")
}

/// The version of the rules that decided, where it is known.
fn rules_version(report: &Report) -> Option<&str> {
    Some(report.rules_version.as_str()).filter(|version| !version.is_empty())
}

impl Tx<'_> {
    /// Writes the rows of messages whose content is on the disk.
    ///
    /// # Errors
    /// What the database says.
    pub async fn insert(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        for entry in entries {
            self.insert_one(entry).await?;
        }
        Ok(())
    }

    async fn insert_one(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let new = &entry.new;
        let verdict = new.report.as_ref().map(|report| report.action.as_str());
        let leaves = self.wait_of(new);
        let handed = if leaves.is_none() { self.hand_over(new) } else { None };
        let lease_until = match &handed {
            Some(_) => self.now.saturating_add(self.lease_for).ok().map(micros),
            None => None,
        };
        let place = entry.place.as_ref();
        let signed = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        sqlx::query(
            "insert into message (id, class, about, state, mail_from, smtputf8, eight_bit, sha256, size, verdict, \
             verdict_sha256, rules, report, content_file, content_offset, content_length, content_key, at, changed_at, \
             next_due, lease_owner, lease_until, inspect_tries, kept_until, personal, dsn_ret, dsn_envid, \
             rules_version, footers) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)",
        )
        .bind(&new.id.0)
        .bind(new.class.as_str())
        .bind(new.about.as_ref().map(|id| &id.0))
        .bind(new.state.as_str())
        .bind(new.envelope.mail_from.as_ref().map(Address::as_str))
        .bind(new.envelope.smtputf8)
        .bind(new.envelope.eight_bit)
        .bind(&new.sha256[..])
        .bind(signed(new.content.len() as u64))
        .bind(verdict)
        .bind(verdict.map(|_| &new.sha256[..]))
        .bind(new.report.as_ref().map(rule_ids).unwrap_or_default())
        .bind(entry.report.as_deref())
        .bind(place.map(|p| p.file.as_str()))
        .bind(place.map(|p| signed(p.offset)))
        .bind(place.map(|p| signed(p.length)))
        .bind(place.and(entry.key.as_deref()))
        .bind(micros(new.at))
        .bind(micros(self.now))
        .bind(micros(new.at))
        .bind(lease_until.map(|_| self.owner))
        .bind(lease_until)
        // What comes in undecided has had its first try.
        .bind(i64::from(new.state == State::Pending))
        .bind(entry.link.as_ref().filter(|_| new.state == State::Returned).map(|link| micros(link.until)))
        .bind(new.report.as_ref().and_then(|report| report.personal_use).map(PersonalUse::as_str))
        .bind(new.envelope.reports.ret.map(Ret::as_str))
        .bind(new.envelope.reports.id.as_ref().map(EnvelopeId::as_str))
        .bind(new.report.as_ref().and_then(rules_version))
        .bind(new.report.as_ref().and_then(|report| row::footers_kept(&report.duties.footers)))
        .execute(&mut *self.connection)
        .await?;
        for (position, address) in new.envelope.recipients.iter().enumerate() {
            let asked = new.envelope.asked_of(position);
            sqlx::query(
                "insert into recipient (message, position, address, dsn_notify, dsn_orcpt) values ($1, $2, $3, $4, $5)",
            )
            .bind(&new.id.0)
            .bind(position as i64)
            .bind(address.as_str())
            .bind(asked.notify.map(|notify| notify.to_string()))
            .bind(asked.original.as_ref().map(OriginalRecipient::as_str))
            .execute(&mut *self.connection)
            .await?;
        }
        if let Some(report) = new.report.as_ref().filter(|_| new.class == Class::Mail && place.is_some()) {
            self.begin_journal(&new.id, &report.duties).await?;
            self.index_words(&new.id, entry.words.as_deref()).await?;
        }
        if let Some(report) = &new.report {
            self.note_fired(&new.id, report).await?;
        }
        if let Some(link) = &entry.link {
            self.link_sender(link).await?;
        }
        // What comes back to its sender is sent anew.
        if let Some(text) = entry.text.as_ref().filter(|_| new.state != State::Returned) {
            self.count_text(text).await?;
        }
        if new.state == State::Held {
            self.begin_review(&new.id, new.report.as_ref()).await?;
        }
        let detail = json!({
            "state": new.state.as_str(),
            "class": new.class.as_str(),
            "about": new.about.as_ref().map(|id| &id.0),
            "verdict": verdict,
            "rules": new.report.as_ref().map(rule_ids),
            "rules_version": new.report.as_ref().and_then(rules_version),
            "size": new.content.len(),
            "recipients": new.envelope.recipients.len(),
            "client": new.client.map(|ip| ip.to_string()),
            "account": entry.account,
        });
        self.audit(&new.id, "accepted", GATEWAY, detail).await?;
        if let Some(incident) = &entry.incident {
            self.open_incident(incident).await?;
        }
        if let Some(report) = new.report.as_ref().filter(|report| report.duties.waits()) {
            self.let_wait(&new.id, report, leaves.as_ref()).await?;
        }
        self.effects.pending |= new.state == State::Pending;
        self.effects.queued |= new.state == State::Queued && handed.is_none();
        self.effects.handed.extend(handed);
        Ok(())
    }

    /// The message as delivery wants it, where delivery has a place free and the content is small.
    fn hand_over(&mut self, new: &NewEntry) -> Option<Leased> {
        if new.state != State::Queued || self.places == 0 || new.content.len() > limits::LARGE_CONTENT {
            return None;
        }
        self.places -= 1;
        let recipients = new.envelope.recipients.iter().enumerate().map(|(place, address)| DueRecipient {
            position: u32::try_from(place).unwrap_or(u32::MAX),
            address: address.clone(),
            asked: new.envelope.asked_of(place),
            attempts: 0,
        });
        Some(Leased {
            id: new.id.clone(),
            class: new.class,
            mail_from: new.envelope.mail_from.clone(),
            smtputf8: new.envelope.smtputf8,
            eight_bit: new.envelope.eight_bit,
            reports: new.envelope.reports.clone(),
            recipients: recipients.collect(),
            sha256: new.sha256,
            // The same insert is checked by the schema; nothing is handed over before it committed.
            may_leave: true,
            at: new.at,
            waits_since: new.at,
            attempts: 0,
            footers: new.report.as_ref().map(|report| report.duties.footers.clone()).unwrap_or_default(),
            content: Some(Arc::clone(&new.content)),
        })
    }

    /// See [`Store::decide_pending`].
    ///
    /// # Errors
    /// As there.
    pub async fn decide(&mut self, decide: &Decide) -> Result<(), StoreError> {
        let Decide { id, report, sealed, words, state, notices, beside } = decide;
        let link = &beside.link;
        let standing = self.standing(id).await?;
        if standing.state != State::Pending {
            return Err(StoreError::WrongState { id: id.clone(), state: standing.state, wanted: "decided" });
        }
        sqlx::query(
            "update message set verdict = $2, verdict_sha256 = sha256, rules = $3, report = $4, next_due = $5, personal = $6, \
             rules_version = $7, footers = $8 where id = $1",
        )
        .bind(&id.0)
        .bind(report.action.as_str())
        .bind(rule_ids(report))
        .bind(sealed)
        .bind(micros(self.now))
        .bind(report.personal_use.map(PersonalUse::as_str))
        .bind(rules_version(report))
        .bind(row::footers_kept(&report.duties.footers))
        .execute(&mut *self.connection)
        .await?;
        self.begin_journal(id, &report.duties).await?;
        self.index_words(id, words.as_deref()).await?;
        self.note_fired(id, report).await?;
        match link {
            Some(link) if *state == State::Returned => self.return_and_keep(id, link.until).await?,
            _ => self.move_to(id, &standing, *state).await?,
        }
        if let Some(link) = link {
            self.link_sender(link).await?;
        }
        if let Some(text) = beside.text.as_ref().filter(|_| *state != State::Returned) {
            self.count_text(text).await?;
        }
        if *state == State::Held {
            self.begin_review(id, Some(report)).await?;
        }
        let detail = json!({
            "state": state.as_str(),
            "verdict": report.action.as_str(),
            "rules": rule_ids(report),
            "rules_version": rules_version(report),
        });
        self.audit(id, "decided", GATEWAY, detail).await?;
        if report.duties.waits() {
            let leaves = Leaves::of(report, &self.school_time, standing.at, self.now);
            self.let_wait(id, report, leaves.as_ref().filter(|_| *state == State::Queued)).await?;
        }
        self.effects.queued |= *state == State::Queued;
        self.insert(notices).await
    }

    /// See [`Store::note_inspection_failure`] and, where it does not count, [`Store::put_off_inspection`].
    ///
    /// # Errors
    /// As there.
    pub async fn inspection_ended(&mut self, id: &QueueId, counts: bool) -> Result<u32, StoreError> {
        let standing = self.standing(id).await?;
        if standing.state != State::Pending {
            return Err(StoreError::WrongState { id: id.clone(), state: standing.state, wanted: "inspected" });
        }
        let row = sqlx::query(
            "update message set inspect_tries = inspect_tries - $4, next_due = $2, \
             lease_owner = nullif(lease_owner, $3), \
             lease_until = case when lease_owner = $3 then null else lease_until end \
             where id = $1 returning inspect_tries",
        )
        .bind(&id.0)
        .bind(micros(self.now) + i64::try_from(limits::INSPECT_WAIT).unwrap_or_default() * 1_000_000)
        .bind(self.owner)
        // A try is counted when it is leased, so that one that ends the process counts too.
        .bind(i64::from(!counts))
        .fetch_one(&mut *self.connection)
        .await?;
        let tries = row::count_of(&row, "inspect_tries")?;
        if counts {
            self.audit(id, "inspection-failed", GATEWAY, json!({"tries": tries})).await?;
        }
        Ok(tries)
    }
}
