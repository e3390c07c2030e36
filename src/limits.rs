//! Every limit of the gateway: its name, default, unit and source. No other file makes up a number.
//!
//! A limit that a school may change has a key of the same name in `schoolgate.toml`; the value here is its default.
//! [`ALL`] is the same list as data, for `schoolgate doctor` and the documentation.

/// One limit as data.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The constant's name, in lower case as configuration writes it.
    pub name: &'static str,
    /// The default, in `unit`.
    pub default: u64,
    /// Octets, seconds, parts and so on.
    pub unit: &'static str,
    /// RFC section, guidance, or the reason for our own choice.
    pub source: &'static str,
}

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident : $type:ty = $value:expr, $unit:literal, $source:literal;)*) => {
        $($(#[$doc])* #[doc = concat!("\n\nUnit: ", $unit, ". Source: ", $source, ".")] pub const $name: $type = $value;)*
        /// All limits, in the order of this file.
        pub const ALL: &[Limit] = &[
            $(Limit { name: stringify!($name), default: $value as u64, unit: $unit, source: $source },)*
        ];
    };
}

/// Waits between tries to deliver, in minutes; the last one repeats. RFC 5321 4.5.4.1 asks for 30 minutes or more after
/// the first tries; the short first waits are for a smarthost that restarts.
pub const RETRY_MINUTES: &[u64] = &[1, 2, 5, 10, 20, 30];

limits! {
    // --- the SMTP listener ---
    /// A command line with its CRLF; longer is answered 500.
    COMMAND_LINE: usize = 2_048, "octets", "RFC 5321 4.5.3.1.4 asks for 512 at least; 2,048 as in Postfix leaves room for SMTPUTF8 and DSN parameters";
    /// A whole message as received, headers and body.
    MESSAGE_SIZE: usize = 50 * 1024 * 1024, "octets", "RFC 5321 4.5.3.1.7; above the 25 MB of Google Workspace and the 35 MB of Microsoft 365 after base64";
    /// Recipients in one transaction; more are answered 452.
    RECIPIENTS: usize = 1_000, "recipients", "RFC 5321 4.5.3.1.8 asks for 100 at least; 1,000 as in Postfix";
    /// Received lines in an incoming message before it counts as looping.
    RECEIVED_HOPS: usize = 100, "lines", "RFC 5321 6.3";
    /// Header lines, before a message is refused rather than read in part.
    HEADER_LINES: usize = 10_000, "lines", "own choice: no ordinary message has a tenth of it";
    /// The header block, before a message is refused rather than read in part.
    HEADER_BYTES: usize = 1024 * 1024, "octets", "own choice, ten times Postfix's header_size_limit: pass or refuse, never cut";

    // --- reading ---
    /// Time for the inspection of one message before it is set aside as pending.
    INSPECT_SECONDS: u64 = 20, "seconds", "own choice: well inside the 10 minutes a client waits after its final dot (RFC 5321 4.5.3.2.6)";
    /// Tries to inspect a pending message before it is held.
    INSPECT_TRIES: u32 = 3, "tries", "own choice";
    /// Wait after a failed inspection before the next try.
    INSPECT_WAIT: u64 = 30, "seconds", "own choice: a passing shortage of memory or time is over";
    /// Depth of nesting followed: archives in archives, messages in messages.
    EXTRACT_DEPTH: usize = 8, "levels", "own choice: real mail seldom passes 3";
    /// Parts, files and members read in one message.
    EXTRACT_PARTS: usize = 2_000, "parts", "own choice";
    /// Bytes unpacked from one message, over all its parts.
    EXTRACT_BYTES: usize = 256 * 1024 * 1024, "octets", "own choice: five times the largest message";
    /// Unpacked bytes for one packed byte before a part counts as a bomb.
    EXTRACT_RATIO: usize = 200, "times", "own choice: real documents stay below 100";

    // --- delivery ---
    /// Connections to the smarthost at the same time.
    SMARTHOST_CONNECTIONS: usize = 8, "connections", "own choice; Microsoft 365 client submission wants 3";
    /// Age at which a message that the smarthost does not take is given up and reported.
    GIVE_UP_HOURS: u64 = 120, "hours", "RFC 5321 4.5.4.1: at least 4 to 5 days";

    /// Connecting to the smarthost.
    SMARTHOST_CONNECT: u64 = 30, "seconds", "as Postfix smtp_connect_timeout";
    /// Wait for the smarthost's greeting and for its answers to EHLO, STARTTLS, MAIL and RCPT.
    SMARTHOST_COMMAND: u64 = 300, "seconds", "RFC 5321 4.5.3.2.1 to 4.5.3.2.3";
    /// Wait for the smarthost's answer to DATA.
    SMARTHOST_DATA: u64 = 120, "seconds", "RFC 5321 4.5.3.2.4";
    /// Wait for the smarthost to take one block of content.
    SMARTHOST_BLOCK: u64 = 180, "seconds", "RFC 5321 4.5.3.2.5";
    /// Wait for the answer to the final dot; to give up early makes duplicates.
    SMARTHOST_FINAL_DOT: u64 = 600, "seconds", "RFC 5321 4.5.3.2.6";
    /// A connection without mail is closed after this.
    SMARTHOST_IDLE: u64 = 10, "seconds", "own choice: shorter than any server's own limit, so that it is we who close";
    /// Messages sent over one connection.
    SMARTHOST_MAILS: usize = 1_000, "messages", "own choice, near KumoMTA's 1,024";
    /// Recipients in one transaction to the smarthost; a message with more takes several.
    TRANSACTION_RECIPIENTS: usize = 100, "recipients", "RFC 5321 4.5.3.1.8: what every server takes; the most that Google's relay does";
    /// Longest wait between two looks into the queue; a release on the command line is seen after this at the latest.
    QUEUE_POLL_MILLIS: u64 = 1_000, "milliseconds", "own choice";
    /// Time for which a message belongs to the one that delivers it.
    LEASE_SECONDS: u64 = 7_200, "seconds", "own choice: above the sum of all waits of one transaction; a new daemon ends the leases of the last";
    /// Characters kept of a smarthost's reply.
    REPLY_KEPT: usize = 500, "characters", "RFC 5321 4.5.3.1.5 bounds a line at 512";
    /// Octets of the original's header that a report of failure quotes.
    REPORT_HEADERS: usize = 65_536, "octets", "own choice, near Postfix's bounce_size_limit of 50,000";

    // --- what must last ---
    /// Content in one encrypted chunk.
    CONTENT_CHUNK: usize = 65_536, "octets", "own choice: STREAM framing; a chunk is checked before any of it is used";
    /// Content above this is a file of its own, below it is appended to a segment.
    LARGE_CONTENT: usize = 262_144, "octets", "own choice: above it the sync of a file of its own is not what takes the time";
    /// Length at which a segment is closed and another begun.
    SEGMENT_SIZE: u64 = 33_554_432, "octets", "own choice: bounds what one held message keeps on disk";
    /// Commands that one transaction takes in.
    GROUP_COMMANDS: usize = 256, "commands", "own choice, measured: more gains nothing";
    /// Wait for another process that writes.
    STORE_BUSY: u64 = 10, "seconds", "own choice: a command's transactions take milliseconds";
    /// Age below which content that no row names is left alone: another process may be about to commit its row.
    SWEEP_AGE: u64 = 600, "seconds", "own choice";
    /// Connections that read from the database.
    STORE_READERS: u32 = 4, "connections", "own choice";

    // --- deciding ---
    /// Distinct pupils from which a message counts as bulk.
    BULK_PUPILS: usize = 10, "pupils", "core policy: `bulk`";
    /// Private addresses in To and Cc together from which recipients count as visible.
    VISIBLE_RECIPIENTS: usize = 5, "addresses", "core policy: `visible-recipients`";
}
