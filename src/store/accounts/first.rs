//! The one-time link that makes the first account, for whoever has just turned the desk on. It is good for an hour, once, and
//! while there is no account at all. It is kept in the memory of the process that serves: each start makes the one before
//! worth nothing, and there is nothing of it in the database.

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::super::writer::Tx;
use super::super::{Store, StoreError};
use super::people::{NewAccount, NewLink, sound_name};
use super::sign_up::Completed;
use super::{AccountId, Change, Role, SignUp, SignUpAnswer, Token, after, code, password, token};
use crate::limits;
use crate::smtp::Address;

/// Who made it, in the audit.
const WHO: &str = "first link";

/// What the link ends in, told once.
#[derive(Debug)]
pub struct FirstLink {
    /// For the address; only its hash is kept.
    pub token: Token,
    /// Good until.
    pub until: Timestamp,
}

/// The link that is open.
pub(in crate::store) struct Open {
    token: [u8; 32],
    /// The authenticator's, until the account has it.
    secret: Zeroizing<[u8; limits::TOTP_SECRET]>,
    until: Timestamp,
}

/// The account and what its owner proves to be it with, at once.
pub(in crate::store) struct NewFirst {
    account: NewAccount,
    sign_up: Completed,
}

impl Store {
    /// A new link to make the first account, in the place of any earlier one; `None` where there is an account, in use or not.
    ///
    /// # Errors
    /// [`StoreError::Key`] where there are no random bytes; what the database says.
    pub async fn first_link(&self) -> Result<Option<FirstLink>, StoreError> {
        if self.has_accounts().await? {
            return Ok(None);
        }
        let keys = &self.inner.keys;
        let token = Token::new(keys.random()?);
        let until = after(self.clock().now(), limits::FIRST_LINK_SECONDS);
        let open = Open { token: token.digest(), secret: Zeroizing::new(keys.random()?), until };
        *self.first() = Some(open);
        Ok(Some(FirstLink { token, until }))
    }

    /// What the link is for, without a name yet; `None` where it is over. Changes nothing, however often it is looked at.
    ///
    /// # Errors
    /// What the database says.
    pub async fn first_sign_up(&self, brought: &str) -> Result<Option<SignUp>, StoreError> {
        let Some(secret) = self.first_secret(brought).await? else { return Ok(None) };
        let authenticator = code::authenticator(&secret[..], Role::Sbm.as_str())?;
        let otpauth =
            authenticator.to_url().map_err(|_| StoreError::Key("no address of an authenticator".to_owned()))?;
        let secret = code::typed_secret(&authenticator);
        Ok(Some(SignUp { name: String::new(), secret, otpauth: Token::of(otpauth) }))
    }

    /// Makes the first account, with the role `sbm`, signed up. Of two who try at once one wins.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the name is none; what the database says.
    pub async fn complete_first(
        &self,
        brought: &str,
        name: &str,
        address: &Address,
        password: &str,
        typed: &str,
    ) -> Result<SignUpAnswer, StoreError> {
        let Some(secret) = self.first_secret(brought).await? else { return Ok(SignUpAnswer::Over) };
        let name = sound_name(name)?;
        let address = address.to_string().to_lowercase();
        if let Err(weak) = password::judge(password, &name, &address) {
            return Ok(SignUpAnswer::Weak(weak));
        }
        let authenticator = code::authenticator(&secret[..], &name)?;
        let now = self.clock().now();
        let Some(step) = code::step_of(&authenticator, typed, now, 0) else { return Ok(SignUpAnswer::WrongCode) };
        let keys = &self.inner.keys;
        let (id, codes) = (AccountId(super::super::token(keys)?), code::recovery_codes(keys)?);
        let link = token::digest(brought);
        let totp = keys.seal_account(&id.0, &secret[..])?;
        let new = NewFirst {
            account: NewAccount {
                id,
                name,
                address,
                roles: vec![Role::Sbm],
                link: NewLink { token: link, totp, until: after(now, limits::FIRST_LINK_SECONDS) },
                who: WHO.to_owned(),
            },
            sign_up: Completed {
                link,
                password: self.inner.hasher.hash(password, keys).await?,
                step,
                recovery: codes.iter().map(|code| code::recovery_mark(keys, code.reveal())).collect(),
            },
        };
        if !self.changed(Change::First(Box::new(new))).await? {
            return Ok(SignUpAnswer::Over);
        }
        *self.first() = None;
        Ok(SignUpAnswer::Done(codes))
    }

    async fn first_secret(&self, brought: &str) -> Result<Option<Zeroizing<[u8; limits::TOTP_SECRET]>>, StoreError> {
        let (brought, now) = (token::digest(brought), self.clock().now());
        let secret = self.first().as_ref().filter(|o| o.token == brought && now < o.until).map(|o| o.secret.clone());
        Ok(if secret.is_some() && self.has_accounts().await? { None } else { secret })
    }

    fn first(&self) -> std::sync::MutexGuard<'_, Option<Open>> {
        self.inner.first.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn has_accounts(&self) -> Result<bool, StoreError> {
        let any = sqlx::query("select 1 from account limit 1").fetch_optional(&self.inner.reader).await?;
        Ok(any.is_some())
    }
}

impl Tx<'_> {
    /// `false` where there is an account by now.
    pub(super) async fn first_account(&mut self, new: &NewFirst) -> Result<bool, StoreError> {
        let any = sqlx::query("select 1 from account limit 1").fetch_optional(&mut *self.connection).await?;
        if any.is_some() {
            return Ok(false);
        }
        self.create_account(&new.account).await?;
        self.complete_sign_up(&new.sign_up).await
    }
}
