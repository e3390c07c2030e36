//! The moving parts: `listen` (sockets, limits), `intake` (the only place that says 250), `schedule` (pure),
//! `deliver` (to the smarthost), `notify` (bounces, notices), `monitor` (metrics, health).

pub mod deliver;
pub mod dsn;
pub mod schedule;
