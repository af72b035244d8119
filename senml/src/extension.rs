//! Fields that this crate does not know, kept so that a pack can be written as it was read.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::fields::{Fields, ReadMode};
use crate::number::Repr;
use crate::{Error, Format, Number, Strictness, cbor, json};

/// A field whose label is not known here. (RFC 8428 §4.4, §12.2)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// The label.
    pub label: String,
    /// The value, of any type.
    pub value: ExtensionValue,
}

/// The value of an extension: what JSON and CBOR can both say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionValue {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number
    Number(Number),
    /// A text
    Text(String),
    /// A CBOR byte string; base64url text in JSON
    Data(Vec<u8>),
    /// An array
    Array(Vec<ExtensionValue>),
    /// An object or map whose keys are text
    Map(Vec<Extension>),
}

impl ExtensionValue {
    /// What a CBOR tag around `inside` says: a number if it is one, else what is inside. (RFC 8949 §3.4.3, §3.4.4)
    pub(crate) fn tagged(tag: u64, inside: Self) -> Self {
        let number = match (tag, &inside) {
            (2 | 3, Self::Data(bytes)) => Number::from_bignum(tag == 3, bytes).ok(),
            (4 | 5, Self::Array(parts)) => match parts.as_slice() {
                [exponent, mantissa] => exponent.integer().zip(mantissa.integer()).and_then(|parts| {
                    let (exponent, mantissa) = (parts.0, i128::from(parts.1));
                    let number = match tag {
                        4 => Number::from_wide(mantissa, exponent),
                        _ => Number::from_binary(mantissa, exponent),
                    };
                    number.ok()
                }),
                _ => None,
            },
            _ => None,
        };
        number.map_or(inside, Self::Number)
    }

    /// The integer, if the value was written as one.
    fn integer(&self) -> Option<i64> {
        match self {
            Self::Number(number) => match number.repr() {
                Repr::Decimal {
                    mantissa,
                    exponent: 0,
                } => Some(mantissa),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The fields of a reading that are not known here, lent. A reader only checks them; they are read, and allocated, when
/// somebody asks.
///
/// ```
/// use manywire_senml::{ExtensionValue, Format, Resolver};
///
/// let mut resolver = Resolver::new();
/// let mut readings = resolver.read(br#"[{"n":"a","v":1,"quality":"good"}]"#, Format::Json)?;
/// let reading = readings.next()?.ok_or("one reading")?;
/// assert_eq!(reading.extensions.get("quality"), Some(ExtensionValue::Text("good".into())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Extensions<'a>(Place<'a>);

#[derive(Clone, Copy)]
enum Place<'a> {
    Kept(&'a [Extension]),
    /// Among the fields of this record, which was read once and is right.
    Record(&'a [u8], Format),
}

impl<'a> Extensions<'a> {
    /// No field that is not known.
    pub const NONE: Self = Self(Place::Kept(&[]));

    pub(crate) const fn kept(extensions: &'a [Extension]) -> Self {
        Self(Place::Kept(extensions))
    }

    pub(crate) const fn in_record(record: &'a [u8], format: Format) -> Self {
        Self(Place::Record(record, format))
    }

    /// The fields in the order they came, without base fields: those have no meaning outside their pack. (RFC 8428 §4.6)
    pub fn iter(&self) -> impl Iterator<Item = Extension> + use<> {
        let mut extensions = match self.0 {
            Place::Kept(extensions) => extensions.to_vec(),
            Place::Record(record, format) => read_again(record, format).unwrap_or_default(),
        };
        extensions.retain(|extension| !extension.label.starts_with('b'));
        extensions.into_iter()
    }

    /// The value of the field with this label.
    #[must_use]
    pub fn get(&self, label: &str) -> Option<ExtensionValue> {
        self.iter()
            .find(|extension| extension.label == label)
            .map(|extension| extension.value)
    }

    /// Whether there is no such field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Place::Kept([])) || self.iter().next().is_none()
    }
}

/// The unknown fields of a record that a reader has accepted, by whatever rules.
fn read_again(record: &[u8], format: Format) -> Result<Vec<Extension>, Error> {
    let rules = Strictness::LENIENT.max_nesting(u8::MAX);
    let mut fields = Fields::EMPTY;
    match format {
        Format::Json => {
            let text = core::str::from_utf8(record).unwrap_or_default();
            let mut reader = json::Reader::of_records(text, rules, ReadMode::Keep);
            reader.record(&mut fields)?;
            Ok(reader.extensions)
        }
        Format::Cbor => {
            let mut reader = cbor::Reader::of_records(record, rules, ReadMode::Keep);
            reader.record(&mut fields)?;
            Ok(reader.extensions)
        }
    }
}

impl Default for Extensions<'_> {
    fn default() -> Self {
        Self::NONE
    }
}

impl PartialEq for Extensions<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Extensions<'_> {}

impl fmt::Debug for Extensions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
