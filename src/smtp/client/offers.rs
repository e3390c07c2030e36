//! What a server offers in its answer to EHLO (RFC 5321 4.1.1.1).

use crate::smtp::answer::Answer;

/// EHLO keywords, in whatever case they were said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offers {
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// 8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// DSN (RFC 3461).
    pub dsn: bool,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// TLS is on: these are the offers made under it.
    pub encrypted: bool,
    /// SIZE, with its limit in octets where it names one above 0 (RFC 1870 4).
    pub size: Option<Option<usize>>,
    /// AUTH, with the mechanisms that we know (RFC 4954 3).
    pub auth: Auth,
}

/// Mechanisms of signing in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Auth {
    /// RFC 4616.
    pub plain: bool,
    /// What older servers have (draft-murchison-sasl-login).
    pub login: bool,
    /// A bearer token, as Microsoft and Google want it (developers.google.com/workspace/gmail/imap/xoauth2-protocol).
    pub xoauth2: bool,
}

impl Offers {
    pub(super) fn read(answer: &Answer, encrypted: bool) -> Self {
        let mut offers = Self { encrypted, ..Self::default() };
        for line in answer.lines.iter().skip(1) {
            // Some servers of old say `AUTH=LOGIN`.
            let line = line.to_ascii_uppercase();
            let mut words = line.split(|c: char| c.is_ascii_whitespace() || c == '=').filter(|word| !word.is_empty());
            match words.next() {
                Some("PIPELINING") => offers.pipelining = true,
                Some("8BITMIME") => offers.eight_bit = true,
                Some("SMTPUTF8") => offers.smtputf8 = true,
                Some("DSN") => offers.dsn = true,
                Some("STARTTLS") => offers.starttls = true,
                Some("SIZE") => {
                    offers.size = Some(words.next().and_then(|n| n.parse().ok()).filter(|&n| n > 0));
                }
                Some("AUTH") => {
                    for mechanism in words {
                        match mechanism {
                            "PLAIN" => offers.auth.plain = true,
                            "LOGIN" => offers.auth.login = true,
                            "XOAUTH2" => offers.auth.xoauth2 = true,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        offers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read_in_any_case() {
        let offers = |lines: &[&str]| {
            let lines = lines.iter().map(|l| (*l).to_owned()).collect();
            Offers::read(&Answer { code: 250, lines }, false)
        };
        let all = Offers {
            pipelining: true,
            eight_bit: true,
            smtputf8: true,
            dsn: true,
            starttls: true,
            encrypted: false,
            size: Some(Some(10)),
            auth: Auth { plain: true, login: true, xoauth2: false },
        };
        let lines = [
            "mx.example PIPELINING",
            "pipelining",
            "",
            "  ",
            "8BITMIME",
            "SmtpUtf8",
            "dsn",
            "\tSIZE  10",
            "starttls",
            "auth=login",
            "Auth cram-md5 Plain",
            "",
        ];
        assert_eq!(offers(&lines), all);
        assert_eq!(offers(&["PIPELINING"]), Offers::default(), "the first line is a name");
        assert_eq!(offers(&[]), Offers::default());
        assert_eq!(offers(&["mx", "SIZE"]).size, Some(None));
        assert_eq!(offers(&["mx", "SIZE 0"]).size, Some(None));
        assert_eq!(offers(&["mx", "AUTH", "AUTHPLAIN", "X-AUTH PLAIN", "PLAIN"]).auth, Auth::default());
        assert!(offers(&["mx", "AUTH LOGIN XOAUTH2"]).auth.xoauth2);
    }
}
