//! Where one record of a stream ends. Each byte is looked at once, however the stream is cut.

use alloc::vec::Vec;

use crate::cbor::{ARRAY, BREAK, BYTES, Cursor, MAP, SIMPLE, TAG, TEXT};
use crate::{Error, ErrorKind, Format};

/// What stands at the beginning of the bytes that are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Brackets, commas and white space: this many bytes without meaning.
    Between(usize),
    /// A record of this many bytes.
    Record(usize),
    /// The end of the stream, and how many bytes that took.
    End(usize),
    /// Not enough bytes to say.
    Incomplete,
}

/// Finds the ends of records.
#[derive(Clone, Debug)]
pub(super) struct Boundary {
    format: Format,
    opened: bool,
    records: u64,
    /// How many records a CBOR array says it has.
    announced: Option<u64>,
    /// Whether a comma came after the last JSON record.
    separated: bool,
    /// How far into the record that is coming everything was looked at.
    looked_at: usize,
    json: JsonRecord,
    /// CBOR items that are still to come, for each array or map that is open; none where a break ends it.
    open: Vec<Option<u64>>,
    nesting_limit: usize,
}

/// Where in a JSON record the scan is.
#[derive(Clone, Copy, Debug, Default)]
struct JsonRecord {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Boundary {
    pub(super) fn new(format: Format, nesting_limit: usize) -> Self {
        Self {
            format,
            opened: false,
            records: 0,
            announced: None,
            separated: true,
            looked_at: 0,
            json: JsonRecord::default(),
            open: Vec::new(),
            nesting_limit,
        }
    }

    /// What `bytes` begin with. Called again with more bytes it goes on where it stopped.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Piece, Error> {
        match self.format {
            Format::Json => self.next_json(bytes),
            Format::Cbor => self.next_cbor(bytes),
        }
    }

    /// Whether nothing of a record has come yet.
    pub(super) const fn is_between_records(&self) -> bool {
        self.looked_at == 0
    }

    fn next_json(&mut self, bytes: &[u8]) -> Result<Piece, Error> {
        if self.looked_at == 0 {
            match bytes.first() {
                None => return Ok(Piece::Incomplete),
                Some(b' ' | b'\t' | b'\r' | b'\n') => return Ok(Piece::Between(1)),
                Some(b'[') if !self.opened => {
                    self.opened = true;
                    return Ok(Piece::Between(1));
                }
                Some(_) if !self.opened => return Err(Error::new(ErrorKind::NotAnArray)),
                Some(b',') if !self.separated => {
                    self.separated = true;
                    return Ok(Piece::Between(1));
                }
                Some(b']') if !self.separated || self.records == 0 => return Ok(Piece::End(1)),
                Some(b'{') if self.separated => self.separated = false,
                Some(_) => return Err(Error::new(ErrorKind::JsonSyntax)),
            }
        }
        for &byte in bytes.get(self.looked_at..).unwrap_or_default() {
            self.looked_at += 1;
            if self.json.ends_with(byte) {
                self.json = JsonRecord::default();
                self.records += 1;
                return Ok(Piece::Record(core::mem::take(&mut self.looked_at)));
            }
        }
        Ok(Piece::Incomplete)
    }

    fn next_cbor(&mut self, bytes: &[u8]) -> Result<Piece, Error> {
        if self.looked_at == 0 {
            if !self.opened {
                return self.open_array(bytes);
            }
            match (self.announced, bytes.first()) {
                (Some(announced), _) if self.records == announced => return Ok(Piece::End(0)),
                (None, Some(&BREAK)) => return Ok(Piece::End(1)),
                (_, None) => return Ok(Piece::Incomplete),
                (_, Some(byte)) if byte >> 5 != MAP => return Err(Error::new(ErrorKind::NotARecord)),
                _ => self.open.clear(),
            }
        }
        loop {
            let mut cursor = Cursor {
                bytes,
                at: self.looked_at,
            };
            match self.item(&mut cursor) {
                Ok(()) => self.looked_at = cursor.at,
                Err(error) if error.kind() == ErrorKind::Truncated => return Ok(Piece::Incomplete),
                Err(error) => return Err(error),
            }
            if self.open.is_empty() {
                self.records += 1;
                return Ok(Piece::Record(core::mem::take(&mut self.looked_at)));
            }
        }
    }

    fn open_array(&mut self, bytes: &[u8]) -> Result<Piece, Error> {
        let mut cursor = Cursor { bytes, at: 0 };
        let head = match cursor.head() {
            Ok(head) => head,
            Err(error) if error.kind() == ErrorKind::Truncated => return Ok(Piece::Incomplete),
            Err(error) => return Err(error),
        };
        if head.major != ARRAY {
            return Err(Error::new(ErrorKind::NotAnArray));
        }
        self.announced = (!head.is_indefinite()).then_some(head.argument);
        self.opened = true;
        Ok(Piece::Between(cursor.at))
    }

    /// Takes one head, and a string's bytes, and closes what that completes.
    fn item(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Error> {
        let head = cursor.head()?;
        let opened = match head.major {
            BYTES | TEXT if head.is_indefinite() => Some(None),
            BYTES | TEXT => {
                cursor.take(head.argument)?;
                None
            }
            ARRAY | MAP if head.is_indefinite() => Some(None),
            ARRAY => Some(Some(head.argument)),
            MAP => Some(Some(head.argument.saturating_mul(2))),
            TAG => Some(Some(1)),
            SIMPLE if head.is_indefinite() => return self.close(),
            _ => None,
        };
        match opened {
            Some(Some(0)) | None => self.complete(),
            Some(_) if self.open.len() > self.nesting_limit + 2 => {
                return Err(Error::new(ErrorKind::TooDeep));
            }
            Some(left) => self.open.push(left),
        }
        Ok(())
    }

    /// A break ends what has no length.
    fn close(&mut self) -> Result<(), Error> {
        match self.open.pop() {
            Some(None) => {
                self.complete();
                Ok(())
            }
            _ => Err(Error::new(ErrorKind::CborSyntax)),
        }
    }

    /// An item is complete, and with it perhaps those around it.
    fn complete(&mut self) {
        while let Some(Some(left)) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                return;
            }
            self.open.pop();
        }
    }
}

impl JsonRecord {
    /// Takes a byte, and says whether the record ends with it.
    fn ends_with(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.depth == 0 && !self.in_string
    }
}
