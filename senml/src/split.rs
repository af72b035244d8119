//! Packs in parts that mean the same.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::encode::{Buffer, Decimals, Writer};
use crate::fields::Fields;
use crate::record::Base;
use crate::{Error, ErrorKind, Format, Fragment, Pack, Record, Strictness};

impl Pack {
    /// The pack as packs of at most `max_bytes` each when written in `format`. Every part says the base fields it needs, so
    /// that each can be resolved alone, and all readings together are those of this pack. (RFC 8428 §4.1)
    ///
    /// # Errors
    /// [`ErrorKind::RecordTooLarge`] if one record alone does not fit.
    pub fn split(&self, max_bytes: usize, format: Format, decimals: Decimals) -> Result<Vec<Self>, Error> {
        let mut parts = Vec::new();
        let mut part = Part::new(*self.strictness());
        let mut base = Base::default();
        let mut room = Vec::new();
        for (index, record) in self.records().iter().enumerate() {
            let length = measure(record, format, decimals, &mut room)?;
            if part.pack.is_empty() || part.length_with(length, format) > max_bytes {
                if !part.pack.is_empty() {
                    parts.push(core::mem::replace(&mut part, Part::new(*self.strictness())).pack);
                }
                let complete = with_base(record, &base);
                let length = measure(&complete, format, decimals, &mut room)?;
                if part.length_with(length, format) > max_bytes {
                    return Err(Error::new(ErrorKind::RecordTooLarge).in_record(index));
                }
                part.push(complete, length)?;
            } else {
                part.push(record.clone(), length)?;
            }
            base.update(record);
        }
        if !part.pack.is_empty() {
            parts.push(part.pack);
        }
        Ok(parts)
    }

    /// The records that `fragment` names, with the base fields they need. (RFC 8428 §9)
    ///
    /// # Errors
    /// None for a pack whose records were checked, which they are.
    pub fn select(&self, fragment: &Fragment<'_>) -> Result<Self, Error> {
        let mut selected = Self::with_strictness(*self.strictness());
        let (mut base, mut gap) = (Base::default(), true);
        for (index, record) in self.records().iter().enumerate() {
            if fragment.selects(index, self.len()) {
                // After a gap the record may depend on base fields that were left out.
                selected.push_or_spoil(if gap {
                    with_base(record, &base)
                } else {
                    record.clone()
                })?;
                gap = false;
            } else {
                gap = true;
            }
            base.update(record);
        }
        Ok(selected)
    }
}

/// A part that is being filled.
struct Part {
    pack: Pack,
    /// Bytes of the records, without brackets and commas.
    length: usize,
}

impl Part {
    fn new(rules: Strictness) -> Self {
        Self {
            pack: Pack::with_strictness(rules),
            length: 0,
        }
    }

    /// How long the part is with one more record of this length.
    fn length_with(&self, record: usize, format: Format) -> usize {
        let records = self.pack.len() + 1;
        let around = match format {
            // Two brackets, and commas between the records.
            Format::Json => 1 + records,
            Format::Cbor => match records {
                0..24 => 1,
                24..0x100 => 2,
                0x100..0x1_0000 => 3,
                _ => 5,
            },
        };
        self.length + record + around
    }

    fn push(&mut self, record: Record, length: usize) -> Result<(), Error> {
        self.length += length;
        self.pack.push_or_spoil(record)
    }
}

impl Base {
    /// The base fields in effect after `record`.
    fn update(&mut self, record: &Record) {
        let Some(new) = record.base.as_deref() else { return };
        *self = new.clone().or(self);
    }

    /// What is missing here, from `earlier`.
    fn or(self, earlier: &Self) -> Self {
        Self {
            version: self.version.or(earlier.version),
            name: self.name.or_else(|| earlier.name.clone()),
            time: self.time.or(earlier.time),
            unit: self.unit.or_else(|| earlier.unit.clone()),
            value: self.value.or(earlier.value),
            sum: self.sum.or(earlier.sum),
            content_format: self.content_format.or_else(|| earlier.content_format.clone()),
        }
    }
}

/// The record with all base fields that it depends on.
fn with_base(record: &Record, base: &Base) -> Record {
    let mut record = record.clone();
    if record.fields().present == 0 {
        // All it says is the base sum. With base fields of its own it would only set those.
        record.name = Some(String::new());
    }
    let merged = record.base.take().map_or_else(Base::default, |own| *own).or(base);
    if merged != Base::default() {
        record.base = Some(merged.into());
    }
    record
}

/// Bytes of the record alone.
fn measure(record: &Record, format: Format, decimals: Decimals, room: &mut Vec<u8>) -> Result<usize, Error> {
    let mut fields = Fields::EMPTY;
    record.borrow_into(&mut fields);
    let extensions = record.extensions();
    if room.is_empty() {
        *room = vec![0; 256];
    }
    loop {
        let mut writer = Writer {
            out: Buffer::new(room),
            format,
            decimals,
        };
        match writer.record(&fields, extensions.len(), |writer| writer.extensions(extensions)) {
            Ok(()) => return Ok(writer.out.position()),
            Err(error) if error.kind() == ErrorKind::BufferFull => room.resize(room.len() * 2, 0),
            Err(error) => return Err(error),
        }
    }
}
