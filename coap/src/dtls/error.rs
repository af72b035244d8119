use alloc::{boxed::Box, string::String};
use core::error::Error as StdError;

use thiserror::Error;

/// Why there is no DTLS association, or none any more.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DtlsError {
    /// A key or a certificate cannot be used.
    #[error("unusable setting: {0}")]
    Setting(String),
    /// The peer's certificate is not to be trusted.
    #[error("the certificate of the peer is refused")]
    Refused(#[source] Box<dyn StdError + Send + Sync>),
    /// The handshake failed: the peer did not answer, has no key or certificate in common with us, or broke off.
    #[error("the handshake failed")]
    Handshake(#[source] Box<dyn StdError + Send + Sync>),
    /// The association broke after the handshake.
    #[error("the association broke")]
    Broken(#[source] Box<dyn StdError + Send + Sync>),
}
