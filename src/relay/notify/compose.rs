//! A notice's headers and its two alternatives, through lettre's builder.

use jiff::Timestamp;
use lettre::message::header::{Header, HeaderName, HeaderValue, References};
use lettre::message::{Mailbox, Mailboxes, MessageBuilder, MultiPart, MultiPartKind, SinglePart, header};

use crate::smtp::Address;

use super::templates::Kind;

/// What a notice is made of. All text is clean already: one line where one line is meant.
pub struct Parts<'a> {
    pub kind: Kind,
    pub from: &'a Address,
    pub from_name: &'a str,
    pub to: &'a [Address],
    /// Where answers go; otherwise to `from`.
    pub reply_to: Option<&'a Address>,
    pub subject: &'a str,
    pub hostname: &'a str,
    pub id: &'a str,
    pub in_reply_to: Option<&'a str>,
    pub at: Timestamp,
    pub text: &'a str,
    pub html: &'a str,
}

/// The complete message, CRLF line ends.
pub fn message(parts: &Parts<'_>) -> Vec<u8> {
    // Of the letters about one message, only answers are alike but for their time; of those about an incident, reminders.
    let name = match parts.kind {
        Kind::Answered | Kind::IncidentReminder => format!("{}-{}", parts.kind.name(), parts.at.as_millisecond()),
        kind => kind.name().to_owned(),
    };
    let mut builder = lettre::Message::builder()
        .from(Mailbox::new(Some(parts.from_name.to_owned()), lettre_address(parts.from)))
        .date(parts.at.into())
        .message_id(Some(format!("<{}.{name}@{}>", parts.id, parts.hostname)))
        .subject(parts.subject)
        .header(AutoSubmitted(parts.kind.auto_submitted()))
        .header(NoAutoReplies);
    builder = addressed(builder, parts.to);
    if let Some(address) = parts.reply_to {
        builder = builder.reply_to(Mailbox::new(None, lettre_address(address)));
    }
    if let Some(id) = parts.in_reply_to {
        builder = builder.in_reply_to(id.to_owned()).header(References::from(id.to_owned()));
    }
    // A boundary of our own makes the same notice the same bytes; quoted-printable and base64 cannot hold "=_".
    let body = MultiPart::builder()
        .kind(MultiPartKind::Alternative)
        .boundary(format!("=_{}-{}", parts.kind.name(), parts.id))
        .singlepart(part(header::ContentType::TEXT_PLAIN, parts.text))
        .singlepart(part(header::ContentType::TEXT_HTML, parts.html));
    // With a From and an envelope lettre finds nothing to refuse; an empty result would say so in the tests.
    builder.multipart(body).map(|message| message.formatted()).unwrap_or_default()
}

/// Always quoted-printable: lettre would choose 7bit for plain ASCII, in which the boundary might stand.
fn part(content_type: header::ContentType, text: &str) -> SinglePart {
    let body =
        lettre::message::Body::new_with_encoding(text.to_owned(), header::ContentTransferEncoding::QuotedPrintable)
            .unwrap_or_else(lettre::message::Body::new);
    SinglePart::builder().header(content_type).body(body)
}

/// `To` with the addresses that a header can hold; with none of them, the empty group of RFC 5322 3.4.
fn addressed(builder: MessageBuilder, to: &[Address]) -> MessageBuilder {
    let mailboxes: Mailboxes =
        to.iter().filter(|a| fits_header(a)).map(|a| Mailbox::new(None, lettre_address(a))).collect();
    let builder = match mailboxes.iter().next() {
        Some(_) => builder.mailbox(header::To::from(mailboxes)),
        None => builder.header(UndisclosedTo),
    };
    // Only the builder asks for this envelope; ours goes beside the content.
    match lettre::address::Envelope::new(None, to.iter().map(lettre_address).collect()) {
        Ok(envelope) => builder.envelope(envelope),
        Err(_) => builder,
    }
}

/// An envelope address that reads as one address in a header, without quoting.
fn fits_header(address: &Address) -> bool {
    address.as_str().parse::<lettre::Address>().is_ok() && !address.as_str().contains(['"', ',', ';', ':', '(', ')'])
}

/// The address as it stands; [`Address::parse`] has refused controls and angle brackets.
fn lettre_address(address: &Address) -> lettre::Address {
    lettre::Address::new_dangerous(address.local(), address.domain())
}

/// RFC 3834 5.
#[derive(Clone)]
struct AutoSubmitted(&'static str);

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        [super::templates::AUTO_REPLIED, super::templates::AUTO_GENERATED]
            .into_iter()
            .find(|known| *known == text)
            .map(Self)
            .ok_or_else(|| "neither auto-replied nor auto-generated".into())
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.to_owned())
    }
}

/// Asks Exchange, which looks at this header rather than at Auto-Submitted, to answer with no out-of-office message.
#[derive(Clone)]
struct NoAutoReplies;

impl Header for NoAutoReplies {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("X-Auto-Response-Suppress")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "All".to_owned())
    }
}

/// An empty group as the only recipient.
#[derive(Clone)]
struct UndisclosedTo;

impl Header for UndisclosedTo {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("To")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "undisclosed-recipients:;".to_owned())
    }
}
