//! Limits of the roster and of detection.

limits! {
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
    /// A row of a list of parts in a play.
    PART_OF_A_PLAY: usize = 24, "tokens", "own choice: a part, what befalls it, and who plays it";
    /// Words of a name at the end of a text, beside which a telephone number is the writer's.
    SIGNED_WITH: usize = 3, "words", "own choice: forename, surname and an initial";
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
    /// Figures or marks of a row of a list whose rows are a name and figures.
    FIGURES_OF_A_ROW: usize = 4, "tokens", "own choice: `Ned Rudd 7.2`, `Ned Rudd 12 out of 20`";

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
}
