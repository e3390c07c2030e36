//! Links to files that whoever has the link may open, told by host and form (`rules/links.toml`); nothing is fetched.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    service: Vec<Service>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    #[expect(dead_code, reason = "for who reads the list")]
    name: String,
    hosts: Vec<String>,
    forms: Vec<String>,
}

/// The file built into the program.
const EMBEDDED: &str = include_str!("../../../rules/links.toml");

/// Hosts, with the forms of a link that anyone may open.
type Services = Vec<(Vec<String>, RegexSet)>;

static SERVICES: LazyLock<Services> = LazyLock::new(|| read(EMBEDDED).unwrap_or_default());

/// A link as it stands in a text or in the source of a page; a host may stand without its scheme.
static LINK: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?i)\b(?:https?://)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?::\d+)?(/[^\s"'<>\\]*)"#).ok());

/// The list, or why it is not of its shape.
fn read(toml: &str) -> Result<Services, String> {
    let file: File = toml::from_str(toml).map_err(|e| e.to_string())?;
    let compiled = |service: Service| {
        let forms = service.forms.iter().map(|form| format!("(?i){form}"));
        Ok((service.hosts, RegexSet::new(forms).map_err(|e| e.to_string())?))
    };
    file.service.into_iter().map(compiled).collect()
}

/// Whether the list built into the program is of its shape.
pub(super) fn check() -> Result<(), String> {
    read(EMBEDDED).map(drop)
}

/// Whether a text, or the source of a page, holds a link to a file that whoever has the link may open. Links that a mail
/// filter has wrapped (Safe Links) are unwrapped. Time grows with the text.
pub fn has_open_link(text: &str) -> bool {
    has_open(text, 0)
}

/// `wrapped` counts how often the text was a link inside another.
fn has_open(text: &str, wrapped: usize) -> bool {
    let Some(link) = &*LINK else { return false };
    link.captures_iter(text).any(|found| {
        let (host, path) = (found[1].to_lowercase(), found[2].replace("&amp;", "&"));
        match wrapped_in(&host, &path).filter(|_| wrapped < crate::limits::WRAPPED_LINKS) {
            Some(inner) => has_open(&inner, wrapped + 1),
            None => is_open(&host, &path),
        }
    })
}

fn is_open(host: &str, path: &str) -> bool {
    let is_host = |pattern: &String| match pattern.strip_prefix("*.") {
        Some(domain) => host.strip_suffix(domain).is_some_and(|below| below.ends_with('.')),
        None => host == pattern || host.strip_prefix("www.") == Some(pattern),
    };
    SERVICES.iter().any(|(hosts, forms)| hosts.iter().any(is_host) && forms.is_match(path))
}

/// The link inside one of Microsoft's Safe Links or Google's redirects.
fn wrapped_in(host: &str, path: &str) -> Option<String> {
    let key = match host {
        _ if host.ends_with(".safelinks.protection.outlook.com") => "url",
        "www.google.com" | "google.com" if path.starts_with("/url?") => "q",
        _ => return None,
    };
    let (_, query) = path.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value): (_, Cow<'_, str>)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_open_by_its_host_and_form() {
        let open = [
            "https://1drv.ms/x/s!AkQ2cVr7",
            "https://1drv.ms/w/c/ab12/EQx1?e=4kL",
            "https://onedrive.live.com/redir?resid=AB12!34&authkey=!AKx",
            "https://onedrive.live.com/?authkey=%21AKx&id=AB12",
            "https://saltmere-my.sharepoint.com/:x:/g/personal/w_carr/EaB12?e=Kx1",
            "https://saltmere.sharepoint.com/:f:/g/EaB12",
            "https://saltmere.sharepoint.com/sites/a/_layouts/15/guestaccess.aspx?guestaccesstoken=x",
            "https://drive.google.com/file/d/1AbC-x/view?usp=sharing",
            "https://drive.google.com/open?id=1AbC",
            "https://drive.google.com/drive/folders/1AbC?usp=sharing",
            "https://docs.google.com/spreadsheets/d/1AbC/edit?usp=sharing",
            "https://docs.google.com/document/d/1AbC/edit?tab=t.0&amp;usp=share_link",
            "https://docs.google.com/document/d/e/2PACX-1v/pub",
            "https://www.dropbox.com/s/ab12/list.xlsx?dl=0",
            "https://www.dropbox.com/scl/fi/ab12/list.xlsx?rlkey=x",
            "the list is at www.dropbox.com/sh/ab12 as agreed",
            "https://we.tl/t-AbC123",
            "https://wetransfer.com/downloads/ab12/cd34",
            "https://app.box.com/s/ab12",
            "https://mega.nz/file/ab12#key",
            "<a href=\"HTTPS://WeTransfer.com/downloads/ab12\">here</a>",
            "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.dropbox.com%2Fs%2Fab12%2Fx.pdf&amp;data=05",
            "https://www.google.com/url?q=https%3A%2F%2Fwe.tl%2Ft-Ab1&sa=D",
            "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.google.com%2Furl%3Fq%3Dhttps%253A%252F%252Fwe.tl%252Ft-Ab1",
        ];
        for text in open {
            assert!(has_open_link(text), "{text}");
        }
    }

    #[test]
    fn a_link_to_a_service_or_to_named_people_is_not_open() {
        let closed = [
            "https://saltmere.sharepoint.com/:w:/r/sites/staff/plan.docx?d=w12",
            "https://saltmere.sharepoint.com/:w:/s/staff/EaB12?e=Kx1",
            "https://saltmere.sharepoint.com/sites/staff/SitePages/Home.aspx",
            "https://onedrive.live.com/about/en-gb/",
            "https://docs.google.com/forms/d/e/1FAIpQL/viewform?usp=sharing",
            "https://docs.google.com/document/d/1AbC/edit",
            "https://drive.google.com/drive/my-drive",
            "https://www.dropbox.com/home/reports",
            "https://www.dropbox.com/help/security",
            "https://wetransfer.com/pricing",
            "https://wetransfer.com/",
            "https://notdropbox.com/s/ab12/x",
            "https://dropbox.com.evil.example/s/ab12",
            "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.bbc.co.uk%2Fnews&data=05",
            "https://www.saltmere.example/s/ab12",
            "We use SharePoint, OneDrive and Dropbox. and/or a file/d/ of ours",
        ];
        for text in closed {
            assert!(!has_open_link(text), "{text}");
        }
    }

    #[test]
    fn the_list_is_of_its_shape_and_a_faulty_one_says_so() {
        assert_eq!(check(), Ok(()));
        assert!(!SERVICES.is_empty());
        assert!(read("[[service]]\nname = 'x'\nhosts = []\nforms = ['(']").is_err());
        assert!(read("[[service]]\nname = 'x'\nhost = []").is_err());
    }
}
