//! `manywire packet` as people run it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// Runs the command with these lines on standard input and gives back its lines as JSON.
fn packet(arguments: &[&str], input: &str) -> Vec<Value> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_manywire"))
        .arg("packet")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_packet_says_all_its_fields() {
    let lines = packet(&["--version", "4"], "32 09 00 03 61 2f 62 00 0a 68 69 c0 00\n");
    assert_eq!(lines[0]["ok"], true);
    assert_eq!(lines[0]["consumed"], 11);
    let packet = &lines[0]["packet"];
    assert_eq!(packet["type"], "PUBLISH");
    assert_eq!(packet["topic"], "a/b");
    assert_eq!(packet["qos"], 1);
    assert_eq!(packet["packet_id"], 10);
    assert_eq!(packet["payload"], "6869");
    assert_eq!(packet["text"], "hi");
}

#[test]
fn what_is_missing_is_counted() {
    let lines = packet(&["--version", "5"], "\n30\n3080\n300500\n");
    assert_eq!(
        lines,
        [
            json!({"need": 2}),
            json!({"need": 1}),
            json!({"need": 1}),
            json!({"need": 4})
        ]
    );
}

#[test]
fn a_broken_rule_has_its_statement() {
    let lines = packet(&["--version", "3"], "32060001610000 78\n");
    assert_eq!(lines[0]["ok"], false);
    assert_eq!(lines[0]["kind"], "ZeroPacketId");
    assert_eq!(lines[0]["at"], 5);
    assert_eq!(lines[0]["statement"], "MQTT-2.3.1-1");
}

#[test]
fn properties_come_in_the_order_they_were_sent() {
    let lines = packet(
        &["--version", "5"],
        "30 11 0001 61 06 0b01 0b02 0b03 7061796c6f6164\n",
    );
    let values: Vec<u64> = lines[0]["packet"]["properties"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["value"].as_u64().unwrap())
        .collect();
    assert_eq!(values, [1, 2, 3]);
    assert_eq!(lines[0]["packet"]["text"], "payload");
}

#[test]
fn captures_can_be_pasted() {
    let lines = packet(&["--version", "4"], "0xC0, 0x00\nd0:00\nzz\ne00\n");
    assert_eq!(lines[0]["packet"]["type"], "PINGREQ");
    assert_eq!(lines[1]["packet"]["type"], "PINGRESP");
    assert_eq!(lines[2]["kind"], "NotHexadecimal");
    assert_eq!(lines[3]["kind"], "NotHexadecimal");
}

#[test]
fn packets_from_the_wrong_side_are_refused() {
    let lines = packet(&["--version", "4", "--from", "client"], "20020000\nc000\n");
    assert_eq!(lines[0]["kind"], "WrongDirection");
    assert_eq!(lines[1]["ok"], true);
}
