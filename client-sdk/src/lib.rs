//! Publish and subscribe on the channels of SuperMQ, Magistrala and Mainflux over HTTP, MQTT, WebSocket and CoAP.
//!
//! One client, one meaning of "delivered" on every wire: a message that was accepted reaches the guarantee it was
//! published with, through lost connections, or the application is told exactly what became of it.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use std::time::Duration;
//!
//! use manywire::{Client, Credentials};
//!
//! // `mqtt://`, `mqtts://`, `mqtt+ws://`, `ws://`, `http://`, `coap://` …; `memory://` is a platform in this process.
//! let client = Client::builder("memory://documentation")?
//!     .credentials(Credentials::thing("thing-id", "thing-key"))
//!     .connect()
//!     .await?;
//! let channel = client.channel("30315311-56ba-484d-b500-c1e08305511f")?;
//! let mut readings = channel.subscribe("bedroom/*").await?; // a stream; dropping it unsubscribes
//! let receipt = channel.subtopic("bedroom/temperature")?.publish("21.5").await?; // waits for the guarantee
//! println!("delivered {}", receipt.guarantee());
//! let reading = readings.next().await.ok_or("the client was closed")?;
//! assert_eq!(&reading.payload()[..], b"21.5");
//! client.close(Duration::from_secs(5)).await?; // says what is undelivered
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Layers
//!
//! ```text
//!  Client, Channel, Subscription       what applications touch
//!  engine                              outbox, receipts, subscriptions, backoff: no input and output, time is an argument
//!  transport                           the seam: operations in, events out
//!  http  ws  mqtt  coap  memory        one transport each, on its pure `binding`
//!  net                                 sockets and TLS
//! ```
//!
//! * [`Client`] is the way in; [`ClientBuilder`] holds its settings, [`ClientEvent`] what happens to it.
//! * [`Publish`] is one message and three ways to wait for it: for its [`Receipt`], for its acceptance, not at all.
//! * [`Subscription`] is a bounded stream that outlives reconnects.
//! * [`Requester`] asks and is answered, where the wire has the idea (MQTT 5).
//! * [`Failover`] is a transport made of transports.
//! * [`transport`] is for those who bring a wire of their own; [`testing`] puts it to the contract.
//! * [`memory`] is a platform in this process with faults to order, for tests.
//! * [`binding`] builds requests for those who move bytes themselves.
//!
//! # Features
//!
//! One per transport: `http`, `mqtt`, `ws`, `coap` (MQTT over WebSocket is `mqtt` and `ws`). `senml` publishes and reads packs.
//! `blocking` is the client for programs without async. `outbox-file` keeps what was accepted through the end of the process. `tracing` tells about connections and their loss.
//! `tokio` is the default runtime; without it the traits, the engine and the bindings remain, and
//! [`ClientBuilder::build`] returns the future that drives the client on any executor.
#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "a test begins at some time")
)]

pub mod binding;
#[cfg(feature = "blocking")]
pub mod blocking;
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
mod failover;
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
mod outbox;
mod payload;
mod properties;
mod publish;
mod qos;
mod receipt;
mod request;
mod scheme;
mod subscription;
#[cfg(feature = "tokio")]
pub mod testing;
mod timer;
mod tls;
mod trace;
pub mod transport;
#[cfg(feature = "ws")]
mod ws;

pub use crate::builder::{ClientBuilder, Will};
pub use crate::channel::{Channel, Subtopic};
pub use crate::client::{Client, Undelivered};
#[cfg(all(feature = "coap", feature = "tokio"))]
pub use crate::coap::CoapTransport;
pub use crate::credentials::{Credentials, CredentialsError, CredentialsSource};
pub use crate::endpoint::{Endpoint, MqttVersion, Scheme};
pub use crate::engine::backoff::Reconnect;
pub use crate::engine::driver::Driver;
pub use crate::error::{Error, ErrorKind, Refusal, RefusalKind};
pub use crate::events::{ClientEvent, ClientEvents};
pub use crate::failover::Failover;
#[cfg(feature = "http")]
pub use crate::http::HttpTransport;
pub use crate::message::{ContentType, Message};
#[cfg(all(feature = "mqtt", feature = "tokio"))]
pub use crate::mqtt::MqttTransport;
pub use crate::outbox::Outbox;
pub use crate::payload::{IntoPayload, Payload};
pub use crate::properties::Properties;
pub use crate::publish::Publish;
pub use crate::qos::QoS;
pub use crate::receipt::{Pending, Receipt};
pub use crate::request::{Request, Requester};
pub use crate::subscription::{Delivery, Subscribe, Subscription};
pub use crate::timer::Timer;
pub use crate::tls::Tls;
#[cfg(feature = "ws")]
pub use crate::ws::WebSocketTransport;
pub use manywire_topics::{ChannelBuf, Dialect, FilterBuf, TopicBuf};

#[cfg(all(doctest, feature = "tokio"))]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;

#[cfg(all(doctest, feature = "tokio", feature = "senml"))]
#[doc = include_str!("../../README.md")]
struct FrontPageDoctests;
