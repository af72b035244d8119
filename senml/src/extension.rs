//! Fields that this crate does not know, kept so that a pack can be written as it was read.

use alloc::string::String;
use alloc::vec::Vec;

use crate::Number;

/// A field whose label is not one of RFC 8428 or RFC 9193. (RFC 8428 §4.4, §12.2)
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
