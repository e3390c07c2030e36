//! `[review]` checked: where the desk listens, where browsers find it, and whose word on their addresses is taken.
//!
//! Without a certificate of its own it listens on loopback or behind a proxy that is named. Its public URL is kept as
//! browsers send it in `Origin`, so that the two can be compared as they stand.

use std::net::{IpAddr, SocketAddr};

use toml::Spanned;
use url::{Host, Url};

use super::check::{Check, is_label};
use super::file::RawReview;
use super::{ListenConfig, ReviewConfig, TlsFiles};
use crate::limits;

impl Check<'_> {
    /// The section, where it can be used; what is wrong is told either way.
    pub(super) fn review(
        &mut self,
        raw: &Spanned<RawReview>,
        listen: &ListenConfig,
        monitor: Option<SocketAddr>,
    ) -> Option<ReviewConfig> {
        let section = raw.as_ref();
        let public_url = self.public_url(raw);
        let mut trusted_proxies = Vec::new();
        for proxy in &section.trusted_proxies {
            let parsed = proxy.as_ref().parse::<IpAddr>().ok().map(|address| address.to_canonical());
            let wanted = "IP address; name each proxy by its own, as 127.0.0.1";
            trusted_proxies.extend(self.parsed("review.trusted_proxies", wanted, proxy, parsed));
        }
        let address = match &section.listen {
            None => SocketAddr::from(([127, 0, 0, 1], limits::REVIEW_PORT)),
            Some(text) => {
                let parsed = text.as_ref().parse::<SocketAddr>().ok();
                self.parsed("review.listen", "address with a port, as 127.0.0.1:8025", text, parsed)?
            }
        };
        let mail: Vec<SocketAddr> = listen.addresses().copied().collect();
        let taken = [("mail is taken", &mail[..]), ("the monitor answers", monitor.as_slice())];
        for (who, taken) in taken {
            if let Some(taken) = taken.iter().find(|taken| taken.port() == address.port() && address.port() != 0) {
                let problem = format!("review.listen: {who} at {taken}; give the desk a port of its own");
                match &section.listen {
                    Some(text) => self.wrong(text, problem),
                    None => self.wrong(raw, problem),
                }
            }
        }
        let tls = self.tls(section, public_url.as_deref());
        let own_tls = section.tls_certificate.is_some() || section.tls_key.is_some();
        if let (Some(text), Some(public_url), false) = (&section.listen, &public_url, own_tls) {
            self.reachable_only_through_tls(text, address, public_url, !section.trusted_proxies.is_empty());
        }
        let oidc = self.oidc(&section.oidc);
        let keep = limits::KEEP_RETURNED_HOURS;
        let range = limits::KEEP_RETURNED_FEWEST..=limits::KEEP_RETURNED_MOST;
        let keep = self.number("review.keep_returned_hours", section.keep_returned_hours.clone(), keep, range);
        let keep_returned_hours = u32::try_from(keep).unwrap_or_default();
        let remember_days = self.remember_days(section);
        let names = section.personal_use_names_from.clone();
        let range = limits::PERSONAL_USE_NAMES_FEWEST..=limits::PERSONAL_USE_NAMES_MOST;
        let personal_use_names_from =
            self.number("review.personal_use_names_from", names, limits::PERSONAL_USE_NAMES_FROM, range);
        Some(ReviewConfig {
            address,
            tls,
            public_url: public_url?,
            trusted_proxies,
            remember_days,
            personal_use_names_from,
            oidc,
            keep_returned_hours,
        })
    }

    fn remember_days(&mut self, section: &RawReview) -> u32 {
        let [usual, most] =
            [limits::REMEMBER_DAYS, limits::REMEMBER_DAYS_MOST].map(|days| usize::try_from(days).unwrap_or(usize::MAX));
        let days = self.number("review.remember_days", section.remember_days.clone(), usual, 1..=most);
        u32::try_from(days).unwrap_or(limits::REMEMBER_DAYS)
    }

    /// The files of the desk's own TLS, where both are named.
    fn tls(&mut self, section: &RawReview, public_url: Option<&str>) -> Option<TlsFiles> {
        let files = self.certificate("review", section.tls_certificate.as_ref(), section.tls_key.as_ref())?;
        let certificate = section.tls_certificate.as_ref()?;
        if let Some(url) = public_url.filter(|url| !url.starts_with("https:")) {
            let problem = format!(
                "review.tls_certificate: with it the desk speaks TLS alone, and public_url is {url}: write https there"
            );
            self.wrong(certificate, problem);
        }
        Some(files)
    }

    fn public_url(&mut self, raw: &Spanned<RawReview>) -> Option<String> {
        let Some(text) = &raw.as_ref().public_url else {
            let problem = "missing field `public_url`: name what people type to reach the desk, as \
                           \"https://desk.school.example\"; links and the check of who sends a form go by it";
            self.wrong(raw, problem);
            return None;
        };
        match origin(text.as_ref()) {
            Ok(origin) => Some(origin),
            Err(why) => {
                self.wrong(text, format!("review.public_url: `{}` {why}", text.as_ref()));
                None
            }
        }
    }

    fn reachable_only_through_tls(
        &mut self,
        at: &Spanned<String>,
        address: SocketAddr,
        public_url: &str,
        proxied: bool,
    ) {
        let missing = match (public_url.starts_with("https:"), proxied) {
            _ if address.ip().to_canonical().is_loopback() => return,
            (true, true) => return,
            (true, false) => "name the proxy's address in trusted_proxies",
            (false, true) => "give its https address as public_url",
            (false, false) => "name the proxy's address in trusted_proxies and its https address in public_url",
        };
        let problem = format!(
            "review.listen: {address} can be reached by other machines, and the desk has no certificate: passwords would \
             travel in clear text. Name one in tls_certificate and tls_key, put a reverse proxy with TLS in front and \
             {missing}, or listen on 127.0.0.1"
        );
        self.wrong(at, problem);
    }
}

/// The origin that a public URL names, as browsers write it; or what is wrong with it, to be read behind the URL.
fn origin(text: &str) -> Result<String, &'static str> {
    const NO_URL: &str = "is no URL of the form https://HOST or https://HOST:PORT, as https://desk.school.example";
    // The parser mends all of these in silence; whoever wrote one meant something else.
    let (scheme, rest) = text.split_once("://").ok_or(NO_URL)?;
    if rest.starts_with('/') || text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err(NO_URL);
    }
    if !["https", "http"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err("is no https URL: the desk is opened in a browser");
    }
    if text.contains('@') {
        return Err("holds a name or a password: everybody signs in for themselves");
    }
    let url = Url::parse(text).map_err(|_| NO_URL)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("has something behind host and port: the desk wants a host name of its own, not a path below \
                    another site, whose pages could act in its name");
    }
    let is_this_machine = match url.host() {
        Some(Host::Domain(name)) if name.split('.').all(is_label) => name == "localhost",
        Some(Host::Ipv4(address)) if !address.is_unspecified() => address == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) if !address.is_unspecified() => address == std::net::Ipv6Addr::LOCALHOST,
        _ => return Err("names no host that a browser can find"),
    };
    if url.port() == Some(0) {
        return Err("has port 0, which no browser can open");
    }
    if url.scheme() == "http" && !is_this_machine {
        return Err(
            "is not https: passwords would travel in clear text; http is for localhost, 127.0.0.1 and [::1] alone",
        );
    }
    Ok(url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    #[test]
    fn a_public_url_is_kept_as_browsers_send_it() {
        for (text, kept) in [
            ("https://desk.school.example", "https://desk.school.example"),
            ("https://desk.school.example/", "https://desk.school.example"),
            ("HTTPS://Desk.School.Example:443", "https://desk.school.example"),
            ("https://desk.school.example:8443", "https://desk.school.example:8443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://desk", "https://desk"),
            ("https://192.0.2.7", "https://192.0.2.7"),
            ("https://[2001:DB8::7]:8443", "https://[2001:db8::7]:8443"),
            ("http://localhost:8025", "http://localhost:8025"),
            ("http://127.0.0.1", "http://127.0.0.1"),
            ("http://[::1]:8025/", "http://[::1]:8025"),
        ] {
            assert_eq!(origin(text).as_deref(), Ok(kept), "{text}");
        }
    }

    #[test]
    fn what_is_no_public_url_is_refused_with_the_reason() {
        for (text, words) in [
            ("", "is no URL"),
            ("desk.school.example", "is no URL"),
            ("https:desk.school.example", "is no URL"),
            ("https:///desk.school.example", "is no URL"),
            (" https://desk.school.example", "is no URL"),
            ("https://desk.school.example\n", "is no URL"),
            ("https:\\\\desk.school.example", "is no URL"),
            ("https://", "is no URL"),
            ("https://desk.school.example:port", "is no URL"),
            ("https://desk.school.example:70000", "is no URL"),
            ("ftp://desk.school.example", "no https URL"),
            ("https://jane:secret@desk.school.example", "a password"),
            ("https://school.example/desk", "behind host and port"),
            ("https://school.example//", "behind host and port"),
            ("https://school.example?", "behind host and port"),
            ("https://school.example/#held", "behind host and port"),
            ("https://*.school.example", "no host"),
            ("https://desk..example", "no host"),
            ("https://0.0.0.0", "no host"),
            ("https://[::]:8025", "no host"),
            ("https://desk.school.example:0", "port 0"),
            ("http://desk.school.example", "is not https"),
            ("http://localhost.school.example", "is not https"),
            ("http://127.0.0.2", "is not https"),
        ] {
            let why = origin(text).expect_err(text);
            assert!(why.contains(words), "{text:?}: {why}");
        }
    }

    fn of(review: &str) -> Result<Config, String> {
        let rest = "[school]\nname = \"Saltmere\"\ndomains = [\"saltmere.example\"]\n[directory]\npupils = \"p.csv\"\n";
        Config::parse(Path::new("x.toml"), &format!("{rest}{review}")).map_err(|e| e.to_string())
    }

    #[test]
    fn the_desk_is_off_without_its_section_and_listens_on_loopback_with_it() {
        assert_eq!(of("").expect("sound").review, None);
        let least = of("[review]\npublic_url = \"https://desk.saltmere.example/\"\n").expect("sound").review;
        let expected = ReviewConfig {
            address: SocketAddr::from(([127, 0, 0, 1], 8025)),
            tls: None,
            public_url: "https://desk.saltmere.example".to_owned(),
            trusted_proxies: Vec::new(),
            remember_days: 90,
            personal_use_names_from: 20,
            oidc: Vec::new(),
            keep_returned_hours: 72,
        };
        assert_eq!(least, Some(expected));
        let proxied = of("[review]\nlisten = \"10.0.0.5:8080\"\npublic_url = \"https://desk.saltmere.example\"\n\
                          trusted_proxies = [\"::ffff:10.0.0.9\", \"2001:db8::9\"]\n");
        let proxied = proxied.expect("sound").review.expect("the section");
        assert_eq!(proxied.address.to_string(), "10.0.0.5:8080");
        assert_eq!(
            proxied.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["10.0.0.9", "2001:db8::9"]
        );
    }

    #[test]
    fn the_school_says_how_long_a_release_is_remembered() {
        for (days, want) in [
            ("1", Ok(1)),
            ("30", Ok(30)),
            ("366", Ok(366)),
            ("0", Err("x.toml:8:17: review.remember_days: wants a number from 1 to 366")),
            ("367", Err("review.remember_days: wants a number from 1 to 366")),
            ("-1", Err("review.remember_days: wants a number")),
            ("\"a term\"", Err("invalid type")),
        ] {
            let told =
                of(&format!("[review]\npublic_url = \"https://desk.saltmere.example\"\nremember_days = {days}\n"));
            match want {
                Ok(want) => assert_eq!(told.expect(days).review.expect(days).remember_days, want),
                Err(words) => assert!(told.as_ref().is_err_and(|told| told.contains(words)), "{days}: {told:?}"),
            }
        }
    }

    #[test]
    fn the_school_says_from_how_many_personal_messages_a_sender_is_named() {
        for (messages, want) in [
            ("5", Ok(5)),
            ("10000", Ok(10_000)),
            ("4", Err("x.toml:8:27: review.personal_use_names_from: wants a number from 5 to 10000")),
            ("10001", Err("wants a number from 5 to 10000")),
            ("-1", Err("wants a number")),
            ("\"all\"", Err("invalid type")),
        ] {
            let url = "public_url = \"https://desk.saltmere.example\"";
            let told = of(&format!("[review]\n{url}\npersonal_use_names_from = {messages}\n"));
            match want {
                Ok(want) => {
                    let review = told.expect(messages).review.expect(messages);
                    assert_eq!(review.personal_use_names_from, want);
                }
                Err(words) => assert!(told.as_ref().is_err_and(|told| told.contains(words)), "{messages}: {told:?}"),
            }
        }
    }

    #[test]
    fn other_machines_reach_the_desk_only_through_a_proxy_with_tls() {
        let (https, http) = ("https://desk.saltmere.example", "http://localhost:8025");
        for (listen, public_url, proxies, missing) in [
            ("127.0.0.1:8025", http, "", None),
            ("127.0.0.1:8025", https, "", None),
            ("[::1]:8025", https, "", None),
            ("[::ffff:127.0.0.1]:8025", https, "", None),
            ("0.0.0.0:8025", https, "\"10.0.0.9\"", None),
            ("0.0.0.0:8025", https, "", Some("front and name the proxy's address in trusted_proxies, or")),
            ("[::]:8025", http, "\"10.0.0.9\"", Some("front and give its https address as public_url, or")),
            ("10.0.0.5:8025", http, "", Some("in trusted_proxies and its https address in public_url, or")),
        ] {
            let told = of(&format!(
                "[review]\nlisten = \"{listen}\"\npublic_url = \"{public_url}\"\ntrusted_proxies = [{proxies}]\n"
            ));
            match missing {
                None => assert!(told.is_ok(), "{listen} {public_url}: {told:?}"),
                Some(words) => {
                    let told = told.expect_err(listen);
                    assert!(told.contains(words) && told.contains(listen), "{told}");
                }
            }
        }
    }

    #[test]
    fn a_certificate_of_its_own_opens_the_desk_to_other_machines() {
        let (https, pair) =
            ("public_url = \"https://desk.saltmere.example\"\n", "tls_certificate = \"c\"\ntls_key = \"k\"\n");
        let own = of(&format!("[review]\nlisten = \"0.0.0.0:443\"\n{https}{pair}")).expect("sound").review;
        let files = TlsFiles { certificate: "c".into(), key: "k".into() };
        assert_eq!(own.expect("the section").tls, Some(files));
        for (keys, at, words) in [
            (
                format!("{https}tls_certificate = \"c\"\n"),
                "8:19",
                "tls_certificate: is of no use without its private key",
            ),
            (format!("{https}tls_key = \"k\"\n"), "8:11", "tls_key: is of no use without its certificate"),
            (format!("{https}tls_certificate = \"\"\ntls_key = \"k\"\n"), "8:19", "tls_certificate: is empty"),
            (format!("{https}tls_certificate = \"c\"\ntls_key = \"\"\n"), "9:11", "tls_key: is empty"),
            (format!("{https}tls_certificate = 1\ntls_key = \"k\"\n"), "8:19", "invalid type"),
            (
                format!("public_url = \"http://localhost:8025\"\n{pair}"),
                "8:19",
                "tls_certificate: with it the desk speaks TLS alone, and public_url is http://localhost:8025",
            ),
            (
                format!("{https}listen = \"0.0.0.0:443\"\n"),
                "8:10",
                "no certificate: passwords would travel in clear text. Name one in tls_certificate and tls_key",
            ),
        ] {
            let told = of(&format!("[review]\n{keys}")).expect_err(words);
            let place = format!("x.toml:{at}: ");
            assert!(told.contains(words) && told.contains(&place) && told.lines().count() == 1, "{told}");
        }
    }

    #[test]
    fn a_reload_takes_other_files_and_neither_begins_nor_ends_tls() {
        let url = "public_url = \"https://desk.saltmere.example\"\n";
        let plain = of(&format!("[review]\n{url}")).expect("sound");
        let with =
            |name: &str| of(&format!("[review]\n{url}tls_certificate = \"{name}\"\ntls_key = \"k\"\n")).expect("sound");
        for (started, new, named, after) in [
            (&plain, with("a"), &["review.tls_certificate"][..], &plain),
            (&with("a"), plain.clone(), &["review.tls_certificate"], &with("a")),
            (&with("a"), with("b"), &[], &with("b")),
        ] {
            let mut new = new;
            assert_eq!(new.keep_started(started), named);
            assert_eq!(new.review, after.review);
        }
    }

    #[test]
    fn a_reload_neither_opens_nor_moves_the_desk() {
        let url = "public_url = \"https://desk.saltmere.example\"\n";
        let off = of("").expect("sound");
        let on = of(&format!("[review]\n{url}")).expect("sound");
        let moved = of("[review]\nlisten = \"127.0.0.1:8026\"\npublic_url = \"https://other.saltmere.example\"\n\
                        trusted_proxies = [\"127.0.0.1\"]\n[review.oidc.google]\n\
                        issuer = \"https://accounts.google.com\"\nclient_id = \"x\"\nclient_secret_file = \"x\"\n");
        let moved = moved.expect("sound");
        let all = &["review.listen", "review.public_url", "review.trusted_proxies", "review.oidc"][..];
        for (started, new, named) in [
            (&off, &off, &[][..]),
            (&on, &on, &[]),
            (&off, &on, &["review"]),
            (&on, &off, &["review"]),
            (&on, &moved, all),
        ] {
            let mut new = new.clone();
            assert_eq!(new.keep_started(started), named);
            assert_eq!(new.review, started.review);
        }
    }
}
