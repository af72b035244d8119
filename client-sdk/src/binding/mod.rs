//! What one message looks like in one protocol: pure functions, without any runtime, so that a device which moves its own
//! bytes can still build the right request.

#[cfg(feature = "coap")]
pub mod coap;
pub mod http;
#[cfg(feature = "mqtt")]
pub mod mqtt;
pub mod ws;
