//! Limits of pictures that show pages, and of reading their words.

limits! {
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
    /// How long a page may take beside the time of the processor that is left for it.
    OCR_PATIENCE: u32 = 6, "times", "own choice: where it gets a sixth of a processor it is read all the same, within a minute";
    /// How often it is asked whether anybody still waits for a page.
    OCR_LOOK_MILLIS: u64 = 100, "milliseconds", "own choice: nothing to feel beside INSPECT_SECONDS";
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
}
