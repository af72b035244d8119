//! mqtt-protocol-core: a sans-I/O protocol library; its packet builder and packet types, without the connection.

use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{PacketBuildResult, PacketBuilder, PacketData, RawPacket};
use mqtt_protocol_core::mqtt::packet::{
    ContentType, GenericPacket, MessageExpiryInterval, PayloadFormat, PayloadFormatIndicator, Property, Qos,
    UserProperty, v3_1_1, v5_0,
};

use super::codec::{Codec, Tally};
use super::packets::{EXPIRY, Message, PACKET_ID};

type Packet = GenericPacket<u16>;

/// The decoder of a version: 4 is MQTT 3.1.1, 5 is 5.0.
pub struct Level<const LEVEL: u8> {
    builder: PacketBuilder,
}

pub type V311 = Level<4>;
pub type V5 = Level<5>;

impl<const LEVEL: u8> Codec for Level<LEVEL> {
    const WHO: &'static str = "mqtt-protocol-core";
    type Packet<'a> = Packet;

    fn new(_capacity: usize) -> Self {
        Self {
            builder: PacketBuilder::new(),
        }
    }

    fn whole(&mut self, stream: &[u8], visit: impl FnMut(&Packet)) {
        self.chunk(stream, visit);
    }

    fn chunk(&mut self, chunk: &[u8], mut visit: impl FnMut(&Packet)) {
        let mut cursor = Cursor::new(chunk);
        while let PacketBuildResult::Complete(raw) = self.builder.feed(&mut cursor) {
            visit(&parse::<LEVEL>(&raw));
        }
    }

    fn tally(packet: &Packet) -> Tally {
        match packet {
            Packet::V3_1_1Publish(publish) => {
                Tally::packet(publish.topic_name().len(), publish.payload().len())
            }
            Packet::V5_0Publish(publish) => {
                let user = publish.props().iter().map(|property| match property {
                    Property::UserProperty(pair) => pair.key().len() + pair.val().len(),
                    _ => 0,
                });
                Tally::packet(
                    publish.topic_name().len() + user.sum::<usize>(),
                    publish.payload().len(),
                )
            }
            Packet::V3_1_1Subscribe(subscribe) => Tally::packet(
                subscribe
                    .entries()
                    .iter()
                    .map(|entry| entry.topic_filter().len())
                    .sum(),
                0,
            ),
            Packet::V5_0Subscribe(subscribe) => Tally::packet(
                subscribe
                    .entries()
                    .iter()
                    .map(|entry| entry.topic_filter().len())
                    .sum(),
                0,
            ),
            Packet::V3_1_1Connect(connect) => Tally::packet(
                connect.client_id().len()
                    + connect.will_topic().map_or(0, str::len)
                    + connect.user_name().map_or(0, str::len),
                connect.will_payload().map_or(0, <[u8]>::len) + connect.password().map_or(0, <[u8]>::len),
            ),
            Packet::V5_0Connect(connect) => Tally::packet(
                connect.client_id().len()
                    + connect.will_topic().map_or(0, str::len)
                    + connect.user_name().map_or(0, str::len),
                connect.will_payload().map_or(0, <[u8]>::len) + connect.password().map_or(0, <[u8]>::len),
            ),
            _ => Tally::packet(0, 0),
        }
    }
}

/// As its `Connection` does with a raw packet.
fn parse<const LEVEL: u8>(raw: &RawPacket) -> Packet {
    let parsed = match (raw.packet_type(), &raw.data) {
        (3, PacketData::Publish(data)) if LEVEL == 5 => {
            v5_0::Publish::parse(raw.flags(), data.clone()).map(|(packet, _)| packet.into())
        }
        (3, PacketData::Publish(data)) => {
            v3_1_1::Publish::parse(raw.flags(), data.clone()).map(|(packet, _)| packet.into())
        }
        (1, _) if LEVEL == 5 => raw.parse_exact(v5_0::Connect::parse).map(Into::into),
        (1, _) => raw.parse_exact(v3_1_1::Connect::parse).map(Into::into),
        (4, _) if LEVEL == 5 => raw.parse_exact(v5_0::Puback::parse).map(Into::into),
        (4, _) => raw.parse_exact(v3_1_1::Puback::parse).map(Into::into),
        (8, _) if LEVEL == 5 => raw.parse_exact(v5_0::Subscribe::parse).map(Into::into),
        (8, _) => raw.parse_exact(v3_1_1::Subscribe::parse).map(Into::into),
        (9, _) if LEVEL == 5 => raw.parse_exact(v5_0::Suback::parse).map(Into::into),
        (9, _) => raw.parse_exact(v3_1_1::Suback::parse).map(Into::into),
        (12, _) if LEVEL == 5 => raw.parse_exact(v5_0::Pingreq::parse).map(Into::into),
        (12, _) => raw.parse_exact(v3_1_1::Pingreq::parse).map(Into::into),
        (13, _) if LEVEL == 5 => raw.parse_exact(v5_0::Pingresp::parse).map(Into::into),
        (13, _) => raw.parse_exact(v3_1_1::Pingresp::parse).map(Into::into),
        (other, _) => unreachable!("no scenario has packets of type {other}"),
    };
    parsed.expect("the stream is valid")
}

/// Builds and encodes scenario a.
pub fn encode_small(message: &Message) -> Vec<u8> {
    let publish = v3_1_1::Publish::builder()
        .topic_name(message.topic)
        .and_then(|builder| builder.qos(Qos::AtMostOnce).payload(message.payload).build())
        .expect("the packet is valid");
    publish.to_continuous_buffer()
}

/// Builds and encodes scenario c.
pub fn encode_properties(message: &Message) -> Vec<u8> {
    let mut properties = vec![
        PayloadFormatIndicator::new(PayloadFormat::String).map(Property::PayloadFormatIndicator),
        MessageExpiryInterval::new(EXPIRY).map(Property::MessageExpiryInterval),
        ContentType::new(message.content_type).map(Property::ContentType),
    ];
    for (name, value) in message.user_properties {
        properties.push(UserProperty::new(name, value).map(Property::UserProperty));
    }
    let properties: Vec<_> = properties
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("the properties are valid");
    let publish = v5_0::Publish::builder()
        .topic_name(message.topic)
        .and_then(|builder| {
            let builder = builder.qos(Qos::AtLeastOnce).packet_id(PACKET_ID);
            builder.props(properties).payload(message.payload).build()
        })
        .expect("the packet is valid");
    publish.to_continuous_buffer()
}
