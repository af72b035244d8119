//! Each switch of a policy moves the one line it says, and what an error answers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

mod support;

use manywire_mqtt_codec::*;
use support::{accepted_by, hex, refused, refused_by};

#[test]
fn control_characters_and_non_characters_are_refused_if_asked() {
    let policy = Policy::STRICT.refuse_control_characters();
    for (text, at) in [
        ("30 03 0001 01", 4),
        ("30 05 0003 61c285", 5),
        ("30 06 0004 61efbfbf", 5),
    ] {
        accepted_by(&hex(text), Version::V311, &Policy::STRICT);
        let error = refused_by(&hex(text), Version::V311, &policy);
        assert_eq!(
            (error.kind(), error.at()),
            (ErrorKind::ControlCharacter, at),
            "{text}"
        );
    }
    accepted_by(&hex("30 05 0003 61c3a9"), Version::V311, &policy);
}

#[test]
fn dup_with_qos_zero_is_taken_if_asked() {
    let bytes = hex("38 04 0001 61 78");
    assert_eq!(refused(&bytes, Version::V311).kind(), ErrorKind::DupAtMostOnce);
    let packet = accepted_by(&bytes, Version::V311, &Policy::STRICT.allow_dup_at_most_once());
    let Packet::Publish(publish) = packet else {
        panic!()
    };
    assert!(publish.dup);
    // Reading it is one thing, sending it on another.
    assert_eq!(
        packet.encoded_len(Version::V311).unwrap_err().kind(),
        ErrorKind::DupAtMostOnce
    );
}

#[test]
fn a_bridge_is_taken_if_asked_and_comes_back_as_one() {
    let bytes = hex("10 0d 0004 4d515454 84 02 003c 0001 63");
    assert_eq!(
        refused(&bytes, Version::V311).kind(),
        ErrorKind::UnsupportedProtocolLevel
    );
    let policy = Policy::STRICT.allow_bridge_level();
    let packet = accepted_by(&bytes, Version::V311, &policy);
    let Packet::Connect(connect) = packet else {
        panic!()
    };
    assert!(connect.fields().bridge);
    let mut encoded = Vec::new();
    packet.append(Version::V311, &mut encoded).unwrap();
    assert_eq!(encoded, bytes);
}

#[test]
fn replies_in_the_form_of_3_1_1_are_taken_in_5_0_if_asked() {
    let policy = Policy::STRICT.allow_v3_replies();
    for text in ["20 02 00 05", "90 03 0001 01", "90 04 0001 80 02", "b0 02 0001"] {
        refused(&hex(text), Version::V5);
        accepted_by(&hex(text), Version::V5, &policy);
    }
    let bytes = hex("20 02 00 05");
    let Packet::Connack(connack) = accepted_by(&bytes, Version::V5, &policy) else {
        panic!()
    };
    assert_eq!(connack.reason, ReasonCode::NotAuthorized);
    for text in ["20 03 00 87 00", "90 04 0001 00 87", "b0 04 0001 00 11"] {
        accepted_by(&hex(text), Version::V5, &policy);
    }
}

#[test]
fn long_remaining_lengths_are_taken_before_5_0_if_asked() {
    let policy = Policy::STRICT.allow_long_lengths();
    for text in ["c0 8000", "30 848000 0002 6161", "c0 80808000"] {
        let bytes = hex(text);
        assert_eq!(
            refused(&bytes, Version::V311).kind(),
            ErrorKind::InvalidVariableByteInteger
        );
        accepted_by(&bytes, Version::V311, &policy);
        assert_eq!(
            refused_by(&bytes, Version::V5, &policy).kind(),
            ErrorKind::InvalidVariableByteInteger
        );
    }
}

#[test]
fn malformed_filters_are_reported_one_by_one_if_asked() {
    let bytes = hex("82 10 0001 00 0001 61 01 0002 6123 00 0001 2b 02");
    assert_eq!(
        refused(&bytes, Version::V5).kind(),
        ErrorKind::MisplacedMultiLevelWildcard
    );
    let policy = Policy::STRICT.report_filters();
    let packet = accepted_by(&bytes, Version::V5, &policy);
    let Packet::Subscribe(subscribe) = packet else {
        panic!()
    };
    let results: Vec<_> = subscribe
        .subscriptions
        .results()
        .map(|result| result.map_err(Error::kind))
        .collect();
    assert_eq!(results.len(), 3);
    assert_eq!(results[1], Err(ErrorKind::MisplacedMultiLevelWildcard));
    let kept: Vec<_> = subscribe
        .subscriptions
        .iter()
        .map(|subscription| subscription.filter.as_str())
        .collect();
    assert_eq!(kept, ["a", "+"]);
    assert_eq!(
        packet.encoded_len(Version::V5).unwrap_err().kind(),
        ErrorKind::MisplacedMultiLevelWildcard
    );
    // What is not a string is not a filter either.
    let error = refused_by(&hex("82 07 0001 00 0001 ff 00"), Version::V5, &policy);
    assert_eq!(error.kind(), ErrorKind::InvalidUtf8);
}

#[test]
fn malformed_filters_to_leave_are_reported_too() {
    let bytes = hex("a2 0a 0001 00 0001 61 0002 2b61");
    let Packet::Unsubscribe(unsubscribe) = accepted_by(&bytes, Version::V5, &Policy::STRICT.report_filters())
    else {
        panic!();
    };
    let results: Vec<_> = unsubscribe
        .filters
        .results()
        .map(|result| result.map_err(Error::kind))
        .collect();
    assert_eq!(results[1], Err(ErrorKind::MisplacedSingleLevelWildcard));
    assert_eq!(unsubscribe.filters.iter().count(), 1);
}

#[test]
fn packets_from_the_wrong_side_are_refused() {
    let client_only = [
        "10 0d 0004 4d515454 04 02 003c 0001 63",
        "82 06 0001 0001 61 00",
        "a2 05 0001 0001 61",
        "c0 00",
    ];
    let server_only = ["20 02 00 00", "90 03 0001 00", "b0 02 0001", "d0 00"];
    for (texts, right, wrong) in [
        (client_only, Role::Client, Role::Server),
        (server_only, Role::Server, Role::Client),
    ] {
        for text in texts {
            accepted_by(&hex(text), Version::V311, &Policy::STRICT.with_sender(right));
            let error = refused_by(&hex(text), Version::V311, &Policy::STRICT.with_sender(wrong));
            assert_eq!(error.kind(), ErrorKind::WrongDirection, "{text}");
        }
    }
    // DISCONNECT goes both ways only in 5.0, and not with every reason.
    let server = Policy::STRICT.with_sender(Role::Server);
    let client = Policy::STRICT.with_sender(Role::Client);
    assert_eq!(
        refused_by(&hex("e0 00"), Version::V311, &server).kind(),
        ErrorKind::WrongDirection
    );
    accepted_by(&hex("e0 00"), Version::V5, &server);
    for (text, right, wrong) in [
        ("e0 01 04", client, server),
        ("e0 01 8b", server, client),
        ("e0 06 9d 04 1c 0001 62", server, client),
        ("f0 06 19 04 15 0001 6d", client, server),
    ] {
        accepted_by(&hex(text), Version::V5, &right);
        assert_eq!(
            refused_by(&hex(text), Version::V5, &wrong).kind(),
            ErrorKind::WrongDirection,
            "{text}"
        );
    }
}

#[test]
fn errors_answer_with_the_reason_code_of_the_standard() {
    for (text, code) in [
        ("30 06 0003 612f23 00", 0x90),
        ("30 07 0001 61 03 23 0000", 0x94),
        ("82 08 0001 00 0002 6123 00", 0x8f),
        ("10 0e 0004 4d515454 06 02 003c 00 0001 63", 0x84),
        ("82 03 0001 00", 0x82),
        ("30 08 0001 61 04 01 00 01 00", 0x82),
        ("c1 00", 0x81),
        ("30 06 0003 61ff62 00", 0x81),
    ] {
        assert_eq!(
            refused(&hex(text), Version::V5).reason_code().byte(),
            code,
            "{text}"
        );
    }
}

#[test]
fn an_error_says_what_where_and_which_statement() {
    let error = refused(&hex("32 06 0001 61 0000 78"), Version::V311);
    assert_eq!(
        error.to_string(),
        "PUBLISH: packet identifier is zero at byte 5 [MQTT-2.3.1-1]"
    );
}
