//! Closing a stream so that the last bytes arrive.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::listener::Io;

/// How long a peer may take to close its side.
const LINGER: Duration = Duration::from_secs(1);

/// Says that nothing more comes, then takes what the peer still sends until it closes too.
///
/// A socket that is dropped with unread bytes in it is reset, and a reset may overtake what was written last: the peer
/// then sees a broken connection instead of the answer, or instead of a WebSocket that closes in order.
pub(crate) async fn close(stream: &mut impl Io) {
    let farewell = async {
        if stream.shutdown().await.is_ok() {
            let mut ignored = [0; 512];
            while matches!(stream.read(&mut ignored).await, Ok(read) if read > 0) {}
        }
    };
    // Whoever does not close in time is cut.
    let _ = tokio::time::timeout(LINGER, farewell).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_bytes_arrive_although_the_peer_was_still_sending() {
        let (mut near, mut far) = tokio::io::duplex(64);
        far.write_all(b"still sending").await.unwrap();
        near.write_all(b"last").await.unwrap();
        let closing = tokio::spawn(async move { close(&mut near).await });
        let mut read = Vec::new();
        far.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"last");
        far.write_all(b"more").await.unwrap();
        drop(far);
        closing.await.unwrap();
    }
}
