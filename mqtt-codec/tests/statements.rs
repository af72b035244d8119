//! Every normative statement of both standards has a test of its number, or a line in `untested-ids.txt` that says why
//! not. That list may only shrink.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::BTreeSet;

/// How many lines `untested-ids.txt` may have. Only ever make it smaller.
const UNTESTED: usize = 256;

/// Section, first and last number of the statements of MQTT 3.1.1 (`MQTT-3-8.3-4` is counted as `3.8.3-4`).
const V311: &[(&str, u8, u8)] = &[
    ("1.5.3", 1, 3),
    ("2.2.2", 1, 2),
    ("2.3.1", 1, 7),
    ("3.1.0", 1, 2),
    ("3.1.2", 1, 24),
    ("3.1.3", 1, 11),
    ("3.1.4", 1, 5),
    ("3.2.0", 1, 1),
    ("3.2.2", 1, 6),
    ("3.3.1", 1, 12),
    ("3.3.2", 1, 3),
    ("3.3.4", 1, 1),
    ("3.3.5", 1, 2),
    ("3.6.1", 1, 1),
    ("3.8.1", 1, 1),
    ("3.8.3", 1, 4),
    ("3.8.4", 1, 6),
    ("3.9.3", 1, 2),
    ("3.10.1", 1, 1),
    ("3.10.3", 1, 2),
    ("3.10.4", 1, 6),
    ("3.12.4", 1, 1),
    ("3.14.1", 1, 1),
    ("3.14.4", 1, 3),
    ("4.1.0", 1, 2),
    ("4.3.1", 1, 1),
    ("4.3.2", 1, 2),
    ("4.3.3", 1, 2),
    ("4.4.0", 1, 1),
    ("4.5.0", 1, 2),
    ("4.6.0", 1, 6),
    ("4.7.1", 1, 3),
    ("4.7.2", 1, 1),
    ("4.7.3", 1, 4),
    ("4.8.0", 1, 2),
    ("6.0.0", 1, 4),
    ("7.0.0", 1, 2),
    ("7.1.1", 1, 1),
    ("7.1.2", 1, 1),
];

/// Section, first and last number of the statements of MQTT 5.0.
const V5: &[(&str, u8, u8)] = &[
    ("1.5.4", 1, 3),
    ("1.5.5", 1, 1),
    ("1.5.7", 1, 1),
    ("2.1.3", 1, 1),
    ("2.2.1", 2, 6),
    ("2.2.2", 1, 1),
    ("3.1.0", 1, 2),
    ("3.1.2", 1, 30),
    ("3.1.3", 1, 12),
    ("3.1.4", 1, 6),
    ("3.2.0", 1, 2),
    ("3.2.2", 1, 22),
    ("3.3.1", 1, 13),
    ("3.3.2", 1, 20),
    ("3.3.4", 1, 10),
    ("3.4.2", 1, 3),
    ("3.5.2", 1, 3),
    ("3.6.1", 1, 1),
    ("3.6.2", 1, 3),
    ("3.7.2", 1, 3),
    ("3.8.1", 1, 1),
    ("3.8.3", 1, 5),
    ("3.8.4", 1, 8),
    ("3.9.2", 1, 2),
    ("3.9.3", 1, 2),
    ("3.10.1", 1, 1),
    ("3.10.3", 1, 2),
    ("3.10.4", 1, 6),
    ("3.11.2", 1, 2),
    ("3.11.3", 1, 2),
    ("3.12.4", 1, 1),
    ("3.14.0", 1, 1),
    ("3.14.1", 1, 1),
    ("3.14.2", 1, 4),
    ("3.14.4", 1, 3),
    ("3.15.1", 1, 1),
    ("3.15.2", 1, 3),
    ("4.1.0", 1, 2),
    ("4.2.0", 1, 1),
    ("4.3.1", 1, 1),
    ("4.3.2", 1, 5),
    ("4.3.3", 1, 13),
    ("4.4.0", 1, 2),
    ("4.5.0", 1, 2),
    ("4.6.0", 1, 6),
    ("4.7.0", 1, 1),
    ("4.7.1", 1, 2),
    ("4.7.2", 1, 1),
    ("4.7.3", 1, 4),
    ("4.8.2", 1, 6),
    ("4.9.0", 1, 3),
    ("4.12.0", 1, 7),
    ("4.12.1", 1, 2),
    ("4.13.1", 1, 1),
    ("4.13.2", 1, 1),
    ("6.0.0", 1, 4),
];

fn all(version: &str, ranges: &[(&str, u8, u8)]) -> BTreeSet<String> {
    ranges
        .iter()
        .flat_map(|(section, first, last)| {
            (*first..=*last).map(move |n| format!("{version} MQTT-{section}-{n}"))
        })
        .collect()
}

/// The numbers in the names of the tests of a file.
fn tested(version: &str, source: &str) -> BTreeSet<String> {
    source
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter_map(|word| word.strip_prefix("mqtt_"))
        .filter_map(|word| {
            let numbers: Vec<&str> = word.split('_').take(4).collect();
            let [chapter, section, part, number] = numbers[..] else {
                return None;
            };
            numbers
                .iter()
                .all(|n| n.parse::<u8>().is_ok())
                .then(|| format!("{version} MQTT-{chapter}.{section}.{part}-{number}"))
        })
        .collect()
}

#[test]
fn every_statement_is_tested_or_listed_with_a_reason() {
    let mut all = concat_sets([all("3.1.1", V311), all("5.0", V5)]);
    let tested = concat_sets([
        tested("3.1.1", include_str!("conformance_v311.rs")),
        tested("5.0", include_str!("conformance_v5.rs")),
        tested("5.0", include_str!("conformance_v5_properties.rs")),
        tested("5.0", include_str!("conformance_v5_subscribing.rs")),
    ]);
    let unknown: Vec<_> = tested.difference(&all).collect();
    assert!(
        unknown.is_empty(),
        "tests of statements that do not exist: {unknown:?}"
    );

    let mut listed = BTreeSet::new();
    for line in include_str!("untested-ids.txt").lines() {
        let (id, reason) = line
            .split_once(": ")
            .unwrap_or_else(|| panic!("no reason in: {line}"));
        assert!(!reason.trim().is_empty(), "no reason in: {line}");
        assert!(listed.insert(id.to_owned()), "{id} is listed twice");
    }
    let both: Vec<_> = listed.intersection(&tested).collect();
    assert!(both.is_empty(), "tested and still listed: {both:?}");
    assert_eq!(
        listed.len(),
        UNTESTED,
        "the list may only shrink: lower UNTESTED with it"
    );
    all.retain(|id| !tested.contains(id) && !listed.contains(id));
    assert!(all.is_empty(), "neither tested nor listed: {all:?}");
}

fn concat_sets<const N: usize>(sets: [BTreeSet<String>; N]) -> BTreeSet<String> {
    sets.into_iter().flatten().collect()
}
