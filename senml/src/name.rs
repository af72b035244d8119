//! What a name may look like. (RFC 8428 §4.5.1)

use crate::ErrorKind;

/// For each byte, whether a name may contain it.
const ALLOWED: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest: &mut [bool] = &mut table;
    let mut byte = 0u8;
    while let [first, tail @ ..] = rest {
        *first = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'.' | b'/' | b'_');
        byte = byte.wrapping_add(1);
        rest = tail;
    }
    table
};

/// Whether every byte may stand in a name (the first has a further rule).
#[inline]
pub(crate) fn has_only_name_characters(text: &[u8]) -> bool {
    text.iter().fold(true, |all, &byte| {
        all & ALLOWED.get(usize::from(byte)).copied().unwrap_or(false)
    })
}

/// Checks the first byte of a full name.
#[inline]
pub(crate) fn check_first(first: Option<&u8>) -> Result<(), ErrorKind> {
    match first {
        None => Err(ErrorKind::EmptyName),
        Some(b'-' | b':' | b'.' | b'/' | b'_') => Err(ErrorKind::NameStart),
        Some(_) => Ok(()),
    }
}
