//! Values of fields that are not known, in CBOR.

use alloc::string::String;
use alloc::vec::Vec;

use super::item::{ARRAY, BREAK, BYTES, Cursor, Head, MAP, NEGATIVE, SIMPLE, TAG, TEXT, UNSIGNED, chunks};
use super::number;
use crate::{Error, ErrorKind, Extension, ExtensionValue, Number, Strictness, strictness};

/// Checks any item, nested at most `left` levels deep, and keeps nothing. Takes exactly what [`read`] takes.
pub(super) fn skip(cursor: &mut Cursor<'_>, rules: &Strictness, left: usize) -> Result<(), Error> {
    let head_at = cursor.at;
    let head = cursor.head()?;
    match head.major {
        UNSIGNED | NEGATIVE => Ok(()),
        BYTES | TEXT => skip_string(cursor, head, rules),
        TAG if left == 0 => deepest_number(cursor, head_at, rules).map(|_| ()),
        TAG => skip(cursor, rules, left - 1),
        SIMPLE => simple(cursor, head).map(|_| ()),
        _ => {
            let left = deeper(cursor, left)?;
            items(cursor, head, rules, |cursor| {
                if head.major == MAP {
                    skip_key(cursor, rules)?;
                }
                skip(cursor, rules, left)
            })
        }
    }
}

fn skip_key(cursor: &mut Cursor<'_>, rules: &Strictness) -> Result<(), Error> {
    let at = cursor.at;
    let head = cursor.head()?;
    match head.major {
        TEXT => skip_string(cursor, head, rules),
        UNSIGNED | NEGATIVE => Ok(()),
        _ => Err(Error::new(ErrorKind::WrongType).at_byte(at)),
    }
}

/// The tagged number at `at`: it may stand where nothing may that is nested, for in JSON it is not.
fn deepest_number(cursor: &mut Cursor<'_>, at: usize, rules: &Strictness) -> Result<Number, Error> {
    cursor.at = at;
    number::read(cursor, rules, false).map_err(|error| match error.kind() {
        ErrorKind::Truncated => error,
        _ => Error::new(ErrorKind::TooDeep).at_byte(at),
    })
}

/// Reads any item.
pub(super) fn read(
    cursor: &mut Cursor<'_>,
    rules: &Strictness,
    left: usize,
) -> Result<ExtensionValue, Error> {
    let head_at = cursor.at;
    let head = cursor.head()?;
    Ok(match head.major {
        UNSIGNED | NEGATIVE => {
            cursor.at = head_at;
            ExtensionValue::Number(number::read(cursor, rules, false)?)
        }
        BYTES => ExtensionValue::Data(string(cursor, head, rules)?),
        TEXT => ExtensionValue::Text(text(cursor, head, rules)?),
        TAG if left == 0 => ExtensionValue::Number(deepest_number(cursor, head_at, rules)?),
        TAG => ExtensionValue::tagged(head.argument, read(cursor, rules, left - 1)?),
        SIMPLE => simple(cursor, head)?,
        ARRAY => {
            let left = deeper(cursor, left)?;
            let mut values = Vec::new();
            items(cursor, head, rules, |cursor| {
                values.push(read(cursor, rules, left)?);
                Ok(())
            })?;
            ExtensionValue::Array(values)
        }
        _ => {
            let left = deeper(cursor, left)?;
            let mut entries = Vec::new();
            items(cursor, head, rules, |cursor| {
                let label = key(cursor, rules)?;
                entries.push(Extension {
                    label,
                    value: read(cursor, rules, left)?,
                });
                Ok(())
            })?;
            ExtensionValue::Map(entries)
        }
    })
}

fn deeper(cursor: &Cursor<'_>, left: usize) -> Result<usize, Error> {
    left.checked_sub(1)
        .ok_or_else(|| cursor.wrong(ErrorKind::TooDeep))
}

/// Every item of an array, or pair of a map, as many as the head says or up to the break.
fn items(
    cursor: &mut Cursor<'_>,
    head: Head,
    rules: &Strictness,
    mut item: impl FnMut(&mut Cursor<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    if head.is_indefinite() {
        let allowed = rules.allow(strictness::INDEFINITE_LENGTHS, ErrorKind::IndefiniteLength);
        allowed.map_err(|error| error.at_byte(cursor.at))?;
        while cursor.peek()? != BREAK {
            item(cursor)?;
        }
        cursor.at += 1;
        return Ok(());
    }
    for _ in 0..head.argument {
        item(cursor)?;
    }
    Ok(())
}

fn skip_string(cursor: &mut Cursor<'_>, head: Head, rules: &Strictness) -> Result<(), Error> {
    if head.is_indefinite() {
        return cursor.take_chunks(head.major, rules).map(|_| ());
    }
    let at = cursor.at;
    let bytes = cursor.take(head.argument)?;
    let wrong = head.major == TEXT && core::str::from_utf8(bytes).is_err();
    if wrong {
        Err(Error::new(ErrorKind::NotUtf8).at_byte(at))
    } else {
        Ok(())
    }
}

/// The bytes of a string; those of text are checked.
fn string(cursor: &mut Cursor<'_>, head: Head, rules: &Strictness) -> Result<Vec<u8>, Error> {
    if head.is_indefinite() {
        let parts = cursor.take_chunks(head.major, rules)?;
        return Ok(chunks(parts).flatten().copied().collect());
    }
    let at = cursor.at;
    let bytes = cursor.take(head.argument)?;
    if head.major == TEXT && core::str::from_utf8(bytes).is_err() {
        return Err(Error::new(ErrorKind::NotUtf8).at_byte(at));
    }
    Ok(bytes.into())
}

fn text(cursor: &mut Cursor<'_>, head: Head, rules: &Strictness) -> Result<String, Error> {
    let bytes = string(cursor, head, rules)?;
    String::from_utf8(bytes).map_err(|_| cursor.wrong(ErrorKind::NotUtf8))
}

/// A key of a map: text, or an integer as its digits.
fn key(cursor: &mut Cursor<'_>, rules: &Strictness) -> Result<String, Error> {
    let at = cursor.at;
    let head = cursor.head()?;
    match head.major {
        TEXT => text(cursor, head, rules),
        UNSIGNED => Ok(alloc::format!("{}", head.argument)),
        NEGATIVE => Ok(alloc::format!("{}", -1 - i128::from(head.argument))),
        _ => Err(Error::new(ErrorKind::WrongType).at_byte(at)),
    }
}

/// Booleans, null and floats; what JSON has no word for becomes null.
fn simple(cursor: &Cursor<'_>, head: Head) -> Result<ExtensionValue, Error> {
    Ok(match head.short {
        20 => ExtensionValue::Boolean(false),
        21 => ExtensionValue::Boolean(true),
        31 => return Err(cursor.wrong(ErrorKind::CborSyntax)),
        24 if head.argument < 32 => return Err(cursor.wrong(ErrorKind::CborSyntax)),
        _ => number::float(head)
            .and_then(|float| Number::new(float).ok())
            .map_or(ExtensionValue::Null, ExtensionValue::Number),
    })
}
