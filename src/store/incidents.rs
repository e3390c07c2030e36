//! The register of personal data breaches and near misses (UK GDPR Article 33(5)): opened, written on, closed, exported.
//!
//! An incident is opened by a reviewer's decision, in the same transaction; by a report that came by mail, in the transaction
//! in which that mail is committed; or by hand. Its 72 hours run from the moment that a person named as the one since when
//! the school is aware of a breach, and from nothing else.
//!
//! Never knows who may read or write, nor the roster. Invariants: of a message there is one incident at most; ids, times,
//! states and counts stand in clear, whatever may hold a name or words is sealed; every version of an assessment is kept with
//! who wrote it when; whoever writes on an older version than the newest is told so; a likely breach is not closed before
//! it is said whether the ICO is told; each change, look and export has its line in the audit, which holds no words of it.
//! Events: `incident-opened`, `incident-written`, `incident-aware`, `incident-closed`, `incident-reminded`, `incident-seen`,
//! `incidents-exported`.

mod assessment;
mod change;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::audit::timestamp;
use super::key::Keys;
use super::queue::mismatch;
use super::writer::{Answer, Op};
use super::{NewEntry, QueueId, Store, StoreError, row};
use crate::limits;

pub use assessment::{Assessment, ConcernedChild, IncidentKind};
pub(super) use change::Change;

/// How an incident came into the register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A reviewer's decision.
    Decision,
    /// A report by mail.
    Report,
    /// By hand.
    Hand,
}

impl Origin {
    /// The word that the store uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Report => "report",
            Self::Hand => "hand",
        }
    }

    fn of_word(word: &str) -> Result<Self, StoreError> {
        let all = [Self::Decision, Self::Report, Self::Hand];
        let found = all.into_iter().find(|one| one.as_str() == word);
        found.ok_or_else(|| StoreError::Database("an incident came in in an unknown way".to_owned()))
    }
}

/// An incident that is to be opened.
#[derive(Debug, Clone)]
pub struct NewIncident {
    /// Its reference.
    pub id: QueueId,
    /// The message that it is about, where it is known.
    pub message: Option<QueueId>,
    /// The message by which it was reported.
    pub report: Option<QueueId>,
    /// How.
    pub origin: Origin,
    /// What stands in it at first.
    pub assessment: Assessment,
    /// Who, as the audit names the person.
    pub who: String,
}

/// What of an incident stands in clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentLine {
    /// Its reference.
    pub id: QueueId,
    /// The message that it is about.
    pub message: Option<QueueId>,
    /// The message by which it was reported.
    pub report: Option<QueueId>,
    /// How it came in.
    pub origin: Origin,
    /// What it is taken for.
    pub kind: IncidentKind,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// By whom.
    pub opened_by: String,
    /// Since when the school is aware of a breach.
    pub aware_at: Option<Timestamp>,
    /// Who said so.
    pub aware_by: Option<String>,
    /// Whether the ICO is told; open while nobody has said.
    pub ico: Option<bool>,
    /// When that was said.
    pub ico_at: Option<Timestamp>,
    /// Whether the families are told.
    pub families: Option<bool>,
    /// When that was said.
    pub families_at: Option<Timestamp>,
    /// It concerns safeguarding.
    pub safeguarding: bool,
    /// Children concerned.
    pub children: u32,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// By whom.
    pub closed_by: Option<String>,
    /// The newest version of its assessment.
    pub version: u32,
}

/// A version of an assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// From 1.
    pub version: u32,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// What.
    pub assessment: Assessment,
}

/// An incident, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// What stands in clear.
    pub line: IncidentLine,
    /// Every version, the newest first; there is one at least.
    pub versions: Vec<Written>,
}

/// An incident on which a letter is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueReminder {
    /// Which.
    pub id: QueueId,
    /// Since when the school is aware.
    pub aware_at: Timestamp,
    /// After so many hours.
    pub hours: u32,
}

/// Which incidents are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentFilter {
    /// Those that are not closed alone, or those that are.
    pub open: Option<bool>,
    /// Of this kind alone.
    pub kind: Option<IncidentKind>,
    /// Those that concern safeguarding alone.
    pub safeguarding: bool,
}

/// The place of a line in the list, so that the next page goes on behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentKey {
    rank: i64,
    place: i64,
    id: String,
}

impl std::fmt::Display for IncidentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.rank, self.place, self.id)
    }
}

impl std::str::FromStr for IncidentKey {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.splitn(3, '.');
        let mut number = || parts.next().and_then(|part| part.parse().ok()).ok_or(());
        let (rank, place) = (number()?, number()?);
        Ok(Self { rank, place, id: parts.next().ok_or(())?.to_owned() })
    }
}

/// What an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Export {
    /// Numbers, kinds and times: no name and no words.
    Register,
    /// Everything.
    Whole,
    /// What of one child was in which incident.
    Dossier,
}

impl Export {
    fn as_str(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::Whole => "whole",
            Self::Dossier => "dossier",
        }
    }
}

impl IncidentLine {
    /// The end of the 72 hours, once they run; they are hours of the clock, whatever day it is (Article 33(1)).
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.aware_at.map(|aware| aware.saturating_add(limit()).unwrap_or(Timestamp::MAX))
    }

    /// The 72 hours run: a likely breach of which the school is aware, and nobody has said whether the ICO is told.
    pub fn runs(&self) -> bool {
        self.kind == IncidentKind::LikelyBreach
            && self.aware_at.is_some()
            && self.ico.is_none()
            && self.closed_at.is_none()
    }

    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        let id = |column| Ok::<_, StoreError>(row.try_get::<Option<String>, _>(column)?.map(QueueId));
        let time = |column| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(column)?.map(timestamp));
        let told = |column| {
            Ok::<_, StoreError>(row.try_get::<Option<String>, _>(column)?.map(|word| word == assessment::TOLD))
        };
        let kind: String = row.try_get("kind")?;
        Ok(Self {
            id: QueueId(row.try_get("id")?),
            message: id("message")?,
            report: id("report")?,
            origin: Origin::of_word(&row.try_get::<String, _>("origin")?)?,
            kind: kind.parse().map_err(|()| StoreError::Database("an incident is of no known kind".to_owned()))?,
            opened_at: timestamp(row.try_get("opened_at")?),
            opened_by: row.try_get("opened_by")?,
            aware_at: time("aware_at")?,
            aware_by: row.try_get("aware_by")?,
            ico: told("ico")?,
            ico_at: time("ico_at")?,
            families: told("families")?,
            families_at: time("families_at")?,
            safeguarding: row.try_get("safeguarding")?,
            children: row::count_of(row, "children")?,
            closed_at: time("closed_at")?,
            closed_by: row.try_get("closed_by")?,
            version: row::count_of(row, "version")?,
        })
    }
}

impl Incident {
    /// What stands in it now.
    pub fn assessment(&self) -> &Assessment {
        // There is one at least: what reads an incident makes sure of it.
        static NOTHING: std::sync::LazyLock<Assessment> = std::sync::LazyLock::new(Assessment::default);
        self.versions.first().map_or(&NOTHING, |written| &written.assessment)
    }
}

/// How long the school has.
fn limit() -> SignedDuration {
    SignedDuration::from_hours(i64::from(limits::INCIDENT_HOURS))
}

/// Where the body of a version is sealed for.
fn place(id: &str, version: u32) -> String {
    format!("incident {id} {version}")
}

fn seal(keys: &Keys, id: &QueueId, version: u32, assessment: &Assessment) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(assessment).map_err(|e| StoreError::Refused(format!("no assessment: {e}")))?;
    keys.seal_report(&place(&id.0, version), &json)
}

fn no_such(id: &QueueId) -> StoreError {
    StoreError::Refused(format!("there is no incident {id}"))
}

impl Store {
    /// Opens an incident; `None` where there is one already about the same message.
    ///
    /// # Errors
    /// What the database says.
    pub async fn open_incident(&self, new: NewIncident) -> Result<Option<QueueId>, StoreError> {
        let id = new.id.clone();
        Ok(self.incident(Change::Open(Box::new(new))).await?.then_some(id))
    }

    /// What the report of a message says, before anybody has written.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; what the database says.
    pub async fn assessment_of(&self, message: &QueueId) -> Result<Assessment, StoreError> {
        let message = self.show(message).await?;
        let from = message.summary.mail_from.as_ref().map(ToString::to_string);
        let recipients: Vec<String> = message.recipients.iter().map(|one| one.address.to_string()).collect();
        Ok(Assessment::of(message.report.as_ref(), from.as_deref(), &recipients))
    }

    /// Keeps a new version of an assessment, written on the version `on`.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where it is closed, where somebody has written meanwhile, and where an answer has no reason;
    /// what the database says.
    pub async fn write_incident(
        &self,
        id: &QueueId,
        on: u32,
        assessment: Assessment,
        who: &str,
    ) -> Result<(), StoreError> {
        if let Some((_, problem)) = assessment.problem() {
            return Err(StoreError::Refused(problem.to_owned()));
        }
        let change = Change::Write { id: id.clone(), on, assessment: Box::new(assessment), who: who.to_owned() };
        self.incident(change).await.map(drop)
    }

    /// Records that the school is aware of a breach since `at`: the 72 hours run from then on.
    ///
    /// # Errors
    /// [`StoreError::Refused`] for a time that is still to come, for a near miss and for what is closed; what the database says.
    pub async fn aware_of_incident(&self, id: &QueueId, at: Timestamp, who: &str) -> Result<(), StoreError> {
        let change = Change::Aware { id: id.clone(), at, who: who.to_owned() };
        self.incident(change).await.map(drop)
    }

    /// Closes an incident, with the reason.
    ///
    /// # Errors
    /// [`StoreError::Refused`] without a reason, where it is closed, and for a likely breach of which nobody has said whether
    /// the ICO is told; what the database says.
    pub async fn close_incident(&self, id: &QueueId, why: &str, who: &str) -> Result<(), StoreError> {
        let why = why.trim().to_owned();
        if why.is_empty() {
            return Err(StoreError::Refused("an incident is closed with a reason".to_owned()));
        }
        self.incident(Change::Close { id: id.clone(), why, who: who.to_owned() }).await.map(drop)
    }

    /// An incident, whole. That `who` looks is recorded first: what cannot be recorded is not shown.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where there is none; what the database says; a version that does not open.
    pub async fn see_incident(&self, id: &QueueId, who: &str) -> Result<Incident, StoreError> {
        self.incident(Change::Seen { id: id.clone(), who: who.to_owned() }).await?;
        self.read_incident(id).await?.ok_or_else(|| no_such(id))
    }

    /// An incident, whole, to find out whether it may be shown. Whoever shows it calls [`Store::see_incident`].
    ///
    /// # Errors
    /// What the database says; a version that does not open.
    pub async fn read_incident(&self, id: &QueueId) -> Result<Option<Incident>, StoreError> {
        let found = sqlx::query("select * from incident where id = $1").bind(&id.0);
        let Some(found) = found.fetch_optional(&self.inner.reader).await? else { return Ok(None) };
        let line = IncidentLine::read(&found)?;
        let rows = sqlx::query("select * from incident_version where incident = $1 order by version desc")
            .bind(&id.0)
            .fetch_all(&self.inner.reader)
            .await?;
        let versions: Vec<Written> = rows.iter().map(|row| self.written(id, row)).collect::<Result<_, _>>()?;
        match versions.is_empty() {
            true => Err(StoreError::Database(format!("incident {id} has no assessment"))),
            false => Ok(Some(Incident { line, versions })),
        }
    }

    fn written(&self, id: &QueueId, row: &SqliteRow) -> Result<Written, StoreError> {
        let version = row::count_of(row, "version")?;
        let body: Vec<u8> = row.try_get("body")?;
        let json = self.inner.keys.open_report(&place(&id.0, version), &body);
        let assessment = json.and_then(|json| serde_json::from_slice(&json).ok());
        Ok(Written {
            version,
            at: timestamp(row.try_get("at")?),
            by: row.try_get("written_by")?,
            assessment: assessment
                .ok_or_else(|| StoreError::Database(format!("an assessment of incident {id} does not open")))?,
        })
    }

    /// A page of the register: what the 72 hours run of, the fewest left first; what is open otherwise, near misses behind
    /// likely breaches; then what is closed, the newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn incidents(
        &self,
        filter: IncidentFilter,
        after: Option<&IncidentKey>,
        most: u32,
    ) -> Result<(Vec<IncidentLine>, Option<IncidentKey>), StoreError> {
        let first = IncidentKey { rank: -1, place: 0, id: String::new() };
        let after = after.unwrap_or(&first);
        let rows = sqlx::query(
            "with listed as (select *, \
                 case when closed_at is not null then 3 when kind = 'near-miss' then 2 \
                      when aware_at is not null and ico is null then 0 else 1 end as rank, \
                 case when closed_at is not null then -opened_at \
                      when kind = 'likely-breach' and aware_at is not null and ico is null then aware_at \
                      else opened_at end as place from incident) \
             select * from listed where (rank, place, id) > ($1, $2, $3) \
                 and ($4 is null or (closed_at is null) = $4) and ($5 is null or kind = $5) \
                 and (not $6 or safeguarding) order by rank, place, id limit $7",
        )
        .bind(after.rank)
        .bind(after.place)
        .bind(&after.id)
        .bind(filter.open)
        .bind(filter.kind.map(IncidentKind::as_str))
        .bind(filter.safeguarding)
        .bind(i64::from(most) + 1)
        .fetch_all(&self.inner.reader)
        .await?;
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let next = match (rows.len() > most, rows.get(most.saturating_sub(1))) {
            (true, Some(last)) => Some(IncidentKey {
                rank: last.try_get("rank")?,
                place: last.try_get("place")?,
                id: last.try_get("id")?,
            }),
            _ => None,
        };
        let lines = rows.iter().take(most).map(IncidentLine::read).collect::<Result<_, _>>()?;
        Ok((lines, next))
    }

    /// All incidents with what stands in them now, the oldest first. That `who` takes them away as `what` is recorded first.
    /// For a dossier, those in which this child stands.
    ///
    /// # Errors
    /// What the database says; an assessment that does not open.
    pub async fn export_incidents(
        &self,
        what: Export,
        pupil: Option<&str>,
        safeguarding: bool,
        who: &str,
    ) -> Result<Vec<Incident>, StoreError> {
        let rows = sqlx::query(
            "select i.*, v.at, v.written_by, v.body from incident i \
             join incident_version v on v.incident = i.id and v.version = i.version \
             where not $1 or i.safeguarding order by i.opened_at, i.id",
        )
        .bind(safeguarding)
        .fetch_all(&self.inner.reader)
        .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let line = IncidentLine::read(row)?;
            let written = self.written(&line.id, row)?;
            let wanted = pupil.is_none_or(|pupil| {
                written.assessment.children.iter().any(|child| child.pupil.as_deref() == Some(pupil))
            });
            if wanted {
                found.push(Incident { line, versions: vec![written] });
            }
        }
        let ids = found.iter().map(|incident| incident.line.id.clone()).collect();
        self.incident(Change::Exported { what, ids, who: who.to_owned() }).await?;
        Ok(found)
    }

    /// Incidents on which a letter about the 72 hours is due by the store's clock: of each the last one whose time has come.
    ///
    /// # Errors
    /// What the database says.
    pub async fn incident_reminders(&self) -> Result<Vec<DueReminder>, StoreError> {
        let rows = sqlx::query(
            "select id, aware_at, reminded from incident where closed_at is null and ico is null \
             and aware_at is not null and kind = 'likely-breach' order by aware_at",
        )
        .fetch_all(&self.inner.reader)
        .await?;
        let now = self.clock().now();
        let mut due = Vec::new();
        for row in &rows {
            let aware_at = timestamp(row.try_get("aware_at")?);
            let reminded = row::count_of(row, "reminded")?;
            let over = u32::try_from(now.duration_since(aware_at).as_hours()).unwrap_or(0);
            let hours = limits::INCIDENT_REMIND_HOURS.iter().rfind(|&&hours| hours <= over);
            if let Some(&hours) = hours.filter(|&&hours| hours > reminded) {
                due.push(DueReminder { id: QueueId(row.try_get("id")?), aware_at, hours });
            }
        }
        Ok(due)
    }

    /// Marks the letter of a reminder as sent, and sends it; `false`, and no letter, where that was done or is no longer due.
    ///
    /// # Errors
    /// What the database says.
    pub async fn incident_reminded(
        &self,
        due: &DueReminder,
        told: Vec<String>,
        notices: Vec<NewEntry>,
    ) -> Result<bool, StoreError> {
        let notices = self.seal(notices).await?;
        self.incident(Change::Reminded { due: due.clone(), told, notices }).await
    }

    async fn incident(&self, change: Change) -> Result<bool, StoreError> {
        match self.ask(Op::Incident(Box::new(change))).await? {
            Answer::Changed(changed) => Ok(changed),
            _ => mismatch(),
        }
    }
}
