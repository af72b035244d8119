//! What was accepted into a file is delivered, whatever becomes of the process.
#![cfg(feature = "outbox-file")]
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
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use futures_util::StreamExt;
use manywire::{
    Client, ClientBuilder, ClientEvent, ErrorKind, Outbox, QoS, RefusalKind,
    memory::{Faults, MemoryBroker},
    transport::TransportErrorKind,
};

/// A path of its own for one test, removed at the end.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("manywire-{name}-{}.db", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("in time")
}

fn unreachable() -> MemoryBroker {
    let broker = MemoryBroker::new();
    let mut faults = Faults::none();
    faults.connect = Some(TransportErrorKind::Unreachable);
    broker.set_faults(faults);
    broker
}

fn client(broker: &MemoryBroker, path: &Path) -> Client {
    ClientBuilder::with_transport(broker.transport())
        .outbox(Outbox::file(path).unwrap())
        .connect_in_background()
        .unwrap()
}

/// Waits until the file is free again: the driver lets go of it when it has ended.
async fn reopened(path: &Path) -> Outbox {
    within(async {
        loop {
            match Outbox::file(path) {
                Ok(outbox) => return outbox,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await
}

fn payloads(broker: &MemoryBroker) -> Vec<String> {
    let text = |message: &manywire::Message| String::from_utf8(message.payload.to_vec()).unwrap();
    broker.published().iter().map(text).collect()
}

#[tokio::test]
async fn what_was_accepted_offline_is_delivered_by_the_next_client_in_order() {
    let file = File::new("next-client");
    let before = client(&unreachable(), &file.0);
    let channel = before.channel("channel").unwrap();
    let topic = channel.subtopic("a/b").unwrap();
    for number in 0..20 {
        topic.enqueue(number.to_string()).await.unwrap();
    }
    let undelivered = before.close(Duration::ZERO).await.unwrap_err();
    assert_eq!(undelivered.messages().len(), 20);
    drop((channel, topic));

    let broker = MemoryBroker::new();
    let outbox = reopened(&file.0).await;
    let after = ClientBuilder::with_transport(broker.transport())
        .outbox(outbox)
        .connect()
        .await
        .unwrap();
    assert_eq!(after.unfinished() + broker.published().len(), 20);
    let last = after
        .channel("channel")
        .unwrap()
        .subtopic("a/b")
        .unwrap()
        .publish("20")
        .into_future();
    within(last).await.unwrap();
    let expected: Vec<String> = (0..=20).map(|number| number.to_string()).collect();
    assert_eq!(payloads(&broker), expected);
    after.close(Duration::from_secs(5)).await.unwrap();

    let broker = MemoryBroker::new();
    let outbox = reopened(&file.0).await;
    let last = ClientBuilder::with_transport(broker.transport())
        .outbox(outbox)
        .connect()
        .await
        .unwrap();
    assert_eq!(
        (last.unfinished(), broker.published().len()),
        (0, 0),
        "what is delivered is forgotten"
    );
}

#[tokio::test]
async fn exactly_once_in_doubt_over_a_restart_is_told_and_not_repeated() {
    let file = File::new("in-doubt");
    let broker = MemoryBroker::new();
    let mut faults = Faults::none();
    faults.delay = Some(Duration::from_secs(3600));
    broker.set_faults(faults);
    let before = client(&broker, &file.0);
    let channel = before.channel("channel").unwrap();
    let pending = channel
        .publish("once")
        .qos(QoS::ExactlyOnce)
        .enqueue()
        .await
        .unwrap();
    while broker.published().is_empty() {
        tokio::time::timeout(Duration::from_secs(60), tokio::task::yield_now())
            .await
            .unwrap();
    }
    before.close(Duration::ZERO).await.unwrap_err();
    assert_eq!(pending.await.unwrap_err().kind(), ErrorKind::Indeterminate);
    drop(channel);

    let broker = MemoryBroker::new();
    let outbox = reopened(&file.0).await;
    let after = ClientBuilder::with_transport(broker.transport())
        .outbox(outbox)
        .connect()
        .await
        .unwrap();
    let event = within(after.events().next()).await.unwrap();
    let ClientEvent::SetAside { message, error } = event else {
        panic!("{event:?}")
    };
    assert_eq!(
        (&message.payload[..], error.kind()),
        (&b"once"[..], ErrorKind::Indeterminate)
    );
    assert!(broker.published().is_empty());
}

#[tokio::test]
async fn what_the_platform_refuses_after_a_restart_is_set_aside_and_not_retried() {
    let file = File::new("set-aside");
    let before = client(&unreachable(), &file.0);
    let channel = before.channel("channel").unwrap();
    channel.publish("poison").enqueue().await.unwrap();
    before.close(Duration::ZERO).await.unwrap_err();
    drop(channel);

    let broker = MemoryBroker::new();
    let mut faults = Faults::none();
    faults.refuse = Some(RefusalKind::Forbidden);
    broker.set_faults(faults);
    let outbox = reopened(&file.0).await;
    let after = ClientBuilder::with_transport(broker.transport())
        .outbox(outbox)
        .connect()
        .await
        .unwrap();
    let mut events = after.events();
    let error = loop {
        match within(events.next()).await.unwrap() {
            ClientEvent::SetAside { error, .. } => break error,
            _ => continue,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Forbidden));
    assert_eq!(after.unfinished(), 0);
    after.close(Duration::from_secs(5)).await.unwrap();
    let outbox = reopened(&file.0).await;
    assert!(format!("{outbox:?}").contains("recovered: 0"), "{outbox:?}");
}

#[tokio::test]
async fn a_file_that_is_no_outbox_is_refused() {
    let file = File::new("no-outbox");
    std::fs::write(&file.0, vec![b'x'; 100_000]).unwrap();
    assert_eq!(Outbox::file(&file.0).unwrap_err().kind(), ErrorKind::Storage);
}

#[tokio::test]
async fn a_file_that_is_open_is_refused() {
    let file = File::new("open");
    let _open = Outbox::file(&file.0).unwrap();
    assert_eq!(Outbox::file(&file.0).unwrap_err().kind(), ErrorKind::Storage);
}

/// Accepts messages into the file of the environment until it is killed, and says which were accepted.
#[tokio::test]
async fn accepts_until_it_is_killed() {
    let Ok(path) = std::env::var("MANYWIRE_TEST_OUTBOX") else {
        return;
    };
    let client = client(&unreachable(), Path::new(&path));
    let channel = client.channel("channel").unwrap();
    for number in 0..100_000 {
        channel.publish(number.to_string()).enqueue().await.unwrap();
        println!("accepted {number}");
    }
}

#[tokio::test]
async fn what_was_accepted_survives_a_kill() {
    let file = File::new("kill");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["accepts_until_it_is_killed", "--exact", "--nocapture"])
        .env("MANYWIRE_TEST_OUTBOX", &file.0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let mut accepted = Vec::new();
    while accepted.len() < 50 {
        let line = lines.next().expect("the child goes on until it is killed");
        accepted.extend(line.strip_prefix("accepted ").map(str::to_owned));
    }
    // SIGKILL: nothing of the child runs any more.
    child.kill().unwrap();
    child.wait().unwrap();
    accepted.extend(lines.filter_map(|line| line.strip_prefix("accepted ").map(str::to_owned)));

    let broker = MemoryBroker::new();
    let outbox = reopened(&file.0).await;
    let after = ClientBuilder::with_transport(broker.transport())
        .outbox(outbox)
        .connect()
        .await
        .unwrap();
    after.close(Duration::from_secs(60)).await.unwrap();
    let delivered = payloads(&broker);
    assert!(
        delivered.len() <= accepted.len() + 1,
        "at most the one that was under way comes on top"
    );
    assert_eq!(delivered[..accepted.len()], accepted[..]);
}
