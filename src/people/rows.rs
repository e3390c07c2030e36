//! Delimited text to records with the line each begins on.

/// Line (from 1) and cells of each row that is not blank, up to `most` rows; cells are trimmed, and rows may be of any
/// length. The line is that of a text editor, whether lines end with LF, CR LF or CR.
pub fn rows(text: &str, separator: u8, most: usize) -> Vec<(u64, csv::StringRecord)> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let bytes = text.as_bytes();
    let (mut line, mut at) = (1u64, 0usize);
    let mut out = Vec::new();
    // The text is UTF-8 and rows may be of any length: there is nothing left that could fail.
    for record in reader.records().flatten() {
        if out.len() >= most {
            break;
        }
        let start = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(at);
        // The reader's own count stops before the LF of a CR LF, and before blank lines.
        let blank = bytes[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        line += line_ends(&bytes[at..start + blank]);
        at = start + blank;
        if record.iter().any(|cell| !cell.is_empty()) {
            out.push((line, record));
        }
    }
    out
}

fn line_ends(bytes: &[u8]) -> u64 {
    let lone = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    (0..bytes.len()).filter(|&at| bytes[at] == b'\n' || lone(at)).count() as u64
}

#[cfg(test)]
mod tests {
    #[test]
    fn lines_as_an_editor_counts_them() {
        for (text, want) in [
            ("a,b\n\n\nc,\"d\ne\"\nf\n", vec![1, 4, 6]),
            ("a,b\r\n\r\n\r\nc,\"d\r\ne\"\r\nf\r\n", vec![1, 4, 6]),
            ("a,b\r\r\rc,\"d\re\"\rf", vec![1, 4, 6]),
            ("\r\n\r\na\r\n,,\r\nb", vec![3, 5]),
            ("", vec![]),
        ] {
            let lines: Vec<u64> = super::rows(text, b',', usize::MAX).into_iter().map(|(line, _)| line).collect();
            assert_eq!(lines, want, "{text:?}");
        }
    }
}
