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
    /// Depth of nesting followed: archives in archives, messages in messages.
    EXTRACT_DEPTH: usize = 8, "levels", "own choice: real mail seldom passes 3";
    /// Parts, files and members read in one message.
    EXTRACT_PARTS: usize = 2_000, "parts", "own choice";
    /// Bytes unpacked from one message, over all its parts.
    EXTRACT_BYTES: usize = 256 * 1024 * 1024, "octets", "own choice: five times the largest message";
    /// Unpacked bytes for one packed byte before a part counts as a bomb.
    EXTRACT_RATIO: usize = 200, "times", "own choice: real documents stay below 100";
    /// Unpacked bytes that are allowed beside the ratio, so that a small file of blanks is no bomb.
    EXTRACT_SLACK: usize = 1024 * 1024, "octets", "own choice";
    /// One XML part of a document that is read as a whole.
    XML_TREE_BYTES: usize = 48 * 1024 * 1024, "octets", "own choice: ten times a long book; its tree takes some ten times that";
    /// Depth of elements in one XML part.
    XML_DEPTH: usize = 256, "levels", "own choice: office documents stay below 100, and the tree is walked by recursion";
    /// Columns that a repeated or far-off cell may stretch a row to.
    TABLE_COLUMNS: usize = 512, "columns", "own choice: registers with a column a day stay below 400";
    /// Pieces of text and drawing on all pages of one PDF.
    PDF_OPERATIONS: usize = 5_000_000, "operations", "own choice: a manual of 500 pages has a tenth of it";

    // --- delivery ---
    /// Connections to the smarthost at the same time.
    SMARTHOST_CONNECTIONS: usize = 8, "connections", "own choice; Microsoft 365 client submission wants 3";
    /// Age at which a message that the smarthost does not take is given up and reported.
    GIVE_UP_HOURS: u64 = 120, "hours", "RFC 5321 4.5.4.1: at least 4 to 5 days";

    // --- deciding ---
    /// Distinct pupils from which a message counts as bulk.
    BULK_PUPILS: usize = 10, "pupils", "core policy: `bulk`";
    /// Private addresses in To and Cc together from which recipients count as visible.
    VISIBLE_RECIPIENTS: usize = 5, "addresses", "core policy: `visible-recipients`";
}
