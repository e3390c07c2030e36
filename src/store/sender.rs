//! The link by which a sender comes to one message of theirs, and what the sender then does with it.
//!
//! Owns the table `sender_link`, and for how long returned mail is kept. Never knows rules, nor what the page says.
//! Invariants: a token is 128 random bits of which only the SHA-256 stands here; a link is made in the transaction that
//! returns or holds its message, or has it wait before it leaves, and opens that message alone, while it is held, waits, or is
//! returned and kept; of what a sender
//! does, one thing is carried out, in one transaction with its audit line, in which the sender is called [`SENDER`].
//! Whether a message was cancelled or has left, one transaction decides: what is leased for delivery is on its way. Content of
//! returned mail goes when its time is over. A reference, by which a sender answers a notice by mail, is a keyed hash
//! of message and sender and stands nowhere here. Events beside those of decisions: `noted`, `sent-now`, `erased`, `answer-ignored`,
//! `answer-not-understood`.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sqlx::Row;

use super::accounts::Token;
use super::audit::{GATEWAY, micros, timestamp};
use super::queue::mismatch;
use super::review::Ended;
use super::row::{hex, sender_of, state_of};
use super::writer::{Answer, Entry, Op, Tx};
use super::{Leaves, NewAllowance, NewEntry, QueueId, State, Store, StoreError};
use crate::inspect::Report;
use crate::limits;
use crate::smtp::{Address, Envelope};

const LINKED: &str = "select m.id, m.state, m.mail_from, m.smtputf8, m.eight_bit, m.kept_until, m.leaves_at, \
    m.second_look_until, m.opens_at, m.attempts, m.lease_owner, l.token \
    from sender_link l join message m on m.id = l.message";

/// Who did it, where the sender did it by the link.
pub const SENDER: &str = "sender";

/// A link that is to be made with its message.
#[derive(Debug, Clone)]
pub struct SenderLink {
    /// What the sender is given.
    pub token: Token,
    /// The message.
    pub message: QueueId,
    /// Until when the message is kept, should it be returned.
    pub until: Timestamp,
}

/// What a token opens.
#[derive(Debug, Clone)]
pub struct OpenLink {
    /// The message.
    pub message: QueueId,
    /// From whom, to whom.
    pub envelope: Envelope,
    /// It waits for a decision; otherwise it was returned.
    pub held: bool,
    /// Until when it is kept, where it was returned.
    pub until: Option<Timestamp>,
    /// It may go, and waits before it leaves: until when, and for what.
    pub leaves: Option<Leaves>,
    /// Stands in the forms of its page as it is now.
    pub form: String,
    token: [u8; 32],
}

/// What comes of a token that somebody brings.
#[derive(Debug, Clone)]
pub enum Brought {
    /// The message.
    Open(Box<OpenLink>),
    /// The message waited before it left, and has left.
    Left,
    /// Nothing: never made, over or used.
    Nothing,
    /// There were too many guesses from there; none is looked at before this time.
    Wait(Timestamp),
}

/// What a sender does.
#[derive(Debug, Clone)]
pub enum SenderAct {
    /// It is not to be sent.
    Cancel,
    /// What waits before it leaves, leaves now; where it waits for the school to open, because it is urgent.
    SendNow {
        /// Why it is urgent; empty where it waits for a second look alone.
        because: String,
    },
    /// A returned message is right: it goes as it is stored, and what was asked is not asked again.
    Send {
        /// Why it is right.
        because: String,
        /// What is remembered of it.
        remember: Vec<NewAllowance>,
    },
    /// A changed message goes in the place of a returned one. It has been inspected and may go.
    SendChanged {
        /// What was changed, and why that is right.
        how: String,
        /// What is remembered of it.
        remember: Vec<NewAllowance>,
        /// What goes.
        new: Box<NewEntry>,
    },
    /// A returned message is to be looked at by those who decide on held mail.
    HandOver {
        /// What they should know.
        note: String,
        /// What the rules said of it.
        report: Box<Report>,
    },
    /// Who decides on the held message should know this.
    Note(String),
}

/// An act on its way through the writer.
pub(super) struct Act {
    token: [u8; 32],
    message: QueueId,
    act: SenderAct,
    /// The changed message first, where there is one; then the notices.
    pub entries: Vec<Entry>,
}

/// An answer by which nothing is done, on its way through the writer.
pub(super) struct Unheeded {
    message: QueueId,
    /// The letter that goes back, if one may.
    pub entries: Vec<Entry>,
}

impl Store {
    /// Makes a link for a message, to be committed with it. What is returned is kept for so long from now on.
    ///
    /// # Errors
    /// The system gives no random bytes.
    pub fn new_sender_link(&self, message: &QueueId, keep: SignedDuration) -> Result<SenderLink, StoreError> {
        let token = Token::of(URL_SAFE_NO_PAD.encode(self.inner.keys.random::<16>()?));
        let until = self.clock().now().saturating_add(keep).unwrap_or(Timestamp::MAX);
        Ok(SenderLink { token, message: message.clone(), until })
    }

    /// What a token opens. A token that was never made counts as a guess of this client.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sender_link(&self, brought: &str, client: IpAddr) -> Result<Brought, StoreError> {
        let guess = self.guess_of("sender", client);
        if let Some(until) = self.guesses_wait(&guess).await? {
            return Ok(Brought::Wait(until));
        }
        let token = Token::of(brought.to_owned()).digest();
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{LINKED} where l.token = $1")))
            .bind(&token[..])
            .fetch_optional(&self.inner.reader)
            .await?;
        let Some(row) = row else {
            self.count_guess(guess).await?;
            return Ok(Brought::Nothing);
        };
        if let Some(link) = self.opened(&row, token, brought).await? {
            return Ok(Brought::Open(Box::new(link)));
        }
        let left = matches!(state_of(row.try_get("state")?)?, State::Queued | State::Delivered | State::Failed);
        Ok(if left && Leaves::read(&row)?.is_some() { Brought::Left } else { Brought::Nothing })
    }

    /// What proves that an answer by mail is about this message and comes from its sender: 128 bits of a keyed hash, in
    /// hexadecimal, the same for every spelling of the sender's mailbox.
    pub fn answer_reference(&self, message: &QueueId, sender: &Address) -> String {
        // As `Address::is_same_mailbox` compares.
        let mailbox = format!("{}@{}", sender.local().to_lowercase(), sender.domain());
        let mark = self.inner.keys.mark("answer", &format!("{message} {mailbox}"));
        hex(&mark[..limits::ANSWER_REFERENCE_OCTETS])
    }

    /// What the sender's link to a message opens, for one whose answer by mail has been proved; `None` where the message is
    /// over, or never had one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn link_of(&self, message: &QueueId) -> Result<Option<OpenLink>, StoreError> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{LINKED} where m.id = $1")))
            .bind(&message.0)
            .fetch_optional(&self.inner.reader)
            .await?;
        let Some(row) = row else { return Ok(None) };
        // The schema lets no other length in.
        let Ok(token) = <[u8; 32]>::try_from(row.try_get::<Vec<u8>, _>("token")?) else { return Ok(None) };
        // Nobody is shown a form.
        self.opened(&row, token, "").await
    }

    async fn opened(
        &self,
        row: &sqlx::sqlite::SqliteRow,
        token: [u8; 32],
        brought: &str,
    ) -> Result<Option<OpenLink>, StoreError> {
        let message = QueueId(row.try_get("id")?);
        let state = state_of(row.try_get("state")?)?;
        let held = state == State::Held;
        let until = row.try_get::<Option<i64>, _>("kept_until")?.map(timestamp);
        let now = self.clock().now();
        // Whether it is in somebody's hands, the transaction that changes it decides.
        let waits = state == State::Queued
            && row.try_get::<i64, _>("attempts")? == 0
            && row.try_get::<Option<String>, _>("lease_owner")?.is_none();
        let leaves = Leaves::read(row)?.filter(|_| waits);
        if !held && leaves.is_none() && until.is_none_or(|until| until <= now) {
            return Ok(None);
        }
        let recipients = self.recipients_of(&message).await?;
        let mut envelope = Envelope::new(sender_of(row, &message)?, recipients);
        (envelope.reports, envelope.of_recipients) = self.asked_of(&message).await?;
        (envelope.smtputf8, envelope.eight_bit) = (row.try_get("smtputf8")?, row.try_get("eight_bit")?);
        // Another one once it is held: what was filled in before is not taken for what is asked then.
        let asked = match (held, &leaves) {
            (true, _) => "form held",
            (false, None) => "form returned",
            (false, Some(leaves)) if leaves.for_opening(now) => "form waits for opening",
            (false, Some(_)) => "form waits",
        };
        let form = self.inner.keys.mark(asked, brought);
        let form = URL_SAFE_NO_PAD.encode(form);
        Ok(Some(OpenLink { message, envelope, held, until, leaves, form, token }))
    }

    /// Records an answer by mail by which nothing is done. The letter that goes back is sent once in
    /// [`limits::ANSWER_LETTER_HOURS`] for a message; gives whether it was.
    ///
    /// # Errors
    /// What disk and database say.
    pub async fn note_answer(&self, message: &QueueId, letter: Option<NewEntry>) -> Result<bool, StoreError> {
        let entries = self.seal(letter.into_iter().collect()).await?;
        match self.ask(Op::Answered(Box::new(Unheeded { message: message.clone(), entries }))).await? {
            Answer::Changed(sent) => Ok(sent),
            _ => mismatch(),
        }
    }

    /// Does what the sender asks, with the notices that follow; `false`, and nothing is done, where the link no longer
    /// opens the message as it was shown.
    ///
    /// # Errors
    /// What disk and database say.
    pub async fn do_as_sender(
        &self,
        link: &OpenLink,
        act: SenderAct,
        notices: Vec<NewEntry>,
    ) -> Result<bool, StoreError> {
        let mut entries = Vec::new();
        if let SenderAct::SendChanged { new, .. } = &act {
            entries.push(NewEntry::clone(new));
        }
        entries.extend(notices);
        let entries = self.seal(entries).await?;
        super::fault::point("before-sender");
        let act = Act { token: link.token, message: link.message.clone(), act, entries };
        match self.ask(Op::Sender(Box::new(act))).await? {
            Answer::Changed(done) => Ok(done),
            _ => mismatch(),
        }
    }

    /// Lets the content of returned mail go whose time is over, up to [`limits::FORGET_BATCH`] messages; gives how many.
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_keeping(&self) -> Result<u64, StoreError> {
        let over: Option<i64> = sqlx::query_scalar("select min(kept_until) from message where kept_until is not null")
            .fetch_one(&self.inner.reader)
            .await?;
        if over.is_none_or(|first| first > micros(self.clock().now())) {
            return Ok(0);
        }
        match self.ask(Op::EndKeeping).await? {
            Answer::Count(count) => Ok(count),
            _ => mismatch(),
        }
    }
}

impl Tx<'_> {
    /// Makes a link to a message that is returned or held in this transaction; a returned one keeps its content.
    ///
    /// # Errors
    /// What the database says.
    pub async fn link_sender(&mut self, link: &SenderLink) -> Result<(), StoreError> {
        sqlx::query("insert into sender_link (token, message) values ($1, $2)")
            .bind(&link.token.digest()[..])
            .bind(&link.message.0)
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// Returns a pending message and keeps its content until `until`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn return_and_keep(&mut self, id: &QueueId, until: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "update message set state = 'returned', kept_until = $2, changed_at = $3, lease_owner = null, \
             lease_until = null where id = $1",
        )
        .bind(&id.0)
        .bind(micros(until))
        .bind(micros(self.now))
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    /// See [`Store::do_as_sender`].
    ///
    /// # Errors
    /// As there.
    pub async fn do_as_sender(&mut self, asked: &Act) -> Result<bool, StoreError> {
        let Act { token, message: id, act, entries } = asked;
        let row = sqlx::query(
            "select m.sha256, m.kept_until from sender_link l join message m on m.id = l.message \
             where l.token = $1 and m.id = $2",
        )
        .bind(&token[..])
        .bind(&id.0)
        .fetch_optional(&mut *self.connection)
        .await?;
        let Some(row) = row else { return Ok(false) };
        let kept = row.try_get::<Option<i64>, _>("kept_until")?.is_some_and(|until| until > micros(self.now));
        let standing = self.standing(id).await?;
        let held = standing.state == State::Held && !standing.leased;
        let waits = standing.leaves.filter(|_| standing.state == State::Queued && !standing.leased);
        let possible = match act {
            SenderAct::Cancel => held || kept || waits.is_some(),
            SenderAct::SendNow { because } => waits.is_some_and(|leaves| {
                standing.damaged.is_none() && (!because.is_empty() || !leaves.for_opening(self.now))
            }),
            SenderAct::Send { .. } | SenderAct::SendChanged { .. } | SenderAct::HandOver { .. } => kept,
            SenderAct::Note(_) => held,
        };
        if !possible {
            return Ok(false);
        }
        let from = standing.state.as_str();
        match act {
            SenderAct::Cancel => {
                let why = "cancelled by its sender";
                self.move_to(id, &standing, State::Discarded).await?;
                if held {
                    let at = self.now;
                    let decision = State::Discarded.as_str();
                    let ended = Ended { at, by: SENDER, decision, classification: None, reason: why, key: None };
                    self.end_review(id, &ended).await?;
                }
                self.audit(id, "discarded", SENDER, json!({"from": from, "why": why})).await?;
            }
            SenderAct::SendNow { because } => {
                self.leave_now(id).await?;
                self.audit(id, "sent-now", SENDER, json!({"from": from, "why": because})).await?;
            }
            SenderAct::Send { because, remember } => {
                sqlx::query("update message set released_sha256 = sha256, attempts = 0 where id = $1")
                    .bind(&id.0)
                    .execute(&mut *self.connection)
                    .await?;
                self.move_to(id, &standing, State::Queued).await?;
                self.audit(id, "released", SENDER, json!({"from": from, "why": because})).await?;
                self.leave_when_open(id).await?;
                self.give_allowances(id, SENDER, remember).await?;
                self.effects.queued = true;
            }
            SenderAct::SendChanged { how, remember, new } => {
                let verdict = new.report.as_ref().map(|report| report.action.as_str());
                let detail = json!({
                    "from": from, "why": how, "sha256": hex(&row.try_get::<Vec<u8>, _>("sha256")?),
                    "sent_as": new.id.0, "sent_sha256": hex(&new.sha256), "sent_verdict": verdict,
                });
                self.move_to(id, &standing, State::Discarded).await?;
                self.audit(id, "discarded", SENDER, detail).await?;
                self.give_allowances(id, SENDER, remember).await?;
            }
            SenderAct::HandOver { note, report } => {
                self.move_to(id, &standing, State::Held).await?;
                self.begin_review(id, Some(report)).await?;
                self.audit(id, "held", SENDER, json!({"from": from, "why": note})).await?;
            }
            SenderAct::Note(note) => self.audit(id, "noted", SENDER, json!({"why": note})).await?,
        }
        self.insert(entries).await?;
        Ok(true)
    }

    /// See [`Store::note_answer`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn note_answer(&mut self, unheeded: &Unheeded) -> Result<bool, StoreError> {
        let Unheeded { message: id, entries } = unheeded;
        if entries.is_empty() {
            self.audit(id, "answer-ignored", GATEWAY, json!({"why": "a program wrote it"})).await?;
            return Ok(false);
        }
        let since = self.now.saturating_sub(SignedDuration::from_hours(limits::ANSWER_LETTER_HOURS));
        let lately: i64 = sqlx::query_scalar(
            "select count(*) from audit where message = $1 and event = 'answer-not-understood' and at > $2",
        )
        .bind(&id.0)
        .bind(micros(since.unwrap_or(Timestamp::MIN)))
        .fetch_one(&mut *self.connection)
        .await?;
        if lately > 0 {
            self.audit(id, "answer-ignored", GATEWAY, json!({"why": "its sender was told a short while ago"})).await?;
            return Ok(false);
        }
        self.audit(id, "answer-not-understood", GATEWAY, json!({"why": "its sender is told what is possible"})).await?;
        self.insert(entries).await?;
        Ok(true)
    }

    /// See [`Store::end_keeping`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn end_keeping(&mut self) -> Result<u64, StoreError> {
        let over: Vec<String> =
            sqlx::query_scalar("select id from message where kept_until <= $1 order by kept_until limit $2")
                .bind(micros(self.now))
                .bind(limits::FORGET_BATCH)
                .fetch_all(&mut *self.connection)
                .await?;
        for id in &over {
            let id = QueueId(id.clone());
            let standing = self.standing(&id).await?;
            // Lets go what the state does not keep.
            self.move_to(&id, &standing, State::Returned).await?;
            self.audit(&id, "erased", GATEWAY, json!({"why": "its sender did nothing with it"})).await?;
        }
        Ok(over.len() as u64)
    }
}
