//! What the store knows of a message beside itself, by the real gateway: who is exempt, to whom the school has never written,
//! how often a text went out today.

mod support;

use std::time::Instant;

use support::{Gateway, PATIENCE, Sink, id_of};

const GUARDIAN: &str = "laura.swift.lighthouse@gmail.com";
const TEACHER: &str = "d.okafor@saltmere.example";
const OTHER: &str = "p.quick@saltmere.example";

fn run(gateway: &Gateway, arguments: &[&str]) -> (bool, String) {
    let output = gateway.command(arguments);
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn ok(gateway: &Gateway, arguments: &[&str]) -> String {
    let (done, text) = run(gateway, arguments);
    assert!(done, "{arguments:?}: {text}");
    text
}

fn refused(gateway: &Gateway, arguments: &[&str], why: &str) {
    let (done, text) = run(gateway, arguments);
    assert!(!done && text.contains(why), "{arguments:?}: {text}");
}

fn mail(from: &str, subject: &str, body: &str) -> Vec<u8> {
    format!(
        "From: <{from}>\r\nTo: undisclosed-recipients:;\r\nSubject: {subject}\r\nMessage-ID: <{}@x>\r\n\r\n{body}\r\n",
        subject.len()
    )
    .into_bytes()
}

/// Sends it, and gives its id.
fn send(gateway: &Gateway, from: &str, to: &[&str], subject: &str, body: &str) -> String {
    let to: Vec<String> = to.iter().map(|&to| to.to_owned()).collect();
    id_of(&gateway.client().send(from, &to, &mail(from, subject, body)).expect("taken in"))
}

/// What became of it once nothing more will: its state, and the ids of the rules that had a say.
fn fate(gateway: &Gateway, id: &str) -> (String, Vec<String>) {
    let until = Instant::now() + PATIENCE;
    loop {
        let shown: serde_json::Value =
            serde_json::from_str(&ok(gateway, &["queue", "show", id, "--json"])).expect("JSON");
        let state = shown["state"].as_str().unwrap_or_default().to_owned();
        if !["pending", "queued"].contains(&state.as_str()) {
            let rules = shown["rules"].as_array().expect("rules");
            return (state, rules.iter().map(|rule| rule.as_str().unwrap_or_default().to_owned()).collect());
        }
        assert!(Instant::now() < until, "{id} is still {state}\n{}", gateway.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn day(ahead: i64) -> String {
    jiff::Zoned::now().date().saturating_add(jiff::Span::new().days(ahead)).to_string()
}

fn wooden_hill() -> (Sink, Gateway) {
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.set("policy", "pack", "wooden-hill");
    gateway.set(
        "policy",
        "permitted",
        toml::Table::from_iter([("direct-to-guardian".to_owned(), toml::Value::from(vec!["nurse@saltmere.example"]))]),
    );
    gateway.start(&[]);
    (sink, gateway)
}

#[test]
fn the_head_exempts_a_sender_for_a_time_and_the_record_says_so() {
    let (_sink, gateway) = wooden_hill();
    ok(&gateway, &["user", "add", "helen", "--address", "head@saltmere.example", "--role", "head"]);
    ok(&gateway, &["user", "add", "sue", "--address", "sbm@saltmere.example", "--role", "sbm"]);
    let writes = |from: &str| fate(&gateway, &send(&gateway, from, &[GUARDIAN], "The trip", "We are back at four."));
    let held = ("held".to_owned(), vec!["direct-to-guardian".to_owned()]);
    let goes = ("delivered".to_owned(), Vec::new());
    assert_eq!(writes(TEACHER), held);
    assert_eq!(writes("nurse@saltmere.example"), goes, "the configuration permits it");

    let (soon, rule) = (day(7), "direct-to-guardian");
    let grant = |rule: &str, sender: &str, until: &str, because: &str, who: &str| {
        let all = ["exempt", "grant", rule, sender, "--until", until, "--because", because, "--who", who];
        all.map(str::to_owned)
    };
    for (rule, sender, until, because, who, why) in [
        (rule, TEACHER, soon.as_str(), "the trip", "sue", "exemptions are the head's to grant"),
        (rule, TEACHER, &soon, "the trip", "Helen Head", "exemptions are the head's to grant"),
        (rule, TEACHER, &soon, " ", "helen", "needs a reason"),
        (rule, TEACHER, &day(-2), "the trip", "helen", "ends on a day from today on"),
        (rule, TEACHER, &day(402), "the trip", "helen", "400 days"),
        (rule, TEACHER, "for ever", "the trip", "helen", "--until"),
        (rule, "someone@gmail.com", &soon, "the trip", "helen", "is no mailbox of the school"),
        ("pupil-record-to-personal", TEACHER, &soon, "the trip", "helen", "does not say exempt = true"),
        ("no-such-rule", TEACHER, &soon, "the trip", "helen", "has no rule no-such-rule"),
    ] {
        let arguments = grant(rule, sender, until, because, who);
        refused(&gateway, &arguments.each_ref().map(String::as_str), why);
    }
    assert!(ok(&gateway, &["exempt", "list"]).contains("nobody is exempt"));
    assert_eq!(writes(TEACHER), held);

    let granted = grant(rule, "D.Okafor@saltmere.example", &soon, "the trip to France", "Helen");
    ok(&gateway, &granted.each_ref().map(String::as_str));
    let id = send(&gateway, TEACHER, &[GUARDIAN], "The trip", "We are back at four.");
    assert_eq!(fate(&gateway, &id), goes);
    let shown = ok(&gateway, &["queue", "show", &id]);
    assert!(shown.contains("direct-to-guardian (hold)") && shown.contains("exempt until"), "{shown}");
    assert!(shown.contains("by helen"), "{shown}");
    assert_eq!(writes(OTHER), held, "nobody else is");
    let child = "Lottie Fenn has asthma and was given her inhaler.";
    let (state, rules) = fate(&gateway, &send(&gateway, TEACHER, &[GUARDIAN], "The trip", child));
    assert!(state == "held" && !rules.is_empty() && !rules.contains(&held.1[0]), "every other rule holds: {rules:?}");

    let listed = ok(&gateway, &["exempt", "list"]);
    let line = format!("{TEACHER} is exempt from direct-to-guardian until the end of {soon}, granted by helen on");
    assert!(listed.contains(&line) && listed.contains("the trip to France"), "{listed}");
    let pack = ok(&gateway, &["policy", "show"]);
    assert!(pack.contains(&format!("# {line}")), "{pack}");
    assert!(pack.contains("# nurse@saltmere.example is permitted by [policy.permitted]"), "{pack}");
    assert!(pack.contains("name = \"wooden-hill\"") && pack.parse::<toml::Table>().is_ok(), "it is a pack still");
    let audit = ok(&gateway, &["audit", "list"]);
    assert!(audit.contains("exempted by Helen (") && !audit.contains("exempted by sue"), "{audit}");

    // A second for the same takes the place of the first.
    let longer = grant(rule, TEACHER, &day(30), "the trip takes longer", "helen");
    ok(&gateway, &longer.each_ref().map(String::as_str));
    let all: serde_json::Value = serde_json::from_str(&ok(&gateway, &["exempt", "list", "--json"])).expect("JSON");
    let one = all[0]["id"].as_str().expect("an id");
    assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
    let end = ["exempt", "end", one, "--who", "Jane Doe", "--why", "they are back"];
    ok(&gateway, &end);
    refused(&gateway, &end, "nothing that holds has the id");
    assert_eq!(writes(TEACHER), held);
    assert!(ok(&gateway, &["audit", "list"]).contains("exemption-ended by Jane Doe"));
}

#[test]
fn an_exemption_outlives_a_restart_and_ends_with_the_member_of_staff() {
    let (_sink, mut gateway) = wooden_hill();
    ok(&gateway, &["user", "add", "helen", "--address", "head@saltmere.example", "--role", "head"]);
    let soon = day(7);
    for sender in [TEACHER, "guest@saltmere.example"] {
        let who = ["--because", "x", "--who", "helen"];
        ok(&gateway, &[&["exempt", "grant", "direct-to-guardian", sender, "--until", &soon], &who[..]].concat());
    }
    gateway.terminate();
    assert_eq!(ok(&gateway, &["exempt", "list"]).matches(" is exempt from ").count(), 2, "beside no gateway");
    gateway.start(&[]);
    let writes = || fate(&gateway, &send(&gateway, TEACHER, &[GUARDIAN], "The trip", "We are back at four.")).0;
    assert_eq!(writes(), "delivered");
    let roster = gateway.directory().join("roster/staff.csv");
    let whole = std::fs::read_to_string(&roster).expect("the staff");
    let without: String = whole.lines().filter(|line| !line.contains(TEACHER)).map(|l| format!("{l}\n")).collect();
    assert_ne!(whole.lines().count(), without.lines().count());
    std::fs::write(&roster, without).expect("the staff");
    gateway.signal("-HUP");
    let until = Instant::now() + PATIENCE;
    while ok(&gateway, &["exempt", "list"]).contains(TEACHER) {
        assert!(Instant::now() < until, "the exemption ends with the entry\n{}", gateway.log());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(ok(&gateway, &["exempt", "list"]).contains("guest@saltmere.example"), "who was on no list stays");
}

#[test]
fn whom_the_school_has_written_to_is_known_from_the_delivery_on() {
    let sink = Sink::start();
    sink.answer_recipient("refused@firm.example", "550 5.1.1 nobody here");
    let mut gateway = Gateway::new(sink.port);
    gateway.start(&[]);
    let goes = |gateway: &Gateway, to: &str| fate(gateway, &send(gateway, TEACHER, &[to], "Quote", "Please quote."));
    assert_eq!(goes(&gateway, "Known@firm.example").0, "delivered");
    assert_eq!(goes(&gateway, "refused@firm.example").0, "failed");
    gateway.terminate();
    let pack = gateway.directory().join("ours.toml");
    let rule = "name = \"ours\"\nextends = \"core\"\n[[rule]]\nid = \"first-time\"\naction = \"warn\"\nbreach = false\n\
                why = \"It goes to {recipients}, to whom the school has not written before.\"\n\
                remedy = \"Make sure.\"\nwhen = [{ never_written_to = true }]\n";
    std::fs::write(&pack, rule).expect("the pack");
    gateway.set("policy", "pack", pack.to_str().expect("a path"));
    gateway.start(&[]);
    sink.answer_recipient("refused@firm.example", "250");
    let first = ("returned".to_owned(), vec!["first-time".to_owned()]);
    for (to, known) in [
        ("known@firm.example", true),
        ("new@firm.example", false),
        // What came back is not written.
        ("new@firm.example", false),
        ("refused@firm.example", false),
        // Those of our lists: a guardian, a trusted partner, a colleague.
        (GUARDIAN, true),
        ("duty@saltshire.gov.example", true),
        (OTHER, true),
    ] {
        let (state, rules) = goes(&gateway, to);
        match known {
            true => assert_eq!((state.as_str(), rules.len()), ("delivered", 0), "{to}: {rules:?}"),
            false => assert_eq!((state, rules), first, "{to}"),
        }
    }
    // Without a store nobody is new.
    let file = gateway.directory().join("quote.eml");
    std::fs::write(&file, mail(TEACHER, "Quote", "Please quote.")).expect("a message");
    let checked = ["check", "--mail-from", TEACHER, "--rcpt", "new@firm.example", file.to_str().expect("a path")];
    assert!(ok(&gateway, &checked).contains("DELIVER"));
}

/// Mailboxes of parents.
fn parents(gateway: &Gateway, most: usize) -> Vec<String> {
    let whole = std::fs::read_to_string(gateway.directory().join("roster/guardians.csv")).expect("the guardians");
    let mut found: Vec<String> = whole.lines().skip(1).filter_map(|l| l.split(',').nth(4).map(str::to_owned)).collect();
    found.retain(|address| address.contains('@'));
    found.sort();
    found.dedup();
    found.truncate(most);
    assert_eq!(found.len(), most);
    found
}

#[test]
fn the_same_text_again_and_again_is_a_mailing() {
    const SAID: &str = "The choir meets in the hall at half past three on Thursday, and parents are welcome to listen.";
    let sink = Sink::start();
    let mut gateway = Gateway::new(sink.port);
    gateway.set("policy", "pack", "droitwich");
    gateway.set(
        "policy",
        "permitted",
        toml::Table::from_iter([("bulk-mailing".to_owned(), toml::Value::from(vec!["office@saltmere.example"]))]),
    );
    gateway.start(&[]);
    let parents = parents(&gateway, 12);
    let one = |gateway: &Gateway, from: &str, to: &str, body: &str| {
        fate(gateway, &send(gateway, from, &[to], "Choir", &format!("Dear {to},\r\n\r\n{body}"))).1
    };
    let bulk = vec!["bulk-mailing".to_owned()];
    for to in &parents[..6] {
        assert!(one(&gateway, TEACHER, to, SAID).is_empty(), "{to}");
    }
    // What was counted is counted still.
    gateway.terminate();
    gateway.start(&[]);
    for to in &parents[6..9] {
        assert!(one(&gateway, TEACHER, to, SAID).is_empty(), "{to}");
    }
    assert_eq!(one(&gateway, TEACHER, &parents[9], SAID), bulk, "the tenth");
    assert_eq!(one(&gateway, TEACHER, &parents[10], SAID), bulk, "and the eleventh");
    for (from, to, body) in [
        (
            TEACHER,
            parents[0].as_str(),
            "The choir does not meet this week, for half of the hall is being painted on that day.",
        ),
        (OTHER, &parents[0], SAID),
        (TEACHER, OTHER, SAID),
    ] {
        assert!(one(&gateway, from, to, body).is_empty(), "{from} to {to}: {body}");
    }
    for to in &parents {
        assert!(one(&gateway, TEACHER, to, "Thanks, see you then.").is_empty(), "a short reply to {to}");
        assert!(one(&gateway, "office@saltmere.example", to, SAID).is_empty(), "who is permitted");
    }
    // In batches.
    let said = SAID.replace("choir", "orchestra");
    let batch = |to: &[String]| {
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        fate(&gateway, &send(&gateway, TEACHER, &to, "Orchestra", &said)).1
    };
    assert_eq!([batch(&parents[..4]), batch(&parents[4..8]), batch(&parents[8..])], [vec![], vec![], bulk]);
}
