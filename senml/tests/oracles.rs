//! The fast paths against serde_json and ciborium, and the laws that hold for any pack.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use manywire_senml::{
    Decimals, ErrorKind, Format, Nanos, Number, Pack, ReadingBuf, Record, Resolved, Resolver, StreamDecoder,
    Strictness, Value, Version, from_slice, to_vec,
};
use proptest::prelude::*;

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        (-1000i64..1000).prop_map(Number::integer),
        any::<i64>().prop_map(Number::integer),
        (any::<i32>(), -12i16..4)
            .prop_map(|(mantissa, exponent)| Number::decimal(mantissa.into(), exponent).unwrap()),
        (any::<i64>(), -30i16..30)
            .prop_map(|(mantissa, exponent)| Number::decimal(mantissa, exponent).unwrap()),
        any::<f64>().prop_filter_map("finite", |value| Number::new(value).ok()),
        any::<f32>().prop_filter_map("finite", |value| Number::new(value.into()).ok()),
        (0u64..2_000_000_000_000).prop_map(|ms| Number::new(ms as f64 / 1000.0).unwrap()),
    ]
}

fn time() -> impl Strategy<Value = Number> {
    prop_oneof![
        (-1000i64..1000).prop_map(Number::integer),
        (1_600_000_000_000i64..1_800_000_000_000).prop_map(|ms| Number::decimal(ms, -3).unwrap()),
        number(),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("temp".to_string()),
        Just("a:b/c".to_string()),
        "[a-zA-Z0-9][a-zA-Z0-9:./_-]{0,30}"
    ]
}

fn unit() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("Cel".to_string()),
        Just("V".to_string()),
        Just("km/h".to_string()),
        ".{0,4}"
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let value = prop_oneof![
        4 => number().prop_map(|number| Record::default().with_value(number).unwrap()),
        1 => ".{0,20}".prop_map(|text| Record::default().with_value(text.as_str()).unwrap()),
        1 => any::<bool>().prop_map(|value| Record::default().with_value(value).unwrap()),
        1 => proptest::collection::vec(any::<u8>(), 0..40)
            .prop_map(|data| Record::default().with_value(data.as_slice()).unwrap()),
        1 => number().prop_map(|sum| Record::default().with_sum(sum)),
        1 => "[0-9]{1,5}:[0-9]{1,5}"
            .prop_map(|link| Record::default().with_value(Value::ObjectLink(&link)).unwrap()),
    ];
    use proptest::option::weighted;
    let (sum, update_time) = (weighted(0.1, number()), weighted(0.1, number()));
    let own = (
        value,
        name(),
        weighted(0.7, unit()),
        weighted(0.7, time()),
        sum,
        update_time,
    );
    let base = (
        weighted(0.2, name()),
        weighted(0.2, time()),
        weighted(0.1, unit()),
        weighted(0.05, number()),
    );
    (own, base).prop_map(
        |((record, name, unit, time, sum, update_time), (bn, bt, bu, bv))| {
            let mut record = record.with_name(name);
            record = unit.into_iter().fold(record, Record::with_unit);
            record = time.into_iter().fold(record, Record::with_time);
            record = sum.into_iter().fold(record, Record::with_sum);
            record = update_time.into_iter().fold(record, Record::with_update_time);
            record = bn.into_iter().fold(record, Record::with_base_name);
            record = bt.into_iter().fold(record, Record::with_base_time);
            record = bu.into_iter().fold(record, Record::with_base_unit);
            bv.into_iter().fold(record, Record::with_base_value)
        },
    )
}

fn pack() -> impl Strategy<Value = Pack> {
    let version = proptest::option::weighted(0.2, prop_oneof![Just(5u64), Just(10), Just(26)]);
    (version, proptest::collection::vec(record(), 1..12)).prop_filter_map(
        "adds up to finite numbers",
        |(version, mut records)| {
            if let Some(version) = version {
                records[0] = records[0].clone().with_version(Version::new(version).unwrap());
            }
            Pack::from_records(records).ok()
        },
    )
}

/// The pack with the nearest doubles for its numbers: serde has no decimals.
fn doubles(pack: &Pack) -> serde_json::Value {
    fn as_doubles(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Number(number) => number.as_f64().into(),
            serde_json::Value::Array(values) => values.into_iter().map(as_doubles).collect(),
            serde_json::Value::Object(members) => members
                .into_iter()
                .map(|(label, value)| (label, as_doubles(value)))
                .collect(),
            other => other,
        }
    }
    as_doubles(serde_json::to_value(pack).unwrap())
}

fn resolved(bytes: &[u8], format: Format) -> Result<Resolved, ErrorKind> {
    Resolver::new()
        .read(bytes, format)
        .and_then(manywire_senml::Readings::collect)
        .map_err(|error| error.kind())
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same_in_both_formats(pack in pack()) {
        let json = to_vec(&pack, Format::Json).unwrap();
        let cbor = to_vec(&pack, Format::Cbor).unwrap();
        prop_assert_eq!(&from_slice(&json, Format::Json).unwrap(), &pack);
        prop_assert_eq!(&from_slice(&cbor, Format::Cbor).unwrap(), &pack);
        prop_assert_eq!(to_vec(&from_slice(&cbor, Format::Cbor).unwrap(), Format::Json).unwrap(), json);
    }

    #[test]
    fn the_oracles_read_what_is_written(pack in pack()) {
        let json = to_vec(&pack, Format::Json).unwrap();
        let through_serde_json: Pack = serde_json::from_slice(&json).unwrap();
        prop_assert_eq!(doubles(&through_serde_json), doubles(&pack));
        let cbor = to_vec(&pack, Format::Cbor).unwrap();
        let through_ciborium: Pack = ciborium::from_reader(cbor.as_slice()).unwrap();
        prop_assert_eq!(through_ciborium, pack);
    }

    #[test]
    fn what_the_oracles_write_is_read(pack in pack()) {
        let json = serde_json::to_vec(&pack).unwrap();
        let fast = from_slice(&json, Format::Json).unwrap();
        prop_assert_eq!(doubles(&fast), doubles(&serde_json::from_slice::<Pack>(&json).unwrap()));
        let mut cbor = Vec::new();
        ciborium::into_writer(&pack, &mut cbor).unwrap();
        let fast = from_slice(&cbor, Format::Cbor).unwrap();
        prop_assert_eq!(&fast, &ciborium::from_reader::<Pack, _>(cbor.as_slice()).unwrap());
    }

    #[test]
    fn one_pass_resolves_as_the_pack_does(pack in pack()) {
        let expected = pack.resolve(None).unwrap();
        for format in [Format::Json, Format::Cbor] {
            let bytes = to_vec(&pack, format).unwrap();
            prop_assert_eq!(&resolved(&bytes, format).unwrap(), &expected);
        }
    }

    #[test]
    fn resolving_again_changes_nothing(pack in pack()) {
        let once = pack.resolve(None).unwrap();
        prop_assert_eq!(once.to_pack().unwrap().resolve(None).unwrap(), once);
    }

    #[test]
    fn compact_packs_mean_the_same_in_no_more_bytes(pack in pack()) {
        let once = pack.resolve(None).unwrap();
        for format in [Format::Json, Format::Cbor] {
            let compact = pack.compact(format).unwrap();
            prop_assert_eq!(&compact.resolve(None).unwrap(), &once);
            let length = |pack: &Pack| to_vec(pack, format).unwrap().len();
            prop_assert!(length(&compact) <= length(&once.to_pack().unwrap()), "{} {}", String::from_utf8_lossy(&to_vec(&compact, Format::Json).unwrap()), String::from_utf8_lossy(&to_vec(&once.to_pack().unwrap(), Format::Json).unwrap()));
        }
    }

    #[test]
    fn the_parts_of_a_pack_mean_the_same_together(pack in pack(), max in 60usize..400) {
        for format in [Format::Json, Format::Cbor] {
            let Ok(parts) = pack.split(max, format, Decimals::Fractions) else { continue };
            let mut together = Vec::new();
            for part in &parts {
                prop_assert!(to_vec(part, format).unwrap().len() <= max);
                let mut resolver = Resolver::new();
                let bytes = to_vec(part, format).unwrap();
                let readings = resolver.read(&bytes, format).unwrap();
                readings.for_each(|reading| together.push(ReadingBuf::from(reading))).unwrap();
            }
            let mut whole = Resolved::default();
            whole.extend(together);
            prop_assert_eq!(whole, pack.resolve(None).unwrap());
        }
    }

    #[test]
    fn every_truncation_is_an_error(pack in pack()) {
        for format in [Format::Json, Format::Cbor] {
            let bytes = to_vec(&pack, format).unwrap();
            for length in 0..bytes.len() {
                let kind = from_slice(&bytes[..length], format).unwrap_err().kind();
                prop_assert_eq!(kind, ErrorKind::Truncated, "{} of {}", length, bytes.len());
            }
        }
    }

    #[test]
    fn a_stream_is_the_same_however_it_is_cut(pack in pack(), cut in 1usize..50) {
        for format in [Format::Json, Format::Cbor] {
            let bytes = to_vec(&pack, format).unwrap();
            let mut decoder = StreamDecoder::new(format);
            let mut streamed = Vec::new();
            for chunk in bytes.chunks(cut) {
                decoder.feed(chunk);
                while let Some(reading) = decoder.next(None).unwrap() {
                    streamed.push(ReadingBuf::from(reading));
                }
            }
            prop_assert!(decoder.has_ended() && decoder.is_complete());
            let mut resolver = Resolver::new();
            let mut whole = Vec::new();
            let readings = resolver.read(&bytes, format).unwrap();
            readings.for_each(|reading| whole.push(ReadingBuf::from(reading))).unwrap();
            prop_assert_eq!(streamed, whole);
        }
    }

    #[test]
    fn any_text_is_taken_or_refused_as_serde_json_does(text in json_text()) {
        let fast = from_slice(text.as_bytes(), Format::Json).map_err(|error| error.kind());
        let oracle = serde_json::from_str::<Pack>(&text);
        prop_assert_eq!(fast.is_ok(), oracle.is_ok(), "{:?} {:?}", fast, oracle);
        if let (Ok(fast), Ok(oracle)) = (fast, oracle) {
            prop_assert_eq!(doubles(&fast), doubles(&oracle));
        }
        let pull = resolved(text.as_bytes(), Format::Json);
        prop_assert_eq!(pull.is_ok(), from_slice(text.as_bytes(), Format::Json).is_ok());
    }

    #[test]
    fn any_bytes_are_taken_or_refused_as_ciborium_does(bytes in cbor_bytes()) {
        let fast = from_slice(&bytes, Format::Cbor);
        let mut rest = bytes.as_slice();
        // ciborium leaves alone what follows.
        let oracle = ciborium::from_reader::<Pack, _>(&mut rest).ok().filter(|_| rest.is_empty());
        if let (Ok(fast), Some(oracle)) = (&fast, &oracle) {
            prop_assert_eq!(fast, oracle);
        }
        prop_assert_eq!(fast.is_ok(), resolved(&bytes, Format::Cbor).is_ok());
        // ciborium takes some strings and tags that are not SenML's; never the other way round.
        prop_assert!(fast.is_err() || oracle.is_some(), "{:?}", fast);
    }

    #[test]
    fn decimals_parse_to_the_nearest_double(mantissa in any::<i64>(), exponent in -340i32..308) {
        let text = format!("{mantissa}e{exponent}");
        let double: f64 = text.parse().unwrap();
        match text.parse::<Number>() {
            Ok(number) => prop_assert_eq!(number.to_f64(), double),
            Err(_) => prop_assert!(double.is_infinite()),
        }
    }

    #[test]
    fn doubles_print_as_the_shortest_text_that_reads_back(value in any::<f64>()) {
        prop_assume!(value.is_finite());
        let text = Number::new(value).unwrap().to_string();
        prop_assert_eq!(text.parse::<f64>().unwrap(), value);
        let digits = |text: &str| text.split('e').next().unwrap().bytes().filter(u8::is_ascii_digit).count();
        let shortest = format!("{value:e}");
        let zeros = text.bytes().filter(|byte| *byte == b'0').count();
        prop_assert!(digits(&text) <= digits(&shortest) + zeros);
    }

    #[test]
    fn base_time_plus_time_is_the_sum_of_the_decimals(base in any::<i64>(), time in any::<i32>(), places in 0i16..10) {
        let base = base / 4;
        let number = |mantissa: i64| Number::decimal(mantissa, -places).unwrap();
        let record = Record::new("a").with_base_time(number(base)).with_time(number(time.into())).with_value(1).unwrap();
        let split = Pack::from_records([record]).unwrap().resolve(None).unwrap();
        let record = Record::new("a").with_time(number(base + i64::from(time))).with_value(1).unwrap();
        let direct = Pack::from_records([record]).unwrap().resolve(None).unwrap();
        prop_assert_eq!(split, direct);
    }

    #[test]
    fn order_is_total_and_agrees_with_equality(a in number(), b in number(), c in number()) {
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
        prop_assert!(a.to_f64() <= b.to_f64() || a > b);
    }
}

/// Text that is often a pack, and often nearly one.
fn json_text() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        number().prop_map(|number| number.to_string()),
        "-?[0-9]{1,22}(\\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?",
        Just("\"a\\u00e9\\ud83d\\ude00\\n\"".to_string()),
        Just("\"\\ud83d\"".to_string()),
        Just("\"aGk\"".to_string()),
        Just("\"60\"".to_string()),
        Just("\"dev:1\"".to_string()),
        Just("true".to_string()),
        Just("null".to_string()),
        Just("{\"x\":[1,{}]}".to_string()),
        Just("1e400".to_string()),
        Just("01".to_string()),
        Just("1E3".to_string()),
    ];
    let label = prop_oneof![
        8 => prop_oneof![
            Just("n"), Just("v"), Just("u"), Just("t"), Just("s"), Just("vs"), Just("vb"), Just("vd"), Just("ut"),
            Just("bn"), Just("bt"), Just("bu"), Just("bv"), Just("bs"), Just("bver"), Just("ct"), Just("bct")
        ],
        1 => prop_oneof![Just("x"), Just("y_"), Just("bz"), Just("\\u006e"), Just("N")],
    ];
    let space = prop_oneof![9 => Just(""), 1 => Just(" \n\t")];
    let member = (label, value, space.clone(), space.clone()).prop_map(|(label, value, before, after)| {
        format!("{before}\"{label}\"{after}:{before}{value}{after}")
    });
    let named = prop_oneof![
        Just("\"n\":\"a\",\"v\":1"),
        Just("\"n\":\"b\""),
        Just("\"bn\":\"c\",\"vs\":\"d\"")
    ];
    let record = (named, proptest::collection::vec(member, 0..4)).prop_map(|(named, members)| {
        format!("{{{}}}", [vec![named.to_string()], members].concat().join(","))
    });
    (
        proptest::collection::vec(record, 1..3),
        space,
        prop_oneof![9 => Just("]"), 1 => Just("]]")],
    )
        .prop_map(|(records, space, end)| format!("{space}[{}{end}{space}", records.join(",")))
}

/// Bytes of a pack, some of them changed.
fn cbor_bytes() -> impl Strategy<Value = Vec<u8>> {
    (
        pack(),
        proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    )
        .prop_map(|(pack, changes)| {
            let mut bytes = to_vec(&pack, Format::Cbor).unwrap();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        })
}

#[test]
fn now_makes_relative_times_absolute() {
    let pack = from_slice(br#"[{"n":"a","t":-5.5,"v":1}]"#, Format::Json).unwrap();
    let resolved = pack.resolve(Nanos::from_seconds(1_700_000_000)).unwrap();
    let time = resolved.iter().next().unwrap().time.since_1970();
    assert_eq!(time, Some(Nanos::new(1_699_999_994_500_000_000)));
    assert!(Pack::from_slice(b"[]", Format::Json, Strictness::STRICT).is_err());
}
