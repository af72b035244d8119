//! MQTT against the MQTT of message brokers: nats-server and RabbitMQ, over TCP and inside WebSocket, with their limits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::future::IntoFuture;
use std::time::Duration;

use futures_util::StreamExt as _;
use manywire::testing::transport_contract;
use manywire::{Client, ClientBuilder, ClientEvent, Endpoint, ErrorKind, MqttTransport, QoS, Reconnect, Tls};
use manywire_peers::{Nats, RabbitMq};

/// Of this process and this test only: servers are shared.
fn channel(test: &str) -> String {
    format!("{test}-{}", std::process::id())
}

fn limited(url: &str) -> ClientBuilder {
    let transport = MqttTransport::new(Endpoint::parse(url).unwrap(), Tls::default());
    ClientBuilder::with_transport(transport.max_qos(QoS::AtLeastOnce)).reconnect(quickly())
}

fn unlimited(url: &str) -> ClientBuilder {
    Client::builder(url).unwrap().reconnect(quickly())
}

fn quickly() -> Reconnect {
    let mut reconnect = Reconnect::default();
    reconnect.base = Duration::from_millis(1);
    reconnect.limit = Duration::from_millis(10);
    reconnect
}

async fn soon<T>(what: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what)
        .await
        .expect("it takes too long")
}

async fn keeps_the_contract(sending: &str, receiving: &str, channel: &str, copies: bool) {
    let mut report = soon(transport_contract(
        || limited(sending),
        || limited(receiving),
        channel,
    ))
    .await
    .unwrap();
    if copies {
        report.skipped.retain(|clause| *clause != COPIES);
    }
    assert!(report.skipped.is_empty(), "{report:?}");
}

/// nats-server sends a copy for each filter that matches, as MQTT 3.1.1 lets it.
const COPIES: &str = "filters that overlap do not multiply a message";

#[tokio::test]
async fn nats_server_keeps_the_contract_at_least_once() {
    let Some(server) = Nats::start().unwrap() else {
        return;
    };
    let (tcp, websocket) = (server.mqtt_url(), server.mqtt_ws_url());
    keeps_the_contract(&tcp, &tcp, "tcp", true).await;
    keeps_the_contract(&websocket, &tcp, "websocket", true).await;
}

#[tokio::test]
async fn rabbitmq_keeps_the_contract_at_least_once() {
    let Some(server) = RabbitMq::shared().unwrap() else {
        return;
    };
    let (tcp, websocket) = (server.mqtt_url(), server.mqtt_ws_url());
    keeps_the_contract(&tcp, &tcp, &channel("tcp"), false).await;
    keeps_the_contract(&websocket, &tcp, &channel("websocket"), false).await;
}

#[tokio::test]
async fn more_than_the_server_is_known_to_give_is_refused_before_it_is_sent() {
    let Some(server) = Nats::start().unwrap() else {
        return;
    };
    let client = soon(limited(&server.mqtt_url()).connect()).await.unwrap();
    let channel = client.channel("limit").unwrap();
    let refused = channel.publish("1").qos(QoS::ExactlyOnce).try_enqueue();
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);
    soon(channel.publish("2")).await.unwrap();
}

// Its PUBACK is an answer, and the receipt says what the message got.
#[tokio::test]
async fn exactly_once_at_rabbitmq_is_at_least_once_and_the_receipt_says_so() {
    let Some(server) = RabbitMq::shared().unwrap() else {
        return;
    };
    for url in [server.mqtt_url(), server.mqtt_ws_url()] {
        let client = soon(unlimited(&url).connect()).await.unwrap();
        let channel = client.channel(&channel("weaker")).unwrap();
        let mut messages = soon(channel.subscribe("")).await.unwrap();
        let receipt = soon(channel.publish("1").qos(QoS::ExactlyOnce)).await.unwrap();
        assert_eq!((receipt.guarantee(), receipt.attempts()), (QoS::AtLeastOnce, 1));
        assert_eq!(&soon(messages.next()).await.unwrap().payload()[..], b"1");
        soon(client.close(Duration::from_secs(10))).await.unwrap();
    }
}

// nats-server 2.9 closes the connection at a QoS 2 publish; from 2.10 it does it right. Either way nobody else is harmed.
#[tokio::test]
async fn exactly_once_at_nats_server_is_told_truthfully_and_disturbs_nobody() {
    let Some(server) = Nats::start().unwrap() else {
        return;
    };
    let client = soon(unlimited(&server.mqtt_url()).connect()).await.unwrap();
    let channel = client.channel("exactly").unwrap();
    let mut messages = soon(channel.subscribe(">")).await.unwrap();
    let topic = channel.subtopic("once").unwrap();
    let exactly = soon(topic.publish("exactly").qos(QoS::ExactlyOnce)).await;
    let arrived = match &exactly {
        Ok(receipt) => receipt.guarantee() == QoS::ExactlyOnce,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Indeterminate, "{error:?}");
            false
        }
    };
    for payload in ["1", "2"] {
        soon(topic.publish(payload)).await.unwrap();
    }
    let expected = if arrived {
        &["exactly", "1", "2"][..]
    } else {
        &["1", "2"]
    };
    for payload in expected {
        assert_eq!(soon(messages.next()).await.unwrap().payload(), payload);
    }
}

// A persistent session at both: what was published while the subscriber was away is delivered, once.
#[tokio::test]
async fn a_session_that_outlives_its_connection_gets_what_it_missed() {
    let nats = Nats::start().unwrap();
    let rabbit = RabbitMq::shared().unwrap();
    let urls = nats
        .iter()
        .map(Nats::mqtt_url)
        .chain(rabbit.iter().map(|server| server.mqtt_url()));
    for url in urls {
        let name = channel("away");
        let receiver = || limited(&url).client_id(&name).persistent_session(true);
        let first = soon(receiver().connect()).await.unwrap();
        let subscription = soon(first.channel(&name).unwrap().subscribe("")).await.unwrap();
        soon(first.close(Duration::from_secs(10))).await.unwrap();
        drop(subscription);

        let sender = soon(limited(&url).connect()).await.unwrap();
        let channel = sender.channel(&name).unwrap();
        for number in 0..20 {
            soon(channel.publish(number.to_string())).await.unwrap();
        }
        let second = soon(receiver().connect()).await.unwrap();
        let mut messages = soon(second.channel(&name).unwrap().subscribe("")).await.unwrap();
        for number in 0..20 {
            let message = soon(messages.next()).await.unwrap();
            assert_eq!(&message.payload()[..], number.to_string().as_bytes(), "{url}");
        }
        soon(second.close(Duration::from_secs(10))).await.unwrap();
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_nats_server_is_killed() {
    let Some(mut server) = Nats::start().unwrap() else {
        return;
    };
    let name = channel("killed");
    let url = server.mqtt_url();
    let receiver = limited(&url).client_id(&name).persistent_session(true);
    let receiver = soon(receiver.connect()).await.unwrap();
    let mut messages = soon(receiver.channel(&name).unwrap().subscribe(""))
        .await
        .unwrap();
    let sender = soon(limited(&url).connect()).await.unwrap();
    let mut events = sender.events();
    let channel = sender.channel(&name).unwrap();
    for number in 0..50 {
        soon(channel.publish(number.to_string())).await.unwrap();
    }
    server.kill().unwrap();
    soon(async { while !matches!(events.next().await, Some(ClientEvent::Disconnected { .. })) {} }).await;
    let waiting: Vec<_> = (50..100)
        .map(|number| channel.publish(number.to_string()).try_enqueue().unwrap())
        .collect();
    server.again().unwrap();
    for pending in waiting {
        soon(pending).await.unwrap();
    }
    let mut missing: std::collections::BTreeSet<String> = (0..100).map(|number| number.to_string()).collect();
    while !missing.is_empty() {
        let message = soon(messages.next()).await.unwrap();
        missing.remove(std::str::from_utf8(message.payload()).unwrap());
    }
}
