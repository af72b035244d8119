//! The resolved form.

use manywire_senml::{Format, from_slice};

use crate::{E, resolved, strict};

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
