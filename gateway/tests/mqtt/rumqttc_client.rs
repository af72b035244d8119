//! rumqttc, as a client that somebody else wrote.

use manywire_gateway::Running;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};

use crate::peer::topic;
use crate::started::{KEY, gateway, soon};

fn client(gateway: &Running, id: &str) -> (AsyncClient, EventLoop) {
    let address = gateway.mqtt_address().unwrap();
    let mut options = MqttOptions::new(id, address.ip().to_string(), address.port());
    options.set_credentials("thing", KEY);
    AsyncClient::new(options, 16)
}

/// Drives a client until it gets a packet that is wanted.
async fn until<T>(events: &mut EventLoop, mut wanted: impl FnMut(Packet) -> Option<T>) -> T {
    soon(async {
        loop {
            if let Event::Incoming(packet) = events.poll().await.unwrap()
                && let Some(wanted) = wanted(packet)
            {
                return wanted;
            }
        }
    })
    .await
}

#[tokio::test]
async fn rumqttc_publishes_and_subscribes_with_each_guarantee() {
    let gateway = gateway().await;
    let (subscriber, mut subscriber_events) = client(&gateway, "rumqttc-subscriber");
    let (publisher, mut publisher_events) = client(&gateway, "rumqttc-publisher");
    subscriber.subscribe(topic("/+"), QoS::ExactlyOnce).await.unwrap();
    until(&mut subscriber_events, |packet| {
        matches!(packet, Packet::SubAck(_)).then_some(())
    })
    .await;
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        publisher
            .publish(topic("/a"), qos, false, format!("{qos:?}"))
            .await
            .unwrap();
    }
    until(&mut publisher_events, |packet| {
        matches!(packet, Packet::PubComp(_)).then_some(())
    })
    .await;
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let publish = until(&mut subscriber_events, |packet| match packet {
            Packet::Publish(publish) => Some(publish),
            _ => None,
        })
        .await;
        assert_eq!((publish.qos, publish.topic), (qos, topic("/a")));
        assert_eq!(publish.payload, format!("{qos:?}"));
    }
    until(&mut subscriber_events, |packet| {
        matches!(packet, Packet::PubRel(_)).then_some(())
    })
    .await;
}
