//! `schoolgate meaning`: trains the model of what is said in plain words, and tells what it is worth.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use comfy_table::{ContentArrangement, Table, presets};

use super::terminal::say;
use crate::detect::meaning::assess::{Judged, area, assess, count, share};
use crate::detect::meaning::linear::sha256;
use crate::detect::meaning::{NONE, categories, data, train};
use crate::limits;

/// Work with the model of what is said of pupils in plain words
#[derive(Debug, clap::Subcommand)]
pub enum Meaning {
    /// Train the model from labelled lines; the same lines give the same file
    Train {
        /// The model; its SHA-256 is written beside it
        #[arg(long, default_value = "rules/meaning.bin")]
        out: PathBuf,
        /// Labelled lines: meaning/*.tsv meaning/everyday/*.tsv
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print the lines as a model sees them, with category, group and whether they are of no school: what `meaning/tune.py` reads
    Words {
        /// Labelled lines: meaning/*.tsv meaning/everyday/*.tsv
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Tell what a model is worth on groups of lines that it was not trained on; trains one for each part
    Assess {
        /// Labelled lines: meaning/*.tsv meaning/everyday/*.tsv
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Runs the command.
pub fn run(command: &Meaning) -> Result<ExitCode> {
    match command {
        Meaning::Train { out, files } => write(out, &train::train(&in_order(files)?).write())?,
        Meaning::Words { files } => {
            for line in in_order(files)? {
                say!("{}\t{}\t{}\t{}", line.category, line.group, line.background, line.words().join(" "))?;
            }
        }
        Meaning::Assess { files } => report(&assess(&in_order(files)?))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a model, and its hash beside it.
pub(super) fn write(out: &Path, model: &[u8]) -> Result<()> {
    let hash = out.with_extension("sha256");
    let name = out.file_name().unwrap_or_default().display();
    std::fs::write(out, model).with_context(|| out.display().to_string())?;
    std::fs::write(&hash, format!("{}  {name}\n", sha256(model))).with_context(|| hash.display().to_string())?;
    say!("{} octets; build the program anew to use them", model.len())?;
    Ok(())
}

/// In whatever order the files are named, the model is the same.
pub(super) fn by_name(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut files = files.to_vec();
    files.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    files
}

fn in_order(files: &[PathBuf]) -> Result<Vec<data::Example>> {
    Ok(data::read(&by_name(files))?)
}

pub(super) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(headings.iter().copied());
    table
}

pub(super) fn percent(part: u64, whole: u64) -> String {
    format!("{:.1} %", 100.0 * share(part, whole))
}

fn report(judged: &[Judged]) -> Result<()> {
    say!("area under the curve, lines of school: {:.3}\n", area(judged))?;
    let mut by_threshold = table(&[
        "threshold",
        "raised that should be",
        "to the right tier",
        "raised in vain",
        "of no school, with a name",
    ]);
    for threshold in [0.4, 0.5, 0.6, 0.7, 0.8, 0.9] {
        let said = count(judged, threshold, |line| line.category != NONE);
        let silent = count(judged, threshold, |line| line.category == NONE && !line.background);
        let background = count(judged, threshold, |line| line.background);
        by_threshold.add_row([
            format!("{threshold}"),
            percent(said.0, said.2),
            percent(said.1, said.0),
            percent(silent.0, silent.2),
            format!("{:.2} %", 100.0 * share(background.0, background.2)),
        ]);
    }
    say!("{by_threshold}\n\nat the threshold {}, by category:\n", limits::MEANING_THRESHOLD)?;
    let mut by_category = table(&["category", "lines", "raised", "to the right tier"]);
    for category in categories() {
        let (up, right, all) = count(judged, limits::MEANING_THRESHOLD, |line| line.category == category);
        by_category.add_row([category.to_owned(), all.to_string(), percent(up, all), percent(right, up)]);
    }
    say!("{by_category}\n\nlikelihood read, and lines of school that do say something:\n")?;
    let mut calibration = table(&["likelihood", "lines", "say something"]);
    for tenth in 0..10u8 {
        let (from, to) = (f32::from(tenth) / 10.0, f32::from(tenth + 1) / 10.0);
        let inside =
            |line: &&Judged| !line.background && line.reading.said >= from && (line.reading.said < to || tenth == 9);
        let (mut lines, mut said) = (0, 0);
        for line in judged.iter().filter(inside) {
            lines += 1;
            said += u64::from(line.category != NONE);
        }
        calibration.add_row([format!("{from:.1} to {to:.1}"), lines.to_string(), percent(said, lines)]);
    }
    say!("{calibration}")?;
    Ok(())
}
