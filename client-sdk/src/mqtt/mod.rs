//! MQTT: the transport over TCP and TLS, and over WebSocket.
//!
//! [`MqttTransport`] connects; `session` is the protocol without I/O; `connection` moves the bytes. What must survive a lost connection
//! (packet identifiers, the phases of exactly once) waits in the transport for the next one.

mod aliases;
mod connection;
mod identifiers;
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
    sync::{Arc, Mutex, PoisonError},
};

use manywire_mqtt_codec::{
    self as codec, ConnectFields, PropertiesBuf, Property, PropertyScope, Text, TopicName, Version, Will,
};
use tokio::io::{AsyncRead, AsyncWrite};

use self::{
    connection::{Connection, Home},
    session::Session,
};
use crate::{
    binding::mqtt as binding,
    endpoint::{Endpoint, MqttVersion, Scheme},
    net::{self, within},
    qos::QoS,
    tls::Tls,
    transport::{
        BoxFuture, Capabilities, ConnectContext, Connected, Transport, TransportError, TransportErrorKind,
    },
};

/// MQTT to one endpoint: `mqtt`, `mqtts`, `mqtt+ws` or `mqtt+wss`.
///
/// It speaks 5.0 where the server does, and 3.1.1 where it does not, unless the URL or the application says which:
/// `mqtt://host?version=3.1.1`, [`only`](Self::only).
pub struct MqttTransport {
    endpoint: Endpoint,
    tls: Tls,
    /// What the application knows of the server.
    max_qos: QoS,
    /// What is spoken whatever the server speaks.
    only: Option<MqttVersion>,
    /// What the server is known to speak.
    spoken: Mutex<Option<Version>>,
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
            only: endpoint.mqtt_version(),
            endpoint,
            tls,
            max_qos: QoS::ExactlyOnce,
            spoken: Mutex::new(None),
            generated_id,
            home: Home::default(),
        }
    }

    /// The same, speaking this version only. It comes before what the URL says.
    #[must_use]
    pub const fn only(mut self, version: MqttVersion) -> Self {
        self.only = Some(version);
        self
    }

    /// The same to a server that cannot do better than this and cannot say so, as no server can in 3.1.1. A publish that asks
    /// for more is refused before it is sent.
    ///
    /// Set it to at least once for nats-server before 2.10, which closes the connection at each QoS 2 publish, and for the MQTT plugin of
    /// RabbitMQ, which takes one as QoS 1.
    #[must_use]
    pub const fn max_qos(mut self, qos: QoS) -> Self {
        self.max_qos = qos;
        self
    }

    /// Connects with the version that the server speaks. The first time, that is found out: a server of 3.1.1 refuses 5.0, or closes the
    /// connection without a word, as the platform's older ones do.
    async fn open(&self, context: &ConnectContext<'_>) -> Result<Connected, TransportError> {
        match self.only {
            Some(MqttVersion::V5) => return self.open_as(Version::V5, context).await,
            Some(MqttVersion::V3_1_1) => return self.open_as(Version::V311, context).await,
            None => {}
        }
        let spoken = *self.spoken.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = self.open_as(spoken.unwrap_or(Version::V5), context).await;
        let old = match &newest {
            Ok(_) if spoken.is_none() => {
                self.learn(Version::V5);
                false
            }
            Ok(_) => false,
            Err(error) => match error.kind() {
                TransportErrorKind::Unsupported => spoken != Some(Version::V311),
                TransportErrorKind::Closed | TransportErrorKind::Protocol => spoken.is_none(),
                _ => false,
            },
        };
        if !old {
            return newest;
        }
        let connected = self.open_as(Version::V311, context).await?;
        self.learn(Version::V311);
        Ok(connected)
    }

    fn learn(&self, version: Version) {
        *self.spoken.lock().unwrap_or_else(PoisonError::into_inner) = Some(version);
    }

    async fn open_as(
        &self,
        version: Version,
        context: &ConnectContext<'_>,
    ) -> Result<Connected, TransportError> {
        let stream = net::connect(&self.endpoint, &self.tls, context.timeout).await?;
        match self.endpoint.scheme() {
            Scheme::Mqtt => self.greet(stream, version, context).await,
            #[cfg(feature = "ws")]
            Scheme::MqttWebSocket => {
                let stream = websocket::WebSocketBytes::open(stream, &self.endpoint).await?;
                self.greet(stream, version, context).await
            }
            _ => Err(TransportError::new(TransportErrorKind::Unsupported).because("not a scheme of MQTT")),
        }
    }

    /// CONNECT and CONNACK.
    async fn greet<S>(
        &self,
        stream: S,
        version: Version,
        context: &ConnectContext<'_>,
    ) -> Result<Connected, TransportError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let session = self.home.lock().unwrap_or_else(PoisonError::into_inner).take();
        let session = session.unwrap_or_else(|| Session::new(context.dialect, fastrand::u32(..)));
        let mut connection = Connection::new(stream, session, Arc::clone(&self.home), version);
        connection.session().handle_earlier(&context.earlier);
        self.introduce(connection.session(), version, context)?;
        let accepted = poll_fn(|task| connection.poll_accepted(task)).await?;
        let mut capabilities = self.capabilities();
        capabilities.properties &= version == Version::V5;
        capabilities.shared_subscriptions &= version == Version::V5;
        accepted.limits.restrict(&mut capabilities);
        let mut connected = Connected::new(connection, capabilities);
        connected.resumed = accepted.resumed;
        connected.held = accepted.held;
        connected.in_doubt = accepted.in_doubt;
        Ok(connected)
    }

    fn introduce(
        &self,
        session: &mut Session,
        version: Version,
        context: &ConnectContext<'_>,
    ) -> Result<(), TransportError> {
        let (user_name, password) = context.credentials.map(binding::user_name_and_password).unzip();
        let (mut will_topic, mut will_block) = (String::new(), Vec::new());
        let will = match context.will {
            None => None,
            Some(message) => {
                binding::write_topic(&message.topic, &mut will_topic).map_err(unsupported)?;
                let properties = match version {
                    Version::V5 => {
                        binding::write_properties(message, PropertyScope::Will, None, &mut will_block)
                            .map_err(unsupported)?
                    }
                    _ => codec::Properties::EMPTY,
                };
                let topic = TopicName::new(&will_topic).map_err(unsupported)?;
                Some(Will {
                    qos: message.qos.into(),
                    retain: message.retain,
                    properties,
                    ..Will::new(topic, &message.payload)
                })
            }
        };
        let mut bytes = [0; 8];
        let mut properties = PropertiesBuf::new(PropertyScope::Connect, &mut bytes);
        if version == Version::V5 && context.persistent {
            // As long as the server keeps it.
            properties
                .push(Property::SessionExpiryInterval(u32::MAX))
                .map_err(unsupported)?;
        }
        // A fraction of a second becomes a second: zero would turn the keep-alive off.
        let keep_alive = context.keep_alive.as_secs() + u64::from(context.keep_alive.subsec_nanos() > 0);
        let client_id = context.client_id.unwrap_or(&self.generated_id);
        session.handle_connected(&ConnectFields {
            clean_start: !context.persistent,
            keep_alive: u16::try_from(keep_alive).unwrap_or(u16::MAX),
            properties: properties.finish(),
            will,
            user_name: user_name.map(Text::new).transpose().map_err(unsupported)?,
            password: password.map(str::as_bytes),
            ..ConnectFields::new(version, Text::new(client_id).map_err(unsupported)?)
        })
    }
}

impl Transport for MqttTransport {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::publish_and_subscribe(self.max_qos);
        capabilities.retain = true;
        capabilities.will = true;
        capabilities.properties = self.only != Some(MqttVersion::V3_1_1);
        capabilities.shared_subscriptions = capabilities.properties;
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
            .field("spoken", &self.spoken)
            .finish_non_exhaustive()
    }
}

fn unsupported(error: impl std::error::Error + Send + Sync + 'static) -> TransportError {
    TransportError::new(TransportErrorKind::Unsupported).caused_by(error)
}

/// QoS 1 and 2 publishes that are unanswered at once. 3.1.1 knows no limit; servers do, and this is within what they take.
const MAX_IN_FLIGHT: usize = 1_000;
