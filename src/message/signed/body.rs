//! A body as it was signed (RFC 6376 3.4.3 to 3.4.5).
//!
//! By ourselves: mail-auth 0.13 counts `l=` before the body is brought into its form and takes `l=0` for none, and keeps lines of
//! blanks at the end of a relaxed one. Each would call a message altered that is not.

use mail_auth::dkim::Canonicalization;
use sha2::{Digest, Sha256};

/// Whether a body has the hash that a signature names; `length` is `l=`. Time grows with the body.
pub(super) fn fits(body: &[u8], form: Canonicalization, length: Option<u64>, named: &[u8]) -> bool {
    let canonical = match form {
        Canonicalization::Relaxed => relaxed(body),
        Canonicalization::Simple => simple(body),
    };
    let length = length.map_or(Some(canonical.len()), |length| usize::try_from(length).ok());
    // A body that is shorter than what was signed lacks some of it.
    let signed = length.and_then(|length| canonical.get(..length));
    signed.is_some_and(|signed| Sha256::digest(signed).as_slice() == named)
}

/// RFC 6376 3.4.3: empty lines at the end are left out; a body ends in one line end.
fn simple(body: &[u8]) -> Vec<u8> {
    [without_empty_lines(body), b"\r\n"].concat()
}

/// RFC 6376 3.4.4: blanks at the end of a line are left out, others are one; an empty body stays empty.
fn relaxed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r\n").unwrap_or(line);
        let from = out.len();
        for &byte in line {
            let blank = matches!(byte, b' ' | b'\t');
            match blank {
                true if out.len() > from && out.last() == Some(&b' ') => {}
                true => out.push(b' '),
                false => out.push(byte),
            }
        }
        while out.len() > from && out.last() == Some(&b' ') {
            out.pop();
        }
        out.extend_from_slice(b"\r\n");
    }
    match without_empty_lines(&out) {
        [] => Vec::new(),
        lines => [lines, b"\r\n"].concat(),
    }
}

fn without_empty_lines(body: &[u8]) -> &[u8] {
    let mut rest = body;
    while let Some(shorter) = rest.strip_suffix(b"\r\n") {
        rest = shorter;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use Canonicalization::{Relaxed, Simple};

    fn fits_as(form: Canonicalization, length: Option<u64>, signed: &[u8], body: &str) -> bool {
        fits(body.as_bytes(), form, length, Sha256::digest(signed).as_slice())
    }

    #[test]
    fn a_body_that_is_as_it_was_signed() {
        let rows: &[(Canonicalization, Option<u64>, &[u8], &str)] = &[
            (Simple, None, b"Hello\r\nthere\r\n", "Hello\r\nthere\r\n"),
            (Simple, None, b"Hello\r\n", "Hello\r\n\r\n\r\n"),
            (Simple, None, b"Hello\r\n", "Hello"),
            (Simple, None, b"\r\n", ""),
            (Simple, Some(5), b"Hello", "Hello there\r\n"),
            (Relaxed, None, b"Hello there\r\n\r\n x\r\n", "Hello \t there  \r\n\r\n  x\r\n\r\n"),
            (Relaxed, None, b"Hello\r\n", "Hello\r\n  \r\n\t\r\n"),
            (Relaxed, None, b"", "\r\n"),
            (Relaxed, None, b"", ""),
            (Relaxed, Some(7), b"Hello\r\n", "Hello  \r\nA footer of a list\r\n"),
            (Relaxed, Some(0), b"", "Nothing of this is signed.\r\n"),
        ];
        for (form, length, signed, body) in rows {
            assert!(fits_as(*form, *length, signed, body), "{form:?} {length:?}: {body:?}");
        }
    }

    #[test]
    fn a_body_that_was_amended() {
        let rows: &[(Canonicalization, Option<u64>, &[u8], &str)] = &[
            (Simple, None, b"The fee is 10\r\n", "The fee is 11\r\n"),
            (Simple, None, b"Hello\r\n", "Hello \r\n"),
            (Simple, None, b"Hello\r\n", ""),
            (Relaxed, None, b"Hello there\r\n", "Hello\r\nthere\r\n"),
            (Relaxed, None, b"Hello\r\n", "Hello\r\nmore\r\n"),
            (Relaxed, Some(7), b"Hello\r\n", "Hallo\r\n"),
            (Relaxed, Some(9), b"Hello\r\nxy", "Hello"),
            (Relaxed, Some(u64::MAX), b"Hello\r\n", "Hello"),
        ];
        for (form, length, signed, body) in rows {
            assert!(!fits_as(*form, *length, signed, body), "{form:?} {length:?}: {body:?}");
        }
    }
}
