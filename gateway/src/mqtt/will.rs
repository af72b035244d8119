//! What is published when a client is lost.

use std::time::SystemTime;

use bytes::Bytes;
use manywire_mqtt_codec::{QoS, Will as WillFields};
use manywire_topics::{Dialect, Error, Form, Topic, TopicBuf};

use crate::Hub;
use crate::identity::{Action, Denied, Thing};
use crate::message::{Message, Origin, Protocol};

/// What is published when a client is lost without a goodbye [MQTT-3.1.2-8].
#[derive(Debug)]
pub(super) struct Will {
    pub(super) topic: TopicBuf,
    payload: Bytes,
    qos: QoS,
    retain: bool,
}

impl Will {
    pub(super) fn parse(dialect: Dialect, fields: &WillFields<'_>) -> Result<Self, Error> {
        Ok(Self {
            topic: Topic::parse(dialect, Form::Mqtt, fields.topic.as_str())?.to_buf(),
            payload: Bytes::copy_from_slice(fields.payload),
            qos: fields.qos,
            retain: fields.retain,
        })
    }

    /// Whether the thing may leave it.
    pub(super) async fn authorize(&self, hub: &Hub, thing: &Thing) -> Result<(), Denied> {
        hub.authorize(thing, Action::Publish, self.topic.channel()).await
    }

    /// Publishes it, if the thing still may.
    pub(super) async fn publish(self, hub: &Hub, thing: &Thing, origin: Origin) {
        if self.authorize(hub, thing).await.is_err() {
            hub.metrics().mqtt.denied.add(1);
            return;
        }
        let mut message = Message::new(self.topic, self.payload, thing.id().clone(), Protocol::Mqtt);
        message.qos = self.qos;
        message.retain = self.retain;
        message.origin = Some(origin);
        message.created = SystemTime::now();
        if let Err(error) = hub.publish(message).await {
            tracing::warn!(thing = %thing.id(), %error, "a will was not published");
        }
    }
}
