//! MQTT over WebSocket: a stream of binary messages as a stream of bytes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use futures_core::Stream;
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::{HeaderValue, header::SEC_WEBSOCKET_PROTOCOL},
        protocol::WebSocketConfig,
    },
};

use crate::{
    binding::mqtt::{WEBSOCKET_PATH, WEBSOCKET_SUBPROTOCOL},
    endpoint::Endpoint,
    error::RefusalKind,
    net::ByteStream,
    transport::{TransportError, TransportErrorKind},
};

/// The bytes of the binary messages of a WebSocket. Packets may be split over messages and merged in them as either side likes [MQTT-6.0.0-2].
#[derive(Debug)]
pub(super) struct WebSocketBytes {
    socket: WebSocketStream<ByteStream>,
    received: Bytes,
}

impl WebSocketBytes {
    /// Upgrades a connection.
    pub(super) async fn open(stream: ByteStream, endpoint: &Endpoint) -> Result<Self, TransportError> {
        let path = if endpoint.path().is_empty() {
            WEBSOCKET_PATH
        } else {
            endpoint.path()
        };
        let scheme = if endpoint.is_secure() { "wss" } else { "ws" };
        let mut request = format!("{scheme}://{}{path}", endpoint.authority())
            .into_client_request()
            .map_err(handshake)?;
        request.headers_mut().insert(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(WEBSOCKET_SUBPROTOCOL),
        );
        // One message carries what is ready at the time, which can be more than a packet.
        let config = WebSocketConfig::default()
            .max_message_size(None)
            .max_frame_size(None);
        let (socket, _response) = client_async_with_config(request, stream, Some(config))
            .await
            .map_err(handshake)?;
        Ok(Self {
            socket,
            received: Bytes::new(),
        })
    }
}

impl AsyncRead for WebSocketBytes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.received.is_empty() {
            self.received = match ready!(Pin::new(&mut self.socket).poll_next(context)) {
                Some(Ok(Message::Binary(bytes))) => bytes,
                // [MQTT-6.0.0-1]
                Some(Ok(Message::Text(_))) => {
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "a text message")));
                }
                // Pongs are sent by the library; a close frame is followed by the end.
                Some(Ok(_)) => continue,
                Some(Err(Error::ConnectionClosed)) | None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(as_io(error))),
            };
        }
        let count = self.received.len().min(buffer.remaining());
        buffer.put_slice(self.received.get(..count).unwrap_or_default());
        self.received.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for WebSocketBytes {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.socket).poll_ready(context)).map_err(as_io)?;
        Pin::new(&mut self.socket)
            .start_send(Message::Binary(Bytes::copy_from_slice(bytes)))
            .map_err(as_io)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context).map_err(as_io)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(context).map_err(as_io)
    }
}

fn handshake(error: Error) -> TransportError {
    let kind = match &error {
        Error::Http(response) => TransportErrorKind::Refused(match response.status().as_u16() {
            401 | 403 => RefusalKind::Credentials,
            429 | 503 => RefusalKind::Busy,
            500..=599 => RefusalKind::Internal,
            _ => RefusalKind::Other,
        }),
        Error::Io(_) => TransportErrorKind::Closed,
        Error::Url(_) | Error::HttpFormat(_) => TransportErrorKind::Unsupported,
        _ => TransportErrorKind::Protocol,
    };
    TransportError::new(kind).caused_by(error)
}

fn as_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::UnexpectedEof.into(),
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}
