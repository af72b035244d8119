//! What can be wrong with a pack, and where.

use core::fmt;

/// Why something was refused, and where: small, `Copy`, without strings.
///
/// [`record`](Self::record) counts from 0; [`at`](Self::at) is the byte offset in the input, or 0 where there is no input
/// (a record that was built, not read).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    record: u32,
    at: u32,
}

impl Error {
    pub(crate) const fn new(kind: ErrorKind) -> Self {
        Self {
            kind,
            record: 0,
            at: 0,
        }
    }

    /// The same error, in record number `record` (counted from 0).
    #[must_use]
    pub(crate) fn in_record(mut self, record: usize) -> Self {
        self.record = u32::try_from(record).unwrap_or(u32::MAX);
        self
    }

    /// The same error, at byte `at` of the input.
    #[must_use]
    pub(crate) fn at_byte(mut self, at: usize) -> Self {
        self.at = u32::try_from(at).unwrap_or(u32::MAX);
        self
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Index of the record, from 0.
    #[must_use]
    pub const fn record(&self) -> usize {
        self.record as usize
    }

    /// Byte offset in the input.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at as usize
    }

    /// The section of the standard that says so, like `RFC 8428 §4.5.1`.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.kind.rule()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<core::convert::Infallible> for Error {
    fn from(never: core::convert::Infallible) -> Self {
        match never {}
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, record, at } = self;
        write!(f, "{kind} in record {record}, at byte {at} ({})", kind.rule())
    }
}

impl core::error::Error for Error {}

/// One row per kind: the name, what it says, and the section behind it.
macro_rules! kinds {
    ($($(#[$attribute:meta])* $kind:ident: $text:literal, $rule:literal;)*) => {
        /// What is wrong. The text of each kind is what its `Display` says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $(#[doc = concat!($text, " (", $rule, ").")] $(#[$attribute])* $kind,)*
        }

        impl ErrorKind {
            /// The section of the standard behind this kind.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$kind => $rule,)* }
            }

            const fn text(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }

            /// The name of the kind in words joined by `-`, for machines.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$kind,)*];
        }
    };
}

kinds! {
    Truncated: "the input ends before the pack does", "RFC 8428 §3";
    TrailingBytes: "bytes follow the pack", "RFC 8428 §3";
    JsonSyntax: "not JSON", "RFC 8428 §5";
    CborSyntax: "not CBOR", "RFC 8428 §6";
    NotUtf8: "text is not UTF-8", "RFC 8428 §5";
    NotAnArray: "a pack is an array of records", "RFC 8428 §3";
    NotARecord: "a record is an object or a map", "RFC 8428 §3";
    EmptyPack: "a pack has at least one record", "RFC 8428 §3";
    DuplicateLabel: "a label appears twice", "RFC 8949 §5.6";
    MustUnderstand: "a label ending in _ is not understood", "RFC 8428 §4.4";
    LabelForm: "a known label is written as text where CBOR wants its integer", "RFC 8428 §6";
    WrongType: "a field has a value of the wrong type", "RFC 8428 §4.3";
    SeveralValues: "a record has more than one value", "RFC 8428 §4.2";
    NoValue: "a record has neither value nor sum", "RFC 8428 §4.2";
    EmptyName: "the name is empty", "RFC 8428 §4.5.1";
    NameStart: "the name starts with a character that only later ones may be", "RFC 8428 §4.5.1";
    NameCharacter: "the name has a character outside A-Z a-z 0-9 - : . / _", "RFC 8428 §4.5.1";
    NotFinite: "a number is not finite or too large for a double", "RFC 8428 §5";
    NumberForm: "a number is written in a form that is not accepted", "RFC 8428 §6";
    DataForm: "a data value is not base64url without padding", "RFC 8428 §5";
    Version: "the version is not understood", "RFC 9100 §2";
    MixedVersions: "the records of a pack have different versions", "RFC 8428 §4.1";
    ContentFormat: "not a content-format", "RFC 9193 §3";
    IndefiniteLength: "an indefinite length where a definite one is asked for", "RFC 8428 §6";
    SecondaryUnit: "a secondary unit in a pack whose version does not have the feature", "RFC 9100 §5";
    TooManyRecords: "more records than the limit", "RFC 8428 §13";
    TooManyFields: "more unknown fields in a record than the limit", "RFC 8428 §13";
    NameTooLong: "a name longer than the limit", "RFC 8428 §13";
    TooDeep: "a value nested deeper than the limit", "RFC 8428 §13";
    BufferFull: "the buffer is too small", "RFC 8428 §3";
    RecordTooLarge: "one record alone is larger than the limit", "RFC 8428 §3";
    MediaType: "not a media type or content-format of SenML", "RFC 8428 §12";
    FragmentForm: "not a fragment of the form rec=3-5,10,19-*", "RFC 8428 §9";
    FetchField: "a fetch record holds only n, t, u and their bases", "RFC 8790 §3.1";
    FetchName: "a fetch or patch record has no name", "RFC 8790 §3.1";
    PatchValue: "a patch record has no value and removes nothing", "RFC 8790 §3.2";
    PatchAmbiguous: "a patch record matches more than one record", "RFC 8790 §3.2";
    NotResolvable: "the pack cannot be resolved", "RFC 8428 §4.6";
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_small_and_says_where() {
        assert!(size_of::<Error>() <= 16);
        let error = Error::new(ErrorKind::EmptyName).in_record(3).at_byte(17);
        let text = "the name is empty in record 3, at byte 17 (RFC 8428 §4.5.1)";
        assert_eq!(alloc_free_text(&error).as_str(), text);
    }

    #[test]
    fn every_kind_names_its_section() {
        for kind in ErrorKind::ALL {
            assert!(kind.rule().starts_with("RFC "), "{kind:?}");
        }
    }

    fn alloc_free_text(error: &Error) -> std::string::String {
        std::format!("{error}")
    }
}
