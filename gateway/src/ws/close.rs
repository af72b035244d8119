//! Why a WebSocket is closed.

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// Why the gateway ends a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// The peer has closed, or is gone: there is nobody to tell.
    Gone,
    /// The gateway stops.
    GoingAway,
    /// The thing may no longer subscribe, or is no longer known.
    Revoked,
    /// The thing may not publish on the channel.
    NotAllowed,
    /// The socket's path is a filter with wildcards, so there is no topic to publish on.
    WildcardPath,
    /// The peer reads too slowly for what is published.
    TooSlow,
    /// The broker does not take the message.
    NotTaken,
    /// The peer has sent something larger than a message may be.
    TooLarge,
    /// A text frame is not UTF-8.
    NotUtf8,
    /// The peer breaks RFC 6455.
    Protocol,
}

impl Close {
    /// The code (RFC 6455, section 7.4.1) and the reason, of at most 123 bytes.
    pub(super) fn frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Gone => return None,
            Self::GoingAway => (CloseCode::Away, "the gateway stops"),
            Self::Revoked => (CloseCode::Policy, "access to the channel has been revoked"),
            Self::NotAllowed => (CloseCode::Policy, "the thing may not publish on the channel"),
            Self::WildcardPath => (
                CloseCode::Policy,
                "publishing needs a path without wildcards; nothing was published",
            ),
            Self::TooSlow => (
                CloseCode::Again,
                "the subscriber was too slow; messages were lost for it",
            ),
            Self::NotTaken => (
                CloseCode::Again,
                "the message could not be published; try again later",
            ),
            Self::TooLarge => (CloseCode::Size, "the message is too large; it was not published"),
            Self::NotUtf8 => (
                CloseCode::Invalid,
                "a text message must be UTF-8; it was not published",
            ),
            Self::Protocol => (CloseCode::Protocol, "the frame breaks RFC 6455"),
        };
        Some(CloseFrame {
            code,
            reason: reason.into(),
        })
    }
}

impl From<Error> for Close {
    fn from(error: Error) -> Self {
        match error {
            Error::Capacity(_) => Self::TooLarge,
            Error::Utf8(_) => Self::NotUtf8,
            Error::Protocol(error) if is_disconnect(&error) => Self::Gone,
            Error::Protocol(_) => Self::Protocol,
            _ => Self::Gone,
        }
    }
}

fn is_disconnect(error: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError as E;
    matches!(
        error,
        E::ResetWithoutClosingHandshake | E::SendAfterClosing | E::ReceivedAfterClosing
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_fit_in_a_control_frame() {
        use Close as C;
        for close in [
            C::GoingAway,
            C::Revoked,
            C::NotAllowed,
            C::WildcardPath,
            C::TooSlow,
            C::NotTaken,
            C::TooLarge,
            C::NotUtf8,
            C::Protocol,
        ] {
            assert!(close.frame().is_some_and(|frame| frame.reason.len() <= 123));
        }
    }
}
