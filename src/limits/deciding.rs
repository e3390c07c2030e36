//! Limits of what is decided, remembered, counted and handed over.

limits! {
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

    // --- the version of the rules (`inspect::version`) ---
    /// Of the SHA-256 by which reports name what decided; an even number.
    RULES_VERSION_DIGITS: usize = 12, "hexadecimal digits", "own choice: 48 bits, as a short commit of Git; a school has hundreds of versions";
}
