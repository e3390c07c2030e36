//! Limits of the models: what is said in plain words, and what is meant to hurt.

limits! {
    // --- language that is meant to hurt (`detect::language`) ---
    /// Likelihood from which a sentence is meant to hurt.
    LANGUAGE_THRESHOLD: f32 = 0.98, "likelihood", "`schoolgate language assess`; at 0.9 it stopped four right messages of 1,300 labelled ones, from 0.95 on none";
    /// Likelihood from which a sentence adds to what others say.
    LANGUAGE_NEARLY: f32 = 0.8, "likelihood", "own choice; trials on the labelled schools";
    /// Likelihood from which several sentences together are meant to hurt, none of which is alone.
    LANGUAGE_TOGETHER: f32 = 0.99, "likelihood", "own choice: more is asked of two doubts than of one sentence";
    /// Likelihood by the quick half below which a sentence is not read by the encoder.
    LANGUAGE_RULED_OUT: f32 = 0.15, "likelihood", "measured: at 0.04 messages of words drawn by lot, of which loads for tests are made, took three to four milliseconds more each";
    /// What suspected words weigh of which the quick half need find no more than [`LANGUAGE_RULED_OUT_HEAVY`].
    LANGUAGE_HEAVY: i32 = 130, "tenths", "measured: of 42 sentences of words drawn by lot that the encoder was asked about one weighs as much, of 30 that hurt 18 do";
    /// Below it, no encoder brings both to [`LANGUAGE_THRESHOLD`].
    LANGUAGE_RULED_OUT_HEAVY: f32 = 0.04, "likelihood", "reckoned: with LANGUAGE_QUICK_SHARE it takes a head that is sure to one in a thousand";
    /// Share of the quick half where both are asked.
    LANGUAGE_QUICK_SHARE: f32 = 0.3, "share", "`schoolgate language assess`";
    /// Sentences of a message that the encoder reads for this at the most.
    LANGUAGE_READ_CLOSELY: usize = 24, "sentences", "own choice: a tenth of a second at the most";
    /// Words of a sentence at the least; a shorter one is read with the next.
    LANGUAGE_FEWEST_WORDS: usize = 3, "words", "own choice: fewer are on the list or nothing";
    /// How much more often a word must stand in offensive lines for its sentence to be read, as a natural logarithm.
    LANGUAGE_HEATED: f32 = 1.3, "logarithm", "`schoolgate language assess`: nearly four times as often";
    /// What a word takes from a sentence at the most, as ten times that logarithm.
    LANGUAGE_LEAST_WORD: i32 = 10, "tenths", "own choice: no word makes good for another";
    /// What a word gives to a sentence at the most.
    LANGUAGE_MOST_WORD: i32 = 25, "tenths", "own choice: one word alone tells little";
    /// Sum from which on a sentence is read.
    LANGUAGE_SUSPECTED: i32 = 37, "tenths", "`schoolgate language assess`: 95 in 100 offensive lines, a fifth of others";
    /// Rounds over the lines in which its head is trained.
    LANGUAGE_ROUNDS: usize = 8, "rounds", "`schoolgate language assess`";
    /// Length of a step of that.
    LANGUAGE_STEP: f32 = 0.05, "of a slope", "`schoolgate language assess`";
    /// How much of a weight is worn off a step.
    LANGUAGE_DECAY: f32 = 1e-4, "of a weight", "`schoolgate language assess`";

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
    /// Likelihood from which a sentence that the encoder read perhaps makes a record of a pupil.
    MEANING_PERHAPS: f32 = 0.65, "likelihood", "a trial on the labelled schools: to another's parent or a private mailbox, most of what lies between it and the next were breaches";
    /// Likelihood from which such a sentence may make a pupil sensitive.
    MEANING_CLOSE_THRESHOLD: f32 = 0.8, "likelihood", "trials on the development parts of four schools and six hundred everyday sentences";
    /// Likelihood from which such sentences make a record beyond doubt.
    MEANING_PLAINLY: f32 = 0.88, "likelihood", "a trial on the labelled schools: below it most of what only wanted a marker was right mail";
    /// What the quick half counts for beside the encoder.
    MEANING_QUICK_SHARE: f32 = 0.3, "share", "trials on the development parts of four schools and six hundred everyday sentences";
    /// Sentences of a message that the encoder reads, each in some milliseconds; further ones are read by the quick half alone.
    MEANING_READ_CLOSELY: usize = 96, "sentences", "own choice: half a second at the most";
    /// Of these, those read for a phrase that stands in them: many phrases leave enough for what is on no list.
    MEANING_PHRASES_CLOSELY: usize = 48, "sentences", "own choice: half of them";
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
    /// The same of a sentence that names nobody.
    MEANING_SAYS_NOTHING_BELOW: f32 = 0.15, "likelihood", "trials on the labelled schools: a pupil is further away, so less is asked for";
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
}
