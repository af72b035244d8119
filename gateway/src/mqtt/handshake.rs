//! CONNECT: who it is, and which session is theirs.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use manywire_mqtt_codec::{
    Connack, ConnectFields, Error, Packet, Policy, ReasonCode, Role, StreamDecoder, Text, Version,
};
use tokio::io::AsyncWriteExt as _;

use super::connection::{Client, ClientConnection};
use super::poll_chunk;
use super::session::append;
use super::sessions::{ClientKey, Sessions};
use super::will::Will;
use crate::identity::{Credentials, Denied, Thing};
use crate::listener::{Connection, Io};

/// A CONNECT, with what it borrows owned.
struct Request {
    version: Version,
    clean: bool,
    keep_alive: Duration,
    client_id: String,
    credentials: Option<Credentials>,
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
            let key = ClientKey {
                thing: thing.id().clone(),
                client_id: request.client_id.into(),
            };
            let (turn, session_present) = sessions.open(&key, request.version, request.clean, Instant::now());
            let client = Client {
                thing,
                key,
                version: request.version,
                keep_alive: request.keep_alive,
                will,
            };
            let mut served =
                ClientConnection::new(stream, connection, Arc::clone(sessions), decoder, turn, client);
            served.accept(session_present);
            Some(served)
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
    let (hub, version) = (&connection.hub, request.version);
    let refused = |denied| Refused::With(version, reason(denied));
    if version == Version::V5 {
        // [MQTT-3.1.2-2], in the form of 3.1.1, which is what this server speaks.
        return Err(Refused::With(
            Version::V311,
            ReasonCode::UnsupportedProtocolVersion,
        ));
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
        Some(Err(_)) => return Err(Refused::With(version, ReasonCode::NotAuthorized)),
    };
    if request.client_id.is_empty() {
        // [MQTT-3.1.3-6]
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
            let Some(reason) = error.connack_code().and_then(ReasonCode::from_return_code) else {
                return;
            };
            (Version::V311, reason)
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
    let _ = stream.shutdown().await;
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
        let key = fields
            .password
            .and_then(|password| std::str::from_utf8(password).ok());
        let id = fields.user_name.map_or("", Text::as_str);
        let dialect = connection.hub.dialect();
        Self {
            version: fields.version,
            clean: fields.clean_start,
            keep_alive: Duration::from_secs(fields.keep_alive.into()),
            client_id: fields.client_id.as_str().to_owned(),
            credentials: key.map(|key| Credentials::id_and_key(id, key)),
            will: fields.will.as_ref().map(|will| Will::parse(dialect, will)),
        }
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
