//! Lost connections, with the session kept or not.

use super::*;

// What RabbitMQ's MQTT plugin does in 3.1.1.
#[test]
fn a_puback_to_exactly_once_is_at_least_once() {
    let mut bench = Bench::connected();
    bench.publish(1, QoS::ExactlyOnce);
    bench.sent();
    bench.receive(Packet::Puback(ack(1)));
    let weakened = Event::Weakened {
        id: OpId(1),
        qos: QoS::AtLeastOnce,
    };
    assert_eq!(bench.events(), [weakened]);
    assert_eq!(bench.sent(), [""; 0]);
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
    bench.take_note();
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
    bench.take_note();
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
fn what_the_server_has_is_released_when_that_is_noted_also_on_the_next_connection() {
    let mut bench = Bench::connected();
    bench.publish(1, QoS::ExactlyOnce);
    bench.sent();
    bench.receive(Packet::Pubrec(ack(1)));
    bench.lose();
    assert_eq!(bench.connect(true).held, [OpId(1)]);
    assert_eq!(bench.sent(), [""; 0], "neither the message nor its release");
    bench.take_note();
    assert_eq!(bench.sent(), ["PUBREL 1"]);
    bench.receive(Packet::Pubcomp(ack(1)));
    assert_eq!(bench.events(), [Event::Published(OpId(1))]);
}

#[test]
fn a_later_process_goes_on_under_the_same_identifier() {
    let topic = TopicBuf::parse(Dialect::Channels, Form::Mqtt, TOPIC).unwrap();
    let begun = |id: u64, received| Begun {
        id: OpId(id),
        message: Message::new(topic.clone(), id.to_string()).qos(QoS::ExactlyOnce),
        number: NonZeroU16::new(0x8000 + u16::try_from(id).unwrap()).unwrap(),
        received,
    };
    let earlier = Earlier {
        begun: vec![begun(1, true), begun(2, false)],
        ..Earlier::default()
    };
    for (session_present, held, sent) in [
        (
            true,
            vec![OpId(1), OpId(2)],
            vec!["PUBREL 32769", "PUBLISH 32770 q2 dup `2`"],
        ),
        (false, vec![], vec![]),
    ] {
        let mut bench = Bench::new();
        // Two attempts: the engine says it each time, until one succeeds.
        bench.session.handle_earlier(&earlier);
        bench.session.handle_disconnected();
        bench.session.handle_earlier(&earlier);
        let accepted = bench.connect(session_present);
        assert_eq!(accepted.held, held);
        assert_eq!(bench.sent(), sent);
        bench.publish(3, QoS::AtLeastOnce);
        assert_eq!(
            bench.sent(),
            ["PUBLISH 1 q1 `3`"],
            "its own identifiers are below"
        );
    }
}

#[test]
fn what_is_held_is_sent_one_at_a_time_if_the_engine_wants_it_and_what_it_gave_up_is_not() {
    let mut bench = Bench::connected();
    for op in 1..=5 {
        bench.publish(op, QoS::AtLeastOnce);
    }
    bench.lose();
    let earlier = Earlier {
        max_in_flight: 1,
        given_up: vec![OpId(2)],
        ..Earlier::default()
    };
    bench.session.handle_earlier(&earlier);
    assert_eq!(bench.connect(true).held, [OpId(1), OpId(3), OpId(4), OpId(5)]);
    assert_eq!(bench.sent(), ["PUBLISH 1 q1 dup `1`"]);
    bench.receive(Packet::Puback(ack(1)));
    assert_eq!(bench.sent(), ["PUBLISH 3 q1 dup `3`", "PUBLISH 4 q1 dup `4`"]);
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
fn r11_a_duplicate_or_foreign_acknowledgement_is_counted_and_does_no_harm() {
    let mut bench = Bench::connected();
    bench.publish(1, QoS::AtLeastOnce);
    bench.publish(2, QoS::ExactlyOnce);
    bench.sent();
    bench.receive(Packet::Puback(ack(1)));
    assert_eq!(bench.events(), [Event::Published(OpId(1))]);
    // Again, for an identifier nobody has, and out of turn.
    for packet in [
        Packet::Puback(ack(1)),
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
    assert_eq!(bench.session.counters().unsolicited, 4);
    bench.receive(Packet::Pubrec(ack(2)));
    bench.receive(Packet::Pubrec(ack(2)));
    bench.take_note();
    bench.receive(Packet::Pubrec(ack(2)));
    assert_eq!(bench.sent(), ["PUBREL 2", "PUBREL 2"]);
    bench.receive(Packet::Pubcomp(ack(2)));
    assert_eq!(bench.events(), [Event::Published(OpId(2))]);
}
