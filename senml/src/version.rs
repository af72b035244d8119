//! Versions, which since RFC 9100 are sets of features.

use crate::{Error, ErrorKind};

/// The version of a pack (`bver`): a bitmap of features, of which 10 (0b1010) is the plain one. (RFC 9100 §2)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(u64);

impl Version {
    /// The version that a pack without `bver` has.
    pub const DEFAULT: Self = Self(10);

    /// The plain version with the feature that secondary units may be used (26).
    pub const SECONDARY_UNITS: Self = Self(26);

    const LARGEST: u64 = (1 << 53) - 1;

    /// The version with this number.
    ///
    /// # Errors
    /// [`ErrorKind::Version`] for 0 and for more than 2^53 - 1.
    pub const fn new(number: u64) -> Result<Self, Error> {
        if number == 0 || number > Self::LARGEST {
            Err(Error::new(ErrorKind::Version))
        } else {
            Ok(Self(number))
        }
    }

    /// The number in `bver`.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// Whether the pack uses feature `code` (0 to 48, above the base version's four bits: secondary units are 4).
    #[must_use]
    pub const fn has_feature(self, code: u32) -> bool {
        code < 53 && self.0 >> code & 1 == 1
    }

    /// Whether somebody who implements `implemented` can use a pack of this version. (RFC 9100 §2)
    #[must_use]
    pub const fn is_covered_by(self, implemented: Self) -> bool {
        self.0 & 0b1111 == 0b1010 && self.0 & !implemented.0 == 0
    }
}

impl Default for Version {
    fn default() -> Self {
        Self::DEFAULT
    }
}
