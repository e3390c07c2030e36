//! The word to whoever turned the desk on and has made no account yet. The link that it holds is the one secret that the log
//! is told: for an hour, once, while there is no account; the next start makes it worth nothing.

use super::log::{Event, event};
use crate::config::Config;
use crate::store::Store;

/// The command that makes the first account.
pub const FIRST_ACCOUNT: &str = "schoolgate user add NAME --address ADDRESS --role sbm";

/// Says in the log that nobody can sign in yet, with a link that makes the first account and [`FIRST_ACCOUNT`], where the desk
/// is on and the store holds no account at all. Once after the start is enough: a reload does not turn the desk on.
pub async fn tell(config: &Config, store: &Store) {
    let Some(review) = &config.review else { return };
    match store.first_link().await {
        Ok(Some(link)) => event!(
            Event::Trouble,
            what = "nobody can sign in at the desk yet",
            reason = format_args!("there is no account; open the link to make the first, or make it with: {FIRST_ACCOUNT}"),
            link = format_args!("{}/first/{}", review.public_url, link.token.reveal()),
            until = %link.until
        ),
        Ok(None) => {}
        Err(error) => event!(Event::Trouble, what = "the accounts of the desk cannot be read", reason = %error),
    }
}
