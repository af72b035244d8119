//! Hashing of paths and keys: folded multiplication, seeded.

use core::hash::{Hash, Hasher};

use crate::level::Level;

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
const STAR: u64 = 0xD6E8_FEB8_6659_FD93;

#[inline]
fn fold(word: u64) -> u64 {
    let product = u128::from(word) * u128::from(STEP);
    product as u64 ^ (product >> 64) as u64
}

/// A hash that more can be added to: that of a path is the hash of its parent plus one level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PathHash(pub(super) u64);

impl PathHash {
    /// Adds the level's text, and where it ends.
    #[inline]
    pub(super) fn level(self, level: Level<'_>) -> Self {
        match level.plain() {
            Some(text) => self.bytes(text.as_bytes()),
            None => self.streamed(level.bytes()),
        }
    }

    /// Adds the wildcard for one level.
    #[inline]
    pub(super) fn star(self) -> Self {
        Self(fold(self.0 ^ STAR))
    }

    /// Adds a text and its length, eight bytes at a time.
    #[inline]
    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        let (chunks, last) = bytes.as_chunks::<8>();
        let mut hash = self.0;
        for chunk in chunks {
            hash = fold(hash ^ u64::from_le_bytes(*chunk));
        }
        let length = (last.len() as u64) << 56;
        let word = match (bytes.last_chunk::<8>(), last) {
            // The last eight bytes overlap the chunk before; shifting leaves those that are new.
            (Some(_), []) => 0,
            (Some(end), _) => u64::from_le_bytes(*end) >> (64 - 8 * last.len()),
            (None, _) => short(last),
        };
        Self(fold(hash ^ word ^ length))
    }

    /// As [`bytes`](Self::bytes), for a text that has to be decoded on the way.
    fn streamed(self, bytes: impl Iterator<Item = u8>) -> Self {
        let (mut hash, mut word, mut count) = (self.0, 0, 0_u32);
        for byte in bytes {
            word |= u64::from(byte) << (8 * count);
            count += 1;
            if count == 8 {
                hash = fold(hash ^ word);
                (word, count) = (0, 0);
            }
        }
        Self(fold(hash ^ word ^ (u64::from(count) << 56)))
    }
}

/// Up to seven bytes as a number, little end first.
#[inline]
fn short(bytes: &[u8]) -> u64 {
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(end)) => {
            let high = u64::from(u32::from_le_bytes(*end)) >> (8 * (8 - bytes.len()));
            u64::from(u32::from_le_bytes(*first)) | high << 32
        }
        _ => bytes
            .iter()
            .rev()
            .fold(0, |word, byte| word << 8 | u64::from(*byte)),
    }
}

/// The hash of a key, at one place of the trie.
pub(super) fn of_key<K: Hash>(key: &K, seed: u64, list: u64) -> u32 {
    let mut hasher = KeyHasher(PathHash(seed ^ list));
    key.hash(&mut hasher);
    hasher.0.0 as u32
}

struct KeyHasher(PathHash);

impl Hasher for KeyHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.bytes(bytes);
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = PathHash(fold(self.0.0 ^ value));
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn finish(&self) -> u64 {
        self.0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streamed_and_whole_texts_hash_alike() {
        let text = b"abcdefghijklmnopqrstuvwxyz";
        for length in 0..=text.len() {
            let bytes = &text[..length];
            assert_eq!(
                PathHash(7).bytes(bytes),
                PathHash(7).streamed(bytes.iter().copied()),
                "{length}"
            );
        }
    }

    #[test]
    fn where_a_level_ends_matters() {
        let start = PathHash(7);
        assert_ne!(start.bytes(b"ab").bytes(b"c"), start.bytes(b"a").bytes(b"bc"));
        assert_ne!(start.bytes(b"a"), start.bytes(b"a\0"));
    }
}
