//! What changes the register, inside the transaction.

use jiff::{Span, Timestamp};
use serde_json::json;
use sqlx::Row;

use super::{Assessment, DueReminder, Export, IncidentKind, IncidentLine, NewIncident, Origin, no_such, place, seal};
use crate::inspect::Report;
use crate::limits;
use crate::store::audit::{GATEWAY, micros};
use crate::store::decisions::Grounds;
use crate::store::writer::{Entry, Tx};
use crate::store::{Classification, QueueId, StoreError};

/// What is to be done about an incident.
pub(in crate::store) enum Change {
    Open(Box<NewIncident>),
    Write { id: QueueId, on: u32, assessment: Box<Assessment>, who: String },
    Aware { id: QueueId, at: Timestamp, who: String },
    Close { id: QueueId, why: String, who: String },
    Reminded { due: DueReminder, told: Vec<String>, notices: Vec<Entry> },
    Seen { id: QueueId, who: String },
    Exported { what: Export, ids: Vec<QueueId>, who: String },
}

impl Change {
    /// The letters that go with it.
    pub fn entries(&mut self) -> &mut [Entry] {
        match self {
            Self::Reminded { notices, .. } => notices,
            _ => &mut [],
        }
    }
}

/// A line of the audit that is about no message.
fn nothing() -> QueueId {
    QueueId(String::new())
}

impl Tx<'_> {
    /// Carries a change out; whether anything is different now.
    ///
    /// # Errors
    /// As the method of [`crate::store::Store`] that asks for it; nothing was written then.
    pub async fn change_incident(&mut self, change: &Change) -> Result<bool, StoreError> {
        match change {
            Change::Open(new) => self.open_incident(new).await,
            Change::Write { id, on, assessment, who } => self.write_incident(id, *on, assessment, who).await,
            Change::Aware { id, at, who } => self.aware_of_incident(id, *at, who).await,
            Change::Close { id, why, who } => self.close_incident(id, why, who).await,
            Change::Reminded { due, told, notices } => self.incident_reminded(due, told, notices).await,
            Change::Seen { id, who } => {
                self.incident_line(id).await?;
                self.audit(&nothing(), "incident-seen", who, json!({"incident": id.0})).await?;
                Ok(true)
            }
            Change::Exported { what, ids, who } => {
                let mut detail = json!({"what": what.as_str(), "incidents": ids.len()});
                // Whose dossier it is stands nowhere; which incidents were looked at does.
                if *what == Export::Dossier {
                    detail["those"] = ids.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().into();
                }
                self.audit(&nothing(), "incidents-exported", who, detail).await?;
                Ok(true)
            }
        }
    }

    /// Opens an incident, unless there is one about the same message already.
    ///
    /// # Errors
    /// What the database says.
    pub async fn open_incident(&mut self, new: &NewIncident) -> Result<bool, StoreError> {
        for of in new.message.iter().chain(&new.report) {
            let known = sqlx::query("select 1 from incident where message = $1 or report = $1").bind(&of.0);
            if known.fetch_optional(&mut *self.connection).await?.is_some() {
                return Ok(false);
            }
        }
        sqlx::query(
            "insert into incident (id, message, report, origin, kind, opened_at, opened_by, safeguarding, children, version) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)",
        )
        .bind(&new.id.0)
        .bind(new.message.as_ref().map(|id| &id.0))
        .bind(new.report.as_ref().map(|id| &id.0))
        .bind(new.origin.as_str())
        .bind(new.assessment.kind.as_str())
        .bind(micros(self.now))
        .bind(&new.who)
        .bind(new.assessment.concerns_safeguarding())
        .bind(i64::from(new.assessment.many()))
        .execute(&mut *self.connection)
        .await?;
        self.keep_version(&new.id, 1, &new.assessment, &new.who).await?;
        let detail = json!({
            "incident": new.id.0,
            "about": new.message.as_ref().map(|id| &id.0),
            "report": new.report.as_ref().map(|id| &id.0),
            "origin": new.origin.as_str(),
            "kind": new.assessment.kind.as_str(),
        });
        self.audit(&nothing(), "incident-opened", &new.who, detail).await?;
        Ok(true)
    }

    /// Opens the incident that a decision stands for, where it is classed as a breach or near miss.
    ///
    /// # Errors
    /// What the database says.
    pub async fn open_decided(&mut self, id: &QueueId, grounds: &Grounds, decision: &str) -> Result<(), StoreError> {
        let kind = match grounds.classification {
            Some(Classification::Breach) => IncidentKind::LikelyBreach,
            Some(Classification::NearMiss) => IncidentKind::NearMiss,
            Some(Classification::Neither) | None => return Ok(()),
        };
        let row = sqlx::query("select mail_from, report from message where id = $1")
            .bind(&id.0)
            .fetch_one(&mut *self.connection)
            .await?;
        let from: Option<String> = row.try_get("mail_from")?;
        let sealed: Option<Vec<u8>> = row.try_get("report")?;
        let report: Option<Report> = sealed
            .and_then(|sealed| self.keys.open_report(&id.0, &sealed))
            .and_then(|json| serde_json::from_slice(&json).ok());
        let recipients: Vec<String> =
            sqlx::query_scalar("select address from recipient where message = $1 order by position")
                .bind(&id.0)
                .fetch_all(&mut *self.connection)
                .await?;
        let mut assessment = Assessment::of(report.as_ref(), from.as_deref(), &recipients);
        assessment.kind = kind;
        let decided = match decision {
            "released" => "It was sent on",
            "released-in-part" => "It was sent on to some of them",
            "returned" => "It went back to its sender",
            _ => "It was discarded",
        };
        assessment.happened = format!("{} {decided}: {}", assessment.happened, grounds.why).trim().to_owned();
        let new = NewIncident {
            id: QueueId::generate(self.now),
            message: Some(id.clone()),
            report: None,
            origin: Origin::Decision,
            assessment,
            who: grounds.who.clone(),
        };
        self.open_incident(&new).await.map(drop)
    }

    async fn write_incident(
        &mut self,
        id: &QueueId,
        on: u32,
        assessment: &Assessment,
        who: &str,
    ) -> Result<bool, StoreError> {
        let line = self.open_line(id).await?;
        if line.version != on {
            return Err(StoreError::Refused(
                "somebody else has written on this incident meanwhile; look at it again, then write".to_owned(),
            ));
        }
        let before = self.newest(&line).await?;
        // These are no form's to change.
        let assessment = Assessment {
            concerned: before.concerned,
            closed_why: before.closed_why,
            safeguarding: before.safeguarding,
            ..assessment.clone()
        };
        self.keep_version(id, on + 1, &assessment, who).await?;
        let now = micros(self.now);
        sqlx::query(
            "update incident set version = $2, kind = $3, safeguarding = $4, children = $5, ico = $6, families = $7, \
             ico_at = case when $6 is null then null when ico is $6 then ico_at else $8 end, \
             families_at = case when $7 is null then null when families is $7 then families_at else $8 end where id = $1",
        )
        .bind(&id.0)
        .bind(i64::from(on) + 1)
        .bind(assessment.kind.as_str())
        .bind(assessment.concerns_safeguarding())
        .bind(i64::from(assessment.many()))
        .bind(assessment.ico_word())
        .bind(assessment.families_word())
        .bind(now)
        .execute(&mut *self.connection)
        .await?;
        let detail = json!({"incident": id.0, "version": on + 1, "kind": assessment.kind.as_str(),
                            "ico": assessment.ico_word(), "families": assessment.families_word()});
        self.audit(&nothing(), "incident-written", who, detail).await?;
        Ok(true)
    }

    async fn aware_of_incident(&mut self, id: &QueueId, at: Timestamp, who: &str) -> Result<bool, StoreError> {
        let refused = |why: &str| Err(StoreError::Refused(why.to_owned()));
        let line = self.open_line(id).await?;
        if line.kind != IncidentKind::LikelyBreach {
            return refused("a near miss has no 72 hours; say first that it is a likely breach, and save");
        }
        if at > self.now {
            return refused("nobody is aware of a breach since a time that is still to come");
        }
        // Whoever corrects the time has the letters for the new one.
        sqlx::query("update incident set aware_at = $2, aware_by = $3, reminded = 0 where id = $1")
            .bind(&id.0)
            .bind(micros(at))
            .bind(who)
            .execute(&mut *self.connection)
            .await?;
        let detail = json!({"incident": id.0, "aware": at.to_string(),
                            "before": line.aware_at.map(|before| before.to_string())});
        self.audit(&nothing(), "incident-aware", who, detail).await?;
        Ok(true)
    }

    async fn close_incident(&mut self, id: &QueueId, why: &str, who: &str) -> Result<bool, StoreError> {
        let line = self.open_line(id).await?;
        if line.kind == IncidentKind::LikelyBreach && line.ico.is_none() {
            return Err(StoreError::Refused(
                "a likely breach is closed when it is said whether the ICO is told; say so first, and save".to_owned(),
            ));
        }
        let assessment = Assessment { closed_why: why.to_owned(), ..self.newest(&line).await? };
        self.keep_version(id, line.version + 1, &assessment, who).await?;
        sqlx::query("update incident set version = $2, closed_at = $3, closed_by = $4 where id = $1")
            .bind(&id.0)
            .bind(i64::from(line.version) + 1)
            .bind(micros(self.now))
            .bind(who)
            .execute(&mut *self.connection)
            .await?;
        self.audit(&nothing(), "incident-closed", who, json!({"incident": id.0})).await?;
        Ok(true)
    }

    async fn incident_reminded(
        &mut self,
        due: &DueReminder,
        told: &[String],
        notices: &[Entry],
    ) -> Result<bool, StoreError> {
        let set = sqlx::query(
            "update incident set reminded = $2 where id = $1 and reminded < $2 and aware_at = $3 and ico is null \
             and closed_at is null and kind = 'likely-breach'",
        )
        .bind(&due.id.0)
        .bind(i64::from(due.hours))
        .bind(micros(due.aware_at))
        .execute(&mut *self.connection)
        .await?;
        if set.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = json!({"incident": due.id.0, "hours": due.hours, "told": told});
        self.audit(&nothing(), "incident-reminded", GATEWAY, detail).await?;
        self.insert(notices).await?;
        Ok(true)
    }

    /// Forgets what was closed, and near misses that were opened, longer ago than [`limits::INCIDENT_KEEP_YEARS`].
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget_incidents(&mut self) -> Result<(), StoreError> {
        let today = self.now.to_zoned(jiff::tz::TimeZone::UTC);
        let Ok(before) = today.checked_sub(Span::new().years(limits::INCIDENT_KEEP_YEARS)) else { return Ok(()) };
        sqlx::query("delete from incident where closed_at < $1 or (kind = 'near-miss' and opened_at < $1)")
            .bind(micros(before.timestamp()))
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    async fn keep_version(
        &mut self,
        id: &QueueId,
        version: u32,
        assessment: &Assessment,
        who: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into incident_version (incident, version, at, written_by, body) values ($1, $2, $3, $4, $5)",
        )
        .bind(&id.0)
        .bind(i64::from(version))
        .bind(micros(self.now))
        .bind(who)
        .bind(seal(self.keys, id, version, assessment)?)
        .execute(&mut *self.connection)
        .await?;
        Ok(())
    }

    async fn incident_line(&mut self, id: &QueueId) -> Result<IncidentLine, StoreError> {
        let row = sqlx::query("select * from incident where id = $1").bind(&id.0);
        let row = row.fetch_optional(&mut *self.connection).await?;
        IncidentLine::read(&row.ok_or_else(|| no_such(id))?)
    }

    /// One that may still be changed.
    async fn open_line(&mut self, id: &QueueId) -> Result<IncidentLine, StoreError> {
        let line = self.incident_line(id).await?;
        match line.closed_at {
            Some(_) => {
                Err(StoreError::Refused("this incident is closed: nothing of it is changed any more".to_owned()))
            }
            None => Ok(line),
        }
    }

    async fn newest(&mut self, line: &IncidentLine) -> Result<Assessment, StoreError> {
        let body: Vec<u8> =
            sqlx::query_scalar("select body from incident_version where incident = $1 and version = $2")
                .bind(&line.id.0)
                .bind(i64::from(line.version))
                .fetch_one(&mut *self.connection)
                .await?;
        let json = self.keys.open_report(&place(&line.id.0, line.version), &body);
        json.and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or_else(|| StoreError::Database(format!("the assessment of incident {} does not open", line.id)))
    }
}
