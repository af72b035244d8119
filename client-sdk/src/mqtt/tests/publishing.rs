//! What is sent for a publish, and what its answers mean.

use super::*;

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
    assert_eq!(bench.sent(), [""; 0], "not before the engine has taken note");
    bench.take_note();
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
fn r8_what_cannot_be_sent_is_refused_and_nothing_else_suffers() {
    let mut bench = Bench::connected();
    bench.session.limit(u16::MAX, 100);
    let topic = TopicBuf::parse(Dialect::Channels, Form::Mqtt, TOPIC).unwrap();
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
        let message = Message::new(topic.clone(), vec![0; 100]).qos(qos);
        bench.session.handle_op(Op::Publish {
            id: OpId(1),
            message,
            number: None,
        });
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
        group: None,
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
    bench.session.handle_op(Op::Publish {
        id: OpId(9),
        message,
        number: None,
    });
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
    bench.session.handle_op(Op::Release(OpId(3)));
    bench.receive(Packet::Pubcomp(Ack {
        reason: ReasonCode::PacketIdentifierNotFound,
        ..ack(3)
    }));
    let kinds: Vec<_> = bench
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Refused { id, refusal } => Some((id.0, Some(refusal.kind()))),
            Event::Published(id) => Some((id.0, None)),
            Event::Received(_) => None,
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
    bench.session.handle_op(Op::Publish {
        id: OpId(1),
        message,
        number: None,
    });
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
