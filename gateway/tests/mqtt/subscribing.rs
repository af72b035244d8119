use manywire_gateway::{Gateway, Registry, Thing};
use manywire_mqtt_codec::{
    ConnectFields, Delivery, Properties, QoS, Subscribe, Subscription, Text, TopicFilter,
};

use crate::peer::{Peer, fields, id, topic};
use crate::started::{CHANNEL, KEY, OTHER_CHANNEL, PUBLISHER_KEY, gateway, gateway_with, soon};

#[tokio::test]
async fn each_filter_is_granted_or_refused_by_itself() {
    let gateway = gateway().await;
    let mut peer = Peer::connected(&gateway, "a").await;
    let foreign = format!("channels/{OTHER_CHANNEL}/messages/#");
    let filters = [
        topic("/a"),
        foreign,
        "#".into(),
        "+/x".into(),
        "$SYS/#".into(),
        topic("/#"),
        topic(""),
    ];
    let subscriptions: Vec<_> = filters
        .iter()
        .zip([0, 1, 1, 1, 1, 2, 1])
        .map(|(filter, qos)| {
            Subscription::new(TopicFilter::new(filter).unwrap(), QoS::from_bits(qos).unwrap())
        })
        .collect();
    let subscriptions = subscriptions.as_slice().into();
    peer.send(
        Subscribe {
            packet_id: id(7),
            subscriptions,
            properties: Properties::EMPTY,
        }
        .into(),
    )
    .await;
    assert_eq!(peer.receive().await, "SUBACK 7 [0, 128, 128, 128, 128, 2, 1]");
}

#[tokio::test]
async fn one_who_may_only_publish_may_not_listen() {
    let gateway = gateway().await;
    let only_publishes = ConnectFields {
        user_name: Some(Text::new("publisher").unwrap()),
        password: Some(PUBLISHER_KEY.as_bytes()),
        ..fields("writer")
    };
    let (mut peer, _) = Peer::connect(&gateway, &only_publishes).await;
    assert_eq!(
        peer.subscribe(1, &[("/a", QoS::AtMostOnce)]).await,
        "SUBACK 1 [128]"
    );
    peer.publish("/a", "x", Delivery::AtLeastOnce(id(2))).await;
    assert_eq!(peer.receive().await, "PUBACK 2");
    peer.has_nothing().await;
}

#[tokio::test]
async fn a_malformed_filter_ends_the_connection() {
    let gateway = gateway().await;
    for filter in [&b"a/#/b"[..], b"a+", b""] {
        let mut peer = Peer::connected(&gateway, "a").await;
        let mut packet = vec![
            0x82,
            u8::try_from(filter.len()).unwrap() + 5,
            0,
            1,
            0,
            u8::try_from(filter.len()).unwrap(),
        ];
        packet.extend_from_slice(filter);
        packet.push(0);
        peer.send_bytes(&packet).await;
        assert_eq!(peer.receive().await, "closed", "{filter:?}");
    }
}

#[tokio::test]
async fn overlapping_filters_give_one_message_with_the_highest_guarantee() {
    let gateway = gateway().await;
    let mut peer = Peer::connected(&gateway, "a").await;
    let filters = [
        ("/a/+", QoS::AtMostOnce),
        ("/a/b", QoS::AtLeastOnce),
        ("/#", QoS::AtMostOnce),
    ];
    peer.subscribe(1, &filters).await;
    peer.publish("/a/b", "x", Delivery::ExactlyOnce(id(1))).await;
    assert_eq!(peer.receive().await, "PUBREC 1");
    assert_eq!(peer.receive().await, "PUBLISH 1 q1 /a/b `x`");
    peer.has_nothing().await;
}

#[tokio::test]
async fn after_unsubscribing_nothing_comes() {
    let gateway = gateway().await;
    let mut peer = Peer::connected(&gateway, "a").await;
    peer.subscribe(1, &[("/a", QoS::AtMostOnce), ("/b", QoS::AtMostOnce)])
        .await;
    assert_eq!(gateway.hub().metrics().mqtt.subscriptions.value(), 2);
    assert_eq!(peer.unsubscribe(2, "/a").await, "UNSUBACK 2");
    assert_eq!(peer.unsubscribe(3, "/never").await, "UNSUBACK 3");
    assert_eq!(gateway.hub().metrics().mqtt.subscriptions.value(), 1);
    peer.publish("/a", "x", Delivery::AtMostOnce).await;
    peer.publish("/b", "y", Delivery::AtMostOnce).await;
    assert_eq!(peer.receive().await, "PUBLISH q0 /b `y`");
}

#[tokio::test]
async fn retained_messages_come_with_the_flag_until_they_are_cleared() {
    let gateway = gateway().await;
    let mut publisher = Peer::connected(&gateway, "publisher").await;
    let mut early = Peer::connected(&gateway, "early").await;
    early.subscribe(1, &[("/#", QoS::AtMostOnce)]).await;
    for payload in ["old", "new"] {
        publisher
            .publish_with("/a", payload, |publish| {
                (publish.delivery, publish.retain) = (Delivery::AtLeastOnce(id(1)), true);
            })
            .await;
        assert_eq!(publisher.receive().await, "PUBACK 1");
        // Who was there before gets it as it happens [MQTT-3.3.1-9].
        assert_eq!(early.receive().await, format!("PUBLISH q0 /a `{payload}`"));
    }
    let mut late = Peer::connected(&gateway, "late").await;
    assert_eq!(
        late.subscribe(1, &[("/+", QoS::ExactlyOnce)]).await,
        "SUBACK 1 [2]"
    );
    assert_eq!(late.receive().await, "PUBLISH 1 q1 retain /a `new`");
    publisher
        .publish_with("/a", "", |publish| publish.retain = true)
        .await;
    assert_eq!(early.receive().await, "PUBLISH q0 /a ``");
    let mut later = Peer::connected(&gateway, "later").await;
    later.subscribe(1, &[("/+", QoS::ExactlyOnce)]).await;
    later.has_nothing().await;
}

#[tokio::test]
async fn there_is_a_limit_to_subscriptions() {
    let gateway = gateway_with(|limits| limits.subscriptions = 2).await;
    let mut peer = Peer::connected(&gateway, "a").await;
    let filters = [
        ("/a", QoS::AtMostOnce),
        ("/b", QoS::AtMostOnce),
        ("/c", QoS::AtMostOnce),
    ];
    assert_eq!(peer.subscribe(1, &filters).await, "SUBACK 1 [0, 0, 128]");
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_own_messages_and_no_one_elses() {
    const MESSAGES: usize = 20_000;
    let gateway = gateway_with(|limits| limits.queued_messages = 100).await;
    let mut slow = Peer::connected(&gateway, "slow").await;
    slow.subscribe(1, &[("/#", QoS::AtMostOnce)]).await;
    let mut fast = Peer::connected(&gateway, "fast").await;
    fast.subscribe(1, &[("/mark", QoS::AtMostOnce)]).await;
    let mut publisher = Peer::connected(&gateway, "publisher").await;
    let payload = "x".repeat(1_000);
    for _ in 0..MESSAGES {
        publisher.publish("/a", &payload, Delivery::AtMostOnce).await;
    }
    publisher
        .publish("/mark", "here", Delivery::AtLeastOnce(id(1)))
        .await;
    assert_eq!(publisher.receive().await, "PUBACK 1");
    assert_eq!(fast.receive().await, "PUBLISH q0 /mark `here`");
    let lost = gateway.hub().metrics().mqtt.lost.value();
    assert!(lost > 0, "20 MB do not fit into the buffers of one connection");
    // What was kept still comes.
    let mut got = 0;
    while got + lost < MESSAGES as u64 {
        assert!(slow.receive().await.starts_with("PUBLISH q0 /a"));
        got += 1;
    }
}

#[tokio::test]
async fn a_revoked_right_ends_the_subscription_and_a_removed_thing_its_connection() {
    let registry = Registry::new();
    let both = Thing::new("thing")
        .uses(CHANNEL)
        .unwrap()
        .uses(OTHER_CHANNEL)
        .unwrap();
    registry.add(both, KEY).unwrap();
    let gateway = Gateway::builder()
        .identity(registry.clone())
        .start()
        .await
        .unwrap();
    let mut peer = Peer::connected(&gateway, "a").await;
    peer.subscribe(1, &[("/a", QoS::AtLeastOnce)]).await;
    let subscriptions = &gateway.hub().metrics().mqtt.subscriptions;
    assert_eq!(subscriptions.value(), 1);

    let fewer = Registry::new();
    fewer
        .add(Thing::new("thing").uses(OTHER_CHANNEL).unwrap(), KEY)
        .unwrap();
    registry.replace_with(&fewer);
    soon(async {
        while subscriptions.value() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    peer.has_nothing().await;

    assert!(registry.remove("thing"));
    assert_eq!(peer.receive().await, "closed");
}
