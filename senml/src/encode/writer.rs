//! One record after the other, in either format.

use super::{Buffer, cbor, json, number_text};
use crate::fields::{Data, Fields, Text};
use crate::label::Label;
use crate::{Error, ErrorKind, Format, Number};

/// What a CBOR writer does with numbers that are decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Decimals {
    /// Writes them as decimal fractions (tag 4) where that is shorter: the fewest bytes, and exact. (RFC 8428 §6)
    #[default]
    Fractions,
    /// Writes them as floats, for receivers that do not read decimal fractions, like the writers of SuperMQ and Magistrala.
    Floats,
}

/// Writes records into a buffer.
#[derive(Debug)]
pub(crate) struct Writer<'b> {
    pub(crate) out: Buffer<'b>,
    pub(crate) format: Format,
    pub(crate) decimals: Decimals,
}

impl Writer<'_> {
    /// Opens an array of `records` records.
    #[cfg(feature = "alloc")]
    pub(crate) fn open_array(&mut self, records: usize) -> Result<(), Error> {
        match self.format {
            Format::Json => self.out.put_byte(b'['),
            Format::Cbor => cbor::head(&mut self.out, cbor::ARRAY, records as u64),
        }
    }

    /// Closes the array, where that takes a byte.
    #[cfg(feature = "alloc")]
    pub(crate) fn close_array(&mut self) -> Result<(), Error> {
        if self.format == Format::Json {
            self.out.put_byte(b']')
        } else {
            Ok(())
        }
    }

    /// What stands between two records.
    #[inline(always)]
    pub(crate) fn separate(&mut self) -> Result<(), Error> {
        if self.format == Format::Json {
            self.out.put_byte(b',')
        } else {
            Ok(())
        }
    }

    /// Writes a record; after an error what was written of it is taken back.
    #[inline]
    pub(crate) fn record(
        &mut self,
        fields: &Fields<'_>,
        extensions: usize,
        write_extensions: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let start = self.out.position();
        let written = match self.format {
            Format::Json => self.json_record(fields, write_extensions),
            Format::Cbor => self.cbor_record(fields, extensions, write_extensions),
        };
        if written.is_err() {
            self.out.rewind(start);
        }
        written
    }

    #[inline]
    fn json_record(
        &mut self,
        fields: &Fields<'_>,
        write_extensions: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let start = self.out.position();
        self.out.put_byte(b'{')?;
        let mut left = fields.present;
        while let Some(label) = take_label(&mut left) {
            json::label(&mut self.out, label)?;
            self.json_value(label, fields)?;
            self.out.put_byte(b',')?;
        }
        write_extensions(self)?;
        // The comma after the last member becomes the bracket.
        let last = self.out.position() - 1;
        if last == start {
            return self.out.put_byte(b'}');
        }
        self.out.patch(last, b'}');
        Ok(())
    }

    #[inline]
    fn json_value(&mut self, label: Label, fields: &Fields<'_>) -> Result<(), Error> {
        let out = &mut self.out;
        match field(label, fields) {
            Field::Text(text) => json::text(out, plain(text)?),
            Field::Number(number) => number_text(out, number),
            Field::Version(version) => number_text(out, Number::from(version)),
            Field::Boolean(value) => json::boolean(out, value),
            Field::Data(data) => json::data(out, plain_data(data)?),
        }
    }

    #[inline]
    fn cbor_record(
        &mut self,
        fields: &Fields<'_>,
        extensions: usize,
        write_extensions: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        cbor::head(
            &mut self.out,
            cbor::MAP,
            u64::from(fields.present.count_ones()) + extensions as u64,
        )?;
        let mut left = fields.present;
        while let Some(label) = take_label(&mut left) {
            cbor::label(&mut self.out, label)?;
            let out = &mut self.out;
            match field(label, fields) {
                Field::Text(text) => cbor::text(out, plain(text)?)?,
                Field::Number(number) => cbor::number(out, number, self.decimals)?,
                Field::Version(version) => cbor::unsigned(out, version)?,
                Field::Boolean(value) => cbor::boolean(out, value)?,
                Field::Data(data) => cbor::data(out, plain_data(data)?)?,
            }
        }
        write_extensions(self)
    }
}

/// Takes the first label out of a set.
#[inline(always)]
fn take_label(set: &mut u32) -> Option<Label> {
    let label = Label::ALL.get(set.trailing_zeros() as usize).copied()?;
    *set &= *set - 1;
    Some(label)
}

enum Field<'a> {
    Text(Text<'a>),
    Number(Number),
    Version(u64),
    Boolean(bool),
    Data(Data<'a>),
}

#[inline(always)]
fn field<'a>(label: Label, fields: &Fields<'a>) -> Field<'a> {
    match label {
        Label::BaseVersion => Field::Version(fields.version.number()),
        Label::BaseName => Field::Text(fields.base_name),
        Label::BaseTime => Field::Number(fields.base_time),
        Label::BaseUnit => Field::Text(fields.base_unit),
        Label::BaseValue => Field::Number(fields.base_value),
        Label::BaseSum => Field::Number(fields.base_sum),
        Label::BaseContentFormat => Field::Text(fields.base_content_format),
        Label::Name => Field::Text(fields.name),
        Label::Unit => Field::Text(fields.unit),
        Label::Value => Field::Number(fields.value),
        Label::StringValue => Field::Text(fields.text),
        Label::BooleanValue => Field::Boolean(fields.boolean),
        Label::Sum => Field::Number(fields.sum),
        Label::Time => Field::Number(fields.time),
        Label::UpdateTime => Field::Number(fields.update_time),
        Label::DataValue => Field::Data(fields.data),
        Label::ContentFormat => Field::Text(fields.content_format),
        Label::ObjectLink => Field::Text(fields.object_link),
    }
}

/// Only records that were built or owned are written: their texts are plain.
#[inline(always)]
fn plain(text: Text<'_>) -> Result<&str, Error> {
    match text {
        Text::Plain(text) => Ok(text),
        #[cfg(feature = "alloc")]
        Text::Escaped(_) | Text::Chunked(_) => Err(Error::new(ErrorKind::NotResolvable)),
    }
}

#[inline(always)]
fn plain_data(data: Data<'_>) -> Result<&[u8], Error> {
    match data {
        Data::Bytes(bytes) => Ok(bytes),
        #[cfg(feature = "alloc")]
        Data::Chunked(_) | Data::Base64(_) => Err(Error::new(ErrorKind::NotResolvable)),
    }
}
