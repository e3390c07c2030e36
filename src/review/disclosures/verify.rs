//! Whether an export is the one that was made: every hash of its manifest, and every line of the audit in it.
//!
//! Needs nothing but the folder. Whoever has the store compares the lines with it besides.

use std::collections::BTreeSet;
use std::path::Path;

use super::bundle::{FORMAT, MANIFEST, Manifest, hex, sha256};
use crate::store::AuditLink;

/// What was found of an export.
#[derive(Debug, Default)]
pub struct Verified {
    /// What is wrong, each with its file.
    pub faults: Vec<String>,
    /// Files that were compared.
    pub files: usize,
    /// Lines of the audit that stand in it.
    pub links: Vec<AuditLink>,
    /// SHA-256 of the manifest.
    pub manifest: String,
}

/// Goes through an export.
///
/// # Errors
/// The manifest is not there: then it is no export, or half of one.
pub fn verify(folder: &Path) -> std::io::Result<Verified> {
    let bytes = std::fs::read(folder.join(MANIFEST))?;
    let mut found = Verified { manifest: hex(&sha256(&bytes)), ..Verified::default() };
    let manifest: Manifest = match serde_json::from_slice(&bytes) {
        Ok(manifest) => manifest,
        Err(_) => {
            found.faults.push(format!("{MANIFEST}: it was changed: it does not read"));
            return Ok(found);
        }
    };
    let as_written = manifest.clone().sealed().and_then(|sealed| sealed.bytes()).unwrap_or_default();
    if as_written != bytes || manifest.format != FORMAT {
        found.faults.push(format!("{MANIFEST}: it was changed"));
    }
    let mut known: BTreeSet<String> = BTreeSet::from([MANIFEST.to_owned()]);
    for entry in &manifest.files {
        known.insert(entry.path.clone());
        let inside = !entry.path.split('/').any(|part| part.is_empty() || part == ".." || part == ".");
        match inside.then(|| std::fs::read(folder.join(&entry.path))) {
            None => found.faults.push(format!("{}: it is no file of an export", entry.path)),
            Some(Err(_)) => found.faults.push(format!("{}: it is missing", entry.path)),
            Some(Ok(bytes)) => {
                found.files += 1;
                if hex(&sha256(&bytes)) != entry.sha256 || bytes.len() as u64 != entry.octets {
                    found.faults.push(format!("{}: it was changed", entry.path));
                }
                if entry.path == "audit.jsonl" {
                    found.read_lines(&bytes);
                }
            }
        }
    }
    for path in files_of(folder, "")? {
        if !known.contains(&path) {
            found.faults.push(format!("{path}: it is not of this export"));
        }
    }
    Ok(found)
}

impl Verified {
    fn read_lines(&mut self, bytes: &[u8]) {
        for line in String::from_utf8_lossy(bytes).lines() {
            match AuditLink::of_json(line) {
                None => self.faults.push("audit.jsonl: a line does not read".to_owned()),
                Some(link) => {
                    if !link.holds() {
                        self.faults.push(format!("audit.jsonl: line {} was changed", link.line.seq));
                    }
                    let before = self.links.last();
                    let follows = before.is_none_or(|before: &AuditLink| match link.line.seq - before.line.seq {
                        1 => link.prev == before.hash,
                        apart => apart > 1,
                    });
                    if !follows {
                        let seq = link.line.seq;
                        self.faults.push(format!("audit.jsonl: line {seq} does not follow from the line before"));
                    }
                    self.links.push(link);
                }
            }
        }
    }
}

/// Every file below a folder, by its path with `/`.
fn files_of(folder: &Path, begin: &str) -> std::io::Result<Vec<String>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{begin}{}", entry.file_name().to_string_lossy());
        match entry.file_type()?.is_dir() {
            true => all.extend(files_of(&entry.path(), &format!("{path}/"))?),
            false => all.push(path),
        }
    }
    all.sort();
    Ok(all)
}
