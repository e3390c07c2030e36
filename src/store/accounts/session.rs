//! Sessions: who is signed in. 8 hours at most, 30 minutes without use ([`limits::SESSION_SECONDS`],
//! [`limits::SESSION_IDLE_SECONDS`]).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::json;
use sqlx::Row;

use super::super::audit::{micros, timestamp};
use super::super::queue::mismatch;
use super::super::writer::{Answer, Op, Tx};
use super::super::{Store, StoreError};
use super::{Account, AccountId, Change, Token, after, token};
use crate::limits;

/// A session that has just begun: the token goes into the browser's cookie and is kept nowhere else.
#[derive(Debug)]
pub struct NewSession {
    /// For the cookie.
    pub token: Token,
    /// Who has signed in.
    pub account: Account,
}

/// Who a session's token belongs to.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// As it stands now.
    pub account: Account,
    /// What the forms of this session carry.
    pub csrf: Token,
    /// When it began.
    pub since: Timestamp,
    /// When it ends at the latest, however it is used.
    pub until: Timestamp,
}

/// A session as the store keeps it.
pub(in crate::store) struct Kept {
    pub token: [u8; 32],
    pub csrf: [u8; 32],
}

impl Store {
    /// A new session's token, and what the store keeps of it.
    pub(super) fn new_session(&self) -> Result<(Token, Kept), StoreError> {
        let token = Token::new(self.inner.keys.random()?);
        let row = Kept { token: token.digest(), csrf: self.inner.keys.random()? };
        Ok((token, row))
    }

    /// Who has this session; `None` where it is unknown, has ended or is over, or its account is out of use. Looking counts
    /// as use and is written down at most once in [`limits::SESSION_TOUCH_SECONDS`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn session(&self, brought: &str) -> Result<Option<SignedIn>, StoreError> {
        let digest = token::digest(brought);
        let row = sqlx::query("select * from session where token = $1 and ended_at is null")
            .bind(&digest[..])
            .fetch_optional(&self.inner.reader)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let now = self.clock().now();
        let (since, seen) = (timestamp(row.try_get("created_at")?), timestamp(row.try_get("seen_at")?));
        let until = after(since, limits::SESSION_SECONDS);
        if now >= until || now >= after(seen, limits::SESSION_IDLE_SECONDS) {
            return Ok(None);
        }
        let id = AccountId(row.try_get("account")?);
        let account = self.find_account("a.id", &id.0).await?.filter(|account| account.disabled_at.is_none());
        let Some(account) = account else { return Ok(None) };
        if now >= after(seen, limits::SESSION_TOUCH_SECONDS) {
            self.change_done(Change::Touch(digest)).await?;
        }
        let csrf = Token::of(URL_SAFE_NO_PAD.encode(row.try_get::<Vec<u8>, _>("csrf")?));
        Ok(Some(SignedIn { account, csrf, since, until }))
    }

    /// Ends a session; `false` where it had ended or never was.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sign_out(&self, brought: &str) -> Result<bool, StoreError> {
        self.changed(Change::SignOut(token::digest(brought))).await
    }

    /// Ends all sessions of an account; gives how many there were.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`]; what the database says.
    pub async fn end_sessions(&self, name: &str, who: &str) -> Result<u64, StoreError> {
        let name = self.account(name).await?.name;
        match self.ask(Op::Account(Box::new(Change::EndSessions { name, who: who.to_owned() }))).await? {
            Answer::Count(count) => Ok(count),
            _ => mismatch(),
        }
    }
}

impl Tx<'_> {
    pub(super) async fn insert_session(&mut self, account: &AccountId, session: &Kept) -> Result<(), StoreError> {
        sqlx::query("insert into session (token, account, csrf, created_at, seen_at) values ($1, $2, $3, $4, $4)")
            .bind(&session.token[..])
            .bind(&account.0)
            .bind(&session.csrf[..])
            .bind(micros(self.now))
            .execute(&mut *self.connection)
            .await?;
        sqlx::query("update account set signed_in_at = $2 where id = $1")
            .bind(&account.0)
            .bind(micros(self.now))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(super) async fn touch_session(&mut self, session: &[u8; 32]) -> Result<(), StoreError> {
        sqlx::query("update session set seen_at = $2 where token = $1 and ended_at is null and seen_at < $2")
            .bind(&session[..])
            .bind(micros(self.now))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    pub(super) async fn sign_out(&mut self, session: &[u8; 32]) -> Result<bool, StoreError> {
        let name: Option<String> = sqlx::query_scalar(
            "select a.name from session s join account a on a.id = s.account where s.token = $1 and s.ended_at is null",
        )
        .bind(&session[..])
        .fetch_optional(&mut *self.connection)
        .await?;
        let Some(name) = name else { return Ok(false) };
        sqlx::query("update session set ended_at = $2 where token = $1")
            .bind(&session[..])
            .bind(micros(self.now))
            .execute(&mut *self.connection)
            .await?;
        self.audit_account("signed-out", &name, &name, json!({})).await?;
        Ok(true)
    }

    pub(super) async fn end_sessions(&mut self, name: &str, who: &str) -> Result<u64, StoreError> {
        let account = self.account(name).await?;
        let ended = self.end_all(&account.id).await?;
        if ended > 0 {
            self.audit_account("sessions-ended", who, name, json!({"sessions": ended})).await?;
        }
        Ok(ended)
    }

    /// Ends every session of the account, and sign-ins that are under way; gives how many sessions there were.
    pub(super) async fn end_all(&mut self, account: &AccountId) -> Result<u64, StoreError> {
        sqlx::query("delete from sign_in where account = $1").bind(&account.0).execute(&mut *self.connection).await?;
        let ended = sqlx::query("update session set ended_at = $2 where account = $1 and ended_at is null")
            .bind(&account.0)
            .bind(micros(self.now))
            .execute(&mut *self.connection)
            .await?;
        Ok(ended.rows_affected())
    }
}
