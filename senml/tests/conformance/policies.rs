//! Where the standards contradict themselves, and limits.

use manywire_senml::{Decimals, Format, Strictness, from_slice, to_vec};

use crate::{E, cbor, cbor_with, refused, resolved, resolved_with, strict};

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
