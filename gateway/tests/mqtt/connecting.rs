use std::time::Duration;

use manywire_gateway::{Gateway, Thing};
use manywire_mqtt_codec::{ConnectFields, Delivery, Packet, QoS, Text, TopicName, Version, Will};
use tokio::io::AsyncReadExt as _;

use crate::peer::{Peer, fields, id, topic};
use crate::started::{CHANNEL, OTHER_CHANNEL, gateway, soon};

#[tokio::test]
async fn each_way_of_not_being_allowed_has_its_return_code() {
    let gateway = gateway().await;
    let (_, right) = Peer::connect(&gateway, &fields("a")).await;
    assert_eq!(right, "CONNACK Success");
    let wrong_key = ConnectFields {
        password: Some(b"wrong"),
        ..fields("a")
    };
    let no_utf8 = ConnectFields {
        password: Some(b"\xff"),
        ..fields("a")
    };
    let foreign_id = ConnectFields {
        user_name: Some(Text::new("second").unwrap()),
        ..fields("a")
    };
    let nothing = ConnectFields {
        user_name: None,
        password: None,
        ..fields("a")
    };
    for (fields, answer) in [
        (wrong_key, "CONNACK Bad User Name or Password"),
        (foreign_id, "CONNACK Bad User Name or Password"),
        (no_utf8, "CONNACK Not authorized"),
        (nothing, "CONNACK Not authorized"),
    ] {
        let (mut peer, said) = Peer::connect(&gateway, &fields).await;
        assert_eq!(
            (said.as_str(), peer.receive().await.as_str()),
            (answer, "closed"),
            "{fields:?}"
        );
    }
    assert_eq!(gateway.hub().metrics().mqtt.denied.value(), 4);
}

#[tokio::test]
async fn mqtt_3_1_is_spoken_too() {
    let gateway = gateway().await;
    let fields = ConnectFields {
        version: Version::V31,
        ..fields("old")
    };
    let (mut peer, answer) = Peer::connect(&gateway, &fields).await;
    assert_eq!(answer, "CONNACK Success");
    peer.publish("/a", "x", Delivery::AtLeastOnce(id(1))).await;
    assert_eq!(peer.receive().await, "PUBACK 1");
}

#[tokio::test]
async fn an_unknown_protocol_level_is_answered_and_rubbish_is_not() {
    let gateway = gateway().await;
    for (bytes, answer) in [
        // [MQTT-3.1.2-2]
        (
            &b"\x10\x0d\0\x04MQTT\x06\x02\0\0\0\x01a"[..],
            &b"\x20\x02\0\x01"[..],
        ),
        // [MQTT-3.1.3-8]: no client identifier, and a session that is to last.
        (b"\x10\x0c\0\x04MQTT\x04\0\0\0\0\0", b"\x20\x02\0\x02"),
        // [MQTT-3.1.0-1]
        (b"\xc0\0", b""),
        // [MQTT-3.1.2-3]
        (b"\x10\x0d\0\x04MQTT\x04\x03\0\0\0\x01a", b""),
        (b"GET / HTTP/1.1\r\n\r\n", b""),
        (b"\x10\xff\xff\xff\xff\x7f", b""),
    ] {
        let mut peer = Peer::raw(&gateway).await;
        peer.send_bytes(bytes).await;
        let mut said = Vec::new();
        // The rest of a request that was not read makes the end abrupt.
        let _ = soon(peer.stream.read_to_end(&mut said)).await;
        assert_eq!(said, answer, "{bytes:?}");
    }
    Peer::connected(&gateway, "undisturbed").await.has_nothing().await;
}

#[tokio::test]
async fn packets_may_come_with_connect_and_in_pieces() {
    let gateway = gateway().await;
    let mut bytes = Vec::new();
    Packet::Connect((&fields("eager")).into())
        .append(Version::V311, &mut bytes)
        .unwrap();
    bytes.extend_from_slice(b"\xc0\0\xc0\0");
    let mut peer = Peer::raw(&gateway).await;
    for byte in &bytes {
        peer.send_bytes(&[*byte]).await;
    }
    for expected in ["CONNACK Success", "PINGRESP", "PINGRESP"] {
        assert_eq!(peer.receive().await, expected);
    }
    let mut peer = Peer::raw(&gateway).await;
    peer.send_bytes(&bytes).await;
    for expected in ["CONNACK Success", "PINGRESP", "PINGRESP"] {
        assert_eq!(peer.receive().await, expected);
    }
}

#[tokio::test]
async fn a_second_connect_ends_the_connection() {
    let gateway = gateway().await;
    let mut peer = Peer::connected(&gateway, "twice").await;
    peer.send(Packet::Connect((&fields("twice")).into())).await;
    assert_eq!(peer.receive().await, "closed");
}

#[tokio::test]
async fn an_empty_client_identifier_gets_one_of_its_own() {
    let gateway = gateway().await;
    let mut first = Peer::connected(&gateway, "").await;
    let mut second = Peer::connected(&gateway, "").await;
    first.has_nothing().await;
    second.has_nothing().await;
}

#[tokio::test]
async fn a_client_identifier_is_taken_over_by_its_own_thing_only() {
    let gateway = gateway().await;
    let mut first = Peer::connected(&gateway, "shared").await;
    let second_thing = ConnectFields {
        user_name: Some(Text::new("second").unwrap()),
        password: Some(crate::started::SECOND_KEY.as_bytes()),
        ..fields("shared")
    };
    let (mut other, answer) = Peer::connect(&gateway, &second_thing).await;
    assert_eq!(answer, "CONNACK Success");
    first.has_nothing().await;
    let mut again = Peer::connected(&gateway, "shared").await;
    assert_eq!(first.receive().await, "closed");
    again.has_nothing().await;
    other.has_nothing().await;
}

#[tokio::test]
async fn a_silent_client_is_given_up_after_one_and_a_half_keep_alives() {
    let gateway = gateway().await;
    let started = std::time::Instant::now();
    let (mut peer, _) = Peer::connect(
        &gateway,
        &ConnectFields {
            keep_alive: 1,
            ..fields("silent")
        },
    )
    .await;
    assert_eq!(peer.receive().await, "closed");
    assert!(started.elapsed() >= Duration::from_millis(1_500));
}

fn leaving<'a>(will_topic: &'a str, client_id: &'a str) -> ConnectFields<'a> {
    let will = Will {
        qos: QoS::AtLeastOnce,
        ..Will::new(TopicName::new(will_topic).unwrap(), b"gone")
    };
    ConnectFields {
        will: Some(will),
        ..fields(client_id)
    }
}

#[tokio::test]
async fn a_will_is_published_when_the_client_is_lost_and_not_after_goodbye() {
    let gateway = gateway().await;
    let mut watcher = Peer::connected(&gateway, "watcher").await;
    watcher.subscribe(1, &[("/#", QoS::AtMostOnce)]).await;
    let will_topic = topic("/will");

    let (mut polite, _) = Peer::connect(&gateway, &leaving(&will_topic, "polite")).await;
    polite.send(Packet::Disconnect(Default::default())).await;
    assert_eq!(polite.receive().await, "closed");
    watcher.has_nothing().await;

    let (lost, _) = Peer::connect(&gateway, &leaving(&will_topic, "lost")).await;
    drop(lost);
    assert_eq!(watcher.receive().await, "PUBLISH q0 /will `gone`");

    let (mut wrong, _) = Peer::connect(&gateway, &leaving(&will_topic, "wrong")).await;
    wrong.send_bytes(b"\xf0\0").await;
    assert_eq!(wrong.receive().await, "closed");
    assert_eq!(watcher.receive().await, "PUBLISH q0 /will `gone`");
}

#[tokio::test]
async fn a_will_on_a_channel_one_may_not_use_is_refused() {
    let gateway = gateway().await;
    for topic in [
        format!("channels/{OTHER_CHANNEL}/messages"),
        "somewhere/else".to_owned(),
    ] {
        let (mut peer, answer) = Peer::connect(&gateway, &leaving(&topic, "intruder")).await;
        assert_eq!(
            (answer.as_str(), peer.receive().await.as_str()),
            ("CONNACK Not authorized", "closed")
        );
    }
}

#[tokio::test]
async fn a_gateway_that_stops_closes_its_connections() {
    let gateway = Gateway::builder()
        .thing(Thing::new("thing").uses(CHANNEL).unwrap(), crate::started::KEY)
        .start()
        .await
        .unwrap();
    let mut peer = Peer::connected(&gateway, "a").await;
    let waiting = Peer::raw(&gateway).await;
    soon(gateway.stop()).await;
    assert_eq!(peer.receive().await, "closed");
    drop(waiting);
}
