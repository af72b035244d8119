//! Publish and subscribe on the channels of SuperMQ, Magistrala and Mainflux over HTTP, MQTT, WebSocket and CoAP.

mod credentials;
mod endpoint;
mod error;
mod message;
#[cfg(feature = "tokio")]
mod net;
mod qos;
mod tls;
pub mod transport;

pub use crate::credentials::{Credentials, CredentialsError, CredentialsSource};
pub use crate::endpoint::{Endpoint, Scheme};
pub use crate::error::{Error, ErrorKind, Refusal, RefusalKind};
pub use crate::message::{ContentType, Message};
pub use crate::qos::QoS;
pub use crate::tls::Tls;
