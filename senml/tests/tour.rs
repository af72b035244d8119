//! The pack that the tour sends.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use manywire_senml::{Format, Nanos, Number, Value, from_slice, to_vec};

const TOUR: &str = r#"[{"bn":"some-base-name:","bt":1.276020076001e+09,"bu":"A","bver":5,"n":"voltage","u":"V","v":120.1},{"n":"current","t":-5,"v":1.2},{"n":"current","t":-4,"v":1.3}]"#;

#[test]
fn the_tour_resolves_the_same_from_json_and_cbor() {
    let pack = from_slice(TOUR.as_bytes(), Format::Json).unwrap();
    let cbor = to_vec(&pack, Format::Cbor).unwrap();
    let json = to_vec(&pack, Format::Json).unwrap();
    for same in [
        from_slice(&cbor, Format::Cbor).unwrap(),
        from_slice(&json, Format::Json).unwrap(),
    ] {
        assert_eq!(same, pack);
        let resolved = same.resolve(None).unwrap();
        let rows: Vec<_> = resolved
            .iter()
            .map(|reading| {
                (
                    reading.name,
                    reading.time.since_1970().unwrap(),
                    reading.unit.unwrap(),
                    reading.value,
                )
            })
            .collect();
        let value = |text: &str| Some(Value::Number(text.parse::<Number>().unwrap()));
        assert_eq!(
            rows,
            [
                (
                    "some-base-name:current",
                    Nanos::new(1_276_020_071_001_000_000),
                    "A",
                    value("1.2")
                ),
                (
                    "some-base-name:current",
                    Nanos::new(1_276_020_072_001_000_000),
                    "A",
                    value("1.3")
                ),
                (
                    "some-base-name:voltage",
                    Nanos::new(1_276_020_076_001_000_000),
                    "V",
                    value("120.1")
                ),
            ]
        );
        assert!(resolved.iter().all(|reading| reading.version.number() == 5));
    }
}
