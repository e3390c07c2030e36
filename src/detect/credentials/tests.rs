use super::*;
use crate::detect::layout::Layout;
use crate::detect::scene::Laid;
use crate::people::School;
use crate::text::{Block, Document, Halt, Row, Table};

/// Places of the credentials of some documents.
fn in_documents(documents: &[Document]) -> Vec<String> {
    let (school, halt) = (School::default(), Halt::default());
    let layout = Layout::new(documents, &school, &halt);
    let laid = Laid::all(&layout);
    let scene = Scene::new(documents, &layout, &laid, &school, &halt);
    find(&scene).into_iter().map(|(at, range, _)| scene.lines[at].text.folded()[range].to_owned()).collect()
}

fn paragraphs(kind: Kind, text: &str) -> Document {
    let blocks = text.split("\n\n").map(|text| Block::Paragraph { text: text.into(), detail: None });
    Document { kind, place: "body".into(), blocks: blocks.collect() }
}

fn in_text(text: &str) -> Vec<String> {
    in_documents(&[paragraphs(Kind::Body, text)])
}

fn table(rows: &[&[&str]]) -> Document {
    let row = |cells: &&[&str]| Row { cells: cells.iter().map(|&c| c.into()).collect(), ..Row::default() };
    let table = Table::of(None, rows.iter().map(row));
    Document { kind: Kind::Attachment, place: "list.xlsx".into(), blocks: vec![Block::Table(table)] }
}

#[test]
fn every_label_with_every_joiner() {
    const LABELS: [&str; 16] = [
        "password",
        "Password",
        "pass word",
        "passcode",
        "pass phrase",
        "passphrase",
        "pw",
        "pwd",
        "PW",
        "p/w",
        "Wi-Fi password",
        "your new password",
        "the password for the laptop",
        "The password to open it",
        "the Google Classroom password",
        "username oakclass, password",
    ];
    const JOINERS: [&str; 10] = [": ", ":", " = ", "=", " is ", " is now ", " - ", " is: ", " will be ", " is \""];
    const VALUES: [&str; 6] = ["Larch-88-kettle", "Hazelnut42!", "foo12345", "Tiger_99", "xK4!mm2Q", "Kettle#7"];
    for label in LABELS {
        for joiner in JOINERS {
            for value in VALUES {
                let close = if joiner.ends_with('"') { "\"" } else { "" };
                let text = format!("Hello Jan,\n\nfor tomorrow {label}{joiner}{value}{close}.\n\nSue");
                let value = value.trim_end_matches('!');
                assert_eq!(in_text(&text), [value], "{text}");
            }
        }
    }
}

#[test]
fn codes_of_locks() {
    const LOCKS: [&str; 12] = [
        "door code",
        "gate code",
        "alarm code",
        "key safe code",
        "keypad code",
        "PIN",
        "pin number",
        "padlock",
        "padlock code",
        "entry code",
        "keysafe",
        "safe combination",
    ];
    for lock in LOCKS {
        for (joiner, ends) in [(": ", ""), (" is ", "."), (" ", ""), (" is now ", " and it sticks"), (" = ", ",")] {
            for value in ["4471C", "2580", "C1357X", "1234#"] {
                let text = format!("The {lock}{joiner}{value}{ends}");
                assert_eq!(in_text(&text), [value], "{text}");
            }
        }
    }
}

#[test]
fn written_out_however_it_is_set() {
    let mut wrong = Vec::new();
    for text in [
        "The password is Foo123.",
        "Password: bluebell",
        "The spreadsheet opens with Turnstone41.",
        "The back door, 3 9 2 6 then push.",
        "Spare set in the safe in the boiler room: 5 0 1 1 9",
        "the password is sunflower",
        "The password is \"conker\"",
        "you can see the list on the booking site: user oakclass, password Larch-88-kettle.",
        "log in with oakclass / Larch-88-kettle.",
        "Login: oakclass / Larch-88-kettle",
        "Log-in details: oakclass Larch-88-kettle",
        "sign-in details - oakclass, Larch-88-kettle",
        "Username/password: oakclass/Larch-88-kettle",
        "U: oakclass P: Larch-88-kettle",
        "Username: oakclass\nPassword: Larch-88-kettle",
        "Password\nLarch-88-kettle",
        "Password:\nLarch-88-kettle",
        "password (Larch-88-kettle)",
        "The code for the gate is 4471C",
        "The code for the side gate is 4471C.",
        "The gate is locked at four; the code is 4471C.",
        "Type 4471C into the keypad by the door",
        "Wi-Fi key: 7f3kd92mxx",
        "API key = sk_live_48fh3kf93kd02",
        "It's protected: Larches-41-kettle",
        "It opens with Larches-41-kettle",
        "Please use Larches-41 as the password",
        "Larches-41-kettle is the new password",
        "Sorry! It's Larches-41-kettle\n\nthe password does not work",
        "The password for the attached file\n\nHazelnut42!",
        "passphrase: purple kettle seven window",
        "Here is the list. To open it you will need a password, which for this year is\nLarch-88-kettle. Please keep it safe.",
        "Name,Username,Password\nOak class,oakclass,Larch-88-kettle",
        "User\tPassword\noakclass\tkettle",
    ] {
        let found = in_text(text);
        if found.len() != 1 {
            wrong.push((text, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(in_text("back gate padlock is 2580, side door keypad C1379Y"), ["2580", "C1379Y"]);
    for (rows, want) in [
        (&[&["User", "Password"][..], &["oak", "Larch-88-kettle"], &["ash", "kettle"]][..], 2),
        (&[&["Site", "Password for it", "Notes"], &["maths", "Ninefold7", "ask Jo"]], 1),
        (&[&["Room", "Door code"], &["Hall", "4471C"], &["Store", "2580"]], 2),
        (&[&["Username", "oakclass"], &["Password", "Larch-88-kettle"]], 1),
        (&[&["User", "Password changed"], &["oak", "12/03/2026"]], 0),
        (&[&["User", "Password"], &["oak", "sent separately"], &["ash", "changed"], &["elm", ""]], 0),
        (&[&["Course", "Code"], &["Maths", "MA4471"]], 0),
    ] {
        assert_eq!(in_documents(&[table(rows)]).len(), want, "{rows:?}");
    }
    let subject = paragraphs(Kind::Subject, "Password for the file");
    assert_eq!(in_documents(&[subject, paragraphs(Kind::Body, "Hazelnut42!")]).len(), 1);
}

#[test]
fn talked_about_or_of_another_kind() {
    let mut wrong = Vec::new();
    for text in [
        "Please reset your password.",
        "The fair opens with Year4 and the mayor.",
        "The report opens with Chapter1 and a map.",
        "We won 3 2 at the gate end.",
        "Numbers to learn for the door game: 1 2 3",
        "reset your password here: https://id.example/reset?token=Ab12Cd34",
        "Never share your password with anyone.",
        "I will send the password separately.",
        "The password is on its way.",
        "The password is wrong again.",
        "The password is required.",
        "Password: sent separately",
        "Password: required",
        "Password: ________",
        "Username:\nPassword:\nForm 7K2026",
        "Your password is about to expire",
        "Your password expires in 5 days",
        "The file is password-protected: Report-2026.docx",
        "A password-protected copy, ref AB12-CD34, is attached.",
        "Passwords must have 12 characters, as in policy IT-2024b.",
        "My password manager is Bitwarden2",
        "Password reset code: see the app",
        "The Year 6 door is by gate 3",
        "The door is 1981 x 762 mm",
        "The gate needs 2500 screws",
        "Dress code: non-uniform",
        "Code of conduct: v2026",
        "Booking code: XK4471C2",
        "Discount code SAVE2026",
        "Use code SUMMER25 at the checkout",
        "Your voucher code is H7K2-99PL",
        "The course code is 8300H.",
        "Product code: 44718",
        "The postcode for the gate is BS48 4DJ.",
        "Error code 0x80070005 on the photocopier",
        "The door contractor wrote.\nOrder 4471C is on its way.",
        "Please pin GB2026x to the board",
        "password = get_password(user1)",
        "if (password == Foo123) { exit(1); }",
        "<input type=password size=\"2\">\nexit(1);",
        "Zoom meeting\n\nJoin Zoom Meeting\nhttps://zoom.us/j/345678901?pwd=Ab12Cd34\nMeeting ID: 345 678 901\nPasscode: tR4kQ9",
        "Join the meeting now\nMeeting ID: 345 678 901 234\nPasscode: tR4kQ9",
        "Dial-in by phone +44 20 3481 5237\n\nPIN: 445781#",
        "Key stage 2: SATs2026 dates are out",
        "The gate is locked after 4.\n\nXk39Fq2LmN\n\nThanks",
        "Login page: www.school2.example/login",
    ] {
        let found = in_text(text);
        if !found.is_empty() {
            wrong.push((text, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Another credential stays one beside a meeting.
    let text = "Join the meeting now\nMeeting ID: 345 678 901\nPasscode: tR4kQ9\n\nThe alarm code is 2580.";
    assert_eq!(in_text(text), ["2580"]);
}

/// Numbers that look thrown, the same each time.
struct Thrown(u64);

impl Thrown {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    /// Letters and digits of a kind of text.
    fn odd(&mut self, length: usize, from: &[u8]) -> String {
        (0..length).map(|_| char::from(from[self.below(from.len())])).collect()
    }
}

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8] = b"0123456789abcdef";
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// What everyday messages say of codes, gates, locks and passwords without giving one.
const SPOKEN: &[&str] = &[
    "The gate will be locked at half past four.",
    "Please park by the back door, not at the gate.",
    "All staff have read the code of conduct.",
    "The laptop is encrypted, as are the memory sticks.",
    "I have forgotten my password again; can you reset it?",
    "Your password expires in 5 days.",
    "The file is password protected and I will ring you with the password.",
    "The key to the shed is on its hook.",
    "Pin the notice to the board, please.",
    "The code does not compile since the merge.",
    "The account was locked after three tries.",
    "Log in to the portal to see the invoice.",
    "Unlock the front gate before eight, please.",
    "The alarm went off twice this week.",
    "Do not use the same password on two sites.",
    "Two-factor codes come by text message.",
    "The Wi-Fi in the hall is slow today.",
    "We now store the private key on a token.",
    "Sign in to the tracker to follow this ticket.",
    "The door contractor comes on Monday.",
];

/// A piece of a message that holds odd words.
fn piece(thrown: &mut Thrown) -> String {
    let t = thrown;
    let line = |t: &mut Thrown, n| t.odd(n, BASE64);
    match t.below(20) {
        0 => format!(
            "-----BEGIN PGP SIGNATURE-----\nVersion: GnuPG v2.0.22\n\n{}\n{}\n={}\n-----END PGP SIGNATURE-----",
            line(t, 64),
            line(t, 37),
            line(t, 4)
        ),
        1 => format!("{}\n{}\n{}==", line(t, 76), line(t, 76), line(t, 22)),
        2 => format!("<td width=\"{}\" bgcolor=#{}><font\nsize=\"2\">\n&nbsp;", t.below(900), t.odd(6, HEX)),
        3 => format!(
            "  if (err != 0) {{\n    exit(1);\n  }}\n  key = lookup(map, k{});\n  return ret{};",
            t.below(9),
            t.below(9)
        ),
        4 => format!(
            "diff --git a/lock{0}.c b/lock{0}.c\nindex {1}..{2} 100644\n@@ -1,7 +1,9 @@\n-  pin = GPIO{3};\n+  pin = PA{3}_IN;",
            t.below(9),
            t.odd(7, HEX),
            t.odd(7, HEX),
            10 + t.below(30)
        ),
        5 => format!("commit {}\nAuthor: buildbot\n\n    Merge PR-{}", t.odd(40, HEX), t.below(9999)),
        6 => format!("[{}] INFO door-ctl{} state=locked code={} ok", t.below(99999), t.below(9), t.below(400)),
        7 => format!("Ticket: INC{:07}\nPriority: P{}\nQueue: IT-{}", t.below(9_999_999), t.below(4), t.odd(4, UPPER)),
        8 => format!(
            "https://click.mail.example/ls/click?upn={}-2B{}&code={}",
            line(t, 30).replace('/', "-"),
            t.odd(9, UPPER),
            t.odd(8, HEX)
        ),
        9 => format!(
            "Order confirmation\nOrder no. {}-{}\nItem code: {}\nQty 2 at 14.99",
            t.odd(3, UPPER),
            t.below(99_999),
            t.odd(7, UPPER)
        ),
        10 => format!("Booking reference\n{}\nCheck-in code: {}", t.odd(6, UPPER), t.odd(6, UPPER)),
        11 => format!("Use code {}{} for 10% off until Sunday", t.of(&["SAVE", "SUMMER", "BACK2SCHOOL"]), t.below(99)),
        12 => format!(
            "_______________________________________________\nlist mailing list\nlist@lists.example\nUnsubscribe: {}",
            t.odd(12, HEX)
        ),
        13 => format!(
            "Message-ID: <{}.{}@mx{}.example>\nX-Spam: {}",
            t.odd(12, HEX),
            t.below(99),
            t.below(9),
            t.odd(10, UPPER)
        ),
        14 => format!(
            "make[{}]: *** [lib{}.so.{}] Error {}\ncc1plus: -O2 -fPIC -m64",
            t.below(4),
            t.odd(4, HEX),
            t.below(9),
            t.below(3)
        ),
        15 => format!(
            "Error code 0x{} while printing\nDriver v{}.{}b{}",
            t.odd(8, HEX),
            t.below(9),
            t.below(9),
            t.below(99)
        ),
        16 => format!(
            "Join Zoom Meeting\nhttps://zoom.us/j/{}?pwd={}\nMeeting ID: {}\nPasscode: {}",
            t.below(999_999_999),
            t.odd(12, UPPER),
            t.below(999_999_999),
            t.odd(6, UPPER)
        ),
        17 => format!(
            "Course code {}{}\nRoom {}{}",
            t.odd(2, UPPER),
            100 + t.below(900),
            t.of(&["B", "C"]),
            10 + t.below(80)
        ),
        18 => format!(
            "Tracking number\n{}{}GB\nParcel {}",
            t.odd(2, UPPER),
            100_000_000 + t.below(899_999_999),
            t.odd(11, UPPER)
        ),
        _ => format!("Sent from my iPhone{}\nBuild {}.{}", 10 + t.below(7), t.odd(5, UPPER), t.below(99)),
    }
}

#[test]
fn at_most_one_everyday_message_in_a_thousand_holds_one() {
    const MESSAGES: usize = 3_000;
    let mut thrown = Thrown(0x5eed_1e55_0bad_cafe);
    let mut wrong = Vec::new();
    for _ in 0..MESSAGES {
        let breaks = ["\n\n", "\n", "\n\n"];
        let mut text = "Hello,".to_owned();
        for _ in 0..2 + thrown.below(5) {
            text.push_str(thrown.of(&breaks));
            let next = if thrown.below(2) == 0 { thrown.of(SPOKEN).to_owned() } else { piece(&mut thrown) };
            text.push_str(&next);
        }
        let found = in_text(&text);
        if !found.is_empty() {
            wrong.push((found, text));
        }
    }
    let samples: Vec<_> = wrong.iter().take(12).collect();
    assert!(wrong.len() * 1_000 <= MESSAGES, "{} of {MESSAGES}: {samples:#?}", wrong.len());
}
