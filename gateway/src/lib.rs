//! The messaging of SuperMQ, Magistrala and Mainflux in one process: HTTP, MQTT, WebSocket and CoAP.
//!
//! A [`Gateway`] is what a device talks to. It knows things (with their keys) and the channels each may
//! use, takes messages on every wire, and hands each of them to every subscriber on every wire:
//!
//! ```text
//!  bytes ──► adapter ──► authenticate, authorise ──► Message ──► Broker ──► adapters of the subscribers ──► bytes
//!           http ws mqtt coap        Hub                         memory
//! ```
//!
//! ```
//! use manywire_gateway::{Gateway, Thing};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let thing = Thing::new("sensor-1").uses("30315311-56ba-484d-b500-c1e08305511f")?;
//! let gateway = Gateway::builder().thing(thing, "its-secret-key").start().await?;
//! println!("publish to {}/channels/30315311-56ba-484d-b500-c1e08305511f/messages", gateway.urls().http);
//! gateway.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! By default every listener is on a free port of the loopback interface; [`Running::urls`] says which.
//! [`Config`] reads the same settings, and the things, from a TOML file.
//!
//! * [`Message`]: what every wire is turned into, and back.
//! * [`Identity`]: who holds a key, and what they may do; [`Registry`] is the built-in one.
//! * [`broker`]: the seam behind the adapters; [`broker::MemoryBroker`] is the built-in one.
//! * [`Hub`]: what the adapters share, also for publishing and subscribing inside this process.

mod authorization;
pub mod broker;
mod coap;
mod config;
mod content_type;
mod gateway;
mod http;
mod hub;
mod identity;
mod limits;
mod linger;
mod listener;
mod message;
mod metrics;
mod mqtt;
mod refusal;
mod reload;
mod running;
mod shutdown;
mod stall;
mod store;
mod tls;
mod ws;

pub use crate::coap::CoapSettings;
pub use crate::config::{Config, ConfigError};
pub use crate::content_type::ContentType;
pub use crate::gateway::{Builder, Gateway, StartError};
pub use crate::hub::Hub;
pub use crate::identity::{
    Action, Answer, Credentials, Denied, Identity, Registry, RegistryError, Secret, Thing,
};
pub use crate::limits::Limits;
pub use crate::message::{Message, Origin, Protocol};
pub use crate::metrics::{Counter, Gauge, Metrics, WireMetrics};
pub use crate::running::{Running, Urls};
pub use crate::store::StoreError;
pub use crate::tls::{Tls, TlsError};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
