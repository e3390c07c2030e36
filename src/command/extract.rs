//! `schoolgate extract`: what is read of a file or a message, and what is not. For people who want to know why a message
//! was held, and for those who doubt that an attachment is read at all.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;

use super::terminal::{self, safe, safe_json, say};
use crate::extract::{self, Pool, Reading};
use crate::message;
use crate::text::{Block, Halt, Kind};

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
    blocks: Vec<PrintedBlock<'a>>,
}

/// A paragraph has `text`, a table has `rows`.
#[derive(Debug, Serialize)]
struct PrintedBlock<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<PrintedRow<'a>>>,
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
    if args.json {
        say!("{}", safe_json(&printed(&reading))?)?;
    } else {
        terminal::print(&told(&reading, &faults))?;
    }
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
                blocks: document.blocks.iter().map(block).collect(),
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
        Block::Table(table) => PrintedBlock {
            detail: table.detail.as_deref(),
            text: None,
            rows: Some(table.rows().map(|row| PrintedRow { detail: row.detail(), cells: row.aligned() }).collect()),
        },
    }
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
    let mut out = String::new();
    let mut line = |indent: usize, text: &str| {
        for part in text.lines().filter(|part| !part.trim().is_empty()) {
            // Writing to a String does not fail.
            let _ = writeln!(out, "{:indent$}{}", "", safe(part));
        }
    };
    for document in &reading.documents {
        line(0, &format!("{} ({})", document.place, kind(document.kind)));
        for block in &document.blocks {
            match block {
                Block::Paragraph { text, detail: None } => line(2, text),
                Block::Paragraph { text, detail: Some(detail) } => {
                    line(2, &format!("[{detail}]"));
                    line(4, text);
                }
                Block::Table(table) => {
                    line(2, &format!("[{}]", table.detail.as_deref().unwrap_or("table")));
                    for row in table.rows() {
                        let place = row.detail().map_or(String::new(), |detail| format!("{detail}: "));
                        line(4, &format!("{place}{}", row.aligned().join(" | ").replace(['\r', '\n'], " ")));
                    }
                }
            }
        }
    }
    for image in &reading.images {
        let camera = if image.camera { ", from a camera" } else { "" };
        line(0, &format!("{} (picture, {} by {} pixels{camera})", image.place, image.width, image.height));
    }
    for place in &reading.opened_with_password {
        line(0, &format!("{place}: opened with a password that stands in the message"));
    }
    for unread in &reading.unread {
        line(0, &format!("NOT READ: {} ({})", unread.part, unread.why.as_str()));
    }
    for fault in faults {
        line(0, &format!("  in the message's structure: {fault}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_reasons_and_nothing_that_moves_the_cursor() {
        let reading = extract::read_file("list.csv", b"Name,Form\nAmy \x1b[2JSmith,Oak\nBen Jones,Elm\n");
        let text = told(&reading, &[]);
        assert!(text.contains("list.csv (attachment)") && text.contains("\\u{1b}[2JSmith | Oak"), "{text}");
        let reading = extract::read_file("a.docx", b"PK\x03\x04");
        assert_eq!(told(&reading, &["odd".into()]).lines().count(), 4, "{}", told(&reading, &[]));
        let json = serde_json::to_value(printed(&reading)).expect("JSON");
        assert_eq!(json["unread"][0]["why"], "damaged");
    }
}
