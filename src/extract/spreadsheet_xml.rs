//! Workbooks in the XML of Excel 2003 (`urn:schemas-microsoft-com:office:spreadsheet`): one file of mark-up, which
//! registers still export under the name of a workbook.

use super::file::Content;
use super::office;
use super::xml::Element;
use crate::limits;
use crate::text::{Block, RowPlace, TableWriter};

/// Whether an XML file is such a workbook.
pub fn is_workbook(root: &Element) -> bool {
    root.name == "Workbook" && root.child("Worksheet").is_some()
}

/// Reads it.
pub fn read(root: &Element) -> Content {
    let mut content = Content::default();
    for part in root.elements() {
        match part.name.as_str() {
            "Worksheet" => sheet(part, &mut content),
            "DocumentProperties" => {
                let fields = part.elements().filter(|f| {
                    matches!(
                        f.name.as_str(),
                        "Title"
                            | "Subject"
                            | "Author"
                            | "Keywords"
                            | "Description"
                            | "LastAuthor"
                            | "Category"
                            | "Manager"
                            | "Company"
                    )
                });
                for field in fields {
                    push(field.text(), "document properties", &mut content.blocks);
                }
            }
            "Names" => names(part, &mut content.blocks),
            _ => {}
        }
    }
    content
}

fn sheet(element: &Element, content: &mut Content) {
    let name = element.attribute("Name").unwrap_or_default();
    let mut options = Vec::new();
    element.descendants("Visible", &mut options);
    let state = match options.first().map(|v| v.text()) {
        Some(state) if state.trim() == "SheetHidden" => ", hidden",
        Some(state) if state.trim() == "SheetVeryHidden" => ", very hidden",
        _ => "",
    };
    let detail = format!("Sheet '{name}'{state}");
    content.names.push(name.to_owned());
    let mut other = Vec::new();
    let mut writer = TableWriter::default();
    let mut number = 0usize;
    let mut lines = Vec::new();
    element.elements().filter(|e| e.name == "Table").for_each(|t| t.descendants("Row", &mut lines));
    for line in lines {
        number = place(line).unwrap_or(number.saturating_add(1));
        let hidden = line.attribute("Hidden") == Some("1");
        writer.row(RowPlace::Numbered { number: u32::try_from(number).unwrap_or(u32::MAX), hidden });
        let mut column = 0;
        for cell in line.elements().filter(|e| e.name == "Cell") {
            column = place(cell).map_or(column, |place| column.max((place - 1).min(limits::TABLE_COLUMNS)));
            writer.cell(column, &value(cell));
            let covered = cell.attribute("MergeAcross").and_then(|n| n.parse().ok()).unwrap_or(0usize);
            column = column.saturating_add(covered).saturating_add(1);
            if let Some(comment) = cell.child("Comment") {
                other.push((comment.text(), "comment"));
            }
            for (attribute, what) in [("HRef", office::LINK), ("HRefScreenTip", "hint at a link")] {
                other.extend(cell.attribute(attribute).map(|text| (text.to_owned(), what)));
            }
            other.extend(cell.child("PhoneticText").map(|text| (text.text(), "phonetic text")));
        }
    }
    let table = writer.finish(Some(detail.clone()));
    if !table.is_empty() {
        content.blocks.push(Block::Table(table));
    }
    for (text, what) in other {
        let place = if what == office::LINK { what.to_owned() } else { format!("{detail}, {what}") };
        push(text, &place, &mut content.blocks);
    }
    for page in ["Header", "Footer"] {
        let mut found = Vec::new();
        element.descendants(page, &mut found);
        for data in found.into_iter().filter_map(|e| e.attribute("Data")) {
            push(data.to_owned(), &format!("{detail}, header or footer"), &mut content.blocks);
        }
    }
    element.elements().filter(|e| e.name == "Names").for_each(|list| names(list, &mut content.blocks));
}

fn names(list: &Element, out: &mut Vec<Block>) {
    for name in list.elements() {
        let said = ["Name", "RefersTo"].map(|n| name.attribute(n).unwrap_or_default());
        push(said.join(" ").replace('_', " "), "defined name", out);
    }
}

/// `ss:Index`, which counts from one.
fn place(element: &Element) -> Option<usize> {
    element.attribute("Index").and_then(|n| n.parse().ok()).filter(|n| *n > 0)
}

fn value(cell: &Element) -> String {
    let Some(data) = cell.child("Data") else { return String::new() };
    let text = data.text();
    match data.attribute("Type") {
        Some("DateTime") => {
            let date = text.trim().trim_end_matches(".000").trim_end_matches("T00:00:00");
            date.replace('T', " ")
        }
        _ => text,
    }
}

fn push(text: String, detail: &str, out: &mut Vec<Block>) {
    if text.chars().any(char::is_alphanumeric) {
        out.push(Block::paragraph_at(text.trim(), detail));
    }
}

#[cfg(test)]
mod tests {
    use crate::text::{Row, Table};

    use super::super::markup;
    use super::*;

    #[test]
    fn columns_stay_where_they_are() {
        let file = b"<?xml version='1.0'?><?mso-application progid='Excel.Sheet'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet' xmlns:ss='urn:schemas-microsoft-com:office:spreadsheet' xmlns:x='urn:schemas-microsoft-com:office:excel'><Worksheet ss:Name='Amy Smith'><Table><Column ss:Index='2'/><Row><Cell ss:HRef='https://a.org/b' x:HRefScreenTip='of Amy'><Data ss:Type='String'>Name</Data></Cell><Cell ss:Index='3'><Data ss:Type='String'>DOB</Data></Cell></Row><Row ss:Index='5' ss:Hidden='1'><Cell ss:MergeAcross='1'><ss:Data ss:Type='String'><Font>Ben</Font><B> Jones</B></ss:Data><Comment><ss:Data>asthma</ss:Data></Comment></Cell><Cell><Data ss:Type='DateTime'>2015-11-03T00:00:00.000</Data></Cell></Row></Table></Worksheet></Workbook>";
        let content = markup::content(&crate::extract::xml::parse(file).unwrap());
        let row = |cells: [&str; 3], detail: &str| Row {
            cells: cells.map(str::to_owned).to_vec(),
            detail: Some(detail.into()),
        };
        let detail = "Sheet 'Amy Smith'";
        assert_eq!(content.names, ["Amy Smith"]);
        assert_eq!(
            content.blocks,
            [
                Block::Table(Table::of(
                    Some(detail.into()),
                    [row(["Name", "", "DOB"], "row 1"), row(["Ben Jones", "", "2015-11-03"], "row 5, hidden")],
                )),
                Block::paragraph_at("https://a.org/b", "link"),
                Block::paragraph_at("of Amy", format!("{detail}, hint at a link")),
                Block::paragraph_at("asthma", format!("{detail}, comment")),
            ]
        );
    }
}
