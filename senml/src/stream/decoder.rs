//! Reading a stream.

use alloc::vec::Vec;

use super::boundary::{Boundary, Piece};
use crate::fields::{Fields, ReadMode};
use crate::resolve::Context;
use crate::{Error, ErrorKind, Extensions, Format, Nanos, Reading, Strictness, cbor, json};

/// Resolves the records of a SensML stream as they arrive, in whatever pieces.
///
/// ```
/// use manywire_senml::{Format, Nanos, StreamDecoder};
///
/// let mut decoder = StreamDecoder::new(Format::Json);
/// decoder.feed(br#"[{"bn":"a:","n":"b","v":1},{"n":"#);
/// let now = Nanos::from_seconds(1_700_000_000);
/// let first = decoder.next(now)?.ok_or("complete")?;
/// assert_eq!((first.name, first.time.since_1970()), ("a:b", Some(now)));
/// assert!(decoder.next(now)?.is_none(), "half a record");
/// decoder.feed(br#""c","v":2}"#);
/// assert_eq!(decoder.next(now)?.ok_or("complete")?.name, "a:c");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct StreamDecoder {
    format: Format,
    context: Context,
    boundary: Boundary,
    buffer: Vec<u8>,
    /// Bytes of the buffer that are done with.
    done: usize,
    /// Bytes of the stream before the buffer.
    offset: usize,
    records: usize,
    max_record: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Ended,
    Failed(Error),
}

impl StreamDecoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self::with_strictness(format, Strictness::DEFAULT)
    }

    /// A decoder that accepts what `strictness` says. Its limit of records does not hold here.
    #[must_use]
    pub fn with_strictness(format: Format, strictness: Strictness) -> Self {
        Self {
            format,
            context: Context::new(strictness.max_records(u32::MAX).indefinite_lengths(true)),
            boundary: Boundary::new(format, strictness.nesting_limit()),
            buffer: Vec::new(),
            done: 0,
            offset: 0,
            records: 0,
            max_record: 64 << 10,
            state: State::Open,
        }
    }

    /// Sets the most bytes one record may have; 64 KiB by default. More than that plus one chunk is never kept.
    #[must_use]
    pub const fn max_record(mut self, bytes: usize) -> Self {
        self.max_record = bytes;
        self
    }

    /// Takes the next bytes of the stream. Take the readings out with [`next`](Self::next) before feeding more.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.offset += self.done;
        self.buffer.drain(..self.done.min(self.buffer.len()));
        self.done = 0;
        if self.state == State::Open {
            self.buffer.extend_from_slice(chunk);
        }
    }

    /// The next reading, lent until the decoder is used again; none if the bytes fed so far hold no further record.
    /// Relative times count from `now`, when the record was sent or came. (RFC 8428 §4.8)
    ///
    /// # Errors
    /// Says what is wrong in which record, at which byte of the stream; the stream cannot be followed after that, and the
    /// error comes again.
    pub fn next(&mut self, now: impl Into<Option<Nanos>>) -> Result<Option<Reading<'_>>, Error> {
        if let State::Failed(error) = self.state {
            return Err(error);
        }
        self.context.now = now.into();
        match self.find() {
            Ok(Some((start, end))) => self.resolve(start, end),
            Ok(None) => Ok(None),
            Err(error) => {
                let error = error.in_record(self.records).at_byte(self.offset + self.done);
                self.state = State::Failed(error);
                Err(error)
            }
        }
    }

    /// Whether the stream may stop here: before, between or after its records.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.done == self.buffer.len() && self.boundary.is_between_records()
    }

    /// Whether the closing bracket has come.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Finds the next record that is a reading, and takes the base fields of those that are none.
    fn find(&mut self) -> Result<Option<(usize, usize)>, Error> {
        while self.state == State::Open {
            let left = self.buffer.get(self.done..).unwrap_or_default();
            match self.boundary.next(left)? {
                Piece::Between(length) => self.done += length,
                Piece::End(length) => {
                    self.done += length;
                    self.state = State::Ended;
                }
                Piece::Incomplete if left.len() > self.max_record => {
                    return Err(Error::new(ErrorKind::RecordTooLarge));
                }
                Piece::Incomplete => return Ok(None),
                Piece::Record(length) => {
                    let start = self.done;
                    let fields = read(
                        &self.buffer,
                        start,
                        start + length,
                        self.format,
                        self.context.rules,
                    )?;
                    let is_reading = self.context.begin(&fields)?;
                    self.done += length;
                    self.records += 1;
                    if is_reading {
                        return Ok(Some((start, start + length)));
                    }
                }
            }
        }
        match self.buffer.get(self.done..) {
            Some(rest) if rest.iter().any(|byte| !byte.is_ascii_whitespace()) => {
                Err(Error::new(ErrorKind::TrailingBytes))
            }
            _ => Ok(None),
        }
    }

    fn resolve(&mut self, start: usize, end: usize) -> Result<Option<Reading<'_>>, Error> {
        // Read again: fields borrow from the buffer, and cannot outlive the search.
        let fields = read(&self.buffer, start, end, self.format, self.context.rules)?;
        let (record, at) = (self.records.saturating_sub(1), self.offset + start);
        match self.context.reading(&fields) {
            Ok(mut reading) => {
                if fields.extended {
                    let record = self.buffer.get(start..end).unwrap_or_default();
                    reading.extensions = Extensions::in_record(record, self.format);
                }
                Ok(Some(reading))
            }
            Err(kind) => {
                let error = Error::new(kind).in_record(record).at_byte(at);
                self.state = State::Failed(error);
                Err(error)
            }
        }
    }
}

/// Reads the one record that stands at `start..end`.
fn read(
    buffer: &[u8],
    start: usize,
    end: usize,
    format: Format,
    rules: Strictness,
) -> Result<Fields<'_>, Error> {
    let record = buffer.get(start..end).unwrap_or_default();
    let mut fields = Fields::EMPTY;
    match format {
        Format::Json => {
            let text = core::str::from_utf8(record).map_err(|_| Error::new(ErrorKind::NotUtf8))?;
            json::Reader::of_records(text, rules, ReadMode::Resolve).record(&mut fields)?;
        }
        Format::Cbor => cbor::Reader::of_records(record, rules, ReadMode::Resolve).record(&mut fields)?,
    }
    Ok(fields)
}
