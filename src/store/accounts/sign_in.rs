//! Signing in: first the password, then a code; or by somebody who vouches for the person's mailbox (OpenID Connect).
//!
//! An unknown name, one that is out of use and a wrong password are one answer, after one hash each.

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::json;
use sqlx::Row;

use super::super::audit::{micros, timestamp};
use super::super::writer::Tx;
use super::super::{Store, StoreError};
use super::attempts::Tries;
use super::session::{Kept, NewSession};
use super::{AccountId, Change, Token, after, code, token};
use crate::limits;
use crate::smtp::Address;

/// What a name and a password are answered with.
#[derive(Debug)]
pub enum PasswordAnswer {
    /// Right; the code is wanted within [`limits::SIGN_IN_SECONDS`], with this token.
    Code(Token),
    /// Name or password are not right; which, is not said.
    Wrong,
    /// Too many tries: none before this time.
    Wait(Timestamp),
}

/// What a code is answered with.
#[derive(Debug)]
pub enum CodeAnswer {
    /// Signed in.
    In(Box<NewSession>),
    /// The code is not right, or was used before; another one may be tried.
    Wrong,
    /// Too many tries: none before this time.
    Wait(Timestamp),
    /// Too long since the password, or something about the account changed: from the start.
    Over,
}

pub(in crate::store) struct Failed {
    /// `None` where the name is no account's: what was typed is not written down.
    pub name: Option<String>,
    pub client: IpAddr,
    /// `password` or `code`.
    pub at: &'static str,
}

pub(in crate::store) struct PasswordRight {
    pub account: AccountId,
    /// The hash that was found right.
    pub hash: String,
    pub token: [u8; 32],
    pub tries: Tries,
}

pub(in crate::store) struct CodeRight {
    pub sign_in: [u8; 32],
    pub proof: Proof,
    pub session: Kept,
    pub tries: Tries,
    pub client: IpAddr,
}

/// What was typed in the second step.
pub(in crate::store) enum Proof {
    /// A code of the authenticator, of this step.
    Step(i64),
    /// What may be a recovery code.
    Recovery([u8; 32]),
}

pub(in crate::store) struct Vouched {
    pub account: AccountId,
    pub session: Kept,
    pub by: String,
    pub client: IpAddr,
}

impl Store {
    /// The first step. `client` is who asks, for the waits.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sign_in_password(
        &self,
        name: &str,
        password: &str,
        client: IpAddr,
    ) -> Result<PasswordAnswer, StoreError> {
        let name = name.trim().to_lowercase();
        let tries = self.tries(&name, client);
        if let Some(until) = self.try_sign_in(&tries).await? {
            return Ok(PasswordAnswer::Wait(until));
        }
        let found = self.password_hash(&name).await?;
        let right = self.inner.hasher.verify(password, found.as_ref().map(|(_, hash)| hash.as_str())).await?;
        if let (true, Some((account, hash))) = (right, found) {
            let token = Token::new(self.inner.keys.random()?);
            let right = PasswordRight { account, hash, token: token.digest(), tries };
            if self.changed(Change::PasswordRight(right)).await? {
                return Ok(PasswordAnswer::Code(token));
            }
        }
        let known = self.find_account("a.name", &name).await?.map(|account| account.name);
        self.change_done(Change::Failed(Failed { name: known, client, at: "password" })).await?;
        Ok(PasswordAnswer::Wrong)
    }

    /// The second step: `brought` is the token of the first, `typed` a code of the authenticator or a recovery code. The
    /// session's token is a fresh one.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sign_in_code(&self, brought: &str, typed: &str, client: IpAddr) -> Result<CodeAnswer, StoreError> {
        let sign_in = token::digest(brought);
        let row = sqlx::query(
            "select a.id, a.name, a.totp, a.totp_step, s.expires_at from sign_in s join account a on a.id = s.account \
             where s.token = $1 and a.disabled_at is null and a.totp is not null",
        )
        .bind(&sign_in[..])
        .fetch_optional(&self.inner.reader)
        .await?;
        let Some(row) = row else { return Ok(CodeAnswer::Over) };
        let now = self.clock().now();
        if timestamp(row.try_get("expires_at")?) <= now {
            return Ok(CodeAnswer::Over);
        }
        let (id, name): (AccountId, String) = (AccountId(row.try_get("id")?), row.try_get("name")?);
        let tries = self.tries(&name, client);
        if let Some(until) = self.try_sign_in(&tries).await? {
            return Ok(CodeAnswer::Wait(until));
        }
        let keys = &self.inner.keys;
        let secret = keys.open_account(&id.0, &row.try_get::<Vec<u8>, _>("totp")?);
        let secret =
            secret.ok_or_else(|| StoreError::Key("the secret of an authenticator does not open".to_owned()))?;
        let authenticator = code::authenticator(&secret, &name)?;
        let proof = match code::step_of(&authenticator, typed, now, row.try_get("totp_step")?) {
            Some(step) => Proof::Step(step),
            None => Proof::Recovery(code::recovery_mark(keys, typed)),
        };
        let (token, session) = self.new_session()?;
        if self.changed(Change::CodeRight(CodeRight { sign_in, proof, session, tries, client })).await? {
            let account = self.account(&name).await?;
            return Ok(CodeAnswer::In(Box::new(NewSession { token, account })));
        }
        self.change_done(Change::Failed(Failed { name: Some(name), client, at: "code" })).await?;
        Ok(CodeAnswer::Wrong)
    }

    /// Signs in whoever has the mailbox `address`, which `by` (an OpenID Connect provider, by its name) has just verified;
    /// `None` where no account in use has it. Roles are ours alone.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sign_in_vouched(
        &self,
        address: &Address,
        by: &str,
        client: IpAddr,
    ) -> Result<Option<NewSession>, StoreError> {
        let account = self.account_of(address).await?.filter(|account| account.disabled_at.is_none());
        let Some(account) = account else { return Ok(None) };
        let (token, session) = self.new_session()?;
        let vouched = Vouched { account: account.id.clone(), session, by: by.to_owned(), client };
        Ok(self.changed(Change::Vouched(vouched)).await?.then_some(NewSession { token, account }))
    }

    /// Key and password hash of an account in use that has one.
    pub(super) async fn password_hash(&self, name: &str) -> Result<Option<(AccountId, String)>, StoreError> {
        let row = sqlx::query(
            "select id, password from account where name = $1 and disabled_at is null and password is not null",
        )
        .bind(name)
        .fetch_optional(&self.inner.reader)
        .await?;
        row.map(|row| Ok((AccountId(row.try_get("id")?), row.try_get("password")?))).transpose()
    }
}

impl Tx<'_> {
    pub(super) async fn sign_in_failed(&mut self, failed: &Failed) -> Result<(), StoreError> {
        let name = failed.name.as_deref().unwrap_or_default();
        let detail = json!({"at": failed.at, "client": failed.client.to_string()});
        self.audit_account("sign-in-failed", "unknown", name, detail).await
    }

    /// The password was right, and still is: the code may be given.
    pub(super) async fn password_right(&mut self, right: &PasswordRight) -> Result<bool, StoreError> {
        let same = sqlx::query("select 1 from account where id = $1 and password = $2 and disabled_at is null")
            .bind(&right.account.0)
            .bind(&right.hash)
            .fetch_optional(&mut *self.connection)
            .await?;
        if same.is_none() {
            return Ok(false);
        }
        self.take_back(&right.tries).await?;
        sqlx::query("insert into sign_in (token, account, expires_at) values ($1, $2, $3)")
            .bind(&right.token[..])
            .bind(&right.account.0)
            .bind(micros(after(self.now, limits::SIGN_IN_SECONDS)))
            .execute(&mut *self.connection)
            .await?;
        Ok(true)
    }

    /// Uses the code up and begins the session; `false` where the code is not good any more, or never was.
    pub(super) async fn code_right(&mut self, right: &CodeRight) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "select a.id, a.name from sign_in s join account a on a.id = s.account \
             where s.token = $1 and s.expires_at > $2 and a.disabled_at is null",
        )
        .bind(&right.sign_in[..])
        .bind(micros(self.now))
        .fetch_optional(&mut *self.connection)
        .await?;
        let Some(row) = row else { return Ok(false) };
        let (id, name): (AccountId, String) = (AccountId(row.try_get("id")?), row.try_get("name")?);
        let (used, by) = match &right.proof {
            Proof::Step(step) => (
                sqlx::query("update account set totp_step = $2 where id = $1 and totp_step < $2")
                    .bind(&id.0)
                    .bind(step),
                "code",
            ),
            Proof::Recovery(mark) => (
                sqlx::query(
                    "update recovery_code set used_at = $3 where account = $1 and code = $2 and used_at is null",
                )
                .bind(&id.0)
                .bind(&mark[..])
                .bind(micros(self.now)),
                "recovery code",
            ),
        };
        if used.execute(&mut *self.connection).await?.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("delete from sign_in where token = $1")
            .bind(&right.sign_in[..])
            .execute(&mut *self.connection)
            .await?;
        self.clear_tries(&right.tries).await?;
        self.insert_session(&id, &right.session).await?;
        let detail = json!({"by": by, "client": right.client.to_string()});
        self.audit_account("signed-in", &name, &name, detail).await?;
        Ok(true)
    }

    pub(super) async fn vouched(&mut self, vouched: &Vouched) -> Result<bool, StoreError> {
        let account = self.account_with(&vouched.account).await?;
        if account.disabled_at.is_some() {
            return Ok(false);
        }
        self.insert_session(&account.id, &vouched.session).await?;
        let detail = json!({"by": vouched.by, "client": vouched.client.to_string()});
        self.audit_account("signed-in", &account.name, &account.name, detail).await?;
        Ok(true)
    }
}
