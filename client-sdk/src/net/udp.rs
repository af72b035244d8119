//! UDP.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{io::ReadBuf, net::UdpSocket};

use super::attempt::{resolve, unreachable, within};
use crate::{endpoint::Endpoint, transport::TransportError};

/// A UDP socket that speaks with one peer only: datagrams from other addresses are dropped by the kernel.
#[derive(Debug)]
pub(crate) struct Datagrams(UdpSocket);

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
pub(crate) async fn connect_udp(endpoint: &Endpoint, timeout: Duration) -> Result<Datagrams, TransportError> {
    within(timeout, async {
        let mut last = None;
        for address in resolve(endpoint).await? {
            let local: SocketAddr = match address {
                SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
                SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
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
