//! What people ask of the store through the command line: one list of requests and one function that carries them out.
//!
//! The running gateway answers them on a Unix socket in the store's directory ([`Control`], `control.sock`, mode 0600), so
//! that one process alone writes. While none runs, a command carries the same requests out itself ([`execute`]) with the
//! store's lock in its hand. Only root and the gateway's own user are answered; who they are by the system's word is
//! written into the audit beside the name that they give.
//!
//! Never knows how an answer is shown. Invariants: one request and one answer a connection; sizes, times and connections
//! are bounded by `limits::CONTROL_*`; a peer that talks nonsense costs its own connection.

mod disclosure;
mod peer;
mod socket;
mod verbs;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use disclosure::{DisclosureAnswer, DisclosureRequest, OnBehalf};
pub use peer::name_of;
pub use socket::{CallError, Control, ControlError, call};
pub use verbs::{AccountVerb, Because, SendAs, SubmissionVerb, Verb};

use super::decide::Asked;
use super::log::{Event, event};
use super::notify::Notifier;
use crate::limits;
use crate::smtp::Address;
use crate::store::accounts::{Account, Link, SubmissionAccount, Token};
use crate::store::{
    Assessment, AuditCheck, AuditFilter, AuditLine, AuditLink, Decision, Export, Filter, Found, Grounds, Incident,
    IncidentFilter, IncidentKind, IncidentLine, JournalFigures, KeptAllowance, KeptExemption, LawfulPurpose, LegalHold,
    MonthOfUse, NewExemption, NewHold, NewIncident, Origin, Overview, QueueId, Ruling, Scope, Search, Shown, Sight,
    Store, StoreError, Summary,
};

/// What can be asked.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Messages in any of these filters, one filter after the other.
    List(Vec<Filter>),
    /// One message. What was found in it is told only to who says why, and that is recorded.
    Show {
        /// Which.
        id: QueueId,
        /// Who looks at what was found, and why.
        look: Option<Because>,
    },
    /// The message itself, for a lawful purpose, which is recorded.
    Content {
        /// Which.
        id: QueueId,
        /// What for.
        purpose: LawfulPurpose,
        /// Who opens it, and why.
        because: Because,
    },
    /// A decision on a message, or another try.
    Decide {
        /// On which.
        id: QueueId,
        /// What.
        what: Verb,
        /// By whom, and why.
        because: Because,
    },
    /// Another try at once of all that waits, but what is set aside.
    RetryAll(Because),
    /// The last lines of the audit that fit.
    Audit(AuditFilter),
    /// A page of the audit with the places of its lines in the chain: those after this line.
    AuditPage(i64),
    /// Whether the audit holds.
    AuditCheck,
    /// What is allowed now.
    Allowances,
    /// An end of what is allowed.
    EndAllowance {
        /// Its id.
        id: String,
        /// By whom, and why.
        because: Because,
    },
    /// Who is exempt now.
    Exemptions,
    /// An exemption, by an account with the role `head`.
    Exempt {
        /// What.
        new: NewExemption,
        /// By whom: the name of the account.
        because: Because,
    },
    /// An end of an exemption.
    EndExemption {
        /// Its id.
        id: String,
        /// By whom, and why.
        because: Because,
    },
    /// How much the journal keeps.
    Journal,
    /// Kept mail that fits; that somebody looks is recorded.
    Search {
        /// What is looked for.
        search: Search,
        /// By whom, and what for.
        because: Because,
    },
    /// What must not be deleted.
    LegalHolds,
    /// That something must not be deleted.
    LegalHold {
        /// What, and why.
        new: NewHold,
        /// The name that was given of who asks for it.
        who: String,
    },
    /// An end of that.
    EndLegalHold {
        /// Its id.
        id: String,
        /// By whom, and why.
        because: Because,
    },
    /// Incidents of the register, as far as they stand in clear.
    Incidents(IncidentFilter),
    /// An incident, whole; that somebody looks is recorded.
    Incident {
        /// Which.
        id: QueueId,
        /// The name that was given of who looks.
        who: String,
    },
    /// An incident that is entered by hand.
    OpenIncident {
        /// What it is taken for.
        kind: IncidentKind,
        /// What happened.
        happened: String,
        /// The message that it is about.
        message: Option<QueueId>,
        /// The name that was given of who enters it.
        who: String,
    },
    /// Incidents to take away, which is recorded.
    ExportIncidents {
        /// What of them.
        what: Export,
        /// The child whose they are.
        pupil: Option<String>,
        /// The name that was given of who takes them.
        who: String,
    },
    /// Something about requests for disclosure.
    Disclosure(Box<DisclosureRequest>),
    /// How much mail was marked personal; that somebody looks is recorded.
    PersonalUse {
        /// Messages in a month from which their sender is named.
        names_from: usize,
        /// The name that was given of who looks.
        who: String,
    },
    /// What mail came to by week and rule.
    Overview,
    /// The modes of rules that were put in force at the desk.
    Modes,
    /// All accounts.
    Accounts,
    /// Something about one account.
    Account {
        /// Its name.
        name: String,
        /// What.
        what: AccountVerb,
        /// The name that was given of who does it.
        who: String,
    },
    /// All accounts that may sign in to send.
    Submissions,
    /// Something about one account that may sign in to send.
    Submission {
        /// Its name.
        name: String,
        /// What.
        what: SubmissionVerb,
        /// The name that was given of who does it.
        who: String,
    },
    /// A new roster in the place of the earlier one. The roster travels behind the request, as it is.
    ReplaceRoster {
        /// The roster, in clear.
        #[serde(skip)]
        roster: Zeroizing<Vec<u8>>,
    },
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// To [`Request::List`].
    Messages(Vec<Summary>),
    /// To [`Request::Show`].
    Message(Box<Shown>),
    /// To [`Request::Content`]: each octet as the letter of its number.
    Content(String),
    /// To [`Request::Decide`].
    Decision(Decision),
    /// To [`Request::RetryAll`]: how many messages there are.
    Retried(u64),
    /// To [`Request::Audit`].
    Audit(Vec<AuditLine>),
    /// To [`Request::AuditPage`].
    AuditPage(Vec<AuditLink>),
    /// To [`Request::AuditCheck`].
    AuditCheck(AuditCheck),
    /// To [`Request::Allowances`], the newest first.
    Allowances(Vec<KeptAllowance>),
    /// To [`Request::EndAllowance`]: whether it held until now.
    AllowanceEnded(bool),
    /// To [`Request::Exemptions`], the newest first.
    Exemptions(Vec<KeptExemption>),
    /// To [`Request::Exempt`].
    Exempted,
    /// To [`Request::EndExemption`]: whether it held until now.
    ExemptionEnded(bool),
    /// To [`Request::Journal`].
    Journal(JournalFigures),
    /// To [`Request::Search`].
    Found(Found),
    /// To [`Request::LegalHolds`], the newest first.
    LegalHolds(Vec<LegalHold>),
    /// To [`Request::LegalHold`].
    OnHold,
    /// To [`Request::EndLegalHold`]: whether it was on until now.
    HoldEnded(bool),
    /// To [`Request::Incidents`], in the order of the register.
    Incidents(Vec<IncidentLine>),
    /// To [`Request::Incident`].
    Incident(Box<Incident>),
    /// To [`Request::OpenIncident`]: its reference; nothing where there is one about the same message.
    IncidentOpened(Option<QueueId>),
    /// To [`Request::ExportIncidents`], the oldest first.
    IncidentsExported(Vec<Incident>),
    /// To [`Request::Disclosure`].
    Disclosure(Box<DisclosureAnswer>),
    /// To [`Request::PersonalUse`], the newest month first.
    PersonalUse(Vec<MonthOfUse>),
    /// To [`Request::Overview`].
    Overview(Overview),
    /// To [`Request::Modes`], by the rule's id.
    Modes(std::collections::BTreeMap<String, crate::policy::Mode>),
    /// To [`Request::Accounts`].
    Accounts(Vec<Account>),
    /// To [`AccountVerb::Add`] and [`AccountVerb::Reset`]: the link is told this once.
    Link(Link),
    /// To the other verbs: whether anything is different now.
    AccountChanged(bool),
    /// To [`Request::Submissions`].
    Submissions(Vec<SubmissionAccount>),
    /// To [`SubmissionVerb::Add`] and [`SubmissionVerb::Password`]: the password where one was made, which is told this once.
    SubmissionPassword(Option<Token>),
    /// To [`Request::ReplaceRoster`]: it is on stable storage.
    Replaced,
    /// It was not done; why, in the words for a person.
    Refused(String),
}

impl Request {
    /// Whether anything is different afterwards; a look at what was found leaves its line.
    pub fn changes(&self) -> bool {
        match self {
            Self::List(_) | Self::Show { look: None, .. } => false,
            Self::Audit(_)
            | Self::AuditPage(_)
            | Self::AuditCheck
            | Self::Allowances
            | Self::Exemptions
            | Self::Journal
            | Self::LegalHolds
            | Self::Incidents(_)
            | Self::Overview
            | Self::Modes
            | Self::Accounts
            | Self::Submissions => false,
            Self::Disclosure(request) => request.changes(),
            Self::Account { .. }
            | Self::Show { .. }
            | Self::Content { .. }
            | Self::Decide { .. }
            | Self::RetryAll(_)
            | Self::EndAllowance { .. }
            | Self::Exempt { .. }
            | Self::EndExemption { .. }
            | Self::Search { .. }
            | Self::LegalHold { .. }
            | Self::EndLegalHold { .. }
            | Self::PersonalUse { .. }
            | Self::Incident { .. }
            | Self::OpenIncident { .. }
            | Self::ExportIncidents { .. }
            | Self::Submission { .. }
            | Self::ReplaceRoster { .. } => true,
        }
    }
}

/// Carries a request out for the user `uid`.
pub async fn execute(store: &Store, notifier: &Notifier, uid: u32, request: Request) -> Answer {
    match carry_out(store, notifier, uid, request).await {
        Ok(answer) => answer,
        Err(error) => Answer::Refused(error.to_string()),
    }
}

async fn carry_out(store: &Store, notifier: &Notifier, uid: u32, request: Request) -> Result<Answer, StoreError> {
    Ok(match request {
        Request::List(filters) => {
            let mut messages = Vec::new();
            for filter in filters {
                messages.extend(store.list(filter, limits::LIST_ROWS).await?);
            }
            Answer::Messages(messages)
        }
        Request::Show { id, look } => {
            if let Some(because) = &look {
                store.note_view(&id, &peer::signed(&because.who, uid), &because.why).await?;
            }
            let mut shown = store.show(&id).await?;
            if look.is_none()
                && let Some(report) = &mut shown.report
            {
                report.without_content();
            }
            Answer::Message(Box::new(shown))
        }
        Request::Content { id, purpose, because } => {
            let content = store.open_content(&id, &peer::signed(&because.who, uid), &because.why, purpose).await?;
            Answer::Content(content.iter().map(|&octet| char::from(octet)).collect())
        }
        Request::Decide { id, what, because } => {
            let decision = decide(store, notifier, uid, &id, &what, &because).await?;
            if decision == Decision::Done {
                note(&id, &what, uid);
            }
            Answer::Decision(decision)
        }
        Request::RetryAll(because) => Answer::Retried(store.retry_all(&peer::signed(&because.who, uid)).await?),
        Request::Audit(filter) => Answer::Audit(store.audit_list(&filter, limits::LIST_ROWS).await?),
        Request::AuditPage(after) => Answer::AuditPage(store.audit_page(after).await?),
        Request::AuditCheck => Answer::AuditCheck(store.audit_check(Scope::Whole).await?),
        Request::Allowances => {
            let mut all = store.allowances(store.clock().now()).await?;
            all.truncate(usize::try_from(limits::LIST_ROWS).unwrap_or(usize::MAX));
            Answer::Allowances(all)
        }
        Request::EndAllowance { id, because } => {
            Answer::AllowanceEnded(store.end_allowance(&id, &peer::signed(&because.who, uid), &because.why).await?)
        }
        Request::Exemptions => Answer::Exemptions(store.exemptions(store.clock().now()).await?),
        Request::Exempt { new, because } => {
            store.exempt(new, &because.who, &peer::signed(&because.who, uid)).await?;
            Answer::Exempted
        }
        Request::EndExemption { id, because } => {
            Answer::ExemptionEnded(store.end_exemption(&id, &peer::signed(&because.who, uid), &because.why).await?)
        }
        Request::Journal => Answer::Journal(store.journal_figures().await?),
        Request::Search { search, because } => {
            Answer::Found(store.search(&search, &peer::signed(&because.who, uid), &because.why).await?)
        }
        Request::LegalHolds => Answer::LegalHolds(store.legal_holds().await?),
        Request::LegalHold { new, who } => {
            store.hold_for_law(new, &peer::signed(&who, uid)).await?;
            Answer::OnHold
        }
        Request::EndLegalHold { id, because } => {
            Answer::HoldEnded(store.end_legal_hold(&id, &peer::signed(&because.who, uid), &because.why).await?)
        }
        Request::Incidents(filter) => Answer::Incidents(store.incidents(filter, None, limits::LIST_ROWS).await?.0),
        Request::Incident { id, who } => {
            Answer::Incident(Box::new(store.see_incident(&id, &peer::signed(&who, uid)).await?))
        }
        Request::OpenIncident { kind, happened, message, who } => {
            let mut assessment = match &message {
                Some(id) => store.assessment_of(id).await?,
                None => Assessment::default(),
            };
            (assessment.kind, assessment.happened) = (kind, happened);
            if let Some((_, problem)) = assessment.problem() {
                return Err(StoreError::Refused(problem.to_owned()));
            }
            let new = NewIncident {
                id: QueueId::generate(store.clock().now()),
                message,
                report: None,
                origin: Origin::Hand,
                assessment,
                who: peer::signed(&who, uid),
            };
            Answer::IncidentOpened(store.open_incident(new).await?)
        }
        Request::ExportIncidents { what, pupil, who } => {
            let who = peer::signed(&who, uid);
            Answer::IncidentsExported(store.export_incidents(what, pupil.as_deref(), false, &who).await?)
        }
        Request::Disclosure(request) => {
            Answer::Disclosure(Box::new(disclosure::carry_out(store, uid, *request).await?))
        }
        Request::PersonalUse { names_from, who } => {
            let who = peer::signed(&who, uid);
            Answer::PersonalUse(store.personal_use(names_from, Sight::Names, &who).await?)
        }
        Request::Overview => Answer::Overview(store.overview().await?),
        Request::Modes => Answer::Modes(store.modes().as_ref().clone()),
        Request::Accounts => Answer::Accounts(store.accounts().await?),
        Request::Account { name, what, who } => about_account(store, uid, &name, &what, &who).await?,
        Request::Submissions => Answer::Submissions(store.submissions().await?),
        Request::Submission { name, what, who } => about_submission(store, uid, &name, &what, &who).await?,
        Request::ReplaceRoster { roster } => {
            store.replace_roster(roster).await?;
            Answer::Replaced
        }
    })
}

async fn about_account(
    store: &Store,
    uid: u32,
    name: &str,
    what: &AccountVerb,
    who: &str,
) -> Result<Answer, StoreError> {
    let who = peer::signed(who, uid);
    Ok(match what {
        AccountVerb::Add { address, roles } => Answer::Link(store.create_account(name, address, roles, &who).await?),
        AccountVerb::Reset => Answer::Link(store.reset_account(name, &who).await?),
        AccountVerb::Roles { roles, last } => Answer::AccountChanged(store.set_roles(name, roles, *last, &who).await?),
        AccountVerb::Disable { last } => Answer::AccountChanged(store.disable_account(name, *last, &who).await?),
        AccountVerb::Enable => Answer::AccountChanged(store.enable_account(name, &who).await?),
    })
}

async fn about_submission(
    store: &Store,
    uid: u32,
    name: &str,
    what: &SubmissionVerb,
    who: &str,
) -> Result<Answer, StoreError> {
    let who = peer::signed(who, uid);
    Ok(match what {
        SubmissionVerb::Add { senders, password } => {
            let password = password.as_ref().map(Token::reveal);
            Answer::SubmissionPassword(store.create_submission(name, &senders.senders(), password, &who).await?)
        }
        SubmissionVerb::Password { password } => {
            let password = password.as_ref().map(Token::reveal);
            Answer::SubmissionPassword(store.set_submission_password(name, password, &who).await?)
        }
        SubmissionVerb::Senders(senders) => {
            Answer::AccountChanged(store.set_submission_senders(name, &senders.senders(), &who).await?)
        }
        SubmissionVerb::Disable => Answer::AccountChanged(store.use_submission(name, false, &who).await?),
        SubmissionVerb::Enable => Answer::AccountChanged(store.use_submission(name, true, &who).await?),
        SubmissionVerb::Remove => {
            store.remove_submission(name, &who).await?;
            Answer::AccountChanged(true)
        }
    })
}

async fn decide(
    store: &Store,
    notifier: &Notifier,
    uid: u32,
    id: &QueueId,
    what: &Verb,
    because: &Because,
) -> Result<Decision, StoreError> {
    let (who, why) = (peer::signed(&because.who, uid), because.why.as_str());
    let (ruling, note) = match what {
        Verb::Retry => return store.retry(id, &who).await,
        Verb::Hold => return store.hold(id, &who, why).await,
        Verb::Drop => return store.drop_queued(id, &who, why).await,
        Verb::Release { only } if only.is_empty() => (Ruling::Release, ""),
        Verb::Release { only } => (Ruling::ReleaseTo(places(store, id, only).await?), ""),
        Verb::Return { note } => (Ruling::Return, note.as_str()),
        Verb::Discard => (Ruling::Discard, ""),
    };
    // Whoever gives a mailbox for a name does not decide on its mail.
    let own: Vec<Address> = Address::parse(because.who.trim()).into_iter().collect();
    let grounds = Grounds { who, why: why.to_owned(), classification: because.classification, ..Grounds::default() };
    super::decide::decide(store, notifier, id, &Asked { ruling, note, grounds, own: &own }).await
}

/// The places of these recipients in the envelope.
async fn places(store: &Store, id: &QueueId, only: &[Address]) -> Result<Vec<u32>, StoreError> {
    let shown = store.show(id).await?;
    let mut places = Vec::new();
    for address in only {
        let found = (0..).zip(&shown.recipients).filter(|(_, recipient)| recipient.address.is_same_mailbox(address));
        let before = places.len();
        places.extend(found.map(|(place, _)| place));
        if places.len() == before {
            return Err(StoreError::Refused(format!("{address} is no recipient of {id}")));
        }
    }
    Ok(places)
}

/// Looks at the end of the audit when the gateway starts. One that does not hold is for a person; mail goes on.
async fn check_audit(store: &Store) {
    match store.audit_check(Scope::Tail(limits::AUDIT_START_LINES)).await {
        Ok(check) => {
            for fault in &check.faults {
                tracing::error!(
                    event = Event::Trouble.as_str(),
                    what = "the audit does not hold: see `schoolgate audit verify`",
                    reason = %fault
                );
            }
        }
        Err(error) => event!(Event::Trouble, what = "the audit cannot be read", reason = %error),
    }
}

/// The log tells the story of a message to its end; who decided, by number: names stand in the audit.
fn note(id: &QueueId, what: &Verb, uid: u32) {
    match what {
        Verb::Retry => {}
        Verb::Hold => event!(Event::Held, id = %id, by = uid),
        Verb::Drop | Verb::Discard => event!(Event::Discarded, id = %id, by = uid),
        Verb::Release { .. } => event!(Event::Released, id = %id, by = uid),
        Verb::Return { .. } => event!(Event::Returned, id = %id, by = uid),
    }
}
