//! MQTT: a server on `manywire-mqtt-codec`, over TCP and inside WebSocket.
//!
//! A connection's bytes become packets in `connection`, after `handshake` has said whose they are. What a client must get or must not hear
//! twice is in its `session`, without I/O; `shared` is that session where broker and connection meet, and `sessions` knows which client has
//! which one, connected or not.

mod connection;
mod handshake;
mod incoming;
mod properties;
mod queued;
mod session;
mod sessions;
mod share;
mod shared;
mod subscribing;
mod will;

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use self::sessions::Sessions;
use crate::Hub;
use crate::listener::{Connection, Io, Serve};
use crate::message::Protocol;
use crate::store::StoreError;

/// The MQTT server: for the bytes of TCP, TLS and WebSocket alike.
#[derive(Clone)]
pub(crate) struct MqttAdapter {
    sessions: Arc<Sessions>,
}

impl MqttAdapter {
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self {
            sessions: Arc::new(Sessions::new(hub)),
        }
    }

    /// Takes over the sessions of the data directory: before anybody connects.
    pub(crate) async fn restore(&self) -> Result<(), StoreError> {
        self.sessions.restore().await
    }

    /// Takes every session from the broker: the gateway ends.
    pub(crate) fn let_go(&self) {
        self.sessions.let_go();
    }
}

impl Serve for MqttAdapter {
    async fn serve<S: Io>(&self, stream: S, connection: Connection) {
        let hub = Arc::clone(&connection.hub);
        let counted = hub.connected(Protocol::Mqtt);
        let Some(client) = handshake::welcome(stream, connection, &self.sessions).await else {
            return;
        };
        let will = client.serve().await;
        drop(counted);
        if let Some(will) = will {
            will.wait().await;
        }
    }
}

impl fmt::Debug for MqttAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttAdapter").finish_non_exhaustive()
    }
}

/// Reads once, and does something with what was read; nothing is the end of the stream.
///
/// Reading and decoding happen within one poll, so that one buffer serves all connections of a thread and an idle one needs none.
fn poll_chunk<S: AsyncRead + Unpin, T>(
    stream: &mut S,
    context: &mut Context<'_>,
    take: impl FnOnce(&[u8]) -> T,
) -> Poll<io::Result<T>> {
    READ_BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(READ_SIZE, 0);
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(take(buffer.filled())))
    })
}

/// Bytes read at once.
const READ_SIZE: usize = 64 * 1024;

thread_local! {
    static READ_BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}
