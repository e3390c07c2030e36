//! `schoolgate score`: runs the gateway's decision over a labelled corpus and prints the figures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use comfy_table::{Table, presets};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::check::{envelope, time};
use super::mailbox::mail;
use super::terminal::{self, safe, safe_json, say};
use crate::config::{self, Config};
use crate::extract::{Isolation, Pool};
use crate::inspect::{Ground, Report, inspect, inspect_isolated};
use crate::policy::Action;

/// Run the decision over a labelled corpus and print the figures
///
/// A line that is no label, or whose message is missing or is no mail, is named and left out; exit status 10 then.
#[derive(Debug, clap::Args)]
pub struct Score {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = config::VARIABLE, default_value = config::DEFAULT_FILE)]
    config: PathBuf,
    /// Print the figures as one JSON object
    #[arg(long)]
    json: bool,
    /// Also print every case that was decided wrong
    #[arg(long)]
    misses: bool,
    /// Also print the figures of each rule
    #[arg(long)]
    by_rule: bool,
    /// Also print the figures of each tag: what makes a case hard, and where it is hidden
    #[arg(long)]
    by_tag: bool,
    /// Only cases with this tag; with a `-` before it, only cases without it
    #[arg(long, value_name = "TAG", allow_hyphen_values = true)]
    tag: Vec<String>,
    /// One labelled case a line
    cases: PathBuf,
}

/// One labelled case.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    /// Name of the case.
    pub id: String,
    /// The message, relative to the corpus file.
    pub file: PathBuf,
    /// Envelope sender; empty for the null sender.
    pub mail_from: String,
    /// Envelope recipients.
    pub rcpt: Vec<String>,
    /// Decide as of this time.
    pub at: Option<String>,
    /// The right action.
    pub action: Action,
    /// Further actions that are also right.
    #[serde(default)]
    pub accept: Vec<Action>,
    /// Rules that must fire.
    #[serde(default)]
    pub rules: Vec<String>,
    /// Roster ids identified.
    #[serde(default)]
    pub pupils: Vec<String>,
    /// What makes the case hard.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// How one case came out.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Name of the case.
    pub id: String,
    /// The right action.
    pub wanted: Action,
    /// What was decided.
    pub got: Action,
    /// `got` is the right action or an accepted one.
    pub right: bool,
    /// Rules that had to fire and did not.
    pub rules_missing: Vec<String>,
    /// Rules that fired beyond those wanted.
    pub rules_extra: Vec<String>,
    /// Pupils that had to be identified and were not.
    pub pupils_missing: Vec<String>,
    /// Pupils identified beyond those wanted.
    pub pupils_extra: Vec<String>,
    /// Pupils wanted.
    pub pupils_wanted: usize,
    /// Rules that had to fire.
    pub rules_wanted: Vec<String>,
    /// What makes the case hard.
    pub tags: Vec<String>,
}

/// The figures of a corpus.
#[derive(Debug, Default, Serialize)]
pub struct Figures {
    /// Cases.
    pub cases: usize,
    /// Cases whose action is right or accepted.
    pub right: usize,
    /// Cases labelled hold or reject, and how many of those would have been delivered.
    pub stoppable: usize,
    /// Breaches let through: labelled hold or reject, decided deliver.
    pub let_through: usize,
    /// Cases labelled deliver.
    pub deliverable: usize,
    /// Right mail stopped: labelled deliver, neither delivered nor decided as accepted.
    pub stopped: usize,
    /// Cases whose fired rules are exactly those wanted.
    pub rules_exact: usize,
    /// Pupils wanted, over all cases.
    pub pupils_wanted: usize,
    /// Of those, found.
    pub pupils_found: usize,
    /// Pupils identified who are not wanted.
    pub pupils_wrong: usize,
}

impl Figures {
    /// Part of the actions that are right, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        share(self.right, self.cases)
    }

    /// Part of the pupils wanted that were found.
    pub fn recall(&self) -> f64 {
        share(self.pupils_found, self.pupils_wanted)
    }

    /// Part of the pupils identified that were wanted.
    pub fn precision(&self) -> f64 {
        share(self.pupils_found, self.pupils_found + self.pupils_wrong)
    }

    /// The figures of these cases.
    pub fn of<'o>(outcomes: impl IntoIterator<Item = &'o Outcome>) -> Self {
        let mut figures = Self::default();
        outcomes.into_iter().for_each(|o| figures.add(o));
        figures
    }

    fn add(&mut self, outcome: &Outcome) {
        self.cases += 1;
        self.right += usize::from(outcome.right);
        if outcome.wanted >= Action::Hold {
            self.stoppable += 1;
            self.let_through += usize::from(outcome.got == Action::Deliver);
        }
        if outcome.wanted == Action::Deliver {
            self.deliverable += 1;
            self.stopped += usize::from(!outcome.right);
        }
        self.rules_exact += usize::from(outcome.rules_missing.is_empty() && outcome.rules_extra.is_empty());
        self.pupils_wanted += outcome.pupils_wanted;
        self.pupils_found += outcome.pupils_wanted - outcome.pupils_missing.len();
        self.pupils_wrong += outcome.pupils_extra.len();
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Runs the command.
pub fn run(args: &Score) -> Result<ExitCode> {
    let config = Config::load(&args.config)?;
    let loaded = super::ground::load(&config)?;
    let Scored { figures, outcomes, problems } = {
        let workers = Pool::lazy(rayon::current_num_threads());
        let scored = score_with(Some(&workers), &loaded.ground, &args.cases, &args.tag)?;
        workers.sound().context(super::NO_WORKER)?;
        scored
    };
    let status = if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(10) };
    if args.json {
        say!("{}", safe_json(&serde_json::json!({ "figures": figures, "cases": outcomes, "problems": problems }))?)?;
        return Ok(status);
    }
    for problem in &problems {
        say!("{}", safe(problem))?;
    }
    terminal::print(&table(&figures, &outcomes))?;
    if args.by_rule {
        say!("\n{}", by_rule(&outcomes))?;
    }
    if args.by_tag {
        say!("\n{}", by_tag(&outcomes))?;
    }
    if args.misses {
        for outcome in
            outcomes.iter().filter(|o| !o.right || !o.pupils_missing.is_empty() || !o.pupils_extra.is_empty())
        {
            say!("{}", safe(&miss(outcome)))?;
        }
    }
    Ok(status)
}

/// A corpus decided.
#[derive(Debug)]
pub struct Scored {
    /// The figures of all outcomes.
    pub figures: Figures,
    /// In the order of the file.
    pub outcomes: Vec<Outcome>,
    /// Lines that could not be used, by file and line.
    pub problems: Vec<String>,
}

/// Decides every case of a corpus file, on all cores, in this process.
///
/// # Errors
/// The file cannot be read, or no line of it can be used.
pub fn score(ground: &Ground, file: &Path) -> Result<Scored> {
    score_with(None, ground, file, &[])
}

/// As [`score`], of the cases that have all these tags, or do not have those with a `-` before them; files that only foreign code can
/// read are handed to `isolation`, where one is given.
///
/// # Errors
/// As [`score`], and no case has these tags.
pub fn score_with(isolation: Option<&dyn Isolation>, ground: &Ground, file: &Path, tags: &[String]) -> Result<Scored> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let lines: Vec<(usize, &str)> = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).collect();
    let outcome = |line: &str| {
        let case = label(ground, line)?;
        let wanted = tags.iter().all(|tag| fits(&case, tag));
        wanted.then(|| decide(isolation, ground, folder, &case)).transpose()
    };
    let decided: Vec<(usize, Result<Option<Outcome>>)> =
        lines.par_iter().map(|&(at, line)| (at + 1, outcome(line))).collect();
    let (mut outcomes, mut problems) = (Vec::new(), Vec::new());
    for (line, outcome) in decided {
        match outcome {
            Ok(outcome) => outcomes.extend(outcome),
            Err(error) => problems.push(format!("{}:{line}: {error:#}", file.display())),
        }
    }
    if outcomes.is_empty() {
        let nothing = if lines.is_empty() { "it is empty" } else { "no case has these tags" };
        let why = problems.first().cloned().unwrap_or_else(|| format!("{}: {nothing}", file.display()));
        bail!("no case to decide: {why}");
    }
    Ok(Scored { figures: Figures::of(&outcomes), outcomes, problems })
}

/// A line of the corpus, with all that a label needs.
fn label(ground: &Ground, line: &str) -> Result<Case> {
    let case: Case = serde_json::from_str(line.trim_start_matches('\u{feff}')).context("no labelled case")?;
    if case.id.trim().is_empty() || case.rcpt.is_empty() {
        bail!("no labelled case: id and rcpt must not be empty");
    }
    if let Some(unknown) = case.rules.iter().find(|id| !ground.pack.rules.iter().any(|rule| rule.id == **id)) {
        bail!("no labelled case: the rule pack has no rule {unknown}");
    }
    Ok(case)
}

fn decide(isolation: Option<&dyn Isolation>, ground: &Ground, folder: &Path, case: &Case) -> Result<Outcome> {
    let path = folder.join(&case.file);
    let named = || path.display().to_string();
    let raw = std::fs::read(&path).with_context(|| format!("{}: cannot be read", path.display()))?;
    let raw = mail(raw).with_context(named)?;
    let (envelope, at) = (envelope(&case.mail_from, &case.rcpt)?, time(case.at.as_deref())?);
    let report = match isolation {
        Some(isolation) => inspect_isolated(isolation, ground, &envelope, &raw, at),
        None => inspect(ground, &envelope, &raw, at),
    };
    Ok(compare(case, &report))
}

fn compare(case: &Case, report: &Report) -> Outcome {
    // What only has something done with mail that goes stops nothing, and is in no label.
    let fired: Vec<&String> = report.rules.iter().filter(|r| r.action > Action::Deliver).map(|r| &r.id).collect();
    let found: Vec<&String> = report.pupils.iter().map(|p| &p.id).collect();
    let missing = |wanted: &[String], got: &[&String]| -> Vec<String> {
        wanted.iter().filter(|w| !got.contains(w)).cloned().collect()
    };
    let extra = |wanted: &[String], got: &[&String]| -> Vec<String> {
        got.iter().filter(|g| !wanted.contains(g)).map(|g| (*g).clone()).collect()
    };
    Outcome {
        id: case.id.clone(),
        wanted: case.action,
        got: report.action,
        right: report.action == case.action || case.accept.contains(&report.action),
        rules_missing: missing(&case.rules, &fired),
        rules_extra: extra(&case.rules, &fired),
        pupils_missing: missing(&case.pupils, &found),
        pupils_extra: extra(&case.pupils, &found),
        pupils_wanted: case.pupils.len(),
        rules_wanted: case.rules.clone(),
        tags: case.tags.clone(),
    }
}

/// `tag` is one of the case's tags; `-tag` is none of them.
fn fits(case: &Case, tag: &str) -> bool {
    match tag.strip_prefix('-') {
        Some(without) => !case.tags.iter().any(|t| t == without),
        None => case.tags.iter().any(|t| t == tag),
    }
}

/// For each rule: how often it had to fire, did so, was missed, and fired where it should not.
fn by_rule(outcomes: &[Outcome]) -> Table {
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for outcome in outcomes {
        outcome.rules_wanted.iter().for_each(|r| counts.entry(r).or_default()[0] += 1);
        outcome.rules_missing.iter().for_each(|r| counts.entry(r).or_default()[1] += 1);
        outcome.rules_extra.iter().for_each(|r| counts.entry(r).or_default()[2] += 1);
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(["rule", "wanted", "fired", "missed", "too many"]);
    for (rule, [wanted, missed, extra]) in counts {
        let cells = [wanted, wanted - missed, missed, extra].map(|n| n.to_string());
        table.add_row(std::iter::once(rule.to_owned()).chain(cells));
    }
    table
}

/// For each tag: its cases, and how they came out.
fn by_tag(outcomes: &[Outcome]) -> Table {
    let mut tagged: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        outcome.tags.iter().for_each(|tag| tagged.entry(tag).or_default().push(outcome));
    }
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["tag", "cases", "actions right", "let through", "stopped", "pupils found", "of", "wrong"]);
    for (tag, outcomes) in tagged {
        let f = Figures::of(outcomes);
        let cells = [f.cases, f.right, f.let_through, f.stopped, f.pupils_found, f.pupils_wanted, f.pupils_wrong];
        table.add_row(std::iter::once(safe(tag)).chain(cells.map(|n| n.to_string())));
    }
    table
}

/// The figures as people read them: the four that matter, then wanted against decided.
pub fn table(figures: &Figures, outcomes: &[Outcome]) -> String {
    let mut head = Table::new();
    head.load_style(presets::ASCII_MARKDOWN).set_header(["figure", "value", "of"]);
    let percent = |x: f64| format!("{:.1} %", 100.0 * x);
    head.add_row(["actions right", &percent(figures.accuracy()), &format!("{} of {}", figures.right, figures.cases)]);
    let of = |n: usize, m: usize| format!("{n} of {m}");
    head.add_row([
        "breaches let through",
        &figures.let_through.to_string(),
        &of(figures.let_through, figures.stoppable),
    ]);
    head.add_row(["right mail stopped", &figures.stopped.to_string(), &of(figures.stopped, figures.deliverable)]);
    head.add_row([
        "rules exact",
        &percent(share(figures.rules_exact, figures.cases)),
        &of(figures.rules_exact, figures.cases),
    ]);
    let recall = of(figures.pupils_found, figures.pupils_wanted);
    head.add_row(["pupils found (recall)", &percent(figures.recall()), &recall]);
    let named = of(figures.pupils_found, figures.pupils_found + figures.pupils_wrong);
    head.add_row(["pupils right (precision)", &percent(figures.precision()), &named]);

    const ACTIONS: [Action; 4] = [Action::Deliver, Action::Warn, Action::Hold, Action::Reject];
    let mut counts: BTreeMap<(Action, Action), usize> = BTreeMap::new();
    outcomes.iter().for_each(|o| *counts.entry((o.wanted, o.got)).or_default() += 1);
    let mut cross = Table::new();
    cross.load_style(presets::ASCII_MARKDOWN).set_header(["wanted \\ decided", "deliver", "warn", "hold", "reject"]);
    for wanted in ACTIONS {
        let cells = ACTIONS.iter().map(|&got| counts.get(&(wanted, got)).copied().unwrap_or(0).to_string());
        cross.add_row(std::iter::once(wanted.as_str().to_owned()).chain(cells));
    }
    format!("{head}\n\n{cross}\n")
}

fn miss(outcome: &Outcome) -> String {
    let mut line = format!("{}: wanted {}, decided {}", outcome.id, outcome.wanted.as_str(), outcome.got.as_str());
    for (words, ids) in [
        ("rules not fired", &outcome.rules_missing),
        ("rules too many", &outcome.rules_extra),
        ("pupils not found", &outcome.pupils_missing),
        ("pupils too many", &outcome.pupils_extra),
    ] {
        if !ids.is_empty() {
            line.push_str(&format!("; {words}: {}", ids.join(" ")));
        }
    }
    line
}
