//! Copies of mail that left, by the real gateway: which packs keep what, that it is found and read for a reason, and that neither the
//! copy nor what it is searched by says anything to who has the disk alone.

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use support::{Gateway, PATIENCE, Sink, compose, id_of};

const OFFICE: &str = "office@kestrelmoor.example";
const MOTHER: &str = "sophie.tarrant.sluice@gmail.com";
const COUNCIL: &str = "catering@mercia-council.gov.example";

fn mail(from: &str, to: &str, subject: &str, text: &str) -> Vec<u8> {
    let sheet = b"Name,Plant\r\nClass,hydrangea\r\n";
    let raw =
        String::from_utf8(compose::with_files(subject, text, &[("Planting rota.csv", &sheet[..])])).expect("ASCII");
    raw.replace("From: w.carr@saltmere.example", &format!("From: {from}"))
        .replace("To: someone@elsewhere.example", &format!("To: {to}"))
        .into_bytes()
}

/// What `check` says is done with a message once it goes.
fn duties(gateway: &Gateway, to: &str, text: &str) -> serde_json::Value {
    let file = gateway.directory().join("message.eml");
    std::fs::write(&file, mail(OFFICE, to, "Friday", text)).expect("the message");
    let file = file.to_string_lossy().into_owned();
    let output = gateway.command(&["check", "--json", "--mail-from", OFFICE, "--rcpt", to, "--explain", &file]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    report["duties"].clone()
}

#[test]
fn each_pack_keeps_what_its_policy_says_and_nothing_else() {
    let (about, plain) = ("Imogen Tarrant sings on Friday.", "We sing on Friday.");
    for (pack, to, text, rule, days) in [
        ("woodsetton", MOTHER, plain, Some("journal-guardian-mail"), 730),
        ("woodsetton", COUNCIL, about, None, 0),
        ("wooden-hill", MOTHER, about, Some("journal-pupil-mail"), 366),
        ("wooden-hill", MOTHER, plain, None, 0),
        ("droitwich", COUNCIL, plain, Some("journal-outside-mail"), 90),
        ("droitwich", OFFICE, about, None, 0),
        ("saxon-wood", MOTHER, about, None, 0),
    ] {
        let gateway = Gateway::of(&format!("schools/{pack}"), 9);
        let duties = duties(&gateway, to, text);
        let kept = duties["journal_rules"].as_array().and_then(|rules| rules.first()?.as_str());
        assert_eq!((kept, duties["journal_days"].as_u64().unwrap_or(0)), (rule, days), "{pack} to {to}: {duties}");
    }
}

fn json(gateway: &Gateway, arguments: &[&str]) -> serde_json::Value {
    let output = gateway.command(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn search(gateway: &Gateway, asked: &[&str]) -> Vec<String> {
    let because = ["--who", "Jane Doe", "--why", "a subject access request", "--json"];
    let found = json(gateway, &[&["journal", "search"], asked, &because].concat());
    found["hits"].as_array().expect("hits").iter().filter_map(|hit| Some(hit["id"].as_str()?.to_owned())).collect()
}

/// All that lies below a directory.
fn octets_below(directory: &Path, all: &mut Vec<u8>) {
    for entry in std::fs::read_dir(directory).expect("a directory").filter_map(Result::ok) {
        match entry.path().is_dir() {
            true => octets_below(&entry.path(), all),
            false => all.extend(std::fs::read(entry.path()).unwrap_or_default()),
        }
    }
}

fn has(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|found| found.eq_ignore_ascii_case(part))
}

#[test]
fn what_left_is_kept_found_and_read_and_tells_nothing_on_disk() {
    let sink = Sink::start();
    let mut gateway = Gateway::of("schools/wooden-hill", sink.port);
    gateway.start(&[]);
    let send = |to: &str, text: &str| {
        let raw = mail(OFFICE, to, "Friday", text);
        id_of(&gateway.client().send(OFFICE, &[to.to_owned()], &raw).expect("taken in"))
    };
    let kept = send(MOTHER, "Imogen Tarrant waters the garden on Friday.");
    let gone = send(MOTHER, "Everybody waters the garden on Friday.");
    let until = Instant::now() + PATIENCE;
    let state = |id: &str| json(&gateway, &["queue", "show", id, "--json"])["state"].clone();
    while [&kept, &gone].iter().any(|id| state(id) != "delivered") {
        assert!(Instant::now() < until, "not delivered\n{}", gateway.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(json(&gateway, &["journal", "status", "--json"])["messages"], 1);
    // By words of the text and of the attachment, by whom it is about, by mailbox and day.
    for asked in [
        &["waters", "GARDEN"][..],
        &["hydrangea"],
        &["--pupil", "P01"],
        &["rota", "--mailbox", MOTHER],
        &["imogen", "--since", "2020-01-01"],
    ] {
        assert_eq!(search(&gateway, asked), [kept.as_str()], "{asked:?}");
    }
    for asked in [&["rhododendron"][..], &["hydrangea", "--until", "2020-01-01"], &["--pupil", "P02"]] {
        assert!(search(&gateway, asked).is_empty(), "{asked:?}");
    }
    let refused = gateway.command(&["journal", "search", "garden", "--who", "Jane Doe", "--why", " "]);
    assert!(!refused.status.success());
    // It is read for a lawful purpose, attachment and all; the other one is gone.
    let read = ["--message", "--purpose", "compliance", "--who", "Jane Doe", "--why", "a subject access request"];
    let shown = gateway.command(&[&["quarantine", "show", &kept], &read[..]].concat());
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("waters the garden") && shown.contains("hydrangea"), "{shown}");
    let missing = gateway.command(&[&["quarantine", "show", &gone], &read[..]].concat());
    assert!(!missing.status.success());
    // A legal hold keeps what no rule does; it is listed, and ends.
    let held = gateway.command(&["journal", "hold", "--mailbox", MOTHER, "--who", "Jane Doe", "--why", "a claim"]);
    assert!(held.status.success(), "{}", String::from_utf8_lossy(&held.stderr));
    let holds = json(&gateway, &["journal", "holds", "--json"]);
    assert_eq!((holds[0]["what"]["reason"].as_str(), holds[0]["messages"].as_u64()), (Some("a claim"), Some(1)));
    let hold = holds[0]["id"].as_str().expect("an id").to_owned();
    // Killed, and asked while none runs.
    gateway.kill();
    assert_eq!(search(&gateway, &["hydrangea"]), [kept.as_str()]);
    let ended = gateway.command(&["journal", "end-hold", &hold, "--who", "Jane Doe", "--why", "settled"]);
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let audit = json(&gateway, &["audit", "list", "--event", "searched", "--json"]);
    let audit = audit.as_array().expect("lines");
    assert_eq!(audit.len(), 9, "{audit:?}");
    let mut all = Vec::new();
    octets_below(&gateway.store(), &mut all);
    assert!(has(&all, MOTHER.as_bytes()), "the envelope stands in clear, so that this looks in the right place");
    for word in ["hydrangea", "imogen", "waters", "garden"] {
        assert!(!has(&all, word.as_bytes()), "{word} stands in the store");
        assert!(!gateway.log().to_lowercase().contains(word), "{word} stands in the log");
        let hash = ring::digest::digest(&ring::digest::SHA256, word.as_bytes());
        assert!(!all.windows(6).any(|part| part == &hash.as_ref()[..6]), "a hash of {word} stands in the store");
    }
    assert!(gateway.command(&["audit", "verify"]).status.success());
}
