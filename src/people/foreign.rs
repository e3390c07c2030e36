//! What is given in place of a list of text: workbooks and documents, by their first bytes.

use memchr::memmem;

/// What the file is if it is no text, and how to make a list of it.
pub fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let has = |name: &[u8]| memmem::find(bytes, name).is_some();
    if bytes.starts_with(b"PK\x03\x04") {
        if has(b"xl/workbook") {
            return Some("is an Excel workbook; open it, save the sheet as 'CSV UTF-8' and give that file");
        }
        if has(b"application/vnd.oasis.opendocument.spreadsheet") {
            return Some("is an OpenDocument spreadsheet; open it, save the sheet as CSV in UTF-8 and give that file");
        }
        return None;
    }
    if bytes.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return Some(
            "is an old Excel workbook (.xls), or one with a password; open it, save the sheet as 'CSV UTF-8' and give that file",
        );
    }
    bytes.starts_with(b"%PDF-").then_some("is a PDF document; export the list as CSV instead")
}
