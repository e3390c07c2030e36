//! xtext (RFC 3461 4): printable ASCII in which `+` and two upper-case hexadecimal digits stand for an octet.

/// The octets that it stands for; `None` where it is no xtext.
pub fn decoded(xtext: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(xtext.len());
    let mut rest = xtext.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            b'!'..=b'~' if octet != b'=' => octet,
            _ => return None,
        });
    }
    Some(octets)
}

fn digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_stands_for_and_what_is_none() {
        for (xtext, octets) in [
            ("", Some(&b""[..])),
            ("plain!~", Some(b"plain!~")),
            ("a+2Bb+3Dc", Some(b"a+b=c")),
            ("+0D+0A+00+FF", Some(b"\r\n\0\xff")),
            ("a=b", None),
            ("a b", None),
            ("a\tb", None),
            ("\u{f8}", None),
            ("+", None),
            ("+2", None),
            ("+2b", None),
            ("++B", None),
            ("+ 2B", None),
            ("+2G", None),
        ] {
            assert_eq!(decoded(xtext).as_deref(), octets, "{xtext:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}|[+0-9A-Fa-f=]{0,20}") {
            if let Some(octets) = decoded(&text) {
                proptest::prop_assert!(text.is_ascii() && octets.len() <= text.len());
            }
        }
    }
}
