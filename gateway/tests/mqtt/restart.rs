//! Sessions that survive a restart, and a crash, of a gateway with a data directory.

use std::path::Path;
use std::process::Stdio;

use manywire_gateway::{Gateway, Running, Thing};
use manywire_mqtt_codec::{ConnectFields, Delivery, Packet, QoS};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::peer::{Peer, fields, id};
use crate::started::{CHANNEL, KEY, soon};

async fn gateway(directory: &Path) -> Running {
    let thing = Thing::new("thing").uses(CHANNEL).unwrap();
    let builder = Gateway::builder().thing(thing, KEY).data_directory(directory);
    builder.start().await.unwrap()
}

/// Waits until the gateway has noticed that clients are gone.
async fn only(gateway: &Running, connections: u64) {
    let wait = async {
        while gateway.hub().metrics().mqtt.connections.value() > connections {
            tokio::task::yield_now().await;
        }
    };
    soon(wait).await;
}

#[tokio::test]
async fn a_session_waits_for_its_client_through_restarts() {
    let directory = tempfile::tempdir().unwrap();
    let first = gateway(directory.path()).await;
    let mut away = Peer::resumed(&first, "away", false).await;
    assert_eq!(
        away.subscribe(1, &[("/a/+", QoS::ExactlyOnce), ("/b", QoS::AtLeastOnce)])
            .await,
        "SUBACK 1 [2, 1]"
    );
    assert_eq!(away.unsubscribe(2, "/b").await, "UNSUBACK 2");
    drop(away);
    only(&first, 0).await;
    let mut publisher = Peer::connected(&first, "publisher").await;
    publisher.publish("/a/1", "1", Delivery::AtLeastOnce(id(1))).await;
    assert_eq!(publisher.receive().await, "PUBACK 1");
    publisher.publish("/a/2", "2", Delivery::ExactlyOnce(id(2))).await;
    assert_eq!(publisher.receive().await, "PUBREC 2");
    publisher
        .publish("/b", "unsubscribed", Delivery::AtLeastOnce(id(3)))
        .await;
    assert_eq!(publisher.receive().await, "PUBACK 3");
    first.stop().await;

    let second = gateway(directory.path()).await;
    let mut back = Peer::resumed(&second, "away", true).await;
    assert_eq!(back.receive().await, "PUBLISH 1 q1 /a/1 `1`");
    assert_eq!(back.receive().await, "PUBLISH 2 q2 /a/2 `2`");
    back.puback(1).await;
    back.pubrec(2).await;
    assert_eq!(back.receive().await, "PUBREL 2");
    back.pubcomp(2).await;
    back.has_nothing().await;
    // The subscription is there again too.
    back.publish("/a/3", "3", Delivery::AtLeastOnce(id(1))).await;
    let mut got = [back.receive().await, back.receive().await];
    got.sort();
    assert_eq!(got, ["PUBACK 1", "PUBLISH 3 q1 /a/3 `3`"]);
    drop(back);
    second.stop().await;

    let third = gateway(directory.path()).await;
    let mut back = Peer::resumed(&third, "away", true).await;
    assert_eq!(
        back.receive().await,
        "PUBLISH 1 q1 /a/3 `3`",
        "only what was not acknowledged"
    );
    back.has_nothing().await;
}

#[tokio::test]
async fn a_session_that_has_ended_does_not_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let first = gateway(directory.path()).await;
    let mut lasting = Peer::resumed(&first, "c", false).await;
    lasting.subscribe(1, &[("/a", QoS::AtLeastOnce)]).await;
    drop(lasting);
    // Thrown away by a clean one, which does not last itself.
    let mut clean = Peer::connected(&first, "c").await;
    clean.subscribe(1, &[("/b", QoS::AtLeastOnce)]).await;
    drop(clean);
    only(&first, 0).await;
    first.stop().await;
    let second = gateway(directory.path()).await;
    assert_eq!(second.hub().metrics().mqtt.subscriptions.value(), 0);
    Peer::resumed(&second, "c", false).await;
}

#[tokio::test]
async fn a_repeated_exactly_once_message_is_known_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let first = gateway(directory.path()).await;
    let mut client = Peer::resumed(&first, "c", false).await;
    client.publish("/a", "once", Delivery::ExactlyOnce(id(7))).await;
    assert_eq!(client.receive().await, "PUBREC 7");
    client
        .publish("/a", "released", Delivery::ExactlyOnce(id(8)))
        .await;
    assert_eq!(client.receive().await, "PUBREC 8");
    client.pubrel(8).await;
    assert_eq!(client.receive().await, "PUBCOMP 8");
    first.stop().await;

    let second = gateway(directory.path()).await;
    let mut subscriber = Peer::connected(&second, "subscriber").await;
    subscriber.subscribe(1, &[("/a", QoS::ExactlyOnce)]).await;
    let mut client = Peer::resumed(&second, "c", true).await;
    for (number, payload) in [(7, "once"), (8, "another")] {
        let again = |publish: &mut manywire_mqtt_codec::Publish<'_>| {
            publish.delivery = Delivery::ExactlyOnce(id(number));
            publish.dup = number == 7;
        };
        client.publish_with("/a", payload, again).await;
        assert_eq!(client.receive().await, format!("PUBREC {number}"));
        client.pubrel(number).await;
        assert_eq!(client.receive().await, format!("PUBCOMP {number}"));
    }
    assert_eq!(subscriber.receive().await, "PUBLISH 1 q2 /a `another`");
}

/// Where the child of [`a_killed_gateway_loses_nothing_it_has_acknowledged`] keeps its data.
const CHILD: &str = "MANYWIRE_TEST_DATA_DIRECTORY";

/// Not a test of its own: the process that the next test kills.
#[tokio::test]
async fn child() {
    let Some(directory) = std::env::var_os(CHILD) else {
        return;
    };
    let gateway = gateway(Path::new(&directory)).await;
    println!("listening on {} for the parent", gateway.mqtt_address().unwrap());
    std::future::pending::<()>().await;
}

/// A child that runs a gateway, and the address it says.
async fn start_child(directory: &Path) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["restart::child", "--exact", "--nocapture"])
        .env(CHILD, directory)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    loop {
        let line = soon(lines.next_line()).await.unwrap().expect("the child ended");
        if let Some((_, address)) = line.split_once("listening on ") {
            return (child, address.split(' ').next().unwrap().to_owned());
        }
    }
}

/// A connection with a session that lasts, and what the CONNACK says.
async fn connect(address: &str, client_id: &str) -> (Peer, String) {
    let mut peer = Peer::on(TcpStream::connect(address).await.unwrap());
    let fields = ConnectFields {
        clean_start: false,
        ..fields(client_id)
    };
    peer.send(Packet::Connect((&fields).into())).await;
    let answer = peer.receive().await;
    (peer, answer)
}

#[tokio::test]
async fn a_killed_gateway_loses_nothing_it_has_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for round in 0..3_u16 {
        let (mut child, address) = start_child(directory.path()).await;
        let (mut away, answer) = connect(&address, "away").await;
        assert_eq!(answer.contains("session present"), round > 0, "{answer}");
        if round == 0 {
            assert_eq!(
                away.subscribe(1, &[("/a", QoS::ExactlyOnce)]).await,
                "SUBACK 1 [2]"
            );
        }
        drop(away);
        let (mut publisher, _) = connect(&address, "publisher").await;
        for number in 1..=20 {
            let payload = format!("{round}-{number:02}");
            let delivery = match number % 2 {
                0 => Delivery::AtLeastOnce(id(round * 20 + number)),
                _ => Delivery::ExactlyOnce(id(round * 20 + number)),
            };
            publisher.publish("/a", &payload, delivery).await;
            let answer = publisher.receive().await;
            assert!(
                answer.starts_with("PUBACK") || answer.starts_with("PUBREC"),
                "{answer}"
            );
            expected.push(payload);
        }
        // SIGKILL, right after the last acknowledgement.
        child.kill().await.unwrap();
    }
    let (_child, address) = start_child(directory.path()).await;
    let (mut away, _) = connect(&address, "away").await;
    for payload in expected {
        let got = away.receive().await;
        assert!(got.ends_with(&format!("`{payload}`")), "{got}, not {payload}");
    }
    away.has_nothing().await;
}
