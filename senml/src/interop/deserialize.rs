//! Reading with serde.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::number::NumberVisitor;
use crate::label::Label;
use crate::{
    Error, ErrorKind, Extension, ExtensionValue, Number, Pack, Record, Strictness, ValueBuf, Version,
    base64url,
};

impl<'de> Deserialize<'de> for Pack {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(PackVisitor)
    }
}

struct PackVisitor;

impl<'de> Visitor<'de> for PackVisitor {
    type Value = Pack;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SenML pack")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Pack, A::Error> {
        let mut pack = Pack::new();
        while let Some(record) = array.next_element::<Record>()? {
            pack.push_or_spoil(record).map_err(A::Error::custom)?;
        }
        Ok(pack)
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text_labels = deserializer.is_human_readable();
        deserializer.deserialize_map(RecordVisitor { text_labels })
    }
}

struct RecordVisitor {
    /// Whether known labels are text; integers otherwise.
    text_labels: bool,
}

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a SenML record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
        let mut record = Record::default();
        let mut present = 0;
        while let Some(key) = map.next_key::<Key>()? {
            match self.label(&key).map_err(A::Error::custom)? {
                Some(label) if present & label.bit() != 0 => {
                    return Err(A::Error::custom(ErrorKind::DuplicateLabel));
                }
                Some(label) => {
                    present |= label.bit();
                    let seed = Field {
                        record: &mut record,
                        label,
                        text_labels: self.text_labels,
                    };
                    map.next_value_seed(seed)?;
                }
                None => {
                    let value = map.next_value_seed(Nested {
                        left: Strictness::DEFAULT.nesting_limit(),
                    })?;
                    record.add_extension(key, value).map_err(A::Error::custom)?;
                }
            }
        }
        Ok(record)
    }
}

impl RecordVisitor {
    fn label(&self, key: &Key) -> Result<Option<Label>, ErrorKind> {
        match key {
            Key::Integer(integer) => Ok(i64::try_from(*integer).ok().and_then(Label::from_integer)),
            Key::Text(text) => {
                let label = Label::from_text(text);
                let has_integer = label.and_then(Label::integer).is_some();
                // The standard's own labels are integers in CBOR, and nothing else.
                if has_integer && !self.text_labels {
                    Err(ErrorKind::LabelForm)
                } else {
                    Ok(label)
                }
            }
        }
    }
}

impl Record {
    fn add_extension(&mut self, key: Key, value: ExtensionValue) -> Result<(), ErrorKind> {
        let Key::Text(label) = key else { return Ok(()) };
        if label.ends_with('_') {
            return Err(ErrorKind::MustUnderstand);
        }
        if self.extensions.iter().any(|extension| extension.label == label) {
            return Err(ErrorKind::DuplicateLabel);
        }
        self.extensions.push(Extension { label, value });
        Ok(())
    }
}

enum Key {
    /// CBOR's integers have 64 bits and a sign.
    Integer(i128),
    Text(String),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a label")
    }

    fn visit_i64<E>(self, integer: i64) -> Result<Key, E> {
        Ok(Key::Integer(integer.into()))
    }

    fn visit_u64<E>(self, integer: u64) -> Result<Key, E> {
        Ok(Key::Integer(integer.into()))
    }

    fn visit_i128<E>(self, integer: i128) -> Result<Key, E> {
        Ok(Key::Integer(integer))
    }

    fn visit_str<E>(self, text: &str) -> Result<Key, E> {
        Ok(Key::Text(text.into()))
    }

    fn visit_string<E>(self, text: String) -> Result<Key, E> {
        Ok(Key::Text(text))
    }
}

/// Reads the value of one label into its place.
struct Field<'r> {
    record: &'r mut Record,
    label: Label,
    text_labels: bool,
}

impl<'de> DeserializeSeed<'de> for Field<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Field {
            record,
            label,
            text_labels,
        } = self;
        match label {
            Label::BaseVersion => {
                let number = deserializer.deserialize_any(NumberVisitor::PLAIN)?;
                record.base_mut().version = Some(version(number).map_err(D::Error::custom)?);
            }
            Label::BaseName => record.base_mut().name = Some(text(deserializer)?),
            Label::BaseTime => {
                record.base_mut().time = Some(deserializer.deserialize_any(NumberVisitor::TIME)?)
            }
            Label::BaseUnit => record.base_mut().unit = Some(text(deserializer)?),
            Label::BaseValue => record.base_mut().value = Some(Number::deserialize(deserializer)?),
            Label::BaseSum => record.base_mut().sum = Some(Number::deserialize(deserializer)?),
            Label::BaseContentFormat => record.base_mut().content_format = Some(text(deserializer)?),
            Label::Name => record.name = Some(text(deserializer)?),
            Label::Unit => record.unit = Some(text(deserializer)?),
            Label::Sum => record.sum = Some(Number::deserialize(deserializer)?),
            Label::Time => record.time = Some(deserializer.deserialize_any(NumberVisitor::TIME)?),
            Label::UpdateTime => record.update_time = Some(Number::deserialize(deserializer)?),
            Label::ContentFormat => record.content_format = Some(text(deserializer)?),
            Label::Value
            | Label::StringValue
            | Label::BooleanValue
            | Label::DataValue
            | Label::ObjectLink => {
                let value = value(label, text_labels, deserializer)?;
                if record.value.replace(value).is_some() {
                    return Err(D::Error::custom(ErrorKind::SeveralValues));
                }
            }
        }
        Ok(())
    }
}

fn value<'de, D: Deserializer<'de>>(
    label: Label,
    base64: bool,
    deserializer: D,
) -> Result<ValueBuf, D::Error> {
    Ok(match label {
        Label::StringValue => ValueBuf::Text(text(deserializer)?),
        Label::ObjectLink => ValueBuf::ObjectLink(text(deserializer)?),
        Label::BooleanValue => ValueBuf::Boolean(deserializer.deserialize_any(BooleanVisitor)?),
        Label::DataValue if base64 => {
            let mut data = Vec::new();
            let accept = base64url::Accept {
                padding: true,
                standard_alphabet: false,
            };
            base64url::decode(text(deserializer)?.as_bytes(), accept, &mut data).map_err(D::Error::custom)?;
            ValueBuf::Data(data)
        }
        Label::DataValue => ValueBuf::Data(deserializer.deserialize_any(BytesVisitor)?),
        _ => ValueBuf::Number(Number::deserialize(deserializer)?),
    })
}

/// A version is a whole number, however JSON writes it.
fn version(number: Number) -> Result<Version, Error> {
    let integer = number.to_i64().and_then(|integer| u64::try_from(integer).ok());
    Version::new(integer.ok_or(Error::new(ErrorKind::Version))?)
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_any(TextVisitor)
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<String, E> {
        Ok(text)
    }
}

struct BooleanVisitor;

impl Visitor<'_> for BooleanVisitor {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }

    fn visit_bool<E>(self, value: bool) -> Result<bool, E> {
        Ok(value)
    }
}

pub(super) struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.into())
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }
}

impl<'de> Deserialize<'de> for ExtensionValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Nested {
            left: Strictness::DEFAULT.nesting_limit(),
        }
        .deserialize(deserializer)
    }
}

/// A value of any type, nested at most `left` levels deep.
pub(crate) struct Nested {
    pub(crate) left: usize,
}

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = ExtensionValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ExtensionValue, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Nested {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        let left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| E::custom(ErrorKind::TooDeep))?;
        Ok(Self { left })
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = ExtensionValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<ExtensionValue, E> {
        Ok(ExtensionValue::Null)
    }

    fn visit_none<E>(self) -> Result<ExtensionValue, E> {
        Ok(ExtensionValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<ExtensionValue, E> {
        Ok(ExtensionValue::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<ExtensionValue, E> {
        Ok(ExtensionValue::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<ExtensionValue, E> {
        Ok(ExtensionValue::Number(value.into()))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<ExtensionValue, E> {
        NumberVisitor::PLAIN.visit_i128(value).map(ExtensionValue::Number)
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<ExtensionValue, E> {
        NumberVisitor::PLAIN.visit_u128(value).map(ExtensionValue::Number)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<ExtensionValue, E> {
        // NaN and infinity exist in CBOR and have no other word.
        Ok(Number::new(value).map_or(ExtensionValue::Null, ExtensionValue::Number))
    }

    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, tagged: A) -> Result<ExtensionValue, A::Error> {
        match self.left.checked_sub(1) {
            Some(left) => super::number::tagged_value(tagged, Self { left }),
            // A number may stand where nothing may that is nested, for in JSON it is not.
            None => NumberVisitor::PLAIN
                .visit_enum(tagged)
                .map(ExtensionValue::Number),
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<ExtensionValue, E> {
        Ok(ExtensionValue::Text(text.into()))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<ExtensionValue, E> {
        Ok(ExtensionValue::Data(bytes.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<ExtensionValue, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = array.next_element_seed(self.deeper()?)? {
            values.push(value);
        }
        Ok(ExtensionValue::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ExtensionValue, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Key>()? {
            let label = match key {
                Key::Text(label) => label,
                Key::Integer(integer) => alloc::format!("{integer}"),
            };
            entries.push(Extension {
                label,
                value: map.next_value_seed(self.deeper()?)?,
            });
        }
        Ok(ExtensionValue::Map(entries))
    }
}
