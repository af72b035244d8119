//! What every broker keeps, shown on the built-in one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use manywire_gateway::broker::{
    Broker, BrokerError, Inbox, InboxLimits, Lagged, MemoryBroker, RetainedHandling, SubscribeOptions,
};
use manywire_gateway::{Gateway, Hub, Limits, Message, Protocol, Running};
use manywire_mqtt_codec::QoS;
use manywire_topics::{Dialect, FilterBuf, Form, TopicBuf};

async fn gateway_with(change: impl FnOnce(&mut Limits)) -> Running {
    let mut limits = Limits::default();
    change(&mut limits);
    Gateway::builder().limits(limits).start().await.unwrap()
}

fn filter(subtopic: &str) -> FilterBuf {
    FilterBuf::parse(
        Dialect::Channels,
        Form::Mqtt,
        &format!("channels/c/messages/{subtopic}"),
    )
    .unwrap()
}

fn message(subtopic: &str, payload: &str) -> Message {
    let topic = format!("channels/c/messages/{subtopic}");
    let topic = TopicBuf::parse(Dialect::Channels, Form::Mqtt, &topic).unwrap();
    Message::new(topic, payload.to_owned().into(), "thing".into(), Protocol::Mqtt)
}

fn retained(subtopic: &str, payload: &str) -> Message {
    let mut message = message(subtopic, payload);
    message.retain = true;
    message
}

fn options(change: impl FnOnce(&mut SubscribeOptions)) -> SubscribeOptions {
    let mut options = SubscribeOptions::default();
    change(&mut options);
    options
}

async fn publish(hub: &Hub, message: Message) {
    hub.publish(message).await.unwrap();
}

/// What waits, as payloads.
fn waiting(inbox: &mut Inbox) -> Vec<String> {
    let all = std::iter::from_fn(|| inbox.try_receive());
    all.map(|received| String::from_utf8(received.unwrap().message.payload.to_vec()).unwrap())
        .collect()
}

#[tokio::test]
async fn a_message_comes_once_however_many_filters_match() {
    let gateway = gateway_with(|_| {}).await;
    let mut inbox = gateway.hub().inbox();
    for (number, pattern) in ["a/+", "a/b", "#", "a/*", "x"].into_iter().enumerate() {
        let qos = if number == 1 {
            QoS::ExactlyOnce
        } else {
            QoS::AtMostOnce
        };
        let identifier = NonZeroU32::new(u32::try_from(number).unwrap() + 1);
        let options = options(|options| (options.qos, options.identifier) = (qos, identifier));
        inbox.subscribe(filter(pattern), options).await.unwrap();
    }
    let mut sent = message("a/b", "1");
    sent.qos = QoS::ExactlyOnce;
    publish(gateway.hub(), sent).await;
    let received = inbox.receive().await.unwrap();
    assert_eq!(
        received.qos,
        QoS::ExactlyOnce,
        "the highest of the subscriptions that match"
    );
    let mut identifiers: Vec<u32> = received.identifiers.iter().map(|id| id.get()).collect();
    identifiers.sort_unstable();
    assert_eq!(
        identifiers,
        [2, 3, 4],
        "`a/*` is `a/+`, so the fourth replaced the first"
    );
    assert!(inbox.try_receive().is_none());
}

#[tokio::test]
async fn the_qos_is_the_lower_of_published_and_subscribed() {
    let gateway = gateway_with(|_| {}).await;
    let all = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];
    for subscribed in all {
        let mut inbox = gateway.hub().inbox();
        inbox
            .subscribe(filter("a"), options(|options| options.qos = subscribed))
            .await
            .unwrap();
        for published in all {
            let mut sent = message("a", "x");
            sent.qos = published;
            publish(gateway.hub(), sent).await;
            assert_eq!(inbox.receive().await.unwrap().qos, published.min(subscribed));
        }
    }
}

#[tokio::test]
async fn a_subscriber_with_no_local_does_not_hear_itself() {
    let gateway = gateway_with(|_| {}).await;
    let mut quiet = gateway.hub().inbox();
    let mut echo = gateway.hub().inbox();
    quiet
        .subscribe(filter("a"), options(|options| options.no_local = true))
        .await
        .unwrap();
    echo.subscribe(filter("a"), SubscribeOptions::default())
        .await
        .unwrap();
    for origin in [quiet.origin(), echo.origin()] {
        let mut sent = message("a", "x");
        sent.origin = Some(origin);
        publish(gateway.hub(), sent).await;
    }
    assert_eq!(waiting(&mut quiet).len(), 1);
    assert_eq!(waiting(&mut echo).len(), 2);
}

#[tokio::test]
async fn retained_messages_come_first_and_once() {
    let gateway = gateway_with(|_| {}).await;
    let hub = gateway.hub();
    for (subtopic, payload) in [("a", "old"), ("a", "a"), ("b/c", "bc"), ("d", "d"), ("d", "")] {
        publish(hub, retained(subtopic, payload)).await;
    }
    let mut inbox = hub.inbox();
    inbox
        .subscribe(filter("#"), SubscribeOptions::default())
        .await
        .unwrap();
    publish(hub, message("a", "live")).await;
    let first = inbox.receive().await.unwrap();
    assert!(first.retain, "what was retained says so");
    let mut rest = waiting(&mut inbox);
    assert_eq!(rest.pop().as_deref(), Some("live"));
    assert_eq!(
        (first.message.payload.as_ref(), rest),
        (&b"a"[..], vec!["bc".to_owned()])
    );

    let mut again = hub.inbox();
    let new = options(|options| options.retained = RetainedHandling::SendIfNew);
    assert!(!again.subscribe(filter("a"), new.clone()).await.unwrap());
    assert!(again.subscribe(filter("a"), new).await.unwrap());
    let skip = options(|options| options.retained = RetainedHandling::Skip);
    again.subscribe(filter("b/c"), skip).await.unwrap();
    assert_eq!(waiting(&mut again), ["a"]);
}

#[tokio::test]
async fn the_retain_flag_is_passed_on_only_when_asked_for() {
    let gateway = gateway_with(|_| {}).await;
    for as_published in [false, true] {
        let mut inbox = gateway.hub().inbox();
        let options = options(|options| {
            options.retain_as_published = as_published;
            options.retained = RetainedHandling::Skip;
        });
        inbox.subscribe(filter("a"), options).await.unwrap();
        publish(gateway.hub(), retained("a", "x")).await;
        assert_eq!(inbox.receive().await.unwrap().retain, as_published);
    }
}

#[tokio::test]
async fn what_has_expired_is_not_retained_any_more() {
    let gateway = gateway_with(|_| {}).await;
    let mut short = retained("a", "x");
    short.expiry = Some(Duration::from_secs(1));
    short.created = SystemTime::now() - Duration::from_secs(2);
    publish(gateway.hub(), short).await;
    let mut inbox = gateway.hub().inbox();
    inbox
        .subscribe(filter("a"), SubscribeOptions::default())
        .await
        .unwrap();
    assert!(inbox.try_receive().is_none());
}

#[tokio::test]
async fn retained_messages_are_bounded_and_a_full_store_refuses_and_keeps() {
    let gateway = gateway_with(|limits| limits.retained_messages = 2).await;
    let hub = gateway.hub();
    publish(hub, retained("a", "1")).await;
    publish(hub, retained("b", "1")).await;
    assert_eq!(
        hub.publish(retained("c", "1")).await,
        Err(BrokerError::RetainedFull)
    );
    publish(hub, retained("a", "2")).await;
    publish(hub, retained("b", "")).await;
    publish(hub, retained("c", "2")).await;
    let mut inbox = hub.inbox();
    inbox
        .subscribe(filter("#"), SubscribeOptions::default())
        .await
        .unwrap();
    assert_eq!(waiting(&mut inbox), ["2", "2"]);
}

#[tokio::test]
async fn subscriptions_are_bounded_and_end_with_the_inbox() {
    let gateway = gateway_with(|limits| limits.subscriptions = 2).await;
    let hub = gateway.hub();
    let inbox = hub.inbox();
    assert!(
        !inbox
            .subscribe(filter("a"), SubscribeOptions::default())
            .await
            .unwrap()
    );
    assert!(
        !inbox
            .subscribe(filter("b"), SubscribeOptions::default())
            .await
            .unwrap()
    );
    assert!(
        inbox
            .subscribe(filter("b"), SubscribeOptions::default())
            .await
            .unwrap()
    );
    let refused = inbox.subscribe(filter("c"), SubscribeOptions::default()).await;
    assert_eq!(refused, Err(BrokerError::TooManySubscriptions));
    assert!(inbox.unsubscribe(&filter("a")) && !inbox.unsubscribe(&filter("a")));
    assert!(format!("{:?}", MemoryBroker::new(&Limits::default())).contains("subscriptions: 0"));
}

#[tokio::test]
async fn all_subscriptions_together_are_bounded_and_make_room_when_they_end() {
    let gateway = gateway_with(|limits| limits.subscription_bytes = 1_000).await;
    let hub = gateway.hub();
    let first = hub.inbox();
    let mut held = 0;
    while first
        .subscribe(filter(&held.to_string()), SubscribeOptions::default())
        .await
        .is_ok()
    {
        held += 1;
    }
    assert_eq!(held, 3);
    let second = hub.inbox();
    let refused = second.subscribe(filter("a"), SubscribeOptions::default()).await;
    assert_eq!(refused, Err(BrokerError::TooManySubscriptions));
    assert!(
        first
            .subscribe(filter("0"), SubscribeOptions::default())
            .await
            .unwrap(),
        "it has that one"
    );
    drop(first);
    for number in 0..held {
        second
            .subscribe(filter(&number.to_string()), SubscribeOptions::default())
            .await
            .unwrap();
        assert!(second.unsubscribe(&filter(&number.to_string())));
    }
}

#[tokio::test]
async fn long_topics_and_filters_are_refused() {
    let gateway = gateway_with(|limits| limits.topic = 64).await;
    let long = "x".repeat(64);
    let refused = gateway.hub().publish(message(&long, "x")).await;
    assert_eq!(refused, Err(BrokerError::TopicTooLong));
    let inbox = gateway.hub().inbox();
    let refused = inbox.subscribe(filter(&long), SubscribeOptions::default()).await;
    assert_eq!(refused, Err(BrokerError::TopicTooLong));
    publish(gateway.hub(), message(&long[..32], "x")).await;
}

#[tokio::test]
async fn a_subscriber_that_is_too_slow_is_told_and_its_memory_is_free() {
    let gateway = gateway_with(|limits| limits.queued_messages = 3).await;
    let hub = gateway.hub();
    let (mut slow, mut quick) = (hub.inbox(), hub.inbox());
    slow.subscribe(filter("a"), SubscribeOptions::default())
        .await
        .unwrap();
    quick
        .subscribe(filter("a"), SubscribeOptions::default())
        .await
        .unwrap();
    for number in 0..5 {
        publish(hub, message("a", &number.to_string())).await;
        assert_eq!(waiting(&mut quick), [number.to_string()]);
    }
    assert_eq!(slow.receive().await.unwrap_err(), Lagged { lost: 5 });
    assert_eq!(hub.queued_bytes().load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test]
async fn bytes_are_bounded_for_one_and_for_all_together() {
    let broker: Arc<dyn Broker> = Arc::new(MemoryBroker::new(&Limits::default()));
    let gateway = gateway_with(|_| {}).await;
    let total = Arc::default();
    let limits = |bytes, total_bytes| InboxLimits {
        messages: 100,
        bytes,
        total_bytes,
        total: Arc::clone(&total),
    };
    let cost = message("a", "x").cost();
    let inbox = |limits| Inbox::new(Arc::clone(&broker), gateway.hub().origin(), limits);
    let mut alone = inbox(limits(2 * cost, 100 * cost));
    let mut one = inbox(limits(100 * cost, 3 * cost));
    alone
        .subscribe(filter("a"), SubscribeOptions::default())
        .await
        .unwrap();
    for _ in 0..3 {
        broker.publish(message("a", "x")).await.unwrap();
    }
    assert_eq!(alone.try_receive().unwrap().unwrap_err(), Lagged { lost: 3 });
    one.subscribe(filter("a"), SubscribeOptions::default())
        .await
        .unwrap();
    for _ in 0..4 {
        broker.publish(message("a", "x")).await.unwrap();
    }
    assert_eq!(one.try_receive().unwrap().unwrap_err(), Lagged { lost: 4 });
    assert_eq!(total.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_each_publisher_is_kept_while_others_publish_and_subscribe() {
    let gateway = gateway_with(|limits| limits.queued_messages = 10_000).await;
    let hub = gateway.hub();
    let mut inbox = hub.inbox();
    inbox
        .subscribe(filter("#"), SubscribeOptions::default())
        .await
        .unwrap();
    let publishers = (0..4).map(|publisher| {
        let hub = Arc::clone(hub);
        tokio::spawn(async move {
            for number in 0..500 {
                publish(
                    &hub,
                    message(&format!("p{publisher}"), &format!("{publisher} {number}")),
                )
                .await;
                let passer_by = hub.inbox();
                passer_by
                    .subscribe(filter("p0"), SubscribeOptions::default())
                    .await
                    .unwrap();
            }
        })
    });
    for publisher in publishers.collect::<Vec<_>>() {
        publisher.await.unwrap();
    }
    let mut next = [0; 4];
    for payload in waiting(&mut inbox) {
        let (publisher, number) = payload.split_once(' ').unwrap();
        let expected = &mut next[publisher.parse::<usize>().unwrap()];
        assert_eq!(number.parse::<usize>().unwrap(), *expected);
        *expected += 1;
    }
    assert_eq!(next, [500; 4]);
}
