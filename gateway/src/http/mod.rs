//! HTTP: publishing, health, metrics, and the handshakes of WebSocket.

mod fluxmq;
mod publish;

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use manywire_topics::Dialect;

use crate::hub::Hub;
use crate::listener::{Connection, Io, Serve};
use crate::message::Protocol;
use crate::mqtt::MqttAdapter;
use crate::refusal::Refusal;
use crate::ws;

/// The HTTP listener: also of WebSocket and of MQTT over WebSocket.
#[derive(Clone, Debug)]
pub(crate) struct HttpAdapter {
    /// Where MQTT inside WebSocket goes, if MQTT is on.
    pub(crate) mqtt: Option<MqttAdapter>,
}

/// Where a connection leaves what it turns into after the answer 101.
type UpgradeSlot = Arc<Mutex<Option<ws::Upgrade>>>;

impl Serve for HttpAdapter {
    async fn serve<S: Io>(&self, stream: S, connection: Connection) {
        let slot = UpgradeSlot::default();
        serve_requests(stream, &connection, self.mqtt.is_some(), &slot).await;
        let upgrade = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(upgrade) = upgrade {
            upgrade.serve(connection, self.mqtt.as_ref()).await;
        }
    }
}

async fn serve_requests<S: Io>(stream: S, connection: &Connection, has_mqtt: bool, slot: &UpgradeSlot) {
    let hub = &connection.hub;
    let _counted = hub.connected(Protocol::Http);
    let service = service_fn(|request| {
        let (hub, slot) = (Arc::clone(hub), Arc::clone(slot));
        let route = Route::of(&request, hub.dialect(), has_mqtt);
        async move { Ok::<_, Infallible>(answer(route, request, &hub, &slot).await) }
    });
    let limits = hub.limits();
    let requests = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_headers(limits.headers)
        .max_header_size(limits.head)
        .max_buf_size(limits.head.max(MIN_BUFFER))
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(requests);
    let outcome = tokio::select! {
        outcome = &mut requests => outcome,
        () = connection.shutdown.requested() => {
            requests.as_mut().graceful_shutdown();
            requests.await
        }
    };
    if let Err(error) = outcome {
        if error.is_parse() || error.is_timeout() {
            hub.metrics().http.rejected.add(1);
        }
        tracing::debug!(peer = %connection.peer, %error, "an HTTP connection ended badly");
    }
}

async fn answer(
    route: Route,
    request: Request<Incoming>,
    hub: &Hub,
    slot: &UpgradeSlot,
) -> Response<Full<Bytes>> {
    let outcome = match route {
        Route::Health => Ok(health(hub)),
        Route::Metrics => Ok(text("text/plain; version=0.0.4", hub.metrics().to_string())),
        Route::ReadOnly => Err(Refusal::Method { allowed: "GET, HEAD" }),
        Route::WebSocket => ws::handshake(request, hub).await.map(|(response, upgrade)| {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade);
            response
        }),
        Route::Messages => publish::publish(request, hub).await,
        Route::Envelope => fluxmq::publish(request, hub).await,
        Route::DomainHealth => publish::check_domain(request, hub).await,
        Route::Nothing => Err(Refusal::NotFound),
    };
    outcome.unwrap_or_else(|refusal| {
        match refusal {
            Refusal::Denied(_) => hub.metrics().http.denied.add(1),
            _ => hub.metrics().http.rejected.add(1),
        }
        refusal.response(hub.dialect())
    })
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Health,
    Metrics,
    /// Health or metrics by another method than GET or HEAD.
    ReadOnly,
    WebSocket,
    /// A channel.
    Messages,
    /// A message in JSON, as FluxMQ has it.
    Envelope,
    /// Whether a key is good, as SuperMQ has it since 0.18.
    DomainHealth,
    Nothing,
}

impl Route {
    fn of<B>(request: &Request<B>, dialect: Dialect, has_mqtt: bool) -> Self {
        let path = without_prefix(request.uri().path());
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let channel = if dialect.has_domains() {
            "/m/"
        } else {
            "/channels/"
        };
        match path {
            "/health" if reads => Self::Health,
            "/metrics" if reads => Self::Metrics,
            "/health" | "/metrics" => Self::ReadOnly,
            _ if is_mqtt(path, dialect) => {
                if has_mqtt {
                    Self::WebSocket
                } else {
                    Self::Nothing
                }
            }
            _ if ws::wants_upgrade(request.headers()) => Self::WebSocket,
            "/publish" if dialect == Dialect::FluxMq => Self::Envelope,
            _ if path.starts_with("/hc/") && dialect == Dialect::Domains => Self::DomainHealth,
            _ if path.starts_with(channel) => Self::Messages,
            _ => Self::Nothing,
        }
    }
}

/// Whether the path is that of MQTT over WebSocket.
pub(crate) fn is_mqtt(path: &str, dialect: Dialect) -> bool {
    // SuperMQ from 0.17 on puts the path of the broker behind it in there too.
    path == "/mqtt" || (dialect == Dialect::Domains && matches!(path, "/mqtt/" | "/mqtt/ws/"))
}

/// The path without the prefix that the platform's reverse proxy takes away.
pub(crate) fn without_prefix(path: &str) -> &str {
    ["/http", "/ws"]
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix).filter(|rest| rest.starts_with('/')))
        .unwrap_or(path)
}

fn health(hub: &Hub) -> Response<Full<Bytes>> {
    let body = serde_json::json!({
        "status": if hub.dialect() == Dialect::FluxMq { "healthy" } else { "pass" },
        "version": env!("CARGO_PKG_VERSION"),
        "commit": option_env!("MANYWIRE_COMMIT").unwrap_or("unknown"),
        "description": "gateway service",
        "build_time": option_env!("MANYWIRE_BUILD_TIME").unwrap_or("unknown"),
        "instance_id": hub.instance_id(),
    });
    text("application/health+json", body.to_string())
}

fn text(content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// hyper wants at least this much, or it panics.
const MIN_BUFFER: usize = 8192;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reverse_proxys_prefixes_are_optional() {
        for path in [
            "/channels/c/messages",
            "/http/channels/c/messages",
            "/ws/channels/c/messages",
        ] {
            assert_eq!(without_prefix(path), "/channels/c/messages");
        }
        assert_eq!(without_prefix("/httpx/channels"), "/httpx/channels");
        assert_eq!(without_prefix("/http"), "/http");
    }
}
