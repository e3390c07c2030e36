//! Tape archives (POSIX.1 ustar), with the long names of GNU.

use super::Why;
use super::file::Content;

const BLOCK: usize = 512;

/// The files of an archive.
pub fn read(bytes: &[u8]) -> Result<Content, Why> {
    let mut content = Content::default();
    let mut long_name: Option<String> = None;
    let mut at = 0;
    while let Some(header) = bytes.get(at..at + BLOCK) {
        if header.iter().all(|b| *b == 0) {
            // Programs that are told to go on behind empty blocks find what stands there.
            if bytes[at..].iter().any(|b| *b != 0) {
                content.incomplete = Some(Why::Damaged);
            }
            return Ok(content);
        }
        let size = octal(&header[124..136]).ok_or(Why::Damaged)?;
        let start = at + BLOCK;
        let Some(data) = bytes.get(start..start.saturating_add(size)) else {
            content.incomplete = Some(Why::Damaged);
            return Ok(content);
        };
        at = start + size.next_multiple_of(BLOCK);
        match header[156] {
            b'L' => long_name = Some(text(data)),
            b'0' | 0 | b'7' => {
                let prefix = text(&header[345..500]);
                let short = text(&header[..100]);
                let name = if prefix.is_empty() { short } else { format!("{prefix}/{short}") };
                content.inner.push((long_name.take().unwrap_or(name), data.to_vec()));
            }
            _ => {}
        }
    }
    // The two empty blocks at the end are missing: perhaps more than they.
    content.incomplete = Some(Why::Damaged);
    Ok(content)
}

fn text(field: &[u8]) -> String {
    let end = memchr::memchr(0, field).unwrap_or(field.len());
    crate::message::guess_text(&field[..end])
}

fn octal(field: &[u8]) -> Option<usize> {
    let digits: String = text(field).trim().to_owned();
    usize::from_str_radix(&digits, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_a_cut() {
        let mut bytes = vec![0u8; BLOCK];
        bytes[..5].copy_from_slice(b"a.txt");
        bytes[124..135].copy_from_slice(b"00000000011");
        bytes[156] = b'0';
        bytes[257..262].copy_from_slice(b"ustar");
        bytes.extend(b"Amy Smith");
        bytes.resize(BLOCK * 4, 0);
        let content = read(&bytes).unwrap();
        assert_eq!(content.inner, [("a.txt".to_owned(), b"Amy Smith".to_vec())]);
        assert!(content.incomplete.is_none());
        let behind = [bytes.as_slice(), &bytes].concat();
        assert_eq!(read(&behind).unwrap().incomplete, Some(Why::Damaged));
        assert_eq!(read(&bytes[..BLOCK + 4]).unwrap().incomplete, Some(Why::Damaged));
    }
}
