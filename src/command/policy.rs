//! `schoolgate policy`: checks a rule pack whole, prints it merged, and says which clauses of the policy it keeps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use comfy_table::{ContentArrangement, Table, presets};

use super::store::{Desk, unexpected};
use super::terminal::{safe, say};
use super::{exempt, ground};
use crate::config::Config;
use crate::policy::coverage::{Row, coverage};
use crate::policy::pack::EMBEDDED;
use crate::policy::{Mode, RulePack};
use crate::relay::control::{Answer, Request};
use crate::store::Store;

/// Work with rule packs.
#[derive(Debug, clap::Subcommand)]
pub enum Policy {
    /// Check a rule pack whole, with the packs that it lies on; every problem is named with file, line and column
    Check {
        /// A file, or the name of an embedded pack; without it the one that the configuration names, and without that core
        pack: Option<PathBuf>,
        /// Configuration file: its modes hold, and below the rules stands their version, as reports name it
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print a rule pack as it is after all that it lies on: every rule whole, every clause
    Show {
        /// A file, or the name of an embedded pack; without it the one that the configuration names, and without that core
        pack: Option<PathBuf>,
        /// Configuration file: below the pack stands who is permitted what in it, and whom the head exempts now
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Say of each clause of a policy what keeps it, and what shows that it is kept
    Coverage {
        /// A file, or the name of an embedded pack; without it, every embedded pack that keeps a school's policy
        #[arg(long)]
        pack: Option<PathBuf>,
    },
}

/// Runs the command.
pub fn run(command: &Policy) -> Result<ExitCode> {
    match command {
        Policy::Check { pack, config } => check(pack.as_deref(), config.as_deref()),
        Policy::Show { pack, config } => show(pack.as_deref(), config.as_deref()),
        Policy::Coverage { pack } => covered(pack.as_deref()),
    }
}

fn read(pack: &Path) -> Result<RulePack> {
    Ok(match pack.to_str() {
        Some(name) if !name.ends_with(".toml") => RulePack::embedded(name)?,
        _ => RulePack::load(pack)?,
    })
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}

/// The pack that was asked for, with the modes of the configuration where there is one.
fn asked_for(pack: Option<&Path>, config: Option<&Config>) -> Result<RulePack> {
    match (pack, config) {
        (Some(pack), None) => read(pack),
        (Some(pack), Some(config)) => ground::with_modes(read(pack)?, config),
        (None, Some(config)) => ground::pack(config),
        (None, None) => Ok(RulePack::embedded("core")?),
    }
}

fn check(pack: Option<&Path>, config: Option<&Path>) -> Result<ExitCode> {
    let config = config.map(Config::load).transpose()?;
    let mut pack = asked_for(pack, config.as_ref())?;
    let chosen = match &config {
        Some(config) => super::runtime()?.block_on(chosen_modes(config)),
        None => Ok(BTreeMap::new()),
    };
    // The pack is sound or not whoever asks; the store is not everybody's to open.
    let (chosen, unknown) = match chosen {
        Ok(chosen) => (chosen, None),
        Err(error) => (BTreeMap::new(), Some(super::problem(&error))),
    };
    let gone = pack.set_modes(&chosen);
    let mut table = table(["rule", "action", "likely breach", "mode", "confirmed by", "decided by", "why"]);
    for rule in &pack.rules {
        table.add_row([
            rule.id.as_str(),
            rule.action.as_str(),
            if rule.breach { "yes" } else { "no" },
            rule.mode.as_str(),
            rule.confirm.as_str(),
            rule.approver.as_deref().unwrap_or(""),
            &safe(&rule.why),
        ]);
    }
    let chain: Vec<_> = pack.chain.iter().rev().skip(1).map(|name| format!(", on `{}`", safe(name))).collect();
    say!("{table}\n\npack `{}`{} is sound: {} rules", safe(&pack.name), chain.concat(), pack.rules.len())?;
    if let Some(why) = unknown {
        say!("which modes were chosen at the desk is not known: {}", safe(&why))?;
    }
    for (rule, mode) in &chosen {
        match gone.contains(rule) {
            true => say!("the mode of {} that was chosen at the desk is ignored: there is no such rule", safe(rule))?,
            false => {
                say!("{}: the mode {} was chosen at the desk and stands over the file", safe(rule), mode.as_str())?
            }
        }
    }
    if let Some(config) = &config {
        say!("version {} of the rules, with what the configuration sets", ground::version(config, &pack)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(pack: Option<&Path>, config: Option<&Path>) -> Result<ExitCode> {
    let config = config.map(Config::load).transpose()?;
    let pack = match (pack, &config) {
        (Some(pack), _) => read(pack)?,
        (None, Some(config)) => ground::pack(config)?,
        (None, None) => RulePack::embedded("core")?,
    };
    let text = pack.to_toml().context("the pack cannot be written")?;
    say!("{}", text.trim_end())?;
    if let Some(config) = config {
        // Comments: what is printed can be read as a pack.
        for line in exempt_from(config)? {
            say!("{}", safe(&format!("# {line}")))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The modes that were put in force at the desk, where there is a store.
pub async fn chosen_modes(config: &Config) -> Result<BTreeMap<String, Mode>> {
    if !config.store.as_ref().is_some_and(|store| Store::exists(&store.path)) {
        return Ok(BTreeMap::new());
    }
    let mut desk = Desk::of(config.clone())?;
    let answer = desk.ask(Request::Modes).await;
    desk.leave().await;
    match answer? {
        Answer::Modes(modes) => Ok(modes),
        _ => unexpected(),
    }
}

/// Whom [policy.permitted] names, and whom the head exempts now where there is a store, a line each.
fn exempt_from(config: Config) -> Result<Vec<String>> {
    let permitted = config.policy.permitted.iter();
    let mut lines: Vec<String> = permitted
        .flat_map(|(rule, senders)| senders.iter().map(move |sender| (rule, sender)))
        .map(|(rule, sender)| format!("{sender} is permitted by [policy.permitted] what {rule} would stop"))
        .collect();
    if config.store.as_ref().is_some_and(|store| Store::exists(&store.path)) {
        let kept = super::runtime()?.block_on(async {
            let mut desk = Desk::of(config.clone())?;
            let kept = exempt::in_force(&mut desk).await;
            desk.leave().await;
            kept
        })?;
        lines.extend(kept.iter().map(|kept| exempt::line(kept, &config)));
    }
    if lines.is_empty() {
        lines.push("nobody is exempt from any rule".to_owned());
    }
    Ok(lines)
}

fn covered(pack: Option<&Path>) -> Result<ExitCode> {
    let packs = match pack {
        Some(pack) => vec![read(pack)?],
        None => {
            let all = EMBEDDED.iter().map(|(name, _)| RulePack::embedded(name)).collect::<Result<Vec<_>, _>>()?;
            all.into_iter().filter(|pack| pack.policy.is_some()).collect()
        }
    };
    let (mut kept, mut all) = (0, 0);
    for pack in &packs {
        let rows = coverage(pack);
        let mut table = table(["clause", "the policy says", "kept by", "shown by", "state"]);
        for row in &rows {
            let Row { id, text, by, shown_by, state } = row;
            table.add_row([safe(id), safe(text), safe(&by.join(", ")), safe(&shown_by.join(", ")), state.to_string()]);
        }
        let of_pack = rows.iter().filter(|row| row.state.is_kept()).count();
        let policy = pack.policy.as_deref().unwrap_or(&pack.name);
        say!("{}\n\n{table}\n\n{of_pack} of {} clauses kept\n", safe(policy), rows.len())?;
        kept += of_pack;
        all += rows.len();
    }
    say!("{kept} of {all} clauses of {} policies kept", packs.len())?;
    Ok(ExitCode::SUCCESS)
}
