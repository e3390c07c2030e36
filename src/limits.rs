//! Every limit of the gateway: its name, default, unit and source. No file beside these makes up a number.
//!
//! A limit that a school may change has a key of the same name in `schoolgate.toml`; the value here is its default.
//! [`all`] is the same list as data, for `schoolgate doctor` and the documentation.

/// One limit as data.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The constant's name, in lower case as configuration writes it.
    pub name: &'static str,
    /// The default, in `unit`.
    pub default: f64,
    /// Octets, seconds, parts and so on.
    pub unit: &'static str,
    /// RFC section, guidance, or the reason for our own choice.
    pub source: &'static str,
}

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident : $type:ty = $value:expr, $unit:literal, $source:literal;)*) => {
        $($(#[$doc])* #[doc = concat!("\n\nUnit: ", $unit, ". Source: ", $source, ".")] pub const $name: $type = $value;)*
        /// All limits of this file, in its order.
        pub(super) const LIMITS: &[super::Limit] = &[
            $(super::Limit { name: stringify!($name), default: $name as f64, unit: $unit, source: $source },)*
        ];
    };
}

/// Waits between tries to deliver, in minutes; the last one repeats. RFC 5321 4.5.4.1 asks for 30 minutes or more after
/// the first tries; the short first waits are for a smarthost that restarts.
pub const RETRY_MINUTES: &[u64] = &[1, 2, 5, 10, 20, 30];

/// Marks that a heading may give as the most that can be had: fewer are hardly a test, more hardly marks.
pub const RESULT_MAXIMUM: std::ops::RangeInclusive<u16> = 5..=200;

/// Two figures that in a pupil's mailbox stand for the year of coming or leaving; those of an adult's are a year of birth.
pub const MAILBOX_YEARS: std::ops::RangeInclusive<u32> = 10..=40;

/// Ages of pupils, from nursery to sixth form.
pub const PUPIL_AGES: std::ops::RangeInclusive<u8> = 3..=19;

/// Hours in which lessons begin, clubs and detentions too.
pub const SCHOOL_HOURS: std::ops::RangeInclusive<u8> = 7..=19;

/// What the allocator of gateway and workers finds in its environment: how long it keeps what is free, and that it takes no huge pages, of
/// which one small thing in use keeps two megabytes.
pub const ALLOCATOR: [(&str, u64); 2] = [("MIMALLOC_PURGE_DELAY", GIVEN_BACK_MILLIS), ("MIMALLOC_ALLOW_THP", 0)];

/// Hours after the school became aware of a breach at which those who answer for it are reminded that the ICO is to be told,
/// while nobody has said whether it is.
pub const INCIDENT_REMIND_HOURS: &[u32] = &[24, 48, 66];

mod deciding;
mod delivery;
mod desk;
mod detecting;
mod door;
mod lasting;
mod meaning;
mod pages;
mod reading;

pub use deciding::*;
pub use delivery::*;
pub use desk::*;
pub use detecting::*;
pub use door::*;
pub use lasting::*;
pub use meaning::*;
pub use pages::*;
pub use reading::*;

/// Every limit, file by file.
pub fn all() -> impl Iterator<Item = &'static Limit> {
    [
        deciding::LIMITS,
        delivery::LIMITS,
        desk::LIMITS,
        detecting::LIMITS,
        door::LIMITS,
        lasting::LIMITS,
        meaning::LIMITS,
        pages::LIMITS,
        reading::LIMITS,
    ]
    .into_iter()
    .flatten()
}
