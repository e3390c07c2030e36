//! `[dkim]`, checked: with which key mail of which domains is signed.

use std::path::PathBuf;

use super::SchoolConfig;
use super::check::{Check, is_label};
use super::file::RawDkim;

/// Our signature on what leaves (RFC 6376).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimConfig {
    /// Names the key in the domain's DNS: `SELECTOR._domainkey.DOMAIN`.
    pub selector: String,
    /// The private key in PEM form.
    pub key_file: PathBuf,
    /// Domains of which mail is signed, lower case.
    pub domains: Vec<String>,
}

impl Check<'_> {
    pub(super) fn dkim(&mut self, raw: RawDkim, school: &SchoolConfig) -> Option<DkimConfig> {
        let text = raw.selector.as_ref().to_lowercase();
        let fits = text.is_ascii() && text.split('.').all(is_label);
        let selector = self.parsed("dkim.selector", "selector, as gate2026", &raw.selector, fits.then_some(text));
        let mut domains = Vec::new();
        for domain in &raw.domains {
            let name = domain.as_ref().to_lowercase();
            if school.domains.contains(&name) {
                domains.push(name);
            } else {
                self.wrong(domain, format!("dkim.domains: `{}` is not among school.domains", domain.as_ref()));
            }
        }
        if raw.domains.is_empty() {
            domains.clone_from(&school.domains);
        }
        Some(DkimConfig { selector: selector?, key_file: self.path(raw.key_file), domains })
    }
}
