//! TLS of one door: what it shows, and whom it knows by their certificates.
//!
//! Each door has a configuration of its own, and none keeps sessions or gives tickets: what one door let in is never resumed at
//! another, where other rules hold (RFC 8446 8.1). A client's certificate is asked for and never demanded; one that vouches for
//! nothing makes its client no more than its network does, so the handshake takes any, and it is judged afterwards. STARTTLS: RFC
//! 3207; from the first octet: RFC 8314 3.3; names: RFC 6125 6.4.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConnection, SignatureScheme};
use tokio_rustls::TlsAcceptor;
use x509_parser::extensions::GeneralName;

use super::ListenError;
use crate::config::{ClientCertificates, ListenerConfig};
use crate::limits;
use crate::relay::certificate::{self, Certificate, Owner, TlsError};

/// Why the authorities of clients' certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthoritiesError {
    /// The file.
    #[error("{} cannot be read: {error}", file.display())]
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// There is no certificate in it, or a broken one.
    #[error("{} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----), or a broken one", .0.display())]
    None(PathBuf),
    /// This machine has no list of authorities.
    #[error("this system knows no authorities; install its list (ca-certificates), or name a file in client_ca")]
    NoneOfTheSystem,
    /// TLS itself.
    #[error("certificates of clients cannot be verified: {0}")]
    Setup(#[from] VerifierBuilderError),
}

/// Whose the certificate of a door is, for log and errors.
pub fn certificate_owner(door: &ListenerConfig) -> Owner {
    let words = match door.name.as_str() {
        "listen" => "the listener's certificate".to_owned(),
        name => format!("the certificate of the listener {name}"),
    };
    Owner::new(words, door.section())
}

/// TLS of one door.
pub(super) struct DoorTls {
    certificate: Arc<Certificate>,
    acceptor: TlsAcceptor,
    clients: Option<Clients>,
}

impl DoorTls {
    /// What a door shows and whom it knows, read from its files; `None` where it speaks clear text alone.
    ///
    /// # Errors
    /// A file cannot be read or used.
    pub(super) fn load(door: &ListenerConfig) -> Result<Option<Arc<Self>>, ListenError> {
        let Some(files) = &door.certificate else { return Ok(None) };
        let owner = certificate_owner(door);
        let certificate = Certificate::load(owner.clone(), files)
            .map_err(|error| ListenError::Certificate { key: owner.key(&error), error })?;
        let clients = Clients::load(door)?;
        Self::made(door, Arc::new(certificate), clients).map(Some)
    }

    /// The same for the door's new rules, with the certificate that is in force; [`DoorTls::renew`] takes another.
    pub(super) fn with(&self, door: &ListenerConfig, clients: Option<Clients>) -> Result<Arc<Self>, ListenError> {
        Self::made(door, Arc::clone(&self.certificate), clients)
    }

    fn made(
        door: &ListenerConfig,
        certificate: Arc<Certificate>,
        clients: Option<Clients>,
    ) -> Result<Arc<Self>, ListenError> {
        let failed = |error: TlsError| ListenError::Certificate { key: certificate_owner(door).key(&error), error };
        let builder = certificate::server().map_err(failed)?;
        let provider = Arc::clone(builder.crypto_provider());
        let builder = match &clients {
            None => builder.with_no_client_auth(),
            Some(_) => builder.with_client_cert_verifier(Arc::new(Asked(provider))),
        };
        let mut config = builder.with_cert_resolver(Arc::clone(&certificate) as _);
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Arc::new(Self { certificate, acceptor: TlsAcceptor::from(Arc::new(config)), clients }))
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// Whether this client's certificate lets it send.
    pub(super) fn lets_in(&self, handshake: &ServerConnection) -> bool {
        let chain = handshake.peer_certificates().unwrap_or_default();
        self.clients.as_ref().is_some_and(|clients| clients.know(chain, UnixTime::now()))
    }

    /// Takes the door's pair anew where its files have changed; says so in the log.
    pub(super) fn look(&self) {
        self.certificate.look();
    }

    /// Takes the pair of the door's files, or keeps the one before; says so in the log.
    pub(super) fn renew(&self, door: &ListenerConfig) {
        if let Some(files) = &door.certificate {
            self.certificate.reload(files);
        }
    }
}

/// Who may send for their certificate.
#[derive(Debug)]
pub(super) struct Clients {
    roots: Arc<RootCertStore>,
    verifier: Arc<dyn ClientCertVerifier>,
    provider: Arc<CryptoProvider>,
    names: Vec<String>,
}

impl Clients {
    /// As the door says.
    ///
    /// # Errors
    /// The file with authorities cannot be read or used.
    pub(super) fn load(door: &ListenerConfig) -> Result<Option<Self>, ListenError> {
        let Some(client) = &door.client else { return Ok(None) };
        let key = format!("{}.client_ca", door.section());
        Self::read(client).map(Some).map_err(|error| ListenError::Authorities { key, error })
    }

    fn read(client: &ClientCertificates) -> Result<Self, AuthoritiesError> {
        let roots = Arc::new(match &client.ca_file {
            Some(file) => authorities(file)?,
            None => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
                Some(roots).filter(|roots| !roots.is_empty()).ok_or(AuthoritiesError::NoneOfTheSystem)?
            }
        });
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider)).build()?;
        Ok(Self { roots, verifier, provider, names: client.names.clone() })
    }

    /// Whether an authority vouches for this chain, and its first certificate holds one of the names.
    fn know(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> bool {
        let Some((own, between)) = chain.split_first() else { return false };
        let Ok(parsed) = ParsedCertificate::try_from(own) else { return false };
        // What a mail server shows as a client is, more and more, a certificate for servers alone: authorities of browsers give no other.
        let vouched = self.verifier.verify_client_cert(own, between, now).is_ok() || {
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&parsed, &self.roots, between, now, algorithms).is_ok()
        };
        vouched && self.names.iter().any(|name| holds(own, &parsed, name))
    }
}

/// Whether a certificate is for this name; `*.` at its front stands for one label.
fn holds(own: &CertificateDer<'_>, parsed: &ParsedCertificate<'_>, name: &str) -> bool {
    let Some(parent) = name.strip_prefix("*.") else {
        return ServerName::try_from(name).is_ok_and(|name| verify_server_name(parsed, &name).is_ok());
    };
    let Ok((_, read)) = x509_parser::parse_x509_certificate(own) else { return false };
    let Ok(Some(names)) = read.subject_alternative_name() else { return false };
    names.value.general_names.iter().any(|held| match held {
        GeneralName::DNSName(held) => {
            held.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(parent))
        }
        _ => false,
    })
}

fn authorities(file: &Path) -> Result<RootCertStore, AuthoritiesError> {
    let mut text = Vec::new();
    std::fs::File::open(file)
        .and_then(|open| open.take(limits::AUTHORITIES_FILE_OCTETS).read_to_end(&mut text))
        .map_err(|error| AuthoritiesError::Read { file: file.to_owned(), error })?;
    let none = || AuthoritiesError::None(file.to_owned());
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>().map_err(|_| none())?;
    let mut roots = RootCertStore::empty();
    for one in found {
        roots.add(one).map_err(|_| none())?;
    }
    Some(roots).filter(|roots| !roots.is_empty()).ok_or_else(none)
}

/// Asks for a certificate and takes any, as it takes none: a client proves that it has the key, and [`Clients`] judges the rest.
#[derive(Debug)]
struct Asked(Arc<CryptoProvider>);

impl ClientCertVerifier for Asked {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None: a client that chooses by them would show nothing to us, and the list of a whole system is long.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
