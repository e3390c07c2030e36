//! When the school is at work, by when what is held now would have to be decided on, when the next digest goes, and who is
//! on the ladder.

use jiff::Timestamp;

use super::Findings;
use crate::config::Config;
use crate::relay::deadlines::LADDER;
use crate::school_time::in_words;
use crate::store::accounts::Account;

/// Says it in words, so that a wrong day, hour or zone is seen.
pub fn look(config: &Config, now: Timestamp, findings: &mut Findings) {
    let times = &config.school_time;
    let said = |at| in_words(at, &times.zone);
    let holidays =
        match times.holidays.iter().filter(|(_, last)| *last >= now.to_zoned(times.zone.clone()).date()).count() {
            0 => "no holidays ahead".to_owned(),
            1 => "1 holiday ahead".to_owned(),
            many => format!("{many} holidays ahead"),
        };
    findings.well(format!(
        "deadlines: {} hours of school days; {}, {} to {}, {holidays}; what is held now is to be decided on by {}",
        times.decide_within_hours,
        times.days_in_words(),
        times.opens.strftime("%H:%M"),
        times.closes.strftime("%H:%M"),
        said(times.plan(now).due_at),
    ));
    findings.well(match times.next_digest(now) {
        Some(next) => {
            format!("digest: the next list of what waits goes {}; likely breaches are told of at once", said(next))
        }
        None => "digest: there is none; each held message is told of at once".to_owned(),
    });
}

/// Who is told of what nobody decides, and who of them could decide. `accounts` are those of the desk, where it is on.
pub fn ladder(config: &Config, accounts: Option<&[Account]>, findings: &mut Findings) {
    let (mut rungs, mut missing) = (Vec::new(), Vec::new());
    for role in LADDER {
        let used =
            |account: &Account| account.disabled_at.is_none() && account.roles.iter().any(|its| its.as_str() == role);
        if config.roles.get(role).is_none_or(Vec::is_empty) {
            missing.push(format!("{role} has no mailbox in [roles]"));
        } else if accounts.is_some_and(|accounts| !accounts.iter().any(used)) {
            missing.push(format!("{role} has no account in use"));
        } else {
            rungs.push(role);
        }
    }
    let missing = if missing.is_empty() { String::new() } else { format!(" ({})", missing.join(", ")) };
    match &rungs[..] {
        [] => findings.doubtful(format!(
            "ladder: nobody on it could decide{missing}; what is held goes back to its sender in the end; whoever has a mailbox is told"
        )),
        [one] => findings.doubtful(format!(
            "ladder: {one} alone could decide{missing}: nobody else is there for what {one} does not decide, or may not, being its sender"
        )),
        [first, rest @ ..] => findings.well(format!("ladder: what waits is put to {first}, then to {}{missing}", rest.join(", then to "))),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_ladder_says_who_is_missing_on_it() {
        use super::super::Verdict::{Doubtful, Well};
        use crate::store::accounts::{AccountId, Role};
        let account = |role: Role, disabled: bool| Account {
            id: AccountId("1".to_owned()),
            name: "jane".to_owned(),
            address: "jane@saltmere.example".to_owned(),
            roles: vec![role],
            signed_up: true,
            link_until: None,
            disabled_at: disabled.then_some(Timestamp::UNIX_EPOCH),
            created_at: Timestamp::UNIX_EPOCH,
            changed_at: Timestamp::UNIX_EPOCH,
            signed_in_at: None,
        };
        let all = "sbm = [\"s@saltmere.example\"]\nhead = [\"h@saltmere.example\"]\nchair = [\"c@x.example\"]\n";
        let two = "sbm = [\"s@saltmere.example\"]\ndsl = [\"d@saltmere.example\"]\n";
        let on = [Role::Sbm, Role::Head, Role::Chair].map(|role| account(role, false));
        let no_sbm = [account(Role::Sbm, true), on[1].clone(), on[2].clone()];
        for (roles, accounts, verdict, words) in [
            (all, None, Well, "ladder: what waits is put to sbm, then to head, then to chair"),
            (all, Some(&on[..]), Well, "ladder: what waits is put to sbm, then to head, then to chair"),
            (all, Some(&no_sbm[..]), Well, "put to head, then to chair (sbm has no account in use)"),
            (
                all,
                Some(&on[..1]),
                Doubtful,
                "sbm alone could decide (head has no account in use, chair has no account in use)",
            ),
            (all, Some(&[]), Doubtful, "nobody on it could decide (sbm has no account in use"),
            (
                two,
                None,
                Doubtful,
                "sbm alone could decide (head has no mailbox in [roles], chair has no mailbox in [roles])",
            ),
        ] {
            let rest = "[school]\nname = \"Saltmere\"\ndomains = [\"saltmere.example\"]\n[directory]\npupils = \"p.csv\"\n[roles]\n";
            let config = Config::parse(Path::new("x.toml"), &format!("{rest}{roles}")).unwrap();
            let mut findings = Findings::default();
            ladder(&config, accounts, &mut findings);
            let [(told, text)] = &findings.0[..] else { panic!("one line: {:?}", findings.0) };
            assert!(*told == verdict && text.contains(words), "{text}");
        }
    }

    #[test]
    fn deadlines_and_digests_are_said_in_words() {
        let rest = "[school]\nname = \"Saltmere\"\ndomains = [\"saltmere.example\"]\n[directory]\npupils = \"p.csv\"\n";
        let url = "[review]\npublic_url = \"https://desk.saltmere.example\"\n";
        // A Friday, 18:00.
        let now: Timestamp = "2026-10-02T17:00:00Z".parse().unwrap();
        for (review, words) in [
            (
                url.to_owned(),
                [
                    "deadlines: 48 hours of school days; Monday to Friday, 08:00 to 16:30, no holidays ahead; what is held \
                     now is to be decided on by Wednesday 7 October 2026 at 08:00",
                    "digest: the next list of what waits goes Monday 5 October 2026 at 08:30; likely breaches are told of at \
                     once",
                ],
            ),
            (
                format!(
                    "{url}holidays = [\"2026-05-25\", \"2026-10-05\"]\ndecide_within_hours = 24\ndigest_at = []\n\
                     school_hours = \"09:00-15:30\"\nschool_days = [\"Monday\", \"Tuesday\"]\n"
                ),
                [
                    "deadlines: 24 hours of school days; Monday and Tuesday, 09:00 to 15:30, 1 holiday ahead; what is held \
                     now is to be decided on by Monday 12 October 2026 at 09:00",
                    "digest: there is none; each held message is told of at once",
                ],
            ),
        ] {
            let config = Config::parse(Path::new("x.toml"), &format!("{rest}{review}")).unwrap();
            let mut findings = Findings::default();
            look(&config, now, &mut findings);
            assert_eq!(findings.0.iter().map(|(_, told)| told.as_str()).collect::<Vec<_>>(), words);
        }
    }
}
