//! TCP, in clear or in TLS.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    attempt::{lost, resolve, unreachable, within},
    tls::{client_config, tls_error},
};
use crate::{endpoint::Endpoint, tls::Tls, transport::TransportError};

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
        if !endpoint.is_secure() {
            return connect_tcp(endpoint).await.map(ByteStream::Clear);
        }
        let connector = TlsConnector::from(Arc::new(client_config(tls)?));
        let name = ServerName::try_from(endpoint.host().to_owned()).map_err(tls_error)?;
        let tcp = connect_tcp(endpoint).await?;
        let stream = connector.connect(name, tcp).await.map_err(tls_error)?;
        Ok(ByteStream::Secure(Box::new(stream)))
    })
    .await
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

/// RFC 8305 §8: Connection Attempt Delay.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
