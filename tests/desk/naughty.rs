//! The Big List of Naughty Strings (`fixtures/naughty`) as subject, display name, file name, text and local part of held mail: each comes
//! out on the pages as the text that it is (display names stand on none), and nothing of it lives.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use schoolgate::smtp::Address;

use super::alive::alive;
use super::*;

/// Strings in one message: few messages, so that it is quick.
const TOGETHER: usize = 40;

pub fn strings() -> Vec<String> {
    let text = include_str!("../../fixtures/naughty/blns.json");
    serde_json::from_str::<Vec<String>>(text).unwrap().into_iter().filter(|text| !text.is_empty()).collect()
}

/// As a header carries it (RFC 2047).
fn encoded(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let word = |chars: &[char]| format!("=?utf-8?B?{}?=", STANDARD.encode(chars.iter().collect::<String>()));
    chars.chunks(10).map(word).collect::<Vec<_>>().join("\r\n ")
}

/// As a parameter carries it (RFC 2231).
fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Without what a reader cannot see: blanks, controls, invisible and combining characters.
fn seen(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !c.is_control() && !invisible(*c)).collect()
}

fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}' | '\u{e0000}'..='\u{e007f}')
}

/// The text that a page shows.
fn shown(page: &str) -> String {
    let words: String = page.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
    let words = ["lt;<", "gt;>", "quot;\"", "#x27;'", "#x2f;/"]
        .iter()
        .fold(words, |words, pair| words.replace(&format!("&{}", &pair[..pair.len() - 1]), &pair[pair.len() - 1..]));
    seen(&words.replace("&amp;", "&"))
}

#[tokio::test]
async fn each_comes_out_as_the_text_that_it_is() {
    let house = House::new().await;
    let mut sue = house.person("sue", &[Role::Sbm]).await;
    let strings = strings();
    assert!(strings.len() > 450);
    let purpose = [("purpose", "facts")];
    let mut missing = Vec::new();
    for (at, some) in strings.chunks(TOGETHER).enumerate() {
        let id = format!("n{at}");
        let mailboxes: Vec<Address> = some
            .iter()
            .filter_map(|text| {
                Address::parse(&format!("\"{}\"@elsewhere.example", text.replace('\\', "\\\\").replace('"', "\\\"")))
                    .ok()
            })
            .collect();
        let mut raw = format!(
            "From: {} <t.person@saltmere.example>\r\nSubject: {}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_n\"\r\n\r\n",
            encoded(&format!("¶{}¶", some.join("¶"))),
            encoded(&format!("¶{}¶", some.join("¶"))),
        );
        let body = format!("Albert Fisher, UPN A998441726129.\r\n\r\n{}\r\n", some.join("\r\n\r\n"));
        raw.push_str(&format!(
            "--=_n\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            STANDARD.encode(body)
        ));
        for text in some {
            raw.push_str(&format!("--=_n\r\nContent-Type: text/plain\r\nContent-Disposition: attachment;\r\n filename*=utf-8''{}\r\n\r\nx\r\n", percent(&format!("{text}.txt"))));
        }
        raw.push_str("--=_n--\r\n");
        let from = mailboxes.first().cloned().unwrap_or_else(|| address("t.person@saltmere.example"));
        house
            .hold_raw(&id, Some(from), [vec![address("someone@gmail.com")], mailboxes.clone()].concat(), raw.as_bytes())
            .await;
        let (message, content) = (format!("/held/{id}"), format!("/held/{id}/content"));
        sue.press(&format!("{message}/findings"), &format!("{message}/findings"), &purpose).await;
        let pages = [sue.get("/held").await, sue.get(&message).await, sue.press(&content, &content, &purpose).await];
        for page in &pages {
            assert_eq!((page.status, alive(&page.body)), (200, Vec::new()), "{some:?}");
        }
        let [_, message, content] = pages.map(|page| shown(&page.body));
        let mut want = |what: &str, page: &str, text: &str| {
            if !page.contains(&seen(text)) {
                missing.push(format!("{what}: {text:?}"));
            }
        };
        for mailbox in &mailboxes {
            want("mailbox", &message, &mailbox.to_string());
        }
        for text in some {
            want("subject", &message, &format!("¶{text}¶"));
            want("text", &content, text);
            // A name has no folders.
            let name = format!("{text}.txt");
            want("file name", &content, name.rsplit(['/', '\\']).next().unwrap());
        }
    }
    assert!(missing.is_empty(), "{} are missing:\n{}", missing.len(), missing.join("\n"));
}
