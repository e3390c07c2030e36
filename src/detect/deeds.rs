//! What is done by people alone, what children take part in, and how old they are: behind two words it says that the words are somebody's
//! name.

use super::marks::Marks;
use super::scene::Line;
use super::words::is;
use super::work::step;
use crate::limits;
use crate::text::Text;
use crate::text::normalise::{Case, Gap, Token, TokenKind};

/// Verbs whose subject is a person, in the forms that follow one name.
const OF_PEOPLE: &[&str] = &[
    "said",
    "says",
    "told",
    "tells",
    "asked",
    "asks",
    "forgot",
    "wants",
    "wanted",
    "likes",
    "struggles",
    "struggled",
    "lives",
    "lived",
    "scored",
    "achieved",
    "kicked",
    "punched",
    "pushed",
    "refused",
    "refuses",
    "attends",
    "attended",
    "plays",
    "played",
    "cried",
    "ate",
    "failed",
    "won",
    "wins",
    "swam",
    "swims",
    "sang",
    "sings",
    "captained",
    "competed",
    "represented",
    "apologised",
    "swore",
    "borrowed",
    "learned",
    "learnt",
    "wrote",
    "drew",
];

/// Behind these the verb follows.
pub(super) const ADVERBS: &[&str] =
    &["now", "also", "still", "already", "again", "often", "always", "never", "just", "recently", "only"];

/// Behind a name, before what somebody is part of.
const BEING: &[&str] = &["is", "was", "has", "will", "may", "isnt", "wasnt"];

/// What children belong to, compete in and win.
const PURSUITS: &[&str] = &[
    "team",
    "squad",
    "club",
    "choir",
    "orchestra",
    "band",
    "cast",
    "match",
    "tournament",
    "championship",
    "cup",
    "medal",
    "trophy",
    "gala",
    "fixture",
    "relay",
    "rehearsal",
];

/// Directly behind the name that ends at `to` stands what people do, or that somebody is in a team.
pub(super) fn done(line: &Line<'_>, to: usize) -> bool {
    let text = &line.text;
    let follows = |at: usize| text.tokens.get(at).is_some_and(|token| token.gap.blank());
    let verb = to + usize::from(follows(to) && is(ADVERBS, text.word(to)));
    if !follows(verb) {
        // `The pupil we spoke of (Oliver Ford) won …`
        let closed = text.tokens.get(verb).is_some_and(|token| token.gap.only(Gap::CLOSE.or(Gap::SPACE)));
        return closed && does(line, verb);
    }
    does(line, verb)
}

fn does(line: &Line<'_>, verb: usize) -> bool {
    let text = &line.text;
    is(OF_PEOPLE, text.word(verb))
        || (is(BEING, text.word(verb))
            && matches!(text.word(verb + 1), "in" | "on" | "captain" | "joining" | "playing" | "part" | "been" | "be")
            && (verb + 2..text.tokens.len())
                .take(limits::NAME_REACH)
                .inspect(|_| step(1))
                .take_while(|&at| line.sentence[at] == line.sentence[verb])
                .any(|at| is(PURSUITS, text.word(at))))
}

/// `- Ivy Savage: the chess cup is on Saturday`: words at the head of an item or a line, set off from what children take part in.
pub(super) fn heads(line: &Line<'_>, from: usize, to: usize) -> bool {
    let text = &line.text;
    let opens = from == 0
        || text.tokens[from].gap.has(Gap::BULLET.or(Gap::NEWLINE))
        || (from == 1 && text.tokens[0].kind == TokenKind::Number);
    let Some(next) = text.tokens.get(to) else { return false };
    let set_off = next.gap.has(Gap::COLON) || (next.gap.has(Gap::HYPHEN) && next.gap.has(Gap::SPACE));
    let here =
        (to..text.tokens.len()).take(limits::NAME_REACH).take_while(|&at| line.sentence[at] == line.sentence[to]);
    opens && set_off && here.into_iter().any(|at| is(PURSUITS, text.word(at)))
}

/// A text tells of what children take part in.
pub(super) fn pursued(text: &Text<'_>) -> bool {
    text.tokens.iter().any(|token| is(PURSUITS, text.norm(token)))
}

/// What a figure is of.
const MEASURED: &[&str] = &[
    "score",
    "scored",
    "scores",
    "mark",
    "marks",
    "result",
    "results",
    "attendance",
    "absence",
    "grade",
    "test",
    "exam",
    "mock",
    "assessment",
    "paper",
];

/// Figures of these are nobody's own.
const OF_MANY: &[&str] = &[
    "school", "schools", "class", "classes", "cohort", "average", "national", "whole", "overall", "group", "groups",
    "pupils", "students", "children", "staff", "all", "everyone",
];

/// In a sentence, from a token on, a figure of attendance or a result, said of nobody else: `34 out of 60 in the mock`.
pub(super) fn figure(line: &Line<'_>, sentence: u32, from: usize) -> bool {
    if !line.all_marks.has(Marks::DIGIT) {
        return false;
    }
    let text = &line.text;
    let here = || {
        let reached = (from..text.tokens.len()).take(limits::NAME_REACH).inspect(|_| step(1));
        reached.take_while(|&at| line.sentence[at] == sentence)
    };
    here().any(|at| measure(text, at))
        && here().any(|at| is(MEASURED, text.word(at)))
        && !here().any(|at| is(OF_MANY, text.word(at)))
}

/// `91.2%`, `14 out of 20`.
pub(super) fn measure(text: &Text<'_>, at: usize) -> bool {
    let token = &text.tokens[at];
    token.kind == TokenKind::Number
        && (text.folded()[token.end()..].starts_with('%')
            || matches!(text.word(at + 1), "percent")
            || (text.word(at + 1) == "out" && text.word(at + 2) == "of"))
}

/// `Bonnie Day, 7, has`, `Bonnie Day (aged 7)`: the token behind the age of a pupil.
pub(super) fn behind_age(text: &Text<'_>, to: usize) -> Option<usize> {
    let word = matches!(text.word(to), "aged" | "age");
    let number = to + usize::from(word);
    let age = text.tokens.get(number).filter(|token| token.kind == TokenKind::Number)?;
    let pupils = text.norm(age).parse().is_ok_and(|age: u8| limits::PUPIL_AGES.contains(&age));
    // `Rose Hill, 7, Elm Row, 9` are places with numbers.
    let goes_on = |next: &Token| next.gap.has(Gap::COMMA) && next.case == Case::Lower;
    let set_off = age.gap.has(Gap::COMMA) && text.tokens.get(number + 1).is_some_and(goes_on);
    (pupils && (word || set_off)).then_some(number + 1)
}

#[cfg(test)]
mod tests {
    use crate::detect::{Correspondence, Tier, detect};
    use crate::people::{Pupil, School};
    use crate::text::{Block, Document, Halt, Kind};

    fn school() -> School {
        let pupil = |id: &str, forename: &str, surname: &str| Pupil {
            id: id.into(),
            forename: forename.into(),
            surname: surname.into(),
            form: "7R".into(),
            year_group: "7".into(),
            ..Pupil::default()
        };
        let pupils = vec![
            pupil("B", "Bonnie", "Day"),
            pupil("S", "Skye", "Bell"),
            pupil("R", "Rose", "Hill"),
            pupil("G", "Glen", "de Buitléir"),
            pupil("Z", "Zara", "Harris"),
        ];
        School { pupils, ..School::default() }.indexed()
    }

    fn found(text: &str) -> (String, Option<Tier>) {
        let school = school();
        let blocks = text.split("\n\n").map(Block::paragraph).collect();
        let documents = [Document { kind: Kind::Body, place: "body".into(), blocks }];
        let found = detect(&documents, &[], &school, &Correspondence::default(), &Halt::default());
        let ids = found.pupils.iter().map(|p| school.pupil(p.pupil).unwrap().id.as_str()).collect();
        (ids, found.pupils.first().map(|pupil| pupil.tier))
    }

    #[test]
    fn two_words_that_do_what_people_do_are_a_name() {
        for (text, want) in [
            ("Bonnie Day won the chess cup on Saturday.", "B"),
            ("We hear that BONNIE DAY won the chess cup.", "B"),
            ("Skye Bell is in the football team this week.", "S"),
            ("The pupil we spoke of (Skye Bell) is in the football team.", "S"),
            ("As of today skye bell is entitled to free school meals.", "S"),
            ("skye bell scored 34 out of 60 in the maths mock.", "S"),
            ("bonnie day now lives with a foster carer.", "B"),
            ("bonnie day is in the football team this week.", "B"),
            ("Re: Skye Bell\n\nThe chess cup is to be handed over.", "S"),
            ("Hello,\n\nRe: Glen de Buitléir\n\nThe chess cup is to be handed over.", "G"),
            ("Glen de Buitléir is away.", "G"),
            ("please ring home, bonnie day was sick in maths", "B"),
            ("For today:\n\n- Bonnie Day: the chess cup is on Saturday.", "B"),
            ("For today:\n\n1. Bonnie Day – the match is on Saturday.", "B"),
            ("For today:\n\nRose Hill – the match is on Saturday.", ""),
            ("It was a bonnie day in the hills.", ""),
            ("It was a bonnie day and the team won.", ""),
            ("a bonnie day has 34 out of 60 points in the mock", ""),
            ("The Skye bell is rung on Saturday.", ""),
            ("We walked up Rose Hill and the team won.", ""),
            ("The Rose Hill team is in the cup.", ""),
            ("the match is at rose hill on Saturday", ""),
            ("rose hill has asthma", "R"),
            ("Bonnie Day, 7, has said that nobody came.", "B"),
            ("Rose Hill, aged 7, was there.", "R"),
            ("Rose Hill, 7, Elm Row, 9, and then the church.", ""),
            ("Rose Hill, 47, has said that nobody came.", ""),
            ("Rose Hill, 7 miles from here, was shut.", ""),
        ] {
            assert_eq!(found(text).0, want, "{text}");
        }
    }

    #[test]
    fn a_figure_below_a_name_is_a_record() {
        for (text, want) in [
            ("Zara Harris\n\nThe attendance this term is 82%.", Tier::Record),
            ("Zara Harris\n\nThe score in the maths mock was 34 out of 60.", Tier::Record),
            ("Zara Harris\n\nThe chess cup is on Saturday.", Tier::Mention),
            ("Zara Harris\n\nThe ticket is 20% off.", Tier::Mention),
            ("Zara Harris\n\nAttendance of all pupils this term is 95%.", Tier::Mention),
            ("Zara Harris\n\nThe whole school attendance this term is 95%.", Tier::Mention),
            ("Zara Harris\n\nThe attendance at the concert was low.", Tier::Mention),
        ] {
            assert_eq!(found(text).1, Some(want), "{text}");
        }
    }
}
