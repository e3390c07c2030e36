//! The moving parts: `listen` (sockets, limits), `intake` (the only place that says 250), `schedule` (pure),
//! `deliver` (to the smarthost), `dsn` (delivery reports), `notify` (bounces, notices), `monitor` (metrics, health),
//! `trace` (our Received line), `log` (events), `control` (what commands ask), `gateway` (puts them together).

pub mod control;
pub mod deliver;
mod dsn;
pub mod gateway;
pub mod intake;
pub mod listen;
pub mod log;
pub mod monitor;
pub mod notify;
pub mod schedule;
pub mod trace;
