//! Reading text one character at a time, escapes decoded: `const`, so that literals are checked at compile time.

use crate::error::ErrorKind;

/// Which escapes a text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// None: every character is itself.
    Plain,
    /// `%xx`.
    Percent,
    /// `%xx`, and `+` for a space: what Go calls query unescape.
    Query,
}

impl Coding {
    pub(crate) const fn is_plain(self) -> bool {
        matches!(self, Self::Plain)
    }
}

/// One character as it was read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    pub(crate) char: char,
    /// The first raw byte: `%` when the character was escaped, `+` when it is a space written as one.
    pub(crate) raw: u8,
    /// How many raw bytes it took.
    pub(crate) len: usize,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    pub(crate) rest: &'a [u8],
    coding: Coding,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(text: &'a str, coding: Coding) -> Self {
        Self {
            rest: text.as_bytes(),
            coding,
        }
    }

    /// The next byte with its escape decoded.
    pub(crate) const fn byte(&mut self) -> Result<Option<u8>, ErrorKind> {
        match self.rest {
            [] => Ok(None),
            [b'%', after @ ..] if !self.coding.is_plain() => {
                let [high, low, rest @ ..] = after else {
                    return Err(ErrorKind::Escape);
                };
                let (Some(high), Some(low)) = (hex(*high), hex(*low)) else {
                    return Err(ErrorKind::Escape);
                };
                self.rest = rest;
                Ok(Some(high << 4 | low))
            }
            [b'+', rest @ ..] if matches!(self.coding, Coding::Query) => {
                self.rest = rest;
                Ok(Some(b' '))
            }
            [byte, rest @ ..] => {
                self.rest = rest;
                Ok(Some(*byte))
            }
        }
    }

    /// The next character with its escapes decoded; an error is one of the bytes at which this call began.
    pub(crate) const fn next(&mut self) -> Result<Option<Unit>, ErrorKind> {
        let before = self.rest.len();
        let Some(raw) = self.rest.first() else {
            return Ok(None);
        };
        let raw = *raw;
        let first = match self.byte() {
            Ok(Some(byte)) => byte,
            Ok(None) => return Ok(None),
            Err(kind) => return Err(kind),
        };
        let (more, mut code) = match first {
            0..=0x7F => (0, first as u32),
            0xC2..=0xDF => (1, first as u32 & 0x1F),
            0xE0..=0xEF => (2, first as u32 & 0x0F),
            0xF0..=0xF4 => (3, first as u32 & 0x07),
            _ => return Err(ErrorKind::Utf8),
        };
        let mut left = more;
        while left > 0 {
            match self.byte() {
                Ok(Some(byte)) if byte & 0xC0 == 0x80 => code = code << 6 | (byte & 0x3F) as u32,
                Err(kind) => return Err(kind),
                _ => return Err(ErrorKind::Utf8),
            }
            left -= 1;
        }
        let least = match more {
            0 => 0,
            1 => 0x80,
            2 => 0x800,
            _ => 0x1_0000,
        };
        let Some(char) = char::from_u32(code) else {
            return Err(ErrorKind::Utf8);
        };
        if code < least {
            return Err(ErrorKind::Utf8);
        }
        Ok(Some(Unit {
            char,
            raw,
            len: before - self.rest.len(),
        }))
    }
}

const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
