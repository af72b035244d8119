//! MQTT 5.0: the normative statements about properties, and the table of where each may stand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use manywire_mqtt_codec::*;
use support::{accepted, accepted_by, hex, refused_by};

const V: Version = Version::V5;

refuses! { V5;
    mqtt_1_5_7_1_both_strings_of_a_pair_are_utf8: InvalidUtf8 "MQTT-1.5.4-1" [
        ("e0 09 00 07 26 0001 ff 0001 62", 7),
        ("e0 09 00 07 26 0001 62 0001 ff", 10),
    ];
    mqtt_2_2_2_1_no_properties_are_a_length_of_zero: Truncated "" [
        ("30 03 0001 61", 5),
        ("20 02 0000", 4),
        ("90 02 0001", 4),
    ];
    mqtt_3_1_4_1_a_connect_conforms_to_its_section: MisplacedProperty "MQTT-3.1.4-1" [
        ("10 11 0004 4d515454 05 02 003c 03 23 0001 0001 63", 13),
        ("10 10 0004 4d515454 05 02 003c 02 24 01 0001 63", 13),
    ];
    mqtt_3_3_2_8_a_topic_alias_is_not_zero: ZeroTopicAlias "MQTT-3.3.2-8" [
        ("30 07 0001 61 03 23 0000", 7),
    ];
    mqtt_3_3_2_13_the_response_topic_is_utf8: InvalidUtf8 "MQTT-1.5.4-1" [
        ("30 08 0001 61 04 08 0001 ff", 9),
    ];
    mqtt_3_3_2_14_the_response_topic_has_no_wildcards: WildcardInResponseTopic "MQTT-3.3.2-14" [
        ("30 08 0001 61 04 08 0001 23", 9), ("30 0a 0001 61 06 08 0003 612f2b", 11),
    ];
    mqtt_3_3_2_19_the_content_type_is_utf8: InvalidUtf8 "MQTT-1.5.4-1" [
        ("30 08 0001 61 04 03 0001 ff", 9),
    ];
    mqtt_4_12_0_5_auth_names_its_method: MissingAuthenticationMethod "MQTT-4.12.0-5" [
        ("f0 02 18 00", 2),
        ("f0 01 19", 2),
    ];
    a_property_that_is_unknown_is_refused: UnknownProperty "" [
        ("30 06 0001 61 02 00 00", 6),
        ("30 06 0001 61 02 7f 00", 6),
        ("30 07 0001 61 03 8101 00", 6),
        ("e0 04 00 02 2b 00", 4),
    ];
    a_property_appears_once: DuplicateProperty "" [
        ("30 08 0001 61 04 01 00 01 00", 8),
        ("82 0b 0001 04 0b01 0b02 0001 61 00", 7),
    ];
    a_property_value_is_in_its_range: InvalidPropertyValue "" [
        ("30 06 0001 61 02 01 02", 7),
        ("30 06 0001 61 02 0b 00", 7),
        ("20 06 00 00 03 21 0000", 6),
        ("20 08 00 00 05 27 00000000", 6),
        ("20 05 00 00 02 24 02", 6),
        ("20 05 00 00 02 25 02", 6),
    ];
    authentication_data_needs_a_method: MissingAuthenticationMethod "" [
        ("20 07 00 00 04 16 0001 00", 5),
    ];
}

#[test]
fn mqtt_3_3_2_18_user_properties_keep_their_order() {
    let bytes = hex("30 15 0001 61 0e 26 0001 6b 0001 32 26 0001 6b 0001 31 7878 78");
    let Packet::Publish(publish) = accepted(&bytes, V) else {
        panic!()
    };
    let values: Vec<_> = publish
        .properties
        .user_properties()
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(values, ["2", "1"]);
    let mut encoded = Vec::new();
    publish.append(V, &mut encoded).unwrap();
    assert_eq!(encoded, bytes);
}

#[test]
fn mqtt_3_3_4_6_a_client_sends_no_subscription_identifier() {
    let bytes = hex("30 06 0001 61 02 0b 01");
    let policy = Policy::STRICT.with_sender(Role::Client);
    let error = refused_by(&bytes, V, &policy);
    assert_eq!(error.kind(), ErrorKind::SubscriptionIdentifierFromClient);
    assert_eq!(error.statement(), Some("MQTT-3.3.4-6"));
    accepted_by(&bytes, V, &Policy::STRICT.with_sender(Role::Server));
}

#[test]
fn mqtt_3_14_2_2_a_server_sends_no_session_expiry_interval() {
    let bytes = hex("e0 07 00 05 11 0000003c");
    let error = refused_by(&bytes, V, &Policy::STRICT.with_sender(Role::Server));
    assert_eq!(error.kind(), ErrorKind::SessionExpiryIntervalFromServer);
    assert_eq!(error.statement(), Some("MQTT-3.14.2-2"));
    accepted_by(&bytes, V, &Policy::STRICT.with_sender(Role::Client));
}

/// Table 2-4, by hand: a property, and the packets it may stand in by the letters of [`FRAMES`].
const TABLE: &[(&str, &str)] = &[
    ("01 00", "PW"),
    ("02 00000001", "PW"),
    ("03 0001 61", "PW"),
    ("08 0001 61", "PW"),
    ("09 0001 61", "PW"),
    ("0b 01", "PS"),
    ("11 00000001", "CAD"),
    ("12 0001 61", "A"),
    ("13 0001", "A"),
    ("15 0001 61", "CAX"),
    ("17 00", "C"),
    ("18 00000001", "W"),
    ("19 00", "C"),
    ("1a 0001 61", "A"),
    ("1c 0001 61", "AD"),
    ("1f 0001 61", "A4567suDX"),
    ("21 0001", "CA"),
    ("22 0001", "CA"),
    ("23 0001", "P"),
    ("24 00", "A"),
    ("25 00", "A"),
    ("26 0001 61 0001 62", "CWAP4567SsUuDX"),
    ("27 00000001", "CA"),
    ("28 00", "A"),
    ("29 00", "A"),
    ("2a 00", "A"),
];

/// A letter for each packet, what stands before and after its properties, and its first byte.
const FRAMES: &[(char, &str, &str, u8)] = &[
    ('C', "0004 4d515454 05 02 0000", "0001 63", 0x10),
    ('A', "00 00", "", 0x20),
    ('P', "0001 61", "", 0x30),
    ('4', "0001 00", "", 0x40),
    ('5', "0001 00", "", 0x50),
    ('6', "0001 00", "", 0x62),
    ('7', "0001 00", "", 0x70),
    ('S', "0001", "0001 61 00", 0x82),
    ('s', "0001", "00", 0x90),
    ('U', "0001", "0001 61", 0xa2),
    ('u', "0001", "00", 0xb0),
    ('D', "00", "", 0xe0),
    ('X', "18", "", 0xf0),
    ('W', "0004 4d515454 05 06 0000 00 0001 63", "0001 77 0000", 0x10),
];

#[test]
fn each_property_stands_only_where_its_table_allows() {
    for &(property, places) in TABLE {
        for &(place, before, after, first) in FRAMES {
            // AUTH needs its method; the others stand alone.
            let method = if place == 'X' && !property.starts_with("15") {
                "15 0001 61"
            } else {
                ""
            };
            let block = hex(&format!("{method}{property}"));
            let body = [hex(before), vec![block.len() as u8], block, hex(after)].concat();
            let bytes = [vec![first, body.len() as u8], body].concat();
            let decoded = decode(&bytes, V, &Policy::STRICT);
            match places.contains(place) {
                true => assert!(decoded.is_ok(), "{property} in {place}: {decoded:?}"),
                false => {
                    assert_eq!(
                        decoded.unwrap_err().kind(),
                        ErrorKind::MisplacedProperty,
                        "{property} in {place}"
                    );
                }
            }
        }
    }
}
