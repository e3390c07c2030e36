//! Whether clients would take a certificate that we show: the desk's, and that of each listener. Whether they know its authority is theirs to
//! say.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Findings;
use crate::config::{Config, TlsFiles};
use crate::limits;
use crate::relay::certificate::{Owner, Pair};

/// A certificate as its clients meet it.
pub struct Shown<'a> {
    /// Who shows it, as "desk".
    pub what: &'a str,
    /// Whose it is.
    pub owner: &'a Owner,
    /// The host that clients ask for.
    pub host: &'a str,
    /// Where that stands, as "the host of public_url".
    pub host_is: &'a str,
    /// Who would refuse it, as "browsers".
    pub who: &'a str,
}

impl Shown<'_> {
    /// Whether its files can be used, whether it is for its host, and for how long it holds.
    pub fn look(&self, config: &Config, files: &TlsFiles, now: Timestamp, findings: &mut Findings) {
        let Self { what, owner, host, host_is, who } = self;
        let pair = match Pair::read(files) {
            Ok(pair) => pair,
            Err(error) => return findings.unstartable(format!("{}: {error}", config.at(&owner.key(&error)))),
        };
        let (at, file) = (config.at(&owner.certificate_key()), files.certificate.display());
        if !pair.covers(host) {
            findings.bad(format!("{at}: {file} is not for {host}, {host_is}: {who} would refuse it"));
        }
        let Some(ends) = pair.ends() else {
            return findings.doubtful(format!("{at}: {file}: until when it holds cannot be read"));
        };
        let until = ends.to_zoned(TimeZone::UTC).strftime("%-d %B %Y");
        match ends.duration_since(now).as_hours() / 24 {
            _ if ends < now => findings.bad(format!("{at}: {file} ended on {until}: {who} refuse it; renew it")),
            days if days < limits::CERTIFICATE_DAYS => findings.doubtful(format!(
                "{at}: {file} ends on {until}, in {days} days: look why it is not renewed; a renewed one is taken without a restart"
            )),
            _ => findings.well(format!(
                "{what}: it speaks TLS itself; its key fits its certificate, which holds until {until}"
            )),
        }
    }
}
