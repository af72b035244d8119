//! One test per rule of the standards that packs obey, the rule's number in its name, and one per policy where the
//! standards contradict themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use ErrorKind as E;
use manywire_senml::{
    Decimals, ErrorKind, Extension, ExtensionValue, Fetch, Format, Fragment, MediaType, Nanos, Number, Pack,
    Patch, Record, Resolver, StreamDecoder, Strictness, Time, Unit, Value, Version, from_slice, to_vec,
};

/// The resolved pack as text.
fn resolved(json: &str) -> String {
    resolved_with(json, Strictness::DEFAULT).unwrap()
}

fn resolved_with(json: &str, rules: Strictness) -> Result<String, ErrorKind> {
    let pack = Pack::from_slice(json.as_bytes(), Format::Json, rules).map_err(|error| error.kind())?;
    let mut resolver = Resolver::with_strictness(rules);
    let one_pass = resolver
        .read(json.as_bytes(), Format::Json)
        .unwrap()
        .collect()
        .unwrap();
    let resolved = pack.resolve(None).unwrap();
    assert!(one_pass.iter().eq(resolved.iter()));
    Ok(text(&resolved.to_pack().unwrap()))
}

fn text(pack: &Pack) -> String {
    String::from_utf8(pack.to_vec_or_empty(Format::Json, Decimals::Fractions).unwrap()).unwrap()
}

/// Why the pack is refused; the one-pass resolver has to agree.
fn refused(json: &str) -> ErrorKind {
    let kind = from_slice(json.as_bytes(), Format::Json).unwrap_err().kind();
    let mut resolver = Resolver::new();
    let one_pass = resolver
        .read(json.as_bytes(), Format::Json)
        .and_then(manywire_senml::Readings::collect);
    assert_eq!(one_pass.unwrap_err().kind(), kind);
    kind
}

/// Refused by the letter, taken by default.
fn strict(json: &str) -> ErrorKind {
    resolved_with(json, Strictness::STRICT).unwrap_err()
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<u8> = hexadecimal.bytes().filter(|byte| *byte != b' ').collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn cbor(hexadecimal: &str) -> Result<String, ErrorKind> {
    cbor_with(hexadecimal, Strictness::DEFAULT)
}

fn cbor_with(hexadecimal: &str, rules: Strictness) -> Result<String, ErrorKind> {
    let bytes = bytes(hexadecimal);
    let mut resolver = Resolver::with_strictness(rules);
    let one_pass = resolver
        .read(&bytes, Format::Cbor)
        .and_then(manywire_senml::Readings::collect);
    let pack = match Pack::from_slice(&bytes, Format::Cbor, rules) {
        Ok(pack) => pack,
        Err(error) => {
            assert_eq!(one_pass.unwrap_err().kind(), error.kind());
            return Err(error.kind());
        }
    };
    let resolved = pack.resolve(None).unwrap();
    assert!(one_pass.unwrap().iter().eq(resolved.iter()));
    Ok(text(&resolved.to_pack().unwrap()))
}

#[test]
fn r01_a_pack_is_an_array_of_records() {
    assert_eq!(refused(r#"{"n":"a","v":1}"#), E::NotAnArray);
    assert_eq!(refused("[1]"), E::NotARecord);
    assert_eq!(
        to_vec(&Pack::new(), Format::Json).unwrap_err().kind(),
        E::EmptyPack
    );
    assert_eq!(strict("[]"), E::EmptyPack);
}

#[test]
fn r02_a_base_field_holds_until_the_next_of_its_kind_and_zero_is_one() {
    let json = r#"[{"bn":"a","bt":1e9,"bv":20,"bs":5,"v":1},{"bn":"b","v":1},{"bn":"","n":"c","bt":0,"bv":0,"bs":0,"v":1}]"#;
    let expected = r#"[{"n":"c","v":1,"s":0},{"n":"a","v":21,"s":5,"t":1000000000},{"n":"b","v":21,"s":5,"t":1000000000}]"#;
    assert_eq!(resolved(json), expected);
}

#[test]
fn r03_regular_fields_hold_for_their_record_alone() {
    let expected = r#"[{"n":"b","v":2},{"n":"a","u":"V","v":1,"t":5,"ut":9}]"#;
    assert_eq!(
        resolved(r#"[{"n":"a","u":"V","v":1,"t":5,"ut":9},{"n":"b","v":2}]"#),
        expected
    );
}

#[test]
fn r04_labels_are_the_integers_of_the_table_in_cbor() {
    let hexadecimal =
        "82 a7 200a 21 616e 22 01 23 6156 24 02 25 03 02 05 a5 00 6161 01 6157 05 04 06 07 07 08";
    let expected = r#"[{"n":"n","u":"V","v":7,"s":3,"t":1},{"n":"na","u":"W","s":7,"t":8,"ut":8}]"#;
    assert_eq!(cbor(hexadecimal).unwrap(), expected);
    assert_eq!(
        cbor("83 a2 00 6161 03 6162 a2 00 6162 04 f5 a2 00 6163 08 4101").unwrap(),
        r#"[{"n":"a","vs":"b"},{"n":"b","vb":true},{"n":"c","vd":"AQ"}]"#
    );
    assert_eq!(
        cbor("81 a3 00 6161 02 01 0b 05").unwrap(),
        r#"[{"n":"a","v":1}]"#,
        "no further integers"
    );
}

#[test]
fn r05_fields_have_their_types() {
    for label in ["bn", "bu", "u", "vs", "vd", "ct", "bct", "n"] {
        assert_eq!(
            refused(&format!(r#"[{{"{label}":1,"x":2}}]"#)),
            E::WrongType,
            "{label}"
        );
    }
    for label in ["bt", "bv", "bs", "v", "s", "t", "ut", "bver"] {
        assert_eq!(
            refused(&format!(r#"[{{"{label}":"1","x":2}}]"#)),
            E::WrongType,
            "{label}"
        );
    }
    assert_eq!(refused(r#"[{"n":"a","vb":1}]"#), E::WrongType);
    assert_eq!(refused(r#"[{"n":"a","v":null}]"#), E::WrongType);
    assert_eq!(
        cbor("81 a2 00 6161 08 6161").unwrap_err(),
        E::WrongType,
        "vd is bytes in CBOR"
    );
}

#[test]
fn r06_labels_and_names_are_case_sensitive() {
    assert_eq!(
        resolved(r#"[{"n":"a","N":"b","v":1,"V":5},{"n":"A","v":2}]"#),
        r#"[{"n":"a","v":1,"V":5,"N":"b"},{"n":"A","v":2}]"#
            .replace(r#","V":5,"N":"b""#, r#","N":"b","V":5"#)
    );
}

#[test]
fn r07_a_name_is_base_name_and_name_and_not_empty() {
    assert_eq!(
        resolved(r#"[{"bn":"a","n":"b","v":1},{"v":2},{"bn":"","n":"c","v":3}]"#),
        r#"[{"n":"ab","v":1},{"n":"a","v":2},{"n":"c","v":3}]"#
    );
    assert_eq!(refused(r#"[{"v":1}]"#), E::EmptyName);
    assert_eq!(refused(r#"[{"bn":"a","v":1},{"bn":"","v":1}]"#), E::EmptyName);
}

#[test]
fn r08_the_joined_name_has_the_allowed_characters() {
    assert_eq!(
        resolved(r#"[{"bn":"a","n":":b-._/9Z","v":1}]"#),
        r#"[{"n":"a:b-._/9Z","v":1}]"#
    );
    for name in [":a", "-a", ".a", "/a", "_a"] {
        assert_eq!(refused(&format!(r#"[{{"n":"{name}","v":1}}]"#)), E::NameStart);
    }
    for name in ["a b", "a+", "aé", "a\\u0000", "a@", "a["] {
        assert_eq!(
            refused(&format!(r#"[{{"n":"{name}","v":1}}]"#)),
            E::NameCharacter,
            "{name}"
        );
        assert_eq!(
            refused(&format!(r#"[{{"bn":"{name}","n":"b","v":1}}]"#)),
            E::NameCharacter,
            "{name}"
        );
    }
}

#[test]
fn r09_addresses_and_urns_are_names() {
    for name in ["urn:dev:mac:0024befffe804ff1", "2001:db8::2/temperature", "0"] {
        assert!(resolved(&format!(r#"[{{"n":"{name}","v":1}}]"#)).contains(name));
    }
}

#[test]
fn r10_time_is_base_time_and_time() {
    assert_eq!(
        resolved(r#"[{"n":"a","bt":1e9,"t":0.25,"v":1}]"#),
        r#"[{"n":"a","v":1,"t":1000000000.25}]"#
    );
    assert_eq!(
        resolved(r#"[{"n":"a","bt":5,"v":1}]"#),
        r#"[{"n":"a","v":1,"t":5}]"#
    );
}

#[test]
fn r11_sums_below_2_to_the_28_are_relative() {
    let time = |json: &str| {
        let pack = from_slice(json.as_bytes(), Format::Json).unwrap();
        pack.resolve(None).unwrap().iter().next().unwrap().time
    };
    assert_eq!(
        time(r#"[{"n":"a","t":268435455.999999999,"v":1}]"#),
        Time::Relative(Nanos::new(268_435_455_999_999_999))
    );
    assert_eq!(
        time(r#"[{"n":"a","t":268435456,"v":1}]"#),
        Time::Absolute(Nanos::from_seconds(268_435_456))
    );
    assert_eq!(
        time(r#"[{"n":"a","bt":268435455,"t":1,"v":1}]"#),
        Time::Absolute(Nanos::from_seconds(268_435_456))
    );
    assert_eq!(time(r#"[{"n":"a","bt":1e9,"t":-1e9,"v":1}]"#), Time::NOW);
}

#[test]
fn r12_now_is_the_pack_s_in_packs_and_the_record_s_in_streams() {
    let pack = from_slice(br#"[{"n":"a","t":-1,"v":1},{"n":"b","v":1}]"#, Format::Json).unwrap();
    let times: Vec<_> = pack
        .resolve(Nanos::from_seconds(1_000_000_000))
        .unwrap()
        .iter()
        .map(|reading| reading.time.nanos())
        .collect();
    assert_eq!(
        times,
        [
            Nanos::from_seconds(999_999_999),
            Nanos::from_seconds(1_000_000_000)
        ]
    );
    let mut decoder = StreamDecoder::new(Format::Json);
    decoder.feed(br#"[{"n":"a","v":1},{"n":"b","v":1}"#);
    for seconds in [1_000_000_000, 1_000_000_007] {
        let now = Nanos::from_seconds(seconds);
        assert_eq!(decoder.next(now).unwrap().unwrap().time, Time::Absolute(now));
    }
}

#[test]
fn r13_the_range_of_doubles_is_taken_as_time() {
    for time in [
        "1.7976931348623157e308",
        "-1.7976931348623157e308",
        "5e-324",
        "1700000000.123456789",
    ] {
        from_slice(
            format!(r#"[{{"n":"a","t":{time},"v":1}}]"#).as_bytes(),
            Format::Json,
        )
        .unwrap();
    }
    assert_eq!(
        resolved(r#"[{"n":"a","t":1700000000.123456789,"v":1}]"#),
        r#"[{"n":"a","v":1,"t":1700000000.123456789}]"#
    );
}

#[test]
fn r14_update_time_is_not_added_to_anything() {
    assert_eq!(
        resolved(r#"[{"n":"a","bt":1e9,"ut":60,"v":1}]"#),
        r#"[{"n":"a","v":1,"t":1000000000,"ut":60}]"#
    );
}

#[test]
fn r15_one_value_or_none_beside_a_sum() {
    assert_eq!(refused(r#"[{"n":"a","v":1,"vs":"b"}]"#), E::SeveralValues);
    assert_eq!(refused(r#"[{"n":"a","vb":true,"vd":""}]"#), E::SeveralValues);
    assert_eq!(refused(r#"[{"n":"a"}]"#), E::NoValue);
    assert_eq!(refused(r#"[{}]"#), E::EmptyName);
    assert_eq!(
        resolved(r#"[{"n":"a","s":1},{"n":"b","vb":true,"s":2},{"n":"c","vs":"","s":3}]"#),
        r#"[{"n":"a","s":1},{"n":"b","vb":true,"s":2},{"n":"c","vs":"","s":3}]"#
    );
}

#[test]
fn r16_base_value_is_added_to_numbers_only() {
    assert_eq!(
        resolved(r#"[{"bn":"a","bv":20,"v":1.5},{"v":2},{"vs":"x"},{"vb":false}]"#),
        r#"[{"n":"a","v":21.5},{"n":"a","v":22},{"n":"a","vs":"x"},{"n":"a","vb":false}]"#
    );
}

#[test]
fn r17_sum_is_base_sum_and_sum() {
    assert_eq!(
        resolved(r#"[{"n":"a","v":1},{"n":"b","bs":100,"s":5},{"n":"c","u":"J"}]"#),
        r#"[{"n":"a","v":1},{"n":"b","s":105},{"n":"c","u":"J","s":100}]"#
    );
}

#[test]
fn r17_a_record_that_has_nothing_but_the_base_sum_stays_one_in_parts() {
    let pack = from_slice(br#"[{"bn":"a","bs":5,"v":1},{}]"#, Format::Json).unwrap();
    let second = pack.select(&Fragment::parse("rec=2").unwrap()).unwrap();
    let resolved = second.resolve(None).unwrap().to_pack().unwrap();
    assert_eq!(text(&resolved), r#"[{"n":"a","s":5}]"#);
}

#[test]
fn r18_a_sum_of_a_secondary_unit_is_scaled_without_the_offset() {
    let pack = from_slice(
        br#"[{"bver":26,"n":"a","u":"kW","v":2,"s":3},{"n":"b","u":"dBm","v":-30}]"#,
        Format::Json,
    )
    .unwrap();
    let primary = pack.resolve(None).unwrap().to_primary_units().unwrap();
    assert_eq!(
        text(&primary.to_pack().unwrap()),
        r#"[{"n":"a","u":"W","v":2000,"s":3000},{"n":"b","u":"dBW","v":-60}]"#
    );
}

#[test]
fn r19_unit_is_unit_or_base_unit_or_none() {
    assert_eq!(
        resolved(r#"[{"n":"a","v":1},{"n":"b","bu":"V","v":1},{"n":"c","u":"A","v":1}]"#),
        r#"[{"n":"a","v":1},{"n":"b","u":"V","v":1},{"n":"c","u":"A","v":1}]"#
    );
}

#[test]
fn r20_numbers_are_finite_doubles() {
    assert_eq!(refused(r#"[{"n":"a","v":1e309}]"#), E::NotFinite);
    assert_eq!(refused(r#"[{"n":"a","v":NaN}]"#), E::JsonSyntax);
    for infinite in ["f97c00", "f97e00", "fa7f800000", "fbfff0000000000000"] {
        assert_eq!(
            cbor(&format!("81 a2 00 6161 02 {infinite}")).unwrap_err(),
            E::NotFinite
        );
    }
    assert_eq!(
        Record::new("a").with_value(f64::NAN).unwrap_err().kind(),
        E::NotFinite
    );
    assert_eq!(refused(r#"[{"n":"a","bv":1.7e308,"v":1.7e308}]"#), E::NotFinite);
}

#[test]
fn r21_numbers_are_written_short_with_a_small_e() {
    for (value, expected) in [
        (1e21, "1e21"),
        (-2.5e-7, "-25e-8"),
        (0.1, "0.1"),
        (1e15, "1e15"),
        (120.0, "120"),
    ] {
        assert_eq!(Number::new(value).unwrap().to_string(), expected);
    }
}

#[test]
fn r22_all_records_have_one_version() {
    assert_eq!(
        refused(r#"[{"bver":5,"n":"a","v":1},{"bver":10,"n":"b","v":1}]"#),
        E::MixedVersions
    );
    assert_eq!(
        refused(r#"[{"n":"a","v":1},{"bver":5,"n":"b","v":1}]"#),
        E::MixedVersions
    );
    assert_eq!(
        resolved(r#"[{"n":"a","v":1},{"bver":10,"n":"b","v":1}]"#),
        r#"[{"n":"a","v":1},{"n":"b","v":1}]"#
    );
    assert_eq!(refused(r#"[{"bver":0,"n":"a","v":1}]"#), E::Version);
    assert_eq!(refused(r#"[{"bver":1.5,"n":"a","v":1}]"#), E::Version);
}

#[test]
fn r23_a_version_that_is_not_understood_is_refused() {
    for version in [11, 12, 42, 1_000_000] {
        assert_eq!(
            refused(&format!(r#"[{{"bver":{version},"n":"a","v":1}}]"#)),
            E::Version
        );
    }
}

#[test]
fn r24_versions_are_sets_of_features() {
    let plain = Strictness::DEFAULT.features(Version::DEFAULT);
    let json = r#"[{"bver":26,"n":"a","u":"km/h","v":1}]"#;
    assert_eq!(resolved_with(json, plain).unwrap_err(), E::Version);
    resolved(json);
    let both = Strictness::DEFAULT.features(Version::new(58).unwrap());
    assert!(resolved_with(r#"[{"bver":42,"n":"a","v":1}]"#, both).is_ok());
    assert!(Version::new((1 << 53) - 1).is_ok());
    assert_eq!(Version::new(1 << 53).unwrap_err().kind(), E::Version);
    assert!(Version::SECONDARY_UNITS.has_feature(4) && !Version::DEFAULT.has_feature(4));
}

#[test]
fn r25_the_version_is_an_unsigned_integer_in_cbor() {
    assert_eq!(cbor("81 a3 20 0a 00 6161 02 01").unwrap(), r#"[{"n":"a","v":1}]"#);
    for version in ["f94900", "c482 00 0a", "29", "6131"] {
        assert_eq!(
            cbor(&format!("81 a3 20 {version} 00 6161 02 01")).unwrap_err(),
            E::WrongType
        );
    }
}

#[test]
fn r26_resolved_records_carry_the_version_unless_it_is_10() {
    assert_eq!(
        resolved(r#"[{"bver":26,"n":"a","v":1},{"n":"b","v":1}]"#),
        r#"[{"bver":26,"n":"a","v":1},{"bver":26,"n":"b","v":1}]"#
    );
    assert_eq!(resolved(r#"[{"bver":10,"n":"a","v":1}]"#), r#"[{"n":"a","v":1}]"#);
}

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
fn r30_content_formats_have_their_form_and_the_base_one_goes_to_data() {
    assert_eq!(refused(r#"[{"n":"a","vd":"","ct":"065"}]"#), E::ContentFormat);
    assert_eq!(refused(r#"[{"n":"a","bct":"text","vd":""}]"#), E::ContentFormat);
    assert_eq!(
        resolved(r#"[{"n":"a","bct":"60","v":1},{"n":"b","vd":""},{"n":"c","vd":"","ct":"text/csv@gzip"}]"#),
        r#"[{"n":"a","v":1},{"n":"b","vd":"","ct":"60"},{"n":"c","vd":"","ct":"text/csv@gzip"}]"#
    );
}

#[test]
fn r31_resolved_records_are_in_stable_chronological_order() {
    let records: Vec<String> = (0..60)
        .map(|index| format!(r#"{{"n":"a{index}","t":{},"v":1}}"#, index % 3))
        .collect();
    let pack = from_slice(format!("[{}]", records.join(",")).as_bytes(), Format::Json).unwrap();
    let resolved = pack.resolve(None).unwrap();
    let order: Vec<usize> = resolved
        .iter()
        .map(|reading| reading.name[1..].parse().unwrap())
        .collect();
    let expected: Vec<usize> = (0..3)
        .flat_map(|time| (0..20).map(move |index| index * 3 + time))
        .collect();
    assert_eq!(order, expected);
}

#[test]
fn r32_resolving_again_changes_nothing() {
    let once = resolved(r#"[{"bn":"a","bt":1e9,"bu":"V","bv":1,"bs":2,"bct":"0","v":3},{"t":-1,"vd":"AQ"}]"#);
    assert_eq!(resolved(&once), once);
    assert!(!once.contains("\"b"));
}

#[test]
fn r33_unknown_base_fields_are_dropped_or_refused() {
    assert_eq!(
        resolved(r#"[{"n":"a","v":1,"bz":1,"z":2}]"#),
        r#"[{"n":"a","v":1,"z":2}]"#
    );
    assert_eq!(strict(r#"[{"n":"a","v":1,"bz":1}]"#), E::NotResolvable);
}

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
fn r41_fragments_select_records_and_keep_their_meaning() {
    let pack = from_slice(
        br#"[{"bn":"x:","n":"a","v":1},{"n":"b","v":2},{"n":"c","v":3},{"n":"d","v":4}]"#,
        Format::Json,
    )
    .unwrap();
    let selected = |fragment: &str| {
        let selected = pack.select(&Fragment::parse(fragment).unwrap()).unwrap();
        selected
            .resolve(None)
            .unwrap()
            .iter()
            .map(|reading| reading.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(selected("rec=3"), ["x:c"]);
    assert_eq!(selected("#rec=2-3"), ["x:b", "x:c"]);
    assert_eq!(selected("rec=1,3-*"), ["x:a", "x:c", "x:d"]);
    assert_eq!(selected("rec=*"), ["x:d"]);
    for wrong in [
        "", "rec=", "rec=0", "rec=1-", "rec=a", "rec=1,,2", "record=1", "rec=+1",
    ] {
        assert_eq!(
            Fragment::parse(wrong).unwrap_err().kind(),
            E::FragmentForm,
            "{wrong}"
        );
    }
}

#[test]
fn r42_fetch_records_have_names_times_and_units_only() {
    let fetch = |json: &str| Fetch::from_slice(json.as_bytes(), Format::Json).map_err(|error| error.kind());
    assert!(fetch(r#"[{"bn":"a","bt":1,"bu":"V","n":"b","t":2,"u":"A"}]"#).is_ok());
    assert_eq!(fetch(r#"[{"n":"a","v":1}]"#).unwrap_err(), E::FetchField);
    assert_eq!(fetch(r#"[{"n":"a","x":1}]"#).unwrap_err(), E::FetchField);
    assert_eq!(fetch(r#"[{"u":"V"}]"#).unwrap_err(), E::FetchName);
    assert_eq!(fetch("[]").unwrap_err(), E::EmptyPack);
}

#[test]
fn r43_fetch_matches_names_and_what_else_is_said() {
    let pack = from_slice(
        br#"[{"n":"a","u":"V","v":1},{"n":"a","u":"V","t":5,"v":2},{"n":"b","v":3}]"#,
        Format::Json,
    )
    .unwrap();
    let fetch = |json: &str| {
        text(
            &Fetch::from_slice(json.as_bytes(), Format::Json)
                .unwrap()
                .apply(&pack)
                .unwrap(),
        )
    };
    assert_eq!(
        fetch(r#"[{"n":"a"},{"n":"a"}]"#),
        r#"[{"n":"a","u":"V","v":1},{"n":"a","u":"V","v":2,"t":5}]"#
    );
    assert_eq!(
        fetch(r#"[{"n":"a","t":5}]"#),
        r#"[{"n":"a","u":"V","v":2,"t":5}]"#
    );
    assert_eq!(fetch(r#"[{"n":"a","t":0}]"#), r#"[{"n":"a","u":"V","v":1}]"#);
    assert_eq!(fetch(r#"[{"n":"b","u":"V"}]"#), "[]");
}

#[test]
fn r44_patches_add_replace_and_remove_all_or_nothing() {
    let apply = |target: &str, patch: &str| {
        let mut pack = from_slice(target.as_bytes(), Format::Json).unwrap();
        let patch = Patch::from_slice(patch.as_bytes(), Format::Json).map_err(|error| error.kind())?;
        let applied = patch.apply(&mut pack).map_err(|error| error.kind());
        if applied.is_err() {
            assert_eq!(text(&pack), target, "nothing happened");
        }
        applied.map(|()| text(&pack))
    };
    let target = r#"[{"n":"a","v":1},{"n":"b","v":1},{"n":"b","v":2,"t":5}]"#;
    assert_eq!(
        apply(target, r#"[{"n":"c","s":1}]"#).unwrap(),
        format!("{},{}", &target[..target.len() - 1], r#"{"n":"c","s":1}]"#)
    );
    assert_eq!(
        apply(target, r#"[{"n":"b","t":5,"v":7}]"#).unwrap(),
        r#"[{"n":"a","v":1},{"n":"b","v":1},{"n":"b","v":7,"t":5}]"#
    );
    assert_eq!(
        apply(target, r#"[{"n":"a","v":null},{"n":"z","v":null}]"#).unwrap(),
        r#"[{"n":"b","v":1},{"n":"b","v":2,"t":5}]"#
    );
    assert_eq!(
        apply(target, r#"[{"n":"a","v":9},{"n":"b","v":9}]"#).unwrap_err(),
        E::PatchAmbiguous
    );
    assert_eq!(apply(target, r#"[{"n":"a"}]"#).unwrap_err(), E::PatchValue);
    assert_eq!(apply(target, r#"[{"v":1}]"#).unwrap_err(), E::FetchName);
}

#[test]
fn r45_units_are_the_registry_s() {
    for unit in ["m", "Cel", "%RH", "count", "/", "S/m", "B", "VAs", "deg"] {
        assert!(!Unit::parse(unit).unwrap().is_secondary(), "{unit}");
    }
    for unit in ["g", "l", "l/s", "Bspl", "%", "1/min", "beat/min", "beats"] {
        assert!(!Unit::parse(unit).unwrap().is_for_producers(), "{unit}");
    }
    assert_eq!(Unit::parse("cel"), None);
}

#[test]
fn r46_secondary_units_convert_and_need_their_feature_by_the_letter() {
    let unit = Unit::parse("km/h").unwrap();
    assert_eq!(unit.to_primary(Number::integer(36)).unwrap(), Number::integer(10));
    assert_eq!(strict(r#"[{"n":"a","u":"km/h","v":1}]"#), E::SecondaryUnit);
    assert!(resolved_with(r#"[{"bver":26,"n":"a","u":"km/h","v":1}]"#, Strictness::STRICT).is_ok());
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

#[test]
fn p01_base_only_records_yield_no_reading() {
    assert_eq!(
        resolved(r#"[{"bn":"a","bt":1e9},{"v":1}]"#),
        r#"[{"n":"a","v":1,"t":1000000000}]"#
    );
    assert_eq!(strict(r#"[{"bn":"a","bt":1e9},{"v":1}]"#), E::NoValue);
}

#[test]
fn p02_the_base_value_alone_is_a_value() {
    assert_eq!(
        resolved(r#"[{"bn":"a","bv":20,"v":1},{"t":5}]"#),
        r#"[{"n":"a","v":21},{"n":"a","v":20,"t":5}]"#
    );
    assert_eq!(strict(r#"[{"bn":"a","bv":20,"v":1},{"t":5}]"#), E::NoValue);
}

#[test]
fn p03_versions_below_10_are_legacy() {
    assert_eq!(
        resolved(r#"[{"bver":5,"n":"a","v":1}]"#),
        r#"[{"bver":5,"n":"a","v":1}]"#
    );
    assert_eq!(strict(r#"[{"bver":5,"n":"a","v":1}]"#), E::Version);
}

#[test]
fn p04_indefinite_lengths_are_read() {
    let indefinite = "9f bf 00 7f6161 6162ff 08 5f4101 4102ff ff ff";
    assert_eq!(cbor(indefinite).unwrap(), r#"[{"n":"ab","vd":"AQI"}]"#);
    assert_eq!(
        cbor_with(indefinite, Strictness::STRICT).unwrap_err(),
        E::IndefiniteLength
    );
}

#[test]
fn p05_padding_is_read_and_the_other_alphabet_is_not() {
    assert_eq!(resolved(r#"[{"n":"a","vd":"AQ=="}]"#), r#"[{"n":"a","vd":"AQ"}]"#);
    assert_eq!(strict(r#"[{"n":"a","vd":"AQ=="}]"#), E::DataForm);
    assert_eq!(refused(r#"[{"n":"a","vd":"+/+/"}]"#), E::DataForm);
    assert_eq!(
        resolved_with(r#"[{"n":"a","vd":"+/+/"}]"#, Strictness::LENIENT).unwrap(),
        r#"[{"n":"a","vd":"-_-_"}]"#
    );
}

#[test]
fn p06_tag_1_may_stand_around_times() {
    let tagged = "81 a4 00 6161 02 01 22 c1 1a3b9aca00 06 c1 01";
    assert_eq!(cbor(tagged).unwrap(), r#"[{"n":"a","v":1,"t":1000000001}]"#);
    assert_eq!(cbor_with(tagged, Strictness::STRICT).unwrap_err(), E::NumberForm);
    assert_eq!(cbor("81 a2 00 6161 02 c1 01").unwrap_err(), E::WrongType);
}

#[test]
fn p07_text_labels_in_cbor_are_for_the_lenient() {
    let text = "81 a2 616e 6161 6176 01";
    assert_eq!(cbor(text).unwrap_err(), E::LabelForm);
    assert_eq!(
        cbor_with(text, Strictness::LENIENT).unwrap(),
        r#"[{"n":"a","v":1}]"#
    );
}

#[test]
fn p08_a_capital_e_is_read_and_never_written() {
    assert_eq!(resolved(r#"[{"n":"a","v":1E3}]"#), r#"[{"n":"a","v":1000}]"#);
    assert_eq!(strict(r#"[{"n":"a","v":1E3}]"#), E::NumberForm);
}

#[test]
fn p09_bignums_and_bigfloats_are_read_if_they_fit_a_double() {
    let value = |number: &str| cbor(&format!("81 a2 00 6161 02 {number}"));
    assert_eq!(value("c2 42 0100").unwrap(), r#"[{"n":"a","v":256}]"#);
    assert_eq!(value("c3 42 0100").unwrap(), r#"[{"n":"a","v":-257}]"#);
    assert_eq!(value("c5 82 20 03").unwrap(), r#"[{"n":"a","v":1.5}]"#);
    assert_eq!(
        value(&format!("c2 5881 {}", "ff".repeat(129))).unwrap_err(),
        E::NotFinite
    );
    let strict = cbor_with("81 a2 00 6161 02 c2 42 0100", Strictness::STRICT);
    assert_eq!(strict.unwrap_err(), E::NumberForm);
}

#[test]
fn p10_an_empty_pack_is_read_and_written_on_request_only() {
    let empty = from_slice(b"[]", Format::Json).unwrap();
    assert_eq!(to_vec(&empty, Format::Cbor).unwrap_err().kind(), E::EmptyPack);
    assert_eq!(
        empty.to_vec_or_empty(Format::Cbor, Decimals::Fractions).unwrap(),
        [0x80]
    );
}

#[test]
fn limits_hold() {
    let rules = Strictness::DEFAULT.max_records(1).max_name(4).max_nesting(2);
    assert_eq!(
        resolved_with(r#"[{"n":"a","v":1},{"n":"a","v":1}]"#, rules).unwrap_err(),
        E::TooManyRecords
    );
    assert_eq!(
        resolved_with(r#"[{"bn":"abc","n":"de","v":1}]"#, rules).unwrap_err(),
        E::NameTooLong
    );
    assert_eq!(
        resolved_with(r#"[{"n":"a","v":1,"x":[[[]]]}]"#, rules).unwrap_err(),
        E::TooDeep
    );
    let deep = format!(r#"[{{"n":"a","v":1,"x":{}"#, "[".repeat(100_000));
    assert_eq!(refused(&deep), E::TooDeep);
    assert_eq!(
        cbor(&format!("81 a3 00 6161 02 01 6178 {}", "81".repeat(10_000))).unwrap_err(),
        E::TooDeep
    );
    assert_eq!(
        cbor("9b ffffffffffffffff").unwrap_err(),
        E::Truncated,
        "claims are not believed"
    );
    assert_eq!(cbor("81 a2 00 7b ffffffffffffffff").unwrap_err(), E::Truncated);
    let labels: Vec<String> = (0..65).map(|index| format!(r#""x{index}":1"#)).collect();
    assert_eq!(
        refused(&format!(r#"[{{"n":"a","v":1,{}}}]"#, labels.join(","))),
        E::TooManyFields
    );
}

#[test]
fn values_come_as_what_they_are() {
    let mut resolver = Resolver::new();
    let json = br#"[{"n":"a","v":23.10},{"n":"b","vs":"x"},{"n":"c","vb":true},{"n":"d","vd":"AQI"}]"#;
    let mut readings = resolver.read(json, Format::Json).unwrap();
    assert_eq!(
        readings.next().unwrap().unwrap().value,
        Some(Value::Number("23.1".parse().unwrap()))
    );
    assert_eq!(readings.next().unwrap().unwrap().value, Some(Value::Text("x")));
    assert_eq!(
        readings.next().unwrap().unwrap().value,
        Some(Value::Boolean(true))
    );
    assert_eq!(
        readings.next().unwrap().unwrap().value,
        Some(Value::Data(&[1, 2]))
    );
    assert!(readings.next().unwrap().is_none());
}
