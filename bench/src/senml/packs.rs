//! The packs that are read and written, and what they say.

use std::fmt::Write;

use ciborium::Value as Cbor;

use super::record::{Labelled, Record, Tally, Value};

/// What kind of pack.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Base name, base time and base unit once; every record has a name, a unit, a time and a number.
    Compact,
    /// The same readings with full names and absolute times.
    Resolved,
    /// Numbers, texts, booleans and sums, some without a unit or a time.
    Mixed,
}

impl Kind {
    /// As the names of the cases end.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Compact => "",
            Self::Resolved => "-resolved",
            Self::Mixed => "-mixed",
        }
    }
}

/// A pack in all its forms.
pub struct Pack {
    pub records: Vec<Record<String>>,
    pub json: Vec<u8>,
    /// With the shortest floats that are exact.
    pub cbor: Vec<u8>,
    /// With doubles only.
    pub cbor_doubles: Vec<u8>,
    pub tally: Tally,
}

const BASE_NAME: &str = "urn:dev:ow:10e2073a01080063:";
const BASE_TIME: f64 = 1_700_000_000.0;
const NAMES: [(&str, &str); 4] = [
    ("temp-in", "Cel"),
    ("humidity", "%RH"),
    ("voltage", "V"),
    ("current", "A"),
];

impl Pack {
    /// A pack of `len` records.
    pub fn new(kind: Kind, len: usize) -> Self {
        let records: Vec<_> = (0..len).map(|index| record(kind, index)).collect();
        let mut json = String::from("[");
        for (index, record) in records.iter().enumerate() {
            if index > 0 {
                json.push(',');
            }
            write_json(record, &mut json);
        }
        json.push(']');
        let mut cbor = Vec::new();
        let array = Cbor::Array(records.iter().map(cbor_value).collect());
        ciborium::into_writer(&array, &mut cbor).expect("a vector takes everything");
        let labelled: Vec<_> = records.iter().cloned().map(Labelled).collect();
        let cbor_doubles = cbor4ii::serde::to_vec(Vec::new(), &labelled).expect("a vector takes everything");
        let tally = (0..len).fold(Tally::default(), |tally, index| tally + expected(kind, index));
        Self {
            records,
            json: json.into_bytes(),
            cbor,
            cbor_doubles,
            tally,
        }
    }
}

fn record(kind: Kind, index: usize) -> Record<String> {
    let (name, unit) = NAMES[index % NAMES.len()];
    let value = (2_000 + index * 37 % 1_999) as f64 / 100.0;
    let time = (index % 4_000) as f64 / 4.0;
    let mut record = Record {
        name: Some(name.to_owned()),
        unit: Some(unit.to_owned()),
        time: Some(time),
        value: Some(value),
        ..Record::default()
    };
    if kind == Kind::Resolved {
        record.name = Some(format!("{BASE_NAME}{name}"));
        record.time = Some(BASE_TIME + time);
        return record;
    }
    if index == 0 {
        record.base_name = Some(BASE_NAME.to_owned());
        record.base_time = Some(BASE_TIME);
        record.base_unit = Some("Cel".to_owned());
    }
    if kind == Kind::Mixed {
        match index % 5 {
            1 => (record.value, record.text) = (None, Some("open since yesterday".to_owned())),
            2 => (record.value, record.boolean) = (None, Some(true)),
            3 => (record.unit, record.sum) = (None, Some(value * 4.0)),
            4 => record.time = None,
            _ => {}
        }
    }
    record
}

/// What the record of this index says once it is resolved.
fn expected(kind: Kind, index: usize) -> Tally {
    let record = record(kind, index);
    let (name, unit) = NAMES[index % NAMES.len()];
    let value = match (record.value, &record.text, record.boolean) {
        (Some(number), ..) => Value::Number(number),
        (_, Some(text), _) => Value::Text(text),
        (_, _, Some(boolean)) => Value::Boolean(boolean),
        _ => unreachable!("every record has a value"),
    };
    let unit = record.unit.as_deref().map_or("Cel", |_| unit);
    let time = match kind {
        Kind::Resolved => record.time.unwrap_or_default(),
        _ => BASE_TIME + record.time.unwrap_or_default(),
    };
    Tally::reading(&format!("{BASE_NAME}{name}"), Some(unit), time, value, record.sum)
}

fn write_json(record: &Record<String>, json: &mut String) {
    let mut separator = '{';
    let mut member = |label: &str, value: String| {
        write!(json, "{separator}\"{label}\":{value}").expect("a string takes everything");
        separator = ',';
    };
    let quoted = |text: &String| format!("\"{text}\"");
    let mut optional =
        |label, value: Option<String>| value.into_iter().for_each(|value| member(label, value));
    optional("bn", record.base_name.as_ref().map(quoted));
    optional("bt", record.base_time.map(|time| time.to_string()));
    optional("bu", record.base_unit.as_ref().map(quoted));
    optional("n", record.name.as_ref().map(quoted));
    optional("u", record.unit.as_ref().map(quoted));
    optional("t", record.time.map(|time| time.to_string()));
    optional("v", record.value.map(|value| value.to_string()));
    optional("vs", record.text.as_ref().map(quoted));
    optional("vb", record.boolean.map(|value| value.to_string()));
    optional("s", record.sum.map(|sum| sum.to_string()));
    json.push('}');
}

fn cbor_value(record: &Record<String>) -> Cbor {
    let text = |text: &Option<String>| text.clone().map(Cbor::Text);
    let members = [
        (-2, text(&record.base_name)),
        (-3, record.base_time.map(Cbor::Float)),
        (-4, text(&record.base_unit)),
        (0, text(&record.name)),
        (1, text(&record.unit)),
        (6, record.time.map(Cbor::Float)),
        (2, record.value.map(Cbor::Float)),
        (3, text(&record.text)),
        (4, record.boolean.map(Cbor::Bool)),
        (5, record.sum.map(Cbor::Float)),
    ];
    let members = members
        .into_iter()
        .filter_map(|(label, value)| Some((Cbor::Integer(label.into()), value?)));
    Cbor::Map(members.collect())
}
