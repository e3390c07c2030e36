use std::io::Write;

use super::super::pdf::read;
use super::super::pdf::tests::{file, file_of};
use super::*;

fn stream(dict: &str, content: &str) -> String {
    format!("<< {dict} /Length {} >>\nstream\n{content}\nendstream", content.len())
}

fn packed(content: &str) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(content.as_bytes()).unwrap();
    out.finish().unwrap()
}

/// As ASCII, since the files here are text.
fn packed_stream(octets: &[u8]) -> String {
    let mut out = format!("<< /Filter /FlateDecode /Length {} >>\nstream\n", octets.len()).into_bytes();
    out.extend(octets);
    out.extend(b"\nendstream");
    out.into_iter().map(char::from).collect()
}

#[test]
fn xfa_forms() {
    let data = "<xfa:datasets><xfa:data><form><pupil>Amy Smith</pupil></form></xfa:data></xfa:datasets>";
    let template =
        "<template><subform><caption><value><text>Name</text></value></caption><script>x</script></subform></template>";
    let whole = format!("<xdp:xdp>{template}{data}</xdp:xdp>");
    let (begin, end) = (stream("", "<xdp:xdp>"), stream("", "</xdp:xdp>"));
    let (data_stream, template_stream) = (stream("", data), stream("", template));
    for (form, objects, read_whole) in [
        ("[(datasets) 7 0 R]", vec![data_stream.as_str()], true),
        ("[(template) 7 0 R (datasets) 8 0 R]", vec![template_stream.as_str(), &data_stream], true),
        ("[(preamble) 7 0 R (datasets) 8 0 R (postamble) 9 0 R]", vec![&begin, &data_stream, &end], true),
        ("7 0 R", vec![&stream("", &whole)], true),
        ("[(datasets) 9 0 R]", vec!["<< >>"], false),
    ] {
        let form = format!("<< /AcroForm << /Fields [] /XFA {form} >> >>");
        let mut more = vec![form.as_str()];
        more.extend(objects);
        let content = read(&file("", &more), &[]).unwrap();
        let found = content.blocks.contains(&Block::paragraph_at("pupil: Amy Smith", "form data"));
        assert_eq!((found, content.incomplete.is_none()), (read_whole, read_whole), "{form} {:?}", content.blocks);
        let label = more.iter().any(|object| object.contains("<template>"));
        assert_eq!(content.blocks.contains(&Block::paragraph_at("Name", "form")), label, "{form}");
    }
}

#[test]
fn files_wherever_they_hang() {
    let list = stream("/Type /EmbeddedFile", "Name,Form");
    let other = stream("", "Amy,Oak");
    for (objects, names) in [
        (vec!["<< /Type /Filespec /UF (list.csv) /EF << /F 7 0 R >> >>", &list], vec!["list.csv"]),
        (
            vec!["<< /Type /Filespec /DOS (list.csv) /EF << /DOS 7 0 R /Unix 8 0 R >> >>", &list, &other],
            vec!["list.csv"; 2],
        ),
        (vec!["<< /Names [(a) << /F (list.csv) /EF << /UF 7 0 R >> >>] >>", &list], vec!["list.csv"]),
        (
            vec!["<< /Type /Annot /Subtype /FileAttachment /FS << /F (list.csv) /EF << /F 7 0 R >> >> >>", &list],
            vec!["list.csv"],
        ),
        (vec!["<< /AF [<< /F (list.csv) /EF << /F 7 0 R >> >>] >>", &list], vec!["list.csv"]),
        (vec!["<< >>", &list], vec!["embedded file"]),
        (vec!["<< >>", &stream("", "{\\rtf1 Amy}")], vec!["embedded file"]),
        (vec!["<< >>", &stream("", "BT (Amy) Tj ET")], vec![]),
        (vec!["<< /Type /Filespec /F (other.pdf) >>"], vec![]),
    ] {
        let content = read(&file("", &objects), &[]).unwrap();
        let found: Vec<&str> = content.inner.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((found, content.incomplete), (names, None), "{objects:?}");
    }
    let lost = file("", &["<< /Type /Filespec /UF (list.csv) /EF << /F 9 0 R >> >>"]);
    assert_eq!(read(&lost, &[]).unwrap().incomplete, Some(Why::Damaged));
    let model = file("", &[&stream("/Type /3D /Subtype /U3D", "U3D")]);
    assert_eq!(read(&model, &[]).unwrap().incomplete, Some(Why::UnknownType));
}

#[test]
fn pages_that_are_cut() {
    let text = "BT /F1 12 Tf 72 720 Td (Amy Smith) Tj ET ".repeat(40);
    let whole = packed(&text);
    let plain = stream("", &text);
    for (content, incomplete) in [
        (plain.clone(), None),
        (packed_stream(&whole), None),
        // Its checksum is missing.
        (packed_stream(&whole[..whole.len() - 4]), None),
        (packed_stream(&[&whole[..whole.len() - 1], &[whole[whole.len() - 1] ^ 1]].concat()), Some(Why::Damaged)),
        (stream("", "BT [(Amy) 20 (Smith)] TJ (a \\( ()) Tj <41> Tj ET"), None),
        (stream("", "BT /A[b Tf (a) Tj ET BI /W 1 ID \u{1}([< EI Q"), None),
        (stream("", "BT (Amy) Tj (Smi"), Some(Why::Damaged)),
        (stream("", "BT (Amy) Tj [(Smith) 20"), Some(Why::Damaged)),
        (stream("", "BT (Amy) Tj <4142"), Some(Why::Damaged)),
        (packed_stream(&whole[..whole.len() / 2]), Some(Why::Damaged)),
        (plain.replace("endstream", ""), Some(Why::Damaged)),
        ("<< >>".to_owned(), Some(Why::Damaged)),
        ("null".to_owned(), Some(Why::Damaged)),
        ("[]".to_owned(), None),
    ] {
        let read = read(&file_of(&content, &[&plain]), &[]).unwrap();
        assert_eq!(read.incomplete, incomplete, "{content}");
    }
}
