//! Our side of the dialogue with a server, without sockets (RFC 5321): octets of its answers in, [`Action`]s out.
//!
//! Never knows sockets, clocks or disk; whoever has those does what it is told and says what came of it. Invariants:
//! - each answer is the answer to one step, and a command is said only when nothing more is to come: what a server says
//!   unasked is never taken for the answer to something else, it loses the connection;
//! - what was offered or said before TLS is forgotten when it begins, and what came behind the answer to STARTTLS is
//!   never read (RFC 3207 4.2, CVE-2011-0411);
//! - a message ends once, with a [`Fate`] for each recipient, whatever the server says, in whatever pieces, and wherever
//!   it stops. Unknown is said only where the final dot may have left and no answer came (RFC 1047);
//! - the connection too ends once: with [`Action::NotOpen`], a [`Done`] that lets nothing follow, or [`Action::Bye`];
//! - a password or token is said only under TLS whose certificate was checked, and what holds one shows nothing in Debug.

mod action;
mod concern;
mod offers;
mod sign_in;
#[cfg(test)]
mod tests;
mod transaction;
mod waits;

use std::collections::VecDeque;
use std::time::Duration;

use super::answer::{Answer, AnswerReader};
pub use action::{Action, NotOpen, Secret, StartTls, Under, Way};
pub use offers::{Auth, Offers};
pub use sign_in::{Proof, SignIn};
pub use transaction::{Body, Done, Fate, Mail, header_of};
pub use waits::Waits;

use sign_in::Exchange;
use transaction::{Next, Transaction};

/// What an answer is the answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Greeting,
    Hello,
    StartTls,
    SignIn,
    Mail,
    /// The recipient at this place.
    Rcpt(usize),
    Data,
    /// A text of no message, after all recipients were refused.
    LoneDot,
    /// The message.
    Dot,
    Reset,
    Quit,
}

/// Where the dialogue stands.
#[derive(Debug)]
enum State {
    /// Before the first message.
    Opening,
    /// STARTTLS was said, and EHLO not answered since.
    Securing,
    SigningIn(Exchange),
    Ready,
    Sending(Box<Transaction>),
    /// QUIT was said.
    Leaving,
    /// Nothing may be said any more, and the caller knows.
    Over,
}

/// One connection to a server.
#[derive(Debug)]
pub struct Client {
    way: Way,
    under: Under,
    offers: Offers,
    reader: AnswerReader,
    /// What the answers to come are answers to.
    awaited: VecDeque<Step>,
    /// Answers so far.
    heard: usize,
    /// It has said what no command asked for.
    unasked: bool,
    state: State,
}

impl Client {
    /// A connection that was just made, in clear or, where TLS is the first thing said, under it.
    pub fn new(way: Way, under: Under) -> Self {
        Self {
            way,
            under,
            offers: Offers::default(),
            reader: AnswerReader::default(),
            awaited: VecDeque::from([Step::Greeting]),
            heard: 0,
            unasked: false,
            state: State::Opening,
        }
    }

    /// What the server offers, by the last EHLO.
    pub fn offers(&self) -> Offers {
        self.offers
    }

    /// It has ended, and its caller was told.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// It may be given a message.
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready) && !self.unasked
    }

    /// How many answers were heard so far: while it stays the same, one wait goes on.
    pub fn heard(&self) -> usize {
        self.heard
    }

    /// How long the next answer may take, from the one before it or the write.
    pub fn patience(&self, waits: &Waits) -> Duration {
        match self.awaited.front() {
            Some(Step::Data) => waits.data,
            Some(Step::Dot | Step::LoneDot) => waits.final_dot,
            Some(Step::Quit) => waits.quit,
            _ => waits.command,
        }
    }

    /// Takes octets that the server has sent.
    pub fn receive(&mut self, mut bytes: &[u8], actions: &mut Vec<Action>) {
        while !bytes.is_empty() {
            if self.awaited.is_empty() {
                self.unasked |= !bytes.trim_ascii().is_empty();
                return;
            }
            match self.reader.read(bytes) {
                Ok((read, answer)) => {
                    bytes = &bytes[read..];
                    if let Some(answer) = answer {
                        self.take(&answer, bytes, actions);
                    }
                }
                Err(none) => return self.lost(&none.to_string(), actions),
            }
        }
    }

    /// The server has closed its side. A last answer that lacks only its line end counts.
    pub fn ended(&mut self, actions: &mut Vec<Action>) {
        if !self.awaited.is_empty()
            && let Some(answer) = self.reader.end()
        {
            self.take(&answer, b"", actions);
        }
        // Nothing is gained by saying more: what is still in hand ends here.
        actions.retain(|action| matches!(action, Action::Ready | Action::NotOpen(_) | Action::Done(_) | Action::Bye));
        self.lost("it was closed", actions);
    }

    /// Nothing comes any more, or nothing can be said. What was in hand ends with this; where nothing was, it is
    /// [`Action::Bye`]. What has ended already does not end again.
    pub fn lost(&mut self, why: &str, actions: &mut Vec<Action>) {
        self.awaited.clear();
        match std::mem::replace(&mut self.state, State::Over) {
            State::Opening => actions.push(Action::NotOpen(NotOpen::Unreachable(format!("no greeting: {why}")))),
            State::Securing => self.no_tls(why, actions),
            State::SigningIn(_) => {
                let why = format!("the connection was lost while signing in: {why}");
                actions.push(Action::NotOpen(NotOpen::Unreachable(why)));
            }
            State::Sending(mut transaction) => {
                transaction.lost(why);
                actions.push(Action::Done(transaction.done()));
            }
            State::Ready | State::Leaving => actions.push(Action::Bye),
            State::Over => {}
        }
    }

    /// Sends a message; only where [`Self::is_ready`]. It ends with [`Action::Done`].
    pub fn send(&mut self, mail: Mail, actions: &mut Vec<Action>) {
        let (transaction, next) = Transaction::begin(mail, &self.offers);
        let usable = matches!(self.state, State::Ready);
        self.state = State::Sending(Box::new(transaction));
        if usable { self.go_on(next, actions) } else { self.lost("it is not ready", actions) }
    }

    /// All of the content is written: its end is about to be.
    pub fn dot_leaves(&mut self) {
        if let State::Sending(transaction) = &mut self.state {
            transaction.dot_leaves();
        }
    }

    /// TLS has begun, as [`Action::BeginTls`] asked.
    pub fn secured(&mut self, under: Under, actions: &mut Vec<Action>) {
        self.under = under;
        self.offers = Offers::default();
        self.reader = AnswerReader::default();
        self.hello(actions);
    }

    /// The handshake has failed.
    pub fn not_secured(&mut self, why: &str, actions: &mut Vec<Action>) {
        self.lost(why, actions);
    }

    /// Says goodbye. [`Action::Bye`] follows the answer; nothing depends on it (RFC 5321 4.1.1.10).
    pub fn quit(&mut self, actions: &mut Vec<Action>) {
        self.state = State::Leaving;
        self.say("QUIT\r\n", [Step::Quit], actions);
    }

    /// Takes the answer to the step that is next. `rest` was read behind it.
    fn take(&mut self, answer: &Answer, rest: &[u8], actions: &mut Vec<Action>) {
        self.heard += 1;
        let Some(step) = self.awaited.pop_front() else { return };
        if self.awaited.is_empty() {
            self.unasked |= !rest.trim_ascii().is_empty();
        }
        match step {
            Step::Greeting if answer.class() == 2 => self.hello(actions),
            Step::Greeting => self.unwelcome(&format!("it does not welcome us: {answer}"), actions),
            Step::Hello if answer.class() == 2 => {
                self.offers = Offers::read(answer, self.under != Under::Nothing);
                self.open(actions);
            }
            Step::Hello => self.unwelcome(&format!("it refuses EHLO: {answer}"), actions),
            Step::StartTls if answer.class() != 2 => self.lost(&answer.to_string(), actions),
            Step::StartTls if self.unasked => {
                self.lost("it said more than it was asked for before TLS began", actions);
            }
            Step::StartTls => actions.push(Action::BeginTls),
            Step::SignIn => self.hear_sign_in(answer, actions),
            Step::Quit => {
                self.state = State::Over;
                actions.push(Action::Bye);
            }
            Step::Mail | Step::Rcpt(_) | Step::Data | Step::LoneDot | Step::Dot | Step::Reset => {
                if let State::Sending(transaction) = &mut self.state {
                    let next = transaction.heard(step, answer);
                    self.go_on(next, actions);
                }
            }
        }
    }

    fn hello(&mut self, actions: &mut Vec<Action>) {
        self.say(&format!("EHLO {}\r\n", self.way.hostname), [Step::Hello], actions);
    }

    /// EHLO was answered: what is still to be done before mail?
    fn open(&mut self, actions: &mut Vec<Action>) {
        if self.under == Under::Nothing {
            match self.way.tls {
                StartTls::IfOffered | StartTls::Must if self.offers.starttls => {
                    self.state = State::Securing;
                    return self.say("STARTTLS\r\n", [Step::StartTls], actions);
                }
                StartTls::Must => {
                    let why = "TLS is required and the smarthost does not offer STARTTLS";
                    return self.fail(NotOpen::Tls(why.to_owned()), actions);
                }
                StartTls::IfOffered | StartTls::Never => {}
            }
        }
        if self.way.sign_in.is_some() {
            return self.begin_sign_in(actions);
        }
        self.state = State::Ready;
        actions.push(Action::Ready);
    }

    fn unwelcome(&mut self, why: &str, actions: &mut Vec<Action>) {
        match self.state {
            State::Securing => self.no_tls(why, actions),
            _ => self.fail(NotOpen::Unreachable(why.to_owned()), actions),
        }
    }

    fn no_tls(&mut self, why: &str, actions: &mut Vec<Action>) {
        self.fail(NotOpen::Tls(format!("TLS could not be started: {why}")), actions);
    }

    fn fail(&mut self, why: NotOpen, actions: &mut Vec<Action>) {
        self.state = State::Over;
        self.awaited.clear();
        actions.push(Action::NotOpen(why));
    }

    fn go_on(&mut self, next: Next, actions: &mut Vec<Action>) {
        match next {
            Next::Wait => {}
            Next::Say(commands, steps) => self.say(&commands, steps, actions),
            Next::Content if self.unasked => self.lost(UNASKED, actions),
            Next::Content => {
                if let State::Sending(transaction) = &self.state {
                    self.awaited.push_back(Step::Dot);
                    actions.push(Action::Content(transaction.body()));
                }
            }
            Next::End => {
                if let State::Sending(transaction) = std::mem::replace(&mut self.state, State::Ready) {
                    let done = transaction.done();
                    if !done.reusable {
                        self.state = State::Over;
                    }
                    actions.push(Action::Done(done));
                }
            }
        }
    }

    /// Says commands in one write. An answer too many would be taken for the answer to the first of them, and each one
    /// after it for the next.
    fn say(&mut self, commands: &str, steps: impl IntoIterator<Item = Step>, actions: &mut Vec<Action>) {
        if self.unasked {
            return self.lost(UNASKED, actions);
        }
        self.awaited.extend(steps);
        actions.push(Action::Write(commands.as_bytes().to_vec()));
    }
}

const UNASKED: &str = "it says more than it is asked for";
