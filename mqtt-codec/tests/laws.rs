//! Laws that hold for every packet, tried on every valid vector and on packets made up by proptest.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use manywire_mqtt_codec::*;
use proptest::prelude::*;
use support::{accepted, hex};

struct Vector {
    name: &'static str,
    version: Version,
    bytes: Vec<u8>,
}

fn vectors() -> Vec<Vector> {
    let lines = include_str!("vectors/valid.txt")
        .lines()
        .filter(|line| !line.starts_with('#'));
    let vector = |line: &'static str| {
        let (name, bytes) = line.split_once(": ").unwrap();
        let version = match name.split(' ').next() {
            Some("3.1") => Version::V31,
            Some("3.1.1") => Version::V311,
            _ => Version::V5,
        };
        Vector {
            name,
            version,
            bytes: hex(bytes),
        }
    };
    lines.map(vector).collect()
}

fn encoded(packet: &Packet<'_>, version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.append(version, &mut bytes).unwrap();
    bytes
}

#[test]
fn packets_and_errors_are_small() {
    assert!(size_of::<Packet<'_>>() <= 64);
    assert!(size_of::<Result<Packet<'_>, Error>>() <= 64);
    assert_eq!(size_of::<Error>(), 8);
    assert_eq!(size_of::<Delivery>(), 4);
    assert_eq!(size_of::<Option<PacketId>>(), 2);
}

#[test]
fn every_type_of_packet_has_a_vector_in_every_version_that_has_it() {
    for version in [Version::V311, Version::V5] {
        let types: std::collections::BTreeSet<u8> = vectors()
            .iter()
            .filter(|vector| vector.version == version)
            .map(|vector| vector.bytes[0] >> 4)
            .collect();
        let last = if version == Version::V5 { 15 } else { 14 };
        assert_eq!(types, (1..=last).collect(), "{version}");
    }
}

#[test]
fn every_cut_of_a_packet_needs_exactly_the_rest() {
    for Vector { name, version, bytes } in vectors() {
        accepted(&bytes, version);
        for cut in 0..bytes.len() {
            let need = decode(&bytes[..cut], version, &Policy::STRICT).unwrap().missing();
            // Before the remaining length is known, as many as bring the decoder further.
            let known = bytes[..cut].iter().skip(1).any(|&byte| byte < 0x80);
            let expected = if known {
                bytes.len() - cut
            } else {
                2_usize.saturating_sub(cut).max(1)
            };
            assert_eq!(need, expected, "{name}, cut at {cut}");
        }
    }
}

#[test]
fn what_follows_a_packet_does_not_matter() {
    for Vector { name, version, bytes } in vectors() {
        for more in [&[0_u8][..], &[0xff; 9]] {
            let longer = [&bytes[..], more].concat();
            let decoded = decode(&longer, version, &Policy::STRICT).unwrap();
            assert_eq!(
                decoded,
                Outcome::Complete((accepted(&bytes, version), bytes.len())),
                "{name}"
            );
        }
    }
}

#[test]
fn decoding_what_was_encoded_gives_the_packet_and_encoding_is_canonical() {
    for Vector { name, version, bytes } in vectors() {
        let packet = accepted(&bytes, version);
        let canonical = encoded(&packet, version);
        assert!(
            canonical.len() <= bytes.len() || version == Version::V31,
            "{name}"
        );
        assert_eq!(packet.encoded_len(version), Ok(canonical.len()), "{name}");
        let again = accepted(&canonical, version);
        assert_eq!(again, packet, "{name}");
        assert_eq!(encoded(&again, version), canonical, "{name}");
        assert_eq!(packet.to_owned(version).unwrap().packet(), packet, "{name}");
    }
}

#[test]
fn an_owned_packet_is_the_packet() {
    for Vector { name, version, bytes } in vectors() {
        let owned = OwnedPacket::decode(bytes.clone(), version, &Policy::STRICT)
            .unwrap()
            .complete()
            .unwrap();
        assert_eq!(owned.packet(), accepted(&bytes, version), "{name}");
        assert_eq!(owned.into_frame(), bytes, "{name}");
        let longer = [&bytes[..], &[0]].concat();
        let error = OwnedPacket::decode(longer, version, &Policy::STRICT).unwrap_err();
        assert_eq!(
            (error.kind(), error.at()),
            (ErrorKind::TrailingBytes, bytes.len()),
            "{name}"
        );
    }
}

#[test]
fn a_buffer_that_is_too_short_is_left_alone() {
    for Vector { name, version, bytes } in vectors() {
        let packet = accepted(&bytes, version);
        let len = packet.encoded_len(version).unwrap();
        for short in 0..len {
            let mut buffer = vec![0xee; short];
            let error = packet.encode(version, &mut buffer).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BufferTooShort, "{name}");
            assert!(buffer.iter().all(|&byte| byte == 0xee), "{name}");
        }
    }
}

#[test]
fn a_packet_above_the_limit_is_refused_by_its_header() {
    let policy = Policy::STRICT.with_max_packet_size(100);
    for header in [
        &[0x30_u8, 99][..],
        &[0x30, 0xff, 0xff, 0xff, 0x7f],
        &[0x82, 0x80, 0x01],
    ] {
        let error = decode(header, Version::V5, &policy).unwrap_err();
        assert_eq!((error.kind(), error.at()), (ErrorKind::PacketTooLarge, 1));
        assert_eq!(error.reason_code(), ReasonCode::PacketTooLarge);
    }
    assert_eq!(decode(&[0x30, 98], Version::V5, &policy).unwrap().missing(), 98);
}

/// The packets of a stream in chunks of the given sizes, as text, and the error it ended in.
fn streamed(bytes: &[u8], version: Version, sizes: &[usize]) -> (Vec<String>, Option<Error>) {
    let mut decoder = StreamDecoder::new(version, Policy::STRICT);
    let mut seen = Vec::new();
    let mut rest = bytes;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        rest = after;
        let mut packets = decoder.feed(chunk);
        loop {
            match packets.next() {
                Ok(Some(packet)) => seen.push(format!("{packet:?}")),
                Ok(None) => break,
                Err(error) => return (seen, Some(error)),
            }
        }
    }
    (seen, None)
}

/// The same through pieces: heads, and payloads put together again.
fn pieced(bytes: &[u8], version: Version, sizes: &[usize], threshold: usize) -> (Vec<String>, Option<Error>) {
    let mut decoder = StreamDecoder::new(version, Policy::STRICT);
    let mut seen = Vec::new();
    let mut head = String::new();
    let mut payload = Vec::new();
    let mut rest = bytes;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        rest = after;
        let mut packets = decoder.feed(chunk);
        loop {
            let left = match packets.next_piece(threshold) {
                Ok(Some(Piece::Packet(packet))) => {
                    seen.push(format!("{packet:?}"));
                    continue;
                }
                Ok(Some(Piece::Head { publish, payload_len })) => {
                    assert!(publish.payload.is_empty());
                    head = format!("{:?}", Packet::from(publish));
                    payload_len
                }
                Ok(Some(Piece::Payload { bytes, left })) => {
                    assert!(!bytes.is_empty());
                    payload.extend_from_slice(bytes);
                    left
                }
                Ok(None) => break,
                Err(error) => return (seen, Some(error)),
            };
            if left == 0 {
                seen.push(head.replace("payload: []", &format!("payload: {payload:?}")));
                payload.clear();
            }
        }
    }
    (seen, None)
}

/// The vectors of a version one behind the other, without CONNECT, which would change the version.
fn stream(version: Version, picks: &[usize]) -> Vec<u8> {
    let of_version: Vec<_> = vectors()
        .into_iter()
        .filter(|vector| vector.version == version && vector.bytes[0] != 0x10)
        .collect();
    picks
        .iter()
        .flat_map(|pick| of_version[pick % of_version.len()].bytes.clone())
        .collect()
}

fn any_version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::V31), Just(Version::V311), Just(Version::V5)]
}

proptest! {
    #[test]
    fn a_stream_in_chunks_is_the_stream_as_a_whole(
        version in any_version(),
        picks in prop::collection::vec(any::<usize>(), 1..30),
        sizes in prop::collection::vec(1_usize..20, 1..8),
        broken in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut bytes = stream(version, &picks);
        if let Some((at, byte)) = broken {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let whole = streamed(&bytes, version, &[bytes.len()]);
        prop_assert_eq!(&streamed(&bytes, version, &sizes), &whole);
        prop_assert_eq!(&pieced(&bytes, version, &sizes, usize::MAX), &whole);
        if broken.is_none() {
            prop_assert_eq!(whole.1, None);
            prop_assert_eq!(&pieced(&bytes, version, &sizes, 8), &whole);
            prop_assert_eq!(&pieced(&bytes, version, &sizes, 0), &whole);
        }
    }

    #[test]
    fn packets_not_asked_for_are_not_lost(
        picks in prop::collection::vec(any::<usize>(), 1..20),
        asked in prop::collection::vec(0_usize..3, 1..8),
    ) {
        let bytes = stream(Version::V311, &picks);
        let mut decoder = StreamDecoder::new(Version::V311, Policy::STRICT);
        let mut seen = Vec::new();
        for (chunk, asked) in bytes.chunks(7).zip(asked.iter().cycle()) {
            let mut packets = decoder.feed(chunk);
            for _ in 0..*asked {
                if let Some(packet) = packets.next().unwrap() {
                    seen.push(format!("{packet:?}"));
                }
            }
        }
        let mut packets = decoder.feed(&[]);
        while let Some(packet) = packets.next().unwrap() {
            seen.push(format!("{packet:?}"));
        }
        prop_assert_eq!(seen, streamed(&bytes, Version::V311, &[bytes.len()]).0);
    }

    #[test]
    fn a_publish_comes_back(
        v5 in any::<bool>(),
        name in "[^\u{0}+#]{1,40}",
        payload in prop::collection::vec(any::<u8>(), 0..300),
        qos in 0_u8..3,
        packet_id in 1_u16..,
        flags in any::<[bool; 2]>(),
        pairs in prop::collection::vec(("[^\u{0}]{0,9}", "[^\u{0}]{0,9}"), 0..4),
        expiry in prop::option::of(any::<u32>()),
    ) {
        let version = if v5 { Version::V5 } else { Version::V311 };
        let qos = QoS::from_bits(qos).unwrap();
        let mut block = [0; 512];
        let mut properties = PropertiesBuf::new(PropertyScope::Publish, &mut block);
        if v5 {
            for (name, value) in &pairs {
                let pair = Property::UserProperty(Text::new(name).unwrap(), Text::new(value).unwrap());
                properties.push(pair).unwrap();
            }
            if let Some(expiry) = expiry {
                properties.push(Property::MessageExpiryInterval(expiry)).unwrap();
            }
        }
        let publish = Publish {
            topic: TopicName::new(&name).unwrap(),
            payload: &payload,
            properties: properties.finish(),
            delivery: Delivery::new(qos, PacketId::new(packet_id).unwrap()),
            dup: flags[0] && qos != QoS::AtMostOnce,
            retain: flags[1],
        };
        let bytes = encoded(&publish.into(), version);
        prop_assert_eq!(accepted(&bytes, version), Packet::from(publish));
        let mut head = [0; 1024];
        let len = publish.encode_head(version, &mut head).unwrap();
        prop_assert_eq!([&head[..len], &payload].concat(), bytes);
    }

    #[test]
    fn any_bytes_are_a_packet_an_error_or_too_few(
        version in any_version(),
        bytes in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        if let Ok(Outcome::Complete((packet, len))) = decode(&bytes, version, &Policy::STRICT) {
            prop_assert!(len <= bytes.len());
            let version = if let Packet::Connect(connect) = &packet { connect.version() } else { version };
            let canonical = encoded(&packet, version);
            prop_assert_eq!(accepted(&canonical, version), packet);
        }
    }
}
