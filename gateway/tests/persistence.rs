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
use manywire_gateway::{Gateway, Limits, Message, Protocol, Running, StartError, Thing};
use manywire_topics::{Dialect, FilterBuf, Form, TopicBuf};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

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

/// Where the child of [`a_killed_gateway_has_kept_what_it_accepted`] keeps its data.
const CHILD: &str = "MANYWIRE_TEST_DATA_DIRECTORY";

/// Not a test of its own: the process that the next test kills.
#[tokio::test]
async fn child() {
    let Some(directory) = std::env::var_os(CHILD) else {
        return;
    };
    let thing = Thing::new("thing").uses("*").unwrap();
    let builder = Gateway::builder().dialect(Dialect::FluxMq).thing(thing, "key");
    let gateway = builder.data_directory(directory).start().await.unwrap();
    println!("listening on {} for the parent", gateway.http_address());
    std::future::pending::<()>().await;
}

/// A child that runs a gateway, and the address it says.
async fn start_child(directory: &Path) -> (tokio::process::Child, String) {
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture"])
        .env(CHILD, directory)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().expect("the child ended");
        if let Some((_, address)) = line.split_once("listening on ") {
            return (child, address.split(' ').next().unwrap().to_owned());
        }
    }
}

/// Posts a retained message and waits until the gateway has accepted it.
async fn post_retained(address: &str, number: u32) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = number.to_string();
    let request = format!(
        "POST /m/d/c/ch/{number}?retain=true HTTP/1.1\r\nHost: x\r\nAuthorization: key\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_killed_gateway_has_kept_what_it_accepted() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let (mut child, address) = start_child(directory.path()).await;
        for number in round * 10..round * 10 + 10 {
            post_retained(&address, number).await;
        }
        // SIGKILL, right after the last answer.
        child.kill().await.unwrap();
    }
    let gateway = gateway(directory.path(), Dialect::FluxMq, Limits::default()).await;
    let mut expected: Vec<String> = (0..30).map(|number| number.to_string()).collect();
    expected.sort();
    assert_eq!(retained(&gateway, "m/d/c/ch/#").await, expected);
}
