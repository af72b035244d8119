//! The part of the protobuf encoding that an envelope needs.

use crate::error::{Error, ErrorKind};

/// Reads fields from the front of a message.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The value of one field.
pub(crate) enum Value<'a> {
    Varint(u64),
    /// The bytes, and where they start.
    Bytes(&'a [u8], usize),
    /// Of a type that no field of an envelope has.
    Fixed,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next field's number and value; none at the end.
    pub(crate) fn field(&mut self) -> Result<Option<(u32, Value<'a>)>, Error> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let at = self.at;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).unwrap_or(u32::MAX);
        // Field numbers have 29 bits and start at 1.
        if number == 0 || number >= 1 << 29 {
            return Err(Error::new(ErrorKind::Field, at));
        }
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                let start = self.at;
                Value::Bytes(self.take(length)?, start)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return Err(Error::new(ErrorKind::Field, at)),
        };
        Ok(Some((number, value)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let Some((taken, rest)) = self.bytes.split_at_checked(length) else {
            return Err(Error::new(ErrorKind::Truncated, self.at + self.bytes.len()));
        };
        self.bytes = rest;
        self.at += length;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, Error> {
        let start = self.at;
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.take(1)? else {
                return Err(Error::new(ErrorKind::Truncated, self.at));
            };
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::new(ErrorKind::Varint, start))
    }
}

/// Where encoded bytes go.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error>;
}

/// Counts, so that the length of an envelope is known before it is written.
pub(crate) struct Counter(pub(crate) usize);

impl Sink for Counter {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.0 += bytes.len();
        Ok(())
    }
}

/// Fills a buffer of the caller.
pub(crate) struct Buffer<'a> {
    pub(crate) rest: &'a mut [u8],
    pub(crate) written: usize,
}

impl Sink for Buffer<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let rest = core::mem::take(&mut self.rest);
        let full = Error::new(ErrorKind::BufferTooSmall, self.written + rest.len());
        let (head, rest) = rest.split_at_mut_checked(bytes.len()).ok_or(full)?;
        head.copy_from_slice(bytes);
        self.rest = rest;
        self.written += bytes.len();
        Ok(())
    }
}

#[cfg(feature = "alloc")]
impl Sink for alloc::vec::Vec<u8> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// A text or bytes, unless empty: proto3 leaves out what has its default value.
pub(crate) fn put_bytes(sink: &mut impl Sink, number: u8, bytes: &[u8]) -> Result<(), Error> {
    if bytes.is_empty() {
        return Ok(());
    }
    sink.put(&[number << 3 | 2])?;
    put_varint(sink, u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
    sink.put(bytes)
}

/// A number, unless zero.
pub(crate) fn put_number(sink: &mut impl Sink, number: u8, value: u64) -> Result<(), Error> {
    if value == 0 {
        return Ok(());
    }
    sink.put(&[number << 3])?;
    put_varint(sink, value)
}

fn put_varint(sink: &mut impl Sink, mut value: u64) -> Result<(), Error> {
    while value >= 0x80 {
        sink.put(&[(value & 0x7f) as u8 | 0x80])?;
        value >>= 7;
    }
    sink.put(&[value as u8])
}
