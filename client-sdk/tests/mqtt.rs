//! MQTT against the gateway: the contract, and what is left of it when the network is bad.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    missing_docs
)]

use std::future::IntoFuture as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use manywire::testing::transport_contract;
use manywire::{
    Client, ClientBuilder, Credentials, Endpoint, ErrorKind, MqttTransport, MqttVersion, QoS, Reconnect,
    RefusalKind, Subscription, Tls, transport::TransportErrorKind,
};
use manywire_gateway::{Gateway, Running, Thing};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const CHANNEL: &str = "30315311-56ba-484d-b500-c1e08305511f";

async fn gateway() -> Running {
    let thing = |id| Thing::new(id).uses(CHANNEL).unwrap();
    Gateway::builder()
        .thing(thing("sender"), "sender-key")
        .thing(thing("receiver"), "receiver-key")
        .start()
        .await
        .unwrap()
}

fn client(url: &str, who: &str) -> ClientBuilder {
    Client::builder(url)
        .unwrap()
        .credentials(Credentials::thing(who, format!("{who}-key")))
        .reconnect(quickly())
}

fn quickly() -> Reconnect {
    let mut reconnect = Reconnect::default();
    reconnect.base = Duration::from_millis(1);
    reconnect.limit = Duration::from_millis(10);
    reconnect
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what)
        .await
        .expect("it takes too long")
}

#[tokio::test]
async fn mqtt_keeps_the_contract_over_tcp_and_inside_websocket() {
    let gateway = gateway().await;
    let urls = gateway.urls();
    let (tcp, websocket) = (urls.mqtt.unwrap(), urls.mqtt_ws.unwrap());
    for (sending, receiving) in [(&tcp, &tcp), (&websocket, &websocket), (&tcp, &websocket)] {
        let report = transport_contract(
            || client(sending, "sender"),
            || client(receiving, "receiver"),
            CHANNEL,
        );
        let report = soon(report).await.unwrap();
        assert!(report.skipped.is_empty(), "{report:?}");
    }
    soon(gateway.stop()).await;
}

#[tokio::test]
async fn wrong_credentials_are_said_to_be_wrong() {
    let gateway = gateway().await;
    let urls = gateway.urls();
    for url in [urls.mqtt.unwrap(), urls.mqtt_ws.unwrap()] {
        let wrong = client(&url, "sender").credentials(Credentials::thing("sender", "no-key"));
        let error = soon(wrong.connect()).await.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Refused(RefusalKind::Credentials),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_mqtt_is_said_to_be_wrong() {
    let gateway = gateway().await;
    let http = gateway.urls().http.replace("http://", "");
    let error = soon(client(&format!("mqtt://{http}"), "sender").connect())
        .await
        .unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::Connection(TransportErrorKind::Protocol | TransportErrorKind::Closed)
        ),
        "{error:?}"
    );
    let error = soon(client(&format!("mqtt+ws://{http}/nothing"), "sender").connect())
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Refused(_)), "{error:?}");
}

/// A network that breaks: it lets through some bytes in each direction, then cuts.
struct BadNetwork {
    address: SocketAddr,
    cuts: Arc<AtomicUsize>,
}

impl BadNetwork {
    async fn to(server: SocketAddr, seed: u64, cuts_wanted: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cuts = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&cuts);
        let mut state = seed;
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let enough = counted.load(Ordering::Relaxed) >= cuts_wanted;
                let (up, down) = if enough {
                    (usize::MAX, usize::MAX)
                } else {
                    (
                        usize::try_from(state >> 48).unwrap() % 4_000,
                        usize::try_from(state >> 40 & 0xff).unwrap() * 3,
                    )
                };
                let server = TcpStream::connect(server).await.unwrap();
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    let (mut client_read, mut client_write) = client.into_split();
                    let (mut server_read, mut server_write) = server.into_split();
                    tokio::select! {
                        () = forward(&mut client_read, &mut server_write, up) => {}
                        () = forward(&mut server_read, &mut client_write, down) => {}
                    }
                    counted.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        Self { address, cuts }
    }

    fn cuts(&self) -> usize {
        self.cuts.load(Ordering::Relaxed)
    }
}

async fn forward(
    from: &mut tokio::net::tcp::OwnedReadHalf,
    to: &mut tokio::net::tcp::OwnedWriteHalf,
    mut budget: usize,
) {
    let mut buffer = vec![0; 4_096];
    while budget > 0 {
        let limit = buffer.len().min(budget);
        let Ok(read @ 1..) = from.read(&mut buffer[..limit]).await else {
            return;
        };
        budget -= read;
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

/// How often each of the messages came, when all have come; in order, the first time.
async fn all_of(received: &mut Subscription, messages: usize) -> Vec<usize> {
    let mut times = vec![0; messages];
    let (mut missing, mut highest) = (messages, 0);
    while missing > 0 {
        let delivery = received.next().await.unwrap();
        let number: usize = std::str::from_utf8(delivery.payload()).unwrap().parse().unwrap();
        if times[number] == 0 {
            missing -= 1;
            assert!(number >= highest, "{number} came first after {highest}");
            highest = number;
        }
        times[number] += 1;
    }
    times
}

/// Publishes over a network that breaks again and again; everything must arrive, and how often is returned.
async fn campaign(version: Version, qos: QoS, messages: usize, cuts: usize, seed: u64) -> Vec<usize> {
    println!("seed {seed}");
    let gateway = gateway().await;
    let network = BadNetwork::to(gateway.mqtt_address().unwrap(), seed, cuts).await;
    let receiver = soon(client(&gateway.urls().mqtt.unwrap(), "receiver").connect())
        .await
        .unwrap();
    let mut received = receiver
        .channel(CHANNEL)
        .unwrap()
        .subscribe("a")
        .qos(QoS::ExactlyOnce)
        .await
        .unwrap();
    let url = format!("mqtt://{}", network.address);
    let transport = MqttTransport::new(Endpoint::parse(&url).unwrap(), Tls::new());
    let transport = match version {
        Version::Old => transport.only(MqttVersion::V3_1_1),
        Version::Newest => transport,
    };
    let sender = client(&url, "sender")
        .transport(transport)
        .client_id("campaign")
        .persistent_session(true)
        .seed(seed)
        .connect_in_background()
        .unwrap();
    let subtopic = sender.channel(CHANNEL).unwrap().subtopic("a").unwrap();
    let sending = async {
        let mut receipts = Vec::new();
        for number in 0..messages {
            receipts.push(
                subtopic
                    .publish(number.to_string())
                    .qos(qos)
                    .enqueue()
                    .await
                    .unwrap(),
            );
        }
        for receipt in receipts {
            receipt.await.unwrap();
        }
    };
    let receiving = all_of(&mut received, messages);
    let ((), times) = soon(async { tokio::join!(sending, receiving) }).await;
    assert!(network.cuts() >= cuts, "only {} cuts", network.cuts());
    soon(sender.close(Duration::from_secs(5))).await.unwrap();
    times
}

#[derive(Clone, Copy)]
enum Version {
    Old,
    Newest,
}

#[tokio::test]
async fn at_least_once_loses_nothing_on_a_network_that_breaks() {
    for (version, seed) in [(Version::Old, 7), (Version::Newest, 8)] {
        let times = campaign(version, QoS::AtLeastOnce, 2_000, 40, seed).await;
        assert!(times.iter().all(|times| *times >= 1));
    }
}

#[tokio::test]
async fn exactly_once_loses_and_doubles_nothing_on_a_network_that_breaks() {
    for (version, seed) in [(Version::Old, 11), (Version::Newest, 12)] {
        let times = campaign(version, QoS::ExactlyOnce, 2_000, 40, seed).await;
        let doubled: Vec<_> = times
            .iter()
            .enumerate()
            .filter(|(_, times)| **times != 1)
            .collect();
        assert!(doubled.is_empty(), "{doubled:?}");
    }
}

/// A server of 3.1.1 before the gateway: it does with a CONNECT of 5.0 what `answer` says, then closes.
async fn old_server(server: SocketAddr, answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut connect = [0; 512];
            let read = client.read(&mut connect).await.unwrap();
            let name = connect.windows(4).position(|window| window == b"MQTT").unwrap();
            if connect[name + 4] == 5 {
                client.write_all(answer).await.unwrap();
                continue;
            }
            let mut server = TcpStream::connect(server).await.unwrap();
            server.write_all(&connect[..read]).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    address
}

#[tokio::test]
async fn a_server_of_3_1_1_is_spoken_to_in_3_1_1_whether_it_says_so_or_not() {
    let gateway = gateway().await;
    for answer in [&b"\x20\x02\x00\x01"[..], b""] {
        let url = format!(
            "mqtt://{}",
            old_server(gateway.mqtt_address().unwrap(), answer).await
        );
        let sender = soon(client(&url, "sender").connect()).await.unwrap();
        let channel = sender.channel(CHANNEL).unwrap();
        let mut received = soon(channel.subscribe("a").into_future()).await.unwrap();
        soon(channel.subtopic("a").unwrap().publish("x").into_future())
            .await
            .unwrap();
        assert_eq!(soon(received.next()).await.unwrap().payload().as_ref(), b"x");
        soon(sender.close(Duration::from_secs(5))).await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_message_is_said_to_be_refused_and_the_client_goes_on() {
    let thing = Thing::new("sender").subscribes_to(CHANNEL).unwrap();
    let gateway = Gateway::builder()
        .thing(thing, "sender-key")
        .start()
        .await
        .unwrap();
    let url = gateway.urls().mqtt.unwrap();
    let sender = soon(client(&url, "sender").connect()).await.unwrap();
    let channel = sender.channel(CHANNEL).unwrap();
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let publish = channel.publish("x").qos(qos);
        let error = soon(publish.into_future()).await.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Refused(RefusalKind::Forbidden),
            "{error:?}"
        );
    }
    soon(channel.subscribe(">").into_future()).await.unwrap();
}
