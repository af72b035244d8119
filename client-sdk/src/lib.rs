//! Publish and subscribe on the channels of SuperMQ, Magistrala and Mainflux over HTTP, MQTT, WebSocket and CoAP.

pub mod binding;
mod builder;
mod channel;
mod client;
#[cfg(all(feature = "coap", feature = "tokio"))]
mod coap;
mod credentials;
mod endpoint;
mod engine;
mod error;
mod events;
#[cfg(feature = "http")]
mod http;
pub mod memory;
mod message;
#[cfg(all(feature = "mqtt", feature = "tokio"))]
mod mqtt;
#[cfg(all(
    feature = "tokio",
    any(feature = "mqtt", feature = "ws", feature = "coap", feature = "http")
))]
mod net;
mod payload;
mod publish;
mod qos;
mod receipt;
mod scheme;
mod subscription;
#[cfg(feature = "tokio")]
pub mod testing;
mod timer;
mod tls;
pub mod transport;
#[cfg(feature = "ws")]
mod ws;

pub use crate::builder::{ClientBuilder, Will};
pub use crate::channel::{Channel, Subtopic};
pub use crate::client::{Client, Undelivered};
#[cfg(all(feature = "coap", feature = "tokio"))]
pub use crate::coap::CoapTransport;
pub use crate::credentials::{Credentials, CredentialsError, CredentialsSource};
pub use crate::endpoint::{Endpoint, Scheme};
pub use crate::engine::backoff::Reconnect;
pub use crate::engine::driver::Driver;
pub use crate::engine::outbox::Outbox;
pub use crate::error::{Error, ErrorKind, Refusal, RefusalKind};
pub use crate::events::{ClientEvent, ClientEvents};
#[cfg(feature = "http")]
pub use crate::http::HttpTransport;
pub use crate::message::{ContentType, Message};
#[cfg(all(feature = "mqtt", feature = "tokio"))]
pub use crate::mqtt::MqttTransport;
pub use crate::payload::{IntoPayload, Payload};
pub use crate::publish::Publish;
pub use crate::qos::QoS;
pub use crate::receipt::{Pending, Receipt};
pub use crate::subscription::{Delivery, Subscribe, Subscription};
pub use crate::timer::Timer;
pub use crate::tls::Tls;
#[cfg(feature = "ws")]
pub use crate::ws::WebSocketTransport;
pub use manywire_topics::{ChannelBuf, Dialect, FilterBuf, TopicBuf};
