//! What SIGHUP changes while mail goes on, what it names as waiting for a restart, and that a bad configuration changes nothing.

mod support;

use std::time::{Duration, Instant};

use support::{Case, Gateway, PATIENCE, Sink, Taken, cases, header};

fn held_case() -> Case {
    cases().into_iter().find(|c| c.action == "hold" && c.accept.is_empty()).expect("a message that is held")
}

fn clean_case() -> Case {
    cases().into_iter().find(|c| c.action == "deliver" && c.rcpt.len() == 1).expect("clean mail")
}

/// Sends SIGHUP and waits until the log tells what came of it once more than before.
fn hang_up(gateway: &Gateway, words: &str) {
    let before = gateway.log().matches(words).count();
    gateway.signal("-HUP");
    let until = Instant::now() + PATIENCE;
    while gateway.log().matches(words).count() == before {
        assert!(Instant::now() < until, "{words}\n{}", gateway.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

const RELOADED: &str = "event=\"reloaded\"";
const NOT_RELOADED: &str = "nothing was reloaded";

fn send(gateway: &Gateway, case: &Case) -> support::Reply {
    gateway.client().send(&case.mail_from, &case.rcpt, &case.message()).expect("an answer")
}

/// How many notices for a decision this mailbox was sent.
fn asked(taken: &[Taken], mailbox: &str) -> usize {
    let to = |t: &&Taken| t.from.is_empty() && t.recipients.iter().any(|r| r == mailbox);
    taken.iter().filter(to).filter(|t| header(&t.content, "Auto-Submitted").is_some()).count()
}

#[test]
fn a_new_business_manager_is_told_and_the_old_one_no_more() {
    let (old, new) = ("sbm@saltmere.example", "new.sbm@saltmere.example");
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let case = held_case();
    send(&gateway, &case);
    sink.wait("the notice to the first", |taken| asked(taken, old) == 1);
    gateway.set("roles", "sbm", vec![new.to_owned()]);
    hang_up(&gateway, RELOADED);
    send(&gateway, &case);
    sink.wait("the notice to the new one", |taken| asked(taken, new) == 1);
    assert_eq!(asked(&sink.settled(), old), 1, "who has left is not written to");

    gateway.set("roles", "sbm", vec!["nobody".to_owned()]);
    hang_up(&gateway, NOT_RELOADED);
    assert!(gateway.log().contains("roles.sbm: `nobody` is no e-mail address"), "{}", gateway.log());
    gateway.set("roles", "sbm", vec![old.to_owned()]);
    gateway.set("notices", "templates", "nowhere");
    hang_up(&gateway, NOT_RELOADED);
    assert!(gateway.log().contains("notices.templates"), "{}", gateway.log());
    send(&gateway, &case);
    sink.wait("the notice by what held before", |taken| asked(taken, new) == 2);
    assert_eq!(asked(&sink.settled(), old), 1, "all of a bad configuration is left out");
}

#[test]
fn mail_leaves_by_the_new_smarthost_and_new_limits_hold() {
    let (first, second) = (Sink::start(), Sink::start());
    let gateway = Gateway::started(first.port);
    let case = clean_case();
    send(&gateway, &case);
    first.wait("mail", |taken| taken.len() == 1);
    gateway.set("smarthost", "port", i64::from(second.port));
    gateway.set("listen", "message_size", 70_000);
    hang_up(&gateway, RELOADED);
    send(&gateway, &case);
    second.wait("mail", |taken| taken.len() == 1);
    assert_eq!(first.settled().len(), 1, "nothing more goes to the old one");
    let offered = support::Client::connect(gateway.port).expect("a banner").hello().expect("EHLO");
    assert!(offered.text().contains("SIZE 70000"), "{}", offered.text());
    gateway.set("listen", "relay_from", vec!["192.0.2.1"]);
    hang_up(&gateway, RELOADED);
    let mut client = gateway.client();
    client.ask(&format!("MAIL FROM:<{}>", case.mail_from), 250).expect("anybody may say so");
    let refused = client.ask(&format!("RCPT TO:<{}>", case.rcpt[0]), 550).expect("not allowed any more");
    assert!(refused.text().contains("Relaying denied"), "{}", refused.text());
}

#[test]
fn what_waits_for_a_restart_is_named_and_the_rest_taken() {
    let sink = Sink::start();
    let gateway = Gateway::started(sink.port);
    let store = gateway.store();
    for (section, key, value) in [
        ("store", "path", "elsewhere".into()),
        ("listen", "addresses", toml::Value::from(vec!["127.0.0.1:0"])),
        ("listen", "hostname", "other.saltmere.example".into()),
        ("monitor", "address", "127.0.0.1:0".into()),
        ("review", "public_url", "https://desk.saltmere.example".into()),
        ("log", "format", "json".into()),
        ("smarthost", "connections", 3.into()),
        ("queue", "give_up_hours", 1.0.into()),
    ] {
        gateway.set(section, key, value);
    }
    gateway.set("roles", "sbm", vec!["new.sbm@saltmere.example".to_owned()]);
    hang_up(&gateway, RELOADED);
    send(&gateway, &held_case());
    sink.wait("the notice", |taken| asked(taken, "new.sbm@saltmere.example") == 1);
    let log = gateway.log();
    let named: Vec<&str> = log.lines().filter(|l| l.contains("only at a restart")).collect();
    for key in [
        "store.path",
        "listen.addresses",
        "listen.hostname",
        "monitor.address",
        "review",
        "log.format",
        "smarthost.connections",
    ] {
        assert!(named.iter().any(|line| line.contains(&format!("\"{key}\""))), "{key}: {named:#?}");
    }
    assert_eq!(named.len(), 7, "what was taken is not named: {named:#?}");
    assert!(store.join("queue.db").exists() && !gateway.directory().join("elsewhere").exists());
}

/// A pair for the gateway's host, in two files of its folder.
fn pair(gateway: &Gateway, name: &str) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let host = vec!["gate.saltmere.example".to_owned()];
    let certificate = rcgen::CertificateParams::new(host).expect("a name").self_signed(&key).expect("a certificate");
    for (kind, text) in [("pem", certificate.pem()), ("key", key.serialize_pem())] {
        std::fs::write(gateway.directory().join(format!("{name}.{kind}")), text).expect("written");
    }
}

#[test]
fn a_changed_door_is_named_by_its_key_and_a_bad_certificate_is_told_once() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    pair(&gateway, "own");
    for (key, value) in [("tls_certificate", "own.pem"), ("tls_key", "own.key"), ("tls", "starttls")] {
        gateway.set("listen", key, value);
    }
    gateway.start(&[]);
    let sound = std::fs::read_to_string(&gateway.config).expect("the configuration");
    let further = "[[listener]]\nname = \"copiers\"\naddresses = [\"127.0.0.1:0\"]\nrelay_from = [\"127.0.0.1\"]\n";
    for (changed, key) in [
        (sound.replace("\"starttls\"", "\"required\""), "listen.tls"),
        (format!("{sound}\n{further}"), "listener.copiers"),
    ] {
        let before = gateway.log().len();
        std::fs::write(&gateway.config, changed).expect("the configuration");
        hang_up(&gateway, "only at a restart");
        let told = gateway.log()[before..].to_owned();
        let named: Vec<&str> = told.lines().filter(|line| line.contains("only at a restart")).collect();
        assert!(named.len() == 1 && named[0].contains(&format!("\"{key}\"")), "{key}: {named:#?}");
    }
    std::fs::write(gateway.directory().join("broken.pem"), "no certificate").expect("written");
    std::fs::write(&gateway.config, sound.replace("own.pem", "broken.pem")).expect("the configuration");
    hang_up(&gateway, RELOADED);
    let log = gateway.log();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("broken.pem")).collect();
    assert!(told.len() == 1 && told[0].contains("the one before stays in force"), "{told:#?}");
}

#[test]
fn a_roster_of_no_pupil_is_neither_started_with_nor_taken() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    let roster = gateway.directory().join("roster/pupils.csv");
    let whole = std::fs::read_to_string(&roster).expect("the pupils");
    let nobody = whole.lines().next().expect("a heading").to_owned();
    std::fs::write(&roster, &nobody).expect("nobody");
    assert!(gateway.try_start(&[]).is_err_and(|status| !status.success()), "it does not start");
    assert!(gateway.log().contains("the roster holds no pupil"), "{}", gateway.log());

    std::fs::write(&roster, &whole).expect("the pupils");
    gateway.start(&[]);
    std::fs::write(&roster, &nobody).expect("nobody");
    hang_up(&gateway, NOT_RELOADED);
    let case = held_case();
    send(&gateway, &case);
    sink.wait("a message held by the roster that was", |taken| asked(taken, "sbm@saltmere.example") == 1);
}

/// What the program prints as JSON of a message.
fn shown(gateway: &Gateway, id: &str) -> serde_json::Value {
    let output = gateway.command(&["queue", "show", id, "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The version of the rules in the configuration file, as the command for it says.
fn version(gateway: &Gateway) -> String {
    let output = gateway.command(&["policy", "check"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = said.lines().find_map(|line| line.strip_prefix("version "));
    line.and_then(|line| line.split(' ').next()).unwrap_or_else(|| panic!("no version: {said}")).to_owned()
}

/// The rules that fired, each with whether it was only observed.
fn fired(shown: &serde_json::Value) -> Vec<(String, bool)> {
    let rules = shown["report"]["rules"].as_array().expect("rules");
    let each = |rule: &serde_json::Value| {
        (rule["id"].as_str().expect("an id").to_owned(), rule["observed_only"].as_bool().unwrap_or_default())
    };
    rules.iter().map(each).collect()
}

/// Relay checklist, row 133.
#[test]
fn each_message_is_decided_by_one_version_of_the_rules_and_names_it() {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    // Long enough that rules change while messages are being decided.
    gateway.start(&[("SCHOOLGATE_FAULT", "inspection-takes:120")]);
    let case = held_case();
    let first = shown(&gateway, &support::id_of(&send(&gateway, &case)));
    let enforced = version(&gateway);
    assert_eq!(first["rules_version"], enforced.as_str(), "the command and the record name the same");
    assert_eq!(first["report"]["rules_version"], enforced.as_str());
    let all: Vec<String> = fired(&first).into_iter().map(|(id, _)| id).collect();
    assert!(!all.is_empty());
    let observe = || {
        let modes = all.iter().map(|id| (id.clone(), toml::Value::from("observe")));
        toml::Value::Table(modes.collect())
    };
    let next = std::sync::atomic::AtomicBool::new(true);
    let ids = std::sync::Mutex::new(Vec::new());
    let mut observed = String::new();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while next.load(std::sync::atomic::Ordering::Relaxed) {
                    let id = support::id_of(&send(&gateway, &case));
                    ids.lock().expect("no thread panics").push(id);
                }
            });
        }
        for change in 0..6 {
            let modes = if change % 2 == 0 { observe() } else { toml::Value::Table(toml::Table::new()) };
            gateway.set("policy", "modes", modes);
            if change == 0 {
                observed = version(&gateway);
            }
            hang_up(&gateway, RELOADED);
            std::thread::sleep(Duration::from_millis(300));
        }
        next.store(false, std::sync::atomic::Ordering::Relaxed);
    });
    assert_ne!(enforced, observed);
    let mut seen = [0, 0];
    for id in ids.into_inner().expect("no thread panicked") {
        let shown = shown(&gateway, &id);
        let named = shown["rules_version"].as_str().expect("a version").to_owned();
        assert_eq!(shown["report"]["rules_version"], named.as_str(), "{id}");
        assert!(named == enforced || named == observed, "{id}: {named}");
        // Each of the rules counts, or none does: never some by one version and some by another.
        let by_mode: Vec<(String, bool)> = fired(&shown).into_iter().filter(|(rule, _)| all.contains(rule)).collect();
        let wanted: Vec<(String, bool)> = all.iter().map(|rule| (rule.clone(), named == observed)).collect();
        assert_eq!(by_mode, wanted, "{id}, decided by {named}");
        let held = shown["state"] == "held";
        assert_eq!(held, named == enforced, "{id}: {}", shown["state"]);
        seen[usize::from(named == observed)] += 1;
    }
    println!("{seen:?} by either version");
    assert!(seen.iter().all(|&many| many > 0), "both were in force: {seen:?}");
}

/// Relay checklist, row 135.
#[test]
fn a_release_stands_over_new_rules_and_a_kill_and_is_carried_out_once() {
    let sink = Sink::start();
    // Nobody listens there, so that what is released waits.
    let mut gateway = Gateway::started(1);
    let case = held_case();
    let id = support::id_of(&send(&gateway, &case));
    let before = version(&gateway);
    gateway.set("policy", "bulk_pupils", 3);
    hang_up(&gateway, RELOADED);
    let after = version(&gateway);
    assert_ne!(before, after);
    let by_now = shown(&gateway, &support::id_of(&send(&gateway, &case)));
    assert_eq!((by_now["state"].as_str(), by_now["rules_version"].as_str()), (Some("held"), Some(after.as_str())));
    // By the rules of now it would be held still: the person's word counts.
    let released = gateway.command(&["quarantine", "release", &id, "--who", "Sue", "--why", "agreed by telephone"]);
    assert!(released.status.success(), "{}", String::from_utf8_lossy(&released.stderr));
    gateway.kill();
    gateway.set("smarthost", "port", i64::from(sink.port));
    gateway.set("policy", "bulk_pupils", 4);
    gateway.start(&[]);
    let message = case.message();
    let wanted = header(&message, "Message-ID").expect("a Message-ID");
    let ours = |taken: &[Taken]| {
        let same = |t: &&Taken| !t.from.is_empty() && header(&t.content, "Message-ID").as_ref() == Some(&wanted);
        taken.iter().filter(same).count()
    };
    sink.wait("what was released", |taken| ours(taken) >= 1);
    assert_eq!(ours(&sink.settled()), 1, "once, and the other one is still held");
    let gone = shown(&gateway, &id);
    assert_eq!((gone["state"].as_str(), gone["rules_version"].as_str()), (Some("delivered"), Some(before.as_str())));
    let again = gateway.command(&["quarantine", "release", &id, "--who", "Tom", "--why", "again"]);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(said.contains("decided before") && said.contains("by Sue"), "{said}");
}
