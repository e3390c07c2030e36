//! `schoolgate user`: who may sign in at the desk.
//!
//! A one-time link is printed once, to whoever ran the command, and kept nowhere.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use comfy_table::{Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::store::{Desk, unexpected};
use super::terminal::{safe, safe_json, say};
use crate::config;
use crate::relay::control::{AccountVerb, Answer, Request};
use crate::smtp::Address;
use crate::store::accounts::{Account, LastSbm, Link, Role};

/// What each command on accounts takes besides.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
    pub(super) config: PathBuf,
    /// Who does it, for the audit; the user of the system is written down in any case
    #[arg(long, value_name = "NAME", default_value = "command line")]
    who: String,
}

impl Place {
    /// The name that was given.
    pub(super) fn who(&self) -> Result<String> {
        match self.who.trim() {
            "" => bail!("--who must say something: it goes into the audit"),
            who => Ok(who.to_owned()),
        }
    }
}

/// See and manage who may sign in at the desk.
#[derive(Debug, clap::Subcommand)]
pub enum User {
    /// Make an account; prints the one-time link with which the person sets password and authenticator
    Add {
        /// What the person signs in with, as jane.doe
        name: String,
        /// The person's school mailbox
        #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
        address: Address,
        /// What the person is: sbm, head, slt, dsl, dpo, chair, it; several with commas
        #[arg(long, value_name = "ROLE", value_delimiter = ',', required = true)]
        role: Vec<Role>,
        #[command(flatten)]
        place: Place,
    },
    /// List the accounts
    List {
        /// Configuration file
        #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
        config: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give an account these roles and no others; its sessions end
    Role {
        /// Name of the account
        name: String,
        /// What the person is: sbm, head, slt, dsl, dpo, chair, it; several with commas
        #[arg(long, value_name = "ROLE", value_delimiter = ',', required = true)]
        role: Vec<Role>,
        /// Even where nobody is left with the role sbm
        #[arg(long)]
        last_sbm: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Let a person start anew: password, authenticator and sessions end, a one-time link is printed
    Reset {
        /// Name of the account
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// Take an account out of use; its sessions end
    Disable {
        /// Name of the account
        name: String,
        /// Even where nobody is left with the role sbm
        #[arg(long)]
        last_sbm: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Take an account into use again
    Enable {
        /// Name of the account
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Runs the command.
pub fn run(command: &User) -> Result<ExitCode> {
    let config = match command {
        User::List { config, .. } => config,
        User::Add { place, .. }
        | User::Role { place, .. }
        | User::Reset { place, .. }
        | User::Disable { place, .. }
        | User::Enable { place, .. } => &place.config,
    };
    super::runtime()?.block_on(async {
        let mut desk = Desk::at(config)?;
        let done = command.carry_out(&mut desk).await;
        desk.leave().await;
        done.map(|()| ExitCode::SUCCESS)
    })
}

impl User {
    async fn carry_out(&self, desk: &mut Desk) -> Result<()> {
        let (name, what, place, done) = match self {
            Self::List { json, .. } => {
                return match desk.ask(Request::Accounts).await? {
                    Answer::Accounts(accounts) => print_accounts(&accounts, *json),
                    _ => unexpected(),
                };
            }
            Self::Add { name, address, role, place } => {
                (name, AccountVerb::Add { address: address.clone(), roles: role.clone() }, place, "is made")
            }
            Self::Role { name, role, last_sbm, place } => {
                let roles = AccountVerb::Roles { roles: role.clone(), last: last(*last_sbm) };
                (name, roles, place, "has these roles now; its sessions have ended")
            }
            Self::Reset { name, place } => (name, AccountVerb::Reset, place, "starts anew; its sessions have ended"),
            Self::Disable { name, last_sbm, place } => {
                let disable = AccountVerb::Disable { last: last(*last_sbm) };
                (name, disable, place, "is out of use; its sessions have ended")
            }
            Self::Enable { name, place } => (name, AccountVerb::Enable, place, "is in use again"),
        };
        let (shown, who) = (safe(name.trim()), place.who()?);
        match desk.ask(Request::Account { name: name.clone(), what, who }).await {
            Ok(Answer::Link(link)) => print_link(&link, done, desk.public_url()),
            Ok(Answer::AccountChanged(true)) => Ok(say!("{shown} {done}")?),
            Ok(Answer::AccountChanged(false)) => Ok(say!("{shown}: nothing changed, it was so already")?),
            Ok(_) => unexpected(),
            Err(error) if error.to_string().contains("the last account in use") => {
                Err(anyhow!("{error}; --last-sbm does it all the same"))
            }
            Err(error) => Err(error),
        }
    }
}

fn last(may_go: bool) -> LastSbm {
    if may_go { LastSbm::MayGo } else { LastSbm::Keep }
}

fn print_link(link: &Link, done: &str, public_url: Option<&str>) -> Result<()> {
    say!("{} {done}. This link is good once, until {}, and is not shown again:", link.name, time(link.until))?;
    say!("{}", address_of(link, public_url))?;
    Ok(())
}

/// Where the person signs up: below the desk's public address where that is known.
fn address_of(link: &Link, public_url: Option<&str>) -> String {
    format!("{}/sign-up/{}", public_url.unwrap_or_default().trim_end_matches('/'), link.token.reveal())
}

fn print_accounts(accounts: &[Account], json: bool) -> Result<()> {
    if json {
        say!("{}", safe_json(&accounts)?)?;
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(["name", "address", "roles", "state", "last sign-in"]);
    for account in accounts {
        let roles: Vec<_> = account.roles.iter().map(|role| role.as_str()).collect();
        table.add_row([
            safe(&account.name),
            safe(&account.address),
            roles.join(", "),
            state(account, Timestamp::now()),
            account.signed_in_at.map(time).unwrap_or_default(),
        ]);
    }
    say!("{table}\n{} accounts", accounts.len())?;
    Ok(())
}

/// Whether the person can sign in, in words.
fn state(account: &Account, now: Timestamp) -> String {
    match (account.disabled_at, account.signed_up, account.link_until) {
        (Some(at), ..) => format!("out of use since {}", time(at)),
        (None, true, _) => "in use".to_owned(),
        (None, false, Some(until)) if until > now => format!("link open until {}", time(until)),
        (None, false, _) => "never signed up: reset it".to_owned(),
    }
}

/// Local time to the minute.
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_stands_below_the_public_address() {
        let link: Link = serde_json::from_value(
            serde_json::json!({"name": "jane", "token": "T0-k", "until": "2026-11-29T09:00:00Z"}),
        )
        .expect("a link");
        for (url, address) in [
            (None, "/sign-up/T0-k"),
            (Some("https://desk.school.example"), "https://desk.school.example/sign-up/T0-k"),
            (Some("https://school.example/desk/"), "https://school.example/desk/sign-up/T0-k"),
        ] {
            assert_eq!(address_of(&link, url), address);
        }
    }

    #[test]
    fn a_list_says_who_can_sign_in() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let now = at("2026-11-28T09:00:00Z");
        let account = |signed_up, link_until: Option<&str>, disabled_at: Option<&str>| Account {
            id: crate::store::accounts::AccountId("1".to_owned()),
            name: "jane".to_owned(),
            address: "jane@school.example".to_owned(),
            roles: vec![Role::Sbm],
            signed_up,
            link_until: link_until.map(at),
            disabled_at: disabled_at.map(at),
            created_at: now,
            changed_at: now,
            signed_in_at: None,
        };
        let (later, earlier) = (Some("2026-11-28T10:00:00Z"), Some("2026-11-28T08:00:00Z"));
        for (account, start) in [
            (account(true, None, None), "in use"),
            (account(false, later, None), "link open until"),
            (account(false, earlier, None), "never signed up"),
            (account(false, None, None), "never signed up"),
            (account(true, later, earlier), "out of use since"),
        ] {
            assert!(state(&account, now).starts_with(start), "{account:?}");
        }
    }
}
