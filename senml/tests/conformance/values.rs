//! Times, values, sums and numbers.

use manywire_senml::{
    Format, Fragment, Nanos, Number, Record, Resolver, StreamDecoder, Time, Value, from_slice,
};

use crate::{E, cbor, refused, resolved, text};

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
