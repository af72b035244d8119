//! Fields that are not known, written as they were read.

use super::{Buffer, Writer, cbor, json, number_text};
use crate::{Error, Extension, ExtensionValue, Format};

impl Writer<'_> {
    /// Writes the members that the extensions are, in JSON each with a comma after it.
    pub(crate) fn extensions(&mut self, extensions: &[Extension]) -> Result<(), Error> {
        for Extension { label, value } in extensions {
            match self.format {
                Format::Json => {
                    json::text(&mut self.out, label)?;
                    self.out.put_byte(b':')?;
                    self.json_extension(value)?;
                    self.out.put_byte(b',')?;
                }
                Format::Cbor => {
                    cbor::text(&mut self.out, label)?;
                    self.cbor_extension(value)?;
                }
            }
        }
        Ok(())
    }

    fn json_extension(&mut self, value: &ExtensionValue) -> Result<(), Error> {
        let out = &mut self.out;
        match value {
            ExtensionValue::Null => out.put(b"null"),
            ExtensionValue::Boolean(value) => json::boolean(out, *value),
            ExtensionValue::Number(number) => number_text(out, *number),
            ExtensionValue::Text(text) => json::text(out, text),
            ExtensionValue::Data(data) => json::data(out, data),
            ExtensionValue::Array(values) => {
                self.out.put_byte(b'[')?;
                for value in values {
                    self.json_extension(value)?;
                    self.out.put_byte(b',')?;
                }
                close(&mut self.out, values.is_empty(), b']')
            }
            ExtensionValue::Map(entries) => {
                self.out.put_byte(b'{')?;
                self.extensions(entries)?;
                close(&mut self.out, entries.is_empty(), b'}')
            }
        }
    }

    fn cbor_extension(&mut self, value: &ExtensionValue) -> Result<(), Error> {
        let out = &mut self.out;
        match value {
            ExtensionValue::Null => out.put_byte(0xf6),
            ExtensionValue::Boolean(value) => cbor::boolean(out, *value),
            ExtensionValue::Number(number) => cbor::number(out, *number, self.decimals),
            ExtensionValue::Text(text) => cbor::text(out, text),
            ExtensionValue::Data(data) => cbor::data(out, data),
            ExtensionValue::Array(values) => {
                cbor::head(out, cbor::ARRAY, values.len() as u64)?;
                values.iter().try_for_each(|value| self.cbor_extension(value))
            }
            ExtensionValue::Map(entries) => {
                cbor::head(out, cbor::MAP, entries.len() as u64)?;
                self.extensions(entries)
            }
        }
    }
}

/// The comma after the last item becomes the bracket.
fn close(out: &mut Buffer<'_>, empty: bool, bracket: u8) -> Result<(), Error> {
    if empty {
        return out.put_byte(bracket);
    }
    out.patch(out.position() - 1, bracket);
    Ok(())
}
