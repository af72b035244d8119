//! base64url without padding, as data values are written in JSON. (RFC 8428 §5, RFC 4648 §5)

#[cfg(feature = "alloc")]
use alloc::{string::String, vec::Vec};

#[cfg(feature = "alloc")]
use crate::ErrorKind;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The text of `data`, four characters at a time (fewer at the end).
pub(crate) fn encode<E>(data: &[u8], mut write: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    for group in data.chunks(3) {
        let word = group
            .iter()
            .zip([16, 8, 0])
            .fold(0u32, |word, (&byte, shift)| word | u32::from(byte) << shift);
        let character = |shift: u32| {
            ALPHABET
                .get((word >> shift & 63) as usize)
                .copied()
                .unwrap_or_default()
        };
        let characters = [character(18), character(12), character(6), character(0)];
        write(characters.get(..=group.len()).unwrap_or_default())?;
    }
    Ok(())
}

/// The text of `data` as a string.
#[cfg(feature = "alloc")]
pub(crate) fn text(data: &[u8]) -> String {
    let mut text = String::with_capacity(data.len().div_ceil(3) * 4);
    let Ok(()) = encode(data, |part| {
        text.extend(part.iter().copied().map(char::from));
        Ok::<(), core::convert::Infallible>(())
    });
    text
}

/// What a reader does with the two leniencies.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy)]
pub(crate) struct Accept {
    pub(crate) padding: bool,
    pub(crate) standard_alphabet: bool,
}

/// Appends the bytes of `text` to `data`.
#[cfg(feature = "alloc")]
pub(crate) fn decode(text: &[u8], accept: Accept, data: &mut Vec<u8>) -> Result<(), ErrorKind> {
    let text = without_padding(text, accept.padding).ok_or(ErrorKind::DataForm)?;
    for group in text.chunks(4) {
        let mut word = 0u32;
        for (&character, shift) in group.iter().zip([18, 12, 6, 0]) {
            word |=
                u32::from(sextet(character, accept.standard_alphabet).ok_or(ErrorKind::DataForm)?) << shift;
        }
        let [_, bytes @ ..] = word.to_be_bytes();
        let length = (group.len() * 3) / 4;
        // One character alone is six bits; bits that no byte takes have to be zero. RFC 4648 §3.5
        let unused = word & (0x00ff_ffff >> (8 * length)) != 0;
        if group.len() == 1 || unused {
            return Err(ErrorKind::DataForm);
        }
        data.extend_from_slice(bytes.get(..length).unwrap_or_default());
    }
    Ok(())
}

#[cfg(feature = "alloc")]
fn without_padding(text: &[u8], accept: bool) -> Option<&[u8]> {
    let padding = text.iter().rev().take_while(|&&byte| byte == b'=').count();
    if padding == 0 {
        return Some(text);
    }
    let whole = accept && padding <= 2 && text.len().is_multiple_of(4);
    if whole {
        text.get(..text.len() - padding)
    } else {
        None
    }
}

#[cfg(feature = "alloc")]
fn sextet(character: u8, standard_alphabet: bool) -> Option<u8> {
    Some(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        b'+' if standard_alphabet => 62,
        b'/' if standard_alphabet => 63,
        _ => return None,
    })
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back() {
        let data: Vec<u8> = (0..=255).collect();
        for length in 0..data.len() {
            let mut text = Vec::new();
            encode::<()>(&data[..length], |part| {
                text.extend_from_slice(part);
                Ok(())
            })
            .unwrap();
            let mut back = Vec::new();
            decode(
                &text,
                Accept {
                    padding: false,
                    standard_alphabet: false,
                },
                &mut back,
            )
            .unwrap();
            assert_eq!(back, &data[..length]);
        }
    }

    #[test]
    fn what_is_not_the_one_encoding_is_refused() {
        let strict = Accept {
            padding: false,
            standard_alphabet: false,
        };
        for text in ["A", "AB", "AAB", "A=", "AA==", "A+A_", "A/AA", "AAAAA"] {
            assert_eq!(
                decode(text.as_bytes(), strict, &mut Vec::new()),
                Err(ErrorKind::DataForm),
                "{text}"
            );
        }
        let padded = Accept {
            padding: true,
            standard_alphabet: true,
        };
        assert_eq!(decode(b"+/8=", padded, &mut Vec::new()), Ok(()));
        assert_eq!(decode(b"AA=", padded, &mut Vec::new()), Err(ErrorKind::DataForm));
    }
}
