//! Every JSON and CBOR example of the standards, and a few of ours, from `vectors/examples.txt`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::HashMap;

use manywire_senml::{
    Decimals, Fetch, Format, Pack, Patch, ReadingBuf, Resolved, Resolver, StreamDecoder, from_slice, to_vec,
};
use serde_json::Value;

type Example<'a> = (&'a str, HashMap<&'a str, &'a str>);

fn examples() -> Vec<Example<'static>> {
    let blocks = include_str!("vectors/examples.txt").split("\n\n").skip(1);
    blocks
        .map(|block| {
            let mut lines = block.trim().lines();
            let name = lines.next().unwrap();
            (name, lines.map(|line| line.split_once(": ").unwrap()).collect())
        })
        .collect()
}

/// The value with every number as a double: `1e3` and `1000` are the same.
fn value(bytes: &[u8]) -> Value {
    fn as_doubles(value: Value) -> Value {
        match value {
            Value::Number(number) => number.as_f64().unwrap().into(),
            Value::Array(values) => values.into_iter().map(as_doubles).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(label, value)| (label, as_doubles(value)))
                .collect(),
            other => other,
        }
    }
    as_doubles(serde_json::from_slice(bytes).unwrap())
}

fn json(pack: &Pack) -> Value {
    value(&pack.to_vec_or_empty(Format::Json, Decimals::Fractions).unwrap())
}

/// As in `value`; packs that differ in their base fields alone are the same.
fn resolved(pack: &Pack) -> Value {
    json(&pack.resolve(None).unwrap().to_pack().unwrap())
}

fn resolved_text(text: &str) -> Value {
    resolved(&from_slice(text.as_bytes(), Format::Json).unwrap())
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    (0..hexadecimal.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn every_example_resolves_as_the_standard_says() {
    let mut count = 0;
    for (name, example) in examples() {
        let (Some(input), Some(expected)) = (example.get("json"), example.get("resolved")) else {
            continue;
        };
        count += 1;
        let pack = from_slice(input.as_bytes(), Format::Json).unwrap();
        assert_eq!(
            json(&pack),
            value(input.as_bytes()),
            "{name} is written as it was read"
        );
        let expected = value(expected.as_bytes());
        assert_eq!(resolved(&pack), expected, "{name}");
        let cbor = example
            .get("cbor")
            .map_or_else(|| to_vec(&pack, Format::Cbor).unwrap(), |cbor| bytes(cbor));
        let mut resolver = Resolver::new();
        let collected = resolver.read(&cbor, Format::Cbor).unwrap().collect().unwrap();
        assert_eq!(json(&collected.to_pack().unwrap()), expected, "{name} in CBOR");
        for format in [Format::Json, Format::Cbor] {
            let compact = pack.compact(format).unwrap();
            assert_eq!(resolved(&compact), expected, "{name} compact");
        }
        let oracle: Pack = serde_json::from_str(input).unwrap();
        assert_eq!(json(&oracle), json(&pack), "{name} through serde_json");
        let oracle: Pack = ciborium::from_reader(cbor.as_slice()).unwrap();
        assert_eq!(resolved(&oracle), expected, "{name} through ciborium");
    }
    assert_eq!(count, 15);
}

#[test]
fn every_fetch_and_patch_does_what_the_standard_says() {
    let mut count = 0;
    for (name, example) in examples() {
        let Some(target) = example.get("target") else {
            continue;
        };
        count += 1;
        let mut pack = from_slice(target.as_bytes(), Format::Json).unwrap();
        if let Some(fetch) = example.get("fetch") {
            let answer = Fetch::from_slice(fetch.as_bytes(), Format::Json)
                .unwrap()
                .apply(&pack)
                .unwrap();
            assert_eq!(resolved(&answer), resolved_text(example["answer"]), "{name}");
        }
        if let Some(patch) = example.get("patch") {
            Patch::from_slice(patch.as_bytes(), Format::Json)
                .unwrap()
                .apply(&mut pack)
                .unwrap();
            assert_eq!(resolved(&pack), resolved_text(example["patched"]), "{name}");
        }
    }
    assert_eq!(count, 4);
}

#[test]
fn every_stream_gives_each_record_once_it_is_there() {
    let mut count = 0;
    for (name, example) in examples() {
        let Some(stream) = example.get("stream") else {
            continue;
        };
        count += 1;
        let mut decoder = StreamDecoder::new(Format::Json);
        let mut read = Vec::new();
        for byte in stream.bytes() {
            decoder.feed(&[byte]);
            if let Some(reading) = decoder.next(None).unwrap() {
                assert_eq!(byte, b'}', "{name}: the record is there at its last byte");
                read.push(ReadingBuf::from(reading));
            }
        }
        assert!(!decoder.has_ended(), "{name}");
        let mut resolved = Resolved::default();
        resolved.extend(read);
        assert_eq!(
            json(&resolved.to_pack().unwrap()),
            value(example["resolved"].as_bytes()),
            "{name}"
        );
    }
    assert_eq!(count, 1);
}
