use alloc::{boxed::Box, string::ToString, sync::Arc, vec, vec::Vec};
use core::{fmt, panic::AssertUnwindSafe, time::Duration};
use std::time::Instant;

use dimpl::{Config, ConfigBuilder, Dtls, DtlsCertificate, PskResolver};

use super::{Association, DtlsError, Output, PreSharedKeys, Verify};

/// A certificate and its private key, both in DER (the key as PKCS #8 or SEC 1): ECDSA on P-256 or P-384.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    key: Vec<u8>,
}

impl Certificate {
    /// A certificate and its private key.
    ///
    /// # Errors
    /// [`DtlsError::Setting`] if the key is not one of the kinds that can be used, or there is no certificate.
    pub fn new(der: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Result<Self, DtlsError> {
        let (der, key) = (der.into(), key.into());
        if der.is_empty() {
            return Err(DtlsError::Setting("no certificate".into()));
        }
        dimpl::crypto::rust_crypto::default_provider()
            .key_provider
            .load_private_key(&key)
            .map_err(|error| {
                DtlsError::Setting(alloc::format!(
                    "the key is not ECDSA's on P-256 or P-384: {error}"
                ))
            })?;
        Ok(Self { der, key })
    }

    /// One that says nothing: DTLS wants some certificate of a client when the server asks, and a server that
    /// only wants to know its own will refuse this one.
    fn nobody() -> Result<Self, DtlsError> {
        let failed = |error: rcgen::Error| DtlsError::Setting(error.to_string());
        let made = rcgen::generate_simple_self_signed(Vec::new()).map_err(failed)?;
        Self::new(made.cert.der().to_vec(), made.signing_key.serialize_der())
    }

    fn into_dimpl(self) -> DtlsCertificate {
        DtlsCertificate {
            certificate: self.der,
            private_key: self.key,
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

/// Makes the associations of a client.
#[derive(Clone)]
pub struct DtlsClient {
    config: Arc<Config>,
    certificate: Option<(DtlsCertificate, Verify)>,
}

impl DtlsClient {
    /// Client and server prove themselves to each other with a key that both know.
    ///
    /// # Errors
    /// [`DtlsError::Setting`] if the key is empty.
    pub fn with_pre_shared_key(
        identity: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Result<Self, DtlsError> {
        let key = key.into();
        if key.is_empty() {
            return Err(DtlsError::Setting("the pre-shared key is empty".into()));
        }
        let keys: PreSharedKeys = Arc::new(move |_| Some(key.clone()));
        let resolver = Arc::new(Resolver(AssertUnwindSafe(keys)));
        let config = build(Config::builder().with_psk_client(identity.into(), resolver))?;
        Ok(Self {
            config,
            certificate: None,
        })
    }

    /// The server proves itself with a certificate that `verify` has a look at, and the client with its own, if it has
    /// one and the server asks.
    ///
    /// # Errors
    /// [`DtlsError::Setting`] if there is no randomness to be had.
    pub fn with_certificates(own: Option<Certificate>, verify: Verify) -> Result<Self, DtlsError> {
        let own = own.map_or_else(Certificate::nobody, Ok)?;
        Ok(Self {
            config: build(Config::builder())?,
            certificate: Some((own.into_dimpl(), verify)),
        })
    }

    /// Begins an association. `origin` is what all times are counted from.
    #[must_use]
    pub fn associate(&self, origin: Instant) -> Box<dyn Association> {
        let config = Arc::clone(&self.config);
        let (mut dtls, verify) = match &self.certificate {
            Some((own, verify)) => (
                Dtls::new_auto(config, own.clone(), origin),
                Some(Arc::clone(verify)),
            ),
            None => (Dtls::new_12_psk(config, origin), None),
        };
        dtls.set_active(true);
        Box::new(OnDimpl::new(dtls, origin, verify))
    }
}

impl fmt::Debug for DtlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DtlsClient").finish_non_exhaustive()
    }
}

/// Makes the associations of a server.
#[derive(Clone)]
pub struct DtlsServer {
    config: Arc<Config>,
    certificate: Option<DtlsCertificate>,
    verify: Option<Verify>,
}

impl DtlsServer {
    /// A server that takes clients with a pre-shared key.
    ///
    /// # Errors
    /// [`DtlsError::Setting`].
    pub fn with_pre_shared_keys(keys: PreSharedKeys) -> Result<Self, DtlsError> {
        Ok(Self {
            config: build(
                Config::builder().with_psk_server(None, Arc::new(Resolver(AssertUnwindSafe(keys)))),
            )?,
            certificate: None,
            verify: None,
        })
    }

    /// A server that proves itself with a certificate, and takes clients with a pre-shared key as well if there are
    /// `keys`. With `verify`, the others need a certificate that passes.
    ///
    /// # Errors
    /// [`DtlsError::Setting`].
    pub fn with_certificate(
        own: Certificate,
        verify: Option<Verify>,
        keys: Option<PreSharedKeys>,
    ) -> Result<Self, DtlsError> {
        let mut config = Config::builder().require_client_certificate(verify.is_some());
        if let Some(keys) = keys {
            config = config.with_psk_server(None, Arc::new(Resolver(AssertUnwindSafe(keys))));
        }
        Ok(Self {
            config: build(config)?,
            certificate: Some(own.into_dimpl()),
            verify,
        })
    }

    /// Awaits a client's first datagram. `origin` is what all times are counted from.
    #[must_use]
    pub fn associate(&self, origin: Instant) -> Box<dyn Association> {
        let config = Arc::clone(&self.config);
        let dtls = match &self.certificate {
            Some(own) => Dtls::new_auto(config, own.clone(), origin),
            None => Dtls::new_12_psk(config, origin),
        };
        Box::new(OnDimpl::new(dtls, origin, self.verify.clone()))
    }
}

impl fmt::Debug for DtlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DtlsServer").finish_non_exhaustive()
    }
}

fn build(builder: ConfigBuilder) -> Result<Arc<Config>, DtlsError> {
    let builder = builder.with_crypto_provider(dimpl::crypto::rust_crypto::default_provider());
    match builder.mtu(MTU).build() {
        Ok(config) => Ok(Arc::new(config)),
        Err(error) => Err(DtlsError::Setting(error.to_string())),
    }
}

/// `dimpl` wants to know that a panic leaves the resolver in order; ours has no state of its own.
struct Resolver(AssertUnwindSafe<PreSharedKeys>);

impl PskResolver for Resolver {
    fn resolve(&self, identity: &[u8]) -> Option<Vec<u8>> {
        (self.0)(identity).filter(|key| !key.is_empty())
    }
}

struct OnDimpl {
    dtls: Dtls,
    origin: Instant,
    verify: Option<Verify>,
    connected: bool,
    timeout: Option<Duration>,
    buffer: Vec<u8>,
}

impl OnDimpl {
    fn new(dtls: Dtls, origin: Instant, verify: Option<Verify>) -> Self {
        Self {
            dtls,
            origin,
            verify,
            connected: false,
            timeout: Some(Duration::ZERO),
            buffer: vec![0; BUFFER],
        }
    }

    fn failed(&self, error: dimpl::Error) -> DtlsError {
        let error = Box::new(error);
        if self.connected {
            DtlsError::Broken(error)
        } else {
            DtlsError::Handshake(error)
        }
    }
}

impl Association for OnDimpl {
    fn handle_datagram(&mut self, now: Duration, datagram: &[u8]) -> Result<(), DtlsError> {
        self.handle_timeout(now)?;
        self.dtls
            .handle_packet(datagram)
            .map_err(|error| self.failed(error))
    }

    fn handle_timeout(&mut self, now: Duration) -> Result<(), DtlsError> {
        self.dtls
            .handle_timeout(self.origin + now)
            .map_err(|error| self.failed(error))
    }

    fn send(&mut self, message: &[u8]) -> Result<(), DtlsError> {
        match self.dtls.send_application_data(message) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn close(&mut self) {
        // That it is closed or broken already does not matter any more.
        let _ = self.dtls.close();
    }

    fn poll(&mut self) -> Result<Option<Output>, DtlsError> {
        loop {
            let needed = match self.dtls.poll_output(&mut self.buffer) {
                dimpl::Output::Packet(datagram) => return Ok(Some(Output::Transmit(datagram.to_vec()))),
                dimpl::Output::ApplicationData(message) => {
                    return Ok(Some(Output::Received(message.to_vec())));
                }
                dimpl::Output::CloseNotify => return Ok(Some(Output::Closed)),
                dimpl::Output::Connected => {
                    self.connected = true;
                    return Ok(Some(Output::Connected));
                }
                dimpl::Output::PeerCert(certificate) => {
                    if let Some(verify) = &self.verify {
                        verify(certificate).map_err(DtlsError::Refused)?;
                    }
                    continue;
                }
                dimpl::Output::Timeout(at) => {
                    self.timeout = at.checked_duration_since(self.origin);
                    return Ok(None);
                }
                dimpl::Output::BufferTooSmall { needed } => needed,
                _ => continue,
            };
            self.buffer.resize(needed, 0);
        }
    }

    fn poll_timeout(&self) -> Option<Duration> {
        self.timeout
    }
}

/// Flights of the handshake are cut to datagrams of this size, which pass every network with IPv6 (RFC 8200 §5).
const MTU: usize = 1232;

/// Room for a datagram that passes most networks; it grows when it has to.
const BUFFER: usize = 2048;
