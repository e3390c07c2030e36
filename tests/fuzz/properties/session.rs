//! A session against a client that says anything, in any pieces.

use std::sync::Arc;

use schoolgate::smtp::{
    Account, Action, Credentials, LineEnds, NoneOwn, NotSignedIn, Sender, Session, SessionConfig, Tls, session::Begun,
};

use super::{bare, choices, pieces, replies};

/// A piece of what the client says ends here; none of these stands in UTF-8.
const PIECE: u8 = 0xFF;
/// The gateway stops.
const STOP: u8 = 0xFE;
/// The client has been silent for too long.
const SILENCE: u8 = 0xFD;

const MESSAGE_SIZE: usize = 4096;
const RECIPIENTS: usize = 3;

/// A caller who does what it is told, and holds the session to its word.
struct Caller {
    session: Session,
    /// TLS is on.
    tls: bool,
    /// TLS begins, where it is asked for.
    succeeds: bool,
    /// TLS has begun in this session.
    began: bool,
    required: bool,
    may_relay: bool,
    line_ends: LineEnds,
    /// The transaction whose content comes: what was given so far.
    begun: Option<(Box<Begun>, Vec<u8>)>,
    /// Signed in as.
    account: bool,
    /// Messages answered 250.
    taken: usize,
    closed: bool,
    /// The gateway stops: what the client has begun to say is the last that is heard.
    stopping: bool,
    actions: usize,
}

/// An octet of doors (TLS, signing in, XCLIENT, relaying, line ends), one of outcomes, one of cuts; then what the client says, where
/// [`PIECE`], [`STOP`] and [`SILENCE`] part it.
pub fn holds(input: &[u8]) {
    let ([door, outcomes, cuts], said) = choices(input);
    let tls = [Tls::None, Tls::Offered, Tls::Required, Tls::On][usize::from(door & 3)];
    let may_relay = door & 4 == 0;
    let line_ends = if door & 8 == 0 { LineEnds::Strict } else { LineEnds::Fix };
    let config = SessionConfig {
        hostname: "gate.saltmere.example".to_owned(),
        postmaster_domain: "saltmere.example".to_owned(),
        message_size: MESSAGE_SIZE,
        recipients: RECIPIENTS,
        may_relay,
        tls,
        sign_in: door & 16 != 0,
        xclient: door & 32 != 0,
        line_ends,
        own: Arc::new(NoneOwn),
    };
    let mut caller = Caller {
        session: Session::new(config),
        tls: tls == Tls::On,
        succeeds: outcomes & 1 == 0,
        began: false,
        required: tls == Tls::Required,
        may_relay,
        line_ends,
        begun: None,
        account: false,
        taken: 0,
        closed: false,
        stopping: false,
        actions: 0,
    };
    assert_eq!(replies(&caller.session.banner()), [220]);
    let mut start = 0;
    for at in 0..=said.len() {
        let mark = said.get(at).copied().unwrap_or(PIECE);
        if mark < SILENCE {
            continue;
        }
        for piece in pieces(&said[start..at], cuts) {
            caller.hears(piece);
            // What was said before TLS is forgotten: no greeting, no sender, no recipient, no account.
            if outcomes & 2 != 0 && std::mem::take(&mut caller.began) {
                return caller.knows_nothing();
            }
        }
        start = at + 1;
        let mut actions = Vec::new();
        match mark {
            STOP => {
                caller.stopping = true;
                caller.session.stop(&mut actions);
            }
            SILENCE => caller.session.timed_out(&mut actions),
            _ => {}
        }
        caller.does(actions);
    }
    // A line brings at most a reply, a wait and an end; and each piece may bring its content.
    assert!(caller.actions <= 8 * said.len() + 8, "{} actions", caller.actions);
}

/// The reply codes of what is written to the client.
fn written(action: &Action) -> Option<Vec<u16>> {
    match action {
        Action::Write(written) => Some(replies(written)),
        _ => None,
    }
}

impl Caller {
    fn hears(&mut self, piece: &[u8]) {
        let mut actions = Vec::new();
        self.session.receive(piece, &mut actions);
        assert!(!self.closed || actions.is_empty(), "nothing comes of what is said to a closed session");
        self.does(actions);
    }

    fn does(&mut self, mut actions: Vec<Action>) {
        while !actions.is_empty() {
            let mut next = Vec::new();
            // Where the caller is asked something, nothing more is read before its answer: what was said before may still be written.
            let last = actions.iter().rposition(|action| !matches!(action, Action::Write(_))).unwrap_or_default();
            self.actions += actions.len();
            for (place, action) in actions.into_iter().enumerate() {
                assert!(!self.closed, "{action:?} after the end");
                match action {
                    Action::Write(written) => {
                        let codes = replies(&written);
                        assert_eq!(
                            codes.contains(&354),
                            self.begins(&codes),
                            "354 is for content with recipients: {codes:?}"
                        );
                    }
                    Action::Pause => {}
                    Action::Begin(begun) => self.begin(begun),
                    Action::Content(piece) => {
                        let (_, content) = self.begun.as_mut().expect("content has recipients");
                        content.extend(piece);
                        assert!(content.len() <= MESSAGE_SIZE);
                    }
                    Action::Discard => assert!(self.begun.take().is_some(), "there was content"),
                    Action::Complete(facts) => {
                        let (_, content) = self.begun.take().expect("there was content");
                        assert_eq!(facts.size, content.len());
                        assert_eq!(facts.refusal(MESSAGE_SIZE), None);
                        assert!(!bare(&content), "no CR or LF alone passes in {:?}", self.line_ends);
                        assert_eq!(place, last);
                        self.taken += 1;
                        let reply = schoolgate::smtp::Reply::queued(self.taken);
                        self.session.answer(&reply, &mut next);
                    }
                    Action::StartTls => {
                        assert!(!self.tls && place == last);
                        if self.succeeds {
                            (self.tls, self.began, self.account) = (true, true, false);
                            self.session.secured(self.may_relay, &mut next);
                            let codes: Vec<u16> = next.iter().filter_map(written).flatten().collect();
                            let expected: &[u16] = if self.stopping { &[421] } else { &[] };
                            assert_eq!(codes, expected, "what was said in clear is never read under TLS");
                            assert_eq!(next.len(), 2 * codes.len(), "421 ends it: {next:?}");
                        } else {
                            self.session.not_secured(&mut next);
                            assert!(
                                !next.iter().any(|action| matches!(action, Action::Write(_))),
                                "nothing more in clear"
                            );
                        }
                    }
                    Action::Introduce(address) => {
                        assert_eq!(address, address.to_canonical());
                        assert_eq!(place, last);
                        // Another client, with other rights.
                        self.may_relay = !self.may_relay;
                        self.session.introduced(self.may_relay, &mut next);
                    }
                    Action::SignIn(credentials) => {
                        assert!(self.tls, "a password is asked for under TLS alone");
                        // A short password may stand in any word by chance.
                        let other = Credentials { password: "another".to_owned().into(), ..credentials.clone() };
                        assert_eq!(format!("{credentials:?}"), format!("{other:?}"), "it shows nothing of a password");
                        assert_eq!(place, last);
                        let outcome = match credentials.name.len() % 4 {
                            0 => Err(NotSignedIn::Wrong),
                            1 => Err(NotSignedIn::Throttled),
                            2 => Err(NotSignedIn::Unavailable),
                            _ => Ok(Account {
                                name: credentials.name.clone(),
                                senders: vec![Sender::Domain("saltmere.example".to_owned())],
                            }),
                        };
                        self.account = outcome.is_ok();
                        self.session.signed_in(outcome, &mut next);
                    }
                    Action::Close(_) => {
                        self.closed = true;
                        assert!(self.session.is_closed());
                    }
                }
            }
            actions = next;
        }
        assert_eq!(self.session.account().is_some(), self.account);
    }

    /// 354 stands in this write, and may: it is the last, and a transaction has begun whose content has not.
    fn begins(&self, codes: &[u16]) -> bool {
        let asks = codes.iter().filter(|code| **code == 354).count();
        let may = self.begun.as_ref().is_some_and(|(_, content)| content.is_empty());
        assert!(asks == 0 || (asks == 1 && codes.last() == Some(&354) && may), "{codes:?}");
        asks == 1
    }

    fn begin(&mut self, begun: Box<Begun>) {
        assert!(self.begun.is_none(), "one transaction at a time");
        assert!((1..=RECIPIENTS).contains(&begun.envelope.recipients.len()), "content never comes without RCPT");
        assert_eq!(begun.envelope.of_recipients.len(), begun.envelope.recipients.len());
        assert!(!begun.helo.is_empty(), "nor without a greeting");
        assert_eq!(begun.encrypted, self.tls);
        assert!(self.tls || !self.required, "nor in clear where TLS is required");
        assert_eq!(begun.account.is_some(), self.account);
        assert!(self.may_relay || self.account, "nor from who may not send");
        if let (Some(account), Some(from)) = (&begun.account, &begun.envelope.mail_from) {
            assert!(account.may_send_as(from), "nor as somebody else");
        }
        let ascii = begun.envelope.recipients.iter().chain(&begun.envelope.mail_from).all(|one| one.is_ascii());
        assert!(ascii || begun.envelope.smtputf8);
        self.begun = Some((begun, Vec::new()));
    }

    fn knows_nothing(mut self) {
        assert!(self.session.account().is_none() && self.begun.is_none());
        if self.closed {
            return;
        }
        for said in ["RCPT TO:<a@firm.example>\r\n", "DATA\r\n", "MAIL FROM:<>\r\n"] {
            let mut actions = Vec::new();
            self.session.receive(said.as_bytes(), &mut actions);
            let codes: Vec<u16> = actions.iter().filter_map(written).flatten().collect();
            // It may be one mistake too many.
            assert!(matches!(codes[..], [503] | [503, 421]), "{said:?}: {codes:?}");
            if codes.len() > 1 {
                return;
            }
        }
    }
}
