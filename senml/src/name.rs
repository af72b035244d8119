//! What a name may look like. (RFC 8428 §4.5.1)

use crate::{ErrorKind, swar};

/// Whether every byte may stand in a name (the first has a further rule).
#[inline]
pub(crate) fn has_only_name_characters(text: &[u8]) -> bool {
    if let (Some(mut word), Some(last)) = (swar::load(text, 0), text.last_chunk()) {
        let mut clean = swar::are_name_bytes(u64::from_le_bytes(*last));
        let mut at = 0;
        while clean && at + 8 < text.len() {
            clean = swar::are_name_bytes(word);
            at += 8;
            word = swar::load(text, at).unwrap_or(ALLOWED);
        }
        return clean;
    }
    match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            swar::are_name_bytes(u64::from(first) | u64::from(last) << 32)
        }
        _ => text
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || b"-:./_".contains(&byte)),
    }
}

/// Eight bytes that may stand in a name.
const ALLOWED: u64 = u64::from_le_bytes(*b"00000000");

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
