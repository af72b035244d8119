//! The opening handshake (RFC 6455, section 4.2).

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION};
use http::request::Parts;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use manywire_topics::{ErrorKind, Filter, FilterBuf, Form};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use url::form_urlencoded;

use super::bytes::WebSocketBytes;
use super::session::Session;
use crate::ContentType;
use crate::authorization::{credentials, query_parameter};
use crate::http::{is_mqtt, without_prefix};
use crate::hub::Hub;
use crate::identity::Action;
use crate::listener::{Connection, Serve as _};
use crate::mqtt::MqttAdapter;
use crate::refusal::Refusal;

/// What a connection becomes after the answer 101.
#[derive(Debug)]
pub(crate) struct Upgrade {
    stream: OnUpgrade,
    purpose: Purpose,
}

#[derive(Debug)]
enum Purpose {
    Channel(Session),
    Mqtt,
}

/// Whether it is a handshake. `Connection` may hold other words too: Firefox sends `keep-alive, Upgrade`.
pub(crate) fn wants_upgrade(headers: &HeaderMap) -> bool {
    headers
        .get(http::header::UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Checks a handshake, and who it comes from, before it is answered.
pub(crate) async fn handshake(
    mut request: Request<Incoming>,
    hub: &Hub,
) -> Result<(Response<Full<Bytes>>, Upgrade), Refusal> {
    if !wants_upgrade(request.headers())
        || request
            .headers()
            .get(SEC_WEBSOCKET_VERSION)
            .is_none_or(|v| v != "13")
    {
        return Err(Refusal::UpgradeRequired);
    }
    let mut response = create_response_with_body(&request, Full::default).map_err(|_| Refusal::Handshake)?;
    let stream = hyper::upgrade::on(&mut request);
    let (head, _) = request.into_parts();
    let purpose = match without_prefix(head.uri.path()) {
        path if is_mqtt(path, hub.dialect()) => {
            if let Some(chosen) = mqtt_subprotocol(&head.headers) {
                response
                    .headers_mut()
                    .insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(chosen));
            }
            Purpose::Mqtt
        }
        path => Purpose::Channel(channel_session(&head, path, hub).await?),
    };
    Ok((response, Upgrade { stream, purpose }))
}

async fn channel_session(head: &Parts, path: &str, hub: &Hub) -> Result<Session, Refusal> {
    let thing = hub
        .authenticate(credentials(head, hub.dialect()).as_ref())
        .await?;
    let filter = parse_filter(path, hub)?;
    hub.authorize(&thing, Action::Subscribe, filter.as_filter().channel())
        .await?;
    Ok(Session {
        thing,
        topic: filter.as_filter().as_topic().map(|topic| topic.to_buf()),
        filter,
        content_type: content_type(head),
    })
}

/// Reads the filter, with the wildcards of NATS and, where the path's own rules refuse them, of MQTT.
fn parse_filter(path: &str, hub: &Hub) -> Result<FilterBuf, manywire_topics::Error> {
    let error = match Filter::parse(hub.dialect(), Form::Path, path) {
        Ok(filter) => return Ok(filter.to_buf()),
        Err(error) => error,
    };
    let of_mqtt = matches!(
        error.kind(),
        ErrorKind::ForeignWildcard | ErrorKind::HashIsLiteral | ErrorKind::PlusIsSpace
    );
    let decoded = path.trim_start_matches('/').replace('+', "%2B");
    let decoded = form_urlencoded::parse(decoded.as_bytes())
        .next()
        .map(|(path, _)| path.into_owned());
    let parsed = decoded
        .filter(|_| of_mqtt)
        .map(|path| Filter::parse(hub.dialect(), Form::Mqtt, &path).map(|filter| filter.to_buf()));
    parsed.and_then(Result::ok).ok_or(error)
}

/// The content type of what is published: of the query, where `+` is often sent as it is, or the header.
fn content_type(head: &Parts) -> Option<ContentType> {
    let of_query = query_parameter(head, "content-type").map(|value| value.replace(' ', "+"));
    let of_header = || head.headers.get(CONTENT_TYPE)?.to_str().ok().map(str::to_owned);
    of_query
        .or_else(of_header)
        .map(|value| ContentType::parse(&value))
}

/// The first of the client's subprotocols that is one of MQTT's.
// [MQTT-6.0.0-3], [MQTT-6.0.0-4]
fn mqtt_subprotocol(headers: &HeaderMap) -> Option<&'static str> {
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|offered| {
            ["mqtt", "mqttv3.1"]
                .into_iter()
                .find(|known| *known == offered.trim())
        })
}

impl Upgrade {
    /// Serves the WebSocket until it ends.
    pub(crate) async fn serve(self, connection: Connection, mqtt: Option<&MqttAdapter>) {
        let stream = match self.stream.await {
            Ok(stream) => TokioIo::new(stream),
            Err(error) => {
                tracing::debug!(peer = %connection.peer, %error, "a WebSocket was not opened");
                return;
            }
        };
        let slack = match self.purpose {
            Purpose::Channel(_) => 0,
            // A frame may hold a whole packet: topic and properties besides the payload.
            Purpose::Mqtt => 64 << 10,
        };
        let config = config(connection.hub.limits().payload.saturating_add(slack));
        let socket = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        match self.purpose {
            Purpose::Channel(session) => session.serve(socket, connection).await,
            Purpose::Mqtt => {
                // Where MQTT is off, there is no such path.
                if let Some(mqtt) = mqtt {
                    mqtt.serve(WebSocketBytes::new(socket), connection).await;
                }
            }
        }
    }
}

fn config(max_message: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(4 << 10)
        .write_buffer_size(4 << 10)
        .max_write_buffer_size(max_message.saturating_mul(2).max(64 << 10))
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message))
}
