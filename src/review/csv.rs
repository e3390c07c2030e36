//! Tables to save, as spreadsheets read them.

/// A cell that a spreadsheet takes for text, whatever it begins with.
pub fn cell(text: &str) -> String {
    // OWASP, CSV Injection; the wide forms count in East Asian settings.
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = text.replace('"', "\"\"");
    if formula { format!("\"'{text}\"") } else { format!("\"{text}\"") }
}

/// A line of cells, with its end (RFC 4180 2).
pub fn line<C: AsRef<str>>(cells: impl IntoIterator<Item = C>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|text| cell(text.as_ref())).collect();
    cells.join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_cell_is_a_formula() {
        for (text, want) in [
            ("plain", "\"plain\""),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+44", "\"'+44\""),
            ("@x", "\"'@x\""),
            ("\n=1+1", "\"'\n=1+1\""),
            ("＝1+1", "\"'＝1+1\""),
            ("－1", "\"'－1\""),
            ("a\"b", "\"a\"\"b\""),
        ] {
            assert_eq!(super::cell(text), want);
        }
        assert_eq!(super::line(["a", "-b"]), "\"a\",\"'-b\"\r\n");
    }
}
