//! mqtt5-protocol: the protocol crate under the client and broker `mqtt5`.

use bytes::{Buf, Bytes, BytesMut};
use mqtt5_protocol::packet::publish::PublishPacket;
use mqtt5_protocol::packet::{FixedHeader, MqttPacket, Packet};
use mqtt5_protocol::{PropertyId, PropertyValue, QoS};

use super::codec::{Decoder, Tally};
use super::packets::{EXPIRY, Message, PACKET_ID};

/// The decoder of a version: 4 is MQTT 3.1.1, 5 is 5.0.
#[derive(Default)]
pub struct Level<const LEVEL: u8>;

pub type V311 = Level<4>;
pub type V5 = Level<5>;

impl<const LEVEL: u8> Decoder for Level<LEVEL> {
    const WHO: &'static str = "mqtt5-protocol";
    type Packet = Packet;

    fn next(&mut self, buffer: &mut BytesMut) -> Option<Packet> {
        // As `mqtt5` reads a socket: the header first, then exactly the body.
        let mut ahead = &buffer[..];
        let header = FixedHeader::decode(&mut ahead).ok()?;
        let length = header.remaining_length as usize;
        if ahead.len() < length {
            return None;
        }
        buffer.advance(buffer.len() - ahead.len());
        let mut body = buffer.split_to(length).freeze();
        let packet = Packet::decode_from_body_with_version(header.packet_type, &header, &mut body, LEVEL);
        Some(packet.expect("the stream is valid"))
    }

    fn tally(packet: &Packet) -> Tally {
        match packet {
            Packet::Publish(publish) => {
                let user = publish
                    .properties
                    .get_all(PropertyId::UserProperty)
                    .unwrap_or_default();
                let user = user.iter().map(|value| match value {
                    PropertyValue::Utf8StringPair(name, value) => name.len() + value.len(),
                    _ => 0,
                });
                Tally::packet(
                    publish.topic_name.len() + user.sum::<usize>(),
                    publish.payload.len(),
                )
            }
            Packet::Subscribe(subscribe) => Tally::packet(
                subscribe.filters.iter().map(|filter| filter.filter.len()).sum(),
                0,
            ),
            Packet::Connect(connect) => {
                let will = connect.will.as_ref().expect("there is a will");
                let text = connect.client_id.len()
                    + will.topic.len()
                    + connect.username.as_ref().map_or(0, String::len);
                Tally::packet(
                    text,
                    will.payload.len() + connect.password.as_ref().map_or(0, Vec::len),
                )
            }
            _ => Tally::packet(0, 0),
        }
    }
}

/// Builds and encodes scenario a.
pub fn encode_small(message: &Message, buffer: &mut BytesMut) {
    buffer.clear();
    let publish = PublishPacket::new_v311(
        message.topic,
        Bytes::copy_from_slice(message.payload),
        QoS::AtMostOnce,
    );
    publish.encode(buffer).expect("the packet is valid");
}

/// Builds and encodes scenario c.
pub fn encode_properties(message: &Message, buffer: &mut BytesMut) {
    buffer.clear();
    let mut publish = PublishPacket::new(
        message.topic,
        Bytes::copy_from_slice(message.payload),
        QoS::AtLeastOnce,
    )
    .with_packet_id(PACKET_ID)
    .with_payload_format_indicator(true)
    .with_message_expiry_interval(EXPIRY)
    .with_content_type(message.content_type.to_owned());
    for (name, value) in message.user_properties {
        publish = publish.with_user_property(name.to_owned(), value.to_owned());
    }
    publish.encode(buffer).expect("the packet is valid");
}
