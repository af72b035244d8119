//! Sockets and TLS: the only place that names them.
#![cfg_attr(
    any(feature = "mqtt", feature = "ws", feature = "coap"),
    expect(clippy::disallowed_types, reason = "this is where sockets are named")
)]

#[cfg(any(feature = "mqtt", feature = "ws", feature = "coap"))]
mod attempt;
#[cfg(any(feature = "mqtt", feature = "ws"))]
mod tcp;
#[cfg(any(feature = "mqtt", feature = "ws", feature = "http"))]
mod tls;
#[cfg(feature = "coap")]
mod udp;

#[cfg(any(feature = "mqtt", feature = "ws", feature = "coap"))]
pub(crate) use self::attempt::lost;
#[cfg(any(feature = "mqtt", feature = "coap"))]
pub(crate) use self::attempt::within;
#[cfg(feature = "ws")]
pub(crate) use self::tcp::ByteStream;
#[cfg(any(feature = "mqtt", feature = "ws"))]
pub(crate) use self::tcp::connect;
#[cfg(feature = "http")]
pub(crate) use self::tls::client_config;
#[cfg(feature = "coap")]
pub(crate) use self::udp::{Datagrams, connect_udp};
