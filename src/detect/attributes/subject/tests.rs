//! Sentences of both sides: whose predicate it is.

use super::*;
use crate::detect::layout::sentences;
use crate::detect::marks::Marks;
use crate::detect::vocabulary::VOCABULARY;
use crate::text::TextBuf;

const NAMES: &[&str] = &["imogen", "marcus", "priya", "tomos", "hale", "okafor", "frances"];

/// For each predicate of the text, whether it stays the pupil's.
fn predicates(source: &str) -> Vec<bool> {
    let text = TextBuf::new(source);
    let text = text.text();
    let mut sentence = Vec::new();
    sentences(&text, &vec![Marks::default(); text.tokens.len()], &mut sentence);
    let name = |at: usize| NAMES.contains(&text.word(at));
    let clause = Clause { text: &text, sentence: &sentence, name: &name };
    let hits = VOCABULARY.hits(&text);
    hits.iter().filter(|hit| hit.predicate != Predicate::No).map(|hit| !clause.of_another(hit)).collect()
}

fn all(sentences: &[&str], of_pupil: bool) {
    let mut wrong = Vec::new();
    for sentence in sentences {
        let found = predicates(sentence);
        assert!(!found.is_empty(), "no predicate in: {sentence}");
        if found.iter().any(|&found| found != of_pupil) {
            wrong.push(sentence);
        }
    }
    assert!(wrong.is_empty(), "wanted of the pupil: {of_pupil}, but not so: {wrong:#?}");
}

#[test]
fn of_a_thing_or_of_somebody_else() {
    all(
        &[
            // The writer.
            "I was sick on the ferry and Marcus was not.",
            "Priya saw the wasps; I'm the one who swells up.",
            "The referee was abusive, so Tomos blew up for half time himself.",
            // Things, with article, possessive or name before them.
            "Imogen was in the back row when the stage collapsed.",
            "The gazebo by the pond has collapsed, so Marcus cannot set up there.",
            "A shelf above the radiator collapsed on Friday. Priya's books were on it.",
            "Marcus Hale made the tower; the tower then suddenly collapsed.",
            "Tomos is in the annexe, because the heating is not coping.",
            "Imogen's trombone is away for repair.",
            "Imogen Hale's trombone has been serviced and will be away until May.",
            "The school's minibus was late, so Priya and Tomos missed the first race.",
            "The coach to the museum was late and Priya waited outside.",
            "The train arrives late, so please seat Marcus at the back.",
            "Her parcel went missing in the post.",
            "His printer refused to work, so Tomos has sent it by hand.",
            "Frances asks whether the old scanner is redundant.",
            "The battery in Imogen's calculator has died.",
            "The lining has split and the zip is broken: could Frances have another blazer?",
            "The half-size guitar was damaged in the van; Priya had it last.",
            "The roof of the pavilion is unsafe, so Marcus will bowl indoors.",
            "The offer has been withdrawn, which Tomos knows.",
            "The fixture was suspended at half time, Imogen tells me.",
            "Which of the trays Priya took? The tray which was damaged.",
            "Tomos has the kit; it was damaged when he got it.",
            "Marcus collected the ball. It was kicked by a member of staff.",
            "Sundays are on the ticket for Frances, as the fee was excluded.",
            "An hour later the screen went missing, says Tomos.",
            "Imogen's has collapsed but Priya's will stand.",
            "Marcus's was damaged, and Tomos has lent his.",
            "Priya's is standing and Tomos's collapsed in the night.",
            "Marcus and Tomos say that yours smells of lavender.",
            "Priya has a new stand because the old one collapsed in the middle of a scale.",
            "viola (Imogen Hale), peg damaged; oboe (Marcus Okafor), fine",
            "The bridge that collapsed is in the drawing Frances made.",
            "One of the kites was damaged, but Imogen has tape.",
            "All the samples were damaged and Priya made new ones.",
            "A box of apples was damaged, so Tomos brought pears.",
            "The tower collapsed at once and she has mended it.",
            "Imogen's held for a day. Tomos's collapsed at once and he's mended it. Frances's is standing.",
            "Priya's chair: the frame is bent and the back has split.",
            // Attributes.
            "Could Priya swap the damaged one for another?",
            "Marcus will bring a damaged keyboard for you to mend.",
            "Tomos photographed the collapsed barn.",
            // Adults by their trade.
            "The driver was late, so Imogen got in at ten.",
            "Our plumber has been off since Monday; can Frances use the other room?",
            "The photographer was sick, so Priya's portrait is still to be taken.",
            "The caretaker is away and Tomos has the key to the shed.",
            "The referee was rude, as Marcus will tell you.",
            "A member of staff is off today, so Imogen's lesson moves.",
            "The electrician who was late has now mended Priya's socket.",
            "The examiner has passed away and Marcus will play to another.",
            // Nobody in particular.
            "Tomos left his shoes there and someone has been sick on the mat.",
            "Priya saved the seat, for anybody who was late.",
            "Frances can have the room, nobody is away.",
            "For Imogen's concert: half my choir are away.",
            "For Marcus: most of the class has been off at the weekend, please bring the tests again.",
        ],
        false,
    );
}

#[test]
fn of_the_pupil() {
    all(
        &[
            "Imogen collapsed in PE.",
            "She suddenly collapsed on the stairs.",
            "His lung collapsed last year.",
            "Her left lung has collapsed twice.",
            "Marcus has been away since Monday.",
            "He damaged the door.",
            "The door was damaged by Marcus.",
            "The fence was kicked by him and others.",
            "The bin was kicked by another boy.",
            "It was damaged by one of our pupils.",
            "The wall collapsed on Tomos.",
            "The ball hit Priya.",
            "A dog bit him on the way to school.",
            "Priya's been sick.",
            "Imogen's collapsed!",
            "Marcus's collapsed again in assembly.",
            "Tomos's away.",
            "Frances, who was sick, is back.",
            "Imogen Hale, who has since collapsed, is at home.",
            "The boy who collapsed is Marcus.",
            "The girl in the choir fainted.",
            "A girl on crutches was late.",
            "The goalkeeper collapsed and it was Tomos.",
            "Our captain has been sick.",
            "Her best friend has died.",
            "His grandad passed away on Sunday.",
            "Her mum has been sick all week and Priya helps.",
            "Her brother is away.",
            "The family moved out.",
            "The twins were kicked.",
            "The younger one is absent.",
            "One of the pupils was sick.",
            "A member of my form was sick.",
            "The door was damaged again last week by Marcus.",
            "The teacher says was late",
            "The tutor noticed was away",
            // No subject, and fragments.
            "Collapsed in PE",
            "Fainted",
            "- was sick after lunch",
            "Monday: was late. Tuesday: absent",
            "Priya Okafor - kicked and punched in the corridor",
            "In assembly fainted",
            "After lunch was sick",
            "During the trip was sick",
            "pupil collapsed",
            "Marcus Hale, dizzy, collapsed",
            "Marcus Hale: dizzy, collapsed",
            "felt hot and collapsed",
            // With something else before the verb.
            "He was kicked by a member of the public.",
            "Priya hit the wall and collapsed.",
            "She said the bus was full and was sick on it.",
            "Tomos left the house late.",
            "Tomos was an hour late.",
            "Imogen was a bit late.",
            "The pupil we took to the office was sick.",
            "The child with the splint collapsed.",
            "The girl the ball hit is Imogen.",
            "Imogen and the driver were late.",
            "Imogen, Marcus, and the driver were late.",
            "Tomos (9K) and the coach were late.",
            "The boy that the teacher found unconscious",
            "Tomos, whom the nurse found unconscious, is home.",
            "Her breathing collapsed.",
            "His back collapsed.",
            "a suspended pupil",
            "the excluded boy",
            // Who is named behind.
            "Half my class are away: Imogen, Marcus and Priya.",
            "Somebody has been sick, and it was Tomos.",
            "Most of the choir have been sick, including Frances.",
            "The damaged one was Priya",
        ],
        true,
    );
}
