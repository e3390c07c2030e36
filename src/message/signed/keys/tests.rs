//! Files of keys as technicians make them, and what is wrong with some.

use super::*;

/// RSA, 2048 bits (of `fixtures/dkim/rsa2048.pem`) and 768 bits.
const STRONG: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAs9BEXp5iJgyeqssis3RueIFmpdbQquWO20iP8T0SbSPVzi/l0BG7nyiTW8kXp5rUV+kxZdon5eSZm82yBQ0a6iS8QW7kFyo5FxD9/p58vMAFWr95rbzmodgj2OQppPb91OEjaToxUmz4MZaGKVAgRkFKoSVnooMndjucFt48vth1UI52bnLHFMsT3dR0FcaRZ6AUfo73L6V+pSDsr69BoDxoSqT4RjdAsBevwHRbCKtlMFBFyoF6wlZryDhTk6N542ndQ+w4StXIGEWop8cMkn11vBzsgmHL3+FjjhwKwcmZMU8Yq7iSz+yQK5/6kFEo/3H4ACYaPg4ud6FllGBFHwIDAQAB";
const WEAK: &str = "MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhAMNz0mZma8Ci/r6H+BoLQS7+gNopghd03bh0pGt5NfQdtfrTRoqgdnQSxAIhLmgaVe1HUfqn7hR9+OIsFTb16KvQ0ZVnXuniL/pS442Ewtn+oxKxQ2Y9zr6ujDIzFa630wIDAQAB";
/// RFC 8463 A.2.
const ED25519: &str = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

fn kind_of(keys: &Keys, selector: &str, domain: &str) -> Option<Result<Kind, &'static str>> {
    keys.find(selector, domain).map(|key| key.kind)
}

#[test]
fn lines_as_dig_prints_them_and_shorter() {
    let (one, two) = STRONG.split_at(200);
    let text = format!(
        "\u{feff}# keys of the firm\n; <<>> DiG\n\n\
         one._domainkey.Firm.example. 3600 IN TXT \"v=DKIM1; k=rsa; p={one}\" \"{two}\"\n\
         two._domainkey.firm.example TXT \"v=DKIM1\\; k=rsa\\; p={STRONG}\" ; the old one\r\n\
         three._domainkey.firm.example v=DKIM1; k=ed25519; p={ED25519}\n\
         four._domainkey.firm.example.\t300\tIN\tCNAME\tfour.keys.Provider.example.\n\
         four.keys.provider.example. 300 IN CNAME key.provider.example.\n\
         key.provider.example. 300 IN TXT \"p={STRONG}\"\n\
         one._domainkey.firm.example \"v=DKIM1; k=rsa; p={STRONG}\"\n"
    );
    let keys = Keys::parse(&text).expect("sound");
    for (selector, domain, kind) in [
        ("one", "firm.example", Some(Ok(Kind::Rsa))),
        ("ONE", "FIRM.example", Some(Ok(Kind::Rsa))),
        ("two", "firm.example", Some(Ok(Kind::Rsa))),
        ("three", "firm.example", Some(Ok(Kind::Ed25519))),
        ("four", "firm.example", Some(Ok(Kind::Rsa))),
        ("five", "firm.example", None),
        ("one", "other.example", None),
    ] {
        assert_eq!(kind_of(&keys, selector, domain), kind, "{selector} {domain}");
    }
    assert_eq!(keys.unusable().count(), 0);
    assert!(Keys::parse("").expect("sound").is_empty());
}

#[test]
fn keys_that_count_for_nothing_are_taken_as_such() {
    for (record, why) in [
        ("v=DKIM1; p=", "revoked"),
        (&format!("v=DKIM1; p={WEAK}"), "too short to count"),
        (&format!("v=DKIM1; h=sha1; p={STRONG}"), "only for hashes that no longer count"),
        (&format!("v=DKIM1; s=tlsrpt; p={STRONG}"), "not for mail"),
        (&format!("v=DKIM1; k=dsa; p={STRONG}"), "of a kind that is not known"),
    ] {
        let keys = Keys::parse(&format!("s._domainkey.a.example {record}")).expect(record);
        assert_eq!(keys.unusable().collect::<Vec<_>>(), [("s._domainkey.a.example", why)], "{record}");
    }
    for record in
        [format!("v=DKIM1; h=sha1:sha256; s=email; t=y:s; p={STRONG}"), format!("n=a note; s=*; k=rsa; p= {STRONG}")]
    {
        let keys = Keys::parse(&format!("s._domainkey.a.example {record}")).expect(&record);
        assert_eq!(keys.unusable().count(), 0, "{record}");
    }
}

#[test]
fn what_is_wrong_is_told_by_line() {
    let cut = &STRONG[..300];
    let key = |record: &str| format!("s._domainkey.a.example {record}");
    for (text, line, words) in [
        (format!("\n\"v=DKIM1; p={STRONG}\"\n"), 2, "a line begins with a name"),
        ("s._domainkey.a.example".to_owned(), 1, "nothing follows the name"),
        ("s._domainkey.a.example 300 IN A 192.0.2.1".to_owned(), 1, "TXT or CNAME is wanted"),
        (key("\"v=DKIM1; p="), 1, "a quotation mark is left open"),
        (key("\"v=DKIM1;\" p= \"x\""), 1, "between the quotation marks"),
        (key("\"hello\""), 1, "no record of a key"),
        (key("v=DKIM1; p=; p="), 1, "no record of a key"),
        (key("v=spf1; p="), 1, "v= is not DKIM1"),
        (key("v=DKIM1; k=rsa"), 1, "no key (p=)"),
        (key(&format!("v=DKIM1; p={cut}!")), 1, "no base64"),
        (key(&format!("v=DKIM1; p={cut}")), 1, "part of it is missing"),
        (key("v=DKIM1; k=ed25519; p=AAAA"), 1, "32 octets"),
        (format!("selector.a.example v=DKIM1; p={STRONG}"), 1, "`._domainkey.`"),
        (format!("{}\n{}", key("v=DKIM1; p="), key(&format!("p={STRONG}"))), 2, "line 1 says otherwise"),
        ("# x\ns._domainkey.a.example CNAME k.b.example.".to_owned(), 2, "no TXT line"),
        ("s._domainkey.a.example CNAME s._domainkey.a.example".to_owned(), 1, "no TXT line"),
        (format!("{}\ns._domainkey.a.example CNAME b.example", key("p=")), 2, "a record of its own"),
    ] {
        let problems = Keys::parse(&text).expect_err(&text);
        let [problem] = &problems[..] else { panic!("{text}: {problems:?}") };
        assert!(problem.line == line && problem.problem.contains(words), "{text}: {problem}");
        assert!(!problem.problem.contains(&STRONG[..20]), "{problem}");
    }
}
