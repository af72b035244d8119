//! Which transport a URL stands for.

use std::sync::Arc;

#[cfg(all(feature = "mqtt", feature = "tokio"))]
use crate::mqtt::MqttTransport;
use crate::{
    endpoint::{Endpoint, Scheme},
    error::{Error, ErrorKind},
    memory::MemoryBroker,
    tls::Tls,
    transport::Transport,
};

/// Fails when the endpoint's scheme is not compiled in, naming the features to enable.
pub(crate) fn check(endpoint: &Endpoint) -> Result<(), Error> {
    let (compiled, features) = match endpoint.scheme() {
        Scheme::Mqtt => (cfg!(all(feature = "mqtt", feature = "tokio")), "mqtt"),
        Scheme::MqttWebSocket => (cfg!(all(feature = "mqtt", feature = "ws")), "mqtt` and `ws"),
        Scheme::WebSocket => (cfg!(feature = "ws"), "ws"),
        Scheme::Http => (cfg!(feature = "http"), "http"),
        Scheme::Coap => (cfg!(all(feature = "coap", feature = "tokio")), "coap"),
        Scheme::Memory => (true, ""),
    };
    if compiled {
        return Ok(());
    }
    let tokio = if cfg!(feature = "tokio") {
        ""
    } else {
        ", with `tokio`"
    };
    Err(Error::because(
        ErrorKind::Feature,
        format!("{endpoint} needs the feature `{features}`{tokio}"),
    ))
}

/// The transport of an endpoint.
#[cfg_attr(
    not(any(feature = "http", feature = "ws", all(feature = "mqtt", feature = "tokio"))),
    expect(unused_variables, reason = "only these speak TLS")
)]
pub(crate) fn transport(endpoint: &Endpoint, tls: &Tls) -> Result<Arc<dyn Transport>, Error> {
    check(endpoint)?;
    Ok(match endpoint.scheme() {
        #[cfg(all(feature = "mqtt", feature = "tokio"))]
        Scheme::Mqtt | Scheme::MqttWebSocket => Arc::new(MqttTransport::new(endpoint.clone(), tls.clone())),
        #[cfg(feature = "http")]
        Scheme::Http => Arc::new(crate::http::HttpTransport::new(endpoint.clone(), tls.clone())),
        #[cfg(feature = "ws")]
        Scheme::WebSocket => Arc::new(crate::ws::WebSocketTransport::new(endpoint.clone(), tls.clone())),
        #[cfg(all(feature = "coap", feature = "tokio"))]
        Scheme::Coap => Arc::new(crate::coap::CoapTransport::new(endpoint.clone())),
        Scheme::Memory => Arc::new(MemoryBroker::named(endpoint.host()).transport()),
        #[allow(unreachable_patterns, reason = "reached when a feature is off")]
        _ => return Err(Error::because(ErrorKind::Feature, endpoint.to_string())),
    })
}
