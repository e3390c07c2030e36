//! Messages of a folder, an mbox or a Maildir, one after the other; never more than one of them in memory here.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mail_parser::mailbox::mbox;

/// One message, with a name by which a person finds it again.
pub struct Kept {
    /// Path of the file, or of the mbox with the number of the message.
    pub name: String,
    /// Its bytes, or why they could not be read.
    pub raw: Result<Vec<u8>>,
}

/// The messages below `path`: a single message, an mbox (its first line starts with `From `), a Maildir or a folder that
/// is searched for files ending in `.eml`, folders within it included. In order of name.
pub fn messages(path: &Path) -> Result<(u64, Box<dyn Iterator<Item = Kept> + Send>)> {
    let cannot = || format!("{}: cannot be read", path.display());
    let metadata = path.metadata().with_context(cannot)?;
    if metadata.is_dir() {
        let mut files = Vec::new();
        let maildir = path.join("cur").is_dir();
        collect(path, maildir, &mut files).with_context(cannot)?;
        files.sort();
        return Ok((files.len() as u64, Box::new(files.into_iter().map(file))));
    }
    let mut start = [0; 5];
    let mut opened = File::open(path).with_context(cannot)?;
    let read = opened.read(&mut start).with_context(cannot)?;
    if start[..read] != *b"From " {
        return Ok((1, Box::new(std::iter::once(file(path.to_owned())))));
    }
    opened.rewind().with_context(cannot)?;
    // The count that the progress bar wants costs one more pass over the file, without keeping it.
    let count = mbox::MessageIterator::new(BufReader::new(File::open(path).with_context(cannot)?)).count() as u64;
    let shown = path.display().to_string();
    let numbered = mbox::MessageIterator::new(BufReader::new(opened)).enumerate().map(move |(i, message)| Kept {
        name: format!("{shown}, message {}", i + 1),
        raw: message.map(mbox::Message::unwrap_contents).context("cannot be read"),
    });
    Ok((count, Box::new(numbered)))
}

fn file(path: PathBuf) -> Kept {
    Kept { raw: std::fs::read(&path).context("cannot be read"), name: path.display().to_string() }
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
