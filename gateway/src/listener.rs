//! Accepting TCP connections, within the limits.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::Tls;
use crate::hub::Hub;
use crate::shutdown::Shutdown;
use crate::stall::StallGuard;

/// A stream of bytes to a client.
pub(crate) trait Io: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Io for T {}

/// What an adapter knows about one connection. As long as it lives, the connection counts.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) hub: Arc<Hub>,
    pub(crate) peer: SocketAddr,
    pub(crate) shutdown: Shutdown,
    _permit: OwnedSemaphorePermit,
}

/// An adapter for a protocol on TCP.
pub(crate) trait Serve: Clone + Send + Sync + 'static {
    /// Serves one connection until it ends or `connection.shutdown` is requested.
    fn serve<S: Io>(&self, stream: S, connection: Connection) -> impl Future<Output = ()> + Send;
}

/// Who may connect, now.
pub(crate) struct Admission {
    open: Arc<Semaphore>,
    per_second: u32,
    second: Mutex<(Instant, u32)>,
    tls: Option<TlsAcceptor>,
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

impl Admission {
    pub(crate) fn new(connections: usize, per_second: u32, tls: Option<Tls>) -> Self {
        let open = Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS)));
        Self {
            open,
            per_second,
            second: Mutex::new((Instant::now(), 0)),
            tls: tls.as_ref().map(Tls::acceptor),
        }
    }

    pub(crate) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    fn admit(&self) -> Option<OwnedSemaphorePermit> {
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now.duration_since(second.0) >= Duration::from_secs(1) {
            *second = (now, 0);
        }
        if second.1 >= self.per_second {
            return None;
        }
        let permit = Arc::clone(&self.open).try_acquire_owned().ok()?;
        second.1 += 1;
        Some(permit)
    }
}

/// Accepts connections and serves each on a task of its own, until the gateway stops; then waits for them.
/// Dropping the future ends them at once.
pub(crate) async fn accept(listener: TcpListener, adapter: impl Serve, hub: Arc<Hub>, shutdown: Shutdown) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = shutdown.requested() => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: some connections have to end first.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(permit) = hub.admission().admit() else {
            hub.metrics().refused_connections.add(1);
            continue;
        };
        let (hub, shutdown) = (Arc::clone(&hub), shutdown.clone());
        let connection = Connection {
            hub,
            peer,
            shutdown,
            _permit: permit,
        };
        connections.spawn(serve(stream, adapter.clone(), connection));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve(stream: TcpStream, adapter: impl Serve, connection: Connection) {
    // Messages are small and wanted at once; without it Nagle's algorithm may add 40 ms.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let limits = connection.hub.limits();
    let stream = StallGuard::new(stream, limits.write_timeout);
    let Some(tls) = &connection.hub.admission().tls else {
        return adapter.serve(stream, connection).await;
    };
    let handshake = tokio::time::timeout(limits.head_timeout, tls.accept(stream));
    match tokio::select! { outcome = handshake => outcome, () = connection.shutdown.requested() => return } {
        Ok(Ok(stream)) => adapter.serve(stream, connection).await,
        Ok(Err(error)) => tracing::debug!(peer = %connection.peer, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(peer = %connection.peer, "a TLS handshake took too long"),
    }
}
