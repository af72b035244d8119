//! The peers that read JSON, each as its own documentation reads it, and the resolving beside them.

use serde::Deserializer as _;
use serde::de::IgnoredAny;
use sindit_senml::{SenMLResolvedRecord, SenMLValueField, parse_json};

use super::record::{Bases, Reading, Record, Streamed, Tally, Text, Value};

/// serde_json: the derived record with owned strings, collected in a vector, then resolved.
pub fn serde_json(json: &[u8], bases: &mut Bases, mut visit: impl FnMut(&Reading<'_>)) {
    let records: Vec<Record<String>> = serde_json::from_slice(json).expect("the pack is valid");
    bases.restart();
    records.iter().for_each(|record| visit(&bases.resolve(record)));
}

/// serde_json once more, tuned: borrowed strings, and each record is resolved as it comes.
pub fn serde_json_borrowed(json: &[u8], bases: &mut Bases, visit: impl FnMut(&Reading<'_>)) {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    deserializer
        .deserialize_seq(Streamed { bases, visit })
        .expect("the pack is valid");
}

/// serde_json reading and keeping nothing: what the syntax alone costs it.
pub fn serde_json_ignored(json: &[u8]) -> IgnoredAny {
    serde_json::from_slice(json).expect("the pack is valid")
}

/// sonic-rs: SIMD, borrowed strings, each record resolved as it comes.
pub fn sonic_rs(json: &[u8], bases: &mut Bases, visit: impl FnMut(&Reading<'_>)) {
    let mut deserializer = sonic_rs::Deserializer::from_slice(json);
    deserializer
        .deserialize_seq(Streamed { bases, visit })
        .expect("the pack is valid");
}

/// simd-json: it writes into its input, so it gets a copy; its buffers are used again.
pub struct SimdJson {
    input: Vec<u8>,
    buffers: simd_json::Buffers,
}

impl SimdJson {
    /// With buffers for packs of this size.
    pub fn new(capacity: usize) -> Self {
        Self {
            input: Vec::with_capacity(capacity),
            buffers: simd_json::Buffers::new(capacity),
        }
    }

    /// Parses and resolves.
    pub fn read(&mut self, json: &[u8], bases: &mut Bases, mut visit: impl FnMut(&Reading<'_>)) {
        self.input.clear();
        self.input.extend_from_slice(json);
        let records: Vec<Record<Text<'_>>> =
            simd_json::serde::from_slice_with_buffers(&mut self.input, &mut self.buffers)
                .expect("the pack is valid");
        bases.restart();
        records.iter().for_each(|record| visit(&bases.resolve(record)));
    }
}

/// sindit-senml: the SenML crate on crates.io that resolves.
pub fn sindit_senml(json: &[u8]) -> Vec<SenMLResolvedRecord> {
    let json = std::str::from_utf8(json).expect("the pack is text");
    parse_json(json, None).expect("the pack is valid")
}

/// See [`Tally`].
pub fn tally_of_sindit(record: &SenMLResolvedRecord) -> Tally {
    let value = match record.value.as_ref().expect("there is a value") {
        SenMLValueField::FloatingPoint(number) => Value::Number(*number),
        SenMLValueField::StringValue(text) => Value::Text(text),
        SenMLValueField::BooleanValue(boolean) => Value::Boolean(*boolean),
        SenMLValueField::DataValue(_) => unreachable!("no pack has data"),
    };
    let time = record.time.timestamp_micros() as f64 / 1e6;
    Tally::reading(&record.name, record.unit.as_deref(), time, value, record.sum)
}
