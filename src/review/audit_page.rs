//! Who did and saw what: the record as a page and as a table to save.

use axum::extract::{Query, State as From};
use axum::http::header;
use axum::response::IntoResponse;
use jiff::Timestamp;
use minijinja::context;
use serde::Deserialize;

use super::State;
use super::access::{Reach, Task};
use super::pages::{Answer, PageError, not_found, page};
use super::person::Person;
use super::view::{self, time};
use crate::limits;
use crate::store::{AuditFilter, AuditLine, QueueId};

/// What the address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    message: String,
    who: String,
}

/// The lines that this person may read, newest first.
async fn lines(desk: &State, person: &Person, asked: &Asked) -> Result<Option<Vec<AuditLine>>, PageError> {
    let reach = person.reach(Task::Audit);
    if reach == Reach::Nothing {
        return Ok(None);
    }
    let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let filter = AuditFilter {
        message: some(&asked.message).map(|id| QueueId(id.to_lowercase())),
        who: some(&asked.who),
        ..AuditFilter::default()
    };
    let all = desk.store.audit_list(&filter, limits::AUDIT_PAGE).await?;
    let mine: Vec<String> = match reach {
        // A role's own lines: of everybody who has one of the roles that this person has.
        Reach::Theirs => {
            let shares =
                |roles: &[crate::store::accounts::Role]| roles.iter().any(|role| person.account().roles.contains(role));
            desk.store.accounts().await?.into_iter().filter(|a| shares(&a.roles)).map(|a| a.name).collect()
        }
        _ => Vec::new(),
    };
    let keeps = |line: &AuditLine| match reach {
        Reach::All => true,
        Reach::Theirs => line.who == "gateway" || mine.iter().any(|name| is_by(&line.who, name)),
        // Technical events: about the gateway, not about a message.
        _ => line.message.0.is_empty(),
    };
    Ok(Some(all.into_iter().filter(keeps).collect()))
}

/// The record's `who` is this person: the name, alone or with the system's user behind it.
fn is_by(who: &str, name: &str) -> bool {
    who.strip_prefix(name).is_some_and(|behind| behind.is_empty() || behind.starts_with(' '))
}

/// GET `/audit`.
pub async fn record(From(desk): From<State>, person: Person, Query(asked): Query<Asked>) -> Answer {
    let Some(lines) = lines(&desk, &person, &asked).await? else { return not_found(&desk, Some(&person)) };
    let now = Timestamp::now();
    let chain = match desk.store.audit_verify().await? {
        Ok(count) => format!("The record is whole: {count} lines, each chained to the one before."),
        Err(_) => "The record is NOT whole: a line was changed or is missing. Tell your technician now.".to_owned(),
    };
    let lines: Vec<_> = lines
        .iter()
        .map(|line| {
            context! {
                at => time(line.at, now),
                who => line.who.as_str(),
                words => view::event(&line.event),
                message => line.message.0.as_str(),
            }
        })
        .collect();
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("message", &asked.message)
        .append_pair("who", &asked.who)
        .finish();
    let filter = context! { message => asked.message, who => asked.who };
    page(&desk, Some(&person), "audit.html", "/audit", context! { lines, chain, query, filter })
}

/// A cell that a spreadsheet takes for text, whatever it begins with.
fn cell(text: &str) -> String {
    // OWASP, CSV Injection; the wide forms count in East Asian settings.
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = text.replace('"', "\"\"");
    if formula { format!("\"'{text}\"") } else { format!("\"{text}\"") }
}

/// GET `/audit.csv`.
pub async fn table(From(desk): From<State>, person: Person, Query(asked): Query<Asked>) -> Answer {
    let Some(lines) = lines(&desk, &person, &asked).await? else { return not_found(&desk, Some(&person)) };
    let mut out = String::from("\"when\",\"who\",\"what\",\"message\"\r\n");
    for line in lines {
        let cells = [line.at.to_string(), line.who, line.event, line.message.0];
        out.push_str(&cells.map(|text| cell(&text)).join(","));
        out.push_str("\r\n");
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"record.csv\""),
    ];
    Ok((headers, out).into_response())
}

#[cfg(test)]
mod tests {
    #[test]
    fn whose_line_it_is() {
        for (who, name, want) in [
            ("sam", "sam", true),
            ("sam (root)", "sam", true),
            ("samuel", "sam", false),
            ("sam.b", "sam", false),
            ("Sam", "sam", false),
            ("gateway", "sam", false),
        ] {
            assert_eq!(super::is_by(who, name), want, "{who} {name}");
        }
    }

    #[test]
    fn no_cell_is_a_formula() {
        for (text, want) in [
            ("plain", "\"plain\""),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+44", "\"'+44\""),
            ("@x", "\"'@x\""),
            ("\n=1+1", "\"'\n=1+1\""),
            ("＝1+1", "\"'＝1+1\""),
            ("－1", "\"'－1\""),
            ("a\"b", "\"a\"\"b\""),
        ] {
            assert_eq!(super::cell(text), want);
        }
    }
}
