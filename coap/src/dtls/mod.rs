//! CoAP in DTLS (`coaps`, RFC 7252 §9), sans-I/O as everything here.
//!
//! [`Association`] is the seam: datagrams of the wire on one side, datagrams in clear on the other. A client has one; a
//! server has one for each peer, which [`Listener`] looks after. Whoever has another DTLS to use implements the trait.
//!
//! With the feature `dtls`, `DtlsClient` and `DtlsServer` make associations on `dimpl`: DTLS 1.2 and 1.3, in Rust without
//! `unsafe`, tested against OpenSSL and wolfSSL by its authors and against libcoap here. Its limits are ours: pre-shared keys are
//! DTLS 1.2's with `TLS_PSK_WITH_AES_128_CCM_8` (what RFC 7252 §9.1.3.1 makes mandatory); certificates are ECDSA on
//! P-256 or P-384, one without intermediates, so the authority that is trusted has to be the one that signed it; there
//! is no session resumption and no Connection ID; a peer must know the extended master secret (RFC 7627).
//!
//! Of the others, `dtls` of webrtc-rs owns its sockets and tasks, and `openssl` needs C, `unsafe`, and says nothing of the
//! cookies with which a server keeps off forged addresses.

#[cfg(feature = "dtls")]
mod association;
mod error;
mod listener;

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::{error::Error as StdError, time::Duration};

#[cfg(feature = "dtls")]
pub use self::association::{Certificate, DtlsClient, DtlsServer};
pub use self::{
    error::DtlsError,
    listener::{Limits, Listener, ListenerEvent, SecurePeer},
};

/// One side of a DTLS association. After every call the caller takes what [`poll`](Self::poll) gives, and calls
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) has come.
///
/// Every error is final: the association has to be dropped. What an attacker off the path can send is no error.
pub trait Association: Send {
    /// A datagram came from the peer.
    ///
    /// # Errors
    /// The peer breaks the protocol, or has broken off.
    fn handle_datagram(&mut self, now: Duration, datagram: &[u8]) -> Result<(), DtlsError>;

    /// Does what is due: retransmits a flight of the handshake, or gives it up.
    ///
    /// # Errors
    /// The handshake took too long.
    fn handle_timeout(&mut self, now: Duration) -> Result<(), DtlsError>;

    /// Sends a message to the peer, once connected.
    ///
    /// # Errors
    /// The association is closed.
    fn send(&mut self, message: &[u8]) -> Result<(), DtlsError>;

    /// Says good-bye. What is to be sent for it comes out of [`poll`](Self::poll).
    fn close(&mut self);

    /// The next thing that came out.
    ///
    /// # Errors
    /// The peer's certificate is refused.
    fn poll(&mut self) -> Result<Option<Output>, DtlsError>;

    /// When to call [`handle_timeout`](Self::handle_timeout) next, as of the last [`poll`](Self::poll).
    fn poll_timeout(&self) -> Option<Duration>;
}

/// What comes out of an [`Association`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// A datagram to send to the peer.
    Transmit(Vec<u8>),
    /// The handshake is done, and the peer is who it should be.
    Connected,
    /// A message from the peer.
    Received(Vec<u8>),
    /// The peer said good-bye.
    Closed,
}

/// Says whether a peer may be what its certificate (DER) says it is; that it has the key is checked already.
pub type Verify = Arc<dyn Fn(&[u8]) -> Result<(), Box<dyn StdError + Send + Sync>> + Send + Sync>;

/// The key that belongs to an identity, if there is one.
pub type PreSharedKeys = Arc<dyn Fn(&[u8]) -> Option<Vec<u8>> + Send + Sync>;

/// What a record adds to a message at most: header, explicit nonce and tag of the longest suite. A datagram may be this
/// much longer than the message in it.
pub const OVERHEAD: usize = 13 + 8 + 16;
