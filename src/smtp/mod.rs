//! The protocol without sockets (RFC 5321 and its extensions): bytes in, actions out.
//!
//! Never knows sockets, clocks, disk, people or rules. `data` is the one place that knows CR, LF and dot; `session` is
//! the server's state table, with one `reset_transaction` that every path uses; `client` is the other side of the dialogue.

pub mod address;
pub mod answer;
pub mod auth;
pub mod client;
pub mod command;
pub mod data;
pub mod dsn;
pub mod proxy;
pub mod reply;
pub mod session;
pub mod xclient;
pub mod xtext;

pub use address::{Address, AddressError, Envelope};
pub use answer::{Answer, AnswerReader, NoAnswer};
pub use auth::{Account, Credentials, NotSignedIn, Sender};
pub use data::{ContentFacts, LineEnds, Refusal, dot_stuff, end_of_data};
pub use reply::{Code, Enhanced, Reply};
pub use session::{Action, CloseReason, NoneOwn, Own, OwnAddresses, Session, SessionConfig, Tls};
