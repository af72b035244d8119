//! The labels of a record. (RFC 8428 §4.3, RFC 9193 §4; `vlo` is LwM2M's, registered as RFC 8428 §12.2 says)

/// A label that this crate understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Label {
    BaseVersion,
    BaseName,
    BaseTime,
    BaseUnit,
    BaseValue,
    BaseSum,
    BaseContentFormat,
    Name,
    Unit,
    Value,
    StringValue,
    BooleanValue,
    Sum,
    Time,
    UpdateTime,
    DataValue,
    ContentFormat,
    ObjectLink,
}

impl Label {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::BaseVersion => "bver",
            Self::BaseName => "bn",
            Self::BaseTime => "bt",
            Self::BaseUnit => "bu",
            Self::BaseValue => "bv",
            Self::BaseSum => "bs",
            Self::BaseContentFormat => "bct",
            Self::Name => "n",
            Self::Unit => "u",
            Self::Value => "v",
            Self::StringValue => "vs",
            Self::BooleanValue => "vb",
            Self::Sum => "s",
            Self::Time => "t",
            Self::UpdateTime => "ut",
            Self::DataValue => "vd",
            Self::ContentFormat => "ct",
            Self::ObjectLink => "vlo",
        }
    }

    /// The integer in CBOR; those registered after the table have none. (RFC 8428 §6, table 4)
    pub(crate) const fn integer(self) -> Option<i8> {
        Some(match self {
            Self::BaseVersion => -1,
            Self::BaseName => -2,
            Self::BaseTime => -3,
            Self::BaseUnit => -4,
            Self::BaseValue => -5,
            Self::BaseSum => -6,
            Self::Name => 0,
            Self::Unit => 1,
            Self::Value => 2,
            Self::StringValue => 3,
            Self::BooleanValue => 4,
            Self::Sum => 5,
            Self::Time => 6,
            Self::UpdateTime => 7,
            Self::DataValue => 8,
            Self::BaseContentFormat | Self::ContentFormat | Self::ObjectLink => return None,
        })
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|label| label.text() == text)
    }

    pub(crate) const fn from_integer(integer: i64) -> Option<Self> {
        let mut rest = Self::ALL;
        while let [label, tail @ ..] = rest {
            if let Some(own) = label.integer()
                && own as i64 == integer
            {
                return Some(*label);
            }
            rest = tail;
        }
        None
    }

    /// A set with this label alone.
    pub(crate) const fn bit(self) -> u32 {
        1 << self as u8
    }

    pub(crate) const ALL: &'static [Self] = &[
        Self::BaseVersion,
        Self::BaseName,
        Self::BaseTime,
        Self::BaseUnit,
        Self::BaseValue,
        Self::BaseSum,
        Self::BaseContentFormat,
        Self::Name,
        Self::Unit,
        Self::Value,
        Self::StringValue,
        Self::BooleanValue,
        Self::Sum,
        Self::Time,
        Self::UpdateTime,
        Self::DataValue,
        Self::ContentFormat,
        Self::ObjectLink,
    ];
}
