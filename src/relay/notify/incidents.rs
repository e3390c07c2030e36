//! Letters about incidents: reported, received, called to mind. They hold a reference and times, no name and no words of it.

use jiff::Timestamp;

use super::templates::Kind;
use super::{About, Notice, Notifier, words};
use crate::inspect::Report;
use crate::policy::Action;
use crate::policy::pack::REPORTING;
use crate::school_time::left_in_words;
use crate::smtp::{Address, Envelope};
use crate::store::QueueId;

impl Notifier {
    /// Staff report breaches at this mailbox.
    pub fn is_reporting_mailbox(&self, address: &Address) -> bool {
        self.roles.get(REPORTING).into_iter().flatten().any(|mailbox| mailbox.is_same_mailbox(address))
    }

    /// To those who answer for breaches: somebody has reported one.
    pub fn incident_reported(&self, to: Vec<Address>, incident: &QueueId, now: Timestamp) -> Option<Notice> {
        self.of_incident(Kind::IncidentReported, to, incident, None, now)
    }

    /// To those who answer for breaches: what is left of the 72 hours, which end at `ends`.
    pub fn incident_reminder(
        &self,
        to: Vec<Address>,
        incident: &QueueId,
        ends: Timestamp,
        now: Timestamp,
    ) -> Option<Notice> {
        self.of_incident(Kind::IncidentReminder, to, incident, Some(ends), now)
    }

    /// To the member of staff who reported: what to do in the next ten minutes. The message is the report; its id in `about`
    /// is the incident's.
    pub fn report_received(&self, about: &About<'_>) -> Option<Notice> {
        let sender = self.can_be_told(about)?.clone();
        let context = self.context(Kind::ReportReceived, &Report::of(Action::Deliver), about, "", &[]);
        Some(self.compose(Kind::ReportReceived, &context, about, vec![sender]))
    }

    fn of_incident(
        &self,
        kind: Kind,
        to: Vec<Address>,
        incident: &QueueId,
        ends: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Notice> {
        if to.is_empty() {
            return None;
        }
        let envelope = Envelope::new(None, Vec::new());
        let about = About {
            envelope: &envelope,
            subject: "",
            message_id: None,
            id: incident,
            at: now,
            now,
            not_told: &[],
            link: None,
        };
        let mut context = self.context(kind, &Report::of(Action::Deliver), &about, "", &[]);
        context.incident.link =
            self.desk.as_ref().map(|desk| format!("{desk}/incidents/{incident}")).unwrap_or_default();
        if let Some(ends) = ends {
            let left = left_in_words(ends, now);
            context.incident.over = left.is_none();
            context.incident.left = match left {
                Some(left) => format!("{left} to tell the ICO"),
                None => "The 72 hours are over".to_owned(),
            };
            context.incident.ends = words::time_in(ends, &self.zone);
        }
        Some(self.compose(kind, &context, &about, to))
    }
}
