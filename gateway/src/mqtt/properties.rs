//! The properties of a message: what MQTT 5 says beside topic and payload.

use std::num::NonZeroU32;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use manywire_mqtt_codec::{Properties, PropertiesBuf, Property, PropertyScope, Text};

use crate::{ContentType, Message};

/// Takes over what a PUBLISH or a will says about its message.
pub(super) fn read(properties: Properties<'_>, message: &mut Message) {
    if properties.is_empty() {
        return;
    }
    let seconds = properties.message_expiry_interval();
    message.expiry = seconds.map(|seconds| Duration::from_secs(seconds.into()));
    message.content_type = properties
        .content_type()
        .map(|text| ContentType::parse(text.as_str()));
    // [MQTT-3.3.2-4], [MQTT-3.3.2-15], [MQTT-3.3.2-16], [MQTT-3.3.2-17], [MQTT-3.3.2-20]: passed on unaltered, and in order.
    let passed_on = properties.iter().filter(|property| {
        matches!(
            property,
            Property::PayloadFormatIndicator(_)
                | Property::ContentType(_)
                | Property::ResponseTopic(_)
                | Property::CorrelationData(_)
                | Property::UserProperty(..)
        )
    });
    message.properties = Bytes::from(block(passed_on));
}

/// The block of a PUBLISH that delivers the message at `now`.
pub(super) fn write(message: &Message, identifiers: &[NonZeroU32], now: SystemTime) -> Vec<u8> {
    let kept = Properties::parse(&message.properties, PropertyScope::Publish).unwrap_or_default();
    // [MQTT-3.3.2-6]: what is left of it.
    let left = message.expiry.map(|expiry| {
        let age = now.duration_since(message.created).unwrap_or_default();
        let left = expiry.saturating_sub(age).as_secs();
        Property::MessageExpiryInterval(u32::try_from(left).unwrap_or(u32::MAX))
    });
    // What another wire said the payload is.
    let of_other_wire = message
        .content_type
        .as_ref()
        .filter(|_| kept.content_type().is_none());
    let content_type = of_other_wire
        .and_then(|name| Text::new(name.as_str()).ok())
        .map(Property::ContentType);
    let identifiers = identifiers.iter().copied().map(Property::SubscriptionIdentifier);
    block(
        left.into_iter()
            .chain(content_type)
            .chain(kept)
            .chain(identifiers),
    )
}

/// Properties of a PUBLISH, one after the other.
fn block<'a>(properties: impl Iterator<Item = Property<'a>> + Clone) -> Vec<u8> {
    let mut bytes = vec![0; properties.clone().map(|property| property.encoded_len()).sum()];
    let mut block = PropertiesBuf::new(PropertyScope::Publish, &mut bytes);
    for property in properties {
        if let Err(error) = block.push(property) {
            tracing::error!(%error, "a property cannot be passed on");
        }
    }
    let len = block.properties().as_bytes().len();
    bytes.truncate(len);
    bytes
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use manywire_topics::{Dialect, Form, TopicBuf};

    use super::*;
    use crate::Protocol;

    #[test]
    fn what_is_read_is_written_with_what_is_left_of_its_time() {
        let topic = TopicBuf::parse(Dialect::Channels, Form::Mqtt, "channels/c/messages").unwrap();
        let mut message = Message::new(topic, Bytes::new(), Arc::from("thing"), Protocol::Mqtt);
        let user = |name, value| Property::UserProperty(Text::new(name).unwrap(), Text::new(value).unwrap());
        let sent = [
            user("b", "1"),
            Property::MessageExpiryInterval(60),
            Property::ContentType(Text::new("text/plain; charset=utf-8").unwrap()),
            Property::SubscriptionIdentifier(NonZeroU32::new(1).unwrap()),
            user("a", "2"),
            user("b", "1"),
        ];
        let bytes = block(sent.into_iter());
        read(
            Properties::parse(&bytes, PropertyScope::Publish).unwrap(),
            &mut message,
        );
        let later = message.created + Duration::from_secs(20);
        let id = NonZeroU32::new(7).unwrap();
        let written = write(&message, &[id], later);
        let written: Vec<_> = Properties::parse(&written, PropertyScope::Publish)
            .unwrap()
            .iter()
            .collect();
        let expected = [
            Property::MessageExpiryInterval(40),
            user("b", "1"),
            Property::ContentType(Text::new("text/plain; charset=utf-8").unwrap()),
            user("a", "2"),
            user("b", "1"),
            Property::SubscriptionIdentifier(id),
        ];
        assert_eq!(written, expected);
    }
}
