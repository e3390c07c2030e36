//! What waits, the list of held mail, and one message on one screen.

use axum::extract::{Path, Query, State as From};
use minijinja::context;
use serde::{Deserialize, Serialize};

use super::State;
use super::access::{Reach, Task, Traits, may};
use super::content::in_words;
use super::pages::{Answer, PageError, not_found, page, page_as};
use super::person::Person;
use super::view::{self, KINDS, Trouble, time};
use crate::inspect::view::{ShownParty, shown};
use crate::limits;
use crate::relay::decide::concerns;
use crate::relay::remembered::rememberable;
use crate::store::accounts::{Looked, Role};
use crate::store::{HeldFilter, HeldKey, HeldPage, QueueId, SENDER, Shown, State as Standing};

/// What a person may see of the list at all: everything, or what waits for the role.
pub fn within(person: &Person, mut filter: HeldFilter) -> Option<HeldFilter> {
    match person.reach(Task::See) {
        Reach::All => Some(filter),
        Reach::Theirs => {
            filter.notified = Some(Role::Slt.as_str().to_owned());
            Some(filter)
        }
        Reach::Safeguarding => {
            filter.safeguarding = Some(true);
            Some(filter)
        }
        Reach::Sealed => {
            filter.sealed_or_escalated_to = Some(Role::Chair.as_str().to_owned());
            Some(filter)
        }
        Reach::Escalated | Reach::Counts | Reach::Nothing => None,
    }
}

/// GET `/`.
pub async fn waiting(From(desk): From<State>, person: Person) -> Answer {
    let now = desk.now();
    if person.reach(Task::See) == Reach::Nothing {
        return not_found(&desk, Some(&person));
    }
    let figures = desk.store.held_figures(view::week_begins(&now)).await?;
    let filter = within(&person, HeldFilter::default());
    let lines = match &filter {
        Some(filter) => desk.store.held_page(filter, None, limits::HELD_PAGE).await?.lines,
        None => Vec::new(),
    };
    let rows: Vec<view::Row> = lines.iter().map(|line| view::row(line, &now)).collect();
    let figures = context! {
        waiting => figures.waiting,
        oldest => figures.oldest.map(|at| time(at, &now)),
        decided_this_week => figures.decided,
    };
    page(&desk, Some(&person), "waiting.html", "/", context! { figures, rows, counts_only => filter.is_none() })
}

/// What the address of the list says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    show: String,
    rule: String,
    kind: String,
    search: String,
    breach: String,
    after: String,
}

#[derive(Debug, Clone, Serialize)]
struct Choosable {
    id: String,
    words: String,
}

super::view::printed!(Choosable, Choice, crate::inspect::FiredRule);

/// GET `/held`.
pub async fn list(From(desk): From<State>, person: Person, Query(asked): Query<Asked>) -> Answer {
    let some = |text: &str| Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
    let filter = HeldFilter {
        decided: asked.show == "decided",
        rule: some(&asked.rule),
        kind: some(&asked.kind),
        search: some(&asked.search),
        breach: (asked.breach == "yes").then_some(true),
        ..HeldFilter::default()
    };
    let filtered = filter != HeldFilter { decided: filter.decided, ..HeldFilter::default() };
    let Some(filter) = within(&person, filter) else { return not_found(&desk, Some(&person)) };
    let after: Option<HeldKey> = asked.after.parse().ok();
    let HeldPage { lines, next } = desk.store.held_page(&filter, after.as_ref(), limits::HELD_PAGE).await?;
    let now = desk.now();
    let rows: Vec<view::Row> = lines.iter().map(|line| view::row(line, &now)).collect();
    let show = if filter.decided { "decided" } else { "waiting" };
    let more = next.map(|key| {
        let pairs = [
            ("show", show),
            ("rule", &asked.rule),
            ("kind", &asked.kind),
            ("search", &asked.search),
            ("breach", &asked.breach),
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty())).append_pair("after", &key.to_string());
        format!("/held?{}", query.finish())
    });
    let rules: Vec<Choosable> = (desk.ground)()
        .pack
        .rules
        .iter()
        .map(|rule| Choosable { id: rule.id.clone(), words: rule.id.replace('-', " ") })
        .collect();
    let kinds: Vec<Choosable> =
        KINDS.map(|kind| Choosable { id: kind.as_str().to_owned(), words: kind.listed().to_owned() }).into();
    let filter = context! {
        show,
        rule => asked.rule,
        kind => asked.kind,
        search => asked.search,
        breach => asked.breach == "yes",
    };
    let own = context! { rows, more, rules, kinds, filter, filtered, page_size => limits::HELD_PAGE };
    page(&desk, Some(&person), "held.html", "/held", own)
}

/// A message that this person may see, with what decides whom it concerns.
pub struct Seen {
    /// As the store has it.
    pub message: Shown,
    /// Whom it concerns.
    pub traits: Traits,
    /// Its Personal marker stands out, and nothing of it is open to this person.
    pub sealed: bool,
}

/// Finds a message for a person; nothing where there is none or it is not theirs to see: the two look the same.
///
/// # Errors
/// The store.
pub async fn find(desk: &State, person: &Person, id: &str) -> Result<Option<Seen>, PageError> {
    let id = QueueId(id.to_owned());
    let message = match desk.store.show(&id).await {
        Ok(message) => message,
        Err(crate::store::StoreError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let report = message.report.as_ref();
    let ground = (desk.ground)();
    let own = concerns(&person.own(&ground.school), &message)
        || report.is_some_and(|report| person.is_spoken_of(&ground.school, report));
    let traits = Traits {
        notified: report.map(|report| report.notify.clone()).unwrap_or_default(),
        approver: report.and_then(|report| report.approver.clone()),
        escalated: message.audit.iter().flat_map(|line| line.escalated_to()).collect(),
        safeguarding: report.is_some_and(crate::inspect::Report::concerns_safeguarding),
        sealed: report.is_some_and(crate::inspect::Report::is_sealed),
        own,
    };
    let was_held = message.audit.iter().any(|line| line.event == "held" || line.detail.contains("\"held\""));
    if !was_held || !may(&person.account().roles, Task::See, &traits) {
        return Ok(None);
    }
    let open = traits.sealed && desk.store.opened_until(&id, &person.account().id).await?.is_some();
    let sealed = traits.sealed && !open;
    Ok(Some(Seen { message, traits, sealed }))
}

/// What the sender wrote on their own page of it.
fn said_by_sender(line: &crate::store::AuditLine) -> Option<String> {
    let detail: serde_json::Value = serde_json::from_str(&line.detail).ok()?;
    matches!(line.event.as_str(), "held" | "noted").then(|| detail["why"].as_str().map(str::to_owned)).flatten()
}

/// GET `/held/ID`.
pub async fn message(From(desk): From<State>, person: Person, Path(id): Path<String>) -> Answer {
    let Some(seen) = find(&desk, &person, &id).await? else { return not_found(&desk, Some(&person)) };
    show(&desk, &person, seen, &Filled::default(), None, Look::Another).await
}

/// Whether what was found, where it is open, is shown once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The look was recorded just now, with its purpose.
    Noted,
    /// It is to be recorded before anything is shown.
    Another,
}

/// What stood in the form for the decision when it came back.
#[derive(Debug, Default, Serialize)]
pub struct Filled {
    /// The choice.
    pub decision: String,
    /// What it was.
    pub class: String,
    /// Why.
    pub reason: String,
    /// To the sender.
    pub note: String,
    /// The box to remember it is ticked.
    pub remember: bool,
    /// Until which day; empty is the usual one.
    pub until: String,
}

#[derive(Debug, Clone, Serialize)]
struct Choice {
    id: &'static str,
    words: String,
    hint: String,
    reasons: Vec<Reason>,
}

#[derive(Debug, Clone, Serialize)]
struct Reason {
    sent: String,
    words: String,
}

/// The page of one message.
pub async fn show(
    desk: &State,
    person: &Person,
    seen: Seen,
    filled: &Filled,
    trouble: Option<Trouble>,
    look: Look,
) -> Answer {
    let now = desk.now();
    let Seen { message, traits, sealed } = seen;
    let id = message.summary.id.clone();
    let roles = &person.account().roles;
    let can = |task| may(roles, task, &traits);
    let held = message.summary.state == Standing::Held;
    let ground = (desk.ground)();
    let report = message.report.as_ref().map(|report| shown(report, &ground.school));
    let purpose = match !sealed && can(Task::OpenFindings) {
        true => desk.store.opened_for(&id, &person.account().id, Looked::Findings).await?,
        false => None,
    };
    if purpose.is_some() && look == Look::Another {
        desk.store.note_opened_again(&id, &person.account().id, Looked::Findings).await?;
    }
    let opened = purpose.is_some();
    let recipients: Vec<_> = message
        .recipients
        .iter()
        .enumerate()
        .map(|(at, recipient)| {
            let party = report.as_ref().and_then(|report| report.recipients.get(at));
            // Whose parent it is not names pupils: of a sealed message, nothing is named.
            let said = |party: &ShownParty| if sealed { party.is.clone() } else { party.in_full() };
            let mut words = party.map(said).unwrap_or_default();
            if recipient.state == "withheld" {
                words.push_str(" · left out by the decision");
            }
            context! { address => recipient.address.to_string(), kind => words }
        })
        .collect();
    let entitled: Vec<String> = report
        .iter()
        .flat_map(|report| report.recipients.iter().filter(|party| party.entitled))
        .map(|party| party.address.clone())
        .collect();
    let many = u32::try_from(message.recipients.len()).unwrap_or(u32::MAX);
    let pupils = report.as_ref().map_or(0, |report| report.pupils.len() + report.unlisted_pupils);
    let sentence = sentence(pupils, many, report.as_ref().is_some_and(|report| report.breach));
    let requests = if traits.sealed { desk.store.sealed_requests(Some(&id)).await? } else { Vec::new() };
    let requests: Vec<_> = requests
        .iter()
        .map(|request| {
            let words = match (&request.approved_by, request.until) {
                (Some(by), Some(until)) => {
                    format!(
                        "{} asked: {} {by} approved it; it ends {}.",
                        request.name,
                        request.reason,
                        view::said(until, &now)
                    )
                }
                _ => format!("{} asks: {}", request.name, request.reason),
            };
            let may_approve =
                request.approved_by.is_none() && can(Task::ApproveOpening) && request.account != person.account().id;
            context! { words, id => request.account.0.as_str(), may_approve }
        })
        .collect();
    let shown_report = report.as_ref();
    let evidence = shown_report.filter(|_| opened).map(|report| {
        let each = |found: &crate::inspect::view::ShownFinding| {
            let line = |text: &str| if text.is_empty() { String::new() } else { format!("{text}\n") };
            let behind = if found.after.is_empty() { String::new() } else { format!("\n{}", found.after) };
            context! {
                place => found.place.as_str(),
                before => format!("{}{}", line(&found.before), found.lead),
                marked => found.found.as_str(),
                after => format!("{}{behind}", found.rest),
            }
        };
        report.findings.iter().map(each).collect::<Vec<_>>()
    });
    let history: Vec<_> = message
        .audit
        .iter()
        .map(|line| context! { at => time(line.at, &now), words => format!("{}, by {}", view::event(&line.event), line.who) })
        .collect();
    let about = (!sealed).then(|| shown_report.map(|report| &report.pupils)).flatten().map(|pupils| {
        let each = |pupil: &crate::inspect::view::ShownPupil| {
            context! { name => pupil.name.as_str(), class => pupil.class.as_str(), said => pupil.said.join(", ") }
        };
        pupils.iter().map(each).collect::<Vec<_>>()
    });
    let why_not = match (held && !can(Task::Decide), traits.own) {
        (false, _) => None,
        (true, true) => Some("This message is from, to or about you: somebody else decides on it.".to_owned()),
        (true, false) => Some(match traits.approver.as_deref().and_then(|role| role.parse::<Role>().ok()) {
            Some(role) => format!("This one is for the {} to decide.", role.words()),
            None => "Somebody else decides on this one.".to_owned(),
        }),
    };
    // What the sender wrote: nothing of it stands on a sealed message, nor on one's own.
    let own_words = shown_report.filter(|_| !sealed && !traits.own);
    let said: Vec<String> = match own_words.is_some() {
        true => message.audit.iter().filter(|line| line.who == SENDER).filter_map(said_by_sender).collect(),
        false => Vec::new(),
    };
    let shown_message = context! {
        said,
        id => id.to_string(),
        sentence,
        breach => shown_report.is_some_and(|report| report.breach) && held,
        waiting => held,
        from => message.summary.mail_from.as_ref().map_or_else(|| "the mail system".to_owned(), ToString::to_string),
        from_name => own_words.map(|report| report.from_name.as_str()),
        subject => own_words.map(|report| report.subject.as_str()),
        rules_version => message.summary.rules_version.as_deref(),
        message_id => own_words.and_then(|report| report.message_id.as_deref()),
        held => time(message.summary.changed_at, &now),
        due => message.summary.due_at.map(|due| time(due, &now)),
        recipients,
        sealed,
        may_ask => sealed && can(Task::OpenFindings),
        requests,
        pupils => about,
        rules => shown_report.map(|report| report.rules.iter().map(|rule| {
            let found: Vec<String> = rule.found.iter().map(crate::inspect::view::in_words).collect();
            context! { why => rule.why.as_str(), clauses => rule.clauses.clone(), found }
        }).collect::<Vec<_>>()),
        confirmed => shown_report.map(|report| report.confirmed.iter().map(|rule| {
            let day = rule.confirmed.as_ref().map(|c| (view::said(c.at, &now), c.by.as_str()));
            if let Some(exempt) = &rule.exempt {
                let last = view::last_day(exempt.until, &now);
                return format!("{} The sender is exempt until the end of {last}, by {}.", rule.why, exempt.by);
            }
            let (day, by) = day.unwrap_or_default();
            format!("{} Confirmed {day} by {by}: it did not ask again.", rule.why)
        }).collect::<Vec<_>>()),
        evidence,
        more => shown_report.map_or(0, |report| report.more_findings),
        purpose => purpose.as_deref().map(in_words),
        may_open => !sealed && can(Task::OpenFindings) && !opened,
        may_read => !sealed && can(Task::OpenWhole) && message.summary.state.keeps_content(),
        unread => shown_report.filter(|_| !sealed).map(|report| {
            report.unreadable.iter().map(|(place, why)| format!("{place}: {why}")).collect::<Vec<_>>()
        }),
        history,
        may_decide => held && can(Task::Decide),
        why_not,
    };
    let report = message.report.as_ref();
    let may_remember = held
        && !traits.sealed
        && person.reach(Task::GiveAllowance) == Reach::All
        && report.is_some_and(|report| {
            !rememberable(&ground, message.summary.mail_from.as_ref(), report, now.timestamp()).is_empty()
        });
    let until = match filled.until.as_str() {
        "" => view::day_ahead(&now, desk.remember_days),
        day => day.to_owned(),
    };
    let own = context! {
        may_remember,
        remember => filled.remember,
        until,
        until_first => view::day_ahead(&now, 0),
        until_last => view::day_ahead(&now, limits::REMEMBER_DAYS_MOST),
        message => shown_message,
        choices => choices(&entitled, message.recipients.len()),
        classes => classes(),
        key => QueueId::generate(now.timestamp()).to_string(),
        grant_hours => limits::SEALED_GRANT_SECONDS / 3_600,
        decision => filled.decision.as_str(),
        class => filled.class.as_str(),
        reason => filled.reason.as_str(),
        note => filled.note.as_str(),
        trouble,
    };
    let status = if own.get_attr("trouble").is_ok_and(|trouble| !trouble.is_none() && !trouble.is_undefined()) {
        422
    } else {
        200
    };
    let status = axum::http::StatusCode::from_u16(status).unwrap_or_default();
    page_as(status, desk, Some(person), "message.html", "/held", own)
}

/// Says it in one sentence.
fn sentence(pupils: usize, recipients: u32, breach: bool) -> String {
    let whom = match pupils {
        0 => "A message".to_owned(),
        1 => "A message about one pupil".to_owned(),
        many => format!("A message about {many} pupils"),
    };
    let to = view::count(recipients, "recipient", "recipients");
    if breach { format!("{whom} to {to}: likely a breach") } else { format!("{whom} to {to}") }
}

/// The choices, each with the reasons for it that are at hand, by the words that the form sends; any other is written.
const REASONS: &[(&str, &[(&str, &str)])] = &[
    (
        "release",
        &[
            ("entitled", "The recipient is entitled to it."),
            ("asked", "The parent asked for it."),
            ("not-so", "What was found is not what it seems."),
        ],
    ),
    ("release-entitled", &[("others", "The others are not entitled to it.")]),
    (
        "return",
        &[
            ("wrong-person", "It was addressed to the wrong person."),
            ("too-much", "It says more than the recipient needs."),
            ("protect", "It belongs in a protected document."),
        ],
    ),
    ("discard", &[("asked", "The sender asked for it to be stopped."), ("again", "It was sent again, put right.")]),
];

/// A choice of the form as it is sent: `return:wrong-person`, or `return` where the reason is written. Its ruling's word, and
/// the reason that was at hand.
pub fn chosen(sent: &str) -> Option<(&str, Option<&'static str>)> {
    let (ruling, reason) = match sent.split_once(':') {
        Some((ruling, reason)) => (ruling, Some(reason)),
        None => (sent, None),
    };
    let (_, reasons) = REASONS.iter().find(|(word, _)| *word == ruling)?;
    let Some(reason) = reason else { return Some((ruling, None)) };
    let (_, words) = reasons.iter().find(|(word, _)| *word == reason)?;
    Some((ruling, Some(words)))
}

fn choices(entitled: &[String], recipients: usize) -> Vec<Choice> {
    let one = |id: &'static str, words: &str, hint: String| {
        let reasons = REASONS.iter().find(|(word, _)| *word == id).map_or(&[][..], |(_, reasons)| *reasons);
        let sent =
            |(reason, words): &(&str, &str)| Reason { sent: format!("{id}:{reason}"), words: (*words).to_owned() };
        let other = Reason { sent: id.to_owned(), words: "For another reason, written below.".to_owned() };
        Choice { id, words: words.to_owned(), hint, reasons: reasons.iter().map(sent).chain([other]).collect() }
    };
    let mut out = vec![one("release", "Release", "It goes to everybody it is addressed to.".to_owned())];
    if !entitled.is_empty() && entitled.len() < recipients {
        let hint = format!("It goes to {} only. The sender is told who did not get it.", entitled.join(", "));
        out.push(one("release-entitled", "Release to those entitled", hint));
    }
    out.push(one(
        "return",
        "Return to sender",
        "Nobody gets it; the sender is told why and how to put it right.".to_owned(),
    ));
    out.push(one("discard", "Discard", "Nobody gets it; the sender is told that it was not sent.".to_owned()));
    out
}

fn classes() -> Vec<Choosable> {
    let one = |id: &str, words: &str| Choosable { id: id.to_owned(), words: words.to_owned() };
    vec![one("breach", "Likely a breach"), one("near-miss", "A near miss"), one("neither", "Neither")]
}
