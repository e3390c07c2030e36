use super::*;
use crate::detect::layout::Layout;
use crate::detect::scene::Laid;
use crate::people::School;
use crate::text::Halt;
use crate::text::{Document, Kind as Place};

fn offends(text: &str) -> bool {
    let documents = [Document::of_text(Place::Body, "body", text)];
    let school = School::default();
    let halt = Halt::default();
    let layout = Layout::new(&documents, &school, &halt);
    let laid = Laid::all(&layout);
    let scene = Scene::new(&documents, &layout, &laid, &school, &halt);
    !find(&scene).is_empty()
}

#[track_caller]
fn all(texts: &[&str], want: bool) {
    let wrong: Vec<_> = texts.iter().filter(|text| offends(text) != want).collect();
    assert!(wrong.is_empty(), "offends: {}, {wrong:#?}", !want);
}

#[test]
fn the_shipped_file_is_sound() {
    let language = read(EMBEDDED).unwrap();
    assert!(language.says.len() > 1_000);
    assert!(read("[lists]\n[near]\n[[entry]]\nkind = 'abuse'\nsays = ['a <b>']").is_err());
    assert!(read("[lists]\n[near]\n[[entry]]\nkind = 'abuse'\nsays = ['a']\nunless = ['b']").is_err());
}

#[test]
fn slurs_and_swearing() {
    all(
        &[
            "You are a f***ing disgrace",
            "what a r*tard",
            "I will break your legs",
            "He is such a w@nker",
            "You fucking liar",
            "those wankers in the office",
            "She is a stupid bitch.",
            "You bitch!",
            "you absolute prick",
            "He's a complete bastard and I hate him",
            "what a dick",
            "You dirty dyke",
            "Get out of here you fat slag",
            "Mrs Bell is such a miserable cow",
            "stupid cow",
            "He is a fucking spastic",
            "you little faggot",
            "I hate fags",
            "a bunch of pakis",
            "He called me and he is an utter tosser",
            "Your boss is a lying bastard",
            "You are a useless prick and a needle would be too good for you",
            "go back to your own country",
            "dirty gypsies",
            "All Muslims are terrorists? No: immigrants are vermin",
            "You're pathetic",
            "Your referee is a useless bastard",
            "The driver was an ignorant pig to all of us",
            "Tell your captain he plays like a faggot",
            "She walks like a cripple",
        ],
        true,
    );
}

#[test]
fn names_places_animals_terms_and_dishes() {
    all(
        &[
            "I would bend that over and staple it",
            "The coach leaves for Scunthorpe via Penistone, Clitheroe, Cockermouth and Lightwater.",
            "Dick Turpin and the cockerel",
            "The songs that Dick Van Dyke sang",
            "Thank you Dick, see you at the meeting",
            "Moby Dick by Herman Melville",
            "The new oven is an absolute pig to clean",
            "The light came through like a chink in a curtain",
            "He eats like a pig when there is custard",
            "bound like a faggot of sticks",
            "A walk along Offa's Dyke; the dyke is eight feet high.",
            "The dykes burst and the fen was flooded",
            "Are you going to the dyke on Sunday?",
            "Mr Hancock, Mrs Cockburn, Ms Dickens, Mr Woodcock and Miss Hitchcock",
            "cocktail sausages and a shuttlecock",
            "The bitch had six puppies",
            "Our vet says the bitch is due to whelp on Monday",
            "She is a lovely bitch, two years old, pedigree spaniel",
            "William the Conqueror was called William the Bastard",
            "a bastard file and a bastard sword",
            "Please prick the potatoes with a fork before you bake them",
            "You prick your finger with the lancet",
            "a finger prick test and a pin prick",
            "faggots and peas on Thursday, spotted dick for pudding",
            "They carried faggots of brushwood to the bonfire",
            "A Maine Coon cat called Ted",
            "a chink of light under the door, a chink in the armour",
            "The slag heap above Aberfan",
            "slag from the blast furnace",
            "spastic diplegia and spastic bladder",
            "fire retardant curtains",
            "intrauterine growth retarded",
            "It vanished in a poof of smoke",
            "blue tits and great tits at the feeder",
            "The old cow gave milk until March, a fat cow sells well",
            "The pig is in the barn and the cows are out",
            "an ass and a mule, the queer light of evening",
            "a cock crowed, the weather cock turned",
            "Tiny Tim is a cripple in the novel by Dickens",
            "Balaam's ass spoke",
            "The queers of the past are the subject of the talk",
        ],
        false,
    );
}

#[test]
fn what_is_meant_to_hurt_needs_no_slur() {
    all(
        &[
            "Gas the Jews",
            "I'd bend him over the desk",
            "would love to get in her knickers, id bonk her",
            "gas all the Muslims",
            "We should kill all immigrants",
            "lets kill all gays",
            "Someone should lynch those refugees",
            "I want to kill all the teachers",
            "Hang all the travellers",
            "Jews should be gassed",
            "Gays deserve to die",
            "send all the foreigners home",
            "you should kill yourself",
            "Just go and kill yourself",
            "why don't you go and die",
            "I hope you get cancer",
            "You deserve to be shot",
            "somebody should shoot him",
            "nobody would miss you",
            "the world would be better off without you",
            "I'll kill you",
            "I am going to stab him",
            "We will smash your face in",
            "my brother will break your jaw",
            "I know where you live",
            "You'll regret this",
            "there is a bomb in the school",
            "send me nudes",
            "Send me some naked pictures",
            "show me your tits",
            "I want to shag you",
            "come and sleep with me",
            "I'd love to see you naked: I want you naked",
            "take your top off for me",
            "pictures of you naked",
            "suck my cock",
            "nice tits",
        ],
        true,
    );
}

#[test]
fn lessons_farms_and_safety() {
    all(
        &[
            "gas was used in the trenches",
            "They killed all the soldiers",
            "The Nazis planned to kill all Jews in Europe.",
            "Hitler ordered the army to kill all the Poles",
            "Nazi propaganda said that Jews are vermin",
            "Herod gave the order to kill all the boys",
            "In 1290 the king wrote: send all the Jews home",
            "Bleach can kill all the bacteria",
            "Please hang the girls' paintings in the hall",
            "Shoot the boys at nine and the girls at ten, says the photographer",
            "Burn the whites no longer than needed; gas the chamber",
            "Smoking can kill you",
            "The exam won't kill you",
            "You're going to break your neck on that ladder",
            "Watch your back when lifting: good posture helps",
            "You will regret not coming to the fair",
            "We know you live nearby",
            "It was hard for you",
            "Show me your work, show me your homework",
            "A book that turns me on to poetry",
            "in bed with flu",
            "The sleepover: who will sleep in the tent with me?",
            "Sinners go to hell in the sermon",
            "John Agard's poem Half-Caste is in the anthology",
            "In Act 3 he says I will kill you",
            "How to kill slugs without harming hedgehogs",
            "Romeo would die for Juliet",
            "drowned in paperwork, killed the mood, murdered the song",
            "If you cut your finger, wash it",
            "we will shoot the film in the hall",
            "teachers should be there by nine; pupils should all be in uniform",
            "5 * 4 = 20 and 3*3",
        ],
        false,
    );
}

#[test]
fn what_was_said_is_reported() {
    all(
        &[
            "He called her a 'bitch' in the corridor",
            "She shouted \"fuck off\" at the TA",
            "Tyler called another pupil a stupid fat bitch.",
            "The graffiti reads \"kill all gays\"",
            "He told her \"you should kill yourself\" at lunch",
            "She wanted to kill herself",
            "the word nigger is used in Of Mice and Men",
            "In the message he wrote 'send me nudes'",
        ],
        false,
    );
}

/// So many of [`HURTS`] are heard at the least. Raise it when more are; never lower it.
const HEARD: usize = 16;

/// So many of [`HURTS_NOBODY`] are heard at the most: `Please send them all back to the office`. Lower it when fewer are.
const IN_VAIN: usize = 1;

/// Written apart from the lines of `language/`: none of their words has to be on a list.
const HURTS: &[&str] = &[
    "You are quite simply the laziest person I have ever had to work with.",
    "Frankly your mother should have kept you in bed that day and every day since.",
    "Nobody likes you here, nobody ever has, and we shall all cheer when you go.",
    "Are you really that dim or do you practise in front of the mirror?",
    "I would rather listen to a drain than to another word from you.",
    "She is a spiteful little gossip with the brains of a hamster.",
    "Your whole family is rotten and everybody in the village knows it.",
    "If brains were petrol you could not drive an ant round the playground.",
    "He is a pathetic excuse for a teacher and a laughing stock.",
    "You make me sick, you nasty, bitter old man.",
    "What do you expect from people like that, they do not wash and they do not work.",
    "Women should not be let near a budget, look at the mess this one made.",
    "These people come over here and breed and we pay for their school dinners.",
    "He talks like a girl and walks like one, somebody should straighten him out.",
    "I do not want that sort teaching my children, it is unnatural.",
    "Send them all back where they came from, starting with that family in number nine.",
    "One more letter from you and you will be eating through a straw.",
    "I know which car is yours and tyres are easily cut.",
    "Watch your back on the way home tonight.",
    "Say one word to the governors and I will make sure you never work again, and that is the least of it.",
    "You will regret this when my brothers come round.",
    "I could not stop looking down your blouse in that meeting, wear it again on Friday.",
    "Nice backside on the new temp, I would not say no to a private lesson.",
    "Shut up and get out of my sight, you disgusting creature.",
    "Do us all a favour and walk under a bus.",
    "That woman is a poisonous toad and I hope her cake sinks.",
    "You people are parasites, every last one of you.",
    "The man is a fool, his wife is a bigger fool and the child is the proof.",
    "I hope your dog dies and you with it.",
    "You could not teach a duck to swim, you useless lump.",
];

/// Near them, and meant to hurt nobody.
const HURTS_NOBODY: &[&str] = &[
    "You are quite simply the kindest person I have ever had to work with.",
    "Your mother rang and asked that you be kept in at break, it is so cold.",
    "Nobody has brought a pencil again and we shall all be glad of the new stock.",
    "I would rather have the drain looked at before the inspectors come.",
    "She told us that a girl had called her a spiteful little gossip.",
    "Your whole family is invited and everybody in the village is coming.",
    "If petrol were cheaper we could drive the minibus to the coast.",
    "He felt like a laughing stock after the assembly, could you have a word with him?",
    "The smell from the kitchen made two children sick this morning.",
    "People like that firm do not answer letters, so please ring them.",
    "The women's football team would like the pitch on Friday.",
    "Families who come over from Ukraine may have free school dinners, the form is attached.",
    "He walks with a stick at present, somebody should carry his bag.",
    "Please send them all back to the office, starting with class nine.",
    "One more letter from the council and we shall have to answer.",
    "I know which car is yours, you have left the lights on.",
    "Watch the step on the way home tonight, it is icy.",
    "Say a word to the governors about the roof, it will not last the winter.",
    "My brothers will come round on Saturday to lift the piano.",
    "I could not stop laughing in that meeting, thank you for the cartoon.",
    "The new temp is very good and would like a music lesson.",
    "Please shut the gate and keep the dogs out of sight of the lambs.",
    "The toad is poisonous, so look and do not touch.",
    "The class learnt about parasites and drew a tapeworm.",
    "Lear is a fool, his daughters are worse, and the fool is the wise one.",
    "I am sorry to hear that your dog died.",
    "Mr Hale taught the ducks to walk in a line, the children loved it.",
    "This is not good enough and I expect the work to be done by Monday.",
    "I am disappointed with how you spoke to my colleague and must ask you to apologise.",
    "Your behaviour at the gate was unacceptable, and if it happens again you will be asked to stay away.",
];

#[test]
fn what_is_on_no_list_is_heard() {
    let count = |texts: &[&str]| texts.iter().filter(|text| offends(text)).count();
    let wrong: Vec<&&str> = HURTS_NOBODY.iter().filter(|text| offends(text)).collect();
    assert!(wrong.len() <= IN_VAIN, "{wrong:#?}");
    let missed: Vec<&&str> = HURTS.iter().filter(|text| !offends(text)).collect();
    println!("heard {} of {}", count(HURTS), HURTS.len());
    assert!(count(HURTS) >= HEARD, "missed {missed:#?}");
}

#[test]
fn what_a_word_means_is_no_language() {
    all(
        &["She wanted to know what a dickhead was.", "I had to tell them what a wanker is, thank you very much."],
        false,
    );
    all(&["What a dickhead.", "what a wanker he was"], true);
}
