//! When the preferred wire is blocked, another carries on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::{future::IntoFuture, time::Duration};

use manywire::{
    Client, ClientBuilder, Credentials, ErrorKind, Failover, QoS, RefusalKind,
    memory::{Faults, MemoryBroker},
    testing::transport_contract,
    transport::{Capabilities, TransportErrorKind},
};

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(3600), future)
        .await
        .expect("in time")
}

fn unreachable(yes: bool) -> Faults {
    let mut faults = Faults::none();
    faults.connect = yes.then_some(TransportErrorKind::Unreachable);
    faults
}

/// A preferred wire that can do everything, and a fallback that can only publish.
fn pair() -> (MemoryBroker, MemoryBroker) {
    let (preferred, fallback) = (MemoryBroker::new(), MemoryBroker::new());
    fallback.set_capabilities(Capabilities::publish_only(QoS::AtLeastOnce));
    (preferred, fallback)
}

async fn connect(preferred: &MemoryBroker, fallback: &MemoryBroker) -> Client {
    let transport = Failover::new(preferred.transport()).or(fallback.transport());
    ClientBuilder::with_transport(transport)
        .seed(1)
        .connect()
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_fallback_publishes_and_the_preferred_one_takes_over_again() {
    let (preferred, fallback) = pair();
    preferred.set_faults(unreachable(true));
    let client = connect(&preferred, &fallback).await;
    let channel = client.channel("channel").unwrap();
    within(channel.publish("1")).await.unwrap();
    assert_eq!((preferred.published().len(), fallback.published().len()), (0, 1));
    preferred.set_faults(Faults::none());
    // It waits for a wire that can subscribe, and has one as soon as the preferred one is tried again.
    let start = tokio::time::Instant::now();
    let mut messages = within(channel.subscribe("")).await.unwrap();
    assert!(
        start.elapsed() >= Duration::from_secs(299),
        "{:?}",
        start.elapsed()
    );
    within(channel.publish("2")).await.unwrap();
    assert_eq!(&within(messages.next()).await.unwrap().payload()[..], b"2");
    assert_eq!((preferred.published().len(), fallback.published().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn it_stays_with_what_works() {
    let (preferred, fallback) = pair();
    preferred.set_faults(unreachable(true));
    let client = connect(&preferred, &fallback).await;
    let channel = client.channel("channel").unwrap();
    preferred.set_faults(Faults::none());
    fallback.disconnect_all();
    within(channel.publish("1")).await.unwrap();
    assert_eq!((preferred.published().len(), fallback.published().len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn only_what_every_wire_can_do_is_promised() {
    let (preferred, fallback) = pair();
    let client = connect(&preferred, &fallback).await;
    let channel = client.channel("channel").unwrap();
    let exactly = channel.publish("1").qos(QoS::ExactlyOnce).try_enqueue();
    assert_eq!(exactly.unwrap_err().kind(), ErrorKind::Unsupported);
    let retained = channel.publish("1").retain(true).try_enqueue();
    assert_eq!(retained.unwrap_err().kind(), ErrorKind::Unsupported);
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_not_carried_to_the_next_wire() {
    let (preferred, fallback) = pair();
    preferred.set_allowed([Credentials::thing("somebody", "else")]);
    let transport = Failover::new(preferred.transport()).or(fallback.transport());
    let error = ClientBuilder::with_transport(transport)
        .credentials(Credentials::thing("me", "key"))
        .connect()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Credentials));
    assert_eq!(fallback.connections(), 0);
}

#[tokio::test]
async fn failover_keeps_the_contract() {
    let broker = MemoryBroker::new();
    let client = || ClientBuilder::with_transport(Failover::new(broker.transport()).or(broker.transport()));
    transport_contract(client, client, "channel").await.unwrap();
}
