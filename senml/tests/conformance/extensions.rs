//! Fields beyond the table: unknown, registered, and the content-format of data.

use manywire_senml::{
    Extension, ExtensionValue, Format, Patch, Resolver, StreamDecoder, Value, from_slice, to_vec,
};

use crate::{E, bytes, cbor, refused, resolved, strict, text};

#[test]
fn r27_unknown_fields_are_ignored_unless_they_must_be_understood() {
    assert_eq!(
        resolved(r#"[{"n":"a","v":1,"x":{"y":[1,{}]}}]"#),
        r#"[{"n":"a","v":1,"x":{"y":[1,{}]}}]"#
    );
    assert_eq!(refused(r#"[{"n":"a","v":1,"x_":1}]"#), E::MustUnderstand);
    assert_eq!(
        cbor("81 a3 00 6161 02 01 6278 5f 01").unwrap_err(),
        E::MustUnderstand
    );
    assert_eq!(
        cbor("81 a3 00 6161 02 01 6178 82 a16179f6 c11a00000001").unwrap(),
        r#"[{"n":"a","v":1,"x":[{"y":null},1]}]"#
    );
}

#[test]
fn r27_a_record_of_base_fields_and_unknown_ones_is_a_base_only_record() {
    // Nothing is left of it but the base fields, whether the label is text, or an integer that nobody may ever use.
    assert_eq!(
        resolved(r#"[{"bn":"a","bs":1,"x":2},{"v":3}]"#),
        r#"[{"n":"a","v":3,"s":1}]"#
    );
    let found = "82 a3 21 6161 25 01 2a 6163 a1 02 03";
    assert_eq!(cbor(found).unwrap(), r#"[{"n":"a","v":3,"s":1}]"#);
    assert_eq!(strict(r#"[{"bn":"a","bs":1,"x":2},{"v":3}]"#), E::NoValue);
}

#[test]
fn r27_fields_that_are_not_known_are_lent_with_the_reading() {
    let json = br#"[{"bn":"a","bz":1,"v":1,"q":"\u0067ood","r":[{"s":-0.5}]},{"v":2}]"#;
    let pack = from_slice(json, Format::Json).unwrap();
    let cbor = to_vec(&pack, Format::Cbor).unwrap();
    let list = ExtensionValue::Array(vec![ExtensionValue::Map(vec![Extension {
        label: "s".into(),
        value: ExtensionValue::Number("-0.5".parse().unwrap()),
    }])]);
    for (format, bytes) in [(Format::Json, json.to_vec()), (Format::Cbor, cbor)] {
        let mut stream = StreamDecoder::new(format);
        stream.feed(&bytes);
        let mut resolver = Resolver::new();
        let mut readings = resolver.read(&bytes, format).unwrap();
        let resolved = pack.resolve(None).unwrap();
        for reading in [
            readings.next().unwrap().unwrap(),
            stream.next(None).unwrap().unwrap(),
            resolved.iter().next().unwrap(),
        ] {
            let labels: Vec<String> = reading.extensions.iter().map(|own| own.label).collect();
            assert_eq!(labels, ["q", "r"], "base fields mean nothing outside the pack");
            assert_eq!(
                reading.extensions.get("q"),
                Some(ExtensionValue::Text("good".into()))
            );
            assert_eq!(reading.extensions.get("r"), Some(list.clone()));
            assert_eq!(reading.extensions.get("bz"), None);
            assert!(!reading.extensions.is_empty());
        }
        assert!(readings.next().unwrap().unwrap().extensions.is_empty());
    }
}

#[test]
fn r27_numbers_of_unknown_fields_may_stand_as_deep_as_anything() {
    let nested = |inside: &str| {
        format!(
            r#"[{{"n":"a","v":1,"x":{}{inside}{}}}]"#,
            "[".repeat(32),
            "]".repeat(32)
        )
    };
    let pack = from_slice(nested("23.5").as_bytes(), Format::Json).unwrap();
    let cbor = to_vec(&pack, Format::Cbor).unwrap();
    assert_eq!(from_slice(&cbor, Format::Cbor).unwrap(), pack);
    assert_eq!(refused(&nested("[]")), E::TooDeep);
}

#[test]
fn r28_patches_carry_fields_that_must_be_understood() {
    let mut pack = from_slice(br#"[{"n":"a","v":1}]"#, Format::Json).unwrap();
    let patch = Patch::from_slice(br#"[{"n":"a","v":2,"x_":1}]"#, Format::Json).unwrap();
    patch.apply(&mut pack).unwrap();
    assert_eq!(text(&pack), r#"[{"n":"a","v":2,"x_":1}]"#);
}

#[test]
fn r29_registered_extensions_survive_both_formats() {
    let json = r#"[{"n":"a","vd":"AQ","ct":"60"},{"n":"b","vlo":"66:0"}]"#;
    assert_eq!(resolved(json), json);
    let pack = from_slice(json.as_bytes(), Format::Json).unwrap();
    let written = to_vec(&pack, Format::Cbor).unwrap();
    assert_eq!(
        written,
        bytes("82 a3 00 6161 08 4101 626374 623630 a2 00 6162 63766c6f 6436363a30")
    );
    assert_eq!(from_slice(&written, Format::Cbor).unwrap(), pack);
    let readings = pack.resolve(None).unwrap();
    assert_eq!(
        readings.iter().last().unwrap().value,
        Some(Value::ObjectLink("66:0"))
    );
    assert_eq!(refused(r#"[{"n":"b","v":1,"vlo":"66:0"}]"#), E::SeveralValues);
    assert_eq!(refused(r#"[{"n":"b","vlo":66}]"#), E::WrongType);
}

#[test]
fn r30_content_formats_have_their_form_and_the_base_one_goes_to_data() {
    assert_eq!(refused(r#"[{"n":"a","vd":"","ct":"065"}]"#), E::ContentFormat);
    assert_eq!(refused(r#"[{"n":"a","bct":"text","vd":""}]"#), E::ContentFormat);
    assert_eq!(
        resolved(r#"[{"n":"a","bct":"60","v":1},{"n":"b","vd":""},{"n":"c","vd":"","ct":"text/csv@gzip"}]"#),
        r#"[{"n":"a","v":1},{"n":"b","vd":"","ct":"60"},{"n":"c","vd":"","ct":"text/csv@gzip"}]"#
    );
}
