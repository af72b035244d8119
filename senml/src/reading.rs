//! What a record means on its own: the resolved form.

#[cfg(feature = "alloc")]
use alloc::{borrow::ToOwned, string::String, vec::Vec};

#[cfg(feature = "alloc")]
use crate::{Extension, Extensions, Record, ValueBuf};
use crate::{Number, Time, Value, Version};

/// One resolved record: full name, absolute (or at least added) time, the unit and the sums filled in. (RFC 8428 §4.6)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reading<'a> {
    /// The full name, checked.
    pub name: &'a str,
    /// The unit, if the record or a base unit says one.
    pub unit: Option<&'a str>,
    /// When it was measured.
    pub time: Time,
    /// The value; missing only beside a sum.
    pub value: Option<Value<'a>>,
    /// The sum of values over time, in unit × seconds.
    pub sum: Option<Number>,
    /// Seconds until the next update at the latest.
    pub update_time: Option<Number>,
    /// What the data value is, as a content-format number or a media type. (RFC 9193)
    pub content_format: Option<&'a str>,
    /// The version of the pack.
    pub version: Version,
    /// The fields that are not known here.
    #[cfg(feature = "alloc")]
    pub extensions: Extensions<'a>,
}

/// An owned [`Reading`].
#[cfg(feature = "alloc")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingBuf {
    pub(crate) name: String,
    pub(crate) unit: Option<String>,
    pub(crate) time: Time,
    pub(crate) value: Option<ValueBuf>,
    pub(crate) sum: Option<Number>,
    pub(crate) update_time: Option<Number>,
    pub(crate) content_format: Option<String>,
    pub(crate) version: Version,
    pub(crate) extensions: Vec<Extension>,
}

#[cfg(feature = "alloc")]
impl ReadingBuf {
    /// The same reading, borrowed.
    #[must_use]
    pub fn as_reading(&self) -> Reading<'_> {
        Reading {
            name: &self.name,
            unit: self.unit.as_deref(),
            time: self.time,
            value: self.value.as_ref().map(ValueBuf::as_value),
            sum: self.sum,
            update_time: self.update_time,
            content_format: self.content_format.as_deref(),
            version: self.version,
            extensions: Extensions::kept(&self.extensions),
        }
    }

    /// The record that says just this, without base fields but the version if it is not 10. (RFC 8428 §4.6)
    #[must_use]
    pub fn to_record(&self) -> Record {
        let mut record = Record {
            base: None,
            name: Some(self.name.clone()),
            unit: self.unit.clone(),
            value: self.value.clone(),
            sum: self.sum,
            time: Some(self.time.to_seconds()).filter(|seconds| !seconds.is_zero()),
            update_time: self.update_time,
            content_format: self.content_format.clone(),
            extensions: self.extensions.clone(),
        };
        if self.version != Version::DEFAULT {
            record.base_mut().version = Some(self.version);
        }
        record
    }
}

#[cfg(feature = "alloc")]
impl From<Reading<'_>> for ReadingBuf {
    fn from(reading: Reading<'_>) -> Self {
        Self {
            name: reading.name.to_owned(),
            unit: reading.unit.map(ToOwned::to_owned),
            time: reading.time,
            value: reading.value.map(ValueBuf::from),
            sum: reading.sum,
            update_time: reading.update_time,
            content_format: reading.content_format.map(ToOwned::to_owned),
            version: reading.version,
            extensions: reading.extensions.iter().collect(),
        }
    }
}
