//! What survives a restart when there is a data directory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::path::Path;

use manywire_gateway::broker::SubscribeOptions;
use manywire_gateway::{Gateway, Limits, Message, Protocol, Running, StartError};
use manywire_topics::{Dialect, FilterBuf, Form, TopicBuf};

async fn gateway(directory: &Path, dialect: Dialect, limits: Limits) -> Running {
    let builder = Gateway::builder()
        .dialect(dialect)
        .limits(limits)
        .data_directory(directory);
    builder.start().await.unwrap()
}

async fn retain(gateway: &Running, topic: &str, payload: &str) {
    let topic = TopicBuf::parse(gateway.hub().dialect(), Form::Mqtt, topic).unwrap();
    let mut message = Message::new(topic, payload.to_owned().into(), "thing".into(), Protocol::Mqtt);
    message.retain = true;
    gateway.hub().publish(message).await.unwrap();
}

async fn retained(gateway: &Running, filter: &str) -> Vec<String> {
    let mut inbox = gateway.hub().inbox();
    let filter = FilterBuf::parse(gateway.hub().dialect(), Form::Mqtt, filter).unwrap();
    inbox
        .subscribe(filter, SubscribeOptions::default())
        .await
        .unwrap();
    let all = std::iter::from_fn(|| inbox.try_receive());
    let text = |message: &Message| String::from_utf8(message.payload.to_vec()).unwrap();
    let mut all: Vec<String> = all.map(|received| text(&received.unwrap().message)).collect();
    all.sort();
    all
}

#[tokio::test]
async fn retained_messages_survive_and_cleared_ones_do_not() {
    for (dialect, channel) in [
        (Dialect::Channels, "channels/c/messages"),
        (Dialect::Domains, "m/d/c/ch"),
        (Dialect::FluxMq, "m/d/c/ch"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let first = gateway(directory.path(), dialect, Limits::default()).await;
        for (subtopic, payload) in [
            ("/a", "1"),
            ("/a", "2"),
            ("/b/ä", "3"),
            ("/c", "4"),
            ("/c", ""),
            ("", "5"),
        ] {
            retain(&first, &format!("{channel}{subtopic}"), payload).await;
        }
        first.stop().await;
        let second = gateway(directory.path(), dialect, Limits::default()).await;
        assert_eq!(
            retained(&second, &format!("{channel}/#")).await,
            ["2", "3", "5"],
            "{dialect:?}"
        );
    }
}

#[tokio::test]
async fn a_gateway_that_is_dropped_has_kept_what_it_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let first = gateway(directory.path(), Dialect::Channels, Limits::default()).await;
    retain(&first, "channels/c/messages/a", "kept").await;
    drop(first);
    // The tasks of a dropped gateway end soon; then the directory is free.
    let second = loop {
        match Gateway::builder().data_directory(directory.path()).start().await {
            Ok(gateway) => break gateway,
            Err(StartError::Store(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(retained(&second, "channels/c/messages/#").await, ["kept"]);
}

#[tokio::test]
async fn a_directory_belongs_to_one_gateway_and_must_be_one() {
    let directory = tempfile::tempdir().unwrap();
    let _first = gateway(directory.path(), Dialect::Channels, Limits::default()).await;
    let second = Gateway::builder().data_directory(directory.path()).start().await;
    assert!(matches!(second.unwrap_err(), StartError::Store(_)));
    let file = tempfile::NamedTempFile::new().unwrap();
    let third = Gateway::builder()
        .data_directory(file.path())
        .start()
        .await
        .unwrap_err();
    assert!(third.to_string().contains("data directory"), "{third}");
}

#[tokio::test]
async fn what_there_is_no_room_for_stays_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let first = gateway(directory.path(), Dialect::Channels, Limits::default()).await;
    for number in 0..3 {
        retain(
            &first,
            &format!("channels/c/messages/{number}"),
            &number.to_string(),
        )
        .await;
    }
    first.stop().await;
    let mut small = Limits::default();
    small.retained_messages = 2;
    let second = gateway(directory.path(), Dialect::Channels, small).await;
    assert_eq!(retained(&second, "channels/c/messages/#").await, ["0", "1"]);
    second.stop().await;
    let third = gateway(directory.path(), Dialect::Channels, Limits::default()).await;
    assert_eq!(retained(&third, "channels/c/messages/#").await, ["0", "1", "2"]);
}
