mod in_front;
mod model;
mod sign_in;

use proptest::prelude::*;

use sign_in::office;

use super::*;
use crate::smtp::Address;
use crate::smtp::Envelope;
use crate::smtp::LineEnds;
use crate::smtp::NotSignedIn;
use std::sync::Arc;

fn config(may_relay: bool) -> SessionConfig {
    SessionConfig {
        hostname: "gate.school.example".into(),
        postmaster_domain: "school.example".into(),
        message_size: 1_000,
        recipients: 3,
        may_relay,
        tls: Tls::None,
        sign_in: false,
        xclient: false,
        line_ends: LineEnds::Strict,
        own: Arc::new(NoneOwn),
    }
}

/// A session with a caller that answers every message with 250, and writes down what happens.
struct Talk {
    session: Session,
    /// Everything written, and how many writes it took.
    written: String,
    writes: usize,
    messages: Vec<(Envelope, Vec<u8>)>,
    begun: Option<(Envelope, Vec<u8>)>,
    closed: Option<CloseReason>,
    pauses: usize,
    /// What a certificate that the client shows is worth.
    certified: bool,
}

impl Talk {
    fn new(may_relay: bool) -> Self {
        Self::with(config(may_relay))
    }

    fn with(config: SessionConfig) -> Self {
        let (session, certified) = (Session::new(config), false);
        Self {
            certified,
            session,
            written: String::new(),
            writes: 0,
            messages: vec![],
            begun: None,
            closed: None,
            pauses: 0,
        }
    }

    fn greeted() -> Self {
        let mut talk = Self::new(true);
        talk.says("EHLO client.example\r\n");
        talk
    }

    /// Sends, and gives what came back.
    fn says(&mut self, text: impl AsRef<[u8]>) -> String {
        let before = self.written.len();
        let mut actions = Vec::new();
        self.session.receive(text.as_ref(), &mut actions);
        self.act(actions);
        self.written[before..].to_owned()
    }

    fn act(&mut self, mut actions: Vec<Action>) {
        while !actions.is_empty() {
            for action in std::mem::take(&mut actions) {
                match action {
                    Action::Write(bytes) => {
                        self.written += std::str::from_utf8(&bytes).unwrap();
                        self.writes += 1;
                    }
                    Action::Pause => self.pauses += 1,
                    Action::Begin(begun) => self.begun = Some((begun.envelope, Vec::new())),
                    Action::Content(bytes) => self.begun.as_mut().unwrap().1.extend(bytes),
                    Action::Discard => self.begun = None,
                    Action::Complete(_) => {
                        self.messages.push(self.begun.take().unwrap());
                        self.session.answer(&Reply::queued("x"), &mut actions);
                    }
                    Action::StartTls => {
                        let may_relay = self.certified;
                        self.session.secured(may_relay, &mut actions);
                    }
                    Action::Introduce(address) => {
                        let own = address == std::net::IpAddr::from([10, 0, 0, 1]);
                        self.session.introduced(own, &mut actions);
                    }
                    Action::SignIn(shown) => {
                        let outcome = match (shown.name.as_str(), shown.password.as_str()) {
                            ("office", "secret") => Ok(office()),
                            ("gone", _) => Err(NotSignedIn::Unavailable),
                            ("many", _) => Err(NotSignedIn::Throttled),
                            _ => Err(NotSignedIn::Wrong),
                        };
                        self.session.signed_in(outcome, &mut actions);
                    }
                    Action::Close(reason) => {
                        assert!(self.closed.is_none(), "closed twice");
                        self.closed = Some(reason);
                    }
                }
            }
        }
    }

    /// The codes of complete replies, one for each.
    fn codes(text: &str) -> Vec<&str> {
        text.split_terminator("\r\n").filter(|l| &l[3..4] == " ").map(|l| &l[..3]).collect()
    }
}

const MAIL: &str = "MAIL FROM:<a@school.example>\r\n";
const RCPT: &str = "RCPT TO:<b@x.example>\r\n";

#[test]
fn ehlo_lists_exactly_what_is_done_and_helo_nothing() {
    let mut talk = Talk::new(true);
    assert_eq!(talk.session.banner(), b"220 gate.school.example ESMTP\r\n");
    assert_eq!(
        talk.says("EHLO client.example\r\n"),
        "250-gate.school.example\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n\
         250-SMTPUTF8\r\n250 DSN\r\n"
    );
    assert_eq!(talk.says("HELO client.example\r\n"), "250 gate.school.example\r\n");
}

/// Each line: what is sent in one write each, and the codes that come back.
#[test]
fn dialogues() {
    let table: &[(&[&str], &[&str])] = &[
        (&["EHLO\r\n", "EHLO ok\r\n"], &["501", "250"]),
        (&[MAIL, RCPT, "DATA\r\n"], &["503", "503", "503"]),
        (&["HELO c\r\n", RCPT, "DATA\r\n", MAIL, "DATA\r\n"], &["250", "503", "503", "250", "503"]),
        (&["EHLO c\r\n", MAIL, MAIL, RCPT], &["250", "250", "503", "250"]),
        (&["EHLO c\r\n", MAIL, "EHLO c\r\n", RCPT], &["250", "250", "250", "503"]),
        (&["EHLO c\r\n", MAIL, "RSET\r\n", RCPT, MAIL, RCPT], &["250", "250", "250", "503", "250", "250"]),
        (
            &["EHLO c\r\n", MAIL, "NOOP\r\n", "HELP\r\n", "VRFY a\r\n", "EXPN a\r\n", RCPT],
            &["250", "250", "250", "214", "252", "502", "250"],
        ),
        (
            &["EHLO c\r\n", MAIL, RCPT, "DATA\r\n", "x\r\n.\r\n", RCPT, "DATA\r\n", MAIL],
            &["250", "250", "250", "354", "250", "503", "503", "250"],
        ),
        (
            &["EHLO c\r\n", MAIL, RCPT, "DATA\r\n", "x\ny\r\n.\r\n", RCPT, "DATA\r\n", MAIL],
            &["250", "250", "250", "354", "554", "503", "503", "250"],
        ),
        (&["EHLO c\r\n", MAIL, RCPT, "DATA\r\n", ".\r\n", "NOOP\r\n"], &["250", "250", "250", "354", "250", "250"]),
        (&["EHLO c\r\n", "MAIL FROM:<a@x.example> SIZE=1001\r\n", RCPT], &["250", "552", "503"]),
        (&["EHLO c\r\n", "MAIL FROM:<>\r\n", RCPT], &["250", "250", "250"]),
        (&["EHLO c\r\n", MAIL, "RCPT TO:<\u{e4}@x.example>\r\n"], &["250", "250", "553"]),
        (
            &["EHLO c\r\n", "MAIL FROM:<a@x.example> SMTPUTF8\r\n", "RCPT TO:<\u{e4}@x.example>\r\n"],
            &["250", "250", "250"],
        ),
        (&["EHLO c\r\n", MAIL, "RCPT TO:<postmaster>\r\n"], &["250", "250", "250"]),
        (&["EHLO c\r\nNO", "OP\r", "\nQUI", "T\r\n"], &["250", "250", "221"]),
    ];
    for (sent, codes) in table {
        let mut talk = Talk::new(true);
        for text in *sent {
            talk.says(text);
        }
        assert_eq!(Talk::codes(&talk.written), *codes, "{sent:?}");
    }
}

/// Relay checklist, row 23.
#[test]
fn a_pipelined_group_is_answered_in_one_write_and_in_order() {
    let mut talk = Talk::greeted();
    let before = talk.writes;
    let group = format!("{MAIL}{RCPT}RCPT TO:<bad>\r\nDATA\r\n");
    assert_eq!(Talk::codes(&talk.says(group)), ["250", "250", "501", "354"]);
    assert_eq!(talk.writes, before + 1);
    assert_eq!(Talk::codes(&talk.says(format!("..x\r\n.\r\n{MAIL}QUIT\r\n"))), ["250", "250", "221"]);
    assert_eq!(talk.messages.len(), 1);
    assert_eq!(talk.messages[0].1, b".x\r\n");
    assert_eq!(talk.closed, Some(CloseReason::Quit));
}

#[test]
fn content_before_354_is_never_read() {
    for group in [format!("{MAIL}{RCPT}DATA\r\nx\r\n.\r\n"), format!("{MAIL}DATA\r\n{MAIL}")] {
        let mut talk = Talk::greeted();
        assert_eq!(Talk::codes(&talk.says(group)).last(), Some(&"554"));
        assert_eq!(talk.closed, Some(CloseReason::TooEarly));
        assert!(talk.messages.is_empty());
    }
    let mut early = Talk::new(true);
    let mut actions = Vec::new();
    early.session.spoke_too_early(b"EHLO x\r\n", &mut actions);
    early.act(actions);
    assert!(early.written.starts_with("554 5.5.0 "));
}

#[test]
fn other_protocols_are_cut_without_a_word() {
    let hello = [0x16, 0x03, 0x01, 0x02, 0x00];
    for first in [&b"GET / HTTP/1.1\r\n"[..], b"POST /", b"CONNECT x:25 HTTP/1.1\r\n", &hello] {
        let mut talk = Talk::new(true);
        assert_eq!(talk.says(first), "");
        assert_eq!(talk.closed, Some(CloseReason::WrongProtocol));
    }
    let mut later = Talk::greeted();
    assert_eq!(later.says("POST / HTTP/1.1\r\n"), "");
    assert_eq!(later.closed, Some(CloseReason::WrongProtocol));
}

#[test]
fn an_unlisted_client_is_refused_at_rcpt() {
    let mut talk = Talk::new(false);
    let replies = talk.says(format!("EHLO c\r\n{MAIL}{RCPT}"));
    assert!(replies.ends_with(
        "250 2.1.0 Ok\r\n550 5.7.1 Relaying denied: this server takes mail from the school's \
                               own networks only\r\n"
    ));
}

#[test]
fn recipients_are_limited_and_each_is_kept_once() {
    let mut talk = Talk::greeted();
    talk.says(MAIL);
    for (address, code) in [
        ("a@x.example", "250"),
        ("a@X.example.", "250"),
        ("\"a\"@x.example", "250"),
        ("b@x.example", "250"),
        ("c@x.example", "250"),
        ("d@x.example", "452"),
        ("a@x.example", "250"),
    ] {
        assert_eq!(Talk::codes(&talk.says(format!("RCPT TO:<{address}>\r\n"))), [code], "{address}");
    }
    talk.says("DATA\r\n");
    talk.says("x\r\n.\r\n");
    let recipients: Vec<_> = talk.messages[0].0.recipients.iter().map(Address::as_str).collect();
    assert_eq!(recipients, ["a@x.example", "b@x.example", "c@x.example"]);
}

#[test]
fn lines_up_to_the_limit_and_beyond() {
    let noop = |length: usize| format!("NOOP {}\r\n", "x".repeat(length - 7));
    let mut talk = Talk::greeted();
    assert_eq!(Talk::codes(&talk.says(noop(512))), ["250"]);
    assert_eq!(Talk::codes(&talk.says(noop(limits::COMMAND_LINE))), ["250"]);
    assert_eq!(Talk::codes(&talk.says(noop(limits::COMMAND_LINE + 1))), ["500"]);
    assert_eq!(Talk::codes(&talk.says(noop(limits::COMMAND_DISCARD))), ["500"]);
    for piece in noop(9_000).as_bytes().chunks(1_000) {
        talk.says(piece);
    }
    assert_eq!(talk.closed, None);
    assert_eq!(Talk::codes(&talk.says("NOOP\r\n")), ["250"]);
    assert_eq!(Talk::codes(&talk.says("x".repeat(limits::COMMAND_DISCARD + 1))), ["500"]);
    assert_eq!(talk.closed, Some(CloseReason::LineTooLong));
}

#[test]
fn a_bare_line_feed_in_commands_closes() {
    let mut talk = Talk::greeted();
    assert_eq!(Talk::codes(&talk.says("NOOP\nNOOP\r\n")), ["500"]);
    assert_eq!(talk.closed, Some(CloseReason::BareLineEnd));
}

#[test]
fn errors_slow_down_then_close_and_a_message_forgives() {
    let mut talk = Talk::greeted();
    for n in 1..=10 {
        assert_eq!(Talk::codes(&talk.says("FROB\r\n")), ["500"]);
        assert_eq!(talk.pauses, 0, "after {n}");
    }
    talk.says("FROB\r\n");
    assert_eq!(talk.pauses, 1);
    talk.says(format!("{MAIL}{RCPT}DATA\r\n"));
    talk.says("x\r\n.\r\n");
    for _ in 1..20 {
        talk.says("FROB\r\n");
    }
    assert_eq!(talk.closed, None);
    assert_eq!(Talk::codes(&talk.says("FROB\r\n")), ["500", "421"]);
    assert_eq!(talk.closed, Some(CloseReason::TooManyErrors));
}

/// Relay checklist, row 16.
#[test]
fn a_hundred_idle_commands_are_enough() {
    let mut talk = Talk::greeted();
    for _ in 0..50 {
        assert_eq!(Talk::codes(&talk.says("NOOP\r\nRSET\r\n")), ["250", "250"]);
    }
    assert_eq!(Talk::codes(&talk.says("NOOP\r\n")), ["250", "421"]);
    assert_eq!(talk.closed, Some(CloseReason::TooManyErrors));
}

/// Both sides of the limit, for every answer to a recipient that is none more.
#[test]
fn recipients_that_are_none_more_have_an_end() {
    for full in [false, true] {
        let mut talk = Talk::greeted();
        let (again, code) = if full {
            talk.says(format!("{MAIL}{RCPT}RCPT TO:<c@x.example>\r\nRCPT TO:<d@x.example>\r\n"));
            ("RCPT TO:<e@x.example>\r\n", "452")
        } else {
            talk.says(format!("{MAIL}{RCPT}"));
            (RCPT, "250")
        };
        let group = again.repeat(limits::RECIPIENTS_OVERSHOOT);
        assert!(Talk::codes(&talk.says(&group)).iter().all(|said| *said == code), "{code}");
        assert_eq!(talk.closed, None, "{code}");
        // A message has come of it, so it begins anew.
        assert_eq!(Talk::codes(&talk.says("DATA\r\n")), ["354"]);
        assert_eq!(Talk::codes(&talk.says("x\r\n.\r\n")), ["250"]);
        talk.says(format!("{MAIL}{RCPT}RCPT TO:<c@x.example>\r\nRCPT TO:<d@x.example>\r\n"));
        talk.says(&group);
        assert_eq!(talk.closed, None, "{code}");
        // Neither RSET nor a new MAIL does that.
        talk.says(format!("RSET\r\n{MAIL}{RCPT}"));
        assert_eq!(Talk::codes(&talk.says(RCPT)), ["250", "421"]);
        assert_eq!(talk.closed, Some(CloseReason::TooManyErrors), "{code}");
    }
}

#[test]
fn knocking_on_while_no_mail_is_taken_has_an_end() {
    let mut talk = Talk::greeted();
    talk.session.set_refusal(Some(Reply::busy()));
    for _ in 0..limits::JUNK_COMMANDS {
        assert_eq!(Talk::codes(&talk.says(MAIL)), ["451"]);
    }
    assert_eq!(Talk::codes(&talk.says(MAIL)), ["451", "421"]);
}

#[test]
fn who_waits_keeps_no_room_for_what_it_sent_before() {
    let mut talk = Talk::greeted();
    for group in
        [format!("{MAIL}{}", RCPT.repeat(900)), "DATA\r\n".to_owned(), format!("{}\r\n.\r\n", "x\r\n".repeat(200))]
    {
        talk.says(group);
        assert!(talk.session.input.is_empty());
    }
    assert_eq!((talk.messages.len(), talk.closed), (1, None));
    assert!(talk.session.input.capacity() <= limits::COMMAND_LINE, "{}", talk.session.input.capacity());
}

/// Relay checklist, row 53.
#[test]
fn too_big_is_heard_behind_the_final_dot() {
    let mut talk = Talk::greeted();
    talk.says(format!("{MAIL}{RCPT}DATA\r\n"));
    let replies = talk.says(format!("{}\r\n.\r\nNOOP\r\n", "x".repeat(999)));
    assert!(replies.starts_with("552 5.3.4 "), "{replies}");
    assert_eq!(Talk::codes(&replies), ["552", "250"]);
    assert!(talk.messages.is_empty() && talk.begun.is_none());
    talk.says(format!("{MAIL}{RCPT}DATA\r\n"));
    assert_eq!(Talk::codes(&talk.says("x".repeat(2_001))), ["552"]);
    assert_eq!(talk.closed, Some(CloseReason::ContentTooLong));
}

#[test]
fn stopping_lets_a_transaction_end() {
    let stop = |talk: &mut Talk| {
        let mut actions = Vec::new();
        talk.session.stop(&mut actions);
        talk.act(actions);
    };
    let mut idle = Talk::greeted();
    stop(&mut idle);
    assert_eq!(idle.closed, Some(CloseReason::Stopping));
    let mut busy = Talk::greeted();
    busy.says(format!("{MAIL}{RCPT}"));
    stop(&mut busy);
    assert_eq!(busy.closed, None);
    assert_eq!(Talk::codes(&busy.says("DATA\r\n")), ["354"]);
    assert_eq!(Talk::codes(&busy.says(format!("x\r\n.\r\n{MAIL}"))), ["250", "421"]);
    assert_eq!(busy.messages.len(), 1);
}

/// Relay checklist, row 59.
#[test]
fn ten_thousand_messages_on_one_connection_leave_nothing_behind() {
    let mut talk = Talk::greeted();
    for _ in 0..10_000 {
        talk.says(format!("{MAIL}{RCPT}DATA\r\n"));
        assert!(talk.says("Subject: x\r\n\r\nx\r\n.\r\n").starts_with("250 "));
        assert_eq!(talk.messages.len(), 1);
        talk.messages.clear();
        talk.written.clear();
    }
    assert!(talk.session.input.capacity() + talk.session.output.capacity() < 4_096);
    assert!(talk.session.transaction.is_none());
}

#[test]
fn silence_and_short_storage() {
    let mut talk = Talk::greeted();
    talk.session.set_refusal(Some(Reply::no_room()));
    assert!(talk.says(MAIL).starts_with("452 4.3.1 "));
    let mut actions = Vec::new();
    talk.session.timed_out(&mut actions);
    talk.act(actions);
    assert!(talk.written.contains("421 4.4.2 "));
    assert_eq!(talk.closed, Some(CloseReason::TimedOut));
}

proptest! {
    /// Relay checklist, row 24.
    #[test]
    fn any_octets_are_survived(pieces in prop::collection::vec(
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            prop::sample::select(vec![
                "EHLO c\r\n", MAIL, RCPT, "DATA\r\n", "\r\n.\r\n", "\n.\n", ".\r\n", "\r", "\n", "RSET\r\n", "x", "..",
            ]).prop_map(|s| s.as_bytes().to_vec()),
        ], 0..60))
    {
        let mut talk = Talk::greeted();
        for piece in pieces {
            talk.says(&piece);
        }
        for line in talk.written.split_terminator("\r\n") {
            prop_assert!(line.len() <= limits::REPLY_LINE - 2);
            prop_assert!(Code::ALL.iter().any(|c| line.starts_with(&c.number().to_string())), "{}", line);
        }
    }
}
