//! A WebSocket as a stream of bytes, for MQTT inside it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use futures_util::{Sink as _, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message as Frame};

/// The bytes of a WebSocket's binary frames, whose borders mean nothing.
///
/// Each write is one frame, so write whole packets, or several; nothing is sent before a flush.
// [MQTT-6.0.0-1], [MQTT-6.0.0-2]
#[derive(Debug)]
pub(crate) struct WebSocketBytes<S> {
    socket: WebSocketStream<S>,
    /// What of the last frame has not been read yet.
    unread: Bytes,
}

impl<S> WebSocketBytes<S> {
    pub(crate) fn new(socket: WebSocketStream<S>) -> Self {
        Self {
            socket,
            unread: Bytes::new(),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocketBytes<S> {
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        frame: impl FnOnce() -> Bytes,
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.socket).poll_ready(context)).map_err(io_error)?;
        let frame = frame();
        let written = frame.len();
        Pin::new(&mut self.socket)
            .start_send(Frame::Binary(frame))
            .map_err(io_error)?;
        Poll::Ready(Ok(written))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocketBytes<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.unread.is_empty() {
            match ready!(Pin::new(&mut self.socket).poll_next(context)) {
                Some(Ok(Frame::Binary(bytes))) => self.unread = bytes,
                Some(Ok(Frame::Text(_))) => {
                    let reason = "MQTT over WebSocket is in binary frames";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, reason)));
                }
                // The end comes after the close frame has been answered.
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(io_error(error))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let taken = self.unread.len().min(buffer.remaining());
        buffer.put_slice(self.unread.get(..taken).unwrap_or_default());
        self.unread.advance(taken);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocketBytes<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(context, || Bytes::copy_from_slice(data))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(context, || {
            slices.iter().flat_map(|slice| slice.iter().copied()).collect()
        })
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context).map_err(io_error)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_close(context).map_err(io_error)
    }
}

fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::BrokenPipe.into(),
        error => io::Error::new(io::ErrorKind::InvalidData, error),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_tungstenite::tungstenite::protocol::Role;

    use super::*;

    async fn pair() -> (
        WebSocketBytes<tokio::io::DuplexStream>,
        WebSocketStream<tokio::io::DuplexStream>,
    ) {
        let (near, far) = tokio::io::duplex(1 << 16);
        let near = WebSocketStream::from_raw_socket(near, Role::Server, None).await;
        let far = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        (WebSocketBytes::new(near), far)
    }

    #[tokio::test]
    async fn the_borders_of_frames_mean_nothing() {
        let (mut bytes, mut peer) = pair().await;
        for frame in ["ab", "", "c", "defg"] {
            peer.send(Frame::Binary(frame.into())).await.unwrap();
        }
        let mut read = [0; 7];
        bytes.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"abcdefg");
        bytes.write_all(b"hi").await.unwrap();
        bytes.flush().await.unwrap();
        assert_eq!(peer.next().await.unwrap().unwrap(), Frame::Binary("hi".into()));
    }

    #[tokio::test]
    async fn a_close_is_the_end_and_text_is_an_error() {
        let (mut bytes, mut peer) = pair().await;
        peer.send(Frame::Text("x".into())).await.unwrap();
        assert_eq!(
            bytes.read_u8().await.unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
        let (mut bytes, mut peer) = pair().await;
        peer.close(None).await.unwrap();
        assert_eq!(bytes.read(&mut [0]).await.unwrap(), 0);
    }
}
