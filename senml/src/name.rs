//! What a name may look like. (RFC 8428 §4.5.1)

use crate::{ErrorKind, swar};

/// Whether every byte may stand in a name (the first has a further rule).
#[inline]
pub(crate) fn has_only_name_characters(text: &[u8]) -> bool {
    swar::all(text, swar::are_name_bytes, |byte| {
        byte.is_ascii_alphanumeric() || b"-:./_".contains(&byte)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_byte_is_found_wherever_it_stands() {
        for length in 1..40 {
            let name = std::vec![b'a'; length];
            assert!(has_only_name_characters(&name));
            for at in 0..length {
                let mut name = name.clone();
                name[at] = b' ';
                assert!(!has_only_name_characters(&name), "{at} of {length}");
            }
        }
    }
}
