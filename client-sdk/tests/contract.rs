//! Every transport keeps the one contract.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use manywire::{Client, ClientBuilder, Credentials, memory::MemoryBroker, testing::transport_contract};
use manywire_gateway::{Gateway, Running, Thing};

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

fn sender(url: &str) -> ClientBuilder {
    Client::builder(url)
        .unwrap()
        .credentials(Credentials::thing("sender", "sender-key"))
}

fn receiver(url: &str) -> ClientBuilder {
    Client::builder(url)
        .unwrap()
        .credentials(Credentials::thing("receiver", "receiver-key"))
}

async fn holds(sending: &str, receiving: &str, skipped: &[&str]) {
    let report = transport_contract(|| sender(sending), || receiver(receiving), CHANNEL)
        .await
        .unwrap();
    assert_eq!(report.skipped, skipped, "{sending} to {receiving}");
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    let broker = MemoryBroker::new();
    let client = || ClientBuilder::with_transport(broker.transport());
    let report = transport_contract(client, client, CHANNEL).await.unwrap();
    assert!(report.skipped.is_empty(), "{report:?}");
}

#[tokio::test]
async fn http_keeps_the_contract() {
    let gateway = gateway().await;
    let urls = gateway.urls();
    holds(
        &urls.http,
        &urls.ws,
        &["a retained message reaches a later subscriber"],
    )
    .await;
    gateway.stop().await;
}

#[tokio::test]
async fn websocket_keeps_the_contract() {
    let gateway = gateway().await;
    let urls = gateway.urls();
    holds(
        &urls.ws,
        &urls.ws,
        &["a retained message reaches a later subscriber"],
    )
    .await;
    gateway.stop().await;
}

#[tokio::test]
async fn coap_keeps_the_contract() {
    let gateway = gateway().await;
    let coap = gateway.urls().coap.unwrap();
    holds(&coap, &coap, &["a retained message reaches a later subscriber"]).await;
    gateway.stop().await;
}

#[tokio::test]
async fn mqtt_keeps_the_contract() {
    let gateway = gateway().await;
    let url = gateway.urls().mqtt.unwrap();
    holds(&url, &url, &[]).await;
    gateway.stop().await;
}

#[tokio::test]
async fn mqtt_over_websocket_keeps_the_contract() {
    let gateway = gateway().await;
    let url = gateway.urls().mqtt_ws.unwrap();
    holds(&url, &url, &[]).await;
    gateway.stop().await;
}
