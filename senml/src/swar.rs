//! Eight bytes at a time, in one machine word: what makes the readers fast without `unsafe`.
//!
//! The first byte of the text is the lowest byte of the word.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The eight bytes from `at` on, if there are as many.
#[inline(always)]
pub(crate) fn load(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|chunk| u64::from_le_bytes(*chunk))
}

/// A mask for the first `count` bytes of a word, 0 to 8.
#[inline(always)]
pub(crate) const fn first_bytes(count: usize) -> u64 {
    if count == 0 {
        0
    } else {
        u64::MAX >> (((8 - count) * 8) & 63)
    }
}

/// How many bytes come before the first marked one: eight if none is marked.
#[inline(always)]
const fn before_first(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// How many bytes come before the first quote, backslash or control character: eight if there is none.
#[inline(always)]
pub(crate) const fn plain_bytes(word: u64) -> usize {
    let (quotes, backslashes) = (word ^ (ONES * b'"' as u64), word ^ (ONES * b'\\' as u64));
    // The high bit of each byte that became zero, or was below 0x20. A borrow only marks bytes after the first hit.
    let marks = (quotes.wrapping_sub(ONES) & !quotes)
        | (backslashes.wrapping_sub(ONES) & !backslashes)
        | (word.wrapping_sub(ONES * 0x20) & !word);
    before_first(marks & HIGHS)
}

/// Whether there is no quote, backslash or control character.
#[inline(always)]
pub(crate) fn is_plain(text: &[u8]) -> bool {
    if text.len() > 16 {
        // The compiler makes vectors of this.
        return !text.iter().fold(false, |any, &byte| {
            any | (byte < 0x20) | (byte == b'"') | (byte == b'\\')
        });
    }
    all(
        text,
        |word| plain_bytes(word) == 8,
        |byte| byte >= 0x20 && byte != b'"' && byte != b'\\',
    )
}

/// Whether `words` holds for all bytes, the last eight of which may be looked at twice; `bytes` is for less than four.
#[inline(always)]
pub(crate) fn all(text: &[u8], words: impl Fn(u64) -> bool, bytes: impl Fn(u8) -> bool) -> bool {
    if let (Some(mut word), Some(last)) = (load(text, 0), text.last_chunk()) {
        let mut at = 8;
        while at < text.len() && words(word) {
            word = load(text, at).unwrap_or(u64::from_le_bytes(*last));
            at += 8;
        }
        return at >= text.len() && words(word) && words(u64::from_le_bytes(*last));
    }
    match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
            words(u64::from(first) | u64::from(last) << 32)
        }
        _ => text.iter().all(|&byte| bytes(byte)),
    }
}

/// Copies `from` to `to`, which is as long. Short texts are the usual ones, and a call costs more than they do.
#[inline(always)]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    if to.len() != from.len() || from.len() > 16 {
        let length = to.len().min(from.len());
        if let (Some(to), Some(from)) = (to.get_mut(..length), from.get(..length)) {
            to.copy_from_slice(from);
        }
        return;
    }
    if let (Some(&first), Some(&last)) = (from.first_chunk::<8>(), from.last_chunk::<8>()) {
        to.first_chunk_mut().into_iter().for_each(|chunk| *chunk = first);
        to.last_chunk_mut().into_iter().for_each(|chunk| *chunk = last);
    } else if let (Some(&first), Some(&last)) = (from.first_chunk::<4>(), from.last_chunk::<4>()) {
        to.first_chunk_mut().into_iter().for_each(|chunk| *chunk = first);
        to.last_chunk_mut().into_iter().for_each(|chunk| *chunk = last);
    } else {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
}

/// How many digits the word begins with.
#[inline(always)]
pub(crate) const fn leading_digits(word: u64) -> usize {
    let digits = word ^ (ONES * b'0' as u64);
    // Above nine after the flip, or not ASCII. No carry leaves a byte: 0x7f + 0x76 < 0x100.
    let marks = ((digits & !HIGHS) + ONES * 0x76) | digits;
    before_first(marks & HIGHS)
}

/// The number that the first `count` digits of the word say, 1 to 8 of them.
#[inline(always)]
pub(crate) const fn digits(word: u64, count: usize) -> u64 {
    // Zeros before the first digit instead of bytes after the last.
    let word = (word ^ (ONES * b'0' as u64)) << (((8 - count) * 8) & 63);
    let pairs = word.wrapping_mul(10).wrapping_add(word >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = (pairs >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}

/// The eight digits of a number below 10^8, the first in the lowest byte.
#[inline(always)]
pub(crate) const fn to_digits(number: u64) -> u64 {
    // Two numbers of four digits, four of two, eight of one; divisions by multiplying.
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    (tens | ((twos - tens * 10) << 8)) + ONES * b'0' as u64
}

/// Whether every byte may stand in a name. (RFC 8428 §4.5.1)
#[inline(always)]
pub(crate) const fn are_name_bytes(word: u64) -> bool {
    name_marks(word) == HIGHS
}

/// How many bytes come before the first that may not stand in a name: eight if there is none.
#[inline(always)]
pub(crate) const fn leading_name_bytes(word: u64) -> usize {
    before_first(!name_marks(word) & HIGHS)
}

/// The high bit of each byte from `-` to `:`, of letters and of `_`.
#[inline(always)]
const fn name_marks(word: u64) -> u64 {
    let lower = word | (ONES * 0x20);
    let underscores = (word ^ (ONES * b'_' as u64)) & !HIGHS;
    let underscores = !(underscores + ONES * 0x7f);
    let allowed = within(word, b'-', b':') | within(lower, b'a', b'z') | underscores;
    allowed & !word & HIGHS
}

/// The high bit of each ASCII byte between `first` and `last`.
#[inline(always)]
const fn within(word: u64, first: u8, last: u8) -> u64 {
    let word = word & !HIGHS;
    (word + ONES * (0x80 - first) as u64) & !(word + ONES * (0x7f - last) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_bytes_say() {
        for byte in 0..=255u8 {
            for at in 0..8 {
                let mut bytes = *b"01234567";
                bytes[at] = byte;
                let word = u64::from_le_bytes(bytes);
                let special = byte < 0x20 || byte == b'"' || byte == b'\\';
                assert_eq!(plain_bytes(word), if special { at } else { 8 }, "{byte:#x}");
                let digit = byte.is_ascii_digit();
                assert_eq!(leading_digits(word), if digit { 8 } else { at }, "{byte:#x}");
                let named = byte.is_ascii_alphanumeric() || b"-:./_".contains(&byte);
                assert_eq!(are_name_bytes(word), named, "{byte:#x}");
                assert_eq!(leading_name_bytes(word), if named { 8 } else { at }, "{byte:#x}");
            }
        }
    }

    #[test]
    fn texts_of_every_length_are_looked_at_and_copied_whole() {
        for length in 0..40 {
            let text = std::vec![b'a'; length];
            assert!(is_plain(&text));
            let mut copied = std::vec![0; length];
            copy(&mut copied, &text);
            assert_eq!(copied, text);
            for at in 0..length {
                let mut text = text.clone();
                text[at] = b'"';
                assert!(!is_plain(&text), "{at} of {length}");
            }
        }
    }

    #[test]
    fn digits_are_written_together() {
        for number in (0..100_000)
            .chain([9_999_999, 99_999_999, 12_345_678])
            .chain((0..100_000_000).step_by(9_973))
        {
            assert_eq!(
                &to_digits(number).to_le_bytes(),
                std::format!("{number:08}").as_bytes()
            );
        }
    }

    #[test]
    fn digits_are_read_together() {
        let word = u64::from_le_bytes(*b"98765432");
        for (count, expected) in [9, 98, 987, 9876, 98765, 987_654, 9_876_543, 98_765_432]
            .into_iter()
            .enumerate()
        {
            assert_eq!(digits(word, count + 1), expected);
        }
    }
}
