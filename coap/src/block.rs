use alloc::vec::Vec;

use crate::option::{decode_uint, encode_uint};

/// The value of Block1 and Block2 (RFC 7959 §2.2): which block, whether more follow, and how long blocks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    number: u32,
    more: bool,
    exponent: u8,
}

impl Block {
    /// The exponent of the longest block, 1,024 bytes.
    pub const LONGEST: u8 = 6;

    /// Block `number` of blocks of 2^(`exponent` + 4) bytes. `None` where the option could not hold it: a number of
    /// more than 20 bits, an exponent above 6.
    #[must_use]
    pub const fn new(number: u32, more: bool, exponent: u8) -> Option<Self> {
        if number < 1 << 20 && exponent <= Self::LONGEST {
            Some(Self {
                number,
                more,
                exponent,
            })
        } else {
            None
        }
    }

    /// The exponent of the longest block that is not longer than `size` bytes (16 at least).
    #[must_use]
    pub const fn exponent_of(size: usize) -> u8 {
        let mut exponent = Self::LONGEST;
        while exponent > 0 && Self::bytes(exponent) > size {
            exponent -= 1;
        }
        exponent
    }

    /// How many bytes a block of this exponent has.
    #[must_use]
    pub const fn bytes(exponent: u8) -> usize {
        1 << (exponent + 4)
    }

    /// Reads an option value; `None` if it is longer than three bytes or has the reserved exponent 7.
    #[must_use]
    pub fn decode(value: &[u8]) -> Option<Self> {
        if value.len() > 3 {
            return None;
        }
        let bits = decode_uint(value)?;
        Self::new(bits >> 4, bits & 8 != 0, (bits & 7) as u8)
    }

    /// The option value.
    #[must_use]
    pub fn encode(self) -> Vec<u8> {
        encode_uint(self.number << 4 | u32::from(self.more) << 3 | u32::from(self.exponent))
    }

    /// Which block.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.number
    }

    /// Whether blocks follow (in a request's Block2: always false).
    #[must_use]
    pub const fn more(self) -> bool {
        self.more
    }

    /// The exponent of the block's length.
    #[must_use]
    pub const fn exponent(self) -> u8 {
        self.exponent
    }

    /// The block's length in bytes; the last block of a body may be shorter.
    #[must_use]
    pub const fn size(self) -> usize {
        Self::bytes(self.exponent)
    }

    /// Where in the body the block starts.
    #[must_use]
    pub const fn offset(self) -> usize {
        (self.number as usize) << (self.exponent + 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_rfc_7959_come_back() {
        for (number, more, exponent) in [
            (0, false, 0),
            (0, true, 6),
            (62, true, 2),
            ((1 << 20) - 1, true, 6),
        ] {
            let block = Block::new(number, more, exponent).unwrap();
            assert_eq!(Block::decode(&block.encode()), Some(block));
        }
        assert_eq!(Block::decode(&[7]), None, "exponent 7 is reserved");
        assert_eq!(Block::decode(&[0, 0, 0, 6]), None, "at most three bytes");
        assert_eq!(Block::new(1 << 20, false, 0), None);
        assert_eq!(
            [15, 16, 31, 64, 1023, 4096].map(Block::exponent_of),
            [0, 0, 0, 2, 5, 6]
        );
    }
}
