//! Messages of a folder, an mbox or a Maildir, one after the other; never more than one of them in memory here. What is no
//! mail is told, not passed on.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use mail_parser::mailbox::mbox;

/// One message, with a name by which a person finds it again.
pub struct Kept {
    /// Path of the file, or of the mbox with the number of the message.
    pub name: String,
    /// Its bytes, or why they could not be read or are no mail.
    pub raw: Result<Vec<u8>>,
}

/// The messages below `path`: a single message, an mbox (its first line starts with `From `), a Maildir or a folder that
/// is searched for files ending in `.eml`, folders within it included. In order of name, numbers by their value.
///
/// # Errors
/// What is named cannot be read, or holds no mail.
pub fn messages(path: &Path) -> Result<(u64, Box<dyn Iterator<Item = Kept> + Send>)> {
    let cannot = || format!("{}: cannot be read", path.display());
    let metadata = path.metadata().with_context(cannot)?;
    if metadata.is_dir() {
        let mut files = Vec::new();
        let maildir = path.join("cur").is_dir();
        collect(path, maildir, &mut files).with_context(cannot)?;
        files.sort_by(|a, b| natural(&a.to_string_lossy(), &b.to_string_lossy()));
        if files.is_empty() {
            bail!(
                "{}: no mail: there is no .eml file in this folder, and it is no Maildir with messages",
                path.display()
            );
        }
        return Ok((files.len() as u64, Box::new(files.into_iter().map(file))));
    }
    let mut start = [0; 5];
    let mut opened = File::open(path).with_context(cannot)?;
    let read = opened.read(&mut start).with_context(cannot)?;
    if read == 0 {
        bail!("{}: no mail: the file is empty", path.display());
    }
    if start[..read] != *b"From " {
        return Ok((1, Box::new(std::iter::once(file(path.to_owned())))));
    }
    opened.rewind().with_context(cannot)?;
    // The count that the progress bar wants costs one more pass over the file, without keeping it.
    let count = mbox::MessageIterator::new(BufReader::new(File::open(path).with_context(cannot)?)).count() as u64;
    let shown = path.display().to_string();
    if count == 0 {
        bail!("{}: no mail: this mbox holds no message", path.display());
    }
    let numbered = mbox::MessageIterator::new(BufReader::new(opened)).enumerate().map(move |(i, message)| Kept {
        name: format!("{shown}, message {}", i + 1),
        raw: message.map(mbox::Message::unwrap_contents).context("cannot be read").and_then(mail),
    });
    Ok((count, Box::new(numbered)))
}

fn file(path: PathBuf) -> Kept {
    Kept { raw: std::fs::read(&path).context("cannot be read").and_then(mail), name: path.display().to_string() }
}

/// The bytes, if they are a message: headers stand at the top, a field name and a colon (RFC 5322 2.2), and no NUL is in
/// them.
///
/// # Errors
/// Why they are none.
pub fn mail(raw: Vec<u8>) -> Result<Vec<u8>> {
    let head = raw.split(|&byte| byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut fields = 0usize;
    for line in head.skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty()) {
        if line.contains(&0) {
            bail!("is no mail: it is binary");
        }
        fields += usize::from(is_field(line));
    }
    match (fields, raw.is_empty()) {
        (0, true) => bail!("is no mail: it is empty"),
        (0, false) => bail!("is no mail: it has no header line"),
        _ => Ok(raw),
    }
}

/// `Name: value`, with a name as every program writes it.
fn is_field(line: &[u8]) -> bool {
    let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
    let name = name.trim_ascii_end();
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.len() < line.len() && name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(letter)
}

/// By the letters, and numbers by their value: `2.eml` before `10.eml`.
pub fn natural(one: &str, other: &str) -> Ordering {
    let (mut a, mut b) = (one.as_bytes(), other.as_bytes());
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    while let (Some(&x), Some(&y)) = (a.first(), b.first()) {
        let (m, n) = (digits(a), digits(b));
        let order = if m > 0 && n > 0 {
            let value =
                |text: &[u8]| text.iter().position(|&byte| byte != b'0').map_or(Vec::new(), |at| text[at..].to_vec());
            let (x, y) = (value(&a[..m]), value(&b[..n]));
            (a, b) = (&a[m..], &b[n..]);
            x.len().cmp(&y.len()).then(x.cmp(&y))
        } else {
            (a, b) = (&a[1..], &b[1..]);
            x.cmp(&y)
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len()).then_with(|| one.cmp(other))
}

fn collect(folder: &Path, maildir: bool, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            // A Maildir's tmp holds what is still being written.
            if !(maildir && entry.file_name() == "tmp") {
                collect(&path, maildir, files)?;
            }
        } else if kind.is_file() {
            let in_maildir = maildir && path.parent().is_some_and(|p| p.ends_with("cur") || p.ends_with("new"));
            if in_maildir || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("eml")) {
                files.push(path);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_by_their_value() {
        let mut names = ["10.eml", "b2", "2.eml", "02.eml", "1.eml", "b10", "a, message 9", "a, message 11", "b"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["1.eml", "02.eml", "2.eml", "10.eml", "a, message 9", "a, message 11", "b", "b2", "b10"]);
    }

    #[test]
    fn what_is_mail() {
        for (raw, is) in [
            (&b"Subject: x\r\n\r\nbody"[..], true),
            (b"Received: by x\n for y\nFrom: a@b\n\n\0\0", true),
            (b"\r\nSubject: after a blank line\r\n", true),
            (b"X_odd.name : v\n", true),
            (b"", false),
            (b"\n\n", false),
            (b"Dear all,\nthe trip: off\n", false),
            (b"PK\x03\x04\x14\x00\x06\x00", false),
            (b"Subject: x\0\n\n", false),
            (b"{\"id\": 1}\n", false),
            (b"<html>\n<a href='http://x'>", false),
            (b"id,name\n1,x\n", false),
        ] {
            assert_eq!(mail(raw.to_vec()).is_ok(), is, "{:?}", String::from_utf8_lossy(raw));
        }
    }

    fn names_and_sizes(path: &Path) -> Vec<(String, usize)> {
        let (count, messages) = messages(path).expect("readable");
        let found: Vec<_> =
            messages.map(|m| (m.name.replace(&path.display().to_string(), ""), m.raw.expect("bytes").len())).collect();
        assert_eq!(count as usize, found.len());
        found
    }

    #[test]
    fn folder_mbox_maildir_and_single_file() {
        let dir = tempfile::tempdir().expect("tempdir");
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("mkdir");
            std::fs::write(&path, text).expect("write");
            path
        };
        write("mail/b.eml", "Subject: b\n\nbb\n");
        write("mail/deep/a.EML", "Subject: a\n\n");
        write("mail/notes.txt", "no mail");
        assert_eq!(names_and_sizes(&dir.path().join("mail")), [("/b.eml".into(), 15), ("/deep/a.EML".into(), 12)]);
        write("md/cur/1:2,S", "Subject: 1\n\n");
        write("md/new/2", "Subject: 2\n\nx");
        write("md/tmp/3", "half");
        assert_eq!(names_and_sizes(&dir.path().join("md")), [("/cur/1:2,S".into(), 12), ("/new/2".into(), 13)]);
        let mbox = write(
            "m.mbox",
            "From a@b Sat Nov 21 10:00:00 2026\nSubject: 1\n\none\n\nFrom a@b Sat Nov 21 10:00:00 2026\nSubject: 2\n\n>From here\n\n",
        );
        let found = names_and_sizes(&mbox);
        assert_eq!(found.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(), [", message 1", ", message 2"]);
        let single = write("one.eml", "Subject: one\n\n");
        assert_eq!(names_and_sizes(&single), [(String::new(), 14)]);
    }
}
