//! Where records come from: one of the readers.

use alloc::vec::Vec;

use crate::fields::{Fields, ReadMode};
use crate::{Error, Extension, Extensions, Format, Record, Strictness, cbor, json};

/// A reader of either format.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, on the stack; a box would cost every pack an allocation"
)]
pub(crate) enum Source<'a> {
    Json(json::Reader<'a>),
    Cbor(cbor::Reader<'a>),
}

impl<'a> Source<'a> {
    /// A reader at the first record of the pack in `bytes`.
    pub(crate) fn new(
        bytes: &'a [u8],
        format: Format,
        rules: Strictness,
        mode: ReadMode,
    ) -> Result<Self, Error> {
        match format {
            Format::Json => json::Reader::new(bytes, rules, mode).map(Self::Json),
            Format::Cbor => cbor::Reader::new(bytes, rules, mode).map(Self::Cbor),
        }
    }

    /// Reads the next record; false at the end.
    #[inline]
    pub(crate) fn next(&mut self, fields: &mut Fields<'a>) -> Result<bool, Error> {
        match self {
            Self::Json(reader) => reader.next(fields),
            Self::Cbor(reader) => reader.next(fields),
        }
    }

    /// Byte offset of the record that was read last.
    pub(crate) const fn record_at(&self) -> usize {
        match self {
            Self::Json(reader) => reader.record_at(),
            Self::Cbor(reader) => reader.record_at(),
        }
    }

    /// The fields of the record that was read last which are not known.
    #[cold]
    pub(crate) fn last_extensions(&self) -> Extensions<'a> {
        match self {
            Self::Json(reader) => Extensions::in_record(reader.last_record(), Format::Json),
            Self::Cbor(reader) => Extensions::in_record(reader.last_record(), Format::Cbor),
        }
    }

    /// The record that was read last, owned.
    pub(crate) fn record(&mut self, fields: &Fields<'_>, rules: &Strictness) -> Result<Record, Error> {
        let mut record =
            Record::from_fields(fields, rules).map_err(|error| error.at_byte(self.record_at()))?;
        if fields.extended {
            record.extensions = self.take_extensions();
        }
        Ok(record)
    }

    fn take_extensions(&mut self) -> Vec<Extension> {
        match self {
            Self::Json(reader) => core::mem::take(&mut reader.extensions),
            Self::Cbor(reader) => core::mem::take(&mut reader.extensions),
        }
    }
}
