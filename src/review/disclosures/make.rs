//! An export from its first message to its manifest, the same for a folder and for one file.
//!
//! Never knows where messages and lines come from: a command asks the gateway, the desk its store. Invariant: the export is recorded before
//! its manifest is written.

use std::future::Future;

use jiff::Zoned;

use super::bundle::{Bundle, BundleError, Place};
use super::export::Export;
use crate::people::School;
use crate::store::{AuditLink, Disclosing, Incident, LawfulPurpose, Made, QueueId};

/// Where the parts of an export come from, and where it is recorded; each in the name of who takes it.
pub trait Source {
    /// Why something does not come.
    type Error: From<BundleError>;

    /// A message octet for octet; that it is handed over is recorded first.
    fn content(&mut self, message: &QueueId) -> impl Future<Output = Result<Vec<u8>, Self::Error>>;

    /// A page of the lines of the audit behind `after` about the request and these messages; none when there are no more.
    fn lines(&mut self, messages: &[QueueId], after: i64) -> impl Future<Output = Result<Vec<AuditLink>, Self::Error>>;

    /// The incidents in which this pupil stands.
    fn incidents(&mut self, pupil: &str) -> impl Future<Output = Result<Vec<Incident>, Self::Error>>;

    /// Records the export.
    fn record(&mut self, made: Made) -> impl Future<Output = Result<(), Self::Error>>;
}

/// What was made.
pub struct Handed<P> {
    /// Where it is.
    pub place: P,
    /// Messages of which a copy is in it.
    pub copies: usize,
    /// SHA-256 of its index.
    pub index_sha256: [u8; 32],
}

/// Makes the export of an approved request into a place.
///
/// # Errors
/// What the source or the place says; then there is no manifest.
pub async fn make<P: Place, S: Source>(
    disclosing: &Disclosing,
    (school, now): (&School, Zoned),
    (purpose, why): (LawfulPurpose, String),
    place: P,
    source: &mut S,
) -> Result<Handed<P>, S::Error> {
    let mut bundle = Bundle::into(place);
    let mut making = Export::of(disclosing, school, now);
    let mut copies = 0;
    for message in &disclosing.messages {
        let content = match making.wanted(message) {
            true => Some(source.content(&message.listed.id).await?),
            false => None,
        };
        copies += usize::from(content.is_some());
        making.message(&mut bundle, message, content.as_deref())?;
    }
    let messages = making.handed_over();
    let mut audit: Vec<AuditLink> = Vec::new();
    loop {
        let page = source.lines(&messages, audit.last().map_or(0, |link| link.line.seq)).await?;
        if page.is_empty() {
            break;
        }
        audit.extend(page);
    }
    let incidents = match &disclosing.request.what.search.pupil {
        Some(pupil) => source.incidents(pupil).await?,
        None => Vec::new(),
    };
    let whole = making.finish(&mut bundle, &audit, &incidents)?;
    let made =
        Made { index: whole.index_sha256, manifest: whole.manifest_sha256, pseudonyms: whole.pseudonyms, purpose, why };
    // Recorded first: without its manifest it is no export.
    source.record(made).await?;
    let place = bundle.close(&whole.manifest)?;
    Ok(Handed { place, copies, index_sha256: whole.index_sha256 })
}
