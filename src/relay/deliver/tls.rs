//! TLS to the smarthost as configured. `required` and `implicit` check the certificate against the system's authorities
//! and those of `ca_file`; `encrypted` and `opportunistic` take any (RFC 7435).

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

use super::DeliverError;
use super::shown::Shown;
use crate::config::{HostConfig, SmarthostTls};

/// What a handshake needs, read once; `None` where TLS is not wanted. `shown` is what we show where we are asked.
pub(super) fn connector(
    smarthost: &HostConfig,
    shown: Option<&Arc<Shown>>,
) -> Result<Option<TlsConnector>, DeliverError> {
    let failed =
        |e: &dyn std::fmt::Display| DeliverError::Tls(format!("TLS to {} cannot be set up: {e}", smarthost.host));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(&e))?;
    let builder = match smarthost.tls {
        SmarthostTls::None => return Ok(None),
        SmarthostTls::Opportunistic | SmarthostTls::Encrypted => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Unchecked(provider)))
        }
        SmarthostTls::Required | SmarthostTls::Implicit => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if let Some(file) = &smarthost.ca_file {
                let unreadable = |e| DeliverError::Authorities(format!("{} cannot be read: {e}", file.display()));
                let pem = std::fs::read(file).map_err(unreadable)?;
                let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
                let certificates = certificates.ok().filter(|found| !found.is_empty());
                let none = || DeliverError::Authorities(format!("{} holds no certificate in PEM form", file.display()));
                for certificate in certificates.ok_or_else(none)? {
                    roots.add(certificate).map_err(|e| failed(&e))?;
                }
            }
            builder.with_root_certificates(roots)
        }
    };
    let config = match shown {
        Some(shown) => builder.with_client_cert_resolver(Arc::<Shown>::clone(shown)),
        None => builder.with_no_client_auth(),
    };
    Ok(Some(TlsConnector::from(Arc::new(config))))
}

/// Takes any certificate; the handshake must be signed with it all the same.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
