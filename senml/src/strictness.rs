//! How strictly the standard is read where it contradicts itself, and the limits of a reader.

use crate::{Error, ErrorKind, Version};

/// What to accept, as a value. The default accepts what well-known senders send and what the standard's own examples do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strictness {
    accepted: u32,
    features: Version,
    max_records: u32,
    max_name: u32,
    max_nesting: u8,
}

/// One row per policy: bit, setter, question.
macro_rules! policies {
    ($($bit:literal $policy:ident $constant:ident: $text:literal;)*) => {
        $(pub(crate) const $constant: u32 = 1 << $bit;)*

        impl Strictness {
            $(
                #[doc = concat!("Whether to accept ", $text)]
                #[must_use]
                pub const fn $policy(mut self, accept: bool) -> Self {
                    self.accepted = if accept { self.accepted | $constant } else { self.accepted & !$constant };
                    self
                }
            )*
        }
    };
}

policies! {
    0 base_only_records BASE_ONLY_RECORDS: "records that set base fields and nothing else; they yield no reading. (RFC 8428 §4.2 against §5.1.7)";
    1 base_value_alone BASE_VALUE_ALONE: "records whose value is the base value alone. (RFC 8428 §4.2 against §4.5.4)";
    2 legacy_versions LEGACY_VERSIONS: "versions below 10, as RFC 8428 §5.1.2 itself has.";
    3 indefinite_lengths INDEFINITE_LENGTHS: "indefinite arrays, maps and strings in CBOR. (RFC 8428 §6)";
    4 padded_data PADDED_DATA: "`=` at the end of data values in JSON. (RFC 8428 §5)";
    5 tagged_times TAGGED_TIMES: "CBOR tag 1 around times.";
    6 text_labels TEXT_LABELS: "labels as text in CBOR where the standard has integers. (RFC 8428 §6)";
    7 upper_case_exponents UPPER_CASE_EXPONENTS: "`1E3` in JSON. (RFC 8428 §5)";
    8 large_numbers LARGE_NUMBERS: "bignums and bigfloats (CBOR tags 2, 3 and 5) that fit a double. (RFC 8428 §6)";
    9 empty_packs EMPTY_PACKS: "packs without records, as the answer to a FETCH may be. (RFC 8428 §3)";
    10 standard_base64 STANDARD_BASE64: "`+` and `/` in data values in JSON. (RFC 8428 §5)";
    11 undeclared_secondary_units UNDECLARED_SECONDARY_UNITS: "secondary units in packs whose version does not declare them. (RFC 9100 §5)";
    12 unknown_base_fields UNKNOWN_BASE_FIELDS: "base fields that are not known, by dropping them. (RFC 8428 §4.6)";
}

impl Strictness {
    /// What this crate does unless told otherwise.
    pub const DEFAULT: Self = Self {
        accepted: BASE_ONLY_RECORDS
            | BASE_VALUE_ALONE
            | LEGACY_VERSIONS
            | INDEFINITE_LENGTHS
            | PADDED_DATA
            | TAGGED_TIMES
            | UPPER_CASE_EXPONENTS
            | LARGE_NUMBERS
            | EMPTY_PACKS
            | UNDECLARED_SECONDARY_UNITS
            | UNKNOWN_BASE_FIELDS,
        features: Version::SECONDARY_UNITS,
        max_records: 1 << 20,
        max_name: 1024,
        max_nesting: 32,
    };

    /// The letter of the standard.
    pub const STRICT: Self = Self {
        accepted: 0,
        ..Self::DEFAULT
    };

    /// Everything that can be understood.
    pub const LENIENT: Self = Self {
        accepted: u32::MAX,
        ..Self::DEFAULT
    };

    /// The features the caller implements; a pack that needs others is refused. (RFC 9100 §2)
    #[must_use]
    pub const fn features(mut self, implemented: Version) -> Self {
        self.features = implemented;
        self
    }

    /// The most records a pack may have; 2^20 by default.
    #[must_use]
    pub const fn max_records(mut self, records: u32) -> Self {
        self.max_records = records;
        self
    }

    /// The longest full name in bytes; 1024 by default.
    #[must_use]
    pub const fn max_name(mut self, bytes: u32) -> Self {
        self.max_name = bytes;
        self
    }

    /// How deep the values of unknown fields may be nested; 32 by default.
    #[must_use]
    pub const fn max_nesting(mut self, levels: u8) -> Self {
        self.max_nesting = levels;
        self
    }

    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) const fn accepts(&self, policy: u32) -> bool {
        self.accepted & policy != 0
    }

    #[cfg(feature = "alloc")]
    /// `kind` as an error, unless `policy` is accepted.
    pub(crate) const fn allow(&self, policy: u32, kind: ErrorKind) -> Result<(), Error> {
        if self.accepts(policy) {
            Ok(())
        } else {
            Err(Error::new(kind))
        }
    }

    #[cfg(feature = "alloc")]
    /// Whether a pack of this version may be used. (RFC 8428 §4.4, RFC 9100 §2)
    pub(crate) const fn check_version(&self, version: Version) -> Result<(), Error> {
        let legacy = version.number() < Version::DEFAULT.number() && self.accepts(LEGACY_VERSIONS);
        if legacy || version.is_covered_by(self.features) {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::Version))
        }
    }

    #[cfg(feature = "alloc")]
    pub(crate) const fn record_limit(&self) -> usize {
        self.max_records as usize
    }

    pub(crate) const fn name_limit(&self) -> usize {
        self.max_name as usize
    }

    #[cfg(feature = "alloc")]
    pub(crate) const fn nesting_limit(&self) -> usize {
        self.max_nesting as usize
    }
}

impl Default for Strictness {
    fn default() -> Self {
        Self::DEFAULT
    }
}
