//! The MQTT codecs against each other: decoding one kind of packet, a mixed stream whole and in chunks, and building
//! and encoding a PUBLISH.

mod codec;
#[cfg(test)]
mod differential;
mod flowsdk;
mod manywire;
mod mqtt5_protocol;
mod mqtt_protocol_core;
mod mqttbytes;
mod mqttrs;
mod packets;
mod rmqtt_codec;
mod rumqttc;

use std::hint::black_box;

use ::bytes::BytesMut;

use crate::race::{Contestant, contestant, race};
use crate::report::Report;
use codec::{OnBytesMut, Tally, chunked, whole};
use packets::{SMALL, Version, WITH_PROPERTIES};

/// How many packets lie in the buffer at once where a case is about one packet.
const BATCH: usize = 64;

/// Runs every case of the suite.
pub fn run(report: &mut Report) {
    for version in [Version::V311, Version::V5] {
        let packet = packets::small_publish(version);
        decode_one(report, 'a', version, &packet, Tally::packet(20, 64));
        let packet = packets::large_publish(version);
        decode_one(report, 'b', version, &packet, Tally::packet(20, 1_024));
        if version == Version::V5 {
            let packet = packets::publish_with_properties();
            decode_one(report, 'c', version, &packet, Tally::packet(54, 128));
        }
        decode_one(
            report,
            'd',
            version,
            &packets::connect(version),
            Tally::packet(60, 31),
        );
        decode_one(
            report,
            'e',
            version,
            &packets::subscribe(version),
            Tally::packet(138, 0),
        );
        stream(report, version);
    }
    owned_small(report);
    encode_small(report);
    encode_properties(report);
}

/// Decoding the packet of a scenario.
fn decode_one(report: &mut Report, scenario: char, version: Version, packet: &[u8], tally: Tally) {
    let stream = packet.repeat(BATCH);
    let mut expected = Tally::default();
    (0..BATCH).for_each(|_| expected += tally);
    let mut contestants = contestants(version, &stream, expected);
    contestants.push(memcpy(&stream, packet.len()));
    let case = format!("decode-{scenario}-{}", version.suffix());
    race(report, &case, BATCH as u64, &mut contestants);
}

/// Decoding the mixed stream, in one piece and in chunks of 1,400 bytes.
fn stream(report: &mut Report, version: Version) {
    let stream = packets::mixed(version);
    let expected = tally_of(version, &stream);
    let packets = expected.packets as u64;
    let mut contestants = contestants(version, &stream, expected);
    contestants.push(memcpy(&stream, 1_400));
    race(
        report,
        &format!("stream-whole-{}", version.suffix()),
        packets,
        &mut contestants,
    );

    let mut contestants = chunked_contestants(version, &stream, expected);
    contestants.push(memcpy(&stream, 1_400));
    race(
        report,
        &format!("stream-chunks-{}", version.suffix()),
        packets,
        &mut contestants,
    );
}

/// What rumqttc reads in the stream; everybody else has to read the same.
fn tally_of(version: Version, stream: &[u8]) -> Tally {
    fn read<C: codec::Codec>(stream: &[u8]) -> Tally {
        let mut tally = Tally::default();
        C::new(stream.len()).whole(stream, |packet| tally += C::tally(packet));
        tally
    }
    match version {
        Version::V311 => read::<OnBytesMut<rumqttc::V311>>(stream),
        Version::V5 => read::<OnBytesMut<rumqttc::V5>>(stream),
    }
}

fn contestants(version: Version, stream: &[u8], expected: Tally) -> Vec<Contestant<'_>> {
    match version {
        Version::V311 => vec![
            whole::<manywire::V311>(stream, expected),
            whole::<OnBytesMut<rumqttc::V311>>(stream, expected),
            whole::<mqttrs::V311>(stream, expected),
            whole::<OnBytesMut<mqttbytes::V311>>(stream, expected),
            whole::<flowsdk::V311>(stream, expected),
            whole::<OnBytesMut<rmqtt_codec::V311>>(stream, expected),
            whole::<OnBytesMut<mqtt5_protocol::V311>>(stream, expected),
            whole::<mqtt_protocol_core::V311>(stream, expected),
        ],
        Version::V5 => vec![
            whole::<manywire::V5>(stream, expected),
            whole::<OnBytesMut<rumqttc::V5>>(stream, expected),
            whole::<OnBytesMut<mqttbytes::V5>>(stream, expected),
            whole::<flowsdk::V5>(stream, expected),
            whole::<OnBytesMut<rmqtt_codec::V5>>(stream, expected),
            whole::<OnBytesMut<mqtt5_protocol::V5>>(stream, expected),
            whole::<mqtt_protocol_core::V5>(stream, expected),
        ],
    }
}

fn chunked_contestants(version: Version, stream: &[u8], expected: Tally) -> Vec<Contestant<'_>> {
    match version {
        Version::V311 => vec![
            chunked::<manywire::V311>(stream, expected),
            chunked::<OnBytesMut<rumqttc::V311>>(stream, expected),
            chunked::<mqttrs::V311>(stream, expected),
            chunked::<OnBytesMut<mqttbytes::V311>>(stream, expected),
            chunked::<flowsdk::V311>(stream, expected),
            chunked::<OnBytesMut<rmqtt_codec::V311>>(stream, expected),
            chunked::<OnBytesMut<mqtt5_protocol::V311>>(stream, expected),
            chunked::<mqtt_protocol_core::V311>(stream, expected),
        ],
        Version::V5 => vec![
            chunked::<manywire::V5>(stream, expected),
            chunked::<OnBytesMut<rumqttc::V5>>(stream, expected),
            chunked::<OnBytesMut<mqttbytes::V5>>(stream, expected),
            chunked::<flowsdk::V5>(stream, expected),
            chunked::<OnBytesMut<rmqtt_codec::V5>>(stream, expected),
            chunked::<OnBytesMut<mqtt5_protocol::V5>>(stream, expected),
            chunked::<mqtt_protocol_core::V5>(stream, expected),
        ],
    }
}

/// Scenario a as a packet that can be kept: ours holds a handle to its frame; every peer's but mqttrs's is one anyway.
fn owned_small(report: &mut Report) {
    let stream = packets::small_publish(Version::V311).repeat(BATCH);
    let expected = Tally {
        packets: BATCH,
        text: BATCH * 20,
        payload: BATCH * 64,
    };
    let mut contestants = contestants(Version::V311, &stream, expected);
    contestants.retain(|contestant| !["manywire", "mqttrs"].contains(&contestant.who()));
    contestants.insert(0, whole::<OnBytesMut<manywire::Owned>>(&stream, expected));
    race(report, "owned-a-311", BATCH as u64, &mut contestants);
}

/// A message as an application has it, built into scenario a and encoded.
fn encode_small(report: &mut Report) {
    let expected = packets::small_publish(Version::V311);
    let message = &SMALL;
    let mut codec = Default::default();
    let mut contestants = vec![
        into_slice("manywire", &expected, |buffer| {
            manywire::encode_small(black_box(message), buffer)
        }),
        into_bytes_mut("rumqttc", &expected, |buffer| {
            rumqttc::encode_small(black_box(message), buffer)
        }),
        into_slice("mqttrs", &expected, |buffer| {
            mqttrs::encode_small(black_box(message), buffer)
        }),
        into_bytes_mut("mqttbytes", &expected, |buffer| {
            mqttbytes::encode_small(black_box(message), buffer)
        }),
        into_vec("flowsdk", &expected, || flowsdk::encode_small(black_box(message))),
        into_bytes_mut("rmqtt-codec", &expected, |buffer| {
            rmqtt_codec::encode_small(black_box(message), &mut codec, buffer)
        }),
        into_bytes_mut("mqtt5-protocol", &expected, |buffer| {
            mqtt5_protocol::encode_small(black_box(message), buffer)
        }),
        into_vec("mqtt-protocol-core", &expected, || {
            mqtt_protocol_core::encode_small(black_box(message))
        }),
        memcpy(&expected, expected.len()),
    ];
    race(report, "build-encode-a-311", 1, &mut contestants);
}

/// A message as an application has it, built into scenario c and encoded.
fn encode_properties(report: &mut Report) {
    let expected = packets::publish_with_properties();
    let message = &WITH_PROPERTIES;
    let mut codec = Default::default();
    let mut contestants = vec![
        into_slice("manywire", &expected, |buffer| {
            manywire::encode_properties(black_box(message), buffer)
        }),
        into_bytes_mut("rumqttc", &expected, |buffer| {
            rumqttc::encode_properties(black_box(message), buffer)
        }),
        into_bytes_mut("mqttbytes", &expected, |buffer| {
            mqttbytes::encode_properties(black_box(message), buffer)
        }),
        into_vec("flowsdk", &expected, || {
            flowsdk::encode_properties(black_box(message))
        }),
        into_bytes_mut("rmqtt-codec", &expected, |buffer| {
            rmqtt_codec::encode_properties(black_box(message), &mut codec, buffer)
        }),
        into_bytes_mut("mqtt5-protocol", &expected, |buffer| {
            mqtt5_protocol::encode_properties(black_box(message), buffer);
        }),
        into_vec("mqtt-protocol-core", &expected, || {
            mqtt_protocol_core::encode_properties(black_box(message))
        }),
        memcpy(&expected, expected.len()),
    ];
    race(report, "build-encode-c-5", 1, &mut contestants);
}

/// Encodes into a slice that is there already; shows first that the packet has the length and the first bytes it
/// should have, for the order of properties is the encoder's choice.
fn into_slice<'a>(
    who: &'static str,
    expected: &[u8],
    mut encode: impl FnMut(&mut [u8]) -> usize + 'a,
) -> Contestant<'a> {
    let mut buffer = vec![0; 2 * expected.len()];
    let length = encode(&mut buffer);
    check(who, &buffer[..length], expected);
    contestant(who, move || {
        encode(&mut buffer);
        black_box(&buffer);
    })
}

/// Encodes into a `BytesMut` that is used again.
fn into_bytes_mut<'a>(
    who: &'static str,
    expected: &[u8],
    mut encode: impl FnMut(&mut BytesMut) + 'a,
) -> Contestant<'a> {
    let mut buffer = BytesMut::with_capacity(2 * expected.len());
    encode(&mut buffer);
    check(who, &buffer, expected);
    contestant(who, move || {
        encode(&mut buffer);
        black_box(&buffer);
    })
}

/// Encodes into a vector of its own, as the peer's API has it.
fn into_vec<'a>(who: &'static str, expected: &[u8], encode: impl Fn() -> Vec<u8> + 'a) -> Contestant<'a> {
    check(who, &encode(), expected);
    contestant(who, move || _ = black_box(encode()))
}

fn check(who: &str, encoded: &[u8], expected: &[u8]) {
    let mut bytes = [encoded.to_vec(), expected.to_vec()];
    assert_eq!(bytes[0][..24], bytes[1][..24], "{who} encodes something else");
    bytes.iter_mut().for_each(|bytes| bytes.sort_unstable());
    assert_eq!(bytes[0], bytes[1], "{who} encodes something else");
}

/// The floor for anything that touches every byte once.
fn memcpy(stream: &[u8], piece: usize) -> Contestant<'_> {
    let mut buffer = vec![0; piece];
    contestant("memcpy", move || {
        for piece in black_box(stream).chunks(piece) {
            buffer[..piece.len()].copy_from_slice(piece);
            black_box(&buffer);
        }
    })
}
