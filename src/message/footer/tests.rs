use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

const WORDS: &str = "The school’s own view is said elsewhere & costs £5.\nRing 01234 567890.";

fn own() -> Vec<String> {
    vec!["school.example".to_owned()]
}

fn with(raw: &[u8]) -> Footered {
    with_footers(raw, &[WORDS.to_owned()], &own())
}

fn mail(headers: &str, body: &str) -> Vec<u8> {
    format!("From: a@school.example\r\nTo: b@firm.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n{headers}\r\n{body}")
        .into_bytes()
}

/// What was put in at one place: a run such that the rest is as it was.
fn inserted(before: &[u8], after: &[u8]) -> Option<(usize, Vec<u8>)> {
    let length = after.len().checked_sub(before.len())?;
    let same = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    (before[same..] == after[same + length..]).then(|| (same, after[same..same + length].to_vec()))
}

/// The footer taken off again: each changed body without the run that was put into it, which needs no mark.
fn without(raw: &[u8], footered: &[u8]) -> Vec<u8> {
    let (before, after) = (seek::bodies(raw).expect("bodies"), seek::bodies(footered).expect("bodies"));
    assert_eq!(before.len(), after.len());
    let (mut out, mut at) = (Vec::new(), 0);
    for (one, other) in before.iter().zip(&after) {
        out.extend_from_slice(&footered[at..other.range.start]);
        let (was, is) = (&raw[one.range.clone()], &footered[other.range.clone()]);
        let (place, run) = inserted(&one.decoded, &other.decoded).expect("one run in what is decoded");
        assert!(!run.is_empty());
        match one.transfer {
            seek::Transfer::Base64 => {
                let decoded = [&other.decoded[..place], &other.decoded[place + run.len()..]].concat();
                assert_eq!(decoded, one.decoded);
                out.extend_from_slice(was);
            }
            _ => {
                let (place, run) = inserted(was, is).expect("one run in the raw body");
                out.extend_from_slice(&is[..place]);
                out.extend_from_slice(&is[place + run.len()..]);
            }
        }
        at = other.range.end + if one.tight { 2 } else { 0 };
    }
    out.extend_from_slice(&footered[at..]);
    out
}

/// All that is promised of any message, whatever was done to it.
fn holds(raw: &[u8]) -> Done {
    let footered = with(raw);
    if footered.done != Done::Added {
        assert_eq!(footered.content, raw);
        return footered.done;
    }
    let (before, after) = (read(raw), read(&footered.content));
    assert!(after.faults.is_empty());
    assert_eq!(before.parts.len(), after.parts.len());
    let other = |raw: &[u8]| {
        fn shape(part: &mailparse::ParsedMail<'_>) -> Vec<String> {
            let own = part.ctype.mimetype.clone();
            std::iter::once(own).chain(part.subparts.iter().flat_map(shape)).collect()
        }
        mailparse::parse_mail(raw).map(|mail| shape(&mail)).ok()
    };
    assert_eq!(other(raw), other(&footered.content), "the second reading");
    assert_eq!(without(raw, &footered.content).escape_ascii().to_string(), raw.escape_ascii().to_string());
    assert_eq!(raw.is_ascii(), footered.content.is_ascii(), "eight bits where there were none");
    let longest = |raw: &[u8]| raw.split(|b| *b == b'\n').map(<[u8]>::len).max().unwrap_or_default();
    assert!(longest(&footered.content) <= longest(raw).max(80));
    let again = with(&footered.content);
    assert_eq!(
        (again.done, again.content == footered.content),
        (Done::Stands, true),
        "{}",
        footered.content.escape_ascii()
    );
    assert_eq!(with(raw), footered, "the same again");
    Done::Added
}

const ASCII: &str = "The school's own view is said elsewhere & costs GBP 5.\r\nRing 01234 567890.\r\n";

#[test]
fn it_stands_below_each_kind_of_text() {
    let plain = |charset: &str, encoding: &str| {
        format!("Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n")
    };
    let html = "Content-Type: text/html; charset=us-ascii\r\n";
    let page = "<div><br>\r\nThe school&#8217;s own view is said elsewhere &amp; costs &#163;5.<br>\r\nRing 01234 567890.<br>\r\n</div>\r\n";
    let utf8 = WORDS.replace('\n', "\r\n");
    for (headers, body, wanted) in [
        (String::new(), "Hello\r\n", format!("Hello\r\n\r\n{ASCII}")),
        (String::new(), "", ASCII.to_owned()),
        (String::new(), "Hello", format!("Hello\r\n\r\n{}", ASCII.trim_end())),
        (String::new(), "Hello\r\n\r\n", format!("Hello\r\n\r\n{ASCII}")),
        (plain("utf-8", "8bit"), "Zo\u{eb}\r\n", format!("Zo\u{eb}\r\n\r\n{utf8}\r\n")),
        (plain("utf-8", "7bit"), "Zoe\r\n", format!("Zoe\r\n\r\n{ASCII}")),
        (
            plain("utf-8", "quoted-printable"),
            "Zo=C3=AB=\r\n is\r\n",
            "Zo=C3=AB=\r\n is\r\n\r\nThe school=E2=80=99s own view is said elsewhere & costs =C2=A35.\r\nRing 01234 567890.\r\n".to_owned(),
        ),
        (
            plain("iso-8859-1", "quoted-printable"),
            "Zo=EB is\r\n",
            "Zo=EB is\r\n\r\nThe school's own view is said elsewhere & costs =A35.\r\nRing 01234 567890.\r\n".to_owned(),
        ),
        (
            plain("windows-1252", "quoted-printable"),
            "Zo=EB",
            "Zo=EB\r\n\r\nThe school=92s own view is said elsewhere & costs =A35.\r\nRing 01234 567890.".to_owned(),
        ),
        (plain("us-ascii", "quoted-printable"), "Zoe=0D=0A", format!("Zoe=0D=0A\r\n{ASCII}")),
        (
            "Content-Type: text/plain; format=flowed; delsp=yes\r\n".to_owned(),
            "It goes \r\non\r\n-- \r\nA. B.\r\n",
            format!("It goes \r\non\r\n-- \r\nA. B.\r\n\r\n{ASCII}"),
        ),
        (html.to_owned(), "<p>Hi</p>\r\n", format!("<p>Hi</p>\r\n{page}")),
        (html.to_owned(), "<BODY>Hi</BODY ></html>\r\n", format!("<BODY>Hi\r\n{page}</BODY ></html>\r\n")),
        (
            html.to_owned(),
            "<body>Hi\r\n</body><!-- </body> -->\r\n",
            format!("<body>Hi\r\n{page}</body><!-- </body> -->\r\n"),
        ),
        (
            html.to_owned(),
            "<body><script>x = '</body>'</script><a title=\"</body>\">Hi</a>\r\n",
            format!("<body><script>x = '</body>'</script><a title=\"</body>\">Hi</a>\r\n{page}"),
        ),
    ] {
        let raw = mail(&headers, body);
        assert_eq!(holds(&raw), Done::Added, "{headers}{body}");
        let content = with(&raw).content;
        let at = content.windows(4).position(|w| w == b"\r\n\r\n").expect("a body") + 4;
        assert_eq!(content[at..].escape_ascii().to_string(), wanted.as_bytes().escape_ascii().to_string(), "{headers}{body}");
    }
}

#[test]
fn in_base64_what_is_decoded_has_it() {
    let text = "Zo\u{eb} is here.\r\n".repeat(20);
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &text);
    let body = encoded.as_bytes().chunks(60).map(|line| [line, b"\r\n"].concat()).collect::<Vec<_>>().concat();
    let headers = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n";
    let raw = mail(headers, std::str::from_utf8(&body).expect("ASCII"));
    assert_eq!(holds(&raw), Done::Added);
    let decoded = read(&with(&raw).content).parts.remove(0).body;
    assert_eq!(String::from_utf8(decoded).expect("UTF-8"), format!("{text}\r\n{}\r\n", WORDS.replace('\n', "\r\n")));
}

/// Parts by a boundary, each with its type.
fn parts(kind: &str, boundary: &str, parts: &[String]) -> String {
    let parts: String = parts.iter().map(|part| format!("--{boundary}\r\n{part}\r\n")).collect();
    format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n{parts}--{boundary}--\r\n")
}

fn part(kind: &str, body: &str) -> String {
    format!("Content-Type: {kind}\r\n\r\n{body}")
}

fn whole(part: &str) -> Vec<u8> {
    format!("From: a@school.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n{part}").into_bytes()
}

#[test]
fn both_alternatives_have_it_and_no_file() {
    let both = parts("alternative", "in", &[part("text/plain", "Hi"), part("text/html", "<p>Hi</p>")]);
    let picture = "Content-Type: image/png\r\nContent-ID: <p>\r\n\r\nxx".to_owned();
    let related = parts("related", "rel", &[part("text/html", "<p>Hi</p>"), picture.clone()]);
    let started = parts(
        "related; start=\"<h>\"",
        "rel",
        &[picture, format!("Content-ID: <h>\r\n{}", part("text/html", "<p>Hi</p>"))],
    );
    let file = "Content-Type: text/plain; name=a.txt\r\n\r\nA file".to_owned();
    let shown_file = "Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nA file".to_owned();
    let forwarded = part("message/rfc822", "From: c@firm.example\r\n\r\nText of another\r\n");
    for (raw, count) in [
        (whole(&both), 2),
        (whole(&parts("mixed", "out", &[both.clone(), file.clone(), forwarded.clone()])), 2),
        (whole(&parts("mixed", "out", &[shown_file, part("text/plain", "Hi"), part("text/plain", "More")])), 1),
        (whole(&parts("alternative", "alt", &[part("text/plain", "Hi\r\n"), related])), 2),
        (whole(&started), 1),
        (whole(&parts("mixed", "out", &[part("text/plain", ""), file])), 1),
        (whole("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--b--\r\n"), 1),
    ] {
        assert_eq!(holds(&raw), Done::Added, "{}", raw.escape_ascii());
        let content = String::from_utf8(with(&raw).content).expect("ASCII");
        assert_eq!(content.matches("Ring 01234 567890.").count(), count, "{content}");
        for untouched in ["A file\r\n--", "Text of another\r\n\r\n--", "More\r\n--"] {
            assert_eq!(content.contains(untouched), String::from_utf8_lossy(&raw).contains(untouched), "{content}");
        }
    }
}

#[test]
fn what_is_left_as_it_is_and_why() {
    let plain = part("text/plain", "Hi");
    let calendar = part("text/calendar; method=REQUEST", "BEGIN:VCALENDAR\r\nEND:VCALENDAR");
    let signature = part("application/pgp-signature", "x");
    for (raw, why) in [
        (
            whole(&parts("signed; protocol=\"application/pgp-signature\"", "b", &[plain.clone(), signature])),
            Why::Signed,
        ),
        (
            whole(&parts("encrypted", "b", &[part("application/pgp-encrypted", "Version: 1"), plain.clone()])),
            Why::Encrypted,
        ),
        (whole("Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\nxx"), Why::Encrypted),
        (whole(&part("text/plain", "-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nHi")), Why::Encrypted),
        (whole(&parts("alternative", "b", &[plain.clone(), calendar.clone()])), Why::Invitation),
        (whole(&calendar), Why::Invitation),
        (whole(&parts("report", "b", &[plain.clone(), part("message/delivery-status", "x: y")])), Why::Report),
        (whole("Content-Type: application/pdf\r\n\r\nxx"), Why::NoText),
        (whole("Content-Type: text/plain; name=a.txt\r\n\r\nxx"), Why::NoText),
        (whole("Content-Type: text/html\r\n\r\n<p>Hi <!-- not closed"), Why::Page),
        (whole("Content-Type: text/html\r\n\r\n<style>p { }"), Why::Page),
        (whole("Content-Type: text/html\r\n\r\n<p>Hi <a href=\"x"), Why::Page),
        (whole("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHi"), Why::Contradictory),
        (whole("Content-Transfer-Encoding: x-uue\r\n\r\nHi"), Why::Contradictory),
        (b"DKIM-Signature: v=1; d=firm.example\r\nFrom: c@firm.example\r\n\r\nHi\r\n".to_vec(), Why::PassedOn),
    ] {
        assert_eq!(holds(&raw), Done::Not(why), "{}", raw.escape_ascii());
    }
    let ours = b"DKIM-Signature: v=1; d=school.onmicrosoft.example\r\nFrom: c@school.example\r\n\r\nHi\r\n";
    assert_eq!(holds(ours), Done::Added);
    let utf16: Vec<u8> = "Hi there\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, utf16);
    let headers = "Content-Type: text/plain; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n";
    assert_eq!(holds(&mail(headers, &encoded)), Done::Not(Why::Characters));
    let cyrillic = with_footers(&mail("", "Hi\r\n"), &["\u{428}\u{43a}\u{43e}\u{43b}\u{430}".to_owned()], &own());
    assert_eq!(cyrillic.done, Done::Not(Why::Characters));
}

#[test]
fn not_twice_in_a_thread_and_only_what_is_missing() {
    let quoted: String = ASCII.lines().map(|line| format!("> > {line}\r\n")).collect();
    let broken = quoted.replace("said ", "said\r\n> > ");
    for body in [quoted.as_str(), &broken, &ASCII.to_uppercase()] {
        assert_eq!(holds(&mail("", &format!("Thank you\r\n\r\n{body}"))), Done::Stands, "{body}");
    }
    let html = "<blockquote>The school&rsquo;s <b>own</b> view is said elsewhere &amp; costs &pound;5.<br>Ring 01234&nbsp;567890.</blockquote>";
    assert_eq!(holds(&mail("Content-Type: text/html\r\n", html)), Done::Stands);
    let two = [WORDS.to_owned(), "A second one.".to_owned()];
    let once = with_footers(&mail("", &format!("Thank you\r\n{quoted}")), &two, &own());
    let text = String::from_utf8(once.content).expect("ASCII");
    assert!(once.done == Done::Added && text.ends_with(&format!("{quoted}\r\nA second one.\r\n")), "{text}");
    let both = String::from_utf8(with_footers(&mail("", "Hi\r\n"), &two, &own()).content).expect("ASCII");
    assert!(both.ends_with(&format!("{ASCII}\r\nA second one.\r\n")), "{both}");
}

#[test]
fn long_lines_are_broken_and_flowed_ones_stuffed() {
    let long = ["word".repeat(500), "> from here".to_owned(), "and on ".repeat(60)].join("\n");
    for headers in [
        "",
        "Content-Type: text/plain; format=flowed\r\n",
        "Content-Type: text/html\r\n",
        "Content-Transfer-Encoding: quoted-printable\r\n",
    ] {
        let done = with_footers(&mail(headers, "Hi\r\n"), std::slice::from_ref(&long), &own());
        assert_eq!(done.done, Done::Added);
        let text = String::from_utf8(done.content).expect("ASCII");
        assert!(text.split("\r\n").all(|line| line.len() <= 78), "{text}");
        assert_eq!(text.contains("\r\n > from"), headers.contains("flowed"), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn it_is_one_run_in_whatever_text(
        body in "([ -~\u{e4}\u{2019}\t]{0,12}(\r\n|\r\n\r\n| \r\n|=\r\n|</body>)){0,6}[ -~]{0,5}",
        charset in prop::sample::select(vec!["us-ascii", "utf-8", "iso-8859-1", "windows-1252", "iso-2022-jp", "gbk", "utf-7", "koi8-r"]),
        encoding in prop::sample::select(vec!["7bit", "8bit", "quoted-printable", "base64"]),
        kind in prop::sample::select(vec!["plain", "html", "plain; format=flowed"]),
        inside in any::<bool>(),
    ) {
        let body = if encoding == "base64" { base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &body) } else { body };
        let one = format!("Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}");
        let raw = if inside { whole(&parts("mixed", "b", &[one, part("text/plain; name=f.txt", "file")])) } else { whole(&one) };
        holds(&raw);
    }
}

/// All messages below a folder, with the line ends of the wire.
fn messages_below(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            messages_below(&path, all);
        } else if path.extension().is_some_and(|end| end == "eml") {
            all.push(path);
        }
    }
}

#[test]
fn over_all_the_mail_that_is_there() {
    let mut files = Vec::new();
    messages_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures"), &mut files);
    for variable in ["SCHOOLGATE_CORPUS", "SCHOOLGATE_CASES"] {
        files.extend(std::env::var_os(variable).into_iter().flat_map(|folder| {
            let mut further = Vec::new();
            messages_below(Path::new(&folder), &mut further);
            further
        }));
    }
    assert!(files.len() > 300, "{}", files.len());
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for file in &files {
        let raw = std::fs::read(file).expect("a message");
        let mut wire = Vec::with_capacity(raw.len());
        for &byte in &raw {
            if byte == b'\n' && wire.last() != Some(&b'\r') {
                wire.push(b'\r');
            }
            wire.push(byte);
        }
        let done = std::panic::catch_unwind(|| holds(&wire)).unwrap_or_else(|_| panic!("{}", file.display()));
        *counts.entry(done.as_str()).or_default() += 1;
    }
    println!("{counts:#?}");
    assert!(counts["added"] * 10 > files.len() * 8, "{counts:?}");
}

#[test]
fn no_bytes_make_it_panic() {
    let whole = whole(&parts("alternative", "in", &[part("text/plain", "Hi"), part("text/html", "<p>Hi</p>\r\n")]));
    let mut state = 0x5eed_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    for _ in 0..2_000 {
        let mut bytes = whole.clone();
        for _ in 0..1 + next() % 6 {
            let at = next() % bytes.len();
            match next() % 3 {
                0 => bytes[at] = (next() % 256) as u8,
                1 => bytes.truncate(at.max(1)),
                _ => bytes.insert(at, b"\r\n-=?\"(;<"[next() % 9]),
            }
        }
        let done = std::panic::catch_unwind(|| change(&bytes, &[WORDS.to_owned()], &own()));
        assert!(done.is_ok(), "{}", bytes.escape_ascii());
    }
}

/// The Big List of Naughty Strings as subject, text and page, and as the words themselves.
#[test]
fn naughty_strings_spoil_nothing() {
    let text = include_str!("../../../fixtures/naughty/blns.json");
    let strings: Vec<String> = serde_json::from_str(text).expect("a list of strings");
    assert!(strings.len() > 400, "{}", strings.len());
    let mut added = 0;
    for string in &strings {
        let line = string.replace(['\r', '\n'], " ");
        for kind in ["plain", "html"] {
            let headers = format!(
                "X-Subject: {line}\r\nContent-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
            );
            added += usize::from(holds(&mail(&headers, &format!("{line}\r\n"))) == Done::Added);
            let raw = mail(&format!("Content-Type: text/{kind}; charset=utf-8\r\n"), "Zo\u{eb}\r\n");
            let footered = with_footers(&raw, std::slice::from_ref(string), &own());
            assert!(footered.done == Done::Added || footered.content == raw, "{string}");
            assert_eq!(without_if(footered.done, &raw, &footered.content), raw, "{string}");
        }
    }
    assert!(added * 10 > strings.len() * 2 * 6, "{added} of {}", strings.len() * 2);
}

fn without_if(done: Done, raw: &[u8], footered: &[u8]) -> Vec<u8> {
    if done == Done::Added { without(raw, footered) } else { footered.to_vec() }
}
