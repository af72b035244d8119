//! TLS on the listeners.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs, io};

#[cfg(feature = "coaps")]
use manywire_coap::dtls::{Certificate, DtlsError, DtlsServer, PreSharedKeys, Verify};
use rustls::crypto::{CryptoProvider, ring};
#[cfg(feature = "coaps")]
use rustls::pki_types::UnixTime;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

/// A certificate and its key, with which every TCP listener speaks TLS 1.2 or 1.3, and `coaps` DTLS; and, for mutual
/// TLS, the authority that the certificates of clients must come from.
///
/// DTLS takes an ECDSA certificate on P-256 or P-384 only, and sends no intermediates.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    #[cfg(feature = "coaps")]
    datagrams: Arc<Datagrams>,
}

/// The same for DTLS.
#[cfg(feature = "coaps")]
struct Datagrams {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    clients: Option<Arc<dyn ClientCertVerifier>>,
}

/// Why TLS cannot be spoken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A text is not PEM, or does not hold what it should.
    #[error("there is no usable {what} in the PEM text")]
    Pem {
        /// What it should hold.
        what: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// The certificate and the key do not fit, or cannot be used.
    #[error("the certificate cannot be used")]
    Certificate(#[source] rustls::Error),
    /// The authority of the clients cannot be used.
    #[error("the authority of the clients cannot be used")]
    Authority(#[source] VerifierBuilderError),
}

impl Tls {
    /// Takes a chain of certificates, the server's first, its private key, and for mutual TLS the
    /// certificates of the authority, all as PEM texts.
    ///
    /// # Errors
    /// A text does not hold what it should, or certificate and key do not fit.
    pub fn from_pem(chain: &[u8], key: &[u8], client_authority: Option<&[u8]>) -> Result<Self, TlsError> {
        let key =
            PrivateKeyDer::from_pem_slice(key).map_err(|source| TlsError::Pem { what: "key", source })?;
        let chain = certificates(chain)?;
        let provider = Arc::new(ring::default_provider());
        let clients = client_authority
            .map(|authority| verifier(authority, &provider))
            .transpose()?;
        #[cfg(feature = "coaps")]
        let datagrams = Arc::new(Datagrams {
            certificate: chain.first().cloned().unwrap_or_else(|| Vec::new().into()),
            key: key.clone_key(),
            clients: clients.clone(),
        });
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Certificate)?;
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => builder.with_client_cert_verifier(clients),
        };
        let config = builder
            .with_single_cert(chain, key)
            .map_err(TlsError::Certificate)?;
        Ok(Self {
            config: Arc::new(config),
            #[cfg(feature = "coaps")]
            datagrams,
        })
    }

    /// Reads the PEM files that [`from_pem`](Self::from_pem) takes.
    ///
    /// # Errors
    /// A file cannot be read, and as in `from_pem`.
    pub fn read(chain: &Path, key: &Path, client_authority: Option<&Path>) -> Result<Self, TlsError> {
        let authority = client_authority.map(read).transpose()?;
        Self::from_pem(&read(chain)?, &read(key)?, authority.as_deref())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// DTLS with the same certificate and the same authority, and with these pre-shared keys if there are any.
    #[cfg(feature = "coaps")]
    pub(crate) fn dtls(&self, keys: Option<PreSharedKeys>) -> Result<DtlsServer, DtlsError> {
        let Datagrams {
            certificate,
            key,
            clients,
        } = &*self.datagrams;
        let verify = clients.clone().map(|clients| -> Verify {
            Arc::new(move |certificate| {
                let certificate = CertificateDer::from(certificate);
                clients.verify_client_cert(&certificate, &[], UnixTime::now())?;
                Ok(())
            })
        });
        let own = Certificate::new(certificate.to_vec(), key.secret_der())?;
        DtlsServer::with_certificate(own, verify, keys)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(..)")
    }
}

fn verifier(
    authority: &[u8],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authority)? {
        roots.add(certificate).map_err(TlsError::Certificate)?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(TlsError::Authority)
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::Pem {
        what: "certificate",
        source,
    };
    let all: Vec<_> = CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    if all.is_empty() {
        Err(failed(pem::Error::NoItemsFound))
    } else {
        Ok(all)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}
