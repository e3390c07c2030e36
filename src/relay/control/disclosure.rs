//! Requests for disclosure as commands ask for them: each in the name of an account, and with the user of the system behind it.

use serde::{Deserialize, Serialize};

use super::peer;
use crate::smtp::Address;
use crate::store::{
    Acting, AuditLink, Disclosing, Disclosure, LawfulPurpose, Listed, Made, NewDisclosure, QueueId, Store, StoreError,
};

/// In whose name something is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnBehalf {
    /// Name of the account.
    pub who: String,
    /// Further mailboxes of the person, as the directory has them.
    pub own: Vec<Address>,
}

impl OnBehalf {
    fn acting(self, uid: u32) -> Acting {
        Acting { account: self.who.trim().to_lowercase(), who: peer::signed(&self.who, uid), own: self.own }
    }
}

/// What can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisclosureRequest {
    /// All requests.
    List,
    /// A new one.
    Ask {
        /// What.
        new: NewDisclosure,
        /// By whom.
        by: OnBehalf,
    },
    /// One with its messages; that somebody looks is recorded.
    Show {
        /// Which.
        id: QueueId,
        /// The name that was given of who looks.
        who: String,
    },
    /// A second person's decision.
    Decide {
        /// On which.
        id: QueueId,
        /// Approve, or refuse.
        approve: bool,
        /// Why it is refused.
        why: String,
        /// By whom.
        by: OnBehalf,
    },
    /// A message is left out, or taken in again.
    LeaveOut {
        /// Of which request.
        id: QueueId,
        /// Which.
        message: QueueId,
        /// Why; with none, it is taken in again.
        why: Option<String>,
        /// By whom.
        by: OnBehalf,
    },
    /// What an index is made of.
    Prepare {
        /// Of which request.
        id: QueueId,
        /// For whom.
        by: OnBehalf,
    },
    /// A message that is handed over.
    Take {
        /// Of which request.
        id: QueueId,
        /// Which.
        message: QueueId,
        /// What for.
        purpose: LawfulPurpose,
        /// By whom.
        by: OnBehalf,
    },
    /// Lines of the audit behind this one.
    Audit {
        /// About this request.
        request: Option<QueueId>,
        /// And these messages.
        messages: Vec<QueueId>,
        /// Behind this line.
        after: i64,
    },
    /// An export was made.
    Exported {
        /// Of which request.
        id: QueueId,
        /// What.
        made: Made,
        /// By whom.
        by: OnBehalf,
    },
    /// A message that is to be taken away as evidence; that it is opened is recorded.
    Open {
        /// Which.
        message: QueueId,
        /// What for.
        purpose: LawfulPurpose,
        /// The name that was given of who opens it.
        who: String,
        /// Why.
        why: String,
    },
    /// A message was taken away as evidence.
    Evidence {
        /// Which.
        message: QueueId,
        /// SHA-256 of the manifest.
        manifest: [u8; 32],
        /// What for.
        purpose: LawfulPurpose,
        /// The name that was given of who takes it.
        who: String,
        /// Why.
        why: String,
    },
}

impl DisclosureRequest {
    /// Whether anything is different afterwards.
    pub fn changes(&self) -> bool {
        !matches!(self, Self::List | Self::Audit { .. })
    }
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisclosureAnswer {
    /// To [`DisclosureRequest::List`], the newest first.
    All(Vec<Disclosure>),
    /// To [`DisclosureRequest::Ask`]: its id.
    Asked(QueueId),
    /// To [`DisclosureRequest::Show`].
    One(Disclosure, Vec<Listed>),
    /// To [`DisclosureRequest::Prepare`].
    Prepared(Disclosing),
    /// To [`DisclosureRequest::Open`], where no copy is kept.
    NoCopy,
    /// To [`DisclosureRequest::Take`] and [`DisclosureRequest::Open`]: each octet as the letter of its number.
    Content(String),
    /// To [`DisclosureRequest::Audit`].
    Lines(Vec<AuditLink>),
    /// To the others.
    Done,
}

/// Carries a request out for the user `uid`.
pub(super) async fn carry_out(
    store: &Store,
    uid: u32,
    request: DisclosureRequest,
) -> Result<DisclosureAnswer, StoreError> {
    use DisclosureAnswer as Answer;
    use DisclosureRequest as Request;
    Ok(match request {
        Request::List => Answer::All(store.disclosures().await?),
        Request::Ask { new, by } => Answer::Asked(store.ask_disclosure(new, &by.acting(uid)).await?),
        Request::Show { id, who } => {
            let (one, messages) = store.see_disclosure(&id, &peer::signed(&who, uid)).await?;
            Answer::One(one, messages)
        }
        Request::Decide { id, approve, why, by } => {
            store.decide_disclosure(&id, approve, &why, &by.acting(uid)).await?;
            Answer::Done
        }
        Request::LeaveOut { id, message, why, by } => {
            store.leave_out(&id, &message, why.as_deref(), &by.acting(uid)).await?;
            Answer::Done
        }
        Request::Prepare { id, by } => Answer::Prepared(store.disclosing(&id, &by.acting(uid)).await?),
        Request::Take { id, message, purpose, by } => {
            let content = store.disclose(&id, &message, purpose, &by.acting(uid)).await?;
            Answer::Content(content.iter().map(|&octet| char::from(octet)).collect())
        }
        Request::Audit { request, messages, after } => {
            Answer::Lines(store.audit_about(request.as_ref(), &messages, after).await?)
        }
        Request::Exported { id, made, by } => {
            store.note_exported(&id, made, &by.acting(uid)).await?;
            Answer::Done
        }
        Request::Open { message, purpose, who, why } => {
            match store.open_content(&message, &peer::signed(&who, uid), &why, purpose).await {
                Ok(content) => Answer::Content(content.iter().map(|&octet| char::from(octet)).collect()),
                Err(StoreError::Dropped(_)) => Answer::NoCopy,
                Err(error) => return Err(error),
            }
        }
        Request::Evidence { message, manifest, purpose, who, why } => {
            store.note_evidence(&message, manifest, purpose, &peer::signed(&who, uid), &why).await?;
            Answer::Done
        }
    })
}
