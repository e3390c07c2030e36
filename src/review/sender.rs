//! The sender's own page of one message, by the link in the notice: no account, no script, one thing done once.
//!
//! Whoever has the link is taken for the sender. Invariants: GET and HEAD change nothing; a form counts only with the token
//! that stood in it and with a box that a person ticks and no page ticks beforehand, so that what opens links and sends
//! their forms does nothing; a link that was never made, is over or was used is answered with one page.

use axum::Extension;
use axum::Form;
use axum::extract::{Path, State as From};
use axum::http::StatusCode;
use axum::response::Response;
use minijinja::context;
use serde::Deserialize;

use super::State;
use super::guard::Client;
use super::pages::{Answer, PageError, page, page_as};
use super::sign_in::wait;
use super::view::{self, Trouble, time};
use crate::inspect::{FiredRule, Report};
use crate::limits;
use crate::relay::sender::{self, Ask, Done, Means};
use crate::store::{Brought, OpenLink, StoreError};

/// What stands in a form of the page.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Sent {
    token: String,
    what: String,
    /// Of a box: present where it was ticked.
    sure: String,
    words: String,
}

/// GET `/m/TOKEN`.
pub async fn message(
    From(desk): From<State>,
    Extension(Client(client)): Extension<Client>,
    Path(brought): Path<String>,
) -> Answer {
    match desk.store.sender_link(&brought, client).await? {
        Brought::Open(link) => show(&desk, &link, &brought, &Sent::default(), None).await,
        other => no_page(&desk, &other),
    }
}

/// POST `/m/TOKEN`.
pub async fn act(
    From(desk): From<State>,
    Extension(Client(client)): Extension<Client>,
    Path(brought): Path<String>,
    Form(form): Form<Sent>,
) -> Answer {
    let link = match desk.store.sender_link(&brought, client).await? {
        Brought::Open(link) => link,
        other => return no_page(&desk, &other),
    };
    let again = |trouble| show(&desk, &link, &brought, &form, Some(trouble));
    let impossible =
        || again(Trouble::at("main", "That is not possible with this message. Nothing was changed.".to_owned()));
    if form.token != link.form {
        let words = "This page was too old. Nothing was changed. Please look at it as it is now.";
        return again(Trouble::at("main", words.to_owned())).await;
    }
    let Some(ask) = Ask::of(&form.what) else {
        return again(Trouble::at("main", "Nothing was changed. Choose what you want to do.".to_owned())).await;
    };
    if form.sure.is_empty() {
        return again(Trouble::at(ask.box_id(), "Nothing was changed. Tick the box to say that it is you.".to_owned()))
            .await;
    }
    let words: String = form.words.trim().chars().take(limits::SENDER_WORDS_CHARS).collect();
    if ask.wants_words() && words.is_empty() {
        return again(Trouble::at(ask.words_id(), "Nothing was changed. Say in a few words why.".to_owned())).await;
    }
    // What waits still has its page.
    let back = matches!(ask, Ask::Wrong | Ask::Note).then(|| format!("/m/{brought}"));
    let (notifier, hands) = (desk.notifier.load_full(), desk.workers.clone());
    let means = Means {
        store: &desk.store,
        ground: (desk.ground)(),
        notifier: &notifier,
        isolation: hands,
        scanner: &desk.scanner,
        one: &desk.inspections,
        remember_days: desk.remember_days,
    };
    match sender::carry_out(&means, &link, ask, words, None).await {
        Ok(Done::Yes) => {
            page(&desk, None, "sender-done.html", "", context! { title => ask.title(), words => ask.done(), back })
        }
        Ok(Done::Gone) => match desk.store.sender_link(&brought, client).await? {
            Brought::Left => no_page(&desk, &Brought::Left),
            // It is still there: only this cannot be done with it.
            Brought::Open(_) => impossible().await,
            _ => no_page(&desk, &Brought::Nothing),
        },
        Ok(Done::Late) => {
            let words = "It could not be checked in time. Nothing was changed; please try again in some minutes.";
            again(Trouble::at(ask.box_id(), words.to_owned())).await
        }
        Ok(Done::Stopped(report)) => stopped(&desk, &brought, &report),
        Err(StoreError::Refused(_)) => impossible().await,
        Err(error) => Err(error.into()),
    }
}

/// What of it the page says.
impl Ask {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "cancel" => Self::Cancel,
            "send-now" => Self::SendNow,
            "urgent" => Self::Urgent,
            "mark" => Self::Mark,
            "confirm" => Self::Confirm,
            "mark-confirm" => Self::MarkConfirm,
            "wrong" => Self::Wrong,
            "note" => Self::Note,
            _ => return None,
        })
    }

    /// Its form.
    fn form(self) -> minijinja::Value {
        let (what, heading, follows, button, sure) = match self {
            Self::Mark => (
                "mark",
                "Send it with Confidential in the subject",
                "It goes out as you wrote it, with the word Confidential in front of its subject. It is checked once more before.",
                "Send it marked",
                "I wrote this message and want it sent as confidential.",
            ),
            Self::Confirm => (
                "confirm",
                "This is right",
                "It goes out as you wrote it.",
                "Send it as it is",
                "I wrote this message, I have checked its recipients, and I want it sent.",
            ),
            Self::MarkConfirm => (
                "mark-confirm",
                "This is right: send it with Confidential in the subject",
                "It goes out as you wrote it, with the word Confidential in front of its subject. It is checked once more before.",
                "Send it marked",
                "I wrote this message, I have checked its recipients, and I want it sent as confidential.",
            ),
            Self::Wrong => (
                "wrong",
                "You are wrong",
                "A person at the school looks at it and decides.",
                "Hand it over",
                "I wrote this message and want somebody to look at it.",
            ),
            Self::Note => (
                "note",
                "Say something about it",
                "Who decides reads it beside your message.",
                "Send this note",
                "I wrote this message, and this note is from me.",
            ),
            Self::SendNow => (
                "send-now",
                "Send it now",
                "It goes out as you wrote it, and can no longer be taken back.",
                "Send it now",
                "I wrote this message, I have looked at it again, and I want it sent.",
            ),
            Self::Urgent => (
                "urgent",
                "It is urgent: send it now",
                "It goes out as you wrote it, though the school is closed, and can no longer be taken back.",
                "Send it now",
                "I wrote this message, and it cannot wait until the school opens.",
            ),
            Self::Cancel => (
                "cancel",
                "Cancel it",
                "It is deleted here, and nobody receives it. What stands in your Sent folder stays there.",
                "Cancel this message",
                "I wrote this message and want it deleted.",
            ),
        };
        let label = match self {
            Self::Confirm | Self::MarkConfirm => "This is right, because …",
            Self::Wrong => "What is wrong?",
            Self::Note => "What should they know?",
            Self::Urgent => "Why is it urgent?",
            Self::Mark | Self::Cancel | Self::SendNow => "",
        };
        context! { what, heading, follows, button, sure, label }
    }

    fn box_id(self) -> &'static str {
        match self {
            Self::Cancel => "sure-cancel",
            Self::Mark => "sure-mark",
            Self::Confirm => "sure-confirm",
            Self::MarkConfirm => "sure-mark-confirm",
            Self::Wrong => "sure-wrong",
            Self::Note => "sure-note",
            Self::SendNow => "sure-send-now",
            Self::Urgent => "sure-urgent",
        }
    }

    fn words_id(self) -> &'static str {
        match self {
            Self::Confirm => "words-confirm",
            Self::MarkConfirm => "words-mark-confirm",
            Self::Wrong => "words-wrong",
            Self::Urgent => "words-urgent",
            _ => "words-note",
        }
    }
}

/// The one answer to every link that opens nothing.
fn no_page(desk: &State, brought: &Brought) -> Result<Response, PageError> {
    let nothing = "There is nothing here";
    let (status, title, words) = match brought {
        Brought::Wait(until) => (StatusCode::TOO_MANY_REQUESTS, nothing, wait(*until)),
        Brought::Left => {
            let words = "It waited before it left, and that time is over. It can no longer be taken back.";
            (StatusCode::GONE, "Your message has left", words.to_owned())
        }
        _ => {
            let words = "This link was used, is over, or is not complete. What became of your message stands in the notices \
                         that you have; the school office can tell you more by the reference in them.";
            (StatusCode::NOT_FOUND, nothing, words.to_owned())
        }
    };
    page_as(status, desk, None, "sender-done.html", "", context! { title, words })
}

/// What still stops a message that would otherwise be marked and sent.
fn stopped(desk: &State, brought: &str, report: &Report) -> Result<Response, PageError> {
    let own = context! {
        title => "It was not sent",
        words => "With Confidential in its subject, something else still stops it. Nothing was changed.",
        rules => rules(report),
        back => format!("/m/{brought}"),
    };
    page_as(StatusCode::CONFLICT, desk, None, "sender-done.html", "", own)
}

fn found(rule: &FiredRule) -> Vec<String> {
    rule.found.iter().map(crate::inspect::view::in_words).collect()
}

fn rules(report: &Report) -> Vec<minijinja::Value> {
    let each = |rule: &FiredRule| context! { why => rule.why.as_str(), found => found(rule), remedy => rule.remedy.as_str(), clauses => rule.clauses.clone() };
    report.rules.iter().filter(|rule| rule.stops()).map(each).collect()
}

async fn show(desk: &State, link: &OpenLink, brought: &str, filled: &Sent, trouble: Option<Trouble>) -> Answer {
    let (message, now) = (desk.store.show(&link.message).await?, desk.now());
    let report = message.report.as_ref();
    let possible = sender::possible(&(desk.ground)(), report);
    let recipients: Vec<String> = message.recipients.iter().map(|recipient| recipient.address.to_string()).collect();
    let status = if trouble.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let own = context! {
        action => format!("/m/{brought}"),
        form => link.form.as_str(),
        held => link.held,
        leaves => link.leaves.map(|leaves| time(leaves.at, &now)),
        opening => link.leaves.is_some_and(|leaves| leaves.for_opening(now.timestamp())),
        id => link.message.to_string(),
        subject => report.map(|report| report.subject.as_str()).unwrap_or_default(),
        recipients,
        at => time(message.summary.at, &now),
        until => link.until.map(|until| time(until, &now)),
        due => message.summary.due_at.filter(|_| link.held).map(|due| time(due, &now)),
        rules => report.map(rules).unwrap_or_default(),
        forms => Ask::of_link(link, possible, now.timestamp()).iter().map(|ask| ask.form()).collect::<Vec<_>>(),
        remembered => view::last_day(sender::remembered_until(now.timestamp(), desk.remember_days), &now),
        most => limits::SENDER_WORDS_CHARS,
        what => filled.what.as_str(),
        words => filled.words.as_str(),
        trouble,
    };
    page_as(status, desk, None, "sender.html", "", own)
}
