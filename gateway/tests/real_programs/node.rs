//! Node: npm `ws` on the channel's path, MQTT.js over TCP and over WebSocket.

use std::path::Path;

use tokio::process::Command;

use crate::program::{Running, npm, run, start};
use crate::{CHANNEL, ID, KEY, OTHER_CHANNEL, PACK, gateway};

/// A node program beside this file.
fn node(peers: &Path, script: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("node");
    command
        .env("MANYWIRE_PEERS", peers)
        .arg(format!(
            "{}/tests/real_programs/{script}",
            env!("CARGO_MANIFEST_DIR")
        ))
        .args(arguments);
    command
}

/// What `base64` in the scripts makes of some bytes.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0u32, |group, &byte| (group << 8) | u32::from(byte))
            << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = ALPHABET[(group >> (18 - 6 * at)) as usize & 63] as char;
            text.push(if at <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

/// Not text, so that a wire that meddles with bytes is found out.
const BINARY: &[u8] = &[0x81, 0xa2, 0x00, 0x61, 0x61, 0x02, 0xfb, 0xff, 0xfe, 0x80, 0x00];

async fn websocket_subscriber(peers: &Path, url: &str, count: &str) -> Running {
    let mut subscriber = start(&mut node(peers, "websocket.cjs", &["subscribe", url, count]));
    assert_eq!(subscriber.line().await, "open");
    subscriber
}

#[tokio::test(flavor = "multi_thread")]
async fn npm_ws_publishes_and_subscribes_as_the_documentation_says() {
    let Some(peers) = npm("ws") else { return };
    let gateway = gateway().await;
    for prefix in ["", "/ws"] {
        let url = format!(
            "{}{prefix}/channels/{CHANNEL}/messages?authorization={KEY}",
            gateway.urls().ws
        );
        let mut subscriber = websocket_subscriber(&peers, &url, "2").await;
        for payload in [PACK.as_bytes(), BINARY] {
            let outcome = run(&mut node(
                &peers,
                "websocket.cjs",
                &["publish", &url, &base64(payload)],
            ))
            .await;
            assert_eq!(outcome.code, Some(0), "{outcome:?}");
            assert_eq!(subscriber.line().await, base64(payload));
        }
        assert_eq!(subscriber.end().await, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn npm_ws_is_refused_with_a_wrong_key_and_on_a_channel_of_others() {
    let Some(peers) = npm("ws") else { return };
    let gateway = gateway().await;
    for (channel, key) in [(CHANNEL, "wrong"), (OTHER_CHANNEL, KEY)] {
        let url = format!(
            "{}/channels/{channel}/messages?authorization={key}",
            gateway.urls().ws
        );
        let outcome = run(&mut node(&peers, "websocket.cjs", &["subscribe", &url, "1"])).await;
        assert_eq!(outcome.text().trim(), "refused 401", "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtt_js_publishes_and_subscribes_over_tcp_and_over_websocket() {
    let Some(peers) = npm("mqtt") else { return };
    let gateway = gateway().await;
    let tcp = gateway.urls().mqtt.unwrap();
    let websocket = format!("{}/mqtt", gateway.urls().ws);
    let filter = format!("channels/{CHANNEL}/messages/#");
    let topic = format!("channels/{CHANNEL}/messages/bedroom/temperature");
    for (subscribe_on, publish_on) in [(&tcp, &websocket), (&websocket, &tcp)] {
        for qos in ["0", "1", "2"] {
            let arguments = ["subscribe", subscribe_on, ID, KEY, &filter, qos, "1"];
            let mut subscriber = start(&mut node(&peers, "mqtt.cjs", &arguments));
            assert_eq!(subscriber.line().await, format!("subscribed {qos}"));
            let payload = base64(BINARY);
            let arguments = ["publish", publish_on, ID, KEY, &topic, qos, &payload];
            let outcome = run(&mut node(&peers, "mqtt.cjs", &arguments)).await;
            assert_eq!(outcome.text().trim(), "published", "{outcome:?}");
            assert_eq!(subscriber.line().await, format!("{topic} {payload}"));
            assert_eq!(subscriber.end().await, Some(0));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mqtt_js_is_refused_with_a_wrong_key() {
    let Some(peers) = npm("mqtt") else { return };
    let gateway = gateway().await;
    let url = gateway.urls().mqtt.unwrap();
    let topic = format!("channels/{CHANNEL}/messages");
    let outcome = run(&mut node(
        &peers,
        "mqtt.cjs",
        &["publish", &url, ID, "wrong", &topic, "1", "eA=="],
    ))
    .await;
    assert_ne!(outcome.code, Some(0));
    assert!(
        outcome.text().contains("Not authorized") || outcome.text().contains("Bad username"),
        "{outcome:?}"
    );
}

#[test]
fn base64_is_base64() {
    assert_eq!(base64(b"f"), "Zg==");
    assert_eq!(base64(b"fo"), "Zm8=");
    assert_eq!(base64(b"foob"), "Zm9vYg==");
    assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
}
