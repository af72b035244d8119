//! What every wire is turned into, and back.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use manywire_mqtt_codec::QoS;
use manywire_topics::TopicBuf;

use crate::ContentType;

/// One message, whatever wire it came on.
///
/// The topic is canonical: `a/b`, `a.b` and `a//b` are one topic, and no wildcard can be in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message {
    /// Where it was published.
    pub topic: TopicBuf,
    /// The payload, byte for byte as it was received.
    pub payload: Bytes,
    /// The guarantee the publisher asked for. HTTP, WebSocket and CoAP publish at least once.
    pub qos: QoS,
    /// Whether it is to be kept for later subscribers of its topic; an empty payload clears what is kept.
    pub retain: bool,
    /// The id of the thing that published it.
    pub publisher: Arc<str>,
    /// The connection it came from, where it came from a connection.
    pub origin: Option<Origin>,
    /// The wire it came on.
    pub protocol: Protocol,
    /// What the publisher said the payload is.
    pub content_type: Option<ContentType>,
    /// When the gateway accepted it.
    pub created: SystemTime,
    /// How long after [`created`](Self::created) it is worth delivering: the MQTT 5 message expiry interval.
    pub expiry: Option<Duration>,
    /// MQTT 5 properties that are passed on unaltered (user properties, response topic, correlation data,
    /// payload format), in wire order and form without their length; empty from every other wire.
    pub properties: Bytes,
}

impl Message {
    /// A message as most wires make it: at least once, not retained, created now.
    pub fn new(topic: TopicBuf, payload: Bytes, publisher: Arc<str>, protocol: Protocol) -> Self {
        Self {
            topic,
            payload,
            qos: QoS::AtLeastOnce,
            retain: false,
            publisher,
            origin: None,
            protocol,
            content_type: None,
            created: SystemTime::now(),
            expiry: None,
            properties: Bytes::new(),
        }
    }

    /// Whether its expiry has passed at `now`.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        let age = now.duration_since(self.created).unwrap_or_default();
        self.expiry.is_some_and(|expiry| age >= expiry)
    }

    /// The bytes it holds in a queue: payload, topic, properties and an estimate for the rest.
    pub fn cost(&self) -> usize {
        size_of::<Self>() + self.payload.len() + self.topic.text_len() + self.properties.len()
    }
}

/// The connection a message came from, so that a connection need not hear itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin(pub(crate) u64);

/// The wire a message came on; displayed as the platform's envelope names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// HTTP POST: `http`.
    Http,
    /// A WebSocket on a channel: `websocket`.
    WebSocket,
    /// MQTT over TCP, TLS or WebSocket: `mqtt`.
    Mqtt,
    /// CoAP: `coap`.
    Coap,
}

impl Protocol {
    /// Every wire, in the order of the metrics.
    pub const ALL: [Self; 4] = [Self::Http, Self::WebSocket, Self::Mqtt, Self::Coap];

    /// The name in the platform's envelope.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::WebSocket => "websocket",
            Self::Mqtt => "mqtt",
            Self::Coap => "coap",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
