//! HTTP: publishing, health, metrics, and the handshakes of WebSocket.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use manywire_topics::{Form, Topic};

use crate::authorization::credentials;
use crate::hub::Hub;
use crate::identity::Action;
use crate::listener::{Connection, Io, Serve};
use crate::message::{Message, Protocol};
use crate::refusal::Refusal;
use crate::{ContentType, ws};

/// The HTTP listener: also of WebSocket and of MQTT over WebSocket.
#[derive(Clone, Debug)]
pub(crate) struct HttpAdapter;

/// Where a connection leaves what it turns into after the answer 101.
type UpgradeSlot = Arc<Mutex<Option<ws::Upgrade>>>;

impl Serve for HttpAdapter {
    async fn serve<S: Io>(&self, stream: S, connection: Connection) {
        let slot = UpgradeSlot::default();
        serve_requests(stream, &connection, &slot).await;
        let upgrade = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(upgrade) = upgrade {
            upgrade.serve(connection).await;
        }
    }
}

async fn serve_requests<S: Io>(stream: S, connection: &Connection, slot: &UpgradeSlot) {
    let hub = &connection.hub;
    let _counted = hub.connected(Protocol::Http);
    let service = service_fn(|request| {
        let (hub, slot) = (Arc::clone(hub), Arc::clone(slot));
        async move { Ok::<_, Infallible>(answer(request, &hub, &slot).await) }
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

async fn answer(request: Request<Incoming>, hub: &Hub, slot: &UpgradeSlot) -> Response<Full<Bytes>> {
    let outcome = match Route::of(&request) {
        Route::Health => Ok(health(hub)),
        Route::Metrics => Ok(text("text/plain; version=0.0.4", hub.metrics().to_string())),
        Route::ReadOnly => Err(Refusal::Method { allowed: "GET, HEAD" }),
        Route::WebSocket => ws::handshake(request, hub).await.map(|(response, upgrade)| {
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade);
            response
        }),
        Route::Messages => publish(request, hub).await,
        Route::Nothing => Err(Refusal::NotFound),
    };
    outcome.unwrap_or_else(|refusal| {
        match refusal {
            Refusal::Denied(_) => hub.metrics().http.denied.add(1),
            _ => hub.metrics().http.rejected.add(1),
        }
        refusal.response()
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
    Messages,
    Nothing,
}

impl Route {
    fn of<B>(request: &Request<B>) -> Self {
        let path = without_prefix(request.uri().path());
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        match path {
            "/health" if reads => Self::Health,
            "/metrics" if reads => Self::Metrics,
            "/health" | "/metrics" => Self::ReadOnly,
            "/mqtt" => Self::WebSocket,
            _ if ws::wants_upgrade(request.headers()) => Self::WebSocket,
            _ if path.starts_with("/channels/") || path.starts_with("/m/") => Self::Messages,
            _ => Self::Nothing,
        }
    }
}

/// The path without the prefix that the platform's reverse proxy takes away.
pub(crate) fn without_prefix(path: &str) -> &str {
    ["/http", "/ws"]
        .iter()
        .find_map(|prefix| path.strip_prefix(prefix).filter(|rest| rest.starts_with('/')))
        .unwrap_or(path)
}

/// Publishes the body. Everything is checked first, unlike on the platform, which answers 415 and 405 to
/// messages that it has published.
async fn publish(request: Request<Incoming>, hub: &Hub) -> Result<Response<Full<Bytes>>, Refusal> {
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        return Err(Refusal::Method { allowed: "POST" });
    }
    let thing = hub
        .authenticate(credentials(&head, hub.dialect()).as_ref())
        .await?;
    let content_type = content_type(&head)?;
    let topic = Topic::parse(hub.dialect(), Form::Path, without_prefix(head.uri.path()))?;
    hub.authorize(&thing, Action::Publish, topic.channel()).await?;
    let payload = read_body(body, hub).await?;
    if payload.is_empty() {
        return Err(Refusal::Empty);
    }
    let mut message = Message::new(topic.to_buf(), payload, Arc::clone(thing.id()), Protocol::Http);
    message.content_type = Some(content_type);
    hub.publish(message).await?;
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}

fn content_type(head: &Parts) -> Result<ContentType, Refusal> {
    let value = head
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let content_type = ContentType::parse(value.ok_or(Refusal::ContentType)?);
    content_type
        .is_accepted_over_http()
        .then_some(content_type)
        .ok_or(Refusal::ContentType)
}

async fn read_body(body: Incoming, hub: &Hub) -> Result<Bytes, Refusal> {
    let limit = hub.limits().payload;
    let collected = Limited::new(body, limit).collect();
    match tokio::time::timeout(hub.limits().body_timeout, collected).await {
        Err(_) => Err(Refusal::BodyTimeout),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge { limit }),
        Ok(Err(_)) => Err(Refusal::BrokenBody),
    }
}

fn health(hub: &Hub) -> Response<Full<Bytes>> {
    let body = serde_json::json!({
        "status": "pass",
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
