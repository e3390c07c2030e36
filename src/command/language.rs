//! `schoolgate language`: trains the model of offensive language, and tells what it is worth.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

use super::meaning::{by_name, percent, table, write};
use super::terminal::say;
use crate::detect::language::train::{Judged, assess, read, train, words};
use crate::detect::meaning::NONE;

/// Work with the model of language that is meant to hurt
#[derive(Debug, clap::Subcommand)]
pub enum Language {
    /// Train the model from labelled lines; the same lines give the same file
    Train {
        /// The model; its SHA-256 is written beside it
        #[arg(long, default_value = "rules/language.bin")]
        out: PathBuf,
        /// Labelled lines, and lines that offend nobody: language/*.tsv meaning/*.tsv meaning/everyday/*.tsv
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print the lines as a model sees them, with kind, group and whether they are of no school: what `meaning/tune.py` reads
    Words {
        /// Labelled lines: language/*.tsv
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Tell what a model is worth on groups of lines that it was not trained on; trains one for each part
    Assess {
        /// Print the lines that are read wrong from this likelihood on
        #[arg(long, value_name = "LIKELIHOOD")]
        misses: Option<f32>,
        /// Labelled lines, as for training
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Runs the command.
pub fn run(command: &Language) -> Result<ExitCode> {
    match command {
        Language::Train { out, files } => write(out, &train(&read(&by_name(files))?))?,
        Language::Words { files } => {
            for line in read(&by_name(files))? {
                say!("{}\t{}\t{}\t{}", line.category, line.group, line.background, words(&line).join(" "))?;
            }
        }
        Language::Assess { misses, files } => report(&assess(&read(&by_name(files))?), *misses)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn report(judged: &[Judged], misses: Option<f32>) -> Result<()> {
    let count = |which: &dyn Fn(&Judged) -> bool| judged.iter().filter(|line| which(line)).count() as u64;
    let offends = |line: &Judged| line.kind != NONE;
    let all = [
        count(&|line| offends(line)),
        count(&|line| line.own && !offends(line)),
        count(&|line| !line.own && !offends(line)),
    ];
    let mut halves = table(&["likelihood", "offensive, read so", "its near twins, read so", "other lines, read so"]);
    for (name, by) in
        [("quick half", Judged::quick as fn(&Judged) -> f32), ("encoder", Judged::slow), ("both", Judged::both)]
    {
        for threshold in [0.02, 0.05, 0.1, 0.5, 0.8, 0.9, 0.95, 0.98] {
            let read = [
                count(&|line| offends(line) && by(line) >= threshold),
                count(&|line| line.own && !offends(line) && by(line) >= threshold),
                count(&|line| !line.own && !offends(line) && by(line) >= threshold),
            ];
            halves.add_row([
                format!("{name} {threshold}"),
                percent(read[0], all[0]),
                format!("{} of {}", read[1], all[1]),
                format!("{} of {}", read[2], all[2]),
            ]);
        }
    }
    halves.add_row([
        "read for its words".to_owned(),
        percent(count(&|line| offends(line) && line.suspected()), all[0]),
        percent(count(&|line| line.own && !offends(line) && line.suspected()), all[1]),
        percent(count(&|line| !line.own && line.suspected()), all[2]),
    ]);
    say!("{halves}")?;
    if let Some(threshold) = misses {
        for line in judged.iter().filter(|line| offends(line) != (line.both() >= threshold)) {
            say!("{:.3} {:.3} {:.3} {} {}", line.quick, line.slow, line.both, line.kind, line.text)?;
        }
    }
    Ok(())
}
