use manywire_mqtt_codec::{Delivery, QoS};

use crate::peer::{Peer, id};
use crate::started::{gateway, gateway_with};

#[tokio::test]
async fn a_session_that_lasts_gets_what_came_meanwhile() {
    let gateway = gateway().await;
    let mut away = Peer::resumed(&gateway, "away", false).await;
    away.subscribe(1, &[("/a", QoS::ExactlyOnce)]).await;
    drop(away);
    let mut publisher = Peer::connected(&gateway, "publisher").await;
    while gateway.hub().metrics().mqtt.connections.value() > 1 {
        tokio::task::yield_now().await;
    }
    publisher.publish("/a", "0", Delivery::AtMostOnce).await;
    for number in 1..=3 {
        publisher
            .publish("/a", &number.to_string(), Delivery::AtLeastOnce(id(number)))
            .await;
        assert_eq!(publisher.receive().await, format!("PUBACK {number}"));
    }
    let mut back = Peer::resumed(&gateway, "away", true).await;
    for number in 1..=3 {
        assert_eq!(back.receive().await, format!("PUBLISH {number} q1 /a `{number}`"));
    }
    back.has_nothing().await;
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_with_dup() {
    let gateway = gateway().await;
    let mut client = Peer::resumed(&gateway, "c", false).await;
    client.subscribe(1, &[("/a", QoS::ExactlyOnce)]).await;
    client.publish("/a", "one", Delivery::AtLeastOnce(id(1))).await;
    client.publish("/a", "two", Delivery::ExactlyOnce(id(2))).await;
    client.publish("/a", "three", Delivery::ExactlyOnce(id(3))).await;
    let mut got = Vec::new();
    for _ in 0..6 {
        got.push(client.receive().await);
    }
    assert!(got.contains(&"PUBLISH 3 q2 /a `three`".to_owned()), "{got:?}");
    client.pubrec(3).await;
    assert_eq!(client.receive().await, "PUBREL 3");

    let mut client = Peer::resumed(&gateway, "c", true).await;
    for packet in [
        "PUBLISH 1 q1 dup /a `one`",
        "PUBLISH 2 q2 dup /a `two`",
        "PUBREL 3",
    ] {
        assert_eq!(client.receive().await, packet);
    }
    client.puback(1).await;
    client.pubrec(2).await;
    assert_eq!(client.receive().await, "PUBREL 2");
    client.pubcomp(2).await;
    client.pubcomp(3).await;
    client.has_nothing().await;
    // Our own exactly-once messages were not released: they are still known.
    client
        .publish_with("/a", "two", |publish| {
            (publish.delivery, publish.dup) = (Delivery::ExactlyOnce(id(2)), true)
        })
        .await;
    assert_eq!(client.receive().await, "PUBREC 2");
    client.has_nothing().await;

    Peer::resumed(&gateway, "c", true).await.has_nothing().await;
}

#[tokio::test]
async fn a_clean_session_throws_the_old_one_away() {
    let gateway = gateway().await;
    let mut client = Peer::resumed(&gateway, "c", false).await;
    client.subscribe(1, &[("/a", QoS::AtLeastOnce)]).await;
    let mut clean = Peer::connected(&gateway, "c").await;
    assert_eq!(client.receive().await, "closed");
    clean.publish("/a", "x", Delivery::AtLeastOnce(id(1))).await;
    assert_eq!(clean.receive().await, "PUBACK 1");
    clean.has_nothing().await;
    assert_eq!(gateway.hub().metrics().mqtt.subscriptions.value(), 0);
    drop(clean);
    Peer::resumed(&gateway, "c", false).await.has_nothing().await;
}

#[tokio::test]
async fn the_window_holds_back_what_is_acknowledged_and_nothing_else() {
    let gateway = gateway().await;
    let mut slow = Peer::connected(&gateway, "slow").await;
    slow.subscribe(1, &[("/#", QoS::AtLeastOnce)]).await;
    let mut publisher = Peer::connected(&gateway, "publisher").await;
    for number in 1..=150 {
        publisher
            .publish("/a", &number.to_string(), Delivery::AtLeastOnce(id(number)))
            .await;
        assert_eq!(publisher.receive().await, format!("PUBACK {number}"));
    }
    publisher.publish("/b", "at once", Delivery::AtMostOnce).await;
    let mut sent = Vec::new();
    loop {
        let packet = slow.receive().await;
        if packet == "PUBLISH q0 /b `at once`" {
            break;
        }
        sent.push(packet);
    }
    assert_eq!(sent.len(), 100);
    slow.has_nothing().await;
    slow.puback(1).await;
    assert_eq!(slow.receive().await, "PUBLISH 101 q1 /a `101`");
}

#[tokio::test]
async fn what_waits_for_someone_who_is_away_is_bounded() {
    let gateway = gateway_with(|limits| limits.queued_messages = 10).await;
    let mut away = Peer::resumed(&gateway, "away", false).await;
    away.subscribe(1, &[("/a", QoS::AtLeastOnce)]).await;
    drop(away);
    let mut publisher = Peer::connected(&gateway, "publisher").await;
    while gateway.hub().metrics().mqtt.connections.value() > 1 {
        tokio::task::yield_now().await;
    }
    for number in 1..=12 {
        publisher
            .publish("/a", &number.to_string(), Delivery::AtLeastOnce(id(number)))
            .await;
        assert_eq!(publisher.receive().await, format!("PUBACK {number}"));
    }
    assert_eq!(gateway.hub().metrics().mqtt.lost.value(), 2);
    let mut back = Peer::resumed(&gateway, "away", true).await;
    for number in 1..=10 {
        assert_eq!(back.receive().await, format!("PUBLISH {number} q1 /a `{number}`"));
        back.puback(number).await;
    }
    back.has_nothing().await;
    assert_eq!(
        gateway
            .hub()
            .queued_bytes()
            .load(std::sync::atomic::Ordering::Relaxed),
        0
    );
}
