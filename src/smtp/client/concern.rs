//! What a negative reply is about: the message, a recipient, or us. Pure.
//!
//! A reply about us (we may not relay, our address is blocked, nobody is served now) would be given to any message: the
//! smarthost then waits as a whole, and nothing bounces for it. Sources: RFC 5321 3.8 and 4.2.2 (421), RFC 4954 4 and 6
//! (530, 534, 535, 538), RFC 3207 4 (454), and for the enhanced codes of Microsoft 365 "Non-delivery reports in Exchange
//! Online" (learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online).

use crate::smtp::answer::Answer;
use crate::smtp::reply::Enhanced;

/// Where in the dialogue a reply was given, once the smarthost has greeted; what it says against us before is about us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Mail,
    Rcpt,
    Data,
    /// After the final dot.
    Dot,
}

/// What a reply is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Concern {
    Message,
    Recipient,
    Us,
}

/// What a negative reply at this stage is about.
pub(super) fn of(stage: Stage, reply: &Answer) -> Concern {
    let enhanced = reply.enhanced().map(|Enhanced { class, subject, detail }| (class, subject, detail));
    concern(stage, reply.code, enhanced)
}

fn concern(stage: Stage, code: u16, enhanced: Option<(u16, u16, u16)>) -> Concern {
    let about_us = match (code, enhanced) {
        // The service closes the channel.
        (421, _) => true,
        // Authentication, or TLS, is wanted.
        (530 | 534 | 535 | 538, _) => true,
        (454, Some((4, 7, 0))) => true,
        // Not authenticated; elsewhere these are general codes for policy.
        (_, Some((5, 7, 0 | 3))) => stage == Stage::Mail,
        // Client not authenticated; relay denied to this tenant.
        (_, Some((5, 7, 57 | 64))) => true,
        // Bad HELO; limits exceeded by this address; this address banned.
        (_, Some((5, 7, 506 | 508 | 511 | 606..=649))) => true,
        // Our tenant is over its threshold; no traffic from this address; unregistered domains.
        (_, Some((5, 7, 705 | 708 | 750))) => true,
        // This address is throttled.
        (_, Some((4, 7, 500..=699 | 850..=899))) => true,
        _ => false,
    };
    match stage {
        _ if about_us => Concern::Us,
        Stage::Rcpt => Concern::Recipient,
        Stage::Mail | Stage::Data | Stage::Dot => Concern::Message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_about_the_message_a_recipient_or_us() {
        use Concern::{Message, Recipient, Us};
        // Code, enhanced code, and what it is about at MAIL, RCPT, DATA and after the dot.
        for (code, enhanced, about) in [
            (421, "", [Us; 4]),
            (421, "4.7.0", [Us; 4]),
            (530, "", [Us; 4]),
            (530, "5.7.57", [Us; 4]),
            (535, "5.7.8", [Us; 4]),
            (454, "4.7.0", [Us; 4]),
            (454, "", [Message, Recipient, Message, Message]),
            (550, "5.7.57", [Us; 4]),
            (550, "5.7.64", [Us; 4]),
            (550, "5.7.0", [Us, Recipient, Message, Message]),
            (550, "5.7.3", [Us, Recipient, Message, Message]),
            (550, "5.7.1", [Message, Recipient, Message, Message]),
            (550, "5.7.60", [Message, Recipient, Message, Message]),
            (550, "5.7.511", [Us; 4]),
            (550, "5.7.605", [Message, Recipient, Message, Message]),
            (550, "5.7.606", [Us; 4]),
            (550, "5.7.649", [Us; 4]),
            (550, "5.7.650", [Message, Recipient, Message, Message]),
            (550, "5.7.703", [Message, Recipient, Message, Message]),
            (550, "5.7.705", [Us; 4]),
            (550, "5.7.708", [Us; 4]),
            (451, "4.7.500", [Us; 4]),
            (451, "4.7.1", [Message, Recipient, Message, Message]),
            (451, "4.3.0", [Message, Recipient, Message, Message]),
            (550, "5.1.1", [Message, Recipient, Message, Message]),
            (552, "5.7.0", [Us, Recipient, Message, Message]),
            (554, "", [Message, Recipient, Message, Message]),
            (571, "", [Message, Recipient, Message, Message]),
        ] {
            let reply = Answer { code, lines: vec![format!("{enhanced} text")] };
            let found = [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Dot].map(|stage| of(stage, &reply));
            assert_eq!(found, about, "{code} {enhanced}");
        }
    }
}
