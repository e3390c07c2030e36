//! Limits of what leaves: delivery, its deadlines, returned mail and notices.

limits! {
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
