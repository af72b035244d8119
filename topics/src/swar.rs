//! Eight bytes at a time: the questions that every parse asks of most of its input.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

const fn splat(byte: u8) -> u64 {
    LOW * byte as u64
}

/// The high bit of each byte that is at least `low` and at most `high`; exact for bytes below 0x80.
const fn within(word: u64, low: u8, high: u8) -> u64 {
    (word | HIGH).wrapping_sub(splat(low)) & !(word | HIGH).wrapping_sub(splat(high + 1)) & HIGH
}

/// The high bit of each ASCII letter, digit, `_` and `-`.
const fn names(word: u64) -> u64 {
    let letters = within(word | splat(0x20), b'a', b'z');
    let found = letters | within(word, b'0', b'9') | within(word, b'-', b'-') | within(word, b'_', b'_');
    found & !word
}

/// Whether every byte is an ASCII letter, a digit, `_` or `-`.
pub(crate) const fn all_of_names(word: u64) -> bool {
    names(word) == HIGH
}

/// Whether every byte is one of [`all_of_names`] or the separator, and the high bit of each separator.
pub(crate) const fn all_of_levels(word: u64, separator: u8) -> (bool, u64) {
    let separators = within(word, separator, separator) & !word;
    (names(word) | separators == HIGH, separators)
}

/// Whether every byte is a lower-case hexadecimal digit, except a `-` where `dashes` has its high bit.
pub(crate) const fn all_of_uuid(word: u64, dashes: u64) -> bool {
    let digits = (within(word, b'0', b'9') | within(word, b'a', b'f')) & !word;
    let found = within(word, b'-', b'-') & !word;
    found == dashes && digits | found == HIGH
}

/// How many bytes at the start are the same.
#[inline]
pub(crate) fn common(left: &[u8], right: &[u8]) -> usize {
    let (left_chunks, left_rest) = left.as_chunks::<8>();
    let (right_chunks, right_rest) = right.as_chunks::<8>();
    let mut same = 0;
    for (left, right) in left_chunks.iter().zip(right_chunks) {
        let differing = u64::from_le_bytes(*left) ^ u64::from_le_bytes(*right);
        if differing != 0 {
            return same + differing.trailing_zeros() as usize / 8;
        }
        same += 8;
    }
    // At most one of them has whole chunks left.
    let left = left.get(same..).unwrap_or(left_rest);
    let right = right.get(same..).unwrap_or(right_rest);
    same + left
        .iter()
        .zip(right)
        .take_while(|(left, right)| left == right)
        .count()
}

/// Where the byte first stands.
pub(crate) const fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let mut rest = bytes;
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk) ^ splat(byte);
        let hits = word.wrapping_sub(LOW) & !word & HIGH;
        if hits != 0 {
            return Some(bytes.len() - rest.len() + hits.trailing_zeros() as usize / 8);
        }
        rest = tail;
    }
    while let [first, tail @ ..] = rest {
        if *first == byte {
            return Some(bytes.len() - rest.len());
        }
        rest = tail;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_in_every_place_is_told_apart() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let mut chunk = *b"aZ09_-zA";
                chunk[place] = byte;
                let name = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
                let word = u64::from_le_bytes(chunk);
                assert_eq!(all_of_names(word), name, "{byte} at {place}");
                for separator in [b'/', b'.'] {
                    let found = if byte == separator { 0x80 << (8 * place) } else { 0 };
                    let expected = (name || byte == separator, found);
                    assert_eq!(all_of_levels(word, separator), expected, "{byte} at {place}");
                }
                let mut chunk = *b"09af19be";
                chunk[place] = byte;
                let word = u64::from_le_bytes(chunk);
                let digit = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                assert_eq!(all_of_uuid(word, 0), digit, "{byte} at {place}");
                assert_eq!(
                    all_of_uuid(word, 0x80 << (8 * place)),
                    byte == b'-',
                    "{byte} at {place}"
                );
            }
        }
    }

    #[test]
    fn common_agrees_with_comparing_bytes() {
        let text = b"abcdefghijklmnopqrst";
        for length in 0..=text.len() {
            for change in 0..=length {
                let mut other = *text;
                if change < length {
                    other[change] = b'.';
                }
                assert_eq!(common(text, &other[..length]), change);
                assert_eq!(common(&other[..length], text), change);
            }
        }
    }

    #[test]
    fn find_agrees_with_position() {
        for length in 0..20 {
            for place in 0..=length {
                let mut bytes = [b'a'; 20];
                bytes[place.min(19)] = b'/';
                let bytes = &bytes[..length];
                assert_eq!(find(bytes, b'/'), bytes.iter().position(|byte| *byte == b'/'));
            }
        }
    }
}
