//! Messages of each trait, and messages that look like it, through [`inspect`]: what fires is what the facts say.

use std::path::Path;

use jiff::Timestamp;

use crate::inspect::{Ground, inspect};
use crate::people::{Correspondent, Guardian, PupilIndex, School, Staff};
use crate::policy::RulePack;
use crate::smtp::{Address, Envelope};

mod business;
mod forwards;
mod places;

const SENDER: &str = "j.bloggs@school.example";

/// A rule a fact, by its name.
const FACTS: &[(&str, &str)] = &[
    ("private-reply", "private_reply = true"),
    ("staff-contact", "staff_contact = true"),
    ("forwarded", "forwarded = true"),
    ("altered", "altered_original = true"),
    ("open-link", "open_link = true"),
    ("for-staff", "audience = [\"staff\"]"),
    ("trade", "business = [\"trade\"]"),
    ("prize", "business = [\"prize\"]"),
    ("gambling", "business = [\"gambling\"]"),
    ("politics", "business = [\"politics\"]"),
    ("for-governors", "audience = [\"governors\"]"),
];

fn ground() -> Ground {
    let staff = |forename: &str, surname: &str, email: &str, mail: Option<&str>, phone: &str| Staff {
        forename: forename.into(),
        surname: surname.into(),
        email: email.into(),
        private_email: mail.map(str::to_owned),
        private_phone: Some(phone.into()).filter(|p: &String| !p.is_empty()),
        ..Staff::default()
    };
    let guardian = |email: &str| Guardian {
        email: Some(email.into()),
        phone: "07700 900500".into(),
        pupils: vec![PupilIndex(0)],
        ..Guardian::default()
    };
    let school = School {
        domains: vec!["school.example".into()],
        telephone: "01632 960000".into(),
        pupils: vec![crate::people::Pupil {
            id: "P1".into(),
            forename: "Orsolya".into(),
            surname: "Quillfeather".into(),
            ..Default::default()
        }],
        guardians: vec![guardian("mum.quill@gmail.com"), guardian("parent.teacher@gmail.com")],
        staff: vec![
            staff("Jo", "Bloggs", SENDER, Some("jolly.green@hotmail.co.uk"), "07700 900123"),
            staff("Nia", "Vance", "n.vance@school.example", Some("nia.vance@gmail.com"), "+44 7700 900456"),
            staff("Pat", "Teach", "p.teach@school.example", Some("parent.teacher@gmail.com"), "01632 960123"),
        ],
        correspondents: vec![Correspondent { trusted: false, pattern: "firm.example".into(), name: "A firm".into() }],
        ..School::default()
    }
    .indexed();
    let mut pack = String::from("name = \"facts\"\n");
    for (id, when) in FACTS {
        pack.push_str(&format!(
            "[[rule]]\nid = \"{id}\"\naction = \"warn\"\nbreach = false\nwhy = \"w\"\nremedy = \"r\"\nwhen = [{{ {when} }}]\n"
        ));
    }
    let pack = RulePack::parse(Path::new("facts.toml"), &pack).expect("a pack");
    Ground {
        school: std::sync::Arc::new(school),
        pack,
        confidential_markers: Vec::new(),
        bulk_pupils: 10,
        roles: Default::default(),
        permitted: Default::default(),
        times: Default::default(),
        dkim_keys: Default::default(),
        version: Default::default(),
    }
}

/// The facts that are true of a message from the sender to one recipient.
fn facts_of(ground: &Ground, to: &str, raw: &str) -> Vec<String> {
    let address = |text: &str| Address::parse(text).expect("an address");
    let envelope = Envelope::new(Some(address(SENDER)), vec![address(to)]);
    let raw = raw.replace('\n', "\r\n");
    inspect(ground, &envelope, raw.as_bytes(), Timestamp::UNIX_EPOCH).rules.into_iter().map(|rule| rule.id).collect()
}

/// A message of a subject and a text.
fn plain(subject: &str, body: &str) -> String {
    format!("From: Jo Bloggs <{SENDER}>\nTo: mum.quill@gmail.com\nSubject: {subject}\n\n{body}\n")
}

/// A message with a file of text beside it.
fn with_file(name: &str, text: &str) -> String {
    format!(
        "From: Jo Bloggs <{SENDER}>\nTo: mum.quill@gmail.com\nSubject: As discussed\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nPlease see the file.\n--b\n\
         Content-Type: text/plain\nContent-Disposition: attachment; filename=\"{name}\"\n\n{text}\n--b--\n"
    )
}

/// Every message has the fact, or none has.
fn judge(fact: &str, expected: bool, messages: impl IntoIterator<Item = String>) {
    let ground = ground();
    let mut wrong = Vec::new();
    for message in messages {
        if facts_of(&ground, "mum.quill@gmail.com", &message).iter().any(|f| f == fact) != expected {
            wrong.push(message);
        }
    }
    assert!(wrong.is_empty(), "{fact} should be {expected} of {}:\n{}", wrong.len(), wrong.join("\n=====\n"));
}

#[test]
fn answers_asked_for_at_a_private_mailbox() {
    let bodies = [
        "Please reply to my gmail: jo.b.2014@gmail.com",
        "Could you use my personal address for this, not the school one?",
        "Send it to jo.bloggs@hotmail.co.uk instead.",
        "Please don't reply to this address; send it to jo.b.2014@gmail.com.",
        "You can email me at jo.b.2014@gmail.com over the holidays.",
        "If you have any questions, contact me on jolly.green@hotmail.co.uk.",
        "I am off from Friday, so please write to\nme at home: jo.b.2014@yahoo.co.uk.",
        "Best to get back to me via jo.b.2014@icloud.com",
        "please use my home email from now on",
        "Just send the photos to my hotmail.",
        "Please email jolly.green@hotmail.co.uk with your answer.",
        "Please reply to: jo.b.2014@gmail.com",
        "Please send the form back to Miss Green at jolly.green@hotmail.co.uk by Monday.",
        "The school server is down, so could you please send your replies to my private e-mail, jo.b.2014@btinternet.com?",
    ];
    judge("private-reply", true, bodies.map(|body| plain("A question", body)));
    let reply_to = |address: &str| format!("Reply-To: {address}\n{}", plain("A question", "Hello"));
    judge(
        "private-reply",
        true,
        ["Jo <jo.b.2014@gmail.com>", "jolly.green@hotmail.co.uk", "x@mailinator.com", "a@school.example, b@gmail.com"]
            .map(reply_to),
    );
}

#[test]
fn what_asks_for_no_answer_at_a_private_mailbox() {
    let bodies = [
        "Mum's e-mail is cathy.q@gmail.com and she is happy to be contacted.",
        "Their address is q.family@hotmail.co.uk.",
        "Please contact her at cathy.q@gmail.com about the forms.",
        "Please send the report to his mother at cathy.q@gmail.com.",
        "Please do not reply to my personal address.",
        "Please don't use my personal email for school matters.",
        "I sent it from my personal email by mistake.",
        "I will forward it to my personal email.",
        "Staff must never use a personal email address for school business.",
        "Please email Sarah's helper list to her: sarah.p@gmail.com.",
        "Please reply to office@school.example.",
        "Please send the form back to Mrs Quill at mum.quill@gmail.com by Monday.",
        "You can reach me at j.bloggs@school.example.",
        "Contact me at the firm: jo@firm.example",
        "We have your email as mum.quill@gmail.com; please reply to confirm it.",
        "Please send your answer to mum.quill@gmail.com as we agreed.",
        "Thanks for your reply.\n\nOn Mon, 2 Nov 2026 at 10:04, Cathy Q <cathy.q@gmail.com> wrote:\n> please reply to me at cathy.q@gmail.com",
        "See below.\n\n-----Original Message-----\nFrom: Cathy Q <cathy.q@gmail.com>\nSent: 2 November 2026\nTo: Jo Bloggs\nSubject: Hi\n\nPlease reply to my gmail.\n\nCathy\ncathy.q@gmail.com",
        "Email: cathy.q@gmail.com\nTelephone: on file",
        "Pupils should use Google Classroom and not their gmail.",
    ];
    judge("private-reply", false, bodies.map(|body| plain("A question", body)));
    let reply_to = |address: &str| format!("Reply-To: {address}\n{}", plain("A question", "Hello"));
    let kept = ["office@school.example", "jo@firm.example", "mum.quill@gmail.com", "info@elsewhere.example"];
    judge("private-reply", false, kept.map(reply_to));
}

#[test]
fn a_private_telephone_or_mailbox_of_staff() {
    let bodies = [
        "Nia's number is 07700 900456.",
        "Ring Nia on +44 7700 900456",
        "tel. 0044 (0)7700-900-456",
        "07700900456",
        "Jo Bloggs\nYear 4\n(07700) 900 123",
        "Office 01632 960000 / mobile 07700 900123",
        "Pat is at home on 01632 960 123.",
        "Nia: nia.vance@gmail.com",
        "Write to Nia.Vance+school@googlemail.com",
        "My mobile is 07700 900999.",
        "My personal number: 07700 900 999",
        "You can text me on 07700 900999 any time",
        "Call me at home on 01632 960999.",
        "My personal email is jo.b.2014@gmail.com.",
        "my email: jo.b.2014@gmail.com",
    ];
    judge("staff-contact", true, bodies.map(|body| plain("A question", body)));
    judge("staff-contact", true, [with_file("contacts.csv", "Name,Mobile\nNia Vance,07700900456\nJo,-")]);
    // What is quoted was written by somebody else; what stands in a subject is the sender's.
    judge("staff-contact", true, [plain("Nia 07700 900456", "As discussed.")]);
}

#[test]
fn telephones_and_mailboxes_that_are_nobodys_own_of_staff() {
    let bodies = [
        "Ring the school on 01632 960000.",
        "My number is 01632 960000.",
        "Mum's mobile is 07700 900500.",
        "The firm's number is 0800 496 0123, ask for Sue on 07700 900321.",
        "My work mobile is 07700 900999.",
        "You can call me on the school mobile, 07700 900999.",
        "You can reach me on 01632 960001.",
        "Is my number on file correct? You gave 07700 900500.",
        "Invoice 0770 0900 4560 of 12.11.2026",
        "Reference 1234567 7009004",
        "I cannot give you my mobile number; ring 01632 960000.",
        "Cathy's email is cathy.q@gmail.com",
        "My email is j.bloggs@school.example",
        "On Mon, 2 Nov 2026 at 10:04, Cathy Q <cathy.q@gmail.com> wrote:\n> My mobile is 07700 900321.",
    ];
    judge("staff-contact", false, bodies.map(|body| plain("A question", body)));
    // The recipient knows the own address.
    let ground = ground();
    let raw = plain("Hi", "I write to you at nia.vance@gmail.com as you asked.");
    assert!(!facts_of(&ground, "nia.vance@gmail.com", &raw).contains(&"staff-contact".to_owned()));
    assert!(facts_of(&ground, "mum.quill@gmail.com", &raw).contains(&"staff-contact".to_owned()));
}

#[test]
fn links_that_anyone_may_open_in_text_page_and_file() {
    let page = |html: &str| {
        format!("From: Jo Bloggs <{SENDER}>\nSubject: The list\nMIME-Version: 1.0\nContent-Type: text/html\n\n{html}\n")
    };
    let link = "https://www.dropbox.com/scl/fi/ab12/list.xlsx?rlkey=x";
    judge(
        "open-link",
        true,
        [
            plain("The list", link),
            page(&format!("<p>The list is <a href=\"{link}\">here</a>.</p>")),
            page("<p><a href=3D>x</a> https://1drv.ms/x/s!AkQ2cVr7</p>"),
            with_file("links.txt", link),
        ],
    );
    judge(
        "open-link",
        false,
        [
            plain("The list", "https://www.school.example/list.xlsx"),
            plain("Thanks", &format!("Got it.\n\nOn Mon, 2 Nov 2026, Sue <s@firm.example> wrote:\n> {link}")),
            page(&format!("<p>Got it.</p><div class=\"gmail_quote\"><a href=\"{link}\">here</a></div>")),
            page("<p>We now use Dropbox and WeTransfer, see <a href=\"https://www.dropbox.com/help\">help</a></p>"),
        ],
    );
}

#[test]
fn marks_of_an_audience_in_subject_file_name_and_heading() {
    let subjects = [
        "STAFF ONLY: rota for the week",
        "Staff only - rota",
        "Rota [staff only]",
        "Rota for the week - staff only",
        "Re: Rota (for staff)",
        "Behaviour review - not for parents",
        "Draft timetable staff only",
        "Please do not share with parents: draft timetable",
        "SLT only | budget",
        "Budget (for internal use only)",
        "Pay review - SLT ONLY",
        "NOT TO BE SHARED WITH PARENTS OR CARERS - provision map",
    ];
    judge("for-staff", true, subjects.map(|subject| plain(subject, "See attached.")));
    judge(
        "for-governors",
        true,
        [
            "Governors only: pay",
            "Minutes part 2 - confidential to governors",
            "Papers [Governors' eyes only]",
            "Report (for governors)",
        ]
        .map(|subject| plain(subject, "See attached.")),
    );
    judge(
        "for-staff",
        true,
        [
            with_file("Behaviour plan STAFF ONLY.txt", "Text"),
            with_file("rota-staff-only.txt", "Text"),
            with_file("staff-only_rota.txt", "Text"),
            with_file("STAFF ONLY rota.txt", "Text"),
            with_file("plan.txt", "Saltmere School\nSTAFF ONLY\n\nText of the plan."),
            with_file("plan.txt", "Behaviour plan - not for parents\n\nText of the plan."),
            plain("As discussed", "*** STAFF ONLY ***\n\nHere is the rota."),
        ],
    );
    judge(
        "for-governors",
        true,
        [with_file("minutes.txt", "Minutes of the meeting\n\nCONFIDENTIAL TO GOVERNORS\n\nText")],
    );
}

#[test]
fn running_prose_marks_no_audience() {
    let messages = [
        plain("Staff only car park", "The staff only car park is closed."),
        plain("The staff-only day on Friday", "School is closed to pupils."),
        plain("Friday is for staff only", "School is closed to pupils."),
        plain("The lift is staff only", "Please use the stairs."),
        plain("Parents and governors are invited", "Do come."),
        plain("A note for staff: please tell parents", "Hello"),
        plain("Thank you for staff support", "Hello"),
        plain("Governors' newsletter", "Hello"),
        plain("Christmas lunch for staff and parents", "Hello"),
        plain("Toys not for parents' evening", "Hello"),
        plain("Hello", "This door is for staff only, so please ring the bell."),
        plain("Hello", "Dear Mrs Quill,\n\nthe room is staff only.\n\nSTAFF ONLY\n"),
        plain("Governor vacancy", "Only governors may vote."),
        with_file("Staff only car park map.txt", "Text"),
        with_file("staff-list.txt", "Dear parents,\nthe staff-only day is on Friday.\n"),
        with_file("letter.txt", "Dear parents,\nThe entrance at the back is for staff only\nand stays shut.\n"),
    ];
    judge("for-staff", false, messages.clone());
    judge("for-governors", false, messages);
    // What somebody else marked is not this message's mark.
    let quoted = "Thanks.\n\nOn Mon, 2 Nov 2026, Sue <s@firm.example> wrote:\n> STAFF ONLY\n> Text";
    judge("for-staff", false, [plain("Hello", quoted)]);
}

#[test]
fn an_attached_original_that_is_not_as_it_was_signed() {
    // SHA-256 of "The fee is 10.\r\n".
    let original = |body: &str| {
        format!(
            "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=firm.example; s=s; h=from;\n bh=51DT/sRj1ZZyCHOucD4x9Zf4PsT/6rcoyTsF0u+yJzc=; b=AAAA\n\
             From: Sue <s@firm.example>\nTo: {SENDER}\nSubject: The fee\n\n{body}\n"
        )
    };
    let attached = |kind: &str, encoding: &str, body: &str| {
        format!(
            "From: Jo Bloggs <{SENDER}>\nSubject: As discussed\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
             --b\nContent-Type: text/plain\n\nSee this.\n--b\nContent-Type: {kind}\n{encoding}\n{}\n--b--\n",
            original(body)
        )
    };
    let forms =
        [("message/rfc822", ""), ("application/octet-stream", "Content-Disposition: attachment; filename=fee.eml\n")];
    judge("altered", true, forms.map(|(kind, encoding)| attached(kind, encoding, "The fee is 11.")));
    judge("altered", false, forms.map(|(kind, encoding)| attached(kind, encoding, "The fee is 10.")));
    judge("altered", false, [with_file("fee.eml", "From: s@firm.example\n\nThe fee is 10.")]);
}

#[test]
fn an_attached_original_whose_signed_headers_are_others() {
    use mail_auth::common::crypto::Ed25519Key;
    use mail_auth::common::headers::HeaderWriter;
    use mail_auth::dkim::DkimSigner;

    let key = Ed25519Key::from_pkcs8_der(&Ed25519Key::generate_pkcs8().expect("a key")).expect("a key");
    let public = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key.public_key());
    let record = format!("s._domainkey.firm.example v=DKIM1; k=ed25519; p={public}");
    let original = format!("From: Sue <s@firm.example>\r\nTo: {SENDER}\r\nSubject: The fee\r\n\r\nIt is 10.\r\n");
    let signer = DkimSigner::from_key(key).domain("firm.example").selector("s").headers(["From", "Subject"]);
    let signature = signer.sign(original.as_bytes()).expect("signed").to_header();
    let original = format!("{signature}{original}").replace("\r\n", "\n");
    let forwarded = |original: &str| {
        format!(
            "From: Jo Bloggs <{SENDER}>\nSubject: As discussed\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
             --b\nContent-Type: text/plain\n\nSee this.\n--b\nContent-Type: message/rfc822\n\n{original}\n--b--\n"
        )
    };
    let subject = original.replace("The fee", "The new fee");
    let body = original.replace("It is 10", "It is 11");
    let knowing = Ground { dkim_keys: crate::message::signed::Keys::parse(&record).expect("sound"), ..ground() };
    let is_altered = |ground: &Ground, original: &str| {
        facts_of(ground, "mum.quill@gmail.com", &forwarded(original)).contains(&"altered".to_owned())
    };
    for (what, original, with_key, without) in
        [("as it came", &original, false, false), ("subject", &subject, true, false), ("body", &body, true, true)]
    {
        assert_eq!((is_altered(&knowing, original), is_altered(&ground(), original)), (with_key, without), "{what}");
    }
}
