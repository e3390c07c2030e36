//! The log: JSON or plain, and the closed list of events.
//!
//! Every event about a message carries its queue id, from `accepted` to the end, so that one search tells its story. No
//! event carries content, names or what was found; what a peer said goes through [`safe`] first.

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;
use crate::limits;

/// The environment variable that sets what is logged, in the syntax of `tracing-subscriber` (`info`, `schoolgate=debug`).
pub const FILTER_VARIABLE: &str = "SCHOOLGATE_LOG";

/// The log could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter does not parse.
    #[error("{FILTER_VARIABLE} is not a log filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Something in this process has set one up before.
    #[error("the log is set up already")]
    Twice,
}

/// Sets the log of this process up: to standard error, at `info` where [`FILTER_VARIABLE`] says nothing else. Panics are
/// logged from then on, without their messages.
pub fn init(format: LogFormat) -> Result<(), LogError> {
    let filter = match std::env::var(FILTER_VARIABLE) {
        Ok(text) if !text.trim().is_empty() => text.parse::<EnvFilter>()?,
        _ => EnvFilter::new("info"),
    };
    subscriber(format, filter, std::io::stderr).try_init().map_err(|_| LogError::Twice)?;
    std::panic::set_hook(Box::new(|panic| {
        // Only where: the message of a panic may quote the text that a slice or a parser failed on.
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        event!(Event::Panicked, at);
    }));
    Ok(())
}

fn subscriber<W>(format: LogFormat, filter: EnvFilter, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_target(false);
    // Parsers that we use trace what they parse: whatever the filter asks for, only our own words are written.
    let own = filter_fn(|metadata| metadata.target().starts_with(env!("CARGO_CRATE_NAME")));
    match format {
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish().with(own)),
        LogFormat::Plain => Box::new(builder.with_ansi(false).finish().with(own)),
    }
}

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What the log can tell. The word is the `event` field of the line.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Event { $($(#[$doc])* $name,)* }
        impl Event {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];
            /// The word in the log.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

events! {
    /// The gateway listens and takes mail.
    Started = "started",
    /// The gateway has ended in good order.
    Stopped = "stopped",
    /// A connection ended otherwise than by QUIT, or was refused. Fields: client, reason.
    Disconnected = "disconnected",
    /// A message is ours: durable, and 250 is said. Fields: client, recipients, size.
    Accepted = "accepted",
    /// A message was refused with a permanent or temporary reply. Fields: client, reason.
    Refused = "refused",
    /// A message did not come from the tenant whose mail a listener takes, and was refused. Fields: client, listener.
    ForeignTenant = "foreign-tenant",
    /// Inspection has ended. Fields: action, rules, seconds.
    Decided = "decided",
    /// Inspection did not end in time or failed; the message waits for a further try. Fields: tries, reason.
    Undecided = "undecided",
    /// The check for malware found some; the message is held. Its name stands in the report alone.
    MalwareFound = "malware-found",
    /// The check for malware could not be done. Fields: reason, and again where it is tried anew.
    Unscreened = "unscreened",
    /// The smarthost took the message for some recipients. Fields: recipients, reply.
    Delivered = "delivered",
    /// The smarthost did not take it for now. Fields: recipients, reply, next.
    Deferred = "deferred",
    /// Whether the smarthost took it is not known: the connection broke behind our final dot, and the next try may be a
    /// duplicate. Fields: recipients, next, possible_duplicate.
    Unknown = "unknown",
    /// Given up, or refused for good by the smarthost. Fields: recipients, reply.
    Failed = "failed",
    /// Returned to its sender, by a `warn` or a person. Fields: rules, or by: the number of the user who decided.
    Returned = "returned",
    /// In quarantine. Fields: rules, or by.
    Held = "held",
    /// Let go from quarantine. Fields: by.
    Released = "released",
    /// Dropped from quarantine. Fields: by.
    Discarded = "discarded",
    /// A notice of ours was queued. Fields: about, kind.
    Notified = "notified",
    /// A sender has answered a notice by mail. Fields: about, what, code.
    Answered = "answered",
    /// Configuration, roster or certificate was read anew. Fields: what.
    Reloaded = "reloaded",
    /// Tokens to sign in with, which could not be had, can be had again. Fields: host.
    TokensBack = "tokens-back",
    /// The smarthost, which could not be used, can be used again. Fields: host.
    SmarthostBack = "smarthost-back",
    /// The store, which could not commit, commits again.
    StoreBack = "store-back",
    /// Code of the program failed; what follows from it is an event of its own. Fields: at.
    Panicked = "panicked",
    /// A long-lived task ended that nobody had told to; the process ends, to be started anew. Fields: task, reason.
    TaskEnded = "task-ended",
    /// A provider's word did not sign somebody in at the desk. Fields: provider, reason.
    NotSignedIn = "not-signed-in",
    /// A client could not sign in to send. Fields: client, reason, and account where there is one of that name.
    SignInFailed = "sign-in-failed",
    /// Something that a person should look at. Fields: what, reason.
    Trouble = "trouble",
}

impl Event {
    /// The level it is logged at: what needs a person is a warning.
    pub fn is_warning(self) -> bool {
        matches!(self, Self::Undecided | Self::Unknown | Self::Failed | Self::Trouble)
    }

    /// Logged as an error: the gateway itself has failed.
    pub fn is_error(self) -> bool {
        matches!(self, Self::Panicked | Self::TaskEnded)
    }
}

/// Logs an [`Event`]: `event!(Event::Accepted, id = %id, recipients = 3)`.
macro_rules! event {
    ($event:expr $(, $($field:tt)*)?) => {{
        let event: $crate::relay::log::Event = $event;
        if event.is_error() {
            ::tracing::error!(event = event.as_str() $(, $($field)*)?);
        } else if event.is_warning() {
            ::tracing::warn!(event = event.as_str() $(, $($field)*)?);
        } else {
            ::tracing::info!(event = event.as_str() $(, $($field)*)?);
        }
    }};
}

pub(crate) use event;

/// Text from a peer as a log may hold it: no control or invisible characters, and at most [`limits::LOG_TEXT`] long.
pub fn safe(text: &[u8]) -> String {
    // One more octet than can be shown is enough to know that it is too long.
    let shown = &text[..text.len().min(limits::LOG_TEXT * 4)];
    let mut out = String::new();
    for (count, c) in String::from_utf8_lossy(shown).chars().enumerate() {
        if count == limits::LOG_TEXT {
            out.push('…');
            break;
        }
        if c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric() {
            out.push(c);
        } else {
            out.extend(c.escape_unicode());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_says_stays_in_its_field() {
        let table: &[(&[u8], &str)] = &[
            (b"plain text", "plain text"),
            (b"a\r\nevent=accepted", "a\\u{d}\\u{a}event=accepted"),
            (b"\x1b[31m\0", "\\u{1b}[31m\\u{0}"),
            (b"\xff", "\\u{fffd}"),
            ("rtl \u{202e}x".as_bytes(), "rtl \\u{202e}x"),
        ];
        for (text, logged) in table {
            assert_eq!(safe(text), *logged);
        }
        let long = safe(&[b'x'; 100_000]);
        assert_eq!(long.chars().count(), limits::LOG_TEXT + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn lines_for_machines_and_for_people() {
        for format in [LogFormat::Json, LogFormat::Plain] {
            let file = tempfile::NamedTempFile::new().unwrap();
            let writer = std::sync::Mutex::new(file.reopen().unwrap());
            tracing::subscriber::with_default(subscriber(format, EnvFilter::new("info"), writer), || {
                event!(Event::Accepted, id = %"0123", recipients = 2);
                event!(Event::Trouble, what = "disk", reason = "a\nforged line");
                tracing::debug!("not shown");
            });
            let text = std::fs::read_to_string(file.path()).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines.len(), 2, "{text}");
            if format == LogFormat::Json {
                let line: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
                assert_eq!(
                    (&line["event"], &line["id"], &line["recipients"]),
                    (&"accepted".into(), &"0123".into(), &2.into())
                );
                assert_eq!(serde_json::from_str::<serde_json::Value>(lines[1]).unwrap()["level"], "WARN");
            } else {
                assert!(lines[0].contains("event=\"accepted\"") && lines[0].contains("id=0123"), "{text}");
            }
        }
    }

    #[test]
    fn every_event_has_a_word_of_its_own() {
        let words: std::collections::HashSet<_> = Event::ALL.iter().map(|e| e.as_str()).collect();
        assert_eq!(words.len(), Event::ALL.len());
    }
}
