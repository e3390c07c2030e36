//! A certificate with its key that we show ourselves: read from files that change while it is shown, for the desk and for every listener.
//!
//! It never knows what is spoken under it; whose it is, its [`Owner`] says. A pair is taken whole or not at all: what cannot be used leaves
//! the one before in force. Nothing of a key is in an error or in the log. TLS 1.2 and 1.3, with ring's ciphers (RFC 9325).

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ConfigBuilder, ServerConfig, WantsVerifier};
use zeroize::Zeroizing;

use crate::config::TlsFiles;
use crate::limits;
use crate::relay::log::{Event, event};

/// Why a certificate and its key cannot be used. None is told with anything that the files hold.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate's file.
    #[error("{} cannot be read: {error}", file.display())]
    ReadCertificate {
        /// Which.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The key's file.
    #[error("{} cannot be read: {error}", file.display())]
    ReadKey {
        /// Which.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// There is no certificate in it, or a broken one.
    #[error("{} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", .0.display())]
    NoCertificate(PathBuf),
    /// There is no key in it, or a broken one.
    #[error("{} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)", .0.display())]
    NoKey(PathBuf),
    /// Nobody is there to type the password.
    #[error("the key in {} is locked with a password; write it without one, for this user alone to read", .0.display())]
    Locked(PathBuf),
    /// RSA, ECDSA on P-256 and P-384, and Ed25519 can be used.
    #[error("the key in {} is of a kind or size that TLS here does not use; take ECDSA (P-256) or RSA of 2,048 bits", .0.display())]
    Kind(PathBuf),
    /// Two pairs were mixed, or the chain is in another order.
    #[error("the key does not fit the first certificate in {}; one's own stands first, those that lead to an authority follow", .0.display())]
    Apart(PathBuf),
    /// TLS itself.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

impl TlsError {
    /// The key of the configuration that it is about, without its section.
    fn key(&self) -> &'static str {
        match self {
            Self::ReadKey { .. } | Self::NoKey(_) | Self::Locked(_) | Self::Kind(_) => "tls_key",
            _ => "tls_certificate",
        }
    }
}

/// Who shows a certificate: how the log names it, and which section of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    words: String,
    section: String,
}

impl Owner {
    /// `words` as "the desk's certificate", `section` as "review".
    pub fn new(words: impl Into<String>, section: impl Into<String>) -> Self {
        Self { words: words.into(), section: section.into() }
    }

    /// The key of the configuration that names the certificate.
    pub fn certificate_key(&self) -> String {
        format!("{}.tls_certificate", self.section)
    }

    /// The key of the configuration that an error is about.
    pub fn key(&self, error: &TlsError) -> String {
        format!("{}.{}", self.section, error.key())
    }
}

/// A certificate with its key, which fit each other.
#[derive(Debug)]
pub struct Pair(Arc<CertifiedKey>);

impl Pair {
    /// Reads both files.
    ///
    /// # Errors
    /// One cannot be read or used, or they do not fit each other.
    pub fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let TlsFiles { certificate: file, key: key_file } = files;
        let text = read(file).map_err(|error| TlsError::ReadCertificate { file: file.clone(), error })?;
        let chain = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
        let none = || TlsError::NoCertificate(file.clone());
        let chain = chain.ok().filter(|found| !found.is_empty()).ok_or_else(none)?;
        chain.iter().try_for_each(|one| ParsedCertificate::try_from(one).map(drop)).map_err(|_| none())?;
        let text = read(key_file).map_err(|error| TlsError::ReadKey { file: key_file.clone(), error })?;
        let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
            pem::Error::NoItemsFound if memchr::memmem::find(&text, b"ENCRYPTED").is_some() => {
                TlsError::Locked(key_file.clone())
            }
            _ => TlsError::NoKey(key_file.clone()),
        })?;
        let provider = rustls::crypto::ring::default_provider();
        let key = provider.key_provider.load_private_key(key).map_err(|_| {
            let locked = memchr::memmem::find(&text, b"Proc-Type: 4,ENCRYPTED").is_some();
            if locked { TlsError::Locked(key_file.clone()) } else { TlsError::Kind(key_file.clone()) }
        })?;
        let pair = CertifiedKey::new(chain, key);
        match pair.keys_match() {
            Ok(()) => Ok(Self(Arc::new(pair))),
            Err(_) => Err(TlsError::Apart(file.clone())),
        }
    }

    /// Until when it is taken; `None` where the certificate cannot be read so far.
    pub fn ends(&self) -> Option<Timestamp> {
        let (_, read) = x509_parser::parse_x509_certificate(self.0.cert.first()?).ok()?;
        Timestamp::from_second(read.validity().not_after.timestamp()).ok()
    }

    /// Whether clients take it for this host, a name or an address without brackets.
    pub fn covers(&self, host: &str) -> bool {
        let Ok(name) = ServerName::try_from(host) else { return false };
        let own = self.0.cert.first().and_then(|own| ParsedCertificate::try_from(own).ok());
        own.is_some_and(|own| rustls::client::verify_server_name(&own, &name).is_ok())
    }
}

fn read(file: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::new());
    std::fs::File::open(file)?.take(limits::CERTIFICATE_FILE_OCTETS).read_to_end(&mut text)?;
    Ok(text)
}

/// What a file looked like from outside; links are followed, as certbot renews by another link.
type Stamp = Option<(SystemTime, u64, u64)>;

fn stamp(file: &Path) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    let about = std::fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len(), about.ino()))
}

/// Where a pair lies, and how both files looked before they were read.
#[derive(Debug)]
struct Source {
    files: TlsFiles,
    stamps: [Stamp; 2],
}

impl Source {
    /// Taken before reading: what is written meanwhile is seen at the next look.
    fn of(files: &TlsFiles) -> Self {
        Self { files: files.clone(), stamps: [stamp(&files.certificate), stamp(&files.key)] }
    }
}

/// The certificate that is shown: a renewed one holds from the next connection on.
#[derive(Debug)]
pub struct Certificate {
    owner: Owner,
    current: ArcSwap<CertifiedKey>,
    source: Mutex<Source>,
}

impl Certificate {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// As [`Pair::read`].
    pub fn load(owner: Owner, files: &TlsFiles) -> Result<Self, TlsError> {
        let source = Source::of(files);
        let pair = Pair::read(files)?;
        Ok(Self { owner, current: ArcSwap::new(pair.0), source: Mutex::new(source) })
    }

    /// Takes the pair in these files and goes by them from now on. With an error the one in force stays so.
    ///
    /// # Errors
    /// As [`Pair::read`].
    pub fn change(&self, files: &TlsFiles) -> Result<(), TlsError> {
        let source = Source::of(files);
        *self.source.lock().unwrap_or_else(PoisonError::into_inner) = source;
        self.current.store(Pair::read(files)?.0);
        Ok(())
    }

    /// Takes the pair anew where one of its files has changed since it was read or tried; says so in the log, either way.
    pub fn look(&self) {
        let files = {
            let source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Source::of(&source.files);
            if now.stamps == source.stamps {
                return;
            }
            now.files
        };
        self.reload(&files);
    }

    /// As [`Certificate::change`], with its outcome in the log.
    pub fn reload(&self, files: &TlsFiles) {
        let words = &self.owner.words;
        match self.change(files) {
            Ok(()) => event!(Event::Reloaded, what = words.as_str()),
            Err(error) => event!(
                Event::Trouble,
                what = format!("{words} was not renewed, the one before stays in force"),
                key = self.owner.key(&error),
                reason = %error
            ),
        }
    }
}

/// What every server of ours begins with: TLS 1.2 and 1.3.
///
/// # Errors
/// The library's; none is known.
pub fn server() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = &[&rustls::version::TLS13, &rustls::version::TLS12];
    Ok(ServerConfig::builder_with_provider(provider).with_protocol_versions(versions)?)
}

impl ResolvesServerCert for Certificate {
    /// One for everybody, whatever name was asked for: at the desk a request for another host is refused by its `Host`.
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}
