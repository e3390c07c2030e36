//! STARTTLS and AUTH: each row a dialogue, what is sent in one write each, and the codes that come back.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::smtp::Address;
use crate::smtp::auth::{Account, Sender};

pub(super) fn office() -> Account {
    let senders = vec![Sender::Mailbox(Address::parse("a@school.example").unwrap())];
    Account { name: "office".to_owned(), senders }
}

fn plain(name: &str, password: &str) -> String {
    format!("AUTH PLAIN {}\r\n", STANDARD.encode(format!("\0{name}\0{password}")))
}

fn answer(text: &str) -> String {
    format!("{}\r\n", STANDARD.encode(text))
}

/// A stranger that may sign in, on a line with this TLS.
fn door(tls: Tls) -> Talk {
    Talk::with(SessionConfig { tls, sign_in: true, ..config(false) })
}

const EHLO: &str = "EHLO c\r\n";
const TLS: &str = "STARTTLS\r\n";

/// relay.md 115.
#[test]
fn what_is_offered_goes_by_tls() {
    for (tls, sign_in, offered) in [
        (Tls::None, true, &[][..]),
        (Tls::Offered, true, &["STARTTLS"]),
        (Tls::Required, false, &["STARTTLS"]),
        (Tls::On, true, &["AUTH PLAIN LOGIN"]),
        (Tls::On, false, &[]),
    ] {
        let mut talk = Talk::with(SessionConfig { tls, sign_in, ..config(true) });
        let ehlo = talk.says(EHLO);
        for keyword in ["STARTTLS", "AUTH PLAIN LOGIN"] {
            assert_eq!(ehlo.contains(keyword), offered.contains(&keyword), "{tls:?} {sign_in}: {ehlo}");
        }
        assert_eq!(Talk::codes(&talk.says("HELO c\r\n")), ["250"]);
        assert!(!talk.written.ends_with("STARTTLS\r\n"), "HELO lists nothing");
    }
}

/// relay.md 115 (never without TLS), 116 (in a transaction, twice, `*`, bad base64, long lines), 117 (one text for both), 118 (too
/// many end the session) and 119 (454 where nobody can be asked).
/// Relay checklist, rows 48 and 113.
#[test]
fn dialogues_of_signing_in() {
    let (good, bad) = (plain("office", "secret"), plain("office", "wrong"));
    let (name, password) = (answer("office"), answer("secret"));
    let (both, gone, many) = (answer("\0office\0secret"), plain("gone", "x"), plain("many", "x"));
    let long = format!("AUTH PLAIN {}\r\n", "A".repeat(limits::AUTH_LINE));
    let not_long = format!("AUTH PLAIN {}\r\n", "A".repeat(limits::AUTH_LINE - 13));
    let table: Vec<(Tls, Vec<&str>, Vec<&str>)> = vec![
        (Tls::On, vec![EHLO, MAIL], vec!["250", "530"]),
        (Tls::On, vec![EHLO, &good, MAIL, RCPT], vec!["250", "235", "250", "250"]),
        (Tls::On, vec![EHLO, &good, "MAIL FROM:<>\r\n", RCPT], vec!["250", "235", "250", "250"]),
        (Tls::On, vec![EHLO, &good, "MAIL FROM:<head@school.example>\r\n", RCPT], vec!["250", "235", "550", "503"]),
        (Tls::On, vec![EHLO, "auth plain\r\n", &both, MAIL], vec!["250", "334", "235", "250"]),
        (Tls::On, vec![EHLO, "AUTH LOGIN\r\n", &name, &password], vec!["250", "334", "334", "235"]),
        (Tls::On, vec![EHLO, "AUTH LOGIN\r\n", &name, "*\r\n", &good], vec!["250", "334", "334", "501", "235"]),
        (Tls::On, vec![EHLO, "AUTH LOGIN\r\n", "!\r\n", "NOOP\r\n"], vec!["250", "334", "501", "250"]),
        (Tls::On, vec![EHLO, "AUTH PLAIN =\r\n", "AUTH PLAIN x\r\n"], vec!["250", "501", "501"]),
        (Tls::On, vec![EHLO, "AUTH SCRAM-SHA-256\r\n", "AUTH XOAUTH2 x\r\n"], vec!["250", "504", "504"]),
        (Tls::On, vec![&good, EHLO, &good, &good], vec!["503", "250", "235", "503"]),
        // Three that are wrong end the session.
        (Tls::On, vec![EHLO, &bad, &bad, &bad, "NOOP\r\n"], vec!["250", "535", "535", "535"]),
        (Tls::On, vec![EHLO, &bad, &good, MAIL], vec!["250", "535", "235", "250"]),
        (Tls::On, vec![EHLO, &gone, &many, MAIL], vec!["250", "454", "454", "530"]),
        // So do three that are not even looked at; but none that cannot be asked.
        (Tls::On, vec![EHLO, &many, &bad, &many, "NOOP\r\n"], vec!["250", "454", "535", "454"]),
        (Tls::On, vec![EHLO, &gone, &gone, &gone, &gone, &good], vec!["250", "454", "454", "454", "454", "235"]),
        // A line of AUTH may be long; any other may not.
        (Tls::On, vec![EHLO, &not_long, &long, "NOOP\r\n"], vec!["250", "501", "500", "250"]),
        // A second EHLO does not sign anybody out.
        (Tls::On, vec![EHLO, &good, EHLO, "RSET\r\n", MAIL], vec!["250", "235", "250", "250", "250"]),
        // Never without TLS; TLS first where it is wanted; and all is forgotten when it begins.
        (Tls::None, vec![EHLO, &good, MAIL, RCPT], vec!["250", "538", "250", "550"]),
        (Tls::Offered, vec![EHLO, &good, "AUTH LOGIN\r\n", &name], vec!["250", "538", "538", "500"]),
        (
            Tls::Required,
            vec![EHLO, MAIL, TLS, MAIL, EHLO, &good, MAIL],
            vec!["250", "530", "220", "503", "250", "235", "250"],
        ),
        (Tls::Offered, vec![EHLO, TLS, TLS, EHLO, TLS, EHLO], vec!["250", "220", "503", "250", "503", "250"]),
        (Tls::None, vec![EHLO, TLS, "NOOP\r\n"], vec!["250", "502", "250"]),
    ];
    for (number, (tls, lines, codes)) in table.into_iter().enumerate() {
        let mut talk = door(tls);
        lines.iter().for_each(|line| drop(talk.says(line)));
        assert_eq!(Talk::codes(&talk.written), codes, "line {number}: {}", talk.written);
        let mut talk = door(tls);
        lines.iter().flat_map(|line| line.as_bytes().chunks(1)).for_each(|octet| drop(talk.says(octet)));
        assert_eq!(Talk::codes(&talk.written), codes, "line {number}, octet by octet");
    }
}

/// relay.md 115 (502 where it is not set up) and 116 (503 in a transaction).
#[test]
fn what_failed_ends_the_transaction() {
    for (line, code) in [
        (TLS.to_owned(), "502"),
        (plain("office", "secret"), "502"),
        ("BDAT 1 LAST\r\n".to_owned(), "502"),
        ("VRFY a\r\n".to_owned(), "252"),
        ("FROB\r\n".to_owned(), "500"),
    ] {
        let mut talk = Talk::greeted();
        talk.says(MAIL);
        assert!(talk.says(&line).starts_with(code), "{line}");
        let ended = !["VRFY", "FROB"].iter().any(|kept| line.starts_with(kept));
        assert_eq!(Talk::codes(&talk.says(RCPT)), [if ended { "503" } else { "250" }], "{line}");
    }
    let mut talk = Talk::with(SessionConfig { tls: Tls::On, sign_in: true, ..config(true) });
    talk.says(EHLO);
    talk.says(MAIL);
    assert_eq!(Talk::codes(&talk.says(plain("office", "secret"))), ["503"]);
    assert_eq!(Talk::codes(&talk.says(RCPT)), ["503"]);
}

/// Relay checklist, row 112.
#[test]
fn what_is_said_in_clear_behind_starttls_is_never_obeyed() {
    for more in ["MAIL FROM:<x@school.example>\r\n", "EHLO c\r\n", "x", "\r\n"] {
        let mut talk = door(Tls::Offered);
        talk.says(EHLO);
        assert_eq!(Talk::codes(&talk.says(format!("STARTTLS\r\n{more}"))), ["554"], "{more:?}");
        assert_eq!(talk.closed, Some(CloseReason::TooEarly));
    }
}

#[test]
fn a_certificate_lets_its_client_send_and_its_lack_takes_the_right_away() {
    for (by_network, certified, code) in [(false, true, "250"), (true, false, "530"), (true, true, "250")] {
        let mut talk = Talk::with(SessionConfig { tls: Tls::Offered, sign_in: true, ..config(by_network) });
        talk.certified = certified;
        talk.says(EHLO);
        talk.says(TLS);
        talk.says(EHLO);
        assert_eq!(Talk::codes(&talk.says(MAIL)), [code], "{by_network} {certified}");
    }
}

/// Relay checklist, row 114.
#[test]
fn a_handshake_that_fails_ends_the_session() {
    let mut session = Session::new(SessionConfig { tls: Tls::Offered, ..config(true) });
    let mut actions = Vec::new();
    session.receive(b"STARTTLS\r\n", &mut actions);
    assert!(matches!(actions[..], [Action::Write(_), Action::StartTls]), "what was said is written first: {actions:?}");
    actions.clear();
    session.not_secured(&mut actions);
    assert_eq!(actions, [Action::Close(CloseReason::Handshake)]);
    actions.clear();
    session.receive(b"EHLO c\r\n", &mut actions);
    assert_eq!(actions, []);
}
