//! Our side of a dialogue with a server that says anything, in any pieces.

use std::sync::Arc;

use schoolgate::smtp::client::{Action, Body, Client, Fate, Mail, SignIn, StartTls, Under, Waits, Way};
use schoolgate::smtp::dsn::{OfMessage, OfRecipient};
use schoolgate::smtp::{Address, AnswerReader};
use zeroize::Zeroizing;

use super::{bare, choices, pieces};

const PASSWORD: &str = "a password that nobody says";
/// PASSWORD in base64, as it is said.
const ENCODED: &str = "YSBwYXNzd29yZCB0aGF0IG5vYm9keSBzYXlz";

/// What a server does between two of its answers; none of these stands in UTF-8.
const GONE: u8 = 0xFF;

struct Caller {
    client: Client,
    way: Way,
    under: Under,
    /// What TLS is worth once it was begun; nothing where it cannot be.
    worth: Under,
    /// Messages still to be sent.
    mails: usize,
    content: Vec<u8>,
    recipients: usize,
    /// Of what has been heard since TLS began or the connection was made.
    reader: AnswerReader,
    /// The class of the last answer, and how many of class 3 there were.
    class: u16,
    go_ons: usize,
    contents: usize,
    /// A message is under way.
    sending: bool,
    /// Its content was written.
    dot: bool,
    /// The octets come one by one: what is done follows from the last one.
    exact: bool,
    ended: bool,
    writes: usize,
}

/// An octet of ways (TLS, what it is worth, signing in), one of messages, one of cuts; then what the server says up to [`GONE`].
pub fn holds(input: &[u8]) {
    let (choices, said) = choices::<3>(input);
    let said = &said[..memchr::memchr(GONE, said).unwrap_or(said.len())];
    if memchr::memmem::find(said, PASSWORD.as_bytes()).is_some()
        || memchr::memmem::find(said, ENCODED.as_bytes()).is_some()
    {
        return;
    }
    talk(choices, &pieces(said, choices[2]), false);
    talk(choices, &said.chunks(1).collect::<Vec<_>>(), true);
}

fn talk([ways, mails, _]: [u8; 3], said: &[&[u8]], exact: bool) {
    let tls = [StartTls::Never, StartTls::IfOffered, StartTls::Must, StartTls::Must][usize::from(ways & 3)];
    let worth = [Under::CheckedTls, Under::Tls, Under::Nothing, Under::CheckedTls][usize::from(ways >> 2 & 3)];
    let sign_in = (ways & 16 != 0).then(|| SignIn { user: "gate".to_owned(), by_token: ways & 32 != 0 });
    let under = if ways & 64 == 0 { Under::Nothing } else { worth };
    let contents: [&[u8]; 4] = [b"Subject: s\r\n\r\n.x\r\n", b"", b".", b"caf\xc3\xa9: \r\n.\r\n\r\n.\n.\r\r\n."];
    let way = Way { hostname: "gate.saltmere.example".to_owned(), tls, sign_in };
    let mut caller = Caller {
        client: Client::new(way.clone(), under),
        way,
        under,
        worth,
        mails: usize::from(mails & 3),
        content: contents[usize::from(mails >> 2 & 3)].to_vec(),
        recipients: usize::from(mails >> 4 & 3) + 1,
        reader: AnswerReader::default(),
        class: 0,
        go_ons: 0,
        contents: 0,
        sending: false,
        dot: false,
        exact,
        ended: false,
        writes: 0,
    };
    let mut octets = 0;
    for piece in said {
        if caller.ended {
            break;
        }
        octets += piece.len();
        caller.hears(piece);
    }
    if !caller.ended {
        // A last answer may lack its line end.
        caller.class = caller.reader.end().map_or(caller.class, |answer| answer.class());
        let mut actions = Vec::new();
        caller.client.ended(&mut actions);
        caller.does(actions, true);
        assert!(!caller.sending, "each message ends, whatever the server says");
        let mut again = Vec::new();
        caller.client.ended(&mut again);
        caller.client.lost("twice", &mut again);
        assert_eq!(again, [], "it ends once");
        assert!(caller.ended, "each dialogue ends");
    }
    assert!(caller.writes <= octets + 8, "nothing is said without end");
}

impl Caller {
    fn hears(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while let Ok((used, answer)) = self.reader.read(rest) {
            if let Some(answer) = answer {
                self.class = answer.class();
                self.go_ons += usize::from(self.class == 3);
            }
            rest = &rest[used..];
            if rest.is_empty() {
                break;
            }
        }
        let mut actions = Vec::new();
        self.client.receive(piece, &mut actions);
        self.does(actions, false);
        assert!(!self.client.patience(&Waits::default()).is_zero());
    }

    fn does(&mut self, mut actions: Vec<Action>, closed: bool) {
        while !actions.is_empty() {
            let mut next = Vec::new();
            for action in actions {
                assert!(!self.ended, "{action:?} after the end");
                let shown = format!("{action:?}");
                assert!(!shown.contains(PASSWORD) && !shown.contains(ENCODED), "a password is shown");
                match action {
                    Action::Write(written) => {
                        assert!(!closed, "nothing is said to who has gone");
                        self.write(&written);
                    }
                    Action::Secret(_) => {
                        assert!(!closed);
                        assert_eq!(self.under, Under::CheckedTls, "a password is for whom we mean");
                        self.writes += 1;
                    }
                    Action::Content(body) => {
                        assert!(!closed && self.sending && !self.dot);
                        self.contents += 1;
                        assert!(self.contents <= self.go_ons, "content is written for an answer that asks for it");
                        assert!(!self.exact || self.class == 3, "it is the last answer");
                        let (stuffed, end) = body.on_the_wire();
                        let wire = [b"\r\n", &stuffed[..], end].concat();
                        assert_eq!(memchr::memmem::find(&wire, b"\r\n.\r\n"), Some(wire.len() - 5), "one end");
                        self.client.dot_leaves();
                        self.dot = true;
                    }
                    Action::BeginTls => {
                        assert_eq!(self.under, Under::Nothing);
                        self.reader = AnswerReader::default();
                        self.class = 0;
                        match self.worth {
                            Under::Nothing => self.client.not_secured("no handshake", &mut next),
                            worth => {
                                self.under = worth;
                                self.client.secured(worth, &mut next);
                            }
                        }
                    }
                    Action::Prove(_) => {
                        assert_eq!(self.under, Under::CheckedTls);
                        self.client.prove(&Zeroizing::new(PASSWORD.to_owned()), &mut next);
                    }
                    Action::Ready => self.go_on(closed, &mut next),
                    Action::NotOpen(_) | Action::Bye => self.ended = true,
                    Action::Done(done) => {
                        assert!(std::mem::take(&mut self.sending), "one end a message");
                        assert_eq!(done.fates.len(), self.recipients, "a fate for each recipient");
                        for fate in &done.fates {
                            match fate {
                                Fate::Delivered(_) => assert!(self.dot && (!self.exact || self.class == 2), "{fate:?}"),
                                Fate::Unknown => assert!(self.dot, "unknown without a final dot"),
                                Fate::Deferred(_) | Fate::Failed(_) => {}
                            }
                        }
                        match done.reusable {
                            // That it was closed is said of the connection, once.
                            true if closed => {}
                            true if self.client.is_ready() => self.go_on(closed, &mut next),
                            _ => self.ended = true,
                        }
                    }
                }
            }
            actions = next;
        }
    }

    fn write(&mut self, written: &[u8]) {
        let shown = written.escape_ascii();
        assert!(written.ends_with(b"\r\n") && !bare(written), "{shown}");
        for line in written.split_inclusive(|&octet| octet == b'\n') {
            assert!(line.len() <= 512, "{shown}");
            let verb = line.split(|octet| b" \r".contains(octet)).next().unwrap_or_default();
            let known: [&[u8]; 8] = [b"EHLO", b"STARTTLS", b"MAIL", b"RCPT", b"DATA", b"RSET", b"QUIT", b"."];
            assert!(known.contains(&verb), "{shown}");
            let clear = self.under == Under::Nothing;
            assert!(verb != b"MAIL" || !clear || self.way.tls != StartTls::Must, "mail in clear: {shown}");
            assert!(verb != b"MAIL" || self.way.sign_in.is_none() || self.under == Under::CheckedTls, "{shown}");
        }
        self.writes += 1;
    }

    /// The next message, or goodbye.
    fn go_on(&mut self, closed: bool, actions: &mut Vec<Action>) {
        // That nothing more can be sent is said by itself.
        if closed {
            return;
        }
        if self.mails == 0 {
            self.client.quit(actions);
        } else {
            self.mails -= 1;
            (self.sending, self.dot) = (true, false);
            let address = |text: String| Address::parse(&text).expect("an address");
            let mail = Mail {
                from: Some(address("office@saltmere.example".to_owned())),
                recipients: (0..self.recipients).map(|number| address(format!("r{number}@firm.example"))).collect(),
                content: Body(Arc::from(&self.content[..])),
                smtputf8: false,
                reports: OfMessage::default(),
                asked: vec![OfRecipient::default()],
            };
            self.client.send(mail, actions);
        }
    }
}
