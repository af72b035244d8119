//! Every packet comes back from its bytes, and the bytes are the standard's.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use manywire_mqtt_codec::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Encodes, compares with the bytes, decodes, compares with the packet.
fn is(packet: Packet<'_>, version: Version, expected: &str) {
    let expected = hex(expected);
    let mut buffer = [0xee; 256];
    let len = packet.encode(version, &mut buffer).unwrap();
    assert_eq!(buffer[..len], expected, "{packet:?}");
    assert_eq!(packet.encoded_len(version), Ok(len));
    let mut appended = vec![7];
    assert_eq!(packet.append(version, &mut appended), Ok(len));
    assert_eq!(appended[1..], expected);
    assert_eq!(
        packet.encode(version, &mut buffer[..len - 1]).unwrap_err().kind(),
        ErrorKind::BufferTooShort
    );
    let decoded = decode(&expected, version, &Policy::STRICT).unwrap();
    assert_eq!(decoded, Outcome::Complete((packet, len)));
    let owned = OwnedPacket::decode(&expected, version, &Policy::STRICT)
        .unwrap()
        .complete()
        .unwrap();
    assert_eq!(owned.packet(), packet);
    assert_eq!(packet.to_owned(version).unwrap().into_frame(), expected);
}

fn id(id: u16) -> PacketId {
    PacketId::new(id).unwrap()
}

fn topic(name: &str) -> TopicName<'_> {
    TopicName::new(name).unwrap()
}

fn filter(filter: &str) -> TopicFilter<'_> {
    TopicFilter::new(filter).unwrap()
}

#[test]
fn publish_in_each_quality_of_service() {
    let publish = Publish::new(topic("a/b"), b"hi");
    is(publish.into(), Version::V311, "30 07 0003 612f62 6869");
    let retained = Publish {
        retain: true,
        delivery: Delivery::AtLeastOnce(id(10)),
        ..publish
    };
    is(retained.into(), Version::V311, "33 09 0003 612f62 000a 6869");
    let repeated = Publish {
        dup: true,
        delivery: Delivery::ExactlyOnce(id(0x1234)),
        ..publish
    };
    is(repeated.into(), Version::V311, "3c 09 0003 612f62 1234 6869");
    is(
        Publish::new(topic("a/b"), b"").into(),
        Version::V31,
        "30 05 0003 612f62",
    );
    is(publish.into(), Version::V5, "30 08 0003 612f62 00 6869");
}

#[test]
fn acknowledgements_are_two_bytes() {
    let ack = Ack::new(id(2));
    for version in [Version::V31, Version::V311, Version::V5] {
        is(Packet::Puback(ack), version, "40 02 0002");
        is(Packet::Pubrec(ack), version, "50 02 0002");
        is(Packet::Pubrel(ack), version, "62 02 0002");
        is(Packet::Pubcomp(ack), version, "70 02 0002");
    }
    let refused = Ack {
        reason: ReasonCode::NotAuthorized,
        ..ack
    };
    is(Packet::Puback(refused), Version::V5, "40 03 0002 87");
    let kind = Packet::Puback(refused)
        .encoded_len(Version::V311)
        .unwrap_err()
        .kind();
    assert_eq!(kind, ErrorKind::NotInVersion);
}

#[test]
fn connect_with_everything() {
    let fields = ConnectFields {
        clean_start: false,
        keep_alive: 10,
        will: Some(Will {
            qos: QoS::AtLeastOnce,
            retain: true,
            ..Will::new(topic("w"), b"bye")
        }),
        user_name: Some(Text::new("u").unwrap()),
        password: Some(b"\xff"),
        ..ConnectFields::new(Version::V311, Text::new("c").unwrap())
    };
    let bytes = "10 1b 0004 4d515454 04 ec 000a 0001 63 0001 77 0003 627965 0001 75 0001 ff";
    is(Connect::from(&fields).into(), Version::V311, bytes);
    // The version a packet is decoded by is its own.
    is(Connect::from(&fields).into(), Version::V5, bytes);
    let v31 = ConnectFields {
        version: Version::V31,
        ..fields
    };
    is(
        Connect::from(&v31).into(),
        Version::V31,
        "10 1d 0006 4d5149736470 03 ec 000a 0001 63 0001 77 0003 627965 0001 75 0001 ff",
    );
    let v5 = ConnectFields {
        version: Version::V5,
        user_name: None,
        ..fields
    };
    let bytes = "10 1a 0004 4d515454 05 6c 000a 00 0001 63 00 0001 77 0003 627965 0001 ff";
    is(Connect::from(&v5).into(), Version::V5, bytes);
    assert!(
        !format!("{:?}", Connect::from(&v5)).contains("255"),
        "the password is not shown"
    );
}

#[test]
fn connack_return_codes_are_reason_codes() {
    let accepted = Connack {
        session_present: true,
        ..Connack::default()
    };
    is(accepted.into(), Version::V311, "20 02 01 00");
    is(accepted.into(), Version::V5, "20 03 01 00 00");
    let refused = Connack {
        reason: ReasonCode::NotAuthorized,
        ..Connack::default()
    };
    is(refused.into(), Version::V311, "20 02 00 05");
    is(refused.into(), Version::V31, "20 02 00 05");
    is(refused.into(), Version::V5, "20 03 00 87 00");
}

#[test]
fn subscribing_and_its_answers() {
    let list = [
        Subscription::new(filter("a/+"), QoS::ExactlyOnce),
        Subscription::new(filter("#"), QoS::AtMostOnce),
    ];
    let subscribe = Subscribe {
        packet_id: id(3),
        subscriptions: Subscriptions::from(&list),
        properties: Properties::EMPTY,
    };
    is(
        subscribe.into(),
        Version::V311,
        "82 0c 0003 0003 612f2b 02 0001 23 00",
    );
    is(
        subscribe.into(),
        Version::V5,
        "82 0d 0003 00 0003 612f2b 02 0001 23 00",
    );
    let options = [Subscription {
        no_local: true,
        retain_as_published: true,
        retain_handling: RetainHandling::Never,
        ..list[0]
    }];
    let subscribe = Subscribe {
        subscriptions: Subscriptions::from(&options),
        ..subscribe
    };
    is(subscribe.into(), Version::V5, "82 09 0003 00 0003 612f2b 2e");
    assert_eq!(
        Packet::from(subscribe)
            .encoded_len(Version::V311)
            .unwrap_err()
            .kind(),
        ErrorKind::NotInVersion
    );

    let codes = [
        ReasonCode::granted(QoS::ExactlyOnce),
        ReasonCode::UnspecifiedError,
    ];
    let suback = Suback {
        packet_id: id(3),
        reasons: ReasonCodes::from(&codes),
        properties: Properties::EMPTY,
    };
    is(suback.into(), Version::V311, "90 04 0003 02 80");
    is(suback.into(), Version::V5, "90 05 0003 00 02 80");
}

#[test]
fn unsubscribing_and_its_answers() {
    let filters = [filter("a/+"), filter("#")];
    let unsubscribe = Unsubscribe {
        packet_id: id(4),
        filters: Filters::from(&filters),
        properties: Properties::EMPTY,
    };
    is(
        unsubscribe.into(),
        Version::V311,
        "a2 0a 0004 0003 612f2b 0001 23",
    );
    let none: &[ReasonCode] = &[];
    let unsuback = Unsuback {
        packet_id: id(4),
        reasons: none.into(),
        properties: Properties::EMPTY,
    };
    is(unsuback.into(), Version::V311, "b0 02 0004");
    let codes = [ReasonCode::Success, ReasonCode::NoSubscriptionExisted];
    let unsuback = Unsuback {
        reasons: ReasonCodes::from(&codes),
        ..unsuback
    };
    is(unsuback.into(), Version::V5, "b0 05 0004 00 00 11");
}

#[test]
fn the_short_packets() {
    is(Packet::Pingreq, Version::V311, "c0 00");
    is(Packet::Pingresp, Version::V5, "d0 00");
    is(Disconnect::default().into(), Version::V311, "e0 00");
    is(Disconnect::default().into(), Version::V5, "e0 00");
    is(
        Disconnect::new(ReasonCode::ServerShuttingDown).into(),
        Version::V5,
        "e0 01 8b",
    );
    is(Auth::default().into(), Version::V5, "f0 00");
}

#[test]
fn a_head_goes_before_its_payload() {
    let payload = [b'x'; 300];
    let publish = Publish {
        delivery: Delivery::AtLeastOnce(id(1)),
        ..Publish::new(topic("t"), &payload)
    };
    let mut head = [0; 16];
    let len = publish.encode_head(Version::V311, &mut head).unwrap();
    assert_eq!(head[..len], hex("32 b102 0001 74 0001"));
    assert_eq!(publish.head_len(Version::V311), Ok(len));
    let mut whole = Vec::new();
    publish.append(Version::V311, &mut whole).unwrap();
    assert_eq!(whole, [&head[..len], &payload].concat());
}

#[test]
fn three_subscription_identifiers_stay_out_of_the_payload() {
    let bytes = hex("30 11 0001 61 06 0b01 0b02 0b03 7061796c6f6164");
    let Ok(Outcome::Complete((Packet::Publish(publish), 19))) = decode(&bytes, Version::V5, &Policy::STRICT)
    else {
        panic!("a valid packet is refused");
    };
    assert_eq!(publish.payload, b"payload");
    let ids: Vec<u32> = publish
        .properties
        .subscription_identifiers()
        .map(u32::from)
        .collect();
    assert_eq!(ids, [1, 2, 3]);
}

#[test]
fn properties_keep_their_order() {
    let mut bytes = [0; 128];
    let mut buf = PropertiesBuf::new(PropertyScope::Publish, &mut bytes);
    let text = |t| Text::new(t).unwrap();
    buf.push(Property::UserProperty(text("k"), text("1"))).unwrap();
    buf.push(Property::TopicAlias(7.try_into().unwrap())).unwrap();
    buf.push(Property::UserProperty(text("k"), text("2"))).unwrap();
    let publish = Publish {
        properties: buf.finish(),
        ..Publish::new(TopicName::ALIASED, b"p")
    };
    is(
        publish.into(),
        Version::V5,
        "30 15 0000 11 26 0001 6b 0001 31 23 0007 26 0001 6b 0001 32 70",
    );
    let values: Vec<_> = publish
        .properties
        .user_properties()
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(values, ["1", "2"]);
    assert_eq!(publish.properties.topic_alias().map(u16::from), Some(7));
}
