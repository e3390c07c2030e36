//! Limits of reading: messages, attachments, foreign files, and what is asked of others about them.

limits! {
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
    /// How long gateway and workers keep memory that is free before they give it back to the system.
    GIVEN_BACK_MILLIS: u64 = 50, "milliseconds", "measured: with documents of 300 KB at twenty connections 270 MB for 470 MB at mimalloc's second, and as fast";
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
}
