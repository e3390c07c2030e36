//! The PROXY header, versions 1 and 2 (HAProxy, "The PROXY protocol", sections 2.1 and 2.2): who the client is, told by a load balancer
//! before the first octet of SMTP or TLS.
//!
//! Octets in, an address out; whoever calls has made sure that the peer may tell. Bounded: a header that does not end is wrong.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::limits;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// How far a header has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// More is wanted.
    More,
    /// It takes up so many octets of the input, and names the client; `None` where it is the peer itself, or of a kind that has
    /// no address.
    Read {
        /// Octets of the header; the rest is the client's.
        used: usize,
        /// Its address; an IPv4 address is never in its IPv6 form.
        client: Option<IpAddr>,
    },
    /// No PROXY header.
    Wrong,
}

/// Reads the header at the start of a connection.
pub fn read(input: &[u8]) -> Header {
    let starts = |wanted: &[u8]| {
        let both = input.len().min(wanted.len());
        input[..both] == wanted[..both]
    };
    if starts(SIGNATURE) && input.len() >= SIGNATURE.len() {
        second(input)
    } else if starts(b"PROXY ") && input.len() >= b"PROXY ".len() {
        first(input)
    } else if starts(SIGNATURE) || starts(b"PROXY ") {
        Header::More
    } else {
        Header::Wrong
    }
}

/// Version 1: a line of up to 107 octets.
fn first(input: &[u8]) -> Header {
    let within = &input[..input.len().min(limits::PROXY_LINE)];
    let Some(end) = memchr::memmem::find(within, b"\r\n") else {
        return if input.len() >= limits::PROXY_LINE { Header::Wrong } else { Header::More };
    };
    let used = end + 2;
    let Ok(line) = std::str::from_utf8(&input[..end]) else { return Header::Wrong };
    let words: Vec<&str> = line.split(' ').collect();
    let port = |text: &str| (text.len() == 1 || !text.starts_with('0')) && text.parse::<u16>().is_ok();
    match words[..] {
        ["PROXY", "UNKNOWN", ..] => Header::Read { used, client: None },
        ["PROXY", kind @ ("TCP4" | "TCP6"), source, destination, from, to] if port(from) && port(to) => {
            let fits = |address: &IpAddr| address.is_ipv4() == (kind == "TCP4");
            match (source.parse::<IpAddr>(), destination.parse::<IpAddr>()) {
                (Ok(source), Ok(destination)) if fits(&source) && fits(&destination) => {
                    Header::Read { used, client: Some(source.to_canonical()) }
                }
                _ => Header::Wrong,
            }
        }
        _ => Header::Wrong,
    }
}

/// Version 2: binary. What stands behind the addresses (TLVs) is skipped.
fn second(input: &[u8]) -> Header {
    // Version with command, family, and the length of the rest.
    let Some([command, family, length @ ..]) = input.get(SIGNATURE.len()..).and_then(|rest| rest.first_chunk::<4>())
    else {
        return Header::More;
    };
    let length = usize::from(u16::from_be_bytes(*length));
    let addresses = SIGNATURE.len() + 4;
    let used = addresses + length;
    if used > limits::PROXY_OCTETS {
        return Header::Wrong;
    }
    let Some(rest) = input.get(addresses..used) else { return Header::More };
    match (*command, *family) {
        // The balancer speaks for itself, to see whether we are well.
        (0x20, _) => Header::Read { used, client: None },
        (0x21, 0x11) => match rest {
            [a, b, c, d, ..] if length >= 12 => {
                Header::Read { used, client: Some(IpAddr::from(Ipv4Addr::new(*a, *b, *c, *d))) }
            }
            _ => Header::Wrong,
        },
        (0x21, 0x21) => match rest.first_chunk::<16>() {
            Some(octets) if length >= 36 => {
                Header::Read { used, client: Some(IpAddr::from(Ipv6Addr::from(*octets)).to_canonical()) }
            }
            _ => Header::Wrong,
        },
        // Not TCP, or nothing that is known: the address is not to be used.
        (0x21, _) => Header::Read { used, client: None },
        _ => Header::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).expect("short").to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    /// Relay checklist, row 123.
    #[test]
    fn who_the_client_is() {
        let v4 = |more: usize| [&[192, 0, 2, 1, 10, 0, 0, 1, 0, 9, 0, 25][..], &vec![7; more]].concat();
        let v6 = [&"2001:db8::1".parse::<Ipv6Addr>().expect("address").octets()[..], &[0; 20]].concat();
        let mapped = [&"::ffff:192.0.2.1".parse::<Ipv6Addr>().expect("address").octets()[..], &[0; 20]].concat();
        let table: Vec<(Vec<u8>, Option<&str>)> = vec![
            (b"PROXY TCP4 192.0.2.1 10.0.0.1 56324 25\r\n".to_vec(), Some("192.0.2.1")),
            (b"PROXY TCP6 2001:db8::1 ::1 65535 0\r\n".to_vec(), Some("2001:db8::1")),
            (b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 25\r\n".to_vec(), Some("192.0.2.1")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff:f... what ever\r\n".to_vec(), None),
            (binary(0x21, 0x11, &v4(0)), Some("192.0.2.1")),
            (binary(0x21, 0x11, &v4(200)), Some("192.0.2.1")),
            (binary(0x21, 0x21, &v6), Some("2001:db8::1")),
            (binary(0x21, 0x21, &mapped), Some("192.0.2.1")),
            (binary(0x20, 0x00, &[]), None),
            (binary(0x20, 0x11, &v4(0)), None),
            (binary(0x21, 0x31, &[0; 216]), None),
        ];
        for (header, client) in table {
            let shown = header.escape_ascii();
            let wanted = Header::Read { used: header.len(), client: client.map(|c| c.parse().expect("address")) };
            assert_eq!(read(&[&header[..], b"EHLO c\r\n"].concat()), wanted, "{shown}");
            for cut in 0..header.len() {
                assert_eq!(read(&header[..cut]), Header::More, "{shown} cut at {cut}");
            }
        }
    }

    #[test]
    fn what_is_no_header() {
        let long = format!("PROXY TCP4 192.0.2.1 10.0.0.1 1 {}\r\n", "2".repeat(limits::PROXY_LINE));
        let table: Vec<Vec<u8>> = vec![
            b"EHLO c\r\n".to_vec(),
            b"proxy TCP4 192.0.2.1 10.0.0.1 1 25\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 1 25 x\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 01 25\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 10.0.0.1 1 65536\r\n".to_vec(),
            b"PROXY TCP4 2001:db8::1 ::1 1 25\r\n".to_vec(),
            b"PROXY TCP6 192.0.2.1 10.0.0.1 1 25\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.999 10.0.0.1 1 25\r\n".to_vec(),
            b"PROXY  TCP4 192.0.2.1 10.0.0.1 1 25\r\n".to_vec(),
            b"PROXY UDP4 192.0.2.1 10.0.0.1 1 25\r\n".to_vec(),
            b"PROXY \xff\r\n".to_vec(),
            long.into_bytes(),
            binary(0x11, 0x11, &[0; 12]),
            binary(0x22, 0x11, &[0; 12]),
            binary(0x21, 0x11, &[0; 11]),
            binary(0x21, 0x21, &[0; 35]),
            binary(0x21, 0x11, &vec![0; limits::PROXY_OCTETS]),
            b"\x16\x03\x01\x02\x00".to_vec(),
        ];
        for header in table {
            assert_eq!(read(&header), Header::Wrong, "{}", header.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_octets_come_to_an_end(octets in prop::collection::vec(any::<u8>(), 0..64), version in 0..3) {
            let start: &[u8] = [&b""[..], b"PROXY ", SIGNATURE][version as usize];
            let mut input = [start, &octets[..]].concat();
            if let Header::Read { used, .. } = read(&input) {
                prop_assert!(used <= input.len());
            }
            input.resize(limits::PROXY_OCTETS, b' ');
            prop_assert_ne!(read(&input), Header::More);
        }
    }
}
