//! Every form of an end of data, made of CR, LF, NUL and dots around a lone dot, held against the rule in one line: content
//! ends at the first dot between two CRLFs, the one before MAIL's content counted (RFC 5321 4.1.1.4).

use super::*;

/// What stands before and behind the dot: up to three of these.
const OCTETS: [&str; 5] = ["\r", "\n", "\0", ".", "\r\n"];

/// All sequences of up to `longest` of them, each once.
fn around(longest: usize) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for _ in 0..longest {
        last = last.iter().flat_map(|one| OCTETS.map(|octet| format!("{one}{octet}"))).collect();
        all.extend(last.iter().cloned());
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Where the content ends by the rule, and whether a CR or LF stands alone before that.
fn by_the_rule(input: &[u8]) -> (Option<usize>, bool) {
    let whole = [b"\r\n", input].concat();
    let end = whole.windows(5).position(|window| window == b"\r\n.\r\n");
    let content = &whole[..end.map_or(whole.len(), |at| at + 5)];
    let alone = (0..content.len()).any(|at| match content[at] {
        b'\r' => content.get(at + 1) != Some(&b'\n'),
        b'\n' => content[at - 1] != b'\r',
        _ => false,
    });
    (end.map(|at| at + 3), alone)
}

/// Relay checklist, rows 42 and 48.
#[test]
fn no_other_form_ends_the_content_however_it_is_cut() {
    const BEHIND: &str = "MAIL FROM:<x@x.example>\r\nRCPT TO:<y@y.example>\r\nDATA\r\nSubject: two\r\n.\r\n";
    let (mut forms, mut ended) = (0, 0);
    for text in ["", "a"] {
        for before in around(2) {
            for behind in around(3) {
                let input = format!("{text}{before}.{behind}{BEHIND}");
                let (end, alone) = by_the_rule(input.as_bytes());
                let form = input.escape_debug();
                for cuts in [vec![], (0..input.len()).collect::<Vec<_>>()] {
                    let (_, facts, rest) = read_with(LineEnds::Strict, input.as_bytes(), &cuts, 1 << 20);
                    assert_eq!(rest.as_deref(), end.map(|at| &input.as_bytes()[at..]), "{form}");
                    assert_eq!(facts.bare_line_end, alone, "{form}");
                    // Whatever is mended: what is refused is read to the same end, or the session is out of step.
                    let (_, _, rest) = read_with(LineEnds::Fix, input.as_bytes(), &cuts, 1 << 20);
                    assert_eq!(rest.as_deref(), end.map(|at| &input.as_bytes()[at..]), "{form}, mended");
                }
                forms += 1;
                ended += usize::from(end.is_some_and(|at| input.len() - at >= BEHIND.len() - 2));
            }
        }
    }
    println!("{forms} forms, {ended} of them end at once");
    assert!(forms > 500 && ended > 0 && ended < forms);
}
