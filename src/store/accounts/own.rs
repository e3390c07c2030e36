//! What people change about their own accounts: the password and the recovery codes. A session alone is not enough, for it
//! may be somebody else's who found the browser open: the present password is asked for, and tries count as those to sign in.

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::json;

use super::super::writer::Tx;
use super::super::{Store, StoreError};
use super::attempts::Tries;
use super::session::Kept;
use super::sign_in::Failed;
use super::{Account, AccountId, Change, Token, WeakPassword, code, password, token};

/// What became of changing a password.
#[derive(Debug)]
pub enum PasswordChange {
    /// Done. The session goes on under this token; under its old one, and everywhere else, the person is signed out.
    Done(Token),
    /// The new one is not taken.
    Weak(WeakPassword),
    /// The present one was not right.
    Wrong,
    /// Too many tries: none before this time.
    Wait(Timestamp),
    /// The session has ended.
    Over,
}

/// What became of asking for new recovery codes.
#[derive(Debug)]
pub enum NewCodes {
    /// These are told once; the old ones are worth nothing any more.
    Done(Vec<Token>),
    /// The password was not right.
    Wrong,
    /// Too many tries: none before this time.
    Wait(Timestamp),
    /// The session has ended.
    Over,
}

/// Somebody who is signed in has said the password once more.
pub(in crate::store) struct Proof {
    session: [u8; 32],
    account: AccountId,
    /// The hash that was found right.
    hash: String,
    tries: Tries,
}

/// What came of asking for the password once more.
enum Proved {
    Right(Proof),
    Wrong,
    Wait(Timestamp),
    Over,
}

pub(in crate::store) struct NewPassword {
    proof: Proof,
    hash: String,
    /// What the session is from now on.
    session: Kept,
}

pub(in crate::store) struct NewRecovery {
    proof: Proof,
    marks: Vec<[u8; 32]>,
}

impl Store {
    /// Changes the password of whoever has this session and knows the present one. Every other session of theirs ends; this
    /// one goes on under a new token, so that nobody who had the old one is still in.
    ///
    /// # Errors
    /// What the database says.
    pub async fn change_password(
        &self,
        session: &str,
        present: &str,
        new: &str,
        client: IpAddr,
    ) -> Result<PasswordChange, StoreError> {
        let Some(account) = self.account_in(session).await? else { return Ok(PasswordChange::Over) };
        if let Err(weak) = password::judge(new, &account.name, &account.address) {
            return Ok(PasswordChange::Weak(weak));
        }
        let proof = match self.prove(session, account, present, client).await? {
            Proved::Right(proof) => proof,
            Proved::Wrong => return Ok(PasswordChange::Wrong),
            Proved::Wait(until) => return Ok(PasswordChange::Wait(until)),
            Proved::Over => return Ok(PasswordChange::Over),
        };
        let hash = self.inner.hasher.hash(new, &self.inner.keys).await?;
        let (token, session) = self.new_session()?;
        let done = self.changed(Change::Password(NewPassword { proof, hash, session })).await?;
        Ok(if done { PasswordChange::Done(token) } else { PasswordChange::Over })
    }

    /// Makes new recovery codes in the place of the old ones, for whoever has this session and knows the password.
    ///
    /// # Errors
    /// What the database says.
    pub async fn new_recovery_codes(
        &self,
        session: &str,
        present: &str,
        client: IpAddr,
    ) -> Result<NewCodes, StoreError> {
        let Some(account) = self.account_in(session).await? else { return Ok(NewCodes::Over) };
        let proof = match self.prove(session, account, present, client).await? {
            Proved::Right(proof) => proof,
            Proved::Wrong => return Ok(NewCodes::Wrong),
            Proved::Wait(until) => return Ok(NewCodes::Wait(until)),
            Proved::Over => return Ok(NewCodes::Over),
        };
        let keys = &self.inner.keys;
        let codes = code::recovery_codes(keys)?;
        let marks = codes.iter().map(|code| code::recovery_mark(keys, code.reveal())).collect();
        let done = self.changed(Change::Recovery(NewRecovery { proof, marks })).await?;
        Ok(if done { NewCodes::Done(codes) } else { NewCodes::Over })
    }

    async fn account_in(&self, session: &str) -> Result<Option<Account>, StoreError> {
        Ok(self.session(session).await?.map(|signed_in| signed_in.account))
    }

    async fn prove(
        &self,
        session: &str,
        account: Account,
        present: &str,
        client: IpAddr,
    ) -> Result<Proved, StoreError> {
        let tries = self.tries(&account.name, client);
        if let Some(until) = self.try_sign_in(&tries).await? {
            return Ok(Proved::Wait(until));
        }
        let hash = self.password_hash(&account.name).await?.map(|(_, hash)| hash);
        let right = self.inner.hasher.verify(present, hash.as_deref()).await?;
        let (true, Some(hash)) = (right, hash) else {
            // Whoever found a browser open may not guess on: what tries to sign in are told by the waits, tries here are too.
            let failed = Failed { name: Some(account.name), client, at: "password" };
            self.change_done(Change::Failed(failed)).await?;
            return Ok(if self.session(session).await?.is_some() { Proved::Wrong } else { Proved::Over });
        };
        Ok(Proved::Right(Proof { session: token::digest(session), account: account.id, hash, tries }))
    }
}

impl Tx<'_> {
    /// What was proved still holds: the password is the same, the account in use, the session not ended.
    async fn still(&mut self, proof: &Proof) -> Result<bool, StoreError> {
        let same = sqlx::query(
            "select 1 from account a join session s on s.account = a.id \
             where a.id = $1 and a.password = $2 and a.disabled_at is null and s.token = $3 and s.ended_at is null",
        )
        .bind(&proof.account.0)
        .bind(&proof.hash)
        .bind(&proof.session[..])
        .fetch_optional(&mut *self.connection)
        .await?;
        Ok(same.is_some())
    }

    pub(super) async fn new_password(&mut self, new: &NewPassword) -> Result<bool, StoreError> {
        let NewPassword { proof, hash, session } = new;
        if !self.still(proof).await? {
            return Ok(false);
        }
        sqlx::query("update account set password = $2 where id = $1")
            .bind(&proof.account.0)
            .bind(hash)
            .execute(&mut *self.connection)
            .await?;
        self.clear_tries(&proof.tries).await?;
        self.touch_account(&proof.account).await?;
        self.end_all(&proof.account).await?;
        // When it began stays: it is over when it would have been.
        sqlx::query("update session set token = $2, csrf = $3, ended_at = null where token = $1")
            .bind(&proof.session[..])
            .bind(&session.token[..])
            .bind(&session.csrf[..])
            .execute(&mut *self.connection)
            .await?;
        let name = self.account_with(&proof.account).await?.name;
        self.audit_account("password-changed", &name, &name, json!({})).await?;
        Ok(true)
    }

    pub(super) async fn new_recovery(&mut self, new: &NewRecovery) -> Result<bool, StoreError> {
        let NewRecovery { proof, marks } = new;
        if !self.still(proof).await? {
            return Ok(false);
        }
        self.clear_tries(&proof.tries).await?;
        self.replace_recovery_codes(&proof.account, marks).await?;
        let name = self.account_with(&proof.account).await?.name;
        self.audit_account("recovery-codes-made", &name, &name, json!({})).await?;
        Ok(true)
    }

    /// In the place of any earlier ones.
    pub(super) async fn replace_recovery_codes(
        &mut self,
        account: &AccountId,
        marks: &[[u8; 32]],
    ) -> Result<(), StoreError> {
        sqlx::query("delete from recovery_code where account = $1")
            .bind(&account.0)
            .execute(&mut *self.connection)
            .await?;
        for mark in marks {
            sqlx::query("insert into recovery_code (account, code) values ($1, $2)")
                .bind(&account.0)
                .bind(&mark[..])
                .execute(&mut *self.connection)
                .await?;
        }
        Ok(())
    }
}
