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
    pub default: f64,
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
            $(Limit { name: stringify!($name), default: $name as f64, unit: $unit, source: $source },)*
        ];
    };
}

/// Waits between tries to deliver, in minutes; the last one repeats. RFC 5321 4.5.4.1 asks for 30 minutes or more after
/// the first tries; the short first waits are for a smarthost that restarts.
pub const RETRY_MINUTES: &[u64] = &[1, 2, 5, 10, 20, 30];

/// Marks that a heading may give as the most that can be had: fewer are hardly a test, more hardly marks.
pub const RESULT_MAXIMUM: std::ops::RangeInclusive<u16> = 5..=200;

/// Two figures that in a pupil's mailbox stand for the year of coming or leaving; those of an adult's are a year of birth.
pub const MAILBOX_YEARS: std::ops::RangeInclusive<u32> = 10..=40;

/// Hours after the school became aware of a breach at which those who answer for it are reminded that the ICO is to be told,
/// while nobody has said whether it is.
pub const INCIDENT_REMIND_HOURS: &[u32] = &[24, 48, 66];

limits! {
    // --- the SMTP listener ---
    /// A line of AUTH or of an answer to its challenge, with its end.
    AUTH_LINE: usize = 12_288, "octets", "RFC 4954 4: the longest that a mechanism may want";
    /// For a PROXY header, from the connection on.
    PROXY_SECONDS: u64 = 5, "seconds", "own choice: it is sent at once; HAProxy waits 10 for its own, Haraka 30";
    /// Files that the gateway has open beside its connections: the store and its segments, sockets it listens on, processes that read attachments.
    OPEN_FILES_BESIDE: usize = 256, "files", "own choice: the store, what it listens on and its workers take some dozens";
    /// Connections whose PROXY header has not come yet, in all; they have no place among the others before it says whose they are.
    PROXY_WAITING: usize = 256, "connections", "own choice: a header is sent at once, so half of CONNECTIONS wait for one only where none comes";
    /// A PROXY header of version 1, with its end.
    PROXY_LINE: usize = 107, "octets", "The PROXY protocol 2.1: the longest line that it can be";
    /// A PROXY header of version 2.
    PROXY_OCTETS: usize = 4_096, "octets", "own choice: addresses take 232 at most, the rest are notes that are skipped";
    /// A name or a password.
    SIGN_IN_OCTETS: usize = 1_024, "octets", "own choice: RFC 4616 names none; password managers make 128 at most";
    /// Wrong names or passwords in one session, before it is closed.
    SIGN_IN_FAILURES: usize = 3, "tries", "RFC 4954 9: an attacker must connect anew; Dovecot and Postfix count alike";
    /// Time for saying whether name and password are right; then nobody can sign in at the moment.
    SIGN_IN_ANSWER_SECONDS: u64 = 30, "seconds", "own choice: a hash takes a twentieth of a second, and others wait their turn; clients wait for minutes";
    /// A command line with its CRLF; longer is answered 500.
    COMMAND_LINE: usize = 2_048, "octets", "RFC 5321 4.5.3.1.4 asks for 512 at least; 2,048 as in Postfix leaves room for SMTPUTF8 and DSN parameters";
    /// ENVID of MAIL, as it is said.
    DSN_ENVID: usize = 100, "octets", "RFC 3461 4.4";
    /// ORCPT of RCPT, as it is said.
    DSN_ORCPT: usize = 500, "octets", "RFC 3461 4.2";
    /// What is read of a command line that is too long, before the connection is closed.
    COMMAND_DISCARD: usize = 16 * 1024, "octets", "own choice: enough for a client's mistake, too little for a flood";
    /// A reply line with its CRLF.
    REPLY_LINE: usize = 512, "octets", "RFC 5321 4.5.3.1.5";
    /// The local part of an address.
    LOCAL_PART: usize = 64, "octets", "RFC 5321 4.5.3.1.1";
    /// The domain of an address, or the argument of EHLO.
    DOMAIN: usize = 255, "octets", "RFC 5321 4.5.3.1.2";
    /// A path with its angle brackets and its source route.
    PATH: usize = 256, "octets", "RFC 5321 4.5.3.1.3";
    /// Connections at the same time.
    CONNECTIONS: usize = 500, "connections", "own choice: an idle connection costs some KiB, one that sends at most CONTENT_IN_MEMORY, its recipients and READ_BUFFER";
    /// Connections at the same time from one client: an IPv4 address or an IPv6 /64.
    CONNECTIONS_PER_CLIENT: usize = 50, "connections", "as in Postfix (smtpd_client_connection_count_limit)";
    /// Connections at the same time of strangers: clients outside `relay_from`. The rest is kept for those who may relay.
    STRANGER_CONNECTIONS: usize = 50, "connections", "own choice: a tenth of CONNECTIONS; a stranger may relay nothing";
    /// Connections at the same time from one stranger.
    STRANGER_CONNECTIONS_PER_CLIENT: usize = 5, "connections", "own choice: a monitoring system opens one";
    /// Refused commands without a message between them, from which every further one is answered slowly.
    ERRORS_SLOW: usize = 10, "commands", "as in Postfix (smtpd_soft_error_limit)";
    /// Refused commands without a message between them, at which the connection is closed.
    ERRORS_CLOSE: usize = 20, "commands", "as in Postfix (smtpd_hard_error_limit)";
    /// Commands that do nothing (NOOP, RSET, VRFY, HELP and the like) without a message between them.
    JUNK_COMMANDS: usize = 100, "commands", "as in Postfix (smtpd_junk_command_limit)";
    /// The pause before a slow answer.
    ERROR_PAUSE_SECONDS: u64 = 1, "seconds", "as in Postfix (smtpd_error_sleep_time)";
    /// The pause after a connection could not be accepted.
    ACCEPT_PAUSE_MILLIS: u64 = 100, "milliseconds", "own choice: out of descriptors, mostly; to try again at once would only burn the processor";
    /// How long a client must stay silent before our banner.
    GREETING_WAIT_MILLIS: u64 = 5, "milliseconds", "own choice: catches what speaks first, costs an ordinary client nothing that it notices";
    /// Silence, or an unfinished command, at which the connection is closed.
    IDLE_SECONDS: u64 = 300, "seconds", "RFC 5321 4.5.3.2.7";
    /// As IDLE_SECONDS, for a stranger.
    STRANGER_IDLE_SECONDS: u64 = 10, "seconds", "own choice: RFC 5321 4.5.3.2.7 asks for 300, for clients that may send; a stranger's place is soon another's";
    /// All that a stranger may take, however busy it is.
    STRANGER_SESSION_SECONDS: u64 = 60, "seconds", "own choice: a check of the port takes a second, and a test by hand fits";
    /// All that may pass without content: from the connection, or the answer to its last message, to the next DATA.
    BEFORE_CONTENT_SECONDS: u64 = 1_800, "seconds", "own choice, as DATA_SECONDS: RFC 5321 4.5.3.2 limits each command, Postfix each request (smtpd_per_request_deadline); a thousand recipients at one and a half seconds each";
    /// The content of one message, from 354 to the final dot.
    DATA_SECONDS: u64 = 1_800, "seconds", "own choice: the largest message at 30 kB a second";
    /// Rate below which the content of a message is given up, counted from DATA_GRACE_SECONDS on.
    DATA_RATE: u64 = 500, "octets a second", "as in Postfix (smtpd_min_data_rate)";
    /// Time that a client has for its content before DATA_RATE counts.
    DATA_GRACE_SECONDS: u64 = 60, "seconds", "own choice";
    /// Time for one handshake of TLS with a client that sends mail.
    HANDSHAKE_SECONDS: u64 = 10, "seconds", "own choice, as DESK_HANDSHAKE_SECONDS: a stranger's place is soon another's";
    /// The file with the authorities of clients' certificates.
    AUTHORITIES_FILE_OCTETS: u64 = 4 * 1_024 * 1_024, "octets", "own choice: the list of all that browsers trust takes 220 KB";
    /// Time that connections have to finish their transaction when the gateway stops.
    STOP_SECONDS: u64 = 30, "seconds", "own choice: inside the 90 seconds of systemd's TimeoutStopSec";
    /// How long a closed connection is still read, so that the client can take our last reply.
    LINGER_SECONDS: u64 = 2, "seconds", "own choice: a round trip on any line; without it unread input turns the close into a reset";
    /// One read from a connection.
    READ_BUFFER: usize = 64 * 1024, "octets", "own choice: past it larger reads gain nothing";
    /// Content of a message being received that stays in memory; the rest goes to a temporary file.
    CONTENT_IN_MEMORY: usize = 256 * 1024, "octets", "own choice: holds most mail; times CONNECTIONS it is 125 MiB";
    /// Content of messages larger than LIGHT_MESSAGE that is in memory at the same time, over all connections; a larger single message
    /// goes alone, and smaller ones never wait for it.
    CONTENT_IN_HAND: usize = 64 * 1024 * 1024, "octets", "own choice: the largest message and one of a quarter of its size; the rest of them waits on disk";
    /// Wait of a large message on disk for its place in CONTENT_IN_HAND, before it is answered 451 and left with the client.
    CONTENT_QUEUE_SECONDS: u64 = 60, "seconds", "own choice: with INSPECT_QUEUE_SECONDS and INSPECT_SECONDS well inside a client's 10 minutes; it costs no more than its connection";
    /// Text from a peer in one log field.
    LOG_TEXT: usize = 200, "characters", "own choice";
    /// A whole message as received, headers and body.
    MESSAGE_SIZE: usize = 50 * 1024 * 1024, "octets", "RFC 5321 4.5.3.1.7; above the 25 MB of Google Workspace and the 35 MB of Microsoft 365 after base64";
    /// Recipients in one transaction; more are answered 452.
    RECIPIENTS: usize = 1_000, "recipients", "RFC 5321 4.5.3.1.8 asks for 100 at least; 1,000 as in Postfix";
    /// Recipients without a message between them that are one too many, or were given before; one more closes the connection.
    RECIPIENTS_OVERSHOOT: usize = 1_000, "recipients", "as in Postfix (smtpd_recipient_overshoot_limit)";
    /// Received lines in an incoming message before it counts as looping.
    RECEIVED_HOPS: usize = 100, "lines", "RFC 5321 6.3";
    /// An `=` of quoted-printable that starts no code: from so many on, the text may be meant to be read in another way.
    QUOTED_PRINTABLE_BAD: usize = 8, "characters", "own choice: a link that a program did not encode has fewer";
    /// The part of all `=` that those must be more than, as its denominator.
    QUOTED_PRINTABLE_BAD_PART: usize = 5, "as a divisor", "own choice: a fifth; programs that encode at all encode nearly all";
    /// Times that a message or part is read once more in the other way in which it can be taken.
    READ_AGAIN: usize = 4, "readings", "own choice: the message is held in any case; each costs as much as the first";
    /// Transfer encodings that one part may declare, each of which is undone.
    TRANSFER_ENCODINGS: usize = 4, "encodings", "own choice: a part has one; the message is held from the second on, and each costs as much as the first";
    /// Multiparts inside one another.
    MULTIPART_DEPTH: usize = 20, "multiparts", "own choice: mail programs write four; each level costs a look at all that it holds";
    /// The longest subject in which further headers are looked for, which say it again.
    SUBJECT_LOOKED_IN: usize = 8 * 1_024, "octets", "own choice: subjects have a hundred; below a longer one a header is said twice";
    /// Header lines, before a message is refused rather than read in part.
    HEADER_LINES: usize = 10_000, "lines", "own choice: no ordinary message has a tenth of it";
    /// The header block, before a message is refused rather than read in part.
    HEADER_BYTES: usize = 1024 * 1024, "octets", "own choice, ten times Postfix's header_size_limit: pass or refuse, never cut";

    // --- reading ---
    /// Time for the inspection of one message before it is set aside as pending.
    INSPECT_SECONDS: u64 = 20, "seconds", "own choice: well inside the 10 minutes a client waits after its final dot (RFC 5321 4.5.3.2.6)";
    /// Wait of a message for a thread to inspect it, before it is answered 451 and left with the client.
    INSPECT_QUEUE_SECONDS: u64 = 15, "seconds", "own choice: with INSPECT_SECONDS well inside a client's 10 minutes; what waits longer only makes the next wait longer";
    /// What detection may have laid out at the same time of messages with much text, over all of them; a larger single message goes alone.
    LAID_OUT: usize = 128 * 1024 * 1024, "octets", "own choice: one ZIP of thirty office documents, of some 270,000 cells";
    /// What a message takes at most when it is laid out that takes none of LAID_OUT, and so never waits for it.
    LAID_OUT_LIGHT: usize = 4 * 1024 * 1024, "octets", "own choice: a hundred pages, or a sheet of ten thousand cells";
    /// What a paragraph or a cell takes when it is laid out, whatever stands in it, with what is found there.
    LAID_OUT_TEXT: usize = 400, "octets", "measured: names in a sheet of 270,000 cells";
    /// What an octet of text takes when it is laid out.
    LAID_OUT_OCTET: usize = 9, "octets", "measured: `cargo bench --bench detect -- one-text`";
    /// How often work that waits for room looks whether anybody still waits for it.
    ROOM_LOOK_MILLIS: u64 = 50, "milliseconds", "own choice: nothing to feel beside INSPECT_SECONDS";
    /// Tries to inspect a message, the one at its intake included, before it is held.
    INSPECT_TRIES: u32 = 3, "tries", "own choice";
    /// Wait after a failed inspection before the next try.
    INSPECT_WAIT: u64 = 10, "seconds", "own choice: a passing shortage of memory or time is over";
    /// Time for the files of one message in worker processes.
    EXTRACT_SECONDS: u64 = 10, "seconds", "own choice: half of INSPECT_SECONDS; an ordinary message with attachments takes a tenth of a second";
    /// Memory of one worker process, its program included.
    WORKER_MEMORY: u64 = 512 * 1024 * 1024, "octets", "own choice: a message of the largest size and a document unpacked from it";
    /// What a worker's allocator reserves at a time; the rest is for stacks of threads and for what reserves by itself.
    WORKER_RESERVE_KIB: u64 = 16 * 1024, "KiB", "own choice: a thirtieth of WORKER_MEMORY; mimalloc asks for 1 GiB otherwise";
    /// One file handed to a worker, with what is said of it.
    WORKER_TASK: usize = 64 * 1024 * 1024, "octets", "own choice: above MESSAGE_SIZE, so that every file of a message fits";
    /// The text and places that a worker answers for one file.
    WORKER_ANSWER: usize = 128 * 1024 * 1024, "octets", "own choice: half of EXTRACT_BYTES; a book has one hundredth of it";
    /// Files that one worker reads before a new one takes its place.
    WORKER_FILES: usize = 2_000, "files", "own choice: what memory foreign code keeps is given back, and starting one costs milliseconds";
    /// Memory that a worker may keep while it waits; one that keeps more is replaced.
    WORKER_KEPT: usize = 160 * 1024 * 1024, "octets", "own choice: three times what it has after a long document, and less than half of WORKER_MEMORY";
    /// How much a worker yields to the rest of the gateway where both want the processor.
    WORKER_NICE: i32 = 5, "steps of nice(2)", "own choice: about a third of the share that others get";
    /// Wait for a worker that has hung up to end by itself, so that its cause of death is known.
    WORKER_FAREWELL_MILLIS: u64 = 500, "milliseconds", "own choice: giving half a gigabyte back takes less";
    /// Content up to which a message is inspected beside, not behind, larger ones.
    LIGHT_MESSAGE: usize = 256 * 1024, "octets", "as CONTENT_IN_MEMORY: most mail, and nothing in it takes long";
    /// Files of plain text, HTML or rows up to which they are read without a worker.
    TEXT_IN_PROCESS: usize = 256 * 1024, "octets", "own choice: a hundred pages; reading it costs less than handing it over";
    /// Passwords from the message that are tried on one encrypted file.
    PASSWORD_TRIES: usize = 64, "passwords", "own choice: those near a word like `password` come first";
    /// Time for trying passwords on one file; some formats make each try cost a tenth of a second on purpose.
    PASSWORD_SECONDS: u64 = 3, "seconds", "own choice: a third of EXTRACT_SECONDS";
    /// Depth of nesting followed: archives in archives, messages in messages.
    EXTRACT_DEPTH: usize = 8, "levels", "own choice: real mail seldom passes 3";
    /// Parts, files and members read in one message.
    EXTRACT_PARTS: usize = 2_000, "parts", "own choice";
    /// Text that one message may show, over all its parts; what stands in many cells counts in each.
    EXTRACT_TEXT: usize = 64 * 1024 * 1024, "octets", "own choice: half of WORKER_ANSWER; a sheet of a million cells has one eighth of it";
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
    /// Strings of one formula that are looked for in what its cell shows.
    FORMULA_STRINGS: usize = 32, "strings", "own choice: formulas that people write have fewer; more are told, shown or not";
    /// Hidden columns of one table that its place names, or runs of them.
    HIDDEN_COLUMNS_TOLD: usize = 32, "names", "own choice: a person looks at fewer, and the place stands beside every text of the table";
    /// Letters of a sheet's name in the places of what stands in it.
    SHEET_NAME_TOLD: usize = 100, "letters", "own choice: Excel takes 31; the whole name is read once";
    /// Pieces of parameters (RFC 2231 3) times octets of their headers, over one message.
    PARAMETER_PIECES_WORK: usize = 64 * 1024 * 1024, "octets", "own choice: mail-parser copies so many in some hundredths of a second; a name of 50 pieces takes a thousandth of it";
    /// Columns that a repeated or far-off cell may stretch a row to.
    TABLE_COLUMNS: usize = 512, "columns", "own choice: registers with a column a day stay below 400";
    /// Earlier versions of one PDF that are read.
    PDF_VERSIONS: usize = 16, "versions", "own choice: a form signed by several people has four";
    /// Pieces of text and drawing on all pages of one PDF.
    PDF_OPERATIONS: usize = 5_000_000, "operations", "own choice: a manual of 500 pages has a tenth of it";
    /// Bits of a filter for each of its members.
    FILTER_BITS_A_MEMBER: usize = 8, "bits", "own choice: one stranger in eight passes, and what it costs to look closer is small";
    /// Bits of the smallest filter.
    FILTER_FEWEST_BITS: usize = 1_024, "bits", "own choice: 128 octets";
    /// Lengths of words for which the power of the hash’s base is kept ready.
    READY_POWERS: usize = 64, "letters", "own choice: longer words are rare, and their power is worked out";
    /// The largest window of an xz or zstd stream that is followed.
    ARCHIVE_WINDOW_LOG: u32 = 27, "power of two in octets", "own choice: 128 MiB, what the tools themselves unpack without being told to";
    /// Baselines in a PDF further apart are two lines.
    PDF_LINE_EM: f64 = 0.45, "em", "own choice";
    /// A gap in a PDF above this is a blank.
    PDF_SPACE_EM: f64 = 0.13, "em", "own choice: narrower than any font's blank";
    /// A gap in a PDF above this parts two cells.
    PDF_CELL_EM: f64 = 1.5, "em", "own choice: wider than the blanks of justified text";
    /// Lines in a PDF further apart are two paragraphs.
    PDF_PARAGRAPH_EM: f64 = 1.75, "em", "own choice: above one and a half line spacing";
    /// Starts of cells nearer than this are one column, in em.
    PDF_COLUMN_EM: f64 = 1.2, "em", "own choice";
    /// Cells of one row drawn apart come together again up to this length.
    PDF_CELL_CHARS: usize = 45, "characters", "own choice: below the lines of a column of running text";
    /// By how much letters of one run differ in how far they are squeezed where another font stands in for theirs.
    PDF_SQUEEZED: f64 = 0.01, "parts", "own choice: above what rounding does, below what the eye sees";
    /// Documents inside documents of one page (`srcdoc`), one in the other.
    PAGE_DEPTH: usize = 4, "pages", "own choice: nobody nests them; what is deeper is read as text with its tags";
    /// Cells of a table of records, from which on it is told as lines where hardly one of them is filled.
    RECORD_CELLS: usize = 1_000_000, "cells", "own choice: 3,000 pupils with a column a day";
    /// Cells for each that is filled, from which on hardly one is.
    RECORD_SPARSE: usize = 16, "cells", "own choice: transfer files fill every second";
    /// The class of an object in a compound file.
    OBJECT_CLASS: u64 = 64 * 1_024, "octets", "own choice: programs write below 300";
    /// Attributes of one tag, each of which is compared with all before it.
    PAGE_ATTRIBUTES: usize = 256, "attributes", "own choice: programs write a dozen; a tag with more is read as text too";
    /// Tables of a page inside one another that are told apart.
    PAGE_TABLES: usize = 64, "tables", "own choice: newsletters nest ten; the cells of deeper ones count as their holder's";
    /// Empty cells of a page that stand for those which others cover.
    PAGE_COVERED: usize = 65_536, "cells", "own choice: a register of a thousand rows has a tenth of it";
    /// Letters in a row that are words in a file which a program keeps for itself.
    COMPANION_RUN: usize = 4, "letters", "own choice: shorter ones are marks of the format";
    /// Where packed objects begin in a file of Office's, behind its mark.
    ACTIVE_MIME_HEAD: usize = 256, "octets", "own choice: they begin at 50 in all that are known";
    /// What a package says of its parts (`[Content_Types].xml`, `_rels/.rels`), read to tell the format.
    PACKAGE_HEAD: u64 = 1024 * 1024, "octets", "own choice: a workbook of a thousand sheets lists them in 200 KB";
    /// The least length of a run of letters in data of no known shape that counts as words.
    HIDDEN_RUN: usize = 4, "letters", "own choice: as strings(1); shorter ones come about by chance";
    /// Groups of Rich Text Format inside one another that are told apart.
    RTF_DEPTH: usize = 1_000, "groups", "own choice: Word writes a few dozen";
    /// Text of one picture’s comment that is read.
    PICTURE_COMMENT: u64 = 256 * 1024, "octets", "own choice: captions are shorter";
    /// The least length of a run of base64 in a text that is looked at.
    PASTED_RUN: usize = 40, "characters", "own choice: 30 octets of what is pasted";
    /// The least length of text that counts as decoded from it.
    PASTED_TEXT: usize = 24, "characters", "own choice: shorter ones come about by chance";
    /// The least length of a word of base64 that is tried for two words or a number.
    PASTED_SHORT: usize = 8, "characters", "own choice: the shortest names; shorter ones come about by chance";
    /// Letters of no English alphabet in such a text, as the denominator of the part that they may be.
    PASTED_SHORT_ODD: usize = 4, "as a divisor", "own choice: a name has one or two of them";
    /// Digits from which such a text is a number.
    PASTED_SHORT_DIGITS: usize = 6, "digits", "own choice: a date of birth has no fewer";
    /// How many such texts of one text are taken.
    PASTED_SHORT_TEXTS: usize = 10_000, "texts", "own choice: a list of all pupils, each encoded by itself, has a tenth of it";
    /// Odd octets near each other behind which such a text is at its end.
    PASTED_ODD: usize = 3, "octets", "own choice: a word in another code page has fewer";
    /// How many sound octets make up for an odd one.
    PASTED_ODD_APART: usize = 4, "octets", "own choice: what is no text has more odd octets than sound ones";
    /// Decoded octets without a blank from which a run is a row of letters and no text.
    PASTED_UNPARTED: usize = 1_024, "octets", "own choice: no text goes on for so long without one; shorter rows cost little to try again";
    /// Codes of quoted-printable from which a text is read as encoded though nothing says so.
    PASTED_QUOTED: usize = 8, "codes", "own choice: fewer come about in settings and links";
    /// The part of all signs that may start no code there, as its denominator.
    PASTED_QUOTED_PART: usize = 5, "as a divisor", "own choice, as QUOTED_PRINTABLE_BAD_PART";
    /// Letters without a meaning after one another, by which words in a PDF cannot be read.
    PDF_MEANINGLESS_RUN: usize = 6, "letters", "own choice: a name; pictures of a font stand by themselves or by threes";
    /// Depth of what stands in an object of a PDF without a reference.
    PDF_NESTING: usize = 16, "levels", "own choice: writers refer to what is deeper than four";
    /// Octets of a PDF's streams of no kind that are looked at for files.
    PDF_LOOKED: usize = 64 * 1024 * 1024, "octets", "own choice: the pages of a book take a tenth of it";
    /// How far from its end a PDF says that it ends there.
    PDF_TAIL: usize = 2_048, "octets", "Adobe’s implementation note asks for 1,024; some programs add more";
    /// Pixels from which the pictures of a page may be the page.
    PDF_SCANNED_PIXELS: u64 = 300_000, "pixels", "own choice: A4 at 72 dots to the inch has half a million, a logo a tenth";
    /// Letters below which a page with such a picture says nothing itself.
    PDF_FEW_GLYPHS: usize = 20, "letters", "own choice: a scanner’s stamp, a page number";
    /// Rounds of hashing that are followed in an encrypted document.
    OFFICE_ROUNDS: u32 = 200_000, "rounds", "own choice: Office writes 100,000";
    /// How much of a text is looked at for zero octets.
    CHARSET_LOOK: usize = 1_024, "octets", "own choice: a page";
    /// Letters beyond ASCII for each spoilt octet, above which a text is UTF-8 all the same.
    CHARSET_SLIPS: usize = 3, "letters", "own choice: as for the lists that a school imports; in Western text two such letters in a row are rare";
    /// The least length of a text that is told to be no UTF-16 though it says so.
    CHARSET_NOT_WIDE: usize = 24, "octets", "own choice: of a dozen Chinese characters one at least is no UTF-8";
    /// Pause between two looks whether a worker has ended.
    WORKER_LOOK_MILLIS: u64 = 1, "milliseconds", "own choice";
    /// Lines of a PDF back to which the other cells of a row are looked for.
    PDF_ROW_LINES: usize = 40, "lines", "own choice: cells of one row are drawn near each other in the file";
    /// Baselines in a PDF no further apart are one row.
    PDF_ROW_EM: f64 = 0.3, "em", "own choice: below PDF_LINE_EM";

    // --- delivery ---
    /// Length of an error code that a token endpoint gives; what is longer is not repeated.
    WEB_WORD_CHARS: usize = 32, "characters", "RFC 6749 5.2: the longest is unsupported_grant_type";
    /// Time before a token's end at which another is fetched; half its time where that is less.
    TOKEN_EARLY_SECONDS: i64 = 300, "seconds", "own choice: longer than a sign-in takes, and an outage of the server is bridged";
    /// Time that a token is taken to be good for where its server does not say.
    TOKEN_SECONDS: i64 = 3_600, "seconds", "RFC 6749 4.2.2 and 5.1: its example, as Entra ID and Google give";
    /// Longest time that a token is believed to be good for.
    TOKEN_SECONDS_MOST: i64 = 86_400, "seconds", "own choice: Entra ID gives 24 hours at most";
    /// Length of a token.
    TOKEN_OCTETS: usize = 8_192, "octets", "own choice: as base64 inside AUTH_LINE; Entra ID's take 2 KB";
    /// Pause behind the first fetch of a token that failed; each further one is twice as long.
    TOKEN_AGAIN_SECONDS: i64 = 5, "seconds", "own choice: what mail waits for is asked for soon";
    /// Longest of these pauses.
    TOKEN_AGAIN_MOST_SECONDS: i64 = 300, "seconds", "own choice";
    /// Wait for another process that fetches with the same refresh token.
    TOKEN_LOCK_SECONDS: u64 = 30, "seconds", "own choice: above WEB_ANSWER_SECONDS";
    /// Pause between two looks at whether it has ended.
    TOKEN_LOCK_MILLIS: u64 = 50, "milliseconds", "own choice";
    /// Connections to the smarthost at the same time.
    SMARTHOST_CONNECTIONS: usize = 8, "connections", "own choice; Microsoft 365 client submission wants 3";
    /// Connections at the same time that smtp.office365.com takes of one mailbox.
    MICROSOFT_CONNECTIONS: usize = 3, "connections", "Microsoft, Exchange Online limits: concurrent connections of client submission";
    /// Messages a minute that smtp.office365.com takes of one mailbox.
    MICROSOFT_PER_MINUTE: usize = 30, "messages a minute", "Microsoft, Exchange Online limits: message rate limit of client submission";
    /// Of the value by which a provider's rule knows what has passed here.
    PASSED_OCTETS: usize = 16, "octets", "own choice: 128 bits, nobody guesses them";
    /// Most that `smarthost.messages_per_minute` may say; more is no limit.
    SMARTHOST_PER_MINUTE_MOST: usize = 100_000, "messages a minute", "own choice: above what one gateway sends";
    /// The window in which no more messages leave than `smarthost.messages_per_minute` says.
    PACE_SECONDS: i64 = 60, "seconds", "the unit of the key, as Microsoft 365 counts";
    /// Age at which a message that the smarthost does not take is given up and reported.
    GIVE_UP_HOURS: u64 = 120, "hours", "RFC 5321 4.5.4.1: at least 4 to 5 days";

    /// Time in the queue after which a sender is told, once, that a message takes longer.
    DELAY_NOTICE_HOURS: u64 = 4, "hours", "RFC 3461 4.1 leaves it to us; sendmail's Timeout.queuewarn and mox's notice of delay";
    /// Senders told of a delay at once.
    DELAY_BATCH: u32 = 100, "messages", "own choice, as GIVE_UP_BATCH";
    /// Longest original that is returned whole to a sender who asks for that; of a longer one, the header.
    REPORT_ORIGINAL: usize = 50_000, "octets", "Postfix bounce_size_limit";
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
    /// Longest wait between two looks into the queue, for what has become due meanwhile.
    QUEUE_POLL_MILLIS: u64 = 1_000, "milliseconds", "own choice";
    /// Time for which a message belongs to the one that delivers it.
    LEASE_SECONDS: u64 = 300, "seconds", "own choice: renewed every third of it, so that what a dead node had in hand is soon taken up";
    /// Panics while delivering one message, at which it is set aside.
    DELIVERY_PANICS: u32 = 3, "panics", "own choice, as INSPECT_TRIES: one may be chance";
    /// Characters kept of a smarthost's reply.
    REPLY_KEPT: usize = 500, "characters", "RFC 5321 4.5.3.1.5 bounds a line at 512";
    /// A whole reply of the smarthost; what says more is no SMTP server.
    REPLY_OCTETS: usize = 1024 * 1024, "octets", "own choice: ten times Postfix's smtp_response_limit of 100,000; little of it is kept";
    /// Octets of the original's header that a report of failure quotes.
    REPORT_HEADERS: usize = 65_536, "octets", "own choice, near Postfix's bounce_size_limit of 50,000";
    /// Messages that are too old given up at once.
    GIVE_UP_BATCH: u32 = 100, "messages", "own choice";
    /// Messages in hand for each connection to the smarthost.
    DELIVERY_IN_HAND: usize = 4, "messages", "own choice: while one is sent, others are recorded or wait their turn";
    /// Length of a client’s name in our Received line.
    HELO_SHOWN: usize = 60, "octets", "RFC 5322 2.1.1: it leaves the line inside 78";
    /// One read from the smarthost.
    SMARTHOST_READ: usize = 4_096, "octets", "own choice: eight replies";
    /// By how much a wait between two tries is made shorter or longer at most.
    RETRY_JITTER: f64 = 0.1, "share of the wait", "own choice: what failed together does not return together";
    /// Time that messages in hand have to end once delivery is told to stop.
    DELIVERY_STOP_SECONDS: u64 = 30, "seconds", "as STOP_SECONDS";
    /// Longest pause between two tries to record what became of a message.
    RECORD_AGAIN_SECONDS: u64 = 60, "seconds", "own choice: each pause is twice the one before";
    /// Wait for the smarthost's answer to QUIT.
    SMARTHOST_QUIT_SECONDS: u64 = 1, "seconds", "own choice: nothing depends on it (RFC 5321 4.1.1.10)";

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
    /// Wait of a starting daemon for a command that has the store open.
    STORE_LOCK_MILLIS: u64 = 2_000, "milliseconds", "own choice: a command that decides takes a hundredth of it";
    /// Age below which content that no row names is left alone: another process may be about to commit its row.
    SWEEP_AGE: u64 = 600, "seconds", "own choice";
    /// Content files looked up, and deleted where no row names them, between two groups of commands.
    SWEEP_BATCH: usize = 64, "files", "own choice: milliseconds that a commit waits at most";
    /// Connections that read from the database.
    STORE_READERS: u32 = 4, "connections", "own choice";
    /// Pause between two looks at closed segments.
    SWEEP_SECONDS: u64 = 1, "seconds", "own choice: delivered content is soon gone";
    /// Pause between two looks at the whole directory of content.
    SWEEP_ALL_SECONDS: u64 = 3_600, "seconds", "own choice: finds only what a crash left behind";
    /// Pause between two tries to have the store for oneself.
    STORE_LOCK_AGAIN_MILLIS: u64 = 20, "milliseconds", "own choice: a hundredth of STORE_LOCK_MILLIS";
    /// How often the gateway tells that it is alive where systemd does not ask.
    WATCHDOG_SECONDS: u64 = 60, "seconds", "own choice";
    /// Times that the demonstration looks so.
    DEMO_LOOKS: usize = 100, "times", "own choice: ten seconds";

    /// Days for which the record of a message that is done with is kept.
    KEEP_DAYS: usize = 365, "days", "own choice: a school year of figures; a school sets its own retention period";
    /// Pause between two times that records past their days are forgotten.
    FORGET_SECONDS: u64 = 600, "seconds", "own choice: with FORGET_BATCH 144,000 records a day, more than any school sends";
    /// Records that are forgotten at one time.
    FORGET_BATCH: u32 = 1_000, "records", "own choice: a transaction of some milliseconds";
    /// Held messages of an older program that are described in one transaction when the store is opened.
    REVIEW_FILL_BATCH: u32 = 500, "messages", "own choice: a transaction of some milliseconds";
    /// Lines of one page of held mail at the most; a page of the desk has 50.
    HELD_PAGE_MOST: u32 = 1_000, "messages", "own choice: for a script";
    /// Letters of a search among held mail; the rest is not looked at.
    SEARCH_CHARS: usize = 200, "characters", "own choice: a whole address";
    /// Rows of a list that a command prints.
    LIST_ROWS: u32 = 10_000, "rows", "own choice: more is for a script with a filter";
    /// Free space below which MAIL is answered 452, beyond one message of the largest size.
    DISK_RESERVE_BYTES: u64 = 64 * 1024 * 1024, "octets", "own choice, as Postfix's queue_minfree: room to record outcomes and audit";
    /// Free space below which `doctor` asks for a look.
    DISK_COMFORT_BYTES: u64 = 2 * 1024 * 1024 * 1024, "octets", "own choice: a week of a large school's held mail";
    /// Patience of `doctor` with the smarthost.
    DOCTOR_SECONDS: u64 = 10, "seconds", "own choice: a person waits";
    /// Files inside the store that `doctor` names of those it finds fault with.
    DOCTOR_NAMED: usize = 5, "files", "own choice: what is wrong with five is wrong with all";
    /// Lines kept of one reply of the smarthost.
    REPLY_LINES: usize = 100, "lines", "own choice: EHLO replies have a dozen";
    /// Pause between two looks at queue figures and disk space.
    WATCH_STORE_SECONDS: u64 = 10, "seconds", "own choice: finer than a metrics scrape";
    /// Pause between two looks while the store does not commit.
    WATCH_SICK_SECONDS: u64 = 1, "seconds", "own choice: mail is taken again as soon as it can be";
    /// Silence of the store's writer, in spite of a commit asked for every WATCH_STORE_SECONDS, after which it counts as dead.
    STORE_SILENT_SECONDS: u64 = 45, "seconds", "own choice: above WATCH_STORE_SECONDS with STORE_BUSY and a slow disk";
    /// Time without a round of delivery's loop, which comes round every QUEUE_POLL_MILLIS, after which it counts as dead.
    DELIVERY_STANDS_SECONDS: u64 = 45, "seconds", "own choice: above what a slow store can hold a round up";
    /// Pause between two tries to open the store at the start while its disk is full.
    OPEN_AGAIN_SECONDS: u64 = 2, "seconds", "own choice: opening costs milliseconds";
    /// By how much systemd is asked, again and again, to wait longer for a start that waits for room.
    START_EXTENSION_SECONDS: u64 = 60, "seconds", "own choice: several times the pause between two requests";
    /// Pause between two looks after histograms that grow.
    METRICS_UPKEEP_SECONDS: u64 = 5, "seconds", "the recorder's own recommendation";
    /// Pause between two looks for pending messages.
    PENDING_POLL_SECONDS: u64 = 5, "seconds", "own choice: half the wait between two tries";
    /// Lease of a pending message that is being inspected; renewed with those of delivery.
    PENDING_LEASE_SECONDS: u64 = 300, "seconds", "as LEASE_SECONDS";
    /// Pending messages inspected one after the other before looking again.
    PENDING_BATCH: u32 = 16, "messages", "own choice";

    // --- the control socket ---
    /// One request of a command, without a roster.
    CONTROL_REQUEST: usize = 256 * 1024, "octets", "own choice: a reviewer's note of a hundred pages";
    /// A roster handed over by an import.
    CONTROL_ROSTER: usize = 1024 * 1024 * 1024, "octets", "as ROSTER_FILE: what was read fits";
    /// One answer to a command.
    CONTROL_ANSWER: usize = 128 * 1024 * 1024, "octets", "own choice: ten times LIST_ROWS messages";
    /// Time for a request to arrive whole, and for its answer to be taken.
    CONTROL_SECONDS: u64 = 30, "seconds", "own choice: both ends are on one machine";
    /// Wait of a command for its answer.
    CONTROL_ANSWER_SECONDS: u64 = 600, "seconds", "own choice: the audit of many years is gone through";
    /// Wait of a command for a gateway that has the store open and does not answer yet.
    CONTROL_START_SECONDS: u64 = 10, "seconds", "as STORE_BUSY: another command takes milliseconds, a start a few seconds";
    /// Commands that are answered at the same time.
    CONTROL_CONNECTIONS: usize = 16, "connections", "own choice: people at their desks";
    /// Pause after a connection to the control socket could not be accepted.
    CONTROL_PAUSE_SECONDS: u64 = 1, "seconds", "as ACCEPT_PAUSE_MILLIS; nobody is in a hurry";
    /// Pause of a command between two looks whether the gateway answers yet.
    CONTROL_AGAIN_MILLIS: u64 = 50, "milliseconds", "own choice";
    /// Lines of the audit that are gone through when the gateway starts, from the end.
    AUDIT_START_LINES: u32 = 100_000, "lines", "own choice: a week of a large school in about a second";
    /// Lines of the audit that are read at once.
    AUDIT_PAGE: u32 = 1_000, "lines", "own choice";
    /// Lines of the audit on a page of the desk.
    AUDIT_SHOWN: u32 = 100, "lines", "own choice: a page of 20 KB";
    /// Lines of the audit in a table that the desk saves.
    AUDIT_TABLE: u32 = 100_000, "lines", "own choice: a year of a school, which a spreadsheet opens";
    /// Faults of the audit that are told one by one.
    AUDIT_FAULTS: usize = 100, "faults", "own choice: who has more wants the backup";

    // --- deadlines ---
    /// Hours of school days in which a held message is to be decided on.
    DECIDE_WITHIN_HOURS: u32 = 48, "hours", "own choice: two school days, one of which may be a day off of the person who decides";
    /// The fewest that a school may set: the school is open once between any message and its end.
    DECIDE_WITHIN_FEWEST: usize = 24, "hours", "own choice: a school day";
    /// The most that a school may set.
    DECIDE_WITHIN_MOST: usize = 480, "hours", "own choice: four weeks of school; a sender has given up long before";
    /// Days that are looked at for the next school day.
    SCHOOL_DAYS_LOOK: usize = 750, "days", "own choice: the longest deadline, with the longest holidays between";
    /// Days without school in a row from which a holiday counts as a mistake.
    HOLIDAY_LONGEST_DAYS: usize = 100, "days", "own choice: twice the longest summer holiday of the United Kingdom";
    /// Entries of the list of holidays.
    HOLIDAYS: usize = 400, "entries", "own choice: four years, each day by itself";
    /// Pause between two looks at what is due.
    DEADLINE_LOOK_SECONDS: u64 = 20, "seconds", "own choice: letters say minutes";
    /// A warning that comes less than this before what it warns of is none, and one that comes so much after its time is late.
    WARNING_MINUTES: i64 = 60, "minutes", "own choice: somebody opens the letter between two lessons and decides";
    /// Messages with the same thing due that are taken up at one look.
    DEADLINE_BATCH: u32 = 100, "messages", "own choice: mail goes on between";
    /// Messages that a digest lists; the rest is counted.
    DIGEST_LINES: usize = 50, "messages", "own choice: a page of the desk";

    // --- returned mail ---
    /// Hours for which mail that came back to its sender is kept, so that the sender can still let it go.
    KEEP_RETURNED_HOURS: usize = 72, "hours", "own choice: over a weekend";
    /// The fewest that a school may set.
    KEEP_RETURNED_FEWEST: usize = 1, "hours", "own choice: to read the notice and decide";
    /// The most that a school may set.
    KEEP_RETURNED_MOST: usize = 336, "hours", "own choice: two weeks, a holiday; what is older is written anew";
    /// The longest line that is made of a header line (without its end).
    HEADER_LINE_OCTETS: usize = 998, "octets", "RFC 5322 2.1.1";
    /// Octets of the keyed hash in the address that a sender answers a notice to.
    ANSWER_REFERENCE_OCTETS: usize = 16, "octets", "128 bits, as a session's token (OWASP Session Management: 64 at least); in hexadecimal it leaves room in a local part of 64 (RFC 5321 4.5.3.1.1)";
    /// Hours in which one letter about one message goes back to an answer that asks for nothing possible.
    ANSWER_LETTER_HOURS: i64 = 24, "hours", "RFC 3834 2 wants a limit and names a week for people; own choice: a day, for somebody who tries again tomorrow";
    /// Answers that are read or carried out at once; more are answered 451.
    ANSWERS_AT_ONCE: usize = 2, "answers", "own choice: a person's answer takes milliseconds, and mail must not wait for them";
    /// Characters of what a sender says of a message at the most.
    SENDER_WORDS_CHARS: usize = 500, "characters", "own choice: some sentences";

    // --- the desk ---
    /// The port that mail is taken at, on loopback, where `[listen]` names no address and there is no `[[listener]]`.
    LISTEN_PORT: u16 = 2_525, "port", "own choice: from 1,024 up wants no capability, and 25 is in it";
    /// The port that the desk listens on, on loopback, where `listen` names no other.
    REVIEW_PORT: u16 = 8_025, "port", "own choice: from 1,024 up wants no capability, and 25 is in it";
    /// Connections to the desk at the same time; a further one is closed.
    DESK_CONNECTIONS: usize = 512, "connections", "own choice: a browser opens six, and a school has a dozen who decide";
    /// Connections to the desk at the same time from one client, an IPv4 address or an IPv6 /64. Proxies of ours have no limit.
    DESK_CONNECTIONS_PER_CLIENT: usize = 128, "connections", "own choice: twenty browsers behind one address";
    /// Handshakes of TLS under way at the same time; with a further one the connection is closed.
    DESK_HANDSHAKES: usize = 256, "handshakes", "own choice: twice DESK_CONNECTIONS_PER_CLIENT, so that no client alone takes them all";
    /// Time for one handshake.
    DESK_HANDSHAKE_SECONDS: u64 = 10, "seconds", "own choice: three round trips on the worst of telephones";
    /// Time for the head of a request, counted from the end of the one before.
    DESK_HEAD_SECONDS: u64 = 30, "seconds", "as in hyper (header_read_timeout)";
    /// Pause between two looks whether a certificate of ours was renewed.
    CERTIFICATE_LOOK_SECONDS: u64 = 60, "seconds", "own choice: two looks at a file's date; certbot renews weeks ahead";
    /// A file with a certificate of ours and its chain, or with its key.
    CERTIFICATE_FILE_OCTETS: u64 = 256 * 1_024, "octets", "own choice: a chain of four takes 8 KB";
    /// Days before its end from which `doctor` warns of a certificate.
    CERTIFICATE_DAYS: i64 = 21, "days", "own choice: certbot renews 30 days ahead, so it has failed for nine";

    // --- signing in at a provider (OpenID Connect) ---
    /// The longest name of a provider.
    OIDC_NAME_CHARS: usize = 32, "characters", "own choice: it stands in addresses and in the audit";
    /// Words on the button to a provider.
    OIDC_BUTTON_CHARS: usize = 60, "characters", "own choice: one line on a telephone";
    /// The file with a client secret.
    OIDC_SECRET_OCTETS: u64 = 4 * 1_024, "octets", "own choice: Entra ID gives 40 characters, Google 35";
    /// One answer of a provider: metadata, keys or a token.
    WEB_ANSWER_OCTETS: usize = 256 * 1_024, "octets", "own choice: Entra ID's keys take 20 KB";
    /// One answer of a provider, from the look-up of its name to the last octet.
    WEB_ANSWER_SECONDS: u64 = 10, "seconds", "own choice: somebody waits before an empty page";
    /// Metadata and keys of a provider are believed.
    OIDC_METADATA_SECONDS: u64 = 3_600, "seconds", "own choice: Google lets its keys be kept for about 6 hours; what is withdrawn is gone within one";
    /// Pause after a provider could not be reached, and between two times that its keys are fetched because of one that nobody knows.
    OIDC_AGAIN_SECONDS: u64 = 30, "seconds", "own choice: whoever presses the button again and again asks nobody else";
    /// Time from the button to the way back.
    OIDC_SIGN_IN_SECONDS: u64 = 600, "seconds", "own choice: to type a password there, and to find the telephone";
    /// Sign-ins at providers under way at the same time.
    OIDC_PENDING: usize = 10_000, "sign-ins", "own choice: of a kilobyte each at most";
    /// Sign-ins at providers under way from one client address; a further one ends the oldest.
    OIDC_PENDING_PER_CLIENT: usize = 100, "sign-ins", "own choice: a whole school may come from one address, in ten minutes few do";
    /// Where to go after a sign-in at a provider; longer is the first page.
    OIDC_NEXT_OCTETS: usize = 512, "octets", "own choice: a link of a notice has about 60";
    /// Randomness of the name of a sign-in, of its state and of its nonce.
    OIDC_RANDOM_OCTETS: u32 = 32, "octets", "RFC 6749 10.10 asks for 16 at least; as a session's token";
    /// Values of the way back that are looked at.
    OIDC_BACK_OCTETS: usize = 4 * 1_024, "octets", "own choice: codes of Entra ID take up to 2 KB";

    // --- accounts of the desk ---
    /// The name that a person signs in with.
    ACCOUNT_NAME_CHARS: usize = 64, "characters", "own choice: `forename.surname`, however long";
    /// Accounts that a list gives.
    ACCOUNTS: u32 = 1_000, "accounts", "own choice: all staff of a large trust";
    /// How long a one-time link to sign up is good for.
    SIGN_UP_SECONDS: u64 = 24 * 3_600, "seconds", "OWASP Forgot Password Cheat Sheet: an appropriate period; a day reaches who is out of school";
    /// How long the link is good that makes the first account. It stands in the log, and logs are copied.
    FIRST_LINK_SECONDS: u64 = 3_600, "seconds", "own choice: whoever installs is there; another start makes another";
    /// The shortest password.
    PASSWORD_FEWEST_CHARS: usize = 12, "characters", "NCSC: three random words; NIST SP 800-63B 5.1.1.2 asks for 8 at least";
    /// The longest password.
    PASSWORD_MOST_CHARS: usize = 256, "characters", "own choice; NIST SP 800-63B 5.1.1.2 asks for 64 at least";
    /// Different characters that a password has at least.
    PASSWORD_FEWEST_DIFFERENT: usize = 5, "characters", "own choice: `aaaaaaaaaaaa` and `121212121212` are none";
    /// Different characters that a password has at least where name and mailbox of its owner, standing in it, are left out.
    PASSWORD_BESIDES_NAME: usize = 8, "characters", "own choice: a name and a year are none";
    /// Memory of Argon2id.
    PASSWORD_MEMORY: u32 = 19_456, "KiB", "OWASP Password Storage Cheat Sheet";
    /// Passes of Argon2id.
    PASSWORD_PASSES: u32 = 2, "passes", "OWASP Password Storage Cheat Sheet";
    /// Lanes of Argon2id.
    PASSWORD_LANES: u32 = 1, "lanes", "OWASP Password Storage Cheat Sheet";
    /// Passwords that are hashed at the same time; further ones wait.
    PASSWORDS_AT_ONCE: usize = 2, "passwords", "own choice: 40 MB at most, whoever knocks";
    /// The secret of an authenticator.
    TOTP_SECRET: usize = 20, "octets", "RFC 4226 4 recommends 160 bits";
    /// How long a code of an authenticator stands.
    TOTP_SECONDS: u64 = 30, "seconds", "RFC 6238 5.2";
    /// Steps before and after the present one whose code is taken.
    TOTP_SKEW: u16 = 1, "steps", "RFC 6238 5.2";
    /// Digits of a code.
    TOTP_DIGITS: u8 = 6, "digits", "RFC 4226 5.3; what authenticators show";
    /// Recovery codes that a person is given.
    RECOVERY_CODES: usize = 10, "codes", "own choice: usual";
    /// Randomness of a recovery code.
    RECOVERY_CODE: usize = 10, "octets", "NIST SP 800-63B 5.1.2.2 asks for 20 bits with a rate limit; 80 need none";
    /// Time between the password and the code.
    SIGN_IN_SECONDS: u64 = 300, "seconds", "own choice: to find the telephone";
    /// The longest that a session lasts.
    SESSION_SECONDS: u64 = 8 * 3_600, "seconds", "OWASP Session Management Cheat Sheet: 4 to 8 hours for a day's work";
    /// A session that is not used for so long is over.
    SESSION_IDLE_SECONDS: u64 = 30 * 60, "seconds", "OWASP Session Management Cheat Sheet: 15 to 30 minutes; NIST SP 800-63B 4.2.3";
    /// A session's last use is written down at most this often.
    SESSION_TOUCH_SECONDS: u64 = 60, "seconds", "own choice: a commit a minute, and idle time known to a minute";
    /// Tries to sign in with one name before each further one has to wait.
    ATTEMPTS_ACCOUNT: u32 = 5, "tries", "own choice: OWASP ASVS 2.2.1 asks for fewer than 100 an hour";
    /// The wait after the first try too many with one name; each further one doubles it.
    ATTEMPTS_ACCOUNT_SECONDS: u64 = 30, "seconds", "own choice";
    /// Failed tries from one client before each further one has to wait.
    ATTEMPTS_CLIENT: u32 = 30, "tries", "own choice: a school may stand behind one address";
    /// Tries to sign in to send with one name, from all clients that never did so rightly, before each further one has to wait.
    ATTEMPTS_SENDER: u32 = 50, "tries", "own choice: guesses from many addresses; ten new devices with an old password are fewer";
    /// How long a client is known as one from which an account signs in to send, since it last did.
    SUBMISSION_CLIENT_SECONDS: u64 = 90 * 24 * 3_600, "seconds", "own choice: a copier that rests over the summer holidays";
    /// The last use of an account that signs in to send is written down at most this often.
    SUBMISSION_TOUCH_SECONDS: u64 = 60, "seconds", "own choice: as SESSION_TOUCH_SECONDS";
    /// Senders of one account that signs in to send.
    SUBMISSION_SENDERS: usize = 100, "senders", "own choice: a whole domain is one";
    /// Randomness of a password that is made for such an account.
    SUBMISSION_PASSWORD: usize = 15, "octets", "own choice: 120 bits; 24 characters can be typed at a copier's panel";
    /// The wait after the first try too many from one client; each further one doubles it.
    ATTEMPTS_CLIENT_SECONDS: u64 = 5, "seconds", "own choice";
    /// The longest wait.
    ATTEMPTS_MOST_SECONDS: u64 = 900, "seconds", "own choice: 100 guesses a day; who is kept out by a stranger's guesses is not out for long";
    /// Failed tries are forgotten when none was made for so long.
    ATTEMPTS_FORGET_SECONDS: u64 = 24 * 3_600, "seconds", "own choice";
    /// Names and clients whose failed tries are kept; of more, those with the fewest are forgotten first.
    ATTEMPTS_KEPT: u32 = 100_000, "counts", "own choice: 15 MB of the database; ten times what a school's own people could come to";
    /// The longest that a sealed message is open to who asked for it.
    SEALED_GRANT_SECONDS: u64 = 8 * 3_600, "seconds", "own choice: a working day";
    /// A reason or purpose that a person gives.
    REASON_CHARS: usize = 2_000, "characters", "own choice: a page";

    // --- importing a roster ---
    /// One file of a roster, or a bundle unpacked.
    ROSTER_FILE: u64 = 1024 * 1024 * 1024, "octets", "own choice: a million pupils with two contacts each take half of it";
    /// Rounds in which a spoilt name is put right.
    ROSTER_REPAIRS: usize = 3, "rounds", "own choice: exports pass through two such programs at most, and the last round finds nothing";
    /// The longest character reference of HTML, without `&` and `;`, that is undone in a name.
    ROSTER_REFERENCE: usize = 10, "octets", "own choice: `Ccaron` and `#x2019` have six";
    /// Rows from the top of a file among which the heading is looked for.
    ROSTER_TITLE_ROWS: usize = 40, "rows", "own choice: reports print a dozen lines of title and filters at most";
    /// Lines of a file that one row may span before a quotation mark counts as never closed.
    ROSTER_ROW_LINES: u64 = 40, "lines", "own choice: an address in one cell has eight";
    /// Filled cells of a row up to which it may be a footer of the report it stands in.
    ROSTER_FOOTER_CELLS: usize = 4, "cells", "own choice: label, date, user and page";
    /// Pupils, or guardians, of the earlier roster that an import may drop without --force.
    ROSTER_DROP_PERCENT: usize = 20, "per cent", "own choice: above a year group leaving (one in seven in a primary school), below half a list";
    /// Pause between two looks for a newly imported roster.
    ROSTER_LOOK_SECONDS: u64 = 15, "seconds", "own choice: one look at a file's date; well inside the minute that is promised";
    /// Pause between two looks of the demonstration at what became of mail.
    DEMO_LOOK_MILLIS: u64 = 200, "milliseconds", "own choice: a person who has just sent something does not notice it";

    // --- judging what was read ---
    /// Distance to either side in which a fact of the same paragraph still speaks of a name.
    NAME_REACH: usize = 150, "tokens", "own choice";
    /// Lines below a heading for which it speaks.
    HEADING_REACH: usize = 400, "lines", "own choice: a year group, a line a pupil";
    /// Length up to which a document is short: what it says is said of whom it names.
    SHORT_DOCUMENT: usize = 260, "tokens", "own choice: a letter of one page";
    /// Lines below a title that are read as its list.
    TITLED_LIST: usize = 2_000, "lines", "own choice: a school";
    /// Facts of one kind that are kept for a whole document.
    WIDE_FACTS: usize = 60, "facts", "own choice: a message with more is a list, and lists have rows";
    /// Lines from the end in which a signature stands.
    SIGNATURE_LINES: usize = 4, "lines", "own choice";
    /// What stands between two commas behind an adult's name, at most.
    APPOSITION: usize = 6, "tokens", "own choice: `Mr Bell, our caretaker for many years, …`";
    /// Cells before a value, and as many behind, among which the name of its row is looked for.
    CELLS_OF_A_PERSON: usize = 30, "cells", "own choice: lists of staff are seldom wider";
    /// Length of the name of a class.
    CLASS_TOKENS: usize = 4, "tokens", "own choice: `Year 4 Red Kites`";
    /// How far a word may stand from the number it speaks of.
    IDENTIFIER_REACH: usize = 80, "octets of folded text", "own choice: a line";
    /// Cells before a number in its row that may say what it is.
    CELLS_BEFORE: usize = 12, "cells", "own choice: a row of a form";
    /// Cells behind it that may.
    CELLS_BEHIND: usize = 2, "cells", "own choice: a label stands before more often";
    /// Lines shorter than this end where they break; longer ones were wrapped by the mail program.
    WRAPPED_LINE: usize = 58, "characters", "own choice: mail programs wrap at 72 to 78";
    /// Lines before and behind one that gives a password without naming it, or names the meeting that a passcode is for.
    SECRET_REACH: usize = 6, "lines", "own choice: an answer above its question, an invitation";
    /// Words of a line that announces the password in the line below.
    HEADING_WORDS: usize = 12, "words", "own choice";
    /// Words of a column's heading, or of a label in the cell to the left.
    LABEL_WORDS: usize = 5, "words", "own choice: `Password for the booking site`";
    /// The longest word; what goes on without a break is cut there.
    WORD_OCTETS: usize = 4_096, "octets", "own choice: as PARAGRAPH_PIECE; no word of any language has a hundred";
    /// Octets of text for which room for a token is made before it is read; more room is taken where there are more.
    OCTETS_A_TOKEN: usize = 5, "octets", "own choice: English has six or seven, figures four";
    /// Words of a message up to which none is kept at hand for being met of late.
    FEW_WORDS: usize = 48, "words", "own choice: a cell or a line of prose does without";
    /// Places for words that were met of late; a power of two.
    RECENT_WORDS: usize = 1_024, "words", "own choice: twice the distinct words of 8 KB of mail; 4 KiB";
    /// The longest piece of a paragraph that is looked at as one.
    PARAGRAPH_PIECE: usize = 4_096, "octets", "own choice: two pages";
    /// A message to no more recipients than this is a letter to them.
    FEW_RECIPIENTS: usize = 4, "recipients", "own choice";
    /// The shorter side of the smallest picture that may be a photograph.
    PHOTOGRAPH_SIDE: u32 = 480, "pixels", "own choice: smaller ones are icons, logos and banners";
    /// Size below which a picture is flat, and no photograph.
    PHOTOGRAPH_FLAT: f64 = 0.045, "octets a pixel", "own choice: diagrams, screenshots and scans of text stay below";
    /// First lines of what was written in which a greeting stands.
    GREETING_LINES: usize = 2, "lines", "own choice: a greeting below a line of its own";
    /// The shortest word that is looked at as forename and surname run together.
    JOINED_WORD: usize = 6, "octets", "own choice: twice JOINED_NAME";
    /// Sentences to either side that speak of a name as its own does.
    NEAR_SENTENCES: u32 = 1, "sentences", "own choice";
    /// Lines above and below in which a form that is filled in line by line says more of the same pupil.
    NEAR_LINES: usize = 3, "lines", "own choice";
    /// How far behind the first word of a pair the other may stand.
    PAIR_APART: usize = 10, "tokens", "own choice: within a clause or two";
    /// Words between the determiner of a subject and its noun, and between a predicate and whom it reaches.
    SUBJECT_WORDS: usize = 3, "words", "own choice: `the small blue tent`";
    /// How far from a predicate what tells its subject may stand.
    SUBJECT_REACH: usize = 40, "tokens", "own choice: a long sentence";
    /// Words between a forename and a class that is its own where many classes are named.
    BESIDE: usize = 3, "words", "own choice: `Leo has moved to 7K`";
    /// Classes and years in one sentence of which none is told of everybody in it.
    MANY_GROUPS: usize = 3, "groups", "own choice: a timetable's sentence";
    /// Pupils who share a surname, from whom a short form of a forename alone singles nobody out.
    SHARED_SURNAME: usize = 2, "pupils", "own choice: more than one child";
    /// Length of a line that says one thing and no more.
    FORM_LINE: usize = 4, "words", "own choice: `Form: Heron`";
    /// Years before this one are history.
    HISTORY_BEFORE: u32 = 2_000, "year", "own choice: no pupil was born before it";
    /// Length of a role that may follow the sender’s name in a sign-off.
    ROLE_TOKENS: usize = 8, "tokens", "own choice";
    /// Distance from the full name of a member of staff within which a role says that it is the adult.
    ROLE_OF_STAFF: usize = 5, "tokens", "own choice: `Alex Morgan, Head of Year 8 and SENCO`";
    /// The same for a name with `Miss` before it that only a pupil has.
    ROLE_OF_THE_TITLED: usize = 3, "tokens", "own choice: `Miss Zara Harris, Year 6 teacher`, and not what a pupil told reception";
    /// The last two-digit year of a message that lies in this century.
    DATE_PIVOT: i16 = 30, "year", "own choice: dates of a school year lie a few years ahead at most";
    /// The last two-digit year of a roster that lies in this century.
    ROSTER_DATE_PIVOT: i16 = 49, "year", "own choice: births of pupils and of their parents alike";
    /// Length of a line of a table that is parted by commas.
    COMMA_ROW: usize = 240, "characters", "own choice: prose has commas too";
    /// Length of the heading of a column.
    HEADING_LENGTH: usize = 8, "words", "own choice";
    /// Words at a heading’s beginning or end that may say by themselves what it is.
    HEADING_ENDS: usize = 3, "words", "own choice";
    /// The longest run that one forename or one surname may be.
    NAME_PART: usize = 4, "tokens", "own choice: `van der Berg Smith`";
    /// Digits of a telephone number of this country with its leading zero, at least; at most one more.
    PHONE_DIGITS: usize = 10, "digits", "Ofcom, National Telephone Numbering Plan";
    /// Blanks, hyphens and brackets that may stand between two digits of a telephone number.
    PHONE_JOINTS: usize = 3, "characters", "own choice: `(01632) - 960`";
    /// Words behind `Dad's` among which `number` or `address` is his.
    HOUSEHOLD_WORDS: usize = 7, "words", "own choice: `dad has now got a new mobile number`";
    /// Words behind `Mum` among which `moved` is said of her.
    HOUSEHOLD_LIVES: usize = 3, "words", "own choice: `mum has now moved`";
    /// Words of a house's number with its street, at least; behind a number, those among which a word for a street counts.
    STREET_WORDS: usize = 3, "words", "own choice: `12 High Street`";
    /// Characters of a house's number, at most.
    HOUSE_NUMBER: usize = 5, "characters", "own choice: `1204b`";
    /// Parts, between stops, hyphens and underscores, up to which the name of a mailbox may be a pupil's.
    MAILBOX_PARTS: usize = 5, "parts", "own choice: two double names and a middle initial";
    /// The shortest name that counts when forename and surname are run together.
    JOINED_NAME: usize = 3, "letters", "own choice";
    /// Entries of the roster index that share a bucket.
    POSTINGS_BUCKET: usize = 8, "entries", "own choice: the more, the smaller the table and the longer each look-up";
    /// The shortest name (left of a domain’s first dot that counts) of which a slip is still telling.
    CONFUSABLE_NAME: usize = 5, "letters", "own choice: `ofsed` is telling, `nsh` is not";
    /// The shortest part of a double name that is looked for by itself.
    DOUBLE_NAME_PART: usize = 3, "letters", "own choice";
    /// Letters that follow `Mc` or `Mac` at least.
    AFTER_MAC: usize = 4, "letters", "own choice: `McDaid`, and not `Mace`";
    /// Evidence that the name of somebody famous wants before it counts as a pupil's.
    WANTED_FAMOUS: i32 = 3, "points", "own choice";
    /// Evidence that a name wants which a place has too.
    WANTED_PLACE: i32 = 3, "points", "own choice";
    /// Evidence that a name wants whose forename is in any sentence, and whose surname is a word as well.
    WANTED_COMMON_WORDS: i32 = 2, "points", "own choice";
    /// Evidence that a name wants whose forename is in any sentence.
    WANTED_COMMON: i32 = 1, "points", "own choice";
    /// Evidence that a name wants of which each part is a word.
    WANTED_WORDS: i32 = 1, "points", "own choice";

    // --- what is done with mail that goes (`policy::duty`) ---
    /// Days for which a journal keeps what its rule does not say otherwise of.
    JOURNAL_DAYS: u32 = 366, "days", "own choice: a school year; a rule's retention_days says otherwise";
    /// Days for which a rule may have a journal keep.
    JOURNAL_DAYS_MOST: u32 = 9_497, "days", "26 years: until a pupil is 25, as schools keep a pupil's file (Limitation Act 1980), and a year more";
    /// Words of one message by which a journal is searched.
    INDEX_WORDS: usize = 50_000, "words", "own choice: a long novel has some 20,000; six octets a word";
    /// Hash of a word in the index of a message.
    INDEX_WORD_OCTETS: usize = 6, "octets", "own choice: of INDEX_WORDS words one in five thousand million searches meets another's by chance";
    /// Messages that one search gives; more is said.
    SEARCH_HITS: usize = 1_000, "messages", "own choice: more than a person reads, and within CONTROL_ANSWER";
    /// Messages that a search reads at a time.
    SEARCH_PAGE: u32 = 500, "messages", "own choice";
    /// Minutes for which a rule may have a message wait for a second look.
    WAIT_MINUTES_MOST: u32 = 1_440, "minutes", "own choice: a day";
    /// A wait for the school to open of which the sender is told.
    WAIT_TOLD_MINUTES: i64 = 60, "minutes", "own choice: what leaves within the hour is not worth a letter";
    /// A footer.
    FOOTER_CHARACTERS: usize = 2_000, "characters", "own choice: thrice the longest of the policies' disclaimers";
    /// A line of a footer, and a line of base64 or quoted-printable that holds one.
    FOOTER_LINE: usize = 76, "characters", "RFC 2045 6.7 and 6.8: the most of an encoded line; RFC 5322 2.1.1 asks for 78 at most";

    // --- what is confirmed (`policy::allowance`) ---
    /// Packs that lie on each other.
    PACK_LAYERS: usize = 8, "packs", "own choice: core, a trust's, a school's, and room; more is a pack that lies on itself";
    /// Pairs of recipient and pupil for which one rule of one message is remembered; of more, none is.
    ALLOWANCES_AT_ONCE: usize = 50, "pairs", "own choice: a class's parents and some; more is a list, which is looked at each time";
    /// How long what was confirmed is remembered, unless another day is chosen.
    REMEMBER_DAYS: u32 = 90, "days", "own choice: about a term";
    /// The longest that can be chosen.
    REMEMBER_DAYS_MOST: u32 = 366, "days", "own choice: a school year; then somebody looks again";
    /// Allowances of one sender that are read for one message, the newest first; more ask again.
    ALLOWANCES_READ: u32 = 2_000, "allowances", "own choice: a sender's year of mail";
    /// Allowances on the desk's page and in the command's list.
    ALLOWANCES_LISTED: u32 = 500, "allowances", "own choice: what a person reads through";

    // --- exemptions, and what is counted of mail (`store::exemptions`, `store::counts`) ---
    /// The longest that a sender is exempt from a rule.
    EXEMPTION_DAYS: u32 = 400, "days", "own choice: a school year and the holidays after it; then the head looks again";
    /// Weeks of the overview, this one included.
    OVERVIEW_WEEKS: u32 = 12, "weeks", "own choice: a term; more bars than a telephone shows side by side tell nothing";
    /// Weeks over which the page of rules says what each has done.
    RULE_EFFECT_WEEKS: u32 = 4, "weeks", "own choice: as long as a school first lets its rules only observe";
    /// Messages that a rule held and people decided on, from which its share of false holds is called by a name.
    FALSE_HOLD_DECIDED: u64 = 5, "messages", "own choice: of fewer a share says nothing";
    /// The height of a picture of bars at the desk.
    CHART_HEIGHT: u64 = 200, "units of the picture", "own choice: a third of a telephone's screen";
    /// Of it, below the bars, for their labels.
    CHART_BELOW: u64 = 24, "units of the picture", "own choice: a line of the labels' size";
    /// And above the highest, for its number.
    CHART_ABOVE: u64 = 20, "units of the picture", "own choice: a line of the labels' size";
    /// From one bar to the next.
    CHART_PITCH: u64 = 56, "units of the picture", "own choice: wide enough for a date, and a term of weeks fits a screen";
    /// The width of a bar.
    CHART_BAR: u64 = 40, "units of the picture", "own choice: leaves a gap that is seen";
    /// Why a mode is proposed.
    MODE_REASON_OCTETS: usize = 1_000, "octets", "own choice: as other reasons of people";
    /// Exemptions that are read for one message, and listed.
    EXEMPTIONS_READ: u32 = 500, "exemptions", "own choice: more than a school has staff";
    /// How long the school knows an address to which it has written.
    WRITTEN_TO_DAYS: u32 = 800, "days", "own choice: two school years and some; who left is no longer known by the third";
    /// Addresses that the store is asked about at once.
    ADDRESSES_ASKED: usize = 500, "addresses", "own choice: below SQLite's 999 of old (SQLITE_MAX_VARIABLE_NUMBER)";
    /// Words of a text from which it can be the same text again.
    SAME_TEXT_WORDS: usize = 15, "words", "own choice: two sentences; below that, people say the same to each other all day";
    /// Messages with the same text from which their recipients count together.
    SAME_TEXT_MESSAGES: usize = 3, "messages", "own choice: once is a letter, twice is a letter sent again because something was amiss";
    /// Words of a greeting, up to its comma.
    GREETING_WORDS: usize = 8, "words", "own choice: `Dear parents and carers of Year 3 pupils,`";
    /// Words on the line of a sign-off.
    SIGN_OFF_WORDS: usize = 5, "words", "own choice: `With very best wishes, Ann`";
    /// Text of a body that is compared.
    SAME_TEXT_OCTETS: usize = 64 * 1_024, "octets", "own choice: a letter of 20 pages";

    // --- the report on personal use (`store::personal_use`) ---
    /// Messages marked personal in a month from which their sender is named.
    PERSONAL_USE_NAMES_FROM: usize = 20, "messages a month", "own choice: about one a school day; below that it is limited use, as the policies have it";
    /// The fewest that a school may set.
    PERSONAL_USE_NAMES_FEWEST: usize = 5, "messages a month", "own choice: below that almost everybody would be named";
    /// The most that a school may set.
    PERSONAL_USE_NAMES_MOST: usize = 10_000, "messages a month", "own choice: nobody is named";
    /// Months for which the counts are kept, this one included.
    PERSONAL_USE_MONTHS: u32 = 13, "months", "own choice: a year, and the same month of the year before";

    // --- the register of breaches (`store::incidents`) ---
    /// How long the school has to tell the ICO of a breach from when it is aware of it.
    INCIDENT_HOURS: u32 = 72, "hours", "UK GDPR Article 33(1)";
    /// Incidents on a page of the register.
    INCIDENT_PAGE: u32 = 50, "incidents", "own choice: as a page of held mail";
    /// Characters of each field of an assessment.
    INCIDENT_WORDS_CHARS: usize = 8_000, "characters", "own choice: two pages";
    /// Characters that an incident takes over from the mail that reports it.
    INCIDENT_REPORT_CHARS: usize = 4_000, "characters", "own choice: a page; the whole report is at the reporting mailbox";
    /// How long a closed incident, and a near miss, is kept.
    INCIDENT_KEEP_YEARS: i32 = 7, "years", "Limitation Act 1980 section 5: six years for a claim, and the year in which it was closed";

    // --- disclosures (`store::disclosures`) ---
    /// How long an approved request for disclosure may be exported.
    DISCLOSURE_DAYS: u32 = 30, "days", "UK GDPR Article 12(3): a month to answer";
    /// How long a request for disclosure is kept from when it was asked.
    DISCLOSURE_KEEP_YEARS: i32 = 7, "years", "as INCIDENT_KEEP_YEARS";
    /// Messages that are put into one file at the desk; more goes into a folder by command.
    DISCLOSURE_ZIP_OCTETS: u64 = 128 * 1_024 * 1_024, "octets", "own choice: twice that is in memory while it is made";

    // --- the desk (`review`) ---
    /// Size of a form.
    DESK_FORM_OCTETS: usize = 64 * 1_024, "octets", "own choice: the longest note and reason many times over";
    /// Value of a cookie that is looked at.
    COOKIE_OCTETS: usize = 128, "octets", "own choice: a token has 43";
    /// Messages on a page of the list.
    HELD_PAGE: u32 = 50, "messages", "own choice: a page of at most 100 KB";
    /// The key of a form, so that it counts once.
    FORM_KEY_OCTETS: usize = 64, "octets", "own choice: a token has 43";
    /// Recovery codes that the demonstration tells.
    DEMO_CODES: usize = 3, "codes", "own choice: each signs in once, and a visitor comes back";
    /// Password that the demonstration makes up.
    DEMO_PASSWORD_CHARS: usize = 16, "characters", "own choice: 96 bits of chance, and it can be typed";
    /// Text of one part of a message that is shown; the rest is in the original.
    SHOWN_PART_OCTETS: usize = 64 * 1_024, "octets", "own choice: more than anybody reads on a screen";

    // --- what is said in plain words (`detect::meaning`) ---
    /// Likelihood from which a sentence makes a record of a pupil.
    MEANING_THRESHOLD: f32 = 0.5, "likelihood", "`schoolgate meaning assess`: at most one in a hundred ordinary sentences with a name put in is raised";
    /// Share of the sensitive categories above which a raised pupil is sensitive.
    MEANING_SENSITIVE_SHARE: f32 = 0.7, "share", "`schoolgate meaning assess`: record against sensitive is the weak point, so a clear share is asked for";
    /// Likelihood from which a sentence adds to what others say of the same pupil.
    MEANING_HEARD: f32 = 0.35, "likelihood", "own choice; trials on three schools";
    /// Likelihood from which several sentences together make a record of a pupil, none of which does alone.
    MEANING_TOGETHER: f32 = 0.9, "likelihood", "own choice; trials on three schools";
    /// Likelihood below which a sentence says nothing, and the encoder is not asked.
    MEANING_RULED_OUT: f32 = 0.003, "likelihood", "trials on the development parts of four schools";
    /// Likelihood from which a sentence that the encoder read makes a record of a pupil.
    MEANING_CLOSE_THRESHOLD: f32 = 0.8, "likelihood", "trials on the development parts of four schools and six hundred everyday sentences";
    /// What the quick half counts for beside the encoder.
    MEANING_QUICK_SHARE: f32 = 0.4, "share", "trials on the development parts of four schools and six hundred everyday sentences";
    /// Sentences of a message that the encoder reads, each in some milliseconds; further ones are read by the quick half alone.
    MEANING_READ_CLOSELY: usize = 48, "sentences", "own choice: a quarter of a second at the most";
    /// Length from which the encoder takes no word apart, for that costs the third power of it.
    MEANING_LONGEST_WORD: usize = 100, "octets", "as long as BERT's own tokeniser takes apart";
    /// Pieces of words of a sentence that the encoder reads; what stands behind them is left to the quick half.
    MEANING_MOST_PIECES: usize = 64, "pieces", "own choice: some fifty words";
    /// Columns of the encoder's weights that are reckoned at once.
    MEANING_PANEL: usize = 128, "columns", "rten-gemm shares more than that out to other threads, and a thread that waits for its share takes up another message meanwhile";
    /// Forenames that may be joined to the full name of one of the same family.
    SIBLINGS: usize = 6, "forenames", "own choice: more is a list of a class";
    /// Words beside the name from which prose is read.
    MEANING_FEWEST_WORDS: usize = 3, "words", "own choice: `Ruby late` may be anything";
    /// Likelihood from which a plain sentence makes the record of a pupil a sensitive one.
    MEANING_FURTHER: f32 = 0.8, "likelihood", "own choice; trials on three schools";
    /// Share of the sensitive categories from which the encoder is asked whether it does.
    MEANING_FURTHER_ASKED: f32 = 0.3, "share", "own choice: spares it the sentences that only say once more what is on record";
    /// Share of the sensitive categories from which it does.
    MEANING_FURTHER_SHARE: f32 = 0.8, "share", "own choice: of the pupil a record is found already, so more is asked for";
    /// Likelihood below which a sentence is read as nothing, whatever weak word it holds.
    MEANING_DOUBT: f32 = 0.05, "likelihood", "own choice; trials on three schools";
    /// Likelihood by the encoder below which a sentence says nothing, whatever phrase it holds.
    MEANING_SAYS_NOTHING: f32 = 0.06, "likelihood", "trials on the development parts of four schools";
    /// Words beside the name from which a sentence may be read as nothing.
    MEANING_FEWEST_DOUBTED: usize = 6, "words", "own choice: fewer tell too little to doubt a word by";
    /// Words of a title in quotation marks.
    TITLE_WORDS: usize = 12, "words", "own choice: longer ones are speech";
    /// Words of a title beside those that are on a list.
    TITLE_BESIDE: usize = 2, "words", "own choice: `Child Protection Plan` is a plan, `In Care of the Sea` a story";
    /// Letters of words that a title writes small.
    TITLE_SMALL_WORD: usize = 4, "letters", "articles, conjunctions and short prepositions (`from`, `with`)";
    /// Words of a finding's reason.
    MEANING_REASONS: usize = 4, "words", "own choice: enough to understand";
    /// Pieces of words that are features.
    MEANING_FEWEST_LETTERS: usize = 3, "letters", "own choice; trials";
    MEANING_MOST_LETTERS: usize = 4, "letters", "own choice; trials";
    /// Lines in which a feature must stand to be learnt.
    MEANING_FEWEST_LINES: u32 = 2, "lines", "own choice: what stands once is no pattern";
    /// Features kept, the heaviest; each takes 25 octets.
    MEANING_FEATURES: usize = 40_000, "features", "own choice: a file of 1 MB";
    /// First bits of a feature's hash by which it is looked for.
    MEANING_FIRST_BITS: u32 = 14, "bits", "own choice: two or three features begin alike, in 64 KiB";
    /// Rounds of training over all lines.
    MEANING_ROUNDS: usize = 12, "rounds", "`schoolgate meaning assess`";
    /// What is learnt at the least from a feature that is as common in lines that say something as in others.
    MEANING_LEAST_TELLING: f32 = 0.2, "of a weight", "`schoolgate meaning assess`";
    /// How far training goes at once.
    MEANING_STEP: f32 = 0.5, "of a slope", "`schoolgate meaning assess`";
    /// How strongly training draws weights to nothing.
    MEANING_DECAY: f32 = 1e-4, "of a weight", "`schoolgate meaning assess`";
    /// Where the numbers that look random begin.
    MEANING_SEED: u64 = 2_026, "number", "own choice: any will do, as long as it stays";
    /// Parts of the lines, each left out once to assess.
    MEANING_FOLDS: usize = 5, "parts", "own choice: usual for so many lines";

    // --- whether a picture shows a page (`extract::page_likeness`) ---
    /// The longer side to which a picture is brought before it is looked at.
    PAGE_SIDE: u32 = 1_600, "pixels", "own choice: the letters of A4 are eight pixels high then";
    /// A picture with a shorter side shows no page.
    PAGE_SIDE_LEAST: u32 = 80, "pixels", "own choice: five rows of letters that can be read";
    /// Pixels up to which a picture is looked at.
    PICTURE_PIXELS: u64 = 64_000_000, "pixels", "own choice: telephones make 50 million; three octets for each fit in WORKER_MEMORY";
    /// What a decoder may take for itself and its picture.
    PICTURE_MEMORY: u64 = 256 * 1024 * 1024, "octets", "own choice: half of WORKER_MEMORY";
    /// Rows that make a page.
    PAGE_ROWS: usize = 4, "rows", "own choice: a heading and three children; trials in docs/extraction.md";
    /// Letters that make a page.
    PAGE_LETTERS: usize = 60, "letters", "own choice: six names with their forms; trials in docs/extraction.md";
    /// The part of a picture's longer side, as its denominator, from which on letters are as large as those of a poster.
    PAGE_LARGE: usize = 34, "as a divisor", "trials in docs/extraction.md: A4 has 70 lines, a picture of a short message 40";
    /// Lower letters are never large: people cut a few lines out of what their screen shows.
    PAGE_LARGE_HEIGHT: usize = 24, "pixels", "own choice: twice the letters of a screen";
    /// Letters of a page whose letters are large.
    PAGE_LARGE_LETTERS: usize = 90, "letters", "trials in docs/extraction.md: a poster of ten words has some 60";
    /// Of all marks of the letters' size, those in rows.
    PAGE_SHARE: f32 = 0.5, "share", "trials in docs/extraction.md";
    /// What stands out differs from the mean of its surroundings by more.
    PAGE_CONTRAST: u32 = 18, "shades of 256", "own choice: pencil on paper";
    /// Or by this many times what neighbours usually differ by.
    PAGE_NOISE: u32 = 4, "times", "own choice: beyond three standard deviations";
    /// How far surroundings reach to each side.
    PAGE_SURROUNDINGS: usize = 20, "pixels", "own choice: two letters";
    PAGE_LETTER_LEAST: usize = 4, "pixels", "own choice: lower ones nobody reads";
    PAGE_LETTER_MOST: usize = 64, "pixels", "own choice: higher ones are headings";
    /// Width of letters that touch each other, beside their height.
    PAGE_WORD_WIDTH: usize = 12, "times", "own choice: a long word";
    /// Marks up to which they are looked at.
    PAGE_MARKS: usize = 40_000, "marks", "own choice: a full page has 5,000";
    /// Between one letter and the next, beside their height.
    PAGE_GAP: usize = 30, "times", "own choice: from one column of a table to the next";
    /// Marks that are looked at for the one that follows, in each of three bands.
    PAGE_NEAR: usize = 64, "marks", "own choice: real letters have a dozen near them";
    /// Marks and letters of a row at the least.
    PAGE_ROW_MARKS: usize = 4, "marks", "own choice: fewer stand in a row by chance";
    PAGE_ROW_LETTERS: usize = 6, "letters", "own choice: a short name";
    /// Of the box around a letter, what is ink.
    PAGE_SOLID: usize = 75, "per cent", "trials in docs/extraction.md: letters have some 45, bricks and cells more than 90";
    /// How much letters of one row differ, beside their mean.
    PAGE_VARIED: f32 = 0.15, "of the mean", "trials in docs/extraction.md";

    // --- the words of pages that are pictures (`extract::ocr`) ---
    /// Memory of one process that reads a page.
    OCR_MEMORY: u64 = 512 * 1024 * 1024, "octets", "own choice: as WORKER_MEMORY; A4 takes a fifth of it";
    /// What it answers of one page.
    OCR_ANSWER: u64 = 1024 * 1024, "octets", "own choice: a hundred times a full page";
    /// Pages of one message that are read.
    OCR_PAGES: usize = 24, "pages", "own choice: more than EXTRACT_SECONDS are enough for";
    /// Pictures of pages that one message keeps until they are read.
    OCR_OCTETS: usize = 32 * 1024 * 1024, "octets", "own choice: OCR_PAGES of common size";
    /// Pixels of a page at the most.
    OCR_PIXELS: u64 = 4_000_000, "pixels", "own choice: A4 at 200 dots to the inch; takes two to three seconds";
    /// Height that letters are brought to.
    OCR_LETTER_HEIGHT: f64 = 18.0, "pixels", "tesseract's own advice: 20 and more for capitals";
    /// How far a picture is enlarged for that.
    OCR_ENLARGED: f64 = 3.0, "times", "own choice: beyond it nothing is gained";
    /// Letters below which a page says nothing that was read.
    OCR_LETTERS: usize = 20, "letters", "own choice: as PDF_FEW_GLYPHS; a page has PAGE_LETTERS";

    // --- deciding ---
    /// Rows from which a table of children who are on no list counts.
    UNLISTED_ROWS: usize = 10, "rows", "core policy: a table of ten or more rows whose names are on no list of the school";
    /// Who is listed may be older than the oldest pupil by so much, and younger than the youngest.
    UNLISTED_OLDER: i16 = 3, "years", "own choice: another school's leavers";
    UNLISTED_YOUNGER: i16 = 4, "years", "own choice: a nursery class of the year after next";
    /// Distinct pupils from which a message counts as bulk.
    BULK_PUPILS: usize = 10, "pupils", "core policy: `bulk`";
    /// Private addresses in To and Cc together from which recipients count as visible.
    VISIBLE_RECIPIENTS: usize = 5, "addresses", "core policy: `visible-recipients`";

    // --- attached originals that were signed (`message::signed`) ---
    /// Signatures of one message that are checked, from the top.
    DKIM_SIGNATURES: usize = 8, "signatures", "own choice: sender, provider, lists; RFC 6376 6.1 leaves the number to us";
    /// Names that a signature may sign.
    DKIM_SIGNED_HEADERS: usize = 200, "names", "own choice: real ones name up to 60";
    /// Header fields up to which a message's signatures are checked.
    DKIM_HEADERS: usize = 1_000, "fields", "own choice: real mail has up to 150";
    /// A shorter RSA key tells nothing, nor does a longer one.
    DKIM_RSA_BITS: usize = 1_024, "bits", "RFC 8301 3.2";
    DKIM_RSA_BITS_MOST: usize = 8_192, "bits", "what ring verifies with";
    /// The file of senders' keys.
    DKIM_KEYS_FILE: usize = 4 << 20, "octets", "own choice: some 8000 keys";
    /// Names that one name may stand for in turn (CNAME).
    DKIM_ALIASES: usize = 8, "names", "own choice: as resolvers do";

    // --- the message's own traits (`detect::traits`) ---
    /// How often a link is looked for inside another.
    WRAPPED_LINKS: usize = 3, "links", "own choice: a mail filter around a redirect";
    /// Lines of an attachment that may be its heading.
    HEADING_LINES: usize = 4, "lines", "own choice: school, title, date, marker";
    /// Lines of a body that may be its heading.
    HEADING_LINES_BODY: usize = 2, "lines", "own choice: the salutation comes next";
    /// A line that holds more is no heading.
    HEADING_CHARS: usize = 90, "characters", "own choice: a title on one line";
    /// Words beside a marker in its own line.
    HEADING_REST_WORDS: usize = 8, "words", "own choice: a title";
    /// Between a request to answer and the address.
    REQUEST_REACH: usize = 90, "octets", "own choice: a clause";
    /// A number with fewer digits, without its leading nought, is nobody's private telephone.
    PRIVATE_PHONE_DIGITS: usize = 9, "digits", "Ofcom, National Telephone Numbering Plan: nine or ten";
    /// A British mobile's digits without the leading nought.
    MOBILE_DIGITS: usize = 10, "digits", "Ofcom, National Telephone Numbering Plan: 07 and nine digits";
    /// Lines in which the head of a message that is passed on ends.
    QUOTED_HEAD_LINES: usize = 30, "lines", "own choice: a long To over several lines";

    // --- the check for malware (`relay::malware`) ---
    /// For one message, unless `[malware] timeout_seconds` says otherwise. clamd itself gives up after `MaxScanTime`, 120 s.
    CLAMD_SECONDS: usize = 30, "seconds", "own choice: most messages take less than one; with the queue for inspection well inside a client's 10 minutes (RFC 5321 4.5.3.2.6)";
    /// The most that can be configured.
    CLAMD_SECONDS_MOST: usize = 120, "seconds", "clamd.conf(5): the default of MaxScanTime";
    /// Sent at once. How much in all clamd takes is its own `StreamMaxLength`: 25 MB in Debian's clamd.conf, 100 MB where none is set.
    CLAMD_CHUNK: usize = 64 * 1_024, "octets", "own choice: a few dozen for a large message";
    /// The longest answer that is read.
    CLAMD_ANSWER: usize = 1_024, "octets", "own choice: names of signatures are below 200";
    /// What of a signature's name is kept.
    CLAMD_NAME_CHARS: usize = 200, "characters", "own choice: longer is none";

    // --- the version of the rules (`inspect::version`) ---
    /// Of the SHA-256 by which reports name what decided; an even number.
    RULES_VERSION_DIGITS: usize = 12, "hexadecimal digits", "own choice: 48 bits, as a short commit of Git; a school has hundreds of versions";

    // --- headings, findings and excerpts (`detect::scene`, `detect`, `detect::excerpt`) ---
    /// Words of a column's heading; a cell with more is none.
    HEADING_TOKENS: usize = 60, "tokens", "own choice: the longest question of a form has half of it";
    /// Findings of one kind in one document that are listed; the rest are counted.
    FINDINGS: usize = 100, "findings", "own choice: a list of 1,500 pupils has some 8,000, which nobody reads";
    /// Findings of one message that are shown in their surroundings; with the lengths below at most 80 KB.
    EXCERPTS: usize = 100, "findings", "own choice: nobody reads more; what is said of pupils goes first";
    /// The line of what was found; longer is cut around it.
    EXCERPT_LINE: usize = 300, "octets", "own choice: four lines of a page";
    /// The line before or after; longer is cut.
    EXCERPT_NEIGHBOUR: usize = 200, "octets", "own choice: two lines of a page";
    /// Cells to each side in the row of a table.
    EXCERPT_CELLS: usize = 12, "cells", "own choice: more is cut anyway";

    // --- notices ---
    /// A subject, address or name shown in a notice; longer is cut.
    NOTICE_SUBJECT_CHARS: usize = 200, "characters", "own choice: two lines on a screen, a long subject whole";
    /// A reviewer's note, or a rule's reason or remedy, shown in a notice; longer is cut.
    NOTICE_NOTE_CHARS: usize = 2_000, "characters", "own choice: a page";
    /// Recipients listed in a notice; the rest is counted.
    NOTICE_RECIPIENTS: usize = 20, "recipients", "own choice: a list that is still read";
    /// Line length of a notice's plain text.
    NOTICE_LINE_CHARS: usize = 76, "characters", "RFC 5322 2.1.1 asks for 78 at most, without CRLF; two are left for quoting";
    /// A Message-ID that a notice repeats in In-Reply-To; a longer one is left out.
    NOTICE_MESSAGE_ID: usize = 250, "octets", "own choice, well inside a line of 998 (RFC 5322 2.1.1)";
}
