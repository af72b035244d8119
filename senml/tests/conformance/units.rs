//! Units and secondary units.

use manywire_senml::{Number, Strictness, Unit};

use crate::{E, resolved_with, strict};

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
