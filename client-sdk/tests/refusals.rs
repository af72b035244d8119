//! What goes wrong says what it is, on every wire, and disturbs nobody else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::{future::IntoFuture, time::Duration};

use manywire::{Client, ClientBuilder, ContentType, Credentials, Error, ErrorKind, QoS, RefusalKind};
use manywire_gateway::{Gateway, Limits, Running, Thing};

const MINE: &str = "30315311-56ba-484d-b500-c1e08305511f";
const OTHERS: &str = "30315311-56ba-484d-b500-c1e083055120";
const NOBODYS: &str = "30315311-56ba-484d-b500-c1e083055121";

async fn gateway() -> Running {
    let mut limits = Limits::default();
    limits.payload = 1000;
    Gateway::builder()
        .limits(limits)
        .thing(Thing::new("me").uses(MINE).unwrap(), "my-key")
        .thing(Thing::new("other").uses(OTHERS).unwrap(), "other-key")
        .start()
        .await
        .unwrap()
}

fn builder(url: &str, key: &str) -> ClientBuilder {
    Client::builder(url)
        .unwrap()
        .credentials(Credentials::thing("me", key))
}

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .expect("in time")
}

async fn publish(url: &str, key: &str, channel: &str, payload: Vec<u8>) -> Result<(), Error> {
    let client = within(builder(url, key).connect()).await?;
    let channel = client.channel(channel)?;
    within(channel.publish(payload).content_type(ContentType::JSON))
        .await
        .map(drop)
}

async fn subscribe(url: &str, key: &str, channel: &str) -> Result<(), Error> {
    let client = within(builder(url, key).connect()).await?;
    within(client.channel(channel)?.subscribe("")).await.map(drop)
}

fn refused(kind: RefusalKind) -> Option<ErrorKind> {
    Some(ErrorKind::Refused(kind))
}

fn kind(outcome: Result<(), Error>) -> Option<ErrorKind> {
    outcome.err().map(|error| error.kind())
}

#[tokio::test]
async fn http_tells_refusals_apart() {
    let gateway = gateway().await;
    let url = &gateway.urls().http;
    let small = || b"{}".to_vec();
    assert_eq!(
        kind(publish(url, "wrong", MINE, small()).await),
        refused(RefusalKind::Credentials)
    );
    assert_eq!(
        kind(publish(url, "my-key", OTHERS, small()).await),
        refused(RefusalKind::Forbidden)
    );
    assert_eq!(
        kind(publish(url, "my-key", NOBODYS, small()).await),
        refused(RefusalKind::UnknownChannel)
    );
    assert_eq!(
        kind(publish(url, "my-key", MINE, vec![b' '; 1001]).await),
        Some(ErrorKind::TooLarge)
    );
    assert_eq!(
        kind(publish(url, "my-key", MINE, Vec::new()).await),
        refused(RefusalKind::Empty)
    );
    assert_eq!(kind(publish(url, "my-key", MINE, small()).await), None);
    gateway.stop().await;
}

#[tokio::test]
async fn http_names_the_content_type_it_does_not_take() {
    let gateway = gateway().await;
    let client = builder(&gateway.urls().http, "my-key").connect().await.unwrap();
    let channel = client.channel(MINE).unwrap();
    for unsupported in [ContentType::TEXT, ContentType::OCTET_STREAM] {
        let error = within(channel.publish("{}").content_type(unsupported))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::ContentType));
        assert!(error.to_string().contains("415"), "{error}");
    }
    gateway.stop().await;
}

#[tokio::test]
async fn websocket_tells_refusals_apart() {
    let gateway = gateway().await;
    let url = &gateway.urls().ws;
    assert_eq!(
        kind(subscribe(url, "wrong", MINE).await),
        refused(RefusalKind::Credentials)
    );
    assert_eq!(
        kind(subscribe(url, "my-key", OTHERS).await),
        refused(RefusalKind::Forbidden)
    );
    assert_eq!(
        kind(subscribe(url, "my-key", NOBODYS).await),
        refused(RefusalKind::UnknownChannel)
    );
    assert_eq!(
        kind(publish(url, "wrong", MINE, b"{}".to_vec()).await),
        refused(RefusalKind::Credentials)
    );
    assert_eq!(kind(subscribe(url, "my-key", MINE).await), None);
    gateway.stop().await;
}

#[tokio::test]
async fn malformed_topics_never_reach_a_wire() {
    let gateway = gateway().await;
    let client = builder(&gateway.urls().http, "my-key").connect().await.unwrap();
    let channel = client.channel(MINE).unwrap();
    for malformed in ["a.b*c.d", "a/*", ">"] {
        let error = channel.subtopic(malformed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Topic, "{malformed}");
        assert!(error.to_string().contains(malformed), "{error}");
    }
    let error = client.channel("no/channel").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Topic);
    gateway.stop().await;
}

#[tokio::test]
async fn a_refused_neighbour_disturbs_nobody() {
    let gateway = gateway().await;
    let client = builder(&gateway.urls().ws, "my-key").connect().await.unwrap();
    let mine = client.channel(MINE).unwrap();
    let mut messages = within(mine.subscribe(">")).await.unwrap();
    let error = within(client.channel(OTHERS).unwrap().publish("{}").qos(QoS::AtMostOnce))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Forbidden));
    let other = builder(&gateway.urls().http, "my-key").connect().await.unwrap();
    let topic = other.channel(MINE).unwrap().subtopic("still/here").unwrap();
    within(topic.publish("{}")).await.unwrap();
    assert_eq!(&within(messages.next()).await.unwrap().payload()[..], b"{}");
    assert!(client.is_connected());
    gateway.stop().await;
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_unreachable() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let client = builder(&format!("ws://{address}"), "my-key")
        .connect()
        .await
        .unwrap();
    let channel = client.channel(MINE).unwrap();
    let pending = channel
        .publish("{}")
        .expires_after(Duration::from_millis(300))
        .enqueue()
        .await
        .unwrap();
    assert_eq!(within(pending).await.unwrap_err().kind(), ErrorKind::Expired);
}

#[test]
fn what_cannot_be_spoken_is_refused_at_once() {
    assert_eq!(Client::builder("lora://host").unwrap_err().kind(), ErrorKind::Url);
    assert_eq!(
        Client::builder("coap+tcp://host").unwrap_err().kind(),
        ErrorKind::Url
    );
}
