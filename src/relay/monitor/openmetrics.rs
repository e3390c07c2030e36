//! OpenMetrics (version 1.0.0) out of the Prometheus text format 0.0.4, for who asks for it.
//!
//! Both name the same samples. In OpenMetrics a counter's family has the name without `_total`, a bucket's bound is written
//! as a float, there are no blank lines, and `# EOF` says that nothing was cut off.

/// As it is told to who asked.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const MEDIA_TYPE: &str = "application/openmetrics-text";

/// Whether a client rather has OpenMetrics than plain text, by the lines of its `Accept` (RFC 9110 12.5.1). Who accepts
/// anything gets plain text.
pub(super) fn is_asked_for<'a>(accept: impl Iterator<Item = &'a str>) -> bool {
    let (mut openmetrics, mut plain) = (0.0_f32, 0.0_f32);
    for range in accept.flat_map(|line| line.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut weight = 1.0;
        let mut known = true;
        for (key, value) in parts.filter_map(|part| part.split_once('=')) {
            match key.trim().to_ascii_lowercase().as_str() {
                "q" => weight = value.trim().parse().unwrap_or(0.0),
                "version" => known = value.trim().trim_matches('"') == "1.0.0",
                _ => {}
            }
        }
        if name == MEDIA_TYPE && known {
            openmetrics = openmetrics.max(weight);
        } else if name == "text/plain" {
            plain = plain.max(weight);
        }
    }
    openmetrics > 0.0 && openmetrics >= plain
}

/// A page in the Prometheus text format 0.0.4, as OpenMetrics.
pub(super) fn from_text(text: &str) -> String {
    let mut page = String::with_capacity(text.len() + 64);
    let counters: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let family = line.strip_prefix("# ").and_then(|rest| rest.split(' ').nth(1));
        match family.and_then(|name| Some((name, name.strip_suffix("_total")?))) {
            Some((name, bare)) if counters.contains(&name) => page += &line.replacen(name, bare, 1),
            _ => page += &with_float_bound(line),
        }
        page.push('\n');
    }
    page + "# EOF\n"
}

/// `le="5"` as `le="5.0"`.
fn with_float_bound(line: &str) -> std::borrow::Cow<'_, str> {
    const BOUND: &str = "le=\"";
    let bound = line.find(BOUND).filter(|_| !line.starts_with('#')).map(|at| at + BOUND.len());
    let Some(end) = bound.and_then(|at| Some(at + line[at..].find('"')?)) else { return line.into() };
    let whole = bound.is_some_and(|at| !line[at..end].is_empty() && line[at..end].bytes().all(|b| b.is_ascii_digit()));
    if whole { format!("{}.0{}", &line[..end], &line[end..]).into() } else { line.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relay checklist, row 143.
    #[test]
    fn who_asks_for_it_gets_it() {
        for (accept, asked) in [
            ("", false),
            ("*/*", false),
            ("text/plain", false),
            ("text/html,application/xhtml+xml,*/*;q=0.8", false),
            ("application/openmetrics-text", true),
            ("Application/OpenMetrics-Text; version=1.0.0; charset=utf-8", true),
            ("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1", true),
            ("application/openmetrics-text;version=\"1.0.0\",text/plain", true),
            ("text/plain;q=0.9, application/openmetrics-text;q=0.3", false),
            ("application/openmetrics-text;q=0", false),
            ("application/openmetrics-text;q=x", false),
            ("application/openmetrics-text;version=0.0.1,text/plain;q=0.5", false),
            ("application/openmetrics-textual", false),
        ] {
            assert_eq!(is_asked_for([accept].into_iter()), asked, "{accept}");
        }
        assert!(
            is_asked_for(["text/plain;q=0.1", "application/openmetrics-text"].into_iter()),
            "on lines of their own"
        );
    }

    #[test]
    fn families_bounds_and_the_end() {
        let text = "# HELP a_total What a_total counts\n# TYPE a_total counter\na_total{x=\"1\"} 5\n\n\
            # HELP b le=\"3\"\n# TYPE b gauge\nb 2\n\n# TYPE c_total gauge\nc_total 1\n\n\
            # TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{k=\"v\",le=\"10\"} 2\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n\n";
        let wanted = "# HELP a What a_total counts\n# TYPE a counter\na_total{x=\"1\"} 5\n\
            # HELP b le=\"3\"\n# TYPE b gauge\nb 2\n# TYPE c_total gauge\nc_total 1\n\
            # TYPE h histogram\nh_bucket{le=\"0.5\"} 1\nh_bucket{k=\"v\",le=\"10.0\"} 2\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n# EOF\n";
        assert_eq!(from_text(text), wanted);
        assert_eq!(from_text(""), "# EOF\n");
    }
}
