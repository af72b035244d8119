//! Packs from bytes and to bytes.

use alloc::vec::Vec;

use crate::{Error, ErrorKind, Format, Pack};

/// Reads a pack.
///
/// # Errors
/// Says which rule of the standard the bytes break.
pub fn from_slice(bytes: &[u8], format: Format) -> Result<Pack, Error> {
    let pack: Result<Pack, ErrorKind> = match format {
        Format::Json => serde_json::from_slice(bytes).map_err(|_| ErrorKind::JsonSyntax),
        Format::Cbor => {
            let mut rest = bytes;
            ciborium::from_reader(&mut rest).map_err(|_| ErrorKind::CborSyntax)
        }
    };
    pack.map_err(Error::new)
}

/// Writes a pack.
///
/// # Errors
/// [`ErrorKind::EmptyPack`].
pub fn to_vec(pack: &Pack, format: Format) -> Result<Vec<u8>, Error> {
    pack.check_not_empty(false)?;
    match format {
        Format::Json => serde_json::to_vec(pack).map_err(|_| Error::new(ErrorKind::Serde)),
        Format::Cbor => {
            let mut bytes = Vec::new();
            ciborium::into_writer(pack, &mut bytes).map_err(|_| Error::new(ErrorKind::Serde))?;
            Ok(bytes)
        }
    }
}
