//! The session against a scripted server, under simulated time. Tests are named after what rumqttc 0.25 did in the same place.

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
    transport::{Capabilities, DeliveryId, Event, Op, OpId, Received, SubscriptionId, TransportErrorKind},
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
            session: Session::new(Dialect::Channels),
            version: Version::V311,
            now: Instant::now(),
        }
    }

    /// A session with its first connection open.
    fn connected() -> Self {
        let mut bench = Self::new();
        assert_eq!(bench.connect(false), Accepted::default());
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
        let fields = ConnectFields::new(Version::V5, Text::new("c").unwrap());
        bench.session.handle_connected(&fields).unwrap();
        bench.sent();
        let mut bytes = [0; 64];
        let mut block = PropertiesBuf::new(PropertyScope::Connack, &mut bytes);
        for property in properties {
            block.push(*property).unwrap();
        }
        bench.receive(Packet::Connack(Connack {
            properties: block.finish(),
            ..Connack::default()
        }));
        let accepted = bench.session.poll_accepted().unwrap();
        (bench, accepted)
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
        let topic = TopicBuf::parse(Dialect::Channels, Form::Mqtt, TOPIC).unwrap();
        let message = Message::new(topic, Bytes::from(id.to_string())).qos(qos);
        self.session.handle_op(Op::Publish {
            id: OpId(id),
            message,
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
            format!("{name}{id} q{}{dup} `{payload}`", publish.delivery.qos().bits())
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

#[test]
fn each_guarantee_is_answered_when_it_is_reached() {
    let mut bench = Bench::connected();
    bench.publish(0, QoS::AtMostOnce);
    bench.publish(1, QoS::AtLeastOnce);
    bench.publish(2, QoS::ExactlyOnce);
    assert_eq!(bench.events(), [], "nothing is handed over yet");
    assert_eq!(
        bench.sent(),
        ["PUBLISH q0 `0`", "PUBLISH 1 q1 `1`", "PUBLISH 2 q2 `2`"]
    );
    assert_eq!(bench.events(), [Event::Published(OpId(0))]);
    bench.receive(Packet::Puback(ack(1)));
    assert_eq!(bench.events(), [Event::Published(OpId(1))]);
    bench.receive(Packet::Pubrec(ack(2)));
    assert_eq!(bench.sent(), ["PUBREL 2"]);
    assert_eq!(bench.events(), []);
    bench.receive(Packet::Pubcomp(ack(2)));
    assert_eq!(bench.events(), [Event::Published(OpId(2))]);
}

#[test]
fn a_publish_at_most_once_is_not_answered_before_all_its_bytes_are_taken() {
    let mut bench = Bench::connected();
    bench.publish(7, QoS::AtMostOnce);
    let len = bench.session.poll_transmit().len();
    bench.session.handle_sent(len - 1, bench.now);
    assert_eq!(bench.events(), []);
    bench.session.handle_sent(1, bench.now);
    assert_eq!(bench.events(), [Event::Published(OpId(7))]);
}

#[test]
fn r1_a_lost_session_gives_back_what_is_safe_to_repeat_and_reports_the_rest() {
    let mut bench = Bench::connected();
    bench.publish(1, QoS::AtLeastOnce);
    bench.publish(2, QoS::ExactlyOnce);
    bench.publish(3, QoS::ExactlyOnce);
    bench.sent();
    bench.receive(Packet::Pubrec(ack(3)));
    bench.lose();
    let accepted = bench.connect(false);
    assert_eq!(
        accepted,
        Accepted {
            resumed: false,
            held: vec![],
            in_doubt: vec![OpId(2), OpId(3)],
            ..Accepted::default()
        }
    );
    assert_eq!(
        bench.sent(),
        [""; 0],
        "nothing of the old session is sent in the new one"
    );
}

#[test]
fn r1_what_never_left_is_neither_held_nor_in_doubt() {
    let mut bench = Bench::connected();
    bench.publish(1, QoS::ExactlyOnce);
    bench.session.handle_disconnected();
    for session_present in [true, false] {
        let accepted = bench.connect(session_present);
        assert_eq!((accepted.held, accepted.in_doubt), (vec![], vec![]));
        assert_eq!(bench.sent(), [""; 0]);
        bench.lose();
    }
}

#[test]
fn r1_an_answer_that_nobody_collected_survives_the_connection() {
    let mut bench = Bench::connected();
    bench.publish(1, QoS::ExactlyOnce);
    bench.sent();
    bench.receive(Packet::Pubrec(ack(1)));
    bench.receive(Packet::Pubcomp(ack(1)));
    bench.lose();
    assert_eq!(bench.connect(false).held, [OpId(1)]);
    assert_eq!(bench.events(), [Event::Published(OpId(1))]);
}

#[test]
fn r5_resent_publishes_have_dup_and_keep_their_order() {
    let mut bench = Bench::connected();
    for op in 1..=4 {
        bench.publish(
            op,
            if op == 2 {
                QoS::ExactlyOnce
            } else {
                QoS::AtLeastOnce
            },
        );
    }
    bench.sent();
    bench.receive(Packet::Puback(ack(3)));
    assert_eq!(bench.events(), [Event::Published(OpId(3))]);
    bench.lose();
    let accepted = bench.connect(true);
    assert_eq!(
        accepted,
        Accepted {
            resumed: true,
            held: vec![OpId(1), OpId(2), OpId(4)],
            in_doubt: vec![],
            ..Accepted::default()
        }
    );
    bench.publish(5, QoS::AtLeastOnce);
    let expected = [
        "PUBLISH 1 q1 dup `1`",
        "PUBLISH 2 q2 dup `2`",
        "PUBLISH 4 q1 dup `4`",
        "PUBLISH 5 q1 `5`",
    ];
    assert_eq!(bench.sent(), expected);
}

#[test]
fn r6_a_release_is_resumed_and_a_foreign_one_is_answered() {
    let mut bench = Bench::connected();
    bench.publish(1, QoS::ExactlyOnce);
    bench.sent();
    bench.receive(Packet::Pubrec(ack(1)));
    bench.lose();
    assert_eq!(bench.connect(true).held, [OpId(1)]);
    assert_eq!(
        bench.sent(),
        ["PUBREL 1"],
        "the message itself is the server's since PUBREC"
    );
    bench.receive(Packet::Pubrel(ack(900)));
    assert_eq!(bench.sent(), ["PUBCOMP 900"]);
    bench.receive(Packet::Pubcomp(ack(1)));
    let events = bench.events();
    assert!(events.contains(&Event::Published(OpId(1))), "{events:?}");
}

#[test]
fn r7_an_exactly_once_message_that_comes_twice_is_delivered_once() {
    let mut bench = Bench::connected();
    bench.arrive(Delivery::ExactlyOnce(id(9)), false, b"x");
    bench.arrive(Delivery::ExactlyOnce(id(9)), true, b"x");
    let received = bench.received();
    assert_eq!(received.len(), 1);
    assert_eq!(bench.sent(), [""; 0], "not before the application has it");
    bench
        .session
        .handle_op(Op::Acknowledge(received[0].delivery.unwrap()));
    assert_eq!(bench.sent(), ["PUBREC 9"]);
    bench.lose();
    bench.connect(true);
    bench.arrive(Delivery::ExactlyOnce(id(9)), true, b"x");
    assert_eq!(bench.sent(), ["PUBREC 9"]);
    bench.receive(Packet::Pubrel(ack(9)));
    assert_eq!(bench.sent(), ["PUBCOMP 9"]);
    assert_eq!(bench.received(), []);
    assert_eq!(bench.session.counters().repeated, 2);
}

#[test]
fn r8_what_cannot_be_sent_is_refused_and_nothing_else_suffers() {
    let mut bench = Bench::connected();
    bench.session.limit(u16::MAX, 100);
    let topic = TopicBuf::parse(Dialect::Channels, Form::Mqtt, TOPIC).unwrap();
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
        let message = Message::new(topic.clone(), vec![0; 100]).qos(qos);
        bench.session.handle_op(Op::Publish { id: OpId(1), message });
        let [Event::Refused { id: OpId(1), refusal }] = &bench.events()[..] else {
            panic!("not refused")
        };
        assert_eq!(refusal.kind(), RefusalKind::TooLarge);
        assert_eq!(bench.sent(), [""; 0]);
    }
    bench.publish(2, QoS::AtLeastOnce);
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn r9_a_lost_session_leaves_nothing_that_blocks() {
    let mut bench = Bench::connected();
    for round in 0..3 {
        for op in 0..100 {
            bench.publish(op, QoS::AtLeastOnce);
        }
        assert_eq!(bench.sent().len(), 100, "round {round}");
        bench.lose();
        bench.connect(false);
    }
}

#[test]
fn r10_acknowledgements_in_any_order_free_their_identifiers() {
    let mut bench = Bench::connected();
    for round in 0..1_000 {
        for op in 1..=100 {
            bench.publish(op, QoS::AtLeastOnce);
        }
        let mut sent = bench.sent();
        assert_eq!(sent.len(), 100);
        if round % 2 == 0 {
            sent.reverse();
        }
        for publish in sent {
            let packet_id = publish.split(' ').nth(1).unwrap().parse().unwrap();
            bench.receive(Packet::Puback(ack(packet_id)));
        }
        assert_eq!(bench.events().len(), 100);
    }
    assert_eq!(bench.session.counters().unsolicited, 0);
}

#[test]
fn r11_a_duplicate_or_foreign_acknowledgement_is_counted_and_does_no_harm() {
    let mut bench = Bench::connected();
    bench.publish(1, QoS::AtLeastOnce);
    bench.publish(2, QoS::ExactlyOnce);
    bench.sent();
    bench.receive(Packet::Puback(ack(1)));
    assert_eq!(bench.events(), [Event::Published(OpId(1))]);
    // Again, for another guarantee, for an identifier nobody has, and out of turn.
    for packet in [
        Packet::Puback(ack(1)),
        Packet::Puback(ack(2)),
        Packet::Puback(ack(77)),
        Packet::Pubcomp(ack(2)),
    ] {
        bench.receive(packet);
    }
    bench.receive(Packet::Suback(Suback {
        packet_id: id(5),
        reasons: (&[ReasonCode::Success]).into(),
        properties: Default::default(),
    }));
    assert_eq!(bench.events(), []);
    assert_eq!(bench.session.counters().unsolicited, 5);
    bench.receive(Packet::Pubrec(ack(2)));
    bench.receive(Packet::Pubrec(ack(2)));
    assert_eq!(bench.sent(), ["PUBREL 2", "PUBREL 2"]);
    bench.receive(Packet::Pubcomp(ack(2)));
    assert_eq!(bench.events(), [Event::Published(OpId(2))]);
}

#[test]
fn r15_a_half_open_connection_is_found_within_one_interval_and_a_ping_timeout() {
    let mut bench = Bench::connected();
    let start = bench.now;
    let mut lost = None;
    for second in 1..=50 {
        bench.now = start + second * SECOND;
        // The device sends all the time and hears nothing.
        bench.publish(u64::from(second), QoS::AtMostOnce);
        if let Err(error) = bench.session.handle_timeout(bench.now) {
            lost = Some((second, error.kind()));
            break;
        }
        bench.sent();
    }
    assert_eq!(lost, Some((40, TransportErrorKind::TimedOut)));
}

#[test]
fn r16_a_full_window_holds_back_only_what_needs_the_window() {
    let mut bench = Bench::connected();
    bench.session.limit(1, 1_000);
    bench.publish(1, QoS::AtLeastOnce);
    bench.publish(2, QoS::AtLeastOnce);
    bench.publish(3, QoS::AtMostOnce);
    let filter = FilterBuf::parse(Dialect::Channels, Form::Mqtt, "channels/c1/messages/#").unwrap();
    let (id_, subscription) = (OpId(4), SubscriptionId(0));
    bench.session.handle_op(Op::Subscribe {
        id: id_,
        subscription,
        filter,
        qos: QoS::ExactlyOnce,
    });
    bench.arrive(Delivery::AtLeastOnce(id(3)), false, b"x");
    bench.session.handle_op(Op::Acknowledge(DeliveryId(0)));
    assert_eq!(
        bench.sent(),
        ["PUBLISH 1 q1 `1`", "PUBLISH q0 `3`", "SUBSCRIBE 3", "PUBACK 3"]
    );
    bench.receive(Packet::Puback(ack(1)));
    assert_eq!(bench.sent(), ["PUBLISH 2 q1 `2`"]);
}

#[test]
fn subscribing_is_answered_by_the_code_of_the_suback() {
    let mut bench = Bench::connected();
    let filter = FilterBuf::parse(Dialect::Channels, Form::Mqtt, "channels/c1/messages/+").unwrap();
    let subscription = SubscriptionId(0);
    for (op, code) in [(1, ReasonCode::GrantedQos1), (2, ReasonCode::UnspecifiedError)] {
        let filter = filter.clone();
        bench.session.handle_op(Op::Subscribe {
            id: OpId(op),
            subscription,
            filter,
            qos: QoS::ExactlyOnce,
        });
        let packet_id = id(u16::try_from(op).unwrap());
        bench.receive(Packet::Suback(Suback {
            packet_id,
            reasons: (&[code]).into(),
            properties: Default::default(),
        }));
    }
    bench.session.handle_op(Op::Unsubscribe {
        id: OpId(3),
        subscription,
        filter,
    });
    bench.receive(Packet::Unsuback(Unsuback {
        packet_id: id(3),
        reasons: (&[]).into(),
        properties: Default::default(),
    }));
    let events = bench.events();
    assert_eq!(
        events[0],
        Event::Subscribed {
            id: OpId(1),
            qos: QoS::AtLeastOnce
        }
    );
    assert!(
        matches!(&events[1], Event::Refused { id: OpId(2), refusal } if refusal.kind() == RefusalKind::Forbidden)
    );
    assert_eq!(events[2], Event::Unsubscribed(OpId(3)));
}

#[test]
fn a_message_on_a_foreign_topic_is_acknowledged_and_counted() {
    let mut bench = Bench::connected();
    let topic = TopicName::new("$SYS/broker/uptime").unwrap();
    let publish = Publish {
        delivery: Delivery::AtLeastOnce(id(4)),
        ..Publish::new(topic, b"1")
    };
    bench.receive(Packet::Publish(publish));
    assert_eq!(bench.events(), []);
    assert_eq!(bench.sent(), ["PUBACK 4"]);
    assert_eq!(bench.session.counters().foreign, 1);
}

#[test]
fn refused_credentials_and_a_broken_server_are_told_apart() {
    for (code, kind) in [
        (
            ReasonCode::BadUserNameOrPassword,
            TransportErrorKind::Refused(RefusalKind::Credentials),
        ),
        (
            ReasonCode::NotAuthorized,
            TransportErrorKind::Refused(RefusalKind::Credentials),
        ),
        (
            ReasonCode::ServerUnavailable,
            TransportErrorKind::Refused(RefusalKind::Busy),
        ),
        (
            ReasonCode::UnsupportedProtocolVersion,
            TransportErrorKind::Unsupported,
        ),
    ] {
        let mut session = Session::new(Dialect::Channels);
        session
            .handle_connected(&ConnectFields::new(Version::V311, Text::new("c").unwrap()))
            .unwrap();
        let connack = Packet::Connack(Connack {
            reason: code,
            ..Connack::default()
        });
        assert_eq!(
            session
                .handle_packet(&connack, Instant::now())
                .unwrap_err()
                .kind(),
            kind
        );
    }
    let mut bench = Bench::connected();
    let second = Packet::Connack(Connack::default());
    let error = bench.session.handle_packet(&second, bench.now).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Protocol);
    let early = Session::new(Dialect::Channels).handle_packet(&Packet::Pingresp, bench.now);
    assert_eq!(early.unwrap_err().kind(), TransportErrorKind::Protocol);
}

#[test]
fn goodbye_is_said_once() {
    let mut bench = Bench::connected();
    bench.session.handle_close();
    bench.session.handle_close();
    assert_eq!(
        bench.sent(),
        [describe(&Packet::Disconnect(Disconnect::default()))]
    );
}

#[test]
fn what_the_server_does_not_take_is_not_sent() {
    let (mut bench, accepted) = Bench::connected_as_5(&[
        Property::ReceiveMaximum(NonZeroU16::new(2).unwrap()),
        Property::MaximumPacketSize(NonZeroU32::new(100).unwrap()),
        Property::MaximumQos(manywire_mqtt_codec::QoS::AtLeastOnce),
        Property::RetainAvailable(false),
        Property::ServerKeepAlive(20),
    ]);
    let mut capabilities = Capabilities::publish_and_subscribe(QoS::ExactlyOnce);
    (capabilities.max_in_flight, capabilities.retain) = (1_000, true);
    accepted.limits.restrict(&mut capabilities);
    assert_eq!(
        (capabilities.max_in_flight, capabilities.max_payload),
        (2, Some(100))
    );
    assert_eq!(
        (capabilities.max_qos, capabilities.retain),
        (QoS::AtLeastOnce, false)
    );
    assert_eq!(bench.session.poll_timeout(), Some(bench.now + 15 * SECOND));
    for op in 1..=3 {
        bench.publish(op, QoS::AtLeastOnce);
    }
    assert_eq!(bench.sent(), ["PUBLISH 1 q1 `1`", "PUBLISH 2 q1 `2`"]);
    bench.receive(Packet::Puback(ack(2)));
    assert_eq!(bench.sent(), ["PUBLISH 3 q1 `3`"]);
    let topic = TopicBuf::parse(Dialect::Channels, Form::Mqtt, TOPIC).unwrap();
    let message = Message::new(topic, vec![0; 100]).qos(QoS::AtMostOnce);
    bench.session.handle_op(Op::Publish { id: OpId(9), message });
    let events = bench.events();
    let refused = |event: &Event| matches!(event, Event::Refused { id: OpId(9), refusal } if refusal.kind() == RefusalKind::TooLarge);
    assert!(events.iter().any(refused), "{events:?}");
}

#[test]
fn a_reason_says_what_became_of_a_message() {
    let (mut bench, _) = Bench::connected_as_5(&[]);
    bench.publish(1, QoS::AtLeastOnce);
    bench.publish(2, QoS::ExactlyOnce);
    bench.publish(3, QoS::ExactlyOnce);
    bench.sent();
    bench.receive(Packet::Puback(Ack {
        reason: ReasonCode::NotAuthorized,
        ..ack(1)
    }));
    bench.receive(Packet::Pubrec(Ack {
        reason: ReasonCode::QuotaExceeded,
        ..ack(2)
    }));
    bench.receive(Packet::Pubrec(Ack {
        reason: ReasonCode::NoMatchingSubscribers,
        ..ack(3)
    }));
    bench.receive(Packet::Pubcomp(Ack {
        reason: ReasonCode::PacketIdentifierNotFound,
        ..ack(3)
    }));
    let kinds: Vec<_> = bench
        .events()
        .into_iter()
        .map(|event| match event {
            Event::Refused { id, refusal } => (id.0, Some(refusal.kind())),
            Event::Published(id) => (id.0, None),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            (1, Some(RefusalKind::Forbidden)),
            (2, Some(RefusalKind::Busy)),
            (3, None)
        ]
    );
    assert_eq!(bench.sent(), ["PUBREL 3"]);
}

#[test]
fn content_type_and_lifetime_go_and_come_with_the_message() {
    let (mut bench, _) = Bench::connected_as_5(&[]);
    let topic = TopicBuf::parse(Dialect::Channels, Form::Mqtt, TOPIC).unwrap();
    let mut message = Message::new(topic, "[]").content_type(ContentType::SENML_JSON);
    message.expires_after = Some(Duration::from_millis(1_500));
    bench.session.handle_op(Op::Publish { id: OpId(1), message });
    let bytes = bench.session.poll_transmit().to_vec();
    let Ok(Outcome::Complete((Packet::Publish(publish), _))) = decode(&bytes, Version::V5, &Policy::STRICT)
    else {
        panic!("no PUBLISH: {bytes:?}");
    };
    assert_eq!(publish.properties.message_expiry_interval(), Some(2));
    assert_eq!(
        publish.properties.content_type().unwrap().as_str(),
        "application/senml+json"
    );
    let sent_back = Publish {
        delivery: Delivery::AtMostOnce,
        ..publish
    };
    bench.receive(sent_back.into());
    assert_eq!(bench.received()[0].content_type, Some(ContentType::SENML_JSON));
}

#[test]
fn a_server_that_says_goodbye_says_why() {
    let (mut bench, _) = Bench::connected_as_5(&[]);
    let packet = Packet::Disconnect(Disconnect::new(ReasonCode::ServerShuttingDown));
    let error = bench.session.handle_packet(&packet, bench.now).unwrap_err();
    assert_eq!(error.kind(), TransportErrorKind::Closed);
    assert!(error.to_string().contains("Server shutting down"), "{error}");
}
