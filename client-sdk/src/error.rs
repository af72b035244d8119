//! What an application is told when something does not work.

use std::{error::Error as StdError, fmt, sync::Arc};

use crate::{
    message::Message,
    transport::{TransportError, TransportErrorKind},
};

/// Why something did not work. Cloning shares it.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    reason: Option<Box<str>>,
    message: Option<Message>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What an [`Error`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The channel, subtopic or filter is malformed; nothing was sent.
    Topic,
    /// The URL is malformed, or its scheme is none of ours.
    Url,
    /// The URL's scheme is ours, but its feature is not compiled in; the text names the feature.
    Feature,
    /// A setting of the builder is missing or contradicts another.
    Setting,
    /// The payload could not be encoded.
    Payload,
    /// The transport cannot do this; nothing was sent.
    Unsupported,
    /// The payload is larger than the transport or the platform takes. It is not tried again.
    TooLarge,
    /// The outbox has no room. [`Error::message`] gives the message back.
    QueueFull,
    /// The platform refused it.
    Refused(RefusalKind),
    /// The message was not delivered within its lifetime.
    Expired,
    /// It cannot be known whether the message arrived, and repeating it could deliver it twice.
    Indeterminate,
    /// The client is closed, or was closed before this was done.
    Closed,
    /// There is no connection.
    Connection(TransportErrorKind),
    /// The outbox's file cannot be read or written.
    Storage,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// The platform does not accept these credentials.
    Credentials,
    /// These credentials may not use this channel in this way.
    Forbidden,
    /// There is no such channel.
    UnknownChannel,
    /// The platform does not accept the topic or the filter.
    Topic,
    /// The platform does not take this content type.
    ContentType,
    /// The platform does not take a message of this size.
    TooLarge,
    /// The platform does not take an empty message.
    Empty,
    /// The platform does not offer this.
    Unsupported,
    /// The platform is too busy now; worth another try.
    Busy,
    /// Something failed inside the platform; worth another try.
    Internal,
    /// The platform gave a reason that is none of these.
    Other,
}

impl RefusalKind {
    /// Whether asking the same again may be answered differently.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Busy | Self::Internal)
    }
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Credentials => "the credentials are not accepted",
            Self::Forbidden => "the channel may not be used with these credentials",
            Self::UnknownChannel => "there is no such channel",
            Self::Topic => "the topic is malformed",
            Self::ContentType => "the content type is not supported",
            Self::TooLarge => "the message is too large",
            Self::Empty => "the message is empty",
            Self::Unsupported => "the platform does not offer this",
            Self::Busy => "the platform is too busy",
            Self::Internal => "the platform failed",
            Self::Other => "the platform does not want it",
        })
    }
}

/// The peer's answer that it will not do one operation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    kind: RefusalKind,
    reason: Option<Arc<str>>,
}

impl Refusal {
    /// A refusal without words.
    #[must_use]
    pub const fn new(kind: RefusalKind) -> Self {
        Self { kind, reason: None }
    }

    /// The same with the peer's words, or the protocol's status (`401`, `4.01`, `0x87`).
    #[must_use]
    pub fn because(mut self, reason: impl Into<Arc<str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> RefusalKind {
        self.kind
    }

    /// The peer's words, if there were any.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "{} ({reason})", self.kind),
            None => self.kind.fmt(f),
        }
    }
}

impl StdError for Refusal {}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Arc::new(Inner {
            kind,
            reason: None,
            message: None,
            source: None,
        }))
    }

    pub(crate) fn because(kind: ErrorKind, reason: impl Into<Box<str>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            reason: Some(reason.into()),
            message: None,
            source: None,
        }))
    }

    pub(crate) fn caused_by(kind: ErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(Arc::new(Inner {
            kind,
            reason: None,
            message: None,
            source: Some(source.into()),
        }))
    }

    pub(crate) fn with_message(kind: ErrorKind, reason: Option<Box<str>>, message: Message) -> Self {
        Self(Arc::new(Inner {
            kind,
            reason,
            message: Some(message),
            source: None,
        }))
    }

    pub(crate) fn topic(text: &str, error: manywire_topics::Error) -> Self {
        let reason = format!("`{text}` at byte {}: {}", error.at(), error.rule());
        Self::because(ErrorKind::Topic, reason)
    }

    pub(crate) fn refused(refusal: &Refusal) -> Self {
        let kind = match refusal.kind() {
            RefusalKind::TooLarge => ErrorKind::TooLarge,
            kind => ErrorKind::Refused(kind),
        };
        Self(Arc::new(Inner {
            kind,
            reason: refusal.reason().map(Into::into),
            message: None,
            source: None,
        }))
    }

    pub(crate) fn connection(error: TransportError) -> Self {
        let kind = match error.kind() {
            TransportErrorKind::Refused(kind) => ErrorKind::Refused(kind),
            TransportErrorKind::Unsupported => ErrorKind::Unsupported,
            kind => ErrorKind::Connection(kind),
        };
        Self::caused_by(kind, error)
    }

    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message that could not be accepted, or that is undelivered; given back so that nothing is lost.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        self.0.message.as_ref()
    }

    /// Whether it failed because time ran out.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Expired | ErrorKind::Connection(TransportErrorKind::TimedOut)
        )
    }

    /// Whether doing the same again later may work without doing anything twice.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::QueueFull | ErrorKind::Connection(_) => true,
            ErrorKind::Refused(kind) => kind.is_retryable(),
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind {
            ErrorKind::Topic => f.write_str("malformed topic"),
            ErrorKind::Url => f.write_str("malformed url"),
            ErrorKind::Feature => f.write_str("not compiled in"),
            ErrorKind::Setting => f.write_str("contradicting settings"),
            ErrorKind::Payload => f.write_str("the payload cannot be encoded"),
            ErrorKind::Unsupported => f.write_str("not supported by the transport"),
            ErrorKind::TooLarge => f.write_str("the message is too large"),
            ErrorKind::QueueFull => f.write_str("the outbox is full"),
            ErrorKind::Refused(kind) => write!(f, "refused: {kind}"),
            ErrorKind::Expired => f.write_str("not delivered within its lifetime"),
            ErrorKind::Indeterminate => f.write_str("it is not known whether the message arrived"),
            ErrorKind::Closed => f.write_str("the client is closed"),
            ErrorKind::Connection(_) => f.write_str("no connection"),
            ErrorKind::Storage => f.write_str("the outbox cannot be stored"),
        }?;
        match &self.0.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("reason", &self.0.reason)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}
