//! Two independent decoders on the same bytes: where they and ours disagree, ours has a reason.
//!
//! `cargo test --manifest-path bench/Cargo.toml differential` mutates the valid vectors of the codec; every
//! disagreement has to be in [`KNOWN`].

use std::collections::BTreeMap;

use bytes::BytesMut;
use manywire_mqtt_codec::{Outcome, Policy, Version, decode, frame};

/// How often each vector is mutated.
const MUTATIONS: usize = 3_000;

fn flowsdk(bytes: &[u8], version: Version) -> bool {
    use flowsdk::mqtt_serde::control_packet::MqttPacket;
    use flowsdk::mqtt_serde::parser::ParseOk;
    let parsed = MqttPacket::from_bytes_with_version(bytes, version.level());
    matches!(parsed, Ok(ParseOk::Packet(_, taken)) if taken == bytes.len())
}

fn rumqttc(bytes: &[u8], version: Version) -> bool {
    let mut buffer = BytesMut::from(bytes);
    let taken = match version {
        Version::V5 => rumqttc::v5::mqttbytes::v5::Packet::read(&mut buffer, None).is_ok(),
        _ => rumqttc::mqttbytes::v4::Packet::read(&mut buffer, 1 << 20).is_ok(),
    };
    taken && buffer.is_empty()
}

fn vectors() -> Vec<(Version, Vec<u8>)> {
    let text = include_str!("../../../mqtt-codec/tests/vectors/valid.txt");
    let vector = |line: &str| {
        let (name, digits) = line.split_once(": ").expect("a vector has a name");
        let version = match name.split(' ').next() {
            Some("3.1.1") => Version::V311,
            Some("5.0") => Version::V5,
            // The peers do not know 3.1.
            _ => return None,
        };
        let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        Some((version, digits.chunks(2).filter_map(byte).collect()))
    };
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(vector)
        .collect()
}

/// xorshift64*: the same inputs on every machine and in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }
}

/// One or two bytes of the body changed, inserted or removed, the remaining length put right again.
fn mutate(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(2) {
        let at = 2 + random.below(bytes.len() - 1);
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'#', b'+', b'/'][random.below(8)],
            2 if bytes.len() < 0x70 => bytes.insert(at.min(bytes.len()), random.below(256) as u8),
            3 if at < bytes.len() => _ = bytes.remove(at),
            _ => bytes[0] ^= 1 << random.below(4),
        }
    }
    bytes[1] = (bytes.len() - 2) as u8;
    bytes
}

#[test]
fn disagreements_are_known() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut seen = BTreeMap::<(String, String), (usize, String)>::new();
    for (version, seed) in vectors() {
        for round in 0..MUTATIONS {
            let bytes = if round == 0 {
                seed.clone()
            } else {
                mutate(&seed, &mut random)
            };
            let ours = decode(&bytes, version, &Policy::STRICT);
            // A CONNECT of another version than the decoder was told: the peers judge it by the wrong rules.
            if matches!(ours, Ok(Outcome::Need(_)))
                || bytes[0] == 0x10 && bytes.get(8) != Some(&version.level())
            {
                continue;
            }
            let named = frame(&bytes, version, &Policy::STRICT)
                .ok()
                .and_then(Outcome::complete);
            let packet = named.map_or("header", |frame| frame.packet_type().name());
            for (peer, takes) in [
                ("flowsdk", flowsdk(&bytes, version)),
                ("rumqttc", rumqttc(&bytes, version)),
            ] {
                let what = match (&ours, takes) {
                    (Ok(_), false) => format!("refuses {version} {packet}"),
                    (Err(error), true) => format!("takes {:?}", error.kind()),
                    _ => continue,
                };
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                let entry = seen.entry((peer.to_owned(), what)).or_insert((0, hex));
                entry.0 += 1;
            }
        }
    }
    let unknown: Vec<_> = seen
        .iter()
        .filter(|((peer, what), _)| !KNOWN.iter().any(|(who, known, _)| who == peer && known == what))
        .collect();
    assert!(unknown.is_empty(), "disagreements without a reason: {unknown:#?}");
    let gone = KNOWN
        .iter()
        .find(|(who, known, _)| !seen.keys().any(|(peer, what)| peer == who && what == known));
    assert!(gone.is_none(), "no longer a disagreement: {gone:?}");
}

/// The peer, what it does otherwise, and why ours is right.
const KNOWN: &[(&str, &str, &str)] = &[
    (
        "flowsdk",
        "takes InvalidClientIdentifier",
        "[MQTT-3.1.3-7] an empty client identifier needs a clean session",
    ),
    (
        "flowsdk",
        "takes MissingAuthenticationMethod",
        "5.0 3.2.2.3.18: authentication data without a method is a protocol error",
    ),
    (
        "rumqttc",
        "refuses 3.1.1 CONNECT",
        "a password is binary, it need not be UTF-8 (3.1.3.5)",
    ),
    ("rumqttc", "refuses 5.0 AUTH", "it cannot decode AUTH"),
    (
        "rumqttc",
        "refuses 5.0 CONNECT",
        "a password is binary, it need not be UTF-8 (3.1.3.6)",
    ),
    (
        "rumqttc",
        "refuses 5.0 DISCONNECT",
        "3.14.2.1: reason code and properties may be left out",
    ),
    ("rumqttc", "takes DupAtMostOnce", "[MQTT-3.3.1-2]"),
    (
        "rumqttc",
        "takes DuplicateProperty",
        "5.0 2.2.2.2: a protocol error",
    ),
    ("rumqttc", "takes EmptyShareName", "[MQTT-4.8.2-1]"),
    ("rumqttc", "takes EmptyTopicFilter", "[MQTT-4.7.3-1]"),
    ("rumqttc", "takes EmptyTopicName", "[MQTT-4.7.3-1]"),
    ("rumqttc", "takes InvalidClientIdentifier", "[MQTT-3.1.3-7]"),
    (
        "rumqttc",
        "takes InvalidFlags",
        "[MQTT-2.2.2-2], in 5.0 [MQTT-2.1.3-1]",
    ),
    (
        "rumqttc",
        "takes InvalidPropertyValue",
        "5.0 3.1.2.11 and others: values outside 0 and 1, and zero where it is an error",
    ),
    ("rumqttc", "takes InvalidSharedSubscription", "[MQTT-4.8.2-2]"),
    (
        "rumqttc",
        "takes InvalidUtf8",
        "[MQTT-1.5.4-1]: it does not check topics in 5.0",
    ),
    ("rumqttc", "takes InvalidVariableByteInteger", "[MQTT-1.5.5-1]"),
    (
        "rumqttc",
        "takes MisplacedMultiLevelWildcard",
        "[MQTT-4.7.1-2], in 5.0 [MQTT-4.7.1-1]",
    ),
    (
        "rumqttc",
        "takes MisplacedProperty",
        "it loses count after two subscription identifiers and reads on in the payload",
    ),
    (
        "rumqttc",
        "takes MisplacedSingleLevelWildcard",
        "[MQTT-4.7.1-3], in 5.0 [MQTT-4.7.1-2]",
    ),
    ("rumqttc", "takes MissingAuthenticationMethod", "5.0 3.2.2.3.18"),
    ("rumqttc", "takes NoLocalOnShared", "[MQTT-3.8.3-4]"),
    (
        "rumqttc",
        "takes NulCharacter",
        "[MQTT-1.5.3-2], in 5.0 [MQTT-1.5.4-2]",
    ),
    (
        "rumqttc",
        "takes PasswordWithoutUserName",
        "[MQTT-3.1.2-22] of 3.1.1",
    ),
    (
        "rumqttc",
        "takes ReservedBits",
        "[MQTT-3-8.3-4], in 5.0 [MQTT-3.2.2-1] and [MQTT-3.8.3-5]",
    ),
    ("rumqttc", "takes ReservedConnectFlag", "[MQTT-3.1.2-3]"),
    (
        "rumqttc",
        "takes SessionPresentInRefusal",
        "[MQTT-3.2.2-4], in 5.0 [MQTT-3.2.2-6]",
    ),
    ("rumqttc", "takes TrailingBytes", "bytes that belong to no field"),
    (
        "rumqttc",
        "takes Truncated",
        "a property length that runs past what it counts",
    ),
    (
        "rumqttc",
        "takes UnknownProperty",
        "it loses count after two subscription identifiers and reads on in the payload",
    ),
    ("rumqttc", "takes WildcardInResponseTopic", "[MQTT-3.3.2-14]"),
    (
        "rumqttc",
        "takes WildcardInTopicName",
        "[MQTT-3.3.2-2], [MQTT-4.7.1-1], in 5.0 [MQTT-4.7.0-1]",
    ),
    (
        "rumqttc",
        "takes ZeroPacketId",
        "[MQTT-2.3.1-1], in 5.0 [MQTT-2.2.1-3]",
    ),
    ("rumqttc", "takes ZeroTopicAlias", "[MQTT-3.3.2-8]"),
];
