//! mqttbytes: the codec of rumqttc as a crate of its own.

use bytes::BytesMut;
use mqttbytes::{Error, QoS, v4, v5};

use super::codec::{Decoder, Tally};
use super::packets::{EXPIRY, Message, PACKET_ID};

const MAX_SIZE: usize = 1 << 20;

#[derive(Default)]
pub struct V311;

impl Decoder for V311 {
    const WHO: &'static str = "mqttbytes";
    type Packet = v4::Packet;

    fn next(&mut self, buffer: &mut BytesMut) -> Option<v4::Packet> {
        match v4::read(buffer, MAX_SIZE) {
            Ok(packet) => Some(packet),
            Err(Error::InsufficientBytes(_)) => None,
            Err(error) => panic!("mqttbytes: {error:?}"),
        }
    }

    fn tally(packet: &v4::Packet) -> Tally {
        match packet {
            v4::Packet::Publish(publish) => Tally::packet(publish.topic.len(), publish.payload.len()),
            v4::Packet::Subscribe(subscribe) => {
                Tally::packet(subscribe.filters.iter().map(|filter| filter.path.len()).sum(), 0)
            }
            v4::Packet::Connect(connect) => {
                let will = connect.last_will.as_ref().expect("there is a will");
                let login = connect.login.as_ref().expect("there is a login");
                let text = connect.client_id.len() + will.topic.len() + login.username.len();
                Tally::packet(text, will.message.len() + login.password.len())
            }
            _ => Tally::packet(0, 0),
        }
    }
}

#[derive(Default)]
pub struct V5;

impl Decoder for V5 {
    const WHO: &'static str = "mqttbytes";
    type Packet = v5::Packet;

    fn next(&mut self, buffer: &mut BytesMut) -> Option<v5::Packet> {
        match v5::read(buffer, MAX_SIZE) {
            Ok(packet) => Some(packet),
            Err(Error::InsufficientBytes(_)) => None,
            Err(error) => panic!("mqttbytes: {error:?}"),
        }
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
            v5::Packet::Subscribe(subscribe) => {
                Tally::packet(subscribe.filters.iter().map(|filter| filter.path.len()).sum(), 0)
            }
            v5::Packet::Connect(connect) => {
                let will = connect.last_will.as_ref().expect("there is a will");
                let login = connect.login.as_ref().expect("there is a login");
                let text = connect.client_id.len() + will.topic.len() + login.username.len();
                Tally::packet(text, will.message.len() + login.password.len())
            }
            _ => Tally::packet(0, 0),
        }
    }
}

/// Builds and encodes scenario a.
pub fn encode_small(message: &Message, buffer: &mut BytesMut) {
    buffer.clear();
    let publish = v4::Publish::new(message.topic, QoS::AtMostOnce, message.payload);
    publish.write(buffer).expect("the packet is valid");
}

/// Builds and encodes scenario c.
pub fn encode_properties(message: &Message, buffer: &mut BytesMut) {
    buffer.clear();
    let mut publish = v5::Publish::new(message.topic, QoS::AtLeastOnce, message.payload);
    publish.pkid = PACKET_ID;
    publish.properties = Some(v5::PublishProperties {
        payload_format_indicator: Some(1),
        message_expiry_interval: Some(EXPIRY),
        topic_alias: None,
        response_topic: None,
        correlation_data: None,
        user_properties: message
            .user_properties
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        subscription_identifiers: Vec::new(),
        content_type: Some(message.content_type.to_owned()),
    });
    publish.write(buffer).expect("the packet is valid");
}
