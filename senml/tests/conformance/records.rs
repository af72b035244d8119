//! Packs, records, labels and names.

use manywire_senml::{Format, Pack, to_vec};

use crate::{E, cbor, refused, resolved, strict};

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
