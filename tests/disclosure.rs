//! Disclosure by the real gateway: asked for, approved by a second person and by nobody else, handed over with an index that names
//! nobody who is not concerned, and verified octet for octet.

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use support::{Gateway, PATIENCE, Sink, compose, id_of};

const OFFICE: &str = "office@kestrelmoor.example";
const MOTHER: &str = "sophie.tarrant.sluice@gmail.com";

fn mail(to: &[&str], subject: &str, text: &str) -> Vec<u8> {
    String::from_utf8(compose::message(&format!("Subject: {subject}"), &format!("{text}\n")))
        .expect("ASCII")
        .replace("From: w.carr@saltmere.example", &format!("From: {OFFICE}"))
        .replace("To: someone@elsewhere.example", &format!("To: {}", to.join(", ")))
        .into_bytes()
}

fn json(gateway: &Gateway, arguments: &[&str]) -> serde_json::Value {
    let output = gateway.command(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What a command says, and whether it did what was asked.
fn told(gateway: &Gateway, arguments: &[&str]) -> (bool, String) {
    let output = gateway.command(arguments);
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    (output.status.success(), text)
}

fn refused(gateway: &Gateway, arguments: &[&str], why: &str) {
    let (done, text) = told(gateway, arguments);
    assert!(!done && text.contains(why), "{arguments:?}: {text}");
}

fn does(gateway: &Gateway, arguments: &[&str]) -> String {
    let (done, text) = told(gateway, arguments);
    assert!(done, "{arguments:?}: {text}");
    text
}

fn files(folder: &Path, begin: &str, all: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").filter_map(Result::ok) {
        let path = format!("{begin}{}", entry.file_name().to_string_lossy());
        match entry.path().is_dir() {
            true => files(&entry.path(), &format!("{path}/"), all),
            false => all.push(path),
        }
    }
}

struct School {
    gateway: Gateway,
    _sink: Sink,
}

fn school() -> School {
    let sink = Sink::start();
    let mut gateway = Gateway::of("schools/wooden-hill", sink.port);
    gateway.start(&[]);
    for (name, role) in [("sue", "sbm"), ("dora", "dpo"), ("helen", "head"), ("tim", "slt")] {
        let mailbox = format!("{name}@kestrelmoor.example");
        does(&gateway, &["user", "add", name, "--address", &mailbox, "--role", role, "--who", "test"]);
    }
    School { gateway, _sink: sink }
}

impl School {
    fn send(&self, to: &[&str], subject: &str, text: &str) -> (String, Vec<u8>) {
        let raw = mail(to, subject, text);
        let all: Vec<String> = to.iter().map(|to| (*to).to_owned()).collect();
        (id_of(&self.gateway.client().send(OFFICE, &all, &raw).expect("taken in")), raw)
    }

    fn wait(&self, ids: &[&str]) {
        let until = Instant::now() + PATIENCE;
        for id in ids {
            while json(&self.gateway, &["queue", "show", id, "--json"])["state"] == "queued" {
                assert!(Instant::now() < until, "not delivered\n{}", self.gateway.log());
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

#[test]
fn what_was_sent_is_asked_for_approved_and_handed_over_and_verified() {
    let school = school();
    let gateway = &school.gateway;
    let other = gateway.directory().join("roster/pupils.csv");
    let other = std::fs::read_to_string(other).expect("the roster");
    let row = other.lines().find(|line| line.starts_with("P02,")).expect("another pupil");
    let mut cells = row.split(',').skip(4);
    let (forename, surname) = (cells.next().expect("a forename"), cells.nth(1).expect("a family name"));
    let both = format!("Imogen Tarrant and {forename} {surname}: choir");
    let (first, _) = school.send(&[MOTHER], "Imogen Tarrant: choir", "Imogen Tarrant sings in the choir on Friday.");
    let (second, _) = school.send(&[MOTHER], &both, "Imogen Tarrant sings in the choir on Friday.");
    school.wait(&[&first, &second]);

    let asked = ["--kind", "subject-access", "--pupil", "P01", "--applicant", MOTHER, "--why", "a letter of 1 May"];
    let ask = |who: &'static str| [&["disclose", "ask"][..], &asked, &["--who", who]].concat();
    refused(gateway, &ask("tim"), "School Business Manager");
    refused(gateway, &ask("nobody"), "no account");
    let answer = does(gateway, &ask("dora"));
    let id = answer.lines().next().and_then(|line| line.strip_prefix("asked: ")).expect("an id").to_owned();
    let shown = json(gateway, &["disclose", "show", &id, "--who", "sue", "--json"]);
    let found: Vec<&str> =
        shown["messages"].as_array().expect("messages").iter().filter_map(|one| one["id"].as_str()).collect();
    assert!(found.contains(&first.as_str()) && found.contains(&second.as_str()), "{shown}");

    // By a second person with the role, and by nobody else; before that nothing is handed over.
    let out = gateway.directory().join("export");
    let folder = out.to_string_lossy().into_owned();
    let take = ["--output", &folder, "--purpose", "compliance", "--why", "a letter of 1 May"];
    let export = |who: &'static str| [&["disclose", "export", &id][..], &take, &["--who", who]].concat();
    refused(gateway, &export("sue"), "nobody has approved it");
    refused(gateway, &["disclose", "approve", &id, "--who", "dora"], "own request");
    refused(gateway, &["disclose", "approve", &id, "--who", "sue"], "to approve");
    does(gateway, &["disclose", "approve", &id, "--who", "helen"]);
    refused(gateway, &["disclose", "approve", &id, "--who", "helen"], "decided on before");
    refused(gateway, &export("helen"), "School Business Manager");

    // One is left out; the folder holds nothing else.
    let left = ["--why", "another family's confidence", "--who", "sue"];
    does(gateway, &[&["disclose", "leave-out", &id, &second][..], &left].concat());
    does(gateway, &[&["disclose", "leave-out", &id, &second, "--undo"][..], &left].concat());
    std::fs::write(gateway.directory().join("full"), "x").expect("a file");
    let full = gateway.directory().to_string_lossy().into_owned();
    let elsewhere = ["--output", &full, "--purpose", "compliance", "--why", "x", "--who", "sue"];
    refused(gateway, &[&["disclose", "export", &id][..], &elsewhere].concat(), "not empty");
    does(gateway, &export("sue"));

    let index = std::fs::read_to_string(out.join("index.csv")).expect("the index");
    let page = std::fs::read_to_string(out.join("index.html")).expect("the page");
    for text in [&index, &page] {
        assert!(text.contains("Imogen Tarrant and Pupil 1: choir"), "{text}");
        assert!(text.contains(MOTHER) && text.contains(OFFICE), "whoever asked and staff are named: {text}");
        assert!(!text.contains(surname) && !text.contains(forename), "{forename} {surname}: {text}");
    }
    assert!(!page.contains("<script"), "{page}");
    let eml = std::fs::read(out.join(format!("messages/{first}.eml"))).expect("the message");
    let hash: String =
        ring::digest::digest(&ring::digest::SHA256, &eml).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let kept = json(gateway, &["queue", "show", &first, "--json"]);
    assert_eq!(kept["sha256"].as_str(), Some(hash.as_str()), "octet for octet what was decided on");
    assert!(index.contains(&hash), "{index}");

    // It verifies with the store and without, and a bent octet of any file is told with the file.
    let verify = ["disclose", "verify", &folder];
    let sound = does(gateway, &verify);
    assert_eq!(does(gateway, &["audit", "verify", "--export", &folder]), sound, "by either name");
    assert!(sound.contains("as it was made") && sound.contains("stand in the audit"), "{sound}");
    let mut all = Vec::new();
    files(&out, "", &mut all);
    assert!(all.len() >= 7, "{all:?}");
    for file in &all {
        let path = out.join(file);
        let whole = std::fs::read(&path).expect("a file");
        let mut bent = whole.clone();
        let middle = bent.len() / 2;
        bent[middle] ^= 1;
        std::fs::write(&path, &bent).expect("bent");
        refused(gateway, &verify, file);
        std::fs::write(&path, &whole).expect("mended");
    }
    std::fs::rename(out.join("manifest.json"), gateway.directory().join("aside")).expect("taken away");
    refused(gateway, &verify, "half of one");
    std::fs::rename(gateway.directory().join("aside"), out.join("manifest.json")).expect("put back");
    std::fs::write(out.join("messages/more.eml"), "x").expect("one more");
    refused(gateway, &verify, "messages/more.eml");

    // Each step is in the audit, and none says whose.
    let audit = json(gateway, &["audit", "list", "--json"]);
    let ours: Vec<String> = audit
        .as_array()
        .expect("lines")
        .iter()
        .filter(|line| line["event"].as_str().is_some_and(|event| event.starts_with("disclos")))
        .map(ToString::to_string)
        .collect();
    for event in ["disclosure-asked", "disclosure-approved", "disclosure-left-out", "disclosed", "disclosure-exported"]
    {
        assert!(ours.iter().any(|line| line.contains(event)), "{event}: {ours:?}");
    }
    for hidden in ["P01", "Tarrant", MOTHER, "choir"] {
        assert!(!ours.iter().any(|line| line.contains(hidden)), "{hidden}: {ours:?}");
    }
    does(gateway, &["audit", "verify"]);
}

#[test]
fn nobody_approves_what_is_about_themselves_and_sealed_mail_is_not_in_it() {
    let school = school();
    let gateway = &school.gateway;
    let raw = mail(&["helen@kestrelmoor.example", MOTHER], "Personal", "Dinner on Friday? Imogen Tarrant has asthma.");
    let to = ["helen@kestrelmoor.example".to_owned(), MOTHER.to_owned()];
    let id = id_of(&gateway.client().send(OFFICE, &to, &raw).expect("taken in"));
    school.wait(&[&id]);
    let ask = ["disclose", "ask", "--kind", "disciplinary", "--mailbox", "helen@kestrelmoor.example"];
    let because = ["--who", "sue", "--why", "a complaint"];
    let answer = does(gateway, &[&ask[..], &because].concat());
    let request = answer.lines().next().and_then(|line| line.strip_prefix("asked: ")).expect("an id").to_owned();
    refused(gateway, &["disclose", "approve", &request, "--who", "helen"], "about themselves");
    does(gateway, &["disclose", "approve", &request, "--who", "dora"]);
    let folder = gateway.directory().join("export");
    let output = folder.to_string_lossy().into_owned();
    let take = ["--output", &output, "--purpose", "facts"];
    does(gateway, &[&["disclose", "export", &request][..], &take, &because].concat());
    let index = std::fs::read_to_string(folder.join("index.csv")).expect("the index");
    assert!(index.contains(&id) && index.contains("sealed: marked personal"), "{index}");
    assert!(!folder.join(format!("messages/{id}.eml")).exists(), "sealed mail is not in it");
    assert!(!index.contains(MOTHER), "{index}");
    let elsewhere = gateway.directory().join("evidence").to_string_lossy().into_owned();
    let evidence = ["--output", &elsewhere, "--purpose", "facts"];
    refused(gateway, &[&["disclose", "evidence", &id][..], &evidence, &because].concat(), "sealed");
}

#[test]
fn one_message_is_evidence_with_its_record_and_verifies() {
    let school = school();
    let gateway = &school.gateway;
    let (id, _) = school.send(&[MOTHER], "Choir", "Imogen Tarrant sings in the choir on Friday.");
    school.wait(&[&id]);
    let folder = gateway.directory().join("evidence");
    let output = folder.to_string_lossy().into_owned();
    let take = ["--output", &output, "--purpose", "facts", "--who", "sue", "--why", "a hearing"];
    does(gateway, &[&["disclose", "evidence", &id][..], &take].concat());
    let record = std::fs::read_to_string(folder.join("record.html")).expect("the record");
    for part in ["accepted", "delivered", "sue (", "SHA-256", "Choir", "journal-pupil-mail", MOTHER] {
        assert!(record.contains(part), "{part}: {record}");
    }
    assert!(folder.join("report.json").exists() && folder.join(format!("messages/{id}.eml")).exists());
    let verify = ["disclose", "verify", &output];
    does(gateway, &verify);
    let lines = std::fs::read_to_string(folder.join("audit.jsonl")).expect("lines");
    std::fs::write(folder.join("audit.jsonl"), lines.replacen("delivered", "discarded", 1)).expect("bent");
    refused(gateway, &verify, "audit.jsonl: line");
    let audit = json(gateway, &["audit", "list", "--event", "evidence-exported", "--json"]);
    assert_eq!(audit.as_array().map(Vec::len), Some(1), "{audit}");
}
