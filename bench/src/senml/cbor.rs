//! The peers that read and write CBOR.

use minicbor::{Decode, Encode};

use super::record::{Bases, Labelled, Reading, Record, Tally, Text, Value};

/// ciborium through serde, then resolved.
pub fn ciborium(cbor: &[u8], bases: &mut Bases, mut visit: impl FnMut(&Reading<'_>)) {
    let records: Vec<Labelled<String>> = ciborium::from_reader(cbor).expect("the pack is valid");
    bases.restart();
    records.iter().for_each(|record| visit(&bases.resolve(&record.0)));
}

/// cbor4ii through serde with borrowed strings, then resolved.
pub fn cbor4ii(cbor: &[u8], bases: &mut Bases, mut visit: impl FnMut(&Reading<'_>)) {
    let records: Vec<Labelled<Text<'_>>> = cbor4ii::serde::from_slice(cbor).expect("the pack is valid");
    bases.restart();
    records.iter().for_each(|record| visit(&bases.resolve(&record.0)));
}

/// minicbor's derived decoding with borrowed strings; nothing is resolved.
pub fn minicbor(cbor: &[u8]) -> Vec<MiniRecord<'_>> {
    minicbor::decode(cbor).expect("the pack is valid")
}

/// The record as minicbor derives it.
#[derive(Clone, Debug, Decode, Encode)]
#[cbor(map)]
pub struct MiniRecord<'a> {
    #[n(-1)]
    version: Option<u64>,
    #[b(-2)]
    base_name: Option<&'a str>,
    #[n(-3)]
    base_time: Option<f64>,
    #[b(-4)]
    base_unit: Option<&'a str>,
    #[n(-5)]
    base_value: Option<f64>,
    #[n(-6)]
    base_sum: Option<f64>,
    #[b(0)]
    name: Option<&'a str>,
    #[b(1)]
    unit: Option<&'a str>,
    #[n(2)]
    value: Option<f64>,
    #[b(3)]
    text: Option<&'a str>,
    #[n(4)]
    boolean: Option<bool>,
    #[n(5)]
    sum: Option<f64>,
    #[n(6)]
    time: Option<f64>,
    #[n(7)]
    update_time: Option<f64>,
}

impl<'a> From<&'a Record<String>> for MiniRecord<'a> {
    fn from(record: &'a Record<String>) -> Self {
        Self {
            base_name: record.base_name.as_deref(),
            base_time: record.base_time,
            base_unit: record.base_unit.as_deref(),
            base_value: record.base_value,
            base_sum: record.base_sum,
            name: record.name.as_deref(),
            unit: record.unit.as_deref(),
            value: record.value,
            text: record.text.as_deref(),
            boolean: record.boolean,
            sum: record.sum,
            time: record.time,
            version: record.version,
            update_time: record.update_time,
        }
    }
}

/// What minicbor's records say, resolved here because only the decoding is its own.
pub fn tally_of_minicbor(records: &[MiniRecord<'_>]) -> Tally {
    let mut tally = Tally::default();
    let (mut base_name, mut base_time, mut base_unit) = ("", 0.0, None);
    for record in records {
        base_name = record.base_name.unwrap_or(base_name);
        base_time = record.base_time.unwrap_or(base_time);
        base_unit = record.base_unit.or(base_unit);
        let name = format!("{base_name}{}", record.name.unwrap_or_default());
        let value = match (record.value, record.text, record.boolean) {
            (Some(number), ..) => Value::Number(number),
            (_, Some(text), _) => Value::Text(text),
            (_, _, boolean) => Value::Boolean(boolean.expect("there is a value")),
        };
        let time = base_time + record.time.unwrap_or_default();
        tally = tally + Tally::reading(&name, record.unit.or(base_unit), time, value, record.sum);
    }
    tally
}
