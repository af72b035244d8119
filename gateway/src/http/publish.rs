//! Publishing the body of a request.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use manywire_topics::{Dialect, Form, Topic};

use super::{fluxmq, without_prefix};
use crate::ContentType;
use crate::authorization::credentials;
use crate::hub::Hub;
use crate::identity::Action;
use crate::message::{Message, Protocol};
use crate::refusal::Refusal;

/// Publishes the body. Everything is checked first, unlike on the platform, which answers 415 and 405 to
/// messages that it has published.
pub(super) async fn publish(request: Request<Incoming>, hub: &Hub) -> Result<Response<Full<Bytes>>, Refusal> {
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        return Err(Refusal::Method { allowed: "POST" });
    }
    let dialect = hub.dialect();
    let topic = Topic::parse(dialect, Form::Path, without_prefix(head.uri.path()));
    let credentials = credentials(&head, dialect).map(|credentials| match topic {
        Ok(topic) => fluxmq::without_domain(credentials, topic),
        Err(_) => credentials,
    });
    // Who it is comes first: what is wrong with the rest is nothing for strangers.
    let thing = hub.authenticate(credentials.as_ref()).await?;
    let content_type = content_type(&head, dialect)?;
    let options = fluxmq::Options::of_query(&head, dialect)?;
    let topic = topic?;
    hub.authorize(&thing, Action::Publish, topic.channel()).await?;
    let payload = read_body(body, hub).await?;
    if payload.is_empty() {
        return Err(Refusal::Empty);
    }
    let mut message = Message::new(topic.to_buf(), payload, Arc::clone(thing.id()), Protocol::Http);
    message.content_type = content_type;
    options.apply(&mut message);
    hub.publish(message).await?;
    Ok(accepted(dialect))
}

/// The answer to a message that was accepted.
pub(super) fn accepted(dialect: Dialect) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    match dialect {
        Dialect::Channels => *response.status_mut() = StatusCode::ACCEPTED,
        Dialect::Domains => {
            *response.status_mut() = StatusCode::ACCEPTED;
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Dialect::FluxMq => *response.body_mut() = Full::from(r#"{"status":"ok"}"#),
    }
    response
}

/// Says whether a key is good: `POST /hc/<domain>`.
pub(super) async fn check_domain(
    request: Request<Incoming>,
    hub: &Hub,
) -> Result<Response<Full<Bytes>>, Refusal> {
    let (head, _) = request.into_parts();
    if head.method != Method::POST {
        return Err(Refusal::Method { allowed: "POST" });
    }
    hub.authenticate(credentials(&head, hub.dialect()).as_ref())
        .await?;
    Ok(Response::new(Full::default()))
}

/// What the payload is: one of three types, but anything in the dialect of FluxMQ.
fn content_type(head: &Parts, dialect: Dialect) -> Result<Option<ContentType>, Refusal> {
    let value = head
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    match value.map(ContentType::parse) {
        any if dialect == Dialect::FluxMq => Ok(any),
        Some(accepted) if accepted.is_accepted_over_http() => Ok(Some(accepted)),
        _ => Err(Refusal::ContentType),
    }
}

pub(super) async fn read_body(mut body: Incoming, hub: &Hub) -> Result<Bytes, Refusal> {
    let limit = hub.limits().payload;
    let patience = hub.limits().body_timeout;
    let collected = Limited::new(&mut body, limit).collect();
    match tokio::time::timeout(patience, collected).await {
        Err(_) => Err(Refusal::BodyTimeout),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let _ = tokio::time::timeout(patience, discard(body)).await;
            Err(Refusal::TooLarge { limit })
        }
        Ok(Err(_)) => Err(Refusal::BrokenBody),
    }
}

/// Reads on for a while: closing the connection with bytes unread would reset it, and many clients look for an
/// answer only when they have sent everything.
async fn discard(mut body: Incoming) {
    let mut left = DISCARDED;
    while let Some(Ok(frame)) = body.frame().await {
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

/// How much of a body that is too large is read for the sake of the answer.
const DISCARDED: usize = 64 << 20;
