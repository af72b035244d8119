//! MQTT 5.0: the normative statements about filters, SUBSCRIBE, UNSUBSCRIBE and their acknowledgements.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use manywire_mqtt_codec::*;
use support::{accepted, filter, hex, id};

const V: Version = Version::V5;

refuses! { V5;
    mqtt_3_8_1_1_subscribe_has_flags_0010: InvalidFlags "MQTT-3.8.1-1" [
        ("80 07 0001 00 0001 61 00", 0), ("8a 07 0001 00 0001 61 00", 0),
    ];
    mqtt_3_8_3_1_filters_are_utf8: InvalidUtf8 "MQTT-1.5.4-1" [
        ("82 07 0001 00 0001 ff 00", 7),
    ];
    mqtt_3_8_3_2_a_subscribe_has_a_filter: EmptyList "MQTT-3.8.3-2" [
        ("82 03 0001 00", 5),
    ];
    mqtt_3_8_3_5_reserved_subscription_options_are_zero: ReservedBits "MQTT-3.8.3-5" [
        ("82 07 0001 00 0001 61 40", 8), ("82 07 0001 00 0001 61 80", 8),
    ];
    mqtt_3_8_4_6_a_suback_has_a_reason_code_for_each_filter: EmptyList "MQTT-3.8.4-6" [
        ("90 03 0001 00", 5),
    ];
    mqtt_3_9_3_2_suback_has_reason_codes_of_its_table: InvalidReasonCode "MQTT-3.9.3-2" [
        ("90 04 0001 00 03", 5), ("90 05 0001 00 00 8e", 6),
    ];
    mqtt_3_10_1_1_unsubscribe_has_flags_0010: InvalidFlags "MQTT-3.10.1-1" [
        ("a0 06 0001 00 0001 61", 0), ("aa 06 0001 00 0001 61", 0),
    ];
    mqtt_3_10_3_1_filters_to_leave_are_utf8: InvalidUtf8 "MQTT-1.5.4-1" [
        ("a2 06 0001 00 0001 80", 7),
    ];
    mqtt_3_10_3_2_an_unsubscribe_has_a_filter: EmptyList "MQTT-3.10.3-2" [
        ("a2 03 0001 00", 5),
    ];
    mqtt_3_11_3_2_unsuback_has_reason_codes_of_its_table: InvalidReasonCode "MQTT-3.11.3-2" [
        ("b0 04 0001 00 01", 5),
    ];
    mqtt_4_7_1_1_the_multi_level_wildcard_is_the_last_level: MisplacedMultiLevelWildcard "MQTT-4.7.1-1" [
        ("82 08 0001 00 0002 6123 00", 8),
        ("82 09 0001 00 0003 232f61 00", 7),
    ];
    mqtt_4_7_1_2_the_single_level_wildcard_is_a_level: MisplacedSingleLevelWildcard "MQTT-4.7.1-2" [
        ("82 08 0001 00 0002 2b61 00", 7),
        ("a2 09 0001 00 0004 612f622b", 10),
    ];
    mqtt_4_7_3_1_names_and_filters_have_a_character: EmptyTopicFilter "MQTT-4.7.3-1" [
        ("82 06 0001 00 0000 00", 7),
        ("a2 05 0001 00 0000", 7),
    ];
    mqtt_4_7_3_2_names_and_filters_hold_no_null: NulCharacter "MQTT-1.5.4-2" [
        ("82 07 0001 00 0001 00 00", 7),
    ];
    retain_handling_is_not_three: InvalidRetainHandling "" [
        ("82 07 0001 00 0001 61 30", 8),
    ];
    a_subscription_qos_is_not_three: InvalidQos "" [
        ("82 07 0001 00 0001 61 03", 8),
    ];
}

#[test]
fn mqtt_3_8_3_4_no_local_on_a_shared_subscription_is_refused_both_ways() {
    let shared = "$share/g/a";
    let mut bytes = hex("82 10 0001 00 000a");
    bytes.extend_from_slice(shared.as_bytes());
    bytes.push(0x04);
    let error = support::refused(&bytes, V);
    assert_eq!(
        (error.kind(), error.statement()),
        (ErrorKind::NoLocalOnShared, Some("MQTT-3.8.3-4"))
    );
    let list = [Subscription {
        no_local: true,
        ..Subscription::new(filter(shared), QoS::AtMostOnce)
    }];
    let subscribe = Subscribe {
        packet_id: id(1),
        subscriptions: (&list).into(),
        properties: Properties::EMPTY,
    };
    assert_eq!(
        Packet::from(subscribe).encoded_len(V).unwrap_err().kind(),
        ErrorKind::NoLocalOnShared
    );
}

#[test]
fn mqtt_3_9_3_1_suback_codes_keep_their_order() {
    let bytes = hex("90 06 0001 00 02 87 00");
    let Packet::Suback(suback) = accepted(&bytes, V) else {
        panic!()
    };
    let codes: Vec<_> = suback.reasons.iter().map(ReasonCode::byte).collect();
    assert_eq!(codes, [2, 0x87, 0]);
}

#[test]
fn mqtt_3_11_3_1_unsuback_codes_keep_their_order() {
    let bytes = hex("b0 06 0001 00 11 00 8f");
    let Packet::Unsuback(unsuback) = accepted(&bytes, V) else {
        panic!()
    };
    let codes: Vec<_> = unsuback.reasons.iter().map(ReasonCode::byte).collect();
    assert_eq!(codes, [0x11, 0, 0x8f]);
}

#[test]
fn mqtt_4_8_2_1_a_shared_subscription_has_a_share_name() {
    shared_is_refused("$share//a", ErrorKind::EmptyShareName, "MQTT-4.8.2-1");
    shared_is_refused("$share/", ErrorKind::EmptyShareName, "MQTT-4.8.2-1");
}

#[test]
fn mqtt_4_8_2_2_a_share_name_is_plain_and_a_filter_follows() {
    for bad in ["$share/g", "$share/g/", "$share/+/a", "$share/#"] {
        shared_is_refused(bad, ErrorKind::InvalidSharedSubscription, "MQTT-4.8.2-2");
    }
    for good in ["$share/g/a", "$share/g/#", "$share/g//", "$share", "$shared/a"] {
        let list = [filter(good)];
        let unsubscribe = Unsubscribe {
            packet_id: id(1),
            filters: (&list).into(),
            properties: Properties::EMPTY,
        };
        assert!(Packet::from(unsubscribe).encoded_len(V).is_ok(), "{good}");
    }
}

/// Refused in SUBSCRIBE and UNSUBSCRIBE, read and written; an ordinary filter before 5.0.
fn shared_is_refused(text: &str, kind: ErrorKind, statement: &str) {
    let mut body = vec![0, 1, 0, 0, text.len() as u8];
    body.extend_from_slice(text.as_bytes());
    let unsubscribe = [&[0xa2, body.len() as u8], &body[..]].concat();
    body.push(0);
    let subscribe = [&[0x82, body.len() as u8], &body[..]].concat();
    for bytes in [subscribe, unsubscribe] {
        let error = support::refused(&bytes, V);
        assert_eq!(
            (error.kind(), error.statement()),
            (kind, Some(statement)),
            "{text}"
        );
    }
    let list = [Subscription::new(filter(text), QoS::AtMostOnce)];
    let subscribe = Subscribe {
        packet_id: id(1),
        subscriptions: (&list).into(),
        properties: Properties::EMPTY,
    };
    assert_eq!(Packet::from(subscribe).encoded_len(V).unwrap_err().kind(), kind);
    assert!(Packet::from(subscribe).encoded_len(Version::V311).is_ok());
}
