//! mosquitto's packet sequences as vectors for a codec: everything well-formed decodes, everything that a codec alone
//! can refuse is refused, and of the rest each is listed by its reason.
//!
//! The sequences are mosquitto's and are not part of this repository: `tests/fetch-mosquitto-vectors.sh` fetches them
//! from Debian's source package into `target/mosquitto-vectors`, or to where `MOSQUITTO_VECTORS` says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use manywire_mqtt_codec::*;
use serde_json::Value;

/// One packet of a sequence.
struct Sent {
    /// The file, group and name of its sequence.
    origin: String,
    version: Version,
    sender: Role,
    bytes: Vec<u8>,
    /// Whether a server must close the connection after it.
    refused: bool,
}

fn folder() -> PathBuf {
    let default = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/mosquitto-vectors");
    std::env::var_os("MOSQUITTO_VECTORS").map_or_else(default, PathBuf::from)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits
        .chunks(2)
        .map(|pair| if pair.len() == 2 { byte(pair) } else { None })
        .collect()
}

/// The packets of a sequence; nothing if one of them is not hexadecimal, as two of 2.0.21 are not.
fn packets(file: &str, group: &str, test: &Value) -> Option<Vec<Sent>> {
    let name = test["name"].as_str().unwrap();
    let version = match (group, test["ver"].as_u64()) {
        (group, None) if group.starts_with("v3.1 ") => Version::V31,
        (group, None) if group.starts_with("v5") => Version::V5,
        (_, level) => Version::from_level(level.unwrap_or(4) as u8).unwrap(),
    };
    let version = if group.starts_with("v5") {
        Version::V5
    } else {
        version
    };
    let closes = test["expect_disconnect"].as_bool().unwrap_or(true);
    let messages = test["msgs"].as_array().unwrap();
    let last = messages.iter().rposition(|message| message["type"] == "send");
    let mut packets = Vec::new();
    for (n, message) in messages.iter().enumerate() {
        let sender = match message["type"].as_str().unwrap() {
            "send" => Role::Client,
            "recv" => Role::Server,
            _ => continue,
        };
        let bytes = hex(message["payload"].as_str().unwrap())?;
        let origin = format!("{file}: {group}: {name}");
        packets.push(Sent {
            origin,
            version,
            sender,
            bytes,
            refused: closes && Some(n) == last,
        });
    }
    Some(packets)
}

/// Why a packet that a codec must take still ends the connection.
fn beyond_a_codec(origin: &str) -> Option<&'static str> {
    let has = |part| origin.contains(part);
    let reasons = [
        (has("[MQTT-3.1.0-1]"), "a connection starts with CONNECT"),
        (
            has("[MQTT-3.1.0-2]") || has("duplicate CONNECT") || has("NanoMQ CWE-119"),
            "CONNECT comes once",
        ),
        (
            has(": v3.1.1 FLOW") || has(": v5.0   FLOW"),
            "the wrong acknowledgement for a message on its way",
        ),
        (has("DISCONNECT.json"), "a valid DISCONNECT ends the connection"),
        (
            has("topic alias > max topic alias"),
            "a topic alias above what was agreed",
        ),
        (
            has("tiny max packet"),
            "a maximum packet size that the CONNACK exceeds",
        ),
        (
            has("unsupported authentication method"),
            "an authentication method that the server has not",
        ),
    ];
    reasons
        .into_iter()
        .find(|(applies, _)| *applies)
        .map(|(_, reason)| reason)
}

#[test]
fn mosquittos_vectors_decode_or_are_refused() {
    let Ok(entries) = std::fs::read_dir(folder()) else {
        // Not `eprintln`, which is only seen when a test fails.
        let text = "MISSING: mosquitto's vectors; run mqtt-codec/tests/fetch-mosquitto-vectors.sh, then test again\n";
        std::io::stderr().write_all(text.as_bytes()).unwrap();
        return;
    };
    let mut count = 0;
    let mut typos = Vec::new();
    let mut reasons = BTreeMap::<&str, usize>::new();
    for entry in entries.map(|entry| entry.unwrap().path()) {
        let file = entry.file_name().unwrap().to_string_lossy().into_owned();
        let groups: Value = serde_json::from_slice(&std::fs::read(&entry).unwrap()).unwrap();
        for group in groups.as_array().unwrap() {
            for test in group["tests"].as_array().unwrap() {
                count += 1;
                match packets(&file, group["group"].as_str().unwrap(), test) {
                    Some(packets) => packets.iter().for_each(|sent| check(sent, &mut reasons)),
                    None => typos.push(test["name"].to_string()),
                }
            }
        }
    }
    println!("{count} sequences; beyond a codec: {reasons:#?}");
    assert!(count >= 1_400, "only {count} sequences");
    assert!(typos.len() <= 2, "not hexadecimal: {typos:?}");
}

fn check(sent: &Sent, reasons: &mut BTreeMap<&'static str, usize>) {
    let Sent {
        origin,
        version,
        sender,
        bytes,
        refused,
    } = sent;
    let decoded = decode(bytes, *version, &Policy::STRICT.with_sender(*sender));
    match decoded {
        Ok(Outcome::Complete((_, len))) if len == bytes.len() && !refused => {}
        Err(_) if *refused => {}
        // mosquitto takes this from clients although [MQTT-3.3.4-6] forbids it.
        Err(error) if error.kind() == ErrorKind::SubscriptionIdentifierFromClient && !refused => {}
        // A server may close on control characters: 3.1.1 1.5.3, 5.0 1.5.4.
        Ok(_) if decode(bytes, *version, &Policy::STRICT.refuse_control_characters()).is_err() => {
            *reasons
                .entry("control characters, which are a matter of policy")
                .or_default() += 1;
        }
        Ok(Outcome::Complete(_)) if *refused => match beyond_a_codec(origin) {
            Some(reason) => *reasons.entry(reason).or_default() += 1,
            None => panic!("{origin}: taken, but it should be refused: {bytes:02x?}"),
        },
        other => panic!("{origin}: {bytes:02x?} {other:?}"),
    }
}
