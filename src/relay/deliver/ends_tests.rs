//! Whatever stands in the store, its message ends once on the wire, and there is nothing behind its end.

use std::collections::{BTreeSet, HashMap};

use super::sink::Script;
use super::tests::{Gateway, Setting, mail};

/// Every form of content around a lone dot: up to two of CR, LF, NUL, dot and CRLF before it, up to two behind, at the start of the
/// message, of its body, and inside a line.
fn forms() -> BTreeSet<String> {
    const OCTETS: [&str; 5] = ["\r", "\n", "\0", ".", "\r\n"];
    let pairs = OCTETS.iter().flat_map(|one| OCTETS.iter().map(move |two| format!("{one}{two}")));
    let around: BTreeSet<String> = pairs.chain(OCTETS.map(str::to_owned)).chain([String::new()]).collect();
    let mut forms = BTreeSet::new();
    for start in ["", "a: b\r\n\r\n", "a: b\r\n\r\nc"] {
        for (before, behind) in around.iter().flat_map(|one| around.iter().map(move |two| (one, two))) {
            for rest in ["", "MAIL FROM:<x@x.example>\r\nDATA\r\n"] {
                forms.insert(format!("{start}{before}.{behind}{rest}"));
            }
        }
    }
    forms
}

/// What a server is to have of it: the content, each CR or LF that stands alone made whole, and an end to its last line.
fn whole(content: &str) -> String {
    let lines = content.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
    if lines.is_empty() || lines.ends_with("\r\n") { lines } else { lines + "\r\n" }
}

/// Relay checklist, rows 42, 49, 60 and 89.
#[tokio::test]
async fn content_of_any_form_ends_once_and_is_what_it_was() {
    let forms: Vec<String> = forms().into_iter().collect();
    assert!(forms.len() >= 500, "{} forms", forms.len());
    for offers in [vec!["PIPELINING"], vec![]] {
        let gateway = Gateway::start(Script { offers, ..Script::default() }, Setting::default()).await;
        let entry = |(number, form): (usize, &String)| {
            mail(&format!("M{number}"), &[&format!("m{number}@b.example")], form.as_bytes())
        };
        gateway.store.commit(forms.iter().enumerate().map(entry).collect()).await.unwrap();
        let mut taken = gateway.log.taken();
        while taken.len() < forms.len() {
            gateway.until("the next", |log| log.taken.lock().unwrap().len() > taken.len()).await;
            taken = gateway.log.taken();
        }
        let there: HashMap<String, Vec<u8>> = taken.into_iter().map(|one| (one.rcpt.join(","), one.content)).collect();
        let mut same = 0;
        for (number, form) in forms.iter().enumerate() {
            let content = &there[&format!("m{number}@b.example")];
            assert_eq!(
                content.escape_ascii().to_string(),
                whole(form).as_bytes().escape_ascii().to_string(),
                "{form:?}"
            );
            same += usize::from(content == form.as_bytes());
        }
        // Nothing of a content was heard as a command.
        let said = gateway.log.commands();
        let told = |verb: &str| said.iter().filter(|line| line.starts_with(verb)).count();
        let (mails, hellos, byes) =
            (told("MAIL FROM:<amy@school.example>"), told("EHLO gate.school.example"), told("QUIT"));
        assert_eq!((mails, told("RCPT TO:<m"), told("DATA")), (forms.len(), forms.len(), forms.len()));
        assert_eq!(said.len(), 3 * forms.len() + hellos + byes, "{hellos} connections");
        println!("{} forms, {same} of them byte for byte", forms.len());
        assert!(same > 100, "{same}");
        gateway.stop().await;
    }
}
