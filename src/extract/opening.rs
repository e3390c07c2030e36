//! With what mark-up a text begins: told from its first tag, behind declarations and comments, not from a list of openings.
//!
//! Knows tags, never what is done with the text. Looks at each octet once.

/// What the first tag makes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// A page, or a piece of one.
    Html,
    /// It declares itself, or its first element names a space of names.
    Xml,
    /// It begins like an XML element, which proves nothing by itself.
    Tag,
    /// No mark-up.
    Text,
}

/// Elements of HTML, as far as a text that begins with one is a page and nothing else.
const ELEMENTS: &[&str] = &[
    "html",
    "head",
    "body",
    "title",
    "meta",
    "link",
    "style",
    "script",
    "base",
    "table",
    "caption",
    "colgroup",
    "col",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "td",
    "th",
    "div",
    "p",
    "span",
    "font",
    "center",
    "b",
    "i",
    "u",
    "a",
    "img",
    "br",
    "hr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "form",
    "input",
    "select",
    "textarea",
    "button",
    "label",
    "fieldset",
    "pre",
    "blockquote",
    "section",
    "article",
    "header",
    "footer",
    "main",
    "nav",
    "aside",
    "iframe",
    "frameset",
    "object",
    "embed",
    "noscript",
    "template",
    "details",
    "strong",
    "em",
    "small",
    "big",
    "sub",
    "sup",
    "code",
    "del",
    "ins",
    "address",
    "figure",
    "picture",
];

/// Tells how a text begins.
pub fn of(text: &str) -> Opening {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    let mut declared = false;
    let mut page = false;
    loop {
        let after = if rest.starts_with("<?") {
            declared |= rest.starts_with("<?xml");
            rest.find("?>").map(|at| at + 2)
        } else if rest.starts_with("<!--") {
            page = true;
            rest.find("-->").map(|at| at + 3)
        } else if rest.starts_with("<!") {
            page |= rest.get(..9).is_some_and(|d| d.eq_ignore_ascii_case("<!doctype"))
                && rest[9..].trim_start().get(..4).is_some_and(|n| n.eq_ignore_ascii_case("html"));
            // Entities of its own stand in brackets.
            let end = rest.find('>');
            match (rest.find('['), end) {
                (Some(open), Some(end)) if open < end && declared => rest.find("]>").map(|at| at + 2),
                _ => end.map(|at| at + 1),
            }
        } else {
            break;
        };
        match after {
            Some(at) => rest = rest[at..].trim_start(),
            None if declared => return Opening::Xml,
            None => return if page { Opening::Html } else { Opening::Text },
        }
    }
    let Some((name, tag)) = first_tag(rest) else {
        return match (declared, page) {
            (true, _) => Opening::Xml,
            (_, true) => Opening::Html,
            _ => Opening::Text,
        };
    };
    let local = name.rsplit(':').next().unwrap_or_default().to_ascii_lowercase();
    if local == "html" || !declared && ELEMENTS.contains(&name.to_ascii_lowercase().as_str()) {
        Opening::Html
    } else if declared || local == "svg" || tag.contains("xmlns") {
        Opening::Xml
    } else if page {
        Opening::Html
    } else {
        Opening::Tag
    }
}

/// Whether an element that only pages have stands anywhere in the text.
pub fn holds_page(text: &str) -> bool {
    let mut tags = text.match_indices('<').filter_map(|(at, _)| first_tag(&text[at..]));
    let known = |name: &str| matches!(name, "table" | "tr" | "td" | "html" | "body" | "div" | "p" | "br");
    tags.any(|(name, _)| known(name.to_ascii_lowercase().as_str()))
}

/// The name of a tag that stands at the beginning, and the tag.
fn first_tag(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix('<')?;
    let end = inside.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.')));
    let name = &inside[..end.unwrap_or(inside.len())];
    let next = inside[name.len()..].chars().next();
    let is_tag = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && next.is_some_and(|c| c.is_whitespace() || matches!(c, '>' | '/'));
    let tag = inside.find('>').map_or(inside, |at| &inside[..at]);
    is_tag.then_some((name, tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_from_the_first_tag() {
        for (text, expected) in [
            ("<style>td{x:y}</style><table><tr>", Opening::Html),
            ("\u{feff}\r\n <META http-equiv=x>", Opening::Html),
            ("<tr><td>a</td></tr>", Opening::Html),
            ("<!-- made by a register -->\n<table>", Opening::Html),
            ("<!-- a comment that does not end", Opening::Html),
            ("<!DOCTYPE HTML PUBLIC \"x\">\nwords", Opening::Html),
            ("<?xml version='1.0'?><!DOCTYPE html><html xmlns='x'>", Opening::Html),
            ("<?xml version='1.0'?><!-- <html> --><a/>", Opening::Xml),
            ("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x \"<html>\">]><table/>", Opening::Xml),
            ("<?xml version='1.0'?>\n<?mso-application progid='Excel.Sheet'?><Workbook>", Opening::Xml),
            ("<svg width='1'/>", Opening::Xml),
            ("<Workbook xmlns='urn:x'>", Opening::Xml),
            ("<CTfile><Header>", Opening::Tag),
            ("<a@b.example> wrote", Opening::Text),
            ("<3 you", Opening::Text),
            ("<p", Opening::Text),
            ("Dear all", Opening::Text),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
        assert!(holds_page("Report\n<TABLE border=1>") && !holds_page("a < b, <tablet> and <b>bold"));
    }
}
