//! Loads what decisions rest on, from the files that a configuration names.

use anyhow::{Context, Result, bail};

use crate::config::{Config, Pack};
use crate::inspect::Ground;
use crate::people::{self, RowFault, Sources};
use crate::policy::RulePack;

/// The ground, and the roster rows that could not be used.
pub struct LoadedGround {
    /// What decisions rest on.
    pub ground: Ground,
    /// Rows left out or used in part, by file, row and column.
    pub faults: Vec<RowFault>,
}

/// Reads rules and roster. An error names file, line and column; a bad roster row is reported and the rest loads.
pub fn load(config: &Config) -> Result<LoadedGround> {
    crate::detect::check_embedded_lists().context("the program's own lists are faulty")?;
    let mut pack = match &config.policy.pack {
        Pack::Embedded(name) => RulePack::embedded(name)?,
        Pack::File(file) => RulePack::load(file)?,
    };
    let unknown = pack.set_modes(&config.policy.modes);
    if !unknown.is_empty() {
        bail!("{}: policy.modes: the pack has no rule {}", config.file.display(), unknown.join(", "));
    }
    let sources = Sources {
        pupils: &config.directory.pupils,
        guardians: config.directory.guardians.as_deref(),
        staff: config.directory.staff.as_deref(),
        correspondents: config.directory.correspondents.as_deref(),
        name: &config.school.name,
        domains: &config.school.domains,
        telephone: &config.school.telephone,
        bank_accounts: &config.school.bank_accounts,
    };
    let loaded = people::load(&sources).context("the roster could not be loaded")?;
    let ground = Ground {
        school: loaded.school,
        pack,
        confidential_markers: config.policy.confidential_markers.clone(),
        bulk_pupils: config.policy.bulk_pupils,
    };
    Ok(LoadedGround { ground, faults: loaded.faults })
}
