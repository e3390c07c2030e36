//! Who signs in at the desk: accounts and their roles, one-time links, passwords and codes, sessions, and to whom sealed
//! mail was opened. Rows of the store like all else: each change is one transaction with its audit line.
//!
//! Never knows HTTP, cookies or pages, nor what a role may do. Invariants: what proves who somebody is stands in the
//! database as a hash (password by Argon2id, links and sessions by SHA-256 of 256 random bits, recovery codes keyed) or
//! sealed with the store's key (the authenticator's secret); a link, a code of an authenticator and a recovery code work
//! once; a name that is unknown or disabled is answered like a wrong password, after as much work; a try to sign in counts
//! before it is looked at, so that many at once are no more than one after the other.
//!
//! Copiers and programs that sign in to send have accounts of their own kind (`submission`): they see nothing and decide
//! nothing.
//!
//! Events of the audit: `account-created`, `account-roles`, `account-reset`, `account-disabled`, `account-enabled`,
//! `signed-up`, `password-changed`, `recovery-codes-made`, `signed-in`, `sign-in-failed`, `signed-out`, `sessions-ended`, and
//! of messages `sender-created`, `sender-password`, `sender-senders`, `sender-disabled`, `sender-enabled`, `sender-removed`, `opened` (content or findings, with the purpose), `opening-asked`, `opening-approved`.

mod attempts;
mod code;
mod first;
mod own;
mod password;
mod people;
mod role;
mod sealed_mail;
mod session;
mod sign_in;
mod sign_up;
mod submission;
#[cfg(test)]
mod tests;
mod token;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

pub use first::FirstLink;
pub(super) use first::Open as OpenFirst;
pub use own::{NewCodes, PasswordChange};
pub(super) use password::Hasher;
pub use password::WeakPassword;
pub use role::Role;
pub use sealed_mail::{Looked, SealedRequest};
pub use session::{NewSession, SignedIn};
pub use sign_in::{CodeAnswer, PasswordAnswer};
pub use sign_up::{SignUp, SignUpAnswer};
pub use submission::SubmissionAccount;
pub use token::Token;

use super::audit::timestamp;
use super::writer::{Answer, Tx};
use super::{QueueId, StoreError};

/// Key of an account in the database: 32 hexadecimal digits, drawn at random. Names may be said; this is for programs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccountId(pub String);

/// A person who may sign in. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its key.
    pub id: AccountId,
    /// What the person signs in with; lower case.
    pub name: String,
    /// The person's school mailbox; lower case.
    pub address: String,
    /// In the order of [`Role::ALL`]; may be empty.
    pub roles: Vec<Role>,
    /// Password and authenticator are set.
    pub signed_up: bool,
    /// A one-time link is open until then; may have passed.
    pub link_until: Option<Timestamp>,
    /// Since when it is out of use.
    pub disabled_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When roles, password or state last changed.
    pub changed_at: Timestamp,
    /// The last sign-in.
    pub signed_in_at: Option<Timestamp>,
}

/// A one-time link, told once to who asked for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Link {
    /// Of this account.
    pub name: String,
    /// What the link ends in.
    pub token: Token,
    /// Good until.
    pub until: Timestamp,
}

/// Whether the role `sbm` may be left with nobody in use who has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LastSbm {
    /// Refuse: [`StoreError::LastSbm`].
    Keep,
    /// It was said that it may.
    MayGo,
}

/// What the writer is asked for. Nothing in clear that is secret: hashes and sealed bytes only.
pub(super) enum Change {
    Create(people::NewAccount),
    Roles { name: String, roles: Vec<Role>, last: LastSbm, who: String },
    Reset { name: String, link: people::NewLink, who: String },
    Disable { name: String, last: LastSbm, who: String },
    Enable { name: String, who: String },
    First(Box<first::NewFirst>),
    SignUp(sign_up::Completed),
    Password(own::NewPassword),
    Recovery(own::NewRecovery),
    Try(attempts::Tries),
    Guess(attempts::Guess),
    Failed(sign_in::Failed),
    PasswordRight(sign_in::PasswordRight),
    CodeRight(sign_in::CodeRight),
    Vouched(sign_in::Vouched),
    Touch([u8; 32]),
    SignOut([u8; 32]),
    EndSessions { name: String, who: String },
    Submission(submission::Change),
    Look(sealed_mail::Look),
    AskToOpen { message: QueueId, account: AccountId, reason: String },
    ApproveOpening { message: QueueId, account: AccountId, by: AccountId },
}

impl Tx<'_> {
    /// Carries a change out.
    ///
    /// # Errors
    /// As the method of [`super::Store`] that asks for it; nothing was written then.
    pub async fn change_account(&mut self, change: &Change) -> Result<Answer, StoreError> {
        match change {
            Change::Create(new) => self.create_account(new).await.map(|()| Answer::Done),
            Change::Roles { name, roles, last, who } => {
                self.set_roles(name, roles, *last, who).await.map(Answer::Changed)
            }
            Change::Reset { name, link, who } => self.reset_account(name, link, who).await.map(|()| Answer::Done),
            Change::Disable { name, last, who } => self.disable_account(name, *last, who).await.map(Answer::Changed),
            Change::Enable { name, who } => self.enable_account(name, who).await.map(Answer::Changed),
            Change::Guess(guess) => self.count_guess(guess).await.map(|()| Answer::Done),
            Change::First(new) => self.first_account(new).await.map(Answer::Changed),
            Change::SignUp(completed) => self.complete_sign_up(completed).await.map(Answer::Changed),
            Change::Password(new) => self.new_password(new).await.map(Answer::Changed),
            Change::Recovery(new) => self.new_recovery(new).await.map(Answer::Changed),
            Change::Try(tries) => self.try_sign_in(tries).await.map(Answer::Wait),
            Change::Failed(failed) => self.sign_in_failed(failed).await.map(|()| Answer::Done),
            Change::PasswordRight(right) => self.password_right(right).await.map(Answer::Changed),
            Change::CodeRight(right) => self.code_right(right).await.map(Answer::Changed),
            Change::Vouched(vouched) => self.vouched(vouched).await.map(Answer::Changed),
            Change::Touch(session) => self.touch_session(session).await.map(|()| Answer::Done),
            Change::SignOut(session) => self.sign_out(session).await.map(Answer::Changed),
            Change::EndSessions { name, who } => self.end_sessions(name, who).await.map(Answer::Count),
            Change::Submission(change) => self.change_submission(change).await.map(Answer::Changed),
            Change::Look(look) => self.look(look).await.map(Answer::Changed),
            Change::AskToOpen { message, account, reason } => {
                self.ask_to_open(message, account, reason).await.map(Answer::Changed)
            }
            Change::ApproveOpening { message, account, by } => {
                self.approve_opening(message, account, by).await.map(Answer::Changed)
            }
        }
    }

    /// A line about an account.
    ///
    /// # Errors
    /// What the database says.
    async fn audit_account(
        &mut self,
        event: &str,
        who: &str,
        name: &str,
        mut detail: serde_json::Value,
    ) -> Result<(), StoreError> {
        detail["account"] = json!(name);
        self.audit(&QueueId(String::new()), event, who, detail).await
    }
}

/// A time that may be absent.
fn time_of(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(timestamp))
}

/// `now` and so many seconds.
fn after(now: Timestamp, seconds: u64) -> Timestamp {
    now.saturating_add(std::time::Duration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// `now` less so many seconds.
fn before(now: Timestamp, seconds: u64) -> Timestamp {
    now.saturating_sub(std::time::Duration::from_secs(seconds)).unwrap_or(Timestamp::MIN)
}
