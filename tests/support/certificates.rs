//! An authority of a test's own, and the pairs that it signs.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};

/// What is spoken today.
pub const BOTH: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // A name of its own: OpenSSL takes a certificate whose issuer has the same name for self-signed.
        params.distinguished_name.push(DnType::CommonName, "authority");
        Self(CertifiedIssuer::self_signed(params, key()).expect("an authority"))
    }

    /// Its own certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A pair for this host.
    pub fn issue(&self, host: &str) -> Pair {
        self.issue_as(host, |_| ())
    }

    /// As [`Authority::issue`], with a number that a client can see.
    pub fn numbered(&self, host: &str, number: u64) -> Pair {
        self.issue_as(host, |params| params.serial_number = Some(number.into()))
    }

    /// As [`Authority::issue`], with what else the certificate is to say.
    pub fn issue_as(&self, host: &str, change: impl FnOnce(&mut CertificateParams)) -> Pair {
        let (mut params, key) = (of(host), key());
        change(&mut params);
        let own = params.signed_by(&key, &self.0).expect("a certificate");
        Pair { certificate: own.pem(), key: key.serialize_pem(), der: own.der().clone(), secret: key.serialize_der() }
    }

    /// A client that trusts this authority alone, and shows this pair where it is asked.
    pub fn client(&self, versions: &[&'static SupportedProtocolVersion], shown: Option<&Pair>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).expect("versions");
        let builder = builder.with_root_certificates(roots);
        match shown {
            None => builder.with_no_client_auth(),
            Some(pair) => builder.with_client_auth_cert(vec![pair.der.clone()], pair.secret()).expect("a pair"),
        }
    }
}

/// A certificate and its key.
pub struct Pair {
    /// In PEM form.
    pub certificate: String,
    /// In PEM form.
    pub key: String,
    der: CertificateDer<'static>,
    secret: Vec<u8>,
}

impl Pair {
    /// One that nobody else vouches for.
    pub fn self_signed(host: &str) -> Self {
        let key = key();
        let own = of(host).self_signed(&key).expect("a certificate");
        Self { certificate: own.pem(), key: key.serialize_pem(), der: own.der().clone(), secret: key.serialize_der() }
    }

    /// Puts `NAME.pem` and `NAME.key` there.
    pub fn lay(&self, folder: &Path, name: &str) {
        std::fs::write(folder.join(format!("{name}.pem")), &self.certificate).expect("its file");
        std::fs::write(folder.join(format!("{name}.key")), &self.key).expect("its file");
    }

    /// A server that shows it.
    pub fn server(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.expect("versions").with_no_client_auth();
        Arc::new(builder.with_single_cert(vec![self.der.clone()], self.secret()).expect("a pair"))
    }

    fn secret(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.secret.clone()).expect("a key")
    }
}

fn of(host: &str) -> CertificateParams {
    CertificateParams::new([host.to_owned()]).expect("a name")
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
