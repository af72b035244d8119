//! Why there is no session.

use std::{error::Error as StdError, fmt, sync::Arc};

use crate::error::RefusalKind;

/// Why a connection could not be made, or was lost.
#[derive(Debug, Clone)]
pub struct TransportError {
    kind: TransportErrorKind,
    reason: Option<Arc<str>>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What a [`TransportError`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The name does not resolve, or nobody answers at the address.
    Unreachable,
    /// An answer did not come in time.
    TimedOut,
    /// The peer, or the network, ended the connection.
    Closed,
    /// The peer sent what the protocol does not allow.
    Protocol,
    /// TLS could not be established: most often a certificate that is not trusted.
    Tls,
    /// The peer answered and does not want us.
    Refused(RefusalKind),
    /// What was asked for cannot be done over this transport, or not with these settings.
    Unsupported,
}

impl TransportError {
    /// An error of this kind.
    #[must_use]
    pub const fn new(kind: TransportErrorKind) -> Self {
        Self {
            kind,
            reason: None,
            source: None,
        }
    }

    /// The same with words: the peer's reason, or what exactly went wrong. Never put a secret here.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Arc<str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The same with the error that caused it.
    #[must_use]
    pub fn caused_by(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Whether the same attempt may succeed later. Refused credentials and unsupported settings will not.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        match self.kind {
            TransportErrorKind::Refused(kind) => kind.is_retryable(),
            TransportErrorKind::Unsupported => false,
            _ => true,
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TransportErrorKind::Unreachable => f.write_str("the platform cannot be reached"),
            TransportErrorKind::TimedOut => f.write_str("no answer in time"),
            TransportErrorKind::Closed => f.write_str("the connection was closed"),
            TransportErrorKind::Protocol => f.write_str("the peer broke the protocol"),
            TransportErrorKind::Tls => f.write_str("tls could not be established"),
            TransportErrorKind::Refused(kind) => write!(f, "refused: {kind}"),
            TransportErrorKind::Unsupported => f.write_str("not supported"),
        }?;
        match &self.reason {
            Some(reason) => write!(f, " ({reason})"),
            None => Ok(()),
        }
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
