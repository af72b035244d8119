//! Laws of SenML packs, for any bytes.

use manywire_senml::{
    Decimals, Error, ErrorKind, Extension, ExtensionValue, Format, Pack, Patch, ReadingBuf, Readings,
    Resolved, Resolver, StreamDecoder, Strictness, from_slice, to_vec,
};
use serde_json::Value;

/// The JSON reader takes what serde_json takes and finds the same; the one-pass resolver agrees.
pub fn json(bytes: &[u8]) {
    let fast = from_slice(bytes, Format::Json);
    let oracle = serde_json::from_slice::<Pack>(bytes);
    match (&fast, &oracle) {
        (Ok(fast), Ok(oracle)) => {
            assert_eq!(doubles(fast), doubles(oracle), "the readers find different packs")
        }
        (Err(error), Ok(_)) => assert!(is_limit(error), "only the oracle takes it: {error}"),
        (Ok(_), Err(error)) => panic!("only the reader takes it, the oracle says {error}"),
        (Err(_), Err(_)) => {}
    }
    agrees_with_the_resolver(bytes, Format::Json, &fast);
}

/// The CBOR reader takes nothing that ciborium refuses and finds the same; the one-pass resolver agrees.
pub fn cbor(bytes: &[u8]) {
    let fast = from_slice(bytes, Format::Cbor);
    if let Ok(fast) = &fast {
        match ciborium::from_reader::<Pack, _>(bytes) {
            Ok(oracle) => assert_eq!(*fast, oracle, "the readers find different packs"),
            // Simple values without a meaning may stand in fields that are ignored; ciborium has no word for them.
            Err(ciborium::de::Error::Semantic(_, why)) if why.contains("simple") => {}
            Err(error) => panic!("only the reader takes it, the oracle says {error}"),
        }
    }
    agrees_with_the_resolver(bytes, Format::Cbor, &fast);
}

/// A pack means the same when it is written, compacted, split or converted.
pub fn same_meaning(bytes: &[u8]) {
    for format in [Format::Json, Format::Cbor] {
        let Ok(pack) = from_slice(bytes, format) else {
            continue;
        };
        if pack.is_empty() {
            continue;
        }
        let meaning = pack.resolve(None).expect("its records were checked");
        for other in [Format::Json, Format::Cbor] {
            let written = to_vec(&pack, other).expect("it has records");
            let again = from_slice(&written, other).expect("what was written");
            if other == Format::Json && has_bytes(&pack) {
                let written_again = to_vec(&again, other).expect("it has records");
                assert_eq!(written_again, written, "converting changes it");
            } else {
                assert_eq!(again, pack, "converting changes it");
            }
            if !meaning.is_empty() {
                let compact = pack.compact(other).expect("its records were checked");
                assert_eq!(
                    compact.resolve(None).expect("so is this"),
                    meaning,
                    "compacting changes it"
                );
            }
            let longest = written.len() / 2 + 64;
            if let Ok(parts) = pack.split(longest, other, Decimals::Fractions) {
                // What the format itself changes, bytes in fields that are not known, the parts change too.
                let whole = again.resolve(None).expect("its records were checked");
                assert!(
                    together(&parts, other).iter().eq(whole.iter()),
                    "splitting changes it"
                );
            }
        }
    }
}

/// Every cut of a pack is an error, and a stream of it is the same however it is cut.
pub fn truncation(bytes: &[u8]) {
    for format in [Format::Json, Format::Cbor] {
        let Ok(pack) = from_slice(bytes, format) else {
            continue;
        };
        let end = if format == Format::Json {
            bytes.trim_ascii_end().len()
        } else {
            bytes.len()
        };
        for length in 0..end {
            let kind = from_slice(&bytes[..length], format)
                .expect_err("a part is no pack")
                .kind();
            assert_eq!(kind, ErrorKind::Truncated, "cut at {length}");
        }
        let mut decoder = StreamDecoder::with_strictness(format, Strictness::DEFAULT).max_record(1 << 20);
        let mut streamed = Resolved::default();
        let mut readings = Vec::new();
        for chunk in bytes.chunks(1 + bytes.len() % 7) {
            decoder.feed(chunk);
            while let Some(reading) = decoder.next(None).expect("a pack is a stream that ends") {
                readings.push(ReadingBuf::from(reading));
            }
        }
        streamed.extend(readings);
        let whole = pack.resolve(None).expect("its records were checked");
        assert!(streamed.iter().eq(whole.iter()), "the stream has other readings");
    }
}

/// A patch that fails leaves the pack as it was, and one that does not gives a pack that can be written.
pub fn patch(bytes: &[u8]) {
    let at = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len() / 2);
    let (target, change) = bytes.split_at(at);
    let change = change.get(1..).unwrap_or_default();
    let Ok(mut pack) = from_slice(target, Format::Json) else {
        return;
    };
    let Ok(patch) = Patch::from_slice(change, Format::Json) else {
        return;
    };
    let before = pack.clone();
    match patch.apply(&mut pack) {
        Err(_) => assert_eq!(pack, before, "a patch that fails changed something"),
        Ok(()) => {
            let written = pack
                .to_vec_or_empty(Format::Cbor, Decimals::Fractions)
                .expect("a pack");
            // Fields that must be understood may come in by a patch, and are refused by readers. RFC 8790 §5
            if let Ok(again) = from_slice(&written, Format::Cbor) {
                assert_eq!(again, pack);
            }
        }
    }
}

/// The pack with the nearest doubles for its numbers: serde has no decimals.
fn doubles(pack: &Pack) -> Value {
    fn as_doubles(value: Value) -> Value {
        match value {
            Value::Number(number) => number.as_f64().into(),
            Value::Array(values) => values.into_iter().map(as_doubles).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(label, value)| (label, as_doubles(value)))
                .collect(),
            other => other,
        }
    }
    as_doubles(serde_json::to_value(pack).expect("any pack"))
}

/// Whether there are bytes in fields that are not known. They are text in JSON, and nothing says that they were bytes.
fn has_bytes(pack: &Pack) -> bool {
    fn any(value: &ExtensionValue) -> bool {
        match value {
            ExtensionValue::Data(_) => true,
            ExtensionValue::Array(values) => values.iter().any(any),
            ExtensionValue::Map(entries) => in_entries(entries),
            _ => false,
        }
    }
    fn in_entries(entries: &[Extension]) -> bool {
        entries.iter().any(|entry| any(&entry.value))
    }
    pack.records()
        .iter()
        .any(|record| in_entries(record.extensions()))
}

/// Whether the error is a limit that the oracle does not have.
fn is_limit(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::TooManyFields | ErrorKind::TooDeep | ErrorKind::TooManyRecords
    )
}

fn agrees_with_the_resolver(bytes: &[u8], format: Format, pack: &Result<Pack, Error>) {
    let readings = Resolver::new().read(bytes, format).and_then(Readings::collect);
    match (pack, readings) {
        (Ok(pack), Ok(readings)) => {
            let resolved = pack.resolve(None).expect("its records were checked");
            assert!(
                resolved.iter().eq(readings.iter()),
                "one pass finds other readings"
            );
        }
        (Err(_), Err(_)) => {}
        (pack, readings) => panic!("the pack is {pack:?}, its readings are {readings:?}"),
    }
}

fn together(parts: &[Pack], format: Format) -> Resolved {
    let mut readings = Vec::new();
    for part in parts {
        let bytes = to_vec(part, format).expect("a part has records");
        let mut resolver = Resolver::new();
        let part = resolver.read(&bytes, format).expect("what was written");
        part.for_each(|reading| readings.push(ReadingBuf::from(reading)))
            .expect("what was written");
    }
    let mut resolved = Resolved::default();
    resolved.extend(readings);
    resolved
}
