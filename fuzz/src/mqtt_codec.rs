//! MQTT packets: decoding, encoding, streams, properties.

use manywire_mqtt_codec::{
    Error, Outcome, OwnedPacket, Packet, Piece, Policy, Properties, PropertiesBuf, Property, PropertyScope,
    Role, StreamDecoder, Text, TopicName, Version, decode,
};

/// Takes the version and the policy from the first byte.
fn settings(bytes: &[u8]) -> Option<(Version, Policy, &[u8])> {
    let (&first, bytes) = bytes.split_first()?;
    let version = [Version::V31, Version::V311, Version::V5][usize::from(first % 3)];
    let mut policy = Policy::STRICT;
    if first & 0x10 != 0 {
        policy = policy.with_sender(if first & 0x20 != 0 {
            Role::Client
        } else {
            Role::Server
        });
    }
    if first & 0x40 != 0 {
        policy = policy
            .refuse_control_characters()
            .allow_dup_at_most_once()
            .allow_bridge_level()
            .allow_v3_replies()
            .allow_long_lengths()
            .report_filters();
    }
    Some((version, policy, bytes))
}

/// Whatever the bytes, they are a packet, an error inside the packet, or too few; a packet comes back from what it is
/// encoded to, and is the same when it keeps its frame.
pub fn decode_and_encode(bytes: &[u8]) {
    let Some((version, policy, bytes)) = settings(bytes) else {
        return;
    };
    match decode(bytes, version, &policy) {
        Ok(Outcome::Complete((packet, len))) => {
            assert!(len >= 2 && len <= bytes.len());
            comes_back(&packet, version);
            let owned = OwnedPacket::decode(&bytes[..len], version, &policy).expect("it was decoded before");
            assert_eq!(owned.complete().expect("it was complete before").packet(), packet);
            for cut in [0, len / 2, len - 1] {
                let need = decode(&bytes[..cut], version, &policy)
                    .expect("the start of a packet")
                    .missing();
                assert!(need > 0 && cut + need <= len);
            }
        }
        Ok(Outcome::Need(need)) => assert!(need.get() <= 268_435_460),
        Err(error) => {
            assert!(error.at() <= bytes.len());
            let _ = (error.statement(), error.reason_code(), error.connack_code());
            assert!(!error.to_string().is_empty());
        }
    }
}

/// The encoding of a packet decodes to the packet and encodes to itself. What a lenient policy let in may be refused.
fn comes_back(packet: &Packet<'_>, version: Version) {
    let version = if let Packet::Connect(connect) = packet {
        connect.version()
    } else {
        version
    };
    let mut first = Vec::new();
    if packet.append(version, &mut first).is_err() {
        return;
    }
    let policy = Policy::STRICT.allow_bridge_level();
    let Ok(Outcome::Complete((again, len))) = decode(&first, version, &policy) else {
        panic!("not taken back: {first:02x?}");
    };
    assert_eq!(len, first.len());
    let mut second = Vec::new();
    again.append(version, &mut second).expect("it was encoded before");
    assert_eq!(first, second);
}

/// A stream in chunks, in pieces and as a whole holds the same packets and ends in the same error.
pub fn stream(bytes: &[u8]) {
    let Some((version, policy, bytes)) = settings(bytes) else {
        return;
    };
    let Some((&size, bytes)) = bytes.split_first() else {
        return;
    };
    let size = usize::from(size % 31) + 1;
    let whole = packets(bytes.chunks(bytes.len().max(1)), version, policy);
    assert_eq!(packets(bytes.chunks(size), version, policy), whole);
    let (pieced, ended) = pieces(bytes.chunks(size), version, policy, size);
    // A large PUBLISH at the end shows its head before its payload is there, and an error in its head too.
    assert!(pieced.starts_with(&whole.0), "{pieced:?} is not {whole:?}");
    if let Some(error) = whole.1 {
        assert_eq!(ended, Some(error));
        assert_eq!(pieced.len(), whole.0.len());
    }
}

type Seen = (Vec<String>, Option<Error>);

fn packets<'a>(chunks: impl Iterator<Item = &'a [u8]>, version: Version, policy: Policy) -> Seen {
    let mut decoder = StreamDecoder::new(version, policy);
    let mut seen = Vec::new();
    for chunk in chunks {
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

fn pieces<'a>(
    chunks: impl Iterator<Item = &'a [u8]>,
    version: Version,
    policy: Policy,
    threshold: usize,
) -> Seen {
    let mut decoder = StreamDecoder::new(version, policy);
    let (mut seen, mut head, mut payload) = (Vec::new(), String::new(), Vec::new());
    for chunk in chunks {
        let mut packets = decoder.feed(chunk);
        loop {
            let left = match packets.next_piece(threshold) {
                Ok(Some(Piece::Packet(packet))) => {
                    seen.push(format!("{packet:?}"));
                    continue;
                }
                Ok(Some(Piece::Head { publish, payload_len })) => {
                    payload.clear();
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
                seen.push(head.replacen("payload: []", &format!("payload: {payload:?}"), 1));
            }
        }
    }
    (seen, None)
}

const SCOPES: [PropertyScope; 14] = [
    PropertyScope::Will,
    PropertyScope::Connect,
    PropertyScope::Connack,
    PropertyScope::Publish,
    PropertyScope::Puback,
    PropertyScope::Pubrec,
    PropertyScope::Pubrel,
    PropertyScope::Pubcomp,
    PropertyScope::Subscribe,
    PropertyScope::Suback,
    PropertyScope::Unsubscribe,
    PropertyScope::Unsuback,
    PropertyScope::Disconnect,
    PropertyScope::Auth,
];

/// What the builder of properties takes, in whatever order, is a block that its packet may carry.
pub fn properties(bytes: &[u8]) {
    let Some((&scope, mut bytes)) = bytes.split_first() else {
        return;
    };
    let scope = SCOPES[usize::from(scope) % SCOPES.len()];
    let mut space = [0; 96];
    let mut block = PropertiesBuf::new(scope, &mut space);
    let mut taken = Vec::new();
    while let Some((&id, rest)) = bytes.split_first() {
        let (value, rest) = rest.split_at(rest.len().min(4));
        bytes = rest;
        let Some(property) = property(id, value) else {
            continue;
        };
        let before = block.properties().as_bytes().len();
        match block.push(property) {
            Ok(()) => taken.push(property),
            Err(_) => assert_eq!(block.properties().as_bytes().len(), before),
        }
    }
    let block = block.finish();
    assert_eq!(block.iter().collect::<Vec<_>>(), taken);
    let packet = carrier(scope, block);
    if let Err(error) = decode(&packet, Version::V5, &Policy::STRICT) {
        panic!("the builder took {taken:?} for {scope:?}, the decoder says {error}");
    }
}

/// The smallest packet with this block.
fn carrier(scope: PropertyScope, properties: Properties<'_>) -> Vec<u8> {
    let block = properties.as_bytes();
    let (first, before, after): (u8, &[u8], &[u8]) = match scope {
        PropertyScope::Will => (0x10, b"\0\x04MQTT\x05\x06\0\0\0\0\x01c", b"\0\x01w\0\0"),
        PropertyScope::Connect => (0x10, b"\0\x04MQTT\x05\x02\0\0", b"\0\x01c"),
        PropertyScope::Connack => (0x20, b"\0\0", b""),
        PropertyScope::Publish => (0x30, b"\0\x01t", b""),
        PropertyScope::Puback => (0x40, b"\0\x01\0", b""),
        PropertyScope::Pubrec => (0x50, b"\0\x01\0", b""),
        PropertyScope::Pubrel => (0x62, b"\0\x01\0", b""),
        PropertyScope::Pubcomp => (0x70, b"\0\x01\0", b""),
        PropertyScope::Subscribe => (0x82, b"\0\x01", b"\0\x01t\0"),
        PropertyScope::Suback => (0x90, b"\0\x01", b"\0"),
        PropertyScope::Unsubscribe => (0xa2, b"\0\x01", b"\0\x01t"),
        PropertyScope::Unsuback => (0xb0, b"\0\x01", b"\0"),
        PropertyScope::Disconnect => (0xe0, b"\0", b""),
        // AUTH needs its method, whatever else it carries.
        PropertyScope::Auth if properties.authentication_method().is_none() => (0xe0, b"", b""),
        PropertyScope::Auth => (0xf0, b"\x18", b""),
    };
    if before.is_empty() {
        return vec![first, 0];
    }
    let len = before.len() + 1 + block.len() + after.len();
    let mut packet = vec![first];
    if len >= 0x80 {
        packet.push(len as u8 | 0x80);
        packet.push((len >> 7) as u8);
    } else {
        packet.push(len as u8);
    }
    packet.extend_from_slice(before);
    packet.push(block.len() as u8);
    packet.extend_from_slice(block);
    packet.extend_from_slice(after);
    packet
}

/// A property of any kind with a value made of these bytes; nothing where its type cannot hold it.
fn property(id: u8, value: &[u8]) -> Option<Property<'_>> {
    let number = value
        .iter()
        .fold(0_u32, |number, &byte| number << 8 | u32::from(byte));
    let flag = number & 1 != 0;
    let text = || {
        std::str::from_utf8(value)
            .ok()
            .and_then(|text| Text::new(text).ok())
    };
    Some(match id % 28 {
        0 => Property::PayloadFormatIndicator(flag),
        1 => Property::MessageExpiryInterval(number),
        2 => Property::ContentType(text()?),
        3 => Property::ResponseTopic(TopicName::new(std::str::from_utf8(value).ok()?).ok()?),
        4 => Property::CorrelationData(value),
        5 => Property::SubscriptionIdentifier(number.try_into().ok()?),
        6 => Property::SessionExpiryInterval(number),
        7 => Property::AssignedClientIdentifier(text()?),
        8 => Property::ServerKeepAlive(number as u16),
        9 => Property::AuthenticationMethod(text()?),
        10 => Property::AuthenticationData(value),
        11 => Property::RequestProblemInformation(flag),
        12 => Property::WillDelayInterval(number),
        13 => Property::RequestResponseInformation(flag),
        14 => Property::ResponseInformation(text()?),
        15 => Property::ServerReference(text()?),
        16 => Property::ReasonString(text()?),
        17 => Property::ReceiveMaximum((number as u16).try_into().ok()?),
        18 => Property::TopicAliasMaximum(number as u16),
        19 => Property::TopicAlias((number as u16).try_into().ok()?),
        20 => Property::MaximumQos(manywire_mqtt_codec::QoS::from_bits(number as u8)?),
        21 => Property::RetainAvailable(flag),
        22 => Property::UserProperty(text()?, text()?),
        23 => Property::MaximumPacketSize(number.try_into().ok()?),
        24 => Property::WildcardSubscriptionAvailable(flag),
        25 => Property::SubscriptionIdentifierAvailable(flag),
        26 => Property::SharedSubscriptionAvailable(flag),
        _ => Property::ResponseTopic(TopicName::ALIASED),
    })
}
