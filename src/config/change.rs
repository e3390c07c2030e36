//! What a running gateway takes of a changed configuration, and what it keeps until it is restarted.

use super::Config;

impl Config {
    /// Puts back what a gateway that was started with `started` cannot change while it runs; names the keys that would be
    /// otherwise after a restart.
    pub fn keep_started(&mut self, started: &Self) -> Vec<&'static str> {
        let mut changed = Vec::new();
        let mut keeper = |key, differs: bool| {
            if differs {
                changed.push(key);
            }
        };
        // Other rules hold at once; the doors themselves stay as they are.
        let doors = |config: &Self| -> Vec<_> {
            config.listen.listeners.iter().map(|door| (door.name.clone(), door.addresses.clone(), door.tls)).collect()
        };
        if doors(self) != doors(started) {
            self.listen.listeners.clone_from(&started.listen.listeners);
            keeper("listen.addresses", true);
        }
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

/// Puts the old value in place of the new one; whether they differ.
fn keep<T: PartialEq + Clone>(new: &mut T, old: &T) -> bool {
    let differs = new != old;
    if differs {
        new.clone_from(old);
    }
    differs
}
