//! Strings of indefinite length. (RFC 8949 §3.2.3)

/// The parts of an indefinite string whose chunks (without head and break) were checked by the reader.
pub(crate) fn chunks(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    core::iter::from_fn(move || {
        let (length, head) = length(rest)?;
        let chunk = rest.get(head..)?.get(..length)?;
        rest = rest.get(head + length..)?;
        Some(chunk)
    })
}

/// The argument of the item head that `bytes` begin with, and how long the head is.
fn length(bytes: &[u8]) -> Option<(usize, usize)> {
    let (first, rest) = bytes.split_first()?;
    let argument = match first & 0x1f {
        short @ 0..=23 => (u64::from(short), 1),
        24 => (u64::from(*rest.first()?), 2),
        25 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 3),
        26 => (u64::from(u32::from_be_bytes(*rest.first_chunk()?)), 5),
        27 => (u64::from_be_bytes(*rest.first_chunk()?), 9),
        _ => return None,
    };
    Some((usize::try_from(argument.0).ok()?, argument.1))
}
