//! What every request passes: is it for us, from a page of ours, and what the browser may do with the answer.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::Url;

use super::Desk;

/// Where people reach the desk, and who speaks for them.
#[derive(Debug, Clone)]
pub struct Origin {
    url: Url,
    /// Proxies whose `X-Forwarded-For` is believed.
    proxies: Vec<IpAddr>,
}

/// Why an address is none for the desk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// No address, or with a path.
    #[error("it must be an address such as https://mail-desk.school.example, with no path")]
    Shape,
    /// Passwords would travel in clear.
    #[error("it must begin with https://; only the machine itself (localhost, 127.0.0.1) may do without")]
    Clear,
}

impl Origin {
    /// Reads a public URL.
    ///
    /// # Errors
    /// It is no origin, or passwords would travel to it in clear.
    pub fn new(url: &str, proxies: Vec<IpAddr>) -> Result<Self, OriginError> {
        let url = Url::parse(url).map_err(|_| OriginError::Shape)?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        let host = url.host_str().filter(|_| bare).ok_or(OriginError::Shape)?;
        match url.scheme() {
            "https" => {}
            "http" if matches!(host, "localhost" | "127.0.0.1" | "[::1]") => {}
            "http" => return Err(OriginError::Clear),
            _ => return Err(OriginError::Shape),
        }
        Ok(Self { url, proxies })
    }

    /// As a browser writes it in `Origin`.
    pub fn text(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// As a browser writes it in `Host`.
    fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Cookies may ask for a safe line, and pages for it in future.
    pub fn is_safe(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Many people come from this address: a proxy of ours, or one of this machine.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        peer.is_loopback() || self.proxies.contains(&peer)
    }

    /// Whose tries a request counts as: the nearest address that is no proxy of ours.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
        for hop in hops.iter().rev() {
            if !self.proxies.contains(&client) {
                break;
            }
            match hop.parse::<IpAddr>() {
                Ok(address) => client = address.to_canonical(),
                Err(_) => break,
            }
        }
        client
    }
}

/// Who asks, for the waits after wrong passwords.
#[derive(Debug, Clone, Copy)]
pub struct Client(pub IpAddr);

/// Stands before every page.
pub async fn watch(State(desk): State<Arc<Desk>>, mut request: Request, next: Next) -> Response {
    let origin = &desk.origin;
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::from([0; 4]), |peer| peer.0.ip());
    let client = origin.client(peer, request.headers());
    request.extensions_mut().insert(Client(client));
    let mut answer = match refusal(origin, request.method(), request.headers(), request.uri().host()) {
        Some((status, words)) => (status, words).into_response(),
        None => next.run(request).await,
    };
    protect(answer.headers_mut(), origin.is_safe());
    answer
}

/// Why a request is not looked at.
fn refusal(
    origin: &Origin,
    method: &Method,
    headers: &HeaderMap,
    named: Option<&str>,
) -> Option<(StatusCode, &'static str)> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).or(named);
    if host.is_none_or(|host| !host.eq_ignore_ascii_case(&origin.host())) {
        return Some((StatusCode::MISDIRECTED_REQUEST, "This is not the address of this service.\n"));
    }
    if method == Method::GET || method == Method::HEAD {
        return None;
    }
    // A browser says where a form comes from in one of these; what says nothing is no browser's form.
    let from_us = match (text(header::ORIGIN), headers.get("sec-fetch-site").and_then(|value| value.to_str().ok())) {
        (Some(from), _) => from == origin.text(),
        (None, Some(site)) => site == "same-origin",
        (None, None) => false,
    };
    (!from_us).then_some((StatusCode::FORBIDDEN, "This form does not come from a page of ours. Nothing was changed.\n"))
}

/// Nothing from elsewhere, nothing kept, nothing guessed, in no frame.
fn protect(headers: &mut HeaderMap, safe: bool) {
    const ALWAYS: &[(&str, &str)] = &[
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'",
        ),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        // Not "no-referrer": under it a browser writes `Origin: null` into our own forms (Fetch, "append a request Origin header").
        ("referrer-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in ALWAYS {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    if safe {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_desk() {
        for (url, want) in [
            ("https://desk.school.example", Ok("https://desk.school.example")),
            ("https://desk.school.example:8443/", Ok("https://desk.school.example:8443")),
            ("http://localhost:8025", Ok("http://localhost:8025")),
            ("http://127.0.0.1:8025", Ok("http://127.0.0.1:8025")),
            ("http://desk.school.example", Err(OriginError::Clear)),
            ("https://desk.school.example/desk", Err(OriginError::Shape)),
            ("https://a@desk.school.example", Err(OriginError::Shape)),
            ("ftp://desk.school.example", Err(OriginError::Shape)),
            ("desk.school.example", Err(OriginError::Shape)),
            ("", Err(OriginError::Shape)),
        ] {
            let got = Origin::new(url, Vec::new()).map(|origin| origin.text());
            assert_eq!(got, want.map(str::to_owned), "{url}");
        }
    }

    #[test]
    fn a_browser_may_say_that_a_form_is_ours() {
        let mut headers = HeaderMap::new();
        protect(&mut headers, false);
        assert_eq!(headers["referrer-policy"], "same-origin", "with no-referrer it says null, which is refused");
    }

    #[test]
    fn requests_that_are_not_looked_at() {
        let origin = Origin::new("https://desk.example", Vec::new()).unwrap();
        for (method, host, from, site, want) in [
            (Method::GET, Some("desk.example"), None, None, None),
            (Method::GET, Some("DESK.example"), None, None, None),
            (Method::HEAD, Some("desk.example"), Some("https://evil.example"), None, None),
            (Method::GET, Some("evil.example"), None, None, Some(421)),
            (Method::GET, Some("desk.example:81"), None, None, Some(421)),
            (Method::GET, None, None, None, Some(421)),
            (Method::POST, Some("desk.example"), Some("https://desk.example"), None, None),
            (Method::POST, Some("desk.example"), Some("https://desk.example"), Some("cross-site"), None),
            (Method::POST, Some("desk.example"), None, Some("same-origin"), None),
            (Method::POST, Some("desk.example"), None, Some("same-site"), Some(403)),
            (Method::POST, Some("desk.example"), None, Some("none"), Some(403)),
            (Method::POST, Some("desk.example"), None, None, Some(403)),
            (Method::POST, Some("desk.example"), Some("null"), Some("same-origin"), Some(403)),
            (Method::POST, Some("desk.example"), Some("http://desk.example"), None, Some(403)),
            (Method::DELETE, Some("desk.example"), Some("https://evil.example"), None, Some(403)),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("host", host), ("origin", from), ("sec-fetch-site", site)] {
                if let Some(value) = value {
                    headers.insert(name, value.parse().unwrap());
                }
            }
            let got = refusal(&origin, &method, &headers, None).map(|(status, _)| status.as_u16());
            assert_eq!(got, want, "{method} {host:?} {from:?} {site:?}");
        }
    }

    #[test]
    fn only_proxies_of_ours_say_for_whom_they_ask() {
        let origin = Origin::new("https://desk.example", vec![IpAddr::from([10, 0, 0, 1])]).unwrap();
        for (peer, forwarded, want) in [
            ("192.0.2.9", "198.51.100.1", "192.0.2.9"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "203.0.113.5, 198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "203.0.113.5, 10.0.0.1", "203.0.113.5"),
            ("10.0.0.1", "nonsense", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            assert_eq!(origin.client(peer.parse().unwrap(), &headers).to_string(), want, "{peer} {forwarded}");
        }
    }
}
