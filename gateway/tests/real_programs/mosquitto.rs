//! mosquitto_pub and mosquitto_sub with the commands of the platform's documentation.

use std::net::SocketAddr;

use tokio::process::Command;

use crate::program::{Outcome, Running, find, run, start};
use crate::{CHANNEL, ID, KEY, OTHER_CHANNEL, PACK, gateway};

fn topic(subtopic: &str) -> String {
    format!("channels/{CHANNEL}/messages{subtopic}")
}

/// `-h`, `-p`, `-u`, `-P`, and nothing waits for a server that is not there.
fn connection(command: &mut Command, address: SocketAddr, id: &str, key: &str) {
    command.args([
        "-h",
        &address.ip().to_string(),
        "-p",
        &address.port().to_string(),
        "-u",
        id,
        "-P",
        key,
    ]);
}

async fn publish(address: SocketAddr, key: &str, arguments: &[&str]) -> Option<Outcome> {
    let mut command = Command::new(find(&["mosquitto_pub"])?);
    connection(&mut command, address, ID, key);
    Some(run(command.args(arguments)).await)
}

/// A subscriber that has been granted its subscription; it prints `topic qos retain payload`.
async fn subscribe(address: SocketAddr, arguments: &[&str]) -> Option<Running> {
    let mut command = Command::new(find(&["stdbuf"])?);
    command.args(["-oL"]).arg(find(&["mosquitto_sub"])?);
    connection(&mut command, address, ID, KEY);
    let mut subscriber = start(command.args(["-d", "-F", "message %t %q %r %p"]).args(arguments));
    subscriber.line_with("Subscribed").await;
    Some(subscriber)
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_publishes_and_subscribes_with_the_commands_of_the_documentation() {
    let gateway = gateway().await;
    let address = gateway.mqtt_address().unwrap();
    for qos in ["0", "1", "2"] {
        let Some(mut subscriber) = subscribe(address, &["-q", qos, "-t", &topic("")]).await else {
            return;
        };
        let Some(outcome) = publish(address, KEY, &["-q", qos, "-t", &topic(""), "-m", PACK]).await else {
            return;
        };
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        let line = subscriber.line_with("message ").await;
        assert_eq!(line, format!("message {} {qos} 0 {PACK}", topic("")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_wildcards_and_empty_levels_meet_the_platform_s_rules() {
    let gateway = gateway().await;
    let address = gateway.mqtt_address().unwrap();
    let Some(mut one) = subscribe(address, &["-t", &topic("/bedroom/+")]).await else {
        return;
    };
    let Some(mut all) = subscribe(address, &["-t", &topic("/#")]).await else {
        return;
    };
    publish(address, KEY, &["-t", &topic("/bedroom/temperature"), "-m", "1"]).await;
    publish(address, KEY, &["-t", &topic("/a///b"), "-m", "2"]).await;
    assert_eq!(
        one.line_with("message ").await,
        format!("message {} 0 0 1", topic("/bedroom/temperature"))
    );
    assert_eq!(
        all.line_with("message ").await,
        format!("message {} 0 0 1", topic("/bedroom/temperature"))
    );
    assert!(all.line_with("message ").await.ends_with(" 2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_gets_a_retained_message_and_a_will() {
    let gateway = gateway().await;
    let address = gateway.mqtt_address().unwrap();
    let Some(outcome) = publish(
        address,
        KEY,
        &["-q", "1", "-r", "-t", &topic("/state"), "-m", "kept"],
    )
    .await
    else {
        return;
    };
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let Some(mut subscriber) = subscribe(address, &["-q", "1", "-t", &topic("/state")]).await else {
        return;
    };
    assert_eq!(
        subscriber.line_with("message ").await,
        format!("message {} 1 1 kept", topic("/state"))
    );

    let Some(mut watcher) = subscribe(address, &["-q", "1", "-t", &topic("/gone")]).await else {
        return;
    };
    let will = [
        "--will-topic",
        &topic("/gone"),
        "--will-payload",
        "bye",
        "--will-qos",
        "1",
        "-t",
        &topic("/x"),
    ];
    let Some(victim) = subscribe(address, &will).await else {
        return;
    };
    drop(victim); // killed: no DISCONNECT is sent
    assert_eq!(
        watcher.line_with("message ").await,
        format!("message {} 1 0 bye", topic("/gone"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_is_told_what_is_wrong() {
    let gateway = gateway().await;
    let address = gateway.mqtt_address().unwrap();
    let Some(outcome) = publish(address, "wrong", &["-t", &topic(""), "-m", "x"]).await else {
        return;
    };
    assert_ne!(outcome.code, Some(0), "a wrong key: {outcome:?}");
    assert!(
        outcome.stderr.contains("bad user name or password"),
        "CONNACK 4: {outcome:?}"
    );

    let mut command = Command::new(find(&["mosquitto_sub"]).unwrap());
    connection(&mut command, address, ID, KEY);
    let theirs = format!("channels/{OTHER_CHANNEL}/messages");
    let outcome = run(command.args(["-d", "-W", "5", "-t", &theirs])).await;
    assert!(
        format!("{}{}", outcome.text(), outcome.stderr).contains("128"),
        "SUBACK 0x80: {outcome:?}"
    );
}
