//! What a pack may say of mail that goes: keys checked, and no layer milder than the one below.

use super::layer::{At, DutyPart, Place};
use crate::limits;
use crate::policy::duty::Duty;
use crate::text::problem::FileProblem;

/// What is done, every value within its bounds.
pub(super) fn checked(id: &str, part: &DutyPart, problems: &mut Vec<FileProblem>) -> Duty {
    let journal = part.journal.as_ref().is_some_and(|journal| journal.value);
    if let Some(days) = part.retention_days.as_ref().filter(|_| !journal) {
        problems.push(
            days.place.problem(format!(
                "rule `{id}`: retention_days says how long a journal keeps; journal = true is missing"
            )),
        );
    }
    within(id, "retention_days", &part.retention_days, limits::JOURNAL_DAYS_MOST, problems);
    within(id, "wait_minutes", &part.wait_minutes, limits::WAIT_MINUTES_MOST, problems);
    if let Some(footer) = &part.footer {
        let text = footer.value.trim();
        let most = limits::FOOTER_CHARACTERS;
        if text.is_empty() || text.chars().count() > most {
            problems.push(footer.place.problem(format!("rule `{id}`: a footer wants between 1 and {most} characters")));
        } else if text.chars().any(|c| c.is_control() && c != '\n') {
            problems.push(
                footer
                    .place
                    .problem(format!("rule `{id}`: a footer is plain text in lines, without other control characters")),
            );
        }
    }
    Duty {
        journal,
        retention_days: journal.then(|| part.retention_days.as_ref().map_or(limits::JOURNAL_DAYS, |days| days.value)),
        wait_minutes: part.wait_minutes.as_ref().map(|minutes| minutes.value),
        wait_until_open: part.wait_until_open.as_ref().is_some_and(|wait| wait.value),
        urgent: part.urgent.as_ref().is_some_and(|urgent| urgent.value),
        footer: part.footer.as_ref().map(|footer| footer.value.trim().to_owned()),
    }
}

fn within(id: &str, key: &str, number: &Option<At<u32>>, most: u32, problems: &mut Vec<FileProblem>) {
    if let Some(number) = number.as_ref().filter(|number| !(1..=most).contains(&number.value)) {
        problems
            .push(number.place.problem(format!("rule `{id}`: {key} = {} is not between 1 and {most}", number.value)));
    }
}

/// A layer may add to what is done and have it done longer; `milder` is told of the rest: place, key, what was, what is.
pub(super) fn no_milder(part: &DutyPart, below: &DutyPart, milder: &mut impl FnMut(&Place, &str, &str, &str)) {
    let flags = [
        ("journal", &part.journal, &below.journal),
        ("wait_until_open", &part.wait_until_open, &below.wait_until_open),
    ];
    for (key, is, was) in flags {
        if let (Some(is), Some(was)) = (is, was)
            && was.value
            && !is.value
        {
            milder(&is.place, key, "true", "false");
        }
    }
    // That it is urgent lets it go at once: a layer may take that back, and not add it.
    let urgent = |part: &DutyPart| part.urgent.as_ref().is_some_and(|urgent| urgent.value);
    if let Some(is) = part.urgent.as_ref().filter(|is| is.value && !urgent(below)) {
        milder(&is.place, "urgent", "false", "true");
    }
    if let (Some(is), Some(was)) = (&part.wait_minutes, &below.wait_minutes)
        && is.value < was.value
    {
        milder(&is.place, "wait_minutes", &was.value.to_string(), &is.value.to_string());
    }
}
