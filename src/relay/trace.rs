//! What a message carries of its way through us: our one Received line (RFC 5321 4.4), with a token by which we know our
//! own lines again.
//!
//! The token is an HMAC of our hostname, the queue id and the recipients under a key that is derived from the store's:
//! another gateway cannot make one, so a forged line neither stops mail nor hides a loop. A message is looping when it
//! comes back for the same recipients; one that comes back for others was sent on by a list or a mailbox rule, and only
//! the hop count ends its travels. Nothing that a client said can leave its place in the line: its name is cut and every
//! octet beyond a host name's becomes a question mark.

use std::net::IpAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ring::hmac;

use crate::limits;
use crate::smtp::Address;
use crate::store::QueueId;

/// Name of the product in our lines; the token follows it.
const PRODUCT: &str = "schoolgate";

/// What our Received line tells.
#[derive(Debug, Clone, Copy)]
pub struct Hop<'a> {
    /// The client's name, as it gave it.
    pub helo: &'a str,
    /// Its address.
    pub client: IpAddr,
    /// EHLO rather than HELO.
    pub esmtp: bool,
    /// TLS is on.
    pub encrypted: bool,
    /// An account has signed in.
    pub signed_in: bool,
    /// MAIL carried SMTPUTF8.
    pub smtputf8: bool,
    /// Our id.
    pub id: &'a QueueId,
    /// All recipients; named only where there is one (RFC 5321 7.2).
    pub recipients: &'a [Address],
    /// When the content began to come.
    pub at: Timestamp,
}

/// Writes our Received lines, and knows them again.
#[derive(Debug, Clone)]
pub struct Tracer {
    hostname: String,
    key: hmac::Key,
}

impl Tracer {
    /// A tracer for a gateway of this name; its key is derived from the store's.
    pub fn new(hostname: &str, store_key: &[u8]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, store_key);
        let derived = hmac::sign(&root, b"schoolgate received token 1");
        Self { hostname: hostname.to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()) }
    }

    /// The one field that we put on top of a message, folded, with its CRLF.
    pub fn received_line(&self, hop: &Hop) -> Vec<u8> {
        let helo: String = hop
            .helo
            .chars()
            .take(limits::HELO_SHOWN)
            .map(|c| if c.is_ascii_alphanumeric() || "-._:[]".contains(c) { c } else { '?' })
            .collect();
        let client = match hop.client {
            IpAddr::V4(v4) => format!("[{v4}]"),
            IpAddr::V6(v6) => format!("[IPv6:{v6}]"),
        };
        let mut line = format!(
            "Received: from {helo}\r\n\t({client})\r\n\tby {}\r\n\t({PRODUCT} {})\r\n\twith {} id {}",
            self.hostname,
            self.token(&hop.id.0, hop.recipients),
            with(hop),
            hop.id,
        );
        if let [recipient] = hop.recipients
            && may_be_named(recipient.as_str())
        {
            line += &format!("\r\n\tfor <{recipient}>");
        }
        let date = jiff::fmt::rfc2822::to_string(&hop.at.to_zoned(TimeZone::UTC)).unwrap_or_default();
        line += &format!(";\r\n\t{date}\r\n");
        line.into_bytes()
    }

    /// Whether the header of this message holds a Received line that this gateway wrote for these recipients: it loops.
    pub fn has_been_here(&self, message: &[u8], recipients: &[Address]) -> bool {
        received_fields(message).any(|field| {
            let words: Vec<&str> =
                field.split([' ', '\t', '\r', '\n', '(', ')', ';']).filter(|w| !w.is_empty()).collect();
            let tokens = words.windows(2).filter(|w| w[0] == PRODUCT).map(|w| w[1]);
            let ids: Vec<&str> = words.windows(2).filter(|w| w[0] == "id").map(|w| w[1]).collect();
            // We write one of each, names of hosts may make it a few; a field with many was made to keep us busy.
            tokens.take(4).any(|token| ids.iter().take(4).any(|id| self.is_token(token, id, recipients)))
        })
    }

    /// 128 bits of the HMAC in hexadecimal.
    fn token(&self, id: &str, recipients: &[Address]) -> String {
        let mut names: Vec<String> =
            recipients.iter().map(|r| format!("{}@{}", r.local_unquoted(), r.domain())).collect();
        // A next hop may change their order.
        names.sort_unstable();
        let told = format!("{}\0{id}\0{}", self.hostname, names.join("\0"));
        hmac::sign(&self.key, told.as_bytes()).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Compares every digit whatever the first ones are, so that timing tells a forger nothing.
    fn is_token(&self, token: &str, id: &str, recipients: &[Address]) -> bool {
        let ours = self.token(id, recipients);
        token.len() == ours.len() && token.bytes().zip(ours.bytes()).fold(0, |acc, (a, b)| acc | (a ^ b)) == 0
    }
}

/// How the message came, in the registered words (RFC 3848, RFC 6531 4.3); after HELO there are none for TLS and sign-in.
fn with(hop: &Hop) -> String {
    let protocol = match (hop.smtputf8, hop.esmtp) {
        (true, _) => "UTF8SMTP",
        (false, true) => "ESMTP",
        (false, false) => return "SMTP".to_owned(),
    };
    let (secured, signed_in) = (if hop.encrypted { "S" } else { "" }, if hop.signed_in { "A" } else { "" });
    format!("{protocol}{secured}{signed_in}")
}

/// An address that fits a line of 78 and needs no care in a header.
fn may_be_named(address: &str) -> bool {
    address.len() <= 70 && address.bytes().all(|b| b.is_ascii_graphic() && !br#"()<>,;:\""#.contains(&b))
}

/// The Received fields of a message with CRLF line ends, each with its folded lines.
fn received_fields(message: &[u8]) -> impl Iterator<Item = std::borrow::Cow<'_, str>> {
    let mut rest = message;
    std::iter::from_fn(move || {
        while !rest.is_empty() && !rest.starts_with(b"\r\n") {
            let mut end = 0;
            loop {
                end += memchr::memchr(b'\n', &rest[end..]).map_or(rest.len() - end, |i| i + 1);
                if !matches!(rest.get(end), Some(b' ' | b'\t')) {
                    break;
                }
            }
            let (field, behind) = rest.split_at(end);
            rest = behind;
            if field.get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"Received:")) {
                return Some(String::from_utf8_lossy(field));
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = &[7; 32];

    fn line(tracer: &Tracer, helo: &str, client: &str, recipients: &[&str]) -> String {
        let recipients: Vec<_> = recipients.iter().map(|r| Address::parse(r).unwrap()).collect();
        let at: Timestamp = "2026-11-21T09:05:00Z".parse().unwrap();
        let hop = Hop {
            helo,
            client: client.parse().unwrap(),
            esmtp: true,
            encrypted: false,
            signed_in: false,
            smtputf8: false,
            id: &QueueId("0123456789abcdef".into()),
            recipients: &recipients,
            at,
        };
        String::from_utf8(tracer.received_line(&hop)).unwrap()
    }

    #[test]
    fn the_line_in_full() {
        let tracer = Tracer::new("gate.school.example", KEY);
        let token = tracer.token("0123456789abcdef", &[Address::parse("amy@x.example").unwrap()]);
        assert_eq!(token.len(), 32);
        assert_eq!(
            line(&tracer, "mail.school.example", "192.0.2.1", &["amy@x.example"]),
            format!(
                "Received: from mail.school.example\r\n\t([192.0.2.1])\r\n\tby gate.school.example\r\n\t(schoolgate {token})\r\n\
                 \twith ESMTP id 0123456789abcdef\r\n\tfor <amy@x.example>;\r\n\tSat, 21 Nov 2026 09:05:00 +0000\r\n"
            )
        );
    }

    #[test]
    fn how_it_came_is_told_in_registered_words() {
        let (id, recipients) = (QueueId("0123456789abcdef".into()), []);
        for (esmtp, smtputf8, encrypted, signed_in, told) in [
            (false, false, false, false, "SMTP"),
            (false, false, true, false, "SMTP"),
            (true, false, false, false, "ESMTP"),
            (true, false, true, false, "ESMTPS"),
            (true, false, false, true, "ESMTPA"),
            (true, false, true, true, "ESMTPSA"),
            (true, true, false, false, "UTF8SMTP"),
            (true, true, true, false, "UTF8SMTPS"),
            (true, true, false, true, "UTF8SMTPA"),
            (true, true, true, true, "UTF8SMTPSA"),
        ] {
            let client = "192.0.2.1".parse().unwrap();
            let hop = Hop {
                helo: "h",
                client,
                esmtp,
                encrypted,
                signed_in,
                smtputf8,
                id: &id,
                recipients: &recipients,
                at: Timestamp::UNIX_EPOCH,
            };
            let line = Tracer::new("gate.school.example", KEY).received_line(&hop);
            let text = String::from_utf8(line).unwrap();
            assert!(text.contains(&format!("\r\n\twith {told} id 0123456789abcdef;")), "{told}: {text}");
        }
    }

    /// Relay checklist, row 62.
    #[test]
    fn nobody_else_is_named_and_nothing_is_forged() {
        let tracer = Tracer::new("gate.school.example", KEY);
        let long = format!("{}@x.example", "a".repeat(64));
        for recipients in [&["a@x.example", "b@x.example"][..], &["\"a)b\"@x.example"], &["ä@x.example"], &[&long]] {
            assert!(!line(&tracer, "h", "192.0.2.1", recipients).contains("\tfor "), "{recipients:?}");
        }
        for helo in ["x) by evil (", "x\r\nX: y", "ä;\0", &"h".repeat(255)] {
            let line = line(&tracer, helo, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", &[]);
            let lines: Vec<&str> = line.split_terminator("\r\n").collect();
            assert_eq!(lines.len(), 6, "{line}");
            assert!(
                lines.iter().all(|l| l.len() <= 78 && l.chars().all(|c| c == '\t' || c == ' ' || c.is_ascii_graphic()))
            );
            assert_eq!(line.matches(['(', ')', ';']).count(), 5, "{line}");
        }
    }

    /// Relay checklist, row 65.
    #[test]
    fn our_own_line_is_known_again_and_no_other() {
        let to = |list: &[&str]| list.iter().map(|r| Address::parse(r).unwrap()).collect::<Vec<_>>();
        let (two, one) = (to(&["b@x.example", "a@x.example"]), to(&["a@x.example"]));
        let tracer = Tracer::new("gate.school.example", KEY);
        let ours = line(&tracer, "h", "192.0.2.1", &["a@x.example", "b@X.example"]);
        let message = |received: &str| format!("Subject: x\r\n{received}To: y\r\n\r\nbody\r\n").into_bytes();
        assert!(tracer.has_been_here(&message(&ours), &two));
        let odd = Tracer::new("schoolgate", KEY);
        for helo in ["schoolgate", "id"] {
            let ours = line(&odd, helo, "192.0.2.1", &["a@x.example"]);
            assert!(odd.has_been_here(&message(&ours), &one), "client named {helo}");
        }
        // Other servers may fold and case the field anew.
        let unfolded = ours.trim_end().replace("\r\n\t", " ").replacen("Received", "RECEIVED", 1) + "\r\n";
        assert!(tracer.has_been_here(&message(&unfolded), &two));

        let strangers: &[(&str, Vec<u8>)] = &[
            ("no line", message("")),
            ("quoted in the body", format!("Subject: x\r\n\r\n{ours}").into_bytes()),
            ("token of another id", message(&ours.replace("abcdef", "abcdee"))),
            ("another field", message(&ours.replacen("Received", "X-Received", 1))),
            ("nothing", Vec::new()),
            ("an empty field", b"Received:".to_vec()),
            ("half a token", b"Received: (schoolgate".to_vec()),
            ("a bare line feed", b"\n".to_vec()),
        ];
        for (what, message) in strangers {
            assert!(!tracer.has_been_here(message, &two), "{what}");
        }
        assert!(!tracer.has_been_here(&message(&ours), &one), "sent on to others");
        assert!(!Tracer::new("gate.school.example", &[8; 32]).has_been_here(&message(&ours), &two), "another key");
        assert!(!Tracer::new("other.example", KEY).has_been_here(&message(&ours), &two), "another gateway of ours");
    }
}
