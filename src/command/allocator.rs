//! How the allocator keeps memory that is free. It reads that from the environment before `main` and never again, so a program that
//! has it otherwise begins anew, as the same process, with the same arguments.
//!
//! By itself mimalloc takes huge pages where it can and keeps what is free for a second. A gateway that inspects thirty documents a
//! second then holds the memory of all of them; in small pages that are given back after [`limits::GIVEN_BACK_MILLIS`], it is the memory
//! of those in hand.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::limits;

/// Begins anew where memory would be kept longer. Where that cannot be done, it is kept longer and all else is as it should be. What is
/// set already is not overruled.
pub fn give_back_soon() {
    let unset: Vec<_> = limits::ALLOCATOR.iter().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let Ok(program) = std::env::current_exe() else { return };
    if unset.is_empty() || arguments.is_empty() {
        return;
    }
    let name = arguments.remove(0);
    let settings = unset.iter().map(|(name, value)| (name, value.to_string()));
    // Comes back only where it failed.
    let _kept_longer = Command::new(program).arg0(name).args(arguments).envs(settings).exec();
}
