//! Modes of rules that people choose at the desk, step by step: proposed by the School Business Manager, approved by the head, put
//! in force by who looks after the machine.
//!
//! Never knows which rules there are, nor what a mode does. Invariants: each step is taken by an account in use that has its role,
//! and approval by another person than the proposal; for one rule at most one mode is in force and at most one is asked for; each
//! step has its line in the audit, with its reason. Events: `mode-proposed`, `mode-approved`, `mode-put`, `mode-dropped`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};

use super::accounts::Role;
use super::audit::{micros, timestamp};
use super::queue::mismatch;
use super::writer::{Answer, Op, Tx};
use super::{QueueId, Store, StoreError};
use crate::limits;
use crate::policy::Mode;

/// The mode in force of each rule that has one, by the rule's id.
pub(super) type Modes = BTreeMap<String, Mode>;

/// A mode that was proposed, as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleMode {
    /// Its id.
    pub id: String,
    /// The rule.
    pub rule: String,
    /// The mode.
    pub mode: Mode,
    /// Why.
    pub because: String,
    /// When it was proposed, and by whom.
    pub proposed: (Timestamp, String),
    /// When it was approved, and by whom.
    pub approved: Option<(Timestamp, String)>,
    /// Since when it is in force, and by whom it was put there.
    pub put: Option<(Timestamp, String)>,
}

/// What somebody does about the mode of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModeStep {
    /// Asks for it, in the place of what is asked for already.
    Propose {
        /// The rule.
        rule: String,
        /// The mode.
        mode: Mode,
        /// Why.
        because: String,
    },
    /// Says yes to what was proposed, by its id.
    Approve(String),
    /// Puts what was approved in force.
    Put(String),
    /// Takes what is not in force yet off the table.
    Drop(String),
}

impl ModeStep {
    /// Who may take it: what is asked for may be dropped by whoever may ask for it or approve it.
    pub fn roles(&self) -> &'static [Role] {
        match self {
            Self::Propose { .. } => &[Role::Sbm],
            Self::Approve(_) => &[Role::Head],
            Self::Put(_) => &[Role::It],
            Self::Drop(_) => &[Role::Sbm, Role::Head],
        }
    }
}

/// A step with who takes it.
pub(super) struct Step {
    step: ModeStep,
    /// Name of the account.
    by: String,
}

/// What stood in the database when it was opened. A mode of a newer program is none.
pub(super) async fn in_force(reader: &SqlitePool) -> Result<Modes, StoreError> {
    let rows = sqlx::query("select rule, mode from rule_mode where put_at is not null and ended_at is null");
    let mut modes = Modes::new();
    for row in rows.fetch_all(reader).await? {
        if let Some(mode) = Mode::of_word(row.try_get("mode")?) {
            modes.insert(row.try_get("rule")?, mode);
        }
    }
    Ok(modes)
}

impl Store {
    /// The modes that were put in force here, by the rule's id. They stand over the configuration's.
    pub fn modes(&self) -> Arc<BTreeMap<String, Mode>> {
        self.inner.shared.modes.load_full()
    }

    /// All that is in force or asked for, by rule.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rule_modes(&self) -> Result<Vec<RuleMode>, StoreError> {
        let rows = sqlx::query("select * from rule_mode where ended_at is null order by rule, proposed_at");
        let rows = rows.fetch_all(&self.inner.reader).await?;
        Ok(rows.iter().map(RuleMode::read).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// Takes a step in the name of the account `by`; says whether anything is different now. What somebody else has dropped or done
    /// meanwhile is not done again.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where the account is out of use or has not the role, where no reason is given, or where the same
    /// person would approve what they proposed; what the database says.
    pub async fn change_mode(&self, step: ModeStep, by: &str) -> Result<bool, StoreError> {
        if let ModeStep::Propose { because, .. } = &step
            && (because.trim().is_empty() || because.len() > limits::MODE_REASON_OCTETS)
        {
            let why = format!("another mode needs a reason, of {} octets at most", limits::MODE_REASON_OCTETS);
            return Err(StoreError::Refused(why));
        }
        let put = matches!(step, ModeStep::Put(_));
        let step = Step { step, by: by.trim().to_lowercase() };
        match self.ask(Op::Mode(Box::new(step))).await? {
            Answer::Changed(changed) => {
                if put && changed {
                    // Read anew, not worked out: what is committed is what holds.
                    self.inner.shared.modes.store(Arc::new(in_force(&self.inner.reader).await?));
                }
                Ok(changed)
            }
            _ => mismatch(),
        }
    }
}

impl Tx<'_> {
    /// See [`Store::change_mode`].
    ///
    /// # Errors
    /// As there; nothing was written then.
    pub async fn change_mode(&mut self, step: &Step) -> Result<bool, StoreError> {
        let Step { step, by } = step;
        self.has_one_of(by, step.roles()).await?;
        match step {
            ModeStep::Propose { rule, mode, because } => self.propose_mode(rule, *mode, because.trim(), by).await,
            ModeStep::Approve(id) => {
                let sql = "update rule_mode set approved_at = $2, approved_by = $3 \
                           where id = $1 and approved_at is null and ended_at is null and proposed_by <> $3 \
                           returning rule, mode, because";
                let approved = self.step(sql, id, by, "mode-approved").await?;
                if !approved && self.is_own_proposal(id, by).await? {
                    let why = "nobody approves what they proposed themselves";
                    return Err(StoreError::Refused(why.to_owned()));
                }
                Ok(approved)
            }
            ModeStep::Put(id) => {
                sqlx::query(
                    "update rule_mode set ended_at = $2 where put_at is not null and ended_at is null and rule = \
                     (select rule from rule_mode where id = $1 and approved_at is not null and put_at is null \
                      and ended_at is null)",
                )
                .bind(id)
                .bind(micros(self.now))
                .execute(&mut *self.connection)
                .await?;
                let sql = "update rule_mode set put_at = $2, put_by = $3 \
                           where id = $1 and approved_at is not null and put_at is null and ended_at is null \
                           returning rule, mode, because";
                self.step(sql, id, by, "mode-put").await
            }
            ModeStep::Drop(id) => {
                let sql = "update rule_mode set ended_at = $2 \
                           where id = $1 and put_at is null and ended_at is null and $3 <> '' \
                           returning rule, mode, because";
                self.step(sql, id, by, "mode-dropped").await
            }
        }
    }

    async fn propose_mode(&mut self, rule: &str, mode: Mode, because: &str, by: &str) -> Result<bool, StoreError> {
        let replaced: Option<String> = sqlx::query_scalar(
            "update rule_mode set ended_at = $2 where rule = $1 and put_at is null and ended_at is null returning id",
        )
        .bind(rule)
        .bind(micros(self.now))
        .fetch_optional(&mut *self.connection)
        .await?;
        let id = QueueId::generate(self.now).to_string();
        sqlx::query(
            "insert into rule_mode (id, rule, mode, because, proposed_at, proposed_by) values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&id)
        .bind(rule)
        .bind(mode.as_str())
        .bind(because)
        .bind(micros(self.now))
        .bind(by)
        .execute(&mut *self.connection)
        .await?;
        let mut detail = json!({"proposal": id, "rule": rule, "mode": mode.as_str(), "why": because});
        if let Some(replaced) = replaced {
            detail["replaces"] = replaced.into();
        }
        self.audit(&QueueId(String::new()), "mode-proposed", by, detail).await?;
        Ok(true)
    }

    /// One step of a proposal, and its line; nothing where it does not stand there any more.
    async fn step(&mut self, sql: &'static str, id: &str, by: &str, event: &str) -> Result<bool, StoreError> {
        let row = sqlx::query(sql).bind(id).bind(micros(self.now)).bind(by);
        let Some(row) = row.fetch_optional(&mut *self.connection).await? else { return Ok(false) };
        let (rule, mode): (String, String) = (row.try_get("rule")?, row.try_get("mode")?);
        let detail = json!({"proposal": id, "rule": rule, "mode": mode, "why": row.try_get::<String, _>("because")?});
        self.audit(&QueueId(String::new()), event, by, detail).await?;
        Ok(true)
    }

    async fn is_own_proposal(&mut self, id: &str, by: &str) -> Result<bool, StoreError> {
        let row = sqlx::query(
            "select 1 from rule_mode where id = $1 and proposed_by = $2 and approved_at is null and ended_at is null",
        );
        Ok(row.bind(id).bind(by).fetch_optional(&mut *self.connection).await?.is_some())
    }

    /// The account is in use and has one of these roles.
    async fn has_one_of(&mut self, by: &str, roles: &[Role]) -> Result<(), StoreError> {
        let has: Vec<String> = sqlx::query_scalar(
            "select account_role.role from account join account_role on account_role.account = account.id \
             where account.name = $1 and account.disabled_at is null",
        )
        .bind(by)
        .fetch_all(&mut *self.connection)
        .await?;
        if roles.iter().any(|role| has.iter().any(|word| word == role.as_str())) {
            return Ok(());
        }
        let wanted: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        Err(StoreError::Refused(format!("no account `{by}` with the role `{}` is in use", wanted.join("` or `"))))
    }

    /// Forgets what was dropped or replaced before `before`; the audit still has it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn forget_modes(&mut self, before: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query("delete from rule_mode where ended_at < $1").bind(micros(before));
        query.execute(&mut *self.connection).await?;
        Ok(())
    }
}

impl RuleMode {
    /// A mode that this program does not know is of a newer one, and not read.
    fn read(row: &SqliteRow) -> Result<Option<Self>, StoreError> {
        let Some(mode) = Mode::of_word(row.try_get("mode")?) else { return Ok(None) };
        let by = |at: &str, by: &str| -> Result<Option<(Timestamp, String)>, StoreError> {
            let at: Option<i64> = row.try_get(at)?;
            Ok(at.map(timestamp).zip(row.try_get(by)?))
        };
        Ok(Some(Self {
            id: row.try_get("id")?,
            rule: row.try_get("rule")?,
            mode,
            because: row.try_get("because")?,
            proposed: (timestamp(row.try_get("proposed_at")?), row.try_get("proposed_by")?),
            approved: by("approved_at", "approved_by")?,
            put: by("put_at", "put_by")?,
        }))
    }
}
