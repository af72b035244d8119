//! Subscriptions and what comes through them.

use super::*;

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
            group: None,
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
        group: None,
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
