//! Limits at the door: the SMTP listener, who may send, and what one client may take.

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
}
