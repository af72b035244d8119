use thiserror::Error;

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// Fewer than the four bytes of the header (RFC 7252 §3).
    #[error("datagram shorter than a header")]
    Short,
    /// A version that is not 1: the message is ignored silently (RFC 7252 §3).
    #[error("version is not 1")]
    Version,
    /// Token, options or payload break the format (RFC 7252 §3): also a payload marker with nothing behind it, and an
    /// Empty message that is not empty (§4.1).
    #[error("message format error")]
    Format,
    /// The message does not fit a datagram and cannot be sent in blocks, or is longer than the longest body allowed.
    #[error("message too large")]
    TooLarge,
    /// As many requests, observers or notifications are under way as the parameters allow.
    #[error("too much under way")]
    Busy,
    /// The request, exchange, observation or observer is over or never was.
    #[error("no longer known")]
    Unknown,
    /// The message is not of the class the call needs, a response where a request is due or the reverse.
    #[error("wrong class of message")]
    Class,
}
