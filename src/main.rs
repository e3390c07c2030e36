//! Arguments to one command.

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = schoolgate::command::Arguments::parse();
    match schoolgate::command::run(&arguments) {
        Ok(status) => status,
        // Whoever read our output has seen enough.
        Err(error) if schoolgate::command::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("schoolgate: {}", schoolgate::command::problem(&error));
            ExitCode::FAILURE
        }
    }
}
