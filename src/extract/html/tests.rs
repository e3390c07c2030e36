use super::super::lines;
use super::*;
use crate::text::Block;

fn show(blocks: &[Block]) -> Vec<String> {
    let one = |block: &Block| match block {
        Block::Paragraph { text, detail: None } => text.clone(),
        Block::Paragraph { text, detail: Some(detail) } => format!("{detail}: {text}"),
        Block::Table(table) => table.rows().map(|row| row.aligned().join("|")).collect::<Vec<_>>().join("/"),
    };
    blocks.iter().map(one).collect()
}

#[test]
fn words_join_and_blocks_part() {
    for (html, expected) in [
        ("<p>Smi<!-- -->th</p>", vec!["Smith"]),
        ("<b>S</b>mith", vec!["Smith"]),
        ("<p>S&#83;&shy;x</p>", vec!["SS\u{ad}x"]),
        ("<p>one</p><p>two</p>", vec!["one", "two"]),
        ("<div>one</div><div>two</div><div><br></div><div>three</div>", vec!["one\ntwo", "three"]),
        ("one<br>two<br><br>three", vec!["one\ntwo", "three"]),
        ("<p class=MsoNormal>one</p><p class=MsoNormal>&nbsp;</p><p class=MsoNormal>two</p>", vec!["one", "two"]),
        ("<p class=MsoNormal>one</p><p class=MsoNormal>two</p>", vec!["one\ntwo"]),
        ("<ul><li>a</li><li>b</li></ul>", vec!["a", "b"]),
        ("<style>p{x:y}</style><script></script>x", vec!["x"]),
        ("<script>var a='\\u0041my Smith'</script>x", vec!["x", "script: var a='Amy Smith'"]),
        ("<script>w('<b>A</b>my')</script>", vec!["script: w('<b>A</b>my')", "script: w('Amy')"]),
        ("<style>p::before{content: 'Amy \\53 mith' attr(x);color:red}</style>x", vec!["x", "style: Amy Smith"]),
        ("<style>p{font-family:'Amy Sans';background:url(a:b)}</style>x", vec!["x"]),
        ("<iframe srcdoc='&lt;p&gt;A&lt;b&gt;my&lt;/b&gt;&lt;/p&gt;'></iframe>x", vec!["Amy", "x"]),
        ("<span style='display:none'>Amy</span>x", vec!["Amyx"]),
        ("<details><summary>Amy</summary>Smith</details>", vec!["Amy\nSmith"]),
        ("<form><legend>Amy</legend>x<input placeholder='Ben'></form>", vec!["Amy\nx", "placeholder: Ben"]),
        ("<img alt='Amy Smith'>x", vec!["x", "alternative text: Amy Smith"]),
        ("x<!-- Amy Smith -->", vec!["x", "comment: Amy Smith"]),
        ("<!--[if mso]><p>Amy</p><![endif]-->x", vec!["x", "comment: Amy"]),
        ("<title>T</title><pre>a\nb</pre>", vec!["T", "a\nb"]),
        ("<table><tr><th>Name<th>Form</tr><tr><td><p>Amy</p><td>Oak</table>z", vec!["Name|Form/Amy|Oak", "z"]),
        ("<table><tr><td>only</td></tr></table>", vec!["only"]),
        ("<table><tr><td>x<table><tr><td>a<td>b</table></td><td>y</td></tr></table>", vec!["x", "a|b", "y"]),
        ("<table><tr><td colspan=2>h</td><td>c</td></tr><tr><td>1<td>2<td>3</tr></table>", vec!["h||c/1|2|3"]),
        ("<table><tr><td>Amy<td>open to the end", vec!["Amy|open to the end"]),
    ] {
        assert_eq!(show(&lines::blocks(pieces(html))), expected, "{html}");
    }
}

#[test]
fn earlier_messages() {
    for html in [
        "<p>new</p><div class=gmail_quote>On x, y wrote:<blockquote>old</blockquote></div>",
        "<p>new</p><div id=divRplyFwdMsg><b>From:</b> A<br><div>&nbsp;</div></div><div>old</div>",
        "<p>new</p><div style='border:none;border-top:solid #E1E1E1 1.0pt'><b>From:</b> A</div><p>old</p>",
        "<p>new</p><blockquote type=cite>old</blockquote>",
        "<p>new</p><hr><b>From:</b> A<br><b>Sent:</b> B<br><b>To:</b> C<br><br>old",
    ] {
        let (body, quoted) = lines::split(pieces(html));
        assert_eq!(show(&body), ["new"], "{html}");
        assert!(show(&quoted).last().is_some_and(|l| l == "old"), "{html}: {:?}", show(&quoted));
    }
}
