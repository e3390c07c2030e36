//! XCLIENT and XFORWARD (Postfix, XCLIENT_README and XFORWARD_README): a mail server in front tells who its client was.
//!
//! XCLIENT makes the session one of that client, whose rights are then its own; XFORWARD is for the record alone. What a server
//! in front says of a login is not taken: only who has signed in here has signed in.

use std::net::IpAddr;

use super::xtext;
use crate::limits;

/// The attributes of XCLIENT that are obeyed, as EHLO lists them.
pub const XCLIENT: &str = "XCLIENT NAME ADDR PROTO HELO";
/// The attributes of XFORWARD that are read, as EHLO lists them.
pub const XFORWARD: &str = "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE";

/// Who the client of a server in front was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Its address; an IPv4 address is never in its IPv6 form.
    pub address: Option<IpAddr>,
    /// Its name, as it gave it.
    pub helo: Option<String>,
}

/// Reads `NAME=value …`; `None` where an attribute is not among those that `offer` lists, or has no such value.
pub fn read(offer: &str, argument: &str) -> Option<Told> {
    let mut told = Told::default();
    let mut seen = Vec::new();
    for word in argument.split(' ').filter(|word| !word.is_empty()) {
        let (name, value) = word.split_once('=')?;
        let name = name.to_ascii_uppercase();
        if !offer.split(' ').skip(1).any(|known| known == name) || seen.contains(&name) {
            return None;
        }
        let value = decoded(value)?;
        let known =
            (!["[UNAVAILABLE]", "[TEMPUNAVAIL]"].contains(&value.to_ascii_uppercase().as_str())).then_some(value);
        match (name.as_str(), known) {
            ("ADDR", Some(text)) => told.address = Some(address(&text)?),
            ("HELO", Some(text)) => told.helo = Some(text),
            _ => {}
        }
        seen.push(name);
    }
    (!seen.is_empty()).then_some(told)
}

fn address(text: &str) -> Option<IpAddr> {
    let bare = text.get(..5).filter(|start| start.eq_ignore_ascii_case("IPV6:")).map_or(text, |_| &text[5..]);
    bare.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// xtext (RFC 3461 4); no control character comes out of it.
fn decoded(text: &str) -> Option<String> {
    let text = String::from_utf8(xtext::decoded(text)?).ok()?;
    (!text.is_empty() && text.len() <= limits::DOMAIN && !text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relay checklist, row 125.
    #[test]
    fn what_is_told_is_read() {
        let told = |address: Option<&str>, helo: Option<&str>| {
            Some(Told { address: address.map(|a| a.parse().expect("address")), helo: helo.map(str::to_owned) })
        };
        for (offer, argument, wanted) in [
            (XCLIENT, "ADDR=192.0.2.1", told(Some("192.0.2.1"), None)),
            (XCLIENT, "name=mail.example addr=IPV6:2001:db8::1", told(Some("2001:db8::1"), None)),
            (XCLIENT, "ADDR=::ffff:192.0.2.1 HELO=pc+2D1", told(Some("192.0.2.1"), Some("pc-1"))),
            (XCLIENT, "NAME=[UNAVAILABLE] ADDR=[TEMPUNAVAIL] PROTO=ESMTP", told(None, None)),
            (
                XFORWARD,
                "NAME=a ADDR=192.0.2.1 PORT=9 PROTO=ESMTP HELO=h IDENT=Q1 SOURCE=REMOTE",
                told(Some("192.0.2.1"), Some("h")),
            ),
            (XCLIENT, "", None),
            (XCLIENT, "ADDR", None),
            (XCLIENT, "ADDR=", None),
            (XCLIENT, "ADDR=office", None),
            (XCLIENT, "ADDR=192.0.2.1 ADDR=192.0.2.2", None),
            (XCLIENT, "LOGIN=head ADDR=192.0.2.1", None),
            (XFORWARD, "LOGIN=head", None),
            (XCLIENT, "HELO=a+0D+0AMAIL", None),
            (XCLIENT, "HELO=a+0", None),
            (XCLIENT, "HELO=a+zz", None),
            (XCLIENT, "HELO=+FF", None),
        ] {
            assert_eq!(read(offer, argument), wanted, "{argument}");
        }
        assert_eq!(read(XCLIENT, &format!("HELO={}", "x".repeat(limits::DOMAIN + 1))), None);
    }
}
