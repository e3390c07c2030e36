//! Disclosures as they are handed over: the files of an export, the names in its index, and whether it is as it was made.

pub mod bundle;
pub mod evidence;
pub mod export;
mod names;
pub mod verify;
