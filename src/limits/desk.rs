//! Limits of the desk: pages, accounts, and signing in.

limits! {
    // --- the desk ---
    /// The port that mail is taken at, on loopback, where `[listen]` names no address and there is no `[[listener]]`.
    LISTEN_PORT: u16 = 2_525, "port", "own choice: from 1,024 up wants no capability, and 25 is in it";
    /// The port that the desk listens on, on loopback, where `listen` names no other.
    REVIEW_PORT: u16 = 8_025, "port", "own choice: from 1,024 up wants no capability, and 25 is in it";
    /// Connections to the desk at the same time; a further one is closed.
    DESK_CONNECTIONS: usize = 512, "connections", "own choice: a browser opens six, and a school has a dozen who decide";
    /// Connections to the desk at the same time from one client, an IPv4 address or an IPv6 /64. Proxies of ours have no limit.
    DESK_CONNECTIONS_PER_CLIENT: usize = 128, "connections", "own choice: twenty browsers behind one address";
    /// Handshakes of TLS under way at the same time; with a further one the connection is closed.
    DESK_HANDSHAKES: usize = 256, "handshakes", "own choice: twice DESK_CONNECTIONS_PER_CLIENT, so that no client alone takes them all";
    /// Time for one handshake.
    DESK_HANDSHAKE_SECONDS: u64 = 10, "seconds", "own choice: three round trips on the worst of telephones";
    /// Time for the head of a request, counted from the end of the one before.
    DESK_HEAD_SECONDS: u64 = 30, "seconds", "as in hyper (header_read_timeout)";
    /// Pause between two looks whether a certificate of ours was renewed.
    CERTIFICATE_LOOK_SECONDS: u64 = 60, "seconds", "own choice: two looks at a file's date; certbot renews weeks ahead";
    /// A file with a certificate of ours and its chain, or with its key.
    CERTIFICATE_FILE_OCTETS: u64 = 256 * 1_024, "octets", "own choice: a chain of four takes 8 KB";
    /// Days before its end from which `doctor` warns of a certificate.
    CERTIFICATE_DAYS: i64 = 21, "days", "own choice: certbot renews 30 days ahead, so it has failed for nine";

    // --- signing in at a provider (OpenID Connect) ---
    /// The longest name of a provider.
    OIDC_NAME_CHARS: usize = 32, "characters", "own choice: it stands in addresses and in the audit";
    /// Words on the button to a provider.
    OIDC_BUTTON_CHARS: usize = 60, "characters", "own choice: one line on a telephone";
    /// The file with a client secret.
    OIDC_SECRET_OCTETS: u64 = 4 * 1_024, "octets", "own choice: Entra ID gives 40 characters, Google 35";
    /// One answer of a provider: metadata, keys or a token.
    WEB_ANSWER_OCTETS: usize = 256 * 1_024, "octets", "own choice: Entra ID's keys take 20 KB";
    /// One answer of a provider, from the look-up of its name to the last octet.
    WEB_ANSWER_SECONDS: u64 = 10, "seconds", "own choice: somebody waits before an empty page";
    /// Metadata and keys of a provider are believed.
    OIDC_METADATA_SECONDS: u64 = 3_600, "seconds", "own choice: Google lets its keys be kept for about 6 hours; what is withdrawn is gone within one";
    /// Pause after a provider could not be reached, and between two times that its keys are fetched because of one that nobody knows.
    OIDC_AGAIN_SECONDS: u64 = 30, "seconds", "own choice: whoever presses the button again and again asks nobody else";
    /// Time from the button to the way back.
    OIDC_SIGN_IN_SECONDS: u64 = 600, "seconds", "own choice: to type a password there, and to find the telephone";
    /// Sign-ins at providers under way at the same time.
    OIDC_PENDING: usize = 10_000, "sign-ins", "own choice: of a kilobyte each at most";
    /// Sign-ins at providers under way from one client address; a further one ends the oldest.
    OIDC_PENDING_PER_CLIENT: usize = 100, "sign-ins", "own choice: a whole school may come from one address, in ten minutes few do";
    /// Where to go after a sign-in at a provider; longer is the first page.
    OIDC_NEXT_OCTETS: usize = 512, "octets", "own choice: a link of a notice has about 60";
    /// Randomness of the name of a sign-in, of its state and of its nonce.
    OIDC_RANDOM_OCTETS: u32 = 32, "octets", "RFC 6749 10.10 asks for 16 at least; as a session's token";
    /// Values of the way back that are looked at.
    OIDC_BACK_OCTETS: usize = 4 * 1_024, "octets", "own choice: codes of Entra ID take up to 2 KB";

    // --- accounts of the desk ---
    /// The name that a person signs in with.
    ACCOUNT_NAME_CHARS: usize = 64, "characters", "own choice: `forename.surname`, however long";
    /// Accounts that a list gives.
    ACCOUNTS: u32 = 1_000, "accounts", "own choice: all staff of a large trust";
    /// How long a one-time link to sign up is good for.
    SIGN_UP_SECONDS: u64 = 24 * 3_600, "seconds", "OWASP Forgot Password Cheat Sheet: an appropriate period; a day reaches who is out of school";
    /// How long the link is good that makes the first account. It stands in the log, and logs are copied.
    FIRST_LINK_SECONDS: u64 = 3_600, "seconds", "own choice: whoever installs is there; another start makes another";
    /// The shortest password.
    PASSWORD_FEWEST_CHARS: usize = 12, "characters", "NCSC: three random words; NIST SP 800-63B 5.1.1.2 asks for 8 at least";
    /// The longest password.
    PASSWORD_MOST_CHARS: usize = 256, "characters", "own choice; NIST SP 800-63B 5.1.1.2 asks for 64 at least";
    /// Different characters that a password has at least.
    PASSWORD_FEWEST_DIFFERENT: usize = 5, "characters", "own choice: `aaaaaaaaaaaa` and `121212121212` are none";
    /// Different characters that a password has at least where name and mailbox of its owner, standing in it, are left out.
    PASSWORD_BESIDES_NAME: usize = 8, "characters", "own choice: a name and a year are none";
    /// Memory of Argon2id.
    PASSWORD_MEMORY: u32 = 19_456, "KiB", "OWASP Password Storage Cheat Sheet";
    /// Passes of Argon2id.
    PASSWORD_PASSES: u32 = 2, "passes", "OWASP Password Storage Cheat Sheet";
    /// Lanes of Argon2id.
    PASSWORD_LANES: u32 = 1, "lanes", "OWASP Password Storage Cheat Sheet";
    /// Passwords that are hashed at the same time; further ones wait.
    PASSWORDS_AT_ONCE: usize = 2, "passwords", "own choice: 40 MB at most, whoever knocks";
    /// The secret of an authenticator.
    TOTP_SECRET: usize = 20, "octets", "RFC 4226 4 recommends 160 bits";
    /// How long a code of an authenticator stands.
    TOTP_SECONDS: u64 = 30, "seconds", "RFC 6238 5.2";
    /// Steps before and after the present one whose code is taken.
    TOTP_SKEW: u16 = 1, "steps", "RFC 6238 5.2";
    /// Digits of a code.
    TOTP_DIGITS: u8 = 6, "digits", "RFC 4226 5.3; what authenticators show";
    /// Recovery codes that a person is given.
    RECOVERY_CODES: usize = 10, "codes", "own choice: usual";
    /// Randomness of a recovery code.
    RECOVERY_CODE: usize = 10, "octets", "NIST SP 800-63B 5.1.2.2 asks for 20 bits with a rate limit; 80 need none";
    /// Time between the password and the code.
    SIGN_IN_SECONDS: u64 = 300, "seconds", "own choice: to find the telephone";
    /// The longest that a session lasts.
    SESSION_SECONDS: u64 = 8 * 3_600, "seconds", "OWASP Session Management Cheat Sheet: 4 to 8 hours for a day's work";
    /// A session that is not used for so long is over.
    SESSION_IDLE_SECONDS: u64 = 30 * 60, "seconds", "OWASP Session Management Cheat Sheet: 15 to 30 minutes; NIST SP 800-63B 4.2.3";
    /// A session's last use is written down at most this often.
    SESSION_TOUCH_SECONDS: u64 = 60, "seconds", "own choice: a commit a minute, and idle time known to a minute";
    /// Tries to sign in with one name before each further one has to wait.
    ATTEMPTS_ACCOUNT: u32 = 5, "tries", "own choice: OWASP ASVS 2.2.1 asks for fewer than 100 an hour";
    /// The wait after the first try too many with one name; each further one doubles it.
    ATTEMPTS_ACCOUNT_SECONDS: u64 = 30, "seconds", "own choice";
    /// Failed tries from one client before each further one has to wait.
    ATTEMPTS_CLIENT: u32 = 30, "tries", "own choice: a school may stand behind one address";
    /// Tries to sign in to send with one name, from all clients that never did so rightly, before each further one has to wait.
    ATTEMPTS_SENDER: u32 = 50, "tries", "own choice: guesses from many addresses; ten new devices with an old password are fewer";
    /// How long a client is known as one from which an account signs in to send, since it last did.
    SUBMISSION_CLIENT_SECONDS: u64 = 90 * 24 * 3_600, "seconds", "own choice: a copier that rests over the summer holidays";
    /// The last use of an account that signs in to send is written down at most this often.
    SUBMISSION_TOUCH_SECONDS: u64 = 60, "seconds", "own choice: as SESSION_TOUCH_SECONDS";
    /// Senders of one account that signs in to send.
    SUBMISSION_SENDERS: usize = 100, "senders", "own choice: a whole domain is one";
    /// Randomness of a password that is made for such an account.
    SUBMISSION_PASSWORD: usize = 15, "octets", "own choice: 120 bits; 24 characters can be typed at a copier's panel";
    /// The wait after the first try too many from one client; each further one doubles it.
    ATTEMPTS_CLIENT_SECONDS: u64 = 5, "seconds", "own choice";
    /// The longest wait.
    ATTEMPTS_MOST_SECONDS: u64 = 900, "seconds", "own choice: 100 guesses a day; who is kept out by a stranger's guesses is not out for long";
    /// Failed tries are forgotten when none was made for so long.
    ATTEMPTS_FORGET_SECONDS: u64 = 24 * 3_600, "seconds", "own choice";
    /// Names and clients whose failed tries are kept; of more, those with the fewest are forgotten first.
    ATTEMPTS_KEPT: u32 = 100_000, "counts", "own choice: 15 MB of the database; ten times what a school's own people could come to";
    /// The longest that a sealed message is open to who asked for it.
    SEALED_GRANT_SECONDS: u64 = 8 * 3_600, "seconds", "own choice: a working day";
    /// A reason or purpose that a person gives.
    REASON_CHARS: usize = 2_000, "characters", "own choice: a page";

    // --- the desk (`review`) ---
    /// Size of a form.
    DESK_FORM_OCTETS: usize = 64 * 1_024, "octets", "own choice: the longest note and reason many times over";
    /// Value of a cookie that is looked at.
    COOKIE_OCTETS: usize = 128, "octets", "own choice: a token has 43";
    /// Messages on a page of the list.
    HELD_PAGE: u32 = 50, "messages", "own choice: a page of at most 100 KB";
    /// The key of a form, so that it counts once.
    FORM_KEY_OCTETS: usize = 64, "octets", "own choice: a token has 43";
    /// Recovery codes that the demonstration tells.
    DEMO_CODES: usize = 3, "codes", "own choice: each signs in once, and a visitor comes back";
    /// Password that the demonstration makes up.
    DEMO_PASSWORD_CHARS: usize = 16, "characters", "own choice: 96 bits of chance, and it can be typed";
    /// Text of one part of a message that is shown; the rest is in the original.
    SHOWN_PART_OCTETS: usize = 64 * 1_024, "octets", "own choice: more than anybody reads on a screen";
}
