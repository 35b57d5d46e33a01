//! Certificate and key, and the channel binding that SCRAM ties to the certificate.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use clientele_engine::api::Encryption;
use pgwire::api::auth::sasl::scram::ScramServerAuth;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What a connection needs to speak TLS.
#[derive(Clone)]
pub struct Tls {
    /// Does handshakes.
    pub acceptor: TlsAcceptor,
    /// SCRAM bound to the certificate (RFC 5929 `tls-server-end-point`); unbound where the
    /// certificate's signature has no hash that the binding could use (Ed25519).
    pub scram: ScramServerAuth,
    /// Whether SCRAM-SHA-256-PLUS is offered.
    pub binds_channel: bool,
}

/// How a connection is encrypted after its handshake.
pub fn encryption<T>(stream: &TlsStream<T>) -> Option<Encryption> {
    let (_, session) = stream.get_ref();
    let version = session.protocol_version()?.as_str()?.replace('_', ".");
    let cipher = session.negotiated_cipher_suite()?.suite().as_str()?;
    Some(Encryption { version, cipher: cipher.replace("TLS13_", "TLS_") })
}

impl Tls {
    /// Reads the PEM files of the certificate chain and of its private key.
    ///
    /// # Errors
    /// Unreadable files, no certificate or key in them, a key that does not fit.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self> {
        let pem = std::fs::read(certificate)
            .with_context(|| format!("cannot read tls_cert {}", certificate.display()))?;
        let chain = CertificateDer::pem_slice_iter(&pem)
            .collect::<Result<Vec<_>, _>>()
            .with_context(|| format!("tls_cert {} is not PEM", certificate.display()))?;
        anyhow::ensure!(
            !chain.is_empty(),
            "tls_cert {} holds no certificate",
            certificate.display()
        );
        let private = PrivateKeyDer::from_pem_file(key)
            .with_context(|| format!("tls_key {} holds no private key", key.display()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, private)
            .context("tls_cert and tls_key do not fit together")?;
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        let mut scram = ScramServerAuth::new();
        let binds_channel = scram.configure_certificate(&pem).is_ok();
        if !binds_channel {
            tracing::warn!("the certificate allows no channel binding: SCRAM-SHA-256-PLUS is off");
        }
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), scram, binds_channel })
    }
}
