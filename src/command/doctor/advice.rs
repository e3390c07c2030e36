//! What a school may configure and had better not.

use rustix::process::{Resource, getrlimit};

use super::Findings;
use crate::command::ground::{self, LoadedGround};
use crate::config::Config;
use crate::inspect::Ground;
use crate::limits;
use crate::smtp::Address;

/// Networks that are not of the open internet (RFC 1918, 3927, 4193, 4291, 6598, 1122).
const PRIVATE: &[&str] = &[
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
];

/// Whether none of a network is of the open internet.
pub fn is_private(network: &ipnet::IpNet) -> bool {
    PRIVATE.iter().filter_map(|n| n.parse::<ipnet::IpNet>().ok()).any(|n| n.contains(network))
}

/// Whether there can be as many connections as are allowed: each has a socket, and a file while it sends much.
pub fn open_files(config: &Config, findings: &mut Findings) {
    let out = config.smarthost.as_ref().map_or(0, |smarthost| smarthost.connections);
    let desk = if config.review.is_some() { limits::DESK_CONNECTIONS } else { 0 };
    let needed = 2 * config.listen.connections + out + desk + limits::OPEN_FILES_BESIDE;
    let Some(most) = getrlimit(Resource::Nofile).maximum.filter(|most| *most < needed as u64) else { return };
    findings.bad(format!(
        "{}: with {} connections the gateway may come to {needed} open files, and the system lets it have {most}: beyond that it \
         could neither answer nor keep mail; raise the hard limit (LimitNOFILE of the unit, ulimit -Hn), or allow fewer connections",
        config.at("listen.connections"),
        config.listen.connections
    ));
}

/// Whether the roster can do what the rules count on.
pub fn school(config: &Config, loaded: &LoadedGround, findings: &mut Findings) {
    let school = &loaded.ground.school;
    let (pupils, guardians, staff) = (school.pupils.len(), school.guardians.len(), school.staff.len());
    let counts = format!("{pupils} pupils, {guardians} guardians, {staff} staff");
    match loaded.faults.len() {
        0 => findings.well(format!("roster: {counts}, every row is sound")),
        n => findings.doubtful(format!("roster: {counts}; {n} rows have problems: see `schoolgate roster check`")),
    }
    if let Some(problem) = ground::no_pupil(config, &loaded.ground) {
        findings.bad(problem);
    }
    if school.guardians.iter().all(|g| g.email.is_none()) {
        findings.doubtful(format!(
            "{}: no guardian has an e-mail address, so all mail to parents counts as mail to strangers",
            config.at("directory.guardians")
        ));
    }
    if staff == 0 {
        findings.doubtful(format!(
            "{}: there is no staff, so nobody's right to send in a name can be told; list the staff",
            config.at("directory.staff")
        ));
        return;
    }
    let has_staff = |domain: &str| {
        school.staff.iter().any(|s| Address::parse(&s.email).is_ok_and(|a| a.domain().eq_ignore_ascii_case(domain)))
    };
    for domain in config.school.domains.iter().filter(|domain| !has_staff(domain)) {
        findings.doubtful(format!(
            "{}: no member of staff has an address at {domain}; take it out, or look at the staff list",
            config.at("school.domains")
        ));
    }
}

/// Whether the keys of attached originals verify anything, and whether a rule asks.
pub fn dkim_keys(config: &Config, ground: &Ground, findings: &mut Findings) {
    if config.policy.dkim_keys.is_none() {
        return;
    }
    let at = config.at("policy.dkim_keys");
    if !ground.pack.asks(|condition| condition.altered_original.is_some()) {
        findings.doubtful(format!(
            "{at}: no rule of the pack asks about attached messages that were altered (altered_original)"
        ));
    }
    let unusable: Vec<String> = ground.dkim_keys.unusable().map(|(name, why)| format!("{name} ({why})")).collect();
    match (ground.dkim_keys.len(), unusable.len()) {
        (0, _) => findings.doubtful(format!("{at}: the file names no key")),
        (keys, 0) => findings.well(format!("DKIM keys: {keys}")),
        (keys, n) => findings.doubtful(format!(
            "{at}: {n} of {keys} keys verify nothing: {}",
            unusable.iter().take(limits::DOCTOR_NAMED).cloned().collect::<Vec<_>>().join(", ")
        )),
    }
}

/// Whether mailboxes are the school's own, and relaying is for few.
pub fn addresses(config: &Config, findings: &mut Findings) {
    let outside =
        |address: &Address| !config.school.domains.iter().any(|own| own.eq_ignore_ascii_case(&address.domain()));
    for mailbox in config.roles.get("sbm").into_iter().flatten().filter(|a| outside(a)) {
        findings.doubtful(format!(
            "{}: {mailbox} is outside the school's domains: notices about held mail would leave the school",
            config.at("roles.sbm")
        ));
    }
    if let Some(from) = config.notice_from() {
        if outside(&from) {
            findings.doubtful(format!(
                "{}: {from} is outside the school's domains: the smarthost may refuse notices, or they count as forged",
                config.at("notices.from")
            ));
        } else {
            findings.well(format!("notices: they come from {from}"));
        }
    }
    let hostname = &config.listen.hostname;
    if config.school.domains.iter().any(|own| own.eq_ignore_ascii_case(hostname)) {
        findings.doubtful(format!(
            "{}: {hostname} is a mail domain of the school: other servers would take the gateway for the school's own mail server, \
             mail for {hostname} may come back to it, and its certificate would have to be the domain's; give the gateway a name of \
             its own, as gate.{hostname}",
            config.at("listen.hostname")
        ));
    }
    for network in config.listen.listeners.iter().flat_map(|door| &door.relay_from) {
        let at = config.at("listen.relay_from");
        if network.prefix_len() == 0 {
            findings.bad(format!(
                "{at}: {network} lets everybody send through this gateway; name the mail server's own address"
            ));
        } else if !is_private(network) && network.prefix_len() < network.max_prefix_len() {
            findings.doubtful(format!(
                "{at}: {network} is a public network: all of it may send through this gateway; name single addresses"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_private_network_is_one() {
        for network in PRIVATE {
            assert!(network.parse::<ipnet::IpNet>().is_ok(), "{network}");
        }
    }
}
