//! Why a request over HTTP, or a WebSocket handshake, is refused, and the answer that says so.

use bytes::Bytes;
use http::header::{
    ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, SEC_WEBSOCKET_VERSION, UPGRADE, WWW_AUTHENTICATE,
};
use http::{Response, StatusCode};
use http_body_util::Full;
use manywire_topics::{Dialect, ErrorKind};
use thiserror::Error;

use crate::broker::BrokerError;
use crate::identity::Denied;

/// Why a request is refused. Nothing has been published then, so that repeating it is always safe; the
/// message of each answer says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refusal {
    #[error("no such path")]
    NotFound,
    #[error("method not allowed")]
    Method { allowed: &'static str },
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("malformed topic")]
    Topic(manywire_topics::Error),
    #[error("malformed subtopic")]
    Subtopic(manywire_topics::Error),
    #[error("unsupported content type")]
    ContentType,
    #[error("message too large")]
    TooLarge { limit: usize },
    #[error("empty message")]
    Empty,
    #[error("malformed envelope")]
    Envelope,
    #[error("malformed qos or retain")]
    Option,
    #[error("the body did not arrive in time")]
    BodyTimeout,
    #[error("the body is broken")]
    BrokenBody,
    #[error("a WebSocket handshake is wanted here")]
    UpgradeRequired,
    #[error("malformed WebSocket handshake")]
    Handshake,
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl Refusal {
    pub(crate) fn status(self, dialect: Dialect) -> StatusCode {
        match self {
            Self::Denied(Denied::UnknownChannel | Denied::NotAllowed) if dialect == Dialect::FluxMq => {
                StatusCode::FORBIDDEN
            }
            Self::Topic(_) if dialect == Dialect::FluxMq => StatusCode::NOT_FOUND,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Denied(Denied::Unavailable) | Self::Broker(BrokerError::Unavailable) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            // Otherwise never 403: the platform answers 401 for a lack of rights too, and its clients look for that.
            Self::Denied(_) => StatusCode::UNAUTHORIZED,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
            Self::Broker(BrokerError::TopicTooLong) => StatusCode::BAD_REQUEST,
            Self::Broker(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Topic(_)
            | Self::Subtopic(_)
            | Self::Empty
            | Self::Envelope
            | Self::Option
            | Self::BrokenBody
            | Self::Handshake => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer: `{"error", "message"}`, where `error` is one of a fixed set of words.
    pub(crate) fn response(self, dialect: Dialect) -> Response<Full<Bytes>> {
        let body = serde_json::json!({ "error": self.to_string(), "message": self.explanation(dialect) });
        let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
        *response.status_mut() = self.status(dialect);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match self {
            Self::Method { allowed } => {
                headers.insert(ALLOW, HeaderValue::from_static(allowed));
            }
            Self::Broker(BrokerError::TopicTooLong) => {}
            Self::Denied(Denied::Unavailable) | Self::Broker(_) => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            // RFC 9110 §15.5.2 wants a challenge; not Basic, which would make a browser ask for a password.
            Self::Denied(_) => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(scheme(dialect)));
            }
            Self::UpgradeRequired => {
                headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            _ => {}
        }
        response
    }

    fn explanation(self, dialect: Dialect) -> String {
        let what = match self {
            Self::NotFound if dialect.has_domains() => {
                "messages are published to /m/<domain>/c/<channel>[/<subtopic>]".into()
            }
            Self::NotFound => "messages are published to /channels/<id>/messages[/<subtopic>]".into(),
            Self::Method { allowed } => format!("this path takes {allowed}"),
            Self::Denied(Denied::MissingCredentials) => {
                format!("send the header `Authorization: {} <key>`", scheme(dialect))
            }
            Self::Denied(Denied::WrongCredentials) => "no thing has this key".into(),
            Self::Denied(Denied::UnknownChannel) => "there is no channel of this id".into(),
            Self::Denied(Denied::NotAllowed) => "the thing may not do this on the channel".into(),
            Self::Topic(error) | Self::Subtopic(error) => error.to_string(),
            Self::ContentType => {
                "the content type is application/senml+json, application/senml+cbor or application/json"
                    .into()
            }
            Self::TooLarge { limit } => format!("a message has at most {limit} bytes"),
            Self::Envelope => {
                r#"the body is {"topic": text, "payload": base64, "qos": 0 to 2, "retain": true or false}"#
                    .into()
            }
            Self::Option => "qos is 0, 1 or 2, and retain is true or false".into(),
            Self::Empty => "the body is the message, and there was none".into(),
            Self::Handshake => "RFC 6455, section 4.2.1, says what is needed".into(),
            Self::Denied(_)
            | Self::Broker(_)
            | Self::BodyTimeout
            | Self::BrokenBody
            | Self::UpgradeRequired => self.to_string(),
        };
        format!("{what}; nothing was published")
    }
}

/// The scheme of `Authorization` that the platform's documentation tells.
fn scheme(dialect: Dialect) -> &'static str {
    if dialect.has_domains() { "Client" } else { "Thing" }
}

impl From<manywire_topics::Error> for Refusal {
    fn from(error: manywire_topics::Error) -> Self {
        match error.kind() {
            ErrorKind::Layout
            | ErrorKind::Id
            | ErrorKind::IdOrRoute
            | ErrorKind::Domain
            | ErrorKind::Health => Self::Topic(error),
            _ => Self::Subtopic(error),
        }
    }
}
