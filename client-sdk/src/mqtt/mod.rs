//! MQTT: the transport over TCP and TLS, and over WebSocket.
//!
//! [`MqttTransport`] connects; `session` is the protocol without I/O; `connection` moves the bytes. What must survive a lost connection
//! (packet identifiers, the phases of exactly once) waits in the transport for the next one.

mod connection;
mod in_flight;
mod inbound;
mod keep_alive;
mod outgoing;
mod session;
#[cfg(test)]
mod tests;
#[cfg(feature = "ws")]
mod websocket;

use std::{
    fmt,
    future::poll_fn,
    sync::{Arc, PoisonError},
};

use manywire_mqtt_codec::{ConnectFields, Text, TopicName, Version, Will};
use tokio::io::{AsyncRead, AsyncWrite};

use self::{
    connection::{Connection, Home},
    session::Session,
};
use crate::{
    binding::mqtt as binding,
    endpoint::{Endpoint, Scheme},
    net::{self, within},
    qos::QoS,
    tls::Tls,
    transport::{
        BoxFuture, Capabilities, ConnectContext, Connected, Transport, TransportError, TransportErrorKind,
    },
};

/// MQTT 3.1.1 to one endpoint: `mqtt`, `mqtts`, `mqtt+ws` or `mqtt+wss`.
pub struct MqttTransport {
    endpoint: Endpoint,
    tls: Tls,
    version: Version,
    /// The client identifier when the application names none.
    generated_id: String,
    home: Home,
}

impl MqttTransport {
    /// A transport to the endpoint. Nothing is connected yet.
    #[must_use]
    pub fn new(endpoint: Endpoint, tls: Tls) -> Self {
        // Letters and digits, 23 at most: what every server takes [MQTT-3.1.3-5].
        let generated_id = format!("manywire{:012x}", fastrand::u64(..1 << 48));
        Self {
            endpoint,
            tls,
            version: Version::V311,
            generated_id,
            home: Home::default(),
        }
    }

    async fn open(&self, context: &ConnectContext<'_>) -> Result<Connected, TransportError> {
        let stream = net::connect(&self.endpoint, &self.tls, context.timeout).await?;
        match self.endpoint.scheme() {
            Scheme::Mqtt => self.greet(stream, context).await,
            #[cfg(feature = "ws")]
            Scheme::MqttWebSocket => {
                let stream = websocket::WebSocketBytes::open(stream, &self.endpoint).await?;
                self.greet(stream, context).await
            }
            _ => Err(TransportError::new(TransportErrorKind::Unsupported).because("not a scheme of MQTT")),
        }
    }

    /// CONNECT and CONNACK.
    async fn greet<S>(&self, stream: S, context: &ConnectContext<'_>) -> Result<Connected, TransportError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let session = self.home.lock().unwrap_or_else(PoisonError::into_inner).take();
        let session = session.unwrap_or_else(|| Session::new(self.version, context.dialect));
        let mut connection = Connection::new(stream, session, Arc::clone(&self.home), self.version);
        self.introduce(connection.session(), context)?;
        let accepted = poll_fn(|task| connection.poll_accepted(task)).await?;
        let mut connected = Connected::new(connection, self.capabilities());
        connected.resumed = accepted.resumed;
        connected.held = accepted.held;
        connected.in_doubt = accepted.in_doubt;
        Ok(connected)
    }

    fn introduce(&self, session: &mut Session, context: &ConnectContext<'_>) -> Result<(), TransportError> {
        let (user_name, password) = context.credentials.map(binding::user_name_and_password).unzip();
        let mut will_topic = String::new();
        let will = match context.will {
            None => None,
            Some(message) => {
                binding::write_topic(&message.topic, &mut will_topic).map_err(unsupported)?;
                let topic = TopicName::new(&will_topic).map_err(unsupported)?;
                Some(Will {
                    qos: message.qos.into(),
                    retain: message.retain,
                    ..Will::new(topic, &message.payload)
                })
            }
        };
        // A fraction of a second becomes a second: zero would turn the keep-alive off.
        let keep_alive = context.keep_alive.as_secs() + u64::from(context.keep_alive.subsec_nanos() > 0);
        let client_id = context.client_id.unwrap_or(&self.generated_id);
        session.handle_connected(&ConnectFields {
            clean_start: !context.persistent,
            keep_alive: u16::try_from(keep_alive).unwrap_or(u16::MAX),
            will,
            user_name: user_name.map(Text::new).transpose().map_err(unsupported)?,
            password: password.map(str::as_bytes),
            ..ConnectFields::new(self.version, Text::new(client_id).map_err(unsupported)?)
        })
    }
}

impl Transport for MqttTransport {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::publish_and_subscribe(QoS::ExactlyOnce);
        capabilities.retain = true;
        capabilities.will = true;
        capabilities.max_in_flight = MAX_IN_FLIGHT;
        capabilities
    }

    fn connect<'a>(
        &'a self,
        context: &'a ConnectContext<'a>,
    ) -> BoxFuture<'a, Result<Connected, TransportError>> {
        Box::pin(within(context.timeout, self.open(context)))
    }
}

impl fmt::Debug for MqttTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MqttTransport")
            .field("endpoint", &self.endpoint)
            .field("tls", &self.tls)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

fn unsupported(error: impl std::error::Error + Send + Sync + 'static) -> TransportError {
    TransportError::new(TransportErrorKind::Unsupported).caused_by(error)
}

/// QoS 1 and 2 publishes that are unanswered at once. 3.1.1 knows no limit; servers do, and this is within what they take.
const MAX_IN_FLIGHT: usize = 1_000;
