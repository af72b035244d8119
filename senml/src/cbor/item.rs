//! Heads of data items, and strings. (RFC 8949 §3)
//!
//! ```text
//! 0x83        3 bits major type (4: array), 5 bits argument (3) or how long it is
//! 0x19 01 f4  major type 0 (unsigned integer), the argument in the next 2 bytes (500)
//! ```

use core::str;

use crate::{Error, ErrorKind, Strictness, strictness};

pub(crate) const UNSIGNED: u8 = 0;
pub(crate) const NEGATIVE: u8 = 1;
pub(crate) const BYTES: u8 = 2;
pub(crate) const TEXT: u8 = 3;
pub(crate) const ARRAY: u8 = 4;
pub(crate) const MAP: u8 = 5;
pub(crate) const TAG: u8 = 6;
pub(crate) const SIMPLE: u8 = 7;

/// The byte that ends what has no length.
pub(crate) const BREAK: u8 = 0xff;

/// The first bytes of an item.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) major: u8,
    /// The five low bits of the first byte.
    pub(crate) short: u8,
    pub(crate) argument: u64,
}

impl Head {
    /// Whether the item has no length and ends with a break.
    pub(crate) const fn is_indefinite(self) -> bool {
        self.short == 31
    }
}

/// A place in CBOR bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    pub(crate) fn peek(&self) -> Result<u8, Error> {
        self.bytes
            .get(self.at)
            .copied()
            .ok_or_else(|| self.wrong(ErrorKind::Truncated))
    }

    /// Reads a head. A break is a head of major type 7 without a length.
    #[inline(always)]
    pub(crate) fn head(&mut self) -> Result<Head, Error> {
        let first = self.peek()?;
        let (major, short) = (first >> 5, first & 0x1f);
        if short < 24 {
            self.at += 1;
            return Ok(Head {
                major,
                short,
                argument: u64::from(short),
            });
        }
        self.long_head(major, short)
    }

    #[inline]
    fn long_head(&mut self, major: u8, short: u8) -> Result<Head, Error> {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        let argument = match short {
            24 => rest.first().map(|byte| (u64::from(*byte), 2)),
            25 => rest
                .first_chunk()
                .map(|bytes| (u64::from(u16::from_be_bytes(*bytes)), 3)),
            26 => rest
                .first_chunk()
                .map(|bytes| (u64::from(u32::from_be_bytes(*bytes)), 5)),
            27 => rest.first_chunk().map(|bytes| (u64::from_be_bytes(*bytes), 9)),
            31 if !matches!(major, UNSIGNED | NEGATIVE | TAG) => Some((0, 1)),
            _ => return Err(self.wrong(ErrorKind::CborSyntax)),
        };
        let Some((argument, length)) = argument else {
            return Err(self.wrong(ErrorKind::Truncated));
        };
        self.at += length;
        Ok(Head {
            major,
            short,
            argument,
        })
    }

    /// The next `length` bytes, as long as a head claims; the claim is checked against what is there.
    #[inline(always)]
    pub(crate) fn take(&mut self, length: u64) -> Result<&'a [u8], Error> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match usize::try_from(length).ok().and_then(|length| rest.get(..length)) {
            Some(taken) => {
                self.at += taken.len();
                Ok(taken)
            }
            None => Err(Error::new(ErrorKind::Truncated).at_byte(self.bytes.len())),
        }
    }

    /// The chunks of an indefinite string of type `major` up to the break, checked.
    #[cold]
    pub(crate) fn take_chunks(&mut self, major: u8, rules: &Strictness) -> Result<&'a [u8], Error> {
        rules
            .allow(strictness::INDEFINITE_LENGTHS, ErrorKind::IndefiniteLength)
            .map_err(|error| error.at_byte(self.at))?;
        let start = self.at;
        while self.peek()? != BREAK {
            let head_at = self.at;
            let head = self.head()?;
            if head.major != major || head.is_indefinite() {
                return Err(Error::new(ErrorKind::CborSyntax).at_byte(head_at));
            }
            let chunk = self.take(head.argument)?;
            if major == TEXT && str::from_utf8(chunk).is_err() {
                return Err(Error::new(ErrorKind::NotUtf8).at_byte(head_at));
            }
        }
        let chunks = self.bytes.get(start..self.at).unwrap_or_default();
        self.at += 1;
        Ok(chunks)
    }

    #[cold]
    pub(crate) fn wrong(&self, kind: ErrorKind) -> Error {
        Error::new(kind).at_byte(self.at)
    }
}

/// The parts of an indefinite string whose chunks (without head and break) were checked by
/// [`take_chunks`](Cursor::take_chunks).
pub(crate) fn chunks(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut cursor = Cursor { bytes, at: 0 };
    core::iter::from_fn(move || {
        let head = cursor.head().ok()?;
        cursor.take(head.argument).ok()
    })
}
