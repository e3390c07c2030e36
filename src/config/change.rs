//! What a running gateway takes of a changed configuration, and what it keeps until it is restarted.

use super::{Config, ListenerConfig, ListenerTls};

impl Config {
    /// Puts back what a gateway that was started with `started` cannot change while it runs; names the keys that would be
    /// otherwise after a restart.
    pub fn keep_started(&mut self, started: &Self) -> Vec<String> {
        let mut changed = keep_doors(&mut self.listen.listeners, &started.listen.listeners);
        let mut keeper = |key: &str, differs: bool| {
            if differs {
                changed.push(key.to_owned());
            }
        };
        keeper("listen.hostname", keep(&mut self.listen.hostname, &started.listen.hostname));
        keeper("monitor.address", keep(&mut self.monitor, &started.monitor));
        match (&mut self.review, &started.review) {
            (Some(new), Some(old)) => {
                keeper("review.listen", keep(&mut new.address, &old.address));
                // Other files are taken; to begin with TLS, or to end it, would be another desk.
                let differs = new.tls.is_some() != old.tls.is_some();
                keeper("review.tls_certificate", differs && keep(&mut new.tls, &old.tls));
                keeper("review.public_url", keep(&mut new.public_url, &old.public_url));
                keeper("review.trusted_proxies", keep(&mut new.trusted_proxies, &old.trusted_proxies));
                keeper("review.remember_days", keep(&mut new.remember_days, &old.remember_days));
                let names = keep(&mut new.personal_use_names_from, &old.personal_use_names_from);
                keeper("review.personal_use_names_from", names);
                keeper("review.oidc", keep(&mut new.oidc, &old.oidc));
            }
            // Neither opened nor shut on the way.
            (new, old) => keeper("review", keep(new, old)),
        }
        keeper("log.format", keep(&mut self.log, &started.log));
        if let (Some(new), Some(old)) = (&mut self.store, &started.store) {
            keeper("store.path", keep(&mut new.path, &old.path));
            keeper("store.key_file", keep(&mut new.key_file, &old.key_file));
        }
        if let (Some(new), Some(old)) = (&mut self.smarthost, &started.smarthost) {
            keeper("smarthost.connections", keep(&mut new.connections, &old.connections));
        }
        changed
    }
}

/// Other rules hold at once, while the doors themselves, with their order, addresses and manner of TLS, stay as they were opened.
fn keep_doors(new: &mut Vec<ListenerConfig>, started: &[ListenerConfig]) -> Vec<String> {
    let mut changed = Vec::new();
    let mut kept = Vec::new();
    for old in started {
        let Some(place) = new.iter().position(|door| door.name == old.name) else {
            changed.push(opened_by(old));
            kept.push(old.clone());
            continue;
        };
        let mut door = new.remove(place);
        if keep(&mut door.addresses, &old.addresses) {
            changed.push(format!("{}.addresses", old.section()));
        }
        let is_clear = |door: &ListenerConfig| door.tls == ListenerTls::None;
        // What rests on TLS waits with it.
        if is_clear(&door) != is_clear(old) {
            door.certificate.clone_from(&old.certificate);
            door.sign_in = old.sign_in;
            door.client.clone_from(&old.client);
        }
        if keep(&mut door.tls, &old.tls) {
            changed.push(format!("{}.tls", old.section()));
        }
        kept.push(door);
    }
    changed.extend(new.iter().map(opened_by));
    *new = kept;
    changed
}

/// What makes a door be there at all: of `[listen]` its addresses, else its section.
fn opened_by(door: &ListenerConfig) -> String {
    if door.section() == "listen" { "listen.addresses".to_owned() } else { door.section() }
}

/// Puts the old value in place of the new one; whether they differ.
fn keep<T: PartialEq + Clone>(new: &mut T, old: &T) -> bool {
    let differs = new != old;
    if differs {
        new.clone_from(old);
    }
    differs
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const PAIR: &str = "[listen]\ntls_certificate = \"c.pem\"\ntls_key = \"k.pem\"\n";

    fn config(doors: &str) -> Config {
        let text =
            format!("[school]\nname = \"S\"\ndomains = [\"s.example\"]\n[directory]\npupils = \"p.csv\"\n{doors}");
        Config::parse(Path::new("s.toml"), &text).unwrap_or_else(|errors| panic!("{doors}: {errors:?}"))
    }

    fn listener(name: &str, port: u16, more: &str) -> String {
        format!(
            "[[listener]]\nname = \"{name}\"\naddresses = [\"127.0.0.1:{port}\"]\nrelay_from = [\"10.0.0.1\"]\n{more}"
        )
    }

    #[test]
    fn each_door_that_waits_for_a_restart_is_named_by_what_was_changed() {
        let own = "addresses = [\"127.0.0.1:2525\"]\n";
        let started =
            [PAIR, own, "tls = \"starttls\"\n", &listener("a", 1, ""), &listener("b", 2, "tls = \"required\"\n")]
                .concat();
        let b = |more: &str| listener("b", 2, more);
        let required = b("tls = \"required\"\n");
        for (doors, named) in [
            (started.clone(), &[][..]),
            // In another order they are the same.
            ([PAIR, own, "tls = \"starttls\"\n", &required, &listener("a", 1, "")].concat(), &[]),
            ([PAIR, own, &listener("a", 1, ""), &required].concat(), &["listen.tls"]),
            ([PAIR, own, "tls = \"implicit\"\n", &listener("a", 1, ""), &required].concat(), &["listen.tls"]),
            (
                [PAIR, "addresses = [\"127.0.0.1:26\"]\ntls = \"starttls\"\n", &listener("a", 1, ""), &required]
                    .concat(),
                &["listen.addresses"],
            ),
            (
                [PAIR, own, "tls = \"starttls\"\n", &listener("a", 3, ""), &b("")].concat(),
                &["listener.a.addresses", "listener.b.tls"],
            ),
            ([PAIR, own, "tls = \"starttls\"\n", &required].concat(), &["listener.a"]),
            ([&started[..], &listener("c", 3, "")].concat(), &["listener.c"]),
            (
                [PAIR, own, "tls = \"starttls\"\n", &listener("c", 1, ""), &required].concat(),
                &["listener.a", "listener.c"],
            ),
            ([PAIR, &listener("a", 1, ""), &required].concat(), &["listen.addresses"]),
        ] {
            let (old, mut new) = (config(&started), config(&doors));
            assert_eq!(new.keep_started(&old), named, "{doors}");
            let bound = |config: &Config| -> Vec<_> {
                let doors = config.listen.listeners.iter();
                doors
                    .map(|door| (door.name.clone(), door.addresses.clone(), door.tls, door.certificate.clone()))
                    .collect()
            };
            assert_eq!(bound(&new), bound(&old), "{doors}");
        }
    }

    #[test]
    fn rules_hold_at_once_beside_a_door_that_waits_and_at_it() {
        let old =
            config(&[PAIR, &listener("a", 1, ""), &listener("b", 2, "tls = \"required\"\nsign_in = true\n")].concat());
        let other = |text: String| text.replace("10.0.0.1", "10.0.0.9");
        let mut new = config(
            &[PAIR, &other(listener("a", 7, "tls = \"required\"\nsign_in = true\n")), &other(listener("b", 2, ""))]
                .concat(),
        );
        assert_eq!(new.keep_started(&old), ["listener.a.addresses", "listener.a.tls", "listener.b.tls"]);
        let [a, b] = &new.listen.listeners[..] else { panic!("two doors") };
        for door in [a, b] {
            assert_eq!(door.relay_from, ["10.0.0.9/32".parse().expect("a network")]);
        }
        assert!(!a.sign_in && a.certificate.is_none(), "no password in clear");
        assert!(b.sign_in && b.certificate.is_some());
    }
}
