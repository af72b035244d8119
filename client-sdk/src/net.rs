//! Sockets and TLS: the only file that names them.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use rustls::{
    ClientConfig, RootCertStore,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, UdpSocket, lookup_host},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    endpoint::Endpoint,
    tls::Tls,
    transport::{TransportError, TransportErrorKind},
};

/// A byte stream to the platform, in clear or in TLS.
#[derive(Debug)]
pub(crate) enum ByteStream {
    /// TCP.
    Clear(TcpStream),
    /// TLS over TCP.
    Secure(Box<TlsStream<TcpStream>>),
}

/// Connects to the endpoint, in TLS when it is secure, within `timeout`.
///
/// Nagle's algorithm is off: it would hold each small packet back until the one before it is acknowledged.
pub(crate) async fn connect(
    endpoint: &Endpoint,
    tls: &Tls,
    timeout: Duration,
) -> Result<ByteStream, TransportError> {
    within(timeout, async {
        let tcp = connect_tcp(endpoint).await?;
        if !endpoint.is_secure() {
            return Ok(ByteStream::Clear(tcp));
        }
        let name = ServerName::try_from(endpoint.host().to_owned()).map_err(tls_error)?;
        let connector = TlsConnector::from(Arc::new(client_config(tls)?));
        let stream = connector.connect(name, tcp).await.map_err(tls_error)?;
        Ok(ByteStream::Secure(Box::new(stream)))
    })
    .await
}

/// A UDP socket that speaks with one peer only: datagrams from other addresses are dropped by the kernel.
#[cfg(feature = "coap")]
#[derive(Debug)]
pub(crate) struct Datagrams(UdpSocket);

#[cfg(feature = "coap")]
impl Datagrams {
    /// Sends one datagram.
    pub(crate) fn poll_send(&self, context: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<()>> {
        self.0.poll_send(context, datagram).map_ok(|_sent| ())
    }

    /// Receives one datagram and says how long it is; what does not fit the buffer is cut off.
    pub(crate) fn poll_receive(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        self.0
            .poll_recv(context, &mut buffer)
            .map_ok(|()| buffer.filled().len())
    }
}

/// A socket that speaks with the endpoint.
#[cfg(feature = "coap")]
pub(crate) async fn connect_udp(endpoint: &Endpoint, timeout: Duration) -> Result<Datagrams, TransportError> {
    within(timeout, async {
        let mut last = None;
        for address in resolve(endpoint).await? {
            let local: SocketAddr = match address {
                SocketAddr::V4(_) => (std::net::Ipv4Addr::UNSPECIFIED, 0).into(),
                SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
            };
            match UdpSocket::bind(local).await {
                Ok(socket) => match socket.connect(address).await {
                    Ok(()) => return Ok(Datagrams(socket)),
                    Err(error) => last = Some(error),
                },
                Err(error) => last = Some(error),
            }
        }
        Err(unreachable(last))
    })
    .await
}

/// The TLS settings as rustls wants them.
pub(crate) fn client_config(tls: &Tls) -> Result<ClientConfig, TransportError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(tls_error)?;
    let builder = if tls.accept_invalid {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
    } else if tls.roots.is_empty() {
        builder.with_platform_verifier().map_err(tls_error)?
    } else {
        let mut roots = RootCertStore::empty();
        for pem in &tls.roots {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                roots.add(certificate.map_err(tls_error)?).map_err(tls_error)?;
            }
        }
        builder.with_root_certificates(roots)
    };
    match &tls.identity {
        None => Ok(builder.with_no_client_auth()),
        Some((chain, key)) => {
            let chain = CertificateDer::pem_slice_iter(chain)
                .collect::<Result<Vec<_>, _>>()
                .map_err(tls_error)?;
            let key = PrivateKeyDer::from_pem_slice(key).map_err(tls_error)?;
            builder.with_client_auth_cert(chain, key).map_err(tls_error)
        }
    }
}

/// The error of an established connection.
pub(crate) fn lost(error: io::Error) -> TransportError {
    let kind = match error.kind() {
        io::ErrorKind::TimedOut => TransportErrorKind::TimedOut,
        io::ErrorKind::InvalidData => TransportErrorKind::Protocol,
        _ => TransportErrorKind::Closed,
    };
    TransportError::new(kind).caused_by(error)
}

/// Fails with [`TransportErrorKind::TimedOut`] when the future takes longer.
pub(crate) async fn within<T>(
    timeout: Duration,
    future: impl Future<Output = Result<T, TransportError>>,
) -> Result<T, TransportError> {
    tokio::time::timeout(timeout, future)
        .await
        .unwrap_or_else(|_elapsed| Err(TransportError::new(TransportErrorKind::TimedOut)))
}

async fn resolve(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, TransportError> {
    let addresses: Vec<_> = lookup_host((endpoint.host(), endpoint.port()))
        .await
        .map_err(|error| unreachable(Some(error)))?
        .collect();
    Ok(addresses)
}

/// The first address that answers, each tried a little after the one before (RFC 8305 §5): a black hole among them
/// costs a moment, not the whole timeout.
async fn connect_tcp(endpoint: &Endpoint) -> Result<TcpStream, TransportError> {
    let mut attempts: FuturesUnordered<_> = resolve(endpoint)
        .await?
        .into_iter()
        .zip(0_u32..)
        .map(|(address, turn)| async move {
            if turn > 0 {
                tokio::time::sleep(ATTEMPT_DELAY * turn).await;
            }
            TcpStream::connect(address).await
        })
        .collect();
    let mut last = None;
    while let Some(attempt) = attempts.next().await {
        match attempt {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(lost)?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(unreachable(last))
}

fn unreachable(error: Option<io::Error>) -> TransportError {
    let unreachable = TransportError::new(TransportErrorKind::Unreachable);
    match error {
        Some(error) => unreachable.caused_by(error),
        None => unreachable.because("the name has no address"),
    }
}

fn tls_error(error: impl std::error::Error + Send + Sync + 'static) -> TransportError {
    TransportError::new(TransportErrorKind::Tls).caused_by(error)
}

impl AsyncRead for ByteStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Secure(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Secure(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Clear(stream) => stream.is_write_vectored(),
            Self::Secure(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_flush(context),
            Self::Secure(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Clear(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
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

/// RFC 8305 §8: Connection Attempt Delay.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
