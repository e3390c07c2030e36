//! What befalls a part in a play, and what a pupil's own poem tells: `Bill Sikes - Miles Vargas, who murders Nancy`, `Pike, by Ezra Uddin`, a file
//! that is called what the message puts between quotation marks.
//!
//! Only where the message tells of the stage or of works, and only what stories tell; that the child who plays Nancy has asthma is said of the child.

use std::cell::OnceCell;

use hashbrown::HashSet;

use super::Context;
use super::quoted::{MARKS, of_works};
use crate::detect::scene::{Line, Scene};
use crate::detect::vocabulary::{Hit, VOCABULARY};
use crate::detect::words::{GOES_ON, is};
use crate::limits;
use crate::text::Kind;
use crate::text::normalise::{Case, Gap, TokenKind};

/// Categories of what stories tell.
const TOLD: &[&str] =
    &["safeguarding", "police", "behaviour", "exclusion-violence", "family", "looked-after", "mental-health"];

/// Of the theatre alone.
const THEATRE: &[&str] = &[
    "cast",
    "costume",
    "costumes",
    "rehearsal",
    "rehearsals",
    "script",
    "scripts",
    "matinee",
    "understudy",
    "audition",
    "auditions",
    "panto",
    "pantomime",
    "musical",
    "musicals",
    "theatre",
    "performances",
];

/// Of the theatre, among other things.
const STAGE: &[&str] =
    &["performance", "play", "plays", "act", "acts", "scene", "scenes", "stage", "props", "drama", "part", "parts"];

/// What a part is taken in, beside [`THEATRE`].
const SHOWS: &[&str] = &["assembly", "play", "production", "show", "nativity", "concert", "drama", "film"];

/// What is known of a message once something that stories tell stands in it.
#[derive(Default)]
pub(super) struct Fiction {
    of_the_stage: OnceCell<bool>,
    of_works: OnceCell<bool>,
    /// Documents below a line that says by whom they are, and those whose title the message tells.
    works: OnceCell<HashSet<usize>>,
}

impl Fiction {
    /// The hit is said of a part, or stands in a work.
    pub(super) fn tells(&self, scene: &Scene<'_>, context: &Context<'_>, at: usize, hit: &Hit) -> bool {
        let category = VOCABULARY.categories[hit.category].id;
        if !is(TOLD, category) {
            return false;
        }
        let line = &scene.lines[at];
        let name = |token: usize| context.names.contains(at, token);
        (part(line, hit, name) && *self.of_the_stage.get_or_init(|| of_the_stage(scene)))
            || self.in_a_work(scene, context, at, category)
    }

    /// What a line says of a category is what a story or a poem tells.
    pub(super) fn in_a_work(&self, scene: &Scene<'_>, context: &Context<'_>, at: usize, category: &str) -> bool {
        let works = || self.works.get_or_init(|| signed(scene, context).chain(titled(scene)).collect());
        is(TOLD, category)
            && context.here(at).is_empty()
            && works().contains(&scene.lines[at].document())
            && *self.of_works.get_or_init(|| of_works(scene))
    }
}

/// The hit stands in a row in which a name is set off from the rest: `The Dodger, arrested in Act One: Corey Owusu`.
fn part(line: &Line<'_>, hit: &Hit, name: impl Fn(usize) -> bool) -> bool {
    let tokens = line.text.tokens;
    let breaks = |at: &usize| tokens[*at].gap.has(Gap::NEWLINE);
    let from = (1..=hit.from).rev().find(breaks).unwrap_or(0);
    let to = (hit.to..tokens.len()).find(breaks).unwrap_or(tokens.len());
    let set_off = |at: usize| {
        let gap = tokens[at].gap;
        gap.has(Gap::COLON) || (gap.has(Gap::HYPHEN) && gap.has(Gap::SPACE))
    };
    to - from <= limits::PART_OF_A_PLAY && (from + 1..to).any(|at| set_off(at) && name(at) != name(at - 1))
}

/// Two words of the theatre at the least, one of which means nothing else.
fn of_the_stage(scene: &Scene<'_>) -> bool {
    let (mut sure, mut all) = (false, HashSet::new());
    scene.lines().any(|(_, line)| {
        for word in line.text.tokens.iter().map(|token| line.text.norm(token)) {
            let theatre = is(THEATRE, word);
            sure |= theatre;
            if theatre || is(STAGE, word) {
                all.insert(word.trim_end_matches('s'));
            }
        }
        sure && all.len() > 1
    })
}

/// `Ruth is to be Mrs Twit in our assembly. She is a horrible old woman`: what goes on about a part that somebody plays.
pub(in crate::detect) fn of_a_role(line: &Line<'_>, from: usize) -> bool {
    let word = |at: usize| line.text.word(at);
    let sentence = line.sentence[from];
    if !is(GOES_ON, word(from)) || from == 0 || line.text.tokens[from].gap.has(Gap::NEWLINE) {
        return false;
    }
    let before = (0..from).rev().take_while(|&at| line.sentence[at] + 1 == sentence);
    let (mut show, mut plays) = (false, false);
    for at in before {
        show |= is(THEATRE, word(at)) || is(SHOWS, word(at));
        // `to be Mr Twit`, `plays the Witch`
        plays |= matches!(word(at), "be" | "play" | "plays" | "playing" | "played" | "as")
            && (at + 1..at + 3).any(|next| {
                let named = line.text.tokens.get(next).is_some_and(|token| token.case == Case::Capitalised);
                named && line.sentence[next] == line.sentence[at]
            });
    }
    show && plays
}

/// Documents with a line that is `by` and a pupil's name, perhaps with a class or an age.
fn signed<'s>(scene: &'s Scene<'_>, context: &'s Context<'_>) -> impl Iterator<Item = usize> + 's {
    let by_pupil = |at: usize, line: &Line<'_>| {
        let tokens = line.text.tokens;
        let (Some(by), Some(named)) = (tokens.first(), context.here(at).first()) else { return false };
        let behind = (1..tokens.len()).filter(|&token| !context.names.contains(at, token));
        let short = behind.take(limits::NAME_REACH).all(|token| {
            tokens[token].kind != TokenKind::Word || matches!(line.text.word(token), "aged" | "age" | "year" | "class")
        });
        named.token == 1 && by.kind == TokenKind::Word && line.text.word(0) == "by" && short
    };
    scene.lines().filter(move |(at, line)| by_pupil(*at, line)).map(|(_, line)| line.document())
}

/// Attachments that are called what the message names between quotation marks: `"Five Bus Stops"` and `Five Bus Stops.docx`.
fn titled<'s>(scene: &'s Scene<'_>) -> impl Iterator<Item = usize> + 's {
    let own = scene.lines().filter(|(at, _)| !matches!(scene.kind(*at), Kind::Attachment | Kind::FileName));
    let titles: HashSet<String> = own.flat_map(|(_, line)| between_marks(line.text.folded())).collect();
    scene.of_document.iter().enumerate().filter_map(move |(document, lines)| {
        let first = Some(lines.start).filter(|&at| !lines.is_empty() && scene.kind(at) == Kind::Attachment)?;
        let (title, _) = scene.place(first).rsplit_once('.')?;
        titles.contains(&title.to_lowercase()).then_some(document)
    })
}

/// What stands between one quotation mark and the next, in small letters, where it is of several words. The apostrophe within a word is none.
fn between_marks(text: &str) -> Vec<String> {
    let within = |from: usize, to: usize| {
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        letter(text[..from].chars().next_back()) && letter(text[to..].chars().next())
    };
    let marks = text.match_indices(MARKS).map(|(at, mark)| (at, at + mark.len()));
    let marks: Vec<(usize, usize)> = marks.filter(|&(from, to)| !within(from, to)).collect();
    let between = marks.windows(2).map(|pair| text[pair[0].1..pair[1].0].trim_end_matches(['.', ',', '?', '!']));
    between.filter(|title| title.contains(' ')).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use crate::detect::{Correspondence, Tier, detect};
    use crate::people::{Pupil, School};
    use crate::text::{Block, Document, Halt, Kind};

    /// The tier of the first pupil whom a message of these paragraphs, with an attachment of these, is about.
    fn tier(body: &[&str], attached: &[&str]) -> Tier {
        let pupil = |id: &str, forename: &str, surname: &str| Pupil {
            id: id.into(),
            forename: forename.into(),
            surname: surname.into(),
            ..Pupil::default()
        };
        let pupils = vec![pupil("A", "Imogen", "Okafor"), pupil("B", "Priya", "Ramanathan")];
        let school = School { pupils, ..School::default() }.indexed();
        let document = |kind, place: &str, blocks: &[&str]| Document {
            kind,
            place: place.into(),
            blocks: blocks.iter().map(|block| Block::paragraph(*block)).collect(),
        };
        let documents = [document(Kind::Body, "body", body), document(Kind::Attachment, "The page.docx", attached)];
        let found = detect(&documents, &[], &school, &Correspondence::default(), &Halt::default());
        found.pupils.first().unwrap().tier
    }

    #[test]
    fn what_befalls_a_part_is_not_said_of_who_plays_it() {
        const PLAY: &str = "Here is the cast for the costumes.";
        for (paragraphs, want) in [
            (&[PLAY, "Macbeth, arrested in the last scene: Imogen Okafor"][..], Tier::Mention),
            (&[PLAY, "Imogen Okafor – the widow, locked in the tower by her uncle"], Tier::Mention),
            (&[PLAY, "The witch - Priya Ramanathan\nThe thief, arrested twice - Imogen Okafor"], Tier::Mention),
            // What is said of the child.
            (&[PLAY, "The witch: Imogen Okafor (she has asthma)"], Tier::Sensitive),
            (&[PLAY, "Imogen Okafor was arrested on Friday and cannot be the witch."], Tier::Sensitive),
            // No play.
            (&["Here is the list.", "Priya Ramanathan: arrested on Friday"], Tier::Sensitive),
        ] {
            assert_eq!(tier(paragraphs, &[]), want, "{paragraphs:?}");
        }
    }

    #[test]
    fn what_is_said_of_a_part_offends_nobody() {
        const ROLE: &str = "She is a nasty, lazy, useless old woman and nobody can stand her.";
        let offends = |text: &str| {
            let documents = [Document::of_text(Kind::Body, "body", text)];
            let found =
                detect(&documents, &[], &School::default().indexed(), &Correspondence::default(), &Halt::default());
            found.findings.iter().any(|finding| finding.kind.ends_with("language"))
        };
        for (before, want) in [
            ("Ruth is going to be Mrs Twit in our assembly. ", false),
            ("Ruth plays the Wolf in the Year 6 production. ", false),
            ("I spoke to the caretaker about the assembly. ", true),
            ("", true),
        ] {
            assert_eq!(offends(&format!("{before}{ROLE}")), want, "{before}");
        }
    }

    #[test]
    fn what_a_poem_tells_is_not_said_of_the_poet() {
        const POEM: &[&str] =
            &["The pike", "by Imogen Okafor, aged 9", "I am the knife of the weir.", "I have no friends."];
        const ANOTHER: &[&str] = &["Imogen Okafor", "A knife hung over the town."];
        // In words that are on no list.
        const TOLD: &[&str] =
            &["Imogen Okafor", "She is frightened to go home because of what he does to her at night."];
        let report = ["Statement", "by Imogen Okafor", "He had a knife in his bag."];
        for (body, attached, want) in [
            ("The poems for the exhibition are attached.", POEM, Tier::Mention),
            ("Her poem is called “The Page”.", ANOTHER, Tier::Mention),
            ("Her friend's poem is called ‘The page.’", ANOTHER, Tier::Mention),
            ("Her poem is called “The Paper”.", ANOTHER, Tier::Sensitive),
            ("Her poem is called The Page, and ends with “No”.", ANOTHER, Tier::Sensitive),
            ("Her statement is called “The Page”.", ANOTHER, Tier::Sensitive),
            ("Her poem is called “The Page”.", TOLD, Tier::Mention),
            ("Her poem is called “The Paper”.", TOLD, Tier::Sensitive),
            ("Her statement is called “The Page”.", TOLD, Tier::Sensitive),
            ("The statement is attached.", &report, Tier::Sensitive),
            ("The poems are attached.", &["The pike", "Imogen Okafor had a knife in her bag."], Tier::Sensitive),
        ] {
            assert_eq!(tier(&[body], attached), want, "{body} {attached:?}");
        }
    }
}
