//! Making accounts, and what others change about them: roles, a fresh start, out of use and back.

use jiff::Timestamp;
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::super::audit::{micros, timestamp};
use super::super::queue::mismatch;
use super::super::writer::{Answer, Op, Tx};
use super::super::{Store, StoreError};
use super::{Account, AccountId, Change, LastSbm, Link, Role, Token, after, time_of};
use crate::limits;
use crate::smtp::Address;

pub(in crate::store) struct NewAccount {
    pub id: AccountId,
    pub name: String,
    pub address: String,
    pub roles: Vec<Role>,
    pub link: NewLink,
    pub who: String,
}

/// A one-time link as the store keeps it.
pub(in crate::store) struct NewLink {
    pub token: [u8; 32],
    /// The authenticator's secret that signing up sets, sealed.
    pub totp: Vec<u8>,
    pub until: Timestamp,
}

const COLUMNS: &str = "select a.*, s.expires_at as link_until, \
     (select string_agg(role, ',') from account_role r where r.account = a.id) as roles \
     from account a left join sign_up s on s.account = a.id";

impl Store {
    /// Makes an account and the one-time link with which the person sets password and authenticator. The link's token is
    /// told here and kept nowhere.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the name is none: up to [`limits::ACCOUNT_NAME_CHARS`] letters, digits, `.`, `-`, `_`,
    /// large and small alike; [`StoreError::AccountExists`] where name or address are taken; what the database says.
    pub async fn create_account(
        &self,
        name: &str,
        address: &Address,
        roles: &[Role],
        who: &str,
    ) -> Result<Link, StoreError> {
        let name = sound_name(name)?;
        let id = AccountId(super::super::token(&self.inner.keys)?);
        let (link, new) = self.new_link(&name, &id)?;
        let account = NewAccount {
            id,
            name,
            address: address.to_string().to_lowercase(),
            roles: sorted(roles),
            link: new,
            who: who.to_owned(),
        };
        self.change_done(Change::Create(account)).await?;
        Ok(link)
    }

    /// All accounts by name, at most [`limits::ACCOUNTS`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let sql = format!("{COLUMNS} order by a.name limit $1");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(i64::from(limits::ACCOUNTS));
        rows.fetch_all(&self.inner.reader).await?.iter().map(read).collect()
    }

    /// The account of this name, large and small letters alike.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`]; what the database says.
    pub async fn account(&self, name: &str) -> Result<Account, StoreError> {
        let found = self.find_account("a.name", &name.trim().to_lowercase()).await?;
        found.ok_or_else(|| StoreError::NoAccount(name.trim().to_owned()))
    }

    /// The account whose mailbox this is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn account_of(&self, address: &Address) -> Result<Option<Account>, StoreError> {
        self.find_account("a.address", &address.to_string().to_lowercase()).await
    }

    pub(super) async fn find_account(&self, column: &str, value: &str) -> Result<Option<Account>, StoreError> {
        let sql = format!("{COLUMNS} where {column} = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(value).fetch_optional(&self.inner.reader).await?;
        row.as_ref().map(read).transpose()
    }

    /// Gives an account these roles and no others, and ends its sessions; `false` where it had them.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`]; [`StoreError::LastSbm`]; what the database says.
    pub async fn set_roles(&self, name: &str, roles: &[Role], last: LastSbm, who: &str) -> Result<bool, StoreError> {
        let name = self.account(name).await?.name;
        self.changed(Change::Roles { name, roles: sorted(roles), last, who: who.to_owned() }).await
    }

    /// Lets a person start anew with a one-time link: password, authenticator and recovery codes are gone at once, sessions
    /// are ended.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`]; [`StoreError::Refused`] where the account is out of use; what the database says.
    pub async fn reset_account(&self, name: &str, who: &str) -> Result<Link, StoreError> {
        let account = self.account(name).await?;
        let (link, new) = self.new_link(&account.name, &account.id)?;
        self.change_done(Change::Reset { name: account.name, link: new, who: who.to_owned() }).await?;
        Ok(link)
    }

    /// Takes an account out of use and ends its sessions and links; `false` where it was so already.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`]; [`StoreError::LastSbm`]; what the database says.
    pub async fn disable_account(&self, name: &str, last: LastSbm, who: &str) -> Result<bool, StoreError> {
        let name = self.account(name).await?.name;
        self.changed(Change::Disable { name, last, who: who.to_owned() }).await
    }

    /// Takes an account into use again, with its password and authenticator as they were; `false` where it was in use.
    ///
    /// # Errors
    /// [`StoreError::NoAccount`]; what the database says.
    pub async fn enable_account(&self, name: &str, who: &str) -> Result<bool, StoreError> {
        let name = self.account(name).await?.name;
        self.changed(Change::Enable { name, who: who.to_owned() }).await
    }

    /// Token and authenticator of a new link, for the person and for the store.
    fn new_link(&self, name: &str, id: &AccountId) -> Result<(Link, NewLink), StoreError> {
        let keys = &self.inner.keys;
        let token = Token::new(keys.random()?);
        let secret = zeroize::Zeroizing::new(keys.random::<{ limits::TOTP_SECRET }>()?);
        let until = after(self.clock().now(), limits::SIGN_UP_SECONDS);
        let new = NewLink { token: token.digest(), totp: keys.seal_account(&id.0, &secret[..])?, until };
        Ok((Link { name: name.to_owned(), token, until }, new))
    }

    pub(super) async fn change_done(&self, change: Change) -> Result<(), StoreError> {
        match self.ask(Op::Account(Box::new(change))).await? {
            Answer::Done => Ok(()),
            _ => mismatch(),
        }
    }

    pub(super) async fn changed(&self, change: Change) -> Result<bool, StoreError> {
        match self.ask(Op::Account(Box::new(change))).await? {
            Answer::Changed(changed) => Ok(changed),
            _ => mismatch(),
        }
    }
}

impl Tx<'_> {
    pub(super) async fn create_account(&mut self, new: &NewAccount) -> Result<(), StoreError> {
        let NewAccount { id, name, address, roles, link, who } = new;
        for (what, column, value) in [("name", "name", name), ("address", "address", address)] {
            let sql = format!("select 1 from account where {column} = $1");
            let taken = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(value);
            if taken.fetch_optional(&mut *self.connection).await?.is_some() {
                return Err(StoreError::AccountExists(what, value.clone()));
            }
        }
        sqlx::query("insert into account (id, name, address, created_at, changed_at) values ($1, $2, $3, $4, $4)")
            .bind(&id.0)
            .bind(name)
            .bind(address)
            .bind(micros(self.now))
            .execute(&mut *self.connection)
            .await?;
        insert_roles(self.connection, id, roles).await?;
        self.insert_link(id, link).await?;
        self.audit_account("account-created", who, name, json!({"address": address, "roles": roles})).await
    }

    pub(super) async fn set_roles(
        &mut self,
        name: &str,
        roles: &[Role],
        last: LastSbm,
        who: &str,
    ) -> Result<bool, StoreError> {
        let account = self.account(name).await?;
        if account.roles == roles {
            return Ok(false);
        }
        if !roles.contains(&Role::Sbm) {
            self.guard_last_sbm(&account, last).await?;
        }
        sqlx::query("delete from account_role where account = $1")
            .bind(&account.id.0)
            .execute(&mut *self.connection)
            .await?;
        insert_roles(self.connection, &account.id, roles).await?;
        self.touch_account(&account.id).await?;
        self.end_all(&account.id).await?;
        self.audit_account("account-roles", who, name, json!({"from": account.roles, "to": roles})).await?;
        Ok(true)
    }

    pub(super) async fn reset_account(&mut self, name: &str, link: &NewLink, who: &str) -> Result<(), StoreError> {
        let account = self.account(name).await?;
        if account.disabled_at.is_some() {
            return Err(StoreError::Refused(format!("the account {name} is out of use: enable it first")));
        }
        sqlx::query("update account set password = null, totp = null where id = $1")
            .bind(&account.id.0)
            .execute(&mut *self.connection)
            .await?;
        sqlx::query("delete from recovery_code where account = $1")
            .bind(&account.id.0)
            .execute(&mut *self.connection)
            .await?;
        self.touch_account(&account.id).await?;
        self.end_all(&account.id).await?;
        self.insert_link(&account.id, link).await?;
        self.audit_account("account-reset", who, name, json!({})).await
    }

    pub(super) async fn disable_account(&mut self, name: &str, last: LastSbm, who: &str) -> Result<bool, StoreError> {
        let account = self.account(name).await?;
        if account.disabled_at.is_some() {
            return Ok(false);
        }
        self.guard_last_sbm(&account, last).await?;
        sqlx::query("update account set disabled_at = $2 where id = $1")
            .bind(&account.id.0)
            .bind(micros(self.now))
            .execute(&mut *self.connection)
            .await?;
        self.touch_account(&account.id).await?;
        self.end_all(&account.id).await?;
        self.drop_link(&account.id).await?;
        self.audit_account("account-disabled", who, name, json!({})).await?;
        Ok(true)
    }

    pub(super) async fn enable_account(&mut self, name: &str, who: &str) -> Result<bool, StoreError> {
        let account = self.account(name).await?;
        if account.disabled_at.is_none() {
            return Ok(false);
        }
        sqlx::query("update account set disabled_at = null where id = $1")
            .bind(&account.id.0)
            .execute(&mut *self.connection)
            .await?;
        self.touch_account(&account.id).await?;
        self.audit_account("account-enabled", who, name, json!({})).await?;
        Ok(true)
    }

    pub(super) async fn account(&mut self, name: &str) -> Result<Account, StoreError> {
        let sql = format!("{COLUMNS} where a.name = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(name).fetch_optional(&mut *self.connection).await?;
        read(&row.ok_or_else(|| StoreError::NoAccount(name.to_owned()))?)
    }

    /// By key.
    pub(super) async fn account_with(&mut self, id: &AccountId) -> Result<Account, StoreError> {
        let sql = format!("{COLUMNS} where a.id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&id.0).fetch_optional(&mut *self.connection).await?;
        read(&row.ok_or_else(|| StoreError::NoAccount(id.0.clone()))?)
    }

    /// The last account in use with the role `sbm` keeps it, unless it was said that it need not.
    async fn guard_last_sbm(&mut self, account: &Account, last: LastSbm) -> Result<(), StoreError> {
        if last == LastSbm::MayGo || account.disabled_at.is_some() || !account.roles.contains(&Role::Sbm) {
            return Ok(());
        }
        let another = sqlx::query(
            "select 1 from account a join account_role r on r.account = a.id \
             where r.role = 'sbm' and a.disabled_at is null and a.id <> $1 limit 1",
        )
        .bind(&account.id.0)
        .fetch_optional(&mut *self.connection)
        .await?;
        another.map(drop).ok_or_else(|| StoreError::LastSbm(account.name.clone()))
    }

    pub(super) async fn touch_account(&mut self, id: &AccountId) -> Result<(), StoreError> {
        sqlx::query("update account set changed_at = $2 where id = $1")
            .bind(&id.0)
            .bind(micros(self.now))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn drop_link(&mut self, id: &AccountId) -> Result<(), StoreError> {
        sqlx::query("delete from sign_up where account = $1").bind(&id.0).execute(&mut *self.connection).await?;
        Ok(())
    }

    /// In the place of any earlier one.
    async fn insert_link(&mut self, id: &AccountId, link: &NewLink) -> Result<(), StoreError> {
        self.drop_link(id).await?;
        sqlx::query("insert into sign_up (token, account, totp, expires_at) values ($1, $2, $3, $4)")
            .bind(&link.token[..])
            .bind(&id.0)
            .bind(&link.totp)
            .bind(micros(link.until))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }
}

async fn insert_roles(connection: &mut SqliteConnection, id: &AccountId, roles: &[Role]) -> Result<(), StoreError> {
    for role in roles {
        sqlx::query("insert into account_role (account, role) values ($1, $2)")
            .bind(&id.0)
            .bind(role.as_str())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn read(row: &SqliteRow) -> Result<Account, StoreError> {
    let roles: Option<String> = row.try_get("roles")?;
    let roles: Vec<Role> = roles.iter().flat_map(|roles| roles.split(',')).filter_map(|r| r.parse().ok()).collect();
    Ok(Account {
        id: AccountId(row.try_get("id")?),
        name: row.try_get("name")?,
        address: row.try_get("address")?,
        roles: sorted(&roles),
        signed_up: row.try_get::<Option<String>, _>("password")?.is_some(),
        link_until: time_of(row, "link_until")?,
        disabled_at: time_of(row, "disabled_at")?,
        created_at: timestamp(row.try_get("created_at")?),
        changed_at: timestamp(row.try_get("changed_at")?),
        signed_in_at: time_of(row, "signed_in_at")?,
    })
}

/// Each once, in the order of [`Role::ALL`].
fn sorted(roles: &[Role]) -> Vec<Role> {
    Role::ALL.into_iter().filter(|role| roles.contains(role)).collect()
}

/// The name in small letters, if it is one.
pub(super) fn sound_name(name: &str) -> Result<String, StoreError> {
    let name = name.trim().to_lowercase();
    let sound = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    if name.is_empty() || name.len() > limits::ACCOUNT_NAME_CHARS || !name.bytes().all(sound) {
        return Err(StoreError::Refused(format!(
            "a name to sign in with is made of up to {} letters a to z, digits, `.`, `-` and `_`",
            limits::ACCOUNT_NAME_CHARS
        )));
    }
    Ok(name)
}
