//! Whether a message is still as its sender signed it (DKIM, RFC 6376 and RFC 8301).
//!
//! Pure: keys are those of a file ([`Keys`]), and nothing is looked up, for there is no resolver here to ask. Signatures, keys and
//! the form of signed headers are mail-auth's; the form of the body is our own ([`body`] says why).
//!
//! What a signature tells, and what it does not:
//! - Its body hash needs no key. A body that does not fit is another body.
//! - Its header fields need the key. Where that is not known, was revoked (`p=` empty), is weaker than RFC 8301 3.2 lets count, or
//!   is not for mail, the body hash alone speaks.
//! - `rsa-sha1` tells nothing (RFC 8301 3.1); nor does a signature that a verifier is to ignore (RFC 6376 6.1.1).
//! - A key that is being tested (`t=y`) tells nothing unless it verifies (RFC 6376 3.6.1).
//! - `x=` is not looked at: it bounds when a message is received (RFC 6376 3.5), which this one was; that it is passed on later
//!   alters nothing.

mod body;
mod keys;
mod tags;

pub use keys::{KeyProblem, Keys};

use mail_auth::AuthenticatedMessage;
use mail_auth::common::crypto::Algorithm;
use mail_auth::dkim::Signature;

use super::header;
use crate::limits;
use keys::Key;
use tags::Tags;

/// What one signature tells of its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Body and signed headers are as they were signed.
    Verified,
    /// The body is; of the headers nothing is known.
    BodyFits,
    /// It is another body.
    OtherBody,
    /// The body is as it was signed, and a signed header is not.
    OtherHeaders,
}

/// The message is not as it was signed: of its signatures, at least one could be checked and none verifies. A message without a
/// signature, or with one that nothing can be told of, counts as unaltered.
///
/// A body that fits no signature but one whose key is not known is what a mailing list makes and signs anew; that is not altered.
/// The first [`limits::DKIM_SIGNATURES`] count. Time grows with the message.
pub fn is_altered(raw: &[u8], keys: &Keys) -> bool {
    let told = told(raw, keys);
    let any = |one| told.contains(&one);
    !any(Told::Verified) && (any(Told::OtherHeaders) || any(Told::OtherBody) && !any(Told::BodyFits))
}

fn told(raw: &[u8], keys: &Keys) -> Vec<Told> {
    let wire = with_crlf(raw);
    let block = header::read_block(&wire, 0);
    if block.headers.len() > limits::DKIM_HEADERS {
        return Vec::new();
    }
    let body = wire.get(block.body..).unwrap_or_default();
    let headers: Vec<(&[u8], &[u8])> = block.headers.iter().filter_map(|h| split(wire.get(h.span.clone())?)).collect();
    let message = AuthenticatedMessage { headers, ..AuthenticatedMessage::default() };
    let signatures = message.headers.iter().filter(|(name, _)| is_name(name, "DKIM-Signature"));
    signatures.take(limits::DKIM_SIGNATURES).filter_map(|field| of_signature(&message, *field, body, keys)).collect()
}

/// What a signature tells; `None` where that is nothing.
fn of_signature(message: &AuthenticatedMessage<'_>, field: (&[u8], &[u8]), body: &[u8], keys: &Keys) -> Option<Told> {
    let (name, value) = field;
    let tags = Tags::read(&String::from_utf8_lossy(value))?;
    let signature = Signature::parse(value).ok()?;
    let signs_from = signature.h.iter().any(|name| name.eq_ignore_ascii_case("From"));
    let may_count = tags.get("v") == Some("1") && tags.get("a").is_some() && signature.a != Algorithm::RsaSha1;
    if !may_count || !signs_from || signature.h.len() > limits::DKIM_SIGNED_HEADERS {
        return None;
    }
    let key = keys.find(&signature.s, &signature.d);
    if !is_within(&signature, key.is_some_and(Key::is_strict)) {
        return None;
    }
    let length = match tags.get("l") {
        None => None,
        Some(length) => Some(length.parse().ok()?),
    };
    let same_body = body::fits(body, signature.cb, length, &signature.bh);
    let is_tested = key.is_some_and(Key::is_tested);
    if !same_body {
        return (!is_tested).then_some(Told::OtherBody);
    }
    // With blanks before a colon (obsolete, RFC 5322 4.5.8) mail-auth does not find a header by its name.
    let can_be_found = message.headers.iter().all(|(name, _)| name.trim_ascii_end() == *name);
    let Some(verifier) = key.filter(|_| can_be_found).and_then(|key| key.verifier(signature.a)) else {
        return Some(Told::BodyFits);
    };
    let unsigned = without_signature(value);
    let mut signed = message.signed_headers(&signature.h, name, &unsigned);
    let verified = verifier.verify(&mut signed, &signature.b, signature.ch, signature.a).is_ok();
    match (verified, is_tested) {
        (true, _) => Some(Told::Verified),
        (false, false) => Some(Told::OtherHeaders),
        (false, true) => None,
    }
}

/// RFC 6376 3.5: whom the signature speaks for is of the domain that signs, or of one below it; with `t=s` at its key, of that one.
fn is_within(signature: &Signature, strict: bool) -> bool {
    if signature.i.is_empty() {
        return true;
    }
    let of = signature.i.rsplit_once('@').map_or("", |(_, domain)| domain).to_ascii_lowercase();
    let by = signature.d.to_ascii_lowercase();
    of == by || !strict && of.strip_suffix(&by).is_some_and(|above| above.ends_with('.'))
}

/// Name and value of a field, with its line end.
fn split(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', field)?;
    Some((field.get(..colon)?, field.get(colon + 1..)?))
}

fn is_name(name: &[u8], wanted: &str) -> bool {
    name.trim_ascii_end().eq_ignore_ascii_case(wanted.as_bytes())
}

/// The field as it was when it was signed: the value of `b=` is empty, and no line end follows (RFC 6376 3.7).
fn without_signature(value: &[u8]) -> Vec<u8> {
    let value = value.strip_suffix(b"\r\n").unwrap_or(value);
    let emptied = value.split(|&byte| byte == b';').map(|tag| match memchr::memchr(b'=', tag) {
        Some(equals) if tag[..equals].trim_ascii().eq_ignore_ascii_case(b"b") => &tag[..=equals],
        _ => tag,
    });
    emptied.collect::<Vec<_>>().join(&b';')
}

/// Line ends as they are on the wire, and one at the end of all.
fn with_crlf(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    for &byte in raw {
        if byte == b'\n' && out.last() != Some(&b'\r') {
            out.push(b'\r');
        }
        out.push(byte);
    }
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests;
