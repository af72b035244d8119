//! What an application notices of lost connections: as little as possible, and never a lie.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs
)]

use std::{
    future::IntoFuture,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt;
use manywire::{
    Channel, Client, ClientBuilder, ClientEvent, Credentials, CredentialsError, ErrorKind, Outbox, QoS,
    RefusalKind,
    memory::{Faults, MemoryBroker},
    transport::{Capabilities, TransportErrorKind},
};

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(600), future)
        .await
        .expect("in time")
}

async fn connect(broker: &MemoryBroker) -> (Client, Channel) {
    let client = ClientBuilder::with_transport(broker.transport())
        .seed(1)
        .connect()
        .await
        .unwrap();
    let channel = client.channel("channel").unwrap();
    (client, channel)
}

fn faults(change: impl FnOnce(&mut Faults)) -> Faults {
    let mut faults = Faults::none();
    change(&mut faults);
    faults
}

/// Time passes as soon as everybody waits: hours of faults take moments.
#[tokio::test(start_paused = true)]
async fn nothing_is_lost_and_order_is_kept_through_many_cuts() {
    let broker = MemoryBroker::new();
    let (_receiver, from) = connect(&broker).await;
    // At most once, so that the receiver has nothing to acknowledge and is not cut itself.
    let mut messages = within(from.subscribe(">").qos(QoS::AtMostOnce).capacity(100_000))
        .await
        .unwrap();
    let (client, channel) = connect(&broker).await;
    let topic = channel.subtopic("a").unwrap();
    broker.set_faults(faults(|faults| faults.drop_after = Some(7)));
    let mut pending = Vec::new();
    for number in 0..500_u32 {
        pending.push(within(topic.enqueue(number.to_string())).await.unwrap());
    }
    let mut repeated = 0;
    for outcome in pending {
        repeated += u32::from(within(outcome).await.unwrap().attempts() > 1);
    }
    assert!(repeated > 0, "the faults were felt");
    broker.set_faults(Faults::none());
    let mut expected = 0;
    while expected < 500 {
        let message = within(messages.next()).await.unwrap();
        let number: u32 = std::str::from_utf8(message.payload()).unwrap().parse().unwrap();
        assert!(number <= expected, "{number} came before {expected}");
        expected = expected.max(number + 1);
    }
    client.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn r1_a_subscription_outlives_a_session_that_the_platform_forgot() {
    let broker = MemoryBroker::new();
    let (client, channel) = connect(&broker).await;
    let mut messages = within(channel.subscribe("x/*")).await.unwrap();
    let mut events = client.events();
    broker.disconnect_all();
    let mut seen = Vec::new();
    while seen.last() != Some(&"gap") {
        seen.push(match within(events.next()).await.unwrap() {
            ClientEvent::Disconnected {
                retry_in: Some(_), ..
            } => "disconnected",
            ClientEvent::Connected { resumed: false } => "connected",
            ClientEvent::Gap => "gap",
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(seen, ["disconnected", "connected", "gap"]);
    let (_other, to) = connect(&broker).await;
    // The subscription is asked for again at its own pace: publish until it is there.
    let topic = to.subtopic("x/y").unwrap();
    let mut received = pin!(messages.next());
    loop {
        within(topic.publish("1")).await.unwrap();
        if let Ok(message) = tokio::time::timeout(Duration::from_millis(1), received.as_mut()).await {
            assert_eq!(&message.unwrap().payload()[..], b"1");
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_kept_session_misses_nothing() {
    let broker = MemoryBroker::new();
    let client = ClientBuilder::with_transport(broker.transport())
        .client_id("me")
        .persistent_session(true)
        .connect()
        .await
        .unwrap();
    let channel = client.channel("channel").unwrap();
    let mut messages = within(channel.subscribe("a")).await.unwrap();
    let (_other, to) = connect(&broker).await;
    broker.set_faults(faults(|faults| {
        faults.connect = Some(TransportErrorKind::Unreachable)
    }));
    broker.disconnect_all();
    broker.set_faults(Faults::none());
    let (_third, to_again) = connect(&broker).await;
    drop(to);
    for number in 0..10 {
        within(to_again.subtopic("a").unwrap().publish(number.to_string()))
            .await
            .unwrap();
    }
    for number in 0..10 {
        let message = within(messages.next()).await.unwrap();
        assert_eq!(message.payload(), number.to_string().as_bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn exactly_once_is_never_silently_repeated() {
    let broker = MemoryBroker::new();
    let (_client, channel) = connect(&broker).await;
    broker.set_faults(faults(|faults| {
        faults.drop_after = Some(0);
        faults.lose_answer = true;
    }));
    let pending = channel
        .publish("once")
        .qos(QoS::ExactlyOnce)
        .enqueue()
        .await
        .unwrap();
    let error = within(pending).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Indeterminate);
    assert_eq!(&error.message().unwrap().payload[..], b"once");
    assert_eq!(broker.published().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn exactly_once_is_finished_by_a_resumed_session() {
    let broker = MemoryBroker::new();
    let client = ClientBuilder::with_transport(broker.transport())
        .client_id("me")
        .persistent_session(true)
        .connect()
        .await
        .unwrap();
    broker.set_faults(faults(|faults| {
        faults.drop_after = Some(0);
        faults.lose_answer = true;
    }));
    let channel = client.channel("channel").unwrap();
    let pending = channel
        .publish("once")
        .qos(QoS::ExactlyOnce)
        .enqueue()
        .await
        .unwrap();
    assert_eq!(within(pending).await.unwrap().guarantee(), QoS::ExactlyOnce);
    assert_eq!(broker.published().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn credentials_are_asked_anew_at_every_connect() {
    let broker = MemoryBroker::new();
    let asked = Arc::new(AtomicU32::new(0));
    let source = {
        let asked = Arc::clone(&asked);
        move || {
            let number = asked.fetch_add(1, Ordering::SeqCst);
            async move { Ok::<_, CredentialsError>(Credentials::thing("me", format!("key-{number}"))) }
        }
    };
    broker.set_allowed([Credentials::thing("me", "key-0")]);
    let client = ClientBuilder::with_transport(broker.transport())
        .credentials(source)
        .connect()
        .await
        .unwrap();
    broker.set_allowed([Credentials::thing("me", "key-2")]);
    broker.disconnect_all();
    let channel = client.channel("channel").unwrap();
    within(channel.publish("{}")).await.unwrap();
    assert_eq!(
        asked.load(Ordering::SeqCst),
        3,
        "key-1 was refused, key-2 was asked for at once"
    );
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_stop_the_retrying() {
    let broker = MemoryBroker::new();
    broker.set_allowed([Credentials::thing("me", "right")]);
    let error = ClientBuilder::with_transport(broker.transport())
        .credentials(Credentials::thing("me", "wrong"))
        .connect()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Credentials));
    assert_eq!(broker.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn publishing_before_there_is_a_connection_works() {
    let broker = MemoryBroker::new();
    broker.set_faults(faults(|faults| {
        faults.connect = Some(TransportErrorKind::Unreachable)
    }));
    let client = ClientBuilder::with_transport(broker.transport())
        .connect_in_background()
        .unwrap();
    let channel = client.channel("channel").unwrap();
    let pending = channel.publish("early").enqueue().await.unwrap();
    let error = client.first_attempt().await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Connection(TransportErrorKind::Unreachable)
    );
    broker.set_faults(Faults::none());
    within(pending).await.unwrap();
    assert_eq!(&broker.published()[0].payload[..], b"early");
}

#[tokio::test(start_paused = true)]
async fn a_full_outbox_makes_the_next_wait_its_turn() {
    let broker = MemoryBroker::new();
    let client = ClientBuilder::with_transport(broker.transport())
        .outbox(Outbox::memory().max_messages(1))
        .connect()
        .await
        .unwrap();
    broker.set_faults(faults(|faults| faults.delay = Some(Duration::from_secs(1))));
    let channel = client.channel("channel").unwrap();
    let start = tokio::time::Instant::now();
    let all = (0..5).map(|number| channel.publish(number.to_string()).into_future());
    for outcome in within(futures_util::future::join_all(all)).await {
        outcome.unwrap();
    }
    assert_eq!(start.elapsed().as_secs(), 5);
    assert!(channel.publish("a").try_enqueue().is_ok());
    let full = channel.publish("b").try_enqueue().unwrap_err();
    assert_eq!(
        (full.kind(), full.message().is_some()),
        (ErrorKind::QueueFull, true)
    );
}

#[tokio::test(start_paused = true)]
async fn a_waiting_publish_that_is_dropped_gives_its_turn_to_the_next() {
    let broker = MemoryBroker::new();
    let client = ClientBuilder::with_transport(broker.transport())
        .outbox(Outbox::memory().max_messages(1))
        .connect()
        .await
        .unwrap();
    broker.set_faults(faults(|faults| faults.delay = Some(Duration::from_secs(1))));
    let channel = client.channel("channel").unwrap();
    let first = channel.publish("1").enqueue().await.unwrap();
    let dropped = tokio::time::timeout(Duration::from_millis(1), channel.publish("2").enqueue()).await;
    assert!(dropped.is_err());
    within(channel.publish("3")).await.unwrap();
    assert!(first.outcome().unwrap().is_ok());
    let published: Vec<_> = broker
        .published()
        .iter()
        .map(|message| message.payload.clone())
        .collect();
    assert_eq!(published, ["1", "3"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_not_acknowledged_is_delivered_again() {
    let broker = MemoryBroker::new();
    let client = ClientBuilder::with_transport(broker.transport())
        .client_id("me")
        .persistent_session(true)
        .connect()
        .await
        .unwrap();
    let channel = client.channel("channel").unwrap();
    let mut messages = within(channel.subscribe("a").manual_acknowledgement())
        .await
        .unwrap();
    let topic = channel.subtopic("a").unwrap();
    within(topic.publish("1")).await.unwrap();
    within(topic.publish("2")).await.unwrap();
    let mut first = within(messages.next()).await.unwrap();
    let second = within(messages.next()).await.unwrap();
    first.acknowledge();
    drop(second);
    // Something answered after the acknowledgement shows that it went out.
    within(channel.publish("x")).await.unwrap();
    broker.disconnect_all();
    let again = within(messages.next()).await.unwrap();
    assert_eq!((&again.payload()[..], again.is_duplicate()), (&b"2"[..], true));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_loses_the_oldest_and_is_told() {
    let broker = MemoryBroker::new();
    let (client, channel) = connect(&broker).await;
    let mut events = client.events();
    let mut messages = within(channel.subscribe("a").qos(QoS::AtMostOnce).capacity(3))
        .await
        .unwrap();
    let topic = channel.subtopic("a").unwrap();
    for number in 0..10 {
        within(topic.publish(number.to_string()).qos(QoS::AtLeastOnce))
            .await
            .unwrap();
    }
    assert!(matches!(
        within(events.next()).await,
        Some(ClientEvent::Overflowed { .. })
    ));
    assert_eq!(within(messages.next()).await.unwrap().payload(), "7".as_bytes());
    assert_eq!(messages.dropped(), 7);
}

#[tokio::test(start_paused = true)]
async fn capabilities_are_checked_before_anything_is_sent() {
    let broker = MemoryBroker::new();
    let mut little = Capabilities::publish_only(QoS::AtMostOnce);
    little.max_payload = Some(10);
    broker.set_capabilities(little);
    let (_client, channel) = connect(&broker).await;
    let unsupported = Some(ErrorKind::Unsupported);
    let kind = |outcome: Result<_, manywire::Error>| outcome.err().map(|error| error.kind());
    assert_eq!(
        kind(channel.publish("a").qos(QoS::AtLeastOnce).try_enqueue()),
        unsupported
    );
    assert_eq!(kind(channel.publish("a").retain(true).try_enqueue()), unsupported);
    assert_eq!(
        kind(channel.publish("12345678901").try_enqueue()),
        Some(ErrorKind::TooLarge)
    );
    assert_eq!(
        channel.subscribe("a").await.err().map(|error| error.kind()),
        unsupported
    );
    assert!(broker.published().is_empty());
    assert_eq!(
        within(channel.publish("a")).await.unwrap().guarantee(),
        QoS::AtMostOnce
    );
}

#[tokio::test(start_paused = true)]
async fn closing_in_vain_gives_everything_back() {
    let broker = MemoryBroker::new();
    let (client, channel) = connect(&broker).await;
    broker.set_faults(faults(|faults| {
        faults.connect = Some(TransportErrorKind::Unreachable)
    }));
    broker.disconnect_all();
    let topic = channel.subtopic("a").unwrap();
    for number in 0..3 {
        topic.enqueue(number.to_string()).await.unwrap();
    }
    let undelivered = within(client.close(Duration::from_secs(5))).await.unwrap_err();
    let payloads: Vec<_> = undelivered
        .messages()
        .iter()
        .map(|message| message.payload.clone())
        .collect();
    assert_eq!(payloads, ["0", "1", "2"]);
}

#[tokio::test(start_paused = true)]
async fn dropping_every_handle_delivers_what_was_accepted_and_ends_the_driver() {
    let broker = MemoryBroker::new();
    let (client, driver) = ClientBuilder::with_transport(broker.transport()).build().unwrap();
    let driver = tokio::spawn(driver);
    let channel = client.channel("channel").unwrap();
    for number in 0..3 {
        channel.publish(number.to_string()).enqueue().await.unwrap();
    }
    drop((client, channel));
    within(driver).await.unwrap();
    assert_eq!(broker.published().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_driver_tells_everybody() {
    let broker = MemoryBroker::new();
    let (client, driver) = ClientBuilder::with_transport(broker.transport()).build().unwrap();
    let channel = client.channel("channel").unwrap();
    let pending = channel.publish("a").enqueue().await.unwrap();
    drop(driver);
    assert_eq!(within(pending).await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(
        channel.publish("b").try_enqueue().unwrap_err().kind(),
        ErrorKind::Closed
    );
}

#[tokio::test(start_paused = true)]
async fn a_will_is_published_for_a_client_that_is_lost_and_not_for_one_that_says_goodbye() {
    let broker = MemoryBroker::new();
    let will = || manywire::Will::new("channel", "gone").unwrap().subtopic("status");
    let client = ClientBuilder::with_transport(broker.transport())
        .will(will())
        .connect()
        .await
        .unwrap();
    client.close(Duration::from_secs(1)).await.unwrap();
    assert!(broker.published().is_empty());
    let (_client, driver) = ClientBuilder::with_transport(broker.transport())
        .will(will())
        .build()
        .unwrap();
    let driver = tokio::spawn(driver);
    while broker.connections() < 2 {
        tokio::task::yield_now().await;
    }
    driver.abort();
    assert!(driver.await.unwrap_err().is_cancelled());
    assert_eq!(&broker.published()[0].payload[..], b"gone");
}

#[tokio::test(start_paused = true)]
async fn what_a_kept_session_delivers_before_its_subscriber_is_there_waits_for_it() {
    let broker = MemoryBroker::new();
    let start = || async {
        ClientBuilder::with_transport(broker.transport())
            .client_id("me")
            .persistent_session(true)
            .connect()
            .await
            .unwrap()
    };
    let before = start().await;
    let messages = within(before.channel("channel").unwrap().subscribe("a/*"))
        .await
        .unwrap();
    before.close(Duration::from_secs(1)).await.unwrap();
    drop(messages);
    let (_other, to) = connect(&broker).await;
    for name in ["a/b", "a/c"] {
        within(to.subtopic(name).unwrap().publish(name)).await.unwrap();
    }
    let after = start().await;
    let channel = after.channel("channel").unwrap();
    // A round trip, so that everything has arrived before anybody subscribes.
    within(channel.publish("x")).await.unwrap();
    let mut late = within(channel.subscribe("a/b")).await.unwrap();
    assert_eq!(within(late.next()).await.unwrap().payload(), "a/b".as_bytes());
    let mut later = within(channel.subscribe("a/c")).await.unwrap();
    assert_eq!(within(later.next()).await.unwrap().payload(), "a/c".as_bytes());
}
