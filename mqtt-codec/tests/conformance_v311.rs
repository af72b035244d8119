//! MQTT 3.1.1: one test for each normative statement that a codec can keep, with its number in the test's name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use manywire_mqtt_codec::*;
use support::{accepted, filter, hex, id, refused, topic};

const V: Version = Version::V311;

refuses! { V311;
    mqtt_1_5_3_1_strings_are_well_formed_utf8: InvalidUtf8 "MQTT-1.5.3-1" [
        ("30 05 0003 61ff62", 5),
        ("30 05 0003 eda080", 4),
        ("30 04 0002 c080", 4),
        ("10 0d 0004 4d515454 04 02 003c 0001 ff", 14),
        ("82 07 0001 0002 61c3 00", 7),
    ];
    mqtt_1_5_3_2_strings_hold_no_null: NulCharacter "MQTT-1.5.3-2" [
        ("30 05 0003 610062", 5),
        ("10 0d 0004 4d515454 04 02 003c 0001 00", 14),
    ];
    mqtt_2_2_2_2_invalid_flags_are_refused: InvalidFlags "MQTT-2.2.2-2" [
        ("11 0d 0004 4d515454 04 02 003c 0001 63", 0),
        ("22 02 0000", 0),
        ("41 02 0001", 0),
        ("58 02 0001", 0),
        ("74 02 0001", 0),
        ("91 03 0001 00", 0),
        ("b2 02 0001", 0),
        ("c1 00", 0),
        ("d8 00", 0),
    ];
    mqtt_2_3_1_1_packet_identifiers_are_not_zero: ZeroPacketId "MQTT-2.3.1-1" [
        ("32 06 0001 61 0000 78", 5),
        ("34 06 0001 61 0000 78", 5),
        ("82 06 0000 0001 61 00", 2),
        ("a2 05 0000 0001 61", 2),
    ];
    mqtt_2_3_1_6_acknowledgements_carry_the_identifier_of_a_publish: ZeroPacketId "MQTT-2.3.1-6" [
        ("40 02 0000", 2),
        ("50 02 0000", 2),
        ("62 02 0000", 2),
        ("70 02 0000", 2),
    ];
    mqtt_2_3_1_7_suback_and_unsuback_carry_the_identifier_of_a_request: ZeroPacketId "MQTT-2.3.1-7" [
        ("90 03 0000 00", 2),
        ("b0 02 0000", 2),
    ];
    mqtt_3_1_2_1_the_protocol_name_is_known: InvalidProtocolName "MQTT-3.1.2-1" [
        ("10 0d 0004 4d515458 04 02 003c 0001 63", 4),
        ("10 0d 0004 6d717474 04 02 003c 0001 63", 4),
        ("10 0c 0003 4d5154 04 02 003c 0001 63", 4),
    ];
    mqtt_3_1_2_2_the_protocol_level_is_supported: UnsupportedProtocolLevel "MQTT-3.1.2-2" [
        ("10 0d 0004 4d515454 06 02 003c 0001 63", 8),
        ("10 0d 0004 4d515454 03 02 003c 0001 63", 8),
        ("10 0f 0006 4d5149736470 04 02 003c 0001 63", 10),
        ("10 0d 0004 4d515454 84 02 003c 0001 63", 8),
    ];
    mqtt_3_1_2_3_the_reserved_connect_flag_is_zero: ReservedConnectFlag "MQTT-3.1.2-3" [
        ("10 0d 0004 4d515454 04 03 003c 0001 63", 9),
    ];
    mqtt_3_1_2_9_a_will_flag_brings_topic_and_message: Truncated "MQTT-3.1.4-1" [
        ("10 0d 0004 4d515454 04 06 003c 0001 63", 15),
        ("10 10 0004 4d515454 04 06 003c 0001 63 0001 77", 18),
    ];
    mqtt_3_1_2_11_without_a_will_flag_there_is_no_topic_and_message: TrailingBytes "MQTT-3.1.4-1" [
        ("10 13 0004 4d515454 04 02 003c 0001 63 0001 77 0001 62", 15),
    ];
    mqtt_3_1_2_13_without_a_will_its_qos_is_zero: WillQosWithoutWill "MQTT-3.1.2-13" [
        ("10 0d 0004 4d515454 04 0a 003c 0001 63", 9),
        ("10 0d 0004 4d515454 04 12 003c 0001 63", 9),
        ("10 0d 0004 4d515454 04 1a 003c 0001 63", 9),
    ];
    mqtt_3_1_2_14_the_will_qos_is_not_three: InvalidQos "MQTT-3.1.2-14" [
        ("10 13 0004 4d515454 04 1e 003c 0001 63 0001 77 0001 62", 9),
    ];
    mqtt_3_1_2_15_without_a_will_its_retain_is_zero: WillRetainWithoutWill "MQTT-3.1.2-15" [
        ("10 0d 0004 4d515454 04 22 003c 0001 63", 9),
    ];
    mqtt_3_1_2_18_without_the_flag_there_is_no_user_name: TrailingBytes "MQTT-3.1.4-1" [
        ("10 10 0004 4d515454 04 02 003c 0001 63 0001 75", 15),
    ];
    mqtt_3_1_2_19_with_the_flag_there_is_a_user_name: Truncated "MQTT-3.1.4-1" [
        ("10 0d 0004 4d515454 04 82 003c 0001 63", 15),
    ];
    mqtt_3_1_2_20_without_the_flag_there_is_no_password: TrailingBytes "MQTT-3.1.4-1" [
        ("10 13 0004 4d515454 04 82 003c 0001 63 0001 75 0001 70", 18),
    ];
    mqtt_3_1_2_21_with_the_flag_there_is_a_password: Truncated "MQTT-3.1.4-1" [
        ("10 10 0004 4d515454 04 c2 003c 0001 63 0001 75", 18),
    ];
    mqtt_3_1_2_22_a_password_needs_a_user_name: PasswordWithoutUserName "MQTT-3.1.2-22" [
        ("10 10 0004 4d515454 04 42 003c 0001 63 0001 70", 9),
    ];
    mqtt_3_1_3_3_the_client_identifier_is_present: Truncated "MQTT-3.1.4-1" [
        ("10 0a 0004 4d515454 04 02 003c", 12),
    ];
    mqtt_3_1_3_4_the_client_identifier_is_utf8: InvalidUtf8 "MQTT-1.5.3-1" [
        ("10 0e 0004 4d515454 04 02 003c 0002 63fe", 15),
    ];
    mqtt_3_1_3_7_an_empty_client_identifier_needs_a_clean_session: InvalidClientIdentifier "MQTT-3.1.3-8" [
        ("10 0c 0004 4d515454 04 00 003c 0000", 12),
    ];
    mqtt_3_1_3_10_the_will_topic_is_utf8: InvalidUtf8 "MQTT-1.5.3-1" [
        ("10 13 0004 4d515454 04 06 003c 0001 63 0001 ff 0001 62", 17),
    ];
    mqtt_3_1_3_11_the_user_name_is_utf8: InvalidUtf8 "MQTT-1.5.3-1" [
        ("10 10 0004 4d515454 04 82 003c 0001 63 0001 ff", 17),
    ];
    mqtt_3_1_4_1_a_connect_conforms_to_its_section: Truncated "MQTT-3.1.4-1" [
        ("10 00", 2),
        ("10 02 0004", 4),
        ("10 06 0004 4d515454", 8),
        ("10 0d 0004 4d515454 04 02 003c 0002 63", 14),
    ];
    mqtt_3_2_2_4_a_refusal_has_no_session_present: SessionPresentInRefusal "MQTT-3.2.2-4" [
        ("20 02 01 05", 2),
    ];
    mqtt_3_2_2_6_connack_has_a_return_code_of_the_table: InvalidReasonCode "MQTT-3.2.2-6" [
        ("20 02 00 06", 3),
        ("20 02 00 80", 3),
    ];
    mqtt_3_3_1_2_dup_is_zero_for_qos_zero: DupAtMostOnce "MQTT-3.3.1-2" [
        ("38 04 0001 61 78", 0),
        ("39 04 0001 61 78", 0),
    ];
    mqtt_3_3_1_4_qos_is_not_three: InvalidQos "MQTT-3.3.1-4" [
        ("36 06 0001 61 0001 78", 0),
        ("3e 06 0001 61 0001 78", 0),
    ];
    mqtt_3_3_2_1_the_topic_name_comes_first: Truncated "" [
        ("30 00", 2),
        ("30 01 00", 2),
        ("30 03 0002 61", 4),
    ];
    mqtt_3_3_2_2_a_topic_name_has_no_wildcards: WildcardInTopicName "MQTT-3.3.2-2" [
        ("30 05 0003 612f23", 6),
        ("30 05 0003 2b2f61", 4),
        ("30 03 0001 23", 4),
    ];
    mqtt_3_6_1_1_pubrel_has_flags_0010: InvalidFlags "MQTT-3.6.1-1" [
        ("60 02 0001", 0), ("61 02 0001", 0), ("63 02 0001", 0), ("66 02 0001", 0), ("6a 02 0001", 0),
    ];
    mqtt_3_8_1_1_subscribe_has_flags_0010: InvalidFlags "MQTT-3.8.1-1" [
        ("80 06 0001 0001 61 00", 0), ("83 06 0001 0001 61 00", 0), ("8a 06 0001 0001 61 00", 0),
    ];
    mqtt_3_8_3_1_filters_are_utf8: InvalidUtf8 "MQTT-1.5.3-1" [
        ("82 06 0001 0001 ff 00", 6),
    ];
    mqtt_3_8_3_3_a_subscribe_has_a_filter: EmptyList "MQTT-3.8.3-3" [
        ("82 02 0001", 4),
    ];
    mqtt_3_8_4_5_a_suback_has_a_return_code_for_each_filter: EmptyList "MQTT-3.8.4-5" [
        ("90 02 0001", 4),
    ];
    mqtt_3_9_3_2_other_suback_codes_are_reserved: InvalidReasonCode "MQTT-3.9.3-2" [
        ("90 03 0001 03", 4),
        ("90 04 0001 00 87", 5),
    ];
    mqtt_3_10_1_1_unsubscribe_has_flags_0010: InvalidFlags "MQTT-3.10.1-1" [
        ("a0 05 0001 0001 61", 0), ("a3 05 0001 0001 61", 0), ("aa 05 0001 0001 61", 0),
    ];
    mqtt_3_10_3_1_filters_to_leave_are_utf8: InvalidUtf8 "MQTT-1.5.3-1" [
        ("a2 05 0001 0001 80", 6),
    ];
    mqtt_3_10_3_2_an_unsubscribe_has_a_filter: EmptyList "MQTT-3.10.3-2" [
        ("a2 02 0001", 4),
    ];
    mqtt_3_14_1_1_disconnect_has_no_flags: InvalidFlags "MQTT-3.14.1-1" [
        ("e1 00", 0), ("e2 00", 0), ("e8 00", 0),
    ];
    mqtt_4_7_1_1_wildcards_are_for_filters: WildcardInTopicName "MQTT-4.7.1-1" [
        ("10 13 0004 4d515454 04 06 003c 0001 63 0001 23 0001 62", 17),
    ];
    mqtt_4_7_1_3_the_single_level_wildcard_is_a_level: MisplacedSingleLevelWildcard "MQTT-4.7.1-3" [
        ("82 07 0001 0002 612b 00", 7),
        ("82 07 0001 0002 2b61 00", 6),
        ("a2 08 0001 0004 612f2b62", 8),
    ];
    mqtt_4_7_3_2_names_and_filters_hold_no_null: NulCharacter "MQTT-1.5.3-2" [
        ("82 06 0001 0001 00 00", 6),
        ("30 03 0001 00", 4),
    ];
    a_packet_type_that_is_reserved_is_refused: ReservedPacketType "" [
        ("00 00", 0),
        ("f0 00", 0),
    ];
    a_remaining_length_has_at_most_four_bytes: InvalidVariableByteInteger "" [
        ("30 80808080 01", 1),
        ("30 ffffffff", 1),
    ];
    bytes_after_the_last_field_are_refused: TrailingBytes "" [
        ("40 03 0001 00", 4),
        ("b0 03 0001 00", 4),
        ("c0 01 00", 2),
        ("e0 01 00", 2),
        ("20 03 0000 00", 4),
    ];
}

#[test]
fn mqtt_1_5_3_3_a_byte_order_mark_is_a_character() {
    let bytes = hex("30 06 0004 efbbbf61");
    let Packet::Publish(publish) = accepted(&bytes, V) else {
        panic!()
    };
    assert_eq!(publish.topic.as_str(), "\u{feff}a");
}

#[test]
fn mqtt_2_2_2_1_reserved_flags_have_the_value_of_the_table() {
    for first in 0x10..0xf0_u8 {
        let allowed = match first >> 4 {
            3 => continue,
            6 | 8 | 10 => 2,
            _ => 0,
        };
        let refused = matches!(
            fixed_header(&[first, 0], V, &Policy::STRICT).map_err(|error| error.kind()),
            Err(ErrorKind::InvalidFlags)
        );
        assert_eq!(refused, first & 0x0f != allowed, "{first:#04x}");
    }
}

#[test]
fn mqtt_2_3_1_5_a_publish_of_qos_zero_has_no_identifier() {
    let bytes = hex("30 05 0001 61 000a");
    let Packet::Publish(publish) = accepted(&bytes, V) else {
        panic!()
    };
    assert_eq!(publish.payload, [0, 10]);
    assert_eq!(publish.delivery.packet_id(), None);
}

#[test]
fn mqtt_3_1_3_1_the_fields_come_in_their_order() {
    let bytes = hex("10 19 0004 4d515454 04 c6 003c 0001 63 0001 77 0001 62 0001 75 0001 70");
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
    assert_eq!((fields.keep_alive, fields.clean_start), (60, true));
}

#[test]
fn mqtt_3_1_3_5_client_identifiers_of_23_letters_and_digits_are_taken() {
    for client_id in ["a", "0123456789ABCDEFGHIJxyz"] {
        let fields = ConnectFields::new(V, Text::new(client_id).unwrap());
        let mut bytes = Vec::new();
        Packet::from(Connect::from(&fields))
            .append(V, &mut bytes)
            .unwrap();
        let Packet::Connect(connect) = accepted(&bytes, V) else {
            panic!()
        };
        assert_eq!(connect.fields().client_id, client_id);
    }
}

#[test]
fn mqtt_3_1_3_6_an_empty_client_identifier_is_taken_with_a_clean_session() {
    let bytes = hex("10 0c 0004 4d515454 04 02 003c 0000");
    let Packet::Connect(connect) = accepted(&bytes, V) else {
        panic!()
    };
    assert_eq!(connect.fields().client_id, "");
}

#[test]
fn mqtt_3_1_3_8_an_empty_client_identifier_is_answered_with_code_2() {
    let error = refused(&hex("10 0c 0004 4d515454 04 00 003c 0000"), V);
    assert_eq!(error.connack_code(), Some(2));
    let error = refused(&hex("10 0d 0004 4d515454 06 02 003c 0001 63"), V);
    assert_eq!(error.connack_code(), Some(1));
    let error = refused(&hex("10 0d 0004 4d515454 04 03 003c 0001 63"), V);
    assert_eq!(error.connack_code(), None);
}

#[test]
fn mqtt_3_8_3_4_subscription_options_are_a_quality_of_service() {
    for options in 0..=255_u8 {
        let bytes = [0x82, 6, 0, 1, 0, 1, b'a', options];
        match decode(&bytes, V, &Policy::STRICT) {
            Ok(_) => assert!(options <= 2),
            Err(error) => {
                let kind = if options == 3 {
                    ErrorKind::InvalidQos
                } else {
                    ErrorKind::ReservedBits
                };
                assert_eq!((error.kind(), error.at()), (kind, 7));
                assert_eq!(error.statement(), Some("MQTT-3-8.3-4"));
            }
        }
    }
}

#[test]
fn mqtt_3_9_3_1_suback_codes_keep_their_order() {
    let bytes = hex("90 06 0001 02 80 00 01");
    let Packet::Suback(suback) = accepted(&bytes, V) else {
        panic!()
    };
    let granted: Vec<_> = suback.reasons.iter().map(ReasonCode::granted_qos).collect();
    assert_eq!(
        granted,
        [
            Some(QoS::ExactlyOnce),
            None,
            Some(QoS::AtMostOnce),
            Some(QoS::AtLeastOnce)
        ]
    );
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
    let publish = Publish {
        delivery: Delivery::AtLeastOnce(id(1)),
        ..publish
    };
    assert!(publish.encoded_len(V).is_ok());
}

#[test]
fn mqtt_4_7_1_2_filters_with_wildcards() {
    for good in [
        "#", "a/#", "/#", "+/#", "+", "+/a", "a/+", "a/+/b", "/+", "//", "$SYS/#",
    ] {
        assert_eq!(filter(good), good);
    }
    for (bad, at) in [
        ("a#", 1),
        ("a/b#", 3),
        ("#/a", 0),
        ("a/#/b", 2),
        ("##", 0),
        ("a/##", 2),
    ] {
        let error = TopicFilter::new(bad).unwrap_err();
        assert_eq!(
            (error.kind(), error.at()),
            (ErrorKind::MisplacedMultiLevelWildcard, at),
            "{bad}"
        );
        let bytes = [
            &[0x82, bad.len() as u8 + 5, 0, 1, 0, bad.len() as u8],
            bad.as_bytes(),
            &[0],
        ]
        .concat();
        let error = refused(&bytes, V);
        assert_eq!(
            (error.at(), error.statement()),
            (6 + at, Some("MQTT-4.7.1-2")),
            "{bad}"
        );
    }
}

#[test]
fn mqtt_4_7_3_1_names_and_filters_have_a_character() {
    for text in ["30 02 0000", "82 05 0001 0000 00", "a2 04 0001 0000"] {
        let error = refused(&hex(text), V);
        assert!(matches!(
            error.kind(),
            ErrorKind::EmptyTopicName | ErrorKind::EmptyTopicFilter
        ));
        assert_eq!(error.statement(), Some("MQTT-4.7.3-1"), "{text}");
    }
    assert_eq!(TopicName::new("").unwrap_err().kind(), ErrorKind::EmptyTopicName);
    let publish = Publish::new(TopicName::ALIASED, b"");
    assert_eq!(
        publish.encoded_len(V).unwrap_err().kind(),
        ErrorKind::EmptyTopicName
    );
}

#[test]
fn mqtt_4_7_3_3_names_and_filters_have_at_most_65535_bytes() {
    let longest = "a".repeat(65_535);
    let mut bytes = Vec::new();
    Publish::new(topic(&longest), b"").append(V, &mut bytes).unwrap();
    let Packet::Publish(publish) = accepted(&bytes, V) else {
        panic!()
    };
    assert_eq!(publish.topic, *longest);
    let longer = "a".repeat(65_536);
    assert_eq!(
        TopicName::new(&longer).unwrap_err().kind(),
        ErrorKind::FieldTooLong
    );
    assert_eq!(
        TopicFilter::new(&longer).unwrap_err().kind(),
        ErrorKind::FieldTooLong
    );
    assert_eq!(Text::new(&longer).unwrap_err().kind(), ErrorKind::FieldTooLong);
}

#[test]
fn mqtt_6_0_0_2_packets_are_found_whatever_the_frames_cut() {
    let stream = hex("32 09 0003 612f62 000a 6869 c000 82 08 0003 0003 612f2b 02 e000");
    for size in 1..=stream.len() {
        let mut decoder = StreamDecoder::new(V, Policy::STRICT);
        let mut types = Vec::new();
        for chunk in stream.chunks(size) {
            let mut packets = decoder.feed(chunk);
            while let Some(packet) = packets.next().unwrap() {
                types.push(packet.packet_type());
            }
        }
        let expected = [
            PacketType::Publish,
            PacketType::Pingreq,
            PacketType::Subscribe,
            PacketType::Disconnect,
        ];
        assert_eq!(types, expected, "chunks of {size}");
    }
}
