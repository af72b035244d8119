//! Envelopes of every generation, byte for byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use manywire_envelope::{Envelope, ErrorKind};
use manywire_topics::Dialect;
use proptest::prelude::*;

fn rows(file: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect())
}

fn hex(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digits).collect()
}

fn dialect(text: &str) -> Dialect {
    match text {
        "channels" => Dialect::Channels,
        "domains" => Dialect::Domains,
        "fluxmq" => Dialect::FluxMq,
        other => panic!("no dialect {other}"),
    }
}

#[test]
fn envelopes_are_the_platforms_bytes() {
    let mut count = 0;
    for row in rows(include_str!("vectors/envelopes.tsv")) {
        let payload = hex(row[6]);
        let expected = Envelope {
            channel: row[1],
            domain: row[2],
            subtopic: row[3],
            publisher: row[4],
            protocol: row[5],
            payload: &payload,
            created: row[7].parse().unwrap(),
            client_id: row[8],
        };
        let (dialect, bytes) = (dialect(row[0]), hex(row[9]));
        assert_eq!(Envelope::decode(dialect, &bytes), Ok(expected), "{row:?}");
        let mut encoded = Vec::new();
        expected.encode_to_vec(dialect, &mut encoded);
        assert_eq!(encoded, bytes, "{row:?}");
        assert_eq!(
            expected.topic(dialect).unwrap().subtopic().to_string(),
            row[3],
            "{row:?}"
        );
        count += 1;
    }
    assert_eq!(count, 6);
}

#[test]
fn a_buffer_of_the_exact_length_is_enough_and_a_shorter_one_is_refused() {
    for row in rows(include_str!("vectors/envelopes.tsv")) {
        let (dialect, bytes) = (dialect(row[0]), hex(row[9]));
        let envelope = Envelope::decode(dialect, &bytes).unwrap();
        for length in 0..bytes.len() {
            let error = envelope.encode(dialect, &mut vec![0; length]).unwrap_err();
            assert_eq!((error.kind(), error.at()), (ErrorKind::BufferTooSmall, length));
        }
        let mut buffer = vec![0; bytes.len()];
        assert_eq!(envelope.encode(dialect, &mut buffer), Ok(bytes.len()));
        assert_eq!(buffer, bytes);
    }
}

#[test]
fn what_is_no_envelope_is_refused_where_it_goes_wrong() {
    for row in rows(include_str!("vectors/rejected.tsv")) {
        let kind = match row[2] {
            "truncated" => ErrorKind::Truncated,
            "varint" => ErrorKind::Varint,
            "field" => ErrorKind::Field,
            "utf8" => ErrorKind::Utf8,
            other => panic!("no kind {other}"),
        };
        let error = Envelope::decode(Dialect::Channels, &hex(row[1])).unwrap_err();
        assert_eq!(
            (error.kind(), error.at()),
            (kind, row[3].parse().unwrap()),
            "{row:?}"
        );
    }
}

#[test]
fn unknown_fields_are_passed_over_and_the_last_of_a_field_counts() {
    // Field 9 of each wire type, a channel that is a number, then the channel twice.
    let bytes = hex("4801490000000000000000 4a0161 4d00000000 0801 0a0131 0a0132"
        .replace(' ', "")
        .as_str());
    let envelope = Envelope::decode(Dialect::Channels, &bytes).unwrap();
    assert_eq!(
        envelope,
        Envelope {
            channel: "2",
            ..Envelope::default()
        }
    );
}

#[test]
fn an_address_that_topics_refuses_is_an_error() {
    let envelope = Envelope {
        channel: "1",
        subtopic: "*",
        ..Envelope::default()
    };
    assert!(envelope.topic(Dialect::Channels).is_err());
    assert!(envelope.topic(Dialect::Domains).is_err(), "no domain");
}

#[test]
fn a_payload_does_not_show_when_it_is_debugged() {
    let envelope = Envelope {
        payload: b"secret",
        ..Envelope::default()
    };
    assert!(format!("{envelope:?}").contains("6 bytes"));
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        texts in prop::array::uniform6(".{0,200}"), payload: Vec<u8>, created: i64,
    ) {
        let [channel, domain, subtopic, publisher, protocol, client_id] = &texts;
        let envelope = Envelope {
            channel, domain, subtopic, publisher, protocol, payload: &payload, created, client_id,
        };
        let mut bytes = Vec::new();
        envelope.encode_to_vec(Dialect::FluxMq, &mut bytes);
        prop_assert_eq!(bytes.len(), envelope.encoded_len(Dialect::FluxMq));
        prop_assert_eq!(Envelope::decode(Dialect::FluxMq, &bytes), Ok(envelope));
    }

    #[test]
    fn any_bytes_are_an_envelope_or_an_error_inside_them(bytes: Vec<u8>) {
        match Envelope::decode(Dialect::Domains, &bytes) {
            Ok(envelope) => prop_assert!(envelope.payload.len() <= bytes.len()),
            Err(error) => prop_assert!(error.at() <= bytes.len()),
        }
    }
}
