//! CoAP over UDP: confirmable requests, Observe, blocks.

mod random;
mod session;

use std::{fmt, time::Duration};

use manywire_coap::Parameters;
use manywire_topics::Dialect;

use self::session::CoapSession;
use crate::{
    binding::coap::Binding,
    endpoint::Endpoint,
    net,
    qos::QoS,
    transport::{
        BoxFuture, Capabilities, ConnectContext, Connected, Transport, TransportError, TransportErrorKind,
    },
};

/// Reaches the platform over CoAP.
///
/// * Publishing at least once is a confirmable POST, done when its response is here; payloads over 1,024 bytes travel in
///   blocks (RFC 7959). At most once is a non-confirmable POST.
/// * Subscribing observes (RFC 7641). Notifications are acknowledged when the application has taken the message, so the
///   platform goes no faster than it. An idle observation is kept alive by a ping every 10 s, because the platform
///   forgets silent peers after 16 s, and registered anew when it has outlived its Max-Age.
/// * Connecting asks for a sign of life (an empty confirmable message), since UDP has no handshake.
///
/// The key travels in the request's query: in clear, as there is no DTLS. A warning is logged unless the host is this one.
#[derive(Clone)]
pub struct CoapTransport {
    endpoint: Endpoint,
    parameters: Parameters,
}

impl CoapTransport {
    /// A transport to the endpoint, with the transmission parameters of RFC 7252.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            parameters: Parameters::default(),
        }
    }

    /// How many confirmable messages travel unacknowledged at a time (NSTART). RFC 7252 §4.7 wants 1, the default,
    /// unless something else keeps the network from being congested: a wired one of one's own, say.
    #[must_use]
    pub fn in_flight(mut self, messages: usize) -> Self {
        self.parameters.nstart = messages.max(1);
        self
    }

    /// How long to wait for an acknowledgement before the first retransmission (ACK_TIMEOUT), 2 s unless set; RFC 7252
    /// §4.8.1 wants at least 1 s where the round trip is not known to be shorter.
    #[must_use]
    pub fn ack_timeout(mut self, timeout: Duration) -> Self {
        self.parameters.ack_timeout = timeout;
        self
    }

    /// The largest payload in one datagram, and the size of blocks: a power of two from 16 to 1,024 (the default).
    #[must_use]
    pub fn block_size(mut self, bytes: usize) -> Self {
        self.parameters.block_size = bytes.clamp(16, 1024);
        self
    }

    fn parameters(&self, context: &ConnectContext<'_>) -> Parameters {
        let mut parameters = self.parameters.clone();
        parameters.acknowledge_by_hand = true;
        parameters.observe_without_option = true;
        parameters.keep_alive = Some(context.keep_alive.min(SILENCE)).filter(|period| !period.is_zero());
        parameters
    }
}

impl Transport for CoapTransport {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::publish_and_subscribe(QoS::AtLeastOnce);
        capabilities.max_payload = Some(self.parameters.max_body);
        capabilities.acknowledge_in_order = false;
        capabilities.max_in_flight = self.parameters.nstart.max(MIN_IN_FLIGHT);
        capabilities
    }

    fn connect<'a>(
        &'a self,
        context: &'a ConnectContext<'a>,
    ) -> BoxFuture<'a, Result<Connected, TransportError>> {
        Box::pin(async move {
            if self.endpoint.is_secure() {
                let error = TransportError::new(TransportErrorKind::Unsupported);
                return Err(error.because("no DTLS: use `coap`, or another wire with TLS"));
            }
            let binding = Binding::new(context.dialect, self.endpoint.path(), context.credentials).map_err(
                |refusal| TransportError::new(TransportErrorKind::Refused(refusal.kind())).caused_by(refusal),
            )?;
            let mut capabilities = self.capabilities();
            if context.dialect == Dialect::FluxMq {
                capabilities.subscribe = false;
            }
            let socket = net::connect_udp(&self.endpoint, context.timeout).await?;
            let session = CoapSession::new(socket, binding, self.parameters(context));
            let session = net::within(context.timeout, session.greet()).await?;
            Ok(Connected::new(session, capabilities))
        })
    }
}

impl fmt::Debug for CoapTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoapTransport")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// A little less than what the platform takes for gone (16 s).
const SILENCE: Duration = Duration::from_secs(10);

/// How many publishes the session takes from the outbox beyond those under way.
const MIN_IN_FLIGHT: usize = 16;
