//! What can be wrong with an envelope.

use thiserror::Error;

/// Why bytes are not an envelope, or an envelope does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[error("{kind} at byte {at}")]
pub struct Error {
    kind: ErrorKind,
    at: usize,
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind, at: usize) -> Self {
        Self { kind, at }
    }

    /// What is wrong.
    pub const fn kind(self) -> ErrorKind {
        self.kind
    }

    /// Where: a byte of the input or of the output.
    pub const fn at(self) -> usize {
        self.at
    }
}

/// What is wrong with an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes end inside a field.
    #[error("the envelope ends inside a field")]
    Truncated,
    /// A number of more than 64 bits.
    #[error("a number has more than 64 bits")]
    Varint,
    /// A field number that is zero or too large, or a wire type that is not one of 0, 1, 2 and 5.
    #[error("not a field of a protobuf message")]
    Field,
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// The buffer ends here, and the envelope does not.
    #[error("the buffer is too small")]
    BufferTooSmall,
}
