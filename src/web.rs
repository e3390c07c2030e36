//! The few requests that we make over the web, to who vouches for people and to who gives tokens: over TLS with a certificate
//! that the system's authorities vouch for, one connection each, no redirects, with an end in time and size. In clear to this
//! machine alone (RFC 8252 8.3). It never knows what is asked for; nothing of a request or an answer stands in an error.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::limits;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Not an address of the web, or one in clear.
    #[error("{0} is not reached over https")]
    Address(String),
    /// No connection, or none with TLS.
    #[error("{host}: {error}")]
    Connect {
        /// Where to.
        host: String,
        /// Why.
        error: std::io::Error,
    },
    /// What came is no HTTP.
    #[error("{host}: {error}")]
    Http {
        /// Where to.
        host: String,
        /// Why.
        error: hyper::Error,
    },
    /// The answer broke off or is longer than [`limits::WEB_ANSWER_OCTETS`].
    #[error("{0}: its answer is broken off, or too long")]
    Body(String),
    /// It took longer than [`limits::WEB_ANSWER_SECONDS`].
    #[error("{0}: no answer in time")]
    Late(String),
}

/// Asks.
pub struct Web(TlsConnector);

impl Web {
    /// Reads the system's authorities.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new() -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(tls))))
    }

    /// Asks once, and reads the answer whole. What is sent is wiped behind it.
    ///
    /// # Errors
    /// No answer, or none that is whole.
    pub async fn ask(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, WebError> {
        let text = request.uri().to_string();
        let url = Url::parse(&text).map_err(|_| WebError::Address("its address".to_owned()))?;
        let shown = url.host_str().unwrap_or_default().to_owned();
        let answer = self.over_line(&url, &shown, request.map(Zeroizing::new));
        let limit = Duration::from_secs(limits::WEB_ANSWER_SECONDS);
        tokio::time::timeout(limit, answer).await.unwrap_or(Err(WebError::Late(shown.clone())))
    }

    async fn over_line(
        &self,
        url: &Url,
        shown: &str,
        request: Request<Zeroizing<Vec<u8>>>,
    ) -> Result<Response<Vec<u8>>, WebError> {
        let safe = is_safe(url).ok_or_else(|| WebError::Address(shown.to_owned()))?;
        let failed = |error| WebError::Connect { host: shown.to_owned(), error };
        // Brackets of IPv6 are no part of a name.
        let name = shown.trim_matches(['[', ']']);
        let port = url.port_or_known_default().unwrap_or_default();
        let stream = TcpStream::connect((name, port)).await.map_err(failed)?;
        if !safe {
            return exchange(stream, url, shown, request).await;
        }
        let certified = ServerName::try_from(name.to_owned()).map_err(|_| WebError::Address(shown.to_owned()))?;
        exchange(self.0.connect(certified, stream).await.map_err(failed)?, url, shown, request).await
    }
}

/// Whether a URL is reached over TLS, or in clear on this machine; `None` where it is neither and must not be asked.
pub fn is_safe(url: &Url) -> Option<bool> {
    let here = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    match url.scheme() {
        "https" => Some(true),
        "http" if here => Some(false),
        _ => None,
    }
}

async fn exchange<L>(
    line: L,
    url: &Url,
    shown: &str,
    request: Request<Zeroizing<Vec<u8>>>,
) -> Result<Response<Vec<u8>>, WebError>
where
    L: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let failed = |error| WebError::Http { host: shown.to_owned(), error };
    let (mut sender, connection) = http1::handshake(TokioIo::new(line)).await.map_err(failed)?;
    // Carries the request for as long as it lasts; what goes wrong with it the request tells.
    let connection = async {
        let _ = connection.await;
        std::future::pending::<Infallible>().await
    };
    let answer = async {
        let answer = sender.send_request(to_origin(url, request)).await.map_err(failed)?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, limits::WEB_ANSWER_OCTETS).collect().await;
        let body = body.map_err(|_| WebError::Body(shown.to_owned()))?.to_bytes().to_vec();
        Ok(Response::from_parts(head, body))
    };
    tokio::select! {
        answer = answer => answer,
        never = connection => match never {},
    }
}

/// As a server wants it: a path, and the host in its header (RFC 9112 3.2.1).
fn to_origin(url: &Url, request: Request<Zeroizing<Vec<u8>>>) -> Request<Full<Bytes>> {
    let (mut head, body) = request.into_parts();
    if let Some(path) = head.uri.path_and_query() {
        head.uri = path.clone().into();
    }
    let host = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    for (name, value) in [("host", host.as_str()), ("connection", "close"), ("user-agent", "schoolgate")] {
        if let Ok(value) = value.parse() {
            head.headers.insert(name, value);
        }
    }
    Request::from_parts(head, Full::new(Bytes::from_owner(body)))
}

/// A code of RFC 6749 5.2 or 4.1.2.1 as a peer says it; nothing else gets into the log.
pub fn word(said: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    let fits = !said.is_empty() && said.len() <= limits::WEB_WORD_CHARS && said.chars().all(plain);
    if fits { said.to_owned() } else { "for another reason".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_in_clear_to_another_machine() {
        for (url, want) in [
            ("https://accounts.google.com/x", Some(true)),
            ("http://127.0.0.1:8080/x", Some(false)),
            ("http://[::1]/x", Some(false)),
            ("http://localhost/x", Some(false)),
            ("http://accounts.google.com/x", None),
            ("http://127.0.0.1.example/x", None),
            ("file:///etc/passwd", None),
            ("ftp://localhost/", None),
        ] {
            assert_eq!(is_safe(&Url::parse(url).unwrap()), want, "{url}");
        }
    }
}
