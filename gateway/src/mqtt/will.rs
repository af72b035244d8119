//! What is published when a client is lost.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use manywire_mqtt_codec::Will as WillFields;
use manywire_topics::{Dialect, Error, Form, Topic};

use super::properties;
use super::shared::Turn;
use crate::Hub;
use crate::identity::{Action, Denied, Thing};
use crate::message::{Message, Protocol};
use crate::shutdown::Shutdown;

/// What is published when a client is lost without a goodbye [MQTT-3.1.2-8].
#[derive(Debug)]
pub(super) struct Will {
    message: Message,
    /// How long it waits for the client to come back; in 5.0.
    pub(super) delay: Duration,
}

/// A will whose client may still come back.
#[must_use]
pub(super) struct DelayedWill {
    pub(super) will: Will,
    pub(super) hub: Arc<Hub>,
    pub(super) thing: Thing,
    pub(super) turn: Turn,
    pub(super) shutdown: Shutdown,
}

impl Will {
    pub(super) fn parse(dialect: Dialect, fields: &WillFields<'_>) -> Result<Self, Error> {
        let topic = Topic::parse(dialect, Form::Mqtt, fields.topic.as_str())?.to_buf();
        let payload = Bytes::copy_from_slice(fields.payload);
        // Who publishes it is known when it is.
        let mut message = Message::new(topic, payload, Arc::default(), Protocol::Mqtt);
        message.qos = fields.qos;
        message.retain = fields.retain;
        properties::read(fields.properties, &mut message);
        let delay = fields.properties.will_delay_interval().unwrap_or_default();
        Ok(Self {
            message,
            delay: Duration::from_secs(delay.into()),
        })
    }

    /// Whether the thing may leave it.
    pub(super) async fn authorize(&self, hub: &Hub, thing: &Thing) -> Result<(), Denied> {
        hub.authorize(thing, Action::Publish, self.message.topic.channel())
            .await
    }

    /// Publishes it, if the thing still may.
    pub(super) async fn publish(self, hub: &Hub, thing: &Thing, turn: &Turn) {
        if self.authorize(hub, thing).await.is_err() {
            hub.metrics().mqtt.denied.add(1);
            return;
        }
        let mut message = self.message;
        message.publisher = thing.id().clone();
        message.origin = Some(turn.subscriber().origin());
        message.created = SystemTime::now();
        if let Err(error) = hub.publish(message).await {
            tracing::warn!(thing = %thing.id(), %error, "a will was not published");
        }
    }
}

impl DelayedWill {
    /// Publishes the will when its delay is over, the session has ended or the gateway stops, unless the client comes back before
    /// [MQTT-3.1.3-9].
    pub(super) async fn wait(self) {
        let Self {
            will,
            hub,
            thing,
            turn,
            shutdown,
        } = self;
        tokio::select! {
            () = tokio::time::sleep(will.delay) => {}
            _ = poll_fn(|context| turn.poll_taken_over(context)) => {
                if !turn.session().has_ended() {
                    return;
                }
            }
            () = shutdown.requested() => {}
        }
        will.publish(&hub, &thing, &turn).await;
    }
}
