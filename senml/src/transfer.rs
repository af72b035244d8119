//! Packs from bytes and to bytes.

use alloc::vec::Vec;

use crate::encode::{Buffer, Decimals, Writer};
use crate::fields::Fields;
use crate::{Error, ErrorKind, Format, Pack, Record, Strictness};

/// Reads a pack.
///
/// # Errors
/// Says which rule of the standard the bytes break, in which record, at which byte.
pub fn from_slice(bytes: &[u8], format: Format) -> Result<Pack, Error> {
    Pack::from_slice(bytes, format, Strictness::DEFAULT)
}

/// Writes a pack in the fewest bytes that say the same.
///
/// In CBOR that means decimal fractions, which some receivers do not read: see [`Pack::to_vec`].
///
/// # Errors
/// [`ErrorKind::EmptyPack`].
pub fn to_vec(pack: &Pack, format: Format) -> Result<Vec<u8>, Error> {
    pack.to_vec(format, Decimals::Fractions)
}

impl Pack {
    /// Writes the pack; `decimals` matters in CBOR only.
    ///
    /// # Errors
    /// [`ErrorKind::EmptyPack`]: an array without records is not a pack. (RFC 8428 §3)
    pub fn to_vec(&self, format: Format, decimals: Decimals) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.write_to(format, decimals, &mut bytes)?;
        Ok(bytes)
    }

    /// Writes the pack in place of what `bytes` held: who keeps the vector allocates once.
    ///
    /// # Errors
    /// [`ErrorKind::EmptyPack`]; `bytes` then is as before.
    pub fn write_to(&self, format: Format, decimals: Decimals, bytes: &mut Vec<u8>) -> Result<(), Error> {
        if self.is_empty() {
            return Err(Error::new(ErrorKind::EmptyPack));
        }
        write_records(self.records(), format, decimals, bytes)
    }

    /// Writes the pack even if it is empty, as the answer to a FETCH that matches nothing is. (RFC 8790 §3.1)
    ///
    /// # Errors
    /// None.
    pub fn to_vec_or_empty(&self, format: Format, decimals: Decimals) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        write_records(self.records(), format, decimals, &mut bytes)?;
        Ok(bytes)
    }
}

/// What is left free so that the usual record never has to ask for more.
const SPARE: usize = 272;

/// An array of records, in place of what `bytes` held.
fn write_records(
    records: &[Record],
    format: Format,
    decimals: Decimals,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    // What was written before need not be cleared: it is overwritten or cut off.
    bytes.resize((SPARE + records.len() * 48).max(bytes.len()), 0);
    let (mut at, mut written) = (0, 0);
    loop {
        let mut writer = Writer {
            out: Buffer::resume(bytes, at),
            format,
            decimals,
        };
        let done = write_from(&mut writer, records, &mut written);
        at = writer.out.position();
        match done {
            Ok(()) => break,
            Err(error) if error.kind() == ErrorKind::BufferFull => bytes.resize(bytes.len() * 2, 0),
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(at);
    Ok(())
}

/// Writes the records after the first `written`, and the brackets around them. Can be called again after the buffer was
/// full.
fn write_from(writer: &mut Writer<'_>, records: &[Record], written: &mut usize) -> Result<(), Error> {
    if writer.out.position() == 0 {
        writer.open_array(records.len())?;
    }
    let mut fields = Fields::EMPTY;
    for record in records.iter().skip(*written) {
        let start = writer.out.position();
        let one = write_one(writer, record, *written > 0, &mut fields);
        one.inspect_err(|_| writer.out.rewind(start))?;
        *written += 1;
    }
    writer.close_array()
}

#[inline]
fn write_one<'a>(
    writer: &mut Writer<'_>,
    record: &'a Record,
    separate: bool,
    fields: &mut Fields<'a>,
) -> Result<(), Error> {
    if separate {
        writer.separate()?;
    }
    if writer.out.put_usual(record, writer.format, writer.decimals) {
        return Ok(());
    }
    record.borrow_into(fields);
    let extensions = record.extensions();
    writer.record(fields, extensions.len(), |writer| writer.extensions(extensions))
}
