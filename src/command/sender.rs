//! `schoolgate sender`: which copiers and programs may sign in to send, and as whom.
//!
//! A password that is made is printed once, to whoever ran the command, and kept nowhere; one that is given stands in a file,
//! never on a command line, which every user of the machine could read.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use comfy_table::{Table, presets};
use zeroize::Zeroizing;

use super::store::{Desk, unexpected};
use super::terminal::{safe, safe_json, say};
use super::user::{Place, time};
use crate::config;
use crate::limits;
use crate::relay::control::{Answer, Request, SendAs, SubmissionVerb};
use crate::smtp::Address;
use crate::store::accounts::{SubmissionAccount, Token};

/// Whom an account may send as; the school's own mailboxes alone.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub struct AsWhom {
    /// It may send as this mailbox; may be given more than once
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse, value_delimiter = ',')]
    send_as: Vec<Address>,
    /// It may send as every mailbox of this domain; may be given more than once
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',')]
    send_as_domain: Vec<String>,
}

/// See and manage which copiers and programs may sign in to send.
#[derive(Debug, clap::Subcommand)]
pub enum Sender {
    /// Make an account; without a password file it gets a strong password, which is printed once
    Add {
        /// What it signs in with: letters, digits, `.`, `-`, `_`, `@`
        name: String,
        #[command(flatten)]
        senders: AsWhom,
        /// File that holds the password, for a copier that takes no other
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
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
    /// Give an account another password; the old one is worth nothing at once
    Password {
        /// Name of the account
        name: String,
        /// File that holds the password; without, a strong one is made and printed once
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Let an account send as these and nobody else
    Senders {
        /// Name of the account
        name: String,
        #[command(flatten)]
        senders: AsWhom,
        #[command(flatten)]
        place: Place,
    },
    /// Take an account out of use
    Disable {
        /// Name of the account
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// Take an account into use again, with its password
    Enable {
        /// Name of the account
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// Remove an account for good
    Remove {
        /// Name of the account
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Runs the command.
pub fn run(command: &Sender) -> Result<ExitCode> {
    let config = match command {
        Sender::List { config, .. } => config,
        Sender::Add { place, .. }
        | Sender::Password { place, .. }
        | Sender::Senders { place, .. }
        | Sender::Disable { place, .. }
        | Sender::Enable { place, .. }
        | Sender::Remove { place, .. } => &place.config,
    };
    super::runtime()?.block_on(async {
        let mut desk = Desk::at(config)?;
        let done = command.carry_out(&mut desk).await;
        desk.leave().await;
        done.map(|()| ExitCode::SUCCESS)
    })
}

impl Sender {
    async fn carry_out(&self, desk: &mut Desk) -> Result<()> {
        let (name, what, place, done) = match self {
            Self::List { json, .. } => {
                return match desk.ask(Request::Submissions).await? {
                    Answer::Submissions(accounts) => print(&accounts, *json),
                    _ => unexpected(),
                };
            }
            Self::Add { name, senders, password_file, place } => {
                let (senders, password) = (senders.own(desk.own_domains())?, given(password_file.as_deref())?);
                (name, SubmissionVerb::Add { senders, password }, place, "may sign in to send now")
            }
            Self::Password { name, password_file, place } => {
                let password = given(password_file.as_deref())?;
                (name, SubmissionVerb::Password { password }, place, "has another password now")
            }
            Self::Senders { name, senders, place } => {
                let senders = SubmissionVerb::Senders(senders.own(desk.own_domains())?);
                (name, senders, place, "may send as these now, and as nobody else")
            }
            Self::Disable { name, place } => (name, SubmissionVerb::Disable, place, "is out of use"),
            Self::Enable { name, place } => (name, SubmissionVerb::Enable, place, "is in use again"),
            Self::Remove { name, place } => (name, SubmissionVerb::Remove, place, "is removed"),
        };
        let (shown, who) = (safe(name.trim()), place.who()?);
        match desk.ask(Request::Submission { name: name.clone(), what, who }).await? {
            Answer::SubmissionPassword(None) | Answer::AccountChanged(true) => say!("{shown} {done}")?,
            Answer::SubmissionPassword(Some(password)) => {
                say!("{shown} {done}. Its password is not shown again:")?;
                say!("{}", password.reveal())?;
            }
            Answer::AccountChanged(false) => say!("{shown}: nothing changed, it was so already")?,
            _ => return unexpected(),
        }
        Ok(())
    }
}

impl AsWhom {
    /// As they were given, where all are the school's own.
    fn own(&self, domains: &[String]) -> Result<SendAs> {
        let is_own = |domain: &str| domains.iter().any(|own| own.eq_ignore_ascii_case(domain));
        if let Some(address) = self.send_as.iter().find(|address| !is_own(&address.domain())) {
            bail!(
                "--send-as {}: is not a mailbox of the school; [school] domains are {}",
                safe(address.as_str()),
                domains.join(", ")
            );
        }
        if let Some(domain) = self.send_as_domain.iter().find(|domain| !is_own(domain)) {
            bail!(
                "--send-as-domain {}: is not a domain of the school; [school] domains are {}",
                safe(domain),
                domains.join(", ")
            );
        }
        Ok(SendAs { mailboxes: self.send_as.clone(), domains: self.send_as_domain.clone() })
    }
}

/// The password in a file: its first line.
fn given(file: Option<&Path>) -> Result<Option<Token>> {
    let Some(file) = file else { return Ok(None) };
    let most = u64::try_from(limits::SIGN_IN_OCTETS + 2)?;
    let mut text = Zeroizing::new(String::new());
    let read = File::open(file).and_then(|opened| opened.take(most).read_to_string(&mut text));
    read.with_context(|| format!("--password-file {}", file.display()))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        bail!("--password-file {}: its first line is empty; it must hold the password", file.display());
    }
    Ok(Some(Token::of(line.to_owned())))
}

fn print(accounts: &[SubmissionAccount], json: bool) -> Result<()> {
    if json {
        say!("{}", safe_json(&accounts)?)?;
        return Ok(());
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(["name", "may send as", "state", "made", "last used"]);
    for account in accounts {
        let whole = account.domains.iter().map(|domain| format!("everybody at {domain}"));
        let senders: Vec<String> = account.mailboxes.iter().cloned().chain(whole).map(|text| safe(&text)).collect();
        table.add_row([
            safe(&account.name),
            senders.join(", "),
            account.disabled_at.map_or("in use".to_owned(), |at| format!("out of use since {}", time(at))),
            format!("{} by {}", time(account.created_at), safe(&account.created_by)),
            account.used_at.map_or("never".to_owned(), time),
        ]);
    }
    say!("{table}\n{} accounts", accounts.len())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_domains_are_sent_as() {
        let own = ["school.example".to_owned(), "trust.example".to_owned()];
        for (mailboxes, domains, refused) in [
            (&["office@school.example", "head@Trust.Example"][..], &["School.example"][..], None),
            (&["office@gmail.example"], &[], Some("office@gmail.example")),
            (&["office@school.example", "a@sub.school.example"], &[], Some("a@sub.school.example")),
            (&[], &["example"], Some("--send-as-domain example")),
            (&[], &["school.example", "school.example.evil"], Some("school.example.evil")),
        ] {
            let senders = AsWhom {
                send_as: mailboxes.iter().map(|text| Address::parse(text).expect("address")).collect(),
                send_as_domain: domains.iter().map(|text| (*text).to_owned()).collect(),
            };
            match (senders.own(&own), refused) {
                (Ok(kept), None) => {
                    assert_eq!((kept.mailboxes.len(), kept.domains.len()), (mailboxes.len(), domains.len()));
                }
                (Err(error), Some(refused)) => {
                    let words = error.to_string();
                    assert!(words.contains(refused) && words.contains("school.example, trust.example"), "{words}");
                }
                (other, _) => panic!("{mailboxes:?} {domains:?}: {:?}", other.map(|_| ())),
            }
        }
    }

    #[test]
    fn a_password_is_the_first_line_of_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("password");
        for (text, password) in [
            ("plum kettle\n", Some("plum kettle")),
            ("plum kettle\r\nmore\n", Some("plum kettle")),
            ("", None),
            ("\nx", None),
        ] {
            std::fs::write(&file, text).expect("written");
            let read = given(Some(&file)).ok().flatten();
            assert_eq!(read.as_ref().map(Token::reveal), password, "{text:?}");
        }
        assert!(given(None).expect("nothing is asked").is_none());
        assert!(given(Some(&folder.path().join("none"))).is_err());
    }
}
