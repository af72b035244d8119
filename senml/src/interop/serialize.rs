//! Writing with serde.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::label::Label;
use crate::{Extension, ExtensionValue, Number, Pack, Record, Resolved, Value, base64url};

/// A whole number as an integer, everything else as the nearest double: serde has no decimals.
impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nearest = self.to_f64();
        match self.to_i64().or_else(|| Self::new(nearest).ok()?.to_i64()) {
            Some(integer) => serializer.serialize_i64(integer),
            None => serializer.serialize_f64(nearest),
        }
    }
}

impl Serialize for Pack {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(Some(self.len()))?;
        for record in self {
            array.serialize_element(record)?;
        }
        array.end()
    }
}

/// As the pack in resolved form.
impl Serialize for Resolved {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.as_slice().iter().map(crate::ReadingBuf::to_record))
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text_labels = serializer.is_human_readable();
        let count = self.fields().present.count_ones() as usize + self.extensions.len();
        let mut map = Fields {
            map: serializer.serialize_map(Some(count))?,
            text_labels,
        };
        map.optional(Label::BaseVersion, self.version().map(crate::Version::number))?;
        map.optional(Label::BaseName, self.base_name())?;
        map.optional(Label::BaseTime, self.base_time())?;
        map.optional(Label::BaseUnit, self.base_unit())?;
        map.optional(Label::BaseValue, self.base_value())?;
        map.optional(Label::BaseSum, self.base_sum())?;
        map.optional(Label::BaseContentFormat, self.base_content_format())?;
        map.optional(Label::Name, self.name())?;
        map.optional(Label::Unit, self.unit())?;
        map.value(self.value())?;
        map.optional(Label::Sum, self.sum())?;
        map.optional(Label::Time, self.time())?;
        map.optional(Label::UpdateTime, self.update_time())?;
        map.optional(Label::ContentFormat, self.content_format())?;
        for Extension { label, value } in &self.extensions {
            map.map.serialize_entry(label, value)?;
        }
        map.map.end()
    }
}

struct Fields<M> {
    map: M,
    text_labels: bool,
}

impl<M: SerializeMap> Fields<M> {
    fn optional(&mut self, label: Label, value: Option<impl Serialize>) -> Result<(), M::Error> {
        match (value, label.integer()) {
            (None, _) => Ok(()),
            (Some(value), Some(integer)) if !self.text_labels => self.map.serialize_entry(&integer, &value),
            (Some(value), _) => self.map.serialize_entry(label.text(), &value),
        }
    }

    fn value(&mut self, value: Option<Value<'_>>) -> Result<(), M::Error> {
        match value {
            None => Ok(()),
            Some(Value::Number(number)) => self.optional(Label::Value, Some(number)),
            Some(Value::Text(text)) => self.optional(Label::StringValue, Some(text)),
            Some(Value::Boolean(value)) => self.optional(Label::BooleanValue, Some(value)),
            Some(Value::Data(data)) => self.optional(Label::DataValue, Some(Data(data))),
            Some(Value::ObjectLink(link)) => self.optional(Label::ObjectLink, Some(link)),
        }
    }
}

/// Bytes, or base64url where the format is for people.
struct Data<'a>(&'a [u8]);

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&base64url::text(self.0))
        } else {
            serializer.serialize_bytes(self.0)
        }
    }
}

impl Serialize for ExtensionValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Data(data) => Data(data).serialize(serializer),
            Self::Array(values) => serializer.collect_seq(values),
            Self::Map(entries) => {
                serializer.collect_map(entries.iter().map(|entry| (&entry.label, &entry.value)))
            }
        }
    }
}
