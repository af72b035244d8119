//! TLS with rustls: the provider is ring, the roots are the operating system's unless others are given.

use std::{error::Error as StdError, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::{
    tls::{Identity, Tls},
    transport::{TransportError, TransportErrorKind},
};

/// The TLS settings as rustls wants them.
pub(crate) fn client_config(tls: &Tls) -> Result<ClientConfig, TransportError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(setting)?;
    let builder = if tls.accept_invalid {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
    } else if tls.roots.is_empty() {
        builder.with_platform_verifier().map_err(setting)?
    } else {
        let mut roots = RootCertStore::empty();
        for pem in &tls.roots {
            let before = roots.len();
            for certificate in CertificateDer::pem_slice_iter(pem) {
                roots.add(certificate.map_err(setting)?).map_err(setting)?;
            }
            if roots.len() == before {
                return Err(TransportError::new(TransportErrorKind::Unsupported)
                    .because("a root is no certificate in PEM"));
            }
        }
        builder.with_root_certificates(roots)
    };
    match &tls.identity {
        None => Ok(builder.with_no_client_auth()),
        Some(Identity { chain, key }) => {
            let chain = CertificateDer::pem_slice_iter(chain)
                .collect::<Result<Vec<_>, _>>()
                .map_err(setting)?;
            let key = PrivateKeyDer::from_pem_slice(key).map_err(setting)?;
            builder.with_client_auth_cert(chain, key).map_err(setting)
        }
    }
}

/// Settings that no attempt can make better.
fn setting(error: impl StdError + Send + Sync + 'static) -> TransportError {
    TransportError::new(TransportErrorKind::Unsupported)
        .because("settings of tls")
        .caused_by(error)
}

#[cfg(any(feature = "mqtt", feature = "ws"))]
pub(super) fn tls_error(error: impl StdError + Send + Sync + 'static) -> TransportError {
    TransportError::new(TransportErrorKind::Tls).caused_by(error)
}

/// The verifier behind [`Tls::danger_accept_invalid_certs`].
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
