//! Limits of what must last: the store, and the socket by which commands reach the daemon.

limits! {
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
}
