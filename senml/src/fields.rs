//! The fields of one record as they stand in the input, borrowed: what every reader gives and every resolver takes.

#[cfg(feature = "alloc")]
use alloc::{borrow::Cow, string::String, vec::Vec};

use crate::label::Label;
#[cfg(feature = "alloc")]
use crate::{ErrorKind, Strictness, base64url, cbor, json, strictness};
use crate::{Number, Version};

/// The fields of one record. A field means something only if its bit is in `present`, so that a reader can use one
/// `Fields` for all records and clears one word between them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) present: u32,
    /// Whether there are fields that have no slot here: extensions.
    pub(crate) extended: bool,
    /// Whether the reader has seen that the name has only the characters that a name may have.
    pub(crate) clean_name: bool,
    /// Whether `v` is null, which a patch may say.
    pub(crate) null_value: bool,
    pub(crate) boolean: bool,
    pub(crate) version: Version,
    pub(crate) base_name: Text<'a>,
    pub(crate) base_unit: Text<'a>,
    pub(crate) base_content_format: Text<'a>,
    pub(crate) name: Text<'a>,
    pub(crate) unit: Text<'a>,
    pub(crate) text: Text<'a>,
    pub(crate) data: Data<'a>,
    pub(crate) content_format: Text<'a>,
    pub(crate) object_link: Text<'a>,
    pub(crate) base_time: Number,
    pub(crate) base_value: Number,
    pub(crate) base_sum: Number,
    pub(crate) value: Number,
    pub(crate) sum: Number,
    pub(crate) time: Number,
    pub(crate) update_time: Number,
}

impl Fields<'_> {
    pub(crate) const BASES: u32 = Label::BaseVersion.bit()
        | Label::BaseName.bit()
        | Label::BaseTime.bit()
        | Label::BaseUnit.bit()
        | Label::BaseValue.bit()
        | Label::BaseSum.bit()
        | Label::BaseContentFormat.bit();

    pub(crate) const VALUES: u32 = Label::Value.bit()
        | Label::StringValue.bit()
        | Label::BooleanValue.bit()
        | Label::DataValue.bit()
        | Label::ObjectLink.bit();

    /// What makes a record one whose value may be the base value alone.
    pub(crate) const HOLDERS: u32 = Label::Name.bit() | Label::Time.bit() | Label::Unit.bit();

    pub(crate) const EMPTY: Self = Self {
        present: 0,
        extended: false,
        clean_name: false,
        null_value: false,
        boolean: false,
        version: Version::DEFAULT,
        base_name: Text::Plain(""),
        base_unit: Text::Plain(""),
        base_content_format: Text::Plain(""),
        name: Text::Plain(""),
        unit: Text::Plain(""),
        text: Text::Plain(""),
        data: Data::Bytes(&[]),
        content_format: Text::Plain(""),
        object_link: Text::Plain(""),
        base_time: Number::ZERO,
        base_value: Number::ZERO,
        base_sum: Number::ZERO,
        value: Number::ZERO,
        sum: Number::ZERO,
        time: Number::ZERO,
        update_time: Number::ZERO,
    };

    #[cfg(feature = "alloc")]
    /// Forgets the last record.
    #[inline]
    pub(crate) const fn clear(&mut self) {
        self.present = 0;
        self.extended = false;
        self.clean_name = false;
        self.null_value = false;
    }

    #[inline]
    pub(crate) const fn has(&self, label: Label) -> bool {
        self.present & label.bit() != 0
    }

    #[cfg(feature = "alloc")]
    /// `number` if `label` is present.
    #[inline]
    pub(crate) fn number(&self, label: Label, number: Number) -> Option<Number> {
        self.has(label).then_some(number)
    }
}

#[cfg(feature = "alloc")]
/// What a reader is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadMode {
    /// To resolve: fields that are not known are skipped.
    Resolve,
    /// To keep: fields that are not known are, too.
    Keep,
    /// To patch: `v` may be null, and no field has to be understood. (RFC 8790 §5)
    Patch,
}

#[cfg(feature = "alloc")]
/// The most fields of one record that are not known.
pub(crate) const MAX_EXTENSIONS: usize = 64;

/// Text as it stands in the input; a reader has checked that it can be read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text<'a> {
    /// As it is.
    Plain(&'a str),
    #[cfg(feature = "alloc")]
    /// What stands between the quotes in JSON, with escapes.
    Escaped(&'a str),
    #[cfg(feature = "alloc")]
    /// The chunks of an indefinite CBOR string.
    Chunked(&'a [u8]),
}

#[cfg(feature = "alloc")]
impl<'a> Text<'a> {
    pub(crate) fn append_to(self, out: &mut String) {
        match self {
            Self::Plain(text) => out.push_str(text),
            Self::Escaped(text) => json::unescape(text, out),
            Self::Chunked(chunks) => {
                for chunk in cbor::chunks(chunks) {
                    out.push_str(core::str::from_utf8(chunk).unwrap_or_default());
                }
            }
        }
    }

    pub(crate) fn to_cow(self) -> Cow<'a, str> {
        match self {
            Self::Plain(text) => Cow::Borrowed(text),
            other => {
                let mut text = String::new();
                other.append_to(&mut text);
                Cow::Owned(text)
            }
        }
    }

    /// The text, through `scratch` if it does not stand in the input as it is.
    #[inline]
    pub(crate) fn through<'s>(self, scratch: &'s mut String) -> &'s str
    where
        'a: 's,
    {
        match self {
            Self::Plain(text) => text,
            other => {
                scratch.clear();
                other.append_to(scratch);
                scratch
            }
        }
    }
}

/// A data value as it stands in the input.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data<'a> {
    Bytes(&'a [u8]),
    #[cfg(feature = "alloc")]
    /// The chunks of an indefinite CBOR byte string.
    Chunked(&'a [u8]),
    #[cfg(feature = "alloc")]
    Base64(Text<'a>),
}

#[cfg(feature = "alloc")]
impl<'a> Data<'a> {
    /// The bytes, through `scratch` if they do not stand in the input as they are.
    pub(crate) fn through<'s>(
        self,
        rules: &Strictness,
        scratch: &'s mut Vec<u8>,
    ) -> Result<&'s [u8], ErrorKind>
    where
        'a: 's,
    {
        scratch.clear();
        match self {
            Self::Bytes(bytes) => return Ok(bytes),
            Self::Chunked(chunks) => cbor::chunks(chunks).for_each(|chunk| scratch.extend_from_slice(chunk)),
            Self::Base64(text) => {
                let accept = base64url::Accept {
                    padding: rules.accepts(strictness::PADDED_DATA),
                    standard_alphabet: rules.accepts(strictness::STANDARD_BASE64),
                };
                base64url::decode(text.to_cow().as_bytes(), accept, scratch)?;
            }
        }
        Ok(scratch)
    }
}
