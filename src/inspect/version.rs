//! The version of what decides: a short hash of the rules in force and of every setting that they go by.
//!
//! Two grounds have the same version exactly when they decide every message alike over the same roster: it covers the
//! merged pack, the modes that the school chose, its mail domains, markers, roles, permissions, hours and keys, and the program, whose word
//! lists are compiled in. Who is on the roster is not part of it: that changes every night.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::limits;
use crate::message::signed::Keys as DkimKeys;
use crate::policy::RulePack;
use crate::policy::pack::{Route, Rule};
use crate::school_time::SchoolTime;
use crate::smtp::Address;

/// All that decides, but for the school's people.
#[derive(Debug, Clone, Copy)]
pub struct Deciding<'d> {
    /// With the modes that the school chose.
    pub pack: &'d RulePack,
    /// The school's own mail domains: whoever has another is outside.
    pub domains: &'d [String],
    /// Further words that count as the Confidential marker.
    pub confidential_markers: &'d [String],
    /// Distinct pupils from which a message counts as bulk.
    pub bulk_pupils: usize,
    /// Who has which role.
    pub roles: &'d BTreeMap<String, Vec<Address>>,
    /// Senders whom the school permits what a rule would stop.
    pub permitted: &'d BTreeMap<String, Vec<Address>>,
    /// When the school is open.
    pub times: &'d SchoolTime,
    /// Keys with which attached originals are checked.
    pub dkim_keys: &'d DkimKeys,
}

/// What is hashed, in an order of its own: maps are sorted, and times stand as ISO 8601 writes them.
#[derive(Serialize)]
struct Canonical<'d> {
    program: &'static str,
    rules: &'d [Rule],
    routes: &'d [Route],
    domains: Vec<String>,
    confidential_markers: &'d [String],
    bulk_pupils: usize,
    roles: &'d BTreeMap<String, Vec<Address>>,
    permitted: &'d BTreeMap<String, Vec<Address>>,
    days: [bool; 7],
    hours: [String; 2],
    zone: Option<&'d str>,
    holidays: Vec<[String; 2]>,
    dkim_keys: Vec<(&'d str, &'d str)>,
}

impl Deciding<'_> {
    /// Its version: the first hexadecimal digits of a SHA-256, [`limits::RULES_VERSION_DIGITS`] of them.
    pub fn version(&self) -> String {
        let times = self.times;
        let canonical = Canonical {
            program: env!("CARGO_PKG_VERSION"),
            rules: &self.pack.rules,
            routes: &self.pack.routes,
            domains: self.domains.iter().map(|domain| domain.to_lowercase()).collect(),
            confidential_markers: self.confidential_markers,
            bulk_pupils: self.bulk_pupils,
            roles: self.roles,
            permitted: self.permitted,
            days: times.days,
            hours: [times.opens, times.closes].map(|time| time.to_string()),
            zone: times.zone.iana_name(),
            holidays: times.holidays.iter().map(|(first, last)| [first, last].map(ToString::to_string)).collect(),
            dkim_keys: self.dkim_keys.records().collect(),
        };
        let mut hashed = ring::digest::Context::new(&ring::digest::SHA256);
        // Strings, numbers and maps with names for keys always serialise.
        hashed.update(&serde_json::to_vec(&canonical).unwrap_or_default());
        let mut version = String::with_capacity(limits::RULES_VERSION_DIGITS);
        for byte in &hashed.finish().as_ref()[..limits::RULES_VERSION_DIGITS / 2] {
            version.push_str(&format!("{byte:02x}"));
        }
        version
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Mode;

    struct Settings {
        pack: RulePack,
        domains: Vec<String>,
        markers: Vec<String>,
        bulk: usize,
        roles: BTreeMap<String, Vec<Address>>,
        permitted: BTreeMap<String, Vec<Address>>,
        times: SchoolTime,
        keys: DkimKeys,
    }

    fn settings() -> Settings {
        Settings {
            pack: RulePack::embedded("core").expect("sound"),
            domains: vec!["school.example".to_owned()],
            markers: Vec::new(),
            bulk: 10,
            roles: BTreeMap::new(),
            permitted: BTreeMap::new(),
            times: SchoolTime::default(),
            keys: DkimKeys::default(),
        }
    }

    fn version(of: &Settings) -> String {
        let Settings { pack, domains, markers, bulk, roles, permitted, times, keys } = of;
        Deciding {
            pack,
            domains,
            confidential_markers: markers,
            bulk_pupils: *bulk,
            roles,
            permitted,
            times,
            dkim_keys: keys,
        }
        .version()
    }

    fn anybody() -> BTreeMap<String, Vec<Address>> {
        BTreeMap::from([("sbm".to_owned(), vec![Address::parse("ann@school.example").expect("an address")])])
    }

    /// Relay checklist, row 133.
    #[test]
    fn whatever_decides_changes_the_version_and_nothing_else_does() {
        let plain = version(&settings());
        assert_eq!(plain.len(), limits::RULES_VERSION_DIGITS);
        assert!(plain.bytes().all(|digit| digit.is_ascii_hexdigit()), "{plain}");
        type Change = fn(&mut Settings);
        let decide: &[(&str, Change)] = &[
            ("a mode", |s| s.pack.rules[0].mode = Mode::Observe),
            ("an action", |s| s.pack.rules[1].action = crate::policy::Action::Reject),
            ("a condition", |s| s.pack.rules[2].when.clear()),
            ("a rule less", |s| drop(s.pack.rules.pop())),
            ("the order of rules", |s| s.pack.rules.swap(0, 1)),
            ("another pack", |s| s.pack = RulePack::embedded("woodsetton").expect("sound")),
            ("who is told", |s| s.pack.rules[0].notify.push("chair".to_owned())),
            ("words of a reason", |s| s.pack.rules[0].why.push('!')),
            ("a mail domain", |s| s.domains.push("college.example".to_owned())),
            ("a marker", |s| s.markers.push("Staff only".to_owned())),
            ("bulk", |s| s.bulk = 11),
            ("a role", |s| s.roles = anybody()),
            ("a permission", |s| s.permitted = anybody()),
            ("a school day", |s| s.times.days[6] = true),
            ("an hour", |s| s.times.closes = s.times.opens),
            ("a holiday", |s| {
                let day = jiff::civil::date(2026, 12, 21);
                s.times.holidays.push((day, day));
            }),
        ];
        let mut seen = std::collections::BTreeSet::from([plain.clone()]);
        for (what, change) in decide {
            let mut changed = settings();
            change(&mut changed);
            assert!(seen.insert(version(&changed)), "{what}: no version of its own");
        }
        let others: &[(&str, Change)] = &[
            ("the same again", |_| {}),
            ("letters of a mail domain", |s| s.domains[0] = "School.Example".to_owned()),
            ("the name of the pack", |s| s.pack.name = "ours".to_owned()),
            ("the time to decide in", |s| s.times.decide_within_hours += 1),
        ];
        for (what, change) in others {
            let mut changed = settings();
            change(&mut changed);
            assert_eq!(version(&changed), plain, "{what}");
        }
    }
}
