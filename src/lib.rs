//! schoolgate reads a school's outgoing mail before it leaves, and decides what may go.
//!
//! # The house, low to high
//!
//! A room uses only rooms above it in this list; `tests/layering.rs` reads the `use crate::` lines and fails on an
//! arrow that points the other way.
//!
//! | room | what it owns |
//! |---|---|
//! | [`limits`] | every limit: name, default, unit, source |
//! | [`school_time`] | when a school is at work: deadlines, warnings, digests. Pure |
//! | [`web`] | the few requests that we make over https |
//! | [`smtp`] | the protocol without sockets: addresses, commands, replies, the data reader, the session, the client |
//! | [`message`] | bytes to a [`message::Message`]: raw headers, part tree, decoded text, subject markers |
//! | [`text`] | what was read, as documents of paragraphs and tables with their places; normalising |
//! | [`extract`] | a part to text with its place; says what it could not read |
//! | [`people`] | the school: pupils, guardians, staff, correspondents; recipient kinds |
//! | [`detect`] | text to findings: identifiers, pupils, categories, adult data, credentials, language, photographs |
//! | [`policy`] | rule packs; facts to a verdict with reasons and clauses |
//! | [`inspect`] | the one entry: envelope, message and school to a report. Pure |
//! | [`store`] | what must last: queue, quarantine, decisions, audit, accounts; content encrypted |
//! | [`config`] | `schoolgate.toml`, checked whole |
//! | [`relay`] | listen, take in, schedule, deliver, notify |
//! | [`review`] | the desk: signing in, pages, forms, who may see and decide what; HTTP, never SMTP |
//! | [`command`] | one file per command of the `schoolgate` program |
//!
//! One message's way through them is told in `docs/architecture.md`.

pub mod command;
pub mod config;
pub mod detect;
pub mod extract;
pub mod inspect;
pub mod limits;
pub mod message;
pub mod people;
pub mod policy;
pub mod relay;
pub mod review;
pub mod school_time;
pub mod smtp;
pub mod store;
pub mod text;
pub mod web;
