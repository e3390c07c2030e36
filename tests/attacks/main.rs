//! What people and programs do, on purpose or by accident, that hides content from a gateway: each row a message that
//! carries one pupil's record to a stranger. It is found, or the message counts as unread; none is relayed as clean.
//!
//! The ids are those of the project's list of attacks: M for the structure of a message, D for transfer encodings, H for
//! headers, F for files. Everything hostile is generated here.

mod files;
mod line_ends;
mod structure;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::sync::OnceLock;

use schoolgate::command::ground;
use schoolgate::config::Config;
use schoolgate::inspect::{Ground, Report, inspect};
use schoolgate::policy::Action;
use schoolgate::smtp::{Address, Envelope};
use support::compose::{base64_line, docx, gzip, message, pdf_line, tar, with_files, xlsx, zip};

/// A pupil of the made-up school, with the number that only the school knows.
const RECORD: &str = "Lottie Fenn, UPN J998441726117, has a plan for epilepsy";
const PUPIL: &str = "P001";

struct Row(&'static str, Vec<u8>);

fn ground() -> &'static Ground {
    static GROUND: OnceLock<Ground> = OnceLock::new();
    GROUND.get_or_init(|| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/school/school.toml");
        let config = Config::load(&file).expect("the fixtures' configuration");
        ground::load(&config).expect("the fixtures' roster").ground
    })
}

fn decided(raw: &[u8]) -> Report {
    let address = |text: &str| Address::parse(text).expect("an address");
    let envelope = Envelope::new(Some(address("w.carr@saltmere.example")), vec![address("someone@elsewhere.example")]);
    inspect(ground(), &envelope, raw, "2026-10-06T08:00:00Z".parse().expect("a time"))
}

/// Found: the pupil is in the report. Held: something is unread, or the sender is not who is named.
fn judge(rows: Vec<Row>) {
    let (mut clean, mut by_ends) = (Vec::new(), Vec::new());
    for Row(id, raw) in rows {
        // Relay checklist, row 132: no attack depends on the line ends.
        if let Some(how) = line_ends::difference(&raw) {
            by_ends.push(format!("{id}: {how}"));
        }
        let report = decided(&raw);
        let found = report.pupils.iter().any(|p| p.id == PUPIL);
        let held = !report.unreadable.is_empty() || report.action == Action::Reject;
        println!("{id:<28} {:<8} found {found}, unread {:?}", report.action.as_str(), report.unreadable.first());
        if report.action == Action::Deliver || !(found || held) {
            clean.push(id);
        }
    }
    assert!(clean.is_empty(), "relayed as clean: {clean:?}");
    assert!(by_ends.is_empty(), "not the same in CRLF and LF:\n{}", by_ends.join("\n"));
}

fn multipart(boundary: &str, body: &str) -> Vec<u8> {
    message(&format!("Subject: Trip\nContent-Type: multipart/mixed; {boundary}"), body)
}

fn single(headers: &str, body: &str) -> Vec<u8> {
    message(&format!("Subject: Trip\n{headers}"), body)
}

/// A message whose only file has this content.
fn file(name: &str, bytes: &[u8]) -> Vec<u8> {
    with_files("Trip", "See attached.", &[(name, bytes)])
}

#[test]
fn what_is_clean_is_delivered() {
    let innocent = "The coach leaves at nine.";
    for (what, raw) in [
        ("text", single("Content-Type: text/plain", innocent)),
        ("multipart", multipart("boundary=X", "--X\nContent-Type: text/plain\n\nThe coach leaves at nine.\n--X--\n")),
        ("pdf", file("a.pdf", &pdf_line(innocent))),
        ("docx", file("a.docx", &docx(&[innocent]))),
        ("xlsx", file("a.xlsx", &xlsx(&[&["Coach", "Nine"]], &[]))),
        ("zip", file("a.zip", &zip(&[("a.txt", innocent.as_bytes()), ("b/c.docx", &docx(&[innocent]))]))),
        ("tar.gz", file("a.tar.gz", &gzip(&tar(&[("a.txt", innocent.as_bytes())])))),
        ("base64 run", single("Content-Type: text/plain", &base64_line(innocent.repeat(3).as_bytes()))),
    ] {
        let report = decided(&raw);
        assert_eq!(report.action, Action::Deliver, "{what}: {:?} {:?}", report.rules, report.unreadable);
    }
}
