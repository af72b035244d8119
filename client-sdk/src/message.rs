//! One message on its way out.

use std::{borrow::Cow, fmt, time::Duration};

use bytes::Bytes;
use manywire_topics::TopicBuf;

use crate::{properties::Properties, qos::QoS};

/// What is published: a payload, where to, and how.
///
/// Cloning is cheap: topic and payload are shared.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// Where it goes.
    pub topic: TopicBuf,
    /// The bytes the receivers get, unchanged.
    pub payload: Bytes,
    /// The guarantee asked for.
    pub qos: QoS,
    /// Whether the platform keeps it for later subscribers (MQTT only).
    pub retain: bool,
    /// What the payload is. HTTP requires it; MQTT 3.1.1 and plain WebSocket cannot carry it.
    pub content_type: Option<ContentType>,
    /// How long it is worth delivering, from its acceptance; `None` is for ever.
    pub expires_after: Option<Duration>,
    /// What goes beside the payload (MQTT 5 only).
    pub properties: Properties,
}

impl Message {
    /// A message that is delivered at least once, is not retained and does not expire.
    pub fn new(topic: TopicBuf, payload: impl Into<Bytes>) -> Self {
        Self {
            topic,
            payload: payload.into(),
            qos: QoS::AtLeastOnce,
            retain: false,
            content_type: None,
            expires_after: None,
            properties: Properties::new(),
        }
    }

    /// The same with another guarantee.
    #[must_use]
    pub fn qos(mut self, qos: QoS) -> Self {
        self.qos = qos;
        self
    }

    /// The same, retained by the platform or not.
    #[must_use]
    pub fn retain(mut self, retain: bool) -> Self {
        self.retain = retain;
        self
    }

    /// The same with a content type.
    #[must_use]
    pub fn content_type(mut self, content_type: ContentType) -> Self {
        self.content_type = Some(content_type);
        self
    }

    /// The same with these properties.
    #[must_use]
    pub fn properties(mut self, properties: Properties) -> Self {
        self.properties = properties;
        self
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("topic", &self.topic)
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .field("qos", &self.qos)
            .field("retain", &self.retain)
            .field("content_type", &self.content_type)
            .field("expires_after", &self.expires_after)
            .field("properties", &self.properties)
            .finish()
    }
}

/// A media type, exactly as it goes on the wire.
///
/// The platform compares content types byte for byte, so parameters such as `; charset=utf-8` make it refuse
/// the message: none are added.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentType(Cow<'static, str>);

impl ContentType {
    /// `application/senml+json`: SenML in JSON (RFC 8428 §12.1.1).
    pub const SENML_JSON: Self = Self(Cow::Borrowed("application/senml+json"));
    /// `application/senml+cbor`: SenML in CBOR (RFC 8428 §12.1.3).
    pub const SENML_CBOR: Self = Self(Cow::Borrowed("application/senml+cbor"));
    /// `application/json`.
    pub const JSON: Self = Self(Cow::Borrowed("application/json"));
    /// `application/octet-stream`.
    pub const OCTET_STREAM: Self = Self(Cow::Borrowed("application/octet-stream"));
    /// `text/plain`.
    pub const TEXT: Self = Self(Cow::Borrowed("text/plain"));

    /// Any other media type, taken as it is.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }

    /// The text on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
