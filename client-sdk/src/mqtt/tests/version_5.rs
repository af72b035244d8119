//! What only 5.0 has.

use super::*;
use crate::properties::Properties as ManywireProperties;

fn on(subtopic: &str, qos: QoS) -> Message {
    Message::new(
        topic(&format!("channels/c1/messages/{subtopic}")),
        subtopic.to_owned(),
    )
    .qos(qos)
}

#[test]
fn a_topic_that_comes_again_is_a_number_as_far_as_the_server_takes_numbers() {
    let (mut bench, _) = Bench::connected_as_5(&[Property::TopicAliasMaximum(2)]);
    for (subtopic, op) in ["a", "b", "a", "c", "b", "c"].into_iter().zip(1..) {
        bench.submit(op, on(subtopic, QoS::AtMostOnce));
    }
    assert_eq!(
        bench.sent(),
        [
            "PUBLISH q0 as 1 `a`",
            "PUBLISH q0 as 2 `b`",
            "PUBLISH q0 to 1 `a`",
            "PUBLISH q0 `c`",
            "PUBLISH q0 to 2 `b`",
            "PUBLISH q0 `c`"
        ]
    );
}

#[test]
fn aliases_end_with_their_connection_and_what_is_sent_again_says_its_topic() {
    let (mut bench, _) = Bench::connected_as_5(&[Property::TopicAliasMaximum(9)]);
    bench.submit(1, on("a", QoS::AtLeastOnce));
    bench.submit(2, on("a", QoS::ExactlyOnce));
    assert_eq!(bench.sent(), ["PUBLISH 1 q1 as 1 `a`", "PUBLISH 2 q2 to 1 `a`"]);
    bench.lose();
    bench.connect_as_5(true, &[Property::TopicAliasMaximum(9)]);
    bench.submit(3, on("a", QoS::AtMostOnce));
    assert_eq!(
        bench.sent(),
        [
            "PUBLISH 1 q1 dup `a`",
            "PUBLISH 2 q2 dup `a`",
            "PUBLISH q0 as 1 `a`"
        ]
    );
    bench.lose();
    bench.connect_as_5(true, &[]);
    bench.submit(4, on("a", QoS::AtMostOnce));
    assert_eq!(bench.sent().last().unwrap(), "PUBLISH q0 `a`");
}

#[test]
fn an_alias_that_makes_the_packet_too_large_is_left_out_and_not_counted() {
    let plain = codec_len(&on("abc", QoS::AtMostOnce));
    let largest = NonZeroU32::new(u32::try_from(plain).unwrap()).unwrap();
    let (mut bench, _) = Bench::connected_as_5(&[
        Property::TopicAliasMaximum(9),
        Property::MaximumPacketSize(largest),
    ]);
    bench.submit(1, on("abc", QoS::AtMostOnce));
    bench.submit(2, on("a", QoS::AtMostOnce));
    assert_eq!(bench.sent(), ["PUBLISH q0 `abc`", "PUBLISH q0 as 1 `a`"]);
}

fn codec_len(message: &Message) -> usize {
    let (mut bench, _) = Bench::connected_as_5(&[]);
    bench.submit(1, message.clone());
    bench.session.poll_transmit().len()
}

#[test]
fn what_the_application_adds_goes_and_comes_with_the_message() {
    let (mut bench, _) = Bench::connected_as_5(&[]);
    let properties = ManywireProperties::new()
        .with_user_property("unit", "K")
        .with_user_property("unit", "C")
        .with_response_topic(topic("channels/c1/messages/answers"))
        .with_correlation_data(vec![0, 1, 2]);
    let mut message = on("a", QoS::AtMostOnce).properties(properties.clone());
    message.expires_after = Some(Duration::from_secs(7));
    bench.submit(1, message);
    let bytes = bench.session.poll_transmit().to_vec();
    let Ok(Outcome::Complete((packet, _))) = decode(&bytes, Version::V5, &Policy::STRICT) else {
        panic!("no packet: {bytes:?}");
    };
    bench.receive(packet);
    let received = &bench.received()[0];
    assert_eq!(received.properties, properties);
    assert_eq!(received.expires_after, Some(Duration::from_secs(7)));
}

#[test]
fn what_is_no_text_of_mqtt_is_refused_and_nothing_is_sent() {
    let (mut bench, _) = Bench::connected_as_5(&[]);
    let too_long = "x".repeat(65_536);
    for (properties, kind) in [
        (
            ManywireProperties::new().with_user_property("a\0", ""),
            RefusalKind::Topic,
        ),
        (
            ManywireProperties::new().with_user_property("a", too_long.clone()),
            RefusalKind::TooLarge,
        ),
        (
            ManywireProperties::new().with_correlation_data(too_long),
            RefusalKind::TooLarge,
        ),
    ] {
        bench.submit(1, on("a", QoS::AtLeastOnce).properties(properties));
        let events = bench.events();
        assert!(
            matches!(&events[..], [Event::Refused { refusal, .. }] if refusal.kind() == kind),
            "{kind:?}: {events:?}"
        );
    }
    assert!(bench.sent().is_empty());
}

/// A message that says which subscriptions it came through.
fn through(bench: &mut Bench, identifiers: &[u32], retain: bool) -> Received {
    let mut bytes = [0; 64];
    let mut block = PropertiesBuf::new(PropertyScope::Publish, &mut bytes);
    for identifier in identifiers {
        let identifier = NonZeroU32::new(*identifier).unwrap();
        block.push(Property::SubscriptionIdentifier(identifier)).unwrap();
    }
    bench.receive(Packet::Publish(Publish {
        retain,
        properties: block.finish(),
        ..Publish::new(TopicName::new(TOPIC).unwrap(), b"x")
    }));
    bench.received().remove(0)
}

fn grant(bench: &mut Bench, packet_id: u16, reason: ReasonCode) {
    bench.receive(Packet::Suback(Suback {
        packet_id: id(packet_id),
        reasons: (&[reason]).into(),
        properties: Default::default(),
    }));
    bench.events();
}

#[test]
fn a_message_says_which_subscriptions_it_came_through() {
    let (mut bench, _) = Bench::connected_as_5(&[]);
    bench.subscribe(10, 100, "channels/c1/messages/+", None);
    bench.subscribe(20, 200, "channels/c1/messages/#", None);
    grant(&mut bench, 1, ReasonCode::GrantedQos1);
    grant(&mut bench, 2, ReasonCode::GrantedQos1);
    let one = through(&mut bench, &[2], false);
    assert_eq!(
        (one.subscription, one.also, one.asked),
        (Some(SubscriptionId(200)), vec![], None)
    );
    let both = through(&mut bench, &[1, 2], false);
    assert_eq!(both.subscription, Some(SubscriptionId(100)));
    assert_eq!(both.also, [SubscriptionId(200)]);
    let kept = through(&mut bench, &[1], true);
    assert_eq!(
        (kept.subscription, kept.asked),
        (Some(SubscriptionId(100)), Some(OpId(10)))
    );
    let foreign = through(&mut bench, &[77], false);
    assert_eq!(foreign.subscription, None, "routed by its topic");
}

#[test]
fn an_identifier_lives_as_long_as_what_it_stands_for() {
    let (mut bench, _) = Bench::connected_as_5(&[]);
    let asked = |bench: &mut Bench, identifier| through(bench, &[identifier], true).asked;
    bench.subscribe(10, 100, "channels/c1/messages/+", None);
    grant(&mut bench, 1, ReasonCode::GrantedQos1);
    bench.subscribe(11, 100, "channels/c1/messages/+", None);
    assert_eq!(
        asked(&mut bench, 1),
        Some(OpId(10)),
        "until the second one is granted"
    );
    grant(&mut bench, 2, ReasonCode::GrantedQos1);
    assert_eq!(
        (asked(&mut bench, 1), asked(&mut bench, 2)),
        (None, Some(OpId(11)))
    );
    bench.lose();
    bench.connect_as_5(true, &[]);
    assert_eq!(asked(&mut bench, 2), Some(OpId(11)), "the server kept it");
    bench.lose();
    bench.connect_as_5(false, &[]);
    assert_eq!(asked(&mut bench, 2), None, "the server forgot it");
    bench.subscribe(12, 100, "channels/c1/messages/+", None);
    grant(&mut bench, 3, ReasonCode::NotAuthorized);
    assert_eq!(asked(&mut bench, 3), None, "it was refused");
}

#[test]
fn what_the_server_does_not_offer_is_not_asked_for() {
    let (mut bench, accepted) = Bench::connected_as_5(&[Property::SubscriptionIdentifierAvailable(false)]);
    let mut capabilities = Capabilities::publish_and_subscribe(QoS::ExactlyOnce);
    capabilities.shared_subscriptions = true;
    accepted.limits.restrict(&mut capabilities);
    assert!(!capabilities.shared_subscriptions);
    bench.subscribe(10, 100, "channels/c1/messages/+", Some("group"));
    let events = bench.events();
    assert!(
        matches!(&events[..], [Event::Refused { refusal, .. }] if refusal.kind() == RefusalKind::Unsupported),
        "{events:?}"
    );
    assert!(bench.sent().is_empty(), "before anything is sent");
    bench.subscribe(11, 100, "channels/c1/messages/+", None);
    let bytes = bench.session.poll_transmit().to_vec();
    let Ok(Outcome::Complete((Packet::Subscribe(subscribe), _))) =
        decode(&bytes, Version::V5, &Policy::STRICT)
    else {
        panic!("no SUBSCRIBE: {bytes:?}");
    };
    assert!(subscribe.properties.is_empty());
}

#[test]
fn a_shared_subscription_names_its_group() {
    let (mut bench, _) = Bench::connected_as_5(&[]);
    bench.subscribe(10, 100, "channels/c1/messages/+", Some("group"));
    let bytes = bench.session.poll_transmit().to_vec();
    let Ok(Outcome::Complete((Packet::Subscribe(subscribe), _))) =
        decode(&bytes, Version::V5, &Policy::STRICT)
    else {
        panic!("no SUBSCRIBE: {bytes:?}");
    };
    let filter = subscribe.subscriptions.iter().next().unwrap().filter;
    assert_eq!(filter.as_str(), "$share/group/channels/c1/messages/+");
}
