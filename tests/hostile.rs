//! A hostile crowd at the door of the real gateway: thousands that hold a connection and say nothing, those that say an octet a second,
//! floods of commands, of connections and of handshakes, and guesses of passwords. What it costs is bounded, each of them ends, and others
//! are served meanwhile.
//!
//! Two gateways that send to each other: `tests/relay/service.rs`. More mail than can be inspected: `tests/overload.rs`. What takes
//! longer than a test may wait (a slow client that may send) is shown with shorter limits in `src/relay/listen/tests.rs`.

mod support;
mod hostile {
    pub mod caller;
    mod dawdle;
    mod flood;
    mod guess;
    mod idle;
}
