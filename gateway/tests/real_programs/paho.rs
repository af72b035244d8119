//! Python's paho-mqtt: MQTT 3.1, 3.1.1 and 5, over TCP and over WebSocket, every QoS.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::program::{Outcome, find, missing, run};
use crate::{CHANNEL, ID, KEY, gateway};

/// A Python that has paho-mqtt, or `None`, said loudly.
async fn python() -> Option<PathBuf> {
    let python = find(&["python3"])?;
    let outcome = run(Command::new(&python).args(["-c", "import paho.mqtt.client"])).await;
    if outcome.code != Some(0) {
        missing("paho-mqtt is not installed for python3");
        return None;
    }
    Some(python)
}

async fn paho(
    python: &Path,
    address: SocketAddr,
    wire: [&str; 2],
    key: &str,
    topic: &str,
    qos: &str,
) -> Outcome {
    let [transport, version] = wire;
    run(Command::new(python)
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/real_programs/mqtt_client.py"
        ))
        .args([&address.ip().to_string(), &address.port().to_string()])
        .args([transport, version, ID, key, topic, qos, "gaEAYQ=="]))
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn paho_publishes_and_subscribes_in_every_version_over_tcp_and_websocket() {
    let Some(python) = python().await else { return };
    let gateway = gateway().await;
    for (transport, address) in [
        ("tcp", gateway.mqtt_address().unwrap()),
        ("websockets", gateway.http_address()),
    ] {
        for version in ["3", "4", "5"] {
            for qos in ["0", "1", "2"] {
                let topic = format!("channels/{CHANNEL}/messages/{transport}/{version}/{qos}");
                let outcome = paho(&python, address, [transport, version], KEY, &topic, qos).await;
                let expected = format!("granted {qos}\n{topic} {qos} gaEAYQ==\n");
                assert_eq!(outcome.text(), expected, "{outcome:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paho_is_told_that_its_key_is_wrong() {
    let Some(python) = python().await else { return };
    let gateway = gateway().await;
    let topic = format!("channels/{CHANNEL}/messages");
    for version in ["3", "4", "5"] {
        let address = gateway.mqtt_address().unwrap();
        let outcome = paho(&python, address, ["tcp", version], "wrong", &topic, "1").await;
        assert_eq!(
            outcome.text(),
            "refused Bad user name or password\n",
            "{outcome:?}"
        );
    }
}
