//! The socket: in clear, or with an association of DTLS for each peer.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use manywire_coap::dtls::{self, Listener, ListenerEvent, SecurePeer};
use tokio::net::UdpSocket;

/// Somebody the gateway speaks with. In DTLS one that begins anew from the same address is somebody else; in clear the
/// address is all there is.
pub(super) type Peer = SecurePeer<SocketAddr>;

pub(super) struct Wire {
    pub(super) socket: UdpSocket,
    secure: Option<Listener<SocketAddr>>,
    /// What DTLS has to say on its own.
    outgoing: VecDeque<(SocketAddr, Vec<u8>)>,
    /// Whose association is over.
    closed: VecDeque<Peer>,
    buffer: Box<[u8]>,
}

impl Wire {
    pub(super) fn new(socket: UdpSocket, secure: Option<Listener<SocketAddr>>) -> Self {
        Self {
            socket,
            secure,
            outgoing: VecDeque::new(),
            closed: VecDeque::new(),
            buffer: vec![0; LONGEST_DATAGRAM].into_boxed_slice(),
        }
    }

    /// What is added to a message at most.
    pub(super) fn overhead(&self) -> usize {
        if self.secure.is_some() { dtls::OVERHEAD } else { 0 }
    }

    /// Takes in one datagram and hands on what it brings. Says whether there may be another.
    pub(super) fn receive(&mut self, now: Duration, hear: impl FnMut(Peer, &[u8])) -> bool {
        match self.socket.try_recv_from(&mut self.buffer) {
            Ok((length, address)) => {
                self.handle_datagram(now, address, length, hear);
                true
            }
            // Anything else is an ICMP message about something we sent: retransmission deals with it.
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        }
    }

    fn handle_datagram(
        &mut self,
        now: Duration,
        address: SocketAddr,
        length: usize,
        mut hear: impl FnMut(Peer, &[u8]),
    ) {
        let datagram = self.buffer.get(..length).unwrap_or_default();
        match &mut self.secure {
            None => hear(
                Peer {
                    address,
                    association: 0,
                },
                datagram,
            ),
            Some(listener) => {
                listener.handle_datagram(now, address, datagram);
                self.take_secure(hear);
            }
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout) next.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.secure.as_ref()?.poll_timeout()
    }

    pub(super) fn handle_timeout(&mut self, now: Duration, hear: impl FnMut(Peer, &[u8])) {
        if let Some(listener) = &mut self.secure {
            listener.handle_timeout(now);
            self.take_secure(hear);
        }
    }

    /// Somebody whose association is over.
    pub(super) fn poll_closed(&mut self) -> Option<Peer> {
        self.closed.pop_front()
    }

    /// Sends a message. What cannot be sent now is lost on the way, which CoAP is made for.
    pub(super) async fn send(&mut self, now: Duration, peer: Peer, message: &[u8]) {
        match &mut self.secure {
            None => transmit(&self.socket, peer.address, message).await,
            Some(listener) => {
                listener.send(now, peer, message);
                self.take_secure(|_, _| {});
                self.flush().await;
            }
        }
    }

    /// Sends what DTLS has to say on its own.
    pub(super) async fn flush(&mut self) {
        while let Some((address, datagram)) = self.outgoing.pop_front() {
            transmit(&self.socket, address, &datagram).await;
        }
    }

    /// Says good-bye to all peers.
    pub(super) async fn close(&mut self, now: Duration) {
        if let Some(listener) = &mut self.secure {
            listener.close(now);
            self.take_secure(|_, _| {});
            self.flush().await;
        }
    }

    fn take_secure(&mut self, mut hear: impl FnMut(Peer, &[u8])) {
        while let Some(event) = self.secure.as_mut().and_then(Listener::poll) {
            match event {
                ListenerEvent::Transmit { address, datagram } => self.outgoing.push_back((address, datagram)),
                ListenerEvent::Received { peer, message } => hear(peer, &message),
                ListenerEvent::Closed { peer } => self.closed.push_back(peer),
                _ => {}
            }
        }
    }
}

async fn transmit(socket: &UdpSocket, address: SocketAddr, datagram: &[u8]) {
    if let Err(error) = socket.send_to(datagram, address).await {
        tracing::debug!(%error, %address, "a CoAP datagram cannot be sent");
    }
}

/// As long as UDP allows, so that nothing is cut.
const LONGEST_DATAGRAM: usize = 65_535;
