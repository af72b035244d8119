//! How a message is written in the outbox's file.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use manywire_topics::{ChannelBuf, Dialect, Form, TopicBuf};

use crate::{
    message::{ContentType, Message},
    properties::Properties,
    qos::QoS,
};

/// The bytes of a message: a version, flags, four texts with their lengths, the moment it expires, the properties if there are any,
/// the payload.
pub(super) fn encode(message: &Message, now: SystemTime) -> Vec<u8> {
    let topic = message.topic.as_topic();
    let channel = topic.channel();
    let content_type = message.content_type.as_ref().map(ContentType::as_str);
    let expires = message
        .expires_after
        .and_then(|lifetime| now.checked_add(lifetime));
    let dialect = match channel.dialect() {
        Dialect::Channels => 0,
        Dialect::Domains => 1,
        Dialect::FluxMq => 2,
    };
    let flags = message.qos.level()
        | u8::from(message.retain) << 2
        | u8::from(channel.domain().is_some()) << 3
        | u8::from(content_type.is_some()) << 4
        | u8::from(expires.is_some()) << 5
        | u8::from(!message.properties.is_empty()) << 6;
    let mut bytes = Vec::with_capacity(message.payload.len() + 128);
    bytes.extend([VERSION, flags, dialect]);
    let subtopic = topic.subtopic().to_string();
    for text in [
        channel.domain().unwrap_or_default(),
        channel.id(),
        &subtopic,
        content_type.unwrap_or_default(),
    ] {
        put(text.as_bytes(), &mut bytes);
    }
    let since = expires
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    bytes.extend(u64::try_from(since.as_millis()).unwrap_or(u64::MAX).to_be_bytes());
    if !message.properties.is_empty() {
        encode_properties(&message.properties, &mut bytes);
    }
    bytes.extend_from_slice(&message.payload);
    bytes
}

/// The response topic as it is in MQTT, the correlation data, and how many names and values follow.
fn encode_properties(properties: &Properties, bytes: &mut Vec<u8>) {
    let topic = properties
        .response_topic()
        .and_then(|topic| topic.as_topic().display(Form::Mqtt).ok())
        .map(|topic| topic.to_string());
    let data = properties.correlation_data();
    bytes.push(u8::from(topic.is_some()) | u8::from(data.is_some()) << 1);
    put(topic.unwrap_or_default().as_bytes(), bytes);
    put(data.map_or(&[], |data| data), bytes);
    let user: Vec<_> = properties.user_properties().take(usize::from(u16::MAX)).collect();
    bytes.extend(u16::try_from(user.len()).unwrap_or(u16::MAX).to_be_bytes());
    for (name, value) in user {
        put(name.as_bytes(), bytes);
        put(value.as_bytes(), bytes);
    }
}

/// Addresses, texts and binary data have at most 65,535 bytes in MQTT; what is longer is cut, as no protocol carries it.
fn put(data: &[u8], bytes: &mut Vec<u8>) {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    bytes.extend(length.to_be_bytes());
    bytes.extend(data.iter().take(length.into()));
}

/// The message in these bytes, with what is left of its lifetime; `None` when they are no record.
pub(super) fn decode(bytes: &[u8], now: SystemTime) -> Option<Message> {
    let (&[VERSION, flags, dialect], mut rest) = bytes.split_first_chunk::<3>()? else {
        return None;
    };
    let dialect = match dialect {
        0 => Dialect::Channels,
        1 => Dialect::Domains,
        2 => Dialect::FluxMq,
        _ => return None,
    };
    let domain = text(&mut rest)?;
    let id = text(&mut rest)?;
    let subtopic = text(&mut rest)?;
    let content_type = text(&mut rest)?;
    let (expires, mut payload) = rest.split_first_chunk::<8>()?;
    let properties = match flags & 64 {
        0 => Properties::new(),
        _ => decode_properties(dialect, &mut payload)?,
    };
    let channel = ChannelBuf::new(dialect, (flags & 8 != 0).then_some(domain), id).ok()?;
    let topic = TopicBuf::new(channel.as_channel(), subtopic).ok()?;
    let mut message = Message::new(topic, Bytes::copy_from_slice(payload))
        .qos(QoS::from_level(flags & 3)?)
        .retain(flags & 4 != 0)
        .properties(properties);
    message.content_type = (flags & 16 != 0).then(|| ContentType::new(content_type.to_owned()));
    if flags & 32 != 0 {
        let at = UNIX_EPOCH + Duration::from_millis(u64::from_be_bytes(*expires));
        message.expires_after = Some(at.duration_since(now).unwrap_or_default());
    }
    Some(message)
}

fn decode_properties(dialect: Dialect, rest: &mut &[u8]) -> Option<Properties> {
    let (&flags, after) = rest.split_first()?;
    *rest = after;
    let mut properties = Properties::new();
    let topic = text(rest)?;
    if flags & 1 != 0 {
        properties = properties.with_response_topic(TopicBuf::parse(dialect, Form::Mqtt, topic).ok()?);
    }
    let data = binary(rest)?;
    if flags & 2 != 0 {
        properties = properties.with_correlation_data(Bytes::copy_from_slice(data));
    }
    let (count, after) = rest.split_first_chunk::<2>()?;
    *rest = after;
    for _ in 0..u16::from_be_bytes(*count) {
        let name = text(rest)?;
        properties = properties.with_user_property(name, text(rest)?);
    }
    Some(properties)
}

fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    std::str::from_utf8(binary(rest)?).ok()
}

fn binary<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<2>()?;
    let (data, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
    *rest = after;
    Some(data)
}

const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_comes_back() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let domain = "30315311-56ba-484d-b500-c1e083055120";
        for (dialect, domain, subtopic) in [
            (Dialect::Channels, None, ""),
            (Dialect::Channels, None, "a b/%41.cé"),
            (Dialect::Domains, Some(domain), "a.b"),
            (Dialect::FluxMq, Some(domain), "a.b/c..d"),
        ] {
            let channel = ChannelBuf::new(dialect, domain, "30315311-56ba-484d-b500-c1e08305511f").unwrap();
            let topic = TopicBuf::new(channel.as_channel(), subtopic).unwrap();
            let mut message = Message::new(topic, vec![0, 255, 7])
                .qos(QoS::ExactlyOnce)
                .retain(true);
            message.content_type = Some(ContentType::SENML_CBOR);
            message.expires_after = Some(Duration::from_secs(60));
            if subtopic != "a b/%41.cé" {
                message.properties = Properties::new()
                    .with_user_property("name", "value")
                    .with_response_topic(message.topic.clone())
                    .with_correlation_data(vec![0, 1]);
            }
            let bytes = encode(&message, now);
            let later = decode(&bytes, now + Duration::from_secs(20)).unwrap();
            message.expires_after = Some(Duration::from_secs(40));
            assert_eq!(later, message);
            assert_eq!(
                decode(&bytes, now + Duration::from_secs(61))
                    .unwrap()
                    .expires_after,
                Some(Duration::ZERO)
            );
            let header = bytes.len() - message.payload.len();
            assert!((0..header).all(|cut| decode(&bytes[..cut], now).is_none()));
        }
    }
}
