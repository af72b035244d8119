//! rmqtt-codec: the codec of the broker RMQTT.

use bytes::{Bytes, BytesMut};
use rmqtt_codec::types::{Publish, QoS};
use rmqtt_codec::{v3, v5};
use tokio_util::codec::{Decoder as _, Encoder as _};

use super::codec::{Decoder, Tally};
use super::packets::{EXPIRY, Message, PACKET_ID};

#[derive(Default)]
pub struct V311(v3::Codec);

impl Decoder for V311 {
    const WHO: &'static str = "rmqtt-codec";
    type Packet = v3::Packet;

    fn next(&mut self, buffer: &mut BytesMut) -> Option<v3::Packet> {
        let decoded = self.0.decode(buffer).expect("the stream is valid");
        decoded.map(|(packet, _)| packet)
    }

    fn tally(packet: &v3::Packet) -> Tally {
        match packet {
            v3::Packet::Publish(publish) => Tally::packet(publish.topic.len(), publish.payload.len()),
            v3::Packet::Subscribe { topic_filters, .. } => {
                Tally::packet(topic_filters.iter().map(|(filter, _)| filter.len()).sum(), 0)
            }
            v3::Packet::Connect(connect) => {
                let will = connect.last_will.as_ref().expect("there is a will");
                let username = connect.username.as_ref().expect("there is a user name");
                let password = connect.password.as_ref().expect("there is a password");
                let text = connect.client_id.len() + will.topic.len() + username.len();
                Tally::packet(text, will.message.len() + password.len())
            }
            _ => Tally::packet(0, 0),
        }
    }
}

#[derive(Default)]
pub struct V5(v5::Codec);

impl Decoder for V5 {
    const WHO: &'static str = "rmqtt-codec";
    type Packet = v5::Packet;

    fn next(&mut self, buffer: &mut BytesMut) -> Option<v5::Packet> {
        let decoded = self.0.decode(buffer).expect("the stream is valid");
        decoded.map(|(packet, _)| packet)
    }

    fn tally(packet: &v5::Packet) -> Tally {
        match packet {
            v5::Packet::Publish(publish) => {
                let properties = publish
                    .properties
                    .iter()
                    .flat_map(|properties| &properties.user_properties);
                let user: usize = properties.map(|(name, value)| name.len() + value.len()).sum();
                Tally::packet(publish.topic.len() + user, publish.payload.len())
            }
            v5::Packet::Subscribe(subscribe) => Tally::packet(
                subscribe
                    .topic_filters
                    .iter()
                    .map(|(filter, _)| filter.len())
                    .sum(),
                0,
            ),
            v5::Packet::Connect(connect) => {
                let will = connect.last_will.as_ref().expect("there is a will");
                let username = connect.username.as_ref().expect("there is a user name");
                let password = connect.password.as_ref().expect("there is a password");
                let text = connect.client_id.len() + will.topic.len() + username.len();
                Tally::packet(text, will.message.len() + password.len())
            }
            _ => Tally::packet(0, 0),
        }
    }
}

/// Builds and encodes scenario a.
pub fn encode_small(message: &Message, codec: &mut v3::Codec, buffer: &mut BytesMut) {
    buffer.clear();
    let publish = Publish {
        dup: false,
        retain: false,
        qos: QoS::AtMostOnce,
        topic: message.topic.into(),
        packet_id: None,
        payload: Bytes::copy_from_slice(message.payload),
        properties: None,
    };
    codec
        .encode(v3::Packet::Publish(Box::new(publish)), buffer)
        .expect("the packet is valid");
}

/// Builds and encodes scenario c.
pub fn encode_properties(message: &Message, codec: &mut v5::Codec, buffer: &mut BytesMut) {
    buffer.clear();
    let properties = v5::PublishProperties {
        is_utf8_payload: true,
        message_expiry_interval: EXPIRY.try_into().ok(),
        content_type: Some(message.content_type.into()),
        user_properties: message
            .user_properties
            .map(|(name, value)| (name.into(), value.into()))
            .to_vec(),
        ..Default::default()
    };
    let publish = Publish {
        dup: false,
        retain: false,
        qos: QoS::AtLeastOnce,
        topic: message.topic.into(),
        packet_id: PACKET_ID.try_into().ok(),
        payload: Bytes::copy_from_slice(message.payload),
        properties: Some(properties),
    };
    codec
        .encode(v5::Packet::Publish(Box::new(publish)), buffer)
        .expect("the packet is valid");
}
