//! The session against a scripted server, under simulated time. Tests are named after what rumqttc 0.25 did in the same place.

mod connection;
mod publishing;
mod receiving;
mod resumption;
mod version_5;

use std::{
    num::{NonZeroU16, NonZeroU32},
    time::{Duration, Instant},
};

use bytes::Bytes;
use manywire_mqtt_codec::{
    Ack, Connack, ConnectFields, Delivery, Disconnect, Outcome, Packet, PacketId, Policy, PropertiesBuf,
    Property, PropertyScope, Publish, ReasonCode, Suback, Text, TopicName, Unsuback, Version, decode,
};
use manywire_topics::{Dialect, FilterBuf, Form, TopicBuf};

use super::session::{Accepted, Session};
use crate::{
    error::RefusalKind,
    message::{ContentType, Message},
    qos::QoS,
    transport::{
        Begun, Capabilities, DeliveryId, Earlier, Event, Op, OpId, Received, SubscriptionId,
        TransportErrorKind,
    },
};

const TOPIC: &str = "channels/c1/messages/bedroom/temperature";
const SECOND: Duration = Duration::from_secs(1);

/// A session, the clock, and the server at the other end.
struct Bench {
    session: Session,
    version: Version,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        Self {
            session: Session::new(Dialect::Channels, 0),
            version: Version::V311,
            now: Instant::now(),
        }
    }

    /// A session with its first connection open.
    fn connected() -> Self {
        let mut bench = Self::new();
        let accepted = bench.connect(false);
        assert!(!accepted.resumed && accepted.held.is_empty() && accepted.in_doubt.is_empty());
        bench
    }

    fn connect(&mut self, session_present: bool) -> Accepted {
        let fields = ConnectFields {
            keep_alive: 40,
            ..ConnectFields::new(self.version, Text::new("c").unwrap())
        };
        self.session.handle_connected(&fields).unwrap();
        assert_eq!(self.sent().len(), 1);
        self.receive(Packet::Connack(Connack {
            session_present,
            ..Connack::default()
        }));
        self.session.poll_accepted().unwrap()
    }

    /// A connection of 5.0, with what the CONNACK says beside its reason.
    fn connected_as_5(properties: &[Property<'_>]) -> (Self, Accepted) {
        let mut bench = Self {
            version: Version::V5,
            ..Self::new()
        };
        let accepted = bench.connect_as_5(false, properties);
        (bench, accepted)
    }

    fn connect_as_5(&mut self, session_present: bool, properties: &[Property<'_>]) -> Accepted {
        let fields = ConnectFields::new(Version::V5, Text::new("c").unwrap());
        self.session.handle_connected(&fields).unwrap();
        self.sent();
        let mut bytes = [0; 64];
        let mut block = PropertiesBuf::new(PropertyScope::Connack, &mut bytes);
        for property in properties {
            block.push(*property).unwrap();
        }
        self.receive(Packet::Connack(Connack {
            session_present,
            properties: block.finish(),
            ..Connack::default()
        }));
        self.session.poll_accepted().unwrap()
    }

    /// The connection is lost, after the server got everything.
    fn lose(&mut self) {
        self.sent();
        self.session.handle_disconnected();
    }

    fn receive(&mut self, packet: Packet<'_>) {
        self.session.handle_packet(&packet, self.now).unwrap();
    }

    fn publish(&mut self, id: u64, qos: QoS) {
        let message = Message::new(topic(TOPIC), Bytes::from(id.to_string())).qos(qos);
        self.submit(id, message);
    }

    fn submit(&mut self, id: u64, message: Message) {
        self.session.handle_op(Op::Publish {
            id: OpId(id),
            message,
            number: None,
        });
    }

    fn subscribe(&mut self, id: u64, subscription: u64, filter: &str, group: Option<&str>) {
        self.session.handle_op(Op::Subscribe {
            id: OpId(id),
            subscription: SubscriptionId(subscription),
            filter: FilterBuf::parse(Dialect::Channels, Form::Mqtt, filter).unwrap(),
            group: group.map(Into::into),
            qos: QoS::ExactlyOnce,
        });
    }

    /// What the server gets, as text; handed over and flushed.
    fn sent(&mut self) -> Vec<String> {
        let bytes = self.session.poll_transmit().to_vec();
        self.session.handle_sent(bytes.len(), self.now);
        let mut rest = bytes.as_slice();
        let mut sent = Vec::new();
        while !rest.is_empty() {
            let Ok(Outcome::Complete((packet, len))) = decode(rest, self.version, &Policy::STRICT) else {
                panic!("not whole packets: {rest:?}");
            };
            sent.push(describe(&packet));
            rest = &rest[len..];
        }
        sent
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.session.poll_event()).collect()
    }

    /// The engine takes note of what the server has.
    fn take_note(&mut self) {
        for event in self.events() {
            let Event::Received(id) = event else {
                panic!("{event:?}")
            };
            self.session.handle_op(Op::Release(id));
        }
    }

    fn arrive(&mut self, delivery: Delivery, dup: bool, payload: &[u8]) {
        let topic = TopicName::new(TOPIC).unwrap();
        self.receive(Packet::Publish(Publish {
            delivery,
            dup,
            ..Publish::new(topic, payload)
        }));
    }

    fn received(&mut self) -> Vec<Received> {
        let events = self.events().into_iter();
        events
            .filter_map(|event| {
                if let Event::Message(received) = event {
                    Some(received)
                } else {
                    None
                }
            })
            .collect()
    }
}

fn describe(packet: &Packet<'_>) -> String {
    let name = packet.packet_type().name();
    let id = packet.packet_id().map(|id| format!(" {id}")).unwrap_or_default();
    match packet {
        Packet::Publish(publish) => {
            let dup = if publish.dup { " dup" } else { "" };
            let payload = String::from_utf8_lossy(publish.payload);
            let qos = publish.delivery.qos().bits();
            let alias = match (publish.topic.is_aliased(), publish.properties.topic_alias()) {
                (_, None) => String::new(),
                (false, Some(alias)) => format!(" as {alias}"),
                (true, Some(alias)) => format!(" to {alias}"),
            };
            format!("{name}{id} q{qos}{dup}{alias} `{payload}`")
        }
        _ => format!("{name}{id}"),
    }
}

fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

fn ack(value: u16) -> Ack<'static> {
    Ack::new(id(value))
}

fn topic(text: &str) -> TopicBuf {
    TopicBuf::parse(Dialect::Channels, Form::Mqtt, text).unwrap()
}
