//! The pure mapping of a message to what one protocol puts on the wire.
//!
//! No sockets, no clock, no runtime: with these, an unusual device builds the right request with whatever client it has.

#[cfg(feature = "mqtt")]
pub mod mqtt;
