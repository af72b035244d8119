//! `manywire topic` as people run it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::process::Command;

use serde_json::{Value, json};

/// Runs the command and gives back its exit status and its one line as JSON.
fn topic(arguments: &[&str]) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_manywire"))
        .arg("topic")
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    (
        output.status.code().unwrap(),
        serde_json::from_str(&text).unwrap(),
    )
}

#[test]
fn a_topic_is_printed_in_every_form() {
    let (status, object) = topic(&[
        "--dialect",
        "channels",
        "--publish",
        "/channels/1/messages/bedroom///temperature",
    ]);
    assert_eq!(status, 0);
    let expected = json!({
        "domain": null,
        "channel": "1",
        "subtopic": "bedroom.temperature",
        "path": "channels/1/messages/bedroom/temperature",
        "mqtt": "channels/1/messages/bedroom/temperature",
        "nats": "channels.1.bedroom.temperature",
        "amqp": "channels.1.bedroom.temperature",
    });
    assert_eq!(object, expected);
}

#[test]
fn a_filter_keeps_its_wildcards() {
    let (status, object) = topic(&["--dialect", "domains", "--subscribe", "m/home/c/bedroom/+/#"]);
    assert_eq!(status, 0);
    assert_eq!(object["domain"], "home");
    assert_eq!(object["channel"], "bedroom");
    assert_eq!(object["mqtt"], "m/home/c/bedroom/+/#");
    assert_eq!(object["nats"], "m.home.c.bedroom.>");
    assert_eq!(object.get("also"), None);
    let (_, object) = topic(&["--dialect", "domains", "--subscribe", "m/home/c/bedroom/a/#"]);
    assert_eq!(object["nats"], "m.home.c.bedroom.a.>");
    assert_eq!(object["also"]["nats"], "m.home.c.bedroom.a");
}

#[test]
fn a_refusal_names_the_rule_and_the_place() {
    let (status, object) = topic(&[
        "--dialect",
        "channels",
        "--publish",
        "channels/1/messages/a.b*c.d",
    ]);
    assert_eq!(status, 1);
    let rule = "a wildcard must be a whole level";
    assert_eq!(
        object,
        json!({"error": "partial-wildcard", "at": 23, "rule": rule})
    );
    let (status, object) = topic(&[
        "--dialect",
        "domains",
        "--publish",
        "--form",
        "path",
        "m/d/c/ch/+",
    ]);
    assert_eq!((status, &object["error"]), (1, &json!("plus-is-space")));
    assert!(object["rule"].as_str().unwrap().starts_with("trap: "));
}

#[test]
fn as_platform_the_trap_is_sprung() {
    let (status, object) = topic(&["--dialect", "domains", "--publish", "--as-platform", "m/d/c/ch/+"]);
    assert_eq!((status, &object["subtopic"]), (0, &json!("")));
    assert_eq!(object["nats"], "m.d.c.ch");
    let (status, object) = topic(&[
        "--dialect",
        "domains",
        "--publish",
        "--as-platform",
        "m/d/x/c/ch?a=b",
    ]);
    assert_eq!(
        (status, &object["domain"], &object["channel"]),
        (0, &json!("d/x"), &json!("ch?a=b"))
    );
    let (status, object) = topic(&[
        "--dialect",
        "fluxmq",
        "--publish",
        "--as-platform",
        "m/d/c/ch/a b",
    ]);
    assert_eq!(
        (status, &object["error"], &object["at"]),
        (1, &json!("space"), &json!(9))
    );
}

#[test]
fn a_form_that_cannot_carry_a_topic_is_null_and_says_why() {
    let (status, object) = topic(&[
        "--dialect",
        "channels",
        "--publish",
        "/channels/1/messages/100%25",
    ]);
    assert_eq!(status, 0);
    assert_eq!(object["mqtt"], Value::Null);
    assert_eq!(object["path"], "channels/1/messages/100%25");
    assert!(object["refused"]["mqtt"].as_str().unwrap().contains('%'));
}

#[test]
fn a_health_topic_has_no_channel() {
    let (status, object) = topic(&["--dialect", "fluxmq", "--publish", "hc/home"]);
    assert_eq!(status, 0);
    assert_eq!(
        (&object["domain"], &object["channel"]),
        (&json!("home"), &Value::Null)
    );
    assert_eq!(
        (&object["mqtt"], &object["nats"]),
        (&json!("hc/home"), &Value::Null)
    );
    let (status, object) = topic(&["--dialect", "domains", "--publish", "hc/home/x"]);
    assert_eq!((status, &object["error"]), (1, &json!("domain")));
}
