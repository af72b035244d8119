//! MQTT 5.0: one test for each normative statement that a codec can keep, with its number in the test's name.
//! Those about properties and about subscribing have files of their own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use manywire_mqtt_codec::*;
use support::{accepted, hex, topic};

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
    a_packet_type_that_is_reserved_is_refused: ReservedPacketType "" [
        ("00 00", 0),
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
