//! `manywire senml`, run as people run it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const TOUR: &[u8] = br#"[{"bn":"some-base-name:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},{"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3}]"#;

fn senml(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_manywire"))
        .arg("senml")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn printed(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let output = senml(arguments, input);
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn resolve_prints_the_readings_with_plain_labels() {
    let resolved = value(&printed(&["resolve", "--from", "json"], TOUR));
    let expected = json!([
        {"bver": 5, "n": "some-base-name:current", "u": "A", "t": 1_276_020_071.001, "v": 1.2},
        {"bver": 5, "n": "some-base-name:current", "u": "A", "t": 1_276_020_072.001, "v": 1.3},
        {"bver": 5, "n": "some-base-name:voltage", "u": "V", "t": 1_276_020_076.001, "v": 120.1},
    ]);
    assert_eq!(resolved, expected);
}

#[test]
fn a_pack_comes_back_from_cbor_and_from_its_compact_form() {
    let cbor = printed(&["convert", "--from", "json", "--to", "cbor"], TOUR);
    let floats = printed(&["convert", "--from", "json", "--to", "cbor", "--floats"], TOUR);
    assert!(cbor.len() < floats.len());
    let resolved = printed(&["resolve", "--from", "json"], TOUR);
    assert_eq!(printed(&["resolve", "--from", "cbor"], &cbor), resolved);
    assert_eq!(printed(&["resolve", "--from", "cbor"], &floats), resolved);
    let compact = printed(&["compact", "--from", "cbor", "--to", "json"], &cbor);
    assert!(compact.len() < TOUR.len());
    assert_eq!(printed(&["resolve", "--from", "json"], &compact), resolved);
}

#[test]
fn now_makes_relative_times_absolute() {
    let input = br#"[{"n":"a","t":-5,"v":1}]"#;
    assert_eq!(
        printed(&["resolve", "--from", "json"], input),
        b"[{\"n\":\"a\",\"v\":1,\"t\":-5}]\n"
    );
    let absolute = printed(&["resolve", "--from", "json", "--now", "1700000000.5"], input);
    assert_eq!(absolute, b"[{\"n\":\"a\",\"v\":1,\"t\":1699999995.5}]\n");
}

#[test]
fn readings_go_to_csv_and_influx() {
    let csv = printed(&["convert", "--from", "json", "--to", "csv"], TOUR);
    assert!(csv.starts_with(b"time,name,unit,value,"));
    assert_eq!(csv.split(|byte| *byte == b'\n').count(), 5);
    let lines = printed(
        &[
            "resolve",
            "--from",
            "json",
            "--to",
            "influx",
            "--measurement",
            "m",
        ],
        TOUR,
    );
    let first = "m,name=some-base-name:current,unit=A value=1.2 1276020071001000000\n";
    assert!(lines.starts_with(first.as_bytes()));
}

#[test]
fn check_says_why_a_pack_is_refused() {
    assert_eq!(printed(&["check", "--from", "json"], TOUR), b"");
    let output = senml(
        &["check", "--from", "json"],
        br#"[{"n":"a","v":1},{"n":"-b","v":1}]"#,
    );
    assert_eq!(output.status.code(), Some(1));
    let reason = value(&output.stdout);
    assert_eq!(
        (&reason["record"], &reason["at"], &reason["rule"]),
        (&json!(1), &json!(17), &json!("RFC 8428 §4.5.1"))
    );
    assert!(reason["error"].is_string());
}
