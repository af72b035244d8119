//! MQTT 5.0: one test for each normative statement that a codec can keep, with its number in the test's name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use manywire_mqtt_codec::*;
use support::{accepted, accepted_by, filter, hex, id, refused_by, topic};

const V: Version = Version::V5;

refuses! { V5;
    mqtt_1_5_4_1_strings_are_well_formed_utf8: InvalidUtf8 "MQTT-1.5.4-1" [
        ("30 06 0003 61ff62 00", 5),
        ("30 06 0003 eda080 00", 4),
        ("30 0b 0001 61 07 26 0001 ff 0001 62 78", 9),
        ("30 0b 0001 61 07 26 0001 62 0001 c3 78", 12),
        ("10 0e 0004 4d515454 05 02 003c 00 0001 ff", 15),
    ];
    mqtt_1_5_4_2_strings_hold_no_null: NulCharacter "MQTT-1.5.4-2" [
        ("30 06 0003 610062 00", 5),
        ("e0 06 00 04 1f 0001 00", 7),
    ];
    mqtt_1_5_5_1_variable_byte_integers_are_as_short_as_can_be: InvalidVariableByteInteger "MQTT-1.5.5-1" [
        ("30 8400 0001 61 00", 1),
        ("c0 8000", 1),
        ("30 05 0001 61 8000", 5),
        ("30 07 0001 61 03 0b 8100", 7),
        ("30 ffffffff 01", 1),
    ];
    mqtt_1_5_7_1_both_strings_of_a_pair_are_utf8: InvalidUtf8 "MQTT-1.5.4-1" [
        ("e0 09 00 07 26 0001 ff 0001 62", 7),
        ("e0 09 00 07 26 0001 62 0001 ff", 10),
    ];
    mqtt_2_1_3_1_reserved_flags_have_the_value_of_the_table: InvalidFlags "MQTT-2.1.3-1" [
        ("11 0e 0004 4d515454 05 02 003c 00 0001 63", 0),
        ("22 03 0000 00", 0),
        ("41 02 0001", 0),
        ("58 02 0001", 0),
        ("74 02 0001", 0),
        ("91 04 0001 00 00", 0),
        ("b2 04 0001 00 00", 0),
        ("c1 00", 0),
        ("d8 00", 0),
    ];
    mqtt_2_2_1_3_packet_identifiers_are_not_zero: ZeroPacketId "MQTT-2.2.1-3" [
        ("32 07 0001 61 0000 00 78", 5),
        ("82 07 0000 00 0001 61 00", 2),
        ("a2 06 0000 00 0001 61", 2),
    ];
    mqtt_2_2_1_4_a_server_gives_no_zero_identifier_either: ZeroPacketId "MQTT-2.2.1-3" [
        ("34 07 0001 61 0000 00 78", 5),
    ];
    mqtt_2_2_1_5_acknowledgements_carry_the_identifier_of_a_publish: ZeroPacketId "MQTT-2.2.1-5" [
        ("40 02 0000", 2), ("50 03 0000 00", 2), ("62 02 0000", 2), ("70 02 0000", 2),
    ];
    mqtt_2_2_1_6_suback_and_unsuback_carry_the_identifier_of_a_request: ZeroPacketId "MQTT-2.2.1-6" [
        ("90 04 0000 00 00", 2), ("b0 04 0000 00 00", 2),
    ];
    mqtt_2_2_2_1_no_properties_are_a_length_of_zero: Truncated "" [
        ("30 03 0001 61", 5),
        ("20 02 0000", 4),
        ("90 02 0001", 4),
    ];
    mqtt_3_1_2_1_the_protocol_name_is_mqtt: InvalidProtocolName "MQTT-3.1.2-1" [
        ("10 0e 0004 4d515450 05 02 003c 00 0001 63", 4),
    ];
    mqtt_3_1_2_2_the_protocol_version_is_supported: UnsupportedProtocolLevel "MQTT-3.1.2-2" [
        ("10 0e 0004 4d515454 06 02 003c 00 0001 63", 8),
        ("10 0e 0004 4d515454 00 02 003c 00 0001 63", 8),
        ("10 10 0006 4d5149736470 05 02 003c 00 0001 63", 10),
    ];
    mqtt_3_1_2_3_the_reserved_connect_flag_is_zero: ReservedConnectFlag "MQTT-3.1.2-3" [
        ("10 0e 0004 4d515454 05 03 003c 00 0001 63", 9),
    ];
    mqtt_3_1_2_9_a_will_flag_brings_properties_topic_and_payload: Truncated "MQTT-3.1.4-1" [
        ("10 0e 0004 4d515454 05 06 003c 00 0001 63", 16),
        ("10 0f 0004 4d515454 05 06 003c 00 0001 63 00", 17),
        ("10 12 0004 4d515454 05 06 003c 00 0001 63 00 0001 77", 20),
    ];
    mqtt_3_1_2_11_without_a_will_its_qos_is_zero: WillQosWithoutWill "MQTT-3.1.2-11" [
        ("10 0e 0004 4d515454 05 0a 003c 00 0001 63", 9),
        ("10 0e 0004 4d515454 05 1a 003c 00 0001 63", 9),
    ];
    mqtt_3_1_2_12_the_will_qos_is_not_three: InvalidQos "MQTT-3.1.2-12" [
        ("10 15 0004 4d515454 05 1e 003c 00 0001 63 00 0001 77 0001 62", 9),
    ];
    mqtt_3_1_2_13_without_a_will_its_retain_is_zero: WillRetainWithoutWill "MQTT-3.1.2-13" [
        ("10 0e 0004 4d515454 05 22 003c 00 0001 63", 9),
    ];
    mqtt_3_1_2_16_without_the_flag_there_is_no_user_name: TrailingBytes "MQTT-3.1.4-1" [
        ("10 11 0004 4d515454 05 02 003c 00 0001 63 0001 75", 16),
    ];
    mqtt_3_1_2_17_with_the_flag_there_is_a_user_name: Truncated "MQTT-3.1.4-1" [
        ("10 0e 0004 4d515454 05 82 003c 00 0001 63", 16),
    ];
    mqtt_3_1_2_18_without_the_flag_there_is_no_password: TrailingBytes "MQTT-3.1.4-1" [
        ("10 14 0004 4d515454 05 82 003c 00 0001 63 0001 75 0001 70", 19),
    ];
    mqtt_3_1_2_19_with_the_flag_there_is_a_password: Truncated "MQTT-3.1.4-1" [
        ("10 0e 0004 4d515454 05 42 003c 00 0001 63", 16),
    ];
    mqtt_3_1_3_3_the_client_identifier_is_present: Truncated "MQTT-3.1.4-1" [
        ("10 0b 0004 4d515454 05 02 003c 00", 13),
    ];
    mqtt_3_1_3_4_the_client_identifier_is_utf8: InvalidUtf8 "MQTT-1.5.4-1" [
        ("10 0e 0004 4d515454 05 02 003c 00 0001 fe", 15),
    ];
    mqtt_3_1_3_11_the_will_topic_is_utf8: InvalidUtf8 "MQTT-1.5.4-1" [
        ("10 14 0004 4d515454 05 06 003c 00 0001 63 00 0001 ff 0001 62", 19),
    ];
    mqtt_3_1_3_12_the_user_name_is_utf8: InvalidUtf8 "MQTT-1.5.4-1" [
        ("10 11 0004 4d515454 05 82 003c 00 0001 63 0001 ff", 18),
    ];
    mqtt_3_1_4_1_a_connect_conforms_to_its_section: MisplacedProperty "MQTT-3.1.4-1" [
        ("10 11 0004 4d515454 05 02 003c 03 23 0001 0001 63", 13),
        ("10 10 0004 4d515454 05 02 003c 02 24 01 0001 63", 13),
    ];
    mqtt_3_2_2_1_the_reserved_acknowledge_flags_are_zero: ReservedBits "MQTT-3.2.2-1" [
        ("20 03 02 00 00", 2), ("20 03 80 00 00", 2),
    ];
    mqtt_3_2_2_6_a_refusal_has_no_session_present: SessionPresentInRefusal "MQTT-3.2.2-6" [
        ("20 03 01 87 00", 2),
    ];
    mqtt_3_2_2_8_connack_has_a_reason_code_of_its_table: InvalidReasonCode "MQTT-3.2.2-8" [
        ("20 03 00 01 00", 3), ("20 03 00 8b 00", 3), ("20 03 00 ff 00", 3),
    ];
    mqtt_3_3_1_2_dup_is_zero_for_qos_zero: DupAtMostOnce "MQTT-3.3.1-2" [
        ("38 05 0001 61 00 78", 0),
    ];
    mqtt_3_3_1_4_qos_is_not_three: InvalidQos "MQTT-3.3.1-4" [
        ("36 07 0001 61 0001 00 78", 0),
    ];
    mqtt_3_3_2_1_the_topic_name_comes_first: Truncated "" [
        ("30 00", 2), ("30 03 0002 61", 4),
    ];
    mqtt_3_3_2_2_a_topic_name_has_no_wildcards: WildcardInTopicName "MQTT-3.3.2-2" [
        ("30 06 0003 612f23 00", 6), ("30 06 0003 2b2f61 00", 4),
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
    mqtt_3_4_2_1_puback_has_a_reason_code_of_its_table: InvalidReasonCode "MQTT-3.4.2-1" [
        ("40 03 0001 01", 4), ("40 03 0001 92", 4),
    ];
    mqtt_3_5_2_1_pubrec_has_a_reason_code_of_its_table: InvalidReasonCode "MQTT-3.5.2-1" [
        ("50 03 0001 02", 4), ("50 04 0001 81 00", 4),
    ];
    mqtt_3_6_1_1_pubrel_has_flags_0010: InvalidFlags "MQTT-3.6.1-1" [
        ("60 02 0001", 0), ("63 02 0001", 0), ("66 02 0001", 0), ("6a 02 0001", 0),
    ];
    mqtt_3_6_2_1_pubrel_has_a_reason_code_of_its_table: InvalidReasonCode "MQTT-3.6.2-1" [
        ("62 03 0001 10", 4),
    ];
    mqtt_3_7_2_1_pubcomp_has_a_reason_code_of_its_table: InvalidReasonCode "MQTT-3.7.2-1" [
        ("70 03 0001 91", 4),
    ];
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
    mqtt_3_14_1_1_disconnect_has_no_flags: InvalidFlags "MQTT-3.14.1-1" [
        ("e1 00", 0), ("e8 01 00", 0),
    ];
    mqtt_3_14_2_1_disconnect_has_a_reason_code_of_its_table: InvalidReasonCode "MQTT-3.14.2-1" [
        ("e0 01 01", 2), ("e0 01 84", 2), ("e0 02 91 00", 2),
    ];
    mqtt_3_15_1_1_auth_has_no_flags: InvalidFlags "MQTT-3.15.1-1" [
        ("f1 00", 0), ("f8 00", 0),
    ];
    mqtt_3_15_2_1_auth_has_a_reason_code_of_its_table: InvalidReasonCode "MQTT-3.15.2-1" [
        ("f0 01 01", 2), ("f0 02 87 00", 2),
    ];
    mqtt_4_7_0_1_wildcards_are_for_filters: WildcardInTopicName "MQTT-4.7.0-1" [
        ("10 14 0004 4d515454 05 06 003c 00 0001 63 00 0001 23 0001 62", 19),
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
    mqtt_4_12_0_5_auth_names_its_method: MissingAuthenticationMethod "MQTT-4.12.0-5" [
        ("f0 02 18 00", 2),
        ("f0 01 19", 2),
    ];
    a_packet_type_that_is_reserved_is_refused: ReservedPacketType "" [
        ("00 00", 0),
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
    retain_handling_is_not_three: InvalidRetainHandling "" [
        ("82 07 0001 00 0001 61 30", 8),
    ];
    a_subscription_qos_is_not_three: InvalidQos "" [
        ("82 07 0001 00 0001 61 03", 8),
    ];
    authentication_data_needs_a_method: MissingAuthenticationMethod "" [
        ("20 07 00 00 04 16 0001 00", 5),
    ];
    an_empty_topic_name_needs_an_alias: EmptyTopicName "MQTT-4.7.3-1" [
        ("30 03 0000 00", 2),
        ("30 05 0000 02 01 00", 2),
    ];
}

#[test]
fn mqtt_1_5_4_3_a_byte_order_mark_is_a_character() {
    let bytes = hex("30 07 0004 efbbbf61 00");
    let Packet::Publish(publish) = accepted(&bytes, V) else {
        panic!()
    };
    assert_eq!(publish.topic.as_str(), "\u{feff}a");
}

#[test]
fn mqtt_2_2_1_2_a_publish_of_qos_zero_has_no_identifier() {
    let bytes = hex("30 06 0001 61 00 000a");
    let Packet::Publish(publish) = accepted(&bytes, V) else {
        panic!()
    };
    assert_eq!(
        (publish.payload, publish.delivery.packet_id()),
        (&[0, 10][..], None)
    );
}

#[test]
fn mqtt_3_1_3_1_the_fields_come_in_their_order() {
    let bytes = hex("10 1b 0004 4d515454 05 c6 003c 00 0001 63 00 0001 77 0001 62 0001 75 0001 70");
    let Packet::Connect(connect) = accepted(&bytes, V) else {
        panic!()
    };
    let fields = connect.fields();
    let will = fields.will.unwrap();
    assert_eq!(
        (fields.client_id.as_str(), will.topic.as_str(), will.payload),
        ("c", "w", &b"b"[..])
    );
    assert_eq!(
        (fields.user_name.unwrap().as_str(), fields.password),
        ("u", Some(&b"p"[..]))
    );
}

#[test]
fn mqtt_3_1_3_5_client_identifiers_of_23_letters_and_digits_are_taken() {
    let fields = ConnectFields::new(V, Text::new("0123456789ABCDEFGHIJxyz").unwrap());
    let mut bytes = Vec::new();
    Packet::from(Connect::from(&fields))
        .append(V, &mut bytes)
        .unwrap();
    let Packet::Connect(connect) = accepted(&bytes, V) else {
        panic!()
    };
    assert_eq!(connect.fields(), fields);
}

#[test]
fn mqtt_3_1_3_6_an_empty_client_identifier_is_taken() {
    for flags in ["00", "02"] {
        let bytes = hex(&format!("10 0d 0004 4d515454 05 {flags} 003c 00 0000"));
        let Packet::Connect(connect) = accepted(&bytes, V) else {
            panic!()
        };
        assert_eq!(connect.fields().client_id, "");
    }
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
fn mqtt_3_14_2_2_a_server_sends_no_session_expiry_interval() {
    let bytes = hex("e0 07 00 05 11 0000003c");
    let error = refused_by(&bytes, V, &Policy::STRICT.with_sender(Role::Server));
    assert_eq!(error.kind(), ErrorKind::SessionExpiryIntervalFromServer);
    assert_eq!(error.statement(), Some("MQTT-3.14.2-2"));
    accepted_by(&bytes, V, &Policy::STRICT.with_sender(Role::Client));
}

#[test]
fn mqtt_4_3_1_1_a_publish_of_qos_zero_is_sent_without_dup() {
    let publish = Publish {
        dup: true,
        ..Publish::new(topic("a"), b"")
    };
    assert_eq!(
        publish.encoded_len(V).unwrap_err().kind(),
        ErrorKind::DupAtMostOnce
    );
}

#[test]
fn mqtt_4_7_3_3_names_and_filters_have_at_most_65535_bytes() {
    let longest = "é".repeat(32_767);
    let mut bytes = Vec::new();
    Publish::new(topic(&longest), b"").append(V, &mut bytes).unwrap();
    accepted(&bytes, V);
    assert_eq!(
        TopicName::new(&"é".repeat(32_768)).unwrap_err().kind(),
        ErrorKind::FieldTooLong
    );
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

#[test]
fn mqtt_6_0_0_2_packets_are_found_whatever_the_frames_cut() {
    let stream = hex("32 0c 0003 612f62 000a 02 01 01 6869 c000 82 09 0003 00 0003 612f2b 02 e000");
    for size in 1..=stream.len() {
        let mut decoder = StreamDecoder::new(V, Policy::STRICT);
        let mut count = 0;
        for chunk in stream.chunks(size) {
            let mut packets = decoder.feed(chunk);
            while packets.next().unwrap().is_some() {
                count += 1;
            }
        }
        assert_eq!(count, 4, "chunks of {size}");
    }
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
