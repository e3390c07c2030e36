//! What of a page could do something by itself: scripts, handlers, frames, links that run.

/// Elements that our own pages are made of.
const ELEMENTS: &[&str] = &[
    "a",
    "blockquote",
    "body",
    "br",
    "button",
    "code",
    "datalist",
    "dd",
    "div",
    "dl",
    "doctype",
    "dt",
    "fieldset",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "head",
    "header",
    "html",
    "input",
    "label",
    "legend",
    "li",
    "link",
    "main",
    "mark",
    "meta",
    "nav",
    "ol",
    "option",
    "p",
    "pre",
    "script",
    "select",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "textarea",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "ul",
    "em",
];

/// What of a page is not ours: elements that no template has, handlers, addresses elsewhere, a second script or style.
pub(crate) fn alive(page: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut scripts, mut links) = (0, 0);
    for tag in page.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap_or((tag, ""));
        let tag = tag.to_lowercase();
        let name: String = tag.trim_start_matches(['/', '!']).chars().take_while(char::is_ascii_alphanumeric).collect();
        scripts += usize::from(tag.starts_with("script"));
        links += usize::from(tag.starts_with("link") || tag.starts_with("style"));
        let attributes = tag.split('"').step_by(2).flat_map(|part| part.split_whitespace());
        let handler = attributes
            .map(|word| word.trim_start_matches('/'))
            .any(|word| word.starts_with("on") || word.starts_with("style="));
        let away = ["href=\"", "src=\"", "action=\""].iter().any(|attribute| {
            let value = tag.split(attribute).nth(1).unwrap_or("/").replace("&#x2f;", "/");
            !(value.starts_with('#') || value.starts_with('/') && !value.starts_with("//"))
        });
        if !ELEMENTS.contains(&name.as_str()) || handler || away || tag.contains("http-equiv") {
            found.push(tag);
        }
    }
    if (scripts, links) != (1, 1) {
        found.push(format!("{scripts} scripts, {links} style sheets"));
    }
    found
}

#[test]
fn what_is_alive_is_seen() {
    let page = |inside: &str| {
        format!("<html><link href=\"&#x2f;a.css\"><script src=\"&#x2f;a.js\"></script><main>{inside}</main>")
    };
    for harmless in ["", "<p class=\"on\">&lt;script&gt;</p>", "<a href=\"/held\">x</a>", "<a href=\"#main\">x</a>"] {
        assert!(alive(&page(harmless)).is_empty(), "{harmless}");
    }
    for alone in [
        "<script>",
        "<img src=x>",
        "<svg/onload=1>",
        "<a href=\"//evil\">",
        "<a href=\"https://evil\">",
        "<p style=\"x\">",
        "<p onclick=x>",
        "<base href=\"/\">",
        "<meta http-equiv=refresh>",
        "<link>",
        "<iframe>",
        "<math>",
    ] {
        assert!(!alive(&page(alone)).is_empty(), "{alone}");
    }
}
