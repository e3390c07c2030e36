//! The word to whoever turned the desk on and has made no account yet. It holds no secret: the link comes from the command.

use super::log::{Event, event};
use crate::config::Config;
use crate::store::Store;

/// The command that makes the first account.
pub const FIRST_ACCOUNT: &str = "schoolgate user add NAME --address ADDRESS --role sbm";

/// Says in the log that nobody can sign in yet, and [`FIRST_ACCOUNT`], where the desk is on and the store holds no account
/// at all. Once after the start is enough: a reload does not turn the desk on.
pub async fn tell(config: &Config, store: &Store) {
    if config.review.is_none() {
        return;
    }
    match store.accounts().await {
        Ok(accounts) if accounts.is_empty() => event!(
            Event::Trouble,
            what = "nobody can sign in at the desk yet",
            reason = format_args!("there is no account; make the first with: {FIRST_ACCOUNT}")
        ),
        Ok(_) => {}
        Err(error) => event!(Event::Trouble, what = "the accounts of the desk cannot be read", reason = %error),
    }
}
