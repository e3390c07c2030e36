//! XCLIENT and XFORWARD: each row a dialogue, what is sent in one write each, and the codes that come back.

use super::*;

const EHLO: &str = "EHLO c\r\n";
const OWN: &str = "XCLIENT ADDR=10.0.0.1 HELO=pc7\r\n";
const STRANGE: &str = "XCLIENT ADDR=192.0.2.1\r\n";
const FORWARD: &str = "XFORWARD ADDR=192.0.2.1 HELO=pc7\r\n";

fn behind(may_relay: bool) -> Talk {
    Talk::with(SessionConfig { xclient: true, ..config(may_relay) })
}

/// Relay checklist, row 125.
#[test]
fn dialogues_of_a_server_in_front() {
    let table: &[(bool, &[&str], &[&str])] = &[
        // The rights are those of the client that is told of, whatever the peer's were.
        (false, &[EHLO, OWN, EHLO, MAIL, RCPT], &["250", "220", "250", "250", "250"]),
        (true, &[EHLO, STRANGE, EHLO, MAIL, RCPT], &["250", "220", "250", "250", "550"]),
        (true, &[EHLO, STRANGE, EHLO, OWN, EHLO, MAIL, RCPT], &["250", "220", "250", "220", "250", "250", "250"]),
        // It begins anew.
        (true, &[EHLO, OWN, MAIL], &["250", "220", "503"]),
        (true, &[OWN, EHLO, MAIL, OWN, RCPT], &["220", "250", "250", "503", "250"]),
        (true, &[EHLO, "XCLIENT NAME=[UNAVAILABLE]\r\n", MAIL], &["250", "220", "503"]),
        (true, &[EHLO, "XCLIENT LOGIN=head\r\n", "XCLIENT\r\n", MAIL], &["250", "501", "501", "250"]),
        (true, &[EHLO, FORWARD, "XFORWARD NAME=x\r\n", MAIL, RCPT], &["250", "250", "250", "250", "250"]),
        (true, &[EHLO, MAIL, FORWARD, RCPT], &["250", "250", "503", "250"]),
        (false, &[EHLO, FORWARD, MAIL, RCPT], &["250", "250", "250", "550"]),
    ];
    for (may_relay, lines, codes) in table {
        let mut talk = behind(*may_relay);
        lines.iter().for_each(|line| drop(talk.says(line)));
        assert_eq!(Talk::codes(&talk.written), *codes, "{lines:?}");
    }
}

#[test]
fn nobody_else_may_say_it() {
    let mut talk = Talk::greeted();
    assert!(!talk.says(EHLO).contains("XCLIENT"));
    assert_eq!(Talk::codes(&talk.says(OWN)), ["502"]);
    assert_eq!(Talk::codes(&talk.says(FORWARD)), ["502"]);
    assert!(behind(true).says(EHLO).contains("250-XCLIENT NAME ADDR PROTO HELO\r\n"));
}

#[test]
fn who_has_signed_in_stays_who_it_is() {
    let mut talk = Talk::with(SessionConfig { xclient: true, tls: Tls::On, sign_in: true, ..config(false) });
    let signs_in = "AUTH PLAIN AG9mZmljZQBzZWNyZXQ=\r\n";
    for (line, code) in [(OWN, "220"), (EHLO, "250"), (signs_in, "235"), (STRANGE, "503"), (MAIL, "250"), (RCPT, "250")]
    {
        assert_eq!(Talk::codes(&talk.says(line)), [code], "{line}");
    }
}

#[test]
fn what_is_forwarded_is_told_of_the_next_message_alone() {
    let mut session = Session::new(SessionConfig { xclient: true, ..config(true) });
    let mut begun = |text: String| {
        let mut actions = Vec::new();
        session.receive(text.as_bytes(), &mut actions);
        let forwarded = actions.iter().find_map(|action| match action {
            Action::Begin(begun) => Some(begun.forwarded.clone().and_then(|told| told.address)),
            _ => None,
        });
        session.receive(b"x\r\n.\r\n", &mut actions);
        session.answer(&Reply::queued("x"), &mut actions);
        forwarded.expect("a message begins")
    };
    let message = format!("{MAIL}{RCPT}DATA\r\n");
    assert_eq!(begun(format!("{EHLO}{FORWARD}{message}")), Some([192, 0, 2, 1].into()));
    assert_eq!(begun(message.clone()), None);
    assert_eq!(begun(format!("{FORWARD}RSET\r\n{message}")), None);
}
