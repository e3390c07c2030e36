//! One SMTP session as a state table (RFC 5321 4.1.4, 4.3.2; RFC 2920): octets in, [`Action`]s out.
//!
//! Never knows sockets, clocks or disk, so every path can be tested without them. Invariants:
//! - every path that ends a transaction goes through [`Session::reset_transaction`];
//! - the answer to a message is given by the caller alone ([`Session::answer`]); nothing here says 250 to content;
//! - octets that come behind DATA before its 354 are never read as content: they end the session;
//! - the replies to one group of pipelined commands go out in one write.
//!
//! - what was said before TLS is forgotten when it begins, and octets that came behind STARTTLS are never read (RFC 3207 4.2).
//!
//! CHUNKING has no place in the table and will not get one.

mod action;
mod in_front;
mod mail;
mod setting;
mod sign_in;

use zeroize::{Zeroize, Zeroizing};

use super::auth::{Account, Exchange, Mechanism};
use super::command::{self, Command, CommandError};
use super::data::DataReader;
use super::reply::{Code, Reply};
use super::xclient::{self, Told};
use crate::limits;
pub use action::{Action, Begun, CloseReason};
use mail::Transaction;
pub use setting::{NoneOwn, Own, OwnAddresses, SessionConfig, Tls};

#[derive(Debug)]
enum Phase {
    /// Reading commands.
    Commands,
    /// Reading a command line that is too long already; how much of it has been dropped.
    LongLine(usize),
    /// Behind 354.
    Content(DataReader),
    /// The client answers a challenge of AUTH.
    SigningIn(Exchange),
    /// The caller says whether name and password are right.
    Proving,
    /// The caller begins TLS.
    Handshake,
    /// The caller says what the client may that a server in front speaks for.
    Introducing,
    /// The caller decides on a message.
    Deciding,
    /// Nothing more is read.
    Closed,
}

/// Who the client says it is.
#[derive(Debug, Clone)]
struct Greeted {
    name: String,
    esmtp: bool,
}

/// One session.
#[derive(Debug)]
pub struct Session {
    config: SessionConfig,
    phase: Phase,
    /// Octets that have come and are not used yet.
    input: Vec<u8>,
    /// Replies that have not been given to the caller yet.
    output: Vec<u8>,
    greeted: Option<Greeted>,
    /// What XCLIENT said of the client's name.
    told_helo: Option<String>,
    /// Who the client of the server in front was, for the next message.
    forwarded: Option<Told>,
    /// Who has signed in.
    account: Option<Account>,
    transaction: Option<Transaction>,
    /// Nothing has been read yet.
    fresh: bool,
    /// Refused commands since the last message.
    errors: usize,
    /// Commands that do nothing since the last message.
    junk: usize,
    /// Recipients since the last message that were none more.
    overshoot: usize,
    /// Names or passwords that were wrong.
    failures: usize,
    stopping: bool,
    /// What MAIL is answered with while no mail is taken.
    refusal: Option<Reply>,
}

impl Session {
    /// A session that waits for its first octets. The caller writes [`Session::banner`] first.
    pub fn new(config: SessionConfig) -> Self {
        Self {
            config,
            phase: Phase::Commands,
            input: Vec::new(),
            output: Vec::new(),
            greeted: None,
            told_helo: None,
            forwarded: None,
            account: None,
            transaction: None,
            fresh: true,
            errors: 0,
            junk: 0,
            overshoot: 0,
            failures: 0,
            stopping: false,
            refusal: None,
        }
    }

    /// 220.
    pub fn banner(&self) -> Vec<u8> {
        Reply::bare(Code::Ready, [format!("{} ESMTP", self.config.hostname)]).to_bytes()
    }

    /// The banner for a client that is one connection too many (RFC 5321 3.8).
    pub fn too_many_connections(hostname: &str) -> Vec<u8> {
        let text = format!("{hostname} Too many connections, please try again later");
        Reply::new(Code::Unavailable, (3, 2), text).to_bytes()
    }

    /// The banner while no mail can be taken at all (RFC 5321 3.1, 4.2.2).
    pub fn not_in_service(hostname: &str) -> Vec<u8> {
        let text = format!("{hostname} Mail cannot be taken at the moment, please try again later");
        Reply::new(Code::Unavailable, (3, 0), text).to_bytes()
    }

    /// What MAIL is answered with instead of 250, while there is a reason; a transaction that is open goes on.
    pub fn set_refusal(&mut self, refusal: Option<Reply>) {
        self.refusal = refusal;
    }

    /// Nothing more will be read or written.
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Reads octets from the client.
    pub fn receive(&mut self, input: &[u8], actions: &mut Vec<Action>) {
        if self.is_closed() {
            return;
        }
        self.input.extend_from_slice(input);
        self.go_on(actions);
    }

    /// The client spoke before our banner.
    pub fn spoke_too_early(&mut self, input: &[u8], actions: &mut Vec<Action>) {
        if is_other_protocol(input) {
            return self.close(CloseReason::WrongProtocol, None, actions);
        }
        let reply = Reply::new(Code::Failed, (5, 0), "You spoke before the greeting");
        self.close(CloseReason::TooEarly, Some(reply), actions);
    }

    /// The caller's answer to [`Action::Complete`]; then reads on in what has come meanwhile.
    pub fn answer(&mut self, reply: &Reply, actions: &mut Vec<Action>) {
        if !matches!(self.phase, Phase::Deciding) {
            return;
        }
        self.phase = Phase::Commands;
        self.errors = 0;
        self.junk = 0;
        self.overshoot = 0;
        self.say(reply);
        self.go_on(actions);
    }

    /// The client has been silent or slow for too long.
    pub fn timed_out(&mut self, actions: &mut Vec<Action>) {
        if matches!(self.phase, Phase::Content(_)) {
            actions.push(Action::Discard);
        }
        let text = format!("{} Timed out, closing", self.config.hostname);
        self.close(CloseReason::TimedOut, Some(Reply::new(Code::Unavailable, (4, 2), text)), actions);
    }

    /// The gateway stops: a running transaction may still end, a session without one ends now (RFC 5321 3.8).
    pub fn stop(&mut self, actions: &mut Vec<Action>) {
        self.stopping = true;
        let waits = matches!(self.phase, Phase::Commands | Phase::LongLine(_) | Phase::SigningIn(_));
        if waits && self.transaction.is_none() {
            self.close_for_stop(actions);
        }
    }

    fn close_for_stop(&mut self, actions: &mut Vec<Action>) {
        let text = format!("{} Service stopping, please try again later", self.config.hostname);
        self.close(CloseReason::Stopping, Some(Reply::new(Code::Unavailable, (3, 2), text)), actions);
    }

    /// Works through the input as far as it goes, then hands the collected replies over.
    fn go_on(&mut self, actions: &mut Vec<Action>) {
        loop {
            if self.stopping && matches!(self.phase, Phase::Commands) && self.transaction.is_none() {
                self.close_for_stop(actions);
            }
            let went_on = match self.phase {
                Phase::Commands => self.read_command(actions),
                Phase::LongLine(dropped) => self.drop_line(dropped, actions),
                Phase::Content(_) => self.read_content(actions),
                Phase::SigningIn(_) => self.read_answer(actions),
                Phase::Deciding | Phase::Proving | Phase::Handshake | Phase::Introducing | Phase::Closed => false,
            };
            if !went_on {
                break;
            }
        }
        self.flush(actions);
        // Whoever sent much at once and waits now keeps no room for it.
        if self.input.is_empty()
            && self.input.capacity() > limits::COMMAND_LINE
            && matches!(self.phase, Phase::Commands)
        {
            self.input.zeroize();
            self.input = Vec::new();
        }
    }

    /// Takes one command line off the input; false when there is none yet.
    fn read_command(&mut self, actions: &mut Vec<Action>) -> bool {
        if self.fresh && is_other_protocol(&self.input) {
            self.close(CloseReason::WrongProtocol, None, actions);
            return false;
        }
        let Some(line_feed) = memchr::memchr(b'\n', &self.input) else {
            if self.input.len() >= self.longest_line() {
                self.phase = Phase::LongLine(0);
                return true;
            }
            return false;
        };
        let longest = self.longest_line();
        let line: Zeroizing<Vec<u8>> = Zeroizing::new(self.input.drain(..=line_feed).collect());
        if line.len() > limits::COMMAND_DISCARD {
            // As when it had come in pieces.
            self.close(CloseReason::LineTooLong, Some(line_too_long()), actions);
            return false;
        }
        if line.len() > longest {
            self.refuse(&line_too_long(), actions);
            return true;
        }
        self.fresh = false;
        let Some(line) = line.strip_suffix(b"\r\n") else {
            let text = "Command lines end in CR LF, this one ends in a bare LF";
            self.close(CloseReason::BareLineEnd, Some(Reply::new(Code::Unrecognised, (5, 2), text)), actions);
            return false;
        };
        if is_other_protocol(line) {
            self.close(CloseReason::WrongProtocol, None, actions);
            return false;
        }
        match command::parse(line) {
            Ok(command) => self.obey(command, actions),
            Err(error) => self.refuse(&error.reply(), actions),
        }
        true
    }

    /// Drops what has come of a line that is too long; false when its end has not come.
    fn drop_line(&mut self, dropped: usize, actions: &mut Vec<Action>) -> bool {
        self.fresh = false;
        let end = memchr::memchr(b'\n', &self.input);
        let dropped = dropped + end.map_or(self.input.len(), |i| i + 1);
        match end {
            _ if dropped > limits::COMMAND_DISCARD => {
                self.close(CloseReason::LineTooLong, Some(line_too_long()), actions);
                false
            }
            Some(i) => {
                self.input.drain(..=i);
                self.phase = Phase::Commands;
                self.refuse(&line_too_long(), actions);
                true
            }
            None => {
                self.input.clear();
                self.phase = Phase::LongLine(dropped);
                false
            }
        }
    }

    fn obey(&mut self, command: Command, actions: &mut Vec<Action>) {
        match command {
            Command::Ehlo(name) => self.greet(name, true, actions),
            Command::Helo(name) => self.greet(name, false, actions),
            Command::Mail(mail) => self.mail(mail, actions),
            Command::Rcpt(path, asked) => self.rcpt(path, asked, actions),
            Command::Data => self.data(actions),
            Command::Rset => {
                self.reset_transaction();
                self.junk(Reply::new(Code::Ok, (0, 0), "Ok"), actions);
            }
            Command::Noop => self.junk(Reply::new(Code::Ok, (0, 0), "Ok"), actions),
            Command::Help => {
                let text = "Commands: EHLO HELO MAIL RCPT DATA RSET NOOP QUIT VRFY HELP (RFC 5321)";
                self.junk(Reply::new(Code::Help, (0, 0), text), actions);
            }
            Command::Vrfy => {
                let text = "Cannot verify, but will take messages and try to deliver";
                self.junk(Reply::new(Code::CannotVerify, (0, 0), text), actions);
            }
            Command::Expn => self.refuse(&CommandError::NotImplemented.reply(), actions),
            Command::StartTls => self.start_tls(actions),
            Command::Auth(mechanism, initial) => self.auth(&mechanism, initial, actions),
            Command::Xclient(attributes) => self.xclient(&attributes, actions),
            Command::Xforward(attributes) => self.xforward(&attributes, actions),
            Command::Bdat => {
                self.reset_transaction();
                self.refuse(&CommandError::NotImplemented.reply(), actions);
            }
            Command::Quit => {
                let text = format!("{} Goodbye", self.config.hostname);
                self.close(CloseReason::Quit, Some(Reply::new(Code::Closing, (0, 0), text)), actions);
            }
        }
    }

    fn greet(&mut self, name: String, esmtp: bool, actions: &mut Vec<Action>) {
        // A second greeting does nothing for the client but clear its transaction (RFC 5321 4.1.4).
        let again = self.greeted.is_some();
        self.reset_transaction();
        let name = self.told_helo.clone().unwrap_or(name);
        self.greeted = Some(Greeted { name, esmtp });
        let mut lines = vec![self.config.hostname.clone()];
        if esmtp {
            lines.push("PIPELINING".to_owned());
            lines.push(format!("SIZE {}", self.config.message_size));
            lines.extend(["8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8", "DSN"].map(str::to_owned));
            if matches!(self.config.tls, Tls::Offered | Tls::Required) {
                lines.push("STARTTLS".to_owned());
            }
            if self.config.xclient {
                lines.extend([xclient::XCLIENT, xclient::XFORWARD].map(str::to_owned));
            }
            if self.may_sign_in() {
                lines.push(Mechanism::OFFER.to_owned());
            }
        }
        let reply = Reply::bare(Code::Ok, lines);
        if again { self.junk(reply, actions) } else { self.say(&reply) }
    }

    fn say(&mut self, reply: &Reply) {
        self.output.extend_from_slice(&reply.to_bytes());
    }

    /// A reply that counts as the client's error when it is permanent.
    fn refuse(&mut self, reply: &Reply, actions: &mut Vec<Action>) {
        if reply.is_permanent() {
            self.errors += 1;
        }
        if self.errors > limits::ERRORS_SLOW {
            self.flush(actions);
            actions.push(Action::Pause);
        }
        self.say(reply);
        if self.errors >= limits::ERRORS_CLOSE {
            self.close_for_errors(actions);
        }
    }

    /// A reply to a command that does nothing for a message.
    fn junk(&mut self, reply: Reply, actions: &mut Vec<Action>) {
        self.junk += 1;
        self.say(&reply);
        if self.junk > limits::JUNK_COMMANDS {
            self.close_for_errors(actions);
        }
    }

    /// A reply to a recipient that is none more: no error, as long as there is an end to it.
    fn overshoot(&mut self, reply: &Reply, actions: &mut Vec<Action>) {
        self.overshoot += 1;
        self.say(reply);
        if self.overshoot > limits::RECIPIENTS_OVERSHOOT {
            self.close_for_errors(actions);
        }
    }

    fn close_for_errors(&mut self, actions: &mut Vec<Action>) {
        let text = format!("{} Too many errors or idle commands, closing", self.config.hostname);
        self.close(CloseReason::TooManyErrors, Some(Reply::new(Code::Unavailable, (7, 0), text)), actions);
    }

    fn close(&mut self, reason: CloseReason, reply: Option<Reply>, actions: &mut Vec<Action>) {
        if self.is_closed() {
            return;
        }
        if let Some(reply) = reply {
            self.say(&reply);
        }
        self.reset_transaction();
        self.input.zeroize();
        self.phase = Phase::Closed;
        self.flush(actions);
        actions.push(Action::Close(reason));
    }

    fn flush(&mut self, actions: &mut Vec<Action>) {
        if !self.output.is_empty() {
            actions.push(Action::Write(std::mem::take(&mut self.output)));
        }
    }
}

fn out_of_order(text: &str) -> Reply {
    Reply::new(Code::BadSequence, (5, 1), text)
}

fn line_too_long() -> Reply {
    Reply::new(Code::Unrecognised, (5, 2), "Line too long")
}

/// The first octets of HTTP, or of TLS: a client that is not ours, or one that is used to attack us (ALPACA).
fn is_other_protocol(input: &[u8]) -> bool {
    const HTTP: &[&[u8]] = &[b"GET ", b"POST ", b"HEAD ", b"PUT ", b"CONNECT ", b"OPTIONS ", b"PRI * HTTP"];
    input.starts_with(&[0x16, 0x03]) || HTTP.iter().any(|verb| input.starts_with(verb))
}

#[cfg(test)]
mod tests;
