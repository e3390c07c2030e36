//! One file per command of the `schoolgate` program.
