use manywire_mqtt_codec::{ConnectFields, Delivery, QoS, Text};

use crate::peer::{Peer, fields, id, topic};
use crate::started::{OTHER_CHANNEL, SUBSCRIBER_KEY, gateway, gateway_with, messages, raw};

#[tokio::test]
async fn each_guarantee_has_its_handshake() {
    let gateway = gateway().await;
    let mut subscriber = Peer::connected(&gateway, "subscriber").await;
    assert_eq!(
        subscriber.subscribe(1, &[("/a", QoS::ExactlyOnce)]).await,
        "SUBACK 1 [2]"
    );
    let mut publisher = Peer::connected(&gateway, "publisher").await;

    publisher.publish("/a", "0", Delivery::AtMostOnce).await;
    assert_eq!(subscriber.receive().await, "PUBLISH q0 /a `0`");

    publisher.publish("/a", "1", Delivery::AtLeastOnce(id(10))).await;
    assert_eq!(publisher.receive().await, "PUBACK 10");
    assert_eq!(subscriber.receive().await, "PUBLISH 1 q1 /a `1`");
    subscriber.puback(1).await;

    publisher.publish("/a", "2", Delivery::ExactlyOnce(id(11))).await;
    assert_eq!(publisher.receive().await, "PUBREC 11");
    publisher.pubrel(11).await;
    assert_eq!(publisher.receive().await, "PUBCOMP 11");
    assert_eq!(subscriber.receive().await, "PUBLISH 2 q2 /a `2`");
    subscriber.pubrec(2).await;
    assert_eq!(subscriber.receive().await, "PUBREL 2");
    subscriber.pubcomp(2).await;
    subscriber.has_nothing().await;
}

#[tokio::test]
async fn the_lower_of_both_guarantees_holds() {
    let gateway = gateway().await;
    let mut publisher = Peer::connected(&gateway, "publisher").await;
    for (subscribed, expected) in [
        (
            QoS::AtMostOnce,
            ["PUBLISH q0 /a `0`", "PUBLISH q0 /a `1`", "PUBLISH q0 /a `2`"],
        ),
        (
            QoS::AtLeastOnce,
            ["PUBLISH q0 /a `0`", "PUBLISH 1 q1 /a `1`", "PUBLISH 2 q1 /a `2`"],
        ),
    ] {
        let mut subscriber = Peer::connected(&gateway, "subscriber").await;
        subscriber.subscribe(1, &[("/a", subscribed)]).await;
        publisher.publish("/a", "0", Delivery::AtMostOnce).await;
        publisher.publish("/a", "1", Delivery::AtLeastOnce(id(1))).await;
        publisher.publish("/a", "2", Delivery::ExactlyOnce(id(2))).await;
        publisher.pubrel(2).await;
        for packet in expected {
            assert_eq!(subscriber.receive().await, packet);
        }
        for packet in ["PUBACK 1", "PUBREC 2", "PUBCOMP 2"] {
            assert_eq!(publisher.receive().await, packet);
        }
    }
}

#[tokio::test]
async fn an_exactly_once_message_that_is_sent_twice_is_published_once() {
    let gateway = gateway().await;
    let mut subscriber = Peer::connected(&gateway, "subscriber").await;
    subscriber.subscribe(1, &[("/a", QoS::AtMostOnce)]).await;
    let mut publisher = Peer::connected(&gateway, "publisher").await;
    for dup in [false, true] {
        publisher
            .publish_with("/a", "2", |publish| {
                (publish.delivery, publish.dup) = (Delivery::ExactlyOnce(id(5)), dup);
            })
            .await;
        assert_eq!(publisher.receive().await, "PUBREC 5");
    }
    publisher.pubrel(5).await;
    publisher.pubrel(5).await;
    assert_eq!(publisher.receive().await, "PUBCOMP 5");
    assert_eq!(publisher.receive().await, "PUBCOMP 5");
    // The identifier is free: it names another message now.
    publisher.publish("/a", "3", Delivery::ExactlyOnce(id(5))).await;
    assert_eq!(subscriber.receive().await, "PUBLISH q0 /a `2`");
    assert_eq!(subscriber.receive().await, "PUBLISH q0 /a `3`");
    subscriber.has_nothing().await;
}

#[tokio::test]
async fn acknowledgements_nobody_waits_for_do_no_harm() {
    let gateway = gateway().await;
    let mut peer = Peer::connected(&gateway, "a").await;
    peer.puback(1).await;
    peer.pubcomp(2).await;
    peer.pubrec(3).await;
    assert_eq!(peer.receive().await, "PUBREL 3");
    peer.pubrel(4).await;
    assert_eq!(peer.receive().await, "PUBCOMP 4");
    peer.has_nothing().await;
}

#[tokio::test]
async fn publishing_where_one_may_not_ends_the_connection_and_disturbs_nobody() {
    let gateway = gateway().await;
    let mut witness = Peer::connected(&gateway, "witness").await;
    witness.subscribe(1, &[("/#", QoS::AtMostOnce)]).await;
    let only_subscribes = ConnectFields {
        user_name: Some(Text::new("subscriber").unwrap()),
        password: Some(SUBSCRIBER_KEY.as_bytes()),
        ..fields("reader")
    };
    let (mut reader, _) = Peer::connect(&gateway, &only_subscribes).await;
    reader.publish("/a", "no", Delivery::AtLeastOnce(id(1))).await;
    assert_eq!(reader.receive().await, "closed");
    for topic in [
        format!("channels/{OTHER_CHANNEL}/messages/a"),
        "channels/unknown/messages".to_owned(),
        "elsewhere".to_owned(),
        "$SYS/x".to_owned(),
        topic("/a*b"),
    ] {
        let mut peer = Peer::connected(&gateway, "intruder").await;
        // What came before is still answered.
        peer.publish("/before", "yes", Delivery::AtLeastOnce(id(1))).await;
        let name = manywire_mqtt_codec::TopicName::new(&topic).unwrap();
        let mut publish = manywire_mqtt_codec::Publish::new(name, b"no");
        publish.delivery = Delivery::AtLeastOnce(id(2));
        peer.send(publish.into()).await;
        assert_eq!(peer.receive().await, "PUBACK 1", "{topic}");
        assert_eq!(peer.receive().await, "closed", "{topic}");
        assert_eq!(witness.receive().await, "PUBLISH q0 /before `yes`");
    }
    witness.has_nothing().await;
}

#[tokio::test]
async fn a_payload_that_is_too_large_ends_the_connection() {
    let gateway = gateway_with(|limits| limits.payload = 100).await;
    let mut peer = Peer::connected(&gateway, "a").await;
    peer.publish("/a", &"x".repeat(100), Delivery::AtLeastOnce(id(1)))
        .await;
    assert_eq!(peer.receive().await, "PUBACK 1");
    peer.publish("/a", &"x".repeat(101), Delivery::AtLeastOnce(id(2)))
        .await;
    assert_eq!(peer.receive().await, "closed");
}

#[tokio::test]
async fn separators_are_one_and_what_comes_over_http_arrives() {
    let gateway = gateway().await;
    let mut peer = Peer::connected(&gateway, "a").await;
    peer.subscribe(1, &[("/a/b", QoS::AtLeastOnce)]).await;
    peer.publish("/a.b", "1", Delivery::AtMostOnce).await;
    peer.publish("//a///b/", "2", Delivery::AtMostOnce).await;
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: h\r\nAuthorization: Thing {}\r\nContent-Type: application/json\r\n\
         Content-Length: 1\r\nConnection: close\r\n\r\n3",
        messages("/a//b"),
        crate::started::KEY,
    );
    let answer = raw(&gateway, request).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    for expected in [
        "PUBLISH q0 /a/b `1`",
        "PUBLISH q0 /a/b `2`",
        "PUBLISH 1 q1 /a/b `3`",
    ] {
        assert_eq!(peer.receive().await, expected);
    }
}

#[tokio::test]
async fn messages_of_one_publisher_keep_their_order() {
    let gateway = gateway().await;
    let mut subscriber = Peer::connected(&gateway, "subscriber").await;
    subscriber.subscribe(1, &[("/#", QoS::AtLeastOnce)]).await;
    let mut publisher = Peer::connected(&gateway, "publisher").await;
    for number in 1..=1_000 {
        let delivery = if number % 3 == 0 {
            Delivery::AtMostOnce
        } else {
            Delivery::AtLeastOnce(id(number))
        };
        publisher.publish("/a", &number.to_string(), delivery).await;
    }
    let mut last = [0, 0];
    for _ in 0..1_000 {
        let packet = subscriber.receive().await;
        let number: u16 = packet.split('`').nth(1).unwrap().parse().unwrap();
        let qos = usize::from(packet.contains("q1"));
        assert!(number > last[qos], "{packet} after {last:?}");
        last[qos] = number;
        if qos == 1 {
            subscriber
                .puback(packet.split(' ').nth(1).unwrap().parse().unwrap())
                .await;
        }
    }
    assert_eq!(last, [999, 1_000]);
}
