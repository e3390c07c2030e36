//! Each trait is said in plain words with its place, and nothing of what it says goes with them.

use super::*;
use crate::inspect::view;

/// Rule, message, what is said of it, and what of the message may not be said.
#[test]
fn each_trait_is_said_in_words_with_its_place() {
    let lines = "Hello,\n\nthe first thing.\n\n";
    let earlier = "\n\n---------- Forwarded message ---------\nFrom: Ann Wren <ann.wren@firm2.example>\nTo: Jo Bloggs <j.bloggs@school.example>\nSubject: Price\n\nOur price is ten pounds.";
    let header = plain("News", "Hello").replace("Subject:", "Reply-To: jolly.green@hotmail.co.uk\nSubject:");
    let rows = [
        (
            "private-reply",
            plain("News", &format!("{lines}Please reply to jolly.green@hotmail.co.uk")),
            "answers asked for at a private mailbox, in the message itself, line 3",
            "jolly",
        ),
        ("private-reply", header, "answers asked for at a private mailbox, in the Reply-To header", "jolly"),
        (
            "staff-contact",
            plain("News", &format!("{lines}Nia is on 07700 900456.")),
            "a private telephone or mailbox of a member of staff, in the message itself, line 3",
            "900456",
        ),
        (
            "forwarded",
            plain("Fwd: Price", &format!("See below.{earlier}")),
            "somebody else's message, passed on, in the earlier message quoted below",
            "firm2",
        ),
        (
            "open-link",
            plain("News", &format!("{lines}https://www.dropbox.com/scl/fi/abc123/list.xlsx?rlkey=q&dl=0")),
            "a link that anyone may open, in the message itself, line 3",
            "dropbox",
        ),
        (
            "open-link",
            with_file("Orsolya.txt", "One\nTwo https://www.dropbox.com/scl/fi/abc123/list.xlsx?rlkey=q&dl=0"),
            "a link that anyone may open, in an attached file, line 2",
            "Orsolya",
        ),
        (
            "for-staff",
            plain("Duties - STAFF ONLY", "Hello"),
            "a mark that it is for staff only, in the subject",
            "Duties",
        ),
        (
            "for-governors",
            with_file("Orsolya - Governors only.txt", "Hello"),
            "a mark that it is for governors only, in an attached file, in its name",
            "Orsolya",
        ),
    ];
    let ground = ground();
    let address = |text: &str| Address::parse(text).expect("an address");
    let envelope = Envelope::new(Some(address(SENDER)), vec![address("mum.quill@gmail.com")]);
    for (id, raw, words, secret) in rows {
        let report = inspect(&ground, &envelope, raw.replace('\n', "\r\n").as_bytes(), Timestamp::UNIX_EPOCH);
        let rule = report.rules.iter().find(|rule| rule.id == id).unwrap_or_else(|| panic!("{id} fires: {raw}"));
        let said: Vec<String> = rule.found.iter().map(view::in_words).collect();
        assert!(said.iter().any(|one| one == words), "{id}: {said:?}");
        assert!(said.iter().all(|one| !one.contains(secret)), "{said:?}");
        assert!(
            report.findings.iter().any(|finding| rule.found.iter().any(|found| found.kind == finding.kind)),
            "{id}"
        );
    }
}

/// A kind that has no words of its own would be shown by its name.
#[test]
fn every_kind_has_words_and_no_trait_shows_what_it_says_when_printed() {
    for kind in crate::detect::traits::kind::ALL {
        let words = view::word(kind);
        assert!(words != kind.replace('-', " ") && words.contains(' '), "{kind}: {words}");
    }
    let seen = crate::detect::traits::Seen::at(crate::detect::traits::kind::OPEN_LINK, "Orsolya.pdf", "https://secret");
    let printed = format!("{seen:?}");
    assert!(!printed.contains("secret") && !printed.contains("Orsolya"), "{printed}");
}
