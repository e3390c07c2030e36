//! ZIP archives read defensively: as archives of files, and as the packages that office formats are.
//!
//! Sizes are those of the bytes really unpacked, never the declared ones. An archive whose central directory and local
//! headers tell different stories is contradictory: programs disagree on what it holds.

use std::io::{Cursor, Read};
use std::time::Duration;

use zip::ZipArchive;

use super::password::try_each;
use super::{Why, zip_walk};
use crate::limits;

/// What may still be read of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Files and members.
    pub parts: usize,
    /// Unpacked octets.
    pub bytes: usize,
    /// Octets of text: what stands in many places counts in each.
    pub text: usize,
    /// Time in workers.
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            parts: limits::EXTRACT_PARTS,
            bytes: limits::EXTRACT_BYTES,
            text: limits::EXTRACT_TEXT,
            time: Duration::from_secs(limits::EXTRACT_SECONDS),
        }
    }
}

impl Budget {
    /// Counts one more part.
    pub fn part(&mut self) -> Result<(), Why> {
        self.parts = self.parts.checked_sub(1).ok_or(Why::BeyondLimit)?;
        Ok(())
    }

    /// Reads to the end, within what is left and within the ratio to the `packed` octets.
    pub fn unpack(&mut self, packed: usize, from: impl Read) -> Result<Vec<u8>, Why> {
        let ratio = packed.saturating_mul(limits::EXTRACT_RATIO).saturating_add(limits::EXTRACT_SLACK);
        let most = self.bytes.min(ratio);
        let mut out = Vec::new();
        let read = from.take(most as u64 + 1).read_to_end(&mut out);
        if out.len() > most {
            return Err(Why::BeyondLimit);
        }
        self.bytes -= out.len();
        read.map(|_| out).map_err(|_| Why::Damaged)
    }
}

/// One member of an archive.
pub struct Member {
    /// With its folders, separated by `/`.
    pub name: String,
    /// Its bytes, or why there are none.
    pub content: Result<Vec<u8>, Why>,
}

/// An archive as read.
#[derive(Default)]
pub struct Package {
    /// In the order of the directory, folders left out.
    pub members: Vec<Member>,
    /// Names of folders that the archive says to be empty.
    pub folders: Vec<String>,
    /// What the directory says about members in words.
    pub comments: Vec<String>,
    /// What stands behind the directory: the comment of the archive, or anything else.
    pub behind: Vec<u8>,
    /// The directory and the archive's own headers disagree.
    pub contradictory: bool,
    /// A password of the message has opened members.
    pub opened_with_password: bool,
}

impl Package {
    /// The readable content of a member.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let member = self.members.iter().find(|m| m.name.eq_ignore_ascii_case(name))?;
        member.content.as_deref().ok()
    }

    /// The content of a member without which nothing can be read.
    pub fn need(&self, name: &str) -> Result<&[u8], Why> {
        let member = self.members.iter().find(|m| m.name.eq_ignore_ascii_case(name)).ok_or(Why::Damaged)?;
        member.content.as_deref().map_err(|why| *why)
    }

    /// The worst reason for which a member that `concerns` names could not be read.
    pub fn trouble(&self, concerns: impl Fn(&str) -> bool) -> Option<Why> {
        self.members.iter().filter(|m| concerns(&m.name)).find_map(|m| m.content.as_ref().err().copied())
    }
}

/// The names in an archive's directory, without unpacking.
pub fn names(bytes: &[u8]) -> Result<Vec<String>, Why> {
    let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Why::Damaged)?;
    Ok(archive.file_names().map(|n| n.map(|n| n.into_owned()).unwrap_or_default()).collect())
}

/// Two members by name, where they are there, can be unpacked and are no longer than [`limits::PACKAGE_HEAD`].
pub fn heads(bytes: &[u8], names: [&str; 2]) -> [Option<Vec<u8>>; 2] {
    let Ok(mut archive) = ZipArchive::new(Cursor::new(bytes)) else { return [None, None] };
    names.map(|wanted| {
        let is = |n: zip::result::ZipResult<std::borrow::Cow<'_, str>>| n.is_ok_and(|n| n.eq_ignore_ascii_case(wanted));
        let index = archive.file_names().position(is)?;
        let mut out = Vec::new();
        archive.by_index(index).ok()?.take(limits::PACKAGE_HEAD).read_to_end(&mut out).ok()?;
        ((out.len() as u64) < limits::PACKAGE_HEAD).then_some(out)
    })
}

/// Reads all members; of those that are encrypted, what one of the `passwords` opens.
pub fn read(bytes: &[u8], budget: &mut Budget, passwords: &[String]) -> Result<Package, Why> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| Why::Damaged)?;
    let duplicates = archive.has_duplicate_names();
    let mut folders = Vec::new();
    let mut comments: Vec<String> = Vec::new();
    let mut members = Vec::new();
    let mut known: Vec<String> = Vec::new();
    for index in 0..archive.len() {
        budget.part()?;
        let (name, encrypted, folder, packed) = match archive.by_index_raw(index) {
            Ok(file) => {
                let name = match file.name() {
                    Ok(name) => name.into_owned(),
                    Err(_) => crate::message::guess_text(file.name_raw()),
                };
                let comment = file.comment().trim();
                if comment.chars().any(char::is_alphanumeric) && !comments.iter().any(|known| known == comment) {
                    comments.push(comment.to_owned());
                }
                (name, file.encrypted(), file.is_dir(), file.compressed_size() as usize)
            }
            Err(_) => {
                members.push(Member { name: format!("member {}", index + 1), content: Err(Why::Damaged) });
                continue;
            }
        };
        // A folder has no content: some programs seal or pack the nothing, and a name may lie.
        if folder && (packed == 0 || encrypted && packed <= 16) {
            folders.push(name.trim_end_matches(['/', '\\']).replace('\\', "/"));
            continue;
        }
        let content = if encrypted {
            // Members share their password as a rule: what has opened one is tried first on the next.
            let mut tried = |password: &str| decrypted(&mut archive, index, packed.min(bytes.len()), budget, password);
            match known.first().map(|password| tried(password)) {
                Some(Ok(content)) => Ok(content),
                _ => try_each(passwords, |password| {
                    let content = tried(password)?;
                    known = vec![password.to_owned()];
                    Ok(content)
                }),
            }
        } else {
            match archive.by_index(index) {
                // No archive can pack more than it is long.
                Ok(file) => budget.unpack(packed.min(bytes.len()), file),
                Err(zip::result::ZipError::UnsupportedArchive(_)) => Err(Why::UnknownType),
                Err(_) => Err(Why::Damaged),
            }
        };
        let name = name.replace('\\', "/");
        if folder && content.as_ref().is_ok_and(Vec::is_empty) {
            folders.push(name.trim_end_matches('/').to_owned());
            continue;
        }
        members.push(Member { name: name.trim_end_matches('/').to_owned(), content });
    }
    let second = zip_walk::read(bytes, budget);
    members.extend(second.hidden);
    // Two directories, and each reading has taken another one.
    let other = second.named.is_some_and(|named| named != archive.len());
    let contradictory = duplicates || other || second.contradictory;
    let (behind, opened_with_password) = (second.behind, !known.is_empty());
    Ok(Package { members, folders, comments, behind, contradictory, opened_with_password })
}

/// One member, if the password is right: the check of a wrong one passes by chance, what comes out then does not.
fn decrypted(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    packed: usize,
    budget: &mut Budget,
    password: &str,
) -> Result<Vec<u8>, Why> {
    let file = archive.by_index_decrypt(index, password.as_bytes()).map_err(|_| Why::Encrypted)?;
    let mut tried = *budget;
    match tried.unpack(packed, file) {
        Err(Why::Damaged) => Err(Why::Encrypted),
        other => {
            *budget = tried;
            other
        }
    }
}

#[cfg(test)]
pub mod tests {
    use std::io::Write;

    use zip::write::SimpleFileOptions;

    use super::*;

    /// An archive of texts, for the tests of every format that is one.
    pub fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in members {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn a_bomb_is_stopped_by_its_real_bytes() {
        let bomb = archive(&[("zeros.txt", &vec![b'0'; 64 << 20])]);
        assert!(bomb.len() < 200_000);
        let package = read(&bomb, &mut Budget::default(), &[]).unwrap();
        assert_eq!(package.members[0].content.as_ref().err(), Some(&Why::BeyondLimit));
    }

    #[test]
    fn more_parts_than_allowed() {
        let many = archive(&[("a", b"1"), ("b", b"2")]);
        let mut budget = Budget { parts: 1, bytes: 100, ..Budget::default() };
        assert_eq!(read(&many, &mut budget, &[]).err(), Some(Why::BeyondLimit));
    }

    #[test]
    fn a_directory_that_tells_another_name_is_contradictory() {
        let mut bytes = archive(&[("list.txt", b"Amy Smith")]);
        assert!(!read(&bytes, &mut Budget::default(), &[]).unwrap().contradictory);
        let at = bytes.windows(8).position(|w| w == b"list.txt").unwrap();
        bytes[at..at + 8].copy_from_slice(b"menu.txt");
        assert!(read(&bytes, &mut Budget::default(), &[]).unwrap().contradictory);
    }

    #[test]
    fn a_folder_with_content_is_a_file() {
        let mut bytes = archive(&[("list.txt", b"Amy Smith"), ("none.txt", b"")]);
        for (from, to) in [(b"list.txt", b"list.tx/"), (b"none.txt", b"none.tx/")] {
            for at in memchr::memmem::find_iter(&bytes.clone(), from) {
                bytes[at..at + 8].copy_from_slice(to);
            }
        }
        let package = read(&bytes, &mut Budget::default(), &[]).unwrap();
        assert!(!package.contradictory);
        assert_eq!((package.members[0].name.as_str(), package.members.len()), ("list.tx", 1));
        assert_eq!(package.members[0].content.as_deref(), Ok(b"Amy Smith".as_slice()));
        assert_eq!(package.folders, ["none.tx"]);
    }

    #[test]
    fn times_may_differ_and_comments_are_kept() {
        let mut bytes = archive(&[("list.txt", b"Amy Smith")]);
        bytes[10..14].copy_from_slice(&[1, 2, 3, 0x44]);
        let end = bytes.len();
        bytes[end - 2] = 4;
        bytes.extend(b"Ruby and what follows");
        let package = read(&bytes, &mut Budget::default(), &[]).unwrap();
        assert!(!package.contradictory);
        assert_eq!(package.behind, b"Ruby and what follows");
    }

    #[test]
    fn cut_short() {
        let bytes = archive(&[("list.txt", b"Amy Smith")]);
        assert_eq!(read(&bytes[..bytes.len() / 2], &mut Budget::default(), &[]).err(), Some(Why::Damaged));
    }
}
