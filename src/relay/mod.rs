//! The moving parts: `listen` (sockets, limits), `intake` (the only place that says 250), `schedule` (pure),
//! `deliver` (to the smarthost), `dsn` (delivery reports), `notify` (bounces, notices), `monitor` (metrics, health),
//! `certificate` (what desk and listeners show), `trace` (our Received line), `log` (events), `health` (what can be promised now), `supervise` (no task ends unseen),
//! `sender` (what
//! senders can do with what was stopped), `answer` (their answers by mail), `deadlines` (nothing waits for ever), `reporting` (reports of breaches, and their 72 hours), `control` (what commands ask), `parts` (makes each part as configured),
//! `malware` (asks clamd), `remembered` (what a release lets be remembered), `first_account` (a word
//! where nobody can sign in), `gateway` (puts them together).

pub mod answer;
pub mod certificate;
pub mod control;
pub mod deadlines;
pub mod decide;
pub mod deliver;
pub mod dkim;
mod dsn;
pub mod first_account;
pub mod gateway;
pub mod health;
pub mod intake;
mod known;
pub mod listen;
pub mod log;
pub mod malware;
pub mod monitor;
pub mod notify;
pub mod parts;
pub mod passed;
pub mod remembered;
pub mod reporting;
pub mod schedule;
pub mod sender;
pub mod supervise;
pub mod trace;
