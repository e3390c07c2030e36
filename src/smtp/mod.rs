//! The protocol without sockets (RFC 5321 and its extensions): bytes in, actions out.
//!
//! Never knows sockets, clocks, disk, people or rules. `data` is the one place that knows CR, LF and dot.

pub mod address;

pub use address::{Address, AddressError, Envelope};
