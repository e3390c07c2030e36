//! Office documents that are one XML file: the packages that Word and others write flat (`pkg:package`), and the files that
//! stand in any XML as base64 (Word 2003's `w:binData`, OpenDocument's `office:binary-data`).
//!
//! Never knows what the files are. What is no base64 makes the document damaged.

use base64::Engine;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::GeneralPurposeConfig;

use super::Why;
use super::file::Content;
use super::package::{Member, Package};
use super::xml::{Element, Node};

/// Elements whose text is a file.
const FILES: &[&str] = &["binData", "binaryData", "binary-data", "docOleData", "docSuppData"];

/// The package that a flat document is; none where it is no such document.
pub fn package(root: &Element) -> Option<Package> {
    if root.name != "package" || root.child("part").is_none_or(|part| part.attribute("name").is_none()) {
        return None;
    }
    let mut members = vec![Member { name: "[Content_Types].xml".to_owned(), content: Ok(b"<Types/>".to_vec()) }];
    for part in root.elements().filter(|element| element.name == "part") {
        let name = part.attribute("name").unwrap_or("part").trim_start_matches('/').to_owned();
        for held in part.elements() {
            let content = match held.name.as_str() {
                "xmlData" => Ok(held.elements().next().map(written).unwrap_or_default().into_bytes()),
                "binaryData" => decoded(&held.text()),
                _ => continue,
            };
            members.push(Member { name: name.clone(), content });
        }
    }
    Some(Package { members, ..Package::default() })
}

/// Takes the files out of an element, so that what is left is text.
pub fn take_files(root: &mut Element, content: &mut Content) {
    let mut waiting = vec![root];
    while let Some(element) = waiting.pop() {
        let name = element.attribute("name").map(str::to_owned);
        if FILES.contains(&element.name.as_str()) && element.elements().next().is_none() {
            let text = std::mem::take(&mut element.children);
            let text: String =
                text.into_iter().filter_map(|n| if let Node::Text(t) = n { Some(t) } else { None }).collect();
            match decoded(&text) {
                Ok(file) if file.is_empty() => {}
                Ok(file) => {
                    let number = content.inner.len() + 1;
                    let name = name.as_deref().map(|n| n.rsplit('/').next().unwrap_or(n).to_owned());
                    content.inner.push((name.unwrap_or_else(|| format!("embedded file {number}")), file));
                }
                Err(why) => content.incomplete = Some(why),
            }
            continue;
        }
        waiting.extend(element.children.iter_mut().rev().filter_map(|node| match node {
            Node::Element(child) => Some(child),
            Node::Text(_) => None,
        }));
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, Why> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let digits: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(digits).map_err(|_| Why::Damaged)
}

/// An element as XML again, without prefixes.
fn written(root: &Element) -> String {
    enum Step<'e> {
        Open(&'e Element),
        Text(&'e str),
        Close(&'e str),
    }
    let mut out = String::new();
    let mut waiting = vec![Step::Open(root)];
    while let Some(step) = waiting.pop() {
        match step {
            Step::Open(element) => {
                out.push('<');
                out.push_str(&element.name);
                for (name, value) in element.attributes.iter().filter(|(name, _)| !name.is_empty()) {
                    out.push(' ');
                    out.push_str(name);
                    out.push_str("=\"");
                    out.push_str(&quick_xml::escape::escape(value.as_str()));
                    out.push('"');
                }
                out.push('>');
                waiting.push(Step::Close(&element.name));
                waiting.extend(element.children.iter().rev().map(|node| match node {
                    Node::Element(child) => Step::Open(child),
                    Node::Text(text) => Step::Text(text),
                }));
            }
            Step::Text(text) => out.push_str(&quick_xml::escape::escape(text)),
            Step::Close(name) => {
                out.push_str("</");
                out.push_str(name);
                out.push('>');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::super::{Reading, Why, read_file};
    use super::*;
    use crate::text::Block;

    fn said(reading: &Reading, place: &str, words: &str) -> bool {
        reading.documents.iter().filter(|document| document.place == place).flat_map(|d| &d.blocks).any(|b| match b {
            Block::Paragraph { text, .. } => text.contains(words),
            Block::Table(table) => table.texts().any(|text| text.contains(words)),
        })
    }

    #[test]
    fn flat_documents() {
        let list = STANDARD.encode(b"{\\rtf1 Amy Smith}");
        let odd = STANDARD.encode([1u8, 2, 3, 4, 5, 6, 7, 0]);
        let flat = |name: &str, data: &str| {
            format!(
                "<?xml version='1.0'?><pkg:package xmlns:pkg='x'><pkg:part pkg:name='/word/document.xml'><pkg:xmlData><w:document xmlns:w='y'><w:body><w:p><w:del><w:r><w:delText>was &lt; ill</w:delText></w:r></w:del></w:p></w:body></w:document></pkg:xmlData></pkg:part><pkg:part pkg:name='/word/{name}'><pkg:binaryData>{data}</pkg:binaryData></pkg:part></pkg:package>"
            )
        };
        let old = |data: &str| {
            format!(
                "<?xml version='1.0'?><w:wordDocument><w:body><w:p><w:t>was &lt; ill</w:t></w:p></w:body><w:binData w:name='wordml://list.rtf'>{data}</w:binData></w:wordDocument>"
            )
        };
        for (xml, inner, why) in [
            (flat("embeddings/list.rtf", &list), Some("a.xml/word/embeddings/list.rtf"), None),
            (flat("embeddings/odd.bin", &odd), None, Some(Why::UnknownType)),
            (flat("embeddings/odd.bin", "*"), None, Some(Why::Damaged)),
            (old(&list), Some("a.xml/list.rtf"), None),
            (old(&odd), None, Some(Why::UnknownType)),
            (old("*"), None, Some(Why::Damaged)),
            (old(""), None, None),
        ] {
            let reading = read_file("a.xml", xml.as_bytes());
            assert!(said(&reading, "a.xml", "was < ill"), "{xml} {reading:?}");
            assert!(inner.is_none_or(|place| said(&reading, place, "Amy Smith")), "{xml} {reading:?}");
            assert_eq!(reading.unread.first().map(|unread| unread.why), why, "{xml}");
        }
    }
}
