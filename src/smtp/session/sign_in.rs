//! STARTTLS (RFC 3207) and AUTH (RFC 4954) in the session's table: what is asked for, and what it changes.
//!
//! Invariants: a password is asked for under TLS alone; a client that has failed at either has no transaction any more.

use super::{Action, CloseReason, Phase, Session, Tls, line_too_long, out_of_order};
use crate::limits;
use crate::smtp::auth::{Account, Exchange, Mechanism, NotSignedIn, Step};
use crate::smtp::command::{CommandError, Initial, Mail};
use crate::smtp::reply::{Code, Reply};
use zeroize::Zeroizing;

impl Session {
    /// TLS is on. All that was said before is forgotten; from here on the client `may_relay` as its certificate says.
    pub fn secured(&mut self, may_relay: bool, actions: &mut Vec<Action>) {
        if !matches!(self.phase, Phase::Handshake) {
            return;
        }
        self.reset_transaction();
        self.greeted = None;
        self.account = None;
        self.input.clear();
        self.config.tls = Tls::On;
        self.config.may_relay = may_relay;
        self.fresh = true;
        self.phase = Phase::Commands;
        self.go_on(actions);
    }

    /// TLS could not be begun: nothing more is said, least of all in clear (RFC 3207 4.1).
    pub fn not_secured(&mut self, actions: &mut Vec<Action>) {
        self.close(CloseReason::Handshake, None, actions);
    }

    /// Whether name and password were right; then reads on in what has come meanwhile.
    pub fn signed_in(&mut self, outcome: Result<Account, NotSignedIn>, actions: &mut Vec<Action>) {
        if !matches!(self.phase, Phase::Proving) {
            return;
        }
        self.phase = Phase::Commands;
        match outcome {
            Ok(account) => {
                self.account = Some(account);
                self.say(&Reply::new(Code::SignedIn, (7, 0), "Signed in"));
            }
            Err(NotSignedIn::Wrong) => {
                self.failed(&Reply::new(Code::WrongPassword, (7, 8), "Name or password is wrong"), actions);
            }
            Err(NotSignedIn::Throttled) => {
                let text = "Too many have failed to sign in, please try again later";
                self.failed(&Reply::new(Code::NotNow, (7, 0), text), actions);
            }
            Err(NotSignedIn::Unavailable) => {
                let text = "Nobody can sign in at the moment, please try again later";
                self.junk(Reply::new(Code::NotNow, (7, 0), text), actions);
            }
        }
        self.go_on(actions);
    }

    /// The client has failed once more; once too often ends the session (RFC 4954 9).
    fn failed(&mut self, reply: &Reply, actions: &mut Vec<Action>) {
        self.failures += 1;
        if self.failures >= limits::SIGN_IN_FAILURES {
            self.close(CloseReason::TooManyErrors, Some(reply.clone()), actions);
        } else {
            self.refuse(reply, actions);
        }
    }

    /// Who has signed in.
    pub fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// AUTH is offered now.
    pub(super) fn may_sign_in(&self) -> bool {
        self.config.sign_in && self.config.tls == Tls::On && self.account.is_none()
    }

    /// The longest command line, with its end: AUTH may carry a password or a token (RFC 4954 4).
    pub(super) fn longest_line(&self) -> usize {
        let signs_in = self.input.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"AUTH "));
        if signs_in && self.may_sign_in() { limits::AUTH_LINE } else { limits::COMMAND_LINE }
    }

    /// What a client must do before its MAIL, or what it may not say in it.
    pub(super) fn first_wants(&self, mail: &Mail) -> Option<Reply> {
        if self.config.tls == Tls::Required {
            return Some(Reply::new(Code::Required, (7, 0), "Begin TLS first: say STARTTLS"));
        }
        if !self.config.may_relay && self.account.is_none() && self.may_sign_in() {
            return Some(Reply::new(Code::Required, (7, 0), "Sign in first"));
        }
        let account = self.account.as_ref()?;
        let from = mail.from.as_ref()?;
        (!account.may_send_as(from))
            .then(|| Reply::new(Code::Refused, (7, 1), "This account may not send mail from this address"))
    }

    pub(super) fn start_tls(&mut self, actions: &mut Vec<Action>) {
        // Whatever follows in clear was not meant for us, or by whom we think (CVE-2011-0411).
        if !self.input.is_empty() {
            let reply = Reply::new(Code::Failed, (5, 0), "Something was said in clear text behind STARTTLS");
            return self.close(CloseReason::TooEarly, Some(reply), actions);
        }
        self.reset_transaction();
        match self.config.tls {
            Tls::None => self.refuse(&CommandError::NotImplemented.reply(), actions),
            Tls::On => self.refuse(&out_of_order("TLS is on already"), actions),
            Tls::Offered | Tls::Required => {
                self.say(&Reply::new(Code::Ready, (0, 0), "Begin TLS now"));
                self.phase = Phase::Handshake;
                self.flush(actions);
                actions.push(Action::StartTls);
            }
        }
    }

    pub(super) fn auth(&mut self, mechanism: &str, initial: Option<Initial>, actions: &mut Vec<Action>) {
        let in_transaction = self.transaction.is_some();
        self.reset_transaction();
        if !self.config.sign_in {
            self.refuse(&CommandError::NotImplemented.reply(), actions);
        } else if self.config.tls != Tls::On {
            let reply = Reply::new(Code::WantsTls, (7, 11), "Begin TLS first: say STARTTLS");
            self.refuse(&reply, actions);
        } else if self.greeted.is_none() {
            self.refuse(&out_of_order("Say EHLO first"), actions);
        } else if self.account.is_some() {
            self.refuse(&out_of_order("Somebody has signed in already"), actions);
        } else if in_transaction {
            self.refuse(&out_of_order("Sign in before MAIL"), actions);
        } else if let Some(mechanism) = Mechanism::named(mechanism) {
            let (exchange, step) = Exchange::begin(mechanism, initial.as_ref().map(|initial| initial.0.as_str()));
            self.phase = Phase::SigningIn(exchange);
            self.step(step, actions);
        } else {
            let text = "This way of signing in is not known here; take PLAIN or LOGIN";
            self.refuse(&Reply::new(Code::NoSuchMechanism, (5, 4), text), actions);
        }
    }

    /// Takes one line of an exchange off the input; false when there is none yet.
    pub(super) fn read_answer(&mut self, actions: &mut Vec<Action>) -> bool {
        let Some(line_feed) = memchr::memchr(b'\n', &self.input) else {
            if self.input.len() > limits::AUTH_LINE {
                self.close(CloseReason::LineTooLong, Some(line_too_long()), actions);
            }
            return false;
        };
        let line: Zeroizing<Vec<u8>> = Zeroizing::new(self.input.drain(..=line_feed).collect());
        let too_long = line.len() > limits::AUTH_LINE;
        let line = line.strip_suffix(b"\n").map_or(&line[..], |line| line.strip_suffix(b"\r").unwrap_or(line));
        let Phase::SigningIn(exchange) = &mut self.phase else { return false };
        if too_long {
            self.phase = Phase::Commands;
            self.refuse(&line_too_long(), actions);
        } else {
            let step = exchange.answer(line);
            self.step(step, actions);
        }
        true
    }

    fn step(&mut self, step: Step, actions: &mut Vec<Action>) {
        match step {
            Step::Challenge(challenge) => self.say(&Reply::bare(Code::Challenge, [challenge])),
            Step::Done(credentials) => {
                self.phase = Phase::Proving;
                actions.push(Action::SignIn(credentials));
            }
            Step::Cancelled => {
                self.phase = Phase::Commands;
                self.refuse(&Reply::new(Code::Syntax, (7, 0), "Signing in was given up"), actions);
            }
            Step::Malformed => {
                self.phase = Phase::Commands;
                self.refuse(&Reply::new(Code::Syntax, (5, 2), "This is no answer that can be read"), actions);
            }
        }
    }
}
