//! A message that a server answers by closing the connection is set aside, and nothing else suffers.
#![cfg(feature = "mqtt")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    missing_docs
)]

use std::{future::IntoFuture, time::Duration};

use manywire::{
    Client, ClientBuilder, ErrorKind, QoS, Reconnect, RefusalKind,
    memory::{Faults, MemoryBroker},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

const POISON: &str = "poison";

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(3600), future)
        .await
        .expect("in time")
}

/// Publishes the poison among others, and returns what became of each, in order.
async fn outcomes(client: &Client) -> Vec<Result<(), manywire::Error>> {
    let topic = client.channel("channel").unwrap().subtopic("a").unwrap();
    let mut pending = Vec::new();
    for name in ["1", "2", POISON, "3", "4"] {
        pending.push(topic.publish(name).qos(QoS::AtLeastOnce).enqueue().await.unwrap());
    }
    let mut outcomes = Vec::new();
    for outcome in pending {
        outcomes.push(within(outcome).await.map(|_| ()));
    }
    outcomes
}

fn only_the_poison_is_refused(outcomes: &[Result<(), manywire::Error>]) {
    for (index, outcome) in outcomes.iter().enumerate() {
        assert_eq!(outcome.is_ok(), index != 2, "{index}: {outcome:?}");
    }
    let error = outcomes[2].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Other));
    assert_eq!(error.message().unwrap().payload, POISON);
}

#[tokio::test(start_paused = true)]
async fn the_platform_in_memory() {
    let broker = MemoryBroker::new();
    let mut faults = Faults::none();
    faults.cut_at = Some(POISON);
    broker.set_faults(faults);
    let client = ClientBuilder::with_transport(broker.transport())
        .connect()
        .await
        .unwrap();
    only_the_poison_is_refused(&outcomes(&client).await);
    assert!(broker.connections() < 20, "{}", broker.connections());
}

/// A server of MQTT 3.1.1 with one thing on its mind. It says what it has accepted.
async fn serve(listener: TcpListener, accepted: mpsc::UnboundedSender<String>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        // An error ends one connection.
        let _ = converse(stream, &accepted).await;
    }
}

async fn converse(mut stream: TcpStream, accepted: &mpsc::UnboundedSender<String>) -> std::io::Result<()> {
    loop {
        let kind = stream.read_u8().await?;
        let mut body = vec![0; usize::from(stream.read_u8().await?)];
        stream.read_exact(&mut body).await?;
        match kind >> 4 {
            1 if body[6] != 4 => return stream.write_all(&[0x20, 2, 0, 1]).await,
            1 => stream.write_all(&[0x20, 2, 0, 0]).await?,
            3 => {
                let topic = 2 + usize::from(body[1]);
                let payload = String::from_utf8(body.split_off(topic + 2)).unwrap();
                if payload == POISON {
                    return Ok(());
                }
                accepted.send(payload).unwrap();
                stream.write_all(&[0x40, 2, body[topic], body[topic + 1]]).await?;
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_server_of_mqtt_3_1_1_that_has_no_other_way_to_refuse() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, mut accepted) = mpsc::unbounded_channel();
    let server = tokio::spawn(serve(listener, sender));
    for persistent in [false, true] {
        let mut reconnect = Reconnect::default();
        reconnect.base = Duration::from_millis(1);
        let client = Client::builder(&format!("mqtt://127.0.0.1:{port}"))
            .unwrap()
            .reconnect(reconnect)
            .client_id("me")
            .persistent_session(persistent)
            .connect()
            .await
            .unwrap();
        only_the_poison_is_refused(&outcomes(&client).await);
        client.close(Duration::from_secs(5)).await.unwrap();
        let mut got: Vec<String> = std::iter::from_fn(|| accepted.try_recv().ok()).collect();
        got.dedup();
        assert_eq!(got.last().map(String::as_str), Some("4"), "{got:?}");
    }
    server.abort();
}
