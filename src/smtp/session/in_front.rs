//! XCLIENT and XFORWARD in the session's table: what a mail server in front says of its client.

use super::{Action, CommandError, Phase, Session, out_of_order};
use crate::smtp::reply::{Code, Reply};
use crate::smtp::xclient::{self, XCLIENT, XFORWARD};

impl Session {
    /// What the client may that the server in front speaks for. The session begins anew, and so the client is greeted anew.
    pub fn introduced(&mut self, may_relay: bool, actions: &mut Vec<Action>) {
        if !matches!(self.phase, Phase::Introducing) {
            return;
        }
        self.config.may_relay = may_relay;
        self.phase = Phase::Commands;
        let banner = self.banner();
        self.output.extend_from_slice(&banner);
        self.go_on(actions);
    }

    pub(super) fn xclient(&mut self, attributes: &str, actions: &mut Vec<Action>) {
        if !self.config.xclient {
            return self.refuse(&CommandError::NotImplemented.reply(), actions);
        }
        if self.transaction.is_some() || self.account.is_some() {
            return self.refuse(&out_of_order("XCLIENT comes before AUTH and MAIL"), actions);
        }
        let Some(told) = xclient::read(XCLIENT, attributes) else { return self.refuse(&malformed(), actions) };
        self.reset_transaction();
        self.greeted = None;
        self.told_helo = told.helo;
        match told.address {
            Some(address) => {
                self.phase = Phase::Introducing;
                actions.push(Action::Introduce(address));
            }
            None => {
                let banner = self.banner();
                self.output.extend_from_slice(&banner);
            }
        }
    }

    pub(super) fn xforward(&mut self, attributes: &str, actions: &mut Vec<Action>) {
        if !self.config.xclient {
            return self.refuse(&CommandError::NotImplemented.reply(), actions);
        }
        if self.transaction.is_some() {
            return self.refuse(&out_of_order("XFORWARD comes before MAIL"), actions);
        }
        let Some(told) = xclient::read(XFORWARD, attributes) else { return self.refuse(&malformed(), actions) };
        // Long lists of attributes come in several commands.
        let known = self.forwarded.get_or_insert_default();
        known.address = told.address.or(known.address);
        known.helo = told.helo.or(known.helo.take());
        self.say(&Reply::new(Code::Ok, (0, 0), "Ok"));
    }
}

fn malformed() -> Reply {
    Reply::new(Code::Syntax, (5, 4), "Attributes are NAME=value, each once, of those that EHLO lists")
}
