//! Signing up by a one-time link.

use serde_json::json;
use sqlx::Row;

use super::super::audit::{micros, timestamp};
use super::super::writer::Tx;
use super::super::{Store, StoreError};
use super::{AccountId, Change, Token, WeakPassword, code, password, token};

/// What a person sees who opens a one-time link.
#[derive(Debug)]
pub struct SignUp {
    /// The name to sign in with.
    pub name: String,
    /// The authenticator's secret, to be typed: base 32 in groups of four.
    pub secret: Token,
    /// The same as `otpauth://` address, for a QR code or a telephone that opens it.
    pub otpauth: Token,
}

/// What became of signing up.
#[derive(Debug)]
pub enum SignUpAnswer {
    /// The account can sign in now. These recovery codes are told once.
    Done(Vec<Token>),
    /// The password is not taken; the link is still good.
    Weak(WeakPassword),
    /// The code is not that of the authenticator; the link is still good.
    WrongCode,
    /// The link is unknown, was used, is too old, or its account is out of use.
    Over,
}

pub(in crate::store) struct Completed {
    pub link: [u8; 32],
    pub password: String,
    pub step: i64,
    pub recovery: Vec<[u8; 32]>,
}

/// A link that is good.
struct Open {
    name: String,
    address: String,
    secret: zeroize::Zeroizing<Vec<u8>>,
}

impl Store {
    /// What a one-time link is for; `None` where it is over. Changes nothing, however often it is looked at.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sign_up(&self, brought: &str) -> Result<Option<SignUp>, StoreError> {
        let Some(open) = self.open_link(brought).await? else { return Ok(None) };
        let authenticator = code::authenticator(&open.secret, &open.name)?;
        let otpauth =
            authenticator.to_url().map_err(|_| StoreError::Key("no address of an authenticator".to_owned()))?;
        Ok(Some(SignUp { name: open.name, secret: code::typed_secret(&authenticator), otpauth: Token::of(otpauth) }))
    }

    /// Sets password and authenticator, uses the link up, and gives the recovery codes. Of two who try at once one wins.
    ///
    /// # Errors
    /// What the database says.
    pub async fn complete_sign_up(
        &self,
        brought: &str,
        password: &str,
        typed: &str,
    ) -> Result<SignUpAnswer, StoreError> {
        let Some(open) = self.open_link(brought).await? else { return Ok(SignUpAnswer::Over) };
        if let Err(weak) = password::judge(password, &open.name, &open.address) {
            return Ok(SignUpAnswer::Weak(weak));
        }
        let authenticator = code::authenticator(&open.secret, &open.name)?;
        let Some(step) = code::step_of(&authenticator, typed, self.clock().now(), 0) else {
            return Ok(SignUpAnswer::WrongCode);
        };
        let keys = &self.inner.keys;
        let codes = code::recovery_codes(keys)?;
        let completed = Completed {
            link: token::digest(brought),
            password: self.inner.hasher.hash(password, keys).await?,
            step,
            recovery: codes.iter().map(|code| code::recovery_mark(keys, code.reveal())).collect(),
        };
        match self.changed(Change::SignUp(completed)).await? {
            true => Ok(SignUpAnswer::Done(codes)),
            false => Ok(SignUpAnswer::Over),
        }
    }

    async fn open_link(&self, brought: &str) -> Result<Option<Open>, StoreError> {
        let row = sqlx::query(
            "select a.id, a.name, a.address, s.totp, s.expires_at from sign_up s join account a on a.id = s.account \
             where s.token = $1 and a.disabled_at is null",
        )
        .bind(&token::digest(brought)[..])
        .fetch_optional(&self.inner.reader)
        .await?;
        let Some(row) = row else { return Ok(None) };
        if timestamp(row.try_get("expires_at")?) <= self.clock().now() {
            return Ok(None);
        }
        let account = AccountId(row.try_get("id")?);
        let sealed: Vec<u8> = row.try_get("totp")?;
        let secret = self.inner.keys.open_account(&account.0, &sealed);
        let secret =
            secret.ok_or_else(|| StoreError::Key("the secret of an authenticator does not open".to_owned()))?;
        Ok(Some(Open { name: row.try_get("name")?, address: row.try_get("address")?, secret }))
    }
}

impl Tx<'_> {
    pub(super) async fn complete_sign_up(&mut self, completed: &Completed) -> Result<bool, StoreError> {
        let Completed { link, password, step, recovery } = completed;
        let row = sqlx::query(
            "select a.id, a.name, s.totp from sign_up s join account a on a.id = s.account \
             where s.token = $1 and s.expires_at > $2 and a.disabled_at is null",
        )
        .bind(&link[..])
        .bind(micros(self.now))
        .fetch_optional(&mut *self.connection)
        .await?;
        let Some(row) = row else { return Ok(false) };
        let (id, name): (AccountId, String) = (AccountId(row.try_get("id")?), row.try_get("name")?);
        sqlx::query("update account set password = $2, totp = $3, totp_step = $4 where id = $1")
            .bind(&id.0)
            .bind(password)
            .bind(row.try_get::<Vec<u8>, _>("totp")?)
            .bind(step)
            .execute(&mut *self.connection)
            .await?;
        sqlx::query("delete from sign_up where account = $1").bind(&id.0).execute(&mut *self.connection).await?;
        self.replace_recovery_codes(&id, recovery).await?;
        self.touch_account(&id).await?;
        self.end_all(&id).await?;
        self.audit_account("signed-up", &name, &name, json!({})).await?;
        Ok(true)
    }
}
