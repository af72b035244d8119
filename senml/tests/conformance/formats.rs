//! JSON, CBOR, streams, and the names of the formats.

use manywire_senml::{Format, MediaType, StreamDecoder, from_slice, to_vec};

use crate::{E, bytes, cbor, refused, resolved, text};

#[test]
fn r34_json_is_utf_8_with_escapes_in_labels_too() {
    assert_eq!(
        resolved(r#"[{"\u006e":"\u0061","v":1,"u":"\ud83d\ude00\u00e9\"\\"}]"#),
        r#"[{"n":"a","u":"😀é\"\\","v":1}]"#
    );
    assert_eq!(refused(r#"[{"n":"a","vs":"\ud83d"}]"#), E::JsonSyntax);
    assert_eq!(refused("[{\"n\":\"a\",\"vs\":\"\n\"}]"), E::JsonSyntax);
    assert_eq!(refused("\u{feff}[]"), E::NotAnArray);
    let invalid = from_slice(b"[{\"n\":\"a\",\"vs\":\"\xff\"}]", Format::Json).unwrap_err();
    assert_eq!((invalid.kind(), invalid.at()), (E::NotUtf8, 16));
    assert_eq!(refused(r#"[{"n":"a","v":01}]"#), E::JsonSyntax);
    assert_eq!(refused(r#"[{"n":"a","v":1},]"#), E::NotARecord);
    assert_eq!(refused(r#"[{"n":"a","v":1}] x"#), E::TrailingBytes);
}

#[test]
fn r35_data_is_base64url_without_padding_in_json() {
    assert_eq!(
        resolved(r#"[{"n":"a","vd":"-_-_"}]"#),
        r#"[{"n":"a","vd":"-_-_"}]"#
    );
    for wrong in ["A", "AB", "A*AA", "AA AA"] {
        assert_eq!(
            refused(&format!(r#"[{{"n":"a","vd":"{wrong}"}}]"#)),
            E::DataForm,
            "{wrong}"
        );
    }
}

#[test]
fn r36_cbor_numbers_are_integers_floats_and_decimal_fractions() {
    let value = |number: &str| cbor(&format!("81 a2 00 6161 02 {number}")).unwrap();
    let numbers = [
        ("00", "0"),
        ("3903e7", "-1000"),
        ("1b7fffffffffffffff", "9223372036854775807"),
        ("f93e00", "1.5"),
        ("fa3fc00000", "1.5"),
        ("fb405e066666666666", "120.1"),
        ("c48221 19092e", "23.5"),
        ("c482 1863 01", "1e99"),
        ("c48220 3818", "-2.5"),
    ];
    for (number, expected) in numbers {
        assert_eq!(value(number), format!(r#"[{{"n":"a","v":{expected}}}]"#));
    }
    for number in [
        "23.1",
        "0.5",
        "1e-9",
        "1234567.25",
        "-0",
        "65504",
        "1e300",
        "0.1234567890123456",
    ] {
        let json = format!(r#"[{{"n":"a","v":{number}}}]"#);
        let cbor = to_vec(&from_slice(json.as_bytes(), Format::Json).unwrap(), Format::Cbor).unwrap();
        assert_eq!(text(&from_slice(&cbor, Format::Cbor).unwrap()), json);
    }
}

#[test]
fn r37_what_is_written_in_cbor_is_definite() {
    let pack = from_slice(br#"[{"n":"a","vs":"b"},{"n":"c","vd":"AQ"}]"#, Format::Json).unwrap();
    assert_eq!(
        to_vec(&pack, Format::Cbor).unwrap(),
        bytes("82 a2 00 6161 03 6162 a2 00 6163 08 4101")
    );
}

#[test]
fn r38_labels_come_once() {
    assert_eq!(refused(r#"[{"n":"a","v":1,"v":2}]"#), E::DuplicateLabel);
    assert_eq!(
        refused(r#"[{"n":"a","v":1,"x":2,"\u0078":2}]"#),
        E::DuplicateLabel
    );
    assert_eq!(cbor("81 a3 00 6161 02 01 02 01").unwrap_err(), E::DuplicateLabel);
    assert_eq!(
        cbor("81 a4 00 6161 02 01 6178 01 6178 01").unwrap_err(),
        E::DuplicateLabel
    );
}

#[test]
fn r39_xml_and_exi_have_names_and_no_format() {
    assert_eq!(MediaType::parse("application/senml+xml").unwrap().format(), None);
    assert_eq!(MediaType::from_content_format(114).unwrap(), MediaType::SenmlExi);
}

#[test]
fn r40_stream_records_are_there_before_the_stream_ends() {
    for (format, start) in [
        (Format::Json, br#"[{"n":"a","v":1}"#.to_vec()),
        (Format::Cbor, bytes("9f a2 00 6161 02 01")),
    ] {
        let mut decoder = StreamDecoder::new(format);
        decoder.feed(&start);
        assert_eq!(decoder.next(None).unwrap().unwrap().name, "a");
        assert!(decoder.next(None).unwrap().is_none());
        assert!(decoder.is_complete() && !decoder.has_ended());
    }
}

#[test]
fn r47_media_types_have_their_numbers_and_extensions() {
    let table = [
        (110, "senml"),
        (111, "sensml"),
        (112, "senmlc"),
        (113, "sensmlc"),
        (114, "senmle"),
        (115, "sensmle"),
    ];
    let others = [
        (310, "senmlx"),
        (311, "sensmlx"),
        (320, "senml-etchj"),
        (322, "senml-etchc"),
    ];
    for (number, extension) in table.into_iter().chain(others) {
        let media_type = MediaType::from_content_format(number).unwrap();
        assert_eq!(media_type.file_extension(), extension);
        assert_eq!(
            MediaType::parse(&media_type.name().to_uppercase()).unwrap(),
            media_type
        );
    }
    assert_eq!(
        MediaType::parse("application/senml+json; charset=utf-8").unwrap(),
        MediaType::SenmlJson
    );
    assert_eq!(
        MediaType::from_content_format(50).unwrap_err().kind(),
        E::MediaType
    );
}
