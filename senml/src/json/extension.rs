//! Values of fields that are not known, in JSON.

use alloc::string::String;
use alloc::vec::Vec;

use super::reader::Reader;
use crate::{Error, ErrorKind, Extension, ExtensionValue};

/// Reads any value, nested at most `left` levels deep.
pub(super) fn read(reader: &mut Reader<'_>, left: usize) -> Result<ExtensionValue, Error> {
    Ok(match reader.peek()? {
        b'"' => {
            let mut text = String::new();
            reader.string()?.append_to(&mut text);
            ExtensionValue::Text(text)
        }
        b'[' => {
            let mut values = Vec::new();
            items(reader, left, b']', |reader, left| {
                values.push(read(reader, left)?);
                Ok(())
            })?;
            ExtensionValue::Array(values)
        }
        b'{' => {
            let mut entries = Vec::new();
            items(reader, left, b'}', |reader, left| {
                let label = label(reader)?.to_cow().into_owned();
                entries.push(Extension {
                    label,
                    value: read(reader, left)?,
                });
                Ok(())
            })?;
            ExtensionValue::Map(entries)
        }
        b't' => reader.word("true").map(|()| ExtensionValue::Boolean(true))?,
        b'f' => reader.word("false").map(|()| ExtensionValue::Boolean(false))?,
        b'n' => reader.word("null").map(|()| ExtensionValue::Null)?,
        _ => ExtensionValue::Number(reader.number()?),
    })
}

/// Checks any value and keeps nothing.
pub(super) fn skip(reader: &mut Reader<'_>, left: usize) -> Result<(), Error> {
    match reader.peek()? {
        b'"' => reader.string().map(|_| ()),
        b'[' => items(reader, left, b']', skip),
        b'{' => items(reader, left, b'}', |reader, left| {
            label(reader)?;
            skip(reader, left)
        }),
        b't' => reader.word("true"),
        b'f' => reader.word("false"),
        b'n' => reader.word("null"),
        _ => reader.number().map(|_| ()),
    }
}

/// Everything between the bracket the reader is at and `end`.
fn items<'a>(
    reader: &mut Reader<'a>,
    left: usize,
    end: u8,
    mut item: impl FnMut(&mut Reader<'a>, usize) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some(left) = left.checked_sub(1) else {
        return Err(reader.wrong(ErrorKind::TooDeep));
    };
    reader.at = reader.skip_space(reader.at + 1);
    if reader.peek()? != end {
        loop {
            item(reader, left)?;
            reader.at = reader.skip_space(reader.at);
            match reader.peek()? {
                b',' => reader.at = reader.skip_space(reader.at + 1),
                byte if byte == end => break,
                _ => return Err(reader.wrong(ErrorKind::JsonSyntax)),
            }
        }
    }
    reader.at += 1;
    Ok(())
}

/// A label and the colon after it.
fn label<'a>(reader: &mut Reader<'a>) -> Result<crate::fields::Text<'a>, Error> {
    if reader.peek()? != b'"' {
        return Err(reader.wrong(ErrorKind::JsonSyntax));
    }
    let label = reader.string()?;
    reader.at = reader.skip_space(reader.at);
    if reader.peek()? != b':' {
        return Err(reader.wrong(ErrorKind::JsonSyntax));
    }
    reader.at = reader.skip_space(reader.at + 1);
    Ok(label)
}
