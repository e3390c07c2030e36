//! Signing in (RFC 4954): AUTH PLAIN (RFC 4616), or LOGIN where that alone is offered, with a password; XOAUTH2 with a
//! token.
//!
//! A token that is refused is asked for once more, since it may have run out meanwhile; a password is not, since each
//! wrong one brings an account nearer to being locked. What the server answers is repeated without its text where that
//! holds what was said.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::action::{Action, NotOpen, Secret, Under};
use super::{Client, State, Step, UNASKED};
use crate::limits;
use crate::smtp::answer::Answer;

/// As whom we sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The name of our account there.
    pub user: String,
    /// It is proved with a token, not with a password.
    pub by_token: bool,
}

/// What is wanted as proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The password.
    Password,
    /// A token that has not run out.
    Token,
    /// Another token: the one before was refused.
    FreshToken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mechanism {
    Plain,
    Login,
    XOAuth2,
}

/// Signing in, under way.
#[derive(Debug)]
pub(super) struct Exchange {
    mechanism: Mechanism,
    /// What answers the challenges to come, the next at the end.
    answers: Vec<Secret>,
    /// What must not come back in an error: what was said, in each form in which it was.
    said: Vec<Secret>,
    /// This is the second token.
    fresh: bool,
    /// The server has told in a challenge what is wrong with the token.
    refused: bool,
}

impl Exchange {
    fn new(mechanism: Mechanism, fresh: bool) -> Self {
        Self { mechanism, answers: Vec::new(), said: Vec::new(), fresh, refused: false }
    }

    /// The answer as it may be shown.
    fn shown(&self, answer: &Answer) -> String {
        let text = answer.to_string();
        let holds = |secret: &Secret| memchr::memmem::find(text.as_bytes(), secret.0.trim_ascii_end()).is_some();
        if !self.said.iter().any(holds) {
            return text;
        }
        match answer.enhanced() {
            Some(enhanced) => format!("{} {enhanced}", answer.code),
            None => answer.code.to_string(),
        }
    }
}

/// In base64, as a line or the end of one.
fn encoded(parts: &[&str]) -> Zeroizing<String> {
    let text = Zeroizing::new(parts.concat());
    Zeroizing::new(STANDARD.encode(text.as_bytes()))
}

fn line(before: &str, text: &str) -> Secret {
    Secret(Zeroizing::new([before.as_bytes(), text.as_bytes(), b"\r\n"].concat()))
}

impl Client {
    pub(super) fn begin_sign_in(&mut self, actions: &mut Vec<Action>) {
        let by_token = self.way.sign_in.as_ref().is_some_and(|sign_in| sign_in.by_token);
        let auth = self.offers.auth;
        let (mechanism, wanted) = match (by_token, auth.plain, auth.login) {
            (true, ..) => (auth.xoauth2.then_some(Mechanism::XOAuth2), "AUTH XOAUTH2"),
            (false, true, _) => (Some(Mechanism::Plain), ""),
            (false, false, true) => (Some(Mechanism::Login), ""),
            (false, false, false) => (None, "AUTH PLAIN or LOGIN"),
        };
        if self.under != Under::CheckedTls {
            let why = "nothing is signed in with where the certificate is not checked";
            return self.fail(NotOpen::SignIn(why.to_owned()), actions);
        }
        let Some(mechanism) = mechanism else {
            return self.fail(NotOpen::SignIn(format!("it does not offer {wanted}")), actions);
        };
        self.state = State::SigningIn(Exchange::new(mechanism, false));
        actions.push(Action::Prove(if by_token { Proof::Token } else { Proof::Password }));
    }

    /// Signs in with this, as [`Action::Prove`] asked.
    pub fn prove(&mut self, proof: &Zeroizing<String>, actions: &mut Vec<Action>) {
        let (State::SigningIn(exchange), Some(sign_in)) = (&mut self.state, &self.way.sign_in) else { return };
        if self.unasked {
            return self.lost(UNASKED, actions);
        }
        let user = sign_in.user.as_str();
        let first = match exchange.mechanism {
            Mechanism::Plain => {
                let response = encoded(&["\0", user, "\0", proof]);
                exchange.said.push(line("", &response));
                line("AUTH PLAIN ", &response)
            }
            Mechanism::Login => {
                let (user, password) = (encoded(&[user]), encoded(&[proof]));
                exchange.said.push(line("", &password));
                exchange.answers = vec![line("", &password), line("", &user)];
                line("AUTH LOGIN", "")
            }
            Mechanism::XOAuth2 => {
                let response = encoded(&["user=", user, "\x01auth=Bearer ", proof, "\x01\x01"]);
                exchange.said.push(line("", &response));
                // What is wrong with the token comes as a challenge; the empty answer asks for the refusal.
                exchange.answers = vec![line("", "")];
                line("AUTH XOAUTH2 ", &response)
            }
        };
        exchange.said.push(line("", proof));
        let longest = exchange.answers.iter().chain([&first]).map(|line| line.0.len()).max();
        if longest > Some(limits::AUTH_LINE) {
            return self.fail(NotOpen::SignIn("what we sign in with is too long".to_owned()), actions);
        }
        self.awaited.push_back(Step::SignIn);
        actions.push(Action::Secret(first));
    }

    /// There is nothing to sign in with, for this reason.
    pub fn cannot_prove(&mut self, why: &str, actions: &mut Vec<Action>) {
        self.fail(NotOpen::SignIn(why.to_owned()), actions);
    }

    /// Takes the answer to AUTH or to what we answered to a challenge.
    pub(super) fn hear_sign_in(&mut self, answer: &Answer, actions: &mut Vec<Action>) {
        let State::SigningIn(exchange) = &mut self.state else { return };
        match answer.class() {
            2 if !exchange.refused => {
                self.state = State::Ready;
                actions.push(Action::Ready);
            }
            3 if self.unasked => self.lost(UNASKED, actions),
            3 if !exchange.answers.is_empty() => {
                exchange.refused = exchange.mechanism == Mechanism::XOAuth2;
                actions.extend(exchange.answers.pop().map(Action::Secret));
                self.awaited.push_back(Step::SignIn);
            }
            class => {
                let is_token = exchange.mechanism == Mechanism::XOAuth2;
                if is_token && !exchange.fresh && (class == 5 || exchange.refused) && answer.code != 421 {
                    self.state = State::SigningIn(Exchange::new(Mechanism::XOAuth2, true));
                    return actions.push(Action::Prove(Proof::FreshToken));
                }
                let why = format!("it does not let us sign in: {}", exchange.shown(answer));
                self.fail(NotOpen::SignIn(why), actions);
            }
        }
    }
}
