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
    assert_eq!(bench.sent(), ["PUBREL 2", "PUBREL 2"]);
    bench.receive(Packet::Pubcomp(ack(2)));
    assert_eq!(bench.events(), [Event::Published(OpId(2))]);
}
