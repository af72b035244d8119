//! Rights that change while the gateway runs.

use std::fs;

use futures_util::StreamExt as _;
use manywire_gateway::{Config, Gateway, Registry, Running, Thing};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::started::{CHANNEL, KEY, OTHER_CHANNEL, SECOND_KEY, choose_cryptography, messages, soon};

/// The status that a publication gets.
async fn publish(gateway: &Running, key: &str) -> u16 {
    let request = reqwest::Client::new().post(format!("{}{}", gateway.urls().http, messages("")));
    let request = request
        .header("authorization", key)
        .header("content-type", "application/json")
        .body("[]");
    soon(request.send()).await.unwrap().status().as_u16()
}

/// Waits for a close frame and returns its code; messages before it are not looked at.
async fn close_code(gateway: &Running, key: &str) -> impl Future<Output = u16> + use<> {
    let url = format!("{}{}?authorization={key}", gateway.urls().ws, messages(""));
    let (mut socket, _) = soon(connect_async(url)).await.unwrap();
    async move {
        loop {
            if let Message::Close(Some(frame)) = soon(socket.next()).await.unwrap().unwrap() {
                return frame.code.into();
            }
        }
    }
}

#[tokio::test]
async fn a_removed_thing_loses_its_subscription_and_others_keep_theirs() {
    choose_cryptography();
    let registry = Registry::new();
    registry.add(Thing::new("a").uses(CHANNEL).unwrap(), KEY).unwrap();
    registry
        .add(Thing::new("b").uses(CHANNEL).unwrap(), SECOND_KEY)
        .unwrap();
    let gateway = Gateway::builder()
        .identity(registry.clone())
        .start()
        .await
        .unwrap();
    let removed = close_code(&gateway, KEY).await;
    let kept = close_code(&gateway, SECOND_KEY).await;
    assert!(registry.remove("a"));
    assert_eq!(removed.await, 1008);
    assert_eq!(publish(&gateway, KEY).await, 401);
    assert_eq!(publish(&gateway, SECOND_KEY).await, 202);
    soon(gateway.stop()).await;
    assert_eq!(kept.await, 1001, "it was there until the end");
}

#[tokio::test]
async fn a_changed_file_is_taken_over_and_a_broken_one_is_not() {
    choose_cryptography();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gateway.toml");
    let write = |channel: &str, rest: &str| {
        fs::write(
            &path,
            format!("[[thing]]\nid = 'a'\nkey = '{KEY}'\nchannels = ['{channel}']\n{rest}"),
        )
        .unwrap();
    };
    write(CHANNEL, "");
    let gateway = Gateway::builder()
        .config(Config::read(&path).unwrap())
        .start()
        .await
        .unwrap();
    assert_eq!(publish(&gateway, KEY).await, 202);
    let subscription = close_code(&gateway, KEY).await;
    write(CHANNEL, "broken");
    let metrics = gateway.hub().metrics();
    soon(async {
        while metrics.failed_reloads.value() == 0 {
            assert_eq!(publish(&gateway, KEY).await, 202)
        }
    })
    .await;
    write(
        CHANNEL,
        &format!("[[thing]]\nid = 'b'\nkey = '{SECOND_KEY}'\nchannels = ['{CHANNEL}']"),
    );
    soon(async { while publish(&gateway, SECOND_KEY).await != 202 {} }).await;
    write(OTHER_CHANNEL, "");
    assert_eq!(subscription.await, 1008);
    assert_eq!(publish(&gateway, KEY).await, 401);
}
