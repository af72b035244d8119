//! Packs from bytes and to bytes.

use alloc::vec;
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
        if self.is_empty() {
            Err(Error::new(ErrorKind::EmptyPack))
        } else {
            write_records(self.records(), format, decimals)
        }
    }

    /// Writes the pack even if it is empty, as the answer to a FETCH that matches nothing is. (RFC 8790 §3.1)
    ///
    /// # Errors
    /// None.
    pub fn to_vec_or_empty(&self, format: Format, decimals: Decimals) -> Result<Vec<u8>, Error> {
        write_records(self.records(), format, decimals)
    }
}

/// An array of records.
pub(crate) fn write_records(
    records: &[Record],
    format: Format,
    decimals: Decimals,
) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; 16 + records.len() * 48];
    let (mut at, mut written) = (0, 0);
    loop {
        let mut writer = Writer {
            out: Buffer::resume(&mut bytes, at),
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
    Ok(bytes)
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
