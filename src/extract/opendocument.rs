//! OpenDocument texts, sheets and slides (ISO/IEC 26300): one walk for all three, piece by piece, without a tree.
//!
//! Never knows whether a document was packed or flat once its pieces come.

mod sheet;
mod walk;

use self::walk::Walk;
use super::Why;
use super::file::Content;
use super::office;
use super::package::Package;
use super::xml::{self, Element};

/// Reads a package.
pub fn read(package: &Package) -> Result<Content, Why> {
    let manifest = package.get("META-INF/manifest.xml").unwrap_or_default();
    if memchr::memmem::find(manifest, b"encryption-data").is_some() || package.get("encrypted-package").is_some() {
        return Err(Why::Encrypted);
    }
    if let Some(why) = package.trouble(|name| name.ends_with(".xml")) {
        return Err(why);
    }
    let mut walk = Walk::default();
    walk.part(package.get("content.xml").ok_or(Why::Damaged)?)?;
    let mut done = vec!["content.xml".to_owned()];
    if let Some(styles) = package.get("styles.xml") {
        // Headers and footers belong to the page styles.
        walk.part(styles)?;
        done.push("styles.xml".to_owned());
    }
    let mut content = walk.finish();
    office::sweep(package, &done, &mut content);
    Ok(content)
}

/// Reads a document that is one file of XML.
pub fn flat(root: &Element) -> Content {
    // What is written first comes first, though properties and page styles stand before it.
    let order = |element: &&Element| match element.name.as_str() {
        "body" => 1,
        "master-styles" => 2,
        "meta" => 3,
        _ => 0,
    };
    let mut parts: Vec<&Element> = root.elements().collect();
    parts.sort_by_key(order);
    let mut walk = Walk::below_root();
    let read = parts.into_iter().try_for_each(|part| xml::pieces(part, |piece| walk.piece(piece)));
    Content { incomplete: read.err(), ..walk.finish() }
}

#[cfg(test)]
mod tests {
    use super::super::package::{Budget, read as read_package, tests::archive};
    use super::*;
    use crate::limits;
    use crate::text::{Block, Row, Table};

    fn document(body: &str, manifest: &str) -> Result<Vec<Block>, Why> {
        let main = format!("<office:document-content><office:body>{body}</office:body></office:document-content>");
        let bytes = archive(&[("content.xml", main.as_bytes()), ("META-INF/manifest.xml", manifest.as_bytes())]);
        read(&read_package(&bytes, &mut Budget::default(), &[])?).map(|c| c.blocks)
    }

    #[test]
    fn texts_and_sheets() {
        let sheet = "<table:table table:name='Club'><table:table-column/><table:table-column table:visibility='collapse'/><table:table-header-rows><table:table-row><table:table-cell><text:p>Name</text:p></table:table-cell><table:table-cell><text:p>DOB</text:p></table:table-cell></table:table-row></table:table-header-rows><table:table-row table:visibility='collapse'><table:table-cell><text:p>Amy</text:p></table:table-cell><table:table-cell office:date-value='2015-11-03'><text:p>3/11</text:p></table:table-cell><table:table-cell table:number-columns-repeated='16000'/></table:table-row><table:table-row table:number-rows-repeated='1048000'><table:table-cell/></table:table-row></table:table>";
        let row = |cells: &[&str], detail: &str| Row {
            cells: cells.iter().map(|c| c.to_string()).collect(),
            detail: Some(detail.into()),
        };
        for (body, expected) in [
            (
                "<text:p>Smi<text:span>th</text:span><text:s text:c='2'/>x<office:annotation><text:p>why</text:p></office:annotation></text:p>",
                vec![Block::paragraph("Smith  x"), Block::paragraph_at("why", "comment")],
            ),
            (
                sheet,
                vec![Block::Table(Table::of(
                    Some("Sheet 'Club', hidden columns 2".into()),
                    [row(&["Name", "DOB"], "row 1"), row(&["Amy", "2015-11-03"], "row 2, hidden")],
                ))],
            ),
        ] {
            assert_eq!(document(body, "<m/>"), Ok(expected), "{body}");
        }
        assert_eq!(document("", "<m><manifest:encryption-data/></m>"), Err(Why::Encrypted));
    }

    #[test]
    fn what_lies_on_a_sheet_is_said_beside_its_cells() {
        let row = Row { cells: vec!["x".into(), "y".into()], detail: Some("row 1".into()) };
        for (shapes, said) in [
            (
                "<draw:frame><draw:text-box><text:p>Amy <text:span>Smith</text:span></text:p></draw:text-box></draw:frame>",
                vec!["Amy Smith"],
            ),
            (
                "<draw:custom-shape><text:p>Amy</text:p></draw:custom-shape><draw:g><draw:rect><text:p>Ben</text:p></draw:rect></draw:g>",
                vec!["Amy", "Ben"],
            ),
            ("<draw:frame><draw:image xlink:href='Pictures/1.png'/></draw:frame>", vec![]),
        ] {
            let sheet = format!(
                "<table:table table:name='C'><table:shapes>{shapes}</table:shapes><table:table-row><table:table-cell><text:p>x</text:p></table:table-cell><table:table-cell><text:p>y</text:p></table:table-cell></table:table-row></table:table>"
            );
            let mut expected = vec![Block::Table(Table::of(Some("Sheet 'C'".into()), [row.clone()]))];
            expected.extend(said.into_iter().map(|text| Block::paragraph_at(text, "Sheet 'C', text box")));
            assert_eq!(document(&sheet, "<m/>"), Ok(expected), "{shapes}");
        }
    }

    #[test]
    fn who_says_it_what_pages_are_called_and_what_dates_show() {
        let cells = |shown: &str| {
            format!(
                "<table:table table:name='C'><table:table-row><table:table-cell><text:p>x</text:p></table:table-cell><table:table-cell office:date-value='2015-11-03'><text:p>{shown}</text:p></table:table-cell></table:table-row></table:table>"
            )
        };
        let row = |date: &str| {
            let row = Row { cells: vec!["x".into(), date.into()], detail: Some("row 1".into()) };
            Block::Table(Table::of(Some("Sheet 'C'".into()), [row]))
        };
        for (body, expected) in [
            (
                "<text:p>x<office:annotation><dc:creator>Amy</dc:creator><dc:date>2015</dc:date><text:p>why</text:p></office:annotation></text:p>".to_owned(),
                vec![
                    Block::paragraph("x"),
                    Block::paragraph_at("Amy", "who commented or changed"),
                    Block::paragraph_at("why", "comment"),
                ],
            ),
            (
                "<draw:page draw:name='Amy Smith'/><draw:page draw:name='page2'/><draw:page draw:name='Slide 3'/>".to_owned(),
                vec![Block::paragraph_at("Amy Smith", "slide 1, its name")],
            ),
            (cells("3 November 2015"), vec![row("3 November 2015")]),
            (cells("Tue 03 Nov 2015"), vec![row("Tue 03 Nov 2015")]),
            (cells("3/11/15"), vec![row("2015-11-03")]),
            (cells("November"), vec![row("2015-11-03 November")]),
            (cells("Maya June"), vec![row("2015-11-03 Maya June")]),
            (cells("3 March 2015"), vec![row("2015-11-03 3 March 2015")]),
            (cells("07700 900123"), vec![row("2015-11-03 07700 900123")]),
            (cells("Tuesday"), vec![row("2015-11-03 Tuesday")]),
            (cells("3rd May, Amy is ill"), vec![row("2015-11-03 3rd May, Amy is ill")]),
        ] {
            assert_eq!(document(&body, "<m/>"), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_stands_in_one_another() {
        let cell = |inside: &str| format!("<table:table-cell>{inside}</table:table-cell>");
        let row = |cells: &str| format!("<table:table-row>{cells}</table:table-row>");
        let table = |name: &str, rows: &str| format!("<table:table table:name='{name}'>{rows}</table:table>");
        let inner = table("", &row(&(cell("<text:p>in</text:p>") + &cell("<text:p>side</text:p>"))));
        let at = |text: &str, detail: &str| Block::paragraph_at(text, detail);
        let rows = |detail: Option<&str>, rows: &[(&[&str], &str)]| {
            let row = |(cells, detail): &(&[&str], &str)| Row {
                cells: cells.iter().map(|c| c.to_string()).collect(),
                detail: Some((*detail).to_owned()),
            };
            Block::Table(Table::of(detail.map(str::to_owned), rows.iter().map(row)))
        };
        let many = "<table:table-column table:visibility='collapse'/>".repeat(limits::HIDDEN_COLUMNS_TOLD + 2);
        let long = "n".repeat(limits::SHEET_NAME_TOLD + 1);
        for (body, expected) in [
            (
                "<text:p>a<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>b<draw:frame><text:p>c</text:p></draw:frame>d</text:p></text:note-body></text:note>e<text:ruby-text>no</text:ruby-text>\n<text:span>f</text:span></text:p>".to_owned(),
                vec![Block::paragraph("ae f"), at("bd", "footnote"), at("c", "text box")],
            ),
            (
                "<draw:page><text:p>one</text:p><presentation:notes><text:p>said</text:p></presentation:notes></draw:page><draw:page><draw:frame><svg:title>t<x>u</x></svg:title><text:p>two</text:p></draw:frame></draw:page>".to_owned(),
                vec![at("one", "slide 1"), at("said", "notes, slide 1"), at("tu", "alternative text"), at("two", "slide 2")],
            ),
            (
                table("S", &row(&(cell(&format!("<text:p>x</text:p>{inner}<text:p>y</text:p>")) + &cell("<office:annotation><dc:date>no</dc:date><text:p>why</text:p></office:annotation><text:p>z</text:p>")))),
                vec![rows(Some("Sheet 'S'"), &[(&["x\ny", "z"], "row 1")]), rows(None, &[(&["in", "side"], "row 1")]), at("why", "comment")],
            ),
            (
                table("S", "<table:table-row table:number-rows-repeated='4'><table:table-cell table:number-columns-repeated='2'><text:p>a</text:p></table:table-cell></table:table-row><table:table-row-group><table:table-row><table:covered-table-cell><text:p>b</text:p></table:covered-table-cell></table:table-row></table:table-row-group>"),
                vec![rows(Some("Sheet 'S'"), &[(&["a", "a"], "row 1"), (&["b"], "row 5")])],
            ),
            (
                table(&long, &(many + &row(&cell("<text:p>a</text:p>")))),
                vec![at("a", &format!("Sheet '{}…', hidden columns 1{} and more", &long[1..], (2..limits::HIDDEN_COLUMNS_TOLD + 2).map(|n| format!(", {n}")).collect::<String>()))],
            ),
        ] {
            assert_eq!(document(&body, "<m/>").as_ref(), Ok(&expected), "{body}");
            let whole = format!("<office:document><office:meta><dc:title>T</dc:title><meta:generator>no</meta:generator></office:meta><office:master-styles><style:header><text:p>H</text:p></style:header></office:master-styles><office:body>{body}</office:body></office:document>");
            let content = flat(&xml::parse(whole.as_bytes()).unwrap());
            let others = [at("H", "header or footer"), at("T", "document properties")];
            assert_eq!(content.blocks, [expected.as_slice(), &others].concat(), "{body}");
        }
        // What was read before a fault stays, and the fault is told.
        for (body, expected, why) in [
            (format!("<text:p>before</text:p>{}", "<x>".repeat(limits::XML_DEPTH)), "before", Why::BeyondLimit),
            ("<text:p>cut".to_owned(), "cut", Why::Damaged),
        ] {
            let main = format!("<d><b:body>{body}");
            let bytes = archive(&[("content.xml", main.as_bytes())]);
            let content = read(&read_package(&bytes, &mut Budget::default(), &[]).unwrap()).unwrap();
            assert_eq!(
                (content.blocks, content.incomplete),
                (vec![Block::paragraph(expected)], Some(why)),
                "{expected}"
            );
        }
        let hidden = "<d><s><style:style style:name='h'><style:table-properties table:display='false'/></style:style></s><b:body><table:table table:name='S' table:style-name='h'><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell></table:table-row></table:table></b:body></d>";
        assert_eq!(flat(&xml::parse(hidden.as_bytes()).unwrap()).blocks, [at("a", "Sheet 'S', hidden")]);
    }
}
