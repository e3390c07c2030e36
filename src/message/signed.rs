//! Whether a message's body is still the one that its DKIM signature names (RFC 6376): the hash in `bh=` needs no key.
//!
//! A signed header is not looked at: that needs the signer's key, and nothing is looked up here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::header;

/// The body fits none of the message's signatures, and at least one could be checked. A message without a signature, or with
/// one in a form that is not known (RFC 8301 leaves SHA-256), counts as unaltered. Time grows with the message.
pub fn is_body_altered(raw: &[u8]) -> bool {
    let block = header::read_block(raw, 0);
    let body = with_crlf(raw.get(block.body..).unwrap_or_default());
    let signatures = block.headers.iter().filter(|header| header.is("DKIM-Signature"));
    let fits: Vec<bool> = signatures.filter_map(|header| fits(&header.raw_value, &body)).collect();
    !fits.is_empty() && !fits.contains(&true)
}

/// Whether the body has the hash that a signature names; `None` where that cannot be told.
fn fits(signature: &str, body: &[u8]) -> Option<bool> {
    let tag = |name: &str| tag(signature, name);
    if !tag("a")?.to_ascii_lowercase().ends_with("-sha256") {
        return None;
    }
    let named = STANDARD.decode(tag("bh")?).ok()?;
    let form = tag("c").unwrap_or_default().to_ascii_lowercase();
    let canonical = match form.split_once('/').map_or("simple", |(_, body)| body) {
        "relaxed" => relaxed(body),
        "simple" => simple(body),
        _ => return None,
    };
    let signed = match tag("l") {
        None => &canonical[..],
        // A body that is shorter than what was signed lacks some of it.
        Some(length) => match canonical.get(..length.parse().ok()?) {
            Some(signed) => signed,
            None => return Some(false),
        },
    };
    Some(Sha256::digest(signed).as_slice() == named)
}

/// A tag's value without the blanks that fold it (RFC 6376 3.2).
fn tag(signature: &str, name: &str) -> Option<String> {
    let mut tags = signature.split(';').filter_map(|tag| tag.split_once('='));
    let (_, value) = tags.find(|(tag, _)| tag.trim() == name)?;
    Some(value.split_whitespace().collect())
}

/// Line ends as they are on the wire.
fn with_crlf(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for &byte in body {
        if byte == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}

/// RFC 6376 3.4.3: empty lines at the end are left out; a body ends in one line end.
fn simple(body: &[u8]) -> Vec<u8> {
    let mut end = body;
    while let Some(rest) = end.strip_suffix(b"\r\n") {
        end = rest;
    }
    [end, b"\r\n"].concat()
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
    let mut end = &out[..];
    while let Some(rest) = end.strip_suffix(b"\r\n") {
        end = rest;
    }
    if end.is_empty() { Vec::new() } else { [end, b"\r\n"].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of a body, signed as if it were `signed`.
    fn message(form: &str, length: &str, signed: &[u8], body: &str) -> Vec<u8> {
        let hash = STANDARD.encode(Sha256::digest(signed));
        let (one, two) = hash.split_at(20);
        format!("DKIM-Signature: v=1; a=rsa-sha256; c={form};{length} d=a.example; s=s;\r\n h=from:to; bh={one}\r\n {two}; b=AAAA\r\nFrom: a@a.example\r\n\r\n{body}")
            .into_bytes()
    }

    #[test]
    fn a_body_that_is_as_it_was_signed() {
        let rows: &[(&str, &str, &[u8], &str)] = &[
            ("simple/simple", "", b"Hello\r\nthere\r\n", "Hello\r\nthere\r\n"),
            ("simple/simple", "", b"Hello\r\n", "Hello\r\n\r\n\r\n"),
            ("simple/simple", "", b"Hello\r\n", "Hello"),
            ("simple", "", b"\r\n", ""),
            ("relaxed/relaxed", "", b"Hello there\r\n\r\n x\r\n", "Hello \t there  \r\n\r\n  x\r\n\r\n"),
            ("relaxed/relaxed", "", b"Hello\r\n", "Hello\n"),
            ("relaxed/relaxed", "", b"", "\r\n"),
            ("relaxed/relaxed", " l=7;", b"Hello\r\n", "Hello\r\nA footer of a list\r\n"),
        ];
        for (form, length, signed, body) in rows {
            assert!(!is_body_altered(&message(form, length, signed, body)), "{form}: {body:?}");
        }
        // What cannot be told is not altered.
        assert!(!is_body_altered(b"From: a@a.example\r\n\r\nHello"));
        let other = String::from_utf8(message("simple/simple", "", b"x", "y")).expect("text");
        assert!(!is_body_altered(other.replace("rsa-sha256", "rsa-sha1").as_bytes()));
        assert!(!is_body_altered(other.replace("simple/simple", "simple/other").as_bytes()));
        // One signature of two fits.
        let sound = String::from_utf8(message("simple/simple", "", b"y\r\n", "y")).expect("text");
        let both = [other.split("From:").next().expect("a head"), &sound].concat();
        assert!(!is_body_altered(both.as_bytes()));
    }

    #[test]
    fn a_body_that_was_amended() {
        let rows: &[(&str, &str, &[u8], &str)] = &[
            ("simple/simple", "", b"The fee is 10\r\n", "The fee is 11\r\n"),
            ("simple/simple", "", b"Hello\r\n", "Hello \r\n"),
            ("relaxed/relaxed", "", b"Hello there\r\n", "Hello\r\nthere\r\n"),
            ("relaxed/relaxed", "", b"Hello\r\n", "Hello\r\nmore\r\n"),
            ("relaxed/relaxed", " l=7;", b"Hello\r\n", "Hallo\r\n"),
            ("relaxed/relaxed", " l=9;", b"Hello\r\nxy", "Hello"),
        ];
        for (form, length, signed, body) in rows {
            assert!(is_body_altered(&message(form, length, signed, body)), "{form}: {body:?}");
        }
    }
}
