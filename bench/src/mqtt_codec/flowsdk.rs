//! flowsdk: the strictest peer, with `strict-protocol-compliance` as its default has it.

use flowsdk::mqtt_serde::control_packet::{MqttControlPacket, MqttPacket};
use flowsdk::mqtt_serde::mqttv5::common::properties::Property;
use flowsdk::mqtt_serde::parser::ParseOk;
use flowsdk::mqtt_serde::parser::stream::MqttParser;
use flowsdk::mqtt_serde::{mqttv3, mqttv5};

use super::codec::{Codec, Tally};
use super::packets::{EXPIRY, Message, PACKET_ID};

/// The decoder of a version: 4 is MQTT 3.1.1, 5 is 5.0.
pub struct Flow<const LEVEL: u8> {
    parser: MqttParser,
}

pub type V311 = Flow<4>;
pub type V5 = Flow<5>;

impl<const LEVEL: u8> Codec for Flow<LEVEL> {
    const WHO: &'static str = "flowsdk";
    type Packet<'a> = MqttPacket;

    fn new(capacity: usize) -> Self {
        Self {
            parser: MqttParser::new(capacity, LEVEL),
        }
    }

    fn whole(&mut self, mut stream: &[u8], mut visit: impl FnMut(&MqttPacket)) {
        while !stream.is_empty() {
            match MqttPacket::from_bytes_with_version(stream, LEVEL) {
                Ok(ParseOk::Packet(packet, consumed)) => {
                    visit(&packet);
                    stream = &stream[consumed..];
                }
                other => panic!("flowsdk: {other:?}"),
            }
        }
    }

    fn chunk(&mut self, chunk: &[u8], mut visit: impl FnMut(&MqttPacket)) {
        self.parser.feed(chunk);
        while let Some(packet) = self.parser.next_packet().expect("the stream is valid") {
            visit(&packet);
        }
    }

    fn tally(packet: &MqttPacket) -> Tally {
        match packet {
            MqttPacket::Publish3(publish) => Tally::packet(publish.topic_name.len(), publish.payload.len()),
            MqttPacket::Publish5(publish) => {
                let user = publish.properties.iter().map(|property| match property {
                    Property::UserProperty(name, value) => name.len() + value.len(),
                    _ => 0,
                });
                Tally::packet(
                    publish.topic_name.len() + user.sum::<usize>(),
                    publish.payload.len(),
                )
            }
            MqttPacket::Subscribe3(subscribe) => Tally::packet(
                subscribe
                    .subscriptions
                    .iter()
                    .map(|entry| entry.topic_filter.len())
                    .sum(),
                0,
            ),
            MqttPacket::Subscribe5(subscribe) => Tally::packet(
                subscribe
                    .subscriptions
                    .iter()
                    .map(|entry| entry.topic_filter.len())
                    .sum(),
                0,
            ),
            MqttPacket::Connect3(connect) => {
                let will = connect.will.as_ref().expect("there is a will");
                let text = connect.client_id.len()
                    + will.topic.len()
                    + connect.username.as_ref().map_or(0, String::len);
                Tally::packet(
                    text,
                    will.message.len() + connect.password.as_ref().map_or(0, Vec::len),
                )
            }
            MqttPacket::Connect5(connect) => {
                let will = connect.will.as_ref().expect("there is a will");
                let text = connect.client_id.len()
                    + will.will_topic.len()
                    + connect.username.as_ref().map_or(0, String::len);
                Tally::packet(
                    text,
                    will.will_message.len() + connect.password.as_ref().map_or(0, Vec::len),
                )
            }
            _ => Tally::packet(0, 0),
        }
    }
}

/// Builds and encodes scenario a.
pub fn encode_small(message: &Message) -> Vec<u8> {
    let publish = mqttv3::publish::MqttPublish::new(
        message.topic.to_owned(),
        0,
        message.payload.to_vec(),
        None,
        false,
        false,
    );
    publish.to_bytes().expect("the packet is valid")
}

/// Builds and encodes scenario c.
pub fn encode_properties(message: &Message) -> Vec<u8> {
    let mut properties = vec![
        Property::PayloadFormatIndicator(1),
        Property::MessageExpiryInterval(EXPIRY),
        Property::ContentType(message.content_type.to_owned()),
    ];
    for (name, value) in message.user_properties {
        properties.push(Property::UserProperty(name.to_owned(), value.to_owned()));
    }
    let publish = mqttv5::publish::MqttPublish::new_with_prop(
        1,
        message.topic.to_owned(),
        Some(PACKET_ID),
        message.payload.to_vec(),
        false,
        false,
        properties,
    );
    publish.to_bytes().expect("the packet is valid")
}
