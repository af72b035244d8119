//! CONNECT: who it is, and which session is theirs.

use std::fmt;
use std::future::poll_fn;
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use manywire_mqtt_codec::{
    Connack, ConnectFields, Error, Packet, PacketType, Policy, PropertiesBuf, Property, PropertyScope,
    ReasonCode, Role, StreamDecoder, Text, Version,
};
use tokio::io::AsyncWriteExt as _;

use super::connection::{Client, ClientConnection, Exchange};
use super::incoming::{RECEIVE_MAXIMUM, TOPIC_ALIASES};
use super::poll_chunk;
use super::queued::append;
use super::session::Terms;
use super::sessions::{ClientKey, EXPIRY, Sessions, Want};
use super::will::Will;
use crate::identity::{Credentials, Denied, Thing};
use crate::linger::close;
use crate::listener::{Connection, Io};

/// A CONNECT, with what it borrows owned.
struct Request {
    terms: Terms,
    want: Want,
    keep_alive: Duration,
    client_id: String,
    /// Whether the client came without an identifier.
    assigned: bool,
    credentials: Option<Credentials>,
    /// Whether it wants to prove itself in a way of its own (5.0).
    own_method: bool,
    will: Option<Result<Will, manywire_topics::Error>>,
}

/// Why there is no CONNACK that accepts.
enum Refused {
    /// The connection ended, or was not used, or did not begin with a CONNECT: nothing is answered.
    Silently,
    /// The packet is malformed.
    Malformed(Error),
    /// The client may not connect, or not like this.
    With(Version, ReasonCode),
}

/// Waits for CONNECT and answers it. `None` when there is nobody to serve.
pub(super) async fn welcome<S: Io>(
    mut stream: S,
    connection: Connection,
    sessions: &Arc<Sessions>,
) -> Option<ClientConnection<S>> {
    let hub = &connection.hub;
    let packet = hub.limits().payload.saturating_add(PACKET_SLACK);
    let policy = Policy::STRICT
        .with_sender(Role::Client)
        .with_max_packet_size(
            u32::try_from(packet)
                .unwrap_or(u32::MAX)
                .min(Policy::LARGEST_PACKET),
        )
        .allow_long_lengths()
        .allow_bridge_level();
    let mut decoder = StreamDecoder::new(Version::V311, policy);
    let arrived = tokio::select! {
        arrived = poll_fn(|context| poll_connect(&mut stream, &mut decoder, &connection, context)) => arrived,
        () = tokio::time::sleep(hub.limits().head_timeout) => Err(Refused::Silently),
        () = connection.shutdown.requested() => Err(Refused::Silently),
    };
    let admitted = match arrived {
        Ok(request) => admit(request, &connection).await,
        Err(refused) => Err(refused),
    };
    match admitted {
        Ok((request, thing, will)) => {
            let client_id = request.client_id.as_str().into();
            let thing_id = thing.id().clone();
            let key = ClientKey {
                thing: thing_id,
                client_id,
            };
            let (turn, present) = sessions.open(&key, request.terms, request.want, Instant::now());
            let mut output = Vec::new();
            request.welcome(present, policy.max_packet_size(), &mut output);
            let client = Client {
                thing,
                key,
                version: request.terms.version,
                keep_alive: request.keep_alive,
                will,
                lasts: !request.want.expiry.is_zero(),
                expiry: None,
                resumed: present,
            };
            let sessions = Arc::clone(sessions);
            let exchange = Exchange::new(connection, sessions, turn, client, output);
            Some(ClientConnection::new(stream, decoder, exchange))
        }
        Err(refused) => {
            tracing::debug!(peer = %connection.peer, %refused, "a client was not admitted");
            refuse(&mut stream, &connection, &refused).await;
            None
        }
    }
}

/// Reads until CONNECT is there.
fn poll_connect<S: Io>(
    stream: &mut S,
    decoder: &mut StreamDecoder,
    connection: &Connection,
    context: &mut Context<'_>,
) -> Poll<Result<Request, Refused>> {
    loop {
        let outcome = ready!(poll_chunk(stream, context, |chunk| {
            if chunk.is_empty() {
                return Err(Refused::Silently);
            }
            match decoder.feed(chunk).next() {
                Ok(Some(Packet::Connect(connect))) => Ok(Some(Request::new(&connect.fields(), connection))),
                Ok(None) => Ok(None),
                // [MQTT-3.1.0-1]
                Ok(Some(_)) => Err(Refused::Silently),
                Err(error) => Err(Refused::Malformed(error)),
            }
        }));
        match outcome {
            Ok(Ok(Some(request))) => return Poll::Ready(Ok(request)),
            Ok(Ok(None)) => {}
            Ok(Err(refused)) => return Poll::Ready(Err(refused)),
            Err(_io) => return Poll::Ready(Err(Refused::Silently)),
        }
    }
}

async fn admit(
    mut request: Request,
    connection: &Connection,
) -> Result<(Request, Thing, Option<Will>), Refused> {
    let (hub, version) = (&connection.hub, request.terms.version);
    let refused = |denied| Refused::With(version, reason(denied));
    if request.own_method {
        return Err(Refused::With(version, ReasonCode::BadAuthenticationMethod));
    }
    let thing = hub
        .authenticate(request.credentials.as_ref())
        .await
        .map_err(refused)?;
    let will = match request.will.take() {
        None => None,
        Some(Ok(will)) => {
            will.authorize(hub, &thing).await.map_err(refused)?;
            Some(will)
        }
        Some(Err(_)) => {
            let reason = match version {
                Version::V5 => ReasonCode::TopicNameInvalid,
                _ => ReasonCode::NotAuthorized,
            };
            return Err(Refused::With(version, reason));
        }
    };
    if request.client_id.is_empty() {
        // [MQTT-3.1.3-6]
        request.assigned = true;
        request.client_id = format!("auto{:016x}", fastrand::u64(..));
    }
    Ok((request, thing, will))
}

async fn refuse<S: Io>(stream: &mut S, connection: &Connection, refused: &Refused) {
    let metrics = &connection.hub.metrics().mqtt;
    let (version, reason) = match refused {
        Refused::Silently => return,
        Refused::Malformed(error) => {
            metrics.rejected.add(1);
            match error.connack_code().and_then(ReasonCode::from_return_code) {
                Some(reason) if error.version() != Version::V5 => (Version::V311, reason),
                _ if error.version() == Version::V5 && error.packet() == Some(PacketType::Connect) => {
                    (Version::V5, error.reason_code())
                }
                _ => return,
            }
        }
        Refused::With(version, reason) => {
            metrics.denied.add(1);
            (*version, *reason)
        }
    };
    let mut answer = Vec::new();
    append(
        &Connack {
            reason,
            ..Connack::default()
        }
        .into(),
        version,
        &mut answer,
    );
    // The client may be gone already; there is nobody to tell then.
    let _ = stream.write_all(&answer).await;
    close(stream).await;
}

/// The return code of 3.1.1 for somebody who may not connect.
const fn reason(denied: Denied) -> ReasonCode {
    match denied {
        Denied::WrongCredentials => ReasonCode::BadUserNameOrPassword,
        Denied::Unavailable => ReasonCode::ServerUnavailable,
        _ => ReasonCode::NotAuthorized,
    }
}

impl Request {
    fn new(fields: &ConnectFields<'_>, connection: &Connection) -> Self {
        let (dialect, properties) = (connection.hub.dialect(), fields.properties);
        let key = fields
            .password
            .and_then(|password| std::str::from_utf8(password).ok());
        let id = fields.user_name.map_or("", Text::as_str);
        let terms = Terms {
            version: fields.version,
            receive_maximum: properties
                .receive_maximum()
                .map_or(usize::from(u16::MAX), |most| most.get().into()),
            max_packet_size: properties
                .maximum_packet_size()
                .map_or(usize::MAX, |most| most.get() as usize),
        };
        let expiry = match fields.version {
            Version::V5 => {
                Duration::from_secs(properties.session_expiry_interval().unwrap_or_default().into())
            }
            // Clean Session is both: the session begins and ends with the connection.
            _ if fields.clean_start => Duration::ZERO,
            _ => EXPIRY,
        };
        Self {
            terms,
            want: Want {
                clean: fields.clean_start,
                expiry,
            },
            keep_alive: Duration::from_secs(fields.keep_alive.into()),
            client_id: fields.client_id.as_str().to_owned(),
            assigned: false,
            credentials: key.map(|key| Credentials::id_and_key(id, key)),
            own_method: properties.authentication_method().is_some(),
            will: fields.will.as_ref().map(|will| Will::parse(dialect, will)),
        }
    }

    /// CONNACK, before anything else [MQTT-3.2.0-1].
    fn welcome(&self, session_present: bool, max_packet_size: u32, output: &mut Vec<u8>) {
        let mut bytes = vec![0; 64 + self.client_id.len()];
        let mut properties = PropertiesBuf::new(PropertyScope::Connack, &mut bytes);
        if self.terms.version == Version::V5 {
            let receive_maximum = NonZeroU16::new(RECEIVE_MAXIMUM).map(Property::ReceiveMaximum);
            let max_packet_size = NonZeroU32::new(max_packet_size).map(Property::MaximumPacketSize);
            let shorter = (self.want.expiry > EXPIRY).then_some(EXPIRY.as_secs());
            let expiry = shorter
                .and_then(|expiry| u32::try_from(expiry).ok())
                .map(Property::SessionExpiryInterval);
            let assigned = Text::new(&self.client_id).ok().filter(|_| self.assigned);
            let assigned = assigned.map(Property::AssignedClientIdentifier);
            let aliases = Some(Property::TopicAliasMaximum(TOPIC_ALIASES));
            for property in [receive_maximum, max_packet_size, expiry, assigned, aliases]
                .into_iter()
                .flatten()
            {
                if let Err(error) = properties.push(property) {
                    tracing::error!(%error, "a property of CONNACK cannot be said");
                }
            }
        }
        let connack = Connack {
            session_present,
            reason: ReasonCode::Success,
            properties: properties.finish(),
        };
        append(&connack.into(), self.terms.version, output);
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silently => f.write_str("no CONNECT came"),
            Self::Malformed(error) => error.fmt(f),
            Self::With(_, reason) => reason.fmt(f),
        }
    }
}

/// What a PUBLISH may hold besides its payload: fixed header, topic, identifier, properties.
const PACKET_SLACK: usize = 128 * 1024;
