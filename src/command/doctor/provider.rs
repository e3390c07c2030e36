//! What Microsoft 365 and Google Workspace want of a mail server on both sides of them, as far as it can be seen from here: the rules and
//! limits that they publish (docs/microsoft-365.md and docs/google-workspace.md name them).

use super::Findings;
use crate::config::{Config, HostConfig, ListenerConfig, SignInProof, SmarthostConfig, SmarthostTls};
use crate::limits;
use crate::relay::passed::{NAME, PassedHeader};
use crate::store::StoreKey;

/// Whose mailboxes the school has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Microsoft 365 (Exchange Online).
    Microsoft365,
    /// Google Workspace.
    Google,
}

impl Provider {
    fn name(self) -> &'static str {
        match self {
            Self::Microsoft365 => "Microsoft 365",
            Self::Google => "Google Workspace",
        }
    }
}

/// Looks at the way in, the way out, and at what keeps mail from going round.
pub fn look(
    config: &Config,
    smarthost: &SmarthostConfig,
    provider: Provider,
    key: Option<&StoreKey>,
    findings: &mut Findings,
) {
    name(config, provider, findings);
    way_in(config, provider, findings);
    match provider {
        Provider::Microsoft365 => to_microsoft(config, smarthost, findings),
        Provider::Google => to_google(config, smarthost, findings),
    }
    comes_round(config, smarthost, provider, key, findings);
}

/// Both want a full name of one of the school's own domains, in EHLO and in certificates.
fn name(config: &Config, provider: Provider, findings: &mut Findings) {
    let hostname = &config.listen.hostname;
    let own =
        config.school.domains.iter().any(|domain| hostname == domain || hostname.ends_with(&format!(".{domain}")));
    let (at, who) = (config.at("listen.hostname"), provider.name());
    if own {
        findings.well(format!("{who}: the gateway says {hostname}, a name in the school's own domain"));
    } else {
        findings.doubtful(format!(
            "{at}: {hostname} is in none of the school's domains; {who} knows a mail server by a domain that the school has registered there"
        ));
    }
}

/// A door through which the provider, and of it this school alone, may send.
fn way_in(config: &Config, provider: Provider, findings: &mut Findings) {
    let who = provider.name();
    let for_provider =
        |door: &&ListenerConfig| door.tenant.is_some() && (door.client.is_some() || !door.relay_from.is_empty());
    match config.listen.listeners.iter().find(for_provider) {
        Some(door) if door.certificate.is_some() => {
            findings
                .well(format!("{who}: the listener {} takes mail of the school's own tenant, under TLS", door.name));
        }
        Some(door) => findings.bad(format!(
            "{}: the listener {} takes {who}'s mail in clear text; give it a certificate, and set tls to \"required\"",
            config.at(&format!("{}.tls", door.section())),
            door.name
        )),
        None => findings.bad(format!(
            "{}: no listener takes {who}'s mail and no other tenant's; give one client_names or relay_from, and tenant",
            config.at("listen")
        )),
    }
}

/// How the name of a connector of Microsoft 365 ends, behind the school's domain.
const CONNECTOR: &str = ".mail.protection.outlook.com";
/// Where Microsoft 365 takes mail of who signs in.
const SUBMISSION: &str = "smtp.office365.com";
/// Where Google Workspace takes mail.
const GOOGLE_RELAY: &str = "smtp-relay.gmail.com";

fn to_microsoft(config: &Config, smarthost: &SmarthostConfig, findings: &mut Findings) {
    let host = &smarthost.first;
    let at = |key: &str| config.at(&format!("smarthost.{key}"));
    if host.host.ends_with(CONNECTOR) {
        if host.port != 25 {
            findings.bad(format!(
                "{}: the connector of Microsoft 365 answers at port 25 alone, not at {}",
                at("port"),
                host.port
            ));
        }
        checked(config, host, "Microsoft 365", findings);
        if host.certificate.is_some() {
            findings.well("Microsoft 365: the connector can know the gateway by its certificate");
        } else {
            findings.doubtful(format!(
                "{}: the connector would know the gateway by its address alone; show a certificate for {} (tls_certificate, tls_key)",
                at("host"),
                config.listen.hostname
            ));
        }
    } else if host.host == SUBMISSION {
        if host.port != 587 {
            findings.bad(format!("{}: {SUBMISSION} takes mail at port 587 alone, not at {}", at("port"), host.port));
        }
        checked(config, host, "Microsoft 365", findings);
        match &host.sign_in {
            None => findings
                .bad(format!("{}: {SUBMISSION} takes mail of who signs in alone; name user and oauth", at("user"))),
            Some(sign_in) if matches!(sign_in.proof, SignInProof::Password(_)) => findings.doubtful(format!(
                "{}: Microsoft 365 turns sign-in with a password off; use oauth",
                at("password_file")
            )),
            Some(_) => findings.well("Microsoft 365: the gateway signs in with a token"),
        }
        at_most(config, "connections", Some(smarthost.connections), limits::MICROSOFT_CONNECTIONS, findings);
        at_most(config, "messages_per_minute", smarthost.messages_per_minute, limits::MICROSOFT_PER_MINUTE, findings);
    } else {
        findings.doubtful(format!(
            "{}: {} is neither a connector of Microsoft 365 (DOMAIN{CONNECTOR}) nor {SUBMISSION}",
            at("host"),
            host.host
        ));
    }
}

fn to_google(config: &Config, smarthost: &SmarthostConfig, findings: &mut Findings) {
    let host = &smarthost.first;
    let at = |key: &str| config.at(&format!("smarthost.{key}"));
    if host.host != GOOGLE_RELAY {
        let problem = "is not the relay of Google Workspace";
        return findings.doubtful(format!("{}: {} {problem}, {GOOGLE_RELAY}", at("host"), host.host));
    }
    if ![25, 465, 587].contains(&host.port) {
        findings.bad(format!("{}: {GOOGLE_RELAY} answers at 25, 465 and 587, not at {}", at("port"), host.port));
    }
    checked(config, host, "Google Workspace", findings);
    at_most(config, "recipients", Some(smarthost.recipients), limits::TRANSACTION_RECIPIENTS, findings);
}

fn checked(config: &Config, host: &HostConfig, who: &str, findings: &mut Findings) {
    if matches!(host.tls, SmarthostTls::Required | SmarthostTls::Implicit) {
        findings.well(format!("{who}: mail goes to {} under TLS, with its certificate checked", host.host));
    } else {
        findings.bad(format!(
            "{}: mail to {} could be read or taken on its way; set tls to \"required\"",
            config.at("smarthost.tls"),
            host.host
        ));
    }
}

/// `None` is as many as there are.
fn at_most(config: &Config, key: &str, is: Option<usize>, most: usize, findings: &mut Findings) {
    let at = config.at(&format!("smarthost.{key}"));
    match is {
        Some(is) if is <= most => findings.well(format!("smarthost.{key}: {is}, and {most} are taken")),
        Some(is) => findings.bad(format!("{at}: {is}, and no more than {most} are taken; the rest is put off")),
        None => {
            findings.bad(format!("{at}: no more than {most} are taken, and nothing keeps to that; set it to {most}"))
        }
    }
}

/// What the provider's rule looks for, so that it does not send back what has passed.
fn comes_round(
    config: &Config,
    smarthost: &SmarthostConfig,
    provider: Provider,
    key: Option<&StoreKey>,
    findings: &mut Findings,
) {
    let who = provider.name();
    if !smarthost.passed_header {
        findings.bad(format!(
            "{}: {who} could not tell what has passed the gateway from what has not, and mail would go round; set it to true",
            config.at("smarthost.passed_header")
        ));
    } else if let Some(key) = key {
        findings.well(format!(
            "{who}: its rule excepts what holds the header {NAME} with the value {}; tell it to nobody else",
            PassedHeader::new(key).value()
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::command::doctor::Verdict;

    fn told(provider: Provider, more: &str) -> Vec<(Verdict, String)> {
        let text = format!(
            "[school]\nname = \"S\"\ndomains = [\"s.example\"]\n[directory]\npupils = \"p.csv\"\n[listen]\nhostname = \"gate.s.example\"\n\
             tls = \"none\"\ntls_certificate = \"c\"\ntls_key = \"k\"\n{more}"
        );
        let config = Config::parse(Path::new("s.toml"), &text).unwrap_or_else(|e| panic!("{more}: {e}"));
        let smarthost = config.smarthost.clone().expect("the section");
        let mut findings = Findings::default();
        look(&config, &smarthost, provider, Some(&StoreKey::from_bytes([1; 32])), &mut findings);
        findings.0
    }

    const DOOR: &str = "[[listener]]\nname = \"cloud\"\naddresses = [\"0.0.0.0:25\"]\ntls = \"required\"\n\
                        client_names = [\"mail.protection.outlook.com\"]\ntenant = { header = \"X-T\", value = \"1\" }\n";

    #[test]
    fn what_is_as_the_guides_say_is_well() {
        let connector = "[smarthost]\nhost = \"s-example.mail.protection.outlook.com\"\ntls = \"required\"\npassed_header = true\n\
                         tls_certificate = \"c\"\ntls_key = \"k\"\n";
        let submission = "[smarthost]\nhost = \"smtp.office365.com\"\nport = 587\nuser = \"g@s.example\"\nconnections = 3\n\
                          messages_per_minute = 30\npassed_header = true\noauth = { token_url = \"https://l.example/t\", client_id = \"c\", client_secret_file = \"s\" }\n";
        let google =
            "[smarthost]\nhost = \"smtp-relay.gmail.com\"\nport = 587\ntls = \"required\"\npassed_header = true\n";
        for (provider, smarthost) in
            [(Provider::Microsoft365, connector), (Provider::Microsoft365, submission), (Provider::Google, google)]
        {
            let told = told(provider, &format!("{smarthost}{DOOR}"));
            assert!(told.iter().all(|(verdict, _)| *verdict == Verdict::Well), "{told:?}");
            assert!(told.last().is_some_and(|(_, text)| text.contains(NAME)), "{told:?}");
        }
    }

    #[test]
    fn what_they_would_stumble_over_is_told_with_its_key() {
        let office = "[smarthost]\nhost = \"smtp.office365.com\"\npassed_header = true\n";
        for (provider, more, key, words) in [
            (Provider::Microsoft365, "[smarthost]\nhost = \"mx.s.example\"\n", "smarthost.host", "neither a connector"),
            (Provider::Microsoft365, "[smarthost]\nhost = \"mx.s.example\"\n", "smarthost", "mail would go round"),
            (Provider::Microsoft365, office, "smarthost", "port 587 alone, not at 25"),
            (Provider::Microsoft365, office, "smarthost", "of who signs in alone"),
            (Provider::Microsoft365, office, "smarthost", "set tls to \"required\""),
            (Provider::Microsoft365, office, "smarthost", "no more than 3 are taken"),
            (Provider::Microsoft365, office, "smarthost", "no more than 30 are taken"),
            (Provider::Microsoft365, office, "listen", "no listener takes Microsoft 365's mail"),
            (Provider::Google, office, "smarthost.host", "not the relay of Google Workspace"),
            (
                Provider::Google,
                "[smarthost]\nhost = \"smtp-relay.gmail.com\"\nport = 26\nrecipients = 200\n",
                "smarthost",
                "not at 26",
            ),
            (
                Provider::Google,
                "[smarthost]\nhost = \"smtp-relay.gmail.com\"\nport = 26\nrecipients = 200\n",
                "smarthost",
                "200, and no more than 100",
            ),
        ] {
            let told = told(provider, more);
            let found = told.iter().any(|(verdict, text)| {
                *verdict != Verdict::Well && text.contains(words) && text.starts_with("s.toml:") && text.contains(key)
            });
            assert!(found, "{words}: {told:?}");
        }
    }
}
