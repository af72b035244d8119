//! What FluxMQ's HTTP has and the platform before it did not.

use std::sync::Arc;

use bytes::Bytes;
use data_encoding::BASE64;
use http::request::Parts;
use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use manywire_mqtt_codec::QoS;
use manywire_topics::{Dialect, Form, Topic};
use serde::Deserialize;

use super::publish::{accepted, read_body};
use crate::Credentials;
use crate::authorization::{credentials, query_parameter};
use crate::hub::Hub;
use crate::identity::{Action, Denied};
use crate::message::{Message, Protocol};
use crate::refusal::Refusal;

/// A message in JSON: the body of `POST /publish`.
#[derive(Deserialize)]
struct Envelope {
    topic: String,
    #[serde(default)]
    payload: String,
    #[serde(default)]
    qos: u8,
    #[serde(default)]
    retain: bool,
}

/// Publishes a message in JSON.
pub(super) async fn publish(request: Request<Incoming>, hub: &Hub) -> Result<Response<Full<Bytes>>, Refusal> {
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        return Err(Refusal::Method { allowed: "POST" });
    }
    // The domain that may stand for the user name is in the body, so the key is looked at after it.
    let credentials = credentials(&head, hub.dialect()).ok_or(Denied::MissingCredentials)?;
    let body = read_body(body, hub).await?;
    let envelope: Envelope = serde_json::from_slice(&body).map_err(|_| Refusal::Envelope)?;
    let topic = Topic::parse(hub.dialect(), Form::Mqtt, &envelope.topic)?;
    let thing = hub
        .authenticate(Some(&without_domain(credentials, topic)))
        .await?;
    hub.authorize(&thing, Action::Publish, topic.channel()).await?;
    let payload = BASE64
        .decode(envelope.payload.as_bytes())
        .map_err(|_| Refusal::Envelope)?;
    let qos = QoS::from_bits(envelope.qos).ok_or(Refusal::Option)?;
    let mut message = Message::new(
        topic.to_buf(),
        payload.into(),
        Arc::clone(thing.id()),
        Protocol::Http,
    );
    Options {
        qos,
        retain: envelope.retain,
    }
    .apply(&mut message);
    hub.publish(message).await?;
    Ok(accepted(hub.dialect()))
}

/// How a message is to be delivered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    qos: QoS,
    retain: bool,
}

impl Options {
    /// `?qos=0..2&retain=true|false`; in the other dialects the query has no such meaning.
    pub(super) fn of_query(head: &Parts, dialect: Dialect) -> Result<Self, Refusal> {
        if dialect != Dialect::FluxMq {
            return Ok(Self {
                qos: QoS::AtLeastOnce,
                retain: false,
            });
        }
        let qos = query_parameter(head, "qos").map_or(Ok(0), |qos| qos.parse());
        let retain = query_parameter(head, "retain").map_or(Ok(false), |retain| retain.parse());
        Ok(Self {
            qos: qos.ok().and_then(QoS::from_bits).ok_or(Refusal::Option)?,
            retain: retain.map_err(|_| Refusal::Option)?,
        })
    }

    pub(super) fn apply(self, message: &mut Message) {
        message.qos = self.qos;
        message.retain = self.retain;
    }
}

/// A user name that is the domain of the topic says nothing about who it is: the key alone does.
pub(super) fn without_domain(mut credentials: Credentials, topic: Topic<'_>) -> Credentials {
    credentials.id = credentials
        .id
        .filter(|id| topic.channel().domain() != Some(&**id));
    credentials
}
