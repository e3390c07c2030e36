//! Who did and saw what: the record as a page and as a table to save.

use axum::extract::{Query, State as From};
use axum::http::header;
use axum::response::IntoResponse;
use minijinja::context;
use serde::Deserialize;

use super::State;
use super::access::{Reach, Task};
use super::csv;
use super::pages::{Answer, PageError, not_found, page};
use super::person::Person;
use super::view::{self, time};
use crate::limits;
use crate::store::accounts::Account;
use crate::store::{AuditFilter, AuditLine, QueueId, Scope};

/// What the address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    message: String,
    who: String,
    /// `everything`; what people did, otherwise.
    show: String,
    before: String,
    check: String,
}

impl Asked {
    fn everything(&self) -> bool {
        self.show == "everything"
    }

    /// The address of the same lines, or of more or fewer of them.
    fn query(&self, everything: bool, before: Option<i64>) -> String {
        let show = if everything { "everything" } else { "" };
        let before = before.map(|seq| seq.to_string()).unwrap_or_default();
        let pairs = [("message", self.message.as_str()), ("who", &self.who), ("show", show), ("before", &before)];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty())).finish()
    }
}

/// The newest lines that this person may read, newest first; nothing for somebody who may read none.
async fn lines(desk: &State, person: &Person, asked: &Asked, many: u32) -> Result<Option<Vec<AuditLine>>, PageError> {
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut filter = AuditFilter {
        message: some(&asked.message).map(|id| QueueId(id.to_lowercase())),
        who: some(&asked.who),
        before: asked.before.parse().ok(),
        people: !asked.everything(),
        ..AuditFilter::default()
    };
    match person.reach(Task::Audit) {
        Reach::All => {}
        // A role's own lines: of everybody who has one of the roles that this person has.
        Reach::Theirs => {
            let roles = &person.account().roles;
            let shares = |account: &Account| account.roles.iter().any(|role| roles.contains(role));
            filter.of =
                Some(desk.store.accounts().await?.into_iter().filter(shares).map(|account| account.name).collect());
        }
        Reach::Counts => filter.technical = true,
        Reach::Nothing | Reach::Safeguarding | Reach::Escalated | Reach::Sealed => return Ok(None),
    }
    let mut lines = desk.store.audit_list(&filter, many).await?;
    lines.reverse();
    Ok(Some(lines))
}

/// Whether the record is whole: its last lines on every page, all of it when that is asked for.
async fn chain(desk: &State, whole: bool) -> Result<String, PageError> {
    let scope = if whole { Scope::Whole } else { Scope::Tail(limits::AUDIT_SHOWN) };
    let fault = if whole {
        let check = desk.store.audit_check(scope).await?;
        if check.faults.is_empty() { Ok(check.lines) } else { Err(()) }
    } else {
        desk.store.audit_verify(scope).await?.map_err(|_| ())
    };
    Ok(match (fault, whole) {
        (Ok(lines), true) => format!("The record is whole: {lines} lines, each chained to the one before."),
        (Ok(lines), false) => format!("The last {lines} lines are whole, each chained to the one before."),
        (Err(()), _) => {
            "The record is NOT whole: a line was changed or is missing. Tell your technician now.".to_owned()
        }
    })
}

/// GET `/audit`.
pub async fn record(From(desk): From<State>, person: Person, Query(asked): Query<Asked>) -> Answer {
    let Some(lines) = lines(&desk, &person, &asked, limits::AUDIT_SHOWN).await? else {
        return not_found(&desk, Some(&person));
    };
    let now = desk.now();
    let whole = asked.check == "whole";
    let chain = chain(&desk, whole).await?;
    let filled = u32::try_from(lines.len()).is_ok_and(|shown| shown == limits::AUDIT_SHOWN);
    let everything = asked.everything();
    let older = lines.last().filter(|_| filled).map(|line| asked.query(everything, Some(line.seq)));
    let query = asked.query(everything, None);
    let lines: Vec<_> = lines
        .iter()
        .map(|line| {
            context! {
                at => time(line.at, &now),
                who => line.who.as_str(),
                words => view::event(&line.event),
                message => line.message.0.as_str(),
            }
        })
        .collect();
    let (people, all) = (asked.query(false, None), asked.query(true, None));
    let filter = context! { message => asked.message, who => asked.who, everything };
    let own = context! { lines, chain, whole, older, query, people, all, filter };
    page(&desk, Some(&person), "audit.html", "/audit", own)
}

/// GET `/audit.csv`.
pub async fn table(From(desk): From<State>, person: Person, Query(asked): Query<Asked>) -> Answer {
    let Some(lines) = lines(&desk, &person, &asked, limits::AUDIT_TABLE).await? else {
        return not_found(&desk, Some(&person));
    };
    let mut out = csv::line(["when", "who", "what", "message"]);
    for line in lines {
        out.push_str(&csv::line([line.at.to_string(), line.who, line.event, line.message.0]));
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"record.csv\""),
    ];
    Ok((headers, out).into_response())
}
