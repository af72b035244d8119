//! What every attempt to reach an address shares.

use std::{io, net::SocketAddr, time::Duration};

use tokio::net::lookup_host;

use crate::{
    endpoint::Endpoint,
    transport::{TransportError, TransportErrorKind},
};

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

pub(super) async fn resolve(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, TransportError> {
    let addresses: Vec<_> = lookup_host((endpoint.host(), endpoint.port()))
        .await
        .map_err(|error| unreachable(Some(error)))?
        .collect();
    Ok(addresses)
}

pub(super) fn unreachable(error: Option<io::Error>) -> TransportError {
    let unreachable = TransportError::new(TransportErrorKind::Unreachable);
    match error {
        Some(error) => unreachable.caused_by(error),
        None => unreachable.because("the name has no address"),
    }
}
