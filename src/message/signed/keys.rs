//! The keys with which senders sign, from the lines of a file (RFC 6376 3.6).
//!
//! A line is a name and its record, as `dig +noall +answer TXT selector._domainkey.firm.example` prints it, or shorter: without
//! lifetime, class and type, and without quotation marks. CNAME lines are followed within the file.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{Algorithm, VerifyingKey};
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::RSAPublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::tags::Tags;
use crate::limits;

/// Octets of a public key of Ed25519 (RFC 8032 5.1.5).
const ED25519_KEY: usize = 32;

/// Keys by selector and domain.
#[derive(Debug, Clone, Default)]
pub struct Keys(BTreeMap<String, Key>);

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct KeyProblem {
    /// From 1.
    pub line: usize,
    /// In plain words, naming the name.
    pub problem: String,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    record: String,
    /// What it verifies, or why nothing.
    kind: Result<Kind, &'static str>,
    tested: bool,
    strict: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    Ed25519,
}

/// What a line says of its name.
enum Line<'l> {
    Record(String),
    /// Another name has the record.
    Alias(&'l str),
}

impl Keys {
    /// Name and record of each key, in the order of the names.
    pub fn records(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, key)| (name.as_str(), key.record.as_str()))
    }

    /// Reads the lines of a file. Empty ones and those that begin with `#` or `;` are left out. A key that was revoked, or one that
    /// may not count, is taken as such: it is what the sender publishes.
    ///
    /// # Errors
    /// Every line that is no name with a record of a key, or that says otherwise than an earlier one.
    pub fn parse(text: &str) -> Result<Self, Vec<KeyProblem>> {
        let mut keys: BTreeMap<String, (usize, Key)> = BTreeMap::new();
        let mut aliases: BTreeMap<String, (usize, String)> = BTreeMap::new();
        let mut problems = Vec::new();
        for (line, written) in
            text.trim_start_matches('\u{feff}').lines().enumerate().map(|(at, text)| (at + 1, text.trim()))
        {
            if written.is_empty() || written.starts_with(['#', ';']) {
                continue;
            }
            let mut wrong = |problem: String| problems.push(KeyProblem { line, problem });
            let (name, told) = match split(written) {
                Ok(both) => both,
                Err(problem) => {
                    wrong(problem);
                    continue;
                }
            };
            let earlier = match told {
                Line::Alias(target) => {
                    let earlier = aliases.insert(name.clone(), (line, plain(target)));
                    earlier.filter(|(_, before)| *before != plain(target)).map(|(line, _)| line)
                }
                Line::Record(record) => match Key::parse(&record) {
                    Ok(key) => {
                        let earlier = keys.insert(name.clone(), (line, key.clone()));
                        earlier.filter(|(_, before)| *before != key).map(|(line, _)| line)
                    }
                    Err(problem) => {
                        wrong(format!("{name}: {problem}"));
                        None
                    }
                },
            };
            if let Some(earlier) = earlier {
                wrong(format!("{name}: line {earlier} says otherwise; keep the one that the sender publishes now"));
            }
        }
        let mut named: BTreeMap<String, Key> = BTreeMap::new();
        for (name, (line, _)) in &aliases {
            match end_of(name, &aliases).and_then(|end| keys.get(end)) {
                _ if keys.contains_key(name) => {
                    let problem = format!("{name}: it has a record of its own and stands for another name too");
                    problems.push(KeyProblem { line: *line, problem });
                }
                Some((_, key)) => drop(named.insert(name.clone(), key.clone())),
                None => {
                    let problem = format!("{name}: it stands for another name, of which the file has no TXT line");
                    problems.push(KeyProblem { line: *line, problem });
                }
            }
        }
        let is_target = |name: &str| aliases.values().any(|(_, target)| target == name);
        for (name, (line, key)) in keys {
            match name.contains("._domainkey.") {
                true => drop(named.insert(name, key)),
                false if is_target(&name) => {}
                false => {
                    let problem =
                        format!("{name}: a key's name is its selector, `._domainkey.` and the domain that signs");
                    problems.push(KeyProblem { line, problem });
                }
            }
        }
        problems.sort_by_key(|problem| problem.line);
        if problems.is_empty() { Ok(Self(named)) } else { Err(problems) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those with which nothing can be verified, and why.
    pub fn unusable(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.0.iter().filter_map(|(name, key)| Some((name.as_str(), key.kind.err()?)))
    }

    /// The key of a selector at a domain.
    pub(super) fn find(&self, selector: &str, domain: &str) -> Option<&Key> {
        self.0.get(&plain(&format!("{selector}._domainkey.{domain}")))
    }
}

impl Key {
    /// Reads a record (RFC 6376 3.6.1, RFC 8463).
    fn parse(record: &str) -> Result<Self, &'static str> {
        let tags = Tags::read(record).ok_or("this is no record of a key: `v=DKIM1; k=rsa; p=…` is one")?;
        if tags.get("v").is_some_and(|version| version != "DKIM1") {
            return Err("this is a record of something else: v= is not DKIM1");
        }
        let written = tags.get("p").ok_or("the record has no key (p=)")?;
        let bytes = STANDARD
            .decode(written)
            .map_err(|_| "the key (p=) is no base64: part of it is missing, or something else is in it")?;
        let kind = if bytes.is_empty() {
            Err("revoked")
        } else if !tags.allows("h", &["sha256"]) {
            Err("only for hashes that no longer count")
        } else if !tags.allows("s", &["*", "email"]) {
            Err("not for mail")
        } else {
            match tags.get("k").unwrap_or("rsa").to_ascii_lowercase().as_str() {
                "rsa" => match rsa_bits(&bytes).ok_or("the key (p=) is no RSA key: part of it is missing")? {
                    bits if bits < limits::DKIM_RSA_BITS => Err("too short to count"),
                    bits if bits > limits::DKIM_RSA_BITS_MOST => Err("longer than is verified"),
                    _ => Ok(Kind::Rsa),
                },
                "ed25519" if bytes.len() == ED25519_KEY => Ok(Kind::Ed25519),
                "ed25519" => return Err("the key (p=) is no Ed25519 key: it has 32 octets"),
                _ => Err("of a kind that is not known"),
            }
        };
        if kind.is_ok() && DomainKey::parse(record.as_bytes()).is_err() {
            return Err("the record cannot be read");
        }
        Ok(Self { record: record.to_owned(), kind, tested: tags.has("t", "y"), strict: tags.has("t", "s") })
    }

    /// What verifies signatures of this algorithm with it.
    pub(super) fn verifier(&self, algorithm: Algorithm) -> Option<Box<dyn VerifyingKey + Send + Sync>> {
        match (self.kind.ok()?, algorithm) {
            (Kind::Rsa, Algorithm::RsaSha256) | (Kind::Ed25519, Algorithm::Ed25519Sha256) => {
                Some(DomainKey::parse(self.record.as_bytes()).ok()?.p)
            }
            _ => None,
        }
    }

    /// `t=y`: its sender is still trying.
    pub(super) fn is_tested(&self) -> bool {
        self.tested
    }

    /// `t=s`: it signs for its domain alone, and for none below.
    pub(super) fn is_strict(&self) -> bool {
        self.strict
    }
}

/// The size of an RSA key, plain (RFC 8017 A.1.1, as RFC 6376 says) or within what says that it is one (RFC 5280 4.1.2.7, as is usual).
fn rsa_bits(der: &[u8]) -> Option<usize> {
    let wrapped = SubjectPublicKeyInfo::from_der(der).ok().map(|(_, info)| info.subject_public_key.data.into_owned());
    let (rest, key) = RSAPublicKey::from_der(wrapped.as_deref().unwrap_or(der)).ok()?;
    let bits = key.key_size();
    (rest.is_empty() && bits > 0 && key.try_exponent().is_ok()).then_some(bits)
}

/// A name, and what its line says.
fn split(line: &str) -> Result<(String, Line<'_>), String> {
    let (name, mut rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    if name.contains(['"', '=', ';']) {
        return Err(
            "a line begins with a name, as in selector._domainkey.firm.example; `dig +short` leaves it out".to_owned()
        );
    }
    let name = plain(name);
    loop {
        rest = rest.trim_start();
        let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        match word.to_ascii_uppercase().as_str() {
            "" => return Err(format!("{name}: nothing follows the name")),
            "IN" => rest = after,
            "TXT" => return Ok((name, Line::Record(unquoted(after)?))),
            "CNAME" => return Ok((name, Line::Alias(after.trim()))),
            word if word.bytes().all(|byte| byte.is_ascii_digit()) => rest = after,
            _ if rest.starts_with('"') || word.contains('=') => return Ok((name, Line::Record(unquoted(rest)?))),
            _ => return Err(format!("{name}: TXT or CNAME is wanted, or the record itself, and not `{word}`")),
        }
    }
}

/// A record's strings put together, with what a backslash does undone (RFC 1035 5.1); one without quotation marks as it is.
fn unquoted(written: &str) -> Result<String, String> {
    let written = written.trim();
    if !written.starts_with('"') {
        return Ok(written.replace("\\;", ";"));
    }
    let mut out = String::new();
    let (mut inside, mut chars) = (false, written.chars());
    while let Some(c) = chars.next() {
        match c {
            '"' => inside = !inside,
            '\\' if inside => out.extend(chars.next()),
            c if inside => out.push(c),
            ';' => return Ok(out),
            c if c.is_whitespace() => {}
            _ => return Err("something stands between the quotation marks of a record".to_owned()),
        }
    }
    if inside { Err("a quotation mark is left open".to_owned()) } else { Ok(out) }
}

/// A name in small letters and without the dot at its end.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// The name that a name stands for at last.
fn end_of<'a>(name: &'a str, aliases: &'a BTreeMap<String, (usize, String)>) -> Option<&'a str> {
    let mut at = name;
    for _ in 0..limits::DKIM_ALIASES {
        match aliases.get(at) {
            Some((_, target)) => at = target,
            None => return Some(at),
        }
    }
    None
}

#[cfg(test)]
mod tests;
