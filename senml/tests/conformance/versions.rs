//! Versions and features.

use manywire_senml::{Strictness, Version};

use crate::{E, cbor, refused, resolved, resolved_with};

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
