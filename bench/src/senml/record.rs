//! The record that a user of serde writes for SenML, and the resolving that has to be written beside it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Add;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A SenML record as serde derives it. `S` is `String`, or [`Text`] to borrow what has no escapes.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, bound(deserialize = "S: Default + Deserialize<'de>"))]
pub struct Record<S> {
    #[serde(rename = "bver", skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    #[serde(rename = "bn", skip_serializing_if = "Option::is_none")]
    pub base_name: Option<S>,
    #[serde(rename = "bt", skip_serializing_if = "Option::is_none")]
    pub base_time: Option<f64>,
    #[serde(rename = "bu", skip_serializing_if = "Option::is_none")]
    pub base_unit: Option<S>,
    #[serde(rename = "bv", skip_serializing_if = "Option::is_none")]
    pub base_value: Option<f64>,
    #[serde(rename = "bs", skip_serializing_if = "Option::is_none")]
    pub base_sum: Option<f64>,
    #[serde(rename = "n", skip_serializing_if = "Option::is_none")]
    pub name: Option<S>,
    #[serde(rename = "u", skip_serializing_if = "Option::is_none")]
    pub unit: Option<S>,
    #[serde(rename = "t", skip_serializing_if = "Option::is_none")]
    pub time: Option<f64>,
    #[serde(rename = "v", skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    #[serde(rename = "vs", skip_serializing_if = "Option::is_none")]
    pub text: Option<S>,
    #[serde(rename = "vb", skip_serializing_if = "Option::is_none")]
    pub boolean: Option<bool>,
    #[serde(rename = "vd", skip_serializing_if = "Option::is_none")]
    pub data: Option<S>,
    #[serde(rename = "ut", skip_serializing_if = "Option::is_none")]
    pub update_time: Option<f64>,
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    pub sum: Option<f64>,
}

/// A string that is borrowed from the input where that is possible.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The value of a reading.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    Number(f64),
    Text(&'a str),
    Boolean(bool),
}

/// A resolved record.
pub struct Reading<'a> {
    pub name: &'a str,
    pub unit: Option<&'a str>,
    pub time: f64,
    pub value: Value<'a>,
    pub sum: Option<f64>,
}

/// The base fields in effect: what resolving needs beside the records.
#[derive(Default)]
pub struct Bases {
    base_name: String,
    base_time: f64,
    base_unit: Option<String>,
    base_value: f64,
    base_sum: Option<f64>,
    name: String,
}

impl Bases {
    /// Forgets the last pack but keeps its buffers.
    pub fn restart(&mut self) {
        self.base_name.clear();
        self.base_unit = None;
        (self.base_time, self.base_value, self.base_sum) = (0.0, 0.0, None);
    }

    /// What the record means on its own.
    pub fn resolve<'r, S: AsRef<str>>(&'r mut self, record: &'r Record<S>) -> Reading<'r> {
        if let Some(name) = &record.base_name {
            self.base_name.clear();
            self.base_name.push_str(name.as_ref());
        }
        if let Some(unit) = &record.base_unit {
            self.base_unit = Some(unit.as_ref().to_owned());
        }
        self.base_time = record.base_time.unwrap_or(self.base_time);
        self.base_value = record.base_value.unwrap_or(self.base_value);
        self.base_sum = record.base_sum.or(self.base_sum);
        self.name.clear();
        self.name.push_str(&self.base_name);
        self.name.push_str(record.name.as_ref().map_or("", AsRef::as_ref));
        let value = match (record.value, &record.text, record.boolean) {
            (Some(number), None, None) => Value::Number(self.base_value + number),
            (None, Some(text), None) => Value::Text(text.as_ref()),
            (None, None, Some(boolean)) => Value::Boolean(boolean),
            _ => panic!("a record has one value"),
        };
        Reading {
            name: &self.name,
            unit: record
                .unit
                .as_ref()
                .map(AsRef::as_ref)
                .or(self.base_unit.as_deref()),
            time: self.base_time + record.time.unwrap_or_default(),
            value,
            sum: match (self.base_sum, record.sum) {
                (None, None) => None,
                (base, sum) => Some(base.unwrap_or_default() + sum.unwrap_or_default()),
            },
        }
    }
}

/// Resolves the records of a pack as the deserializer gives them, without a list of them in between.
pub struct Streamed<'b, F> {
    pub bases: &'b mut Bases,
    pub visit: F,
}

impl<'de, F: FnMut(&Reading<'_>)> Visitor<'de> for Streamed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pack")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut records: A) -> Result<(), A::Error> {
        self.bases.restart();
        while let Some(record) = records.next_element::<Record<Text<'de>>>()? {
            (self.visit)(&self.bases.resolve(&record));
        }
        Ok(())
    }
}

/// What a pack says in figures, so that nobody wins by not reading.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    readings: usize,
    bytes: usize,
    seconds: f64,
    numbers: f64,
}

impl Tally {
    /// One reading.
    pub fn reading(name: &str, unit: Option<&str>, time: f64, value: Value<'_>, sum: Option<f64>) -> Self {
        let (text, number) = match value {
            Value::Number(number) => (0, number),
            Value::Text(text) => (text.len(), 0.0),
            Value::Boolean(boolean) => (0, f64::from(u8::from(boolean))),
        };
        Self {
            readings: 1,
            bytes: name.len() + unit.map_or(0, str::len) + text,
            seconds: time,
            numbers: number + sum.unwrap_or_default(),
        }
    }
}

impl From<&Reading<'_>> for Tally {
    fn from(reading: &Reading<'_>) -> Self {
        Self::reading(
            reading.name,
            reading.unit,
            reading.time,
            reading.value,
            reading.sum,
        )
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            readings: self.readings + other.readings,
            bytes: self.bytes + other.bytes,
            seconds: self.seconds + other.seconds,
            numbers: self.numbers + other.numbers,
        }
    }
}

impl PartialEq for Tally {
    fn eq(&self, other: &Self) -> bool {
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0);
        (self.readings, self.bytes) == (other.readings, other.bytes)
            && close(self.seconds, other.seconds)
            && close(self.numbers, other.numbers)
    }
}

/// The record with the integer labels that SenML has in CBOR, which serde's derive cannot write.
pub struct Labelled<S>(pub Record<S>);

impl<'de, S: Default + Deserialize<'de>> Deserialize<'de> for Labelled<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LabelledVisitor(Record::default()))
    }
}

struct LabelledVisitor<S>(Record<S>);

impl<'de, S: Deserialize<'de>> Visitor<'de> for LabelledVisitor<S> {
    type Value = Labelled<S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Labelled<S>, A::Error> {
        let Self(mut record) = self;
        while let Some(label) = members.next_key::<i8>()? {
            match label {
                -2 => record.base_name = Some(members.next_value()?),
                -3 => record.base_time = Some(members.next_value()?),
                -4 => record.base_unit = Some(members.next_value()?),
                -5 => record.base_value = Some(members.next_value()?),
                -6 => record.base_sum = Some(members.next_value()?),
                0 => record.name = Some(members.next_value()?),
                1 => record.unit = Some(members.next_value()?),
                2 => record.value = Some(members.next_value()?),
                3 => record.text = Some(members.next_value()?),
                4 => record.boolean = Some(members.next_value()?),
                5 => record.sum = Some(members.next_value()?),
                6 => record.time = Some(members.next_value()?),
                7 => record.update_time = Some(members.next_value()?),
                -1 => record.version = Some(members.next_value()?),
                _ => {
                    members.next_value::<serde::de::IgnoredAny>()?;
                }
            }
        }
        Ok(Labelled(record))
    }
}

impl<S: Serialize> Serialize for Labelled<S> {
    fn serialize<T: serde::Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        use serde::ser::SerializeMap;

        let Self(record) = self;
        let numbers = [
            (-3, record.base_time),
            (-5, record.base_value),
            (-6, record.base_sum),
            (6, record.time),
            (7, record.update_time),
            (2, record.value),
            (5, record.sum),
        ];
        let texts = [
            (-2, &record.base_name),
            (-4, &record.base_unit),
            (0, &record.name),
            (1, &record.unit),
            (3, &record.text),
        ];
        let len = numbers.iter().filter(|(_, number)| number.is_some()).count()
            + texts.iter().filter(|(_, text)| text.is_some()).count()
            + usize::from(record.boolean.is_some());
        let mut map = serializer.serialize_map(Some(len))?;
        for (label, text) in texts {
            if let Some(text) = text {
                map.serialize_entry::<i8, S>(&label, text)?;
            }
        }
        for (label, number) in numbers {
            if let Some(number) = number {
                map.serialize_entry::<i8, f64>(&label, &number)?;
            }
        }
        if let Some(boolean) = record.boolean {
            map.serialize_entry::<i8, bool>(&4, &boolean)?;
        }
        map.end()
    }
}
