//! Each listener with TLS: its certificate, who vouches for its clients, and whether a provider's whole clientele could send through it.

use jiff::Timestamp;

use super::advice::is_private;
use super::certificate::Shown;
use super::{Findings, Verdict};
use crate::config::{Config, ListenerConfig};
use crate::relay::listen::certificate_owner;

/// Names and parents of the hosts by which providers send the mail of all their customers. Microsoft 365: "Set up connectors to route
/// mail"; Google Workspace: "Route outgoing SMTP relay messages".
const PROVIDERS: &[&str] = &["protection.outlook.com", "google.com", "googlemail.com"];

/// Looks at every door.
pub fn look(config: &Config, now: Timestamp, findings: &mut Findings) {
    for door in &config.listen.listeners {
        if let Some(files) = &door.certificate {
            let shown = Shown {
                what: &format!("listener {}", door.name),
                owner: &certificate_owner(door),
                host: &config.listen.hostname,
                host_is: "listen.hostname",
                who: "mail servers that check it",
            };
            shown.look(config, files, now, findings);
        }
        tenant(config, door, findings);
    }
}

/// A certificate or a network that all customers of a provider share says nothing about which of them sends.
fn tenant(config: &Config, door: &ListenerConfig, findings: &mut Findings) {
    if door.tenant.is_some() {
        return;
    }
    let section = door.section();
    let names = door.client.iter().flat_map(|client| &client.names);
    for name in names.filter(|name| name.starts_with("*.") || is_of_provider(name)) {
        findings.add(
            Verdict::Doubtful,
            format!(
                "{}: {name}: every customer of a provider that sends by such a name could send through this listener; name the \
                 school's own tenant in tenant",
                config.at(&format!("{section}.client_names"))
            ),
        );
    }
    let is_open = |network: &&ipnet::IpNet| !is_private(network) && network.prefix_len() < network.max_prefix_len();
    for network in door.relay_from.iter().filter(is_open) {
        findings.add(
            Verdict::Doubtful,
            format!(
                "{}: {network}: where it is a provider's, every customer of that could send through this listener; name the school's \
                 own tenant in tenant",
                config.at(&format!("{section}.relay_from"))
            ),
        );
    }
}

fn is_of_provider(name: &str) -> bool {
    PROVIDERS.iter().any(|parent| name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn what_all_tenants_share_wants_the_name_of_one() {
        let text = |more: &str| {
            let school = "[school]\nname = \"S\"\ndomains = [\"s.example\"]\n[directory]\npupils = \"p.csv\"\n";
            format!(
                "{school}[listen]\ntls_certificate = \"c\"\ntls_key = \"k\"\n[[listener]]\nname = \"cloud\"\naddresses = \
                 [\"0.0.0.0:25\"]\ntls = \"required\"\n{more}"
            )
        };
        let own = "tenant = { header = \"X-T\", value = \"1\" }\n";
        for (more, key) in [
            ("client_names = [\"mail.protection.outlook.com\"]\n", Some("client_names")),
            ("client_names = [\"*.protection.outlook.com\"]\n", Some("client_names")),
            ("client_names = [\"smtp-relay.google.com\"]\n", Some("client_names")),
            ("client_names = [\"*.other.example\"]\n", Some("client_names")),
            ("client_names = [\"mail.s.example\"]\n", None),
            ("client_names = [\"mail.notgoogle.com\"]\n", None),
            ("relay_from = [\"40.92.0.0/15\"]\n", Some("relay_from")),
            ("relay_from = [\"2a01:111:f400::/48\"]\n", Some("relay_from")),
            ("relay_from = [\"192.0.2.7\"]\n", None),
            ("relay_from = [\"10.0.0.0/8\", \"fd00::/8\"]\n", None),
        ] {
            for (with, key) in [(more.to_owned(), key), (format!("{more}{own}"), None)] {
                let config = Config::parse(Path::new("x.toml"), &text(&with)).expect(&with);
                let mut findings = Findings::default();
                tenant(&config, &config.listen.listeners[0], &mut findings);
                let told = findings.0.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>();
                let wanted = key.map(|key| format!("x.toml:13:{}: listener.cloud.{key}: ", key.len() + 4));
                match wanted {
                    None => assert!(told.is_empty(), "{with}: {told:?}"),
                    Some(at) => assert!(told.len() == 1 && told[0].starts_with(&at), "{at}: {told:?}"),
                }
            }
        }
    }
}
