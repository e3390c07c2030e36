use std::path::{Path, PathBuf};

use super::features::words;
use super::*;
use crate::text::TextBuf;

fn data_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("meaning");
    let folders = [folder.clone(), folder.join("everyday")];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|ending| ending == "tsv")).collect();
    files.sort();
    files
}

#[test]
fn the_shipped_model_is_the_one_trained() {
    check().unwrap();
    let mut changed = EMBEDDED.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    assert!(matches!(Model::read(&changed, HASH), Err(ModelError::Hash(_))));
    for cut in [10, 30, 2_000, EMBEDDED.len() - 1] {
        let cut = &EMBEDDED[..cut];
        assert!(matches!(Model::read(cut, &linear::sha256(cut)), Err(ModelError::Shape)));
    }
    assert_eq!(Model::read(EMBEDDED, HASH).unwrap().linear.write(), EMBEDDED);
}

#[test]
fn the_encoder_fits_the_model() {
    let classes = &MODEL.as_ref().unwrap().linear.classes;
    Encoder::read(ENCODER_FILE, classes).unwrap();
    for cut in [10, 30, 2_000, ENCODER_FILE.len() / 2, ENCODER_FILE.len() - 1] {
        assert!(matches!(Encoder::read(&ENCODER_FILE[..cut], classes), Err(ModelError::Shape)), "{cut}");
    }
    assert!(matches!(Encoder::read(ENCODER_FILE, &classes[1..]), Err(ModelError::Classes)));
    let hash = include_str!("../../../rules/encoder.sha256").split_whitespace().next().unwrap();
    assert_eq!(linear::sha256(ENCODER_FILE), hash);
}

#[test]
fn the_encoder_is_asked_in_doubt_and_where_it_may_be() {
    let model = MODEL.as_ref().unwrap();
    let read_of = |text: &str, may: bool| {
        let words: Vec<&str> = text.split(' ').collect();
        Reader::default().read(model, &words, |_| may)
    };
    // By its words an ordinary sentence; as a whole it is not.
    const WHOLE: &str = "she wrote it in the six weeks she was on the ward where they count the knives";
    assert!(read_of(WHOLE, true).closely);
    assert!(read_of(WHOLE, true).tier(limits::MEANING_CLOSE_THRESHOLD).is_some());
    assert!(!read_of(WHOLE, false).closely);
    // Longer than is read, in words and in pieces, and what is in no vocabulary.
    for text in
        [WHOLE.repeat(40), "antidisestablishmentarianism ".repeat(60), "ß 漢 @ ^ @s % 000".to_owned(), String::new()]
    {
        let reading = read_of(text.trim(), true);
        assert!((0.0..=1.0).contains(&reading.said), "{text}");
    }
}

#[test]
fn many_phrases_leave_the_encoder_enough_for_what_is_on_no_list() {
    let model = MODEL.as_ref().unwrap();
    let numbers: Vec<String> = (0..limits::MEANING_READ_CLOSELY).map(|number| number.to_string()).collect();
    let left: Vec<String> = numbers.iter().map(|number| format!("she cried {number} times")).collect();
    let mut reader = Reader::default();
    let asked = numbers.iter().filter(|number| reader.said(model, &["a", "talk", number]).is_some()).count();
    assert_eq!(asked, limits::MEANING_PHRASES_CLOSELY);
    assert!(reader.said(model, &["a", "talk", "0"]).is_some(), "what is read is known");
    let words: Vec<Vec<&str>> = left.iter().map(|text| text.split(' ').collect()).collect();
    let closely = words.iter().filter(|words| reader.read(model, words, |_| true).closely).count();
    assert_eq!(closely, limits::MEANING_READ_CLOSELY - limits::MEANING_PHRASES_CLOSELY);
}

/// Half a minute where nothing is optimised.
#[test]
#[ignore = "slow: trains the model"]
fn the_shipped_model_is_what_the_lines_give() {
    assert!(train::train(&data::read(&data_files()).unwrap()).write() == EMBEDDED, "run `schoolgate meaning train`");
}

#[test]
fn the_same_lines_give_the_same_model() {
    let lines: Vec<data::Example> = data::read(&data_files()).unwrap().into_iter().step_by(50).collect();
    assert!(train::train(&lines).write() == train::train(&lines).write());
}

#[test]
fn names_are_masked_and_figures_are_shapes() {
    for (text, prose, want) in [
        ("Qqq got 31/40, well done Sam Hart", true, "@ got 00 / 00 well done ^"),
        ("Qqq's mum met Mrs Tully on Monday.", true, "@s mum met mrs ^ on monday"),
        ("She was late. Ask Qqq Qqq", true, "she was late ask @"),
        ("Attendance 91%", true, "attendance 00 %"),
        ("Reading Age: 112", false, "reading age 000"),
        ("Reading Age: 112", true, "reading ^ 000"),
    ] {
        let text = TextBuf::new(text);
        let text = text.text();
        let got = words(&text, 0, text.tokens.len(), prose, |at| text.word(at).starts_with("qqq"));
        assert_eq!(got.join(" "), want);
    }
}
