//! Values in JSON. (RFC 8428 §5)

use super::Buffer;
use crate::label::Label;
use crate::{Error, base64url, swar};

/// Writes a label and its colon.
#[inline(always)]
pub(super) fn label(out: &mut Buffer<'_>, label: Label) -> Result<(), Error> {
    let (word, length) = match label {
        Label::BaseVersion => (*b"\"bver\":\0", 7),
        Label::BaseName => (*b"\"bn\":\0\0\0", 5),
        Label::BaseTime => (*b"\"bt\":\0\0\0", 5),
        Label::BaseUnit => (*b"\"bu\":\0\0\0", 5),
        Label::BaseValue => (*b"\"bv\":\0\0\0", 5),
        Label::BaseSum => (*b"\"bs\":\0\0\0", 5),
        Label::BaseContentFormat => (*b"\"bct\":\0\0", 6),
        Label::Name => (*b"\"n\":\0\0\0\0", 4),
        Label::Unit => (*b"\"u\":\0\0\0\0", 4),
        Label::Value => (*b"\"v\":\0\0\0\0", 4),
        Label::StringValue => (*b"\"vs\":\0\0\0", 5),
        Label::BooleanValue => (*b"\"vb\":\0\0\0", 5),
        Label::Sum => (*b"\"s\":\0\0\0\0", 4),
        Label::Time => (*b"\"t\":\0\0\0\0", 4),
        Label::UpdateTime => (*b"\"ut\":\0\0\0", 5),
        Label::DataValue => (*b"\"vd\":\0\0\0", 5),
        Label::ContentFormat => (*b"\"ct\":\0\0\0", 5),
        Label::ObjectLink => (*b"\"vlo\":\0\0", 6),
    };
    out.put_word(u64::from_le_bytes(word), length)
}

/// Writes a string with its quotes.
#[inline]
pub(super) fn text(out: &mut Buffer<'_>, text: &str) -> Result<(), Error> {
    let bytes = text.as_bytes();
    if !swar::is_plain(bytes) {
        return escaped_text(out, bytes);
    }
    let room = out.reserve(bytes.len() + 2)?;
    if let [open, middle @ .., close] = room {
        *open = b'"';
        *close = b'"';
        swar::copy(middle, bytes);
    }
    Ok(())
}

#[cold]
fn escaped_text(out: &mut Buffer<'_>, bytes: &[u8]) -> Result<(), Error> {
    out.put_byte(b'"')?;
    for &byte in bytes {
        match byte {
            b'"' => out.put(b"\\\"")?,
            b'\\' => out.put(b"\\\\")?,
            b'\n' => out.put(b"\\n")?,
            b'\r' => out.put(b"\\r")?,
            b'\t' => out.put(b"\\t")?,
            0..0x20 => {
                let digit = |value: u8| {
                    if value < 10 {
                        b'0' + value
                    } else {
                        b'a' + value - 10
                    }
                };
                out.put(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)])?;
            }
            _ => out.put_byte(byte)?,
        }
    }
    out.put_byte(b'"')
}

pub(super) fn boolean(out: &mut Buffer<'_>, value: bool) -> Result<(), Error> {
    out.put(if value { b"true" } else { b"false" })
}

pub(super) fn data(out: &mut Buffer<'_>, data: &[u8]) -> Result<(), Error> {
    out.put_byte(b'"')?;
    base64url::encode(data, |part| out.put(part))?;
    out.put_byte(b'"')
}
