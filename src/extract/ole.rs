//! Objects that another program put into a document ([MS-OLEDS]): files in packages, documents in storages, and what a
//! control or a formula keeps.
//!
//! Never knows the document. An object is told by its content: what is a file of a known kind is handed on with its name,
//! what is neither that nor machinery makes the document unread. The name of its class only says which objects hold
//! nothing but a picture, a formula or a control.

use super::file::Content;
use super::sniff::{self, Format};
use super::storage::{File, Walk};
use super::{Why, records};
use crate::limits;
use crate::message::decode_text;
use crate::text::Block;

/// Streams that make a storage a document of its own, with the ending of its name.
const DOCUMENTS: &[(&str, &str)] = &[
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("PowerPoint Document", "ppt"),
    ("EncryptedPackage", "docx"),
    ("__properties_version1.0", "msg"),
];

/// Beginnings of the names of streams beside an object's own data: links, names of classes, properties, and pictures of the
/// object as it looks in the document. The first letter says whose they are ([MS-CFB] 2.6.4 and [MS-OLEDS] 2.3).
const MACHINERY: &[&str] = &["\u{1}ole", "\u{1}compobj", "\u{2}", "\u{3}", "\u{5}", "equation native"];

/// Storages in which macros and signatures stand.
const MACHINE_STORAGES: &[&str] =
    &["macros", "_vba_project_cur", "_vba_project", "vba", "_xmlsignatures", "_signatures"];

/// Classes of objects that hold a picture, a formula, a sound of the program's own or a control.
const PLAIN: &[&str] = &[
    "equation",
    "mathtype",
    "paint",
    "pbrush",
    "photoed",
    "staticmetafile",
    "staticdib",
    "staticenhancedmetafile",
    "forms.",
    "microsoft forms",
    "wordart",
    "msgraph",
    "clipart",
    "orgchart",
    "organization chart",
];

/// A formula's own header is so long.
const FORMULA_HEADER: &[u8] = &[28, 0, 0, 0];

/// Whether a class, or the description of one, is of an object without files and without running text.
pub fn is_plain(class: &str) -> bool {
    let class = class.to_ascii_lowercase();
    PLAIN.iter().any(|plain| class.contains(plain))
}

/// Reads the objects that stand in the storages `roots`, each by itself, and those inside of them.
pub fn objects(file: &mut File<'_>, roots: Vec<usize>, walk: &mut Walk, content: &mut Content) {
    let mut waiting = roots;
    waiting.reverse();
    while let Some(storage) = waiting.pop() {
        let children = walk.children(file.entries(), storage);
        let names: Vec<String> = children.iter().map(|child| file.entries()[*child].name.clone()).collect();
        let at_name = |name: &str| names.iter().position(|own| own.eq_ignore_ascii_case(name));
        let holds = |name: &str| at_name(name).is_some();
        if holds("VBA") && holds("PROJECT") {
            continue;
        }
        // A chart of the small charting program keeps its figures in a workbook that no reader of workbooks takes.
        let class = at_name("\u{1}CompObj")
            .filter(|at| file.entries()[children[*at]].stream_size <= limits::OBJECT_CLASS)
            .and_then(|at| walk.stream(file, children[at]).ok());
        let class = class.unwrap_or_default();
        let chart = memchr::memmem::find(&class.to_ascii_lowercase(), b"msgraph").is_some();
        if storage != 0
            && !chart
            && let Some((_, ending)) = DOCUMENTS.iter().find(|(stream, _)| holds(stream))
        {
            match walk.copy(file, &children) {
                Ok(copy) => content.inner.push((format!("object {}.{ending}", content.inner.len() + 1), copy)),
                Err(why) => content.incomplete = Some(why),
            }
            continue;
        }
        let (storages, streams): (Vec<usize>, Vec<usize>) = children.into_iter().partition(|at| is_storage(file, *at));
        waiting.extend(storages.into_iter().filter(|at| !is_machine_storage(&file.entries()[*at].name)).rev());
        object(file, &streams, walk, content);
    }
}

fn is_storage(file: &File<'_>, at: usize) -> bool {
    file.entries()[at].entry_type == office_oxide::cfb::EntryType::Storage
}

/// Whether a storage of such a name holds macros or signatures.
pub fn is_machine_storage(name: &str) -> bool {
    MACHINE_STORAGES.contains(&name.to_ascii_lowercase().as_str())
}

/// One object, of which the streams are given.
fn object(file: &mut File<'_>, streams: &[usize], walk: &mut Walk, content: &mut Content) {
    let mut all = Vec::new();
    for at in streams {
        let name = file.entries()[*at].name.clone();
        match walk.stream(file, *at) {
            Ok(octets) => all.push((name, octets)),
            Err(why) => content.incomplete = Some(why),
        }
    }
    let class = all.iter().find(|(name, _)| name.eq_ignore_ascii_case("\u{1}CompObj"));
    let plain = class.is_some_and(|(_, octets)| is_plain(&String::from_utf8_lossy(octets)))
        || all.iter().any(|(name, octets)| {
            // The name of a control in its document stands beside it.
            name.eq_ignore_ascii_case("\u{3}OCXNAME")
                || name.eq_ignore_ascii_case("Equation Native") && octets.starts_with(FORMULA_HEADER)
        });
    let office = all.iter().any(|(name, _)| name.eq_ignore_ascii_case("package_stream"));
    for (name, octets) in all {
        let lower = name.to_ascii_lowercase();
        if lower == "\u{1}ole10native" {
            native(&octets, plain, content);
        } else if !MACHINERY.iter().any(|beginning| lower.starts_with(beginning)) {
            // LibreOffice keeps the document in one stream and sixteen octets about its size in another.
            let beside = office && lower == "properties_stream";
            data(&name, octets, plain || beside, content);
        }
    }
}

/// The data of an object as programs before OLE 2 wrote it: its length, and mostly a package behind it.
pub fn native(octets: &[u8], plain: bool, content: &mut Content) {
    let Some((length, rest)) = octets.split_first_chunk::<4>() else { return };
    let length = u32::from_le_bytes(*length) as usize;
    if length > rest.len() {
        content.incomplete = Some(Why::Damaged);
    }
    payload(&rest[..length.min(rest.len())], plain, content);
}

/// A package, or the data of a program that wrote none.
pub fn payload(octets: &[u8], plain: bool, content: &mut Content) {
    match package(octets) {
        Some((name, Some(file))) => content.inner.push((name, file)),
        Some((name, None)) => {
            // The label is shown in the document, whatever became of the file.
            content.blocks.push(Block::paragraph_at(name, "name of an object"));
            content.incomplete = Some(Why::Damaged);
        }
        None => data("object", octets.to_vec(), plain, content),
    }
}

/// Data of no known wrapping: a file if it looks like one.
fn data(name: &str, octets: Vec<u8>, plain: bool, content: &mut Content) {
    match sniff::format(&octets, "", "") {
        Format::Empty => {}
        Format::Unknown | Format::Font if plain => {
            for text in records::runs(&octets) {
                content.blocks.push(Block::paragraph_at(text, "control or chart, hidden"));
            }
        }
        Format::Unknown | Format::Font => content.incomplete = content.incomplete.or(Some(Why::UnknownType)),
        _ => content.inner.push((format!("object {} {}", content.inner.len() + 1, visible(name)), octets)),
    }
}

/// What a person would see of a name: no control characters, no folders.
fn visible(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).collect::<String>().trim().to_owned()
}

/// A packager's package: label, name of the file, path and the file; then the same names in UTF-16. A package that is a
/// link, or that is cut short, has no file.
fn package(octets: &[u8]) -> Option<(String, Option<Vec<u8>>)> {
    let mut at = 2;
    (octets.get(..at)? == [2, 0]).then_some(())?;
    let label = c_string(octets, &mut at)?;
    let name = c_string(octets, &mut at)?;
    let kind = number::<2>(octets, &mut at)?;
    let version = number::<2>(octets, &mut at)?;
    if !matches!((kind, version), (0, 1 | 3)) {
        return None;
    }
    // The path's length counts its end; some writers count wrong, and its end stands there all the same.
    number::<4>(octets, &mut at)?;
    c_string(octets, &mut at)?;
    let mut found = visible(&decode_text(label, None));
    if found.is_empty() {
        found = visible(&decode_text(name, None));
    }
    if found.is_empty() {
        found = "package".to_owned();
    }
    if version == 1 {
        return Some((found, None));
    }
    let length = number::<4>(octets, &mut at)?;
    let Some(file) = at.checked_add(length).and_then(|end| octets.get(at..end)) else {
        return Some((found, None));
    };
    at += length;
    // The command, then the label as it was before it was squeezed into a code page.
    wide(octets, &mut at);
    if let Some(label) = wide(octets, &mut at).map(|label| visible(&label)).filter(|label| !label.is_empty()) {
        found = label;
    }
    Some((found, Some(file.to_vec())))
}

fn c_string<'o>(octets: &'o [u8], at: &mut usize) -> Option<&'o [u8]> {
    let rest = octets.get(*at..)?;
    let end = memchr::memchr(0, rest)?;
    *at += end + 1;
    Some(&rest[..end])
}

fn number<const N: usize>(octets: &[u8], at: &mut usize) -> Option<usize> {
    let digits = octets.get(*at..at.checked_add(N)?)?;
    *at += N;
    Some(digits.iter().rev().fold(0, |number, digit| number << 8 | usize::from(*digit)))
}

fn wide(octets: &[u8], at: &mut usize) -> Option<String> {
    let units = number::<4>(octets, at)?;
    let end = units.checked_mul(2).and_then(|length| at.checked_add(length))?;
    let text = octets.get(*at..end)?;
    *at = end;
    Some(decode_text(text, Some("utf-16le")))
}

/// An object as it stands in Rich Text Format ([MS-OLEDS] 2.2.4 and 2.2.5): its class, and its data. A link has none.
pub fn embedded(octets: &[u8], content: &mut Content) {
    if read_embedded(octets, content).is_none() {
        content.incomplete = Some(Why::Damaged);
    }
}

fn read_embedded(octets: &[u8], content: &mut Content) -> Option<()> {
    let mut at = 4;
    let kind = number::<4>(octets, &mut at)?;
    let mut names = [""; 3].map(str::to_owned);
    for name in &mut names {
        let length = number::<4>(octets, &mut at)?;
        let text = octets.get(at..at.checked_add(length)?)?;
        *name = decode_text(text, None).trim_end_matches('\0').to_owned();
        at += length;
    }
    let plain = is_plain(&names[0]);
    match kind {
        // What a link leads to is not followed; its name is shown to whoever looks at the object.
        1 => {
            let text = names[1..].join(" ").trim().to_owned();
            if text.chars().any(char::is_alphanumeric) {
                content.blocks.push(Block::paragraph_at(text, "link, hidden"));
            }
        }
        2 => {
            let length = number::<4>(octets, &mut at)?;
            let rest = octets.get(at..)?;
            if length > rest.len() {
                content.incomplete = Some(Why::Damaged);
            }
            payload(&rest[..length.min(rest.len())], plain, content);
        }
        // A picture of the object and nothing behind it.
        _ => {}
    }
    Some(())
}

#[cfg(test)]
pub mod tests {
    use std::io::Cursor;

    use super::super::storage::tests::compound;
    use super::*;

    /// A packager's package around a file.
    pub fn packaged(label: &str, file: &[u8]) -> Vec<u8> {
        let mut out = vec![2, 0];
        for name in [label, label] {
            out.extend(name.bytes().chain([0]));
        }
        out.extend([0, 0, 3, 0, 4, 0, 0, 0, b'C', b':', b'\\', 0]);
        out.extend((file.len() as u32).to_le_bytes());
        out.extend(file);
        out
    }

    /// With its length before it, as the stream has it.
    pub fn stream(package: &[u8]) -> Vec<u8> {
        [&(package.len() as u32).to_le_bytes(), package].concat()
    }

    fn read(bytes: &[u8]) -> Content {
        let mut file = File::new(Cursor::new(bytes)).unwrap();
        let mut walk = Walk::new(&file, bytes.len());
        let mut content = Content::default();
        objects(&mut file, vec![0], &mut walk, &mut content);
        content
    }

    #[test]
    fn what_is_inside_an_object() {
        let package = stream(&packaged("list.csv", b"Name,Form\nAmy Smith,Oak\n"));
        let odd = [1u8, 2, 3, 4, 5, 6, 7, 0];
        let class = |name: &str| [&[0; 28], name.as_bytes(), &[0]].concat();
        for (streams, inner, incomplete) in [
            (vec![("\u{1}Ole10Native", package.as_slice())], vec!["list.csv"], None),
            (vec![("\u{1}Ole10Native", &package[..40])], vec![], Some(Why::Damaged)),
            (vec![("CONTENTS", b"%PDF-1.4\n".as_slice())], vec!["object 1 CONTENTS"], None),
            (vec![("Package", b"PK\x03\x04")], vec!["object 1 Package"], None),
            (vec![("_1/WordDocument", b"text"), ("_1/1Table", b"x")], vec!["object 1.doc"], None),
            (vec![("_1/_2/Workbook", b"text")], vec!["object 1.xls"], None),
            (vec![("VisioDocument", &odd)], vec![], Some(Why::UnknownType)),
            (vec![("\u{1}Ole10Native", &stream(&odd))], vec![], Some(Why::UnknownType)),
            (vec![("properties_stream", odd.as_slice())], vec![], Some(Why::UnknownType)),
            (
                vec![("package_stream", b"PK\x03\x04".as_slice()), ("properties_stream", &odd)],
                vec!["object 1 package_stream"],
                None,
            ),
            // Ordinary: formulas, pictures, previews, macros.
            (vec![("\u{1}CompObj", &class("Equation.3")), ("Equation Native", b"\x1c\0\0\0\x02\0")], vec![], None),
            (vec![("Equation Native", b"\x1c\0\0\0\x02\0"), ("\u{3}EPRINT", &odd)], vec![], None),
            (vec![("\u{1}Ole", &odd), ("\u{2}OlePres000", &odd)], vec![], None),
            (vec![("\u{1}CompObj", &class("Microsoft Forms 2.0 TextBox")), ("contents", &odd)], vec![], None),
            (vec![("\u{1}CompObj", &class("PBrush")), ("\u{1}Ole10Native", &stream(&odd))], vec![], None),
            (vec![("\u{3}OCXNAME", b"T1".as_slice()), ("contents", &odd), ("\u{3}PIC", &odd)], vec![], None),
            (vec![("PROJECT", b"x".as_slice()), ("VBA/dir", &odd)], vec![], None),
        ] {
            let content = read(&compound(&streams));
            let names: Vec<&str> = content.inner.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!((names, content.incomplete), (inner, incomplete), "{streams:?}");
        }
    }

    #[test]
    fn a_control_s_words_are_hidden_text() {
        let class = [&[0; 28], b"Microsoft Forms 2.0 TextBox\0".as_slice()].concat();
        let octets = [b"\0\x02\x10\0\x05\0\0\x80".as_slice(), b"Amy Smith is ill\0\0\x01\x02"].concat();
        let content = read(&compound(&[("\u{1}CompObj", &class), ("contents", &octets)]));
        assert_eq!(content.blocks, [Block::paragraph_at("Amy Smith is ill", "control or chart, hidden")]);
    }

    #[test]
    fn the_name_that_was_not_squeezed_is_taken() {
        let wide = |text: &str| {
            let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            [(units.len() as u32 / 2).to_le_bytes().as_slice(), &units].concat()
        };
        let mut bytes = packaged("Zo? .txt", b"x");
        bytes.extend([wide("C:\\x"), wide("Zoë Kowalska.txt"), wide("f")].concat());
        assert_eq!(package(&bytes), Some(("Zoë Kowalska.txt".to_owned(), Some(b"x".to_vec()))));
    }

    #[test]
    fn objects_before_ole_2() {
        let object = |kind: u8, class: &str, data: &[u8]| {
            let mut out = vec![1, 5, 0, 0, kind, 0, 0, 0];
            out.extend((class.len() as u32 + 1).to_le_bytes());
            out.extend(class.bytes().chain([0]));
            out.extend([0; 8]);
            out.extend((data.len() as u32).to_le_bytes());
            out.extend(data);
            out
        };
        let odd = [1u8, 2, 3, 4, 5, 6, 7, 0];
        let package = object(2, "Package", &packaged("list.csv", b"Amy"));
        for (bytes, inner, incomplete) in [
            (package.clone(), 1, None),
            (package[..30].to_vec(), 0, Some(Why::Damaged)),
            (object(2, "Word.Document.8", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), 1, None),
            (object(2, "Odd.1", &odd), 0, Some(Why::UnknownType)),
            (object(2, "PBrush", &odd), 0, None),
            (object(2, "Equation.3", &odd), 0, None),
        ] {
            let mut content = Content::default();
            embedded(&bytes, &mut content);
            assert_eq!((content.inner.len(), content.incomplete), (inner, incomplete), "{bytes:?}");
        }
    }
}
