use alloc::vec::Vec;

/// The number of an option, which also says how to treat one that is not known (RFC 7252 §5.4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OptionNumber(pub u16);

impl OptionNumber {
    /// If-Match
    pub const IF_MATCH: Self = Self(1);
    /// Uri-Host
    pub const URI_HOST: Self = Self(3);
    /// ETag
    pub const ETAG: Self = Self(4);
    /// If-None-Match
    pub const IF_NONE_MATCH: Self = Self(5);
    /// Observe (RFC 7641)
    pub const OBSERVE: Self = Self(6);
    /// Uri-Port
    pub const URI_PORT: Self = Self(7);
    /// Location-Path
    pub const LOCATION_PATH: Self = Self(8);
    /// Uri-Path
    pub const URI_PATH: Self = Self(11);
    /// Content-Format
    pub const CONTENT_FORMAT: Self = Self(12);
    /// Max-Age
    pub const MAX_AGE: Self = Self(14);
    /// Uri-Query
    pub const URI_QUERY: Self = Self(15);
    /// Accept
    pub const ACCEPT: Self = Self(17);
    /// Location-Query
    pub const LOCATION_QUERY: Self = Self(20);
    /// Block2 (RFC 7959)
    pub const BLOCK2: Self = Self(23);
    /// Block1 (RFC 7959)
    pub const BLOCK1: Self = Self(27);
    /// Size2 (RFC 7959)
    pub const SIZE2: Self = Self(28);
    /// Size1
    pub const SIZE1: Self = Self(60);
    /// Echo (RFC 9175)
    pub const ECHO: Self = Self(252);
    /// No-Response (RFC 7967)
    pub const NO_RESPONSE: Self = Self(258);
    /// Request-Tag (RFC 9175)
    pub const REQUEST_TAG: Self = Self(292);

    /// Whether a receiver that does not know the option must refuse the message.
    #[must_use]
    pub const fn is_critical(self) -> bool {
        self.0 & 1 == 1
    }

    /// Whether this layer, or an application on it, gives the option a meaning.
    #[must_use]
    pub const fn is_known(self) -> bool {
        matches!(
            self.0,
            3 | 4 | 6 | 7 | 8 | 11 | 12 | 14 | 15 | 17 | 20 | 23 | 27 | 28 | 60 | 252 | 258 | 292
        )
    }
}

/// The shortest form of an unsigned integer option value (RFC 7252 §3.2): zero is the empty string.
#[must_use]
pub fn encode_uint(value: u32) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    bytes.iter().copied().skip_while(|byte| *byte == 0).collect()
}

/// An unsigned integer option value; leading zeros are allowed (RFC 7252 §3.2), more than 32 bits give `None`.
#[must_use]
pub fn decode_uint(value: &[u8]) -> Option<u32> {
    let zeros = value.iter().take_while(|byte| **byte == 0).count();
    let digits = value.get(zeros..)?;
    (digits.len() <= 4).then(|| {
        digits
            .iter()
            .fold(0, |number, byte| number << 8 | u32::from(*byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_take_the_fewest_bytes_and_forgive_leading_zeros() {
        assert!(encode_uint(0).is_empty());
        assert_eq!(encode_uint(60), [60]);
        assert_eq!(encode_uint(0x0001_0000), [1, 0, 0]);
        assert_eq!(decode_uint(&[0, 0, 0, 0, 1]), Some(1));
        assert_eq!(decode_uint(&[1, 0, 0, 0, 0]), None);
        assert_eq!(decode_uint(&[]), Some(0));
    }
}
