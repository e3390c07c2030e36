//! XML to a small tree (namespace prefixes dropped), element by element where a part is large, or piece by piece where it may
//! be a sheet of many thousand cells.
//!
//! No DTD is read, no entity but the five of XML and character references is resolved, nothing is fetched: text that
//! stands in an entity of the document's own is text that another program would show, so such a part is contradictory.
//! Depth and size are bounded.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::Why;
use crate::limits;

/// An element with what it holds.
#[derive(Debug, Clone, Default)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// Local names with their values.
    pub attributes: Vec<(String, String)>,
    /// In document order.
    pub children: Vec<Node>,
}

/// What an element holds.
#[derive(Debug, Clone)]
pub enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    /// An attribute by its local name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The child elements.
    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first child element of a name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|e| e.name == name)
    }

    /// All elements of a name below this one, in document order; not those inside one another.
    pub fn descendants<'e>(&'e self, name: &str, found: &mut Vec<&'e Element>) {
        for element in self.elements() {
            if element.name == name {
                found.push(element);
            } else {
                element.descendants(name, found);
            }
        }
    }

    /// All text below, as it stands.
    pub fn text(&self) -> String {
        let mut out = String::new();
        self.push_text(&mut out);
        out
    }

    fn push_text(&self, out: &mut String) {
        for node in &self.children {
            match node {
                Node::Text(text) => out.push_str(text),
                Node::Element(element) => element.push_text(out),
            }
        }
    }
}

/// Reads a whole part into a tree.
pub fn parse(bytes: &[u8]) -> Result<Element, Why> {
    let mut fault = None;
    let root = kept(bytes, &mut fault)?;
    fault.map_or(Ok(root), Err)
}

/// Reads a part into a tree as far as it can be read; where that is not to its end, the `fault` is why.
pub fn kept(bytes: &[u8], fault: &mut Option<Why>) -> Result<Element, Why> {
    if bytes.len() > limits::XML_TREE_BYTES {
        return Err(Why::BeyondLimit);
    }
    let mut root = None;
    let keep = |element| {
        root.get_or_insert(element);
    };
    if let Err(why) = walk(bytes, |_| true, keep) {
        *fault = fault.or(Some(why));
        return root.ok_or(why);
    }
    root.ok_or(Why::Damaged)
}

/// Calls `each` for every outermost element whose local name `wanted` accepts, without keeping the rest.
pub fn walk(bytes: &[u8], wanted: impl Fn(&str) -> bool, mut each: impl FnMut(Element)) -> Result<(), Why> {
    let mut open: Vec<Element> = Vec::new();
    let read = stream(bytes, |piece| {
        match piece {
            Piece::Start(tag) if !open.is_empty() || wanted(tag.name()) => {
                if open.len() >= limits::XML_DEPTH {
                    return Err(Why::BeyondLimit);
                }
                open.push(element(&tag));
            }
            Piece::Start(_) => {}
            Piece::Text(text) => push(&mut open, text),
            Piece::End => {
                if let Some(done) = open.pop() {
                    close(done, &mut open, &mut each);
                }
            }
        }
        Ok(())
    });
    // What a fault has cut off ends there.
    while let Some(done) = open.pop() {
        close(done, &mut open, &mut each);
    }
    read
}

/// A piece of a part, in document order.
pub enum Piece<'p> {
    /// An element begins; one that is empty ends at once.
    Start(Tag<'p>),
    /// Text, its references resolved; what stands together may come in several pieces.
    Text(&'p str),
    /// The element that began last and has not ended ends.
    End,
}

/// What an element begins with.
pub struct Tag<'p>(Source<'p>);

/// Where a tag stands.
enum Source<'p> {
    Part(BytesStart<'p>),
    Tree(&'p Element),
}

impl Tag<'_> {
    /// Local name.
    pub fn name(&self) -> &str {
        match &self.0 {
            Source::Part(start) => local(start.name().0),
            Source::Tree(element) => &element.name,
        }
    }

    /// The first value of each of these local names.
    pub fn values<const N: usize>(&self, names: [&str; N]) -> [Option<Cow<'_, str>>; N] {
        let mut found = [const { None }; N];
        for (name, value) in self.attributes() {
            if let Some(at) = names.iter().position(|wanted| *wanted == name) {
                found[at].get_or_insert(value);
            }
        }
        found
    }

    /// Local names with their values, references resolved; a name may stand twice, for looking for that would cost the square of them.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let (read, built) = match &self.0 {
            Source::Part(start) => (Some(start.html_attributes()), None),
            Source::Tree(element) => (None, Some(&element.attributes)),
        };
        let read = read.map(|mut attributes| {
            attributes.with_checks(false);
            attributes
        });
        let read = read.into_iter().flatten().flatten().map(|attribute| {
            let name = local(attribute.key.0);
            let value = match memchr::memchr(b'&', attribute.value.as_bytes()) {
                None => attribute.value,
                Some(_) => match quick_xml::escape::unescape(&attribute.value) {
                    Ok(value) => Cow::Owned(value.into_owned()),
                    Err(_) => attribute.value,
                },
            };
            (name, value)
        });
        let built = built.into_iter().flatten().map(|(name, value)| (name.as_str(), Cow::Borrowed(value.as_str())));
        read.chain(built)
    }
}

/// As [`stream`], of a tree.
pub fn pieces(root: &Element, mut each: impl FnMut(Piece<'_>) -> Result<(), Why>) -> Result<(), Why> {
    each(Piece::Start(Tag(Source::Tree(root))))?;
    let mut open = vec![root.children.iter()];
    while let Some(children) = open.last_mut() {
        match children.next() {
            Some(Node::Element(child)) => {
                each(Piece::Start(Tag(Source::Tree(child))))?;
                open.push(child.children.iter());
            }
            Some(Node::Text(text)) => each(Piece::Text(text))?,
            None => {
                open.pop();
                each(Piece::End)?;
            }
        }
    }
    Ok(())
}

/// Calls `each` for every piece of a part, and keeps none.
pub fn stream(bytes: &[u8], mut each: impl FnMut(Piece<'_>) -> Result<(), Why>) -> Result<(), Why> {
    let text = super::super::message::decode_text(bytes, declared_encoding(bytes).as_deref());
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_dangling_amp = true;
    let mut open = 0usize;
    let mut own_entities = false;
    loop {
        match reader.read_event().map_err(|_| Why::Damaged)? {
            Event::Start(start) => {
                open += 1;
                each(Piece::Start(Tag(Source::Part(start))))?;
            }
            Event::Empty(start) => {
                each(Piece::Start(Tag(Source::Part(start))))?;
                each(Piece::End)?;
            }
            // An end too many ends nothing.
            Event::End(_) if open == 0 => {}
            Event::End(_) => {
                open -= 1;
                each(Piece::End)?;
            }
            Event::Text(text) => each(Piece::Text(&text.xml10_content()))?,
            Event::CData(text) => each(Piece::Text(&text.xml10_content()))?,
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content();
                match reference.resolve_char_ref() {
                    Ok(Some(c)) => each(Piece::Text(c.encode_utf8(&mut [0; 4])))?,
                    _ if own_entities && quick_xml::escape::resolve_predefined_entity(&name).is_none() => {
                        return Err(Why::Contradictory);
                    }
                    _ => each(Piece::Text(quick_xml::escape::resolve_predefined_entity(&name).unwrap_or(" ")))?,
                }
            }
            Event::DocType(declaration) => own_entities = declaration.xml10_content().contains("<!ENTITY"),
            Event::Eof => break,
            _ => {}
        }
    }
    // A part cut short: what is there was read, but it is not whole.
    if open == 0 { Ok(()) } else { Err(Why::Damaged) }
}

fn push(open: &mut [Element], text: &str) {
    let Some(element) = open.last_mut() else { return };
    match element.children.last_mut() {
        Some(Node::Text(before)) => before.push_str(text),
        _ => element.children.push(Node::Text(text.to_owned())),
    }
}

fn close(done: Element, open: &mut [Element], each: &mut impl FnMut(Element)) {
    match open.last_mut() {
        Some(parent) => parent.children.push(Node::Element(done)),
        None => each(done),
    }
}

fn element(tag: &Tag<'_>) -> Element {
    let attributes = tag.attributes().map(|(name, value)| (name.to_owned(), value.into_owned())).collect();
    Element { name: tag.name().to_owned(), attributes, children: Vec::new() }
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn declared_encoding(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    let declaration = head.split("?>").next().filter(|d| d.contains("<?xml"))?;
    let after = declaration.split("encoding").nth(1)?.trim_start_matches([' ', '=']);
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    after[1..].split(quote).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_without_prefixes() {
        let root = parse(b"<w:a x:b='1 &amp; 2'>A&#83;<c/>m&amp;i<![CDATA[<t>]]>&unknown;h</w:a>").unwrap();
        assert_eq!((root.name.as_str(), root.attribute("b")), ("a", Some("1 & 2")));
        assert_eq!(root.text(), "ASm&i<t> h");
    }

    #[test]
    fn bounds() {
        let deep = "<a>".repeat(limits::XML_DEPTH + 1);
        assert_eq!(parse(deep.as_bytes()).err(), Some(Why::BeyondLimit));
        assert_eq!(parse(b"<a><b>cut").err(), Some(Why::Damaged));
        assert_eq!(parse(b"").err(), Some(Why::Damaged));
        for (part, text, expected) in [
            ("<a><b>Amy</b><c>Smi", "AmySmi", Some(Why::Damaged)),
            ("<a><b>Amy</b><c Smi", "Amy", Some(Why::Damaged)),
            ("<a><b>Amy</b></a>", "Amy", None),
        ] {
            let mut fault = None;
            let root = kept(part.as_bytes(), &mut fault).unwrap();
            assert_eq!((root.text().as_str(), fault), (text, expected), "{part}");
        }
        let laughs = b"<!DOCTYPE a [<!ENTITY x \"ha\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>";
        assert_eq!(parse(laughs).err(), Some(Why::Contradictory));
        let unused = b"<!DOCTYPE a [<!ENTITY ns \"http://x\">]><a b=\"&ns;\">Amy&nbsp;Smith &amp; Co</a>";
        assert_eq!(parse(unused).err(), Some(Why::Contradictory));
        assert_eq!(parse(b"<a>Amy&nbsp;Smith &amp; Co</a>").unwrap().text(), "Amy Smith & Co");
        let declared = b"<!DOCTYPE a [<!ENTITY ns \"http://x\">]><a b=\"&ns;\">Amy Smith &amp; Co</a>";
        assert_eq!(parse(declared).unwrap().text(), "Amy Smith & Co");
    }
}
