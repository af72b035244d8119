//! Ours.

use bytes::{Bytes, BytesMut};
use manywire_mqtt_codec::{
    Delivery, Outcome, OwnedPacket, Packet, PacketId, Policy, PropertiesBuf, Property, PropertyScope,
    Publish, StreamDecoder, Text, TopicName, Version, decode, fixed_header,
};

use super::codec::{Codec, Decoder, Tally};
use super::packets::{EXPIRY, Message, PACKET_ID};

/// The decoder of a version: 4 is MQTT 3.1.1, 5 is 5.0.
pub struct Level<const LEVEL: u8> {
    stream: StreamDecoder,
}

pub type V311 = Level<4>;
pub type V5 = Level<5>;

impl<const LEVEL: u8> Codec for Level<LEVEL> {
    const WHO: &'static str = "manywire";
    type Packet<'a> = Packet<'a>;

    fn new(_capacity: usize) -> Self {
        Self {
            stream: StreamDecoder::new(version(LEVEL), Policy::STRICT),
        }
    }

    fn whole(&mut self, mut stream: &[u8], mut visit: impl FnMut(&Packet<'_>)) {
        let version = version(LEVEL);
        while let Outcome::Complete((ref packet, length)) =
            decode(stream, version, &Policy::STRICT).expect("the stream is valid")
        {
            visit(packet);
            stream = &stream[length..];
        }
    }

    fn chunk(&mut self, chunk: &[u8], mut visit: impl FnMut(&Packet<'_>)) {
        let mut packets = self.stream.feed(chunk);
        while let Some(ref packet) = packets.next().expect("the stream is valid") {
            visit(packet);
        }
    }

    fn tally(packet: &Packet<'_>) -> Tally {
        tally(packet)
    }
}

/// Packets of MQTT 3.1.1 that keep their frame.
#[derive(Default)]
pub struct Owned;

impl Decoder for Owned {
    const WHO: &'static str = "manywire";
    type Packet = OwnedPacket<Bytes>;

    fn next(&mut self, buffer: &mut BytesMut) -> Option<Self::Packet> {
        let header = fixed_header(buffer, Version::V311, &Policy::STRICT).expect("the stream is valid");
        let length = header.complete()?.packet_len();
        if buffer.len() < length {
            return None;
        }
        let frame = buffer.split_to(length).freeze();
        let owned = OwnedPacket::decode(frame, Version::V311, &Policy::STRICT);
        owned.expect("the stream is valid").complete()
    }

    fn tally(packet: &Self::Packet) -> Tally {
        tally(&packet.packet())
    }
}

fn tally(packet: &Packet<'_>) -> Tally {
    match packet {
        Packet::Publish(publish) => {
            let user = publish.properties.user_properties();
            let user: usize = user
                .map(|(name, value)| name.as_str().len() + value.as_str().len())
                .sum();
            Tally::packet(publish.topic.as_str().len() + user, publish.payload.len())
        }
        Packet::Subscribe(subscribe) => {
            let filters = subscribe.subscriptions.iter();
            Tally::packet(
                filters
                    .map(|subscription| subscription.filter.as_str().len())
                    .sum(),
                0,
            )
        }
        Packet::Connect(connect) => {
            let fields = connect.fields();
            let will = fields.will.expect("there is a will");
            let user_name = fields.user_name.expect("there is a user name");
            let password = fields.password.expect("there is a password");
            let text = [fields.client_id.as_str(), will.topic.as_str(), user_name.as_str()];
            Tally::packet(
                text.map(str::len).iter().sum(),
                will.payload.len() + password.len(),
            )
        }
        _ => Tally::packet(0, 0),
    }
}

/// Builds and encodes scenario a.
pub fn encode_small(message: &Message, buffer: &mut [u8]) -> usize {
    let topic = TopicName::new(message.topic).expect("the topic is valid");
    let publish = Publish::new(topic, message.payload);
    publish
        .encode(Version::V311, buffer)
        .expect("the packet is valid")
}

/// Builds and encodes scenario c.
pub fn encode_properties(message: &Message, buffer: &mut [u8]) -> usize {
    let mut block = [0; 128];
    let mut properties = PropertiesBuf::new(PropertyScope::Publish, &mut block);
    let mut push = |property| properties.push(property).expect("the property is valid");
    push(Property::PayloadFormatIndicator(true));
    push(Property::MessageExpiryInterval(EXPIRY));
    push(Property::ContentType(text(message.content_type)));
    for (name, value) in message.user_properties {
        push(Property::UserProperty(text(name), text(value)));
    }
    let publish = Publish {
        properties: properties.finish(),
        delivery: Delivery::AtLeastOnce(PacketId::new(PACKET_ID).expect("it is not zero")),
        ..Publish::new(
            TopicName::new(message.topic).expect("the topic is valid"),
            message.payload,
        )
    };
    publish.encode(Version::V5, buffer).expect("the packet is valid")
}

fn text(text: &str) -> Text<'_> {
    Text::new(text).expect("the text is valid")
}

const fn version(level: u8) -> Version {
    if level == 5 { Version::V5 } else { Version::V311 }
}
