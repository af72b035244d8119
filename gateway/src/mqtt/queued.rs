//! A message that waits for a client, and the PUBLISH it becomes.

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::SystemTime;

use manywire_mqtt_codec::{Delivery, Packet, Properties, PropertyScope, Publish, QoS, TopicName, Version};
use manywire_topics::Form;

use super::properties;
use super::session::Terms;
use crate::Message;
use crate::store::Kept;

/// A message that waits for a client, or for its acknowledgement.
#[derive(Debug)]
pub(super) struct Queued {
    /// Orders the two queues.
    pub(super) sequence: u64,
    pub(super) message: Arc<Message>,
    pub(super) qos: QoS,
    pub(super) retain: bool,
    pub(super) identifiers: Vec<NonZeroU32>,
    /// Where it is on disk, if the session is.
    pub(super) kept: Option<Kept>,
}

impl Queued {
    pub(super) fn cost(&self) -> usize {
        self.message.cost()
    }

    /// Appends the PUBLISH. False when it is not to be sent: it has expired, it is larger than what the client takes [MQTT-3.1.2-24], or its
    /// topic cannot be said in MQTT, for other wires take topics with `#` or `+` in them.
    pub(super) fn write(
        &self,
        terms: Terms,
        delivery: Delivery,
        dup: bool,
        now: SystemTime,
        text: &mut String,
        output: &mut Vec<u8>,
    ) -> bool {
        text.clear();
        let Ok(name) = self.message.topic.display(Form::Mqtt) else {
            return false;
        };
        if write!(text, "{name}").is_err() || self.message.is_expired(now) && !dup {
            return false;
        }
        let Ok(topic) = TopicName::new(text) else {
            return false;
        };
        let block = match terms.version {
            Version::V5 => properties::write(&self.message, &self.identifiers, now),
            _ => Vec::new(),
        };
        let properties = Properties::parse(&block, PropertyScope::Publish).unwrap_or_default();
        let payload = &self.message.payload;
        let publish = Publish {
            delivery,
            dup,
            retain: self.retain,
            properties,
            ..Publish::new(topic, payload)
        };
        if !publish
            .encoded_len(terms.version)
            .is_ok_and(|len| len <= terms.max_packet_size)
        {
            return false;
        }
        append(&publish.into(), terms.version, output);
        true
    }
}

/// Appends a packet that was built here from checked parts.
pub(super) fn append(packet: &Packet<'_>, version: Version, output: &mut Vec<u8>) {
    if let Err(error) = packet.append(version, output) {
        tracing::error!(%error, "a packet cannot be encoded");
    }
}
