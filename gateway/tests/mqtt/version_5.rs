//! What 5.0 adds.

use std::num::{NonZeroU16, NonZeroU32};

use manywire_gateway::Running;
use manywire_mqtt_codec::{
    ConnectFields, Delivery, Disconnect, Outcome, Packet, Policy, Properties, PropertiesBuf, Property,
    PropertyScope, QoS, ReasonCode, RetainHandling, Subscribe, Subscription, Text, TopicFilter, TopicName,
    Unsubscribe, Version, Will, decode,
};

use crate::peer::{Peer, fields5, id, topic};
use crate::started::{OTHER_CHANNEL, SUBSCRIBER_KEY, gateway, gateway_with};

fn block<'b>(scope: PropertyScope, bytes: &'b mut [u8], properties: &[Property<'_>]) -> Properties<'b> {
    let mut block = PropertiesBuf::new(scope, bytes);
    for property in properties {
        block.push(*property).unwrap();
    }
    block.finish()
}

fn text(text: &str) -> Text<'_> {
    Text::new(text).unwrap()
}

/// Connects with these properties; the answer is asserted.
async fn connect(
    gateway: &Running,
    client_id: &str,
    clean_start: bool,
    properties: &[Property<'_>],
    says: &str,
) -> Peer {
    let mut bytes = [0; 256];
    let properties = block(PropertyScope::Connect, &mut bytes, properties);
    let (peer, answer) = Peer::connect(
        gateway,
        &ConnectFields {
            clean_start,
            properties,
            ..fields5(client_id)
        },
    )
    .await;
    assert_eq!(answer, says);
    peer
}

async fn connected(gateway: &Running, client_id: &str) -> Peer {
    connect(gateway, client_id, true, &[], "CONNACK Success").await
}

async fn subscribe(peer: &mut Peer, subscription: Subscription<'_>, identifier: Option<u32>) -> String {
    let mut bytes = [0; 8];
    let identifier = identifier
        .and_then(NonZeroU32::new)
        .map(Property::SubscriptionIdentifier);
    let properties = block(PropertyScope::Subscribe, &mut bytes, identifier.as_slice());
    let subscriptions = [subscription];
    peer.send(
        Subscribe {
            packet_id: id(1),
            subscriptions: (&subscriptions).into(),
            properties,
        }
        .into(),
    )
    .await;
    peer.receive().await
}

#[tokio::test]
async fn connack_says_what_the_server_takes() {
    let gateway = gateway_with(|limits| limits.payload = 1_000).await;
    let mut peer = Peer::raw(&gateway).await;
    peer.version = Version::V5;
    let mut bytes = [0; 8];
    let properties = block(
        PropertyScope::Connect,
        &mut bytes,
        &[Property::SessionExpiryInterval(u32::MAX)],
    );
    peer.send(Packet::Connect(
        (&ConnectFields {
            properties,
            ..fields5("")
        })
            .into(),
    ))
    .await;
    let answer = peer.receive_raw().await;
    let Outcome::Complete((Packet::Connack(connack), _)) =
        decode(&answer, Version::V5, &Policy::STRICT).unwrap()
    else {
        panic!("no CONNACK: {answer:?}");
    };
    let properties = connack.properties;
    assert!(
        !properties
            .assigned_client_identifier()
            .unwrap()
            .as_str()
            .is_empty()
    );
    assert_eq!(properties.receive_maximum().unwrap().get(), 1_000);
    assert!(properties.maximum_packet_size().unwrap().get() > 1_000);
    assert_eq!(properties.session_expiry_interval(), Some(24 * 60 * 60));
    assert_eq!(properties.topic_alias_maximum(), Some(16));
}

#[tokio::test]
async fn each_way_of_not_being_allowed_has_its_reason() {
    let gateway = gateway().await;
    for (fields, reason) in [
        (
            ConnectFields {
                password: Some(b"wrong"),
                ..fields5("a")
            },
            "CONNACK Bad User Name or Password",
        ),
        (
            ConnectFields {
                user_name: None,
                password: None,
                ..fields5("a")
            },
            "CONNACK Not authorized",
        ),
    ] {
        let (mut peer, answer) = Peer::connect(&gateway, &fields).await;
        assert_eq!(
            (answer.as_str(), peer.receive().await.as_str()),
            (reason, "closed")
        );
    }
    let method = [Property::AuthenticationMethod(text("SCRAM"))];
    connect(&gateway, "a", true, &method, "CONNACK Bad authentication method").await;
}

#[tokio::test]
async fn a_refused_publish_is_acknowledged_with_its_reason() {
    let gateway = gateway_with(|limits| limits.payload = 10).await;
    let fields = ConnectFields {
        user_name: Some(text("subscriber")),
        password: Some(SUBSCRIBER_KEY.as_bytes()),
        ..fields5("reader")
    };
    let (mut reader, _) = Peer::connect(&gateway, &fields).await;
    reader.publish("/a", "x", Delivery::AtLeastOnce(id(1))).await;
    assert_eq!(reader.receive().await, "PUBACK 1 Not authorized");
    for _ in 0..2 {
        // The exchange is over with the refusal: the identifier names a new message.
        reader.publish("/a", "x", Delivery::ExactlyOnce(id(2))).await;
        assert_eq!(reader.receive().await, "PUBREC 2 Not authorized");
    }
    reader
        .publish("/a", "12345678901", Delivery::AtLeastOnce(id(3)))
        .await;
    assert_eq!(reader.receive().await, "PUBACK 3 Quota exceeded");
    reader.publish("/a*b", "x", Delivery::AtLeastOnce(id(4))).await;
    assert_eq!(reader.receive().await, "PUBACK 4 Topic Name invalid");
    reader.publish("/a", "x", Delivery::AtMostOnce).await;
    assert_eq!(reader.receive().await, "DISCONNECT Not authorized");
    assert_eq!(reader.receive().await, "closed");
}

#[tokio::test]
async fn properties_reach_subscribers_unaltered_and_none_reach_those_of_3_1_1() {
    let gateway = gateway().await;
    let mut old = Peer::connected(&gateway, "old").await;
    old.subscribe(1, &[("/#", QoS::AtMostOnce)]).await;
    let mut new = connected(&gateway, "new").await;
    let filter = topic("/#");
    let subscription = Subscription::new(TopicFilter::new(&filter).unwrap(), QoS::AtMostOnce);
    assert_eq!(subscribe(&mut new, subscription, Some(7)).await, "SUBACK 1 [0]");
    let filter = topic("/a");
    let subscription = Subscription::new(TopicFilter::new(&filter).unwrap(), QoS::AtMostOnce);
    assert_eq!(subscribe(&mut new, subscription, Some(9)).await, "SUBACK 1 [0]");
    let mut publisher = connected(&gateway, "publisher").await;
    let answers = topic("/answers");
    let mut bytes = [0; 256];
    let properties = block(
        PropertyScope::Publish,
        &mut bytes,
        &[
            Property::UserProperty(text("b"), text("1")),
            Property::ResponseTopic(TopicName::new(&answers).unwrap()),
            Property::UserProperty(text("a"), text("2")),
        ],
    );
    publisher
        .publish_with("/a", "x", |publish| publish.properties = properties)
        .await;
    assert_eq!(old.receive().await, "PUBLISH q0 /a `x`");
    let got = new.receive().await;
    let expected = format!(
        "PUBLISH q0 /a `x` UserProperty(\"b\", \"1\") ResponseTopic({answers:?}) UserProperty(\"a\", \"2\")"
    );
    let rest = got.strip_prefix(&expected).unwrap_or_else(|| panic!("{got}"));
    assert!(
        rest.contains("SubscriptionIdentifier(7)") && rest.contains("SubscriptionIdentifier(9)"),
        "{rest}"
    );
}

#[tokio::test]
async fn subscription_options_are_kept() {
    let gateway = gateway().await;
    let mut peer = connected(&gateway, "a").await;
    peer.publish_with("/kept", "1", |publish| publish.retain = true)
        .await;
    let filter = topic("/+");
    let plain = Subscription::new(TopicFilter::new(&filter).unwrap(), QoS::AtMostOnce);
    let never = Subscription {
        retain_handling: RetainHandling::Never,
        ..plain
    };
    assert_eq!(subscribe(&mut peer, never, None).await, "SUBACK 1 [0]");
    peer.has_nothing().await;
    let only_new = Subscription {
        retain_handling: RetainHandling::AtNewSubscribe,
        ..plain
    };
    assert_eq!(subscribe(&mut peer, only_new, None).await, "SUBACK 1 [0]");
    peer.has_nothing().await;
    assert_eq!(subscribe(&mut peer, plain, None).await, "SUBACK 1 [0]");
    assert_eq!(peer.receive().await, "PUBLISH q0 retain /kept `1`");
    let own = Subscription {
        no_local: true,
        retain_as_published: true,
        retain_handling: RetainHandling::Never,
        ..plain
    };
    assert_eq!(subscribe(&mut peer, own, None).await, "SUBACK 1 [0]");
    peer.publish("/a", "mine", Delivery::AtMostOnce).await;
    peer.has_nothing().await;
    let mut other = connected(&gateway, "b").await;
    other
        .publish_with("/a", "theirs", |publish| publish.retain = true)
        .await;
    assert_eq!(peer.receive().await, "PUBLISH q0 retain /a `theirs`");
}

#[tokio::test]
async fn refused_filters_and_ended_subscriptions_have_reasons() {
    let gateway = gateway().await;
    let mut peer = connected(&gateway, "a").await;
    let foreign = format!("channels/{OTHER_CHANNEL}/messages/#");
    for (filter, code) in [("#", 0x8f), ("$share/g/#", 0x8f), (foreign.as_str(), 0x87)] {
        let subscription = Subscription::new(TopicFilter::new(filter).unwrap(), QoS::AtMostOnce);
        assert_eq!(
            subscribe(&mut peer, subscription, None).await,
            format!("SUBACK 1 [{code}]"),
            "{filter}"
        );
    }
    peer.subscribe(2, &[("/a", QoS::AtMostOnce)]).await;
    assert_eq!(peer.unsubscribe(3, "/a").await, "UNSUBACK 3 [0]");
    assert_eq!(peer.unsubscribe(4, "/a").await, "UNSUBACK 4 [17]");
}

#[tokio::test]
async fn topic_aliases_stand_for_their_topics() {
    let gateway = gateway().await;
    let mut watcher = Peer::connected(&gateway, "watcher").await;
    watcher.subscribe(1, &[("/#", QoS::AtMostOnce)]).await;
    let mut peer = connected(&gateway, "a").await;
    let alias = |number| Property::TopicAlias(NonZeroU16::new(number).unwrap());
    let (mut first, mut last, mut beyond, mut unknown) = ([0; 4], [0; 4], [0; 4], [0; 4]);
    let first = block(PropertyScope::Publish, &mut first, &[alias(1)]);
    let last = block(PropertyScope::Publish, &mut last, &[alias(16)]);
    let beyond = block(PropertyScope::Publish, &mut beyond, &[alias(17)]);
    let unknown = block(PropertyScope::Publish, &mut unknown, &[alias(2)]);
    for (subtopic, named, alias) in [
        ("/a", true, first),
        ("/b", true, last),
        ("/a", false, first),
        ("/b", false, last),
    ] {
        peer.publish_with(subtopic, "x", |publish| {
            publish.properties = alias;
            if !named {
                publish.topic = TopicName::ALIASED;
            }
        })
        .await;
        assert_eq!(watcher.receive().await, format!("PUBLISH q0 {subtopic} `x`"));
    }
    peer.publish_with("/c", "x", |publish| publish.properties = beyond)
        .await;
    assert_eq!(peer.receive().await, "DISCONNECT Topic Alias invalid");
    let mut peer = connected(&gateway, "a").await;
    peer.publish_with("/c", "x", |publish| {
        (publish.properties, publish.topic) = (unknown, TopicName::ALIASED)
    })
    .await;
    assert_eq!(peer.receive().await, "DISCONNECT Protocol Error");
    watcher.has_nothing().await;
}

#[tokio::test]
async fn the_clients_receive_maximum_and_packet_size_are_kept() {
    let gateway = gateway().await;
    let takes = [
        Property::ReceiveMaximum(NonZeroU16::new(2).unwrap()),
        Property::MaximumPacketSize(NonZeroU32::new(150).unwrap()),
    ];
    let mut peer = connect(&gateway, "small", true, &takes, "CONNACK Success").await;
    peer.subscribe(1, &[("/#", QoS::AtLeastOnce)]).await;
    let mut publisher = connected(&gateway, "publisher").await;
    for number in 1..=4 {
        let payload = if number == 2 {
            "x".repeat(200)
        } else {
            number.to_string()
        };
        publisher
            .publish("/a", &payload, Delivery::AtLeastOnce(id(number)))
            .await;
        assert_eq!(publisher.receive().await, format!("PUBACK {number}"));
    }
    let first = peer.receive().await;
    assert!(first.ends_with("`1`"), "{first}");
    let second = peer.receive().await;
    assert!(second.ends_with("`3`"), "what is too large is left out: {second}");
    peer.has_nothing().await;
    peer.puback(first.split(' ').nth(1).unwrap().parse().unwrap())
        .await;
    let third = peer.receive().await;
    assert!(third.ends_with("`4`"), "{third}");
}

#[tokio::test]
async fn a_session_lasts_as_long_as_it_was_asked_to() {
    let gateway = gateway().await;
    let hour = [Property::SessionExpiryInterval(3_600)];
    let peer = connect(&gateway, "c", false, &hour, "CONNACK Success").await;
    drop(peer);
    let peer = connect(&gateway, "c", false, &hour, "CONNACK Success, session present").await;
    drop(peer);
    // Clean Start throws it away, and the new one lasts all the same.
    let mut peer = connect(&gateway, "c", true, &hour, "CONNACK Success").await;
    let mut bytes = [0; 8];
    let properties = block(
        PropertyScope::Disconnect,
        &mut bytes,
        &[Property::SessionExpiryInterval(0)],
    );
    peer.send(Packet::Disconnect(Disconnect {
        reason: ReasonCode::Success,
        properties,
    }))
    .await;
    assert_eq!(peer.receive().await, "closed");
    let mut peer = connect(&gateway, "c", false, &[], "CONNACK Success").await;
    let properties = block(PropertyScope::Disconnect, &mut bytes, &hour);
    peer.send(Packet::Disconnect(Disconnect {
        reason: ReasonCode::Success,
        properties,
    }))
    .await;
    assert_eq!(peer.receive().await, "DISCONNECT Protocol Error");
    drop(peer);
    connect(&gateway, "c", false, &[], "CONNACK Success").await;
}

#[tokio::test]
async fn a_will_is_delayed_until_the_session_ends_or_the_client_is_back() {
    let gateway = gateway().await;
    let mut watcher = Peer::connected(&gateway, "watcher").await;
    watcher.subscribe(1, &[("/#", QoS::AtMostOnce)]).await;
    let will_topic = topic("/will");
    let (mut connect_bytes, mut will_bytes) = ([0; 8], [0; 8]);
    let hour = [Property::SessionExpiryInterval(3_600)];
    let properties = block(PropertyScope::Connect, &mut connect_bytes, &hour);
    let delay = block(
        PropertyScope::Will,
        &mut will_bytes,
        &[Property::WillDelayInterval(3_600)],
    );
    let will = Will {
        properties: delay,
        ..Will::new(TopicName::new(&will_topic).unwrap(), b"gone")
    };
    let fields = ConnectFields {
        clean_start: false,
        properties,
        will: Some(will),
        ..fields5("c")
    };
    for _ in 0..2 {
        // Coming back takes the will away.
        let (peer, _) = Peer::connect(&gateway, &fields).await;
        drop(peer);
    }
    watcher.has_nothing().await;
    // A clean start ends the session, and so the delay.
    let mut clean = connected(&gateway, "c").await;
    assert_eq!(watcher.receive().await, "PUBLISH q0 /will `gone`");
    clean.has_nothing().await;
    watcher.has_nothing().await;
}

#[tokio::test]
async fn a_will_is_published_at_once_without_delay_and_when_the_client_asks_for_it() {
    let gateway = gateway().await;
    let mut watcher = Peer::connected(&gateway, "watcher").await;
    watcher.subscribe(1, &[("/#", QoS::AtMostOnce)]).await;
    let will_topic = topic("/will");
    let will = Will::new(TopicName::new(&will_topic).unwrap(), b"gone");
    let (mut peer, _) = Peer::connect(
        &gateway,
        &ConnectFields {
            will: Some(will),
            ..fields5("c")
        },
    )
    .await;
    peer.send(Packet::Disconnect(Disconnect::new(
        ReasonCode::DisconnectWithWill,
    )))
    .await;
    assert_eq!(watcher.receive().await, "PUBLISH q0 /will `gone`");
}

#[tokio::test]
async fn a_connection_ends_with_its_reason() {
    let gateway = gateway().await;
    let mut first = connected(&gateway, "c").await;
    let mut second = connected(&gateway, "c").await;
    assert_eq!(first.receive().await, "DISCONNECT Session taken over");
    second.send_bytes(b"\x62\x02\0\0").await;
    assert_eq!(second.receive().await, "DISCONNECT Protocol Error");
    let (mut silent, _) = Peer::connect(
        &gateway,
        &ConnectFields {
            keep_alive: 1,
            ..fields5("silent")
        },
    )
    .await;
    assert_eq!(silent.receive().await, "DISCONNECT Keep Alive timeout");
    let mut greedy = connected(&gateway, "greedy").await;
    for number in 1..=1_001 {
        greedy.publish("/a", "x", Delivery::ExactlyOnce(id(number))).await;
        let expected = if number == 1_001 {
            "DISCONNECT Receive Maximum exceeded".into()
        } else {
            format!("PUBREC {number}")
        };
        assert_eq!(greedy.receive().await, expected);
    }
    let mut last = connected(&gateway, "last").await;
    gateway.stop().await;
    assert_eq!(last.receive().await, "DISCONNECT Server shutting down");
}

#[tokio::test]
async fn a_message_that_has_expired_is_not_delivered() {
    let gateway = gateway().await;
    let hour = [Property::SessionExpiryInterval(3_600)];
    let mut away = connect(&gateway, "away", false, &hour, "CONNACK Success").await;
    away.subscribe(1, &[("/#", QoS::AtLeastOnce)]).await;
    away.send(Packet::Disconnect(Disconnect::default())).await;
    assert_eq!(away.receive().await, "closed");
    let mut publisher = connected(&gateway, "publisher").await;
    let (mut short, mut long) = ([0; 8], [0; 8]);
    let short = block(
        PropertyScope::Publish,
        &mut short,
        &[Property::MessageExpiryInterval(0)],
    );
    let long = block(
        PropertyScope::Publish,
        &mut long,
        &[Property::MessageExpiryInterval(3_600)],
    );
    for (number, properties) in [(1, short), (2, long)] {
        publisher
            .publish_with("/a", &number.to_string(), |publish| {
                (publish.delivery, publish.properties) = (Delivery::AtLeastOnce(id(number)), properties);
            })
            .await;
        assert_eq!(publisher.receive().await, format!("PUBACK {number}"));
    }
    let mut back = connect(&gateway, "away", false, &hour, "CONNACK Success, session present").await;
    let got = back.receive().await;
    assert!(got.contains("`2` MessageExpiryInterval(3"), "{got}");
    back.has_nothing().await;
}

/// Subscribes to a filter that is shared under a name.
async fn share(peer: &mut Peer, name: &str, qos: QoS) -> String {
    let filter = format!("$share/{name}/{}", topic("/#"));
    subscribe(
        peer,
        Subscription::new(TopicFilter::new(&filter).unwrap(), qos),
        None,
    )
    .await
}

/// Publishes with acknowledgement, so that what is published has been delivered.
async fn publish(peer: &mut Peer, payload: &str) {
    peer.publish("/a", payload, Delivery::AtLeastOnce(id(1))).await;
    assert_eq!(peer.receive().await, "PUBACK 1");
}

#[tokio::test]
async fn those_who_share_a_filter_take_turns_and_others_get_everything() {
    let gateway = gateway().await;
    let mut publisher = connected(&gateway, "publisher").await;
    publisher
        .publish_with("/kept", "old", |publish| publish.retain = true)
        .await;
    let mut first = connected(&gateway, "first").await;
    let mut second = connected(&gateway, "second").await;
    let mut alone = connected(&gateway, "alone").await;
    for peer in [&mut first, &mut second] {
        assert_eq!(share(peer, "group", QoS::AtMostOnce).await, "SUBACK 1 [0]");
        // A share gets no retained messages.
        peer.has_nothing().await;
    }
    assert_eq!(
        share(&mut alone, "another", QoS::AtMostOnce).await,
        "SUBACK 1 [0]"
    );
    for number in 0..4 {
        publish(&mut publisher, &number.to_string()).await;
    }
    for number in 0..4 {
        let peer = if number % 2 == 0 { &mut first } else { &mut second };
        assert_eq!(peer.receive().await, format!("PUBLISH q0 /a `{number}`"));
        assert_eq!(alone.receive().await, format!("PUBLISH q0 /a `{number}`"));
    }
    let filter = format!("$share/group/{}", topic("/#"));
    let filters = [TopicFilter::new(&filter).unwrap()];
    for code in [0, 17] {
        let packet_id = id(9);
        let (filters, properties) = ((&filters).into(), Properties::EMPTY);
        first
            .send(
                Unsubscribe {
                    packet_id,
                    filters,
                    properties,
                }
                .into(),
            )
            .await;
        assert_eq!(first.receive().await, format!("UNSUBACK 9 [{code}]"));
    }
    for number in 4..6 {
        publish(&mut publisher, &number.to_string()).await;
        assert_eq!(second.receive().await, format!("PUBLISH q0 /a `{number}`"));
    }
    first.has_nothing().await;
}

#[tokio::test]
async fn a_share_goes_to_those_who_are_there_and_waits_when_nobody_is() {
    let gateway = gateway().await;
    let hour = [Property::SessionExpiryInterval(3_600)];
    let mut lasting = connect(&gateway, "lasting", true, &hour, "CONNACK Success").await;
    let mut passing = connected(&gateway, "passing").await;
    for peer in [&mut lasting, &mut passing] {
        assert_eq!(share(peer, "group", QoS::AtLeastOnce).await, "SUBACK 1 [1]");
    }
    lasting.send(Packet::Disconnect(Disconnect::default())).await;
    assert_eq!(lasting.receive().await, "closed");
    let mut publisher = connected(&gateway, "publisher").await;
    for number in 1..=2 {
        publish(&mut publisher, &number.to_string()).await;
        assert_eq!(
            passing.receive().await,
            format!("PUBLISH {number} q1 /a `{number}`")
        );
    }
    passing.send(Packet::Disconnect(Disconnect::default())).await;
    assert_eq!(passing.receive().await, "closed");
    while gateway.hub().metrics().mqtt.subscriptions.value() > 1 {
        tokio::task::yield_now().await;
    }
    publish(&mut publisher, "later").await;
    let mut lasting = connect(
        &gateway,
        "lasting",
        false,
        &hour,
        "CONNACK Success, session present",
    )
    .await;
    assert_eq!(lasting.receive().await, "PUBLISH 1 q1 /a `later`");
    // With the session ends its share.
    drop(connected(&gateway, "lasting").await);
    while gateway.hub().metrics().mqtt.subscriptions.value() > 0 {
        tokio::task::yield_now().await;
    }
    publish(&mut publisher, "nobody").await;
    assert_eq!(gateway.hub().metrics().mqtt.lost.value(), 0);
}
