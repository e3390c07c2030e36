//! The letters on a telephone, in a real browser: nothing to scroll sideways, the same words as their plain part, and what is
//! to be done within the first look. `SCHOOLGATE_SCREENSHOTS=1` takes their pictures in `docs/desk` anew. Skipped where no
//! browser is installed.

mod support;

use std::path::Path;

use support::browser::Browser;

/// A telephone, in CSS pixels.
const WIDTH: u32 = 390;
/// How far down its first link stands at most, where the letter is there to be decided on: the first screen.
const FIRST_SCREEN: f64 = 420.0;

/// A letter as its golden files have it, and the name of its picture.
const LETTERS: [(&str, &str); 6] = [
    ("returned-linked", "letter-returned"),
    ("held-linked", "letter-held"),
    ("review", "letter-breach"),
    ("digest", "letter-digest"),
    ("reminder", "letter-reminder"),
    ("escalated", ""),
];

/// The words of a text, in small letters; the numbers of a list are its marks.
fn words(text: &str) -> Vec<String> {
    let unmarked = text.lines().map(|line| match line.split_once(". ") {
        Some((number, rest)) if number.trim().parse::<u32>().is_ok() => rest,
        _ => line,
    });
    let text = unmarked.collect::<Vec<_>>().join("\n").to_lowercase();
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_letter_reads_well_on_a_telephone_and_says_what_its_plain_part_says() {
    let Some(program) = Browser::program() else {
        println!("skipped: no chromium is installed, and SCHOOLGATE_BROWSER names none");
        return;
    };
    let mut browser = Browser::start(&program);
    browser.wide(WIDTH);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (letter, picture) in LETTERS {
        let file = |ending: &str| root.join(format!("tests/golden/notices/{letter}.{ending}"));
        browser.open(&format!("file://{}", file("html").display()));
        let wide = browser.value("document.documentElement.scrollWidth").as_f64().expect("a width");
        assert!(wide <= f64::from(WIDTH), "{letter} is {wide} wide");
        let plain = std::fs::read_to_string(file("txt")).expect("the plain part");
        assert_eq!(words(&browser.words()), words(&plain), "{letter}");
        let top = "document.querySelector('a[href]').getBoundingClientRect().top";
        let top = browser.value(top).as_f64().expect("a link");
        assert!(letter.ends_with("-linked") || top < FIRST_SCREEN, "{letter}: its link is {top} down");
        if !picture.is_empty() && std::env::var_os("SCHOOLGATE_SCREENSHOTS").is_some() {
            let picture_file = root.join(format!("docs/desk/{picture}.png"));
            std::fs::write(picture_file, browser.picture(2_000)).expect("written");
        }
    }
    assert!(browser.requests().iter().all(|url| url.starts_with("file:")), "a letter loads nothing");
}
