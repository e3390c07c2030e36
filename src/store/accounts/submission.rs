//! Accounts with which copiers and programs sign in to send (RFC 4954): made, changed, removed, and asked when a client shows
//! name and password.
//!
//! Never knows the protocol, nor which domains are the school's. Invariants: a name that is unknown or out of use is answered
//! like a wrong password, after as much work; a try counts before it is looked at; while tries have to wait, no password is
//! hashed and nothing is written; each change has its line in the audit, that with a password says only that there is another.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::super::audit::{micros, timestamp};
use super::super::writer::Tx;
use super::super::{Store, StoreError};
use super::attempts::Tries;
use super::{Change as AnyChange, Token, before, password, time_of};
use crate::limits;
use crate::smtp::Address;
use crate::smtp::auth::{Account, NotSignedIn, Sender};

/// An account that may sign in to send. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionAccount {
    /// What it signs in with; lower case.
    pub name: String,
    /// Mailboxes that it may send as, lower case, in order.
    pub mailboxes: Vec<String>,
    /// Domains of which it may send as any mailbox, lower case, in order.
    pub domains: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom, as the audit says it.
    pub created_by: String,
    /// When password, senders or state last changed.
    pub changed_at: Timestamp,
    /// Since when it is out of use.
    pub disabled_at: Option<Timestamp>,
    /// When it last signed in, to a minute.
    pub used_at: Option<Timestamp>,
}

impl SubmissionAccount {
    /// Whom it may send as.
    fn senders(&self) -> Vec<Sender> {
        let mailboxes = self.mailboxes.iter().filter_map(|text| Address::parse(text).ok()).map(Sender::Mailbox);
        mailboxes.chain(self.domains.iter().cloned().map(Sender::Domain)).collect()
    }
}

/// What the writer is asked for.
pub(in crate::store) enum Change {
    Create { name: String, hash: String, senders: Senders, who: String },
    Password { name: String, hash: String, who: String },
    Senders { name: String, senders: Senders, who: String },
    Use { name: String, in_use: bool, who: String },
    Remove { name: String, who: String },
    Right(Right),
}

/// Kind and text of each, sorted, none twice.
type Senders = Vec<(&'static str, String)>;

pub(in crate::store) struct Right {
    name: String,
    /// The hash that was found right.
    hash: String,
    client: [u8; 32],
    tries: Tries,
}

const COLUMNS: &str = "select a.*, \
     (select string_agg(sender, ' ') from submission_sender s where s.account = a.name and s.kind = 'mailbox') as mailboxes, \
     (select string_agg(sender, ' ') from submission_sender s where s.account = a.name and s.kind = 'domain') as domains \
     from submission_account a";

impl Store {
    /// Makes an account; without a password it gets one of [`limits::SUBMISSION_PASSWORD`] random octets. Gives the password
    /// that was made, which is told here and kept nowhere.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the name is none (up to [`limits::ACCOUNT_NAME_CHARS`] letters, digits, `.`, `-`, `_`,
    /// `@`, large and small alike), where there is no sender or more than [`limits::SUBMISSION_SENDERS`], or the password is
    /// too weak; [`StoreError::AccountExists`]; what the database says.
    pub async fn create_submission(
        &self,
        name: &str,
        senders: &[Sender],
        password: Option<&str>,
        who: &str,
    ) -> Result<Option<Token>, StoreError> {
        let (name, senders) = (sound_name(name)?, sound(senders)?);
        let (hash, made) = self.submission_hash(&name, password).await?;
        let change = Change::Create { name, hash, senders, who: who.to_owned() };
        self.changed(AnyChange::Submission(change)).await?;
        Ok(made)
    }

    /// All of them by name, at most [`limits::ACCOUNTS`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn submissions(&self) -> Result<Vec<SubmissionAccount>, StoreError> {
        let sql = format!("{COLUMNS} order by a.name limit $1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(i64::from(limits::ACCOUNTS));
        rows.fetch_all(&self.inner.reader).await?.iter().map(read).collect()
    }

    /// Another password, as [`Store::create_submission`] takes or makes it; the old one is worth nothing from now on.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`]; [`StoreError::Refused`] where it is too weak; what the database says.
    pub async fn set_submission_password(
        &self,
        name: &str,
        password: Option<&str>,
        who: &str,
    ) -> Result<Option<Token>, StoreError> {
        let name = plain(name);
        let (hash, made) = self.submission_hash(&name, password).await?;
        self.changed(AnyChange::Submission(Change::Password { name, hash, who: who.to_owned() })).await?;
        Ok(made)
    }

    /// Lets an account send as these and no others; `false` where it could before.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`]; [`StoreError::Refused`] as [`Store::create_submission`]; what the database says.
    pub async fn set_submission_senders(&self, name: &str, senders: &[Sender], who: &str) -> Result<bool, StoreError> {
        let change = Change::Senders { name: plain(name), senders: sound(senders)?, who: who.to_owned() };
        self.changed(AnyChange::Submission(change)).await
    }

    /// Takes an account out of use, or into use again; `false` where it was so already.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`]; what the database says.
    pub async fn use_submission(&self, name: &str, in_use: bool, who: &str) -> Result<bool, StoreError> {
        let change = Change::Use { name: plain(name), in_use, who: who.to_owned() };
        self.changed(AnyChange::Submission(change)).await
    }

    /// Removes an account. What it sent, and what is in the audit, stays.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`]; what the database says.
    pub async fn remove_submission(&self, name: &str, who: &str) -> Result<(), StoreError> {
        let change = Change::Remove { name: plain(name), who: who.to_owned() };
        self.changed(AnyChange::Submission(change)).await.map(drop)
    }

    /// Whether there is an account of this name, which may be out of use.
    ///
    /// # Errors
    /// What the database says.
    pub async fn has_submission(&self, name: &str) -> Result<bool, StoreError> {
        let row = sqlx::query("select 1 from submission_account where name = $1").bind(plain(name));
        Ok(row.fetch_optional(&self.inner.reader).await?.is_some())
    }

    /// Signs a client in: [`NotSignedIn::Wrong`] for an unknown name, one out of use and a wrong password, after one hash
    /// each; [`NotSignedIn::Throttled`] after none.
    ///
    /// # Errors
    /// What the database says: nobody has signed in then.
    pub async fn sign_in_to_send(
        &self,
        name: &str,
        password: &str,
        client: IpAddr,
    ) -> Result<Result<Account, NotSignedIn>, StoreError> {
        let name = plain(name);
        let mark = self.client_mark(client);
        let known = sqlx::query("select 1 from submission_client where account = $1 and client = $2 and last_at >= $3")
            .bind(&name)
            .bind(&mark[..])
            .bind(micros(before(self.clock().now(), limits::SUBMISSION_CLIENT_SECONDS)))
            .fetch_optional(&self.inner.reader)
            .await?;
        let tries = self.tries_to_send(&name, client, known.is_some());
        // Who knocks on while a wait lasts costs no write.
        if self.tries_wait(&tries).await?.is_some() || self.try_sign_in(&tries).await?.is_some() {
            return Ok(Err(NotSignedIn::Throttled));
        }
        let sql = format!("{COLUMNS} where a.name = $1 and a.disabled_at is null");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&name).fetch_optional(&self.inner.reader).await?;
        let found =
            row.map(|row| Ok::<_, StoreError>((read(&row)?, row.try_get::<String, _>("password")?))).transpose()?;
        let right = self.inner.hasher.verify(password, found.as_ref().map(|(_, hash)| hash.as_str())).await?;
        let Some((account, hash)) = found.filter(|_| right) else { return Ok(Err(NotSignedIn::Wrong)) };
        let senders = account.senders();
        let right = Right { name: name.clone(), hash, client: mark, tries };
        if !self.changed(AnyChange::Submission(Change::Right(right))).await? {
            return Ok(Err(NotSignedIn::Wrong));
        }
        Ok(Ok(Account { name, senders }))
    }

    /// The hash of the password that was given, or of one that is made.
    async fn submission_hash(&self, name: &str, given: Option<&str>) -> Result<(String, Option<Token>), StoreError> {
        let made = match given {
            Some(given) => {
                password::judge(given, name, "").map_err(|weak| StoreError::Refused(weak.to_string()))?;
                None
            }
            None => Some(self.made_password()?),
        };
        let chosen = made.as_ref().map_or(given.unwrap_or_default(), Token::reveal);
        Ok((self.inner.hasher.hash(chosen, &self.inner.keys).await?, made))
    }

    fn made_password(&self) -> Result<Token, StoreError> {
        Ok(Token::of(
            super::code::written(&self.inner.keys.random::<{ limits::SUBMISSION_PASSWORD }>()?).to_lowercase(),
        ))
    }
}

impl Tx<'_> {
    /// Carries a change out; says whether anything is different.
    ///
    /// # Errors
    /// As the method of [`Store`] that asks for it; nothing was written then.
    pub(super) async fn change_submission(&mut self, change: &Change) -> Result<bool, StoreError> {
        match change {
            Change::Create { name, hash, senders, who } => {
                let taken = sqlx::query("select 1 from submission_account where name = $1").bind(name);
                if taken.fetch_optional(&mut *self.connection).await?.is_some() {
                    return Err(StoreError::AccountExists("name", name.clone()));
                }
                sqlx::query(
                    "insert into submission_account (name, password, created_at, created_by, changed_at) \
                     values ($1, $2, $3, $4, $3)",
                )
                .bind(name)
                .bind(hash)
                .bind(micros(self.now))
                .bind(who)
                .execute(&mut *self.connection)
                .await?;
                self.insert_senders(name, senders).await?;
                self.audit_account("sender-created", who, name, json!({"senders": shown(senders)})).await?;
            }
            Change::Password { name, hash, who } => {
                self.submission(name).await?;
                sqlx::query("update submission_account set password = $2, changed_at = $3 where name = $1")
                    .bind(name)
                    .bind(hash)
                    .bind(micros(self.now))
                    .execute(&mut *self.connection)
                    .await?;
                self.audit_account("sender-password", who, name, json!({})).await?;
            }
            Change::Senders { name, senders, who } => {
                let before = sound(&self.submission(name).await?.senders()).unwrap_or_default();
                if before == *senders {
                    return Ok(false);
                }
                sqlx::query("delete from submission_sender where account = $1")
                    .bind(name)
                    .execute(&mut *self.connection)
                    .await?;
                self.insert_senders(name, senders).await?;
                sqlx::query("update submission_account set changed_at = $2 where name = $1")
                    .bind(name)
                    .bind(micros(self.now))
                    .execute(&mut *self.connection)
                    .await?;
                let detail = json!({"from": shown(&before), "to": shown(senders)});
                self.audit_account("sender-senders", who, name, detail).await?;
            }
            Change::Use { name, in_use, who } => {
                if self.submission(name).await?.disabled_at.is_none() == *in_use {
                    return Ok(false);
                }
                sqlx::query("update submission_account set disabled_at = $2, changed_at = $3 where name = $1")
                    .bind(name)
                    .bind((!in_use).then(|| micros(self.now)))
                    .bind(micros(self.now))
                    .execute(&mut *self.connection)
                    .await?;
                // Each word stands where it is written: so the desk's list of words is checked.
                match in_use {
                    true => self.audit_account("sender-enabled", who, name, json!({})).await?,
                    false => self.audit_account("sender-disabled", who, name, json!({})).await?,
                }
            }
            Change::Remove { name, who } => {
                self.submission(name).await?;
                sqlx::query("delete from submission_account where name = $1")
                    .bind(name)
                    .execute(&mut *self.connection)
                    .await?;
                self.audit_account("sender-removed", who, name, json!({})).await?;
            }
            Change::Right(right) => return self.submission_right(right).await,
        }
        Ok(true)
    }

    /// The password was right, and still is.
    async fn submission_right(&mut self, right: &Right) -> Result<bool, StoreError> {
        let same =
            sqlx::query("select 1 from submission_account where name = $1 and password = $2 and disabled_at is null")
                .bind(&right.name)
                .bind(&right.hash)
                .fetch_optional(&mut *self.connection)
                .await?;
        if same.is_none() {
            return Ok(false);
        }
        self.clear_tries(&right.tries).await?;
        let (now, due) = (micros(self.now), micros(before(self.now, limits::SUBMISSION_TOUCH_SECONDS)));
        sqlx::query(
            "update submission_account set used_at = $2 where name = $1 and (used_at is null or used_at <= $3)",
        )
        .bind(&right.name)
        .bind(now)
        .bind(due)
        .execute(&mut *self.connection)
        .await?;
        sqlx::query(
            "insert into submission_client (account, client, last_at) values ($1, $2, $3) \
             on conflict (account, client) do update set last_at = excluded.last_at",
        )
        .bind(&right.name)
        .bind(&right.client[..])
        .bind(now)
        .execute(&mut *self.connection)
        .await?;
        Ok(true)
    }

    async fn submission(&mut self, name: &str) -> Result<SubmissionAccount, StoreError> {
        let sql = format!("{COLUMNS} where a.name = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(name).fetch_optional(&mut *self.connection).await?;
        read(&row.ok_or_else(|| StoreError::NoAccount(name.to_owned()))?)
    }

    async fn insert_senders(&mut self, name: &str, senders: &Senders) -> Result<(), StoreError> {
        for (kind, sender) in senders {
            sqlx::query("insert into submission_sender (account, kind, sender) values ($1, $2, $3)")
                .bind(name)
                .bind(kind)
                .bind(sender)
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }
}

fn plain(name: &str) -> String {
    name.trim().to_lowercase()
}

/// As for people, and mailboxes too: many copiers take nothing else for a name.
fn sound_name(name: &str) -> Result<String, StoreError> {
    let name = plain(name);
    let sound = |b: u8| b.is_ascii_alphanumeric() || b".-_@".contains(&b);
    if name.is_empty() || name.len() > limits::ACCOUNT_NAME_CHARS || !name.bytes().all(sound) {
        return Err(StoreError::Refused(format!(
            "a name to sign in with is made of up to {} letters a to z, digits, `.`, `-`, `_` and `@`",
            limits::ACCOUNT_NAME_CHARS
        )));
    }
    Ok(name)
}

fn sound(senders: &[Sender]) -> Result<Senders, StoreError> {
    let written = |sender: &Sender| match sender {
        Sender::Mailbox(address) => ("mailbox", address.to_string().to_lowercase()),
        Sender::Domain(domain) => ("domain", domain.to_lowercase()),
    };
    let mut out: Senders = senders.iter().map(written).collect();
    out.sort_unstable();
    out.dedup();
    let refused = |why: String| Err(StoreError::Refused(why));
    if out.is_empty() {
        return refused("the account could send as nobody; say whose mail it sends".to_owned());
    }
    if out.len() > limits::SUBMISSION_SENDERS {
        return refused(format!("an account sends as {} at most; name the domain instead", limits::SUBMISSION_SENDERS));
    }
    // The list of an account is read back at blanks.
    if out.iter().any(|(_, text)| text.contains(char::is_whitespace)) {
        return refused("a sender's address has no blanks".to_owned());
    }
    Ok(out)
}

/// As the audit tells them: a domain with its `@`.
fn shown(senders: &Senders) -> Vec<String> {
    senders.iter().map(|(kind, text)| if *kind == "domain" { format!("@{text}") } else { text.clone() }).collect()
}

fn read(row: &SqliteRow) -> Result<SubmissionAccount, StoreError> {
    let list = |column: &str| -> Result<Vec<String>, StoreError> {
        let text: Option<String> = row.try_get(column)?;
        let mut list: Vec<String> = text.iter().flat_map(|text| text.split(' ')).map(str::to_owned).collect();
        list.sort_unstable();
        Ok(list)
    };
    Ok(SubmissionAccount {
        name: row.try_get("name")?,
        mailboxes: list("mailboxes")?,
        domains: list("domains")?,
        created_at: timestamp(row.try_get("created_at")?),
        created_by: row.try_get("created_by")?,
        changed_at: timestamp(row.try_get("changed_at")?),
        disabled_at: time_of(row, "disabled_at")?,
        used_at: time_of(row, "used_at")?,
    })
}
