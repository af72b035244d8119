//! How long a server takes to start with retained messages on disk.

use std::time::{Duration, Instant};

use manywire_mqtt_codec::{Delivery, Packet, PacketId, Publish, QoS, TopicName};

use super::load::Client;
use super::{PAYLOAD, TOPIC, WHO, run_local, start};
use crate::report::Report;

/// How many messages are retained.
const MESSAGES: usize = 10_000;

/// The case `retained-start`: milliseconds from the start of the server until a subscriber has all retained messages.
pub fn run(report: &mut Report) {
    let case = "retained-start";
    if !report.wants(case) {
        return;
    }
    for who in WHO {
        let directory = tempfile::tempdir().expect("a directory");
        let Some(server) = start(who, &directory, true) else {
            continue;
        };
        run_local(keep(server.port));
        server.stop();
        let started = Instant::now();
        let Some(server) = start(who, &directory, true) else {
            continue;
        };
        let held = run_local(receive(server.port));
        let took = started.elapsed();
        report.figures(
            case,
            who,
            vec![("ms", took.as_secs_f64() * 1e3), ("held", held as f64)],
        );
        server.stop();
    }
}

async fn keep(port: u16) {
    let mut publisher = Client::connect(port, "publisher").await;
    let mut acknowledged = 0;
    let mut id = PacketId::FIRST;
    for number in 0..MESSAGES {
        let topic = format!("{TOPIC}/{number}");
        let publish = Publish {
            delivery: Delivery::AtLeastOnce(id),
            retain: true,
            ..Publish::new(TopicName::new(&topic).expect("a topic"), PAYLOAD)
        };
        publisher.send(&publish.into()).await;
        id = id.next();
        while acknowledged + 500 <= number {
            publisher
                .read(|packet| acknowledged += usize::from(matches!(packet, Packet::Puback(_))))
                .await;
        }
    }
    while acknowledged < MESSAGES {
        publisher
            .read(|packet| acknowledged += usize::from(matches!(packet, Packet::Puback(_))))
            .await;
    }
}

/// How many messages there are: until all are, or nothing comes for long.
async fn receive(port: u16) -> usize {
    let mut subscriber = Client::connect(port, "subscriber").await;
    let mut received = 0;
    subscriber
        .subscribe_counting(&format!("{TOPIC}/#"), QoS::AtMostOnce, &mut received)
        .await;
    while received < MESSAGES {
        let read = subscriber.read(|packet| received += usize::from(matches!(packet, Packet::Publish(_))));
        if tokio::time::timeout(Duration::from_secs(10), read).await.is_err() {
            break;
        }
    }
    received
}
