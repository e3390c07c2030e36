//! `schoolgate extract`: what is read of a file or a message, and what is not. For people who want to know why a message
//! was held, and for those who doubt that an attachment is read at all.

use std::borrow::Cow;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::{Serialize, Serializer};

use super::terminal::{write_safe, write_safe_json};
use crate::extract::{self, Pool, Reading};
use crate::message;
use crate::text::{Block, Halt, Kind, RowView, Table};

/// Print what is read of a file or a message, with places, and what is not, with the reason. Exit status: 0 all was read, 20 something was not.
#[derive(Debug, clap::Args)]
pub struct Extract {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// A message (`.eml`) or any single file
    file: PathBuf,
}

/// The JSON that `--json` prints.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    documents: Vec<PrintedDocument<'a>>,
    images: Vec<PrintedImage<'a>>,
    unread: Vec<PrintedUnread<'a>>,
    opened_with_password: &'a [String],
}

#[derive(Debug, Serialize)]
struct PrintedDocument<'a> {
    #[serde(rename = "where")]
    place: &'a str,
    kind: &'static str,
    #[serde(serialize_with = "blocks")]
    blocks: &'a [Block],
}

/// A paragraph has `text`, a table has `rows`.
#[derive(Debug, Serialize)]
struct PrintedBlock<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "rows")]
    rows: Option<&'a Table>,
}

#[derive(Debug, Serialize)]
struct PrintedRow<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'a, str>>,
    cells: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct PrintedImage<'a> {
    #[serde(rename = "where")]
    place: &'a str,
    format: &'static str,
    width: u32,
    height: u32,
    camera: bool,
}

#[derive(Debug, Serialize)]
struct PrintedUnread<'a> {
    #[serde(rename = "where")]
    place: &'a str,
    why: &'static str,
}

/// Runs the command.
pub fn run(args: &Extract) -> Result<ExitCode> {
    let bytes = std::fs::read(&args.file).with_context(|| format!("{}: cannot be read", args.file.display()))?;
    let name = args.file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let workers = Pool::lazy(1);
    let (reading, faults) = if name.to_lowercase().ends_with(".eml") {
        let message = message::read(&bytes);
        (extract::read_with(Some(&workers), &Halt::default(), &message), message.faults)
    } else {
        (extract::read_file_with(Some(&workers), &name, &bytes), Vec::new())
    };
    workers.sound().context(super::NO_WORKER)?;
    // Written as it goes: what was read may be many times what a terminal wants to know, or memory to hold twice.
    let mut out = BufWriter::new(std::io::stdout().lock());
    if args.json {
        write_safe_json(&mut out, &printed(&reading)).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        tell(&mut out, &reading, &faults)?;
    }
    out.flush()?;
    Ok(ExitCode::from(if reading.unread.is_empty() { 0 } else { 20 }))
}

fn printed(reading: &Reading) -> Printed<'_> {
    Printed {
        documents: reading
            .documents
            .iter()
            .map(|document| PrintedDocument {
                place: &document.place,
                kind: kind(document.kind),
                blocks: &document.blocks,
            })
            .collect(),
        images: reading
            .images
            .iter()
            .map(|i| PrintedImage {
                place: &i.place,
                format: i.format,
                width: i.width,
                height: i.height,
                camera: i.camera,
            })
            .collect(),
        unread: reading.unread.iter().map(|u| PrintedUnread { place: &u.part, why: u.why.as_str() }).collect(),
        opened_with_password: &reading.opened_with_password,
    }
}

fn block(block: &Block) -> PrintedBlock<'_> {
    match block {
        Block::Paragraph { text, detail } => PrintedBlock { detail: detail.as_deref(), text: Some(text), rows: None },
        Block::Table(table) => PrintedBlock { detail: table.detail.as_deref(), text: None, rows: Some(table) },
    }
}

fn blocks<S: Serializer>(blocks: &&[Block], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(blocks.iter().map(block))
}

fn rows<S: Serializer>(table: &Option<&Table>, serializer: S) -> Result<S::Ok, S::Error> {
    let rows = table.iter().flat_map(|table| table.rows());
    serializer.collect_seq(rows.map(|row| PrintedRow { detail: row.detail(), cells: row.aligned() }))
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Subject => "subject",
        Kind::Header => "header",
        Kind::Body => "body",
        Kind::Quoted => "quoted",
        Kind::Attachment => "attachment",
        Kind::FileName => "file-name",
    }
}

/// For a person at a terminal: each place once, what stands there below it, cells parted by a bar.
pub fn told(reading: &Reading, faults: &[String]) -> String {
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = tell(&mut out, reading, faults);
    String::from_utf8_lossy(&out).into_owned()
}

/// As [`told`], written as it goes.
fn tell(out: &mut impl Write, reading: &Reading, faults: &[String]) -> std::io::Result<()> {
    for document in &reading.documents {
        line(out, 0, &format!("{} ({})", document.place, kind(document.kind)))?;
        for block in &document.blocks {
            match block {
                Block::Paragraph { text, detail: None } => line(out, 2, text)?,
                Block::Paragraph { text, detail: Some(detail) } => {
                    line(out, 2, &format!("[{detail}]"))?;
                    line(out, 4, text)?;
                }
                Block::Table(table) => {
                    line(out, 2, &format!("[{}]", table.detail.as_deref().unwrap_or("table")))?;
                    table.rows().try_for_each(|row| tell_row(out, row))?;
                }
            }
        }
    }
    for image in &reading.images {
        let camera = if image.camera { ", from a camera" } else { "" };
        line(out, 0, &format!("{} (picture, {} by {} pixels{camera})", image.place, image.width, image.height))?;
    }
    for place in &reading.opened_with_password {
        line(out, 0, &format!("{place}: opened with a password that stands in the message"))?;
    }
    for unread in &reading.unread {
        line(out, 0, &format!("NOT READ: {} ({})", unread.part, unread.why.as_str()))?;
    }
    for fault in faults {
        line(out, 0, &format!("  in the message's structure: {fault}"))?;
    }
    Ok(())
}

/// The lines of a text that are not blank, each moved in.
fn line(out: &mut impl Write, indent: usize, text: &str) -> std::io::Result<()> {
    for part in text.lines().filter(|part| !part.trim().is_empty()) {
        write!(out, "{:indent$}", "")?;
        write_safe(out, part)?;
        writeln!(out)?;
    }
    Ok(())
}

/// A row in one line.
fn tell_row(out: &mut impl Write, row: RowView<'_>) -> std::io::Result<()> {
    let in_line = |out: &mut _, text: &str| {
        text.split(['\r', '\n']).enumerate().try_for_each(|(number, part)| {
            write_safe(out, if number == 0 { "" } else { " " })?;
            write_safe(out, part)
        })
    };
    write!(out, "    ")?;
    if let Some(detail) = row.detail() {
        in_line(out, &detail)?;
        write!(out, ": ")?;
    }
    let mut next = 0;
    for (column, text) in row.cells() {
        // An empty cell is nothing between two bars.
        (next.max(1)..=column).try_for_each(|_| write!(out, " | "))?;
        next = column + 1;
        in_line(out, text)?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_reasons_and_nothing_that_moves_the_cursor() {
        let reading = extract::read_file("list.csv", b"Name,Form\nAmy \x1b[2JSmith,Oak\nBen Jones,Elm\n");
        let text = told(&reading, &[]);
        assert!(text.contains("list.csv (attachment)") && text.contains("\\u{1b}[2JSmith | Oak"), "{text}");
        let gap = extract::read_file("gap.csv", b"Name,,Form\n,\"Amy\nSmith\",Oak\nBen,,\n");
        let text = told(&gap, &[]);
        for row in ["    row 1: Name |  | Form\n", "    row 2:  | Amy Smith | Oak\n", "    row 3: Ben\n"] {
            assert!(text.contains(row), "{text}");
        }
        let reading = extract::read_file("a.docx", b"PK\x03\x04");
        assert_eq!(told(&reading, &["odd".into()]).lines().count(), 4, "{}", told(&reading, &[]));
        let json = serde_json::to_value(printed(&reading)).expect("JSON");
        assert_eq!(json["unread"][0]["why"], "damaged");
    }
}
