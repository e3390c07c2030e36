//! Loads what decisions rest on, from the files that a configuration names.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};

use crate::config::{Config, Pack};
use crate::inspect::Ground;
use crate::inspect::version::Deciding;
use crate::limits;
use crate::message::signed::{KeyProblem, Keys as DkimKeys};
use crate::people::{self, Loaded, PupilSource, Roster, RowFault, Sources};
use crate::policy::RulePack;
use crate::relay::parts;
use crate::store::{Sealed, StoreKey};
use crate::text::problem::{FileProblem, FileProblems};

/// The ground, and the roster rows that could not be used.
pub struct LoadedGround {
    /// What decisions rest on.
    pub ground: Ground,
    /// Rows left out or used in part, by file, row and column.
    pub faults: Vec<RowFault>,
    /// What was put right in rows, and rows that list nobody.
    pub notes: Vec<RowFault>,
}

/// Reads rules and roster. An error names file, line and column; a bad roster row is reported and the rest loads.
pub fn load(config: &Config) -> Result<LoadedGround> {
    crate::detect::check_embedded_lists().context("the program's own lists are faulty")?;
    let pack = pack(config)?;
    for id in config.policy.permitted.keys() {
        let at = config.at(&format!("policy.permitted.{id}"));
        match pack.rules.iter().find(|rule| rule.id == *id) {
            Some(rule) if rule.exempt => {}
            Some(_) => bail!("{at}: nobody is exempt from this rule: its pack does not say exempt = true"),
            None => bail!("{at}: the pack has no such rule; `schoolgate policy check` names those it has"),
        }
    }
    let mut loaded = school(config)?;
    loaded.school.forget_what_is_indexed();
    let ground = Ground {
        school: Arc::new(loaded.school),
        pack,
        confidential_markers: config.policy.confidential_markers.clone(),
        bulk_pupils: config.policy.bulk_pupils,
        roles: config.roles.clone(),
        permitted: config.policy.permitted.clone(),
        times: config.school_time.clone(),
        dkim_keys: dkim_keys(config)?,
        version: std::sync::OnceLock::new(),
    };
    Ok(LoadedGround { ground, faults: loaded.faults, notes: loaded.notes })
}

/// The version of the rules and settings of a configuration over this pack, as reports name it; no roster is read.
pub fn version(config: &Config, pack: &RulePack) -> Result<String> {
    let dkim_keys = dkim_keys(config)?;
    let deciding = Deciding {
        pack,
        domains: &config.school.domains,
        confidential_markers: &config.policy.confidential_markers,
        bulk_pupils: config.policy.bulk_pupils,
        roles: &config.roles,
        permitted: &config.policy.permitted,
        times: &config.school_time,
        dkim_keys: &dkim_keys,
    };
    Ok(deciding.version())
}

/// The pack in force, with the modes that the configuration gives its rules.
pub fn pack(config: &Config) -> Result<RulePack> {
    let pack = match &config.policy.pack {
        Pack::Embedded(name) => RulePack::embedded(name),
        Pack::File(file) => RulePack::load(file),
    }
    .with_context(|| config.at("policy.pack"))?;
    with_modes(pack, config)
}

/// A pack with the modes that the configuration gives its rules.
pub fn with_modes(mut pack: RulePack, config: &Config) -> Result<RulePack> {
    let unknown = pack.set_modes(&config.policy.modes);
    if let Some(first) = unknown.first() {
        let at = config.at(&format!("policy.modes.{first}"));
        bail!("{at}: the pack has no rule {}; `schoolgate policy check` names those it has", unknown.join(", "));
    }
    Ok(pack)
}

/// The keys with which attached originals are checked; an error names file and line.
fn dkim_keys(config: &Config) -> Result<DkimKeys> {
    let Some(file) = &config.policy.dkim_keys else { return Ok(DkimKeys::default()) };
    let one = |problem: String| FileProblems::one(file, problem);
    let read = || {
        let about = std::fs::metadata(file).map_err(|error| one(format!("cannot be read: {error}")))?;
        if about.len() > limits::DKIM_KEYS_FILE as u64 {
            return Err(one(format!("is larger than {} octets", limits::DKIM_KEYS_FILE)));
        }
        let text = std::fs::read(file).map_err(|error| one(format!("cannot be read: {error}")))?;
        let text = String::from_utf8(text).map_err(|_| one("is no text in UTF-8".to_owned()))?;
        DkimKeys::parse(&text).map_err(|problems| {
            let placed =
                |KeyProblem { line, problem }| FileProblem { file: file.clone(), place: Some((line, 1)), problem };
            FileProblems(problems.into_iter().map(placed).collect())
        })
    };
    read().with_context(|| config.at("policy.dkim_keys"))
}

/// As [`load`], for relaying: a roster without a pupil is an error too, for with it everything about pupils would go out.
pub fn load_for_relaying(config: &Config) -> Result<LoadedGround> {
    let loaded = load(config)?;
    match no_pupil(config, &loaded.ground) {
        Some(problem) => bail!(problem),
        None => Ok(loaded),
    }
}

/// What is wrong with a roster that holds no pupil.
pub fn no_pupil(config: &Config, ground: &Ground) -> Option<String> {
    let key = if config.directory.imported { "directory.imported" } else { "directory.pupils" };
    ground.school.pupils.is_empty().then(|| {
        format!(
            "{}: the roster holds no pupil, so no mail about one would be recognised; export it anew, see `schoolgate roster check`",
            config.at(key)
        )
    })
}

/// The school with all that its lists say, and the rows that could not be used.
pub fn school(config: &Config) -> Result<Loaded> {
    let directory = &config.directory;
    let sealed = imported(config)?;
    let (pupils, guardians) = match (&sealed, &directory.pupils) {
        (Some(roster), _) => (PupilSource::Imported(roster), None),
        (None, Some(file)) => (PupilSource::File(file), directory.guardians.as_deref()),
        (None, None) => {
            bail!("{}: nothing was imported yet: run `schoolgate roster import`", config.at("directory.imported"))
        }
    };
    let sources = Sources {
        pupils,
        guardians,
        staff: directory.staff.as_deref(),
        correspondents: directory.correspondents.as_deref(),
        name: &config.school.name,
        domains: &config.school.domains,
        telephone: &config.school.telephone,
        bank_accounts: &config.school.bank_accounts,
    };
    people::load(&sources).map_err(|error| {
        let files = [
            ("directory.pupils", &directory.pupils),
            ("directory.guardians", &directory.guardians),
            ("directory.staff", &directory.staff),
            ("directory.correspondents", &directory.correspondents),
        ];
        let key = files.iter().find(|(_, file)| file.as_deref() == Some(error.file())).map_or("directory", |f| f.0);
        anyhow::Error::new(error).context(config.at(key))
    })
}

/// The imported roster, where the configuration asks for one and there is one.
pub fn imported(config: &Config) -> Result<Option<Roster>> {
    match &config.store {
        Some(place) if config.directory.imported => {
            let key = parts::key(config, place)?;
            open(&Sealed::new(&place.path), &key)
        }
        _ => Ok(None),
    }
}

/// A sealed roster. One that does not open is an error: nothing is decided on half a school.
pub fn open(sealed: &Sealed, key: &StoreKey) -> Result<Option<Roster>> {
    let Some(bytes) = sealed.read(key).context("the imported roster could not be opened")? else { return Ok(None) };
    // The reason might quote what it stumbled over.
    let roster = serde_json::from_slice(&bytes)
        .map_err(|_| anyhow!("the imported roster is of another version; import it anew"))?;
    Ok(Some(roster))
}
