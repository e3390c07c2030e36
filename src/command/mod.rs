//! One file per command of the `schoolgate` program.
//!
//! Errors here are `anyhow`'s: they are for people. Everything printed that came in a message goes through [`terminal`].

use std::process::ExitCode;

use anyhow::Result;

pub mod allocator;
pub mod allow;
pub mod audit;
pub mod check;
pub mod demo;
mod demo_live;
mod desk;
pub mod disclose;
pub mod doctor;
pub mod exempt;
pub mod extract;
pub mod ground;
pub mod incident;
pub mod journal;
mod language;
pub mod mailbox;
pub mod meaning;
pub mod policy;
pub mod quarantine;
pub mod queue;
pub mod replay;
pub mod report;
pub mod roster;
pub mod roster_show;
pub mod score;
pub mod sender;
pub mod serve;
pub mod store;
pub mod terminal;
pub mod user;
pub mod worker;

/// Reads a school's outgoing mail before it leaves, and decides what may go.
#[derive(Debug, clap::Parser)]
#[command(name = "schoolgate", version, about, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Run the gateway
    Serve(serve::Serve),
    /// Run the gateway with a made-up school and see mail delivered, returned and held; nothing leaves this machine
    Demo(demo::Demo),
    Check(check::Check),
    Score(score::Score),
    Replay(replay::Replay),
    Extract(extract::Extract),
    /// See and steer what is waiting to be delivered
    #[command(subcommand)]
    Queue(queue::Queue),
    /// See and decide what is held
    #[command(subcommand)]
    Quarantine(quarantine::Quarantine),
    /// See and end what was allowed
    #[command(subcommand)]
    Allow(allow::Allow),
    /// See, grant and end exemptions of senders from a rule
    #[command(subcommand)]
    Exempt(exempt::Exempt),
    /// See what the journal keeps, look for kept mail, and keep mail from being deleted
    #[command(subcommand)]
    Journal(journal::Journal),
    /// Read, enter and take away incidents: breaches of personal data and near misses
    #[command(subcommand)]
    Incident(incident::Incident),
    /// Find what was sent, have it approved, and hand it over when the law asks for it
    #[command(subcommand)]
    Disclose(disclose::Disclose),
    /// Look at the audit of all that was done with messages
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Reports on the school's mail as a whole, in numbers
    #[command(subcommand)]
    Report(report::Report),
    /// See and manage who may sign in at the desk
    #[command(subcommand)]
    User(user::User),
    /// See and manage which copiers and programs may sign in to send
    #[command(subcommand)]
    Sender(sender::Sender),
    #[command(subcommand)]
    Meaning(meaning::Meaning),
    #[command(subcommand)]
    Language(language::Language),
    #[command(subcommand)]
    Policy(policy::Policy),
    #[command(subcommand)]
    Roster(roster::Roster),
    Doctor(doctor::Doctor),
    #[command(hide = true)]
    Worker(worker::Worker),
}

/// What is said where no worker can be started: without one, nothing can be told of a file.
pub(crate) const NO_WORKER: &str = "a worker that reads files could not be started";

/// Runs the command that the arguments name.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    match &arguments.command {
        Command::Serve(args) => serve::run(args),
        Command::Demo(args) => demo::run(args),
        Command::Check(args) => check::run(args),
        Command::Score(args) => score::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Extract(args) => extract::run(args),
        Command::Queue(args) => queue::run(args),
        Command::Quarantine(args) => quarantine::run(args),
        Command::Allow(args) => allow::run(args),
        Command::Exempt(args) => exempt::run(args),
        Command::Journal(args) => journal::run(args),
        Command::Incident(args) => incident::run(args),
        Command::Disclose(args) => disclose::run(args),
        Command::Audit(args) => audit::run(args),
        Command::Report(args) => report::run(args),
        Command::User(args) => user::run(args),
        Command::Sender(args) => sender::run(args),
        Command::Meaning(args) => meaning::run(args),
        Command::Language(args) => language::run(args),
        Command::Policy(args) => policy::run(args),
        Command::Roster(args) => roster::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Worker(args) => worker::run(args),
    }
}

/// An error with all its causes on one line each, safe to look at.
pub fn problem(error: &anyhow::Error) -> String {
    let mut lines: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // A cause is often repeated by the error that wraps it.
        if !lines.last().is_some_and(|l| l.contains(&text)) {
            lines.push(text);
        }
    }
    lines.join(": ").lines().map(terminal::safe).collect::<Vec<_>>().join("\n  ")
}

/// Standard output was closed by its reader.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

/// The asynchronous runtime of the commands that need one.
pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
