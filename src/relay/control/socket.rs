//! The socket between commands and the running gateway, both ends.
//!
//! A frame is its length (8 octets, big end first) and so many octets. A command sends one frame of JSON,
//! `{"version": 2, "request": …}`, and behind [`Request::ReplaceRoster`] the roster as a second one; it is answered with one
//! frame, `{"version": 2, "answer": …}`.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{Answer, Request, check_audit, execute};
use crate::limits;
use crate::relay::log::{Event, event};
use crate::relay::notify::Notifier;
use crate::store::Store;

const NAME: &str = "control.sock";
/// Goes up with every change to what is said.
const VERSION: u32 = 2;
/// What the address of a socket holds, with the zero at its end (unix(7)).
const SUN_PATH: usize = 108;

const EXCHANGE: Duration = Duration::from_secs(limits::CONTROL_SECONDS);
const LINGER: Duration = Duration::from_secs(limits::LINGER_SECONDS);
const ANSWER: Duration = Duration::from_secs(limits::CONTROL_ANSWER_SECONDS);

/// The socket cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("control socket: {}: {error}", path.display())]
pub struct ControlError {
    /// Where it is to be.
    pub path: PathBuf,
    /// What the system said.
    pub error: io::Error,
}

/// Why a command got no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No gateway runs: nothing was asked.
    #[error("no gateway runs")]
    NobodyThere,
    /// The gateway could not be asked: nothing was done.
    #[error("the gateway cannot be asked: {0}")]
    Unasked(io::Error),
    /// It was asked and did not answer: it may have been done.
    #[error("the gateway was asked and gave no answer ({0}): look whether it was done")]
    Unanswered(io::Error),
    /// It speaks otherwise.
    #[error(
        "the running gateway is of another release (it speaks version {0}, this program version {VERSION}): restart it"
    )]
    Version(u32),
}

#[derive(Serialize)]
struct Asking<'r> {
    version: u32,
    request: &'r Request,
}

#[derive(Deserialize)]
struct Asked {
    request: Request,
}

#[derive(Serialize, Deserialize)]
struct Answered {
    version: u32,
    answer: Answer,
}

#[derive(Deserialize)]
struct Head {
    version: u32,
}

/// A path to the socket that fits into its address, and what must stay open while it is used: a directory whose name is
/// too long is gone through by its descriptor.
fn address(directory: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let path = directory.join(NAME);
    if path.as_os_str().as_bytes().len() < SUN_PATH {
        return Ok((path, None));
    }
    let opened = File::open(directory)?;
    Ok((PathBuf::from(format!("/proc/self/fd/{}/{NAME}", opened.as_raw_fd())), Some(opened)))
}

/// The gateway's end.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Control {
    /// Binds the socket of a store directory. The caller holds the store's lock: a socket that is there was left by a
    /// process that is gone, and is replaced.
    ///
    /// # Errors
    /// [`ControlError`] where the system does not let us.
    pub fn bind(directory: &Path) -> Result<Self, ControlError> {
        let path = directory.join(NAME);
        let bind = || -> io::Result<UnixListener> {
            let (address, _open) = address(directory)?;
            match std::fs::symlink_metadata(&path) {
                Ok(about) if about.file_type().is_socket() => std::fs::remove_file(&path)?,
                Ok(_) => return Err(io::Error::other("something that is no socket is in its place")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            let listener = UnixListener::bind(&address)?;
            // Until this line the directory keeps others out, and after it the check of each peer does as well.
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
            Ok(listener)
        };
        let listener = bind().map_err(|error| ControlError { path: path.clone(), error })?;
        Ok(Self { listener, path })
    }

    /// Answers commands until told to stop; what was asked by then is done and answered.
    pub async fn serve(self, store: Store, notifier: Arc<ArcSwap<Notifier>>, mut stop: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        let (looked_at, ends) = (store.clone(), stop.clone());
        connections.spawn(async move {
            let mut ends = ends;
            tokio::select! {
                () = check_audit(&looked_at) => {}
                _ = ends.changed() => {}
            }
        });
        while !*stop.borrow() && stop.has_changed().is_ok() {
            while connections.try_join_next().is_some() {}
            if connections.len() >= limits::CONTROL_CONNECTIONS {
                connections.join_next().await;
                continue;
            }
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stop.changed() => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (store, notifier, stop) = (store.clone(), notifier.load_full(), stop.clone());
                    connections.spawn(async move { attend(stream, &store, &notifier, stop).await });
                }
                Err(error) => {
                    event!(Event::Trouble, what = "the control socket does not accept", reason = %error);
                    tokio::time::sleep(Duration::from_secs(limits::CONTROL_PAUSE_SECONDS)).await;
                }
            }
        }
        // From here on a command finds nobody, and waits for the lock.
        let _ = std::fs::remove_file(&self.path);
        drop(self.listener);
        while connections.join_next().await.is_some() {}
    }
}

/// One connection.
async fn attend(mut stream: UnixStream, store: &Store, notifier: &Notifier, mut stop: watch::Receiver<bool>) {
    let Ok(peer) = stream.peer_cred() else { return };
    let uid = peer.uid();
    let answer = if uid != 0 && uid != rustix::process::geteuid().as_raw() {
        Answer::Refused("only root and the gateway's own user are answered here".to_owned())
    } else {
        let request = tokio::select! {
            request = timeout(EXCHANGE, receive(&mut stream)) => request,
            _ = stop.changed() => return,
        };
        match request {
            Ok(Ok(request)) => execute(store, notifier, uid, request).await,
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return,
            Ok(Err(error)) => Answer::Refused(format!("the request cannot be read: {error}")),
            Err(_) => return,
        }
    };
    let mut told = serde_json::to_vec(&Answered { version: VERSION, answer }).unwrap_or_default();
    if told.len() > limits::CONTROL_ANSWER {
        let answer = Answer::Refused("the answer is too long: ask for less".to_owned());
        told = serde_json::to_vec(&Answered { version: VERSION, answer }).unwrap_or_default();
    }
    // A command that has gone away does not hear it; what it asked for is done.
    let _ = timeout(EXCHANGE, send(&mut stream, &told)).await;
    // Unread input would turn the close into a reset, and take the answer away from a command that was refused unheard.
    let _ = stream.shutdown().await;
    let mut rest = stream.take(limits::CONTROL_ROSTER as u64);
    let _ = timeout(LINGER, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
}

async fn receive(stream: &mut UnixStream) -> io::Result<Request> {
    let frame = read(stream, limits::CONTROL_REQUEST).await?;
    let other = |version: u32| {
        io::Error::other(format!("the command speaks version {version}, the gateway version {VERSION}: restart it"))
    };
    let Head { version } = serde_json::from_slice(&frame)?;
    if version != VERSION {
        return Err(other(version));
    }
    let Asked { mut request } = serde_json::from_slice(&frame)?;
    if let Request::ReplaceRoster { roster } = &mut request {
        *roster = read(stream, limits::CONTROL_ROSTER).await?;
    }
    Ok(request)
}

/// Asks the gateway that serves from this store directory, and gives its answer.
///
/// # Errors
/// [`CallError::NobodyThere`] where none runs; the others say whether it may have been done.
pub async fn call(directory: &Path, request: &Request) -> Result<Answer, CallError> {
    let (path, _open) = address(directory).map_err(CallError::Unasked)?;
    let mut stream = match timeout(EXCHANGE, UnixStream::connect(&path)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Err(CallError::NobodyThere);
        }
        Ok(Err(error)) => return Err(CallError::Unasked(error)),
        Err(_) => return Err(CallError::Unasked(io::ErrorKind::TimedOut.into())),
    };
    let asking = Asking { version: VERSION, request };
    let asked = serde_json::to_vec(&asking).map_err(|e| CallError::Unasked(e.into()))?;
    if asked.len() > limits::CONTROL_REQUEST {
        return Err(CallError::Unasked(io::Error::other("what is said is too long")));
    }
    let exchange = async {
        send(&mut stream, &asked).await?;
        if let Request::ReplaceRoster { roster } = request {
            send(&mut stream, roster).await?;
        }
        io::Result::Ok(())
    };
    // A refused peer is answered before it is heard: what it cannot send is no reason not to listen.
    let sent = timeout(EXCHANGE, exchange).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let answer = timeout(ANSWER, read(&mut stream, limits::CONTROL_ANSWER)).await;
    let frame = match (answer, sent) {
        (Ok(Ok(frame)), _) => frame,
        (_, Err(error)) => return Err(CallError::Unasked(error)),
        (Ok(Err(error)), _) => return Err(CallError::Unanswered(error)),
        (Err(_), _) => return Err(CallError::Unanswered(io::ErrorKind::TimedOut.into())),
    };
    let unread = |e: serde_json::Error| CallError::Unanswered(e.into());
    let Head { version } = serde_json::from_slice(&frame).map_err(unread)?;
    if version != VERSION {
        return Err(CallError::Version(version));
    }
    let answered: Answered = serde_json::from_slice(&frame).map_err(unread)?;
    Ok(answered.answer)
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> io::Result<()> {
    stream.write_all(&(frame.len() as u64).to_be_bytes()).await?;
    stream.write_all(frame).await?;
    stream.flush().await
}

/// One frame of at most `limit` octets. Memory is taken as octets come, not as they are announced.
async fn read(stream: &mut (impl AsyncRead + Unpin), limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let length = stream.read_u64().await?;
    if length > limit as u64 {
        return Err(io::Error::other(format!("{length} octets are announced, {limit} are the most")));
    }
    let mut frame = Zeroizing::new(Vec::new());
    let read = stream.take(length).read_to_end(&mut frame).await?;
    if (read as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(frame)
}
