//! Comma, semicolon and tab separated lists (RFC 4180 and its neighbours) to one table.

use crate::text::{Block, RowPlace, RowView, TableWriter};

/// Reads a list; lines before it that have no columns are paragraphs.
pub fn read(text: &str) -> Vec<Block> {
    let text = text.trim_start_matches('\u{feff}');
    let (delimiter, text) = delimiter(text);
    use csv::StringRecord;
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut writer = TableWriter::default();
    let (mut record, mut number, mut columns) = (StringRecord::new(), 0, 0);
    // Only invalid UTF-8 can fail here, and the text is UTF-8.
    while reader.read_record(&mut record).unwrap_or(true) {
        number += 1;
        writer.row(RowPlace::Numbered { number, hidden: false });
        record.iter().enumerate().for_each(|(column, cell)| writer.cell(column, cell));
        if writer.is_row_filled() {
            columns = columns.max(record.len());
        }
    }
    let table = writer.finish(None);
    if columns < 2 {
        return table.rows().flat_map(RowView::texts).map(Block::paragraph).collect();
    }
    vec![Block::Table(table)]
}

/// Excel's own `sep=;` line, or what the first lines hold most of.
fn delimiter(text: &str) -> (u8, &str) {
    if let Some((line, rest)) = text.split_once('\n')
        && let Some(&[delimiter]) = line.trim_end().strip_prefix("sep=").map(str::as_bytes)
    {
        return (delimiter, rest);
    }
    let first: Vec<&str> = text.lines().filter(|l| !l.trim().is_empty()).take(10).collect();
    let count = |d: char| first.iter().map(|line| outside_quotes(line, d)).sum::<usize>();
    let best = [('\t', b'\t'), (';', b';'), ('|', b'|'), (',', b',')].into_iter().max_by_key(|(c, _)| count(*c));
    (best.map_or(b',', |(_, byte)| byte), text)
}

fn outside_quotes(line: &str, delimiter: char) -> usize {
    let mut quoted = false;
    line.chars()
        .filter(|c| {
            quoted ^= *c == '"';
            *c == delimiter && !quoted
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters() {
        for (text, expected) in [
            ("a,b\n1,2\n", vec![vec!["a", "b"], vec!["1", "2"]]),
            ("a;b\n1;\"2;3\"\n", vec![vec!["a", "b"], vec!["1", "2;3"]]),
            ("a\tb\n1,5\t2\n", vec![vec!["a", "b"], vec!["1,5", "2"]]),
            ("sep=;\na;b\n", vec![vec!["a", "b"]]),
            ("\u{feff}a,b\n,,\n\"x\ny\",z", vec![vec!["a", "b"], vec!["x\ny", "z"]]),
        ] {
            let blocks = read(text);
            let [Block::Table(table)] = blocks.as_slice() else { panic!("{blocks:?}") };
            let cells: Vec<_> = table.rows().map(RowView::aligned).collect();
            assert_eq!(cells, expected, "{text}");
        }
        assert_eq!(read("Amy Smith\nBen Jones\n").len(), 2);
    }
}
