//! `[listen]` and `[[listener]]`, checked: the doors by which mail comes in, and who may send through each.
//!
//! `[listen]` says what holds for all of them, and may be a door itself; each `[[listener]]` is a further one. A door that would let
//! nobody in, or ask for a password over a line that anyone can read, is an error.

use std::net::SocketAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;

use super::TlsFiles;
use super::check::{Check, is_label};
use super::file::{RawDoor, RawListen, RawListener, RawTenant};
use super::{ListenConfig, SchoolConfig};
use crate::limits;
use crate::smtp::LineEnds;

/// One door: addresses that are listened on, and the rules that hold there. No rule reaches from one to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerConfig {
    /// For log, metrics and messages; `listen` for the one of `[listen]`. No two are the same.
    pub name: String,
    /// Addresses to listen on; at least one.
    pub addresses: Vec<SocketAddr>,
    /// Networks that may send through it.
    pub relay_from: Vec<IpNet>,
    /// TLS.
    pub tls: ListenerTls,
    /// What it shows; always there unless `tls` is none.
    pub certificate: Option<TlsFiles>,
    /// Whoever signs in with name and password (RFC 4954) may send through it; under TLS only.
    pub sign_in: bool,
    /// Whoever shows a certificate may send through it.
    pub client: Option<ClientCertificates>,
    /// Which tenant of a provider that shares its addresses and certificates among all of them may send through it.
    pub tenant: Option<Tenant>,
    /// Line ends that are no CR LF.
    pub line_ends: LineEnds,
    /// Networks whose connections begin with a PROXY header, version 1 or 2; from others it is a protocol error.
    pub proxy_from: Vec<IpNet>,
    /// Networks that may say XCLIENT and XFORWARD.
    pub xclient_from: Vec<IpNet>,
}

/// TLS of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListenerTls {
    /// Never.
    #[default]
    None,
    /// STARTTLS is offered (RFC 3207); who does not take it may send as far as `relay_from` lets it.
    Starttls,
    /// STARTTLS, and no mail before it.
    Required,
    /// From the first octet (RFC 8314 3.3).
    Implicit,
}

/// Certificates that clients show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificates {
    /// Authorities (PEM) that vouch for them; without, those of the system.
    pub ca_file: Option<PathBuf>,
    /// DNS names of which the certificate must hold one, as its subject alternative name, lower case; `*.` at the front stands
    /// for one label (RFC 6125 6.4.3).
    pub names: Vec<String>,
}

/// A header that the provider itself writes, and that names the tenant a message comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Name of the header.
    pub header: String,
    /// What it must hold, compared without regard to case.
    pub value: String,
}

impl ListenerConfig {
    /// Where the configuration speaks of it: `listen`, or `listener.` and its name.
    pub fn section(&self) -> String {
        if self.name == "listen" { self.name.clone() } else { format!("listener.{}", self.name) }
    }

    /// A door of a school's own networks, in clear text: what `[listen]` is when it says nothing else.
    pub fn plain(name: &str, addresses: Vec<SocketAddr>, relay_from: Vec<IpNet>) -> Self {
        Self {
            name: name.to_owned(),
            addresses,
            relay_from,
            tls: ListenerTls::None,
            certificate: None,
            sign_in: false,
            client: None,
            tenant: None,
            line_ends: LineEnds::Strict,
            proxy_from: Vec::new(),
            xclient_from: Vec::new(),
        }
    }
}

/// Whoever names a certificate takes the listener for encrypted.
const SHOWN_TO_NOBODY: &str = "is shown to nobody, as TLS is off; set tls to \"starttls\", \"required\" or \"implicit\", or to \"none\" where clear \
     text is meant";

impl Check<'_> {
    pub(super) fn listen(
        &mut self,
        raw: RawListen,
        further: Vec<Spanned<RawListener>>,
        school: &SchoolConfig,
    ) -> ListenConfig {
        let hostname = raw.hostname.as_ref().and_then(|h| {
            let fits = h.as_ref().split('.').all(is_label).then(|| h.as_ref().to_lowercase());
            self.parsed("listen.hostname", "host name", h, fits)
        });
        let connections = self.number("listen.connections", raw.connections.clone(), limits::CONNECTIONS, 2..=10_000);
        let shared = self.certificate("listen", raw.tls_certificate.as_ref(), raw.tls_key.as_ref());
        let mut listeners = Vec::new();
        let mut in_clear = raw.tls.is_some();
        // Where further doors stand and `[listen]` names no address, it is none.
        if raw.addresses.is_some() || further.is_empty() {
            let addresses = match &raw.addresses {
                Some(named) => self.addresses("listen", named),
                None => vec![SocketAddr::from(([127, 0, 0, 1], limits::LISTEN_PORT))],
            };
            let mut door = self.door("listen", "listen".to_owned(), addresses, raw.door(), shared.as_ref());
            if raw.relay_from.is_none() {
                door.relay_from = loopback();
            }
            listeners.push(door);
        }
        for listener in further {
            let name = listener.as_ref().name.clone();
            let named = listener.as_ref().addresses.clone();
            let is_name = |name: &String| is_label(name) && name.is_ascii();
            let Some(text) = self.parsed(
                "listener.name",
                "name of letters, digits and hyphens",
                &name,
                Some(name.as_ref().clone()).filter(is_name),
            ) else {
                continue;
            };
            if listeners.iter().any(|other: &ListenerConfig| other.name == text) {
                self.wrong(&name, format!("listener.name: `{text}` is the name of another listener"));
            }
            let addresses = self.addresses("listener", &named);
            if addresses.is_empty() && named.is_empty() {
                self.wrong(&listener, "listener.addresses: is empty; name an address with a port, as 0.0.0.0:587");
            }
            let own = self.certificate(
                "listener",
                listener.as_ref().tls_certificate.as_ref(),
                listener.as_ref().tls_key.as_ref(),
            );
            let door =
                self.door("listener", text, addresses, listener.as_ref().door(), own.as_ref().or(shared.as_ref()));
            in_clear |= listener.as_ref().tls.is_some() && door.tls == ListenerTls::None;
            if let Some(at) = &listener.as_ref().tls_certificate
                && own.is_some()
                && listener.as_ref().tls.is_none()
            {
                self.wrong(at, format!("listener.tls_certificate: {SHOWN_TO_NOBODY}"));
            }
            if door.relay_from.is_empty() && !door.sign_in && door.client.is_none() {
                self.wrong(
                    &name,
                    "listener: nobody could send through it; say who may with relay_from, sign_in or client_names",
                );
            }
            listeners.push(door);
        }
        // Of many doors some may show their own; where one is said to be in clear, somebody has thought of it.
        if let Some(at) = &raw.tls_certificate
            && let Some(shared) = &shared
            && !in_clear
            && listeners.iter().all(|door| door.certificate.as_ref() != Some(shared))
        {
            self.wrong(at, format!("listen.tls_certificate: {SHOWN_TO_NOBODY}"));
        }
        ListenConfig {
            listeners,
            hostname: hostname.unwrap_or_else(|| {
                school.domains.first().map_or("localhost".to_owned(), |d| format!("schoolgate.{d}"))
            }),
            message_size: self.number(
                "listen.message_size",
                raw.message_size,
                limits::MESSAGE_SIZE,
                65_536..=1_073_741_824,
            ),
            connections,
            connections_per_client: self.number(
                "listen.connections_per_client",
                raw.connections_per_client,
                limits::CONNECTIONS_PER_CLIENT,
                1..=10_000,
            ),
            stranger_connections: self.number(
                "listen.stranger_connections (fewer than listen.connections)",
                raw.stranger_connections,
                limits::STRANGER_CONNECTIONS.min(connections / 2),
                1..=connections - 1,
            ),
        }
    }

    /// What a door's keys say; `section` names them in what is wrong.
    fn door(
        &mut self,
        section: &str,
        name: String,
        addresses: Vec<SocketAddr>,
        raw: RawDoor<'_>,
        certificate: Option<&TlsFiles>,
    ) -> ListenerConfig {
        let mut tls = raw.tls.map_or(ListenerTls::None, |tls| *tls.as_ref());
        if tls != ListenerTls::None && certificate.is_none() {
            if let Some(at) = raw.tls {
                let problem = "without a certificate; name it in tls_certificate and tls_key, here or in [listen]";
                self.wrong(at, format!("{section}.tls: {problem}"));
            }
            tls = ListenerTls::None;
        }
        let without_tls = raw.tls.is_none_or(|tls| *tls.as_ref() == ListenerTls::None);
        if let Some(at) = raw.sign_in.filter(|at| *at.as_ref() && without_tls) {
            let problem = "passwords would travel in clear text; set tls to \"starttls\", \"required\" or \"implicit\"";
            self.wrong(at, format!("{section}.sign_in: {problem}"));
        }
        if let Some(at) = raw.client_names.first().filter(|_| without_tls) {
            self.wrong(at, format!("{section}.client_names: certificates are shown under TLS alone; set tls"));
        }
        if let Some(at) = raw.client_ca.filter(|_| raw.client_names.is_empty()) {
            let problem =
                "whose certificates? name them in client_names, or everybody whom the authority knows could send";
            self.wrong(at, format!("{section}.client_ca: {problem}"));
        }
        let relay_from = self.networks(&format!("{section}.relay_from"), raw.relay_from);
        let proxy_from = self.networks(&format!("{section}.proxy_from"), raw.proxy_from);
        let xclient_from = self.networks(&format!("{section}.xclient_from"), raw.xclient_from);
        let names = raw.client_names.iter().filter_map(|name| self.client_name(section, name)).collect::<Vec<_>>();
        ListenerConfig {
            name,
            addresses,
            relay_from,
            tls,
            certificate: certificate.filter(|_| tls != ListenerTls::None).cloned(),
            sign_in: raw.sign_in.is_some_and(|on| *on.as_ref()),
            client: (!names.is_empty()).then(|| ClientCertificates {
                ca_file: raw.client_ca.map(|file| self.path(file.as_ref().clone())),
                names,
            }),
            tenant: raw.tenant.and_then(|tenant| self.tenant(section, tenant)),
            line_ends: raw.line_ends.unwrap_or_default(),
            proxy_from,
            xclient_from,
        }
    }

    fn tenant(&mut self, section: &str, raw: &RawTenant) -> Option<Tenant> {
        let header = raw.header.as_ref();
        let fits = !header.is_empty() && header.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let header = self.parsed(
            &format!("{section}.tenant.header"),
            "name of a header",
            &raw.header,
            fits.then(|| header.to_owned()),
        );
        let value = Some(raw.value.as_ref().trim().to_owned()).filter(|value| !value.is_empty());
        let value = self.parsed(&format!("{section}.tenant.value"), "value that names a tenant", &raw.value, value);
        Some(Tenant { header: header?, value: value? })
    }

    fn client_name(&mut self, section: &str, name: &Spanned<String>) -> Option<String> {
        let text = name.as_ref().to_lowercase();
        let rest = text.strip_prefix("*.").unwrap_or(&text);
        // `*.example` would be every customer of a registry.
        let labels = rest.split('.').count();
        let fits = rest.is_ascii() && labels >= 2 && rest.split('.').all(is_label);
        self.parsed(
            &format!("{section}.client_names"),
            "name of a host, as mail.school.example",
            name,
            fits.then_some(text),
        )
    }

    /// A certificate with its key, where both are named.
    pub(super) fn certificate(
        &mut self,
        section: &str,
        certificate: Option<&Spanned<PathBuf>>,
        key: Option<&Spanned<PathBuf>>,
    ) -> Option<TlsFiles> {
        for (name, file) in [("tls_certificate", certificate), ("tls_key", key)] {
            if let Some(file) = file.filter(|file| file.as_ref().as_os_str().is_empty()) {
                self.wrong(file, format!("{section}.{name}: is empty; name a file in PEM form"));
            }
        }
        match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some(TlsFiles {
                certificate: self.path(certificate.as_ref().clone()),
                key: self.path(key.as_ref().clone()),
            }),
            (Some(alone), None) => {
                let problem = "tls_certificate: is of no use without its private key; name that in tls_key";
                self.wrong(alone, format!("{section}.{problem}"));
                None
            }
            (None, Some(alone)) => {
                let problem = "tls_key: is of no use without its certificate; name that in tls_certificate";
                self.wrong(alone, format!("{section}.{problem}"));
                None
            }
        }
    }

    fn addresses(&mut self, section: &str, named: &[Spanned<String>]) -> Vec<SocketAddr> {
        let key = format!("{section}.addresses");
        let wanted = "address with a port, as 127.0.0.1:2525";
        named
            .iter()
            .filter_map(|address| self.parsed(&key, wanted, address, address.as_ref().parse::<SocketAddr>().ok()))
            .collect()
    }

    fn networks(&mut self, key: &str, named: &[Spanned<String>]) -> Vec<IpNet> {
        let read =
            |text: &str| text.parse::<IpNet>().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from));
        let wanted = "network, as 192.168.0.0/16";
        named.iter().filter_map(|network| self.parsed(key, wanted, network, read(network.as_ref()))).collect()
    }
}

fn loopback() -> Vec<IpNet> {
    ["127.0.0.0/8", "::1/128"].iter().filter_map(|network| network.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn config(more: &str) -> ListenConfig {
        let text =
            format!("[school]\nname = \"S\"\ndomains = [\"s.example\"]\n[directory]\npupils = \"p.csv\"\n{more}");
        Config::parse(Path::new("/etc/gate/s.toml"), &text).expect(more).listen
    }

    #[test]
    fn without_a_word_there_is_one_door_on_loopback() {
        let door = &config("").listeners[0];
        assert_eq!(
            door,
            &ListenerConfig::plain("listen", vec!["127.0.0.1:2525".parse().expect("address")], loopback())
        );
        assert_eq!(config("[listen]\nhostname = \"gate.s.example\"\n").listeners.len(), 1);
    }

    #[test]
    fn further_doors_have_rules_of_their_own() {
        let listen = config(
            "[listen]\ntls_certificate = \"c.pem\"\ntls_key = \"k.pem\"\n\
             [[listener]]\nname = \"staff\"\naddresses = [\"0.0.0.0:587\"]\ntls = \"required\"\nsign_in = true\n\
             [[listener]]\nname = \"cloud\"\naddresses = [\"0.0.0.0:25\"]\ntls = \"starttls\"\ntls_certificate = \"d.pem\"\n\
             tls_key = \"l.pem\"\nclient_names = [\"*.Protection.example\"]\ntenant = { header = \"X-T\", value = \" id \" }\n\
             [[listener]]\nname = \"copiers\"\naddresses = [\"10.0.0.1:25\"]\nrelay_from = [\"10.0.0.0/8\"]\nline_ends = \"fix\"\n\
             proxy_from = [\"10.0.0.9\"]\n",
        );
        let [staff, cloud, copiers] = &listen.listeners[..] else {
            panic!("three doors, and [listen] is none of them")
        };
        let files = |certificate: &str, key: &str| {
            let folder = Path::new("/etc/gate");
            Some(TlsFiles { certificate: folder.join(certificate), key: folder.join(key) })
        };
        assert_eq!((staff.tls, staff.sign_in, &staff.relay_from[..]), (ListenerTls::Required, true, &[][..]));
        assert_eq!(staff.certificate, files("c.pem", "k.pem"), "that of [listen]");
        assert_eq!(cloud.certificate, files("d.pem", "l.pem"));
        let client = cloud.client.as_ref().expect("certificates");
        assert_eq!(client.names, ["*.protection.example"]);
        assert_eq!(cloud.tenant, Some(Tenant { header: "X-T".to_owned(), value: "id".to_owned() }));
        assert!(!cloud.sign_in && cloud.relay_from.is_empty());
        assert_eq!((copiers.line_ends, copiers.certificate.as_ref()), (LineEnds::Fix, None));
        assert_eq!(copiers.proxy_from, ["10.0.0.9/32".parse().expect("network")]);
        assert_eq!(listen.addresses().count(), 3);
    }
}
