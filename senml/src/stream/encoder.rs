//! Writing a stream.

use crate::encode::{Buffer, Decimals, Guard, Writer};
use crate::{Error, Format, RecordRef};

/// Writes the records of a SensML stream one by one, each into a buffer that the caller owns and sends.
///
/// ```
/// use manywire_senml::{Format, RecordRef, StreamEncoder};
///
/// let mut encoder = StreamEncoder::new(Format::Json);
/// let mut buffer = [0; 64];
/// let first = encoder.encode(&RecordRef::new("a").value(1)?, &mut buffer)?;
/// assert_eq!(first, br#"[{"n":"a","v":1}"#);
/// let second = encoder.encode(&RecordRef::new("b").value(2)?, &mut buffer)?;
/// assert_eq!(second, br#",{"n":"b","v":2}"#);
/// # Ok::<(), manywire_senml::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StreamEncoder {
    format: Format,
    decimals: Decimals,
    records: usize,
    guard: Guard,
}

impl StreamEncoder {
    /// An encoder at the beginning of a stream.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self {
            format,
            decimals: Decimals::Fractions,
            records: 0,
            guard: Guard::default(),
        }
    }

    /// Says how decimals are written in CBOR.
    #[must_use]
    pub const fn decimals(mut self, decimals: Decimals) -> Self {
        self.decimals = decimals;
        self
    }

    /// Writes a record, and before the first one the opening bracket, and gives back what was written.
    ///
    /// # Errors
    /// [`ErrorKind::BufferFull`](crate::ErrorKind::BufferFull) if it does not fit, otherwise which rule it breaks. The
    /// stream is as before.
    pub fn encode<'b>(&mut self, record: &RecordRef<'_>, buffer: &'b mut [u8]) -> Result<&'b [u8], Error> {
        let guard = self.guard.next(&record.fields, self.records);
        let guard = guard.map_err(|kind| Error::new(kind).in_record(self.records))?;
        let mut writer = self.writer(buffer);
        match (self.records, self.format) {
            (0, _) => open(&mut writer)?,
            _ => writer.separate()?,
        }
        writer.record(&record.fields, 0, |_| Ok(()))?;
        self.guard = guard;
        self.records += 1;
        Ok(writer.out.into_written())
    }

    /// Writes what ends the stream. The encoder then is at the beginning of another one.
    ///
    /// # Errors
    /// [`ErrorKind::BufferFull`](crate::ErrorKind::BufferFull): it takes two bytes at most.
    pub fn finish<'b>(&mut self, buffer: &'b mut [u8]) -> Result<&'b [u8], Error> {
        let mut writer = self.writer(buffer);
        if self.records == 0 {
            open(&mut writer)?;
        }
        writer
            .out
            .put_byte(if self.format == Format::Json { b']' } else { 0xff })?;
        self.records = 0;
        self.guard = Guard::default();
        Ok(writer.out.into_written())
    }

    const fn writer<'b>(&self, buffer: &'b mut [u8]) -> Writer<'b> {
        Writer {
            out: Buffer::new(buffer),
            format: self.format,
            decimals: self.decimals,
        }
    }
}

/// An array without a length. (RFC 8428 §6)
fn open(writer: &mut Writer<'_>) -> Result<(), Error> {
    writer
        .out
        .put_byte(if writer.format == Format::Json { b'[' } else { 0x9f })
}
